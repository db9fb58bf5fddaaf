"""Lossy codecs: the bytes of GDAL and libjpeg-turbo, exact nodata in GDAL, rasterio, and tifffile, and the same bytes without SIMD.

    python lossy.py
    python lossy.py --measure [PNG]   the figures and the picture of docs/lossy.md
    python lossy.py --files FILE…     the same figures for other files

The filling of pixels under the mask is written here once more, in NumPy.
"""

import itertools
import json
import os
import shutil
import sys
import tempfile

os.environ.setdefault("GDAL_PAM_ENABLED", "NO")
import imagecodecs
import numpy as np
import rasterio
import tifffile
from osgeo import gdal

import command_line
from report import Report

gdal.UseExceptions()
gdal.PushErrorHandler("CPLQuietErrorHandler")

TILE = 128
SIZES = ((128, 128), (100, 80), (129, 257), (300, 33), (17, 260))
QUALITIES = (1, 50, 75, 90, 100)
LAYOUTS = ((1, "pixel"), (3, "pixel"), (3, "band"), (2, "tile"), (4, "band"))


def picture(width, height, bands, seed=1):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    waves = [128 + 80 * np.sin(x / (17 + 3 * i)) * np.cos(y / (23 - 2 * i)) + rng.normal(0, 4, x.shape) for i in range(bands)]
    return np.clip(np.stack(waves), 1, 255).astype("u1")


def hole(width, height, seed=2):
    y, x = np.mgrid[0:height, 0:width]
    disc = (x - width * 0.4) ** 2 + (y - height * 0.5) ** 2 < (min(width, height) * 0.3) ** 2
    return disc | (np.random.default_rng(seed).random(x.shape) < 0.002) | (x + y // 2 > width - 3)


def save(path, pixels, photometric=None, nodata=None, mask=None):
    bands, height, width = pixels.shape
    with gdal.config_option("GDAL_TIFF_INTERNAL_MASK", "YES"):
        ds = gdal.GetDriverByName("GTiff").Create(path, width, height, bands, gdal.GDT_Byte,
                                                 ["PHOTOMETRIC=" + (photometric or ("RGB" if bands == 3 else "MINISBLACK"))])
        ds.WriteArray(pixels)
        for band in range(bands if nodata is not None else 0):
            ds.GetRasterBand(band + 1).SetNoDataValue(nodata)
        if mask is not None:
            ds.CreateMaskBand(gdal.GMF_PER_DATASET)
            ds.GetRasterBand(1).GetMaskBand().WriteArray(mask.astype("u1") * 255)
        ds = None


def create(source, target, **options):
    result = command_line.create(source, target, overwrite=True, json=True, blocksize=TILE, **options)
    if result.code:
        raise RuntimeError(str(result))
    return json.loads(result.out)


def tiles(path):
    """All directories: tags but offsets, counts and metadata, and the bytes of the tiles."""
    data = open(path, "rb").read()
    with tifffile.TiffFile(path) as file:
        for page in file.pages:
            tags = {tag.code: tag.value for tag in page.tags if tag.code not in (324, 325, 42112)}
            yield tags, [data[at:at + size] for at, size in zip(page.dataoffsets, page.databytecounts)]


def gdal_case(scratch, size, layout, quality):
    """All tags and tiles of the COG that GDAL's driver makes of the same file."""
    (width, height), (bands, interleave) = size, layout
    source, theirs, ours = (os.path.join(scratch, name) for name in ("in.tif", "gdal.tif", "ours.tif"))
    save(source, picture(width, height, bands))
    gdal.GetDriverByName("COG").CreateCopy(theirs, gdal.Open(source), options=[
        "COMPRESS=JPEG", f"QUALITY={quality}", f"BLOCKSIZE={TILE}", f"INTERLEAVE={interleave.upper()}"])
    create(source, ours, compress="jpeg", quality=quality, interleave=interleave)
    theirs, ours = list(tiles(theirs)), list(tiles(ours))
    problems = [] if len(theirs) == len(ours) else [f"{len(ours)} directories, GDAL has {len(theirs)}"]
    for number, ((tags, data), (own_tags, own_data)) in enumerate(zip(theirs, ours)):
        if bands == 4:
            # GDAL takes four bands of bytes for red, green, blue, and alpha, with any codec.
            for tag in (262, 338):
                tags.pop(tag, None), own_tags.pop(tag, None)
        if tags != own_tags:
            different = {tag for tag in set(tags) | set(own_tags) if tags.get(tag) != own_tags.get(tag)}
            problems.append(f"directory {number}: tags {sorted(different)} differ")
        problems += [f"directory {number}, tile {i}: other bytes" for i, (a, b) in enumerate(zip(data, own_data)) if a != b]
    return problems


def smooth(block, valid):
    """The invalid pixels of a block of one band, continued from the valid ones."""
    height, width = block.shape
    values, known = block.astype(int) << 4, valid.copy()
    side = 2
    while side <= 16:
        for top, left in itertools.product(range(0, height, side), range(0, width, side)):
            part = (slice(top, top + side), slice(left, left + side))
            here = valid[part]
            if here.any():
                mean = (int(values[part][here].sum()) + int(here.sum()) // 2) // int(here.sum())
                values[part][~known[part]] = mean
                known[part] = True
        side *= 2
    places = list(itertools.product(range(height), range(width)))
    for sweep in range(12):
        for row, column in places if sweep % 2 == 0 else places[::-1]:
            if not valid[row, column]:
                near = [(row, column - 1), (row, column + 1), (row - 1, column), (row + 1, column)]
                near = [values[y, x] for y, x in near if 0 <= y < height and 0 <= x < width]
                values[row, column] = (sum(near) + len(near) // 2) // len(near)
    return ((values + 8) >> 4).astype("u1")


def filled(tile, valid, side, color):
    """A tile, (row, column, band), with its invalid pixels replaced in blocks of `side`, then padded."""
    tile = tile.copy()
    height, width = valid.shape
    for top, left in itertools.product(range(0, height, side), range(0, width, side)):
        part = (slice(top, min(top + side, height)), slice(left, min(left + side, width)))
        if not valid[part].any():
            tile[part] = color
        elif not valid[part].all():
            for band in range(tile.shape[2]):
                part_of_band = (*part, band)
                tile[part_of_band] = np.where(valid[part], tile[part_of_band], smooth(tile[part_of_band], valid[part]))
    return np.pad(tile, ((0, TILE - height), (0, TILE - width), (0, 0)), mode="edge")


def scan_of(stream):
    """Frame header, Huffman tables and scan of a stream, without what TIFF keeps elsewhere."""
    out, at = [], 2
    while True:
        marker, size = stream[at + 1], int.from_bytes(stream[at + 2:at + 4], "big") + 2
        if marker == 0xDA:
            return b"".join(out) + stream[at:]
        if marker in (0xC0, 0xC1, 0xC4):
            out.append(stream[at:at + size])
        at += size


def turbo_case(scratch, size, bands, quality, subsampling, nodata):
    """Tiles with masked pixels are those of libjpeg-turbo for the filled pixels."""
    width, height = size
    source, ours = os.path.join(scratch, "in.tif"), os.path.join(scratch, "ours.tif")
    pixels, missing = picture(width, height, bands), hole(width, height)
    pixels[pixels == nodata] ^= 1
    pixels[:, missing] = nodata
    save(source, pixels, nodata=nodata)
    create(source, ours, compress="jpeg", quality=quality, jpeg_subsampling=subsampling, overviews="none")
    problems, (_, data) = [], next(tiles(ours))
    side = 16 if bands == 3 and subsampling != "444" else 8
    across = -(-width // TILE)
    for i, found in enumerate(data):
        top, left = i // across * TILE, i % across * TILE
        part = (slice(top, top + TILE), slice(left, left + TILE))
        tile = filled(np.moveaxis(pixels, 0, 2)[part], ~missing[part], side, nodata)
        space = {} if bands == 1 else {"subsampling": "444" if subsampling == "444" else "420"}
        expected = imagecodecs.jpeg8_encode(tile.squeeze(), level=quality, optimize=True, **space)
        if b"\xff\xd8" + scan_of(expected) != found:
            problems.append(f"tile {i}: not the bytes of libjpeg-turbo")
    return problems


def nodata_case(scratch, layout, nodata, resampling, own_mask):
    """A pixel is nodata exactly where it was, at every level, for every reader."""
    (bands, interleave), (width, height) = layout, (411, 300)
    source, exact, ours = (os.path.join(scratch, name) for name in ("in.tif", "exact.tif", "ours.tif"))
    pixels, missing = picture(width, height, bands), hole(width, height)
    pixels[pixels == nodata] ^= 1
    pixels[:, missing] = nodata
    mask = None
    if own_mask:
        mask = np.ones((height, width), bool)
        mask[40:90, 200:] = False
    save(source, pixels, nodata=nodata, mask=mask)
    common = {"overview_resampling": resampling, "interleave": interleave}
    create(source, exact, compress="deflate", mask="nodata", **common)
    summary = create(source, ours, compress="jpeg", verify=True, **common)
    problems = [] if any("nodata" in warning for warning in summary["warnings"]) else ["the summary does not say so"]
    expected = ~missing if mask is None else ~missing & mask
    with rasterio.open(ours) as ds:
        if ds.nodata is not None or not np.array_equal(ds.dataset_mask() != 0, expected):
            problems.append("rasterio: another mask")
    with tifffile.TiffFile(ours) as file:
        masks = [page for page in file.pages if page.is_mask] if hasattr(file.pages[0], "is_mask") else []
        masks = masks or [page for page in file.pages if page.subfiletype & 4]
        if not np.array_equal(masks[0].asarray() != 0, expected):
            problems.append("tifffile: another mask")
        if len(file.pages) // 2 != len(summary["levels"]):
            problems.append(f"{len(file.pages)} directories")
    reference, second = gdal.Open(exact), gdal.Open(ours)
    first, second_band = reference.GetRasterBand(1), second.GetRasterBand(1)
    for level in range(-1, first.GetOverviewCount()):
        a, b = ((band if level < 0 else band.GetOverview(level)).GetMaskBand().ReadAsArray() for band in (first, second_band))
        if not np.array_equal(a != 0, b != 0):
            problems.append(f"GDAL, level {level + 1}: {(np.sign(a) != np.sign(b)).sum()} pixels of the mask differ")
    if not np.array_equal(second_band.GetMaskBand().ReadAsArray() != 0, expected):
        problems.append("GDAL: another mask than the source's nodata")
    difference = np.abs(second.ReadAsArray().reshape(pixels.shape).astype(int) - pixels)[:, expected]
    if difference.max() != summary["levels"][0]["loss"]["max_error"]:
        problems.append(f"the largest error is {difference.max()}, the summary says {summary['levels'][0]['loss']}")
    return problems


def simd_case(scratch, layout, quality):
    """The same file without SIMD, which the decoder and the encoder leave out if the environment says so."""
    bands, interleave = layout
    source, first, second = (os.path.join(scratch, name) for name in ("in.tif", "simd.tif", "scalar.tif"))
    pixels = picture(391, 277, bands)
    pixels[:, hole(391, 277)] = 0
    save(source, pixels, nodata=0)
    create(source, first, compress="jpeg", quality=quality, interleave=interleave)
    os.environ["JSIMD_FORCENONE"] = "1"
    try:
        create(source, second, compress="jpeg", quality=quality, interleave=interleave, verify=True)
    finally:
        del os.environ["JSIMD_FORCENONE"]
    return [] if open(first, "rb").read() == open(second, "rb").read() else ["another file"]


def packbits_case(scratch, kind, bands, size):
    """PackBits: the bytes of libtiff."""
    width, height = size
    rng = np.random.default_rng(7)
    pixels = np.repeat(rng.integers(0, 6, (bands, height, -(-width // 3))), 3, axis=2)[:, :, :width]
    noise = rng.random(pixels.shape) < 0.3
    pixels[noise] = rng.integers(0, 200, noise.sum())
    source, theirs, ours = (os.path.join(scratch, name) for name in ("in.tif", "gdal.tif", "ours.tif"))
    code = {"u1": gdal.GDT_Byte, "u2": gdal.GDT_UInt16, "f4": gdal.GDT_Float32}[kind]
    ds = gdal.GetDriverByName("GTiff").Create(source, width, height, bands, code, ["PHOTOMETRIC=MINISBLACK"])
    ds.WriteArray(pixels.astype(kind))
    ds = None
    options = ["TILED=YES", f"BLOCKXSIZE={TILE}", f"BLOCKYSIZE={TILE}", "COMPRESS=PACKBITS", "INTERLEAVE=PIXEL"]
    gdal.Translate(theirs, source, creationOptions=options)
    create(source, ours, compress="packbits", overviews="none")
    (_, first), (_, second) = next(tiles(theirs)), next(tiles(ours))
    problems = [] if np.array_equal(gdal.Open(ours).ReadAsArray(), gdal.Open(source).ReadAsArray()) else ["other pixels"]
    inside = [i for i in range(len(first)) if (i % -(-width // TILE) + 1) * TILE <= width and (i // -(-width // TILE) + 1) * TILE <= height]
    # GDAL pads tiles at the edges in another way.
    return problems + [f"tile {i}: not the bytes of libtiff" for i in inside if first[i] != second[i]]


def refused_case(scratch, pixels, nodata, options, expected):
    source = os.path.join(scratch, "in.tif")
    save(source, pixels, nodata=nodata)
    result = command_line.create(source, os.path.join(scratch, "out.tif"), overwrite=True, compress="jpeg", **options)
    words = result.words()
    return [] if result.code == 2 and expected in words else [f"{result}"]


def damage(source, path, nodata):
    """Nodata pixels that are data now, and data that is nodata now."""
    before = gdal.Open(source).ReadAsArray()
    was = (before == nodata).all(axis=0) if before.ndim == 3 else before == nodata
    ds = gdal.Open(path)
    band_masks = [ds.GetRasterBand(i + 1).GetMaskBand().ReadAsArray() == 0 for i in range(ds.RasterCount)]
    now = np.all(band_masks, axis=0)
    return int(was.sum()), int((was & ~now).sum()), int((~was & now).sum())


def scene(size, bands):
    """An image like a satellite's: fractal land, noise, and a rotated swath in nodata 0, as (band, row, column)."""
    rng = np.random.default_rng(11)
    frequencies = np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.rfftfreq(size), indexing="ij"))
    frequencies[0, 0] = 1
    land = []
    for _ in range(2):
        wave = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(size, size))) / frequencies**1.3, s=(size, size))
        land.append((wave - wave.mean()) / wave.std())
    weights = ((28, 9, 105), (24, -6, 112), (19, -14, 90), (30, 4, 60))
    pixels = np.stack([base + a * land[0] + b * land[1] + rng.normal(0, 3, land[0].shape) for a, b, base in weights[:bands]])
    pixels = np.clip(np.round(pixels), 1, 255).astype("u1")
    y, x = np.mgrid[0:size, 0:size] / size
    inside = (x + 0.21 * y > 0.2) & (x + 0.21 * y < 1.0) & (y - 0.17 * x > 0.02) & (y - 0.17 * x < 0.82)
    pixels[:, ~inside] = 0
    return pixels


def shown(path, window, factor):
    """A part of an image as RGB: nodata is magenta."""
    ds = gdal.Open(path)
    left, top, side = window
    pixels = ds.ReadAsArray(left, top, side, side)
    missing = np.all([ds.GetRasterBand(i + 1).GetMaskBand().ReadAsArray(left, top, side, side) == 0 for i in range(ds.RasterCount)], axis=0)
    rgb = np.moveaxis(pixels if pixels.ndim == 3 else np.stack([pixels] * 3), 0, 2).copy()
    rgb[missing] = (255, 0, 255)
    return rgb.repeat(factor, axis=0).repeat(factor, axis=1)


def measure(picture_path=None):
    scratch = tempfile.mkdtemp(prefix="cogsmith-lossy-")
    try:
        for bands in (3, 1):
            source, theirs, ours = (os.path.join(scratch, f"{name}{bands}.tif") for name in ("in", "gdal", "ours"))
            save(source, scene(2048, bands), nodata=0)
            for quality in (75, 90):
                gdal.Translate(theirs, source, format="COG", creationOptions=["COMPRESS=JPEG", f"QUALITY={quality}"])
                result = command_line.create(source, ours, overwrite=True, json=True, compress="jpeg", quality=quality, verify=True)
                levels = [level["loss"] for level in json.loads(result.out)["levels"]]
                print(f"{bands} bands, quality {quality}: bytes GDAL {os.path.getsize(theirs)}, cogsmith {os.path.getsize(ours)}")
                pixels, found = gdal.Open(source).ReadAsArray(), {"GDAL": gdal.Open(theirs).ReadAsArray(), "cogsmith": gdal.Open(ours).ReadAsArray()}
                valid = (pixels != 0).any(axis=0) if bands > 1 else pixels != 0
                for name, path in (("GDAL", theirs), ("cogsmith", ours)):
                    errors = (found[name].astype(float) - pixels)[..., valid]
                    psnr = 10 * np.log10(255**2 / (errors**2).mean())
                    print(f"  {name}: nodata pixels, nodata that is data, data that is nodata {damage(source, path, 0)}, PSNR of valid pixels {psnr:.2f}")
                print("  loss by level", levels)
                if picture_path and bands == 3 and quality == 75:
                    import imagecodecs
                    parts = [shown(path, (300, 90, 100), 4) for path in (source, theirs, ours)]
                    gap = np.full((400, 8, 3), 255, "u1")
                    image = np.concatenate([parts[0], gap, parts[1], gap, parts[2]], axis=1)
                    open(picture_path, "wb").write(imagecodecs.png_encode(image, level=9))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def measure_files(paths):
    """The figures for other files."""
    scratch = tempfile.mkdtemp(prefix="cogsmith-lossy-")
    try:
        for path in paths:
            nodata = gdal.Open(path).GetRasterBand(1).GetNoDataValue()
            theirs, ours = os.path.join(scratch, "gdal.tif"), os.path.join(scratch, "ours.tif")
            gdal.Translate(theirs, path, format="COG", creationOptions=["COMPRESS=JPEG", "QUALITY=75"])
            result = command_line.create(path, ours, overwrite=True, json=True, compress="jpeg", quality=75, verify=True)
            print(os.path.basename(path), "nodata", nodata, "bytes", os.path.getsize(theirs), os.path.getsize(ours))
            if nodata is not None:
                print("  nodata pixels, damaged each way: GDAL", damage(path, theirs, nodata), "cogsmith", damage(path, ours, nodata))
            print("  loss", [level["loss"] for level in json.loads(result.out)["levels"]] if result.code == 0 else result)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def main():
    if sys.argv[1:2] == ["--measure"]:
        return measure(*sys.argv[2:3])
    if sys.argv[1:2] == ["--files"]:
        return measure_files(sys.argv[2:])
    print("judge GDAL", gdal.__version__, "imagecodecs", imagecodecs.__version__)
    report = Report("lossy")
    scratch = tempfile.mkdtemp(prefix="cogsmith-lossy-")
    try:
        for size, layout, quality in itertools.product(SIZES, LAYOUTS, QUALITIES):
            report.run(f"GDAL {size[0]}x{size[1]} {layout[0]} {layout[1]} quality {quality}", gdal_case, scratch, size, layout, quality)
        for size, bands, quality, sampling in itertools.product(SIZES[1:4], (1, 3), (50, 90), (None, "444")):
            if bands == 3 or sampling is None:
                for nodata in (0, 128):
                    name = f"libjpeg-turbo {size[0]}x{size[1]} {bands} quality {quality} {sampling or ''} nodata {nodata}"
                    report.run(name, turbo_case, scratch, size, bands, quality, sampling, nodata)
        for layout, nodata, kernel, mask in itertools.product(LAYOUTS, (0, 130, 255), ("cubic", "average", "nearest"), (False, True)):
            name = f"nodata {nodata} {layout[0]} {layout[1]} {kernel}{' mask' * mask}"
            report.run(name, nodata_case, scratch, layout, nodata, kernel, mask)
        for layout, quality in itertools.product(LAYOUTS, QUALITIES):
            report.run(f"without SIMD {layout[0]} {layout[1]} quality {quality}", simd_case, scratch, layout, quality)
        for kind, bands, size in itertools.product(("u1", "u2", "f4"), (1, 3), ((256, 128), (300, 150))):
            report.run(f"packbits {kind} {bands} {size[0]}x{size[1]}", packbits_case, scratch, kind, bands, size)
        half = picture(90, 60, 3)
        half[0, 20, 30] = 0
        report.run("disagreeing bands", refused_case, scratch, half, 0, {}, "column 30, row 20")
        report.run("no mask", refused_case, scratch, picture(90, 60, 1), 9, {"mask": "none"}, "would change the nodata value 9")
        report.run("five bands", refused_case, scratch, picture(90, 60, 5), None, {}, "use band or tile interleave")
        report.run("quality 0", refused_case, scratch, picture(90, 60, 1), None, {"quality": 0}, "0 is out of range for jpeg (1 to 100)")
        report.run("level", refused_case, scratch, picture(90, 60, 1), None, {"level": 3}, "no effect with codec jpeg")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
