"""Compares cogsmith with other writers: makes the inputs, runs everything interleaved, and writes docs/benchmarks.md.

    benches/compare/compare.sh [--scale 1.0] [--runs 5] [--quick]

Wall seconds are those of the process for commands, and of the writing call for Python peers (startup and imports are
excluded, in their favor). There is no fsync, inputs are in the page cache, and outputs are removed before each run. Figures
are medians, and ratios are ratios of medians.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
NAMES = ("dem", "s2", "rgb", "lc")
FLOATS = ("dem",)
#: Lossy codecs: title, input, GDAL's options.
LOSSY = (("JPEG 75", "rgb", {"COMPRESS": "JPEG", "QUALITY": "75"}), ("LERC 0.01", "dem", {"COMPRESS": "LERC", "MAX_Z_ERROR": "0.01"}),
         ("LERC_ZSTD 0.01", "dem", {"COMPRESS": "LERC_ZSTD", "MAX_Z_ERROR": "0.01"}), ("LERC 0", "s2", {"COMPRESS": "LERC"}))

# Each runs in a process of its own and prints the seconds of the writing call.
FILE_BY_RASTERIO = """
import sys, time, json
import rasterio.shutil
source, target, options = sys.argv[1:]
start = time.perf_counter()
rasterio.shutil.copy(source, target, driver="COG", **json.loads(options))
print(time.perf_counter() - start)
"""
ARRAY_BY_RASTERIO = """
import sys, time, json
import rasterio
source, target, options = sys.argv[1:]
with rasterio.open(source) as f:
    data, profile = f.read(), f.profile
keep = {k: profile[k] for k in ("width", "height", "count", "dtype", "crs", "transform", "nodata")}
start = time.perf_counter()
with rasterio.open(target, "w", driver="COG", **keep, **json.loads(options)) as f:
    f.write(data)
print(time.perf_counter() - start)
"""
ARRAY_BY_DATACUBE = """
import sys, time, json, warnings
warnings.simplefilter("ignore")
import rasterio, xarray, numpy
from odc.geo.geobox import GeoBox
from odc.geo.xr import wrap_xr
from datacube.utils.cog import write_cog
source, target, options = sys.argv[1:]
options = json.loads(options)
with rasterio.open(source) as f:
    data = f.read()
    box = GeoBox((f.height, f.width), f.transform, f.crs)
    nodata = f.nodata
data = data[0] if len(data) == 1 else numpy.ascontiguousarray(data.transpose(1, 2, 0))
array = wrap_xr(data, box, nodata=nodata) if data.ndim == 2 else wrap_xr(data, box, nodata=nodata, axis=0)
start = time.perf_counter()
write_cog(array, target, overview_resampling="average", **options)
print(time.perf_counter() - start)
"""


class Run:
    """Time, memory, and output size of one run of a process."""

    def __init__(self, command, target, inside=False, environment=None):
        if os.path.exists(target):
            os.remove(target)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            start = time.perf_counter()
            child = subprocess.Popen(command, stdout=out, stderr=err, env={**os.environ, **(environment or {})})
            _, status, usage = os.wait4(child.pid, 0)
            self.wall = time.perf_counter() - start
            child.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0), err.seek(0)
            text = out.read().decode()
            if child.returncode != 0:
                raise RuntimeError(f"{command[:4]}…: exit code {child.returncode}: {err.read().decode()[-500:]}")
        if inside:
            self.wall = float(text.strip().splitlines()[-1])
        self.cpu = usage.ru_utime + usage.ru_stime
        self.memory = usage.ru_maxrss * 1024
        self.bytes = os.path.getsize(target)


class Case:
    """Writers of one row of the table: name -> a function that runs it once; `warm` adds an uncounted run before each."""

    def __init__(self, title, name, writers, warm=False):
        self.title, self.name, self.writers, self.warm = title, name, writers, warm
        self.runs = {writer: [] for writer in writers}

    def once(self):
        for writer, run in self.writers.items():
            if self.warm:
                run()
            self.runs[writer].append(run())

    def median(self, writer, what):
        return statistics.median(getattr(run, what) for run in self.runs[writer])


def geometric(values):
    return statistics.geometric_mean(values)


def cases(a, binaries):
    out = os.path.join(a.directory, "out")
    python, cogsmith, with_c, array = binaries["python"], binaries["cogsmith"], binaries["zstd-c"], binaries["array"]

    def path(name):
        return os.path.join(a.directory, name + ".tif")

    def ours(name, binary=cogsmith, **options):
        target = f"{out}-{name}-ours.tif"
        flags = [f"--{key.replace('_', '-')}={value}" for key, value in options.items()]
        return lambda: Run([binary, "create", "--quiet", "--threads=2", "--overview-resampling=average", *flags, path(name), target], target)

    def options(name, codec, level=None):
        o = {"COMPRESS": codec, "OVERVIEW_RESAMPLING": "AVERAGE", "NUM_THREADS": "2", "BIGTIFF": "IF_SAFER", "OVERVIEWS": "IGNORE_EXISTING"}
        if codec != "NONE":
            o["PREDICTOR"] = "YES"
        if level:
            o["LEVEL"] = str(level)
        return o

    def rasterio(name, codec, level=None, script=FILE_BY_RASTERIO, given=None):
        target = f"{out}-{name}-rasterio.tif"
        given = json.dumps(given or options(name, codec, level))
        return lambda: Run([python, "-c", script, path(name), target, given], target, inside=True)

    def translate(name, codec, level=None):
        target = f"{out}-{name}-gdal.tif"
        flags = [f for key, value in options(name, codec, level).items() for f in ("-co", f"{key}={value}")]
        return lambda: Run([binaries["gdal_translate"], "-q", "-of", "COG", *flags, path(name), target], target)

    def our_array(name, codec):
        target = f"{out}-{name}-array.tif"
        info = json.loads(subprocess.check_output([python, "-c", "import rasterio, json, sys\nf = rasterio.open(sys.argv[1])\n"
                          "raw = sys.argv[1] + '.raw'\nf.read().tofile(raw)\nprint(json.dumps([raw, f.width, f.height, f.count, f.dtypes[0]]))", path(name)]))
        return lambda: Run([array, *map(str, info), codec, "2", target], target, inside=True)

    def datacube(name):
        target = f"{out}-{name}-datacube.tif"
        o = {"compress": "DEFLATE", "zlevel": 6, "predictor": 3 if name in FLOATS else 2, "NUM_THREADS": 2, "overwrite": True}
        return lambda: Run([python, "-c", ARRAY_BY_DATACUBE, path(name), target, json.dumps(o)], target, inside=True)

    result = []
    for name in NAMES:
        result.append(Case("DEFLATE 6, file to file", name, {
            "cogsmith": ours(name, compress="deflate"), "GDAL (rasterio)": rasterio(name, "DEFLATE", 6), "gdal_translate (Debian)": translate(name, "DEFLATE", 6)}))
    for name in NAMES:
        writers = {"cogsmith": our_array(name, "deflate"), "GDAL (rasterio)": rasterio(name, "DEFLATE", 6, ARRAY_BY_RASTERIO)}
        if binaries["datacube"] and name in ("dem", "lc"):
            writers["datacube"] = datacube(name)
        result.append(Case("DEFLATE 6, array to file", name, writers))
    for name in NAMES:
        result.append(Case("LZW, file to file", name, {"cogsmith": ours(name, compress="lzw"), "GDAL (rasterio)": rasterio(name, "LZW")}))
    for level in (1, 3, 9):
        for name in NAMES:
            writers = {"cogsmith": ours(name, compress="zstd", level=level), "GDAL (rasterio)": rasterio(name, "ZSTD", level)}
            if with_c:
                writers["cogsmith, zstd-c"] = ours(name, binary=with_c, compress="zstd", level=level)
            result.append(Case(f"ZSTD {level}, file to file", name, writers))
    for name in NAMES:
        result.append(Case("no compression, file to file", name, {"cogsmith": ours(name, compress="none"), "GDAL (rasterio)": rasterio(name, "NONE")}, warm=True))
    for title, name, codec in LOSSY:
        shared = {key: value for key, value in options(name, "NONE").items() if key != "COMPRESS"}
        native = {key.lower(): value for key, value in codec.items()}
        result.append(Case(f"{title}, file to file", name, {
            "cogsmith": ours(name, **native), "GDAL (rasterio)": rasterio(name, None, given={**shared, **codec})}))
    if a.only:  # by words of the titles
        result = [case for case in result if any(word in case.title for word in a.only.split(","))]
    return result


def table(results):
    lines = []
    for title in dict.fromkeys(case.title for case in results):
        rows = [case for case in results if case.title == title]
        writers = list(dict.fromkeys(writer for case in rows for writer in case.writers))
        lines += [f"### {title}", "", "| file | writer | wall s | times as fast | CPU s | MB | size | peak MiB |", "|---|---|---|---|---|---|---|---|"]
        for case in rows:
            for writer in case.writers:
                wall, size = case.median(writer, "wall"), case.median(writer, "bytes")
                ours_wall, ours_size = case.median("cogsmith", "wall"), case.median("cogsmith", "bytes")
                ratio, part = ("", "") if writer == "cogsmith" else (f"{wall / ours_wall:.2f}", f"{100 * (ours_size / size - 1):+.2f} %")
                lines.append(f"| {case.name} | {writer} | {wall:.2f} | {ratio} | {case.median(writer, 'cpu'):.2f} | {size / 1e6:.1f} | {part} "
                             f"| {case.median(writer, 'memory') / 2**20:.0f} |")
        for writer in writers[1:]:
            both = [case for case in rows if writer in case.writers]
            speed = geometric([case.median(writer, "wall") / case.median("cogsmith", "wall") for case in both])
            size = geometric([case.median("cogsmith", "bytes") / case.median(writer, "bytes") for case in both])
            lines.append(f"| **geometric mean** | {writer} | | **{speed:.2f}** | | | **{100 * (size - 1):+.2f} %** | |")
        lines.append("")
    return lines


def plot(results, path):
    """Draws one bar for each file and case: speed relative to GDAL."""
    rows = [(case.title.split(",")[0] + (", array" if "array" in case.title else ""), case.name,
             case.median("GDAL (rasterio)", "wall") / case.median("cogsmith", "wall")) for case in results]
    width, line = 640, 18
    most = max(ratio for *_, ratio in rows)
    height = line * len(rows) + 50
    bars = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
            f'<rect width="{width}" height="{height}" fill="white"/>',
            '<text x="10" y="20" font-size="14">Times as fast as GDAL (rasterio), 2 threads; the line is 1</text>']
    scale = (width - 250) / most
    for index, (title, name, ratio) in enumerate(rows):
        y = 35 + index * line
        bars.append(f'<text x="10" y="{y + 11}">{title} {name}</text><rect x="190" y="{y}" width="{ratio * scale:.1f}" height="13" fill="#2f6f9f"/>'
                    f'<text x="{195 + ratio * scale:.1f}" y="{y + 11}">{ratio:.1f}</text>')
    bars.append(f'<line x1="{190 + scale:.1f}" y1="30" x2="{190 + scale:.1f}" y2="{height - 10}" stroke="#c03030"/></svg>')
    with open(path, "w") as f:
        f.write("\n".join(bars) + "\n")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--directory", required=True, help="directory for inputs and outputs")
    p.add_argument("--binaries", required=True, help="JSON: python, cogsmith, zstd-c, array, gdal_translate, datacube")
    p.add_argument("--runs", type=int, default=5)
    p.add_argument("--only", help="comma-separated words from case titles")
    p.add_argument("--page", help="write the page here instead of docs/benchmarks.md")
    a = p.parse_args()
    binaries = json.loads(a.binaries)
    results = cases(a, binaries)
    for _ in range(a.runs):
        for case in results:
            case.once()
            print(".", end="", flush=True)
    print()
    version = subprocess.check_output([binaries["python"], "-c", "import rasterio; print('rasterio', rasterio.__version__, 'with GDAL', rasterio.__gdal_version__)"], text=True).strip()
    debian = subprocess.check_output([binaries["gdal_translate"], "--version"], text=True).strip()
    ours = subprocess.check_output([binaries["cogsmith"], "--version"], text=True).strip()
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
    page = [
        "# Benchmarks", "",
        "Generated by `benches/compare/compare.sh`, including all figures.", "",
        f"{datetime.date.today()}; {ours}; {version}; {debian}; {os.cpu_count()} cores ({cpu}), shared with others; 2 threads; tiles of 512x512;",
        "average overviews; predictor: each writer's own choice (GDAL `PREDICTOR=YES`). "
        f"Medians of {a.runs} interleaved runs, inputs in the page cache, no fsync. "
        "Without compression, each run follows an uncounted one: the time for pages that the system has not used before varies "
        "randomly, and would dominate.", "",
        "| input | |", "|---|---|"]
    for name in NAMES:
        page.append(f"| {name} | {os.path.getsize(os.path.join(a.directory, name + '.tif')) / 1e6:.0f} MB |")
    page += ["", "\"Times as fast\": wall time of that writer divided by ours. \"size\": our file compared with that writer's.", "",
             "![times as fast as GDAL](benchmarks.svg)", ""]
    page += table(results)
    target = a.page or os.path.join(ROOT, "docs", "benchmarks.md")
    with open(target, "w") as f:
        f.write("\n".join(page))
    plot(results, os.path.join(os.path.dirname(target), "benchmarks.svg"))
    print("wrote", target)


if __name__ == "__main__":
    sys.exit(main())
