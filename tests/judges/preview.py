"""`cogsmith preview` against arithmetic: the pixels of a level as GDAL reads them, stretched by NumPy, are those of the picture.

    python preview.py        VERBOSE=1 in the environment prints all cases
"""

import json
import os

import numpy as np
from osgeo import gdal

from command_line import run
from edit_inputs import FOLDER, at, made_by_gdal, raster
from report import Report

gdal.UseExceptions()
report = Report("preview")


def level_of(path, level):
    """Bands and validity of a level, 0 being full resolution: (band, row, column), (row, column)."""
    file = gdal.Open(path)
    bands = [file.GetRasterBand(number + 1) for number in range(file.RasterCount)]
    bands = [band if level == 0 else band.GetOverview(level - 1) for band in bands]
    valid = bands[0].GetMaskBand().ReadAsArray() > 0
    return np.stack([band.ReadAsArray() for band in bands]).astype("f8"), valid


def picture_of(path, *options, ending=".png"):
    target = os.path.join(FOLDER, "picture" + ending)
    result = run("preview", "--json", "--overwrite", *options, path, target)
    if result.code:
        raise RuntimeError(result.words())
    pixels = gdal.Open(target).ReadAsArray()
    return pixels if pixels.ndim == 3 else pixels[None], json.loads(result.out)


def stretched(band, valid):
    """The 2nd to the 98th percentile, by rank, as 0 to 255."""
    values = np.sort(band[valid])
    low, high = (values[int(share * (len(values) - 1) + 0.5)] for share in (0.02, 0.98))
    return np.where(valid, np.floor(np.clip((band - low) / (high - low) * 255, 0, 255) + 0.5), 0)


def compare(path, level, shown, options=(), stretch=True):
    """A picture of exactly the size of a level: nothing is resampled."""
    bands, valid = level_of(path, level)
    rows, columns = valid.shape
    pixels, said = picture_of(path, "--size", str(max(rows, columns)), *options)
    expected = [stretched(bands[band], valid) if stretch else np.where(valid, bands[band], 0) for band in shown]
    if not valid.all():
        expected.append(valid * 255)
    out = []
    if (said["width"], said["height"], said["level"]) != (columns, rows, [columns, rows]):
        out.append(f"the summary says {said['width']}x{said['height']} from {said['level']}, expected {columns}x{rows}")
    if pixels.shape != (len(expected), rows, columns):
        return [*out, f"the picture has the shape {pixels.shape}, expected {(len(expected), rows, columns)}"]
    worst = np.abs(pixels - np.stack(expected)).max()
    if worst > 0:
        out.append(f"samples differ by up to {worst}")
    return out


def reduced(path):
    """A smaller picture than the level: the mean of each block, without a stretch of colors."""
    bands, _ = level_of(path, 0)
    rows, columns = bands.shape[1] // 2, bands.shape[2] // 2
    pixels, said = picture_of(path, "--size", str(max(rows, columns)))
    means = bands[:, : rows * 2, : columns * 2].reshape(len(bands), rows, 2, columns, 2).mean((2, 4))
    worst = np.abs(pixels - means).max()
    return [f"means differ by {worst}"] if worst > 0.5 else []


def jpeg(path):
    """JPEG has no alpha; pixels without data are white."""
    bands, valid = level_of(path, 0)
    pixels, _ = picture_of(path, "--size", str(max(valid.shape)), ending=".jpg")
    expected = np.where(valid, stretched(bands[0], valid), 255)
    error = np.sqrt(np.mean((pixels[0] - expected) ** 2))
    return [f"root mean square error {error:.1f}"] if pixels.shape[0] != 1 or error > 12 else []


def refused(words, *arguments):
    result = run("preview", *arguments)
    return [] if result.code in (1, 2) and words in result.words() else [f"exit code {result.code}: {result.words()}"]


plain = raster("plain.tif", 2, size=(300, 232), overviews=())
made_by_gdal(plain, "plain-cog.tif", BLOCKSIZE=128, OVERVIEW_RESAMPLING="AVERAGE", OVERVIEW_COUNT=2)
raster("nodata.tif", 1, overviews=(2, 4), nodata=30)
raster("mask.tif", 1, mask=True, overviews=(2,))
raster("colors.tif", 3, gdal.GDT_Byte, (300, 232), overviews=(), options=("PHOTOMETRIC=RGB",))
raster("palette.tif", 1, gdal.GDT_Byte, overviews=(2,), colors=True)

for level in (0, 1, 2):
    report.run(f"stretch, level {level}", compare, at("plain-cog.tif"), level, [0])
    report.run(f"nodata, level {level}", compare, at("nodata.tif"), level, [0])
report.run("another band", compare, at("plain-cog.tif"), 1, [1], ["--bands", "2"])
report.run("bands by name", compare, at("plain.tif"), 0, [1, 0, 1], ["--bands", "band 2,band 1,2"])
report.run("mask", compare, at("mask.tif"), 0, [0])
report.run("mask of an overview", compare, at("mask.tif"), 1, [0])
report.run("colors as they are", compare, at("colors.tif"), 0, [0, 1, 2], [], False)
report.run("means of colors", reduced, at("colors.tif"))
report.run("JPEG", jpeg, at("nodata.tif"))


def palette():
    bands, _ = level_of(at("palette.tif"), 1)
    pixels, _ = picture_of(at("palette.tif"), "--size", "150")
    expected = np.stack([bands[0], 255 - bands[0], np.full_like(bands[0], 3)])
    return [] if np.array_equal(pixels, expected) else [f"colors differ by {np.abs(pixels[:3] - expected).max()}"]


report.run("palette", palette)
report.run("another ending", refused, ".png, .jpg, or .jpeg", at("plain.tif"), at("picture.gif"))
report.run("no such band", refused, "3", at("plain.tif"), at("other.png"), "--bands", "3")
report.run("size out of range", refused, "1 to 8192", at("plain.tif"), at("other.png"), "--size", "0")
report.run("an existing file", refused, "--overwrite", at("plain.tif"), at("picture.png"))
report.run("a missing file", refused, "missing.tif", at("missing.tif"), at("other.png"))
raise SystemExit(report.close())
