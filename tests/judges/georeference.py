"""Georeferencing and metadata that are set, statistics that are computed: read back equal by foreign readers.

    python georeference.py                  ONLY=words in the environment picks cases by name
    python georeference.py --folder FOLDER  every GeoTIFF of a folder: what GDAL sees of the source, it sees of the COG
"""

import argparse
import itertools
import json
import math
import os
import re
import shutil
import sys
import tempfile
import xml.etree.ElementTree
from fractions import Fraction

import numpy as np
import rasterio
import tifffile
from rasterio.control import GroundControlPoint
from rasterio.transform import Affine

import command_line
import flavours
import judges
import layout
import reference
from report import Report

FOLDER = tempfile.mkdtemp(prefix="cogsmith-georeference-")
GEO_TAGS = (33550, 33922, 34264, 34735, 34736, 34737)
TRANSFORMS = {
    "north-up": (500000.0, 10.0, 0.0, 5000000.0, 0.0, -10.0),
    "pixels not square": (-179.123456789012, 0.1, 0.0, 89.98765432101, 0.0, -0.05),
    "south-up": (500000.0, 10.0, 0.0, 4990000.0, 0.0, 10.0),
    "mirrored": (500000.0, -10.0, 0.0, 5000000.0, 0.0, -10.0),
    "turned by 180 degrees": (500000.0, -10.0, 0.0, 5000000.0, 0.0, 10.0),
    "rotated": (431020.5, 0.03, 0.04, 5413870.25, 0.04, -0.03),
    "turned by 90 degrees": (500000.0, 0.0, 10.0, 5000000.0, 10.0, 0.0),
    "sheared": (500000.0, 10.0, 2.5, 5000000.0, 0.0, -10.0),
}


def path(name):
    return os.path.join(FOLDER, name)


def write(name, array, nodata=None, mask=None, transform=None, crs=None, point=False, gcps=None, **profile):
    """A GeoTIFF by rasterio: bands x rows x columns."""
    bands, height, width = array.shape
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        with rasterio.open(path(name), "w", driver="GTiff", width=width, height=height, count=bands, dtype=array.dtype, nodata=nodata,
                           transform=transform, crs=crs, **profile) as ds:
            if point:
                ds.update_tags(AREA_OR_POINT="Point")
            if gcps:
                ds.gcps = (gcps, crs)
            ds.write(array)
            if mask is not None:
                ds.write_mask(mask)
    return path(name)


def plain(bands=1, dtype="u2"):
    rows, columns = np.mgrid[:70, :90]
    return np.stack([(rows * 3 + columns * 7 + band * 11) % 251 for band in range(bands)]).astype(dtype)


def made(source, words=(), name="out.tif", **options):
    """The output, or problems."""
    target = path(name)
    if os.path.exists(target):
        os.remove(target)
    listed = [f"--{k.replace('_', '-')}" + ("" if v is True else f"={v}") for k, v in options.items()]
    r = command_line.run("create", "--blocksize=64", *words, *listed, source, target)
    return target, ([] if r.code == 0 else [str(r)])


def seen(target):
    """What both GDALs see; any word of theirs is a problem."""
    out, meta = [], {}
    for worker in (judges.NEW, judges.OLD):
        answer = worker.call("meta", path=target)
        if not answer["ok"] or answer["messages"]:
            out.append(f"{worker.name}: {answer.get('error')} {answer['messages']}")
        meta[worker] = answer
    return meta[judges.NEW], meta[judges.OLD], out


def tags(name):
    with tifffile.TiffFile(name) as f:
        found = f.pages[0].tags
        values = {code: found[code].value for code in GEO_TAGS if code in found}
        return {code: value if isinstance(value, str) else tuple(value) for code, value in values.items()}


def differ(what, got, expected):
    return [] if got == expected else [f"{what} is {got}, expected {expected}"[:500]]


# Where the raster lies.


def transform_case(numbers, point):
    """The tags are those that GDAL writes, and read back as what was asked for."""
    source = write("plain.tif", plain())
    reference = write("reference.tif", plain(), transform=Affine.from_gdal(*numbers), point=point)
    target, out = made(source, transform=",".join(map(repr, numbers)), **({"pixel_is": "point"} if point else {}))
    if out:
        return out
    out += differ("tags", tags(target), tags(reference))
    new, old, more = seen(target)
    expected = judges.NEW.call("meta", path=reference)["transform"]
    for name, answer in (("the newest GDAL", new), ("Debian's GDAL", old)):
        more += differ(f"transform by {name}", answer["transform"], expected)
        more += differ("AREA_OR_POINT", answer["domains"].get("", {}).get("AREA_OR_POINT", "Area"), "Point" if point else "Area")
    if not point:
        with rasterio.open(target) as ds:
            more += differ("transform by rasterio", ds.transform.to_gdal(), numbers)
    elif not all(math.isclose(a, b, rel_tol=1e-14) for a, b in zip(expected, numbers)):
        more += [f"transform {expected}, asked for was {numbers}"]
    return out + more + layout.problems(target, **layout.guess(target))


def bounds_case(left, bottom, right, top):
    source = write("plain.tif", plain())
    target, out = made(source, bounds=f"{left},{bottom},{right},{top}")
    if out:
        return out
    with rasterio.open(target) as ds:
        got = tuple(ds.bounds)
        return seen(target)[2] + ([] if np.allclose(got, (left, bottom, right, top), rtol=1e-14, atol=1e-9) else [f"bounds {got}"])


def gcps_case(count, point):
    rng = np.random.default_rng(count)
    numbers = rng.random((count, 5)) * (90, 70, 360, 180, 900)
    source = write("plain.tif", plain())
    words = [f"--gcp={','.join(map(repr, map(float, n)))}" for n in numbers]
    target, out = made(source, words, **({"pixel_is": "point"} if point else {}))
    if out:
        return out
    new, old, out = seen(target)
    for answer in (new, old):
        got = np.array(answer["gcps"])
        if got.shape != numbers.shape or not np.allclose(got, numbers, rtol=1e-14, atol=1e-13):
            out.append(f"{len(got)} GCPs of {count}, or others")
        elif not point and not np.array_equal(got, numbers):
            out.append("GCPs are not equal to the last bit")
    with rasterio.open(target) as ds:
        got = [(g.col, g.row, g.x, g.y, g.z) for g in ds.gcps[0]]
        if not np.allclose(got, numbers, rtol=1e-14, atol=1e-13):
            out.append("GCPs by rasterio differ")
    if count <= 200:
        points = [GroundControlPoint(row=n[1], col=n[0], x=n[2], y=n[3], z=n[4]) for n in numbers]
        reference = write("reference.tif", plain(), gcps=points, crs="EPSG:4326", point=point)
        if point:
            # GDAL 3.6 to 3.13 adds half a pixel in writing and in reading: what it writes, it reads a pixel off.
            for worker in (judges.NEW, judges.OLD):
                got = np.array(worker.call("meta", path=reference)["gcps"])
                if not np.allclose(got - numbers, (1, 1, 0, 0, 0), atol=1e-10):
                    out.append(f"{worker.name} has mended its GCPs of pixels that are points: see src/geo/points.rs")
        else:
            out += differ("tiepoints", tags(target)[33922], tags(reference)[33922])
    return out


def mended():
    """A wrong place is replaced; the CRS, and what pixels are, stay."""
    out = []
    for point in (False, True):
        source = write("wrong.tif", plain(), transform=Affine(1, 0, 0, 0, -1, 0), crs="EPSG:32633", point=point)
        reference = write("reference.tif", plain(), transform=Affine(10, 0, 5e5, 0, -10, 5e6), crs="EPSG:32633", point=point)
        target, problems = made(source, transform="500000,10,0,5000000,0,-10")
        out += problems or differ("tags", tags(target), tags(reference))
        target, problems = made(reference, pixel_is="area" if point else "point")
        other = write("other.tif", plain(), transform=Affine(10, 0, 5e5, 0, -10, 5e6), crs="EPSG:32633", point=not point)
        out += problems or differ("tags after --pixel-is", tags(target), tags(other))
        out += seen(target)[2]
    points = [GroundControlPoint(row=1, col=2, x=3, y=4, z=5)]
    source = write("points.tif", plain(), gcps=points, crs="EPSG:4326")
    target, problems = made(source, transform="500000,10,0,5000000,0,-10")
    out += problems or differ("GCPs", seen(target)[0]["gcps"], [])
    return out


def heights():
    """Scale and offset of one band with a vertical CRS stand in the z of scale and tiepoint, which GDAL reads first."""
    source = write("heights.tif", plain(dtype="i2"), transform=Affine(10, 0, 5e5, 0, -10, 5e6), crs="EPSG:32633+5773")
    target, out = made(source, band_scale="0.1", band_offset="-3")
    if out:
        return out
    new, old, out = seen(target)
    for answer in (new, old):
        out += differ("scale and offset", (answer["bands"][0]["scale"], answer["bands"][0]["offset"]), (0.1, -3.0))
    found = tags(target)
    return out + differ("z", (found[33550][2], found[33922][5]), (0.1, -3.0))


def negative_scale(x, y, point):
    """A pixel scale that GeoTIFF has no meaning for: read as GDAL reads it, written with one meaning."""
    source = write("negative.tif", plain(), transform=Affine(10, 0, 5e5, 0, -20, 5e6), crs="EPSG:32633", point=point)
    with tifffile.TiffFile(source, mode="r+") as f:
        f.pages[0].tags[33550].overwrite((x, y, 0.0))
    expected = judges.NEW.call("meta", path=source)["transform"]
    target, out = made(source)
    if out:
        return out
    r = command_line.run("create", "--overwrite", source, target)
    for value, words in ((x, "pixel scale of x, -10, is negative"), (y, "pixel scale of y, -20, is negative")):
        if (value < 0) != (words in r.words()):
            out.append(f"warning {words!r}: {r.words()}")
    new, old, more = seen(target)
    out += more
    for name, answer in (("the newest GDAL", new), ("Debian's GDAL", old)):
        out += differ(f"transform by {name}", answer["transform"], expected)
    found = tags(target)
    if x > 0:
        out += differ("pixel scale", found.get(33550), (10.0, 20.0, 0.0))
    elif 33550 in found or 34264 not in found:
        out.append(f"not a matrix: {found}")
    for name in (source, target):
        a, b, c, d, e, f = json.loads(command_line.run("info", "--json", name).out)["transform"]
        out += differ(f"transform by info of {os.path.basename(name)}", [c, a, b, f, d, e], expected)
    return out + layout.problems(target, **layout.guess(target))


def tiling_scheme(scheme, tile, aligned, options, expected):
    """GDAL's domain TILING_SCHEME is kept where it describes the output, and left out otherwise."""
    source, tiled = path("flat.tif"), path("tiled.tif")
    if scheme == "GoogleMapsCompatible":
        write("flat.tif", np.tile(plain(), (1, 8, 8)), transform=Affine(100, 0, 5e5, 0, -100, 5e6), crs="EPSG:32633")
    else:
        write("flat.tif", np.tile(plain(), (1, 8, 8)), transform=Affine(0.001, 0, 15, 0, -0.001, 45), crs="EPSG:4326")
    answer = judges.NEW.call("translate", path=source, to=tiled, format="COG", options=[
        f"TILING_SCHEME={scheme}", f"BLOCKSIZE={tile}", f"ALIGNED_LEVELS={aligned}", "ADD_ALPHA=NO"])
    if not answer["ok"]:
        return [answer["error"]]
    domain = judges.NEW.call("meta", path=tiled)["domains"].get("TILING_SCHEME", {})
    out = [] if domain.get("NAME") == scheme else [f"GDAL writes {domain}"]
    r = command_line.run("create", "--overwrite", *options, tiled, path("out.tif"))
    if r.code:
        return out + [str(r)]
    got = judges.NEW.call("meta", path=path("out.tif"))["domains"].get("TILING_SCHEME", {})
    if expected is None:
        return out + differ("the domain", got, domain) + (["a warning: " + r.words()] if "warning" in r.words() else [])
    if not re.search(f"TILING_SCHEME.*left out.*{expected}", r.words()):
        out.append(f"no warning with {expected!r}: {r.words()}")
    return out + differ("the domain", got, {})


TILED = {
    "as it is": ("GoogleMapsCompatible", 256, 0, ["--blocksize=256"], None),
    "with tiles of 512": ("GoogleMapsCompatible", 512, 0, [], None),
    "aligned": ("GoogleMapsCompatible", 256, 3, ["--blocksize=256"], None),
    "without overviews": ("GoogleMapsCompatible", 256, 0, ["--blocksize=256", "--overviews=none"], None),
    "factors": ("GoogleMapsCompatible", 256, 0, ["--blocksize=256", "--overviews=2,4"], None),
    "degrees": ("WorldCRS84Quad", 256, 2, ["--blocksize=256"], None),
    "other tiles": ("GoogleMapsCompatible", 256, 0, [], "tiles of 512 pixels"),
    "other tiles of overviews": ("GoogleMapsCompatible", 256, 0, ["--blocksize=256", "--overview-blocksize=128"], "one size in all levels"),
    "other factors": ("GoogleMapsCompatible", 256, 0, ["--blocksize=256", "--overviews=3"], "half"),
    "fewer levels than aligned": ("GoogleMapsCompatible", 256, 3, ["--blocksize=256", "--overviews=none"], "3 aligned levels"),
    "another CRS": ("GoogleMapsCompatible", 256, 0, ["--blocksize=256", "--crs=EPSG:3395"], "EPSG:3857"),
    "another place": ("GoogleMapsCompatible", 256, 0, ["--blocksize=256", "--bounds=0,0,1000,1000"], "pixels"),
}


def from_the_library():
    """The example, which sets through the library what the command has no options for."""
    target = path("example.tif")
    folder = os.path.dirname(command_line.binary())
    example = os.path.join(folder, "examples", "georeference")
    if os.path.exists(target):
        os.remove(target)
    if os.system(f"'{example}' '{target}'"):
        return [f"{example} failed"]
    new, old, out = seen(target)
    with rasterio.open(target) as ds:
        r = ds.rpcs
        numbers = [r.err_bias, r.err_rand, r.line_off, r.samp_off, r.lat_off, r.long_off, r.height_off, r.line_scale, r.samp_scale,
                   r.lat_scale, r.long_scale, r.height_scale, *r.line_num_coeff, *r.line_den_coeff, *r.samp_num_coeff, *r.samp_den_coeff]
        out += differ("RPC", numbers, [k / 8 for k in range(92)])
        out += differ("CRS", ds.crs.to_epsg(), 32633)
        if not np.allclose(ds.transform.to_gdal(), TRANSFORMS["rotated"], rtol=1e-14):
            out.append(f"transform {ds.transform.to_gdal()}")
        out += differ("tags", {k: ds.tags().get(k) for k in ("PLATFORM", "AREA_OR_POINT", "TIFFTAG_DATETIME", "TIFFTAG_COPYRIGHT")},
                      {"PLATFORM": 'drone <7> & "co"', "AREA_OR_POINT": "Point", "TIFFTAG_DATETIME": "2024:06:01 10:30:31", "TIFFTAG_COPYRIGHT": "nobody"})
        out += differ("domain", ds.tags(ns="FLIGHT"), {"HEADING": "53.13"})
        out += differ("scales", (ds.scales, ds.offsets, ds.units), ((0.0001,) * 3, (-0.1,) * 3, ("1",) * 3))
        out += differ("descriptions", ds.descriptions, ("NIR", "Red", "Green"))
        for band in (1, 2, 3):
            out += statistics_problems(ds.tags(band), ds.read(band).ravel(), ds.width * ds.height)
    out += differ("colors", [b["color"] for b in new["bands"]], ["NIR", "Red", "Green"])
    out += differ("XMP", new["domains"]["xml:XMP"][""], "<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
    return out + layout.problems(target, **layout.guess(target))


# What is said about it.


def words_case():
    source = write("words.tif", plain(3), photometric="MINISBLACK")
    odd = "a & b < c > d \" e ' f &amp; ü 漢"
    words = ["--band-description=1=B04 & <red>", "--band-description=2=grün", "--band-scale=0.0001", "--band-offset=1=-0.1", "--band-offset=2=1e-7", "--band-offset=3=0",
             "--band-unit=m & s", "--color-interpretation=nir,red,green", f"--metadata=ODD={odd}", "--metadata=EMPTY=", "--metadata=TWO=a=b",
             "--metadata=DOMAIN:KEY=<v>", "--metadata=json:STUFF:doc={\"a\": [1, \"<&>\"]}", "--metadata=TIFFTAG_SOFTWARE=some software",
             "--metadata=TIFFTAG_DATETIME=2026:01:02 03:04:05", "--metadata=SPACES=  two  "]
    target, out = made(source, words)
    if out:
        return out
    new, old, out = seen(target)
    for name, answer in (("the newest GDAL", new), ("Debian's GDAL", old)):
        plain_items = {k: v for k, v in answer["domains"][""].items() if k != "AREA_OR_POINT"}
        out += differ(f"items by {name}", plain_items, {"ODD": odd, "TWO": "a=b", "SPACES": "two  ", "TIFFTAG_SOFTWARE": "some software",
                                                        "TIFFTAG_DATETIME": "2026:01:02 03:04:05"})
        out += differ(f"domain by {name}", answer["domains"].get("DOMAIN"), {"KEY": "<v>"})
        bands = answer["bands"]
        out += differ(f"descriptions by {name}", [b["description"] for b in bands], ["B04 & <red>", "grün", ""])
        out += differ(f"scales by {name}", [(b["scale"], b["offset"]) for b in bands], [(0.0001, -0.1), (0.0001, 1e-7), (0.0001, 0.0)])
        out += differ(f"units by {name}", [b["unit"] for b in bands], ["m & s"] * 3)
    out += differ("json domain", new["domains"].get("json:STUFF"), {"": "{\"a\": [1, \"<&>\"]}"})
    out += differ("colors", [b["color"] for b in new["bands"]], ["NIR", "Red", "Green"])
    with tifffile.TiffFile(target) as f:
        text = f.pages[0].tags[42112].value
    # GDAL leaves empty items out, and spaces before a text; other readers don't.
    items = {i.get("name"): i.text for i in xml.etree.ElementTree.fromstring(text)}
    out += differ("items in the file", {k: items.get(k, "missing") for k in ("EMPTY", "SPACES")}, {"EMPTY": None, "SPACES": "  two  "})
    out += [f"{t} is not the shortest decimal in {text}" for t in (">0.0001<", ">-0.1<", ">1e-7<", ">0<") if t not in text]
    # And away again.
    again, problems = made(target, ["--strip-metadata", "--band-description=1=", "--band-scale=1", "--band-offset=0", "--band-unit=", "--metadata=NEW=1"], name="again.tif")
    if problems:
        return out + problems
    new, _, more = seen(again)
    out += more + differ("domains left", {k: v for k, v in new["domains"].items() if v}, {"": {"NEW": "1"}})
    out += differ("bands left", [(b["description"], b["scale"] or 1.0, b["offset"] or 0.0, b["unit"], b["color"]) for b in new["bands"]],
                  [("", 1.0, 0.0, "", "NIR"), ("grün", 1.0, 0.0, "", "Red"), ("", 1.0, 0.0, "", "Green")])
    return out


def colors_case(colors, dtype, expected, photometric):
    bands = len(colors.split(","))
    source = write("colors.tif", plain(bands, dtype), photometric="MINISBLACK")
    target, out = made(source, color_interpretation=colors)
    if out:
        return out
    new, _, out = seen(target)
    out += differ("colors", [b["color"] for b in new["bands"]], expected)
    with tifffile.TiffFile(target) as f:
        out += differ("photometric interpretation", int(f.pages[0].tags[262].value), photometric)
        out += differ("COLORINTERP items", "COLORINTERP" in f.pages[0].tags[42112].value if 42112 in f.pages[0].tags else False, photometric == 1 and expected[0] != "Gray")
    return out


def nodata_case(kind, value):
    source = write("nodata.tif", plain(dtype=kind))
    target, out = made(source, nodata=value)
    if out:
        return out
    new, _, out = seen(target)
    out += differ("nodata by the newest GDAL", new["bands"][0]["nodata"], str(value))
    again, problems = made(target, name="again.tif")
    with tifffile.TiffFile(target) as a, tifffile.TiffFile(again) as b:
        out += differ("text", [a.pages[0].tags[42113].value, b.pages[0].tags[42113].value], [str(value)] * 2)
    return out + problems


# Statistics.


def exact(values):
    """Mean and standard deviation, rounded once; numpy has to agree as far as it can."""
    numbers = [Fraction(v) for v in values.tolist()]
    count, total = len(numbers), sum(numbers)
    mean = float(total / count)
    variance = float((count * sum(v * v for v in numbers) - total * total) / (count * count))
    assert np.isclose(mean, np.mean(values.astype("f8")), rtol=1e-9, atol=1e-9 * np.abs(values.astype("f8")).max())
    assert np.isclose(math.sqrt(variance), np.std(values.astype("f8")), rtol=1e-6, atol=1e-9 * np.abs(values.astype("f8")).max())
    return mean, math.sqrt(variance)


def statistics_problems(found, valid, pixels):
    """`found`: the items of a band; `valid`: its valid values."""
    found = {k[len("STATISTICS_"):]: v for k, v in found.items() if k.startswith("STATISTICS_")}
    percent = float(Fraction(100 * len(valid), pixels))
    if not len(valid):
        return differ("statistics", found, {"VALID_PERCENT": "0"})
    mean, deviation = exact(valid)
    low, high = valid.min().item(), valid.max().item()
    number = int if valid.dtype.kind in "iu" else float
    try:
        got = {k: (number if k.endswith("IMUM") else float)(v) for k, v in found.items()}
    except ValueError:
        return [f"statistics are {found}"]
    return differ("statistics", got, {"MINIMUM": low, "MAXIMUM": high, "MEAN": mean, "STDDEV": deviation, "VALID_PERCENT": percent})


def statistics_case(kind, holes, number):
    rng = np.random.default_rng(number)
    shape = (70, 90)
    dtype = np.dtype(kind)
    alpha, masked = "alpha" in holes, "mask" in holes
    bands = 4 if alpha else 1 + number % 3
    if dtype.kind == "f":
        array = (rng.normal(size=(bands, *shape)) * 10.0 ** rng.integers(-6, 6, size=(bands, *shape))).astype(dtype)
    else:
        info = np.iinfo(dtype)
        array = rng.integers(info.min, info.max, size=(bands, *shape), dtype=dtype, endpoint=True)
    nodata, mask = None, None
    valid = np.ones((bands, *shape), bool)
    if "nodata" in holes:
        nodata = array.dtype.type(7)
        array[rng.random(array.shape) < 0.2] = nodata
        valid &= ~reference.equals_nodata(array, nodata)
    if "nan" in holes:
        gone = rng.random(array.shape) < 0.1
        array[gone] = np.nan
        valid &= ~np.isnan(array)
    if "all" in holes:
        array[0], valid[0] = nodata, False
    if alpha:
        array[3][rng.random(shape) < 0.3] = 0
    if masked:
        mask = (rng.random(shape) < 0.7).astype("u1") * 255
    # As GDAL: nodata decides alone, together with a mask only about f32; then a mask, then alpha, and neither about alpha itself.
    if (nodata is None and (alpha or masked)) or (masked and kind == "f4"):
        valid[: 3 if alpha else bands] &= mask != 0 if masked else array[3] != 0
    source = write("statistics.tif", array, nodata=nodata, mask=mask, photometric="RGB" if alpha else "MINISBLACK", **({"alpha": "YES"} if alpha else {}))
    way = {"compress": ("none", "deflate", "lzw")[number % 3], "interleave": ("pixel", "band", "tile")[number // 3 % 3]}
    target, out = made(source, stats=True, threads=1, **way)
    if out:
        return out
    several, problems = made(source, stats=True, threads=3, row_memory=1, name="several.tif", **way)
    out += problems
    piped = command_line.run("create", "--blocksize=64", "--stats", f"--compress={way['compress']}", f"--interleave={way['interleave']}", source, "-")
    with open(target, "rb") as a, open(several, "rb") as b:
        bytes_ = a.read()
        out += [] if bytes_ == b.read() else ["3 threads make another file than 1"]
        out += [] if bytes_ == piped.out else ["standard output gets another file"]
    out += layout.problems(target, **{**layout.guess(target), "interleave": way["interleave"]})
    with rasterio.open(target) as ds:
        for band in range(bands):
            out += statistics_problems(ds.tags(band + 1), array[band][valid[band]], valid[band].size)
    if number % 5 == 0:
        out += seen(target)[2]
    return out


def extremes():
    """Numbers that break sums of floating point, and 64-bit integers beyond doubles."""
    out = []
    for name, values in {"f8 far apart": np.array([1e300, 1.0, -1e300, 5e-324, 3.0]), "f4 far apart": np.array([3e38, 1e-45, -3e38, 1, 2], "f4"),
                         "u8 at the end": np.array([2**64 - 1, 2**64 - 2, 2**64 - 1, 2**64 - 9, 2**63], "u8"),
                         "i8 at the ends": np.array([-(2**63), 2**63 - 1, -(2**63), 5, 6], "i8"), "all the same": np.full(5, 0.1, "f8")}.items():
        target, problems = made(write("extremes.tif", values.reshape(1, 1, 5)), stats=True)
        out += problems
        numbers = [Fraction(v) for v in values.tolist()]
        mean = sum(numbers) / 5
        deviation = math.sqrt(float(sum((v - mean) ** 2 for v in numbers) / 5)) if name != "f8 far apart" else None
        with rasterio.open(target) as ds:
            found = ds.tags(1)
        out += differ(f"{name}: mean", float(found["STATISTICS_MEAN"]), float(mean))
        if deviation is not None:
            out += differ(f"{name}: deviation", float(found["STATISTICS_STDDEV"]), deviation)
        out += differ(f"{name}: extremes", [found["STATISTICS_MINIMUM"], found["STATISTICS_MAXIMUM"]] if values.dtype.kind != "f" else None,
                      [str(values.min()), str(values.max())] if values.dtype.kind != "f" else None)
    return out


def stale():
    """Statistics that the source has: kept, replaced, or left out where they count other pixels."""
    out = []
    source = write("stale.tif", plain(), mask=np.tile(np.uint8([255, 0]), (70, 45)))
    with rasterio.open(source, "r+") as ds:
        ds.update_tags(1, STATISTICS_MINIMUM="1", STATISTICS_MEAN="2", KEPT="yes")
    for options, expected in (({}, "1"), ({"nodata": 5}, None), ({"mask": "none"}, None), ({"strip_metadata": True}, None), ({"stats": True}, "0")):
        target, problems = made(source, **options)
        out += problems
        with rasterio.open(target) as ds:
            out += differ(f"{options}: minimum", ds.tags(1).get("STATISTICS_MINIMUM"), expected)
            out += differ(f"{options}: others", ds.tags(1).get("KEPT"), None if "strip_metadata" in options else "yes")
    return out


REFUSED = {
    "transform and bounds": (["--transform=0,1,0,0,0,-1", "--bounds=0,0,1,1"], "contradicts"),
    "bounds and GCPs": (["--bounds=0,0,1,1", "--gcp=0,0,1,1"], "contradicts"),
    "transform of five numbers": (["--transform=0,1,0,0,0"], "six numbers"),
    "transform without area": (["--transform=0,1,0,0,1,0"], "no area"),
    "transform that is not finite": (["--transform=0,1,0,0,0,nan"], "six numbers"),
    "bounds upside down": (["--bounds=0,1,1,0"], "left must be less than right, and bottom less than top"),
    "GCP of three numbers": (["--gcp=0,0,1"], "column, row"),
    "description without a band": (["--band-description=red"], "1=red"),
    "description of a band that is not there": (["--band-description=4=red"], "no band 4"),
    "band 0": (["--band-scale=0=2"], "from 1"),
    "scale twice": (["--band-scale=1=2", "--band-scale=1=3"], "twice"),
    "scale of all and of one": (["--band-scale=2", "--band-scale=1=3"], "contradicts"),
    "scale of 0": (["--band-scale=0"], "must be finite and nonzero"),
    "offset that is not a number": (["--band-offset=low"], "number"),
    "colors of another number of bands": (["--color-interpretation=red,green"], "one for each"),
    "no such color": (["--color-interpretation=ultraviolet"], "expected one of"),
    "palette without a color table": (["--color-interpretation=palette"], "color table"),
    "metadata without a value": (["--metadata=KEY"], "KEY=VALUE"),
    "metadata twice": (["--metadata=A=1", "--metadata=A=2"], "twice"),
    "AREA_OR_POINT as metadata": (["--metadata=AREA_OR_POINT=Point"], "georeferencing"),
    "RPC as metadata": (["--metadata=RPC:LINE_OFF=1"], "RPC"),
    "time in another form": (["--metadata=TIFFTAG_DATETIME=yesterday"], "not a time"),
}


def refused_case(words, expected):
    source = write("plain.tif", plain())
    target = path("refused.tif")
    r = command_line.run("create", *words, source, target)
    out = [] if r.code == 2 and not r.crashed else [f"expected exit 2: {r}"]
    if expected not in r.words():
        out.append(f"no word of {expected!r}: {r.words()}")
    if os.path.exists(target):
        out.append("a file was made")
    return out


def complex_statistics():
    source = write("complex.tif", plain().astype("c8"))
    target, out = made(source, stats=True)
    return [] if out and "exit 2" in out[0] and "complex" not in out[0] and "cf32" in out[0] else [f"should be refused: {out}"]


def cases(report):
    for (name, numbers), point in itertools.product(TRANSFORMS.items(), (False, True)):
        report.run(f"transform {name}{' of points' if point else ''}", transform_case, numbers, point)
    for bounds in ((-180, -90, 180, 90), (431020.5, 5413800.25, 431920.5, 5414500.25), (-0.1, -0.3, 0.1, 0.7)):
        report.run(f"bounds {bounds}", bounds_case, *bounds)
    for count, point in itertools.product((1, 4, 200), (False, True)):
        report.run(f"{count} GCPs{' of points' if point else ''}", gcps_case, count, point)
    report.run("most GCPs", gcps_case, 1000, False)
    report.run("a wrong place is mended", mended)
    report.run("heights", heights)
    for (x, y), point in itertools.product(((10.0, -20.0), (-10.0, 20.0), (-10.0, -20.0)), (False, True)):
        report.run(f"negative scale {x} {y}{' of points' if point else ''}", negative_scale, x, y, point)
    for name, case in TILED.items():
        report.run(f"tiling scheme: {name}", tiling_scheme, *case)
    report.run("from the library", from_the_library)
    report.run("words", words_case)
    for colors, dtype, expected, photometric in (
            ("red,green,blue", "u1", ["Red", "Green", "Blue"], 2), ("red,green,blue,alpha", "u2", ["Red", "Green", "Blue", "Alpha"], 2),
            ("red,green,blue", "f4", ["Red", "Green", "Blue"], 1), ("gray,alpha", "u1", ["Gray", "Alpha"], 1),
            ("blue,green,red", "u1", ["Blue", "Green", "Red"], 1), ("gray,undefined,undefined", "u1", ["Gray", "Undefined", "Undefined"], 1)):
        report.run(f"colors {colors} {dtype}", colors_case, colors, dtype, expected, photometric)
    for kind, value in (("i8", -(2**63)), ("i8", 2**63 - 1), ("i8", -9007199254740993), ("u8", 2**64 - 1), ("u8", 9007199254740993)):
        report.run(f"nodata {kind} {value}", nodata_case, kind, value)
    kinds = ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8")
    ways = ((), ("nodata",), ("mask",), ("nodata", "mask"), ("alpha",), ("alpha", "mask"), ("nodata", "all"))
    number = 0
    for kind in kinds:
        for holes in ways + ((("nan",), ("nan", "nodata", "mask")) if kind[0] == "f" else ()):
            number += 1
            if "alpha" in holes and kind not in ("u1", "u2", "f4"):
                continue
            report.run(f"statistics {kind} {' '.join(holes)}".strip(), statistics_case, kind, holes, number)
    report.run("statistics of extremes", extremes)
    report.run("statistics that are stale", stale)
    report.run("statistics of complex samples", complex_statistics)
    for name, (words, expected) in REFUSED.items():
        report.run(f"refused: {name}", refused_case, words, expected)


def folder(root):
    """Every GeoTIFF below a folder: what could be read, and where GDAL sees the COG otherwise than its source."""
    names = sorted(os.path.join(d, f) for d, _, files in os.walk(root) for f in files if f.lower().endswith((".tif", ".tiff")))
    report, refused, unread = Report("folder"), {}, 0
    for name in names:
        short = os.path.relpath(name, root)
        if not report.wants(short):
            continue
        judges.fresh()
        r = command_line.create(name, path("out.tif"), overwrite=True, overviews="none", compress="lzw", timeout=600)
        if r.code:
            refused[short] = r.words()
            continue
        source, target = judges.NEW.call("meta", path=name, aux=True), judges.NEW.call("meta", path=path("out.tif"))
        if not source["ok"]:
            unread += 1
            continue
        problems = flavours.metadata_problems(source, target, {}) if target["ok"] else [target["error"]]
        if target["messages"] and not source["messages"]:
            problems.append(f"GDAL says {target['messages']}")
        report.check(short, problems)
    print(f"{len(names)} files, {len(refused)} refused, {unread} that GDAL can't read, others compared:")
    for short, words in refused.items():
        print(f"  refused {short}: {words[:160]}")
    return report.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder")
    arguments = parser.parse_args()
    try:
        if arguments.folder:
            return folder(arguments.folder)
        report = Report("georeference")
        cases(report)
        return report.close()
    finally:
        judges.close()
        shutil.rmtree(FOLDER, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
