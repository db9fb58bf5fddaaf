"""VRT files made by GDAL, and by hand with every element that is supported: pixels, place, colors, nodata, and mask are GDAL's.
What is not supported is refused by name, and what is hostile without harm.

    python vrt.py        ONLY=words in the environment picks cases by name
"""

import itertools
import os

import tempfile
import time

import numpy as np
from osgeo import gdal

from command_line import run
from report import Report

gdal.UseExceptions()

TYPES = {"u8": (gdal.GDT_Byte, "Byte"), "i8": (gdal.GDT_Int8, "Int8"), "u16": (gdal.GDT_UInt16, "UInt16"), "i16": (gdal.GDT_Int16, "Int16"),
         "u32": (gdal.GDT_UInt32, "UInt32"), "i32": (gdal.GDT_Int32, "Int32"), "f32": (gdal.GDT_Float32, "Float32"),
         "f64": (gdal.GDT_Float64, "Float64")}
NUMPY = {"u8": "u1", "i8": "i1", "u16": "u2", "i16": "i2", "u32": "u4", "i32": "i4", "f32": "f4", "f64": "f8"}
FOLDER = tempfile.mkdtemp(prefix="cogsmith-vrt-")
TARGET = os.path.join(FOLDER, "out.tif")
report = Report("vrt")
gdal.SetConfigOption("GDAL_TIFF_INTERNAL_MASK", "YES")


def raster(name, kind, bands=1, width=60, height=50, place=(0, 0), nodata=None, seed=1, mask=False, low=0, high=100, alpha=False, palette=False):
    path = os.path.join(FOLDER, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    random = np.random.default_rng(seed)
    options = ["TILED=YES", "BLOCKXSIZE=16", "BLOCKYSIZE=32"] + (["PHOTOMETRIC=RGB"] if bands >= 3 else []) + (["ALPHA=YES"] if alpha else [])
    file = gdal.GetDriverByName("GTiff").Create(path, width, height, bands, TYPES[kind][0], options)
    file.SetGeoTransform((500000 + 10 * place[0], 10, 0, 6000000 - 10 * place[1], 0, -10))
    file.SetSpatialRef(srs())
    for number in range(1, bands + 1):
        band = file.GetRasterBand(number)
        pixels = random.integers(low, high, (height, width)).astype(NUMPY[kind])
        if alpha and number == bands:
            pixels = (random.random((height, width)) < 0.6).astype("u1") * 255
        if palette:
            table = gdal.ColorTable()
            for index in range(256):
                table.SetColorEntry(index, (index, 255 - index, 3, 255))
            band.SetColorTable(table)
        band.WriteArray(pixels)
        if nodata is not None:
            band.SetNoDataValue(nodata)
    if mask:
        file.CreateMaskBand(gdal.GMF_PER_DATASET)
        file.GetRasterBand(1).GetMaskBand().WriteArray((random.random((height, width)) < 0.6).astype("u1") * 255)
    file = None
    return path


def srs():
    from osgeo import osr
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(32633)
    return reference


def differences(path, *options):
    """Where the COG of a VRT differs from what GDAL reads of it."""
    done = run("create", "--quiet", "--overwrite", *options, path, TARGET)
    if done.code:
        return [str(done)]
    ours, theirs = gdal.Open(TARGET), gdal.Open(path)
    if (ours.RasterXSize, ours.RasterYSize, ours.RasterCount) != (theirs.RasterXSize, theirs.RasterYSize, theirs.RasterCount):
        return [f"size {ours.RasterXSize}x{ours.RasterYSize}x{ours.RasterCount}"]
    out = [] if ours.GetGeoTransform() == theirs.GetGeoTransform() else [f"transform {ours.GetGeoTransform()}, GDAL {theirs.GetGeoTransform()}"]
    if (theirs.GetSpatialRef() is None) != (ours.GetSpatialRef() is None) or theirs.GetSpatialRef() and not ours.GetSpatialRef().IsSame(theirs.GetSpatialRef()):
        out.append("another CRS")
    for number in range(1, ours.RasterCount + 1):
        mine, other = ours.GetRasterBand(number), theirs.GetRasterBand(number)
        for what, of in {"type": lambda b: b.DataType, "nodata": lambda b: repr(b.GetNoDataValue()), "scale": lambda b: b.GetScale() or 1,
                         "offset": lambda b: b.GetOffset() or 0, "unit": lambda b: b.GetUnitType(), "description": lambda b: b.GetDescription(),
                         "mask flags": lambda b: b.GetMaskFlags() & ~gdal.GMF_PER_DATASET}.items():
            if of(mine) != of(other):
                out.append(f"band {number}: {what} {of(mine)}, GDAL {of(other)}")
        a, b = mine.ReadAsArray(), other.ReadAsArray()
        same = (a == b) | ((a != a) & (b != b))
        if not same.all():
            row, column = np.argwhere(~same)[0]
            out.append(f"band {number}: {(~same).sum()} pixels differ, first {row},{column}: {a[row, column]}, GDAL {b[row, column]}")
        masks = [band.GetMaskBand().ReadAsArray() != 0 for band in (mine, other)]
        if not (masks[0] == masks[1]).all():
            out.append(f"band {number}: {(masks[0] != masks[1]).sum()} pixels of the mask differ")
    return out


def built(inputs, name="built.vrt", **options):
    path = os.path.join(FOLDER, name)
    gdal.BuildVRT(path, inputs, **options).FlushCache()
    return path


def written(name, text, kind="u8", width=60, height=50, bands=None):
    """A VRT by hand: the text of one band, or of all."""
    path = os.path.join(FOLDER, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    inside = bands or f'<VRTRasterBand dataType="{TYPES[kind][1]}" band="1">{text}</VRTRasterBand>'
    with open(path, "w") as file:
        file.write(f'<VRTDataset rasterXSize="{width}" rasterYSize="{height}">{inside}</VRTDataset>')
    return path


def source(kind, inside="", name="a.tif", band="1", from_=(0, 0, 60, 50), to=(0, 0, 60, 50)):
    rectangle = lambda name, r: f'<{name} xOff="{r[0]}" yOff="{r[1]}" xSize="{r[2]}" ySize="{r[3]}"/>'
    return (f'<{kind}Source><SourceFilename relativeToVRT="1">{name}</SourceFilename><SourceBand>{band}</SourceBand>'
            f'{rectangle("SrcRect", from_)}{rectangle("DstRect", to)}{inside}</{kind}Source>')


def tools():
    """What gdalbuildvrt and gdal_translate write."""
    for kind, nodata, separate in itertools.product(TYPES, (None, 5), (False, True)):
        inputs = [raster(f"{kind}-0.tif", kind, 2, nodata=nodata, seed=1), raster(f"{kind}-1.tif", kind, 2, place=(40, 20), nodata=nodata, seed=2)]
        if separate:
            inputs = [inputs[0], raster(f"{kind}-2.tif", kind, 1, nodata=nodata, seed=3)]
        report.run(f"buildvrt of {kind}, nodata {nodata}{', separate' * separate}", differences, built(inputs, separate=separate))
    rgb = [raster("rgb-0.tif", "u8", 3, seed=1, mask=True), raster("rgb-1.tif", "u8", 3, place=(40, 0), seed=2, mask=True)]
    report.run("buildvrt of masks", differences, built(rgb))
    rgba = [raster("rgba-0.tif", "u8", 4, seed=1, alpha=True), raster("rgba-1.tif", "u8", 4, place=(40, 10), seed=2, alpha=True)]
    report.run("buildvrt of alpha", differences, built(rgba))
    report.run("buildvrt with alpha added", differences, built(rgb, addAlpha=True))
    report.run("buildvrt of a palette", differences, built([raster("p0.tif", "u8", palette=True), raster("p1.tif", "u8", place=(60, 0), palette=True)]))
    report.run("buildvrt of some bands", differences, built(rgba, bandList=[3, 1]))
    report.run("buildvrt with other nodata", differences, built([raster("n0.tif", "i16", nodata=5), raster("n1.tif", "i16", place=(40, 0), nodata=7)], VRTNodata="9"))
    report.run("buildvrt with nodata that the files do not have", differences, built([raster("m0.tif", "u8"), raster("m1.tif", "u8", place=(30, 9))], srcNodata="3", VRTNodata="3"))
    path = os.path.join(FOLDER, "translated.vrt")
    for options in ["", "-b 3 -b 1", "-srcwin 5 6 40 30", "-ot Float32", "-ot Int16 -a_nodata 4", "-a_srs EPSG:3857 -a_ullr 0 10 10 0",
                    "-scale 0 100 0 255", "-ot Float32 -scale 0 100 -1 1", "-mo A=B -a_scale 0.1 -a_offset 2", "-colorinterp red,green,blue", "-mask 1 -b 1"]:
        for source_path in (rgb[0], raster("plain.tif", "u16", 3, high=3000)):
            gdal.Translate(path, source_path, options="-of VRT " + options).FlushCache()
            report.run(f"translate {options or 'alone'} of {os.path.basename(source_path)}", differences, path)
    nested = built([built(rgb, "inner.vrt"), raster("beside.tif", "u8", 3, place=(0, 60), mask=True)], "nested.vrt")
    report.run("nested", differences, nested)
    sub = raster("sub/below.tif", "i16", nodata=3)
    report.run("a file in a subfolder", differences, built([sub, raster("above.tif", "i16", place=(60, 0), nodata=3)]))


def elements():
    """Every element by hand."""
    raster("a.tif", "u8", 3, seed=4)
    raster("b.tif", "f32", 2, seed=5, nodata=7)
    raster("m.tif", "u8", 1, seed=6, mask=True)
    parts = [(5, 6, 20, 10), (50, 40, 20, 20), (-5, -5, 20, 20), (0, 0, 60, 50)]
    places = [(0, 0, 20, 10), (-5, 30, 20, 20), (30, 20, 20, 20), (20, 10, 60, 50)]
    for from_, to in zip(parts, places):
        report.run(f"part {from_} to {to}", differences, written("part.vrt", source("Simple", from_=from_, to=to)))
    for nodata in ("", "<NoDataValue>9</NoDataValue>"):
        below = source("Simple", to=(10, 0, 60, 50))
        for name, inside in {"NODATA": "<NODATA>7</NODATA>", "scale": "<ScaleOffset>3</ScaleOffset><ScaleRatio>1.7</ScaleRatio>",
                             "scale and NODATA": "<ScaleOffset>-3.5</ScaleOffset><ScaleRatio>0.5</ScaleRatio><NODATA>7</NODATA>",
                             "LUT": "<LUT>0:9,10:200,50:20,99:90</LUT>", "LUT and NODATA": "<NODATA>7</NODATA><LUT>0:200,99:3</LUT>",
                             "plain": ""}.items():
            for kind in TYPES:
                report.run(f"{name} as {kind}{', with nodata' * bool(nodata)}", differences,
                           written("complex.vrt", nodata + below + source("Complex", inside, name="b.tif"), kind))
        report.run(f"mask used{', with nodata' * bool(nodata)}", differences,
                   written("used.vrt", nodata + below + source("Complex", "<UseMaskBand>true</UseMaskBand>", name="m.tif")))
    report.run("mask as a band", differences, written("maskband.vrt", source("Simple", name="m.tif", band="mask,1")))
    report.run("mask of nodata as a band", differences, written("maskband.vrt", source("Simple", name="b.tif", band="mask,1")))
    mask = "<MaskBand><VRTRasterBand dataType=\"Byte\">{}</VRTRasterBand></MaskBand>"
    band = '<VRTRasterBand dataType="Byte" band="{}">{}</VRTRasterBand>'
    two = band.format(1, source("Simple")) + band.format(2, source("Simple", band="3"))
    report.run("a mask of all bands", differences, written("masked.vrt", "", bands=mask.format(source("Simple", name="m.tif", band="mask,1")) + two))
    report.run("bands from other files", differences, written("mixed.vrt", "", bands=two + band.format(3, source("Simple", name="m.tif"))))
    report.run("no sources", differences, written("empty.vrt", "<NoDataValue>3</NoDataValue>"))


def refused(path, words, *options):
    began = time.monotonic()
    done = run("create", "--quiet", "--overwrite", *options, path, TARGET, memory=2 << 30)
    out = [] if done.code == 1 and words in done.words() else [f"{done}"]
    return out + ([] if time.monotonic() - began < 20 else ["it took too long"])


def refusals():
    raster("a.tif", "u8", 3, seed=4)
    secret = tempfile.mkdtemp(prefix="cogsmith-secret-")
    other = os.path.join(secret, "secret.tif")
    gdal.Translate(other, os.path.join(FOLDER, "a.tif"))
    name = lambda text, relative=1: f'<SimpleSource><SourceFilename relativeToVRT="{relative}">{text}</SourceFilename><SourceBand>1</SourceBand></SimpleSource>'
    up = os.path.relpath(other, FOLDER)
    for text, relative, words in [(other, 0, "not relative"), (other, 1, "not relative"), (up, 1, "not below its folder"), ("/etc/passwd", 0, "not relative"),
                                  ("/vsicurl/http://127.0.0.1/x.tif", 1, "virtual file system"), ("http://127.0.0.1/x.tif", 1, "web address"),
                                  ("s3://bucket/x.tif", 1, "object store"), ("missing.tif", 1, "missing.tif"), ("", 1, "is empty")]:
        report.run(f"names {text or 'nothing'} ({relative})", refused, written("names.vrt", name(text, relative)), words)
    report.run("a root permits absolute names", differences, written("root.vrt", name(other, 0)), "--vrt-root", secret)
    report.run("and those alone", refused, written("root.vrt", name("a.tif")), "not below the folder that is permitted", "--vrt-root", secret)
    os.symlink(other, os.path.join(FOLDER, "link.tif"))
    report.run("a symbolic link that leads out", refused, written("link.vrt", name("link.tif")), "not below its folder")
    report.run("itself", refused, written("self.vrt", name("self.vrt")), "contains it again")
    written("one.vrt", name("two.vrt"))
    report.run("a circle", refused, written("two.vrt", name("one.vrt")), "contains it again")
    for depth in range(10):
        written(f"deep{depth}.vrt", name(f"deep{depth + 1}.vrt") if depth < 9 else source("Simple"))
    report.run("ten deep", refused, os.path.join(FOLDER, "deep0.vrt"), "depth of VRT files")
    report.run("eight deep", differences, os.path.join(FOLDER, "deep2.vrt"))
    for depth in range(8):
        written(f"wide{depth}.vrt", name(f"wide{depth + 1}.vrt") * 100 if depth < 7 else source("Simple"))
    report.run("a hundred times the next, eight deep", refused, os.path.join(FOLDER, "wide0.vrt"), "sources of a VRT")
    for text, words in [(source("Averaged"), "<AveragedSource>"), (source("KernelFiltered"), "<KernelFilteredSource>"),
                        (source("Complex", "<Exponent>2</Exponent>"), "<Exponent>"), (source("Complex", "<ColorTableComponent>1</ColorTableComponent>"), "ColorTableComponent"),
                        (source("Simple", to=(0, 0, 30, 25)), "resampled"), (source("Simple", from_=(0.5, 0, 60, 50)), "resampled"),
                        (source("Simple", band="9"), "band 9 of 'a.tif', which has 3"), (source("Simple", band="x"), "SourceBand is 'x'")]:
        report.run(f"refused: {words}", refused, written("refused.vrt", text), words)
    for attributes, words in [('subClass="VRTDerivedRasterBand"', "VRTDerivedRasterBand"), ('subClass="VRTRawRasterBand"', "VRTRawRasterBand"),
                              ('subClass="VRTWarpedRasterBand"', "VRTWarpedRasterBand")]:
        report.run(f"refused: {words}", refused, written("class.vrt", "", bands=f'<VRTRasterBand dataType="Byte" {attributes}>{source("Simple")}</VRTRasterBand>'), words)
    warped = os.path.join(FOLDER, "warped.vrt")
    gdal.Warp(warped, os.path.join(FOLDER, "a.tif"), options="-of VRT -t_srs EPSG:4326").FlushCache()
    report.run("refused: warped", refused, warped, "VRTWarpedDataset")
    huge = written("huge.vrt", source("Simple"), width=2**31 - 1, height=2**31 - 1)
    report.run("a huge size", refused, huge, "over the limit")
    with open(os.path.join(FOLDER, "bomb.vrt"), "w") as file:
        file.write('<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><VRTDataset rasterXSize="1" rasterYSize="1">&c;</VRTDataset>')
    report.run("entities", refused, os.path.join(FOLDER, "bomb.vrt"), "DTD")
    with open(os.path.join(FOLDER, "cut.vrt"), "w") as file:
        file.write('<VRTDataset rasterXSize="1" rasterYSize="1"><VRTRasterBand>')
    report.run("cut short", refused, os.path.join(FOLDER, "cut.vrt"), "damaged input")


for part in [tools, elements, refusals]:
    part()
raise SystemExit(report.close())
