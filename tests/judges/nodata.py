"""Which pixels equal nodata: overviews, statistics and the text of the tag, by differential test against GDAL.

    python nodata.py
"""

import itertools
import os
import shutil
import sys
import tempfile

os.environ.setdefault("GDAL_PAM_ENABLED", "NO")
import numpy as np
import tifffile
from osgeo import gdal

import command_line
import reference
from report import Report

gdal.UseExceptions()
gdal.PushErrorHandler("CPLQuietErrorHandler")

METHODS = ("nearest", "average", "rms", "bilinear", "cubic", "mode")
CELL = 8
STATISTICS = ("MINIMUM", "MAXIMUM", "MEAN", "STDDEV", "VALID_PERCENT")
# Text of the tag as people write it, and nodata that rounds, overflows or underflows.
TEXTS = {"f4": ("-9999", "0.1", "-0.1", "1e-30", "1e-40", "-1e-45", "1e-50", "0", "-0", "inf", "-inf", "nan", "2e38", "1e39", "-3.402823e+38", "-3.4e38",
                "-3.4028235e38", "3.40282347e+38", "-3.4028234663852886e+38", "3.4028234663852886e+38", "-32768.5", "16777217"),
         "f8": ("-9999", "0.1", "1e-300", "-1e-310", "0", "inf", "nan", "-3.402823e+38", "-1.79769e+308", "1.7976931348623157e+308", "9e307")}


def candidates(kind, nodata, method):
    """Values around nodata: 0 to 16 steps of single precision, relative distances of doubles, and values far away."""
    real = np.dtype(kind).type
    out = [nodata, -nodata, real(0), real(1), nodata / 2, nodata * real(0.999), real("inf"), real("-inf"), np.finfo(kind).max, np.finfo(kind).min]
    for direction in (real("-inf"), real("inf")):
        value = nodata
        for _ in range(16):
            value = np.nextafter(value, direction)
            out.append(value)
    if kind == "f8":
        for relative in np.geomspace(1e-8, 1e-6, 31):
            out += [nodata * (1 + relative), nodata * (1 - relative)]
    values = np.array(out, kind)
    values = values[~np.isnan(values)]
    if method in ("nearest", "mode") or (kind, method) == ("f4", "average"):
        return values
    # Sums and squares of numbers near the end of the range, and infinities, are another matter (resampling.md).
    return values[(np.abs(values) < 1e15) | reference.equals_nodata(values, nodata)]


def picture(kind, nodata, method):
    """A cell for each candidate: alone in its left half, in its right half next to values that are valid."""
    values = candidates(kind, nodata, method)
    across = 8
    down = -(-len(values) // across)
    image = np.full((down * CELL, across * CELL), 100, kind)
    y, x = np.mgrid[0:CELL, 0:CELL]
    for place, value in enumerate(values):
        top, left = place // across * CELL, place % across * CELL
        image[top : top + CELL, left : left + CELL][(x < CELL // 2) | ((x + y) % 4 == 0)] = value
    return image


def tagged(path, image, text, mask=None):
    """A file of a foreign writer with this text."""
    extra = [] if text is None else [(42113, "s", 0, text, True)]
    tifffile.imwrite(path, image, photometric="minisblack", metadata=None, extratags=extra)
    if mask is not None:
        with gdal.config_option("GDAL_TIFF_INTERNAL_MASK", "YES"):
            ds = gdal.Open(path, gdal.GA_Update)
            ds.CreateMaskBand(gdal.GMF_PER_DATASET)
            ds.GetRasterBand(1).GetMaskBand().WriteArray(np.where(mask, 255, 0).astype("u1"))
            ds = None


def converted(scratch, method, levels=2):
    """The source by GDAL's COG driver and by us, both with statistics."""
    source, theirs, ours = (os.path.join(scratch, n + ".tif") for n in ("source", "gdal", "ours"))
    for path in (theirs, ours):
        if os.path.exists(path):
            os.remove(path)
    gdal.GetDriverByName("COG").CreateCopy(theirs, gdal.Open(source), options=[
        f"OVERVIEW_RESAMPLING={method.upper()}", f"OVERVIEW_COUNT={levels}", "BLOCKSIZE=128", "COMPRESS=NONE"])
    r = command_line.create(source, ours, quiet=True, overwrite=True, compress="none", blocksize=128, overview_resampling=method, overview_count=levels, stats=True)
    if r.code != 0:
        raise RuntimeError(str(r))
    return theirs, ours


def statistics_differ(scratch, ours, nodata=None):
    """GDAL's statistics of the source; it sums doubles and prints the percentage with 2 decimals or 4 digits."""
    source = os.path.join(scratch, "source.tif")
    their, our = (gdal.Open(path) for path in (source, ours))
    out = []
    for band in range(1, their.RasterCount + 1):
        counted, found = their.GetRasterBand(band), our.GetRasterBand(band).GetMetadata()
        try:
            wanted = list(counted.ComputeStatistics(False)) + [float(counted.GetMetadataItem("STATISTICS_VALID_PERCENT"))]
        except RuntimeError:  # no valid pixel
            wanted = [np.nan] * 4 + [0.0]
        if nodata is not None and counted.DataType == gdal.GDT_Float64:
            # GDAL compares doubles exactly here, and by ARE_REAL_EQUAL elsewhere.
            pixels = counted.ReadAsArray()
            valid = pixels[reference.validity(pixels, None, nodata)]
            with np.errstate(all="ignore"):
                wanted = [f(valid) if valid.size else np.nan for f in (np.min, np.max, np.mean, np.std)] + [100 * valid.size / pixels.size]
        for name, a in zip(STATISTICS, wanted):
            b = float(found.get(f"STATISTICS_{name}", "nan"))
            close = np.isclose(a, b, rtol=1e-9, atol=0.006 if name == "VALID_PERCENT" else 1e-300, equal_nan=True)
            if not close and np.isfinite(a):  # sums beyond the range of doubles are not finite in GDAL
                out.append(f"band {band}: {name} is {b}, GDAL has {a}")
    return out


def differences(theirs, ours, nodata):
    """Overviews and their validity; a value that we keep off nodata may differ by as much as we moved it."""
    out = []
    their, our = (gdal.Open(path) for path in (theirs, ours))
    for k in range(their.GetRasterBand(1).GetOverviewCount()):
        t, o = (ds.GetRasterBand(1).GetOverview(k) for ds in (their, our))
        a, b = t.ReadAsArray(), o.ReadAsArray()
        valid = [level.GetMaskBand().ReadAsArray() != 0 for level in (t, o)]
        with np.errstate(invalid="ignore", over="ignore"):
            # What GDAL computes may equal nodata and is lost then; ours is valid.
            lost = valid[1] & ~valid[0] & reference.equals_nodata(a, nodata) & ~reference.equals_nodata(b, nodata)
            lost &= reference.equals_nodata(np.nextafter(b, a), nodata)
            same = (a == b) | (np.isnan(a) & np.isnan(b))
        bad = ~(same & (valid[0] == valid[1])) & ~lost
        if bad.any():
            y, x = np.argwhere(bad)[0]
            out.append(f"overview {k + 1}: {int(bad.sum())} differ, first x={x} y={y}: {b[y, x]!r}, valid {valid[1][y, x]}, GDAL {a[y, x]!r}, {valid[0][y, x]}")
    return out


def tag_of(path):
    with tifffile.TiffFile(path) as tif:
        return {page.tags[42113].value for page in tif.pages if 42113 in page.tags and not page.is_mask}


def text_case(scratch, kind, text, method):
    source = os.path.join(scratch, "source.tif")
    tagged(source, np.zeros((16, 16), kind), text)
    ds = gdal.Open(source)
    nodata = np.dtype(kind).type(ds.GetRasterBand(1).GetNoDataValue())
    ds = None
    tagged(source, picture(kind, nodata, method), text)
    theirs, ours = converted(scratch, method)
    out = differences(theirs, ours, nodata) + statistics_differ(scratch, ours, nodata)
    if tag_of(theirs) != tag_of(ours):
        out.append(f"the tag is {tag_of(ours)}, GDAL writes {tag_of(theirs)}")
    (written,) = tag_of(ours)
    if kind == "f4" and not np.isnan(nodata) and float(np.float32(written)) != float(written):
        out.append(f"{written} is not a value of single precision")
    return out


def option_case(scratch, kind, text):
    """The value as an option: the tag that gdal_translate -a_nodata writes."""
    source, theirs, ours = (os.path.join(scratch, n + ".tif") for n in ("source", "gdal", "ours"))
    tagged(source, np.ones((16, 16), kind), None)
    gdal.Translate(theirs, source, options=f"-of COG -a_nodata {text}")
    r = command_line.create(source, ours, quiet=True, overwrite=True, nodata=text)
    beyond = kind == "f4" and not np.isfinite(np.float32(text)) and np.isfinite(np.float64(text))
    if beyond:
        return [] if r.code == 2 else [f"should be refused: {r}"]
    if r.code != 0:
        return [str(r)]
    return [] if tag_of(theirs) == tag_of(ours) else [f"the tag is {tag_of(ours)}, GDAL writes {tag_of(theirs)}"]


def masked_case(scratch, kind, method, text, size):
    """A mask and nodata: the mask decides about overviews, nodata about statistics."""
    width, height = size
    rng = np.random.default_rng(width)
    image = rng.integers(0, 9, (height, width)).astype(kind)
    image[: height // 3] = float(text)
    mask = rng.random((height, width)) < 0.8
    mask[:, : width // 5] = False
    source = os.path.join(scratch, "source.tif")
    tagged(source, image, text, mask)
    theirs, ours = converted(scratch, method)
    out = statistics_differ(scratch, ours)
    their, our = (gdal.Open(path) for path in (theirs, ours))
    for k in range(2):
        t, o = (ds.GetRasterBand(1).GetOverview(k) for ds in (their, our))
        a, b = t.ReadAsArray(), o.ReadAsArray()
        masks = [level.GetMaskBand().ReadAsArray() != 0 for level in (t, o)]
        if not np.array_equal(*masks):
            out.append(f"overview {k + 1}: masks differ")
        # Floats that equal nodata move out of its tolerance here, by one step in GDAL; the next level is made from them.
        bad = np.abs(a.astype("f8") - b) > (abs(float(text)) * 2e-6 if image.dtype.kind == "f" else 0)
        moved = masks[1] & reference.equals_nodata(b, image.dtype.type(float(text)))
        if (bad & masks[1]).any():
            y, x = np.argwhere(bad & masks[1])[0]
            out.append(f"overview {k + 1}: {int(bad.sum())} differ, first x={x} y={y}: {b[y, x]!r}, GDAL has {a[y, x]!r}")
        if method not in ("nearest", "mode") and moved.any():
            out.append(f"overview {k + 1}: {int(moved.sum())} valid pixels equal nodata")
    return out


def alpha_case(scratch, nodata, masked):
    """Statistics of red, green, blue and alpha, with nodata or a mask."""
    rng = np.random.default_rng(3)
    image = rng.integers(1, 255, (4, 64, 64)).astype("u1")
    image[3][rng.random((64, 64)) < 0.3] = 0
    mask = rng.random((64, 64)) < 0.7 if masked else None
    source = os.path.join(scratch, "source.tif")
    ds = gdal.GetDriverByName("GTiff").Create(source, 64, 64, 4, gdal.GDT_Byte, ["PHOTOMETRIC=RGB", "ALPHA=YES"])
    ds.WriteArray(image)
    if nodata is not None:
        ds.GetRasterBand(1).SetNoDataValue(nodata)
    if masked:
        ds.CreateMaskBand(gdal.GMF_PER_DATASET)
        ds.GetRasterBand(1).GetMaskBand().WriteArray(np.where(mask, 255, 0).astype("u1"))
    ds = None
    return statistics_differ(scratch, converted(scratch, "average", 1)[1])


def padding_of(path):
    """The samples outside of the image of every tile of every level, by tifffile: (whether a mask, columns and rows of a band)."""
    with tifffile.TiffFile(path) as tif:
        for page in tif.pages:
            for index, (offset, size) in enumerate(zip(page.dataoffsets, page.databytecounts)):
                tif.filehandle.seek(offset)
                tile, (_, _, top, left, _), _ = page.decode(tif.filehandle.read(size), index, _fullsize=True)
                tile, height, width = tile[0], page.imagelength - top, page.imagewidth - left
                for sample in range(tile.shape[-1]):
                    band = sample if page.planarconfig == 1 else index // (len(page.dataoffsets) // page.samplesperpixel)
                    yield page.is_mask, band, tile[:height, width:, sample], tile[height:, :, sample]


def padding_case(scratch, kind, nodata, alpha, masked, compress, interleave):
    """Nodata outside of the image; 0 in masks and alpha."""
    bands = 4 if alpha else 2
    rng = np.random.default_rng(bands)
    image = rng.integers(1, 100, (bands, 70, 90)).astype(kind)
    source, ours = os.path.join(scratch, "source.tif"), os.path.join(scratch, "ours.tif")
    names = {"u1": gdal.GDT_Byte, "i2": gdal.GDT_Int16, "f2": gdal.GDT_Float16, "f4": gdal.GDT_Float32, "f8": gdal.GDT_Float64}
    options = ["PHOTOMETRIC=RGB", "ALPHA=YES"] if alpha else []
    ds = gdal.GetDriverByName("GTiff").Create(source, 90, 70, bands, names[kind], options)
    for band in range(bands):
        ds.GetRasterBand(band + 1).WriteRaster(0, 0, 90, 70, image[band].astype("f8").tobytes(), buf_type=gdal.GDT_Float64)
    if nodata is not None:
        ds.GetRasterBand(1).SetNoDataValue(nodata)
    if masked:
        with gdal.config_option("GDAL_TIFF_INTERNAL_MASK", "YES"):
            ds.CreateMaskBand(gdal.GMF_PER_DATASET)
            ds.GetRasterBand(1).GetMaskBand().WriteArray(np.full((70, 90), 255, "u1"))
    ds = None
    r = command_line.create(source, ours, quiet=True, overwrite=True, blocksize=64, compress=compress, interleave=interleave)
    if r.code != 0:
        return [str(r)]
    out, seen = [], 0
    for is_mask, band, columns, rows in padding_of(ours):
        wanted = 0 if is_mask or (alpha and band == 3) else nodata
        for name, part in (("columns", columns), ("rows", rows)):
            seen += part.size
            if wanted is None:
                continue
            if not (np.isnan(part).all() if np.isnan(wanted) else (part == wanted).all()):
                out.append(f"{name} of {'the mask' if is_mask else f'band {band + 1}'}: {np.unique(part)[:5]}, expected {wanted}")
    return out if seen else ["no padding at all"]


def expected_case(scratch):
    """Esri's text of nodata that is two steps from the pixels."""
    source = os.path.join(scratch, "source.tif")
    y, x = np.mgrid[0:160, 0:200]
    image = ((x + y) / 3).astype("f4")
    image[40:120, 50:150] = np.finfo("f4").min
    tagged(source, image, "-3.402823e+38")
    ours = os.path.join(scratch, "ours.tif")
    r = command_line.create(source, ours, quiet=True, overwrite=True, blocksize=64, overview_resampling="average", stats=True)
    if r.code != 0:
        return [str(r)]
    ds = gdal.Open(ours)
    level = ds.GetRasterBand(1).GetOverview(0)
    values, valid = level.ReadAsArray(), level.GetMaskBand().ReadAsArray() != 0
    items = ds.GetRasterBand(1).GetMetadata()
    found = (int(valid.sum()), float(values[valid].min()) >= 0, items["STATISTICS_MINIMUM"], items["STATISTICS_VALID_PERCENT"])
    return [] if found == (6000, True, "0", "75") else [f"valid pixels, minimum and percentage are {found}"]


def main():
    print("judge GDAL", gdal.__version__)
    report = Report("nodata")
    scratch = tempfile.mkdtemp(prefix="cogsmith-nodata-")
    try:
        for kind in ("f4", "f8"):
            for text, method in itertools.product(TEXTS[kind], METHODS):
                if text in ("inf", "-inf", "1e39") and method in ("bilinear", "cubic"):
                    continue  # GDAL multiplies infinities by a weight of 0 (resampling.md, 6)
                report.run(f"{kind} {text} {method}", text_case, scratch, kind, text, method)
            for text in TEXTS[kind]:
                report.run(f"option {kind} {text}", option_case, scratch, kind, text)
        for kind, text in (("u1", "5"), ("u2", "5"), ("f4", "5"), ("f8", "5"), ("f4", "-9999")):
            # The mode of masked pixels is another matter (resampling.md, 4).
            for method, size in itertools.product(METHODS[:-1], ((128, 96), (97, 131))):
                report.run(f"mask and nodata {kind} {text} {method} {size[0]}x{size[1]}", masked_case, scratch, kind, method, text, size)
        for nodata, masked in itertools.product((None, 7), (False, True)):
            report.run(f"alpha, nodata {nodata}, mask {masked}", alpha_case, scratch, nodata, masked)
        report.run("text of Esri", expected_case, scratch)
        kinds = (("u1", 7), ("i2", -9999), ("f2", -1.5), ("f4", np.nan), ("f8", -9999.5))
        ways = (("none", "pixel"), ("deflate", "pixel"), ("deflate", "band"), ("zstd", "tile"))
        for (kind, nodata), (compress, interleave) in itertools.product(kinds, ways):
            for given, alpha, masked in itertools.product((nodata, None), (False, True), (False, True)):
                name = f"padding {kind} nodata {given}{' alpha' * alpha}{' mask' * masked} {compress} {interleave}"
                report.run(name, padding_case, scratch, kind, given, alpha, masked, compress, interleave)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
