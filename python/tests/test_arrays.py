"""NumPy arrays read in place: strides, byte orders, axes, masks, targets."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from conftest import TYPES, assert_valid, image, leftovers, look

import cogsmith

WHERE = {"crs": 32633, "transform": (10, 0, 399960, 0, -10, 5000040)}


def read(array, **options):
    return look(cogsmith.write(array, ":mem:", **options)).levels[0]


@pytest.mark.parametrize("dtype", [*TYPES, "float16", "complex64", "complex128", "bool"])
def test_every_type(dtype):
    pixels = image((70, 90), dtype)
    got = read(pixels)[0]
    assert got.dtype == ("uint8" if dtype == "bool" else dtype)
    np.testing.assert_array_equal(got, pixels)


@pytest.mark.parametrize("dtype", ["longdouble", "datetime64[s]", "U3", "object", "V4"])
def test_types_that_no_tiff_holds(dtype):
    if np.dtype(dtype).itemsize <= 8 and dtype == "longdouble":
        pytest.skip("long doubles are doubles here")
    with pytest.raises(TypeError):
        cogsmith.write(np.zeros((4, 4), dtype), ":mem:")


STRIDES = {
    "contiguous": lambda a: a,
    "fortran": np.asfortranarray,
    "every second": lambda a: np.repeat(np.repeat(a, 2, -1), 2, -2)[..., ::2, ::2],
    "upside down": lambda a: np.ascontiguousarray(a[..., ::-1, :])[..., ::-1, :],
    "mirrored": lambda a: np.ascontiguousarray(a[..., ::-1])[..., ::-1],
    "transposed": lambda a: np.ascontiguousarray(np.swapaxes(a, -1, -2)).swapaxes(-1, -2),
    "cut out": lambda a: np.pad(a, [(0, 0)] * (a.ndim - 2) + [(3, 5), (7, 2)])[..., 3:-5, 7:-2],
    "other byte order": lambda a: a.astype(a.dtype.newbyteorder("S")),
    "other byte order, mirrored": lambda a: np.ascontiguousarray(a[..., ::-1]).astype(a.dtype.newbyteorder("S"))[
        ..., ::-1
    ],
    "not aligned": lambda a: _field(a, "=", 1),
    "not aligned, other byte order": lambda a: _field(a, "S", 1),
    "steps that are no whole samples": lambda a: _field(a, "=", a.itemsize),
}


def _field(array, order, before):
    kind = np.dtype([("before", f"V{before}"), ("value", array.dtype.newbyteorder(order)), ("after", "V1")])
    record = np.zeros(array.shape, kind)
    record["value"] = array
    return record["value"]


@pytest.mark.parametrize("strides", STRIDES)
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64", "complex128", "bool"])
@pytest.mark.parametrize("bands", [None, 3])
def test_any_strides_and_byte_order(strides, dtype, bands):
    pixels = image((70, 90) if bands is None else (bands, 70, 90), dtype)
    array = STRIDES[strides](pixels)
    array.flags.writeable = False
    np.testing.assert_array_equal(read(array), pixels.reshape((-1, 70, 90)))
    if bands is not None:
        last = np.moveaxis(array, 0, 2)
        np.testing.assert_array_equal(read(last, bands="last"), pixels)


def test_broadcast_arrays():
    np.testing.assert_array_equal(read(np.broadcast_to(np.uint16(7), (40, 50)))[0], np.full((40, 50), 7))
    row = np.arange(50, dtype="uint16")
    np.testing.assert_array_equal(read(np.broadcast_to(row, (40, 50)))[0], np.broadcast_to(row, (40, 50)))


def test_truth_values_are_0_and_1_whatever_their_bytes():
    odd = np.array([[0, 1, 2, 255]], "uint8").view(bool)
    assert read(odd)[0].tolist() == [[0, 1, 1, 1]]


def test_a_list_of_arrays_is_bands():
    pixels = image((3, 70, 90))
    swapped = pixels[1].astype(">u2")
    np.testing.assert_array_equal(read([pixels[0], swapped, pixels[2][::-1][::-1]]), pixels)
    with pytest.raises(ValueError, match="band 2 is int16"):
        cogsmith.write([pixels[0], pixels[1].astype("int16")], ":mem:")
    with pytest.raises(ValueError, match="band 2 has 89 columns x 70 rows, but the first has 90 columns x 70 rows"):
        cogsmith.write([pixels[0], pixels[1][:, 1:]], ":mem:")
    with pytest.raises(ValueError, match="no bands"):
        cogsmith.write([], ":mem:")


def test_the_axis_of_bands_is_not_guessed():
    with pytest.raises(ValueError, match="bands='last'"):
        cogsmith.write(np.zeros((70, 90, 3), "uint8"), ":mem:")
    assert read(np.zeros((70, 90, 3), "uint8"), bands="last").shape == (3, 70, 90)
    with pytest.raises(ValueError, match="takes 'first' or 'last', the axis of the bands"):
        cogsmith.write(np.zeros((3, 70, 90), "uint8"), ":mem:", bands="middle")


@pytest.mark.parametrize("shape", [(), (5,), (2, 3, 4, 5)])
def test_arrays_of_other_axes(shape):
    with pytest.raises(ValueError, match="Need 2d or 3d ndarray on input"):
        cogsmith.write(np.zeros(shape), ":mem:")


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 5, 5)])
def test_empty_arrays(shape):
    with pytest.raises(ValueError, match="the array is empty"):
        cogsmith.write(np.zeros(shape), ":mem:")


def test_masks():
    pixels = image((70, 90))
    valid = pixels > 0
    valid[:10] = False
    for mask in (valid, valid.astype("uint8"), np.asfortranarray(valid)):
        seen = look(cogsmith.write(pixels, ":mem:", mask=mask))
        np.testing.assert_array_equal(seen.masks > 0, valid)
    seen = look(cogsmith.write(np.ma.masked_array(pixels, ~valid), ":mem:"))
    np.testing.assert_array_equal(seen.masks > 0, valid)
    seen = look(cogsmith.write([pixels, pixels], ":mem:", mask=valid))
    np.testing.assert_array_equal(seen.masks > 0, valid)
    with pytest.raises(ValueError, match="the mask has 90 columns x 69 rows, but the image has 90 columns x 70 rows"):
        cogsmith.write(pixels, ":mem:", mask=valid[1:])
    with pytest.raises(TypeError, match="bool or uint8"):
        cogsmith.write(pixels, ":mem:", mask=valid.astype("float32"))
    with pytest.raises(ValueError, match="one mask for all bands"):
        cogsmith.write(np.ma.masked_equal(image((2, 70, 90)), 0), ":mem:")


def test_no_mask_is_lost():
    masked = np.ma.masked_equal(image((70, 90)), 0)
    valid = ~np.ma.getmaskarray(masked)
    seen = look(cogsmith.to_cog(masked, **WHERE))
    np.testing.assert_array_equal(seen.masks > 0, valid)
    assert cogsmith.to_cog(np.ma.masked_array(masked.data), **WHERE) == cogsmith.to_cog(masked.data, **WHERE)
    with pytest.raises(ValueError, match="one mask for all bands"):
        cogsmith.write([masked, masked], ":mem:")
    with cogsmith.CogWriter(":mem:", shape=(70, 90), dtype="uint16", mask=True, **WHERE) as cog:
        cog.push(masked[:30])
        cog.push(masked.data[30:], mask=valid[30:])
    assert cog.result == cogsmith.write(masked, ":mem:", **WHERE)
    with cogsmith.CogWriter(":mem:", shape=(70, 90), dtype="uint16", mask=True) as cog:
        with pytest.raises(ValueError, match="masked array and mask= is given"):
            cog.push(masked, mask=valid)
        cog.push(masked)
    with pytest.raises(ValueError, match="mask"):
        with cogsmith.CogWriter(":mem:", shape=(70, 90), dtype="uint16") as cog:
            cog.push(masked)


def test_more_than_a_file_holds():
    with pytest.raises(ValueError, match="70000 bands, but a GeoTIFF has at most 65535"):
        cogsmith.write(np.zeros((70000, 1, 1), "uint8"), ":mem:", bands="first")
    with pytest.raises(ValueError, match="columns, but a GeoTIFF has at most 2147483647"):
        cogsmith.write(np.broadcast_to(np.uint8(3), (1, 2**33)), ":mem:")


@pytest.mark.parametrize("source", ["red.tif", None, object()])
def test_what_is_no_array(source):
    with pytest.raises(TypeError, match="is not an array of numbers"):
        cogsmith.write_cog(source, ":mem:")


@pytest.mark.parametrize("target", ["ftp://host/red.tif", "/vsimem/red.tif", "file:///tmp/red.tif"])
def test_addresses_are_no_paths(target):
    with pytest.raises(ValueError, match="not a file system path.*fsspec"):
        cogsmith.write(image((4, 4)), target)


def test_defaults_are_those_of_the_library(out):
    pixels = image((1300, 1700))
    assert cogsmith.write(pixels, out, **WHERE) == out
    seen = look(out)
    assert seen.block_shapes == [(512, 512)] * 3
    assert seen.overviews == [2, 4] and [level.shape for level in seen.levels[1:]] == [(1, 650, 850), (1, 325, 425)]
    assert seen.profile["compress"] == "deflate" and seen.profile["nodata"] is None
    assert seen.profile["crs"].to_epsg() == 32633
    assert tuple(seen.profile["transform"])[:6] == WHERE["transform"]
    assert seen.structure["OVERVIEW_RESAMPLING"] == "CUBIC" if "OVERVIEW_RESAMPLING" in seen.structure else True
    assert_valid(out)


def test_targets(tmp_path):
    pixels = image((70, 90))
    data = cogsmith.write(pixels, ":mem:")
    assert isinstance(data, bytes)
    path = tmp_path / "a.tif"
    assert cogsmith.write(pixels, str(path)) == path and path.read_bytes() == data
    stream = io.BytesIO()
    assert cogsmith.write(pixels, stream) == len(data) and stream.getvalue() == data
    with open(tmp_path / "b.tif", "wb", buffering=0) as file:
        assert cogsmith.write(pixels, file) == len(data)
    assert (tmp_path / "b.tif").read_bytes() == data
    with pytest.raises(TypeError, match="expected a path, ':mem:'"):
        cogsmith.write(pixels, 3)


def test_an_object_that_fails_to_write():
    class Full:
        def write(self, data):
            raise BufferError("full")

    with pytest.raises(BufferError, match="full"):
        cogsmith.write(image((70, 90)), Full())

    class Slow(io.BytesIO):
        def write(self, data):
            return super().write(bytes(data)[:7])

    stream = Slow()
    cogsmith.write(image((70, 90)), stream)
    assert stream.getvalue() == cogsmith.write(image((70, 90)), ":mem:")


def test_existing_files(out):
    out.write_bytes(b"old")
    out.chmod(0o640)
    with pytest.raises(FileExistsError, match="File exists"):
        cogsmith.write(image((70, 90)), out)
    assert out.read_bytes() == b"old"
    cogsmith.write(image((70, 90)), out, overwrite=True)
    assert look(out).levels[0].shape == (1, 70, 90)
    assert stat.S_IMODE(out.stat().st_mode) == 0o640
    assert leftovers(out.parent) == ["out.tif"]


def test_an_existing_file_survives_a_failed_write(out):
    out.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError):
        cogsmith.write(image((3000, 3000)), out, overwrite=True, progress=lambda done, rows: 1 / 0)
    assert out.read_bytes() == b"old" and leftovers(out.parent) == ["out.tif"]


def test_errors_are_pythons_own(tmp_path):
    pixels = image((70, 90))
    with pytest.raises(FileNotFoundError):
        cogsmith.write(pixels, tmp_path / "no" / "out.tif")
    with pytest.raises(IsADirectoryError):
        cogsmith.write(pixels, tmp_path)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError):
        cogsmith.write(pixels, tmp_path / "file" / "out.tif")


def test_the_same_bytes_whatever_the_threads():
    pixels = image((3, 1500, 1100))
    one = cogsmith.write(pixels, ":mem:", threads=1)
    assert cogsmith.write(pixels, ":mem:", threads=3) == one
    assert cogsmith.write(np.asfortranarray(pixels), ":mem:", num_threads="ALL_CPUS") == one
    assert cogsmith.write(list(pixels), ":mem:") == one


def test_gcps_and_points(tmp_path):
    points = [(0, 0, 10.0, 50.0), (90, 0, 11.0, 50.1), (0, 70, 10.1, 49.0, 30.0)]
    seen = look(cogsmith.write(image((70, 90)), ":mem:", crs="EPSG:4326", gcps=points))
    assert [(p.col, p.row, p.x, p.y, p.z) for p in seen.gcps[0]] == [(*p, 0.0)[:5] for p in points]
    assert seen.gcps[1].to_epsg() == 4326
    with pytest.raises(ValueError, match="option 'transform' contradicts 'gcps'"):
        cogsmith.write(image((70, 90)), ":mem:", gcps=points, **WHERE)
    seen = look(cogsmith.write(image((70, 90)), ":mem:", pixel_is_point=True, **WHERE))
    assert seen.tags["AREA_OR_POINT"] == "Point" and tuple(seen.profile["transform"])[:6] == WHERE["transform"]
    rotated = (7, 3, 399960, 3, -7, 5000040)
    seen = look(cogsmith.write(image((70, 90)), ":mem:", crs=32633, transform=rotated))
    assert tuple(seen.profile["transform"])[:6] == rotated


def test_what_is_said_about_bands():
    seen = look(
        cogsmith.write(
            image((2, 70, 90)), ":mem:", band_names=["red & near", "infra<red>"], band_scale=[0.0001, 1], band_offset=[-0.1, 0],
            band_unit="sr-1", tags={"PROCESSED": "now & then", "N": 3}, nodata=0,
        )
    )  # fmt: skip
    assert seen.descriptions == ("red & near", "infra<red>")
    assert seen.scales == (0.0001, 1.0) and seen.offsets == (-0.1, 0.0) and seen.units == ("sr-1", "sr-1")
    assert seen.tags["PROCESSED"] == "now & then" and seen.tags["N"] == "3"
    with pytest.raises(ValueError, match="band_names: expected one value per band, got 1 for 2 bands"):
        cogsmith.write(image((2, 70, 90)), ":mem:", band_names=["red"])


@pytest.mark.parametrize(
    ("dtype", "nodata", "expected"),
    [
        ("int64", -(2**63), -(2**63)), ("uint64", 2**64 - 1, 2**64 - 1), ("int64", 2**53 + 1, 2**53 + 1),
        ("uint8", 255.0, 255), ("int16", np.int16(-999), -999), ("float32", "nan", np.nan), ("float64", -np.inf, -np.inf),
        ("float32", np.float32(-3.4028235e38), np.finfo("float32").min), ("bool", 0, 0), ("float16", -1e4, -1e4),
    ],
)  # fmt: skip
def test_nodata(dtype, nodata, expected):
    data = cogsmith.write(image((70, 90), dtype), ":mem:", nodata=nodata)
    if dtype in ("int64", "uint64"):
        # rasterio shows a rounded value.
        assert f"\0{expected}\0".encode() in data[:4000]
    else:
        np.testing.assert_equal(look(data).profile["nodata"], expected)


@pytest.mark.parametrize(
    ("dtype", "nodata"),
    [("uint8", 256), ("uint8", -1), ("int64", 2**63), ("uint8", np.inf), ("float32", 1e39), ("float16", 1e5), ("bool", 256)],
)  # fmt: skip
def test_nodata_that_the_type_cannot_hold(dtype, nodata):
    kind = {"bool": "u8", "uint8": "u8", "int64": "i64", "float32": "f32", "float16": "f16"}[dtype]
    with pytest.raises(ValueError, match=f"nodata value .* is out of range for {kind} \\(.* to .*\\); pass "):
        cogsmith.write(image((70, 90), dtype), ":mem:", nodata=nodata)


@pytest.mark.parametrize("nodata", [0.5, np.nan])
def test_nodata_of_integers_is_an_integer(nodata):
    expected = rf"(?i)nodata value {nodata} is not an integer, as i16 requires \(-32768 to 32767\); pass nodata=None"
    with pytest.raises(ValueError, match=expected):
        cogsmith.write(image((70, 90), "int16"), ":mem:", nodata=nodata)
    assert look(cogsmith.write(image((70, 90), "int16"), ":mem:", nodata=-3.0)).profile["nodata"] == -3


def test_a_colour_map():
    colors = {0: (0, 0, 0), 1: (255, 10, 0), 7: (1, 2, 3, 255)}
    import rasterio

    data = cogsmith.write(np.array([[0, 1, 7]], "uint8"), ":mem:", colormap=colors)
    with rasterio.MemoryFile(data) as memory, memory.open() as file:
        assert {index: file.colormap(1)[index][:3] for index in colors} == {i: c[:3] for i, c in colors.items()}
    with pytest.raises(ValueError, match="uint8 or uint16"):
        cogsmith.write(np.zeros((4, 4), "int16"), ":mem:", colormap=colors)


def test_paths_of_any_kind(tmp_path):
    class Named(os.PathLike):
        def __fspath__(self):
            return str(tmp_path / "ümlaut.tif")

    assert cogsmith.write(image((70, 90)), Named()) == Path(tmp_path / "ümlaut.tif")
