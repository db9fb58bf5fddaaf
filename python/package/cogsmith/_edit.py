"""Changes to files that leave their tiles as they are: :func:`repack` and :func:`edit`, with the results of the commands."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from . import _file_options, _native, _targets, _values
from ._defaults import default, passed
from ._plan import EditChoice
from ._raster import UNSET
from ._types import BandNumbers, BandTexts, Bytes, Colors, Flag, StrPath

_ADVICE = "copy it to a local file first"


def repack(
    src_path: StrPath,
    dst_path: StrPath,
    *,
    bigtiff: Literal["auto", "yes", "no"] | str = "auto",
    header_room: Bytes = None,
    overwrite: bool = False,
    sync: bool = False,
    quiet: bool = False,
) -> dict[str, Any]:
    """Arrange a tiled TIFF as a Cloud Optimized GeoTIFF without encoding its tiles again, as ``cogsmith repack`` does.

    The tiles of full resolution, of the overviews that the file has (also in SubIFDs or in its ``.ovr`` file), and of their
    masks are copied byte for byte. Overviews are not computed.

    Parameters
    ----------
    src_path : str or os.PathLike
        Path of the tiled TIFF to read.
    dst_path : str or os.PathLike
        Path of the COG to write. With ``overwrite=True`` it may be ``src_path``.
    bigtiff : {"auto", "yes", "no"}, default "auto"
        Whether to write a BigTIFF; "auto" only if the file exceeds 4 GiB.
    header_room : int or str, optional
        Free bytes after the directories, in which later changes by :func:`cogsmith.edit` fit. Default: 0.
    overwrite : bool, default False
        Whether an existing file is replaced.
    sync : bool, default False
        Whether to wait until the file is on disk.
    quiet : bool, default False
        Whether warnings are suppressed.

    Returns
    -------
    dict
        The object that ``cogsmith repack --json`` prints: ``output``, ``bytes``, ``big_tiff``, ``levels`` (width and height
        in pixels), ``tiles`` (copied, masks included), ``seconds``, and ``warnings``.

    Raises
    ------
    ValueError
        If the file is not a tiled TIFF, is damaged, or its tiles cannot be copied; :func:`cogsmith.create` reads it.
    FileExistsError
        If ``dst_path`` exists and ``overwrite`` is not set.
    OSError
        If the input cannot be read or the output cannot be written.

    Warns
    -----
    UserWarning
        For everything in the input that is left out, unless ``quiet`` is set.

    Examples
    --------
    >>> summary = cogsmith.repack("out.tif", "repacked.tif")
    >>> summary["levels"]
    [(3000, 2000), (1500, 1000), (750, 500), (375, 250)]
    """
    start = time.monotonic()
    source, target = _targets.local_path(src_path, _ADVICE), _targets.local_path(dst_path, "write a local file")
    size, is_big, levels, tiles, warnings = _native.repack(
        source, target, bigtiff, _room("header_room", header_room) or 0, overwrite, sync
    )
    _warn(source, warnings, quiet)
    return {
        "output": str(target), "bytes": size, "big_tiff": is_big, "levels": levels, "tiles": tiles,
        "seconds": round(time.monotonic() - start, 3), "warnings": warnings,
    }  # fmt: skip


def edit(
    path: StrPath,
    *,
    crs: Any = None,
    crs_wkt: Flag = default(False),
    nodata: Any = UNSET,
    transform: Iterable[float] | str | None = None,
    geotransform: Iterable[float] | str | None = None,
    bounds: Iterable[float] | str | None = None,
    gcps: Iterable[Any] | str | None = None,
    pixel_is: Literal["area", "point"] | str | None = None,
    band_description: BandTexts | None = None,
    band_scale: BandNumbers | None = None,
    band_offset: BandNumbers | None = None,
    band_unit: BandTexts | None = None,
    color_interpretation: Colors | None = None,
    metadata: Mapping[str, Any] | Sequence[str] | None = None,
    strip_metadata: Flag = default(False),
    statistics: bool = False,
    icc_profile: StrPath | bytes | None = None,
    remove: str | Sequence[str] = (),
    remove_metadata: str | Sequence[str] = (),
    copy_from: StrPath | None = None,
    copy: str | Sequence[str] = ("crs", "transform"),
    header_room: Bytes = None,
    dry_run: bool = False,
    sync: bool = False,
    quiet: bool = False,
) -> dict[str, Any]:
    """Change georeference and metadata of a COG without encoding it again, as ``cogsmith edit`` does.

    Tiles are copied byte for byte, and tags that no option concerns stay as they are. The new file replaces the old one at
    the end, unless the change fits in the free bytes of the header: then it is made in place. A tiled TIFF in another layout
    becomes a COG. Nothing is written if nothing changes.

    Parameters
    ----------
    path : str or os.PathLike
        Path of the file.
    crs, crs_wkt, transform, geotransform, bounds, gcps, pixel_is : optional
        Georeference, as in :func:`cogsmith.create`. Pixels are not reprojected.
    nodata : int, float, "none", or None, optional
        Nodata value of all levels; ``None`` or "none" removes it. Pixel values are unchanged. Default: no change.
    band_description, band_scale, band_offset, band_unit, color_interpretation, metadata, strip_metadata : optional
        Metadata, as in :func:`cogsmith.create`. Empty text removes descriptions and units.
    statistics : bool, default False
        Whether statistics of every band are computed from full resolution, exactly, and stored in the metadata.
    icc_profile : bytes, str, or os.PathLike, optional
        ICC profile, or the path of a file with one.
    remove : str or sequence of str, optional
        Parts to remove before others are set: "crs", "transform" (also ground control points), "rpc", "icc-profile", "xmp".
    remove_metadata : str or sequence of str, optional
        Metadata items to remove, such as ``"AREA"`` or ``"DOMAIN:KEY"``.
    copy_from : str or os.PathLike, optional
        Another file, of which the parts in ``copy`` are copied before others are set. Parts that it lacks are removed.
    copy : str or sequence of str, default ("crs", "transform")
        Parts to copy: "crs", "transform" (also ground control points), "rpc", "nodata", "metadata" (also texts and what bands
        have, but not statistics and colors), "icc-profile", "xmp".
    header_room : int or str, optional
        Free bytes after the directories, in which later changes fit, if a new file is written; that happens if the file
        has fewer. Default: as many as the file has.
    dry_run : bool, default False
        Whether changes are only returned.
    sync : bool, default False
        Whether to wait until the file is on disk. Changes in place always wait.
    quiet : bool, default False
        Whether warnings are suppressed.

    Returns
    -------
    dict
        The object that ``cogsmith edit --json`` prints: ``file``, ``changes`` (a list of texts), ``written``, ``in_place``,
        ``dry_run``, ``bytes``, ``seconds``, and ``warnings``.

    Raises
    ------
    ValueError
        If an option is out of range or does not fit the file, or if :func:`cogsmith.repack` refuses the file.
    OSError
        If the file cannot be read or written.

    Warns
    -----
    UserWarning
        For everything in the file that is left out, unless ``quiet`` is set.

    Examples
    --------
    >>> summary = cogsmith.edit("out.tif", nodata=-9999, band_description=["height"], dry_run=True)
    >>> for change in summary["changes"]:
    ...     print(change)
    """
    start = time.monotonic()
    file = _targets.local_path(path, _ADVICE)
    own = ("path", "statistics", "icc_profile", "remove", "remove_metadata", "copy_from", "copy", "header_room", "dry_run", "sync", "quiet", "start", "file")
    options = passed({**locals(), "aliases": {}}, without=own)
    given = {name: value for name, value in options.items() if value is not UNSET and (value is not None or name == "nodata")}
    wanted = _file_options.take(given)
    if isinstance(icc_profile, (str, os.PathLike)):
        icc_profile = Path(icc_profile).read_bytes()
    choice = EditChoice(
        icc_profile=icc_profile,
        remove=_texts(remove),
        remove_metadata=[_item(name) for name in _texts(remove_metadata)],
        copy_from=None if copy_from is None else (_targets.local_path(copy_from, _ADVICE), _texts(copy)),
        statistics=statistics,
        header_room=_room("header_room", header_room),
        dry_run=dry_run,
        sync=sync,
    )
    changes, written, in_place, size, warnings = _native.edit(file, wanted.input, wanted.overrides, choice)
    _warn(file, warnings, quiet)
    return {
        "file": str(file), "changes": changes, "written": written and not dry_run, "in_place": in_place, "dry_run": dry_run,
        "bytes": size, "seconds": round(time.monotonic() - start, 3), "warnings": warnings,
    }  # fmt: skip


def _warn(file: Path, warnings: list[str], quiet: bool) -> None:
    if not quiet:
        for text in warnings:
            _values.warn(f"{file}: {text}")


def _texts(value: str | Sequence[str]) -> list[str]:
    return value.split(",") if isinstance(value, str) else list(value)


def _item(name: str) -> tuple[str | None, str]:
    domain, _, key = name.rpartition(":")
    return domain or None, key


def _room(name: str, value: Bytes) -> int | None:
    # The library names the limit.
    return None if value is None else min(_values.byte_count(name, value), 2**32 - 1)
