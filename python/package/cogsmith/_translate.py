"""The signature of rio-cogeo: :func:`cog_translate`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from . import _check, _native, _targets, _values
from ._convert import create
from ._types import StrPath
from ._write import write

#: Entries of a profile that the output has in any case.
_ALWAYS = frozenset({"driver", "tiled", "copy_src_overviews"})
#: GDAL's configuration options that have an equivalent, and those that ask for what happens anyway.
_CONFIG = {"GDAL_NUM_THREADS": "threads", "GDAL_TIFF_OVR_BLOCKSIZE": "overview_blocksize"}
_CONFIG_ALWAYS = frozenset({"GDAL_TIFF_INTERNAL_MASK", "GDAL_CACHEMAX", "GDAL_DISABLE_READDIR_ON_OPEN"})
#: The first letters of the library's data types, and NumPy's words for them.
_KINDS = {"u": "uint", "i": "int", "f": "float"}


def cog_translate(
    source: StrPath | Any,
    dst_path: StrPath,
    dst_kwargs: Mapping[str, Any],
    indexes: int | Sequence[int] | None = None,
    nodata: str | float | None = None,
    dtype: Any = None,
    add_mask: bool = False,
    overview_level: int | None = None,
    overview_resampling: str = "nearest",
    web_optimized: bool = False,
    tms: Any = None,
    zoom_level_strategy: str = "auto",
    zoom_level: int | None = None,
    aligned_levels: int | None = None,
    resampling: str = "nearest",
    in_memory: bool | None = None,
    config: Mapping[str, Any] | None = None,
    allow_intermediate_compression: bool = False,
    forward_band_tags: bool = False,
    forward_ns_tags: bool = False,
    quiet: bool = False,
    progress_out: Any = None,
    temporary_compression: str = "DEFLATE",
    colormap: Mapping[int, Any] | None = None,
    additional_cog_metadata: Mapping[str, Any] | None = None,
    use_cog_driver: bool = False,
    decimation_base: int = 2,
) -> None:
    """Convert a file with the signature of ``rio_cogeo.cogeo.cog_translate``, in one pass and without GDAL.

    Scripts run with the import replaced. Options about intermediate files have no effect, since there are none; tags of
    bands and namespaces are always kept.

    Parameters
    ----------
    source : str, os.PathLike, or rasterio dataset
        GeoTIFF, VRT, PNG, or JPEG file, or an address as for :func:`cogsmith.create`, with ``storage_options`` in
        ``dst_kwargs``. Of a dataset that is open in rasterio, the file is read again; if it is not a file, such as a
        ``WarpedVRT`` or a ``MemoryFile``, its pixels are read into memory.
    dst_path : str or os.PathLike
        COG to write; replaced if it exists.
    dst_kwargs : dict
        A profile of ``rio_cogeo.profiles`` or creation options of GDAL. Without ``compress``, as in the profile "raw", the
        output is not compressed.
    indexes : int or sequence of int, optional
        Bands, counted from 1.
    nodata : float or str, optional
        Nodata value.
    dtype : optional
        Data type.
    add_mask : bool, default False
        Whether a mask is made of nodata or alpha, if the source has one of them.
    overview_level : int, optional
        Number of overviews; 0 for none.
    overview_resampling : str, default "nearest"
        Kernel of overviews.
    config : dict, optional
        ``GDAL_NUM_THREADS`` and ``GDAL_TIFF_OVR_BLOCKSIZE``.
    quiet : bool, default False
        Whether warnings are suppressed.
    additional_cog_metadata : dict, optional
        Metadata items.
    colormap : dict, optional
        Color table, for a dataset that is open in rasterio.
    decimation_base : int, default 2
        Ratio of the sizes of levels.
    in_memory, allow_intermediate_compression, temporary_compression, use_cog_driver, progress_out : optional
        Without effect.
    forward_band_tags, forward_ns_tags : optional
        Without effect.
    web_optimized, tms, zoom_level, zoom_level_strategy, aligned_levels, resampling : optional
        Not supported if they ask for anything; use rio-cogeo for these.

    Raises
    ------
    ValueError
        For what is not supported, and as :func:`cogsmith.create`.

    Examples
    --------
    >>> cogsmith.cog_translate("scene.tif", "cog.tif", {"compress": "DEFLATE", "blockxsize": 256, "blockysize": 256})
    """
    lacked = {
        "web_optimized": web_optimized, "tms": tms, "zoom_level": zoom_level, "aligned_levels": aligned_levels,
    }  # fmt: skip
    for name, value in lacked.items():
        if value not in (None, False):
            raise ValueError(f"{name}={value!r} is not supported: cogsmith writes pixels where they are")
    options = _encoding(dst_kwargs, config, overview_resampling)
    if dtype is not None:
        options["dtype"] = dtype
    # rio-cogeo notes the kernel.
    items = {"OVERVIEW_RESAMPLING": overview_resampling.upper(), **(additional_cog_metadata or {})}
    metadata = {name: str(value) for name, value in items.items()}
    path = _path(source)
    if colormap is not None and path is not None:
        if path == source or not hasattr(source, "read"):
            raise ValueError("colormap= is not supported for a path; pass the dataset, opened in rasterio")
        path = None
    is_ycbcr = _values.word(options.get("photometric")) == "ycbcr"
    needs_about = add_mask or is_ycbcr or "dtype" in options or (decimation_base != 2 and overview_level is None)
    if path is None:
        about: _About | None = _of_dataset(source)
    else:
        about = _of_file(path, options.get("storage_options")) if needs_about else None
    options |= _overviews(about, overview_level, decimation_base, options)
    if options.get("overviews") == "none":
        del options["overview_resampling"]
    chosen = len(np.atleast_1d(indexes)) if indexes is not None else None if about is None else about.bands
    if is_ycbcr and chosen not in (None, 3):
        # rio-cogeo leaves it out of images with one band; with alpha, JPEG makes YCbCr of the colors in any case.
        del options["photometric"]
        if not quiet and chosen is not None and chosen < 3:
            _values.warn(f"photometric=YCBCR is left out: the image has {chosen} bands")
    if about is not None and _values.word(options.get("dtype", about.dtype)) == about.dtype:
        options.pop("dtype", None)
    if path is None:
        _write_dataset(source, dst_path, indexes, nodata, add_mask, colormap, metadata, options)
        return
    if indexes is not None:
        options["bands"] = indexes
    if nodata is not None:
        options["nodata"] = nodata
    if add_mask:
        if about is None:
            raise ValueError(f"add_mask={add_mask!r} is not supported for '{path}', which is not a TIFF; use cogsmith.create with mask=")
        has_nodata = about.nodata or nodata is not None
        if about.alpha is not None and (indexes is None or about.alpha in np.atleast_1d(indexes)):
            options["mask"] = "alpha"
        elif about.alpha is None and not about.mask and has_nodata:
            options["mask"] = "nodata"
    create(path, dst_path, overwrite=True, quiet=quiet, metadata=metadata, **options)


def _encoding(profile: Mapping[str, Any], config: Mapping[str, Any] | None, resampling: str) -> dict[str, Any]:
    """Returns the options of a profile and of GDAL's configuration."""
    options: dict[str, Any] = {"overview_resampling": resampling, "compress": "none"}
    for key, value in profile.items():
        name = key.lower()
        if name in ("blockxsize", "blockysize") or (name == "nodata" and value is None):
            continue
        if name not in _ALWAYS:
            options[name] = value
    sizes = {key.lower(): int(value) for key, value in profile.items() if key.lower() in ("blockxsize", "blockysize")}
    if sizes:
        options["blocksize"] = (sizes.get("blockysize", 512), sizes.get("blockxsize", 512))
    for key, value in (config or {}).items():
        if key.upper() in _CONFIG:
            options[_CONFIG[key.upper()]] = value
        elif key.upper() not in _CONFIG_ALWAYS:
            raise ValueError(f"config={{{key!r}: {value!r}}} has no equivalent; leave it out")
    if "overview_blocksize" in options:
        options["overview_blocksize"] = int(options["overview_blocksize"])
    return options


@dataclass
class _About:
    """The properties of a source that the options depend on."""

    width: int
    height: int
    bands: int
    dtype: str
    #: Number of the alpha band.
    alpha: int | None
    mask: bool
    nodata: bool


def _of_file(path: Path | str, storage_options: Any) -> _About | None:
    """Returns the properties of a TIFF file; ``None`` for a file of another kind."""
    try:
        about = _check.info(path, storage_options=storage_options)
    except ValueError:
        return None
    kind, bits = about["data_type"][0], about["data_type"][1:]
    return _About(
        about["width"], about["height"], about["bands"], f"{_KINDS.get(kind, kind)}{bits}",
        about["alpha_band"], bool(about["mask"]), about["nodata"] is not None,
    )  # fmt: skip


def _of_dataset(source: Any) -> _About:
    names = [one.name for one in source.colorinterp]
    flags = [flag.name for flag in source.mask_flag_enums[0]]
    is_mask = flags == ["per_dataset"]
    return _About(
        source.width, source.height, source.count, source.dtypes[0],
        names.index("alpha") + 1 if "alpha" in names else None, is_mask, source.nodata is not None,
    )  # fmt: skip


def _write_dataset(
    source: Any,
    dst_path: StrPath,
    indexes: Any,
    nodata: Any,
    add_mask: bool,
    colormap: Mapping[int, Any] | None,
    metadata: dict[str, str],
    options: dict[str, Any],
) -> None:
    """Writes the pixels of a dataset that is open in rasterio."""
    about = _of_dataset(source)
    numbers = list(source.indexes) if indexes is None else [indexes] if isinstance(indexes, (int, np.integer)) else list(indexes)
    if add_mask and indexes is None:
        numbers = [number for number in numbers if source.colorinterp[number - 1].name != "alpha"]
    points, points_crs = source.gcps
    place: dict[str, Any] = {"gcps": points, "crs": points_crs} if points else {"transform": source.transform, "crs": source.crs}
    value = source.nodata if nodata is None else nodata
    if isinstance(value, str):
        value = float(value)
    bands: dict[str, Any] = {
        "band_names": [source.descriptions[number - 1] for number in numbers],
        "band_scale": [source.scales[number - 1] for number in numbers],
        "band_offset": [source.offsets[number - 1] for number in numbers],
        "band_unit": [source.units[number - 1] or "" for number in numbers],
    }
    colors = [source.colorinterp[number - 1].name for number in numbers]
    if colormap is not None or colors == ["palette"]:
        bands["colormap"] = source.colormap(numbers[0]) if colormap is None else colormap
    elif "undefined" not in colors and "palette" not in colors:
        bands["colorinterp"] = colors
    mask = source.dataset_mask() if about.mask or add_mask else None
    # An object with the attributes of rioxarray, which are the only way to metadata of bands.
    array = SimpleNamespace(data=source.read(numbers), attrs={"band_tags": [source.tags(number) for number in numbers]})
    write(
        array, dst_path, bands="first", overwrite=True, mask=mask, nodata=None if add_mask else value,
        tags={**source.tags(), **metadata}, **place, **bands, **options,
    )  # fmt: skip


def _path(source: Any) -> Path | str | None:
    """Returns the path or address of a file, or of a dataset that is open in rasterio; ``None`` if that is not a file on disk."""
    if isinstance(source, (str, os.PathLike)):
        return _targets.source_of(source)
    name = getattr(source, "name", None)
    if isinstance(name, str) and (os.path.isfile(name) or _native.is_address(name)) and not hasattr(source, "src_crs"):
        return _targets.source_of(name)
    if not (hasattr(source, "read") and hasattr(source, "dataset_mask")):
        raise TypeError(f"{source!r} is neither a path nor a dataset that is open in rasterio")
    return None


def _overviews(about: _About | None, count: int | None, base: int, options: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the options for overviews."""
    if count == 0:
        return {"overviews": "none"}
    if base == 2:
        return {} if count is None else {"overview_count": count}
    if count is None:
        if about is None:
            raise ValueError(f"decimation_base={base} needs overview_level for a source that is not a GeoTIFF")
        height, width = options.get("blocksize", (512, 512))
        count = 0
        while max(about.width / width, about.height / height) > base**count:
            count += 1
        if count == 0:
            return {"overviews": "none"}
    return {"overviews": [base**level for level in range(1, count + 1)]}
