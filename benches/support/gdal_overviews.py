"""GDAL's side of the benchmark of the pyramid: says its version, then a time for every line of standard input.

A line is a file of raw pixels (rows, columns, bands), a file of their mask or "-", the type, width, height, bands, nodata or
"-", and the kernel. It is answered by the seconds of one BuildOverviews, or by "-" where GDAL has no such kernel.
"""

import os
import sys
import time

os.environ["GDAL_NUM_THREADS"] = "1"
os.environ["GDAL_PAM_ENABLED"] = "NO"
import numpy as np
from osgeo import gdal

gdal.UseExceptions()
gdal.SetCacheMax(1 << 30)
TYPES = {"u8": (gdal.GDT_Byte, "u1"), "u16": (gdal.GDT_UInt16, "u2"), "f32": (gdal.GDT_Float32, "f4")}
METHODS = {"nearest", "average", "rms", "gauss", "mode", "bilinear", "cubic", "cubicspline", "lanczos"}


def dataset(pixels, mask, kind, width, height, bands, nodata):
    gdal_type, dtype = TYPES[kind]
    data = np.fromfile(pixels, dtype).reshape(height, width, bands)
    ds = gdal.GetDriverByName("MEM").Create("", width, height, bands, gdal_type)
    for i in range(bands):
        ds.GetRasterBand(i + 1).WriteArray(np.ascontiguousarray(data[:, :, i]))
        if nodata != "-":
            ds.GetRasterBand(i + 1).SetNoDataValue(float(nodata))
    if mask != "-":
        ds.CreateMaskBand(gdal.GMF_PER_DATASET)
        ds.GetRasterBand(1).GetMaskBand().WriteArray(np.fromfile(mask, "u1").reshape(height, width))
    return ds


def main():
    print("GDAL", gdal.__version__, flush=True)
    held, ds = None, None
    for line in sys.stdin:
        pixels, mask, kind, width, height, bands, nodata, method = line.split("\t")
        method = method.strip()
        key = (pixels, mask, kind, int(width), int(height), int(bands), nodata)
        if method not in METHODS:
            print("-", flush=True)
            continue
        if key != held:
            held, ds = key, dataset(*key)
        began = time.perf_counter()
        ds.BuildOverviews(method.upper(), [2])
        seconds = time.perf_counter() - began
        ds.BuildOverviews("NONE", [])
        print(seconds, flush=True)


main()
