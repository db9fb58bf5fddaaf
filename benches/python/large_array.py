"""Memory and time of writing one large array to a file and to memory.

    scripts/python-bench.sh large_array [--gib 2] [--page docs/python-benchmarks.md] [WRITER…]

Measures cogsmith, the ``write_cog`` of datacube and of odc-geo, and GDAL's COG driver (through rasterio's MemoryFile), each
in a process of its own: peak memory, the part that is neither the array nor was there before the write, and the time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

from report import add_page, mib, proc, publish, section, table, versions

#: Used by all writers: nearest, DEFLATE level 6, predictor 2, tiles of 512x512.
PLACE = (10, 0, 399960, 0, -10, 5000040)

NOTES = """
**Peak** is `VmHWM` of the process, the kernel's record of its largest resident set, reset once the array exists. It includes
the interpreter, all libraries (pages shared with other processes count in full), and the array. **Above the array** is the
peak without the bytes of the array, and **by the write** is the part of the peak that was not resident before the write:
every writer has written a small array by then, so its libraries are loaded. Files go to a file system on a disk; its cache
belongs to the system, not to a process, and is not counted.

The peaks of `cogsmith (memory)` and `datacube (memory)` include the bytes that they return.
"""


def pixels(gib: float):
    import numpy as np

    rows = max(512, int(gib * 2**30 / 2 / 32768))
    array = np.empty((rows, 32768), "uint16")
    down, across = np.ogrid[:1024, :32768]
    noise = np.random.default_rng(0).integers(0, 60, (1024, 32768), "uint16")
    block = (1500 + 700 * np.sin(down / 97) * np.cos(across / 143)).astype("uint16") + noise
    for first in range(0, rows, 1024):
        array[first : first + 1024] = block[: rows - first] + np.uint16(first // 1024)
    return array


def cogsmith(array, target):
    import cogsmith

    return cogsmith.write_cog(array, target, crs=32633, transform=PLACE)


def as_data_array(array):
    import xarray as xr
    from affine import Affine
    from odc.geo.geobox import GeoBox
    from odc.geo.xr import xr_coords

    box = GeoBox(array.shape, Affine(*PLACE), 32633)
    return xr.DataArray(array, dims=("y", "x"), coords=xr_coords(box, always_yx=True))


def datacube(array, target):
    from datacube.utils.cog import write_cog

    return write_cog(as_data_array(array), target)


def odc_geo(array, target):
    from odc.geo.cog import write_cog

    return write_cog(as_data_array(array), target)


def gdal(array, target):
    import rasterio
    from rasterio.shutil import copy

    options = {"height": array.shape[0], "width": array.shape[1], "count": 1, "dtype": "uint16", "crs": "EPSG:32633"}
    with rasterio.MemoryFile() as memory:
        with memory.open(driver="GTiff", transform=rasterio.Affine(*PLACE), bigtiff="IF_SAFER", **options) as file:
            file.write(array, 1)
        with memory.open() as file:
            copy(file, target, driver="COG", compress="DEFLATE", level=6, predictor="YES", num_threads="ALL_CPUS",
                 overview_resampling="NEAREST", bigtiff="IF_SAFER")  # fmt: skip


WRITERS = {
    "cogsmith": (cogsmith, False),
    "cogsmith (memory)": (cogsmith, True),
    "datacube": (datacube, False),
    "datacube (memory)": (datacube, True),
    "odc-geo": (odc_geo, False),
    "gdal": (gdal, False),
}


def one(name: str, gib: float) -> dict[str, float]:
    """Measures a writer in this process."""
    write, in_memory = WRITERS[name]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write(pixels(0)[:512, :1024], ":mem:" if in_memory else Path(folder) / "small.tif")
        array = pixels(gib)
        Path("/proc/self/clear_refs").write_text("5")
        before = proc("self", "VmRSS")
        path = Path(folder) / "out.tif"
        began = time.perf_counter()
        result = write(array, ":mem:" if in_memory else path)
        seconds = time.perf_counter() - began
        peak = proc("self", "VmHWM")
        size = len(result) if in_memory else path.stat().st_size
    return {"before": before, "peak": peak, "seconds": seconds, "size": size, "array": array.nbytes}


def measure(name: str, gib: float) -> list[str]:
    """Returns a row of the table; a failure of the writer is a result, too."""
    command = [sys.executable, __file__, "--one", "--gib", str(gib), name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1][:80].replace("|", " ")
        return [name, "", "", "", "", f"failed ({done.returncode}): {last}"]
    found = json.loads(done.stdout.splitlines()[-1])
    return [
        name,
        f"{found['seconds']:.1f} s",
        mib(found["peak"]),
        mib(found["peak"] - found["array"]),
        mib(found["peak"] - found["before"]),
        mib(found["size"]),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("writers", nargs="*", metavar="WRITER", help=", ".join(WRITERS))
    parser.add_argument("--gib", type=float, default=2)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    add_page(parser)
    arguments = parser.parse_args()
    names = arguments.writers or list(WRITERS)
    if unknown := set(names) - set(WRITERS):
        parser.error(f"no such writer: {', '.join(unknown)}")
    if arguments.one:
        print(json.dumps(one(names[0], arguments.gib)))
        return
    rows = []
    for name in names:
        rows.append(measure(name, arguments.gib))
        print("  ".join(rows[-1]), flush=True)
    facts = [
        versions("cogsmith", "numpy", "datacube", "odc-geo", "rasterio"),
        f"an array of {arguments.gib:g} GiB, uint16, 32768 columns; nearest, DEFLATE level 6, predictor 2, tiles of "
        "512x512, all cores",
    ]
    columns = ["writer", "time", "peak", "above the array", "by the write", "size of the file"]
    publish(section("One large array", facts, table(columns, rows), NOTES), arguments.page)


if __name__ == "__main__":
    main()
