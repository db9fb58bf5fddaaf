"""Warps of the command: pixels and validity compared with `gdalwarp -et 0`, and with functions of place; bytes for any number of
threads and rows; what is refused.

    python warp.py                      all cases
    ONLY=words in the environment picks cases by name
"""

import hashlib
import itertools
import json
import os
import shutil
import sys
import tempfile

os.environ["GDAL_PAM_ENABLED"] = "NO"

import numpy as np
import pyproj
from osgeo import gdal, osr
from rio_cogeo.cogeo import cog_validate

from command_line import run
from report import Report

gdal.UseExceptions()
gdal.PushErrorHandler("CPLQuietErrorHandler")
report = Report("warp")
FOLDER = tempfile.mkdtemp(prefix="warp")
at = lambda name: os.path.join(FOLDER, name)
TYPES = {"u8": gdal.GDT_Byte, "u16": gdal.GDT_UInt16, "i16": gdal.GDT_Int16, "f32": gdal.GDT_Float32, "f64": gdal.GDT_Float64}
# Source and target, and the upper-left corner and pixel size of a raster in the source.
PAIRS = {
    "utm to web": ("EPSG:32633", "EPSG:3857", (400_000, 5_000_000, 10)),
    "web to utm": ("EPSG:3857", "EPSG:32633", (1_600_000, 5_700_000, 12)),
    "degrees to web": ("EPSG:4326", "EPSG:3857", (14, 46, 0.0001)),
    "web to degrees": ("EPSG:3857", "EPSG:4326", (1_600_000, 5_700_000, 12)),
    "utm to next zone": ("EPSG:32633", "EPSG:32634", (650_000, 5_000_000, 30)),
    "utm to laea": ("EPSG:32633", "EPSG:3035", (400_000, 5_000_000, 20)),
    "laea to web": ("EPSG:3035", "EPSG:3857", (4_300_000, 2_900_000, 100)),
    "degrees to polar": ("EPSG:4326", "EPSG:3413", (-60, 75, 0.01)),
    "lambert to web": ("EPSG:2154", "EPSG:3857", (600_000, 6_600_000, 25)),
    "albers to degrees": ("EPSG:5070", "EPSG:4326", (-1_000_000, 1_500_000, 90)),
    "south to web": ("EPSG:32719", "EPSG:3857", (300_000, 6_300_000, 10)),
    "osgb to web": ("EPSG:27700", "EPSG:3857", (400_000, 400_000, 10)),
    "same": ("EPSG:32633", "EPSG:32633", (400_000, 5_000_000, 10)),
}
GDAL_NAMES = {"nearest": "near", "median": "med"}


def texture(rows, columns, kind, seed):
    """A smooth image with some noise, in the range of its type."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:rows, 0:columns]
    wave = 0.5 + 0.25 * np.sin(x / 17 + seed) * np.cos(y / 23) + 0.15 * np.sin((x + 2 * y) / 41)
    image = wave + rng.uniform(-0.02, 0.02, wave.shape)
    low, high = {"u8": (0, 255), "u16": (0, 9000), "i16": (-3000, 5000), "f32": (-100, 900), "f64": (-100, 900)}[kind]
    return low + image * (high - low)


def make(name, crs, corner, kind, bands=1, gaps=None, size=(500, 400), classes=1):
    """A raster; gaps are "nodata", "mask", "alpha", or "nan"."""
    columns, rows = size
    x, y, pixel = corner
    alpha = gaps == "alpha"
    options = ["TILED=YES", "BLOCKXSIZE=128", "BLOCKYSIZE=128"] + (["ALPHA=YES"] if alpha else [])
    gdal.SetConfigOption("GDAL_TIFF_INTERNAL_MASK", "YES")
    file = gdal.GetDriverByName("GTiff").Create(at(name), columns, rows, bands + alpha, TYPES[kind], options)
    srs = osr.SpatialReference()
    srs.SetFromUserInput(crs)
    file.SetProjection(srs.ExportToWkt())
    file.SetGeoTransform((x, pixel, 0, y, 0, -pixel))
    yy, xx = np.mgrid[0:rows, 0:columns]
    hole = ((xx - columns // 3) ** 2 + (yy - rows // 2) ** 2 < 60**2) | (xx + yy < 80)
    for band in range(bands):
        image = texture(rows, columns, kind, band + 1)
        if kind in ("u8", "u16", "i16"):
            image = np.rint(image / classes) * classes
            image[image == 0] = 1
        if gaps == "nodata":
            image[hole] = 0
        if gaps == "nan":
            image[hole] = np.nan
        file.GetRasterBand(band + 1).WriteArray(image)
        if gaps == "nodata":
            file.GetRasterBand(band + 1).SetNoDataValue(0)
        if gaps == "nan":
            file.GetRasterBand(band + 1).SetNoDataValue(float("nan"))
    if gaps == "mask":
        file.CreateMaskBand(gdal.GMF_PER_DATASET)
        file.GetRasterBand(1).GetMaskBand().WriteArray(np.where(hole, 0, 255).astype("u1"))
    if alpha:
        file.GetRasterBand(bands + 1).WriteArray(np.where(hole, 0, 255 if kind == "u8" else 65535).astype("u1" if kind == "u8" else "u2"))
    file = None
    return at(name)


def read(path):
    file = gdal.Open(path)
    bands = [file.GetRasterBand(number + 1) for number in range(file.RasterCount)]
    bands = [band for band in bands if band.GetColorInterpretation() != gdal.GCI_AlphaBand]
    valid = bands[0].GetMaskBand().ReadAsArray() != 0
    if file.RasterCount > len(bands):
        valid = file.GetRasterBand(file.RasterCount).ReadAsArray() != 0
    return np.stack([band.ReadAsArray() for band in bands]).astype("f8"), valid, file.GetGeoTransform(), (file.RasterXSize, file.RasterYSize)


def inner(valid, distance):
    """Valid pixels that are at least so many pixels from an invalid one, or from the edge."""
    out = valid.copy()
    padded = np.pad(valid, distance)
    for dy, dx in itertools.product(range(-distance, distance + 1), repeat=2):
        out &= padded[distance + dy : distance + dy + valid.shape[0], distance + dx : distance + dx + valid.shape[1]]
    return out


def compare(source, target, kernel, kind, target_crs, scale, gaps, widens, places):
    """Differences between the command's output and gdalwarp's on the same grid."""
    ours, ours_valid, transform, size = read(target)
    file = gdal.Open(source)
    # GDAL widens by one scale for a whole chunk; told ours, it computes the same sums.
    factor = lambda value: 1 if value < 1.05 else value
    if kernel in ("bilinear", "cubic") and not widens:
        scale = (1, 1)
    options = ["INIT_DEST=NO_DATA" if gaps in ("nodata", "nan") else "INIT_DEST=0", "SAMPLE_GRID=YES"]
    options += [f"XSCALE={1 / factor(scale[0])}", f"YSCALE={1 / factor(scale[1])}"]
    bounds = (transform[0], transform[3] + transform[5] * size[1], transform[0] + transform[1] * size[0], transform[3])
    warped = gdal.Warp("", file, format="MEM", dstSRS=target_crs, outputBounds=bounds, width=size[0], height=size[1], errorThreshold=0,
                       resampleAlg=GDAL_NAMES.get(kernel, kernel), warpOptions=options, dstAlpha=gaps in (None, "mask", "alpha"), multithread=False)
    bands = [warped.GetRasterBand(number + 1) for number in range(warped.RasterCount)]
    bands = [band for band in bands if band.GetColorInterpretation() != gdal.GCI_AlphaBand][: len(ours)]
    expected = np.stack([band.ReadAsArray() for band in bands]).astype("f8")
    alpha = warped.GetRasterBand(warped.RasterCount)
    is_alpha = alpha.GetColorInterpretation() == gdal.GCI_AlphaBand
    expected_valid = (alpha if is_alpha else bands[0].GetMaskBand()).ReadAsArray() != 0
    out = []
    both = ours_valid & expected_valid
    share = (ours_valid != expected_valid).mean()
    # Edges are those pixels whose place is within 1e-9 pixel of the edge for one, and beyond it for the other.
    if share > 0.0005:
        out.append(f"validity differs in {share:.3%}")
    if both.mean() < 0.1:
        out.append(f"only {both.mean():.1%} of the pixels are valid")
    safe = inner(both, 6)
    difference = np.abs(ours - expected)
    if kernel == "nearest":
        # Another pixel is right where the place is within the error of interpolation, and of rounding, of its edge.
        others = np.argwhere((difference > 0).any(axis=0) & both)
        if len(others) > 0.01 * both.size:
            out.append(f"{len(others) / both.size:.2%} are other pixels")
        distance = [min(abs(value - round(value)) for value in places(row, column)) for row, column in others[:3000]]
        if max(distance, default=0) > 0.0011:
            out.append(f"another pixel, {max(distance)} from the edge")
        return out
    if kind in ("u8", "u16", "i16"):
        limit = 1 if kind == "u8" else 2
        where = both if gaps is None else safe
        share = (difference[:, where] > limit).mean()
        if share > 0.001:
            out.append(f"{share:.3%} of samples differ by more than {limit}, at most {difference[:, where].max()}")
    else:
        worst = difference[:, safe].max()
        if worst > 1e-4 * 1000:
            out.append(f"samples differ by up to {worst}")
    return out


def warped(pair, kernel, kind, bands=1, gaps=None, resolution=None):
    def case():
        source_crs, target_crs, corner = PAIRS[pair]
        source = make("in.tif", source_crs, corner, kind, bands, gaps, classes=60 if kernel == "mode" else 1)
        extra = ["--resolution", repr(resolution)] if resolution else []
        done = run("create", "--overwrite", "--json", "--dst-crs", target_crs, "--warp-resampling", kernel, *extra, source, at("out.tif"))
        if done.code:
            return [str(done)]
        # Source pixels in a target pixel, at the center.
        transform, size = read(at("out.tif"))[2:]
        x, y = transform[0] + transform[1] * size[0] / 2, transform[3] + transform[5] * size[1] / 2
        back = pyproj.Transformer.from_crs(target_crs, source_crs, always_xy=True)
        points = [np.array(back.transform(x + dx, y + dy)) for dx, dy in ((0, 0), (transform[1], 0), (0, transform[5]))]
        steps = [(points[1] - points[0]) / corner[2], (points[2] - points[0]) / corner[2]]
        scale = [np.hypot(steps[0][axis], steps[1][axis]) for axis in (0, 1)]
        x0, y0, pixel = corner

        def places(row, column):
            x, y = back.transform(transform[0] + (column + 0.5) * transform[1], transform[3] + (row + 0.5) * transform[5])
            return (x - x0) / pixel, (y0 - y) / pixel

        # Twice the size with which the diagonal keeps its number of pixels; about 14.2 m for UTM at 45 degrees.
        widens = resolution is not None and resolution > 28.5
        return compare(source, at("out.tif"), kernel, kind, target_crs, scale, gaps, widens, places)

    return case


def same_bytes():
    """The same file for any number of threads, and any number of rows at once."""
    source = make("in.tif", "EPSG:32633", PAIRS["utm to web"][2], "u16", 2, "mask", (1300, 1100))
    hashes = set()
    for threads, memory in (("1", "16M"), ("2", "16M"), ("2", "1"), ("3", "300K"), ("1", "64M")):
        done = run("create", "--overwrite", "--tiling-scheme", "WebMercatorQuad", "--threads", threads, "--row-memory", memory, source, at("out.tif"))
        if done.code:
            return [str(done)]
        with open(at("out.tif"), "rb") as file:
            hashes.add(hashlib.sha1(file.read()).hexdigest())
    return [f"{len(hashes)} different files"] if len(hashes) > 1 else []


def levels(size, corner, crs="EPSG:32633", options=()):
    """Every level is on the grid of its zoom level, and the file is a COG."""
    def case():
        source = make("in.tif", crs, corner, "u8", 3, None, size)
        done = run("create", "--overwrite", "--json", "--tiling-scheme", "GoogleMapsCompatible", *options, source, at("out.tif"))
        if done.code:
            return [str(done)]
        said = json.loads(done.out)
        warp = said["warp"]
        file = gdal.Open(at("out.tif"))
        transform, out = file.GetGeoTransform(), []
        band = file.GetRasterBand(1)
        half = 6378137 * np.pi
        count = 1 + band.GetOverviewCount()
        for level in range(count):
            one = band if level == 0 else band.GetOverview(level - 1)
            zoom = warp["zoom_level"] - level
            pixel = 2 * half / 256 / 2**zoom * 256 / one.GetBlockSize()[0]
            actual = transform[1] * file.RasterXSize / one.XSize
            shift = [(transform[0] + half) / pixel, (half - transform[3]) / pixel]
            tiles = [value / one.GetBlockSize()[0] for value in shift]
            is_aligned = abs(actual - pixel) * one.XSize < 0.05 * pixel and all(abs(tile - round(tile)) * 256 < 0.05 for tile in tiles)
            if not is_aligned and level < warp["aligned_levels"]:
                out.append(f"level {level} is not on the grid of zoom level {zoom}: {tiles}, {actual} and {pixel}")
        domain = file.GetMetadata("TILING_SCHEME")
        expected = {"NAME": "GoogleMapsCompatible", "ZOOM_LEVEL": str(warp["zoom_level"]), "ALIGNED_LEVELS": str(warp["aligned_levels"])}
        if domain != expected:
            out.append(f"the domain is {domain}, expected {expected}")
        if not said["warnings"]:
            last = band if count == 1 else band.GetOverview(count - 2)
            is_all = "--aligned-levels" not in options
            if is_all and (max(last.XSize, last.YSize) > 2 * band.GetBlockSize()[0] or count != warp["aligned_levels"]):
                out.append(f"{count} levels, the last {last.XSize}x{last.YSize}, {warp['aligned_levels']} aligned")
        if said["warp"]["added_percent"] > 300:
            out.append(f"{said['warp']['added_percent']} % were added")
        valid, errors, _ = cog_validate(at("out.tif"), quiet=True)
        return out + ([] if valid else errors)

    return case


def as_gdal(*options):
    """Place, size, levels, and metadata of GDAL's COG driver with the same creation options."""
    def case():
        source = make("in.tif", "EPSG:32633", PAIRS["utm to web"][2], "u8", 1, "nodata", (1500, 1200))
        expected = gdal.Translate(at("gdal.tif"), source, format="COG", creationOptions=list(options))
        done = run("create", "--overwrite", *[word for option in options for word in ("-co", option)], source, at("out.tif"))
        if done.code:
            return [str(done)]
        got, out = gdal.Open(at("out.tif")), []

        def facts(file):
            band = file.GetRasterBand(1)
            levels = [band] + [band.GetOverview(index) for index in range(band.GetOverviewCount())]
            return {
                "size": [(level.XSize, level.YSize) for level in levels], "tiles": [level.GetBlockSize() for level in levels],
                "transform": [round(number, 6) for number in file.GetGeoTransform()], "domain": file.GetMetadata("TILING_SCHEME"),
                "crs": file.GetSpatialRef().GetAuthorityCode(None), "nodata": band.GetNoDataValue(),
            }

        ours, theirs = facts(got), facts(expected)
        for key in ours:
            if ours[key] != theirs[key]:
                out.append(f"{key}: {ours[key]}, GDAL has {theirs[key]}")
        both = [file.GetRasterBand(1).ReadAsArray().astype("i4") for file in (got, expected)]
        # The driver's approximation is off by up to an eighth of a pixel.
        share = (abs(both[0] - both[1]) > 4).mean() if both[0].shape == both[1].shape else 1
        return out + ([f"{share:.2%} of the pixels differ by more than 4"] if share > 0.01 else [])

    return case


def analytic(source_crs, target_crs, corner, kernel, limit):
    """A function of longitude and latitude, sampled in one CRS and warped, is the same function in the other."""
    def case():
        function = lambda x, y: 100 * np.sin(x * 40) + 80 * np.cos(y * 35)
        columns, rows = 600, 500
        x, y, pixel = corner
        to_degrees = pyproj.Transformer.from_crs(source_crs, "EPSG:4326", always_xy=True)
        xs, ys = np.meshgrid(x + (np.arange(columns) + 0.5) * pixel, y - (np.arange(rows) + 0.5) * pixel)
        image = function(*to_degrees.transform(xs, ys))
        source = make("in.tif", source_crs, corner, "f64", 1, None, (columns, rows))
        file = gdal.Open(source, gdal.GA_Update)
        file.GetRasterBand(1).WriteArray(image)
        file = None
        done = run("create", "--overwrite", "--dst-crs", target_crs, "--warp-resampling", kernel, source, at("out.tif"))
        if done.code:
            return [str(done)]
        got, valid, transform, size = read(at("out.tif"))
        to_degrees = pyproj.Transformer.from_crs(target_crs, "EPSG:4326", always_xy=True)
        xs, ys = np.meshgrid(transform[0] + (np.arange(size[0]) + 0.5) * transform[1], transform[3] + (np.arange(size[1]) + 0.5) * transform[5])
        worst = np.abs(got[0] - function(*to_degrees.transform(xs, ys)))[inner(valid, 4)].max()
        return [f"off by {worst}, more than {limit}"] if worst > limit else []

    return case


def refused(words, expected):
    def case():
        source = make("in.tif", "EPSG:32633", PAIRS["utm to web"][2], "u8")
        done = run("create", "--overwrite", *words, source, at("out.tif"))
        text = done.words()
        return [] if done.code in (1, 2) and expected in text else [f"expected '{expected}': {done}"]

    return case


if __name__ == "__main__":
    kernels = ["nearest", "bilinear", "cubic", "cubicspline", "lanczos"]
    for index, (pair, kernel) in enumerate(itertools.product(PAIRS, kernels)):
        kind = list(TYPES)[index % len(TYPES)]
        # GDAL widens by one scale, we by that of each place; and its scaled B-spline misses taps between scales of 1 and 3, and
        # all of them at a scale of 1 without a shift.
        if kernel in ("cubicspline", "lanczos") and pair in ("degrees to polar", "albers to degrees"):
            continue
        if kernel == "cubicspline" and pair in ("same", "degrees to web", "web to degrees"):
            continue
        report.run(f"{pair}, {kernel}, {kind}", warped(pair, kernel, kind))
    for index, (gaps, kernel) in enumerate(itertools.product(["nodata", "mask", "alpha", "nan"], kernels)):
        kind = "f32" if gaps == "nan" else ["u8", "u16", "u16" if gaps == "alpha" else "f32"][index % 3]
        report.run(f"{gaps}, {kernel}, {kind}", warped("utm to web", kernel, kind, 2 if gaps == "mask" else 1, gaps))
    for kernel, resolution in itertools.product(kernels + ["average", "min", "max", "mode", "median"], (4.3, 10.0, 35.0, 141.0)):
        # GDAL takes the rectangle between two corners as the area of a pixel, which is too small or large in rotated images.
        pair = "utm to web" if kernel in kernels else "degrees to web"
        if kernel in kernels or resolution > 30:
            report.run(f"scale, {kernel}, {resolution}", warped(pair, kernel, "u8", 3, None, resolution))
    report.run("same bytes", same_bytes)
    web = "TILING_SCHEME=GoogleMapsCompatible"
    for options in ((web,), (web, "ALIGNED_LEVELS=3"), (web, "BLOCKSIZE=512"), (web, "ZOOM_LEVEL=12"), (web, "ZOOM_LEVEL_STRATEGY=UPPER", "WARP_RESAMPLING=BILINEAR"),
                    ("TILING_SCHEME=WorldCRS84Quad", "RESAMPLING=NEAREST"), ("TILING_SCHEME=PseudoTMS_GlobalMercator",), ("TARGET_SRS=EPSG:3035",),
                    ("TARGET_SRS=EPSG:3857", "RES=20", "EXTENT=1530000,5632000,1540000,5642000")):
        report.run(f"as GDAL: {' '.join(options)}", as_gdal(*options))
    report.run("levels: small", levels((500, 400), (400_000, 5_000_000, 10)))
    report.run("levels: large", levels((5000, 3000), (400_000, 5_000_000, 10)))
    report.run("levels: across the zero meridian", levels((1500, 1500), (300_000, 5_000_000, 20), "EPSG:32631"))
    report.run("levels: tiles of 512 pixels", levels((3000, 3000), (400_000, 5_000_000, 10), options=["--blocksize", "512"]))
    report.run("levels: two aligned", levels((3000, 3000), (400_000, 5_000_000, 10), options=["--aligned-levels", "2"]))
    for kernel, limit in (("bilinear", 0.6), ("cubic", 0.02), ("lanczos", 0.6)):
        report.run(f"analytic, {kernel}", analytic("EPSG:32633", "EPSG:3857", (400_000, 5_000_000, 100), kernel, limit))
    report.run("analytic, laea", analytic("EPSG:3035", "EPSG:32633", (4_600_000, 2_600_000, 100), "cubic", 0.02))
    for words, expected in (
        (["--tiling-scheme", "Nonsense"], "GoogleMapsCompatible"),
        (["--tiling-scheme", "GoogleMapsCompatible", "--dst-crs", "EPSG:3857"], "--dst-crs contradicts --tiling-scheme"),
        (["--zoom-level", "3"], "without a tiling scheme"),
        (["--warp-resampling", "cubic"], "without a tiling scheme or a target CRS"),
        (["--tiling-scheme", "GoogleMapsCompatible", "--zoom-level", "31"], "no zoom level 31"),
        (["--tiling-scheme", "LINZAntarticaMapTileGrid"], "--tiling-scheme"),
        (["--dst-crs", "EPSG:3857", "--warp-resampling", "gauss"], "gauss is a kernel of overviews"),
        (["--dst-crs", "EPSG:3857", "--resolution", "0"], "larger than 0"),
        (["--dst-crs", "EPSG:3857", "--extent", "0,0,1000,1000"], "no pixel of the target"),
        (["--tiling-scheme", "GoogleMapsCompatible", "--blocksize", "256x512"], "not square"),
        (["--dst-crs", "nonsense"], "--dst-crs"),
    ):
        report.run(f"refused: {' '.join(words)}", refused(words, expected))
    shutil.rmtree(FOLDER)
    sys.exit(report.close())
