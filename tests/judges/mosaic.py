"""Mosaics and stacks against gdalbuildvrt with the COG driver, and against rasterio.merge: pixels, place, nodata, mask, colors.

    python mosaic.py        ONLY=words in the environment picks cases by name
"""

import itertools
import os
import tempfile

import numpy as np
import rasterio
import rasterio.merge
from osgeo import gdal

from command_line import run
from report import Report

gdal.UseExceptions()

KINDS = {"u8": "u1", "i8": "i1", "u16": "u2", "i16": "i2", "u32": "u4", "i32": "i4", "f32": "f4", "f64": "f8"}
FOLDER = tempfile.mkdtemp(prefix="cogsmith-mosaic-")
TARGET = os.path.join(FOLDER, "out.tif")
report = Report("mosaic")


def tile(name, column, row, pixels, nodata=None, mask=None, **creation):
    """A GeoTIFF at a place of the grid of 10 m pixels; pixels are (band, row, column)."""
    path = os.path.join(FOLDER, name + ".tif")
    bands, height, width = pixels.shape
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        with rasterio.open(path, "w", driver="GTiff", width=width, height=height, count=bands, dtype=pixels.dtype, nodata=nodata,
                           crs="EPSG:32633", transform=rasterio.transform.from_origin(500000 + 10 * column, 6000000 - 10 * row, 10, 10),
                           **creation) as file:
            file.write(pixels)
            if mask is not None:
                file.write_mask(mask)
    return path


def noise(kind, shape, seed, nodata=None, low=1, high=100):
    """Numbers, of which a tenth in patches is nodata."""
    random = np.random.default_rng(seed)
    pixels = random.integers(low, high, shape).astype(KINDS[kind])
    if nodata is not None:
        holes = np.kron(random.random((shape[1] // 8 + 1, shape[2] // 8 + 1)) < 0.2, np.ones((8, 8), bool))
        pixels[:, holes[: shape[1], : shape[2]]] = nodata
    return pixels


def overlapping(kind, bands=1, nodata=None, low=1, high=100, **creation):
    """Four tiles of other sizes: side by side, one over the other, and one apart."""
    places = [(0, 0, 70, 50), (60, 10, 90, 64), (20, 30, 33, 80), (170, 100, 10, 10)]
    return [tile(f"{kind}-{index}", column, row, noise(kind, (bands, height, width), index, nodata, low, high), nodata, **creation)
            for index, (column, row, width, height) in enumerate(places)]


def mosaic(inputs, *options):
    return run("mosaic", "--quiet", "--overwrite", *options, "--output", TARGET, *inputs)


def differences(ours, theirs, valid=None, names=True):
    """Where a data set differs from another: size, transform, CRS, types, nodata, colors, mask, pixels."""
    out = []
    if (ours.RasterXSize, ours.RasterYSize, ours.RasterCount) != (theirs.RasterXSize, theirs.RasterYSize, theirs.RasterCount):
        return [f"size {ours.RasterXSize}x{ours.RasterYSize}x{ours.RasterCount}, GDAL {theirs.RasterXSize}x{theirs.RasterYSize}x{theirs.RasterCount}"]
    if ours.GetGeoTransform() != theirs.GetGeoTransform():
        out.append(f"transform {ours.GetGeoTransform()}, GDAL {theirs.GetGeoTransform()}")
    if not ours.GetSpatialRef().IsSame(theirs.GetSpatialRef()):
        out.append("another CRS")
    for number in range(1, ours.RasterCount + 1):
        mine, other = ours.GetRasterBand(number), theirs.GetRasterBand(number)
        for what, of in {"type": lambda b: b.DataType, "color": lambda b: b.GetColorInterpretation(), "scale": lambda b: b.GetScale() or 1,
                         "offset": lambda b: b.GetOffset() or 0, "description": lambda b: b.GetDescription()}.items():
            if of(mine) != of(other) and (names or what not in ("description", "color")):
                out.append(f"band {number}: {what} {of(mine)}, GDAL {of(other)}")
        if valid is None and repr(mine.GetNoDataValue()) != repr(other.GetNoDataValue()):
            out.append(f"band {number}: nodata {mine.GetNoDataValue()}, GDAL {other.GetNoDataValue()}")
        masks = [band.GetMaskBand().ReadAsArray() != 0 for band in (mine, other)]
        if valid is None and not (masks[0] == masks[1]).all():
            out.append(f"band {number}: {(masks[0] != masks[1]).sum()} pixels of the mask differ")
        if valid is not None and not (masks[0] == valid).all():
            out.append(f"band {number}: {(masks[0] != valid).sum()} pixels of the mask are not those that inputs cover")
        a, b = mine.ReadAsArray(), other.ReadAsArray()
        same = (a == b) | ((a != a) & (b != b)) | ~masks[0]
        if not same.all():
            row, column = np.argwhere(~same)[0]
            out.append(f"band {number}: {(~same).sum()} pixels differ, first {row},{column}: {a[row, column]}, GDAL {b[row, column]}")
    return out


def by_gdal(inputs, **options):
    """What gdalbuildvrt and the COG driver make of inputs."""
    vrt = gdal.BuildVRT(os.path.join(FOLDER, "out.vrt"), inputs, **options)
    vrt = None
    return gdal.Translate("/vsimem/theirs.tif", os.path.join(FOLDER, "out.vrt"), format="COG")


def covered(inputs, theirs):
    """The pixels that some input has."""
    x, dx, _, y, _, dy = theirs.GetGeoTransform()
    valid = np.zeros((theirs.RasterYSize, theirs.RasterXSize), bool)
    for path in inputs:
        one = gdal.Open(path)
        left, top = round((one.GetGeoTransform()[0] - x) / dx), round((one.GetGeoTransform()[3] - y) / dy)
        valid[top : top + one.RasterYSize, left : left + one.RasterXSize] = True
    return valid


def against_gdal(inputs, *options, has_gaps=False, **gdal_options):
    done = mosaic(inputs, *options)
    if done.code:
        return [str(done)]
    theirs = by_gdal(inputs, **gdal_options)
    # Where no input has a pixel, GDAL's are 0 and valid; ours are masked.
    return differences(gdal.Open(TARGET), theirs, covered(inputs, theirs) if has_gaps else None)


def types():
    for kind in KINDS:
        report.run(f"{kind} with nodata", against_gdal, overlapping(kind, nodata=5))
        report.run(f"{kind} without nodata", lambda inputs: against_gdal(inputs, has_gaps=True), overlapping(kind))
    for nodata in (-9999, float("nan"), -3.4028234663852886e38):
        report.run(f"f32 with nodata {nodata}", against_gdal, overlapping("f32", nodata=nodata))
    report.run("three bands", against_gdal, overlapping("u16", bands=3, nodata=0, interleave="band"))
    report.run("three bands by pixel", against_gdal, overlapping("u16", bands=3, nodata=0, interleave="pixel"), "--interleave", "band")
    report.run("colors", against_gdal, overlapping("u8", bands=3, nodata=0, photometric="RGB"))
    report.run("windows of the mosaic", lambda inputs: [str(done)] if (done := mosaic(inputs, "--window", "10,20,100,60")).code else
               differences(gdal.Open(TARGET), gdal.Translate("", by_gdal(inputs), format="MEM", srcWin=[10, 20, 100, 60])),
               overlapping("i16", nodata=5))


def masks():
    random = np.random.default_rng(3)
    paths = []
    for index, (column, row, width, height) in enumerate([(0, 0, 70, 50), (60, 0, 90, 50), (20, 30, 33, 20)]):
        mask = (random.random((height, width)) < 0.7).astype("u1") * 255
        paths.append(tile(f"mask-{index}", column, row, noise("u8", (3, height, width), index), mask=mask, photometric="RGB"))
    report.run("masks", against_gdal, paths)
    report.run("masks and nodata of gaps", against_gdal, paths[:1] + paths[2:])
    # The alpha of a mosaic: transparent pixels do not cover others.
    paths = []
    for index, (column, row, width, height) in enumerate([(0, 0, 70, 50), (40, 20, 90, 50)]):
        pixels = noise("u8", (4, height, width), index)
        pixels[3] = 255 * (random.random((height, width)) < 0.7)
        paths.append(tile(f"alpha-{index}", column, row, pixels, photometric="RGB", alpha="YES"))
    report.run("alpha", against_gdal, paths)


def shapes():
    ones = [tile(f"one-{row}-{column}", column, row, np.full((1, 1, 1), 10 * row + column + 1, "u1"), 0)
            for row, column in itertools.product(range(5), range(7)) if (row, column) != (2, 3)]
    report.run("1 x 1 tiles", against_gdal, ones)
    sparse = tile("sparse", 0, 0, np.zeros((1, 300, 400), "u2"), 0, tiled=True, blockxsize=64, blockysize=64, sparse_ok=True)
    report.run("sparse inputs", against_gdal, [sparse, *overlapping("u16", nodata=0)])
    one = overlapping("u16", nodata=0)[:1]
    report.run("one input", against_gdal, one)
    report.run("the same input twice", against_gdal, one * 2)
    tall = [tile(f"tall-{index}", 100 * index, 0, noise("i16", (1, 700, 100), index), -1, blockysize=rows, compress="LZW")
            for index, rows in enumerate((700, 1, 33))]
    report.run("strips of all heights", against_gdal, tall)
    aligned = [tile("near-0", 0, 0, noise("u8", (1, 20, 20), 1), 0), tile("near-1", 20.0005, 0, noise("u8", (1, 20, 20), 2), 0)]
    report.run("off by less than a thousandth of a pixel", lambda: [] if mosaic(aligned).code == 0 else ["refused"])


def palettes():
    colors = {index: (index, 255 - index, 7, 255) for index in range(256)}
    paths = []
    for index, column in enumerate((0, 30)):
        path = tile(f"palette-{index}", column, 0, noise("u8", (1, 40, 40), index), photometric="palette")
        with rasterio.open(path, "r+") as file:
            file.write_colormap(1, colors)
        paths.append(path)
    report.run("palettes", against_gdal, paths)


def rules():
    """Rules for overlaps against rasterio.merge."""
    names = {"first": "first", "last": "last", "min": "min", "max": "max", "sum": "sum", "count": "count"}
    for (rule, method), kind, nodata in itertools.product(names.items(), ("u8", "i16", "f32", "f64"), (0, None)):
        # Sums stay within the type.
        inputs = overlapping(kind, bands=2, nodata=nodata, high=40)

        def compare():
            done = mosaic(inputs, "--overlap", rule)
            if done.code:
                return [str(done)]
            expected, transform = rasterio.merge.merge(inputs, method=method)
            with rasterio.open(TARGET) as ours:
                # rasterio counts at positions without data too, and adds up from 0.
                valid = ours.read_masks() != 0
                same = (ours.read() == expected) | ~valid
                out = [] if same.all() else [f"{(~same).sum()} pixels differ"]
                return out + ([] if ours.transform == transform else [f"transform {ours.transform}, rasterio {transform}"])

        report.run(f"{rule} of {kind}, nodata {nodata}", compare)
    mean = overlapping("i16", nodata=0)

    def compare_mean():
        done = mosaic(mean, "--overlap", "mean")
        if done.code:
            return [str(done)]
        total, _ = rasterio.merge.merge(mean, method="sum", dtype="f8", nodata=0)
        count, _ = rasterio.merge.merge(mean, method="count", dtype="f8", nodata=0)
        with rasterio.open(TARGET) as ours:
            valid = ours.read_masks() != 0
            expected = np.floor(np.divide(total, count, where=valid, out=np.zeros_like(total)) + 0.5)
            return [] if ((ours.read() == expected) | ~valid).all() else ["pixels differ"]

    report.run("mean", compare_mean)


def stacks():
    """Bands of files, against gdalbuildvrt -separate; their names and colors are ours: GDAL has no names, and may call gray undefined."""
    def compare(inputs, names, *options):
        done = run("stack", "--quiet", "--overwrite", *options, "--output", TARGET, *inputs)
        if done.code:
            return [str(done)]
        ours = gdal.Open(TARGET)
        own = [ours.GetRasterBand(number).GetDescription() for number in range(1, ours.RasterCount + 1)]
        out = [] if own == names else [f"bands are {own}"]
        return out + differences(ours, by_gdal(inputs, separate=True), names=False)

    for kind, nodata in itertools.product(KINDS, (None, 5)):
        inputs = [tile(f"band-{index}", 3, 4, noise(kind, (1, 60, 70), index, nodata), nodata) for index in range(4)]
        for interleave in ("pixel", "band"):
            report.run(f"stack of {kind}, nodata {nodata}, by {interleave}", compare, inputs, [f"band-{index}" for index in range(4)],
                       "--interleave", interleave)
    many = [tile(f"many-{index:03}", 0, 0, noise("u8", (1, 20, 20), index)) for index in range(300)]
    report.run("stack of 300 files", compare, many, [f"many-{index:03}" for index in range(300)])


def refusals():
    """What does not fit together is refused with both names, and made to fit by options."""
    base = tile("base", 0, 0, noise("u8", (1, 20, 20), 1), 0)
    cases = {
        "data types u8 and u16": (tile("type", 20, 0, noise("u16", (1, 20, 20), 1), 0), ["--dtype", "u16"]),
        "1 and 2 bands": (tile("bands", 20, 0, noise("u8", (2, 20, 20), 1), 0), ["--bands", "1"]),
        "nodata values 0 and 255": (tile("nodata", 20, 0, noise("u8", (1, 20, 20), 1), 255), ["--nodata", "0"]),
        "0.5000 columns": (tile("off", 20.5, 0, noise("u8", (1, 20, 20), 1), 0), None),
    }

    def compare(words, other, options):
        done = mosaic([base, other])
        said = done.words()
        out = [] if done.code == 1 and words in said and base in said and other in said else [f"said {said}"]
        if options and (done := mosaic([base, other], *options)).code:
            out.append(f"with {options}: {done}")
        return out

    for words, (other, options) in cases.items():
        report.run(f"refused: {words}", compare, words, other, options)

    def equal_after_nodata():
        """Inputs with other nodata values become one: GDAL knows what is nodata in each."""
        done = mosaic([base, cases["nodata values 0 and 255"][0]], "--nodata", "0")
        theirs = by_gdal([base, cases["nodata values 0 and 255"][0]], VRTNodata="0")
        return [str(done)] if done.code else differences(gdal.Open(TARGET), theirs)

    report.run("other nodata values", equal_after_nodata)


for part in [types, masks, shapes, palettes, rules, stacks, refusals]:
    part()
raise SystemExit(report.close())
