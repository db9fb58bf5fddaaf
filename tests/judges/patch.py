"""`cogsmith patch` on files of GDAL, rio-cogeo, and cogsmith: NumPy says what full resolution has afterward, and a file that GDAL
(or `create`) writes from those pixels what the overviews have; GDAL, its validator, rio-cogeo's, and cogsmith's own accept the
output; tiles that the update does not touch keep their bytes.

    python patch.py
    ONLY=words in the environment picks cases by name
"""

import json
import math
import os
import shutil
import sys

os.environ["GDAL_PAM_ENABLED"] = "NO"

import numpy as np
import rasterio
from osgeo import gdal, osr

from command_line import run
from edit import images, verdicts
from edit_inputs import FOLDER, at, made_by_gdal, made_by_rio
from report import Report

report = Report("patch")
SIZE = (709, 523)
TYPES = {"u1": gdal.GDT_Byte, "u2": gdal.GDT_UInt16, "i2": gdal.GDT_Int16, "f4": gdal.GDT_Float32}


def array(seed, size, bands, dtype):
    random = np.random.default_rng(seed)
    ramp = np.add.outer(np.arange(size[1]), np.arange(size[0])) // 4
    pixels = ramp[None] % 120 + random.integers(0, 90, (bands, size[1], size[0])) + seed % 7
    return pixels.astype(dtype) + (np.array(0.25, dtype) if dtype == "f4" else np.array(0, dtype))


def raster(name, pixels, place=(0, 0), nodata=None, mask=None, epsg=32633, pixel=10.0):
    """A tiled GeoTIFF of GDAL at (column, row) of the grid."""
    path = at(name)
    bands, height, width = pixels.shape
    file = gdal.GetDriverByName("GTiff").Create(path, width, height, bands, TYPES[pixels.dtype.str[1:]], ["TILED=YES", "BLOCKXSIZE=128", "BLOCKYSIZE=128"])
    file.SetGeoTransform((500000 + pixel * place[0], pixel, 0, 6000000 - pixel * place[1], 0, -pixel))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(epsg)
    file.SetSpatialRef(reference)
    for number in range(1, bands + 1):
        file.GetRasterBand(number).WriteArray(pixels[number - 1])
        if nodata is not None:
            file.GetRasterBand(number).SetNoDataValue(nodata)
    if mask is not None:
        file.CreateMaskBand(gdal.GMF_PER_DATASET)
        file.GetRasterBand(1).GetMaskBand().WriteArray(mask)
    file = None
    return path


def levels(path):
    """All bands and masks of all levels, as GDAL reads them."""
    file = gdal.Open(path)
    out = []
    for number in range(1, file.RasterCount + 1):
        band = file.GetRasterBand(number)
        for level in [band] + [band.GetOverview(index) for index in range(band.GetOverviewCount())]:
            out.append((level.ReadAsArray(), level.GetMaskBand().ReadAsArray()))
    return out


def compare(path, expected, full, full_mask=None):
    """The pixels of a file against NumPy's at full resolution, and those of another file at all levels."""
    out = []
    with rasterio.open(path) as file:
        if not np.array_equal(file.read(), full, equal_nan=full.dtype.kind == "f"):
            out.append("full resolution is not what NumPy says")
        if full_mask is not None and not np.array_equal(file.dataset_mask() > 0, full_mask > 0):
            out.append("the mask is not what NumPy says")
    ours, theirs = levels(path), levels(expected)
    if len(ours) != len(theirs):
        return out + [f"{len(ours)} levels of bands, expected {len(theirs)}"]
    for index, ((pixels, mask), (other, other_mask)) in enumerate(zip(ours, theirs)):
        valid = (mask > 0) & (other_mask > 0)
        if pixels.shape != other.shape or not np.array_equal(mask > 0, other_mask > 0):
            out.append(f"image {index}: sizes or masks differ")
        elif not np.array_equal(pixels[valid], other[valid], equal_nan=pixels.dtype.kind == "f"):
            out.append(f"image {index}: {np.count_nonzero(pixels[valid] != other[valid])} pixels differ from a whole file")
    return out


def untouched(before, after, window, halo=8):
    """Tiles away from a window (column, row, width, height) have the same bytes. At a ratio of 2, no kernel reaches further from the
    footprint of a pixel than `halo` pixels of the level."""
    old, new, out = images(before), images(after), []
    if set(old) != set(new):
        return [f"images {sorted(new)}, were {sorted(old)}"]
    width = max(key[1] for key in old)
    column, row, columns, rows = window
    kept = changed = 0
    for key, (tiles, tags) in old.items():
        side, high = tags[322], tags[323]
        across, ratio = math.ceil(key[1] / side), width / key[1]
        reach = 0 if ratio == 1 else halo
        for index, tile in enumerate(tiles):
            place = index % (across * math.ceil(key[2] / high))
            left, top = place % across * side, place // across * high
            near = (column / ratio - reach < left + side and (column + columns) / ratio + reach > left
                    and row / ratio - reach < top + high and (row + rows) / ratio + reach > top)
            if not near and new[key][0][index] != tile:
                out.append(f"{key}: tile {index} at {left}, {top} has other bytes")
            kept += not near
            changed += near and new[key][0][index] != tile
    return out + ([] if kept and changed else [f"{kept} tiles are away from the window, {changed} have changed"])


def patched(big, update, full, expected, window, *options, mask=None, same_bytes=False, lenient=False):
    target = at("patched.tif")
    before = open(big, "rb").read()
    done = run("patch", "--json", "--output", target, "--overwrite", *options, big, update, timeout=300)
    if done.code:
        return [str(done)]
    said = json.loads(done.out)
    out = [] if said["windows"] == [list(window)] else [f"windows {said['windows']}, expected {window}"]
    stored = sum(tile is not None for tiles, _ in images(target).values() for tile in tiles)
    out += [] if said["encoded"] + said["copied"] == stored else [f"{said['encoded']} + {said['copied']} tiles, {stored} are stored"]
    out += verdicts(target, lenient=lenient) + compare(target, expected, full, mask) + untouched(big, target, window)
    if same_bytes and open(target, "rb").read() != open(expected, "rb").read():
        out.append("the bytes are not those of a whole file")
    if open(big, "rb").read() != before:
        out.append("the file has changed, although another one is written")
    # In place of the old file, on another number of threads.
    copy = at("copy.tif")
    shutil.copy(big, copy)
    done = run("patch", "--threads", "1", *options, copy, update, timeout=300)
    if done.code or open(copy, "rb").read() != open(target, "rb").read():
        out.append(f"in place of the old file: {done}")
    return out


def case(maker, bands, dtype, window, nodata=None, mask=False, **how):
    """A file, an update with holes, and the whole file from the same pixels, all made by `maker`."""
    full = array(1, SIZE, bands, dtype)
    full_mask = None
    if mask:
        full_mask = (np.random.default_rng(3).random(SIZE[::-1]) < 0.8).astype("u1") * 255
    column, row, columns, rows = window
    part = array(2, (columns, rows), bands, dtype)
    holes = np.random.default_rng(4).random((rows, columns)) < 0.3
    if nodata is not None:
        full[:, np.random.default_rng(5).random(SIZE[::-1]) < 0.02] = nodata
        # Single samples that are nodata would leave the old ones.
        part[part == nodata] += 1
        part[:, holes] = nodata
    big = maker(raster("source.tif", full, nodata=nodata, mask=full_mask), "big.tif")
    update = raster("update.tif", part, (column, row), nodata=nodata, mask=(~holes).astype("u1") * 255 if mask else None)
    inside = (slice(None), slice(row, row + rows), slice(column, column + columns))
    if nodata is None and not mask:
        holes[:] = False
    full[inside] = np.where(holes, full[inside], part)
    if mask:
        full_mask[inside[1:]] = np.where(holes, full_mask[inside[1:]], 255)
    whole = maker(raster("changed.tif", full, nodata=nodata, mask=full_mask), "whole.tif")
    return patched(big, update, full, whole, window, mask=full_mask, **how)


def by_gdal(**options):
    return lambda source, name: made_by_gdal(source, name, BLOCKSIZE=128, COMPRESS="DEFLATE", **options)


def by_cogsmith(*options):
    def make(source, name):
        done = run("create", "--overwrite", "--blocksize", "128", *options, source, at(name))
        assert done.code == 0, str(done)
        return at(name)
    return make


WINDOWS = {
    "upper left": (0, 0, 30, 40), "upper right": (650, 0, 59, 77), "lower left": (0, 500, 131, 23), "lower right": (708, 522, 1, 1),
    "across tiles": (100, 120, 300, 150), "in a tile": (260, 130, 60, 90), "odd": (127, 129, 3, 1),
}


def check(name, *what, **how):
    report.run(name, lambda: case(*what, **how))


def cases():
    # GDAL's own files: pixels of all levels are those of a whole file by GDAL.
    for kernel in ("NEAREST", "AVERAGE", "CUBIC", "BILINEAR", "MODE", "LANCZOS"):
        for name in ("upper left", "across tiles", "odd"):
            for dtype in ("u1", "f4"):
                check(f"GDAL: {kernel}, {dtype}, {name}", by_gdal(OVERVIEW_RESAMPLING=kernel, PREDICTOR="YES"), 1, dtype, WINDOWS[name])
    for interleave in ("PIXEL", "BAND", "TILE"):
        check(f"GDAL: {interleave}", by_gdal(INTERLEAVE=interleave, OVERVIEW_RESAMPLING="AVERAGE"), 3, "u2", WINDOWS["across tiles"])
    check("GDAL: mask", by_gdal(OVERVIEW_RESAMPLING="NEAREST"), 3, "u1", WINDOWS["across tiles"], mask=True)
    check("GDAL: nodata", by_gdal(OVERVIEW_RESAMPLING="NEAREST"), 2, "i2", WINDOWS["across tiles"], nodata=-5)
    check("GDAL: BigTIFF", by_gdal(OVERVIEW_RESAMPLING="AVERAGE", BIGTIFF="YES"), 1, "u2", WINDOWS["lower left"])
    check("GDAL: ZSTD", lambda source, name: made_by_gdal(source, name, BLOCKSIZE=128, COMPRESS="ZSTD", LEVEL=3), 1, "u2", WINDOWS["in a tile"])
    check("GDAL: LZW", lambda source, name: made_by_gdal(source, name, BLOCKSIZE=128, COMPRESS="LZW"), 1, "u2", WINDOWS["in a tile"])
    # Those of rio-cogeo halve by factors.
    check("rio-cogeo", lambda source, name: made_by_rio(source, name, overview_resampling="nearest"), 3, "u1", WINDOWS["across tiles"])
    # Our own: the bytes of a whole file, too.
    for name, window in WINDOWS.items():
        check(f"cogsmith: {name}", by_cogsmith("--predictor", "horizontal"), 2, "u2", window, same_bytes=True)
    for interleave in ("pixel", "band", "tile"):
        for words, how in (("nodata", {"nodata": 7}), ("mask", {"mask": True})):
            for bands in (1, 3):
                options = ("--interleave", interleave, "--predictor", "none", "--overview-resampling", "average", "--header-room", "2K")
                check(f"cogsmith: {interleave}, {words}, {bands} bands", by_cogsmith(*options), bands, "u2", WINDOWS["across tiles"], same_bytes=True, **how)
    for options in (("--compress", "zstd", "--level", "17"), ("--compress", "deflate", "--level", "9"), ("--compress", "lzw"), ("--compress", "none"), ("--compress", "lerc"),
                    ("--compress", "webp", "--quality", "100"), ("--overviews", "3,5,16"), ("--overviews", "none"), ("--overview-blocksize", "64"), ("--bigtiff", "yes")):
        check(f"cogsmith: {' '.join(options)}", by_cogsmith(*options, *(("--predictor", "horizontal") if options[1] in ("zstd", "deflate") else ())), 3, "u1", WINDOWS["across tiles"],
                   same_bytes=True, lenient="webp" in options or "lerc" in options)
    report.run("cogsmith: statistics", statistics)
    report.run("refusals", refusals)


def statistics():
    make = by_cogsmith("--stats", "--predictor", "horizontal")
    full = array(1, SIZE, 1, "u2")
    big = make(raster("source.tif", full), "big.tif")
    part = array(2, (90, 80), 1, "u2")
    update = raster("update.tif", part, (33, 44))
    full[:, 44:124, 33:123] = part
    whole = make(raster("changed.tif", full), "whole.tif")
    done = run("patch", "--stats", big, update)
    out = [] if not done.code and open(big, "rb").read() == open(whole, "rb").read() else [f"with --stats: {done}, other bytes"]
    file = gdal.Open(big)
    said, file = file.GetRasterBand(1).GetMetadata(), None
    mean = float(full.astype("f8").mean())
    out += [] if math.isclose(float(said["STATISTICS_MEAN"]), mean, rel_tol=1e-9) else [f"mean {said['STATISTICS_MEAN']}, NumPy says {mean}"]
    done = run("patch", big, update)
    out += [] if b"statistics of the bands are removed" in done.err else [f"no warning: {done}"]
    file = gdal.Open(big)
    said, file = file.GetRasterBand(1).GetMetadata(), None
    return out + ([] if "STATISTICS_MEAN" not in said else ["stale statistics"])


def refusals():
    big = by_cogsmith("--predictor", "horizontal")(raster("source.tif", array(1, SIZE, 2, "u2"), nodata=7), "big.tif")
    before, out = open(big, "rb").read(), []
    part = array(2, (50, 40), 2, "u2")
    jpeg = by_cogsmith("--compress", "jpeg")(raster("rgb.tif", array(1, SIZE, 3, "u1")), "jpeg.tif")
    plain = raster("plain.tif", array(1, SIZE, 2, "u2"))
    file = gdal.Open(plain, gdal.GA_Update)
    file.BuildOverviews("CUBIC", [2, 4])
    file = None
    fitting = raster("fitting.tif", part)
    for words, file, update, options in [
        ("2 and 1 bands", big, raster("u1.tif", part[:1]), ()),
        ("data types u16 and i16", big, raster("u2.tif", part.astype("i2")), ()),
        ("EPSG:32633 and EPSG:3857", big, raster("u3.tif", part, epsg=3857), ()),
        ("pixels of 10 x 10 and 20 x 20", big, raster("u4.tif", part, pixel=20.0), ()),
        ("0.5000 columns and 0.0000 rows off", big, raster("u5.tif", part, (3.5, 2)), ()),
        ("columns 700 to 750 and rows 0 to 40", big, raster("u6.tif", part, (700, 0)), ()),
        ("nodata values 7 and 9", big, raster("u7.tif", part, nodata=9), ()),
        ("lossy JPEG", jpeg, raster("u8.tif", array(2, (50, 40), 3, "u1")), ()),
        ("name the kernel", plain, fitting, ()),
        ("were computed by cubic", big, fitting, ("--overview-resampling", "mode")),
        ("--level: has no effect with codec lzw", by_cogsmith("--compress", "lzw")(raster("source.tif", array(1, SIZE, 2, "u2")), "lzw.tif"), fitting, ("--level", "3")),
    ]:
        done = run("patch", *options, file, update)
        if done.code not in (1, 2) or words not in done.words() or "hint: " not in done.words() and "'create'" not in done.words() and "columns" not in words and "pixels" not in words:
            out.append(f"{words}: {done}")
    done = run("patch", "--overview-resampling", "cubic", plain, fitting)
    out += [] if done.code == 0 else [f"with the kernel: {done}"]
    done = run("patch", "--dry-run", "--json", big, fitting)
    out += [] if done.code == 0 and json.loads(done.out)["encoded"] > 0 else [f"dry run: {done}"]
    return out + ([] if open(big, "rb").read() == before else ["a refusal has changed the file"])


if __name__ == "__main__":
    cases()
    shutil.rmtree(FOLDER)
    sys.exit(report.close())
