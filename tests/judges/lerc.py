"""The LERC encoder against libLerc, byte for byte: types, errors, sizes, masks, and contents, alone and by pixel.

    tests/judges/lerc.py [--count N] [--seed S]
    tests/judges/lerc.py --golden                                         writes lerc/tests/golden.txt
    LERC_BLOBS=target/release/examples/blobs tests/judges/lerc.py --speed  measures both

libLerc is the one that GDAL's wheel brings, called as libtiff calls it, and that of imagecodecs.
"""

import argparse
import ctypes
import functools
import glob
import io
import os
import struct
import subprocess
import sys
import tempfile
import time
import zlib

import imagecodecs
import numpy as np
import tifffile
from osgeo import gdal, gdal_array

gdal.UseExceptions()
# It warns of NaN in several bands, whatever the version of libtiff.
gdal.PushErrorHandler("CPLQuietErrorHandler")

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TARGET = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
TYPES = [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.float32, np.float64]
ERRORS = [0, 0.0001, 0.001, 0.01, 0.1, 0.3, 0.5, 1, 2.7, 10, 1000, 1e9]
SIDES = [1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 24, 31, 33, 63, 64, 65, 100, 127, 128, 129, 256, 257, 511, 512, 513, 600]
VERSION = 4
RUST_NAMES = {kind: ("f" if "float" in kind.__name__ else kind.__name__[0]) + str(np.dtype(kind).itemsize * 8) for kind in TYPES}


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
        if np.isnan(samples).any():
            valid = ~np.isnan(samples)
            if mask is not None:
                valid &= (mask != 0)[:, :, None]
            if (valid.any(2) & ~valid.all(2)).any():
                valid = valid.transpose(2, 0, 1).astype(np.uint8)
                return self.encode(samples.transpose(2, 0, 1), valid, max_z_error, bands_apart=True, masks=len(valid))
            mask = valid[:, :, 0].astype(np.uint8)
        return self.encode(samples, mask, max_z_error)


class Encoder:
    """The encoder under test, one process for all images."""

    def __init__(self):
        self.path = os.environ.get("LERC_BLOBS")
        if self.path is None:
            subprocess.run(["cargo", "build", "-q", "--locked", "-p", "cogsmith-lerc", "--example", "blobs"], cwd=ROOT, check=True)
            self.path = os.path.join(TARGET, "debug", "examples", "blobs")
        self.process = subprocess.Popen([self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def images(self, dtype, kind):
        """The images of lerc/tests/golden.rs."""
        stream = io.BytesIO(subprocess.run([self.path, RUST_NAMES[dtype], kind], check=True, capture_output=True).stdout)
        while header := stream.read(32):
            _, has_mask, width, height, bands, _, error = struct.unpack("<6Id", header)
            samples = np.frombuffer(stream.read(width * height * bands * np.dtype(dtype).itemsize), dtype)
            mask = np.frombuffer(stream.read(width * height), np.uint8).reshape(height, width) if has_mask else None
            yield samples.reshape(height, width, bands), mask, error

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


def written_by_gdal(data, error, folder):
    """The tiles of a file that GDAL writes, samples by pixel."""
    height, width, bands = data.shape
    path = os.path.join(folder, "tile.tif")
    kind = gdal_array.NumericTypeCodeToGDALTypeCode(data.dtype.type)
    options = ["COMPRESS=LERC", f"MAX_Z_ERROR={error!r}", "TILED=YES", f"BLOCKXSIZE={width}", f"BLOCKYSIZE={height}",
               "INTERLEAVE=PIXEL", "PHOTOMETRIC=MINISBLACK", "ALPHA=NO"]
    file = gdal.GetDriverByName("GTiff").Create(path, width, height, bands, kind, options)
    for band in range(bands):
        file.GetRasterBand(band + 1).WriteArray(data[:, :, band])
    file = None
    with tifffile.TiffFile(path) as tiff, open(path, "rb") as content:
        (start,), (length,) = tiff.pages[0].dataoffsets, tiff.pages[0].databytecounts
        content.seek(start)
        return content.read(length)


def equal_but_for_garbage(ours, gdal_tile):
    """GDAL's libLerc leaves the word after Huffman codes as it was, which the checksum then covers."""
    if ours == gdal_tile:
        return True
    (length,) = struct.unpack_from("<i", ours, 34)
    is_eight_bit = ours[38] < 2 and length == len(ours)
    return is_eight_bit and len(ours) == len(gdal_tile) and ours[:10] + ours[14:-4] == gdal_tile[:10] + gdal_tile[14:-4]


def compare_with_gdal(encoder, count, seed):
    """Returns how many tiles differ from those that GDAL itself writes."""
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            random = np.random.default_rng([seed, 7, number])
            height, width = (int(side) for side in random.choice([16, 64, 128, 240], 2))
            dtype, kind, error = TYPES[random.integers(0, 8)], str(random.choice(KINDS)), float(random.choice(ERRORS))
            data = content(random, kind, height, width, int(random.choice([1, 2, 3, 4])), dtype)
            sprinkle_nan(random, data)
            if not np.any(data):
                # GDAL leaves out empty tiles.
                data[0, 0] = 1
            ours, theirs = encoder.encode_tile(data, None, error), written_by_gdal(data, error, folder)
            if not equal_but_for_garbage(ours, theirs):
                failed += 1
                print(f"tile {number}: {dtype.__name__} {height}x{width}x{data.shape[2]} {kind} error {error}: "
                      f"{len(ours)} bytes, GDAL {len(theirs)}")
    return failed


def write_golden(library, encoder):
    """Writes what `cargo test` compares: bytes and CRC-32 of libLerc's blobs of all images of a type and kind."""
    kinds = subprocess.run([encoder.path, "kinds"], check=True, capture_output=True, text=True).stdout.split()
    with open(os.path.join(ROOT, "lerc", "tests", "golden.txt"), "w") as golden:
        for dtype, name in RUST_NAMES.items():
            for kind in kinds:
                blobs = [library.encode_tile(*image) for image in encoder.images(dtype, kind)]
                crc = functools.reduce(lambda crc, blob: zlib.crc32(blob, crc), blobs, 0)
                golden.write(f"{name} {kind} {sum(map(len, blobs))} {crc:08x}\n")


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
    parser.add_argument("--golden", action="store_true", help="write lerc/tests/golden.txt instead")
    options = parser.parse_args()
    libraries = [LibLerc(gdal), LibLerc(imagecodecs)]
    encoder = Encoder()
    if options.speed:
        speed(libraries, encoder)
        return
    if options.golden:
        write_golden(libraries[0], encoder)
        return
    failed = 0
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
                # The checksum differs in any case.
                first = next((at for at, (one, other) in enumerate(zip(ours, theirs)) if one != other and at > 13), None)
                print(f"case {number}: {dtype.__name__} {height}x{width}x{bands} {kind} error {error} mask {mask_kind}: "
                      f"{len(ours)} bytes, {library.name} {len(theirs)}, first difference at {first}")
    print(f"{options.count} images, {failed} differ from {' or '.join(library.name for library in libraries)}")
    tiles = compare_with_gdal(encoder, options.count // 10, options.seed)
    print(f"{options.count // 10} tiles, {tiles} differ from those of GDAL {gdal.__version__}")
    sys.exit(failed + tiles > 0)


if __name__ == "__main__":
    main()
