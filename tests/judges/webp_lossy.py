"""Lossy WebP against GDAL: the tiles of the same quality, and nodata. The command has the feature webp-c.

    python webp_lossy.py
"""

import os
import tempfile

import numpy as np
import tifffile
from osgeo import gdal

from command_line import ROOT, create
from report import Report

gdal.UseExceptions()

FOLDER = tempfile.mkdtemp(prefix="cogsmith-webp-")
SOURCE = os.path.join(FOLDER, "rgb.tif")
# Whole tiles: GDAL pads others in another way.
gdal.Translate(SOURCE, os.path.join(ROOT, "fixtures", "rgb_jpeg_mask.tif"), maskBand="none", width=1024, height=512, resampleAlg="cubic",
               creationOptions=["PHOTOMETRIC=RGB"])
report = Report("webp_lossy")


def tiles(path):
    """The bytes of all tiles of full resolution and of the largest overview."""
    with tifffile.TiffFile(path) as file, open(path, "rb") as raw:
        images = [page for page in file.pages if not page.subfiletype & 4][:2]
        for page in images:
            for offset, count in zip(page.dataoffsets, page.databytecounts):
                raw.seek(offset)
                yield raw.read(count)


def same_tiles(source, quality):
    ours, theirs = os.path.join(FOLDER, "ours.tif"), os.path.join(FOLDER, "theirs.tif")
    done = create(source, ours, overwrite=True, quiet=True, compress="webp", quality=quality, overviews="none")
    if done.code:
        return [str(done)]
    gdal.Translate(theirs, source, format="COG", creationOptions=["COMPRESS=WEBP", f"QUALITY={quality}", "OVERVIEWS=NONE"])
    mine, its = list(tiles(ours)), list(tiles(theirs))
    pixels, original = gdal.Open(ours).ReadAsArray().astype("f8"), gdal.Open(source).ReadAsArray().astype("f8")
    error = np.mean((pixels - original) ** 2), np.mean((gdal.Open(theirs).ReadAsArray() - original) ** 2)
    size = sum(map(len, mine)), sum(map(len, its))
    print(f"quality {quality}: {sum(a == b for a, b in zip(mine, its))} of {len(mine)} tiles equal GDAL's; "
          f"{size[0]} bytes, GDAL {size[1]}; mean squared error {error[0]:.3f}, GDAL {error[1]:.3f}")
    if len(mine) != len(its) or size[0] > 1.03 * size[1] or error[0] > 1.03 * error[1]:
        return [f"bytes {size}, errors {error}"]
    return []


def nodata():
    """Pixels that are nodata in all bands, among data, stay so in GDAL's eyes."""
    random = np.random.default_rng(5)
    original = gdal.Open(SOURCE).ReadAsArray()
    original[original == 0] = 1
    holes = random.integers(0, 40, original.shape[1:]) == 0
    original[:, holes] = 0
    source = os.path.join(FOLDER, "holes.tif")
    dataset = gdal.GetDriverByName("GTiff").Create(source, original.shape[2], original.shape[1], 3, gdal.GDT_Byte, ["PHOTOMETRIC=RGB"])
    dataset.WriteArray(original)
    for band in (1, 2, 3):
        dataset.GetRasterBand(band).SetNoDataValue(0)
    dataset = None
    target = os.path.join(FOLDER, "holes-cog.tif")
    done = create(source, target, overwrite=True, quiet=True, compress="webp", quality=60)
    if done.code:
        return [str(done)]
    written = gdal.Open(target)
    mask = written.GetRasterBand(1).GetMaskBand().ReadAsArray() == 0
    return [] if np.array_equal(mask, holes) else [f"{(mask != holes).sum()} pixels differ"]


for quality in (1, 50, 75, 90, 99):
    report.run(f"quality {quality}", same_tiles, SOURCE, quality)
report.run("nodata", nodata)
raise SystemExit(report.close())
