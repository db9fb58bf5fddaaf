"""Many files into one: :func:`cogsmith.mosaic` and :func:`cogsmith.stack` write the bytes of the command."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
import rasterio.merge
import rioxarray
from conftest import assert_valid
from rasterio.transform import from_origin
from test_create import command

import cogsmith


@pytest.fixture
def tiles(tmp_path):
    """Four tiles of a grid, two of which overlap."""
    folder = tmp_path / "tiles"
    folder.mkdir()
    random = np.random.default_rng(1)
    for index, (column, row) in enumerate([(0, 0), (60, 0), (0, 70), (60, 70)]):
        pixels = random.integers(0, 200, (1, 70, 80)).astype("uint8")
        transform = from_origin(500000 + 10 * column, 6000000 - 10 * row, 10, 10)
        with rasterio.open(
            folder / f"{index}.tif", "w", driver="GTiff", width=80, height=70, count=1, dtype="uint8", nodata=0,
            crs="EPSG:32633", transform=transform,
        ) as file:  # fmt: skip
            file.write(pixels)
    return folder


@pytest.mark.parametrize("method", ["last", "first", "min", "max"])
def test_mosaic(tiles, tmp_path, method):
    summary = cogsmith.mosaic(tiles, tmp_path / "out.tif", method=method, compress="lzw")
    assert (summary["width"], summary["height"], summary["compression"]) == (140, 140, "lzw")
    assert_valid(tmp_path / "out.tif")
    expected, transform = rasterio.merge.merge(sorted(tiles.iterdir()), method=method)
    with rasterio.open(tmp_path / "out.tif") as ours:
        assert (ours.read() == expected).all()
        assert ours.transform == transform and ours.nodata == 0
    command("mosaic", tiles, "-o", tmp_path / "other.tif", "--overlap", method, "--compress", "lzw")
    assert (tmp_path / "other.tif").read_bytes() == (tmp_path / "out.tif").read_bytes()


@pytest.mark.parametrize("kind", ["numpy", "dask", "mixed"])
def test_arrays_give_the_bytes_of_their_files(tiles, tmp_path, kind):
    paths = sorted(tiles.iterdir())
    arrays = [rioxarray.open_rasterio(path, chunks=None if kind == "numpy" else 50) for path in paths]
    if kind == "mixed":
        arrays[1] = paths[1]
    cogsmith.mosaic(arrays, tmp_path / "ours.tif", method="min")
    cogsmith.mosaic(paths, tmp_path / "theirs.tif", method="min")
    with rasterio.open(tmp_path / "ours.tif") as ours, rasterio.open(tmp_path / "theirs.tif") as theirs:
        assert (ours.read() == theirs.read()).all() and ours.profile == theirs.profile
        assert ours.overviews(1) == theirs.overviews(1)
    if kind != "mixed":
        cogsmith.stack([arrays[0].squeeze("band", drop=True)] * 2, tmp_path / "ours.tif", overwrite=True)
        with rasterio.open(tmp_path / "ours.tif") as ours, rasterio.open(paths[0]) as theirs:
            assert (ours.read() == theirs.read([1, 1])).all() and ours.nodata == 0


def test_arrays_on_other_grids_are_refused(tiles, tmp_path):
    one, other = (rioxarray.open_rasterio(path) for path in sorted(tiles.iterdir())[:2])
    with pytest.raises(ValueError, match="array-2.tif"):
        cogsmith.mosaic([one, other.assign_coords(x=other.x + 3)], tmp_path / "out.tif")
    assert not (tmp_path / "out.tif").exists()


def test_stack(tiles, tmp_path):
    names = [tiles / "0.tif", str(tiles / "0.tif")]
    cogsmith.stack(names, tmp_path / "out.tif", band_scale={2: 0.5})
    with rasterio.open(tmp_path / "out.tif") as ours, rasterio.open(names[0]) as theirs:
        assert (ours.read() == theirs.read([1, 1])).all()
        assert ours.descriptions == ("0", "0") and ours.scales == (1, 0.5)


def test_options_make_inputs_fit(tiles, tmp_path):
    with rasterio.open(tiles / "3.tif", "r+") as file:
        file.nodata = 7
    with pytest.raises(ValueError, match=r"0\.tif' and '.*3\.tif' differ: nodata values 0 and 7; nodata=... makes inputs fit"):
        cogsmith.mosaic(tiles, tmp_path / "out.tif")
    cogsmith.mosaic(tiles, tmp_path / "out.tif", nodata=255, dtype="int16")
    with rasterio.open(tmp_path / "out.tif") as ours:
        assert (ours.nodata, ours.dtypes) == (255, ("int16",))
    assert not list(tmp_path.glob(".*"))


def test_errors(tiles, tmp_path):
    with pytest.raises(ValueError, match="is one of the inputs"):
        cogsmith.mosaic(tiles, tiles / "0.tif", overwrite=True)
    with pytest.raises(FileNotFoundError, match="has no GeoTIFF files"):
        cogsmith.mosaic(tmp_path / "*.tif", tmp_path / "out.tif")
    with pytest.raises(ValueError, match="method='best'"):
        cogsmith.mosaic(tiles, tmp_path / "out.tif", method="best")
    with pytest.raises(TypeError, match="compres"):
        cogsmith.mosaic(tiles, tmp_path / "out.tif", compres="lzw")
    (tmp_path / "list.txt").write_text(f"{tiles / '0.tif'}\n")
    with pytest.raises(ValueError, match="vrt_root"):
        cogsmith.mosaic(f"@{tmp_path / 'list.txt'}", tmp_path / "out.tif")
    cogsmith.mosaic(f"@{tmp_path / 'list.txt'}", tmp_path / "out.tif", vrt_root=tmp_path)


def test_vrt(tiles, tmp_path):
    text = '<VRTDataset rasterXSize="80" rasterYSize="70"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>' \
           '<SourceFilename relativeToVRT="1">{}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>'  # fmt: skip
    (tiles / "one.vrt").write_text(text.format("0.tif"))
    cogsmith.create(tiles / "one.vrt", tmp_path / "out.tif")
    with rasterio.open(tmp_path / "out.tif") as ours, rasterio.open(tiles / "0.tif") as theirs:
        assert (ours.read() == theirs.read()).all()
    (tmp_path / "up.vrt").write_text(text.format("../secret.tif"))
    with pytest.raises((ValueError, FileNotFoundError)):
        cogsmith.create(tmp_path / "up.vrt", tmp_path / "out.tif", overwrite=True)
