"""Inputs of `edit.py`: tiled files of GDAL, rio-cogeo, and tifffile, with overviews in every place that they have."""

import os
import tempfile

os.environ["GDAL_PAM_ENABLED"] = "NO"

import numpy as np
import tifffile
from osgeo import gdal, osr
from rio_cogeo.cogeo import cog_translate
from rio_cogeo.profiles import cog_profiles

gdal.UseExceptions()
gdal.SetConfigOption("GDAL_TIFF_INTERNAL_MASK", "YES")
gdal.PushErrorHandler("CPLQuietErrorHandler")

FOLDER = tempfile.mkdtemp(prefix="cogsmith-edit-")


def at(name):
    return os.path.join(FOLDER, name)


def raster(name, bands=1, kind=gdal.GDT_UInt16, size=(300, 230), mask=False, overviews=(2, 4), nodata=None, options=(), colors=False, pixels=None):
    path = at(name)
    random = np.random.default_rng(7)
    creation = ["TILED=YES", "BLOCKXSIZE=64", "BLOCKYSIZE=64", *options]
    file = gdal.GetDriverByName("GTiff").Create(path, *size, bands, kind, creation)
    file.SetGeoTransform((500000, 10, 0, 6000000, 0, -10))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(32633)
    file.SetSpatialRef(reference)
    file.SetMetadataItem("AREA", "north & south")
    if colors:
        table = gdal.ColorTable()
        for index in range(256):
            table.SetColorEntry(index, (index, 255 - index, 3, 255))
        file.GetRasterBand(1).SetColorTable(table)
    ramp = np.add.outer(np.arange(size[1]), np.arange(size[0])) // 3
    for number in range(1, bands + 1):
        band = file.GetRasterBand(number)
        noise = random.integers(0, 20, (size[1], size[0]))
        band.WriteArray((ramp + noise + 10 * number).clip(0, 250).astype("u1") if kind == gdal.GDT_Byte else ramp + noise + 10 * number)
        band.SetDescription(f"band {number}")
        if nodata is not None:
            band.SetNoDataValue(nodata)
    if mask:
        file.CreateMaskBand(gdal.GMF_PER_DATASET)
        file.GetRasterBand(1).GetMaskBand().WriteArray((random.random((size[1], size[0])) < 0.7).astype("u1") * 255)
    file = None
    if overviews:
        file = gdal.Open(path, gdal.GA_Update)
        file.BuildOverviews("NEAREST", list(overviews))
        file = None
    return path


def made_by_gdal(source, name, **options):
    gdal.Translate(at(name), source, format="COG", creationOptions=[f"{key}={value}" for key, value in options.items()])
    return at(name)


def made_by_gtiff(source, name, *options):
    gdal.Translate(at(name), source, format="GTiff", creationOptions=["TILED=YES", "BLOCKXSIZE=64", "BLOCKYSIZE=64", "COPY_SRC_OVERVIEWS=YES", *options])
    return at(name)


def made_by_rio(source, name, profile="deflate", **options):
    made = cog_profiles.get(profile)
    made.update(blockxsize=64, blockysize=64)
    cog_translate(source, at(name), made, quiet=True, overview_level=2, **options)
    return at(name)


def made_by_tifffile(name, subifds, dtype="u2", byteorder="<", bigtiff=False, **options):
    full = (np.add.outer(np.arange(256), np.arange(320)) * 7 % 251).astype(dtype)
    with tifffile.TiffWriter(at(name), bigtiff=bigtiff, byteorder=byteorder) as writer:
        common = {"tile": (64, 64), "photometric": "minisblack", "metadata": None, **options}
        writer.write(full, subifds=2 if subifds else None, **common)
        for step in (2, 4):
            writer.write(full[::step, ::step], subfiletype=1, **common)
    return at(name)


def sparse():
    path = at("sparse.tif")
    file = gdal.GetDriverByName("GTiff").Create(path, 300, 230, 1, gdal.GDT_UInt16, ["TILED=YES", "BLOCKXSIZE=64", "BLOCKYSIZE=64", "SPARSE_OK=TRUE"])
    file.GetRasterBand(1).WriteArray(np.full((64, 64), 7, "u2"), 64, 64)
    file = None
    return path
