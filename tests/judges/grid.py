"""Every pair of values of the grid, and every type with every compression and predictor, at least once (with --full: all combinations of type, compression, predictor,
interleave, size and nodata), judged pixel by pixel.

    python grid.py [--full] [--count N] [--part K/N]
"""

import argparse
import itertools
import math
import os
import shutil
import sys
import tempfile

import numpy as np
import rasterio
import tifffile

import command_line
import judges
import layout
import reference
from report import Report

NBITS = {f"n{n}": n for n in (1, 2, 3, 4, 5, 6, 7, 9, 11, 12, 15, 17, 24, 31)}
INTEGERS = ("u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64")
FLOATS = ("f16", "f32", "f64")
COMPLEX = ("ci16", "ci32", "cf32", "cf64")
GDAL_NAMES = {"u8": "Byte", "i8": "Int8", "u16": "UInt16", "i16": "Int16", "u32": "UInt32", "i32": "Int32", "u64": "UInt64",
              "i64": "Int64", "f16": "Float16", "f32": "Float32", "f64": "Float64", "ci16": "CInt16", "ci32": "CInt32",
              "cf32": "CFloat32", "cf64": "CFloat64"}

AXES = {
    "kind": INTEGERS + FLOATS + COMPLEX + tuple(NBITS),
    "size": ("1x1", "1x700", "700x1", "511x513", "512x512", "513x511", "1021x769", "3x5", "67x1031"),
    "compress": ("none", "lzw", "deflate", "deflate:1", "deflate:9", "zstd", "zstd:1", "zstd:19"),
    "predictor": ("auto", "none", "horizontal", "float"),
    "interleave": ("pixel", "band", "tile"),
    "bands": (1, 2, 3, 5),
    "nodata": ("none", "value", "nan", "option", "drop"),
    "mask": (False, True),
    "resampling": ("default", "nearest", "average", "mode", "cubic"),
    "blocksize": ("512", "default", "256", "128", "64", "48x16", "16x80"),
    "overview_blocksize": ("same", "64"),
    "overviews": ("auto", "none", "2,4,8", "3,7", "count:1", "count:3"),
    "bigtiff": ("auto", "yes", "no"),
    "nbits": ("default", "widen"),
    "threads": ("1", "2", "all"),
    "source": ("gdal strips", "gdal tiles deflate", "gdal band lzw", "gdal big-endian zstd", "gdal bigtiff", "tifffile strips", "tifffile big-endian tiles"),
    "texture": ("noise", "smooth", "classes"),
}


def numpy_type(kind):
    if kind in NBITS:
        n = NBITS[kind]
        return np.dtype("u1" if n <= 8 else "u2" if n <= 16 else "u4")
    return np.dtype({"u8": "u1", "i8": "i1", "u16": "u2", "i16": "i2", "u32": "u4", "i32": "i4", "u64": "u8", "i64": "i8",
                     "f16": "f2", "f32": "f4", "f64": "f8", "ci16": "c8", "ci32": "c8", "cf32": "c8", "cf64": "c16"}[kind])


def possible(c):
    """Whether values go together. Called with part of a case too: what is not there yet forbids nothing."""
    def has(axis, *values):
        return axis in c and c[axis] in values
    def lacks(axis, *values):
        return axis in c and c[axis] not in values
    kind = c.get("kind")
    n = kind in NBITS
    if has("predictor", "float") and kind and kind not in FLOATS:
        return False
    if has("predictor", "horizontal") and kind and (kind in FLOATS + COMPLEX or (n and lacks("nbits", "widen"))):
        return False
    if has("predictor", "horizontal", "float") and has("compress", "none"):
        return False
    if has("nodata", "nan") and kind and kind not in FLOATS:
        return False
    if lacks("nodata", "none") and kind in COMPLEX:
        return False
    if kind in COMPLEX and lacks("resampling", "default", "nearest"):
        return False
    if kind and not n and has("nbits", "widen"):
        return False
    if "source" in c and c["source"].startswith("tifffile"):
        if kind and (n or kind in ("ci16", "ci32")):
            return False
        if has("mask", True):
            return False
    # Of 24 bits in big-endian files libtiff and tifffile think differently.
    if kind == "n24" and "source" in c and "big-endian" in c["source"]:
        return False
    # Enormous numbers of tiny tiles cost time and show nothing.
    if has("size", "1021x769") and has("blocksize", "16x80") and has("bands", 5):
        return False
    return True


def pairs_cover(axes, possible):
    """Cases so that every possible pair of values is in one of them: greedy, and the same every time."""
    names = list(axes)
    todo = set()
    for a, b in itertools.combinations(range(len(names)), 2):
        for u in range(len(axes[names[a]])):
            for v in range(len(axes[names[b]])):
                if possible({names[a]: axes[names[a]][u], names[b]: axes[names[b]][v]}):
                    todo.add((a, u, b, v))
    order = sorted(todo)
    cases, hopeless = [], []
    for seed in order:
        if seed not in todo:
            continue
        a, u, b, v = seed
        chosen = {a: u, b: v}

        def named(extra=()):
            return {names[k]: axes[names[k]][i] for k, i in itertools.chain(chosen.items(), extra)}

        def fill(k):
            """The rest of the axes, most new pairs first; steps back where rules leave nothing."""
            if k == len(names):
                return True
            if k in chosen:
                return fill(k + 1)
            score = []
            for i in range(len(axes[names[k]])):
                new = sum(((j, chosen[j], k, i) if j < k else (k, i, j, chosen[j])) in todo for j in chosen)
                # Ties go round in turn, so that no value is favored.
                score.append((-new, (i + len(cases)) % len(axes[names[k]]), i))
            for _, _, i in sorted(score):
                if possible(named([(k, i)])):
                    chosen[k] = i
                    if fill(k + 1):
                        return True
                    del chosen[k]
            return False

        if not fill(0):
            hopeless.append(seed)
            todo.discard(seed)
            continue
        for x, y in itertools.combinations(sorted(chosen), 2):
            todo.discard((x, chosen[x], y, chosen[y]))
        cases.append({names[k]: axes[names[k]][i] for k, i in sorted(chosen.items())})
    return cases, [({names[a]: axes[names[a]][u]}, {names[b]: axes[names[b]][v]}) for a, u, b, v in hopeless]


CODED = ("kind", "compress", "predictor")
PLAIN = {"size": "67x1031", "bands": 2, "nodata": "none", "mask": False, "resampling": "nearest", "blocksize": "64", "overview_blocksize": "same",
         "overviews": "count:1", "bigtiff": "auto", "nbits": "default", "threads": "2"}


def rest_of_the_codes(axes, possible, cases):
    """A small case for each combination of type, compression and predictor that is in none of the cases."""
    there = {tuple(c[n].partition(":")[0] for n in CODED) for c in cases}
    more = []
    for values in itertools.product(*(axes[n] for n in CODED)):
        c = dict(PLAIN, **dict(zip(CODED, values)))
        if values in there or ":" in c["compress"]:
            continue
        # The other axes take their values in turn.
        for name in ("interleave", "texture", "source"):
            for i in range(len(axes[name])):
                c[name] = axes[name][(len(more) + i) % len(axes[name])]
                if possible(c):
                    break
        if possible(c):
            more.append({n: c[n] for n in axes})
    return more


CORE = ("kind", "compress", "predictor", "interleave", "size", "nodata")


def everything(axes, possible):
    """All combinations of the core axes; the other axes take their values in turn."""
    names = list(axes)
    rest = [n for n in names if n not in CORE]
    for k, values in enumerate(itertools.product(*(axes[n] for n in CORE))):
        c = dict(zip(CORE, values))
        if ":" in c["compress"] or not possible(c):
            continue
        for j, name in enumerate(rest):
            start = k * (2 * j + 3) // 2
            for i in range(len(axes[name])):
                c[name] = axes[name][(start + i) % len(axes[name])]
                if possible(c):
                    break
        yield {n: c[n] for n in names}


def pixels(c, seed):
    """The source image: (bands × rows × columns, mask or None, nodata or None)."""
    rng = np.random.default_rng(seed)
    w, h = (int(v) for v in c["size"].split("x"))
    kind, bands = c["kind"], c["bands"]
    dtype = numpy_type(kind)
    if kind in NBITS:
        low, high = 0, (1 << NBITS[kind]) - 1
    elif kind in COMPLEX:
        low, high = (-(2**15), 2**15 - 1) if kind == "ci16" else (-(2**22), 2**22)  # whole numbers that f32 holds with room to round
    elif kind in FLOATS:
        low, high = (-500.0, 500.0) if kind == "f16" else (-3000.0, 3000.0)
    else:
        info = np.iinfo(dtype)
        low, high = int(info.min), int(info.max)
    shape = (bands, h, w)
    if c["texture"] == "noise":
        unit = rng.random(shape)
    elif c["texture"] == "smooth":
        y, x = np.mgrid[0:h, 0:w]
        unit = np.stack([0.5 + 0.4 * np.sin(x / 37 + b) * np.cos(y / 53) for b in range(bands)]) + rng.random(shape) * 0.01
    else:
        unit = rng.integers(0, 5, shape) / 5 + 0.05
    if kind in COMPLEX:
        other = rng.random(shape)
        scale = np.float64(high) - low
        re, im = low + unit * scale, low + other * scale
        if kind.startswith("ci"):
            re, im = np.rint(re), np.rint(im)
        data = (re + 1j * im).astype(dtype)
    elif kind in FLOATS:
        data = (low + unit * (high - low)).astype(dtype)
    else:
        steps = (unit * float(high - low)).astype("f8")
        data = (np.clip(steps, 0, float(high - low) * (1 - 2**-50)).astype("u8") + np.uint64(low % 2**64)).astype(dtype)
        if c["texture"] == "noise" and data.size > 4:
            data.flat[0], data.flat[-1] = low, high
    nodata = None
    holes = rng.random((h, w)) < 0.15
    holes[: max(1, h // 3), : max(1, w // 4)] = True
    if c["nodata"] != "none":
        if c["nodata"] == "nan":
            nodata = math.nan
        elif kind in FLOATS:
            nodata = -9984.0 if kind == "f16" else -9999.0  # f16 has no -9999
        elif kind in NBITS:
            nodata = high if seed % 2 else 0
        elif kind.startswith("i"):
            nodata = low if seed % 2 else -1
        else:
            nodata = high if seed % 2 else 0
        data[:, holes] = dtype.type(nodata)
        # Values from which an average is likely to meet the nodata value.
        if kind not in FLOATS and h > 8 and w > 8:
            near = [max(low, nodata - 1), min(high, nodata + 1)]
            data[:, -8:, -8:] = rng.choice(np.array(near, dtype), (bands, 8, 8))
    elif kind in FLOATS and not c["mask"] and seed % 2:
        data[:, holes] = np.nan
    mask = None
    if c["mask"]:
        mask = np.where(holes, 0, 255).astype("u1")
    return data, mask, nodata


def make_source(c, data, mask, nodata, path, scratch):
    """A file by a foreign writer."""
    how = c["source"]
    stored = None if c["nodata"] == "option" else nodata
    if how.startswith("tifffile"):
        extra = []
        if stored is not None:
            text = "nan" if isinstance(stored, float) and math.isnan(stored) else f"{stored:.17g}" if isinstance(stored, float) else str(stored)
            extra.append((42113, "s", 0, text, True))
        image = data[0] if len(data) == 1 else np.moveaxis(data, 0, -1) if "strips" in how else data
        more = {} if len(data) == 1 else {"planarconfig": "contig" if "strips" in how else "separate"}
        if "tiles" in how:
            more["tile"] = (48, 32)
            more["compression"] = "zlib"
        else:
            more["rowsperstrip"] = 7
        tifffile.imwrite(path, image, byteorder=">" if "big-endian" in how else "<", photometric="minisblack", metadata=None,
                         extratags=extra, **more)
        return
    options = {"gdal strips": {}, "gdal tiles deflate": {"TILED": "YES", "BLOCKXSIZE": 64, "BLOCKYSIZE": 112, "COMPRESS": "DEFLATE"},
               "gdal band lzw": {"INTERLEAVE": "BAND", "COMPRESS": "LZW", "BLOCKYSIZE": 5},
               "gdal big-endian zstd": {"ENDIANNESS": "BIG", "COMPRESS": "ZSTD"}, "gdal bigtiff": {"BIGTIFF": "YES", "BLOCKYSIZE": 64}}[how]
    if c["kind"] in NBITS:
        options["NBITS"] = NBITS[c["kind"]]
        name = {1: "Byte", 2: "UInt16", 4: "UInt32"}[data.dtype.itemsize]
    else:
        name = GDAL_NAMES[c["kind"]]
    np.save(os.path.join(scratch, "a.npy"), data)
    if mask is not None:
        np.save(os.path.join(scratch, "m.npy"), mask)
    a = judges.NEW.call("make", path=path, array=os.path.join(scratch, "a.npy"), type=name, options=options, epsg=32633,
                        nodata=None if stored is None else str(stored), mask=None if mask is None else os.path.join(scratch, "m.npy"))
    if not a["ok"]:
        raise RuntimeError(f"could not make the source: {a}")


def text_of(nodata):
    """The text in GDAL_NODATA."""
    if nodata is None:
        return None
    if isinstance(nodata, float):
        return "nan" if math.isnan(nodata) else f"{nodata:.17g}"
    return str(nodata)


def one_case(c, seed, scratch):
    judges.fresh()
    data, mask, nodata = pixels(c, seed)
    source, target = os.path.join(scratch, "in.tif"), os.path.join(scratch, "out.tif")
    for leftover in os.listdir(scratch):
        os.remove(os.path.join(scratch, leftover))
    make_source(c, data, mask, nodata, source, scratch)
    if c["kind"] in NBITS:
        # GDAL 3.13.3 may lose samples of odd widths at the end of strips: the source is the content of the file.
        with rasterio.open(source) as written:
            data = written.read()

    kind, bands = c["kind"], c["bands"]
    bits = NBITS.get(kind)
    options = {"threads": c["threads"], "quiet": True}
    compress, _, level = c["compress"].partition(":")
    options["compress"] = compress
    if level:
        options["level"] = level
    # Without a compression a predictor can't be asked for.
    if compress != "none":
        options["predictor"] = c["predictor"]
    for name in ("interleave", "bigtiff"):
        options[name] = c[name]
    if c["resampling"] != "default":
        options["overview_resampling"] = c["resampling"]
    if c["blocksize"] != "default":
        options["blocksize"] = c["blocksize"]
    if c["overview_blocksize"] != "same" and c["overviews"] != "none":
        options["overview_blocksize"] = c["overview_blocksize"]
    if c["overviews"].startswith("count:"):
        options["overview_count"] = c["overviews"][6:]
    elif c["overviews"] != "auto":
        options["overviews"] = c["overviews"]
    if c["overviews"] == "none":
        options.pop("overview_resampling", None)
    if c["nodata"] == "option":
        options["nodata"] = text_of(nodata)
    elif c["nodata"] == "drop":
        options["nodata"] = "none"
        nodata = None
    if c["nbits"] != "default":
        options["nbits"] = c["nbits"]
        bits = None
    width, height = data.shape[2], data.shape[1]
    tile = tuple(int(v) for v in c["blocksize"].split("x")) if c["blocksize"] != "default" else (512, 512)
    tile = tile * 2 if len(tile) == 1 else tile
    if c["overviews"] == "none":
        sizes = []
    elif c["overviews"] == "auto":
        sizes = reference.auto_sizes(width, height, *tile)
    elif c["overviews"].startswith("count:"):
        sizes = reference.auto_sizes(width, height, *tile, count=int(c["overviews"][6:]))
    else:
        sizes = []
        for s in reference.factor_sizes(width, height, [int(v) for v in c["overviews"].split(",")]):
            # A level that would be no smaller than the one above it is none.
            if s != (sizes[-1] if sizes else (width, height)):
                sizes.append(s)

    r = command_line.create(source, target, **options)
    if r.code != 0:
        return [str(r) + f" ({options})"]
    if not os.path.exists(target):
        return ["exit 0, but no file"]
    if r.out or r.err:
        return [f"--quiet printed {r.out + r.err!r}"]
    judges.start(target)
    method = c["resampling"] if c["resampling"] != "default" else "nearest" if kind in COMPLEX else "cubic"
    predictor = {"none": 1, "horizontal": 2, "float": 3}.get(c["predictor"])
    if predictor is None:
        predictor = 1 if kind in COMPLEX or bits not in (None, 8, 16, 32) else 3 if kind in FLOATS else (1, 2)
    if compress == "none":
        predictor = 1
    out = layout.problems(
        target, interleave=c["interleave"], mask=mask is not None, sizes=sizes, tile=tile, compression=compress, predictor=predictor,
        overview_tile=tile if c["overview_blocksize"] == "same" else (64, 64), big=c["bigtiff"] == "yes",
        bits=bits or {"c": data.dtype.itemsize * 8 // (2 if kind == "ci16" else 1)}.get(data.dtype.kind, data.dtype.itemsize * 8),
        resampling=method, nodata=text_of(nodata))
    levels, masks = judges.read_levels(target)
    out += judges.finish(target, levels, masks, kind, size=(width, height), tile=tile, sizes=sizes, interleave=c["interleave"])
    if len(levels) != len(sizes) + 1:
        return out + [f"rasterio sees {len(levels) - 1} overviews, expected {sizes}"]
    if bool(masks) != (mask is not None):
        return out + [f"mask {'lost' if mask is not None else 'invented'}"]
    if not np.array_equal(levels[0], data, equal_nan=data.dtype.kind in "fc") or levels[0].dtype != data.dtype:
        n = int((levels[0] != data).sum()) if levels[0].shape == data.shape else -1
        out.append(f"full resolution: {n} samples differ, type {levels[0].dtype}, expected {data.dtype}")
    if mask is not None and not np.array_equal(masks[0] != 0, mask != 0):
        out.append("full resolution: mask differs")
    for k, size in enumerate(sizes):
        above, veil = levels[k], masks[k] if masks else None
        if veil is not None and not np.array_equal(masks[k + 1] != 0, reference.mask_overview(veil, size, method) != 0):
            out.append(f"mask of overview {k + 1} differs")
        for b in range(bands):
            want, slack = reference.overview(above[b], veil, nodata, size, method, bits)
            # What lies under a mask is nobody's business when it was sampled, and must be 0 when it was computed.
            anything = masks[k + 1] == 0 if masks and method == "nearest" else None
            n, words = reference.differences(levels[k + 1][b], want, slack, anything)
            if n:
                out.append(f"overview {k + 1}, band {b + 1}, {method}: {words}")
                break
    return out


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--full", action="store_true", help="all combinations of the core axes instead of all pairs: hours")
    p.add_argument("--count", type=int, help="stop after so many cases, taken evenly")
    p.add_argument("--part", default="1/1", help="K/N: the K-th of N parts, for runs side by side")
    p.add_argument("--list", action="store_true", help="print the cases and stop")
    a = p.parse_args()
    part, parts = (int(v) for v in a.part.split("/"))
    hopeless = []
    if a.full:
        cases = everything(AXES, possible)
    else:
        cases, hopeless = pairs_cover(AXES, possible)
        cases += rest_of_the_codes(AXES, possible, cases)
        if a.count:
            cases = [cases[len(cases) * k // a.count] for k in range(min(a.count, len(cases)))]
    if a.list:
        for c in cases:
            print(" ".join(f"{k}={v}" for k, v in c.items()))
        print(len(cases) if not a.full else "", "cases; pairs that no case can hold:", hopeless)
        return 0
    report = Report("grid")
    scratch = tempfile.mkdtemp(prefix="cogsmith-grid-")
    try:
        for k, c in enumerate(cases):
            if k % parts == part - 1:
                report.run(f"#{k} " + " ".join(f"{a}={v}" for a, v in c.items()), one_case, c, k, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        judges.close()
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
