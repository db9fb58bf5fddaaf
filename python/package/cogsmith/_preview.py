"""Small pictures of rasters: :func:`preview`, with the results of the command."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal

from . import _choice, _native, _targets, _values
from ._types import StorageOptions


def preview(
    file: str | os.PathLike[str],
    *,
    size: int = 512,
    bands: int | str | Sequence[int | str] | None = None,
    image: int | None = None,
    format: Literal["png", "jpg", "jpeg"] | str = "png",
    storage_options: StorageOptions = None,
    quiet: bool = False,
) -> bytes:
    """Return a small picture of a raster file as PNG or JPEG, as ``cogsmith preview`` writes it.

    The picture is made from the nearest overview, so that little of a large file is read. Eight-bit colors and palettes are
    shown as they are; other values are stretched, per band, from the 2nd to the 98th percentile of the valid pixels.

    Parameters
    ----------
    file : str or os.PathLike
        Path of a GeoTIFF, VRT, PNG, or JPEG, or its address as for :func:`cogsmith.create`.
    size : int, default 512
        Longer side of the picture in pixels, 1 to 8192. Smaller images are not enlarged.
    bands : int, str, or sequence of these, optional
        One band, or three as red, green, and blue: numbers counting from 1, or descriptions. Default: the bands whose color
        interpretation is red, green, and blue, otherwise the first band.
    image : int, optional
        Image of a file with several, counting from 1. Default: the first at full resolution.
    format : {"png", "jpg", "jpeg"}, default "png"
        File format. Pixels without data are transparent in PNG and white in JPEG, whose quality is 85.
    storage_options : dict, optional
        Connection to the store of an address, as for :func:`cogsmith.write`.
    quiet : bool, default False
        Whether warnings are suppressed.

    Returns
    -------
    bytes
        The picture: ``pathlib.Path("scene.png").write_bytes(...)`` writes it, ``IPython.display.Image(...)`` shows it.

    Raises
    ------
    ValueError
        If an option is out of range or does not fit the file, or the file is damaged or has complex samples.
    OSError
        If the file cannot be read; FileNotFoundError if it does not exist.

    Warns
    -----
    UserWarning
        For everything in the file that is doubtful or ignored, unless ``quiet`` is set.

    Examples
    --------
    >>> picture = cogsmith.preview("out.tif", size=256)
    >>> picture[:4]
    b'\x89PNG'
    """
    source = _targets.source_of(file)
    options = {} if storage_options is None else _values.storage_options("storage_options", storage_options)
    _targets.check_storage_options(options, None, [source])
    chosen = list(_choice.take({"bands": bands}).bands)
    number = None if image is None else _values.integer("image", image, 1, 2**32) - 1
    picture, warnings = _native.preview(source, _values.integer("size", size, 1, 8192), chosen, number, format.lower(), options)
    if not quiet:
        for text in warnings:
            _values.warn(f"{file}: {text}")
    return picture
