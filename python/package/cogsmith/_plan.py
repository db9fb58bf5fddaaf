"""Plain, picklable data that is passed to the native module.

``src/plan.rs``, ``src/array.rs``, ``src/encode.rs``, and ``src/create.rs`` read these fields by name.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np


@dataclass
class Image:
    """Size, type, and interpretation of the pixels."""

    width: int
    height: int
    bands: int
    data_type: str
    nodata: str | None = None
    bits: int | None = None
    mask: bool = False
    photometric: str | None = None
    extra_samples: list[str] | None = None
    #: Whether the band that is tagged as alpha acts as alpha in overviews and statistics.
    alpha_weighs: bool = True
    color_map: list[int] = field(default_factory=list)


@dataclass
class Georeference:
    """The georeference of the pixels.

    ``transform`` is a, b, c, d, e, f: x = a * column + b * row + c, y = d * column + e * row + f, counted from the
    upper left corner of the upper left pixel. ``gcps`` are column, row, x, y, z of ground control points.
    """

    crs: str | None = None
    transform: tuple[float, float, float, float, float, float] | None = None
    gcps: list[tuple[float, float, float, float, float]] = field(default_factory=list)
    point: bool = False


@dataclass
class Item:
    """An item of GDAL metadata; ``band`` is counted from 0."""

    name: str
    value: str
    band: int | None = None
    role: str | None = None
    domain: str | None = None


@dataclass
class Options:
    """Encoding options, by the names and numbers of the library."""

    compression: str = "deflate"
    level: int | None = None
    quality: int | None = None
    max_z_error: float | None = None
    jpeg_subsampling: str | None = None
    #: "ycbcr" for three bands that are not tagged as red, green, and blue.
    jpeg_photometric: str | None = None
    overview_compression: str | None = None
    overview_level: int | None = None
    overview_quality: int | None = None
    overview_max_z_error: float | None = None
    overview_predictor: str | None = None
    #: The policy of masks made from nodata.
    mask: str = "auto"
    predictor: str = "auto"
    tile_size: tuple[int, int] = (512, 512)
    overview_tile_size: tuple[int, int] | None = None
    interleave: str = "pixel"
    big_tiff: str = "auto"
    #: Tiles to leave out of the file.
    sparse: str = "no"
    header_room: int = 0
    #: Shrink factors; empty for no overviews, ``None`` for the library's default.
    overviews: list[int] | None = None
    overview_count: int | None = None
    #: Columns and rows of supplied overviews.
    overview_sizes: list[tuple[int, int]] | None = None
    #: Whether the overviews of an input file are taken where they fit.
    existing_overviews: bool = False
    #: One kernel for all bands, or one per band; empty for the library's default.
    resampling: list[str] = field(default_factory=list)
    statistics: bool = False


@dataclass
class Work:
    """Options of the run, which do not affect the file."""

    threads: int | None = None
    overwrite: bool = False
    sync: bool = False
    verify: bool = False
    temp_dir: str | os.PathLike[str] | None = None
    tile_memory: int | None = None
    row_memory: int | None = None
    #: Options of the connection to an object store, by name. Not part of ``repr``: they may be secrets.
    storage_options: dict[str, str] = field(default_factory=dict, repr=False)
    progress: Callable[[int, int], object] | None = None


@dataclass
class Input:
    """Options for reading the input file of a conversion."""

    image: int | None = None
    nodata: str | None = None
    crs: str | None = None
    #: Whether a CRS that GeoKeys cannot express is written as WKT.
    crs_wkt: bool = False
    widen: bool = False
    #: Whether an ``.aux.xml`` file next to the input is ignored.
    ignore_aux: bool = False
    #: Folder below which the files named in a VRT file or a list may be.
    vrt_root: str | os.PathLike[str] | None = None


@dataclass
class PixelChoice:
    """The pixels of a file that are written, and as what."""

    #: The longitude that a global grid begins at.
    wrap_longitude: float | None = None
    #: Column, row, width, height.
    window: tuple[int, int, int, int] | None = None
    #: Left, bottom, right, top.
    bbox: tuple[float, float, float, float] | None = None
    #: Numbers, counted from 0, or descriptions.
    bands: list[int | str] = field(default_factory=list)
    expand_palette: str | None = None
    unscale: bool = False
    #: Two values, and what they become.
    rescale: list[tuple[float, float, tuple[float, float] | None]] = field(default_factory=list)
    data_type: str | None = None
    bits: int | None = None
    size: tuple[int, int] | None = None
    size_resampling: str | None = None


@dataclass
class FileOverrides:
    """Overrides of the georeference and metadata of a file. Bands count from 0; ``None`` means all bands."""

    #: a, b, c, d, e, f, as in ``affine.Affine``.
    transform: tuple[float, float, float, float, float, float] | None = None
    #: Left, bottom, right, top.
    bounds: tuple[float, float, float, float] | None = None
    gcps: list[tuple[float, float, float, float, float]] = field(default_factory=list)
    point: bool | None = None
    strip_metadata: bool = False
    description: list[tuple[int | None, str]] = field(default_factory=list)
    scale: list[tuple[int | None, float]] = field(default_factory=list)
    offset: list[tuple[int | None, float]] = field(default_factory=list)
    unit: list[tuple[int | None, str]] = field(default_factory=list)
    color_interpretation: list[str] = field(default_factory=list)
    #: Domain, name, and text.
    items: list[tuple[str | None, str, str]] = field(default_factory=list)


@dataclass
class EditChoice:
    """Parts of an edit that ``create`` does not have."""

    icc_profile: bytes | None = None
    remove: list[str] = field(default_factory=list)
    #: A file, and the parts to copy of it.
    copy_from: tuple[Path, list[str]] | None = None
    #: Domain and name.
    remove_metadata: list[tuple[str | None, str]] = field(default_factory=list)
    statistics: bool = False
    header_room: int | None = None
    dry_run: bool = False
    sync: bool = False


@dataclass
class PatchChoice:
    """Options of a patch."""

    output: Path | None = None
    overwrite: bool = False
    replace_all: bool = False
    #: One kernel, or one per band.
    overview_resampling: list[str] = field(default_factory=list)
    level: int | None = None
    statistics: bool = False
    threads: int | None = None
    dry_run: bool = False
    sync: bool = False


@dataclass
class Pixels:
    """Arrays in memory, as ``_arrays.pixels`` returns them."""

    array: np.ndarray[Any, Any] | None
    parts: list[tuple[np.ndarray[Any, Any], bool]]
    mask: np.ndarray[Any, Any] | None = None
    swapped: bool = False
    truth: bool = False
    fill: str | None = None
