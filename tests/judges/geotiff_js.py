"""geotiff.js, the reader of browsers, reads whole files of ours: every level, pixel by pixel, against tifffile.

    python geotiff_js.py        needs node and npm; geotiff.js is installed as package-lock.json pins it
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import tifffile
from osgeo import gdal

from command_line import ROOT, create
from report import Report

HERE = os.path.join(ROOT, "tests", "judges", "geotiff_js")
gdal.UseExceptions()
TYPES = ("u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8")
CODECS = ("none", "lzw", "deflate", "deflate:1", "deflate:9", "zstd", "zstd:1", "zstd:19")

# Pixels of 10 x 10 from (500000, 4600000) on.
PLACE = [(33550, "d", 3, (10.0, 10.0, 0.0), True), (33922, "d", 6, (0.0, 0.0, 0.0, 500000.0, 4600000.0, 0.0), True)]


def install():
    """geotiff.js, in addition to the other judges."""
    target = os.path.join(ROOT, os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "geotiff-js")
    os.makedirs(target, exist_ok=True)
    for name in ("package.json", "package-lock.json", "read.mjs"):
        shutil.copy(os.path.join(HERE, name), target)
    if not os.path.isdir(os.path.join(target, "node_modules", "geotiff")):
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=target, check=True, stdout=subprocess.DEVNULL)
    return target


def cases():
    """Name, type, bands, options: every type by every codec and predictor, both ways to lay out bands."""
    for kind in TYPES:
        predictors = ("none", "float") if kind[0] == "f" else ("none", "horizontal")
        for codec in CODECS:
            for predictor in predictors if codec != "none" else ("none",):
                for interleave in ("pixel", "band") if ":" not in codec else ("pixel",):
                    compress, _, level = codec.partition(":")
                    options = {"compress": compress, "interleave": interleave, "blocksize": "64x48"}
                    if level:
                        options["level"] = level
                    if compress != "none":
                        options["predictor"] = predictor
                    yield f"{kind} {codec} {predictor} {interleave}".replace(":", "-").replace(" ", "_"), kind, options
    # Noise in the lower bytes: the float split, whose rows are blocks of their own.
    for level in ("1", "6", "9"):
        yield f"f4_split_{level}", "f4", {"compress": "deflate", "level": level, "predictor": "float", "blocksize": 256}
    # Codecs with a loss, or for some types only.
    for kind in TYPES:
        for codec in ("lerc", "lerc_deflate", "lerc_zstd"):
            for error in ("0", "2"):
                options = {"compress": codec, "max_z_error": error, "interleave": "band", "blocksize": "64x48"}
                yield f"{kind}_{codec}_{error}", kind, options
    for quality in (50, 75, 95):
        yield f"u1_jpeg_{quality}", "u1", {"compress": "jpeg", "quality": quality, "interleave": "band", "blocksize": "64x48"}
        yield f"u1_jpeg_bands_{quality}", "u1", {"compress": "jpeg", "quality": quality, "blocksize": "64x48"}


def pixels(name, kind):
    rng = np.random.default_rng(len(name))
    if "split" in name:
        y, x = np.mgrid[0:400, 0:500]
        return (np.sin(x / 90) * np.cos(y / 70) * 900 + rng.random((400, 500)) * 0.1).astype("f4")
    y, x = np.mgrid[0:130, 0:170]
    data = (np.stack([x * 3 + y, x * y // 50, (x // 20 + y // 30) * 9], -1) + rng.integers(0, 9, (130, 170, 3))).astype(kind if kind[0] != "f" else "f8")
    return (data * 1.37).astype(kind) if kind[0] == "f" else data.astype(kind)


def main():
    report = Report("geotiff.js")
    folder = install()
    scratch = tempfile.mkdtemp(prefix="cogsmith-geotiff-js-")
    try:
        made = {}
        for name, kind, options in cases():
            source, target = os.path.join(scratch, "in.tif"), os.path.join(scratch, name + ".tif")
            data = pixels(name, kind)
            tifffile.imwrite(source, data, metadata=None, photometric="minisblack", extratags=PLACE, **({"planarconfig": "contig"} if data.ndim == 3 else {}))
            r = create(source, target, quiet=True, **options)
            if r.code == 0:
                made[target] = data
            else:
                report.check(name, [str(r)])
        p = subprocess.run(["node", "read.mjs", scratch, *made], cwd=folder, capture_output=True, text=True, timeout=300)
        said = {line["file"]: line for line in map(json.loads, p.stdout.splitlines())}
        if p.returncode or len(said) != len(made):
            report.check("node", [f"exit {p.returncode}, {len(said)} of {len(made)} files: {p.stderr[-500:]}"])
        for target, data in made.items():
            report.run(os.path.basename(target), judge, target, data, said.get(os.path.basename(target)), scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return report.close()


def gdal_sees(target, index):
    """A level as GDAL reads it: rows, columns, bands."""
    file = gdal.Open(target)
    bands = [file.GetRasterBand(number) for number in range(1, file.RasterCount + 1)]
    return np.stack([(band if index == 0 else band.GetOverview(index - 1)).ReadAsArray() for band in bands], -1).astype(int)


def judge(target, data, said, scratch):
    if not said or "error" in said:
        return [f"geotiff.js: {said and said['error']}"]
    out = []
    height, width = data.shape[:2]
    if said["images"][0]["box"] != [500000, 4600000 - 10 * height, 500000 + 10 * width, 4600000]:
        out.append(f"lies at {said['images'][0]['box']}")
    with tifffile.TiffFile(target) as t:
        if len(said["images"]) != len(t.pages) or len(t.pages) < 2:
            return [f"{len(said['images'])} images, tifffile has {len(t.pages)}"]
        for index, (page, image) in enumerate(zip(t.pages, said["images"])):
            want = page.asarray()
            if page.planarconfig == 2 and want.ndim == 3:
                want = np.moveaxis(want, 0, -1)
            lossy = "jpeg" in target or target.endswith("_2.tif")
            if index == 0 and not lossy and not np.array_equal(want, data):
                out.append("tifffile reads other pixels than were written")
            got = np.fromfile(os.path.join(scratch, f"{os.path.basename(target)}.{index}.raw"), want.dtype.newbyteorder("<"))
            if (image["width"], image["height"]) != (want.shape[1], want.shape[0]) or got.size != want.size:
                out.append(f"image {index}: {image}, expected {want.shape}")
            elif "jpeg" in target:
                # Decoders of JPEG may round differently, and tifffile guesses that three bands are YCbCr.
                want = gdal_sees(target, index) if "bands" in target else want
                worst = np.abs(got.reshape(want.shape).astype(int) - want).max()
                out += [f"image {index}: a sample differs by {worst}"] if worst > 4 else []
            elif not np.array_equal(got.reshape(want.shape), want):
                out.append(f"image {index}: {int((got.reshape(want.shape) != want).sum())} samples differ")
    return out


if __name__ == "__main__":
    sys.exit(main())
