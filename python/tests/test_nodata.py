"""Nodata of arrays, in every place where a library keeps it."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pytest
import rioxarray
from conftest import image, look, raster
import xarray as xr

import cogsmith

SHAPE = (60, 70)
WHERE = {"crs": 32633, "transform": (10, 0, 399960, 0, -10, 5000040)}


def integers(**attributes):
    return raster(image(SHAPE, "int16")).assign_attrs(attributes)


def ways(array):
    """Writes the same array in every way."""
    yield cogsmith.write(array, ":mem:")
    yield cogsmith.to_cog(array)
    yield cogsmith.write([array], ":mem:")
    yield cogsmith.write(array.to_dataset(name="one"), ":mem:")
    yield array.cogsmith.write(":mem:")
    yield cogsmith.write(array.chunk(), ":mem:").compute(scheduler="synchronous")


def nodata(data):
    return look(data).profile["nodata"]


@pytest.mark.parametrize("name", ["nodata", "_FillValue", "missing_value", "fill_value"])
@pytest.mark.parametrize("value", [-999, -999.0, np.int16(-999), np.array([-999]), [-999], "-999"])
def test_attributes(name, value):
    for data in ways(integers(**{name: value})):
        assert nodata(data) == -999


def test_one_value_for_each_band():
    pixels = raster(image((3, *SHAPE), "int16"))
    assert nodata(cogsmith.to_cog(pixels.assign_attrs(nodatavals=(-1, -1, -1)))) == -1
    assert nodata(cogsmith.to_cog(pixels.assign_attrs(nodatavals=(np.nan,) * 3))) is None, "rasterio's nodatavals for none"
    with pytest.raises(ValueError, match=r"'nodatavals' is \[-1, -2, -1\]"):
        cogsmith.to_cog(pixels.assign_attrs(nodatavals=(-1, -2, -1)))
    assert nodata(cogsmith.to_cog(pixels.assign_attrs(nodatavals=(-1, -2, -1)), nodata=-2)) == -2


@pytest.mark.parametrize("name", ["nodata", "_FillValue", "missing_value"])
def test_encoding(name):
    array = integers()
    array.encoding[name] = -998
    for data in ways(array):
        assert nodata(data) == -998


def test_zarrs_fill_value_is_not_nodata():
    array = integers()
    array.encoding["fill_value"] = 0
    assert nodata(cogsmith.to_cog(array)) is None


def test_rioxarray_keeps_it_on_the_accessor():
    array = integers()
    array.rio.set_nodata(-999, inplace=True)
    assert "nodata" not in array.attrs and array.rio.nodata == -999
    for data in (cogsmith.write(array, ":mem:"), cogsmith.to_cog(array), array.cogsmith.to_cog()):
        assert nodata(data) == -999
    for written in (array.rio.write_nodata(-5), array.rio.write_nodata(-5, encoded=True)):
        assert nodata(cogsmith.to_cog(written)) == -5
    with pytest.warns(UserWarning, match=r"nodata values: -7 in rio.nodata, -5 in the attribute '_FillValue'"):
        written = integers(_FillValue=-5)
        written.rio.set_nodata(-7, inplace=True)
        assert nodata(cogsmith.to_cog(written)) == -7


def test_looking_at_an_array_does_not_change_it():
    array = integers()
    cogsmith.to_cog(array)
    array.attrs["nodata"] = -3
    assert array.rio.nodata == -3 and nodata(cogsmith.to_cog(array)) == -3


def test_odc_geo():
    array = integers()
    array.odc.nodata = -999
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert nodata(cogsmith.to_cog(array)) == -999


@pytest.mark.parametrize(
    ("attributes", "encoding", "first", "second"),
    [
        ({"nodata": -1, "_FillValue": -2}, {}, "-1 in the attribute 'nodata'", "-2 in the attribute '_FillValue'"),
        ({"_FillValue": -1, "missing_value": -2}, {}, "-1 in the attribute '_FillValue'", "-2 in the attribute 'missing"),
        ({"nodata": -1}, {"_FillValue": -2}, "-1 in the attribute 'nodata'", "-2 in the encoding '_FillValue'"),
        ({"fill_value": -1, "nodatavals": (-2,)}, {}, "-1 in the attribute 'fill_value'", "-2 in the attribute 'nodatavals'"),
        ({"nodata": -1, "nodatavals": (-1, -2)}, {}, "-1 in the attribute 'nodata'", r"\[-1, -2\] in the attribute 'nodat"),
    ],
)  # fmt: skip
def test_places_that_disagree(attributes, encoding, first, second):
    array = integers(**attributes)
    array.encoding.update(encoding)
    with pytest.warns(UserWarning, match=f"{first}, {second}"):
        assert nodata(cogsmith.to_cog(array)) == -1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same = integers(nodata=-1, _FillValue=-1.0, missing_value="-1", nodatavals=[-1])
        same.encoding["_FillValue"] = np.int16(-1)
        assert nodata(cogsmith.to_cog(same)) == -1


def test_values_are_compared_as_samples():
    array = raster(image(SHAPE, "float32")).assign_attrs(nodata=-3.4e38, _FillValue=np.float32(-3.4e38))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert nodata(cogsmith.to_cog(array)) == np.float32(-3.4e38)


@pytest.mark.parametrize("value", [True, False, np.True_, np.False_])
def test_truth_values_are_not_nodata(value):
    pixels = image(SHAPE, "uint8")
    array = raster(pixels)
    for attempt in (
        lambda: cogsmith.write(pixels, ":mem:", nodata=value),
        lambda: cogsmith.write(pixels > 3, ":mem:", nodata=value),
        lambda: cogsmith.write(array, ":mem:", nodata=value),
        lambda: cogsmith.to_cog(array, nodata=value),
        lambda: cogsmith.to_cog(array, NODATA=value),
        lambda: cogsmith._write_cog(pixels, array.odc.geobox, ":mem:", nodata=value),
        lambda: cogsmith.CogWriter(":mem:", shape=SHAPE, dtype="uint8", nodata=value),
        lambda: cogsmith.to_cog(array.assign_attrs(nodata=value)),
        lambda: cogsmith.to_cog(array.chunk(), nodata=value),
    ):
        with pytest.raises(TypeError, match="nodata.*is not a number"):
            attempt()


# Decoded arrays -------------------------------------------------------------------------------------------------------


def decoded(**encoding):
    pixels = image(SHAPE, "float32")
    pixels[3:9, 4:20] = np.nan
    array = raster(pixels)
    array.encoding.update(encoding)
    return array


def assert_filled(data, array, value):
    seen = look(data)
    assert seen.profile["nodata"] == value
    np.testing.assert_array_equal(seen.levels[0][0], np.nan_to_num(array.values, nan=value))


def test_the_fill_value_of_a_decoded_array_goes_back():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for array in (
            decoded(_FillValue=-999.0),
            decoded(_FillValue=-999, missing_value=-999.0),
            # odc-geo's setter, and xarray's state after decoding, next to NaN in memory.
            decoded(_FillValue=-999.0).assign_attrs(nodata=-999.0),
            decoded(_FillValue=-999.0).assign_attrs(nodata=np.nan),
        ):
            for data in ways(array):
                assert_filled(data, array, -999)
            assert np.isnan(array.rio.nodata) or array.rio.nodata == -999
            # Asking rioxarray leaves a value on its accessor.
            assert_filled(cogsmith.to_cog(array), array, -999)


def test_an_attribute_alone_says_what_is_in_memory():
    array = decoded().assign_attrs(nodata=-999.0)
    seen = look(cogsmith.to_cog(array))
    assert seen.profile["nodata"] == -999
    np.testing.assert_array_equal(seen.levels[0][0], array.values)


def test_nan_of_the_encoding():
    array = decoded(_FillValue=np.nan)
    assert np.isnan(nodata(cogsmith.write(array, ":mem:")))
    with pytest.warns(UserWarning, match="nodata values: -999.0 in the attribute 'nodata', nan in the encoding"):
        assert nodata(cogsmith.write(array.assign_attrs(nodata=-999.0), ":mem:")) == -999
    counts = integers()
    counts.encoding["_FillValue"] = np.nan
    assert nodata(cogsmith.write(counts, ":mem:")) is None


def test_the_packed_value_means_nothing_among_unpacked_samples():
    """0 is nodata among the packed samples, and 0.0 is a reflectance."""
    array = decoded(_FillValue=0, scale_factor=0.0001, add_offset=-0.1, dtype="uint16")
    array[20, 20] = 0.0
    seen = look(cogsmith.write(array, ":mem:"))
    assert np.isnan(seen.profile["nodata"]) and seen.scales == (1.0,)
    np.testing.assert_array_equal(seen.levels[0][0], array.values)
    assert look(cogsmith.write(decoded(_FillValue=0, scale_factor=1.0, add_offset=0.0), ":mem:")).profile["nodata"] == 0


def test_as_rioxarray_writes_it(tmp_path):
    """The file of rio.to_raster has the same nodata and the same pixels."""
    cases = [
        integers(_FillValue=-999), integers(nodata=-999), integers(missing_value=-999), integers(fill_value=-999),
        integers(nodatavals=(-999,)), integers(), decoded(_FillValue=-999.0), decoded().assign_attrs(_FillValue=-999.0),
    ]  # fmt: skip
    cases[5].rio.set_nodata(-4, inplace=True)
    for array in cases:
        array.rio.to_raster(tmp_path / "theirs.tif", driver="COG")
        theirs, ours = look(tmp_path / "theirs.tif"), look(cogsmith.write(array, ":mem:"))
        assert ours.profile["nodata"] == theirs.profile["nodata"]
        np.testing.assert_array_equal(ours.levels[0], theirs.levels[0])


def test_opened_by_rioxarray(tmp_path):
    pixels = image(SHAPE, "int16")
    pixels[:9] = -999
    cogsmith.write(pixels, tmp_path / "a.tif", nodata=-999, **WHERE)
    for options in ({}, {"masked": True}, {"mask_and_scale": True}, {"cache": False}, {"chunks": True, "masked": True}):
        with rioxarray.open_rasterio(tmp_path / "a.tif", **options) as array:
            data = cogsmith.write(array, ":mem:")
            seen = look(data if isinstance(data, bytes) else data.compute(scheduler="synchronous"))
            assert seen.profile["nodata"] == -999
            np.testing.assert_array_equal(seen.levels[0][0], pixels)


# Lists and Datasets ---------------------------------------------------------------------------------------------------


def test_a_dataset_has_one_value():
    one, other = integers(nodata=-1), integers(_FillValue=-1.0)
    assert nodata(cogsmith.write([one, other], ":mem:")) == -1
    with pytest.raises(ValueError, match="band 2 has nodata -2, but the first band has -1"):
        cogsmith.write(xr.Dataset({"a": one, "b": integers(nodata=-2)}), ":mem:")
    assert nodata(cogsmith.write(xr.Dataset({"a": integers()}, attrs={"_FillValue": -9}), ":mem:")) == -9


IMPORTED = """
import hashlib, warnings
import numpy as np, xarray as xr
import cogsmith
warnings.simplefilter("ignore")
digest = hashlib.sha256()
for dtype in ("int16", "float32"):
    for attributes in ({"nodata": -1, "_FillValue": -2}, {"_FillValue": -1}, {"nodatavals": (-1,)}, {}):
        for encoding in ({"_FillValue": -3}, {"_FillValue": -3, "scale_factor": 2.0}, {}):
            pixels = np.arange(4200).reshape(60, 70).astype(dtype)
            coords = {"y": 5e6 - np.arange(60) * 10.0, "x": 4e5 + np.arange(70) * 10.0}
            array = xr.DataArray(pixels, dims=("y", "x"), coords=coords, attrs=attributes)
            array.encoding.update(encoding)
            for again in range(2):
                digest.update(cogsmith.write(array, ":mem:", crs=32633))
                if "rioxarray" in globals():
                    try:
                        array.rio.nodata
                    except (OverflowError, ValueError):
                        pass
print(digest.hexdigest())
"""


def test_imports_change_nothing():
    imports = ("", "import rioxarray", "import odc.geo.xr", "import rioxarray, odc.geo.xr")
    runs = [
        subprocess.run([sys.executable, "-c", f"{one}\n{IMPORTED}"], capture_output=True, text=True, check=True)
        for one in imports
    ]
    assert len({run.stdout for run in runs}) == 1


# Empty arrays ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(0, 70), (60, 0), (0, 60, 70), (2, 0, 70)])
def test_empty_arrays(shape):
    pixels = np.zeros(shape, "uint8")
    dims = ("band", "y", "x")[-len(shape) :]
    array = xr.DataArray(pixels, dims=dims)
    for attempt in (
        lambda: cogsmith.write(pixels, ":mem:"),
        lambda: cogsmith.write(array, ":mem:"),
        lambda: cogsmith.write([array], ":mem:"),
        lambda: cogsmith.write(xr.Dataset({"a": array}), ":mem:"),
        lambda: cogsmith.to_cog(array),
        lambda: cogsmith.to_cog(pixels),
        lambda: cogsmith.write(array.chunk(), ":mem:"),
        lambda: cogsmith._write_cog(pixels, raster(image(SHAPE)).odc.geobox, ":mem:"),
        lambda: cogsmith.CogWriter(":mem:", shape=shape, dtype="uint8"),
    ):
        with pytest.raises(ValueError, match="empty"):
            attempt()
