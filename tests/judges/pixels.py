"""Chosen and converted pixels against GDAL: windows, bands, data types, rescaling, palettes.

    python pixels.py        ONLY=words in the environment picks cases by name
"""

import itertools
import os
import tempfile

import numpy as np
from osgeo import gdal

from command_line import ROOT, create
from report import Report

gdal.UseExceptions()

SOURCE = os.path.join(ROOT, "fixtures", "sentinel2_like.tif")
PALETTE = os.path.join(ROOT, "fixtures", "landcover_palette.tif")
TYPES = {"u8": gdal.GDT_Byte, "i8": gdal.GDT_Int8, "u16": gdal.GDT_UInt16, "i16": gdal.GDT_Int16, "u32": gdal.GDT_UInt32,
         "i32": gdal.GDT_Int32, "u64": gdal.GDT_UInt64, "i64": gdal.GDT_Int64, "f32": gdal.GDT_Float32, "f64": gdal.GDT_Float64}
NUMPY = {"u8": "u1", "i8": "i1", "u16": "u2", "i16": "i2", "u32": "u4", "i32": "i4", "u64": "u8", "i64": "i8", "f32": "f4", "f64": "f8"}
FOLDER = tempfile.mkdtemp(prefix="cogsmith-pixels-")
report = Report("pixels")


def values(kind):
    """Numbers at the limits of all types, halves, and noise: 40x30."""
    random = np.random.default_rng(7)
    edges = [0, 1, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1]
    wide = np.concatenate([random.integers(-300, 300, 600), random.integers(-70000, 70000, 562)])
    if kind.startswith("f"):
        edges = [float(e) for e in edges] + [0.5, 1.5, 2.5, 254.5, 255.4, 0.25, 0.75, 1e10, 3e38]
        all_values = np.array(edges + [-e for e in edges], dtype=NUMPY[kind])
        noise = (wide + random.integers(0, 4, wide.size) * 0.25).astype(NUMPY[kind])
        return np.resize(np.concatenate([all_values, noise]), (30, 40))
    limits = np.iinfo(NUMPY[kind])
    all_values = np.array([e for e in edges + [-e for e in edges] if limits.min <= e <= limits.max], dtype=NUMPY[kind])
    return np.resize(np.concatenate([all_values, np.clip(wide, limits.min, limits.max).astype(NUMPY[kind])]), (30, 40))


def raster(name, bands, kind, nodata=None, scale=None):
    """A GeoTIFF of these bands."""
    path = os.path.join(FOLDER, name + ".tif")
    height, width = bands[0].shape
    dataset = gdal.GetDriverByName("GTiff").Create(path, width, height, len(bands), TYPES[kind])
    dataset.SetGeoTransform((500000, 10, 0, 5000000, 0, -10))
    for number, pixels in enumerate(bands, 1):
        band = dataset.GetRasterBand(number)
        band.WriteArray(pixels)
        if nodata is not None:
            band.SetNoDataValue(nodata)
        if scale:
            band.SetScale(scale[0])
            band.SetOffset(scale[1])
    dataset = None
    return path


def differences(target, expected, *, valid=None):
    """Where a file differs from a data set of GDAL: pixels, transform, size."""
    ours = gdal.Open(target)
    out = []
    if (ours.RasterXSize, ours.RasterYSize, ours.RasterCount) != (expected.RasterXSize, expected.RasterYSize, expected.RasterCount):
        return [f"size {ours.RasterXSize}x{ours.RasterYSize}x{ours.RasterCount}, GDAL {expected.RasterXSize}x{expected.RasterYSize}x{expected.RasterCount}"]
    if not np.allclose(ours.GetGeoTransform(), expected.GetGeoTransform(), rtol=1e-14, atol=0):
        out.append(f"transform {ours.GetGeoTransform()}, GDAL {expected.GetGeoTransform()}")
    for number in range(1, ours.RasterCount + 1):
        mine, theirs = ours.GetRasterBand(number), expected.GetRasterBand(number)
        if mine.DataType != theirs.DataType:
            out.append(f"band {number}: type {gdal.GetDataTypeName(mine.DataType)}, GDAL {gdal.GetDataTypeName(theirs.DataType)}")
        a, b = mine.ReadAsArray(), theirs.ReadAsArray()
        same = (a == b) | ((a != a) & (b != b))
        if valid is not None:
            same |= ~valid
        if not same.all():
            row, column = np.argwhere(~same)[0]
            out.append(f"band {number}: {(~same).sum()} pixels differ, first {row},{column}: {a[row, column]}, GDAL {b[row, column]}")
    return out


def compare(source, options, gdal_options, valid=None):
    target = os.path.join(FOLDER, "out.tif")
    done = create(source, target, overwrite=True, quiet=True, **options)
    if done.code:
        return [str(done)]
    return differences(target, gdal.Translate("", source, options="-of MEM " + gdal_options), valid=valid)


def windows():
    for left, top, width, height in [(0, 0, 10, 10), (3, 5, 100, 50), (17, 0, 33, 200), (0, 31, 512, 17)]:
        report.run(f"window {left},{top},{width},{height}", compare, SOURCE, {"window": f"{left},{top},{width},{height}"},
                   f"-srcwin {left} {top} {width} {height}")
    x, dx, _, y, _, dy = gdal.Open(SOURCE).GetGeoTransform()
    for a, b, c, d in [(0, 0, 10, 10), (2.3, 4.6, 51.2, 60.9), (0.9995, 1.0, 5.5, 6.49), (7, 8, 9, 9.5)]:
        box = (x + a * dx, y + d * dy, x + c * dx, y + b * dy)
        report.run(f"bbox of pixels {a},{b} to {c},{d}", compare, SOURCE, {"bbox": ",".join(map(repr, box))},
                   f"-projwin {box[0]!r} {box[3]!r} {box[2]!r} {box[1]!r}")


def bands():
    count = gdal.Open(SOURCE).RasterCount
    for chosen in [(1,), (count,), (count, 1), (1, 1, count)]:
        report.run(f"bands {chosen}", compare, SOURCE, {"bands": ",".join(map(str, chosen))}, " ".join(f"-b {b}" for b in chosen))
    report.run("bands and window", compare, SOURCE, {"bands": f"{count},1", "window": "5,6,70,80", "interleave": "band"},
               f"-b {count} -b 1 -srcwin 5 6 70 80")


def types():
    for source, target in itertools.product(TYPES, TYPES):
        if source == target:
            continue
        path = raster(f"{source}", [values(source)], source)
        # GDAL makes 0 of a double of 2^64 or more; the others limit it to the range.
        valid = values(source) < 2.0**64 if (source, target) == ("f64", "u64") else None
        report.run(f"{source} to {target}", compare, path, {"dtype": target}, f"-ot {gdal.GetDataTypeName(TYPES[target])}", valid)


def rescaling():
    for source, target in itertools.product(["u8", "u16", "i16", "i32", "f32", "f64"], ["u8", "u16", "i16", "i32", "f32", "f64"]):
        path = raster(f"{source}", [values(source)], source)
        for mapping in ["0,100,0,255", "-300,300,1,254", "100,0,0,50"]:
            report.run(f"{source} to {target}, {mapping}", compare, path, {"dtype": target, "rescale": mapping},
                       f"-ot {gdal.GetDataTypeName(TYPES[target])} -scale {mapping.replace(',', ' ')}")
    path = raster("two", [values("u16"), values("u16")], "u16")
    target = os.path.join(FOLDER, "out.tif")

    def per_band():
        from command_line import run
        done = run("create", "--quiet", "--overwrite", "--dtype", "u8", "--rescale", "0,1000,0,255", "--rescale", "0,100,0,255", path, target)
        if done.code:
            return [str(done)]
        return differences(target, gdal.Translate("", path, options="-of MEM -ot Byte -scale_1 0 1000 0 255 -scale_2 0 100 0 255"))
    report.run("one mapping per band", per_band)


def unscaling():
    for kind in ["u8", "u16", "i16", "i32", "f32"]:
        path = raster(f"scaled-{kind}", [values(kind)], kind, scale=(0.1, -3.5))
        for target in ["f32", "f64", "i16"]:
            report.run(f"unscale {kind} to {target}", compare, path, {"dtype": target, "unscale": True},
                       f"-ot {gdal.GetDataTypeName(TYPES[target])} -unscale")


def nodata():
    """Nodata pixels stay nodata, and no other pixel becomes nodata; all others are GDAL's."""
    for source, target, old, new in [("f32", "u8", -300, 0), ("f32", "u8", -300, 255), ("i16", "u8", -5, 7), ("u16", "i16", 0, None),
                                     ("f64", "f32", -300, None), ("i32", "i16", 100, -32768), ("f32", "i16", float("nan"), 0)]:
        pixels = values(source)
        if old != old:
            pixels[::7, ::3] = np.nan
        path = raster(f"nodata-{source}", [pixels], source, nodata=old)

        def case():
            out = os.path.join(FOLDER, "out.tif")
            done = create(path, out, overwrite=True, quiet=True, dtype=target, nodata=new)
            if done.code:
                return [str(done)]
            dataset = gdal.Open(out)
            ours = dataset.GetRasterBand(1)
            expected = old if new is None else new
            if ours.GetNoDataValue() != expected:
                return [f"nodata {ours.GetNoDataValue()}, expected {expected}"]
            void = pixels != pixels if old != old else pixels == old
            got = ours.ReadAsArray() == expected
            if (got != void).any():
                return [f"{(got & ~void).sum()} pixels became nodata, {(void & ~got).sum()} lost it"]
            plain = gdal.Translate("", path, options=f"-of MEM -ot {gdal.GetDataTypeName(TYPES[target])}")
            # Values that would be nodata move by one step.
            return differences(out, plain, valid=~void & (plain.ReadAsArray() != expected))
        report.run(f"nodata {old} of {source} as {new} of {target}", case)


def palettes():
    for colors in ["rgb", "rgba"]:
        dataset = gdal.Open(PALETTE)
        valid = dataset.ReadAsArray() != dataset.GetRasterBand(1).GetNoDataValue()
        report.run(f"palette to {colors}", compare, PALETTE, {"expand_palette": colors}, f"-expand {colors}", valid)


def existing():
    """Overviews that the input has, in itself or in a file next to it: GDAL's AUTO takes the same."""
    def case(where, masked):
        source = os.path.join(FOLDER, f"existing-{where}-{masked}.tif")
        random = np.random.default_rng(3)
        with gdal.config_option("GDAL_TIFF_INTERNAL_MASK", "YES"):
            dataset = gdal.GetDriverByName("GTiff").Create(source, 1300, 1101, 2, gdal.GDT_UInt16)
            for number in (1, 2):
                dataset.GetRasterBand(number).WriteArray(random.integers(0, 5000, (1101, 1300)).astype("u2"))
            if masked:
                dataset.CreateMaskBand(gdal.GMF_PER_DATASET)
                dataset.GetRasterBand(1).GetMaskBand().WriteArray((random.integers(0, 9, (1101, 1300)) > 0) * np.uint8(255))
            dataset = None
            dataset = gdal.Open(source, gdal.GA_ReadOnly if where == "beside" else gdal.GA_Update)
            dataset.BuildOverviews("MODE", [2, 4])
            dataset = None
        target, expected = source + ".cog", source + ".gdal"
        done = create(source, target, overviews="existing", quiet=True)
        if done.code:
            return [str(done)]
        gdal.Translate(expected, source, format="COG", creationOptions=["OVERVIEWS=AUTO"])
        ours, theirs = gdal.Open(target), gdal.Open(expected)
        problems = []
        for number, level in itertools.product((1, 2), (0, 1)):
            a, b = (dataset.GetRasterBand(number).GetOverview(level) for dataset in (ours, theirs))
            if a is None or (a.XSize, a.YSize) != (b.XSize, b.YSize) or not np.array_equal(a.ReadAsArray(), b.ReadAsArray()):
                problems.append(f"overview {level} of band {number} differs")
            elif masked and not np.array_equal(a.GetMaskBand().ReadAsArray(), b.GetMaskBand().ReadAsArray()):
                problems.append(f"the mask of overview {level} differs")
        return problems

    for where, masked in [("inside", False), ("inside", True), ("beside", False)]:
        report.run(f"existing overviews {where}, {'with' if masked else 'without'} mask", case, where, masked)


def sizes():
    """The levels of a file reduced to the size of its overview are those of the overview."""
    for kernel in ["average", "cubic", "nearest"]:
        def case():
            whole, reduced = os.path.join(FOLDER, "whole.tif"), os.path.join(FOLDER, "out.tif")
            done = create(SOURCE, whole, overwrite=True, quiet=True, overview_count=1, overview_resampling=kernel)
            overview = gdal.OpenEx(whole, open_options=["OVERVIEW_LEVEL=0"])
            other = create(SOURCE, reduced, overwrite=True, quiet=True, size=f"{overview.RasterXSize}x{overview.RasterYSize}", size_resampling=kernel)
            if done.code or other.code:
                return [str(done), str(other)]
            return differences(reduced, overview)
        report.run(f"size with {kernel}", case)


for part in [windows, bands, types, rescaling, unscaling, nodata, palettes, sizes, existing]:
    part()
raise SystemExit(report.close())
