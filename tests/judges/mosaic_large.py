"""A mosaic of many tiles compared with gdalbuildvrt and gdal_translate on the same files: pixels, time, memory, open files.

    python mosaic_large.py              a tenth: 16 x 16 tiles of 1000 x 1000
    python mosaic_large.py --side 50 --runs 2 --ratio 4     2,500 tiles, 5 GB of pixels; for the release

The ratio is that of a release build: COGSMITH=target/release/cogsmith.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np
import rasterio
from osgeo import gdal

from command_line import binary
from report import Report

gdal.UseExceptions()

TILE = 1000
MOST_MEMORY = 400 << 20
MOST_FILES = 256
# Both codecs are DEFLATE, and both tools use all cores.
GDAL = ["-co", "COMPRESS=DEFLATE", "-co", "NUM_THREADS=ALL_CPUS", "-co", "BIGTIFF=IF_SAFER"]
SCRIPT = """
import sys
from osgeo import gdal
gdal.UseExceptions()
vrt, target, *inputs = open(sys.argv[1]).read().split("\\n")
gdal.BuildVRT(vrt, inputs).FlushCache()
gdal.Translate(target, vrt, options="-of COG " + sys.argv[2])
"""


def make(folder, side):
    """Hills with a little noise: values of 16 bits that compress as elevations do."""
    random = np.random.default_rng(1)
    x = np.arange(TILE)
    paths = []
    for row in range(side):
        for column in range(side):
            hills = 2000 + 900 * np.sin((column * TILE + x)[None, :] / 700) * np.cos((row * TILE + x)[:, None] / 900)
            pixels = (hills + random.integers(0, 8, (TILE, TILE))).astype("u2")
            path = os.path.join(folder, f"{row:02}_{column:02}.tif")
            with rasterio.open(path, "w", driver="GTiff", width=TILE, height=TILE, count=1, dtype="uint16", nodata=0, crs="EPSG:32633",
                               transform=rasterio.transform.from_origin(500000 + 10 * TILE * column, 6000000 - 10 * TILE * row, 10, 10),
                               tiled=True, compress="LZW", predictor=2) as file:
                file.write(pixels, 1)
            paths.append(path)
    return paths


def watch(process, seen, is_over):
    """Counts the open files of a process. Only `os.wait4` may ask whether it has ended: that takes its exit code away."""
    folder = f"/proc/{process.pid}/fd"
    while not is_over.wait(0.005):
        try:
            seen[0] = max(seen[0], len(os.listdir(folder)))
        except OSError:
            pass


def measured(command):
    """Runs a command; returns its exit code, seconds, peak memory in bytes, and largest number of open files."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    seen, is_over = [0], threading.Event()
    watcher = threading.Thread(target=watch, args=(process, seen, is_over))
    watcher.start()
    try:
        _, status, usage = os.wait4(process.pid, 0)
    finally:
        is_over.set()
        watcher.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, time.monotonic() - began, usage.ru_maxrss * 1024, seen[0]


def same_pixels(ours, theirs):
    ours, theirs = gdal.Open(ours), gdal.Open(theirs)
    if ours.GetGeoTransform() != theirs.GetGeoTransform():
        return [f"transform {ours.GetGeoTransform()}, GDAL {theirs.GetGeoTransform()}"]
    for row in range(0, ours.RasterYSize, TILE):
        rows = (0, row, ours.RasterXSize, min(TILE, ours.RasterYSize - row))
        if not (ours.ReadAsArray(*rows) == theirs.ReadAsArray(*rows)).all():
            return [f"pixels differ from row {row} on"]
    return []


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--side", type=int, default=16)
    parser.add_argument("--runs", type=int, default=1, help="the best of so many runs counts")
    parser.add_argument("--ratio", type=float, help="how many times as fast as GDAL the command has to be")
    arguments = parser.parse_args()
    report = Report("mosaic_large")
    with tempfile.TemporaryDirectory(prefix="cogsmith-mosaic-") as folder:
        tiles = os.path.join(folder, "tiles")
        os.mkdir(tiles)
        paths = make(tiles, arguments.side)
        ours, theirs, vrt = (os.path.join(folder, name) for name in ("ours.tif", "theirs.tif", "all.vrt"))
        listed = os.path.join(folder, "list.txt")
        with open(listed, "w") as file:
            file.write("\n".join([vrt, theirs, *paths]))
        runs = []
        for _ in range(arguments.runs):
            code, seconds, memory, files = measured([binary(), "mosaic", "--quiet", "--overwrite", tiles, "-o", ours])
            options = " ".join(GDAL)
            gdal_code, gdal_seconds, gdal_memory, _ = measured([sys.executable, "-c", SCRIPT, listed, options])
            runs.append((code, seconds, memory, files, gdal_code, gdal_seconds, gdal_memory))
        code, seconds, memory, files, gdal_code, gdal_seconds, gdal_memory = min(runs, key=lambda run: run[1])
        gdal_seconds = min(run[5] for run in runs)
        ratio = gdal_seconds / seconds
        print(f"{len(paths)} tiles, {len(paths) * TILE * TILE * 2 / 1e9:.1f} GB: {seconds:.1f} s, {memory / 2**20:.0f} MiB, {files} open "
              f"files, {os.path.getsize(ours) / 1e6:.0f} MB; GDAL {gdal_seconds:.1f} s, {gdal_memory / 2**20:.0f} MiB, "
              f"{os.path.getsize(theirs) / 1e6:.0f} MB: {ratio:.1f} times as fast")
        report.check("both succeed", [] if code == gdal_code == 0 else [f"exit codes {code} and {gdal_code}"])
        report.check("memory", [] if max(run[2] for run in runs) <= MOST_MEMORY else [f"{memory / 2**20:.0f} MiB"])
        report.check("open files", [] if max(run[3] for run in runs) <= MOST_FILES else [f"{files}"])
        report.check("pixels", same_pixels(ours, theirs))
        if arguments.ratio:
            report.check("time", [] if ratio >= arguments.ratio else [f"{ratio:.2f} times as fast, not {arguments.ratio}"])
    raise SystemExit(report.close())


main()
