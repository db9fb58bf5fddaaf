"""Every flavor of input: it converts with nothing lost, or is refused with an error that names the feature.

    python flavours.py        ONLY=words in the environment picks cases by name
"""

import math
import os
import re
import shutil
import sys
import tempfile

import numpy as np

import command_line
import judges
import layout
from report import Report

CHOICES = {"blocksize": 64}


def same_number(a, b):
    if a == b:
        return True
    try:
        x, y = float(a), float(b)
    except (TypeError, ValueError):
        return False
    if isinstance(a, str) and re.fullmatch(r"-?\d+", a) and isinstance(b, str) and re.fullmatch(r"-?\d+", b):
        return int(a) == int(b)
    return x == y or (math.isnan(x) and math.isnan(y)) or abs(x - y) <= 1e-12 * max(abs(x), abs(y))


def same_list(a, b):
    return (a is None) == (b is None) and (a is None or (len(a) == len(b) and all(same_number(x, y) for x, y in zip(a, b))))


def metadata_problems(source, target, expect):
    """Georeference and metadata of two files as the newest GDAL sees them."""
    out = []
    free = expect.get("free", [])
    if source["size"] != target["size"]:
        return [f"size {target['size']}, expected {source['size']}"]
    if not same_list(expect.get("transform", source["transform"]), target["transform"]):
        out.append(f"transform {target['transform']}, expected {source['transform']}")
    for key in ("crs", "gcp_crs"):
        a, b = source[key], target[key]
        if key == "crs" and "epsg" in expect:
            # A .prj file has no codes: the definition has to be the same.
            answer = judges.NEW.call("same_crs", a=f"EPSG:{expect['epsg']}", b=b or "")
            if not answer["ok"] or not answer["same"]:
                out.append(f"CRS is {b}, expected EPSG:{expect['epsg']}")
        elif bool(a) != bool(b):
            out.append(f"{key} {'lost' if a else 'invented'}")
        elif a and a != b:
            answer = judges.NEW.call("same_crs", a=a, b=b)
            if not answer["ok"] or not answer["same"]:
                out.append(f"{key} is {b}, expected {a}")
    if source["epoch"] != target["epoch"] and not (source["epoch"] is None and not target["epoch"]):
        out.append(f"epoch {target['epoch']}, expected {source['epoch']}")
    if len(source["gcps"]) != len(target["gcps"]) or not all(same_list(a, b) for a, b in zip(source["gcps"], target["gcps"])):
        out.append(f"{len(target['gcps'])} GCPs, or others: expected {len(source['gcps'])}")
    if source["domains"] != target["domains"]:
        for d in sorted(set(source["domains"]) | set(target["domains"])):
            a, b = source["domains"].get(d), target["domains"].get(d)
            # An empty domain is as good as none.
            if (a or None) != (b or None) and not (d == "" and "metadata" in free):
                out.append(f"metadata domain {d!r} is {b}, expected {a}"[:600])
    for i, (a, b) in enumerate(zip(source["bands"], target["bands"])):
        for key in a:
            if key in free or key == "mask" and "mask" in expect:
                continue
            if key == "nodata" and same_number(a[key], b[key]):
                continue
            if a[key] != b[key] and not (key in ("scale", "offset") and same_number(a[key] or (key == "scale"), b[key] or (key == "scale"))):
                out.append(f"band {i + 1}: {key} is {str(b[key])[:200]}, expected {str(a[key])[:200]}")
    return out


def one_flavour(f, scratch):
    judges.fresh()
    target = os.path.join(scratch, "out.tif")
    for leftover in os.listdir(scratch):
        os.remove(os.path.join(scratch, leftover))
    options = dict(CHOICES, **f["options"])
    expect = f["expect"]
    r = command_line.create(f["path"], target, timeout=60, **options)
    if r.crashed:
        return [f"crashed: {r}"]
    if r.code:
        if f["must"] == "convert":
            return [f"refused: {r}"]
        out = []
        if r.code != (2 if "image" in f["options"] else 1):
            out.append(f"exit {r.code}: {r}")
        if os.listdir(scratch):
            out.append(f"left behind: {os.listdir(scratch)}")
        if not re.search(f["words"], r.words()):
            out.append(f"the error does not name the feature ({f['words']}): {r.words()}")
        return out
    if f["must"] == "refuse":
        return ["should have been refused"]
    out = []
    if expect.get("stderr") and not re.search(expect["stderr"], r.words()):
        out.append(f"no warning with {expect['stderr']!r}: {r.words()!r}")
    judges.start(target)
    interleave = f["options"].get("interleave", "pixel")
    levels, masks = judges.read_levels(target)
    image = layout.File(target).directories[0]
    out += layout.problems(target, interleave=interleave, mask=bool(masks), tile=(64, 64))
    if expect.get("palette"):
        if image.one(262) != 3 or image.one(317, 1) != 1 or "NEAREST" not in layout.File(target).metadata():
            out.append("a palette must stay one, without predictor, with overviews by NEAREST")
    out += judges.finish(target, levels, masks, f["kind"], size=(image.width, image.height), tile=(64, 64),
                         sizes=[l.shape[:0:-1] for l in levels[1:]], interleave=interleave, source=f["path"], raw=bool(expect.get("raw")))
    source_name = f"{expect['open']}:{f['path']}" if "open" in expect else f["path"]
    a = judges.NEW.call("read", path=source_name, to=os.path.join(scratch, "source"), levels=False)
    if not a["ok"]:
        return out + [f"GDAL can't read the source: {a['error']}"]
    want = np.load(a["files"][0])
    if levels[0].shape != want.shape:
        out.append(f"shape {levels[0].shape}, expected {want.shape}")
    elif f["tolerance"]:
        gap = int(np.abs(levels[0].astype(int) - want.astype(int)).max())
        if gap > f["tolerance"]:
            out.append(f"pixels differ by up to {gap}, allowed are {f['tolerance']}")
    elif not np.array_equal(levels[0], want, equal_nan=want.dtype.kind in "fc"):
        out.append(f"{int((levels[0] != want).sum())} of {want.size} samples differ")
    if "mask" in expect:
        # GDAL sees none: what the file was made with.
        a["masks"] = [expect["mask"]]
    if bool(a["masks"]) != bool(masks):
        out.append(f"mask {'lost' if a['masks'] else 'invented'}")
    elif masks and not np.array_equal(masks[0] != 0, np.load(a["masks"][0]) != 0):
        out.append("mask differs")
    source, result = (judges.NEW.call("meta", path=n) for n in (source_name, target))
    if not source["ok"] or not result["ok"]:
        return out + [f"metadata can't be read: {source.get('error')} {result.get('error')}"]
    return out + metadata_problems(source, result, expect)


def main():
    report = Report("flavours")
    folder = tempfile.mkdtemp(prefix="cogsmith-flavours-")
    scratch = tempfile.mkdtemp(prefix="cogsmith-flavours-out-")
    try:
        answer = judges.NEW.call("flavours", folder=folder)
        if not answer["ok"]:
            print(f"the sources can't be made: {answer['error']}")
            return 1
        for f in answer["made"]:
            report.run(f["name"], one_flavour, f, scratch)
        print(f"cases made by foreign writers: {len(answer['made'])}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(scratch, ignore_errors=True)
        judges.close()
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
