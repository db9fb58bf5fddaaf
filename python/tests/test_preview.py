"""Small pictures and explanations: :func:`cogsmith.preview` and :func:`cogsmith.explain` do what the commands do."""

from __future__ import annotations

import json

import numpy as np
import pytest
import rasterio
from test_create import command

import cogsmith

PIXELS = np.arange(3 * 300 * 200, dtype="uint16").reshape(3, 300, 200)


@pytest.fixture
def cog(tmp_path):
    path = tmp_path / "cog.tif"
    cogsmith.write(PIXELS, path, crs=32633, transform=(10, 0, 500000, 0, -10, 6000000), blocksize=64, band_names=["a", "b", "c"])
    return path


@pytest.mark.parametrize(("ending", "driver"), [("png", "PNG"), ("jpg", "JPEG")])
def test_pictures_are_those_of_the_command(cog, tmp_path, ending, driver):
    target = tmp_path / f"picture.{ending}"
    command("preview", "--size", "150", "--bands", "3,a,2", cog, target)
    picture = cogsmith.preview(cog, size=150, bands=[3, "a", 2], format=ending)
    assert picture == target.read_bytes()
    with rasterio.open(target) as file:
        assert (file.driver, file.count, file.shape) == (driver, 3, (150, 100))


def test_a_band_alone_is_gray(cog):
    for bands in (None, 1, "a", [1]):
        with rasterio.MemoryFile(cogsmith.preview(cog, bands=bands)) as memory, memory.open() as file:
            assert (file.count, file.shape) == (1, (300, 200))
            gray = file.read(1)
    assert gray[0, 0] == 0 and gray[-1, -1] == 255


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "size=0"),
        ({"image": 0}, "image=0"),
        ({"bands": [1, 2]}, "one band or three, not 2"),
        ({"bands": 4}, "4"),
        ({"format": "gif"}, "png, .jpg, or .jpeg"),
        ({"storage_options": {"region": "x"}}, "storage_options"),
    ],
)
def test_wrong_options_are_refused(cog, options, message):
    with pytest.raises(ValueError, match=message):
        cogsmith.preview(cog, **options)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.tif"):
        cogsmith.preview(tmp_path / "nothing.tif")


def test_explanations_are_those_of_the_command(cog):
    explanation = cogsmith.explain(cog)
    said = json.loads(command("explain", "--json", cog))
    assert said.pop("file") == str(cog)
    for one in (explanation, said):
        # Advice, and the codec whose tile sizes are tried, depend on speeds.
        one.pop("advice")
        trials = {trial["name"]: trial["bytes"] for trial in one["trials"]}
        one["trials"] = {name: size for name, size in trials.items() if "tiles of" not in name}
        assert len(trials) == len(one["trials"]) + 2
    assert explanation == said
    assert sum(one["bytes"] for one in explanation["contents"]) == cog.stat().st_size
    alone = cogsmith.explain(cog, trials=False)
    assert (alone["sample"], alone["trials"]) == (None, [])
