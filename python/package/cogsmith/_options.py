"""Options by the names of rasterio, GDAL and this package, in either case: what each means, and what is refused.

An option that GDAL has and this writer lacks is refused as "not supported", any other as "unknown"; none is ignored.
"""

from __future__ import annotations

import difflib
import enum
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import _native
from ._plan import Options, Work

#: The side of tiles unless asked otherwise.
BLOCK = 512
#: Above this many bytes before compression, GDAL's IF_SAFER makes a BigTIFF.
SAFER_BYTES = 2_000_000_000

#: rasterio.enums.Resampling, whose numbers are GDAL's.
_RESAMPLING_NUMBERS = (
    "nearest", "bilinear", "cubic", "cubic_spline", "lanczos", "average", "mode", "gauss", "max", "min", "med", "q1",
    "q3", "sum", "rms",
)  # fmt: skip
_RESAMPLING_NAMES = {"near": "nearest", "cubic_spline": "cubicspline", "med": "median"}
_RESAMPLINGS_LACKED = ("q1", "q3", "sum")

_COMPRESSIONS = {
    "none": "none", "lzw": "lzw", "deflate": "deflate", "adobe_deflate": "deflate", "zstd": "zstd"
}  # fmt: skip
_COMPRESSIONS_LACKED = (
    "packbits", "jpeg", "webp", "lerc", "lerc_deflate", "lerc_zstd", "lzma", "jxl", "ccittrle", "ccittfax3",
    "ccittfax4", "jpeg2000",
)  # fmt: skip

_PREDICTORS = {
    "auto": "auto", "yes": "by type", "true": "by type", "1": "none", "no": "none", "none": "none", "false": "none",
    "2": "horizontal", "standard": "horizontal", "horizontal": "horizontal",
    "3": "float", "float": "float", "floating_point": "float",
}  # fmt: skip

_PHOTOMETRICS = {
    "minisblack": "minisblack", "black": "minisblack", "miniswhite": "miniswhite", "white": "miniswhite",
    "rgb": "rgb", "cmyk": "cmyk", "cielab": "cielab", "icclab": "icclab",
}  # fmt: skip
_PHOTOMETRICS_LACKED = ("ycbcr", "ycc", "itulab", "palette", "mask")

_ALPHAS = {
    "yes": "unassociated", "true": "unassociated", "non-premultiplied": "unassociated", "premultiplied": "associated",
    "no": "unspecified", "false": "unspecified", "unspecified": "unspecified",
}  # fmt: skip

#: Options of GDAL and rasterio that this writer lacks, and the values with which they ask for what it does anyway.
_FALSE = ("no", "false", "off", "0", "none")
_LACKED: dict[str, tuple[str, ...]] = {
    "sparse_ok": _FALSE, "streamable_output": _FALSE, "tfw": _FALSE, "worldfile": _FALSE, "rpb": _FALSE,
    "rpctxt": _FALSE, "discard_lsb": (), "copy_src_overviews": _FALSE, "profile": ("gdalgeotiff",),
    "endianness": ("little", "native") if sys.byteorder == "little" else ("little",),
    "geotiff_keys_flavor": ("standard",), "geotiff_version": ("auto",), "pixeltype": ("default",),
    "color_table_multiplier": (), "jpegtablesmode": (), "jpeg_quality": (), "webp_level": (), "webp_lossless": (),
    "max_z_error": (), "max_z_error_overview": (), "jxl_lossless": (), "jxl_effort": (), "jxl_distance": (),
    "jxl_alpha_distance": (), "lzma_preset": (), "source_icc_profile": (), "source_primaries_red": (),
    "source_primaries_green": (), "source_primaries_blue": (), "source_whitepoint": (),
    "tifftag_transferfunction_red": (), "tifftag_transferfunction_green": (), "tifftag_transferfunction_blue": (),
    "tifftag_transferrange_black": (), "tifftag_transferrange_white": (),
    "quality": (), "add_alpha": _FALSE, "aligned_levels": (), "extent": (), "res": (), "target_srs": (),
    "tiling_scheme": ("custom",), "warp_resampling": (), "zoom_level": (), "zoom_level_strategy": (),
    "overview_compress": ("auto",), "overview_quality": (), "overview_predictor": (),
    "copy_src_mdd": (), "src_mdd": (), "rpcs": _FALSE, "sharing": _FALSE, "thread_safe": _FALSE, "opener": _FALSE,
}  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """What an option may depend on."""

    width: int
    height: int
    bands: int
    dtype: np.dtype[Any]

    @property
    def bytes(self) -> int:
        return self.width * self.height * self.bands * self.dtype.itemsize


@dataclass
class Request:
    """What the options come to."""

    options: Options = field(default_factory=Options)
    work: Work = field(default_factory=Work)
    photometric: str | None = None
    extra_samples: list[str] | None = None
    bits: int | None = None
    #: Levels of effort by codec, and the names of the options that gave them.
    levels: dict[str, tuple[str, int]] = field(default_factory=dict)
    #: Options that were given, by the names below.
    given: set[str] = field(default_factory=set)
    #: Whether tiles shrink to the sides of small images, as those of GTiff do.
    shrink: bool = False


def unknown(name: str) -> ValueError:
    """The refusal of a name that nobody knows."""
    close = difflib.get_close_matches(name.lower(), [*_OPTIONS, *_LACKED], n=1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    return ValueError(f"option '{name}' is unknown{hint}")


def meaning(name: str) -> str | None:
    """The option that a name means, whatever its case."""
    option = _OPTIONS.get(name.lower())
    return None if option is None else option[0]


def _not_supported(name: str, value: Any) -> ValueError:
    return ValueError(f"option '{name}'={_show(value)} is not supported: this writer has no such feature")


def _show(value: Any) -> str:
    return repr(value.name if isinstance(value, enum.Enum) else value)


def resolve(given: Mapping[str, Any], facts: Facts, defaults: Request) -> Request:
    """Takes options by any of their names into ``defaults``, which is changed and returned."""
    seen: dict[str, str] = {}
    order = {name: place for place, name in enumerate(_OPTIONS)}
    for name in sorted(given, key=lambda name: order.get(name.lower(), -1)):
        value = given[name]
        option = _OPTIONS.get(name.lower())
        if option is None:
            if name.lower() not in _LACKED:
                raise unknown(name)
            if value is not None and _word(value) not in _LACKED[name.lower()]:
                raise _not_supported(name, value)
            continue
        key, take = option
        if key in seen:
            raise ValueError(f"options '{seen[key]}' and '{name}' say the same thing; give one of them")
        seen[key] = name
        defaults.given.add(key)
        take(defaults, facts, name, value)
    _settle_level(defaults, seen)
    _settle_predictor(defaults, facts, seen)
    return defaults


def _settle_level(request: Request, seen: Mapping[str, str]) -> None:
    codec = request.options.compression
    for of, (name, level) in request.levels.items():
        if of == codec or (of == "any" and codec in ("deflate", "zstd")):
            request.options.level = level
        elif of == "any":
            raise ValueError(f"option '{name}' has no effect with compress='{codec}'; leave it out")
        elif name in seen.values():
            _idle(name, codec)
    if codec == "deflate" and request.options.level is not None:
        # GDAL's 10 to 12 are libdeflate's slowest; this encoder's smallest is 9.
        request.options.level = min(request.options.level, 9)


def _settle_predictor(request: Request, facts: Facts, seen: Mapping[str, str]) -> None:
    if request.options.predictor == "by type":
        request.options.predictor = predictor_by_type(facts.dtype)
    if request.options.compression == "none" and request.options.predictor in ("horizontal", "float"):
        if "predictor" in seen:
            _idle(seen["predictor"], "none")
        request.options.predictor = "none"


def _idle(name: str, codec: str) -> None:
    warn(f"option '{name}' is ignored with compress='{codec}', as GDAL does")


def warn(text: str) -> None:
    """A ``UserWarning`` at the line of the caller of this package."""
    level = 1
    frame = sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("cogsmith."):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, UserWarning, stacklevel=level)


def predictor_by_type(dtype: np.dtype[Any]) -> str:
    """What PREDICTOR=YES means; no predictor for complex samples, which other readers can't read with one."""
    return {"f": "float", "c": "none"}.get(dtype.kind, "horizontal")


def align(side: int) -> int:
    """The multiple of 16 at or above a number of pixels."""
    return -(-side // 16) * 16


def block_size(value: Any, name: str) -> int:
    """The side of a block as datacube takes it: adjusted to a multiple of 16, with its warning."""
    side = _integer(name, value, 1, 65520)
    if side % 16:
        warn("Block size must be a multiple of 16, will be adjusted")
    return align(side)


# How single options are taken ------------------------------------------------------------------------------------


def _word(value: Any) -> str:
    """A value as GDAL would see it, in lower case; members of rasterio's enumerations by what they stand for."""
    if isinstance(value, enum.Enum):
        value = value.value if isinstance(value.value, str) else value.name
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).strip().lower()


def _integer(name: str, value: Any, smallest: int, largest: int) -> int:
    try:
        number = int(value)
        exact = not isinstance(value, bool) and number == float(value)
    except (TypeError, ValueError):
        exact = False
        number = 0
    if not exact or not smallest <= number <= largest:
        raise ValueError(f"{name}={value!r}: expected a whole number from {smallest} to {largest}")
    return number


def _flag(name: str, value: Any) -> bool:
    word = _word(value)
    if word in ("yes", "true", "on", "1"):
        return True
    if word in ("no", "false", "off", "0", "none"):
        return False
    raise ValueError(f"{name}={value!r}: expected yes or no")


def _choice(name: str, value: Any, known: Mapping[str, str], lacked: Sequence[str] = ()) -> str:
    word = _word(value)
    if word in known:
        return known[word]
    if word in lacked:
        raise _not_supported(name, value)
    raise ValueError(f"{name}={_show(value)} is unknown; it takes {', '.join(known)}")


def resampling(name: str, value: Any) -> str:
    """A kernel by the names of GDAL, rasterio (also as its enumeration or its numbers) and this package."""
    if isinstance(value, (int, np.integer)) and not isinstance(value, (bool, enum.Enum)):
        if not 0 <= value < len(_RESAMPLING_NUMBERS):
            raise ValueError(f"Bad resampling parameter: {value}")
        value = _RESAMPLING_NUMBERS[int(value)]
    word = str(value.name if isinstance(value, enum.Enum) else value).strip().lower()
    if word in _RESAMPLINGS_LACKED:
        raise ValueError(f"Bad resampling parameter: {word} is not supported for overviews")
    word = _RESAMPLING_NAMES.get(word, word)
    if word not in _native.RESAMPLINGS:
        known = ", ".join(_native.RESAMPLINGS)
        raise ValueError(f"Bad resampling parameter: {value!r} is unknown; {name} takes {known}")
    return word


def _take_resampling(request: Request, _: Facts, name: str, value: Any) -> None:
    if value is None or (isinstance(value, str) and value.lower() == "auto"):
        request.options.resampling = []
    elif isinstance(value, str) and "," in value:
        request.options.resampling = [resampling(name, one) for one in value.split(",")]
    elif isinstance(value, (list, tuple)):
        request.options.resampling = [resampling(name, one) for one in value]
    else:
        request.options.resampling = [resampling(name, value)]


def _take_compression(request: Request, _: Facts, name: str, value: Any) -> None:
    request.options.compression = _choice(name, value, _COMPRESSIONS, _COMPRESSIONS_LACKED)


def _level_of(codec: str, largest: int) -> Callable[[Request, Facts, str, Any], None]:
    def take(request: Request, _: Facts, name: str, value: Any) -> None:
        if value is None:
            request.levels.pop(codec, None)
        else:
            request.levels[codec] = (name, _integer(name, value, 1, largest))

    return take


def _take_predictor(request: Request, _: Facts, name: str, value: Any) -> None:
    request.options.predictor = "none" if value is None else _choice(name, value, _PREDICTORS)


def _take_block(request: Request, facts: Facts, name: str, value: Any) -> None:
    if value is None:
        value = BLOCK
    if isinstance(value, (list, tuple)):
        width, height = (_integer(name, side, 16, 65520) for side in value)
        request.options.tile_size = (width, height)
    elif request.shrink:
        side = block_size(value, name)
        request.options.tile_size = (min(side, align(facts.width)), min(side, align(facts.height)))
        if request.options.overview_tile_size is None:
            request.options.overview_tile_size = (side, side)
    else:
        side = _integer(name, value, 16, 65520)
        request.options.tile_size = (side, side)


def _take_block_width(request: Request, _: Facts, name: str, value: Any) -> None:
    request.options.tile_size = (_integer(name, value, 16, 65520), request.options.tile_size[1])


def _take_block_height(request: Request, _: Facts, name: str, value: Any) -> None:
    request.options.tile_size = (request.options.tile_size[0], _integer(name, value, 16, 65520))


def _take_overview_block(request: Request, _: Facts, name: str, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, (list, tuple)):
        width, height = (_integer(name, side, 16, 65520) for side in value)
        request.options.overview_tile_size = (width, height)
        return
    side = align(_integer(name, value, 1, 65520)) if request.shrink else _integer(name, value, 16, 65520)
    request.options.overview_tile_size = (side, side)


def _take_overviews(request: Request, _: Facts, name: str, value: Any) -> None:
    if value is None or value is True:
        value = "auto"
    if isinstance(value, str):
        word = value.strip().lower()
        if word in ("auto", "ignore_existing"):
            request.options.overviews = None
        elif word == "none":
            request.options.overviews = []
        elif word == "force_use_existing":
            raise _not_supported(name, value)
        else:
            factors = word.replace(",", " ").split()
            request.options.overviews = [_integer(name, factor, 2, 2**31 - 1) for factor in factors]
    elif value is False:
        request.options.overviews = []
    else:
        try:
            factors = list(value)
        except TypeError:
            raise ValueError(f"{name}={value!r}: expected 'auto', 'none' or shrink factors such as [2, 4, 8]") from None
        if any(getattr(factor, "ndim", 0) > 0 for factor in factors):
            raise ValueError(
                f"option '{name}' with images is not supported here; give shrink factors such as [2, 4, 8], or leave "
                "it out; finished overviews are for write, write_cog and to_cog, as overviews="
            )
        # GDAL builds them in any order, and each once.
        request.options.overviews = sorted({_integer(name, factor, 2, 2**31 - 1) for factor in factors})


def _take_overview_count(request: Request, _: Facts, name: str, value: Any) -> None:
    if value is None:
        return
    request.options.overview_count = _integer(name, value, 0, 32)
    if request.options.overview_count == 0:
        request.options.overview_count, request.options.overviews = None, []
    elif request.options.overviews is not None:
        raise ValueError(f"option '{name}' contradicts a list of overviews; give one of them")


def _take_interleave(request: Request, _: Facts, name: str, value: Any) -> None:
    known = {"pixel": "pixel", "band": "band", "tile": "tile"}
    request.options.interleave = _choice(name, value, known, ("line",))


def _take_big_tiff(request: Request, facts: Facts, name: str, value: Any) -> None:
    known = {
        "yes": "yes", "true": "yes", "no": "no", "false": "no", "if_needed": "auto", "auto": "auto",
        "if_safer": "safer", "none": "auto",
    }  # fmt: skip
    chosen = _choice(name, value, known)
    if chosen == "safer":
        # Overviews add about a third.
        chosen = "yes" if facts.bytes * 4 / 3 > SAFER_BYTES else "auto"
    request.options.big_tiff = chosen


def _take_threads(request: Request, _: Facts, name: str, value: Any) -> None:
    if value is None or _word(value) in ("all_cpus", "all"):
        request.work.threads = None
    else:
        request.work.threads = _integer(name, value, 1, 1024)


def _take_statistics(request: Request, _: Facts, name: str, value: Any) -> None:
    # AUTO copies the statistics of a source, of which there are none here.
    request.options.statistics = _word(value) != "auto" and _flag(name, value)


def _take_tiled(_: Request, __: Facts, name: str, value: Any) -> None:
    if not _flag(name, value):
        raise ValueError(f"option '{name}'={value!r} is not supported: a COG is tiled")


def _take_photometric(request: Request, _: Facts, name: str, value: Any) -> None:
    if value is not None:
        request.photometric = _choice(name, value, _PHOTOMETRICS, _PHOTOMETRICS_LACKED)


def _take_alpha(request: Request, facts: Facts, name: str, value: Any) -> None:
    kind = _choice(name, value, _ALPHAS)
    if facts.bands < 2 and kind != "unspecified":
        raise ValueError(f"{name}={value!r}: an image of one band has no room for alpha")
    # Alpha is the last band; how many extra samples that makes is known with the photometric interpretation.
    request.extra_samples = [kind]


def _take_bits(request: Request, facts: Facts, name: str, value: Any) -> None:
    bits = _integer(name, value, 1, 64)
    if facts.dtype.kind == "f" and bits == 16 and facts.dtype.itemsize == 4:
        raise _not_supported(name, value)
    request.bits = None if bits == 8 * facts.dtype.itemsize else bits


def _take_driver(_: Request, __: Facts, name: str, value: Any) -> None:
    if _word(value) not in ("gtiff", "cog"):
        raise ValueError(f"option '{name}'={value!r} is not supported: this writer makes GeoTIFFs")


def _same(what: str, of: Callable[[Facts], Any]) -> Callable[[Request, Facts, str, Any], None]:
    """An option of rasterio that says again what the array is."""

    def take(_: Request, facts: Facts, name: str, value: Any) -> None:
        expected = of(facts)
        if value != expected and str(value) != str(expected):
            raise ValueError(f"option '{name}'={value!r} is not supported: the {what} of the array is {expected}")

    return take


def _take_dtype(_: Request, facts: Facts, name: str, value: Any) -> None:
    try:
        same = np.dtype(value).newbyteorder("=") == facts.dtype.newbyteorder("=")
    except TypeError:
        same = False
    if not same and not (facts.dtype.kind == "b" and _word(value) == "uint8"):
        raise ValueError(
            f"option '{name}'={value!r} is not supported: the array is {facts.dtype}; convert it with .astype(...)"
        )


def _work(attribute: str, convert: Callable[[str, Any], Any]) -> Callable[[Request, Facts, str, Any], None]:
    def take(request: Request, _: Facts, name: str, value: Any) -> None:
        setattr(request.work, attribute, None if value is None else convert(name, value))

    return take


def _memory(name: str, value: Any) -> int:
    return _integer(name, value, 0, 2**63 - 1)


#: By name: the option it means, and how it is taken; in the order in which they are taken.
_OPTIONS: dict[str, tuple[str, Callable[[Request, Facts, str, Any], None]]] = {
    "compress": ("compress", _take_compression),
    "compression": ("compress", _take_compression),
    "level": ("level", _level_of("any", 22)),
    "zlevel": ("zlevel", _level_of("deflate", 12)),
    "zstd_level": ("zstd_level", _level_of("zstd", 22)),
    "predictor": ("predictor", _take_predictor),
    "blocksize": ("blocksize", _take_block),
    "blockxsize": ("blockxsize", _take_block_width),
    "blockysize": ("blockysize", _take_block_height),
    "ovr_blocksize": ("overview_blocksize", _take_overview_block),
    "overview_blocksize": ("overview_blocksize", _take_overview_block),
    "tiled": ("tiled", _take_tiled),
    "interleave": ("interleave", _take_interleave),
    "bigtiff": ("bigtiff", _take_big_tiff),
    "num_threads": ("threads", _take_threads),
    "threads": ("threads", _take_threads),
    "overviews": ("overviews", _take_overviews),
    "overview_levels": ("overviews", _take_overviews),
    "overview_count": ("overview_count", _take_overview_count),
    "overview_resampling": ("resampling", _take_resampling),
    "resampling": ("resampling", _take_resampling),
    "statistics": ("statistics", _take_statistics),
    "photometric": ("photometric", _take_photometric),
    "alpha": ("alpha", _take_alpha),
    "nbits": ("nbits", _take_bits),
    "driver": ("driver", _take_driver),
    "width": ("width", _same("width", lambda facts: facts.width)),
    "height": ("height", _same("height", lambda facts: facts.height)),
    "count": ("count", _same("number of bands", lambda facts: facts.bands)),
    "dtype": ("dtype", _take_dtype),
    "overwrite": ("overwrite", _work("overwrite", _flag)),
    "sync": ("sync", _work("sync", _flag)),
    "verify": ("verify", _work("verify", _flag)),
    "temp_dir": ("temp_dir", _work("temp_dir", lambda _, value: value)),
    "tile_memory": ("tile_memory", _work("tile_memory", _memory)),
    "row_memory": ("row_memory", _work("row_memory", _memory)),
}
