"""One file per step of a dimension."""

from __future__ import annotations

import dask.array
import numpy as np
import pytest
import rasterio
import xarray

import cogsmith


def series(chunked: bool = False) -> xarray.DataArray:
    """Three dates of an image."""
    pixels = np.arange(3 * 40 * 50, dtype="u2").reshape(3, 40, 50)
    data = dask.array.from_array(pixels, chunks=(1, 40, 50)) if chunked else pixels
    time = np.array(["2024-01-05", "2024-02-10", "2024-03-15"], "datetime64[ns]")
    coords = {"time": time, "y": 1000.0 - np.arange(40) * 10, "x": 500.0 + np.arange(50) * 10}
    array = xarray.DataArray(data, dims=("time", "y", "x"), coords=coords, attrs={"_FillValue": 0})
    array.attrs["crs"] = "EPSG:32633"
    return array


@pytest.mark.parametrize("chunked", [False, True])
def test_each_step_is_the_file_of_that_step(tmp_path, chunked):
    array = series(chunked)
    written = cogsmith.write(array, tmp_path / "scene_{time:%Y-%m-%d}.tif", compress="zstd")
    if chunked:
        assert not list(tmp_path.iterdir())
        written = written.compute()
    assert [path.name for path in written] == ["scene_2024-01-05.tif", "scene_2024-02-10.tif", "scene_2024-03-15.tif"]
    for index, path in enumerate(written):
        alone = cogsmith.write(array.isel(time=index).compute(), ":mem:", compress="zstd")
        assert path.read_bytes() == alone
        with rasterio.open(path) as file:
            assert np.array_equal(file.read(1), array[index].values)
            assert file.crs.to_epsg() == 32633


def test_masks_and_datasets_follow_the_step(tmp_path):
    array = series()
    mask = xarray.DataArray(array.values % 7 != 0, dims=array.dims)
    for path, step in zip(cogsmith.write(array, f"{tmp_path}/m_{{time:%j}}.tif", mask=mask), mask, strict=True):
        with rasterio.open(path) as file:
            assert np.array_equal(file.dataset_mask() > 0, step.values)
    both = xarray.Dataset({"red": array, "nir": array + 1})
    for index, path in enumerate(cogsmith.write(both, f"{tmp_path}/d_{{time:%j}}.tif")):
        with rasterio.open(path) as file:
            assert file.descriptions == ("red", "nir")
            assert np.array_equal(file.read(2), array[index].values + 1)


def test_other_dimensions_and_numbers(tmp_path):
    array = series().rename(time="month").assign_coords(month=[1, 2, 12])
    written = cogsmith.write(array, tmp_path / "{month:02d}.tif")
    assert [path.name for path in written] == ["01.tif", "02.tif", "12.tif"]


def test_what_cannot_be_is_refused_before_anything_is_written(tmp_path):
    array = series()
    for target, why in [
        ("{date}.tif", "it has time"),
        ("{time:%Y}.tif", "the file of both"),
        ("{x}.tif", "rows and columns"),
        ("{time}{month}.tif", "one field"),
        ("{time.tif", "double a brace"),
        ("{time:04d}.tif", "time=2024"),
    ]:
        with pytest.raises(ValueError, match=why):
            cogsmith.write(array, tmp_path / target)
    with pytest.raises(ValueError, match="names the axes"):
        cogsmith.write(array.values, tmp_path / "{time}.tif")
    (tmp_path / "2024-03-15.tif").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        cogsmith.write(array, tmp_path / "{time:%Y-%m-%d}.tif")
    assert [path.name for path in tmp_path.iterdir()] == ["2024-03-15.tif"]
