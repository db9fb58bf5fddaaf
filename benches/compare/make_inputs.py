"""The inputs of the comparison: four rasters like those that people have, from fixed seeds.

    python make_inputs.py DIRECTORY [--scale 1.0]

dem  f32, a noisy elevation model with a swath of nodata; s2  u16, four bands like Sentinel-2; rgb  u8, three bands
like an aerial photograph; lc  u8, land cover in eleven classes. Each is an uncompressed GeoTIFF with tiles of 512x512.
"""

import argparse
import os

import numpy as np
import rasterio
from rasterio.transform import from_origin

SIDES = {"dem": 8192, "s2": 6000, "rgb": 10000, "lc": 16384}


def fractal(rng, side, exponent, base=2048):
    """Noise whose spectrum falls with the frequency, 0 to 1; finer than `base` pixels it is interpolated."""
    small = min(side, base)
    f = np.fft.rfftfreq(small)[None, :] ** 2 + np.fft.fftfreq(small)[:, None] ** 2
    f[0, 0] = 1
    spectrum = (rng.normal(size=f.shape) + 1j * rng.normal(size=f.shape)) / f ** (exponent / 2)
    spectrum[0, 0] = 0
    image = np.fft.irfft2(spectrum, (small, small)).astype("f4")
    image = (image - image.min()) / (image.max() - image.min())
    if side == small:
        return image
    at = np.linspace(0, small - 1.001, side, dtype="f4")
    low = at.astype("i4")
    part = (at - low)[None, :]
    image = image[:, low] * (1 - part) + image[:, low + 1] * part
    return image[low] * (1 - part.T) + image[low + 1] * part.T


def dem(rng, side):
    z = fractal(rng, side, 2.2) * 2400
    z += rng.normal(0, 0.3, z.shape).astype("f4")
    y, x = np.mgrid[0:side, 0:side]
    z[x + y // 3 > int(side * 1.15)] = -9999
    return z[None].astype("f4")


def s2(rng, side):
    ground = fractal(rng, side, 1.6)
    y, x = np.mgrid[0:side, 0:side]
    fields = rng.integers(0, 400, (side // 40 + 2, side // 60 + 2))[(y + x // 9) // 44 % (side // 40 + 1), x // 62]
    bands = []
    for level, span, noise in ((500, 900, 40), (700, 1100, 46), (600, 1700, 58), (1500, 2600, 95)):
        band = level + ground * span + fields * (span / 1500) + rng.normal(0, noise, ground.shape)
        bands.append(np.clip(band, 1, 10000).astype("u2"))
    return np.stack(bands)


def rgb(rng, side):
    ground = fractal(rng, side, 1.7)
    y, x = np.mgrid[0:side, 0:side]
    roofs = ((x // 37 * 7919 + y // 29 * 104729) % 17 < 2) * 60.0
    bands = []
    for level, span in ((60, 120), (70, 125), (55, 100)):
        band = level + ground * span + roofs + rng.normal(0, 6.0, ground.shape)
        bands.append(np.clip(band, 0, 255).astype("u1"))
    return np.stack(bands)


def lc(rng, side):
    classes = np.array([10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100], "u1")
    height, kind = fractal(rng, side, 2.0), fractal(rng, side, 1.6)
    # Edges of classes are ragged from pixel to pixel, as those of classified images are.
    height += rng.normal(0, 0.02, height.shape).astype("f4")
    index = np.clip(height * 7.99, 0, 7).astype("u1") + (kind > 0.55) * 3
    return classes[np.minimum(index, 10)][None]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("directory")
    p.add_argument("--scale", type=float, default=1.0, help="of the sides (default 1: about 256 MiB each)")
    a = p.parse_args()
    os.makedirs(a.directory, exist_ok=True)
    for seed, (name, make) in enumerate((("dem", dem), ("s2", s2), ("rgb", rgb), ("lc", lc))):
        path = os.path.join(a.directory, name + ".tif")
        if os.path.exists(path):
            continue
        side = int(SIDES[name] * a.scale)
        data = make(np.random.default_rng(seed), side)
        profile = {"driver": "GTiff", "width": side, "height": side, "count": len(data), "dtype": data.dtype.name, "tiled": True,
                   "blockxsize": 512, "blockysize": 512, "crs": "EPSG:32633", "transform": from_origin(400000, 5300000, 10, 10)}
        if name == "dem":
            profile["nodata"] = -9999
        if name == "rgb":
            profile["photometric"] = "RGB"
        with rasterio.open(path + ".part", "w", **profile) as out:
            out.write(data)
        os.replace(path + ".part", path)
        print(path, data.shape, data.dtype)


if __name__ == "__main__":
    main()
