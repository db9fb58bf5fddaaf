"""One file per step of a dimension: the same bytes as each step alone."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import cogsmith

PLACE = {"crs": 32633, "transform": (10, 0, 300000, 0, -10, 5000000)}
TIMES = np.array(["2024-05-01", "2024-06-01", "2024-06-02"], "datetime64[ns]")


@pytest.fixture
def cube():
    pixels = np.random.default_rng(1).integers(0, 200, (3, 60, 50)).astype("uint8")
    return xr.DataArray(pixels, dims=("time", "y", "x"), coords={"time": TIMES}, attrs={"source": "test"})


@pytest.mark.parametrize("chunks", [None, {"time": 1, "y": 30}])
def test_steps(cube, tmp_path, chunks):
    array = cube if chunks is None else cube.chunk(chunks)
    written = cogsmith.write(array, tmp_path / "a_{time:%Y-%m-%d}.tif", compress="lzw", **PLACE)
    paths = written if chunks is None else written.compute()
    assert [path.name for path in paths] == ["a_2024-05-01.tif", "a_2024-06-01.tif", "a_2024-06-02.tif"]
    for index, path in enumerate(paths):
        alone = cogsmith.write(cube.isel(time=index, drop=True), ":mem:", compress="lzw", **PLACE)
        assert path.read_bytes() == alone


def test_masks_and_numbers(cube, tmp_path):
    mask = xr.DataArray(cube.values > 100, dims=cube.dims)
    paths = cogsmith.write(cube.drop_vars("time"), f"{tmp_path}/b{{time:03}}.tif", mask=mask, **PLACE)
    assert [path.name for path in paths] == ["b000.tif", "b001.tif", "b002.tif"]
    alone = cogsmith.write(cube[1].drop_vars("time"), ":mem:", mask=mask[1], **PLACE)
    assert paths[1].read_bytes() == alone


def test_what_is_ambiguous_is_refused(cube, tmp_path):
    with pytest.raises(ValueError, match="two steps of 'time'"):
        cogsmith.write(cube, tmp_path / "{time:%Y-%m}.tif", **PLACE)
    with pytest.raises(ValueError, match="one name in braces"):
        cogsmith.write(cube, tmp_path / "{time}_{band}.tif", **PLACE)
    assert not list(tmp_path.iterdir())
    # Braces without the name of a dimension are those of a file.
    cogsmith.write(cube[0], tmp_path / "{other}.tif", **PLACE)
    assert (tmp_path / "{other}.tif").exists()
