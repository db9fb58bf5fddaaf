"""The signature of rio-cogeo: :func:`cog_translate`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import _check, _native, _targets
from ._convert import create
from ._types import StrPath

#: Entries of a profile that the output has in any case.
_ALWAYS = frozenset({"driver", "tiled", "copy_src_overviews"})
#: GDAL's configuration options that have an equivalent, and those that ask for what happens anyway.
_CONFIG = {"GDAL_NUM_THREADS": "threads", "GDAL_TIFF_OVR_BLOCKSIZE": "overview_blocksize"}
_CONFIG_ALWAYS = frozenset({"GDAL_TIFF_INTERNAL_MASK", "GDAL_CACHEMAX", "GDAL_DISABLE_READDIR_ON_OPEN"})


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
        GeoTIFF or VRT file, or an address as for :func:`cogsmith.create`, with ``storage_options`` in ``dst_kwargs``. Of a
        dataset that is open in rasterio, the file is read again.
    dst_path : str or os.PathLike
        COG to write; replaced if it exists.
    dst_kwargs : dict
        A profile of ``rio_cogeo.profiles`` or creation options of GDAL.
    indexes : int or sequence of int, optional
        Bands, counted from 1.
    nodata : float or str, optional
        Nodata value.
    dtype : optional
        Data type.
    add_mask : bool, default False
        Whether a mask is made of nodata or alpha; the nodata value is then left out.
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
    decimation_base : int, default 2
        Ratio of the sizes of levels.
    in_memory, allow_intermediate_compression, temporary_compression, use_cog_driver, progress_out : optional
        Without effect.
    forward_band_tags, forward_ns_tags : optional
        Without effect.
    web_optimized, tms, zoom_level, zoom_level_strategy, aligned_levels, resampling, colormap : optional
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
        "colormap": colormap,
    }  # fmt: skip
    for name, value in lacked.items():
        if value not in (None, False):
            raise ValueError(f"{name}={value!r} is not supported: cogsmith writes pixels where they are, in their own colors")
    path = _path(source)
    options: dict[str, Any] = {"overview_resampling": overview_resampling}
    for key, value in dst_kwargs.items():
        name = key.lower()
        if name in ("blockxsize", "blockysize") or (name == "nodata" and value is None):
            continue
        if name not in _ALWAYS:
            options[name] = value
    sizes = {key.lower(): int(value) for key, value in dst_kwargs.items() if key.lower() in ("blockxsize", "blockysize")}
    if sizes:
        options["blocksize"] = (sizes.get("blockysize", 512), sizes.get("blockxsize", 512))
    for key, value in (config or {}).items():
        if key.upper() in _CONFIG:
            options[_CONFIG[key.upper()]] = value
        elif key.upper() not in _CONFIG_ALWAYS:
            raise ValueError(f"config={{{key!r}: {value!r}}} has no equivalent; leave it out")
    if "overview_blocksize" in options:
        options["overview_blocksize"] = int(options["overview_blocksize"])
    if indexes is not None:
        options["bands"] = indexes
    if nodata is not None:
        options["nodata"] = nodata
    if dtype is not None:
        options["dtype"] = dtype
    # rio-cogeo notes the kernel.
    items = {"OVERVIEW_RESAMPLING": overview_resampling.upper(), **(additional_cog_metadata or {})}
    options["metadata"] = {name: str(value) for name, value in items.items()}
    options |= _overviews(path, overview_level, decimation_base, options)
    if options.get("overviews") == "none":
        del options["overview_resampling"]
    if add_mask:
        about = _check.info(path, storage_options=options.get("storage_options"))
        options["mask"] = "alpha" if about.get("alpha") is not None else "nodata"
    create(path, dst_path, overwrite=True, quiet=quiet, **options)


def _path(source: Any) -> Path | str:
    """Returns the path or address of a file, or of a dataset that is open in rasterio."""
    if isinstance(source, (str, os.PathLike)):
        return _targets.source_of(source)
    name = getattr(source, "name", None)
    if isinstance(name, str) and (os.path.isfile(name) or _native.is_address(name)):
        return _targets.source_of(name)
    raise ValueError(f"{source!r} is not a file on disk; pass its pixels to cogsmith.write")


def _overviews(path: Path | str, count: int | None, base: int, options: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the options for overviews."""
    if count == 0:
        return {"overviews": "none"}
    if base == 2:
        return {} if count is None else {"overview_count": count}
    if count is None:
        height, width = options.get("blocksize", (512, 512))
        about = _check.info(path, storage_options=options.get("storage_options"))
        count = 0
        while max(about["width"] / width, about["height"] / height) > base**count:
            count += 1
        if count == 0:
            return {"overviews": "none"}
    return {"overviews": [base**level for level in range(1, count + 1)]}
