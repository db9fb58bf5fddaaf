"""Colors of bands: names decide, and alpha is never guessed."""

from __future__ import annotations

import datetime
import struct

import numpy as np
import pandas as pd
import pytest
import rasterio
from conftest import image, look, raster
from rasterio.enums import ColorInterp
import xarray as xr

import cogsmith

SHAPE = (64, 80)
WHERE = {"crs": 32633, "transform": (10, 0, 399960, 0, -10, 5000040)}
ONE_OVERVIEW = {"overview_levels": [2], "overview_resampling": "average"}


def variables(names, dtype="uint8", shape=SHAPE):
    return xr.Dataset({name: raster(image(shape, dtype, seed)) for seed, name in enumerate(names)})


def labeled(labels, dtype="uint8", dim="band"):
    return raster(image((len(labels), *SHAPE), dtype), dims=(dim, "y", "x")).assign_coords({dim: labels})


def colors(data):
    return [color.name for color in look(data).colorinterp]


def photometric(data):
    """Tag 262: 1 is gray, 2 is RGB."""
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    entries = (struct.unpack_from("<HHII", data, start + 2 + 12 * index) for index in range(count))
    return next(value for tag, _, _, value in entries if tag == 262)


def named_ways(names, dtype="uint8"):
    """Bands with these names through every way in."""
    data = variables(names, dtype)
    pixels = np.stack([data[name].values for name in names])
    array = data.to_array("band")
    yield cogsmith.write(data, ":mem:")
    yield cogsmith.write_cog(data, ":mem:")
    yield cogsmith.write([data[name] for name in names], ":mem:")
    yield cogsmith.write(array, ":mem:")
    yield cogsmith.to_cog(array)
    yield array.cogsmith.to_cog()
    yield cogsmith.to_cog(array.chunk()).compute(scheduler="synchronous")
    yield cogsmith.write(pixels, ":mem:", band_names=names, **WHERE)
    yield cogsmith.to_cog(pixels, band_names=names, **WHERE)
    yield cogsmith.write(array.assign_coords(band=range(len(names))).assign_attrs(long_name=tuple(names)), ":mem:")
    with cogsmith.CogWriter(":mem:", shape=pixels.shape, dtype=dtype, band_names=names, **WHERE) as cog:
        cog.push(pixels)
    yield cog.result


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["blue", "green", "red", "nir"], ["blue", "green", "red", "nir"]),
        (["blue", "green", "red"], ["blue", "green", "red"]),
        (["red", "green", "blue"], ["red", "green", "blue"]),
        (["Red", "GREEN", "blue", "alpha"], ["red", "green", "blue", "alpha"]),
        (["red", "green", "blue", "ndvi"], ["red", "green", "blue", "undefined"]),
        (["B04", "B03", "B02"], ["gray", "undefined", "undefined"]),
        (["B04", "B03", "B02", "B08"], ["gray", "undefined", "undefined", "undefined"]),
        (["gray", "alpha"], ["gray", "alpha"]),
        (["coastal", "rededge", "swir16", "TIR"], ["coastal", "rededge", "swir", "tir"]),
    ],
)
def test_names_that_are_colors(names, expected):
    for data in named_ways(names):
        seen = look(data)
        assert [color.name for color in seen.colorinterp] == expected
        assert seen.descriptions == tuple(names)


def test_where_gdal_keeps_them():
    """RGB is a tag; other orders are GDAL metadata items, which older versions read as well."""
    assert photometric(cogsmith.to_cog(variables(["red", "green", "blue"]))) == 2
    data = cogsmith.to_cog(variables(["blue", "green", "red"]))
    assert photometric(data) == 1 and b'role="colorinterp">Blue<' in data
    assert colors(cogsmith.to_cog(variables(["red", "green", "blue"], "float32"))) == ["red", "green", "blue"]


def test_one_band():
    assert colors(cogsmith.to_cog(raster(image(SHAPE)).rename("nir"))) == ["nir"]
    reflectance = raster(image(SHAPE)).rename("red").assign_attrs(long_name="surface reflectance")
    assert colors(cogsmith.to_cog(reflectance)) == ["red"], "its description is the long name"
    assert colors(cogsmith.to_cog(raster(image(SHAPE)).rename("alpha"))) == ["gray"]
    assert colors(cogsmith.to_cog(raster(image(SHAPE)).rename("palette"))) == ["gray"]
    assert colors(cogsmith.to_cog(raster(image(SHAPE)).rename("B08"))) == ["gray"]


@pytest.mark.parametrize("bands", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int8", "bool"])
def test_bands_without_names(bands, dtype):
    """Three bands of bytes are RGB; nothing else has colors, and nothing is alpha."""
    pixels = image((bands, *SHAPE), dtype)
    plain = ["gray"] + ["undefined"] * (bands - 1)
    expected = ["red", "green", "blue"] if bands == 3 and dtype in ("uint8", "bool") else plain
    array = raster(pixels)
    with cogsmith.CogWriter(":mem:", shape=pixels.shape, dtype=dtype) as cog:
        cog.push(pixels)
    for data in (
        cogsmith.write(pixels, ":mem:"),
        cogsmith.write(list(pixels), ":mem:"),
        cogsmith.write(array, ":mem:"),
        array.cogsmith.write(":mem:"),
        cogsmith.write(array.chunk(), ":mem:").compute(scheduler="synchronous"),
        # rioxarray numbers bands from 1.
        cogsmith.write(array.assign_coords(band=range(1, bands + 1)), ":mem:"),
        cogsmith.write(array.rename("photo").assign_attrs(long_name="a photo"), ":mem:"),
        cog.result,
    ):
        assert colors(data) == expected


@pytest.mark.parametrize("count", [3, 4])
def test_dates_and_classes_have_no_colors(count):
    times = pd.date_range("2024-01-30", periods=count)
    for array in (
        labeled(times, dim="time"),
        labeled([datetime.datetime(2024, 1, day) for day in range(1, count + 1)], dim="date"),
        labeled(["water", "urban", "forest", "ice"][:count], dim="class"),
        labeled(list(range(10, 10 + count)), dim="class"),
        labeled(times, dim="time").drop_vars("time"),
    ):
        for data in (cogsmith.write(array, ":mem:"), cogsmith.to_cog(array)):
            assert colors(data) == ["gray"] + ["undefined"] * (count - 1)


def test_labels_of_odc_geo():
    assert colors(cogsmith.to_cog(labeled(["r", "g", "b"]))) == ["red", "green", "blue"]
    assert colors(cogsmith.to_cog(labeled(["r", "g", "b", "a"]))) == ["red", "green", "blue", "alpha"]
    assert colors(cogsmith.to_cog(labeled(["a", "b"]))) == ["gray", "undefined"]
    from odc.geo.xr import colorize

    array = colorize(raster(image(SHAPE, "float32")))
    assert colors(cogsmith.to_cog(array)) == ["red", "green", "blue", "alpha"][: array.shape[2]]


def test_what_a_file_can_have_as_alpha():
    """One band of unsigned integers after the colors: floats of that name are angles and exponents."""
    assert colors(cogsmith.to_cog(variables(["H", "A", "alpha"], "float32"))) == ["gray", "undefined", "undefined"]
    assert colors(cogsmith.to_cog(variables(["alpha", "red"]))) == ["gray", "red"]
    assert colors(cogsmith.to_cog(variables(["red", "alpha", "ALPHA"]))) == ["red", "undefined", "undefined"]
    assert colors(cogsmith.to_cog(variables(["red", "green", "blue", "nir", "alpha"], "uint16")))[3:] == ["nir", "alpha"]
    explicit = {"colorinterp": ["red", "green", "alpha"]}
    assert colors(cogsmith.to_cog(variables(["H", "A", "alpha"], "float32"), **explicit)) == explicit["colorinterp"]


def test_what_the_caller_states_wins():
    data = variables(["blue", "green", "red", "nir"])
    assert colors(cogsmith.write(data, ":mem:", colorinterp=["red", "green", "blue", "alpha"])) == [
        "red", "green", "blue", "alpha",
    ]  # fmt: skip
    assert colors(cogsmith.write(data, ":mem:", photometric="rgb")) == ["red", "green", "blue", "undefined"]
    assert colors(cogsmith.write(data, ":mem:", photometric="minisblack")) == ["gray"] + ["undefined"] * 3
    assert colors(cogsmith.write(data, ":mem:", alpha=True)) == ["blue", "green", "red", "alpha"]
    assert colors(cogsmith.write(data, ":mem:", band_names=["a", "b", "c", "d"])) == ["gray"] + ["undefined"] * 3
    rgba = variables(["red", "green", "blue", "alpha"])
    assert colors(cogsmith.write(rgba, ":mem:", alpha="no")) == ["red", "green", "blue", "undefined"]
    pixels = image((4, *SHAPE), "uint8")
    assert colors(cogsmith.write(pixels, ":mem:", alpha=True)) == ["red", "green", "blue", "alpha"]
    assert colors(cogsmith.write(pixels[:3], ":mem:", alpha=True)) == ["gray", "undefined", "alpha"]
    assert colors(cogsmith.write(pixels, ":mem:", colorinterp=ColorInterp.gray)) == ["gray"] * 4


# Weights --------------------------------------------------------------------------------------------------------------


def weighed():
    """Pairs of columns: 10 where the last band is 0, 200 where it is 120."""
    pixels = np.zeros((4, 64, 64), "uint8")
    pixels[:3] = np.tile([10, 200], 32)
    pixels[3] = np.tile([0, 120], 32)
    return pixels


def overview(data):
    return look(data).levels[1][:, 5, 5].tolist()


def test_what_is_not_alpha_does_not_weigh():
    """Overviews of quantities are their means; alpha would hide the 10."""
    pixels = weighed()
    array = raster(pixels)
    means = [105, 105, 105, 60]
    for data in (
        cogsmith.write(pixels, ":mem:", **ONE_OVERVIEW),
        cogsmith.to_cog(array, **ONE_OVERVIEW),
        cogsmith.to_cog(pixels, **WHERE, **ONE_OVERVIEW),
        cogsmith.to_cog(array.chunk(y=32, x=32), **ONE_OVERVIEW).compute(scheduler="synchronous"),
        cogsmith._write_cog(pixels, array.odc.geobox, ":mem:", **ONE_OVERVIEW),
        cogsmith.write(array.assign_coords(band=["blue", "green", "red", "nir"]), ":mem:", **ONE_OVERVIEW),
        cogsmith.to_cog(array.assign_coords(band=pd.date_range("2024", periods=4)), **ONE_OVERVIEW),
    ):
        assert overview(data) == means
    for data in (
        cogsmith.write(array.assign_coords(band=["red", "green", "blue", "alpha"]), ":mem:", **ONE_OVERVIEW),
        cogsmith.to_cog(array.assign_coords(band=list("rgba")), **ONE_OVERVIEW),
        cogsmith.to_cog(array, alpha=True, **ONE_OVERVIEW),
        cogsmith.to_cog(array, colorinterp=["red", "green", "blue", "alpha"], **ONE_OVERVIEW),
    ):
        assert overview(data) == [200, 200, 200, 120]


def test_datacubes_tags(tmp_path):
    """Without names, the file of write_cog has the tags of datacube's file: RGBA for four bands of bytes."""
    from datacube.utils.cog import write_cog

    for bands, dtype in ((1, "uint8"), (2, "uint8"), (3, "uint8"), (4, "uint8"), (5, "uint8"), (3, "uint16"), (4, "uint16")):
        array = raster(image((bands, *SHAPE), dtype))
        path = write_cog(array, tmp_path / f"{bands}{dtype}.tif")
        theirs, ours = look(path), look(cogsmith.to_cog(array))
        if bands < 5 and dtype == "uint8":
            assert photometric(cogsmith.to_cog(array)) == photometric(path.read_bytes())
        assert ours.colorinterp == theirs.colorinterp
    assert colors(cogsmith.to_cog(raster(image((4, *SHAPE), "uint8"))))[3] == "alpha"
    assert colors(cogsmith.to_cog(variables(["a", "b", "c", "d"])))[3] == "undefined"


def test_statistics_count_what_is_not_alpha():
    pixels = weighed()
    for data in (cogsmith.write(pixels, ":mem:", statistics=True), cogsmith.to_cog(raster(pixels), statistics=True)):
        with rasterio.MemoryFile(data) as memory, memory.open() as file:
            assert float(file.tags(1)["STATISTICS_MINIMUM"]) == 10
    named = raster(pixels).assign_coords(band=["red", "green", "blue", "alpha"])
    with rasterio.MemoryFile(cogsmith.to_cog(named, statistics=True)) as memory, memory.open() as file:
        assert float(file.tags(1)["STATISTICS_MINIMUM"]) == 200


# Names ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["red", "nir"], ("red", "nir")),
        (np.array(["2024-01-01", "2024-06-30"], "M8[ns]"), ("2024-01-01", "2024-06-30")),
        (np.array(["2024-01-01T10:20:30", "2024-06-30"], "M8[ns]"), ("2024-01-01T10:20:30", "2024-06-30T00:00:00")),
        (np.array(["2024-01-01T10:20:30.5", "NaT"], "M8[ns]"), ("2024-01-01T10:20:30.500", None)),
        ([datetime.date(2024, 1, 1), datetime.date(2024, 6, 30)], ("2024-01-01", "2024-06-30")),
        ([450, 560], ("450", "560")),
        ([450.5, 560.0], ("450.5", "560.0")),
        (np.array([0.1, 0.2], "float32"), ("0.1", "0.2")),
        (np.array([6, 12], "m8[h]"), ("PT6H", "PT12H")),
        ([2, 1], ("2", "1")),
        ([1, 2], (None, None)),
    ],
)
def test_labels_become_descriptions(labels, expected):
    for array in (labeled(labels), labeled(labels).chunk()):
        data = cogsmith.to_cog(array)
        data = data if isinstance(data, bytes) else data.compute(scheduler="synchronous")
        assert look(data).descriptions == expected


def test_the_label_of_a_selected_band():
    array = labeled(["red", "nir"])
    for data in (cogsmith.to_cog(array.sel(band="nir")), cogsmith.to_cog(array.sel(band=["nir"]))):
        seen = look(data)
        assert seen.descriptions == ("nir",) and seen.colorinterp == (ColorInterp.nir,)


def test_variables_of_several_bands():
    times = pd.date_range("2024-01-30", periods=2)
    data = xr.Dataset({"red": labeled(times, dim="time"), "nir": labeled(times, dim="time")})
    seen = look(cogsmith.write(data, ":mem:"))
    assert seen.descriptions == ("red 2024-01-30", "red 2024-01-31", "nir 2024-01-30", "nir 2024-01-31")
    assert [color.name for color in seen.colorinterp] == ["gray"] + ["undefined"] * 3


def test_lists_of_names_follow_the_bands(tmp_path):
    """rioxarray keeps the names of all bands when some are selected."""
    import rioxarray

    cogsmith.write(image((3, *SHAPE)), tmp_path / "a.tif", band_names=["blue", "green", "red"], band_scale=[1, 2, 3], **WHERE)
    with pytest.warns(UserWarning, match="Scales differ"):
        array = rioxarray.open_rasterio(tmp_path / "a.tif")
    for some, names in ((array[2], ("red",)), (array[[2]], ("red",)), (array[1:], ("green", "red"))):
        seen = look(cogsmith.write(some, ":mem:"))
        assert seen.descriptions == names
        assert seen.scales == tuple({"blue": 1.0, "green": 2.0, "red": 3.0}[name] for name in names)
    with pytest.warns(UserWarning, match="numbered 3, 2, 1"):
        cogsmith.write(array[::-1], ":mem:")
