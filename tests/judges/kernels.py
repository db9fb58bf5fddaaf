"""Compares every kernel with GDAL's, pixel by pixel at every level: no pixel may differ.

Intentional differences are left out of the grid; each is a minimal example below, with GDAL's answer and ours, as in
docs/resampling.md.

    python kernels.py [--full]
"""

import argparse
import itertools
import math
import os
import shutil
import sys
import tempfile

os.environ.setdefault("GDAL_PAM_ENABLED", "NO")
import numpy as np
from osgeo import gdal

import command_line
from report import Report

gdal.UseExceptions()
gdal.PushErrorHandler("CPLQuietErrorHandler")
gdal.SetConfigOption("GDAL_TIFF_INTERNAL_MASK", "YES")

TYPES = {"u8": gdal.GDT_Byte, "i8": gdal.GDT_Int8, "u16": gdal.GDT_UInt16, "i16": gdal.GDT_Int16, "u32": gdal.GDT_UInt32,
         "i32": gdal.GDT_Int32, "f32": gdal.GDT_Float32, "f64": gdal.GDT_Float64}
METHODS = ("nearest", "average", "rms", "bilinear", "cubic", "cubicspline", "lanczos", "mode")  # nearest first
GAPS = ("none", "nodata", "mask")
SIZES = ((256, 192), (197, 263))
# Nothing one column wide: GDAL makes each level of that from full resolution (9).
MORE_SIZES = ((300, 1), (17, 300), (5, 7), (128, 128), (129, 257), (64, 511), (1027, 3), (700, 515))
LEVELS = 4
TILE = 128

def dtype(kind):
    return np.dtype({"u": "u", "i": "i", "f": "f"}[kind[0]] + str(int(kind[1:]) // 8))


def textures(kind, width, height, seed):
    """Random, smooth and blocky data: one band each."""
    rng = np.random.default_rng(seed)
    t = dtype(kind)
    y, x = np.mgrid[0:height, 0:width]
    smooth = np.sin(x / 17) + np.cos(y / 11) + np.sin((x + y) / 41)
    blocks = (x // 5 * 7 + y // 3 * 13) % 11
    if t.kind == "f":
        noise = rng.normal(0, 1000, (height, width))
        bands = [noise, smooth * 1234.5, blocks * 0.1]
    else:
        info = np.iinfo(t)
        noise = rng.integers(info.min, info.max, (height, width), dtype=t, endpoint=True)
        middle, span = (int(info.min) + int(info.max)) / 2, (int(info.max) - int(info.min)) / 6.2
        bands = [noise, middle + smooth * span, np.where(blocks < 3, blocks, info.max - blocks)]
    return np.stack([b.astype(t) for b in bands])


def holes(width, height, seed):
    """Where pixels are missing: single ones, lines, a large area."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    out = rng.random((height, width)) < 0.05
    out |= (x - width * 0.6) ** 2 + (y - height * 0.5) ** 2 < (min(width, height) * 0.25) ** 2
    out |= (x + 2 * y) % 53 == 0
    return out


def nodata_of(kind):
    """Positive where GDAL takes a negative one for 0; a value that computed pixels happen to hit."""
    return {"u8": 7, "i8": 7, "u16": 300, "i16": 300, "u32": 70000, "i32": 70000, "f32": -9999.0, "f64": -9999.0}[kind]


def palette_of(seed):
    rng = np.random.default_rng(seed)
    table = gdal.ColorTable()
    for index in range(256):
        table.SetColorEntry(index, tuple(int(v) for v in rng.integers(0, 256, 3)) + (255,))
    return table


def memory(data, nodata=None, mask=None, palette=None):
    bands, height, width = data.shape
    names = {str(dtype(k)): v for k, v in TYPES.items()} | {"complex64": gdal.GDT_CFloat32}
    ds = gdal.GetDriverByName("MEM").Create("", width, height, bands, names[str(data.dtype)])
    for i in range(bands):
        band = ds.GetRasterBand(i + 1)
        if nodata is not None:
            band.SetNoDataValue(nodata)
        if palette is not None:
            band.SetColorTable(palette)
            band.SetColorInterpretation(gdal.GCI_PaletteIndex)
        band.WriteArray(data[i])
    if mask is not None:
        ds.CreateMaskBand(gdal.GMF_PER_DATASET)
        ds.GetRasterBand(1).GetMaskBand().WriteArray(np.where(mask, 255, 0).astype("u1"))
    return ds


def read(path):
    """All levels and their masks."""
    ds = gdal.Open(path)
    count = ds.GetRasterBand(1).GetOverviewCount()
    masked = ds.GetRasterBand(1).GetMaskFlags() == gdal.GMF_PER_DATASET
    levels, masks = [], []
    for k in range(count + 1):
        bands = [ds.GetRasterBand(i + 1) for i in range(ds.RasterCount)]
        bands = [b if k == 0 else b.GetOverview(k - 1) for b in bands]
        levels.append(np.stack([b.ReadAsArray() for b in bands]))
        masks.append(bands[0].GetMaskBand().ReadAsArray() != 0 if masked else None)
    return levels, masks


def both(scratch, method, data, nodata=None, mask=None, levels=LEVELS, palette=None, factors=None):
    """(GDAL's levels, its masks), (ours, our masks): halves by its COG driver, or factors by its BuildOverviews."""
    source, theirs, ours = (os.path.join(scratch, n + ".tif") for n in ("source", "gdal", "ours"))
    for path in (source, theirs, ours):
        if os.path.exists(path):
            os.remove(path)
    ds = memory(data, nodata, mask, palette)
    gdal.GetDriverByName("GTiff").CreateCopy(source, ds)
    if factors:
        built = gdal.GetDriverByName("GTiff").CreateCopy(theirs, ds)
        built.BuildOverviews(method.upper(), factors)
        built = None
        wanted = {"overviews": ",".join(map(str, factors))}
    else:
        wanted = {"overview_count": levels}
        gdal.GetDriverByName("COG").CreateCopy(theirs, gdal.Open(source), options=[
            f"OVERVIEW_RESAMPLING={method.upper()}", f"OVERVIEW_COUNT={levels}", f"BLOCKSIZE={TILE}",
            "COMPRESS=NONE", "OVERVIEWS=IGNORE_EXISTING"])
    r = command_line.create(source, ours, quiet=True, compress="none", blocksize=TILE, overview_resampling=method, threads=1,
                            **wanted)
    if r.code != 0:
        raise RuntimeError(str(r))
    return read(theirs), read(ours)


def differences(got, want, slack=None):
    """How many samples differ, and the first of them. NaN equals NaN."""
    if got.shape != want.shape or got.dtype != want.dtype:
        return f"{got.dtype} {got.shape}, expected {want.dtype} {want.shape}"
    bad = ~((got == want) | ((got != got) & (want != want)))
    if slack is not None:
        with np.errstate(invalid="ignore"):
            bad &= ~(np.abs(got - want) <= slack)
    if not bad.any():
        return ""
    b, y, x = (int(v) for v in np.argwhere(bad)[0])
    return (f"{int(bad.sum())} of {bad.size} samples differ, first at band {b} x={x} y={y}: {got[b, y, x]!r}, "
            f"GDAL has {want[b, y, x]!r}")


def case(scratch, method, kind, gaps, size, factors=None):
    width, height = size
    data = textures(kind, width, height, hash((width, height)) & 0xFFFF)
    mask = nodata = None
    if gaps != "none":
        missing = holes(width, height, 5)
        if gaps == "mask":
            mask = ~missing
        else:
            nodata = nodata_of(kind)
            data[:, missing] = nodata
    (theirs, their_masks), (ours, our_masks) = both(scratch, method, data, nodata, mask, factors=factors)
    if len(ours) != len(theirs):
        return [f"{len(ours)} levels, GDAL has {len(theirs)}"]
    out = []
    for k in range(len(ours)):
        if (their_masks[k] is None) != (our_masks[k] is None):
            out.append(f"level {k}: a mask here, none there")
        elif their_masks[k] is not None and not np.array_equal(their_masks[k], our_masks[k]):
            out.append(f"level {k}: {int((their_masks[k] != our_masks[k]).sum())} pixels of the mask differ")
        # GDAL's sine is the C library's, ours the same on every machine: some weights differ in their last bit, and so
        # do sums by about the last bit of their largest term. It shows in f64 alone, and not at a ratio of 2.
        slack = 4 * float(np.spacing(np.abs(data).max())) if (method, kind) == ("lanczos", "f64") else None
        # Where four pixels are the same, their root mean square is too; GDAL's may be off by the last bit.
        if method == "rms" and kind[0] == "f":
            slack = k * np.spacing(np.abs(theirs[k]))
        words = differences(ours[k], theirs[k], slack)
        if words:
            out.append(f"level {k}: {words}")
    return out


def palette_case(scratch, method, nodata, size):
    """Indices of a palette: means are the nearest colors."""
    width, height = size
    data = textures("u8", width, height, 3)[:1]
    if nodata is not None:
        data[0][holes(width, height, 5)] = nodata
    (theirs, _), (ours, _) = both(scratch, method, data, nodata, palette=palette_of(1))
    return [f"level {k}: {words}" for k in range(len(theirs)) if (words := differences(ours[k], theirs[k]))]


def complex_case(scratch, method, size):
    width, height = size
    parts = textures("f32", width, height, 3)
    data = (parts + 1j * parts[::-1]).astype("c8")
    (theirs, _), (ours, _) = both(scratch, method, data)
    return [f"level {k}: {words}" for k in range(len(theirs)) if (words := differences(ours[k], theirs[k]))]


def alpha_file(path, data):
    """Red, green, blue and alpha."""
    bands, height, width = data.shape
    names = {str(dtype(k)): v for k, v in TYPES.items()}
    ds = gdal.GetDriverByName("GTiff").Create(path, width, height, bands, names[str(data.dtype)], ["PHOTOMETRIC=RGB", "ALPHA=YES"])
    ds.WriteArray(data)


def alpha_both(scratch, method, data, levels):
    """GDAL's levels and ours."""
    source, theirs, ours = (os.path.join(scratch, n + ".tif") for n in ("source", "gdal", "ours"))
    for path in (source, theirs, ours):
        if os.path.exists(path):
            os.remove(path)
    alpha_file(source, data)
    gdal.GetDriverByName("COG").CreateCopy(theirs, gdal.Open(source), options=[
        f"OVERVIEW_RESAMPLING={method.upper()}", f"OVERVIEW_COUNT={levels}", f"BLOCKSIZE={TILE}", "COMPRESS=NONE"])
    r = command_line.create(source, ours, quiet=True, compress="none", blocksize=TILE, overview_resampling=method, threads=2,
                            overview_count=levels)
    if r.code != 0:
        raise RuntimeError(str(r))
    return read(theirs)[0], read(ours)[0]


def alpha_case(scratch, method, kind, opacity, size):
    """Alpha that is all or nothing: GDAL's pixels."""
    width, height = size
    full = np.iinfo(dtype(kind)).max
    alpha = np.where(holes(width, height, 5) & (opacity == "binary"), 0, full).astype(dtype(kind))
    data = np.concatenate([textures(kind, width, height, 3), alpha[None]])
    theirs, ours = alpha_both(scratch, method, data, LEVELS)
    return [f"level {k}: {words}" for k in range(len(theirs)) if (words := differences(ours[k], theirs[k]))]


def cubic_half(side):
    """The matrix that halves a side by Catmull-Rom, weights that lie within it sharing the rest."""
    out = np.zeros((side // 2, side))
    for target in range(side // 2):
        for source in range(max(0, 2 * target - 3), min(side, 2 * target + 5)):
            d = abs(source - 2 * target - 0.5) / 2
            out[target, source] = 1.5 * d**3 - 2.5 * d**2 + 1 if d <= 1 else -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2
    return out / out.sum(axis=1, keepdims=True)


def weighted_case(scratch, method):
    """Half-transparent pixels: colors are means weighted by alpha, which is how one composes images (GDAL: 14)."""
    side = 128
    rng = np.random.default_rng(11)
    data = np.concatenate([textures("u8", side, side, 3), rng.integers(1, 256, (1, side, side)).astype("u1")])
    _, ours = alpha_both(scratch, method, data, 1)
    half = cubic_half(side) if method == "cubic" else np.kron(np.eye(side // 2), [[0.5, 0.5]])
    alpha = data[3].astype("f8")
    weight = half @ alpha @ half.T
    colors = np.stack([half @ (band * alpha) @ half.T / weight for band in data[:3].astype("f8")])
    # Where weights below zero overshoot, colors stay among those under the kernel, which the window bounds.
    reach = 3 if method == "cubic" else 0
    lows, highs = (np.stack([extreme(band, reach, f) for band in data[:3]]) for f in (np.minimum, np.maximum))
    want = np.concatenate([np.clip(colors, lows, highs), np.clip(weight, 1, 255)[None]])
    want = np.floor(want + 0.5)
    words = differences(ours[1].astype("f8"), want)
    return [words] if words else []


def extreme(band, reach, pick):
    """The smallest or largest value within `reach` of each pair of rows and columns."""
    for axis in (0, 1):
        side = band.shape[axis]
        rows = [band.take(np.clip(np.arange(0, side, 2) + k, 0, side - 1), axis) for k in range(-reach, reach + 2)]
        out = rows[0]
        for row in rows[1:]:
            out = pick(out, row)
        band = out
    return band.astype("f8")


# Alpha: kernel, type, two colors (red in all bands) and alpha of 2x2 pixels, red and alpha of GDAL and of ours.
ALPHA_EXAMPLES = [
    ("14 alpha as a mere mask", "average", "u1", [[10, 200], [99, 99]], [[50, 200], [0, 0]], (105, 125), (162, 125)),
    ("15 alpha of other types", "average", "i2", [[10, 200], [99, 99]], [[100, 100], [0, 0]], (102, 50), (105, 100)),
]


def alpha_example(scratch, method, kind, red, alpha, theirs_wanted, ours_wanted):
    data = np.array([red, red, red, alpha], kind)
    out = []
    for name, got, wanted in zip(("GDAL", "ours"), alpha_both(scratch, method, data, 1), (theirs_wanted, ours_wanted)):
        if (int(got[1][0, 0, 0]), int(got[1][3, 0, 0])) != wanted:
            out.append(f"{name} is no longer as written: {got[1].ravel()}")
    return out


# Where GDAL differs from us on purpose: minimal examples by the numbers of docs/resampling.md. Each has a kernel, an
# image of one band, what is missing, and the first overview as GDAL makes it and as it should be. GDAL's answer is
# asserted too: the day it changes we want to know.
NAN, INF = math.nan, math.inf
MAX = float(np.finfo("f4").max)
EXAMPLES = [
    ("1 NaN spreads without nodata", "average", "f4", [[NAN, 1], [2, 3]], {}, [[NAN]], [[2]]),
    ("1 NaN spreads without nodata", "bilinear", "f4", [[NAN, 1], [2, 3]], {}, [[NAN]], [[1.75]]),
    ("1 NaN spreads without nodata", "cubic", "f4", [[0, 0, 0, 0, 0, 0, NAN, 0]] * 2, {}, [[0, NAN, NAN, NAN]], [[0, 0, 0, 0]]),
    ("2 NaN and a finite nodata", "average", "f4", [[NAN, 1], [2, 3]], {"nodata": -1}, [[NAN]], [[2]]),
    ("2 NaN and a finite nodata", "rms", "f4", [[NAN, 2], [2, 2]], {"nodata": -1}, [[NAN]], [[2]]),
    ("2 NaN and a finite nodata", "mode", "f4", [[NAN, NAN], [2, 3]], {"nodata": -1}, [[NAN]], [[2]]),
    ("3 mode of nothing", "mode", "f4", [[NAN, NAN], [NAN, NAN]], {"nodata": NAN}, [[0]], [[NAN]]),
    ("3 mode of nothing", "mode", "i2", [[-9, -9], [-9, -9]], {"nodata": -9}, [[0]], [[-9]]),
    ("4 mode and masks", "mode", "u1", [[9, 9, 3, 3], [9, 3, 3, 3]], {"mask": [[0, 0, 1, 1], [0, 1, 1, 1]]}, [[9, 3]], [[3, 3]]),
    ("5 rounding to nodata", "average", "i2", [[4, 6], [5, 6]], {"nodata": 5}, [[5]], [[6]]),
    ("5 rounding to nodata", "rms", "i4", [[4, 6], [5, 6]], {"nodata": 5}, [[5]], [[6]]),
    ("6 infinity and nodata", "bilinear", "f4", [[INF, 1], [2, 3]], {"nodata": -1}, [[MAX]], [[INF]]),
    ("6 infinity and nodata", "bilinear", "f4", [[INF, 1], [2, 3]], {"nodata": INF}, [[NAN]], [[1.75]]),
    ("7 squares beyond the range", "rms", "f8", [[1e200, 1e200], [1e200, 1e200]], {"nodata": -1}, [[INF]], [[1e200]]),
    ("8 root mean square of a constant", "rms", "f4", [[3.4e38] * 8] * 2, {}, [[3.4000003577925563e38] * 4], [[np.float32(3.4e38)] * 4]),
]


def example(scratch, method, kind, pixels, missing, theirs_wanted, ours_wanted):
    data = np.array([pixels], kind)
    mask = np.array(missing["mask"]) != 0 if "mask" in missing else None
    (theirs, _), (ours, our_masks) = both(scratch, method, data, missing.get("nodata"), mask, levels=1)
    out = []
    for name, got, wanted in (("GDAL", theirs, theirs_wanted), ("ours", ours, ours_wanted)):
        words = differences(got[1], np.array([wanted], kind))
        if words:
            out.append(f"{name} is no longer as written: {words}")
    if mask is not None and not our_masks[1].all():
        out.append("ours is masked")
    return out


def exception(method, kind, gaps):
    """What is left out of the grid: examples 4, 5 and, for gauss, 5 again."""
    if method == "mode" and gaps == "mask":
        return True
    if method in ("average", "rms") and gaps == "nodata" and kind in ("i8", "i16", "u32", "i32"):
        return True
    return method == "gauss" and gaps == "nodata" and kind[0] != "f"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--full", action="store_true", help="more sizes")
    a = p.parse_args()
    print("judge GDAL", gdal.__version__)
    report = Report("kernels")
    scratch = tempfile.mkdtemp(prefix="cogsmith-kernels-")
    try:
        sizes = SIZES + MORE_SIZES if a.full else SIZES
        for method, kind, gaps, size in itertools.product(METHODS, TYPES, GAPS, sizes):
            if exception(method, kind, gaps):
                continue
            report.run(f"{method} {kind} {gaps} {size[0]}x{size[1]}", case, scratch, method, kind, gaps, size)
        # BuildOverviews rounds sizes up, so ratios are below two as well. With masks, and of nearest, it makes every level
        # from full resolution (9).
        for method, kind, gaps, factors in itertools.product(METHODS[1:] + ("gauss",), ("u8", "i16", "f32"), GAPS[:2], ([2, 4, 8], [3, 9])):
            if exception(method, kind, gaps):
                continue
            report.run(f"{method} {kind} {gaps} factors {factors}", case, scratch, method, kind, gaps, (197, 263), factors)
        for method, nodata, size in itertools.product(("nearest", "average", "rms", "mode"), (None, 7), sizes):
            report.run(f"palette {method} {nodata} {size[0]}x{size[1]}", palette_case, scratch, method, nodata, size)
        for method, size in itertools.product(("average", "rms"), sizes):
            report.run(f"complex {method} {size[0]}x{size[1]}", complex_case, scratch, method, size)
        for method, kind, opacity, size in itertools.product(METHODS + ("gauss",), ("u8", "u16"), ("opaque", "binary"), sizes):
            if method != "mode" or opacity == "opaque":  # 4
                report.run(f"alpha {method} {kind} {opacity} {size[0]}x{size[1]}", alpha_case, scratch, method, kind, opacity, size)
        for method in ("average", "cubic"):
            report.run(f"alpha {method} weighted", weighted_case, scratch, method)
        for name, method, kind, *rest in ALPHA_EXAMPLES:
            report.run(f"example {name}, {method} {kind}", alpha_example, scratch, method, kind, *rest)
        for name, method, kind, *rest in EXAMPLES:
            report.run(f"example {name}, {method} {kind}", example, scratch, method, kind, *rest)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
