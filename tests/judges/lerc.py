"""The LERC encoder against libLerc, byte for byte: types, errors, sizes, masks, and contents, alone and by pixel.

    tests/judges/lerc.py [--count N] [--seed S]

libLerc is the one that GDAL's wheel brings, called as libtiff calls it, and that of imagecodecs.
"""

import argparse
import ctypes
import glob
import os
import struct
import subprocess
import sys
import time

import imagecodecs
import numpy as np
from osgeo import gdal

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TARGET = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
TYPES = [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.float32, np.float64]
ERRORS = [0, 0.0001, 0.001, 0.01, 0.1, 0.3, 0.5, 1, 2.7, 10, 1000, 1e9]
SIDES = [1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 24, 31, 33, 63, 64, 65, 100, 127, 128, 129, 256, 257, 511, 512, 513, 600]
VERSION = 4


class LibLerc:
    """A libLerc, called as libtiff's tif_lerc.c calls it."""

    def __init__(self, module):
        folder = os.path.dirname(os.path.dirname(module.__file__))
        package = {"osgeo": "gdal_wheel"}.get(module.__name__.split(".")[0], module.__name__)
        (path,) = glob.glob(os.path.join(folder, package + ".libs", "libLerc*"))
        self.name = os.path.basename(path)
        self.library = ctypes.CDLL(path)

    def encode(self, samples, mask, max_z_error, bands_apart=False, masks=1):
        """Samples are rows, columns, samples of a pixel, or with `bands_apart` bands, rows, columns."""
        samples = np.ascontiguousarray(samples)
        depth, bands = (1, samples.shape[0]) if bands_apart else (samples.shape[2], 1)
        height, width = samples.shape[1:] if bands_apart else samples.shape[:2]
        # Zeros: older versions leave a word after Huffman codes as it was.
        out = np.zeros(samples.nbytes * 2 + 1000, np.uint8)
        written = ctypes.c_uint(0)
        if mask is not None:
            mask = np.ascontiguousarray(mask)
        status = self.library.lerc_encodeForVersion(
            samples.ctypes.data_as(ctypes.c_void_p), VERSION, TYPES.index(samples.dtype.type), depth, width, height, bands,
            0 if mask is None else masks, None if mask is None else mask.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_double(max_z_error), out.ctypes.data_as(ctypes.c_void_p), out.nbytes, ctypes.byref(written))
        assert status == 0, (self.name, status)
        return out[:written.value].tobytes()

    def time(self, samples, max_z_error):
        """Seconds of one encoding, without those of allocating the output."""
        out = np.zeros(samples.nbytes * 2 + 1000, np.uint8)
        height, width, depth = samples.shape
        written = ctypes.c_uint(0)
        arguments = (samples.ctypes.data_as(ctypes.c_void_p), VERSION, TYPES.index(samples.dtype.type), depth, width, height,
                     1, 0, None, ctypes.c_double(max_z_error), out.ctypes.data_as(ctypes.c_void_p), out.nbytes,
                     ctypes.byref(written))
        start = time.perf_counter()
        self.library.lerc_encodeForVersion(*arguments)
        return time.perf_counter() - start

    def encode_tile(self, samples, mask, max_z_error):
        """As libtiff encodes samples by pixel: NaN becomes a mask, or one per band if bands differ."""
        masks = 1
        if samples.dtype.kind == "f":
            valid = ~np.isnan(samples)
            if mask is not None:
                valid &= (mask != 0)[:, :, None]
                if (valid.any(2) & ~valid.all(2)).any():
                    return self.encode(samples.transpose(2, 0, 1), valid.transpose(2, 0, 1).astype(np.uint8), max_z_error,
                                       True, samples.shape[2])
                mask = valid.all(2).astype(np.uint8)
            elif not valid.all():
                if (valid.any(2) & ~valid.all(2)).any():
                    return self.encode(samples.transpose(2, 0, 1), valid.transpose(2, 0, 1).astype(np.uint8), max_z_error,
                                       True, samples.shape[2])
                mask = valid[:, :, 0].astype(np.uint8)
        return self.encode(samples, mask, max_z_error, masks=masks)


class Encoder:
    """The encoder under test, one process for all images."""

    def __init__(self):
        path = os.environ.get("LERC_BLOBS")
        if path is None:
            subprocess.run(["cargo", "build", "-q", "--locked", "-p", "cogsmith-lerc", "--example", "blobs"], cwd=ROOT, check=True)
            path = os.path.join(TARGET, "debug", "examples", "blobs")
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def encode_tile(self, samples, mask, max_z_error, repeats=1):
        height, width, bands = samples.shape
        ask = self.process.stdin
        fields = TYPES.index(samples.dtype.type), mask is not None, width, height, bands, repeats, max_z_error
        ask.write(struct.pack("<6Id", *fields))
        ask.write(samples.tobytes())
        if mask is not None:
            ask.write(mask.tobytes())
        ask.flush()
        self.nanoseconds, length = struct.unpack("<2I", self.process.stdout.read(8))
        return self.process.stdout.read(length)


def smooth(random, height, width, amplitude):
    y, x = np.mgrid[:height, :width]
    waves = sum(np.sin(x / random.uniform(5, 200) + y / random.uniform(5, 200) + random.uniform(0, 6)) for _ in range(4))
    return waves * amplitude / 4


def content(random, kind, height, width, bands, dtype):
    """A raster of one kind; integers are scaled to a part of their range."""
    info = np.iinfo(dtype) if np.dtype(dtype).kind in "iu" else None
    full = float(info.max) if info else 10.0 ** random.integers(0, 6)
    shape = (height, width, bands)
    if kind == "constant":
        data = np.full(shape, random.choice([0, 1, full, full / 3, -1.5]))
    elif kind == "noise":
        data = random.uniform(-full, full, shape) * random.choice([1, 0.1, 0.001])
    elif kind == "smooth":
        data = np.stack([smooth(random, height, width, full) for _ in range(bands)], 2)
    elif kind == "terrain":
        data = np.stack([smooth(random, height, width, min(full, 2000)) for _ in range(bands)], 2)
        data += random.normal(0, 10.0 ** random.integers(-3, 2), shape)
    elif kind == "few":
        values = random.uniform(0, full, random.integers(2, 12)) * random.choice([1, 0.01])
        data = values[random.integers(0, len(values), shape)]
    elif kind == "classes":
        cells = random.integers(0, random.integers(2, 9), (height // 7 + 1, width // 5 + 1, bands))
        data = np.kron(cells, np.ones((7, 5, 1)))[:height, :width] * random.choice([1, 17, 1000.25])
    elif kind == "sparse":
        data = np.where(random.random(shape) < 0.02, random.uniform(0, full, shape), 0)
    elif kind == "decimals":
        data = np.round(random.normal(0, full / 1000 + 3, shape), random.integers(0, 5))
    elif kind == "skewed":
        data = np.floor(random.exponential(random.choice([0.3, 2, 20]), shape)) * random.choice([1, -1])
    elif kind == "wide":
        data = random.normal(0, 1, shape) * 10.0 ** random.uniform(-5, 5, shape)
    elif kind == "zeros":
        data = random.choice([0.0, -0.0, 0.0, 1.0, -0.25], shape)
    elif kind == "quiet":
        data = (random.random(shape) < 0.01) * random.choice([1, 3]) + smooth(random, height, width, 2)[:, :, None].round()
    if info:
        data = np.clip(data, info.min, info.max)
    return data.astype(dtype)


KINDS = ["constant", "noise", "smooth", "terrain", "few", "classes", "sparse", "decimals", "skewed", "wide", "zeros", "quiet"]


def masks(random, kind, height, width):
    if kind == "none":
        return None
    if kind == "all":
        return np.full((height, width), 255, np.uint8)
    if kind == "empty":
        return np.zeros((height, width), np.uint8)
    if kind == "speckled":
        return (random.random((height, width)) < random.choice([0.02, 0.5, 0.98])).astype(np.uint8) * 255
    return (smooth(random, height, width, 1) > random.uniform(-0.5, 0.5)).astype(np.uint8)


def sprinkle_nan(random, data):
    if data.dtype.kind != "f" or random.random() < 0.6:
        return
    holes = random.random(data.shape[:2]) < random.choice([0.001, 0.3, 1])
    if random.random() < 0.5:
        data[holes] = np.nan
    else:
        band = random.integers(0, data.shape[2])
        data[holes, band] = np.nan


def terrain(random, size):
    """A fractal surface of a few hundred meters, with 12 cm of noise."""
    spectrum = np.fft.rfftfreq(size)[None, :] ** 2 + np.fft.fftfreq(size)[:, None] ** 2
    spectrum[0, 0] = 1
    wave = random.normal(size=spectrum.shape) + 1j * random.normal(size=spectrum.shape)
    surface = np.fft.irfft2(wave * spectrum ** -1.1, (size, size))
    return surface / surface.std() * 200 + 1000 + random.normal(0, 0.12, (size, size))


def speed(libraries, encoder, rounds=15):
    """Megabytes per second of tiles of 512 x 512, libraries and encoder in turns; medians of all rounds."""
    random = np.random.default_rng(1)
    surface = terrain(random, 512)
    color = np.stack([surface, surface * 0.8 + 30, surface * 0.6 + 60], 2) / 6 + random.normal(0, 2, (512, 512, 3))
    classes = np.kron(random.integers(0, 9, (64, 32, 1)), np.ones((8, 16, 1)))
    cases = [
        ("f32 0.01", surface.astype(np.float32)[:, :, None], 0.01),
        ("f32 0.1", surface.astype(np.float32)[:, :, None], 0.1),
        ("f32 0", surface.astype(np.float32)[:, :, None], 0),
        ("f32 decimals 0.001", surface.round(2).astype(np.float32)[:, :, None], 0.001),
        ("f64 0.01", surface[:, :, None], 0.01),
        ("u16 0", surface.clip(0).astype(np.uint16)[:, :, None], 0),
        ("u16 2", surface.clip(0).astype(np.uint16)[:, :, None], 2),
        ("i16 0", (surface - 1000).astype(np.int16)[:, :, None], 0),
        ("i32 0", (surface * 100).astype(np.int32)[:, :, None], 0),
        ("u8 0", color.clip(0, 255).astype(np.uint8)[:, :, :1].copy(), 0),
        ("u8 3", color.clip(0, 255).astype(np.uint8)[:, :, :1].copy(), 3),
        ("RGB u8 0", color.clip(0, 255).astype(np.uint8), 0),
        ("RGB u8 3", color.clip(0, 255).astype(np.uint8), 3),
        ("classes u8 0", classes.astype(np.uint8), 0),
        ("classes u16 0", classes.astype(np.uint16), 0),
    ]
    print(f"{'case':20} {'ours':>8}", *(f"{library.name:>24}" for library in libraries), f"{'imagecodecs.lerc_encode':>24}")
    for name, data, error in cases:
        times = [[] for _ in range(len(libraries) + 2)]
        planar = {} if data.shape[2] == 1 else {"planar": False}
        for _ in range(rounds):
            encoder.encode_tile(data, None, error, 3)
            times[0].append(encoder.nanoseconds / 1e9)
            for library, seconds in zip(libraries, times[1:]):
                seconds.append(library.time(data, error))
            start = time.perf_counter()
            imagecodecs.lerc_encode(data.squeeze(), error, version=VERSION, **planar)
            times[-1].append(time.perf_counter() - start)
        rates = [data.nbytes / 1e6 / sorted(seconds)[rounds // 2] for seconds in times]
        print(f"{name:20} {rates[0]:8.0f}", *(f"{rate:24.0f}" for rate in rates[1:]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", action="store_true", help="measure instead; LERC_BLOBS names a release build")
    options = parser.parse_args()
    libraries = [LibLerc(gdal), LibLerc(imagecodecs)]
    encoder = Encoder()
    if options.speed:
        speed(libraries, encoder)
        return
    failed, modes = 0, {}
    for number in range(options.count):
        random = np.random.default_rng([options.seed, number])
        small = random.random() < 0.8
        height, width = (int(side) for side in random.choice(SIDES[:16] if small else SIDES, 2))
        dtype, kind = TYPES[random.integers(0, 8)], str(random.choice(KINDS))
        bands = int(random.choice([1, 1, 1, 2, 3, 4, 5]))
        error = float(random.choice(ERRORS))
        mask_kind = str(random.choice(["none", "none", "all", "empty", "speckled", "blob", "blob"]))
        data = content(random, kind, height, width, bands, dtype)
        sprinkle_nan(random, data)
        mask = masks(random, mask_kind, height, width)
        ours = encoder.encode_tile(data, mask, error)
        for library in libraries:
            theirs = library.encode_tile(data, mask, error)
            if ours != theirs:
                failed += 1
                first = [(i, a, b) for i, (a, b) in enumerate(zip(ours, theirs)) if a != b and i > 13][:4]
                print(f"case {number}: {dtype.__name__} {height}x{width}x{bands} {kind} error {error} mask {mask_kind}: "
                      f"{len(ours)} bytes, {library.name} {len(theirs)}, first difference at {first}")
        key = (ours[30], ours[66 + struct.unpack_from("<i", ours, 66)[0] + 4:][:0])
        modes[key] = modes.get(key, 0) + 1
    print(f"{options.count} images, {failed} differ")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
