"""JPEG: exact nodata from arrays of any kind, the same bytes in all ways, and errors that say what works."""

from __future__ import annotations

import json
import warnings

import dask.array
import numpy as np
import pytest
import rasterio
from rasterio.io import MemoryFile
from test_create import command

import cogsmith

NODATA = 0


def picture(bands: int = 3, height: int = 300, width: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """An image of bytes with nodata in a disc and in specks, and where it is valid."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [128 + 90 * np.sin(x / (15 + band)) * np.cos(y / (21 - band)) for band in range(bands)]
    pixels = np.clip(np.stack(waves), 1, 255).astype("u1")
    hole = ((x - 150) ** 2 + (y - 140) ** 2 < 90**2) | ((x * 7 + y * 13) % 101 == 0)
    pixels[:, hole] = NODATA
    return pixels, ~hole


@pytest.fixture(autouse=True)
def _warnings():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "nodata .* is kept exactly")
        warnings.filterwarnings("ignore", category=rasterio.errors.NotGeoreferencedWarning)
        yield


def read(data: bytes) -> list[tuple[np.ndarray, np.ndarray]]:
    """The pixels and masks of all levels."""
    levels = []
    with MemoryFile(data) as file:
        with file.open() as ds:
            assert ds.nodata is None and ds.compression.name == "jpeg"
            count = len(ds.overviews(1))
        for level in [{}, *({"OVERVIEW_LEVEL": number} for number in range(count))]:
            with file.open(**level) as ds:
                levels.append((ds.read(), ds.dataset_mask() != 0))
    return levels


@pytest.mark.parametrize(("bands", "interleave"), [(1, "pixel"), (3, "pixel"), (3, "band"), (5, "tile")])
def test_nodata_is_exact_and_every_way_gives_the_same_bytes(bands, interleave):
    pixels, valid = picture(bands)
    options = {"compress": "jpeg", "quality": 80, "interleave": interleave, "nodata": NODATA, "blocksize": 128}
    data = cogsmith.write(pixels, ":mem:", **options)
    levels = read(data)
    assert len(levels) == 3
    np.testing.assert_array_equal(levels[0][1], valid)
    lost = np.abs(levels[0][0].astype(int) - pixels)[:, valid]
    assert 0 < lost.max() < 60 and lost.mean() < 5
    chunked = dask.array.from_array(pixels, chunks=(bands, 128, 256))
    assert cogsmith.write(chunked, ":mem:", **options).compute() == data
    with cogsmith.CogWriter(":mem:", shape=pixels.shape, dtype="u1", **options) as cog:
        for first in range(0, 300, 70):
            cog.push(pixels[:, first : first + 70])
    assert cog.result == data


def test_the_names_of_gdal_mean_the_same():
    pixels, _ = picture()

    def data(**options):
        return cogsmith.write(pixels, ":mem:", nodata=0, blocksize=128, **options)

    ours = data(compress="jpeg", quality=60, overview_quality=40)
    assert data(COMPRESS="JPEG", QUALITY=60, OVERVIEW_QUALITY=40) == ours
    assert data(compress="jpeg", jpeg_quality="60", overview_quality=40) == ours
    assert data(compress="jpeg", quality=60) != ours
    sharp = data(compress="jpeg", jpeg_subsampling=444)
    assert sharp == data(compress="jpeg", jpeg_subsampling="4:4:4") != data(compress="jpeg")


def test_policies_decide_where_bands_disagree():
    pixels, valid = picture()
    y, x = np.argwhere(valid)[1000]
    pixels[1, y, x] = NODATA
    chunked = dask.array.from_array(pixels, chunks=(3, 100, 400))
    for array in (pixels, chunked):
        with pytest.raises(ValueError, match=f"column {x}, row {y}.*any-nodata"):
            result = cogsmith.write(array, ":mem:", compress="jpeg", nodata=NODATA)
            result.compute()
    with pytest.warns(UserWarning, match="samples that equal nodata in pixels with data in other bands: 1"):
        data = cogsmith.write(pixels, ":mem:", compress="jpeg", nodata=NODATA, mask="nodata")
    np.testing.assert_array_equal(read(data)[0][1], valid)
    data = cogsmith.write(pixels, ":mem:", compress="jpeg", nodata=NODATA, mask="any-nodata")
    assert not read(data)[0][1][y, x] and read(data)[0][1].sum() == valid.sum() - 1
    assert cogsmith.write(chunked, ":mem:", compress="jpeg", nodata=NODATA, mask="any-nodata").compute()
    with MemoryFile(cogsmith.write(pixels, ":mem:", nodata=NODATA, mask="any-nodata")) as file, file.open() as ds:
        assert ds.nodata == NODATA and ds.dataset_mask()[y, x] == 0


def test_create_writes_what_the_command_writes(tmp_path):
    pixels, _ = picture()
    source = tmp_path / "in.tif"
    cogsmith.write(pixels, source, nodata=NODATA)
    options = {"compress": "jpeg", "quality": 70, "overview_compress": "deflate", "overview_predictor": "none"}
    with pytest.warns(UserWarning, match="is kept exactly in the mask"):
        summary = cogsmith.create(source, tmp_path / "a.tif", verify=True, blocksize=128, **options)
    words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    text = command("create", "--json", "--verify", "--blocksize", "128", *words, source, tmp_path / "b.tif")
    printed = json.loads(text)
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()
    for changed in ("output", "seconds"):
        summary.pop(changed), printed.pop(changed)
    assert list(summary) == list(printed) and summary == printed
    assert summary["levels"][0]["loss"]["tiles"] == summary["levels"][0]["tiles"]
    assert summary["overview_compression"] == "deflate" and "loss" not in summary["levels"][1]


@pytest.mark.parametrize(("array", "options", "expected"), [
    (np.zeros((9, 9), "u2"), {}, "not u16; use deflate or zstd"),
    (np.zeros((5, 9, 9), "u1"), {}, "not 5; use band or tile interleave"),
    (np.zeros((9, 9), "u1"), {"quality": 101}, "quality"),
    (np.zeros((9, 9), "u1"), {"level": 3}, "has no effect"),
    (np.zeros((9, 9), "u1"), {"photometric": "ycbcr"}, "needs three bands"),
    (np.zeros((9, 9), "u1"), {"compress": "deflate", "quality": 50}, "'quality': has no effect with codec deflate"),
    (np.zeros((9, 9), "u1"), {"compress": "deflate", "overview_quality": 50}, "'overview_quality': has no effect"),
    (np.zeros((9, 9), "u1"), {"compress": "lzma"}, "hardly any reader of COGs has LZMA"),
    (np.zeros((9, 9), "u1"), {"overview_compress": "jxl"}, "hardly any reader of COGs has JPEG XL"),
    (np.zeros((9, 9), "u1"), {"mask": "none"}, "mask"),
    (np.zeros((4, 9, 9), "u1"), {"colorinterp": ["red", "green", "blue", "alpha"]}, "would change the alpha band"),
])  # fmt: skip
def test_what_cannot_be_written_says_what_can(array, options, expected):
    with pytest.raises(ValueError, match=expected):
        cogsmith.write(array, ":mem:", **{"compress": "jpeg", **options})


def test_three_bands_are_stored_as_ycbcr_if_asked():
    pixels, _ = picture()
    nir = {"band_names": ["nir", "red", "green"], "compress": "jpeg"}
    with pytest.warns(UserWarning, match="photometric ycbcr"):
        plain = cogsmith.write(pixels, ":mem:", **nir)
    forced = cogsmith.write(pixels, ":mem:", photometric="ycbcr", **nir)
    for data, expected in ((plain, None), (forced, "YCBCR")):
        with MemoryFile(data) as file, file.open() as ds:
            assert (ds.photometric.name.upper() if ds.photometric else None) == expected


def test_packbits_reads_back():
    pixels, _ = picture(2)
    with MemoryFile(cogsmith.write(pixels, ":mem:", compress="packbits")) as file, file.open() as ds:
        assert ds.compression.name == "packbits"
        np.testing.assert_array_equal(ds.read(), pixels)


def test_alpha_cannot_be_jpeg_but_becomes_the_mask(tmp_path):
    rgba = np.random.default_rng(1).integers(0, 255, (4, 40, 50), dtype="u1")
    rgba[3] = np.where(rgba[3] < 60, 0, 255)
    for write in (cogsmith.write, cogsmith.write_cog):
        with pytest.raises(ValueError, match="would change the alpha band.*mask="):
            write(rgba, tmp_path / "rgba.tif", compress="jpeg", alpha=True)
    cogsmith.write(rgba[:3], tmp_path / "rgb.tif", compress="jpeg", mask=rgba[3] > 0)
    with rasterio.open(tmp_path / "rgb.tif") as file:
        assert np.array_equal(file.dataset_mask() > 0, rgba[3] > 0)
