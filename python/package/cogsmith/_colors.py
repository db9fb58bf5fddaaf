"""Colors of bands, from names and callers; alpha is never guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from . import _native, _options
from ._bands import Band
from ._plan import Image

#: Common names of STAC's eo extension, as GDAL reads them, except those that are also GDAL's own names.
_COMMON_NAMES = {
    "green05": "Green", "rededge071": "RedEdge", "rededge075": "RedEdge", "rededge078": "RedEdge", "nir08": "NIR",
    "nir09": "NIR", "cirrus": "NIR", "swir16": "SWIR", "swir22": "SWIR", "lwir11": "LWIR", "lwir12": "LWIR",
}  # fmt: skip
_NAMES = {
    **{name.lower(): name for name in _native.COLOR_INTERPRETATIONS if name not in ("Undefined", "Palette")},
    **_COMMON_NAMES,
    "grey": "Gray",
}
#: Labels that odc-geo gives to the bands of an RGB(A) image.
_LETTERS = {"r": "Red", "g": "Green", "b": "Blue", "a": "Alpha"}
_RGB = ["Red", "Green", "Blue"]


def settle(
    image: Image,
    bands: Sequence[Band],
    dtype: np.dtype[Any],
    request: _options.Request,
    has_time_axis: bool,
    like_datacube: bool,
) -> None:
    """Sets the photometric interpretation and extra samples of an image, and the colors of its bands.

    The first of these decides: ``photometric=``; colors from the caller or from names; three bands of ``uint8`` without
    names or a time axis, which are RGB. With ``like_datacube``, bands without names get the tags of GDAL's GTiff
    driver, which treats the last of four as alpha; it is tagged as alpha, but does not act as alpha.
    """
    alpha = (request.extra_samples or ["unspecified"])[-1]
    is_alpha = alpha != "unspecified"
    rest = image.bands - is_alpha
    named = any(band.names for band in bands) or has_time_axis
    if image.color_map:
        image.photometric, image.extra_samples = "palette", []
        return
    if request.photometric is not None:
        image.photometric = request.photometric
    else:
        if all(band.color is None for band in bands):
            _name_colors(bands, dtype, may_be_alpha=request.extra_samples is None, is_alpha=is_alpha)
        stated = any(band.color is not None for band in bands)
        bytes_ = dtype.kind in "ub" and dtype.itemsize == 1
        is_rgb = not named and not stated and bytes_ and rest == 3
        if like_datacube and not named and not stated and bytes_ and image.bands == 4 and not is_alpha:
            is_rgb = True
            if request.extra_samples is None:
                is_alpha, alpha, image.alpha_weighs = True, "unassociated", False
        image.photometric = "rgb" if is_rgb else "minisblack"
    if not is_alpha:
        image.extra_samples = []
        return
    if "jpeg" in (request.options.compression, request.options.overview_compression):
        raise ValueError(
            "compress='jpeg' would change the alpha band; pass the colors alone and alpha as the mask, such as "
            "write(rgba[:3], path, mask=rgba[3] > 0)"
        )
    colors = {"rgb": 3, "cielab": 3, "icclab": 3, "cmyk": 4}.get(image.photometric, 1)
    if image.bands <= colors:
        raise ValueError(f"alpha: all {image.bands} bands are colors, so none is left for alpha")
    image.extra_samples = ["unspecified"] * (image.bands - colors - 1) + [alpha]


def _name_colors(bands: Sequence[Band], dtype: np.dtype[Any], may_be_alpha: bool, is_alpha: bool) -> None:
    """Sets the colors of bands whose names are colors."""
    labels = [band.names[0].lower() if band.names else "" for band in bands]
    if "".join(labels) in ("rgb", "rgba") and all(len(label) == 1 for label in labels):
        found: list[str | None] = [_LETTERS[label] for label in labels]
    else:
        found = [next(filter(None, (_NAMES.get(name.strip().lower()) for name in band.names)), None) for band in bands]
    if is_alpha:
        found[-1] = None
    # A GeoTIFF can have one alpha band, after the colors. Floats of that name are angles and exponents.
    first = 3 if found[:3] == _RGB and dtype.kind == "u" and dtype.itemsize <= 2 else 1
    alpha = [index for index, color in enumerate(found) if color == "Alpha"]
    if not may_be_alpha or len(alpha) != 1 or alpha[0] < first or dtype.kind != "u":
        found = [None if color == "Alpha" else color for color in found]
    for band, color in zip(bands, found, strict=True):
        band.color = color


def color_map(colormap: Mapping[int, Any], dtype: np.dtype[Any]) -> list[int]:
    """Returns the values of tag 320 for a colormap of rasterio: red, green, blue (and alpha) of 8 bits, by index."""
    if dtype.str[1:] not in ("u1", "u2"):
        raise ValueError(f"a colormap needs a uint8 or uint16 array, but the array is {dtype}")
    entries = 1 << (8 * dtype.itemsize)
    table = np.zeros((3, entries), np.int64)
    for index, color in colormap.items():
        if not 0 <= int(index) < entries or len(color) not in (3, 4) or any(not 0 <= value <= 255 for value in color):
            raise ValueError(f"colormap[{index}]={color!r}: expected an index below {entries}, and values of 0 to 255")
        table[:, int(index)] = color[:3]
    values: list[int] = (table * 257).ravel().tolist()
    return values


__all__ = ["color_map", "settle"]
