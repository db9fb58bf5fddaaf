"""Makes docs/resampling.png: one raster with a nodata hole, and its first overview by every kernel.

    target/judges-venv/bin/python docs/resampling.py [COMMAND]     COMMAND: the binary [target/debug/cogsmith]
"""

import os
import subprocess
import sys
import tempfile

import imagecodecs
import numpy as np
import tifffile

HERE = os.path.dirname(os.path.abspath(__file__))
KERNELS = "nearest average rms mode min max median gauss bilinear cubicspline cubic lanczos".split()
SIDE, ENLARGED, GAP = 74, 5, 6
NODATA = -9999.0
HOLE = (216, 27, 96)  # nodata
BACKGROUND = (255, 255, 255)


def raster():
    """A hill, stripes, a checkerboard of classes, and a round hole."""
    y, x = np.mgrid[:SIDE, :SIDE].astype("f8")
    image = 120 + 90 * np.exp(-((x - 20) ** 2 + (y - 22) ** 2) / 180)
    image[SIDE // 2 :, : SIDE // 2] = np.where((x + y)[SIDE // 2 :, : SIDE // 2] % 6 < 3, 40, 220)
    image[SIDE // 2 :, SIDE // 2 :] = np.where(((x // 5 + y // 5) % 2)[SIDE // 2 :, SIDE // 2 :] > 0, 60, 180)
    image[(x - 50) ** 2 + (y - 22) ** 2 < 120] = NODATA
    return image.astype("f4")


def colored(image, enlarged):
    """Gray between the extremes of the source, so that what overshoots is plain black or white."""
    grey = np.clip((image - 20) / 220 * 255, 0, 255).astype("u1")
    rgb = np.repeat(grey[..., None], 3, axis=2)
    rgb[image == NODATA] = HOLE
    return rgb.repeat(enlarged, axis=0).repeat(enlarged, axis=1)


def main():
    command = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "..", "target", "debug", "cogsmith")
    panels = []
    with tempfile.TemporaryDirectory() as folder:
        source, target = os.path.join(folder, "in.tif"), os.path.join(folder, "out.tif")
        tifffile.imwrite(source, raster(), extratags=[(42113, "s", 0, str(NODATA), True)], metadata=None)
        for kernel in KERNELS:
            subprocess.run([command, "create", "--quiet", "--overwrite", "--overview-count=1", f"--overview-resampling={kernel}",
                            source, target], check=True)
            panels.append(colored(tifffile.imread(target, key=1), 2 * ENLARGED))
    panel = panels[0].shape[0]
    columns = 4
    rows = -(-len(panels) // columns)
    sheet = np.full((rows * (panel + GAP) - GAP, columns * (panel + GAP) - GAP, 3), BACKGROUND, "u1")
    for k, image in enumerate(panels):
        top, left = k // columns * (panel + GAP), k % columns * (panel + GAP)
        sheet[top : top + panel, left : left + panel] = image
    with open(os.path.join(HERE, "resampling.png"), "wb") as f:
        f.write(imagecodecs.png_encode(sheet, level=9))


if __name__ == "__main__":
    main()
