"""The package for browsers and Node, and the page: the bytes of the command, read by others.

    python wasm.py        needs what wasm/scripts/build.sh made, node, npm and chromium
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import rasterio
import tifffile
from rio_cogeo.cogeo import cog_validate

import geotiff_js
from command_line import ROOT, create
from report import Report

WASM = os.path.join(ROOT, "wasm")
PLACE = [(33550, "d", 3, (10.0, 10.0, 0.0), True), (33922, "d", 6, (0.0, 0.0, 0.0, 500000.0, 4600000.0, 0.0), True)]
FIXTURES = sorted(name for name in os.listdir(os.path.join(ROOT, "fixtures")) if name.endswith(".tif"))


def camel(name):
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def made_inputs(folder):
    """Images of several shards: numbers, classes (which do without a predictor), colors with a mask, one huge strip."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[0:2300, 0:1700]
    numbers = (np.sin(x / 90) * np.cos(y / 70) * 9000 + 20000 + rng.integers(0, 40, x.shape)).astype("u2")
    classes = ((x // 37 * 7 + y // 53 * 11) % 12 * 21 + rng.integers(0, 2, x.shape) * 3).astype("u1")
    floats = (np.sin(x / 90) * 100 + rng.random(x.shape)).astype("f4")
    floats[400:900, 300:800] = np.nan
    colors = np.stack([x % 256, y % 256, (x + y) % 256, np.where((x - 800) ** 2 + (y - 1100) ** 2 < 700**2, 255, 0)], -1).astype("u1")

    def write(name, data, **how):
        path = os.path.join(folder, name)
        tifffile.imwrite(path, data, metadata=None, extratags=PLACE, **how)
        return path

    return {
        "numbers": write("numbers.tif", numbers, tile=(256, 256), compression="zlib", predictor=True),
        "classes": write("classes.tif", classes, rowsperstrip=16),
        "floats": write("floats.tif", floats, rowsperstrip=64, compression="zlib"),
        "colors": write("colors.tif", colors, photometric="rgb", extrasamples=["unassalpha"], tile=(128, 128), compression="zlib"),
        "one_strip": write("one_strip.tif", np.tile(floats, (1, 2)), rowsperstrip=2300, compression="zlib"),
        "one_plain_strip": write("one_plain_strip.tif", np.tile(floats, (1, 2)), rowsperstrip=2300),
    }


def cases(folder):
    """Name, input, form of the input, options of the command, those of the package alone."""
    codecs = [{}, {"compress": "none"}, {"compress": "lzw"}, {"compress": "deflate", "level": 9}, {"compress": "zstd"},
              {"compress": "zstd", "level": 1, "blocksize": 256}]
    forms = ("bytes", "path", "blob", "handle")
    for name in FIXTURES:
        for index, options in enumerate(codecs):
            yield f"{name} {options}", os.path.join(ROOT, "fixtures", name), forms[index % 4], options, {}
        yield f"{name} bands apart", os.path.join(ROOT, "fixtures", name), "path", {"interleave": "band", "blocksize": 128}, {}
        yield f"{name} stats", os.path.join(ROOT, "fixtures", name), "bytes", {"stats": True, "overview_resampling": "nearest"}, {}
    made = made_inputs(folder)
    for name, path in made.items():
        for threads in (1, 3):
            form = "blob" if threads == 3 else "path"
            yield f"{name} {threads} workers", path, form, {"blocksize": 256}, {"threads": threads}
    yield "numbers, factors", made["numbers"], "bytes", {"overviews": "3,7,20", "blocksize": 128, "compress": "lzw"}, {"threads": 3}
    yield "colors, mask from alpha", made["colors"], "handle", {"mask": "alpha", "blocksize": 256, "interleave": "tile"}, {"threads": 3}
    yield "floats, nodata and place", made["floats"], "path", {
        "nodata": "nan", "bounds": "10,40,20,50", "band_scale": "0.5", "band_unit": "m", "overview_count": 2, "overview_resampling": "average"}, {"threads": 2}
    yield "numbers, BigTIFF and statistics", made["numbers"], "blob", {"bigtiff": "yes", "stats": True}, {"threads": 3}
    yield "numbers, to a stream", made["numbers"], "path", {"overview_blocksize": 128}, {"threads": 3, "stream": True}
    fixture = os.path.join(ROOT, "fixtures")
    for number, (name, options) in enumerate(full_cases(fixture)):
        yield f"every codec: {os.path.basename(name)} {options}", name, forms[number % 4], options, {"full": True, "threads": 1 + number % 3}
    for name in ("numbers", "colors"):
        yield f"every codec: {name}, window", made[name], "path", {"window": "100,200,1300,1900", "blocksize": 256}, {"full": True, "threads": 3}


def full_cases(fixture):
    """Inputs, and options that only the module with every codec has."""
    def of(name):
        return os.path.join(fixture, name)
    rgb, dem, classes = of("rgb_jpeg_mask.tif"), of("dem_f32.tif"), of("landcover_palette.tif")
    yield rgb, {"compress": "jpeg"}
    yield rgb, {"compress": "jpeg", "quality": 30, "jpeg_subsampling": "444", "blocksize": 128}
    yield rgb, {"compress": "webp", "lossless": True}
    yield dem, {"compress": "lerc"}
    yield dem, {"compress": "lerc_zstd", "max_z_error": 0.5, "overview_max_z_error": 2}
    yield dem, {"compress": "lerc_deflate", "max_z_error": 0.01}
    yield dem, {"window": "30,20,200,150", "dtype": "i16", "nodata": "-9999"}
    yield dem, {"dtype": "u8", "nodata": "0", "rescale": "0,3000", "size": "100x80", "size_resampling": "average"}
    yield rgb, {"bands": "3,1", "blocksize": 128}
    yield classes, {"expand_palette": "rgb"}


def package_options(options):
    """Options of the command as the package takes them."""
    lists = {"overviews": lambda text: [int(n) for n in text.split(",")], "bounds": lambda text: [float(n) for n in text.split(",")],
             "window": lambda text: [int(n) for n in text.split(",")], "bands": lambda text: [int(n) for n in text.split(",")],
             "rescale": lambda text: [float(n) for n in text.split(",")], "size": lambda text: [int(n) for n in text.split("x")],
             "band_scale": float}
    return {camel(name): lists.get(name, lambda value: value)(value) for name, value in options.items()}


def judge_bytes(native, ours, said):
    out = [f"{said['error']}"] if "error" in said else []
    if out:
        return out
    a, b = open(native, "rb").read(), open(ours, "rb").read()
    if said["summary"]["compression"] == "webp":
        # The encoder sorts by frequency, and the order of equal ones is up to the standard library, which is another one here.
        out += [] if same_pixels(native, ours) and len(a) == len(b) else ["other pixels or another size"]
    elif a != b:
        first = next((i for i, (p, q) in enumerate(zip(a, b)) if p != q), min(len(a), len(b)))
        out.append(f"{len(b)} bytes, the command writes {len(a)}; they differ from byte {first} on")
    if said["summary"]["bytes"] != len(a):
        out.append(f"the summary says {said['summary']['bytes']} bytes")
    if not said["valid"]:
        out.append(f"not valid: {said['findings'][:3]}")
    p = said["progress"]
    if p["first"] != 0 or p["last"] != 1 or not p["grows"]:
        out.append(f"progress: {p}")
    with rasterio.open(native) as r:
        info = said["info"]
        if (info["width"], info["height"], info["bands"], len(info["levels"]) - 1) != (r.width, r.height, r.count, len(r.overviews(1))):
            out.append(f"inspect says {info['width']}x{info['height']}, {info['bands']} bands, {len(info['levels'])} levels")
    return out


def same_pixels(one, other):
    """Whether two files have the same pixels on every level."""
    with tifffile.TiffFile(one) as a, tifffile.TiffFile(other) as b:
        return len(a.pages) == len(b.pages) and all(np.array_equal(p.asarray(), q.asarray()) for p, q in zip(a.pages, b.pages))


def judge_geotiff_js(path, said, scratch):
    """A tile, and overviews, as geotiff.js and tifffile see them: whole images, so every tile."""
    if not said or "error" in said:
        return [f"geotiff.js: {said and said['error']}"]
    out = []
    with tifffile.TiffFile(path) as t:
        if len(said["images"]) != len(t.pages):
            return [f"{len(said['images'])} images, tifffile has {len(t.pages)}"]
        for index, (page, image) in enumerate(zip(t.pages, said["images"])):
            want = page.asarray()
            if want.dtype == bool:
                # A mask of one bit, which geotiff.js gives as bytes.
                want = want.astype("u1")
            if page.planarconfig == 2 and want.ndim == 3:
                want = np.moveaxis(want, 0, -1)
            got = np.fromfile(os.path.join(scratch, f"{os.path.basename(path)}.{index}.raw"), want.dtype.newbyteorder("<"))
            if got.size != want.size or not np.array_equal(got.reshape(want.shape), want, equal_nan=want.dtype.kind == "f"):
                out.append(f"image {index}: {got.size} samples that are not those of tifffile's {want.shape}")
    return out


def in_node(report, scratch):
    jobs, natives = [], {}
    for number, (name, source, form, options, only) in enumerate(cases(scratch)):
        if not report.wants(name):
            continue
        native, ours = os.path.join(scratch, f"native{number}.tif"), os.path.join(scratch, f"ours{number}.tif")
        r = create(source, native, quiet=True, **options)
        if r.code != 0:
            report.check(name, [str(r)])
            continue
        only = dict(only)
        stream, full = only.pop("stream", False), only.pop("full", False)
        jobs.append({"name": name, "input": source, "as": form, "options": package_options(options) | only, "output": ours, "stream": stream, "full": full})
        natives[name] = (native, ours)
    listed = os.path.join(scratch, "jobs.json")
    with open(listed, "w") as f:
        json.dump(jobs, f)
    p = subprocess.run(["node", os.path.join(WASM, "tests", "node.mjs"), listed], capture_output=True, text=True, timeout=600)
    said = [json.loads(line) for line in p.stdout.splitlines()]
    by_name = {line["name"]: line for line in said if "name" in line}
    for name, (native, ours) in natives.items():
        report.run(f"node: {name}", lambda: judge_bytes(native, ours, by_name[name]))
    own = [line for line in said if "case" in line]
    for line in own:
        report.check(f"node: {line['case']}", [] if line["ok"] else [line["error"]])
    if p.returncode or not own:
        report.check("node", [f"exit {p.returncode}: {p.stderr[-800:]}"])
    folder = geotiff_js.install()
    # Without a browser, geotiff.js has no WebP; of JPEG it returns YCbCr, and its decoder rounds differently.
    read = [ours for name, (_, ours) in natives.items() if os.path.exists(ours) and "'jpeg'" not in name and "'webp'" not in name]
    p = subprocess.run(["node", "read.mjs", scratch, *read], cwd=folder, capture_output=True, text=True, timeout=300)
    seen = {line["file"]: line for line in map(json.loads, p.stdout.splitlines())}
    for ours in read:
        report.run(f"geotiff.js: {os.path.basename(ours)}", judge_geotiff_js, ours, seen.get(os.path.basename(ours)), scratch)


def as_package(scratch):
    """`npm pack`, a fresh project that installs the tarball, and the README's first lines."""
    project = os.path.join(scratch, "project")
    os.makedirs(project)
    p = subprocess.run(["npm", "pack", "--silent", "--pack-destination", project], cwd=os.path.join(WASM, "pkg"), capture_output=True, text=True)
    if p.returncode:
        return [f"npm pack: {p.stderr[-500:]}"]
    tarball = p.stdout.split()[-1]
    with open(os.path.join(project, "package.json"), "w") as f:
        json.dump({"name": "fresh", "private": True, "type": "module"}, f)
    p = subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--offline", f"./{tarball}"], cwd=project, capture_output=True, text=True)
    if p.returncode:
        return [f"npm install: {p.stderr[-500:]}"]
    readme = open(os.path.join(project, "node_modules", "cogsmith", "README.md")).read()
    lines = re.search(r"```js\n(.*?)```", readme, re.S)[1]
    if len(lines.strip().splitlines()) != 5:
        return [f"the README's first example has {len(lines.strip().splitlines())} lines"]
    with open(os.path.join(project, "example.mjs"), "w") as f:
        f.write(lines)
    source, native = os.path.join(project, "scene.tif"), os.path.join(project, "native.tif")
    shutil.copy(os.path.join(ROOT, "fixtures", "sentinel2_like.tif"), source)
    p = subprocess.run(["node", "example.mjs"], cwd=project, capture_output=True, text=True, timeout=120)
    if p.returncode or not p.stdout.startswith("true "):
        return [f"exit {p.returncode}, {p.stdout!r}: {p.stderr[-500:]}"]
    r = create(source, native, quiet=True, compress="deflate", level=9)
    same = r.code == 0 and open(native, "rb").read() == open(os.path.join(project, "scene-cog.tif"), "rb").read()
    return [] if same else ["the example's file is not what the command writes"]


def repository_readme(scratch):
    """The JavaScript of the repository's README, in the project that has the package installed."""
    project = os.path.join(scratch, "project")
    target, native = os.path.join(project, "scene-cog.tif"), os.path.join(project, "native-lzw.tif")
    os.remove(target)
    with open(os.path.join(ROOT, "README.md")) as readme, open(os.path.join(project, "readme.mjs"), "w") as f:
        f.write(re.search(r"```js\n(.*?)```", readme.read(), re.S)[1])
    p = subprocess.run(["node", "readme.mjs"], cwd=project, capture_output=True, text=True, timeout=120)
    if p.returncode:
        return [f"exit {p.returncode}: {p.stderr[-500:]}"]
    r = create(os.path.join(project, "scene.tif"), native, quiet=True, compress="lzw")
    same = r.code == 0 and open(native, "rb").read() == open(target, "rb").read()
    return [] if same else ["the example's file is not what the command writes"]


def judge_download(path, native):
    out = []
    valid, errors, warnings = cog_validate(path, strict=True, quiet=True)
    if not valid:
        out.append(f"rio cogeo validate: {errors} {warnings}")
    if open(path, "rb").read() != open(native, "rb").read():
        out.append("not the bytes of the command")
    with rasterio.open(path) as a, rasterio.open(os.path.join(ROOT, "fixtures", "sentinel2_like.tif")) as b:
        if a.crs != b.crs or a.transform != b.transform or a.nodata != b.nodata or not np.array_equal(a.read(), b.read()):
            out.append("rasterio reads something else than from the input")
    return out


def in_browser(report, scratch):
    out = os.path.join(ROOT, os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "wasm-page")
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    source, damaged = os.path.join(ROOT, "fixtures", "sentinel2_like.tif"), os.path.join(scratch, "damaged.tif")
    with open(damaged, "wb") as f:
        f.write(open(source, "rb").read()[:700])
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        report.check("chromium", ["it is missing: apt-get install chromium"])
        return
    p = subprocess.run(["node", os.path.join(WASM, "tests", "page.mjs"), chromium, os.path.join(WASM, "dist"), out, source, damaged],
                       capture_output=True, text=True, timeout=400)
    said = {line["what"]: line for line in map(json.loads, p.stdout.splitlines())}

    def page():
        problems = []
        if p.returncode or "end" not in said:
            return [f"exit {p.returncode}: {said.get('failed', {}).get('error', '')} {p.stderr[-500:]}"]
        if "can't be read" not in said["damaged"]["refused"] or len(said["damaged"]["refused"].split()) < 6:
            problems.append(f"a damaged file: {said['damaged']['refused']!r}")
        made = said["made"]
        for part in ("1,300 × 1,100", "2 bands of u16", "EPSG:32633", "deflate"):
            if part not in made["facts"]:
                problems.append(f"{part!r} is not said of the file: {made['facts']!r}")
        if not made["hidden"] or made["name"] != "sentinel2_like.cog.tif" or made["levels"] != 3 or made["drawn"]["colors"] < 50:
            problems.append(f"the result: {made}")
        if made["longest"] > 1500:
            problems.append(f"the page stood still for {made['longest']:.0f} ms")
        codecs = [text.split(":")[0].lower() for text in said["codecs"]["listed"]]
        if codecs != ["none", "lzw", "packbits", "deflate", "zstd"] or said["codecs"]["fixed"] != [True, True]:
            problems.append(f"the codecs: {said['codecs']}")
        if "nodata" not in said["contradiction"]["refused"]:
            problems.append(f"a nodata value that can't be: {said['contradiction']['refused']!r}")
        if said["names"]["nameless"]:
            problems.append(f"without a name: {said['names']['nameless']}")
        end = said["end"]
        if end["foreign"]:
            problems.append(f"the page asks others: {end['foreign']}")
        if end["problems"]:
            problems.append(f"the console says: {end['problems']}")
        return problems

    report.run("page", page)
    for name, options in (("download", {}), ("download-zstd", {"compress": "zstd", "level": 3}), ("download-none", {"compress": "none"}), ("download-offline", {})):
        path, native = os.path.join(out, f"{name}.tif"), os.path.join(scratch, f"{name}-native.tif")
        create(source, native, quiet=True, **options)
        report.run(f"page: {name}", judge_download, path, native)
    shots = [os.path.join(out, f"page-{name}.png") for name in ("start", "error", "light", "dark")]
    report.check("screenshots", [f"{shot} is missing" for shot in shots if not os.path.exists(shot) or os.path.getsize(shot) < 10_000])


def main():
    report = Report("wasm")
    scratch = tempfile.mkdtemp(prefix="cogsmith-wasm-")
    try:
        in_node(report, scratch)
        report.run("npm pack", as_package, scratch)
        report.run("README", repository_readme, scratch)
        in_browser(report, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
