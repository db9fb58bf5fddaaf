"""`cogsmith explain` against tifffile and arithmetic: the bytes of each level, and trials that a conversion confirms.

    python explain.py        VERBOSE=1 in the environment prints all cases
"""

import json
import os

import tifffile
from osgeo import gdal

from command_line import run
from edit_inputs import FOLDER, at, made_by_gdal, raster
from report import Report

gdal.UseExceptions()
report = Report("explain")


def explained(path, *options):
    result = run("explain", "--json", *options, path)
    if result.code:
        raise RuntimeError(result.words())
    return json.loads(result.out)


def bytes_of_contents(path):
    """The sums of tifffile's byte counts, with eight more for leader and trailer where GDAL's layout has them."""
    said = explained(path, "--no-trials")
    framed = b"BLOCK_LEADER" in open(path, "rb").read(500)
    expected, levels, masks = {}, {}, {}
    with tifffile.TiffFile(path) as file:
        for page in file.pages:
            tiles = [count for count in page.databytecounts if count]
            kind = int(page.tags[254].value) if 254 in page.tags else 0
            known = masks if kind & 4 else levels
            level = known.setdefault(page.imagewidth, len(known))
            expected["mask" if kind & 4 else "tiles", level] = sum(tiles) + (8 * len(tiles) if framed else 0)
        # Masks are matched by width.
        order = {width: level for width, level in levels.items()}
        for width, level in masks.items():
            if order[width] != level:
                return ["the test expects masks in the order of levels"]
    out, found = [], {(one["content"], one["level"]): one["bytes"] for one in said["contents"]}
    for key, count in expected.items():
        if found.get(key) != count:
            out.append(f"{key}: {found.get(key)} bytes, expected {count}")
    if sum(found.values()) != os.path.getsize(path):
        out.append(f"the contents have {sum(found.values())} bytes, the file {os.path.getsize(path)}")
    position = 0
    for region in said["regions"]:
        if region["start"] != position or region["end"] <= position:
            out.append(f"a region starts at {region['start']}, the one before ends at {position}")
        position = region["end"]
    return out if position == os.path.getsize(path) else [*out, f"the last region ends at {position}"]


def trial_is_a_conversion(path):
    """An image within the sample: its trials have the bytes of conversions without overviews."""
    said, out = explained(path), []
    file = gdal.Open(path)
    if said["sample"]["windows"] != [[0, 0, file.RasterXSize, file.RasterYSize]]:
        return [f"the sample is {said['sample']['windows']}"]
    for trial in said["trials"]:
        target = at("trial.tif")
        result = run("create", "--overwrite", "--json", "--overviews", "none", *trial["arguments"], path, target)
        if result.code:
            return [result.words()]
        made = json.loads(result.out)["levels"][0]["bytes"]
        if made != trial["bytes"]:
            out.append(f"{trial['name']}: {trial['bytes']} bytes, {made} in a conversion")
    return out


def page(path):
    target = at("page.html")
    result = run("explain", "--no-trials", "--html", target, path)
    text = open(target, encoding="utf-8").read() if result.code == 0 else ""
    again = run("explain", "--no-trials", "--html", target, path)
    out = [] if '"regions":[{' in text and "https://" not in text and "http://" not in text else ["the page lacks the data, or has links"]
    return out if again.code == 1 and "--overwrite" in again.words() else [*out, "an existing page was replaced"]


raster("plain.tif", 2, size=(300, 232), overviews=(2, 4))
made_by_gdal(raster("source.tif", 2, size=(900, 700), overviews=()), "cog.tif", BLOCKSIZE=128, OVERVIEW_COUNT=3)
made_by_gdal(raster("masked.tif", 1, size=(900, 700), mask=True, overviews=()), "masked-cog.tif", BLOCKSIZE=128)
raster("colors.tif", 3, gdal.GDT_Byte, (300, 232), overviews=(), options=("PHOTOMETRIC=RGB",))

for name in ("plain.tif", "cog.tif", "masked-cog.tif"):
    report.run(f"bytes of {name}", bytes_of_contents, at(name))
for name in ("plain.tif", "colors.tif"):
    report.run(f"trials of {name}", trial_is_a_conversion, at(name))
report.run("page", page, at("cog.tif"))
raise SystemExit(report.close())
