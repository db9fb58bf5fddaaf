"""Types of options, and the other names of options, for signatures.

Words are ``str`` in addition to the literals, because any case is accepted; the literals are for editors. Members of
rasterio's enums are accepted where rasterio has one.
"""

from __future__ import annotations

import enum
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypedDict, Union

import numpy as np

if sys.version_info >= (3, 11):
    from typing import Unpack as Unpack
elif TYPE_CHECKING:
    from typing_extensions import Unpack as Unpack
else:

    class Unpack:
        """A placeholder before Python 3.11, for tools that evaluate annotations."""

        def __class_getitem__(cls, item: Any) -> Any:
            return item


StrPath = Union[str, "os.PathLike[str]"]
#: Options of a connection to an object store, by name.
StorageOptions = Union[Mapping[str, Any], None]
#: Numbers; NumPy's integers are not ``float`` to type checkers.
Number = Union[float, "np.number[Any]"]
#: A value for all bands, or one for each.
Numbers = Union[Number, Sequence[Number], "np.ndarray[Any, Any]"]
Texts = Union[str, Sequence["str | None"]]
#: Likewise in ``create``, where a dict has values by band, counted from 1, and None keeps the input's.
BandNumbers = Union[Number, Sequence["Number | None"], "np.ndarray[Any, Any]", Mapping[int, Number], str, Sequence[str]]
BandTexts = Union[str, Sequence["str | None"], Mapping[int, str]]
#: Bands to write: numbers, counted from 1, or names.
Bands = Union[int, str, Sequence[Union[int, str]]]
Colors = Union[str, enum.Enum, Sequence[Union[str, enum.Enum]]]

Compress = Union[Literal["deflate", "lzw", "zstd", "packbits", "jpeg", "none"], str, enum.Enum, None]
Predictor = Union[Literal["auto", "none", "horizontal", "float", "yes", 1, 2, 3], str, int, None]
Subsampling = Union[Literal["auto", "420", "444", 420, 444], str, int, None]
TileSize = Union[int, "tuple[int, int]", "list[int]", str]
Interleave = Union[Literal["pixel", "band", "tile"], str, enum.Enum]
BigTiff = Union[Literal["auto", "yes", "no", "if_safer"], str, bool, None]
Sparse = Union[Literal["no", "yes", "masked"], bool, str, None]
Factors = Union[Literal["auto", "none", "existing"], str, Sequence[int], bool, None]
#: Factors, or images.
Overviews = Union[Factors, Iterable[Any]]
_KernelName = Literal[
    "nearest", "average", "rms", "bilinear", "cubic", "cubicspline", "lanczos", "mode", "gauss", "min", "max", "median"
]
Kernel = Union[_KernelName, str, enum.Enum, int]
Resampling = Union[Kernel, Sequence[Kernel], None]
Photometric = Union[
    Literal["minisblack", "miniswhite", "rgb", "cmyk", "cielab", "icclab", "ycbcr", "auto"], str, enum.Enum, None
]
Alpha = Union[bool, Literal["yes", "premultiplied", "no"], str, None]
#: True and False, or GDAL's words for them.
Flag = Union[bool, str]
Threads = Union[int, Literal["all"], str, None]
Bytes = Union[int, str, None]


class Writable(Protocol):
    """An object with a method ``write``."""

    def write(self, data: Any, /) -> Any: ...


Target = Union[StrPath, Writable]


class Bar(Protocol):
    """A tqdm bar."""

    n: Any
    total: Any

    def update(self, n: Any = ...) -> Any: ...


Progress = Union[Callable[[int, int], object], Bar, None]


class _Names(TypedDict, total=False):
    """GDAL's and rasterio's names of encoding options that all functions accept; those of GDAL in its case, too."""

    compression: Compress
    zlevel: int | None
    zstd_level: int | None
    jpeg_quality: int | None
    webp_lossless: Flag
    max_z_error_overview: float | None
    blockxsize: int
    blockysize: int
    num_threads: Threads
    resampling: Resampling
    sparse_ok: Flag
    stats: Flag
    tiled: Flag
    driver: str
    BIGTIFF: BigTiff
    BLOCKSIZE: TileSize
    BLOCKXSIZE: int
    BLOCKYSIZE: int
    COMPRESS: Compress
    INTERLEAVE: Interleave
    JPEG_QUALITY: int | None
    LEVEL: int | None
    NUM_THREADS: Threads
    OVERVIEWS: Factors
    OVERVIEW_COMPRESS: Compress
    OVERVIEW_COUNT: int | None
    OVERVIEW_PREDICTOR: Predictor
    OVERVIEW_QUALITY: int | None
    OVERVIEW_RESAMPLING: Resampling
    PREDICTOR: Predictor
    QUALITY: int | None
    RESAMPLING: Resampling
    SPARSE_OK: Flag
    STATISTICS: Flag
    TILED: Flag
    ZLEVEL: int | None
    ZSTD_LEVEL: int | None


class _ArrayNames(_Names, total=False):
    """Likewise for functions that write arrays."""

    descriptions: Texts
    width: int
    height: int
    count: int
    ALPHA: Alpha
    NBITS: int | None
    PHOTOMETRIC: Photometric


class RowAliases(_ArrayNames, total=False):
    """Other names of the options of ``CogWriter``."""

    ovr_blocksize: TileSize | None
    overview_levels: Factors


class WriteAliases(RowAliases, total=False):
    """Other names of the options of ``write``."""

    dtype: Any


class CogAliases(_ArrayNames, total=False):
    """Other names of the options of ``write_cog`` and ``to_cog``."""

    overview_blocksize: TileSize | None
    dtype: Any


class CreateAliases(_Names, total=False):
    """Other names of the options of ``create``."""

    ovr_blocksize: TileSize | None
    overview_levels: Factors
    stats: Flag
    gcp: Sequence[Any] | str
    pixel_is_point: Flag
    band_names: BandTexts
    descriptions: BandTexts
    colorinterp: Colors
    tags: Mapping[str, Any] | Sequence[str]
    json: Flag
