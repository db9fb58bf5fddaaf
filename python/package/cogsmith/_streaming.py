"""Write rows as they come: :class:`CogWriter`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Literal

import numpy as np

from . import _arrays, _native, _options, _raster, _targets
from ._defaults import default, passed
from ._overrides import take_overrides
from ._plan import Georeference
from ._raster import Raster
from ._resolve import array_info, check_mask, resolve
from ._types import (
    Alpha,
    BigTiff,
    Bytes,
    Colors,
    Compress,
    Factors,
    Flag,
    Interleave,
    Number,
    Numbers,
    Photometric,
    Predictor,
    Progress,
    Resampling,
    Sparse,
    RowAliases,
    StorageOptions,
    StrPath,
    Subsampling,
    Target,
    Texts,
    Threads,
    TileSize,
    Unpack,
)

#: Bytes of rows that are rearranged for the encoder at a time.
_PIECE = 16 << 20


class CogWriter:
    """Write a Cloud Optimized GeoTIFF row by row.

    Memory use does not depend on image height, apart from four bytes per tile. The file appears when the ``with`` block
    ends, and not at all if an exception ends it or rows are missing.

    Parameters
    ----------
    target : str, os.PathLike, or file object
        Path of the file, ``":mem:"`` for bytes, or an object with a method ``write(bytes)``.
    shape : tuple of int
        (rows, columns) or (bands, rows, columns) of the image, in pixels.
    dtype : dtype_like
        Type of the samples: bool (written as uint8 0 and 1), an integer of up to 64 bits, float16, float32, float64,
        complex64, or complex128.
    crs, transform, gcps, geotransform : optional
        Georeference, as in :func:`cogsmith.write`. Default: none.
    nodata : int, float, or None, optional
        Nodata value. Default: none.
    mask : bool or {"auto", "nodata", "any-nodata"}, default False
        Whether the file has a mask; :meth:`push` then takes the mask of its rows. Or a policy that makes the mask from
        nodata, as in :func:`cogsmith.write`.
    band_names, band_scale, band_offset, band_unit, tags, colormap, colorinterp : optional
        Metadata, as in :func:`cogsmith.write`. Default: none.
    pixel_is_point : bool, default False
        Whether the file is marked ``AREA_OR_POINT=Point``. ``transform`` refers to pixel corners either way.
    progress : callable or tqdm bar, optional
        Called as ``progress(rows_done, rows)`` as rows are pushed.
    overviews : "auto", "none", or sequence of int, default "auto"
        As in :func:`cogsmith.write`, but not images.
    compress, level, quality, lossless, max_z_error, jpeg_subsampling, predictor, blocksize, overview_blocksize, interleave, bigtiff, sparse : optional
        Encoding options, as in :func:`cogsmith.write`.
    overview_count, overview_resampling, statistics, photometric, alpha, nbits : optional
        Likewise.
    overview_compress, overview_level, overview_quality, overview_max_z_error, overview_predictor : optional
        Likewise.
    threads, overwrite, sync, verify, temp_dir, tile_memory, row_memory, storage_options : optional
        Likewise.
    **aliases
        Other names of these options, as in :func:`cogsmith.write`.

    Attributes
    ----------
    result : pathlib.Path, bytes, int, or None
        The path; for ``":mem:"`` the bytes of the file; for an object the number of bytes written to it. ``None`` until
        the file is finished.

    Raises
    ------
    ValueError
        If an option is out of range, not supported, or in conflict with the image or another option.
    TypeError
        If an option is unknown or an argument has the wrong type, or GeoTIFF has no samples of this dtype.
    FileExistsError
        If the file exists and ``overwrite`` is not set.
    OSError
        If the file cannot be created.

    See Also
    --------
    write : Write a whole array.

    Examples
    --------
    >>> with cogsmith.CogWriter("out.tif", shape=(3, 2000, 3000), dtype="uint16", compress="zstd") as cog:
    ...     for first in range(0, 2000, 100):
    ...         cog.push(np.zeros((3, 100, 3000), "uint16"))
    >>> cog.result
    PosixPath('out.tif')
    """

    #: The path, the bytes, or the number of bytes written to an object; ``None`` until the file is finished.
    result: Any

    def __init__(
        self,
        target: Target,
        *,
        shape: tuple[int, ...],
        dtype: Any,
        crs: Any = None,
        transform: Iterable[float] | None = None,
        gcps: Iterable[Any] | None = None,
        geotransform: Iterable[float] | None = None,
        nodata: Number | str | None = None,
        mask: bool | Literal["auto", "nodata", "any-nodata"] = False,
        band_names: Texts | None = None,
        band_scale: Numbers | None = None,
        band_offset: Numbers | None = None,
        band_unit: Texts | None = None,
        tags: Mapping[str, Any] | None = None,
        colormap: Mapping[int, Any] | None = None,
        colorinterp: Colors | None = None,
        pixel_is_point: bool | None = None,
        progress: Progress = None,
        compress: Compress = default("deflate"),
        level: int | None = default(None),
        quality: int | None = default(None),
        lossless: Flag = default(False),
        max_z_error: float | None = default(None),
        jpeg_subsampling: Subsampling = default(None),
        predictor: Predictor = default("auto"),
        blocksize: TileSize | None = default(512),
        overview_blocksize: TileSize | None = default(None),
        interleave: Interleave = default("pixel"),
        bigtiff: BigTiff = default("auto"),
        sparse: Sparse = default(False),
        overviews: Factors = default("auto"),
        overview_count: int | None = default(None),
        overview_resampling: Resampling = default(None),
        overview_compress: Compress = default(None),
        overview_level: int | None = default(None),
        overview_quality: int | None = default(None),
        overview_max_z_error: float | None = default(None),
        overview_predictor: Predictor = default(None),
        statistics: Flag = default(False),
        photometric: Photometric = default(None),
        alpha: Alpha = default(None),
        nbits: int | None = default(None),
        threads: Threads = default(None),
        overwrite: Flag = default(False),
        sync: Flag = default(False),
        verify: Flag = default(False),
        temp_dir: StrPath | None = default(None),
        tile_memory: Bytes = default(None),
        row_memory: Bytes = default(None),
        storage_options: StorageOptions = default(None),
        **aliases: Unpack[RowAliases],
    ) -> None:
        options = passed(locals(), without=("self", "target", "shape", "dtype", "mask", "progress"))
        overrides = take_overrides(options, lacked=("attrs",))
        if len(shape) not in (2, 3):
            raise ValueError(f"shape={shape!r}: expected (rows, columns) or (bands, rows, columns)")
        count, height, width = (1, *shape) if len(shape) == 2 else shape
        if 0 in shape:
            raise ValueError(f"shape={shape!r} is empty: there are no pixels to write")
        # A broadcast array has the shape of the image and takes no memory.
        stand_in = np.broadcast_to(np.zeros((), np.dtype(dtype)), (height, width, count))
        raster = Raster([stand_in], Georeference())
        request = _options.resolve(options, array_info(raster), _options.Request(), CogWriter)
        policy, mask = (mask, False) if isinstance(mask, str) else ("auto", mask)
        request.options.mask = _options.mask_policy(policy)
        valid = np.broadcast_to(np.True_, (height, width)) if mask else None
        resolved = resolve(raster, valid, overrides, request, progress)
        self._dtype, self._bands, self._width, self._height = raster.dtype, count, width, height
        self._rows, self._progress = 0, resolved.work.progress
        self._where = _targets.destination(target)
        _targets.check_storage_options(resolved.work.storage_options, self._where)
        self._native = _native.Writer(resolved.plan(), self._where, resolved.work)
        self.result = None

    def push(self, rows: Any, mask: Any = None) -> None:
        """Add the next rows, from top to bottom.

        Parameters
        ----------
        rows : array_like
            Pixels of the dtype of the image, of shape (bands, rows, columns), or (rows, columns) for a single band. Any
            number of rows.
        mask : array_like of bool or uint8, shape (rows, columns), optional
            Mask of these rows; 0 or False marks invalid pixels. Required if the writer has a mask, unless ``rows`` is a
            two-dimensional masked array.

        Raises
        ------
        ValueError
            If rows or mask do not fit the image, or the writer is closed.
        TypeError
            If the mask is not an array of bool or uint8.

        Examples
        --------
        >>> cog.push(rows)
        >>> cog.push(rows, mask=rows[0] > 0)
        """
        rows, masked = _raster.mask_of(rows)
        if masked is not None and mask is not None:
            raise ValueError("the rows are a masked array and mask= is given; omit mask=, or pass rows.data")
        mask = masked if masked is not None else mask
        rows = np.asarray(rows)
        if rows.ndim == 2 and self._bands == 1:
            rows = rows[None]
        if rows.ndim != 3 or rows.shape[0] != self._bands or rows.shape[2] != self._width:
            bands = f"({self._bands}, rows, {self._width})" if self._bands > 1 else f"(rows, {self._width})"
            raise ValueError(f"rows have shape {rows.shape}, expected {bands}")
        if rows.dtype.newbyteorder("=") != self._dtype.newbyteorder("="):
            raise ValueError(f"rows are {rows.dtype}, but the image is {self._dtype}; convert them with .astype(...)")
        if mask is not None:
            check_mask(mask, rows.shape[2], rows.shape[1], "the rows have")
        valid = None if mask is None else _arrays.as_mask(mask)
        step = max(1, _PIECE // max(1, rows.itemsize * self._width * self._bands))
        for first in range(0, rows.shape[1], step):
            piece = np.ascontiguousarray(rows[:, first : first + step].transpose((1, 2, 0)))
            piece = piece.astype(self._dtype.newbyteorder("="), copy=False)
            piece = piece.view(np.uint8) if piece.dtype.kind == "b" else piece
            some = None if valid is None else np.ascontiguousarray(valid[first : first + step])
            self._native.push(piece, some)
            self._rows += piece.shape[0]
            if self._progress is not None:
                self._progress(self._rows, self._height)

    def finish(self) -> Any:
        """Write the file, as the end of the ``with`` block does.

        Returns
        -------
        pathlib.Path, bytes, or int
            :attr:`result`: the path, the bytes of the file, or the number of bytes written to an object.

        Raises
        ------
        ValueError
            If rows are missing, or the writer is closed.
        OSError
            If the target cannot be written.

        Examples
        --------
        >>> cog = cogsmith.CogWriter(":mem:", shape=(100, 200), dtype="uint8")
        >>> cog.push(np.zeros((100, 200), "uint8"))
        >>> data = cog.finish()
        """
        self.result = _targets.result(self._where, self._native.finish())
        return self.result

    def discard(self) -> None:
        """Close the writer without writing the file.

        Examples
        --------
        >>> cog.discard()
        """
        self._native.discard()

    def __enter__(self) -> CogWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.discard()
        elif self.result is None:
            self.finish()


