"""Memory and time of writing one large array to a file and to memory.

    python benches/python/large_array.py [--gib 2] [WRITER…]

Prints, for cogsmith, datacube's ``write_cog`` and GDAL's COG driver (through rasterio's MemoryFile), peak memory above the
array and the time, each in a process of its own.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path


def status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def pixels(gib: float):
    import numpy as np

    rows = int(gib * 2**30 / 2 / 32768)
    array = np.empty((rows, 32768), "uint16")
    down, across = np.ogrid[:1024, :32768]
    noise = np.random.default_rng(0).integers(0, 60, (1024, 32768), "uint16")
    block = (1500 + 700 * np.sin(down / 97) * np.cos(across / 143)).astype("uint16") + noise
    for first in range(0, rows, 1024):
        array[first : first + 1024] = block[: rows - first] + np.uint16(first // 1024)
    return array


def cogsmith_file(array, folder):
    import cogsmith

    cogsmith.write_cog(array, folder / "out.tif", crs=32633, transform=(10, 0, 0, 0, -10, 0))


def cogsmith_memory(array, folder):
    import cogsmith

    return cogsmith.write_cog(array, ":mem:", crs=32633, transform=(10, 0, 0, 0, -10, 0))


def datacube_file(array, folder):
    import xarray as xr
    from affine import Affine
    from datacube.utils.cog import write_cog
    from odc.geo.geobox import GeoBox
    from odc.geo.xr import xr_coords

    box = GeoBox(array.shape, Affine(10, 0, 0, 0, -10, 0), 32633)
    write_cog(xr.DataArray(array, dims=("y", "x"), coords=xr_coords(box, always_yx=True)), folder / "out.tif")


def gdal_file(array, folder):
    import rasterio
    from rasterio.shutil import copy

    options = {"height": array.shape[0], "width": array.shape[1], "count": 1, "dtype": "uint16", "crs": "EPSG:32633"}
    with rasterio.MemoryFile() as memory:
        with memory.open(driver="GTiff", transform=rasterio.Affine(10, 0, 0, 0, -10, 0), **options) as file:
            file.write(array, 1)
        with memory.open() as file:
            copy(file, folder / "out.tif", driver="COG", compress="DEFLATE", predictor="YES", num_threads="ALL_CPUS",
                 overview_resampling="NEAREST")  # fmt: skip


WRITERS = {
    "cogsmith": cogsmith_file, "cogsmith-memory": cogsmith_memory, "datacube": datacube_file, "gdal": gdal_file
}  # fmt: skip


def one(name: str, gib: float) -> None:
    array = pixels(gib)
    Path("/proc/self/clear_refs").write_text("5")
    before = status("VmRSS")
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        began = time.perf_counter()
        result = WRITERS[name](array, Path(folder))
        seconds = time.perf_counter() - began
        size = len(result) if result is not None else (Path(folder) / "out.tif").stat().st_size
    above = status("VmHWM") - before
    print(
        f"{name:16} {seconds:6.1f} s  peak {above / 1e6:6.0f} MB above an array of {array.nbytes / 1e6:.0f} MB, "
        f"file of {size / 1e6:.0f} MB",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("writers", nargs="*", default=list(WRITERS), metavar="WRITER")
    parser.add_argument("--gib", type=float, default=2)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    for name in arguments.writers or list(WRITERS):
        if arguments.one:
            one(name, arguments.gib)
        else:
            subprocess.run([sys.executable, __file__, "--one", "--gib", str(arguments.gib), name], check=False)


if __name__ == "__main__":
    main()
