"""Rows that come one after the other: :class:`CogWriter`."""

from __future__ import annotations

from types import TracebackType
from typing import Any

import numpy as np

from . import _arrays, _native, _options, _raster, _write
from ._overrides import Overrides
from ._plan import Georeference
from ._raster import UNSET, Raster
from ._resolve import array_info, resolve

#: Bytes of rows that are brought into the encoder's order at once.
_PIECE = 16 << 20


class CogWriter:
    """Writes a COG from rows as they come; memory doesn't grow with the height of the image.

    The file appears when the ``with`` block ends, and not at all if it ends by an exception or before all rows came.

    ::

        with cogsmith.CogWriter("out.tif", shape=(2000, 3000), dtype="uint16", crs=32633, transform=transform) as cog:
            for rows in source:
                cog.push(rows)

    ``shape`` is (rows, columns) or (bands, rows, columns). For ``":mem:"`` the bytes are in ``result`` at the end, for
    paths the path. Everything else is as in :func:`cogsmith.write`.
    """

    #: The path, the bytes, or the number of bytes given to an object; ``None`` before the end.
    result: Any

    def __init__(
        self,
        target: Any,
        *,
        shape: tuple[int, ...],
        dtype: Any,
        crs: Any = None,
        transform: Any = None,
        gcps: Any = None,
        geotransform: Any = None,
        nodata: Any = UNSET,
        mask: bool = False,
        band_names: Any = None,
        scale: Any = None,
        offset: Any = None,
        unit: Any = None,
        tags: Any = None,
        colormap: Any = None,
        colorinterp: Any = None,
        pixel_is_point: bool | None = None,
        progress: Any = None,
        **options: Any,
    ) -> None:
        if len(shape) not in (2, 3):
            raise ValueError(f"shape={shape!r}: expected (rows, columns) or (bands, rows, columns)")
        count, height, width = (1, *shape) if len(shape) == 2 else shape
        if 0 in shape:
            raise ValueError(f"shape={shape!r} is empty: there are no pixels to write")
        # An array of the right shape that takes no memory stands for what will come.
        stand_in = np.broadcast_to(np.zeros((), np.dtype(dtype)), (height, width, count))
        raster = Raster([stand_in], Georeference())
        overrides = Overrides(
            crs=crs,
            transform=transform,
            gcps=gcps,
            geotransform=geotransform,
            nodata=nodata,
            tags=tags,
            band_names=band_names,
            scale=scale,
            offset=offset,
            unit=unit,
            pixel_is_point=pixel_is_point,
            colormap=colormap,
            colorinterp=colorinterp,
        )
        request = _options.resolve(options, array_info(raster), _options.Request())
        valid = np.broadcast_to(np.True_, (height, width)) if mask else None
        resolved = resolve(raster, valid, overrides, request, progress)
        self._dtype, self._bands, self._width, self._height = raster.dtype, count, width, height
        self._rows, self._progress = 0, resolved.work.progress
        self._where = _write.destination(target)
        self._native = _native.Writer(resolved.plan(), self._where, resolved.work)
        self.result = None

    def push(self, rows: Any, mask: Any = None) -> None:
        """Takes the next rows: (rows, columns) or (bands, rows, columns), and their mask (rows, columns)."""
        rows, masked = _raster.mask_of(rows)
        if masked is not None and mask is not None:
            raise ValueError("the rows have a mask of their own: leave mask= out, or pass rows.data")
        mask = masked if masked is not None else mask
        rows = np.asarray(rows)
        if rows.ndim == 2 and self._bands == 1:
            rows = rows[None]
        if rows.ndim != 3 or rows.shape[0] != self._bands or rows.shape[2] != self._width:
            bands = f"({self._bands}, rows, {self._width})" if self._bands > 1 else f"(rows, {self._width})"
            raise ValueError(f"rows have the shape {rows.shape}, expected {bands}")
        if rows.dtype.newbyteorder("=") != self._dtype.newbyteorder("="):
            raise ValueError(f"rows are {rows.dtype}, the image is {self._dtype}")
        if mask is not None and np.shape(mask) != rows.shape[1:]:
            raise ValueError(f"the mask has the shape {np.shape(mask)}, its rows {rows.shape[1:]}")
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
        """Writes the file, as the end of the ``with`` block does; returns :attr:`result`."""
        self.result = _write.result(self._where, self._native.finish())
        return self.result

    def discard(self) -> None:
        """Gives up: nothing appears."""
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


