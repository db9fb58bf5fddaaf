"""Attributes of arrays as metadata, compared with the files of rioxarray."""

from __future__ import annotations

import datetime
import warnings

import numpy as np
import pytest
import rasterio
import rioxarray
from conftest import image, look, raster
import xarray as xr

import cogsmith

SHAPE = (60, 70)
WHERE = {"crs": 32633, "transform": (10, 0, 399960, 0, -10, 5000040)}
OWN = ("OVR_RESAMPLING_ALG", "AREA_OR_POINT")


def array(**attributes):
    return raster(image(SHAPE)).assign_attrs(attributes)


def metadata(data, band=0):
    with rasterio.MemoryFile(data) as memory, memory.open() as file:
        return {name: text for name, text in file.tags(band).items() if name not in OWN}


def ways(one):
    yield cogsmith.write(one, ":mem:")
    yield cogsmith.write_cog(one, ":mem:")
    yield cogsmith.to_cog(one)
    yield one.cogsmith.write(":mem:")
    yield one.cogsmith.to_cog()
    yield cogsmith.write([one], ":mem:")
    yield cogsmith.write(one.to_dataset(name="one"), ":mem:")
    yield cogsmith.to_cog(one.chunk()).compute(scheduler="synchronous")


TEXTS = {
    "title": "Surface reflectance & <more>", "n": 3, "ratio": 0.1, "single": np.float32(0.1), "count": np.int16(7),
    "flag": True, "complex": 1 + 2j, "history": "one\ntwo\tthree", "umlaut": "Übergröße ☀", "empty": "",
    "standard_name": "surface_albedo", "flag_values": [1, 2, 3], "pair": (0.5, 1.5), "names": ["a", "b"],
}  # fmt: skip


def test_text_and_numbers():
    # GDAL leaves out empty items.
    expected = {name: str(value) for name, value in TEXTS.items() if value != ""}
    for data in ways(array(**TEXTS)):
        assert metadata(data) == expected


def test_as_rioxarray_writes_them(tmp_path):
    storage = {"_FillValue": 7, "missing_value": 7, "res": (1, 2), "is_tiled": 1, "nodatavals": (7,), "transform": (1, 2)}
    one = array(**TEXTS, **storage, scale_factor=0.5, add_offset=2.0)
    one.rio.to_raster(tmp_path / "theirs.tif", driver="COG")
    with rasterio.open(tmp_path / "theirs.tif") as file:
        theirs = {name: text for name, text in file.tags().items() if name not in OWN}
        ours = look(cogsmith.write(one, ":mem:"))
        assert (ours.scales, ours.offsets, ours.profile["nodata"]) == (file.scales, file.offsets, file.nodata)
    assert metadata(cogsmith.write(one, ":mem:")) == theirs


def test_what_has_a_place_of_its_own():
    one = array(
        units="m", long_name="height", scale_factor=0.5, add_offset=1.0, nodata=0, grid_mapping="spatial_ref",
        coordinates="lat lon", STATISTICS_MEAN=3.0, crs="EPSG:32633",
    )  # fmt: skip
    for data in ways(one):
        seen = look(data)
        assert metadata(data) == {}
        assert (seen.units, seen.descriptions, seen.scales, seen.offsets) == (("m",), ("height",), (0.5,), (1.0,))
    several = raster(image((2, *SHAPE))).assign_coords(band=["red", "nir"]).assign_attrs(long_name="reflectance")
    assert metadata(cogsmith.write(several, ":mem:")) == {"long_name": "reflectance"}


def test_dates_and_arrays():
    one = array(when=np.datetime64("2024-06-01T10:30"), day=datetime.date(2024, 6, 1), many=np.arange(2000) / 7)
    with pytest.warns(UserWarning, match="'many'"):
        assert metadata(cogsmith.write(one, ":mem:")) == {"when": "2024-06-01T10:30", "day": "2024-06-01"}
    written = metadata(cogsmith.write(one, ":mem:", attrs=True))["many"]
    assert written == str((np.arange(2000) / 7).tolist()), "not shortened"


def test_what_metadata_cannot_hold_is_named():
    one = array(**{"spec": {"a": 1}, "nested": [[1], [2]], "bell": "\a", "a=b": 1, "kept": "x", "none": None})
    with pytest.warns(UserWarning) as seen:
        assert metadata(cogsmith.write(one, ":mem:")) == {"kept": "x"}
    text = next(str(one.message) for one in seen if one.category is UserWarning)
    assert all(f"'{name}'" in text for name in ("spec", "nested", "bell", "a=b")) and "kept" not in text
    with pytest.warns(UserWarning, match="'spec'"):
        cogsmith.write(one, ":mem:", attrs=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cogsmith.write(one, ":mem:", attrs=False)


# Length ---------------------------------------------------------------------------------------------------------------


def test_long_attributes_are_left_out_by_name():
    for one in (array(long="x" * 4097, short="y" * 4096), array(long="ö" * 2049, short="ö" * 2048)):
        for way in (cogsmith.write, cogsmith.write_cog):
            with pytest.warns(UserWarning, match="'long' .longer than 4096 bytes"):
                assert set(metadata(way(one, ":mem:"))) == {"short"}
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                assert metadata(way(one, ":mem:", attrs=True)) == one.attrs
                assert metadata(way(one, ":mem:", attrs=False)) == {}


def test_together():
    one = array(a="x" * 3000, b="y" * 4000, c="z" * 3000, d="short")
    with pytest.warns(UserWarning, match="'b' .together longer than 8192 bytes"):
        assert set(metadata(cogsmith.to_cog(one))) == {"a", "c", "d"}
    assert set(metadata(cogsmith.to_cog(one, attrs=True))) == {"a", "b", "c", "d"}
    data = xr.Dataset({f"v{index}": array(note=str(index) * 1000) for index in range(10)})
    with pytest.warns(UserWarning, match="'note' .together longer"):
        written = cogsmith.write(data, ":mem:")
    assert [len(metadata(written, band)) for band in range(1, 11)] == [1] * 8 + [0, 0]


@pytest.mark.parametrize("attrs", ["yes", 1, {"a": 1}])
def test_wrong_choice(attrs):
    with pytest.raises(TypeError, match="attrs=.*expected True or False"):
        cogsmith.write(array(), ":mem:", attrs=attrs)
    with pytest.raises(TypeError, match="attrs=.*expected True or False"):
        cogsmith.to_cog(array(), attrs=attrs)


# Tags -----------------------------------------------------------------------------------------------------------------


def test_area_or_point():
    """The raster type is set, and pixels do not move."""
    for data in ways(array(AREA_OR_POINT="Point")):
        seen = look(data)
        assert seen.tags["AREA_OR_POINT"] == "Point"
        assert tuple(seen.profile["transform"])[:6] == WHERE["transform"]
    one = array(AREA_OR_POINT="Point")
    assert look(cogsmith.write(one, ":mem:", pixel_is_point=False)).tags["AREA_OR_POINT"] == "Area"
    assert look(cogsmith.write(one, ":mem:", attrs=False)).tags["AREA_OR_POINT"] == "Area"
    assert look(cogsmith.write(one, ":mem:", tags={"AREA_OR_POINT": "Area"})).tags["AREA_OR_POINT"] == "Area"
    assert look(cogsmith.write(array(), ":mem:", tags={"area_or_point": "Point"})).tags["AREA_OR_POINT"] == "Point"
    assert look(cogsmith.write(array(AREA_OR_POINT="Area"), ":mem:")).tags["AREA_OR_POINT"] == "Area"


def test_tags_of_tiff():
    tags = {
        "TIFFTAG_SOFTWARE": "mine 1.0", "TIFFTAG_DATETIME": "2024:06:01 10:30:31", "TIFFTAG_ARTIST": "me",
        "TIFFTAG_COPYRIGHT": "CC-BY", "TIFFTAG_IMAGEDESCRIPTION": "about", "TIFFTAG_DOCUMENTNAME": "d",
        "TIFFTAG_HOSTCOMPUTER": "h", "TIFFTAG_XRESOLUTION": "72", "TIFFTAG_YRESOLUTION": "118.11",
        "TIFFTAG_RESOLUTIONUNIT": "2 (pixels/inch)",
    }  # fmt: skip
    for data in (*ways(array(**tags)), cogsmith.write(array(), ":mem:", tags=tags)):
        assert metadata(data) == tags
        assert b"TIFFTAG_" not in data
    assert metadata(cogsmith.write(array(TIFFTAG_DATETIME="2024-06-01T10:30:31"), ":mem:")) == {
        "TIFFTAG_DATETIME": "2024:06:01 10:30:31"
    }


def test_tags_that_no_tiff_has():
    one = array(TIFFTAG_DATETIME="yesterday", TIFFTAG_FOO="1", TIFFTAG_XRESOLUTION="many", TIFFTAG_RESOLUTIONUNIT="9")
    with pytest.warns(UserWarning, match="'TIFFTAG_DATETIME', 'TIFFTAG_FOO'"):
        assert metadata(cogsmith.write(one, ":mem:")) == {}
    with pytest.raises(ValueError, match="TIFFTAG_FOO"):
        cogsmith.write(array(), ":mem:", tags={"TIFFTAG_FOO": "1"})


def test_tags_of_the_caller_win():
    one = array(TITLE="theirs", history="h" * 5000, kept="x")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = cogsmith.write(one, ":mem:", tags={"title": "mine", "History": "short"})
    assert metadata(data) == {"title": "mine", "History": "short", "kept": "x"}
    assert metadata(cogsmith.write(one, ":mem:", tags={"title": "mine"}, attrs=False)) == {"title": "mine"}


# Several arrays -------------------------------------------------------------------------------------------------------


def several():
    return {"a": array(sensor="MSI", orbit=3), "b": array(sensor="MSI", orbit=4, cloud=0.5)}


def test_what_arrays_have_in_common():
    for data in (
        cogsmith.write(list(several().values()), ":mem:"),
        cogsmith.write(xr.Dataset(several()), ":mem:"),
        cogsmith.to_cog(xr.Dataset(several())),
        xr.Dataset(several()).cogsmith.write(":mem:"),
    ):
        assert metadata(data) == {"sensor": "MSI"}
        assert (metadata(data, 1), metadata(data, 2)) == ({"orbit": "3"}, {"orbit": "4", "cloud": "0.5"})


def test_attributes_of_a_dataset():
    data = cogsmith.write(xr.Dataset(several(), attrs={"title": "T", "sensor": "OLI"}), ":mem:")
    assert metadata(data) == {"title": "T", "sensor": "OLI"}
    assert metadata(data, 1) == {"sensor": "MSI", "orbit": "3"}
    assert metadata(cogsmith.write(xr.Dataset(several(), attrs={"title": "T"}), ":mem:", attrs=False)) == {}
    data = cogsmith.write(xr.Dataset(several(), attrs={"AREA_OR_POINT": "Point"}), ":mem:")
    assert look(data).tags["AREA_OR_POINT"] == "Point"


def test_rioxarrays_tags_of_bands(tmp_path):
    data = xr.Dataset(several(), attrs={"title": "T"})
    data.rio.to_raster(tmp_path / "theirs.tif")
    with rasterio.open(tmp_path / "theirs.tif") as file:
        theirs = [file.tags(band) for band in (1, 2)]
    ours = cogsmith.write(data, ":mem:")
    for band in (1, 2):
        assert {**metadata(ours), **metadata(ours, band)}.items() >= theirs[band - 1].items()
    bands = raster(image((2, *SHAPE))).assign_attrs(band_tags=[{"orbit": 3}, {"orbit": 4}])
    assert [metadata(cogsmith.write(bands, ":mem:"), band) for band in (1, 2)] == [{"orbit": "3"}, {"orbit": "4"}]


def test_there_and_back(tmp_path):
    """Attributes that rioxarray reads from a file are in the next file."""
    texts = {name: value for name, value in TEXTS.items() if value != ""}
    first = array(**texts, AREA_OR_POINT="Point", TIFFTAG_SOFTWARE="mine", units="m", long_name="height", nodata=0)
    cogsmith.write(first, tmp_path / "a.tif", overview_count=0)
    with rioxarray.open_rasterio(tmp_path / "a.tif") as opened:
        second = cogsmith.write(opened, ":mem:", overview_count=0)
    assert second == (tmp_path / "a.tif").read_bytes()


