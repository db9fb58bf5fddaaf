"""Option names of other packages, and their equivalents here."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Collection

_FALSE = ("no", "false", "off", "0", "none")

#: Options of GDAL and rasterio that this writer lacks, and the values that ask for its only behavior.
LACKED: dict[str, tuple[str, ...]] = {
    "streamable_output": _FALSE, "tfw": _FALSE, "worldfile": _FALSE, "rpb": _FALSE,
    "rpctxt": _FALSE, "discard_lsb": (), "copy_src_overviews": _FALSE, "profile": ("gdalgeotiff",),
    "endianness": ("little", "native") if sys.byteorder == "little" else ("little",),
    "geotiff_keys_flavor": ("standard",), "geotiff_version": ("auto",), "pixeltype": ("default",),
    "color_table_multiplier": (), "jpegtablesmode": (), "webp_level": (), 
    "jxl_lossless": (), "jxl_effort": (), "jxl_distance": (),
    "jxl_alpha_distance": (), "lzma_preset": (), "source_icc_profile": (), "source_primaries_red": (),
    "source_primaries_green": (), "source_primaries_blue": (), "source_whitepoint": (),
    "tifftag_transferfunction_red": (), "tifftag_transferfunction_green": (), "tifftag_transferfunction_blue": (),
    "tifftag_transferrange_black": (), "tifftag_transferrange_white": (),
    "add_alpha": _FALSE, "aligned_levels": (), "extent": (), "res": (), "target_srs": (),
    "tiling_scheme": ("custom",), "warp_resampling": (), "zoom_level": (), "zoom_level_strategy": (),
    "copy_src_mdd": (), "src_mdd": (), "rpcs": _FALSE, "sharing": _FALSE, "thread_safe": _FALSE, "opener": _FALSE,
}  # fmt: skip

#: Options of this package (the first that a function takes is suggested), and names with the same meaning in GDAL's
#: tools, rasterio, rio-cogeo, xarray, rioxarray, odc-geo, and compression libraries.
_SYNONYMS: tuple[tuple[str, str], ...] = (
    ("nodata", "nodata_value nodata_val nodata_vals nodatavals no_data no_data_value fill_value fillvalue _fillvalue "
     "missing_value dst_nodata dstnodata src_nodata srcnodata a_nodata novalue"),
    ("level", "compression_level compress_level compresslevel complevel compression_effort clevel zlib_level "
     "gzip_level deflate_level effort"),
    ("compress", "codec compressor compression_type compression_method compression_codec"),
    ("blocksize", "block_size block_shape blockshape block_width block_height chunk_size chunksize chunk_sizes "
     "chunksizes chunks tile_size tilesize tile_shape tile_width tile_height tilewidth tileheight"),
    ("overview_blocksize", "overview_block_size overview_tile_size overview_tilesize overview_chunksize "
     "ovr_block_size ovr_tile_size gdal_tiff_ovr_blocksize"),
    ("overview_resampling", "resample resample_alg resamplealg resample_method resampling_alg resampling_method "
     "resampling_algorithm overview_resample overview_method overview_algorithm overview_kernel ovr_resampling "
     "downsampling downsample interpolation kernel"),
    ("overview_count", "num_overviews n_overviews nlevels num_levels n_levels max_overview_level "
     "maximum_overview_level"),
    ("overviews", "overview overview_factors overview_decimations decimation decimations factors levels ovr_levels "
     "pyramid pyramids"),
    ("threads", "thread_count n_threads nthreads num_thread gdal_num_threads cpus jobs n_jobs workers n_workers "
     "num_workers max_workers"),
    ("overwrite", "force clobber exist_ok replace overwrite_existing mode"),
    ("statistics", "stats stat compute_stats compute_statistics calc_stats approx_stats"),
    ("interleave", "interleaving planarconfig planar_config planar_configuration"),
    ("bigtiff", "big_tiff use_bigtiff"),
    ("sparse", "sparse_tiles skip_empty omit_empty_tiles write_empty_chunks write_empty_tiles"),
    ("crs", "epsg epsg_code srs a_srs s_srs t_srs dst_crs src_crs dst_srs src_srs target_crs output_crs proj proj4 "
     "projection spatial_ref wkt"),
    ("geotransform transform", "gt a_gt geo_transform"),
    ("transform", "affine dst_transform src_transform output_transform"),
    ("gcps", "gcp ground_control_points"),
    ("bounds transform", "bbox extents a_ullr projwin te total_bounds bounding_box"),
    ("band_names band_description", "band_name band_labels band_descriptions description long_name long_names names"),
    ("tags", "tag metadata attributes additional_cog_metadata mo gdal_metadata"),
    ("band_scale", "scale_factor scale_factors a_scale"),
    ("band_offset", "add_offset a_offset"),
    ("band_unit", "unittype unit_type"),
    ("colorinterp", "color_interp color_interpretation colour_interpretation colorinterpretation color_interps "
     "colorinterps"),
    ("colormap", "color_map colour_map color_table colour_table colortable cmap palette"),
    ("mask", "add_mask valid_mask dataset_mask mask_band"),
    ("pixel_is_point pixel_is", "area_or_point raster_type"),
    ("temp_dir", "tmp_dir tmpdir tempdir temp_directory temporary_directory cache_dir scratch_dir"),
    ("tile_memory", "max_memory memory memory_limit gdal_cachemax cachemax"),
    ("sync", "fsync"),
    ("progress", "progress_bar show_progress callback"),
    ("image", "page directory subdataset series"),
)  # fmt: skip

_KEYWORDS = "pass each option as its own keyword, such as compress='zstd'"
_PARTS = "omit it: pixels are always read and written in small parts"
_NO_INTERMEDIATE = "omit it: there is no intermediate file"
_ALWAYS_COG = "omit it: the output is always a COG"
_LOSSY = "this writer has no lossy WebP and no JPEG XL; compress='jpeg' and 'lerc' are lossy"
_NO_WARP = "this writer does not reproject; reproject first, with odc-geo, rioxarray, or gdalwarp"
_DASK = "omit it: for a Dask array the result is a Delayed; call its compute() to write"
#: Names that could mean a change of pixel values, or a property of the bands.
_OF_SCALING = {
    name + plural: f"did you mean 'band_{name}'? It records {thing} in the metadata; pixel values are not rescaled, as "
    "gdal_translate -scale does"
    for name, thing in (("scale", "a scale factor"), ("offset", "an offset"), ("unit", "a unit"))
    for plural in ("", "s")
}
#: Advice for names without an option of the same meaning.
_ADVICE: dict[str, str] = {
    **dict.fromkeys((
        "co", "creation_option", "creation_options", "creationoptions", "options", "opts", "kwargs", "driver_kwargs",
        "driver_options", "gdal_options", "gdal_config", "config", "rio_opts", "extra_rio_opts", "dst_kwargs",
        "output_profile", "dst_profile", "cog_profile", "profile", "encoding", "encode_kwargs",
        "compressionargs", "compression_args",
    ), _KEYWORDS),
    **dict.fromkeys(("windowed", "use_windowed_writes", "in_memory", "streaming", "stream"), _PARTS),
    **dict.fromkeys(
        ("intermediate_compression", "allow_intermediate_compression", "temporary_compression"), _NO_INTERMEDIATE
    ),
    **dict.fromkeys(("use_cog_driver", "format", "of", "out_format", "output_format", "engine"), _ALWAYS_COG),
    **dict.fromkeys(("lock", "compute"), _DASK),
    **dict.fromkeys((
        "webp_level", "webp_lossless", "max_z_error", "max_z_error_overview", "jxl_lossless", "jxl_effort",
        "jxl_distance", "lossless", "lossy", "discard_lsb",
    ), _LOSSY),
    **dict.fromkeys((
        "tiling_scheme", "aligned_levels", "extent", "res", "resolution", "target_srs", "warp_resampling", "zoom_level",
        "zoom_level_strategy", "web_optimized", "zoom", "tms", "tilematrixset", "latitude_adjustment",
    ), _NO_WARP),
}  # fmt: skip
#: Likewise, where the input is an array.
_ADVICE_ARRAY: dict[str, str] = {
    **dict.fromkeys(
        ("bidx", "b", "band", "band_index", "band_indexes", "band_indices", "indexes", "indices"),
        "pass bands=[1, 2], counted from 1, or names",
    ),
    **dict.fromkeys(
        ("ot", "out_dtype", "output_type", "datatype", "data_type", "astype"),
        "convert the array first, with .astype(...)",
    ),
    "recalc_transform": "omit it: the transform always follows the coordinates",
}  # fmt: skip
#: Likewise, where the input is a file.
_ADVICE_FILE: dict[str, str] = {
    **dict.fromkeys(
        ("bidx", "b", "band", "band_index", "band_indexes", "band_indices", "indexes", "indices"),
        "pass bands=[1, 2], counted from 1, or names",
    ),
    **dict.fromkeys(
        ("ot", "out_dtype", "output_type", "datatype", "data_type", "astype"), "pass dtype=, such as dtype='uint8'"
    ),
    **dict.fromkeys(
        ("forward_band_tags", "forward_ns_tags", "copy_metadata"), "omit it: metadata is always kept"
    ),
    "colormap": "the color table is taken from the input",
}  # fmt: skip


def hint(name: str, known: Collection[str], is_file: bool) -> str | None:
    """Returns advice for an option that a function does not take: the nearest option by meaning, else by spelling."""
    name = name.lower().replace("-", "_")
    if name in _OF_SCALING:
        return _OF_SCALING[name]
    for meaning, synonyms in _SYNONYMS:
        options = meaning.split()
        if name in options or name in synonyms.split():
            found = next((option for option in [*options, *synonyms.split()] if option in known), None)
            if found is not None:
                return f"did you mean '{found}'?"
    advice = {**_ADVICE, **(_ADVICE_FILE if is_file else _ADVICE_ARRAY)}.get(name)
    if advice is not None:
        return advice
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean '{close[0]}'?" if close else None
