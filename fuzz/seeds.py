#!/usr/bin/env python3
"""Makes the seeds of fuzz/corpus: small TIFF files of every flavor for `reader`, bytes for the other targets.

    python fuzz/seeds.py     needs gdal-wheel, numpy and tifffile as scripts/test.sh installs them

Inputs that fuzzing adds to a corpus are next to them, named by the hash of their bytes.
"""

import os
import random

os.environ["GDAL_PAM_ENABLED"] = "NO"
import numpy as np
import tifffile
from osgeo import gdal, osr

gdal.UseExceptions()
CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")
TARGETS = ("deflate", "lerc", "lzw", "plan", "predictor", "round_trip", "shards", "validate", "zstd")

# Name: GDAL type, bands, creation options.
FLAVOURS = {
    "strips": ("UInt16", 1, {"BLOCKYSIZE": 5}),
    "overviews": ("Byte", 1, {"COMPRESS": "DEFLATE", "TILED": "YES", "BLOCKXSIZE": 16, "BLOCKYSIZE": 16}),
    "tiles-deflate": ("Int16", 2, {"TILED": "YES", "BLOCKXSIZE": 16, "BLOCKYSIZE": 16, "COMPRESS": "DEFLATE", "PREDICTOR": 2}),
    "band-lzw": ("UInt32", 3, {"INTERLEAVE": "BAND", "COMPRESS": "LZW", "PREDICTOR": 2}),
    "big-endian-zstd": ("Float32", 1, {"ENDIANNESS": "BIG", "COMPRESS": "ZSTD", "PREDICTOR": 3}),
    "bigtiff": ("Float64", 1, {"BIGTIFF": "YES", "BLOCKYSIZE": 7}),
    "packbits": ("Byte", 1, {"COMPRESS": "PACKBITS"}),
    "jpeg-ycbcr": ("Byte", 3, {"COMPRESS": "JPEG", "PHOTOMETRIC": "YCBCR"}),
    "jpeg-band": ("Byte", 3, {"COMPRESS": "JPEG", "INTERLEAVE": "BAND"}),
    "jpeg-12": ("UInt16", 1, {"COMPRESS": "JPEG", "NBITS": 12}),
    "webp": ("Byte", 4, {"COMPRESS": "WEBP", "WEBP_LOSSLESS": "YES"}),
    "lerc": ("Float32", 1, {"COMPRESS": "LERC"}),
    "lerc-deflate": ("UInt16", 3, {"COMPRESS": "LERC_DEFLATE", "MAX_Z_ERROR": 1}),
    "lerc-zstd": ("Byte", 1, {"COMPRESS": "LERC_ZSTD"}),
    "fax-4": ("Byte", 1, {"COMPRESS": "CCITTFAX4", "NBITS": 1}),
    "fax-3": ("Byte", 1, {"COMPRESS": "CCITTFAX3", "NBITS": 1}),
    "fax-rle": ("Byte", 1, {"COMPRESS": "CCITTRLE", "NBITS": 1}),
    "bits-3": ("Byte", 2, {"NBITS": 3}),
    "bits-12": ("UInt16", 1, {"NBITS": 12, "COMPRESS": "DEFLATE"}),
    "bits-17": ("UInt32", 1, {"NBITS": 17}),
    "complex": ("CInt16", 1, {"COMPRESS": "LZW"}),
    "complex-double": ("CFloat64", 1, {}),
    "half": ("Float16", 1, {"COMPRESS": "DEFLATE", "PREDICTOR": 3}),
    "sparse": ("Byte", 1, {"SPARSE_OK": "YES", "TILED": "YES", "BLOCKXSIZE": 16, "BLOCKYSIZE": 16}),
    "cmyk": ("Byte", 4, {"PHOTOMETRIC": "CMYK"}),
    "white": ("Byte", 1, {"PHOTOMETRIC": "MINISWHITE"}),
    "long": ("Int64", 1, {"COMPRESS": "ZSTD", "PREDICTOR": 2}),
}

# For `vrt`: the inside of a data set.
_FILE = "<SourceFilename relativeToVRT=\"1\">{}</SourceFilename><SourceBand>{}</SourceBand>"
_BAND = "<VRTRasterBand dataType=\"{}\" band=\"{}\">{}</VRTRasterBand>"
_RECTANGLES = "<SrcRect xOff=\"0\" yOff=\"2\" xSize=\"20\" ySize=\"10\"/><DstRect xOff=\"10\" yOff=\"20\" xSize=\"20\" ySize=\"10\"/>"
VRTS = {
    "simple": _BAND.format("Byte", 1, f"<SimpleSource>{_FILE.format('a.tif', 1)}</SimpleSource>"),
    "rectangles": _BAND.format("Byte", 1, f"<SimpleSource>{_FILE.format('a.tif', 2)}{_RECTANGLES}</SimpleSource>"),
    "complex": _BAND.format("Int16", 1, f"<NoDataValue>5</NoDataValue><ComplexSource>{_FILE.format('a.tif', 3)}<NODATA>7</NODATA><ScaleOffset>1</ScaleOffset><ScaleRatio>2</ScaleRatio></ComplexSource>"),
    "table": _BAND.format("Float32", 1, f"<ComplexSource>{_FILE.format('a.tif', 3)}<LUT>0:1,100:5,200:0</LUT></ComplexSource>"),
    "mask": "<MaskBand>" + _BAND.format("Byte", 1, f"<SimpleSource>{_FILE.format('m.tif', 'mask,1')}</SimpleSource>") + "</MaskBand>" + _BAND.format("Byte", 1, f"<ComplexSource>{_FILE.format('m.tif', 1)}<UseMaskBand>true</UseMaskBand></ComplexSource>"),
    "alpha": "".join(_BAND.format("Byte", n, f"<ComplexSource>{_FILE.format('t.tif', n)}<UseMaskBand>true</UseMaskBand></ComplexSource>") for n in (1, 2, 3, 4)),
    "nested": _BAND.format("Byte", 1, f"<SimpleSource>{_FILE.format('x.vrt', 1)}</SimpleSource>"),
    "outside": _BAND.format("Byte", 1, f"<SimpleSource>{_FILE.format('../secret.tif', 1)}</SimpleSource>"),
    "many": _BAND.format("Byte", 1, f"<SimpleSource>{_FILE.format('a.tif', 1)}{_RECTANGLES}</SimpleSource>" * 20),
    "metadata": "<SRS>EPSG:32633</SRS><GeoTransform>1, 2, 0, 3, 0, -2</GeoTransform><Metadata><MDI key=\"A\">1</MDI></Metadata>" + _BAND.format("Byte", 1, "<ColorInterp>Palette</ColorInterp><ColorTable><Entry c1=\"1\" c2=\"2\" c3=\"3\" c4=\"255\"/></ColorTable>"),
    "warped": "<GDALWarpOptions/>" + _BAND.format("Byte", 1, ""),
}

# For `validate`, of GDAL's COG driver: the same.
COGS = {
    "cog-mask": ("Byte", 3, {"COMPRESS": "DEFLATE"}),
    "cog-nodata": ("Int16", 1, {"COMPRESS": "LZW", "PREDICTOR": "YES"}),
    "cog-big": ("Float32", 2, {"COMPRESS": "ZSTD", "LEVEL": 20, "BIGTIFF": "YES", "INTERLEAVE": "BAND"}),
    "cog-tile": ("Byte", 2, {"COMPRESS": "LZW", "INTERLEAVE": "TILE"}),
    "cog-jpeg": ("Byte", 3, {"COMPRESS": "JPEG"}),
    "cog-webp": ("Byte", 4, {"COMPRESS": "WEBP", "QUALITY": 100}),
    "cog-lerc": ("UInt16", 1, {"COMPRESS": "LERC_DEFLATE", "MAX_Z_ERROR": 1}),
    "cog-palette": ("Byte", 1, {"COMPRESS": "DEFLATE"}),
}


def make_cog(name, kind, bands, options):
    rng = np.random.default_rng(len(name))
    height, width = 37, 50
    gdal.SetConfigOption("GDAL_TIFF_INTERNAL_MASK", "YES")
    dataset = gdal.GetDriverByName("MEM").Create("", width, height, bands, gdal.GetDataTypeByName(kind))
    values = np.add.outer(np.arange(height), np.arange(width)) + rng.integers(0, 3, (bands, height, width))
    for band in range(bands):
        dataset.GetRasterBand(band + 1).WriteArray(values[band])
    system = osr.SpatialReference()
    system.ImportFromEPSG(4326)
    dataset.SetProjection(system.ExportToWkt())
    dataset.SetGeoTransform((10, 0.5, 0, 50, 0, -0.5))
    if name == "cog-nodata":
        dataset.GetRasterBand(1).SetNoDataValue(7)
        dataset.GetRasterBand(1).SetDescription("one")
    if name in ("cog-mask", "cog-jpeg"):
        dataset.CreateMaskBand(gdal.GMF_PER_DATASET)
        dataset.GetRasterBand(1).GetMaskBand().WriteArray((rng.integers(0, 2, (height, width)) * 255).astype("u1"))
    if name == "cog-palette":
        table = gdal.ColorTable()
        for index in range(256):
            table.SetColorEntry(index, (index, 255 - index, 7, 255))
        dataset.GetRasterBand(1).SetColorTable(table)
    dataset.BuildOverviews("NEAREST", [2, 4])
    path = os.path.join(CORPUS, "validate", f"seed-{name}")
    options = {"BLOCKSIZE": 128, "OVERVIEWS": "FORCE_USE_EXISTING", **options}
    gdal.GetDriverByName("COG").CreateCopy(path, dataset, options=[f"{k}={v}" for k, v in options.items()])


def make(name, kind, bands, options):
    rng = np.random.default_rng(len(name))
    height, width = 19, 33
    path = os.path.join(CORPUS, "reader", f"seed-{name}")
    dataset = gdal.GetDriverByName("GTiff").Create(path, width, height, bands, gdal.GetDataTypeByName(kind),
                                                   [f"{k}={v}" for k, v in options.items()])
    if name == "packbits":
        table = gdal.ColorTable()
        for index in range(256):
            table.SetColorEntry(index, (index, 255 - index, 7, 255))
        dataset.GetRasterBand(1).SetColorTable(table)
    if name != "sparse":
        values = (rng.integers(0, 2, (bands, height, width)) * rng.integers(1, 90, (bands, 1, width)))
        if "fax" in name or options.get("NBITS") == 3:
            values = values % 2
        for band in range(bands):
            dataset.GetRasterBand(band + 1).WriteArray(values[band].astype("f8"))
    system = osr.SpatialReference()
    system.ImportFromEPSG(32633)
    dataset.SetProjection(system.ExportToWkt())
    dataset.SetGeoTransform((500000, 10, 0, 4600000, 0, -10))
    if name in ("strips", "half"):
        dataset.GetRasterBand(1).SetNoDataValue(3)
        dataset.GetRasterBand(1).SetScale(0.5)
        dataset.SetMetadataItem("A<B", "c & d", "SOME")
    if name in ("tiles-deflate", "jpeg-ycbcr"):
        gdal.SetConfigOption("GDAL_TIFF_INTERNAL_MASK", "YES")
        dataset.CreateMaskBand(gdal.GMF_PER_DATASET)
        dataset.GetRasterBand(1).GetMaskBand().WriteArray((rng.integers(0, 2, (height, width)) * 255).astype("u1"))
    dataset.FlushCache()
    if name == "overviews":
        gdal.SetConfigOption("GDAL_TIFF_OVR_BLOCKSIZE", "64")
        dataset.BuildOverviews("NEAREST", [2])


def make_pyramids():
    """For `repack`: tiled files with overviews."""
    folder = os.path.join(CORPUS, "repack")
    plain = gdal.Open(os.path.join(CORPUS, "reader", "seed-tiles-deflate"))
    byte = gdal.Open(os.path.join(CORPUS, "reader", "seed-jpeg-ycbcr"))
    for name, source, options in (
        ("deflate", plain, {"COMPRESS": "DEFLATE"}), ("planes", plain, {"INTERLEAVE": "BAND", "COMPRESS": "LZW"}), ("big", plain, {"BIGTIFF": "YES", "COMPRESS": "LZW"}),
        ("jpeg", byte, {"COMPRESS": "JPEG", "PHOTOMETRIC": "YCBCR"}), ("lerc", byte, {"COMPRESS": "LERC"}), ("zstd", plain, {"COMPRESS": "ZSTD"}),
        ("predictor", plain, {"COMPRESS": "DEFLATE", "PREDICTOR": 2}), ("big-endian", byte, {"ENDIANNESS": "BIG", "COMPRESS": "LZW"}), ("packbits", byte, {"COMPRESS": "PACKBITS"}),
    ):  # fmt: skip
        path = os.path.join(folder, f"seed-{name}")
        options = {"TILED": "YES", "BLOCKXSIZE": 16, "BLOCKYSIZE": 16, **options}
        copy = gdal.GetDriverByName("GTiff").CreateCopy(path, source, options=[f"{k}={v}" for k, v in options.items()])
        copy.BuildOverviews("NEAREST", [2])
    image = np.arange(40 * 50, dtype="u2").reshape(40, 50)
    for big in (False, True):
        with tifffile.TiffWriter(os.path.join(folder, f"seed-subifds-{big}".lower()), bigtiff=big) as t:
            t.write(image, tile=(16, 16), subifds=1, metadata=None)
            t.write(image[::2, ::2], tile=(16, 16), subfiletype=1, metadata=None)


def main():
    for target in TARGETS + ("reader", "repack", "vrt"):
        os.makedirs(os.path.join(CORPUS, target), exist_ok=True)
    for name, flavour in FLAVOURS.items():
        make(name, *flavour)
    for name, flavour in COGS.items():
        make_cog(name, *flavour)
    make_pyramids()
    for name, inside in VRTS.items():
        with open(os.path.join(CORPUS, "vrt", f"seed-{name}"), "w") as f:
            f.write(f'<VRTDataset rasterXSize="40" rasterYSize="30">{inside}</VRTDataset>')
    image = np.arange(19 * 33, dtype="u2").reshape(19, 33)
    with tifffile.TiffWriter(os.path.join(CORPUS, "reader", "seed-two-images"), byteorder=">") as t:
        t.write(image, tile=(16, 16), compression="zlib", metadata=None)
        t.write(image.astype("f4"), rowsperstrip=4, metadata=None)
    for target in TARGETS:
        for k in range(12):
            rng = random.Random(f"{target} {k}")
            with open(os.path.join(CORPUS, target, f"seed-{k:02}"), "wb") as f:
                f.write(bytes(rng.randrange(256) for _ in range(30 + 20 * k)))


if __name__ == "__main__":
    main()
