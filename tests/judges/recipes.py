"""The lines of docs/recipes.md: those of GDAL's tools and those of the command write the same image.

    python recipes.py        ONLY=words in the environment picks recipes by their first line
"""

import os
import re
import subprocess
import tempfile

import numpy as np
from osgeo import gdal, osr

from command_line import ROOT, binary
from report import Report

gdal.UseExceptions()
FOLDER = tempfile.mkdtemp(prefix="cogsmith-recipes-")
report = Report("recipes")


def raster(name, bands, kind, width, height, transform, low=1, high=200, epsg=32633, nodata=None, colors=False, seed=1):
    path = os.path.join(FOLDER, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    file = gdal.GetDriverByName("GTiff").Create(path, width, height, bands, kind, ["TILED=YES"])
    file.SetGeoTransform(transform)
    srs = osr.SpatialReference()
    srs.ImportFromEPSG(epsg)
    file.SetSpatialRef(srs)
    random = np.random.default_rng(seed)
    for number in range(1, bands + 1):
        band = file.GetRasterBand(number)
        if colors:
            table = gdal.ColorTable()
            for index in range(256):
                table.SetColorEntry(index, (index, 255 - index, 30, 255))
            band.SetColorTable(table)
        band.WriteArray(random.integers(low, high, (height, width)))
        if nodata is not None:
            band.SetNoDataValue(nodata)
    file = None


def make():
    raster("scene.tif", 4, gdal.GDT_UInt16, 640, 600, (500000, 10, 0, 6000000, 0, -10), high=3000)
    raster("part.tif", 4, gdal.GDT_UInt16, 110, 90, (504000, 10, 0, 5997000, 0, -10), high=3000, seed=7)
    raster("dem.tif", 1, gdal.GDT_Float32, 640, 600, (500000, 10, 0, 6000000, 0, -10), nodata=-9999)
    raster("classes.tif", 1, gdal.GDT_Byte, 640, 600, (500000, 10, 0, 6000000, 0, -10), colors=True)
    raster("global.tif", 1, gdal.GDT_Float32, 72, 36, (0, 5, 0, 90, 0, -5), epsg=4326, nodata=-1)
    for index, (column, row) in enumerate([(0, 0), (90, 0), (0, 90), (90, 90)]):
        raster(f"tiles/{index}.tif", 1, gdal.GDT_Int16, 100, 100, (500000 + 10 * column, 10, 0, 6000000 - 10 * row, 0, -10), low=-5,
               nodata=0, seed=index)
    for index, name in enumerate(("B02", "B03", "B04")):
        raster(f"{name}.tif", 1, gdal.GDT_UInt16, 100, 90, (500000, 10, 0, 6000000, 0, -10), seed=index)
    with open(os.path.join(FOLDER, "list.txt"), "w") as file:
        file.write("".join(f"tiles/{index}.tif\n" for index in (3, 1, 0, 2)))
    gdal.BuildVRT(os.path.join(FOLDER, "tiles.vrt"), [os.path.join(FOLDER, f"tiles/{index}.tif") for index in range(4)]).FlushCache()


def recipe(lines):
    tools = os.path.join(FOLDER, "bin")
    os.makedirs(tools, exist_ok=True)
    own = os.path.join(tools, "cogsmith")
    if not os.path.exists(own):
        os.symlink(os.path.abspath(binary()), own)
    for name in ("old.tif", "new.tif", "all.vrt"):
        if os.path.exists(os.path.join(FOLDER, name)):
            os.remove(os.path.join(FOLDER, name))
    environment = dict(os.environ, PATH=f"{tools}:{os.environ['PATH']}", GDAL_PAM_ENABLED="NO")
    for line in lines:
        done = subprocess.run(["sh", "-c", line], cwd=FOLDER, env=environment, capture_output=True, text=True)
        if done.returncode:
            return [f"{line}: {done.stderr.strip()[-300:]}"]
    old, new = (gdal.Open(os.path.join(FOLDER, name)) for name in ("old.tif", "new.tif"))
    out = []
    for what, of in {"size": lambda d: (d.RasterXSize, d.RasterYSize, d.RasterCount), "transform": lambda d: np.round(d.GetGeoTransform(), 9).tolist(),
                     "type": lambda d: d.GetRasterBand(1).DataType, "nodata": lambda d: d.GetRasterBand(1).GetNoDataValue()}.items():
        if of(old) != of(new):
            out.append(f"{what}: {of(new)}, old line {of(old)}")
    if out:
        return out
    if not new.GetSpatialRef().IsSame(old.GetSpatialRef()):
        out.append("another CRS")
    if not (old.ReadAsArray() == new.ReadAsArray()).all():
        out.append("pixels differ")
    if not (old.GetRasterBand(1).GetMaskBand().ReadAsArray() == new.GetRasterBand(1).GetMaskBand().ReadAsArray()).all():
        out.append("masks differ")
    if not new.GetMetadata("IMAGE_STRUCTURE").get("LAYOUT") == "COG":
        out.append("not a COG")
    return out


make()
with open(os.path.join(ROOT, "docs", "recipes.md")) as page:
    recipes = re.findall(r"^(\d+)\. (.*?)\n\n```sh\n(.*?)```", page.read(), re.MULTILINE | re.DOTALL)
report.check("twenty-one recipes", [] if [int(number) for number, _, _ in recipes] == list(range(1, 22)) else [f"{len(recipes)} of 21"])
for number, title, lines in recipes:
    report.run(f"{number}. {title}", recipe, lines.strip().split("\n"))
raise SystemExit(report.close())
