"""Encoding options by the names of rasterio, GDAL, and this package, in either case: one table for all functions.

An option that GDAL has and this writer lacks is "not supported", a ValueError; any other is "unknown", a TypeError.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import _hints, _native, _values
from ._plan import Options, Work
from ._values import align, block_size, predictor_by_type, resampling, show, tile_size
from ._values import warn as warn

#: Options of the library are unsigned integers of this many bits; it checks their ranges.
WORD = 2**32 - 1
#: The highest level of any codec.
MAX_LEVEL = max(codec.parameters["level"][1] for codec in _native.CODECS.values() if "level" in codec.parameters)
#: The default side of tiles.
BLOCK = 512
#: Above this many bytes before compression, GDAL's IF_SAFER makes a BigTIFF.
SAFER_BYTES = 2_000_000_000

# In this table and the others, the first word of each meaning is the one that errors list.
_COMPRESSIONS = {**{name: name for name in _native.CODECS}, "adobe_deflate": "deflate"}
_COMPRESSIONS_LACKED = (
    "lzma", "jxl", "ccittrle", "ccittfax3",
    "ccittfax4", "jpeg2000",
)  # fmt: skip

_PREDICTORS = {
    "auto": "auto", "none": "none", "horizontal": "horizontal", "float": "float", "yes": "by type", "true": "by type",
    "1": "none", "no": "none", "false": "none", "2": "horizontal", "standard": "horizontal", "3": "float",
    "floating_point": "float",
}  # fmt: skip

_PHOTOMETRICS = {
    "minisblack": "minisblack", "black": "minisblack", "miniswhite": "miniswhite", "white": "miniswhite",
    "rgb": "rgb", "cmyk": "cmyk", "cielab": "cielab", "icclab": "icclab", "ycbcr": "ycbcr", "ycc": "ycbcr",
    "auto": "auto",
}  # fmt: skip
_PHOTOMETRICS_LACKED = ("itulab", "palette", "mask")

#: Why codecs of GDAL are left out, where another reason than effort counts.
_COMPRESSIONS_REFUSED = {
    "lzma": "hardly any reader of COGs has LZMA, and it is slow; use 'zstd' for small files",
    "jxl": "hardly any reader of COGs has JPEG XL, not even the wheels of GDAL and rasterio; use 'jpeg' or 'zstd'",
}

_ALPHAS = {
    "yes": "unassociated", "true": "unassociated", "non-premultiplied": "unassociated", "premultiplied": "associated",
    "no": "unspecified", "false": "unspecified", "unspecified": "unspecified",
}  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """Properties of the array that options depend on."""

    width: int
    height: int
    bands: int
    dtype: np.dtype[Any]

    @property
    def bytes(self) -> int:
        return self.width * self.height * self.bands * self.dtype.itemsize


#: Placeholder for a file that is not open yet.
UNKNOWN = Facts(0, 0, 0, np.dtype("V"))


@dataclass
class Request:
    """The options in resolved form."""

    options: Options = field(default_factory=Options)
    work: Work = field(default_factory=Work)
    photometric: str | None = None
    extra_samples: list[str] | None = None
    bits: int | None = None
    #: GDAL's levels of effort by codec, and the names of the options that gave them.
    levels: dict[str, tuple[str, int]] = field(default_factory=dict)
    #: Whether ``level`` is passed, and the predictor by a name of the library. GDAL ignores its own options where they have
    #: no effect; those of the library are then an error.
    exact_level: bool = False
    exact_predictor: bool = False
    #: Whether the size of overview tiles only follows from that of all tiles.
    implied_overview_tiles: bool = False
    #: Whether tiles shrink to the sides of small images, as those of GTiff do.
    shrink: bool = False


def meaning(name: str) -> str | None:
    """Returns the option that a name means, in either case."""
    option = OPTIONS.get(name.lower())
    return None if option is None else option[0]


def resolve(
    given: Mapping[str, Any], facts: Facts, defaults: Request, function: Callable[..., Any] | None = None
) -> Request:
    """Applies options, by any of their names, to ``defaults``, and returns it.

    ``function`` is the public function that was called; hints for unknown options name its parameters.
    """
    seen: dict[str, str] = {}
    order = {name: place for place, name in enumerate(OPTIONS)}
    for name in sorted(given, key=lambda name: order.get(name.lower(), -1)):
        value = given[name]
        option = OPTIONS.get(name.lower())
        if option is None or (facts is UNKNOWN and option[0] in OF_ARRAYS):
            _refuse(name, value, facts, function)
            continue
        key, take = option
        if key in seen:
            raise ValueError(f"options '{seen[key]}' and '{name}' mean the same; pass only one of them")
        seen[key] = name
        take(defaults, facts, name, value)
    _settle_level(defaults, seen)
    _settle_predictor(defaults, facts, seen)
    if defaults.options.overviews == [] and defaults.implied_overview_tiles:
        defaults.options.overview_tile_size = None
    return defaults


def _refuse(name: str, value: Any, facts: Facts, function: Callable[..., Any] | None) -> None:
    """Raises the error for an option that is not in the table, unless its value asks for the only behavior there is.

    An unknown name is a TypeError, as for any function. Options of GDAL that this writer lacks are a ValueError, since
    some of their values are accepted.
    """
    lower = name.lower()
    if lower in _hints.LACKED and (value is None or _values.word(value) in _hints.LACKED[lower]):
        return
    is_file = facts is UNKNOWN
    parameters = {} if function is None else inspect.signature(function).parameters
    others = [own for own, one in parameters.items() if one.kind is not inspect.Parameter.VAR_KEYWORD]
    if lower in ("mask", "bands") and not is_file and lower not in others:
        raise TypeError(f"option '{name}' is not available in this function; use cogsmith.write")
    taken = [option for option, (key, _) in OPTIONS.items() if not (is_file and key in OF_ARRAYS)]
    hint = _hints.hint(name, {*taken, *others}, is_file)
    # A similar name does not help with an option that is known but not available here. rasterio's profile is a dict of
    # options, GDAL's a word.
    has_advice = hint is not None and not hint.startswith("did you mean") and lower != "profile"
    if lower in _hints.LACKED and not (lower == "profile" and isinstance(value, Mapping)):
        advice = hint if has_advice else "this writer has no such feature"
        raise ValueError(f"option '{name}'={show(value)} is not supported: {advice}")
    if lower in OPTIONS:
        advice = hint if has_advice else "it is taken from the input"
        raise ValueError(f"option '{name}'={show(value)} is not supported: {advice}")
    raise TypeError(f"option '{name}' is unknown{'; ' if hint else ''}{hint or ''}")


def check_creation_options(argument: str, options: Mapping[str, Any]) -> None:
    """Refuses options of the intermediate file, which is never created, that neither GDAL nor rasterio has."""
    for name, value in options.items():
        lower = str(name).lower()
        if lower not in OPTIONS and lower not in _hints.LACKED:
            hint = _hints.hint(lower, OPTIONS, False)
            raise ValueError(f"{argument}: option '{name}' is unknown{'; ' if hint else ''}{hint or ''}")
        if lower in ("compress", "compression") and _values.word(value) not in (*_COMPRESSIONS, *_COMPRESSIONS_LACKED):
            known = _values.spellings(_COMPRESSIONS)
            raise ValueError(f"{argument}: codec {show(value)} is unknown; expected {known}, or another codec of GDAL")


def _settle_level(request: Request, seen: Mapping[str, str]) -> None:
    codec = request.options.compression
    levels = _native.CODECS[codec].parameters.get("level")
    if levels is None and not request.exact_level:
        request.options.level = None
    for of, (name, level) in request.levels.items():
        if of == codec and request.exact_level:
            raise ValueError(f"options '{seen['level']}' and '{name}' mean the same; pass only one of them")
        if of == codec and levels is not None:
            # GDAL's levels 10 to 12 for DEFLATE are libdeflate's slowest; 9 is this encoder's highest.
            request.options.level = min(level, levels[1])
        elif of != codec:
            _idle(name, codec)


def _settle_predictor(request: Request, facts: Facts, seen: Mapping[str, str]) -> None:
    if request.options.predictor == "by type" and facts is not UNKNOWN:
        request.options.predictor = predictor_by_type(facts.dtype)
    codec = request.options.compression
    is_set = request.options.predictor not in ("auto", "none")
    if is_set and not _native.CODECS[codec].takes_predictor and not request.exact_predictor:
        if "predictor" in seen:
            _idle(seen["predictor"], codec)
        request.options.predictor = "none"


def _idle(name: str, codec: str) -> None:
    warn(f"option '{name}' is ignored with compress='{codec}', as in GDAL")


# Single options --------------------------------------------------------------------------------------------------


def _take_resampling(request: Request, _: Facts, name: str, value: Any) -> None:
    if value is None or (isinstance(value, str) and value.lower() == "auto"):
        request.options.resampling = []
    elif isinstance(value, str) and "," in value:
        request.options.resampling = [resampling(name, one) for one in value.split(",")]
    elif isinstance(value, (list, tuple)):
        request.options.resampling = [resampling(name, one) for one in value]
    else:
        request.options.resampling = [resampling(name, value)]


def _codec(name: str, value: Any) -> str:
    reason = _COMPRESSIONS_REFUSED.get(_values.word(value))
    if reason is not None:
        raise ValueError(f"option '{name}'={show(value)} is not supported: {reason}")
    return _values.choice(name, value, _COMPRESSIONS, _COMPRESSIONS_LACKED)


def _take_compression(request: Request, _: Facts, name: str, value: Any) -> None:
    request.options.compression = _codec(name, value)


def _take_overview_compression(request: Request, _: Facts, name: str, value: Any) -> None:
    is_default = value is None or _values.word(value) == "auto"
    request.options.overview_compression = None if is_default else _codec(name, value)


def _integer_of(attribute: str, largest: int) -> Callable[[Request, Facts, str, Any], None]:
    def take(request: Request, _: Facts, name: str, value: Any) -> None:
        chosen = None if value is None else _values.integer(name, value, 1, largest)
        setattr(request.options, attribute, chosen)

    return take


def _take_lossless(request: Request, _: Facts, name: str, value: Any) -> None:
    if value is not None and _values.flag(name, value):
        if request.options.compression != "webp":
            raise ValueError(f"{name}={value!r}: only webp has a lossless mode; other codecs are lossless or have an error")
        if request.options.quality not in (None, 100):
            raise ValueError(f"{name}={value!r} contradicts quality={request.options.quality}; leave one of them out")
        request.options.quality = 100


def _error_of(attribute: str) -> Callable[[Request, Facts, str, Any], None]:
    def take(request: Request, _: Facts, name: str, value: Any) -> None:
        setattr(request.options, attribute, None if value is None else _values.finite(name, value))

    return take


def _take_subsampling(request: Request, _: Facts, name: str, value: Any) -> None:
    if value is not None:
        known = {"auto": "auto", "420": "420", "4:2:0": "420", "444": "444", "4:4:4": "444"}
        request.options.jpeg_subsampling = _values.choice(name, value, known)


def _take_overview_predictor(request: Request, _: Facts, name: str, value: Any) -> None:
    if value is not None:
        chosen = _values.choice(name, value, _PREDICTORS)
        request.options.overview_predictor = "auto" if chosen == "by type" else chosen


def mask_policy(value: str) -> str:
    """Returns the policy of a mask made from nodata."""
    return _values.choice("mask", value, {policy: policy for policy in ("auto", "nodata", "any-nodata")})


def _take_level(request: Request, _: Facts, name: str, value: Any) -> None:
    if value is not None:
        request.options.level = _values.integer(name, value, 0, WORD)
        request.exact_level = True


def _level_of(codec: str, largest: int) -> Callable[[Request, Facts, str, Any], None]:
    def take(request: Request, _: Facts, name: str, value: Any) -> None:
        if value is None:
            request.levels.pop(codec, None)
        else:
            request.levels[codec] = (name, _values.integer(name, value, 1, largest))

    return take


def _take_predictor(request: Request, _: Facts, name: str, value: Any) -> None:
    request.options.predictor = "none" if value is None else _values.choice(name, value, _PREDICTORS)
    request.exact_predictor = _values.word(value) in ("auto", "none", "horizontal", "float")


def _take_block(request: Request, facts: Facts, name: str, value: Any) -> None:
    if value is None:
        value = BLOCK
    if request.shrink and not isinstance(value, (list, tuple)):
        side = block_size(value, name)
        request.options.tile_size = (min(side, align(facts.width)), min(side, align(facts.height)))
        if request.options.overview_tile_size is None:
            request.options.overview_tile_size = (side, side)
            request.implied_overview_tiles = True
    else:
        request.options.tile_size = tile_size(name, value)


def _take_block_width(request: Request, _: Facts, name: str, value: Any) -> None:
    request.options.tile_size = (_values.integer(name, value, 0, WORD), request.options.tile_size[1])


def _take_block_height(request: Request, _: Facts, name: str, value: Any) -> None:
    request.options.tile_size = (request.options.tile_size[0], _values.integer(name, value, 0, WORD))


def _take_overview_block(request: Request, _: Facts, name: str, value: Any) -> None:
    if value is None:
        return
    request.implied_overview_tiles = False
    if request.shrink and not isinstance(value, (list, tuple)):
        side = align(_values.integer(name, value, 0, WORD - 15))
        request.options.overview_tile_size = (side, side)
    else:
        request.options.overview_tile_size = tile_size(name, value)


def _take_overviews(request: Request, facts: Facts, name: str, value: Any) -> None:
    if value is None or value is True:
        value = "auto"
    if isinstance(value, str):
        word = value.strip().lower()
        if word in ("auto", "ignore_existing"):
            request.options.overviews = None
        elif word == "none":
            request.options.overviews = []
        elif word == "existing":
            if facts is not UNKNOWN:
                raise ValueError(f"{name}={value!r}: an array has no overviews; pass them as images, or use 'auto'")
            request.options.existing_overviews = True
        elif word == "force_use_existing":
            raise _values.not_supported(name, value)
        else:
            factors = word.replace(",", " ").split()
            request.options.overviews = [_values.integer(name, factor, 0, WORD) for factor in factors]
    elif value is False:
        request.options.overviews = []
    else:
        try:
            factors = list(value)
        except TypeError:
            raise ValueError(f"{name}={value!r}: expected 'auto', 'none' or shrink factors such as [2, 4, 8]") from None
        if any(getattr(factor, "ndim", 0) > 0 for factor in factors):
            raise ValueError(
                f"option '{name}' does not accept images here; pass shrink factors such as [2, 4, 8], or use write, "
                "write_cog, or to_cog, which accept images as overviews="
            )
        # GDAL accepts any order, and builds each level once.
        request.options.overviews = sorted({_values.integer(name, factor, 0, WORD) for factor in factors})


def _take_overview_count(request: Request, _: Facts, name: str, value: Any) -> None:
    if value is None:
        return
    request.options.overview_count = _values.integer(name, value, 0, WORD)
    # 0 asks for none, unless another option determines the number.
    if request.options.overview_count == 0 and request.options.overviews is None:
        request.options.overview_count, request.options.overviews = None, []


def _take_interleave(request: Request, _: Facts, name: str, value: Any) -> None:
    known = {interleave: interleave for interleave in _native.INTERLEAVES}
    request.options.interleave = _values.choice(name, value, known, ("line",))


def _take_big_tiff(request: Request, facts: Facts, name: str, value: Any) -> None:
    known = {
        "auto": "auto", "yes": "yes", "no": "no", "if_safer": "safer", "if_needed": "auto", "none": "auto",
        "true": "yes", "false": "no",
    }  # fmt: skip
    chosen = _values.choice(name, value, known)
    if chosen == "safer" and facts is not UNKNOWN:
        # Overviews add about a third.
        chosen = "yes" if facts.bytes * 4 / 3 > SAFER_BYTES else "auto"
    request.options.big_tiff = chosen


def _take_threads(request: Request, _: Facts, name: str, value: Any) -> None:
    if value is None or _values.word(value) in ("all_cpus", "all"):
        request.work.threads = None
    else:
        request.work.threads = _values.integer(name, value, 0, WORD)


def _take_statistics(request: Request, _: Facts, name: str, value: Any) -> None:
    # GDAL's AUTO copies the statistics of the source, and an array has none.
    request.options.statistics = _values.word(value) != "auto" and _values.flag(name, value)


def _take_sparse(request: Request, _: Facts, name: str, value: Any) -> None:
    known = {word: word for word in _native.SPARSE} | {"true": "yes", "on": "yes", "1": "yes"}
    known |= {"false": "no", "off": "no", "0": "no", "none": "no"}
    if name.lower() == "sparse_ok":
        # A switch in GDAL.
        del known["masked"]
    request.options.sparse = _values.choice(name, value, known)


def _take_tiled(_: Request, __: Facts, name: str, value: Any) -> None:
    if not _values.flag(name, value):
        raise ValueError(f"option '{name}'={value!r} is not supported: a COG is always tiled")


def _take_photometric(request: Request, facts: Facts, name: str, value: Any) -> None:
    if value is None:
        return
    is_file = facts is UNKNOWN
    known = {"auto": "auto", "ycbcr": "ycbcr"} if is_file else _PHOTOMETRICS
    chosen = _values.choice(name, value, known, () if is_file else _PHOTOMETRICS_LACKED)
    if chosen == "ycbcr":
        request.options.jpeg_photometric = chosen
        # Readers convert it to red, green, and blue; the library refuses other numbers of bands.
        chosen = "rgb" if facts.bands == 3 else "auto"
    request.photometric = None if chosen == "auto" else chosen


def _take_alpha(request: Request, facts: Facts, name: str, value: Any) -> None:
    if value is None:
        return
    kind = _values.choice(name, value, _ALPHAS)
    if facts.bands < 2 and kind != "unspecified":
        raise ValueError(f"{name}={value!r}: alpha needs at least two bands, but the image has one")
    # Alpha is the last band; the number of extra samples follows from the photometric interpretation.
    request.extra_samples = [kind]


def _take_bits(request: Request, facts: Facts, name: str, value: Any) -> None:
    if value is None:
        return
    bits = _values.integer(name, value, 1, 64)
    if facts.dtype.kind == "f" and bits == 16 and facts.dtype.itemsize == 4:
        raise _values.not_supported(name, value)
    request.bits = None if bits == 8 * facts.dtype.itemsize else bits


def _take_driver(_: Request, __: Facts, name: str, value: Any) -> None:
    if _values.word(value) not in ("gtiff", "cog"):
        raise ValueError(f"option '{name}'={value!r} is not supported: the output is always a GeoTIFF")


def _same(what: str, of: Callable[[Facts], Any]) -> Callable[[Request, Facts, str, Any], None]:
    """Returns the handler of a rasterio option that repeats a property of the array."""

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
    if not same and not (facts.dtype.kind == "b" and _values.word(value) == "uint8"):
        raise ValueError(
            f"option '{name}'={value!r} is not supported: the array is {facts.dtype}; convert it with .astype(...)"
        )


def _work(attribute: str, convert: Callable[[str, Any], Any]) -> Callable[[Request, Facts, str, Any], None]:
    def take(request: Request, _: Facts, name: str, value: Any) -> None:
        setattr(request.work, attribute, None if value is None else convert(name, value))

    return take


def _take_storage(request: Request, _: Facts, name: str, value: Any) -> None:
    request.work.storage_options |= {} if value is None else _values.storage_options(name, value)


#: By name: the option it means and its handler, in the order in which they are applied.
OPTIONS: dict[str, tuple[str, Callable[[Request, Facts, str, Any], None]]] = {
    "compress": ("compress", _take_compression),
    "compression": ("compress", _take_compression),
    "level": ("level", _take_level),
    "zlevel": ("zlevel", _level_of("deflate", 12)),
    "zstd_level": ("zstd_level", _level_of("zstd", 22)),
    "quality": ("quality", _integer_of("quality", 100)),
    "jpeg_quality": ("quality", _integer_of("quality", 100)),
    "lossless": ("lossless", _take_lossless),
    "webp_lossless": ("lossless", _take_lossless),
    "max_z_error": ("max_z_error", _error_of("max_z_error")),
    "jpeg_subsampling": ("jpeg_subsampling", _take_subsampling),
    "predictor": ("predictor", _take_predictor),
    "blocksize": ("blocksize", _take_block),
    "blockxsize": ("blockxsize", _take_block_width),
    "blockysize": ("blockysize", _take_block_height),
    "ovr_blocksize": ("overview_blocksize", _take_overview_block),
    "overview_blocksize": ("overview_blocksize", _take_overview_block),
    "tiled": ("tiled", _take_tiled),
    "interleave": ("interleave", _take_interleave),
    "bigtiff": ("bigtiff", _take_big_tiff),
    "sparse": ("sparse", _take_sparse),
    "sparse_ok": ("sparse", _take_sparse),
    "num_threads": ("threads", _take_threads),
    "threads": ("threads", _take_threads),
    "overviews": ("overviews", _take_overviews),
    "overview_levels": ("overviews", _take_overviews),
    "overview_count": ("overview_count", _take_overview_count),
    "overview_resampling": ("resampling", _take_resampling),
    "resampling": ("resampling", _take_resampling),
    "overview_compress": ("overview_compress", _take_overview_compression),
    "overview_level": ("overview_level", _integer_of("overview_level", MAX_LEVEL)),
    "overview_quality": ("overview_quality", _integer_of("overview_quality", 100)),
    "overview_max_z_error": ("overview_max_z_error", _error_of("overview_max_z_error")),
    "max_z_error_overview": ("overview_max_z_error", _error_of("overview_max_z_error")),
    "overview_predictor": ("overview_predictor", _take_overview_predictor),
    "statistics": ("statistics", _take_statistics),
    "stats": ("statistics", _take_statistics),
    "photometric": ("photometric", _take_photometric),
    "alpha": ("alpha", _take_alpha),
    "nbits": ("nbits", _take_bits),
    "driver": ("driver", _take_driver),
    "width": ("width", _same("width", lambda facts: facts.width)),
    "height": ("height", _same("height", lambda facts: facts.height)),
    "count": ("count", _same("number of bands", lambda facts: facts.bands)),
    "dtype": ("dtype", _take_dtype),
    "overwrite": ("overwrite", _work("overwrite", _values.flag)),
    "sync": ("sync", _work("sync", _values.flag)),
    "verify": ("verify", _work("verify", _values.flag)),
    "temp_dir": ("temp_dir", _work("temp_dir", lambda _, value: value)),
    "tile_memory": ("tile_memory", _work("tile_memory", _values.byte_count)),
    "row_memory": ("row_memory", _work("row_memory", _values.byte_count)),
    "storage_options": ("storage_options", _take_storage),
}

#: Options that describe an array; a file has these properties already.
OF_ARRAYS = ("alpha", "nbits", "width", "height", "count", "dtype")
