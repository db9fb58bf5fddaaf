"""The choice of an array's pixels: bands, window, bounds, wrap_longitude. ``create`` on a file of the whole array is the reference."""

from __future__ import annotations

import dask.array
import numpy as np
import pytest
import xarray
from rasterio.windows import Window

import cogsmith

COLUMNS, ROWS = 90, 70
TRANSFORM = (10.0, 0.0, 500_000.0, 0.0, -10.0, 5_000_000.0)
PIXELS = np.random.default_rng(5).integers(1, 60_000, (4, ROWS, COLUMNS), "uint16")
NAMES = ["blue", "green", "red", "nir"]


def data_array(pixels=PIXELS, **attributes):
    x = 500_005.0 + 10 * np.arange(pixels.shape[2])
    y = 4_999_995.0 - 10 * np.arange(pixels.shape[1])
    array = xarray.DataArray(pixels, dims=("band", "y", "x"), coords={"band": NAMES, "y": y, "x": x}, attrs=attributes)
    return array.rio.write_crs(32633).drop_vars("spatial_ref") if hasattr(array, "rio") else array


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The file of the whole array, from which ``create`` selects."""
    path = tmp_path_factory.mktemp("whole") / "whole.tif"
    cogsmith.write(PIXELS, path, crs=32633, transform=TRANSFORM, nodata=0, band_names=NAMES, compress="none")
    return path


CHOICES = {
    "window": {"window": (7, 11, 40, 33)},
    "window of rasterio": {"window": Window(7, 11, 40, 33)},
    "bounds": {"bbox": (500_102, 4_999_503, 500_499, 4_999_897)},
    "numbers": {"bands": [4, 2, 1]},
    "one number": {"bands": 4},
    "a band twice": {"bands": [2, 2, 4]},
    "names": {"bands": ["red", "NIR"]},
    "all": {"bands": ["nir", 1], "window": (0, 0, 90, 1)},
}


@pytest.mark.parametrize("kind", ["numpy", "dask"])
@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
def test_arrays_give_the_bytes_of_files(whole, choice, kind):
    array = xarray.DataArray(
        PIXELS if kind == "numpy" else dask.array.from_array(PIXELS, (2, 32, 48)),
        dims=("band", "y", "x"), coords={"band": NAMES},
    )  # fmt: skip
    ours = cogsmith.write(array, ":mem:", crs=32633, transform=TRANSFORM, nodata=0, predictor="horizontal", **choice)
    ours = ours if kind == "numpy" else ours.compute()
    path = whole.with_name("chosen.tif")
    cogsmith.create(whole, path, overwrite=True, predictor="horizontal", **choice)
    assert ours == path.read_bytes()


def test_masks_move_with_the_window():
    mask = np.random.default_rng(6).random((ROWS, COLUMNS)) > 0.3
    window = (7, 11, 40, 33)
    chosen = cogsmith.write(PIXELS, ":mem:", mask=mask, window=window, bands=[2])
    assert chosen == cogsmith.write(PIXELS[1:2, 11:44, 7:47], ":mem:", mask=mask[11:44, 7:47])
    masked = np.ma.MaskedArray(PIXELS[0], ~mask)
    assert cogsmith.write(masked, ":mem:", window=window) == cogsmith.write(masked[11:44, 7:47], ":mem:")
    with pytest.raises(ValueError, match="the mask has"):
        cogsmith.write(PIXELS, ":mem:", mask=mask[11:44, 7:47], window=window)


def test_coordinates_and_metadata_of_bands_move_too(tmp_path):
    array = data_array(scales=[0.1, 0.2, 0.3, 0.4], units="1")
    ours = cogsmith.write(array, ":mem:", crs=32633, window=(7, 11, 40, 33), bands=["red", "blue"])
    theirs = array.isel(y=slice(11, 44), x=slice(7, 47)).sel(band=["red", "blue"])
    theirs.attrs["scales"] = [0.3, 0.1]
    assert ours == cogsmith.write(theirs, ":mem:", crs=32633)


def test_control_points_move():
    points = [(0, 0, 10, 50), (90, 0, 11, 50), (0, 70, 10, 49)]
    data = cogsmith.write(PIXELS, ":mem:", gcps=points, crs=4326, window=(10, 20, 30, 30))
    moved = [(column - 10, row - 20, x, y) for column, row, x, y in points]
    assert data == cogsmith.write(PIXELS[:, 20:50, 10:40], ":mem:", gcps=moved, crs=4326)


@pytest.mark.parametrize("kind", ["numpy", "dask", "xarray"])
def test_global_grids_are_turned(kind, tmp_path):
    pixels = np.arange(36 * 18, dtype="float32").reshape(18, 36)
    place = {"crs": 4326, "transform": (10.0, 0, 0, 0, -10.0, 90)}
    if kind == "xarray":
        axes = {"lat": 85.0 - 10 * np.arange(18), "lon": 5.0 + 10 * np.arange(36)}
        ours = cogsmith.write(xarray.DataArray(pixels, axes, ("lat", "lon")), ":mem:", crs=4326, wrap_longitude=-180)
    else:
        array = pixels if kind == "numpy" else dask.array.from_array(pixels, (5, 7))
        ours = cogsmith.write(array, ":mem:", wrap_longitude=-180, mask=pixels > 100 if kind == "numpy" else None, **place)
        ours = ours if kind == "numpy" else ours.compute()
    turned = np.roll(pixels, 18, axis=1)
    place["transform"] = (10.0, 0, -180, 0, -10.0, 90)
    assert ours == cogsmith.write(turned, ":mem:", mask=turned > 100 if kind == "numpy" else None, **place)


def test_write_cog_has_the_same_options():
    array = data_array()
    ours = cogsmith.to_cog(array, crs=32633, bands="nir", window=(0, 0, 64, 48))
    assert ours == cogsmith.to_cog(array.sel(band=["nir"]).isel(y=slice(0, 48), x=slice(0, 64)), crs=32633)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"bands": [5]}, "there is no band 5; the array has 4"),
        ({"bands": [0]}, "from 1 to 65535"),
        ({"bands": ["pink"]}, "no band is named 'pink'; there are blue, green, red, nir"),
        ({"window": (80, 0, 20, 10)}, "window"),
        ({"window": (0.5, 0, 20, 10)}, "whole pixels"),
        ({"bbox": (0, 0, 500_499, 4_999_897)}, "bbox.*not within the image"),
        ({"window": (0, 0, 9, 9), "bbox": (0, 0, 1, 1)}, "contradicts"),
        ({"wrap_longitude": -180}, "wrap_longitude.*not 360"),
    ],
)
def test_impossible_choices(choice, message):
    array = xarray.DataArray(PIXELS, dims=("band", "y", "x"), coords={"band": NAMES})
    with pytest.raises(ValueError, match=message):
        cogsmith.write(array, ":mem:", crs=32633, transform=TRANSFORM, **choice)


def test_names_that_are_not_unique_are_refused():
    array = xarray.DataArray(PIXELS, dims=("band", "y", "x"), coords={"band": ["a", "A", "b", "b"]})
    assert cogsmith.write(array, ":mem:", bands="a")
    with pytest.raises(ValueError, match="2 bands are named 'b'"):
        cogsmith.write(array, ":mem:", bands="b")


def test_bounds_need_a_transform():
    with pytest.raises(ValueError, match="transform"):
        cogsmith.write(PIXELS, ":mem:", bbox=(0, 0, 1, 1))
