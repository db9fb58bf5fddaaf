"""Many rasters, process against process: wall time and bytes of cogsmith and of gdal_translate with the same options.

    python corpus.py DIRECTORY [--runs 7] [--gdal gdal_translate] [--cogsmith target/release/cogsmith] [--limit N]

For every raster that both convert (DEFLATE, default overviews, OVERVIEWS=IGNORE_EXISTING, 2 threads, warm cache): the
median wall time may be 5 ms more than GDAL's, the bytes max(2.5 %, 2 KiB) more. Prints those that are beyond, and what
one of the two refuses.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time


def run(command, target):
    """(seconds, bytes), or None where it fails."""
    if os.path.exists(target):
        os.remove(target)
    start = time.perf_counter()
    try:
        code = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20).returncode
    except subprocess.TimeoutExpired:
        return None
    seconds = time.perf_counter() - start
    return (seconds, os.path.getsize(target)) if code == 0 and os.path.exists(target) else None


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("directory")
    p.add_argument("--runs", type=int, default=7)
    p.add_argument("--gdal", default="gdal_translate")
    p.add_argument("--cogsmith", default="target/release/cogsmith")
    p.add_argument("--limit", type=int)
    p.add_argument("--every", type=int, default=1, help="only every so many-th raster")
    a = p.parse_args()
    paths = sorted(os.path.join(d, f) for d, _, files in os.walk(a.directory) for f in files if f.lower().endswith((".tif", ".tiff")))[: a.limit : a.every]
    slow, large, refused, both, times, sizes = [], [], {"GDAL": 0, "cogsmith": [], "both": 0}, 0, [], []
    with tempfile.TemporaryDirectory() as scratch:
        one, two = os.path.join(scratch, "ours.tif"), os.path.join(scratch, "gdal.tif")
        for path in paths:
            ours = [a.cogsmith, "create", "--quiet", "--overwrite", "--threads=2", path, one]
            gdal = [a.gdal, "-q", "-of", "COG", "-co", "COMPRESS=DEFLATE", "-co", "PREDICTOR=YES", "-co", "OVERVIEWS=IGNORE_EXISTING",
                    "-co", "NUM_THREADS=2", path, two]
            first, second = run(ours, one), run(gdal, two)
            if first is None or second is None:
                if first is None and second is None:
                    refused["both"] += 1
                elif second is None:
                    refused["GDAL"] += 1
                else:
                    refused["cogsmith"].append(os.path.relpath(path, a.directory))
                continue
            rest = [(run(ours, one), run(gdal, two)) for _ in range(a.runs - 1)]
            ours_s = statistics.median([first[0]] + [r[0][0] for r in rest if r[0]])
            gdal_s = statistics.median([second[0]] + [r[1][0] for r in rest if r[1]])
            both += 1
            times.append(gdal_s / ours_s)
            sizes.append(first[1] / second[1])
            name = os.path.relpath(path, a.directory)
            if ours_s > gdal_s + 0.005:
                slow.append(f"{name}: {ours_s * 1000:.0f} ms, GDAL {gdal_s * 1000:.0f}")
            if first[1] > second[1] + max(second[1] * 0.025, 2048):
                large.append(f"{name}: {first[1]} bytes, GDAL {second[1]}")
    print(subprocess.check_output([a.gdal, "--version"], text=True).strip())
    print(f"{both} of {len(paths)} converted by both, {a.runs} runs each; times as fast: geometric mean {statistics.geometric_mean(times):.2f}, "
          f"median {statistics.median(times):.2f}; size: geometric mean {100 * (statistics.geometric_mean(sizes) - 1):+.2f} %")
    for what, list_ in (("slower than GDAL + 5 ms", slow), ("larger than GDAL + max(2.5 %, 2 KiB)", large)):
        print(f"{len(list_)} {what}")
        for line in list_:
            print("  ", line)
    print(f"refused by GDAL alone {refused['GDAL']}, by both {refused['both']}, by cogsmith alone {len(refused['cogsmith'])}: {' '.join(refused['cogsmith'])}")


if __name__ == "__main__":
    sys.exit(main())
