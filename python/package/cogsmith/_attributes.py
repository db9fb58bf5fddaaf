"""Attributes of arrays as GDAL metadata, as ``rio.to_raster`` writes them."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import _bands, _native, _nodata, _options
from ._bands import Band
from ._plan import Item

#: Maximum bytes of the text of an attribute, and of all attributes with their names, that are written by default: the
#: metadata is part of the header, which readers fetch with their first request of 16 KiB.
LONGEST, TOGETHER = 4 << 10, 8 << 10
#: Attributes about the georeference and the storage of an array, from rioxarray's list and CF: the file stores these
#: properties elsewhere, or they no longer hold for the array.
_NOT_METADATA = frozenset(
    {
        *_nodata.ATTRIBUTES, "crs", "crs_wkt", "spatial_ref", "epsg", "proj:wkt2", "proj:code", "proj:projjson",
        "GeoTransform", "transform", "spatial:transform", "spatial:dimensions", "res", "gcps", "geobox", "grid_mapping",
        "coordinates", "is_tiled", "band_tags",
    }
)  # fmt: skip
#: Statistics describe the pixels of the file that an array came from; GDAL takes them from the metadata without reading
#: the pixels. Minimum and maximum are statistics as well.
_STATISTICS = re.compile(r"STATISTICS_.*|TIFFTAG_(MIN|MAX)SAMPLEVALUE", re.IGNORECASE)
#: Characters that XML cannot hold.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass
class Attributes:
    """Attributes of an array, as the file stores them."""

    metadata: dict[str, str] = field(default_factory=dict)
    #: Names of attributes that metadata cannot hold, and the reasons.
    unsuitable: dict[str, str] = field(default_factory=dict)


def of_array(attributes: Mapping[Any, Any], used: Iterable[str] = (), bands: Sequence[Band] = ()) -> Attributes:
    """Returns the attributes of a DataArray or a Dataset that are metadata.

    rioxarray's list ``band_tags`` becomes metadata of the bands.

    Parameters
    ----------
    attributes
        ``attrs`` of the object.
    used
        Names of attributes that became properties of bands.
    bands
        The bands.
    """
    result = Attributes()
    skipped = _NOT_METADATA.union(used)
    _take(attributes, skipped, result.metadata, result.unsuitable)
    tags = attributes.get("band_tags")
    if isinstance(tags, (list, tuple)) and all(isinstance(one, Mapping) for one in tags):
        for band, one in zip(bands, _bands.spread("band_tags", tags, len(bands)), strict=True):
            _take(one, skipped, band.metadata, result.unsuitable)
    return result


def _take(attributes: Mapping[Any, Any], skipped: Iterable[str], into: dict[str, str], unsuitable: dict[str, str]) -> None:
    for key, value in attributes.items():
        name = str(key)
        if name in skipped or _STATISTICS.fullmatch(name) or value is None:
            continue
        text = _text(value)
        if text is None:
            unsuitable[name] = f"{type(value).__name__} is neither text nor a number"
        elif not name or "=" in name or _NOT_XML.search(name):
            unsuitable[name] = "GDAL cannot read the name"
        elif _NOT_XML.search(text):
            unsuitable[name] = "contains control characters"
        else:
            into[name] = text


def _text(value: Any) -> str | None:
    """Returns text, numbers, and flat lists of these, formatted with ``str``; ``None`` for anything else."""
    if isinstance(value, np.ndarray):
        # The text of an array depends on print options, and may abbreviate the middle.
        value = value.tolist()
    if isinstance(value, (np.datetime64, datetime.date)):
        return str(value.isoformat() if isinstance(value, datetime.date) else value)
    if isinstance(value, (str, bool, int, float, complex, np.bool_, np.number)):
        return str(value)
    if isinstance(value, (list, tuple)):
        values = [one.item() if isinstance(one, np.generic) else one for one in value]
        if all(isinstance(one, (str, bool, int, float, complex)) for one in values):
            return str(values if isinstance(value, list) else tuple(values))
    return None


def merge(sources: Sequence[Attributes], bands: Sequence[Sequence[Band]]) -> Attributes:
    """Returns the attributes that several arrays share; the others become metadata of the bands of their array."""
    first, *others = sources
    result = Attributes()
    for name, text in first.metadata.items():
        if all(other.metadata.get(name) == text for other in others):
            result.metadata[name] = text
    for source, its_bands in zip(sources, bands, strict=True):
        result.unsuitable.update(source.unsuitable)
        to_bands({name: text for name, text in source.metadata.items() if name not in result.metadata}, its_bands)
    return result


def add_dataset(common: Attributes, attributes: Mapping[Any, Any], bands: Sequence[Band]) -> None:
    """Adds the attributes of a Dataset to those its variables share; shared ones that differ move to the bands."""
    own = of_array(attributes)
    differing = {
        name: text for name, text in common.metadata.items() if own.metadata.get(name, text) != text
    }
    to_bands(differing, bands)
    common.metadata.update(own.metadata)
    common.unsuitable.update(own.unsuitable)


def to_bands(metadata: Mapping[str, str], bands: Sequence[Band]) -> None:
    """Makes attributes metadata of bands, except those that are tags of the whole file."""
    for band in bands:
        own = {name: text for name, text in metadata.items() if not _is_of_file(name)}
        band.metadata = {**own, **band.metadata}


def _is_of_file(name: str) -> bool:
    return name.upper() == "AREA_OR_POINT" or name.upper().startswith("TIFFTAG_")


def settle(attributes: Attributes, bands: Sequence[Band], tags: Mapping[str, Any] | None, choice: Any) -> list[Item]:
    """Returns the GDAL metadata of a file, and removes metadata of ``bands`` that is too long.

    Parameters
    ----------
    attributes
        Attributes of the whole image.
    bands
        The bands, with their metadata.
    tags
        Metadata from the caller; attributes of the same name, in either case, are left out.
    choice
        ``True`` for attributes of any length, ``False`` for none, ``None`` for those that fit.
    """
    if choice is not None and not isinstance(choice, (bool, np.bool_)):
        raise TypeError(f"attrs={choice!r}: expected True or False; pass your own metadata as tags=")
    stated = {str(name): str(value) for name, value in (tags or {}).items()}
    places = [attributes.metadata, *(band.metadata for band in bands)]
    if choice is not None and not choice:
        for place in places:
            place.clear()
    else:
        upper = {name.upper() for name in stated}
        for name in [name for name in attributes.metadata if name.upper() in upper]:
            del attributes.metadata[name]
        _check_tags(attributes)
        left_out = {} if choice else _drop_long(places)
        left_out.update({name: why for name, why in attributes.unsuitable.items() if name.upper() not in upper})
        _warn(left_out, bool(choice))
    return [Item(name, text) for name, text in {**attributes.metadata, **stated}.items()]


def _check_tags(attributes: Attributes) -> None:
    """Removes attributes that are named as TIFF tags but cannot be stored in them."""
    for name in [name for name in attributes.metadata if name.upper().startswith("TIFFTAG_")]:
        text = attributes.metadata.pop(name)
        tag = name.upper()
        if tag == "TIFFTAG_DATETIME":
            form = re.fullmatch(r"(\d{4})[:-](\d\d)[:-](\d\d)[T ](\d\d:\d\d:\d\d)", text.strip())
            text = f"{form[1]}:{form[2]}:{form[3]} {form[4]}" if form else ""
        elif tag == "TIFFTAG_RESOLUTIONUNIT":
            text = text.strip()[:1] if text.strip()[:1] in "123" else ""
        elif tag.endswith("RESOLUTION"):
            number = re.match(r"\d+(\.\d*)?(?=\s|$)", text.strip())
            text = number[0] if number and 0 < float(number[0]) < 2**32 else ""
        if tag in _native.METADATA_TAGS and text:
            attributes.metadata[name] = text
        else:
            attributes.unsuitable[name] = "not a TIFF tag, or not a value of the tag"


def _drop_long(places: Sequence[dict[str, str]]) -> dict[str, str]:
    """Removes attributes that are too long, then the longest until the rest is short enough."""
    left_out = {}
    for place in places:
        for name in [name for name, text in place.items() if _bytes(text) > LONGEST]:
            del place[name]
            left_out[name] = f"longer than {LONGEST} bytes"
    sizes = [(_bytes(name) + _bytes(text), name, place) for place in places for name, text in place.items()]
    total = sum(size for size, *_ in sizes)
    # Of equally long ones, the last is removed first.
    for size, name, place in sorted(reversed(sizes), key=lambda one: -one[0]):
        if total <= TOGETHER:
            break
        del place[name]
        total -= size
        left_out[name] = f"together longer than {TOGETHER} bytes"
    return left_out


def _bytes(text: str) -> int:
    return len(text.encode("utf-8"))


def _warn(left_out: Mapping[str, str], is_forced: bool) -> None:
    if not left_out:
        return
    reasons: dict[str, list[str]] = {}
    for name, why in left_out.items():
        reasons.setdefault(why, []).append(f"'{name}'")
    listed = "; ".join(f"{', '.join(names)} ({why})" for why, names in reasons.items())
    hint = "pass attrs=False for none" if is_forced else "pass attrs=True for long ones, attrs=False for none"
    _options.warn(f"attributes that are not written: {listed}; {hint}")


def take_point(items: list[Item]) -> tuple[list[Item], bool]:
    """Returns the items without ``AREA_OR_POINT``, and whether its value is "Point"."""
    others = [item for item in items if item.name.upper() != "AREA_OR_POINT"]
    said = [item.value.strip().upper() == "POINT" for item in items if item.name.upper() == "AREA_OR_POINT"]
    return others, any(said)


__all__ = ["Attributes", "add_dataset", "merge", "of_array", "settle", "take_point"]
