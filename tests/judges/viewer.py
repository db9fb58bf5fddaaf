"""OpenLayers draws a JPEG COG with a mask in Chromium: colors are those of the pixels, and masked pixels are transparent.

    python viewer.py [PICTURE.png]        needs node, npm, chromium, and wasm/node_modules (wasm/scripts/build.sh)
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

gdal.UseExceptions()
HERE = os.path.join(ROOT, "tests", "judges", "viewer")
# Web Mercator, so that OpenLayers need not know another CRS.
PLACE = [(33550, "d", 3, (4.0, 4.0, 0.0), True), (33922, "d", 6, (0.0, 0.0, 0.0, 1490000.0, 6890000.0, 0.0), True),
         (34735, "H", 16, (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 3857), True)]
WIDTH, HEIGHT = 2400, 1800


def scene():
    """Fields along a river, and the footprint of a flight line: pixels outside are 0."""
    rng = np.random.default_rng(8)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype("f4")
    fields = rng.uniform(0, 1, (40, 40, 3))[((y + 0.3 * x) // 110 % 40).astype(int), ((x - 0.2 * y) // 150 % 40).astype(int)]
    pixels = 60 + fields * [70, 90, 40] + rng.normal(0, 5, (HEIGHT, WIDTH, 1))
    river = np.abs(y - 900 - 260 * np.sin(x / 420)) < 45
    pixels[river] = [70, 105, 140]
    outside = (np.abs((x - 1200) * 0.95 + (y - 900) * 0.31) > 980) | (np.abs((y - 900) * 0.95 - (x - 1200) * 0.31) > 640)
    pixels = np.clip(pixels, 1, 255).astype("u1")
    pixels[outside] = 0
    return pixels, ~outside


def main():
    report = Report("viewer")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    playwright = os.path.join(ROOT, "wasm", "node_modules", "playwright-core", "index.mjs")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(os.path.join(HERE, "package.json"), folder)
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder, check=True)
        pixels, valid = scene()
        source, cog, picture = (os.path.join(folder, name) for name in ("in.tif", "cog.tif", "picture.png"))
        tifffile.imwrite(source, pixels, photometric="rgb", metadata=None, extratags=PLACE)
        made = create(source, cog, quiet=True, compress="jpeg", quality=85, nodata=0, blocksize=256)
        report.check("create", [] if made.code == 0 else [str(made)])
        p = subprocess.run(["node", os.path.join(HERE, "shot.mjs"), chromium, playwright, folder, cog, picture], capture_output=True, text=True, timeout=180)
        report.check("drawn", [] if p.returncode == 0 else [p.stdout + p.stderr[-600:]])
        if p.returncode == 0:
            print(p.stdout.strip())
            report.check("picture", judge(picture, pixels, valid))
            if len(sys.argv) > 1:
                shutil.copy(picture, sys.argv[1])
    return report.close()


def judge(picture, pixels, valid):
    """The corners show the background, which is gray and white, and the middle is the scene."""
    shown = np.moveaxis(gdal.Open(picture).ReadAsArray()[:3], 0, -1).astype(int)
    height, width = shown.shape[:2]
    # The map fits the image into the window.
    scale = min(width / WIDTH, height / HEIGHT)
    out, masked, compared = [], 0, 0
    for row in range(40, HEIGHT - 40, 60):
        for column in range(40, WIDTH - 40, 60):
            y, x = round(height / 2 + (row - HEIGHT / 2) * scale), round(width / 2 + (column - WIDTH / 2) * scale)
            around = valid[row - 20 : row + 21, column - 20 : column + 21]
            if not (0 <= y < height and 0 <= x < width) or around.any() != around.all():
                continue
            if not around.any():
                masked += 1
                if shown[y, x].min() < 200:
                    out.append(f"masked ({row}, {column}) shows {shown[y, x].tolist()}")
                continue
            area = pixels[row - 20 : row + 21, column - 20 : column + 21].reshape(-1, 3).astype(int)
            compared += 1
            if (shown[y, x] < area.min(0) - 25).any() or (shown[y, x] > area.max(0) + 25).any():
                out.append(f"({row}, {column}) shows {shown[y, x].tolist()}, its neighborhood is {area.min(0).tolist()} to {area.max(0).tolist()}")
    return out if masked > 20 and compared > 100 else [f"only {masked} masked and {compared} other places", *out]


if __name__ == "__main__":
    sys.exit(main())
