"""The coordinates of warps: transformations compared with PROJ, and target grids with GDAL's COG driver.

    python warp_coordinates.py               all cases
    python warp_coordinates.py --table FILE  writes the worst error of each CRS into the table of docs/warp.md
    ONLY=words in the environment picks cases by name
"""

import os
import random
import subprocess
import sys

import numpy as np
import pyproj
from osgeo import gdal, osr

from report import Report

gdal.UseExceptions()
gdal.PushErrorHandler("CPLQuietErrorHandler")
report = Report("warp_coordinates")
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
EXAMPLES = os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "debug", "examples")
# Networks and grids are not asked: a warp uses neither.
pyproj.network.set_network_enabled(False)

# Code, and the rectangle of longitudes and latitudes where it is used.
CRSS = {
    "EPSG:32633": (12, 0, 18, 84), "EPSG:32601": (-180, 0, -174, 84), "EPSG:32760": (174, -80, 180, 0), "EPSG:32719": (-72, -80, -66, 0),
    "EPSG:25832": (6, 38, 12, 84), "EPSG:26910": (-126, 30, -120, 60), "EPSG:26917": (-84, 23, -78, 60), "EPSG:3857": (-179, -84, 179, 84),
    "EPSG:4326": (-179, -89, 179, 89), "EPSG:4258": (-16, 33, 40, 84), "EPSG:4269": (-170, 25, -50, 80), "EPSG:3395": (-179, -79, 179, 83),
    "EPSG:3035": (-16, 33, 40, 72), "EPSG:3034": (-16, 33, 40, 72), "EPSG:2154": (-4, 42, 9, 51), "EPSG:5070": (-124, 25, -67, 49),
    "EPSG:3347": (-140, 42, -53, 83), "EPSG:3978": (-140, 42, -53, 80), "EPSG:3979": (-140, 42, -53, 80), "EPSG:2193": (167, -47, 178, -35),
    "EPSG:3577": (113, -43, 153, -10), "EPSG:28355": (144, -45, 150, -10), "EPSG:7855": (144, -45, 150, -10), "EPSG:3031": (-179, -89, 179, -61),
    "EPSG:3413": (-179, 61, 179, 89), "EPSG:3995": (-179, 61, 179, 89), "EPSG:3976": (-179, -89, 179, -61), "EPSG:5936": (-179, 61, 179, 89),
    "EPSG:5482": (160, -80, 190, -62), "EPSG:6931": (-179, 1, 179, 89), "EPSG:6932": (-179, -89, 179, -1), "EPSG:6933": (-179, -85, 179, 85),
    "EPSG:8857": (-179, -85, 179, 85), "EPSG:3832": (90, -60, 179, 60), "EPSG:2056": (6, 46, 10, 47.5), "EPSG:21781": (6, 46, 10, 47.5),
    "EPSG:27700": (-6, 50, 1.5, 58), "EPSG:28992": (3.5, 50.8, 7, 53.5), "EPSG:31370": (2.6, 49.6, 6.3, 51.4), "EPSG:3812": (2.6, 49.6, 6.3, 51.4),
    "EPSG:31467": (7.5, 47.5, 10.5, 55), "EPSG:31468": (10.5, 47.5, 13.5, 55), "EPSG:31287": (9.6, 46.5, 17, 49), "EPSG:5514": (12.2, 48.6, 18.8, 51),
    "EPSG:2180": (14.2, 49, 24.1, 54.8), "EPSG:23030": (-6, 35, 0, 44), "EPSG:4230": (-9, 35, 25, 60), "EPSG:26713": (-108, 32, -102, 49),
    "EPSG:4267": (-120, 28, -75, 48), "EPSG:24879": (-72, -18, -66, -10), "EPSG:28406": (30, 50, 36, 65), "EPSG:4284": (30, 45, 60, 65),
    "EPSG:2263": (-74.3, 40.5, -71.8, 41.3), "EPSG:2229": (-119, 33.8, -117, 35.8), "EPSG:3089": (-89, 36.6, -82, 39), "EPSG:32662": (-179, -89, 179, 89),
    "EPSG:6669": (128, 31, 130.5, 34), "EPSG:6668": (123, 24, 146, 46), "EPSG:5179": (125, 33, 131, 38.5), "EPSG:4490": (74, 18, 134, 53),
    "EPSG:4549": (118.5, 24, 121.5, 53), "EPSG:31983": (-48, -30, -42, 0), "EPSG:5880": (-73, -33, -30, 5), "EPSG:22234": (21, -34, 27, -18),
    "EPSG:3067": (20, 60, 31, 70), "EPSG:3006": (11, 55, 24, 69), "EPSG:25833": (12, 55, 18, 71), "EPSG:2100": (20, 35, 28, 41.5),
}
POINTS = 200


def example(name, lines):
    done = subprocess.run([os.path.join(EXAMPLES, name)], input="\n".join(lines), capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def pairs(text):
    return np.array(text.split(), dtype=float).reshape(-1, 2)


def errors(code, box, target):
    """Worst distances in meters between ours and PROJ's, there and back."""
    rng = np.random.default_rng(int(code[5:]))
    geographic = np.stack([rng.uniform(box[0], box[2], POINTS), rng.uniform(box[1], box[3], POINTS)], axis=1)
    place = lambda crs: np.stack(pyproj.Transformer.from_crs(
        pyproj.CRS(crs).geodetic_crs if pyproj.CRS(crs).is_projected else crs, crs, always_xy=True).transform(*geographic.T), axis=1)
    source = place(code)
    forward = pyproj.Transformer.from_crs(code, target, always_xy=True)
    there = np.stack(forward.transform(*source.T), axis=1)
    # The way back as a transformation of its own, as a warp uses it.
    back = np.stack(pyproj.Transformer.from_crs(target, code, always_xy=True).transform(*there.T), axis=1)
    text = lambda points: " ".join(f"{x!r} {y!r}" for x, y in points.tolist())
    (line,) = example("transform", [f"{code} {target} {text(source)} | {text(there)}"])
    if line.startswith("error"):
        return line
    ours = [pairs(part) for part in line.split("|")]
    out = []
    for got, expected, crs, latitudes in ((ours[0], there, target, geographic[:, 1]), (ours[1], back, code, geographic[:, 1])):
        difference = got - expected
        if pyproj.CRS(crs).is_geographic:
            difference[:, 0] = (difference[:, 0] + 180) % 360 - 180
            difference *= 111_320
            difference[:, 0] *= np.cos(np.radians(latitudes))
        valid = np.isfinite(expected).all(axis=1)
        if valid.sum() < POINTS * 0.9:
            return f"PROJ has only {valid.sum()} points"
        if not np.isfinite(got[valid]).all():
            return f"{(~np.isfinite(got[valid])).any(axis=1).sum()} points failed"
        unit = pyproj.CRS(crs).axis_info[0].unit_conversion_factor if pyproj.CRS(crs).is_projected else 1
        out.append(np.hypot(*difference[valid].T).max() * unit)
    return out


WORST = {}


def coordinates(code, box):
    def case():
        found = {target: errors(code, box, target) for target in ("EPSG:3857", "EPSG:4326") if target != code}
        texts = [f"{target}: {value}" for target, value in found.items() if isinstance(value, str)]
        if texts:
            return texts
        WORST[code] = [max(value[way] for value in found.values()) for way in (0, 1)]
        # A millimeter; OSGB's polynomial differs by a bit more, far below the operation's accuracy of 2 m.
        limit = 0.002 if code == "EPSG:27700" else 0.001
        return [f"off by {value:.2g} m" for value in WORST[code] if value > limit]

    return case


SCHEMES = ["GoogleMapsCompatible", "WorldCRS84Quad", "WorldMercatorWGS84Quad", "GoogleCRS84Quad", "PseudoTMS_GlobalMercator", "LINZAntarticaMapTileGrid", "MapML_APSTILE"]
PLACES = {  # CRSs of the rasters, with a rectangle in which they are.
    "EPSG:32633": (200_000, 4_000_000, 800_000, 7_000_000), "EPSG:4326": (-170, -80, 170, 80), "EPSG:3035": (2_500_000, 1_500_000, 6_000_000, 5_000_000),
    "EPSG:2154": (200_000, 6_100_000, 1_100_000, 7_100_000), "EPSG:5070": (-2_000_000, 300_000, 2_000_000, 3_000_000),
}
POLAR = {"LINZAntarticaMapTileGrid": ("EPSG:3031", (-300_000, -2_600_000, 200_000, -1_500_000)), "MapML_APSTILE": ("EPSG:3413", (-2_000_000, -2_000_000, 2_000_000, 2_000_000))}


def random_grids(count):
    rng = random.Random(28)
    out = []
    for index in range(count):
        scheme = SCHEMES[index % len(SCHEMES)]
        crs, box = POLAR.get(scheme) or rng.choice(sorted(PLACES.items()))
        x, y = rng.uniform(box[0], box[2]), rng.uniform(box[1], box[3])
        width, height = rng.randint(20, 3000), rng.randint(20, 3000)
        size = 10 ** rng.uniform(-4, -1) if crs == "EPSG:4326" else 10 ** rng.uniform(0, 2.3)
        if crs == "EPSG:4326":
            size = min(size, (175 - abs(x)) / width, (85 - abs(y)) / height)
        transform = (x, size, 0.0, y, 0.0, -size * rng.choice([1, 1, 1, 0.7]))
        strategy = rng.choice(["auto", "lower", "upper"])
        aligned = rng.choice([0, 0, 1, 2, 3, 5, 12])
        tile = rng.choice([256, 256, 512, 1024])
        zoom = rng.choice(["-", "-", "-", str(rng.randint(0, 12))])
        out.append((scheme, crs, width, height, transform, tile, zoom, strategy, aligned))
    return out


def gdal_grid(scheme, crs, width, height, transform, tile, zoom, strategy, aligned):
    """The grid of GDAL's COG driver, by way of a warp that it describes and nobody computes."""
    source = gdal.GetDriverByName("MEM").Create("", width, height, 0)
    srs = osr.SpatialReference()
    srs.SetFromUserInput(crs)
    srs.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    source.SetSpatialRef(srs)
    source.SetGeoTransform(transform)
    source.AddBand(gdal.GDT_Byte)
    options = [f"TILING_SCHEME={scheme}", f"BLOCKSIZE={tile}", f"ZOOM_LEVEL_STRATEGY={strategy}", f"ALIGNED_LEVELS={aligned}", "SPARSE_OK=YES", "OVERVIEWS=NONE", "RESAMPLING=NEAREST"]
    options += [] if zoom == "-" else [f"ZOOM_LEVEL={zoom}"]
    out = gdal.GetDriverByName("COG").CreateCopy("/vsimem/grid.tif", source, options=options)
    domain = out.GetMetadata("TILING_SCHEME")
    numbers = out.GetGeoTransform()
    return out.RasterXSize, out.RasterYSize, numbers[0], numbers[3], numbers[1], int(domain["ZOOM_LEVEL"]), int(domain.get("ALIGNED_LEVELS", 0))


def grids(count):
    def case():
        cases = random_grids(count)
        lines = [" ".join(map(str, [*case[:4], *map(repr, case[4]), *case[5:]])) for case in cases]
        out, compared, refused = [], 0, 0
        for case, line in zip(cases, example("grid", lines), strict=True):
            words = line.split()
            if not line.startswith("error") and int(words[0]) * int(words[1]) > 4e7:
                continue  # GDAL would compute all these pixels.
            try:
                expected = gdal_grid(*case)
            except RuntimeError as error:
                refused += 1
                # Warping what the scheme has beyond the poles fails in GDAL; its grid is not to be had then.
                if "Invalid latitude" not in str(error) and not line.startswith("error"):
                    out.append(f"{case}: GDAL refuses it ({error}), we say {line}")
                continue
            compared += 1
            if line.startswith("error"):
                out.append(f"{case}: {line}, GDAL says {expected}")
                continue
            got = tuple(map(int, words[:2])) + tuple(map(float, words[2:5])) + tuple(map(int, words[5:]))
            is_same = got[:2] == expected[:2] and got[5:] == expected[5:]
            is_same = is_same and all(abs(a - b) <= 1e-9 * max(abs(a), abs(b)) + 1e-9 for a, b in zip(got[2:5], expected[2:5]))
            if not is_same:
                out.append(f"{case}: {got}, GDAL says {expected}")
        print(f"{compared} grids compared, {refused} refused by GDAL")
        if compared < count // 2:
            out.append(f"only {compared} grids were compared")
        return out

    return case


def table():
    """The worst error of each CRS as rows of Markdown."""
    rows = ["| CRS | name | to | from |", "|---|---|---|---|"]
    for code, (there, back) in sorted(WORST.items(), key=lambda item: int(item[0][5:])):
        rows.append(f"| {code} | {pyproj.CRS(code).name} | {there:.1g} | {back:.1g} |")
    return "\n".join(rows)


if __name__ == "__main__":
    for code, box in CRSS.items():
        report.run(f"coordinates: {code}", coordinates(code, box))
    report.run("grids", grids(280))
    if "--table" in sys.argv:
        with open(sys.argv[sys.argv.index("--table") + 1], "w") as file:
            file.write(table() + "\n")
    sys.exit(report.close())
