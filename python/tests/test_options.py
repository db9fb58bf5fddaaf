"""Options by their names in rasterio and GDAL: meanings, and errors."""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import pytest
import rasterio
from conftest import image, look, raster
from rasterio.enums import ColorInterp, Compression, Interleaving, Resampling

import cogsmith
from cogsmith import _choice, _native, _options, _overrides

ARRAY = raster(image((600, 700)))


def written(**options):
    return look(cogsmith.to_cog(ARRAY, **options))


@pytest.mark.parametrize(
    ("options", "compression"),
    [
        ({}, "deflate"), ({"compress": "LZW"}, "lzw"), ({"COMPRESS": "zstd"}, "zstd"), ({"compress": "none"}, None),
        ({"compress": None}, None), ({"compress": Compression.lzw}, "lzw"), ({"compress": "adobe_deflate"}, "deflate"),
        ({"Compress": Compression.zstd, "ZSTD_LEVEL": 1}, "zstd"),
    ],
)  # fmt: skip
def test_compression(options, compression):
    assert written(**options).profile.get("compress") == compression


@pytest.mark.parametrize("level", range(1, 13))
def test_zlevel_goes_up_to_12(level):
    np.testing.assert_array_equal(written(zlevel=level).levels[0][0], ARRAY.values)


def test_levels_do_something():
    sizes = [len(cogsmith.to_cog(ARRAY, zlevel=level)) for level in (1, 6, 9)]
    assert sizes == sorted(sizes, reverse=True) and len(set(sizes)) > 1
    assert cogsmith.to_cog(ARRAY, zlevel=6) == cogsmith.to_cog(ARRAY)
    assert len(cogsmith.to_cog(ARRAY, compress="zstd", zstd_level=19)) < len(
        cogsmith.to_cog(ARRAY, compress="zstd", zstd_level=1)
    )


@pytest.mark.parametrize("options", [{"zlevel": 13}, {"zlevel": 0}, {"zlevel": "high"}, {"zstd_level": 23}, {"zlevel": 2.5}])
def test_levels_out_of_range(options):
    with pytest.raises(ValueError, match="level="):
        written(**options)


def test_predictors():
    def predictor(array, **options):
        data = cogsmith.to_cog(array, **options)
        with rasterio.MemoryFile(data) as memory, memory.open() as file:
            return file.tags(ns="IMAGE_STRUCTURE").get("PREDICTOR", "1")

    floats, complexes = raster(image((60, 70), "float32")), raster(image((60, 70), "complex64"))
    assert predictor(ARRAY) == "2" and predictor(floats) == "3" and predictor(complexes) == "1"
    assert predictor(raster(image((60, 70), "bool"))) == "2"
    assert predictor(ARRAY, predictor=1) == "1" and predictor(floats, PREDICTOR="2") == "2"
    assert predictor(floats, predictor="YES") == "3" and predictor(ARRAY, predictor="STANDARD") == "2"
    assert predictor(floats, predictor="FLOATING_POINT") == "3" and predictor(ARRAY, predictor="NO") == "1"
    with pytest.raises(ValueError, match="predictor"):
        predictor(ARRAY, predictor=3)
    with pytest.raises(ValueError, match="predictor"):
        predictor(complexes, predictor=2)
    with pytest.raises(ValueError, match="expected one of auto, none, horizontal, float, yes$"):
        predictor(ARRAY, predictor=4)


def test_options_that_gdal_ignores_warn():
    for options in ({"compress": "lzw", "zlevel": 5}, {"compress": "none", "predictor": 2}, {"zstd_level": 5}):
        with pytest.warns(UserWarning, match="is ignored with compress="):
            written(**options)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        written(compress="lzw")
        written(compress="none")
        written(compress="zstd")


def test_interleave():
    pixels = image((3, 600, 700))
    for given, name in ((None, "pixel"), ("BAND", "band"), (Interleaving.band, "band"), ("pixel", "pixel"), ("TILE", "tile")):
        options = {} if given is None else {"interleave": given}
        seen = look(cogsmith.to_cog(raster(pixels), **options))
        assert seen.profile["interleave"] == name
        np.testing.assert_array_equal(seen.levels[0], pixels)
    with pytest.raises(ValueError, match="not supported"):
        written(interleave="line")


@pytest.mark.parametrize(
    ("given", "big"),
    [("YES", True), (True, True), ("no", False), ("IF_NEEDED", False), ("IF_SAFER", False), ("auto", False), (None, False)],
)
def test_bigtiff(given, big):
    data = cogsmith.to_cog(ARRAY, BIGTIFF=given)
    assert data[2] == (43 if big else 42)


def test_if_safer_is_by_size():
    from cogsmith._options import Facts, Request, resolve

    for side, expected in ((20_000, "auto"), (40_000, "yes")):
        facts = Facts(side, side, 1, np.dtype("u2"))
        assert resolve({"bigtiff": "if_safer"}, facts, Request()).options.big_tiff == expected


@pytest.mark.parametrize("given", [1, 2, "ALL_CPUS", "all_cpus", "2", None])
def test_num_threads(given):
    assert cogsmith.to_cog(ARRAY, NUM_THREADS=given) == cogsmith.to_cog(ARRAY)


@pytest.mark.parametrize("given", [0, -1, "many", True])
def test_bad_numbers_of_threads(given):
    with pytest.raises(ValueError, match="threads"):
        cogsmith.to_cog(ARRAY, num_threads=given)


def test_what_says_again_what_the_array_is():
    same = {"driver": "GTiff", "width": 700, "height": 600, "count": 1, "dtype": "uint16", "tiled": True}
    assert cogsmith.to_cog(ARRAY, **same, nodata=None, transform=ARRAY.odc.transform) == cogsmith.to_cog(ARRAY)
    for wrong in ({"driver": "PNG"}, {"width": 7}, {"count": 2}, {"dtype": "int16"}, {"tiled": "no"}):
        with pytest.raises(ValueError, match="not supported"):
            cogsmith.to_cog(ARRAY, **wrong)


def test_photometric_and_alpha():
    pixels = image((4, 60, 70), "uint8")
    rgb = (ColorInterp.red, ColorInterp.green, ColorInterp.blue)
    assert look(cogsmith.to_cog(raster(pixels[:3]), photometric="rgb")).colorinterp == rgb
    seen = look(cogsmith.to_cog(raster(pixels), photometric="RGB", alpha="YES"))
    assert seen.colorinterp == (*rgb, ColorInterp.alpha)
    seen = look(cogsmith.to_cog(raster(pixels), photometric="MINISBLACK", alpha="no"))
    assert ColorInterp.alpha not in seen.colorinterp
    for options in ({"photometric": "itulab"}, {"photometric": "palette"}):
        with pytest.raises(ValueError, match="not supported"):
            cogsmith.to_cog(raster(pixels[:3]), **options)
    with pytest.raises(ValueError, match="at least two bands"):
        written(alpha="yes")


def test_nbits():
    array = raster((image((60, 70)) % 4096).astype("uint16"))
    seen = look(cogsmith.to_cog(array, nbits=12, predictor=1))
    np.testing.assert_array_equal(seen.levels[0][0], array.values)
    data = cogsmith.to_cog(array, NBITS=12, predictor=1)
    with rasterio.MemoryFile(data) as memory, memory.open() as file:
        assert file.tags(1, ns="IMAGE_STRUCTURE")["NBITS"] == "12"


# All options of the drivers GTiff and COG, and of rasterio.
KNOWN = """
ALPHA BIGTIFF BLOCKXSIZE BLOCKYSIZE COLOR_TABLE_MULTIPLIER COMPRESS COPY_SRC_OVERVIEWS DISCARD_LSB ENDIANNESS
GEOTIFF_KEYS_FLAVOR GEOTIFF_VERSION INTERLEAVE JPEGTABLESMODE JPEG_QUALITY JXL_ALPHA_DISTANCE JXL_DISTANCE JXL_EFFORT
JXL_LOSSLESS LZMA_PRESET MAX_Z_ERROR MAX_Z_ERROR_OVERVIEW NBITS NUM_THREADS PHOTOMETRIC PIXELTYPE PREDICTOR PROFILE RPB
RPCTXT SOURCE_ICC_PROFILE SOURCE_PRIMARIES_BLUE SOURCE_PRIMARIES_GREEN SOURCE_PRIMARIES_RED SOURCE_WHITEPOINT SPARSE_OK
STREAMABLE_OUTPUT TFW TIFFTAG_TRANSFERFUNCTION_BLUE TIFFTAG_TRANSFERFUNCTION_GREEN TIFFTAG_TRANSFERFUNCTION_RED
TIFFTAG_TRANSFERRANGE_BLACK TIFFTAG_TRANSFERRANGE_WHITE TILED WEBP_LEVEL WEBP_LOSSLESS ZLEVEL ZSTD_LEVEL ADD_ALPHA
ALIGNED_LEVELS BLOCKSIZE EXTENT LEVEL OVERVIEWS OVERVIEW_COMPRESS OVERVIEW_COUNT OVERVIEW_PREDICTOR OVERVIEW_QUALITY
OVERVIEW_RESAMPLING QUALITY RES RESAMPLING STATISTICS TARGET_SRS TILING_SCHEME WARP_RESAMPLING ZOOM_LEVEL
ZOOM_LEVEL_STRATEGY sharing driver width height count crs transform dtype nodata gcps rpcs
""".split()


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("case", [str.lower, str.upper])
def test_no_option_of_gdal_is_unknown(name, case):
    try:
        cogsmith.to_cog(ARRAY, **{case(name): "17"})
    except (ValueError, TypeError) as error:
        assert f"option '{case(name)}' is unknown" not in str(error)


@pytest.mark.parametrize(
    "options",
    [
        {"compress": "lzma"}, {"add_alpha": True},
        {"ADD_ALPHA": "YES"}, {"webp_level": 75}, {"tiling_scheme": "GoogleMapsCompatible"},
        {"profile": "BASELINE"}, {"copy_src_overviews": True}, {"photometric": "ITULAB"},
        {"overview_compress": "lzma"}, {"endianness": "BIG"}, {"tfw": "yes"}, {"discard_lsb": 2}, {"rpcs": "x"},
    ],
)  # fmt: skip
def test_what_gdal_has_and_we_lack_is_not_supported(options):
    with pytest.raises(ValueError, match="is not supported"):
        written(**options)


@pytest.mark.parametrize(
    "options",
    [
        {"sparse_ok": False}, {"SPARSE_OK": "NO"}, {"tfw": "no"}, {"profile": "GDALGeoTIFF"}, {"endianness": "LITTLE"},
        {"geotiff_version": "AUTO"}, {"tiling_scheme": "CUSTOM"}, {"overviews": "AUTO", "blockxsize": 512}, {"sharing": False},
    ],
)  # fmt: skip
def test_what_asks_for_what_is_done_anyway_is_taken(options):
    written(**options)


@pytest.mark.parametrize(
    ("name", "hint"), [("compres", "compress"), ("blocksiz", "blocksize"), ("zlevl", "zlevel"), ("frobnicate", None)]
)
def test_unknown_options(name, hint):
    with pytest.raises(TypeError, match=f"option '{name}' is unknown") as error:
        cogsmith.to_cog(ARRAY, **{name: 1})
    assert ("did you mean" in str(error.value)) == (hint is not None)
    if hint:
        assert f"'{hint}'" in str(error.value)
    with pytest.raises(TypeError, match="is unknown"):
        cogsmith.write(ARRAY, ":mem:", **{name: 1})


#: Names in other packages, and the advice in the error.
FOREIGN = {
    "nodata_value": "did you mean 'nodata'", "_FillValue": "did you mean 'nodata'",
    "compression_level": "did you mean 'level'", "complevel": "did you mean 'level'", "block_size": "did you mean 'blocksize'", "chunksize": "did you mean 'blocksize'",
    "chunksizes": "did you mean 'blocksize'", "tile_size": "did you mean 'blocksize'", "codec": "did you mean 'compress'",
    "resampling_method": "did you mean 'overview_resampling'", "resample": "did you mean 'overview_resampling'",
    "decimations": "did you mean 'overviews'", "num_overviews": "did you mean 'overview_count'",
    "force": "did you mean 'overwrite'", "nthreads": "did you mean 'threads'", "big_tiff": "did you mean 'bigtiff'",
    "compute_stats": "did you mean 'statistics'", "epsg": "did you mean 'crs'", "dst_crs": "did you mean 'crs'",
    "affine": "did you mean 'transform'", "metadata": "did you mean 'tags'",
    "color_interpretation": "did you mean 'colorinterp'", "long_name": "did you mean 'band_names'",
    "scale_factor": "did you mean 'band_scale'", "add_offset": "did you mean 'band_offset'",
    "unittype": "did you mean 'band_unit'", "tmpdir": "did you mean 'temp_dir'",
    "co": "as its own keyword", "creation_options": "as its own keyword", "driver_kwargs": "as its own keyword",
    "encoding": "as its own keyword", "bidx": "pass bands=", "indexes": "pass bands=",
    "windowed": "omit it", "lock": "call its compute()", "use_cog_driver": "omit it",
    "web_optimized": "does not reproject", "ot": ".astype(...)",
}  # fmt: skip


@pytest.mark.parametrize("name", FOREIGN)
def test_names_of_other_packages(name):
    for function in (cogsmith.write, cogsmith.write_cog):
        for spelled in (name, name.upper()):
            with pytest.raises(TypeError) as error:
                function(ARRAY, ":mem:", **{spelled: 1})
            assert f"option '{spelled}' is unknown; " in str(error.value) and FOREIGN[name] in str(error.value)


def test_a_profile_is_unpacked():
    with pytest.raises(TypeError, match="option 'profile' is unknown; pass each option as its own keyword"):
        cogsmith.to_cog(ARRAY, profile={"compress": "lzw"})
    assert written(**{"compress": "lzw", "tiled": True, "driver": "GTiff"}).profile["compress"] == "lzw"


def test_options_of_gdal_that_are_lacked_say_why():
    reasons = {
        "profile": "no such feature", "tiling_scheme": "does not reproject", "add_alpha": "no such"
    }  # fmt: skip
    for name, reason in reasons.items():
        with pytest.raises(ValueError, match=f"'{name}'=.* is not supported: .*{reason}"):
            cogsmith.to_cog(ARRAY, **{name: "17"})


@pytest.mark.parametrize("name", ["scale", "offset", "unit"])
def test_names_that_could_mean_a_change_of_pixels(name, tmp_path):
    source = tmp_path / "source.tif"
    cogsmith.write(ARRAY, source)
    calls = [
        lambda **options: cogsmith.write(ARRAY, ":mem:", **options),
        lambda **options: cogsmith.to_cog(ARRAY, **options),
        lambda **options: cogsmith.CogWriter(":mem:", shape=(4, 4), dtype="u1", **options),
        lambda **options: cogsmith.create(source, tmp_path / "out.tif", **options),
    ]
    for call in calls:
        for spelled in (name, f"{name}s", name.upper()):
            with pytest.raises(TypeError) as error:
                call(**{spelled: 1})
            expected = f"option '{spelled}' is unknown; did you mean 'band_{name}'? It records a"
            assert str(error.value).startswith(expected) and "gdal_translate -scale" in str(error.value)
    assert not (tmp_path / "out.tif").exists()


def test_arguments_in_other_cases_and_places():
    assert cogsmith.write(ARRAY, ":mem:", CRS=32632) == cogsmith.write(ARRAY, ":mem:", crs=32632)
    with pytest.raises(ValueError, match="options 'crs' and 'CRS' mean the same"):
        cogsmith.write(ARRAY, ":mem:", crs=32632, CRS=32633)
    for function in (cogsmith.write_cog, cogsmith.CogWriter):
        name, first, more = ("mask", (ARRAY,), {}) if function is cogsmith.write_cog else ("bands", (), {"shape": (4, 4), "dtype": "u1"})
        with pytest.raises(TypeError, match=f"option '{name}' is not available in this function; use cogsmith.write"):
            function(*first, ":mem:", **more, **{name: "first"})
    with pytest.raises(ValueError, match="cogsmith.write also takes 'first' or 'last'"):
        cogsmith.write_cog(ARRAY, ":mem:", crs=32632, transform=(1, 0, 0, 0, -1, 0), bands="first")
    with pytest.raises(TypeError, match="option 'attrs' is unknown"):
        cogsmith.CogWriter(":mem:", shape=(4, 4), dtype="u1", attrs=True)


def test_errors_of_the_library_have_the_names_of_python():
    complex_samples = image((60, 70), "complex64")
    calls = [
        lambda **options: cogsmith.write(complex_samples, ":mem:", **options),
        lambda **options: cogsmith.write_cog(raster(complex_samples), ":mem:", **options),
        lambda **options: cogsmith.CogWriter(":mem:", shape=(60, 70), dtype="complex64", **options),
    ]
    for call in calls:
        for options, name in (
            ({"overview_resampling": "mode", "overviews": [2]}, "overview_resampling"),
            ({"statistics": True}, "statistics"),
            ({"overview_blocksize": (100, 100)}, "overview_blocksize"),
            ({"tags": {"IMAGE_STRUCTURE": "x", "TIFFTAG_SOFTWARE": "\0"}}, "tags"),
            ({"band_scale": 0}, "band_scale"),
        ):
            with pytest.raises(ValueError) as error:
                call(**options)
            assert str(error.value).startswith(f"option '{name}': "), str(error.value)


def test_choices_are_listed_once():
    for options, expected in (
        ({"bigtiff": "maybe"}, "auto, yes, no, if_safer"),
        ({"compress": "brotli"}, "none, lzw, packbits, deflate, zstd, jpeg, webp, lerc, lerc_deflate, lerc_zstd"),
        ({"photometric": "blue"}, "minisblack, miniswhite, rgb, cmyk, cielab, icclab, ycbcr, auto"),
        ({"alpha": "some"}, "yes, premultiplied, no"),
    ):
        with pytest.raises(ValueError, match=f"expected one of {expected}$"):
            written(**options)


@pytest.mark.parametrize(
    "options",
    [
        {"compress": "ZSTD"}, {"predictor": "Horizontal"}, {"interleave": "Band"}, {"overviews": "NONE"},
        {"overview_resampling": "Average"}, {"threads": "All"}, {"statistics": "Yes"}, {"blocksize": "256X128"},
        {"tile_memory": "64m"},
    ],
)  # fmt: skip
def test_values_in_either_case(options):
    name, value = next(iter(options.items()))
    pixels = image((600, 700))
    one = cogsmith.write(pixels, ":mem:", **{name: value.lower()})
    assert cogsmith.write(pixels, ":mem:", **{name: value.upper()}) == one == cogsmith.write(pixels, ":mem:", **options)


def test_one_option_twice():
    # Also if one of the values is the default.
    for compress in ("lzw", "deflate"):
        with pytest.raises(ValueError, match="mean the same"):
            cogsmith.to_cog(ARRAY, compress=compress, COMPRESS="zstd")


def test_options_of_the_library():
    pixels = image((600, 700))

    def seen(**options):
        return look(cogsmith.write(pixels, ":mem:", **options))

    assert seen(overviews="none").overviews == []
    assert seen(overviews=[2, 4, 8]).overviews == [2, 4, 8]
    assert seen(overview_count=3).overviews == [2, 4, 8]
    assert seen(blocksize=128, overview_blocksize=(64, 32)).block_shapes[:2] == [(128, 128), (32, 64)]
    assert cogsmith.write(pixels, ":mem:", level=9) == cogsmith.write(pixels, ":mem:", zlevel=9)
    with pytest.raises(ValueError, match="option 'level': has no effect with codec lzw"):
        seen(compress="lzw", level=3)
    with pytest.raises(ValueError, match="multiple of 16"):
        seen(blocksize=100)
    with pytest.raises(ValueError, match="option 'overview_count' contradicts 'overviews'"):
        seen(overviews=[2], overview_count=3)
    two = image((2, 600, 700))
    assert cogsmith.write(two, ":mem:", overview_resampling=["cubic", "mode"]) == cogsmith.write(
        two, ":mem:", overview_resampling="cubic,mode"
    )
    with pytest.raises(ValueError, match="3 for 2 bands"):
        cogsmith.write(two, ":mem:", overview_resampling=["cubic", "mode", Resampling.nearest])


def test_statistics():
    pixels = image((600, 700))
    data = cogsmith.to_cog(raster(pixels), statistics="YES", nodata=7)
    with rasterio.MemoryFile(data) as memory, memory.open() as file:
        tags = file.tags(1)
    valid = pixels[pixels != 7].astype("f8")
    assert float(tags["STATISTICS_MINIMUM"]) == valid.min() and float(tags["STATISTICS_MAXIMUM"]) == valid.max()
    assert float(tags["STATISTICS_MEAN"]) == pytest.approx(valid.mean())
    assert float(tags["STATISTICS_STDDEV"]) == pytest.approx(valid.std())
    assert cogsmith.to_cog(ARRAY, STATISTICS="AUTO") == cogsmith.to_cog(ARRAY, statistics=False) == cogsmith.to_cog(ARRAY)


def test_colour_interpretation():
    pixels = image((4, 60, 70))
    given = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha]
    for colors in (given, [color.name for color in given]):
        for data in (
            cogsmith.write(pixels, ":mem:", colorinterp=colors),
            cogsmith.to_cog(raster(pixels), colorinterp=colors),
        ):
            assert list(look(data).colorinterp) == given
    with pytest.raises(ValueError, match="colorinterp"):
        cogsmith.write(pixels, ":mem:", colorinterp="mauve")
    data = cogsmith.write(pixels[0], ":mem:", tags={"TIFFTAG_SOFTWARE": "mine"})
    assert look(data).tags["TIFFTAG_SOFTWARE"] == "mine"


def test_errors_of_the_library_name_keywords():
    parameters = inspect.signature(cogsmith.create).parameters, inspect.signature(cogsmith.write).parameters
    assert {name for name, keywords in _native.KEYWORDS.items() if keywords == (None, None)} == {
        "rpc", "icc_profile", "shards", "pixels", "creation_option",
        # Warps.
        "tiling_scheme", "zoom_level", "zoom_strategy", "aligned_levels", "target_crs", "resolution", "extent", "warp_resampling",
    }  # fmt: skip
    for name, (create, array) in _native.KEYWORDS.items():
        # A keyword of mosaic alone.
        assert create in (None, "method") or create in parameters[0], name
        assert array is None or array in parameters[1], name
    # A keyword of functions for arrays, unless the option belongs to files.
    files = {name for name, (create, array) in _native.KEYWORDS.items() if create is not None and array is None}
    assert files == {
        "image", "ignore_aux", "bounds", "wkt_citation", "expand_palette", "unscale", "rescale", "data_type",
        "size", "size_resampling", "bits_per_sample", "strip_metadata", "overlap", "header_room",
    }  # fmt: skip
    arrays = {*_options.OPTIONS, *_overrides.OVERRIDES, *_choice.CHOICES, "mask"}
    assert all(array in arrays for _, array in _native.KEYWORDS.values() if array is not None)
    with pytest.raises(ValueError, match="option 'blocksize': a tile of 65520x65520 pixels"):
        cogsmith.write(image((60, 70), "u8"), ":mem:", blocksize=65520)


@pytest.mark.parametrize(
    ("options", "option", "other"),
    [
        ({"overviews": "none", "overview_resampling": "mode"}, "overview_resampling", "overviews"),
        ({"overviews": "none", "overview_resampling": ["mode", "max"]}, "overview_resampling", "overviews"),
        ({"overviews": False, "overview_blocksize": 256}, "overview_blocksize", "overviews"),
        ({"overviews": "none", "overview_count": 2}, "overview_count", "overviews"),
        ({"overview_count": 0, "overview_resampling": "mode"}, "overview_resampling", "overviews"),
    ],
)
def test_options_that_contradict_each_other(options, option, other, tmp_path):
    pixels, expected = image((2, 60, 70)), f"option '{option}' contradicts '{other}': "
    with pytest.raises(ValueError, match=expected):
        cogsmith.write(pixels, ":mem:", **options)
    with pytest.raises(ValueError, match=expected):
        cogsmith.to_cog(raster(pixels), **options)
    with pytest.raises(ValueError, match=expected):
        cogsmith.CogWriter(tmp_path / "out.tif", shape=pixels.shape, dtype=pixels.dtype, **options)
    source = tmp_path / "in.tif"
    cogsmith.write(pixels, source)
    with pytest.raises(ValueError, match=expected):
        cogsmith.create(source, tmp_path / "out.tif", **options)


def test_options_without_any_effect(tmp_path):
    pixels = image((60, 70))
    for options in ({"predictor": "horizontal"}, {"predictor": "float"}):
        with pytest.raises(ValueError, match="option 'predictor': .* has no effect with codec none"):
            cogsmith.write(pixels, ":mem:", compress="none", **options)
    for option in ("overwrite", "sync"):
        with pytest.raises(ValueError, match=f"option '{option}': has no effect if the output is not a file"):
            cogsmith.write(pixels, ":mem:", **{option: True})
        with pytest.raises(ValueError, match=f"option '{option}': has no effect if the output is not a file"):
            cogsmith.CogWriter(":mem:", shape=pixels.shape, dtype=pixels.dtype, **{option: True})
    with pytest.raises(ValueError, match="option 'crs_wkt': has no effect without a coordinate reference system"):
        cogsmith.create(tmp_path / "in.tif", tmp_path / "out.tif", crs_wkt=True)
    # Options that only this image makes idle are accepted, and so are those that datacube ignores.
    small = raster(pixels)
    cogsmith.write(pixels, ":mem:", overview_resampling="mode", overview_blocksize=64)
    assert cogsmith.to_cog(small, overview_resampling="mode", ovr_blocksize=64) == cogsmith.to_cog(small)
    assert cogsmith.to_cog(small, overview_levels=[]) == cogsmith.to_cog(small)
    assert cogsmith.write_cog(small, ":mem:", overwrite=True) == cogsmith.to_cog(small)
    assert cogsmith.write(pixels, ":mem:", level=9) == cogsmith.write(pixels, ":mem:", zlevel=12)
    with pytest.raises(ValueError, match=r"option 'level': 10 is out of range for deflate \(1 to 9\)"):
        cogsmith.write(pixels, ":mem:", level=10)
    with pytest.raises(ValueError, match="options 'level' and 'zlevel' mean the same"):
        cogsmith.write(pixels, ":mem:", level=9, zlevel=9)
