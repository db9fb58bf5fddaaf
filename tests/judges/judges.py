"""The foreign judges of a finished file, each required.

rasterio with rio-cogeo and tifffile live in this process; two GDALs live in processes of their own.
"""

import json
import logging
import os
import re
import subprocess
import sys
import threading
import warnings

os.environ.setdefault("GDAL_PAM_ENABLED", "NO")
import numpy as np
import rasterio
import rasterio.errors
import tifffile
from rio_cogeo.cogeo import cog_validate

HERE = os.path.dirname(os.path.abspath(__file__))


class Complaints(logging.Handler):
    """What tifffile says while it reads. It can't hold every nodata value that GDAL can, and says so: no fault."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.said = []

    def emit(self, record):
        if "GDAL_NODATA" not in record.getMessage():
            self.said.append(record.getMessage())


COMPLAINTS = Complaints()
logging.getLogger("tifffile").handlers = [COMPLAINTS]
logging.getLogger("tifffile").propagate = False
warnings.filterwarnings("ignore", category=rasterio.errors.NotGeoreferencedWarning)

# What a reader truly can't open, by the reader's own words: asserted, so that the day it can we learn of it.
TIFFFILE_CANNOT = {}


class Worker:
    """A GDAL in another process. `ask` sends, `answer` waits, so that two of them can think at once."""

    def __init__(self, python, name):
        self.python, self.name = python, name
        self.process = None
        self.pending = 0

    def _start(self):
        env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")
        self.process = subprocess.Popen([self.python, os.path.join(HERE, "gdal_worker.py")], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env)

    def ask(self, do, **q):
        if self.process is None or self.process.poll() is not None:
            self._start()
        q["do"] = do
        self.process.stdin.write(json.dumps(q) + "\n")
        self.process.stdin.flush()
        self.pending += 1

    def answer(self, timeout=300):
        timer = threading.Timer(timeout, self.process.kill)
        timer.start()
        try:
            for line in self.process.stdout:
                if line.startswith("\x1e"):
                    self.pending -= 1
                    return json.loads(line[1:])
        finally:
            timer.cancel()
        code = self.process.wait()
        self.process = None
        self.pending = 0
        return {"ok": False, "error": f"{self.name} died with {code}, or took longer than {timeout} s", "messages": []}

    def drain(self):
        """Drops the answers that a case which broke off did not wait for."""
        while self.pending:
            self.answer()

    def call(self, do, **q):
        self.ask(do, **q)
        return self.answer()

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait()


NEW = Worker(sys.executable, "the newest GDAL")
OLD = Worker("/usr/bin/python3", "Debian's GDAL")


def versions():
    """Names and versions; a judge that is not there ends the run."""
    out = {"rasterio": f"{rasterio.__version__} (GDAL {rasterio.__gdal_version__})", "tifffile": tifffile.__version__}
    for name, worker, least in (("gdal (newest)", NEW, "3.13"), ("gdal (Debian)", OLD, "3.6")):
        a = worker.call("version")
        if not a["ok"]:
            raise SystemExit(f"judge missing: {name}: {a['error']}")
        if not a["version"].startswith(least):
            raise SystemExit(f"judge {name} should be {least}, is {a['version']}")
        out[name] = a["version"]
    import imagecodecs
    import rio_cogeo
    out["imagecodecs"] = imagecodecs.__version__
    out["rio-cogeo"] = rio_cogeo.__version__
    return out


def read_levels(path):
    """All levels (bands × rows × columns) and masks as rasterio sees them."""
    levels, masks = [], []
    with rasterio.open(path) as ds:
        count = len(ds.overviews(1))
        masked = any("per_dataset" in [f.name for f in fs] and "alpha" not in [f.name for f in fs] for fs in ds.mask_flag_enums)
        levels.append(ds.read())
        if masked:
            masks.append(ds.dataset_mask())
    for k in range(count):
        with rasterio.open(path, OVERVIEW_LEVEL=k) as ds:
            levels.append(ds.read())
            if masked:
                masks.append(ds.dataset_mask())
    return levels, masks


def start(path):
    """Both GDALs begin to look at the file."""
    for w in (NEW, OLD):
        w.drain()
        w.ask("validate", path=path)
        w.ask("info", path=path)


def known_alarms(size, tile, sizes):
    """What rio-cogeo and GDAL's validator say against sound files of some shapes: (errors, cautions) of rio-cogeo, cautions of GDAL.

    Each is asserted, neither more nor less.
    """
    errors, cautions = [], []
    large = max(size) > 512
    if large and tile[0] == size[0]:
        errors.append("is not tiled")           # it takes one column of tiles for strips
    if size[0] == 1:
        # It looks at widths alone, and one column can't get narrower.
        errors += ["Invalid Decimation 1"] * len(sizes)
    if large and not sizes:
        cautions.append("recommended")          # none were asked for
    return errors, cautions


def fresh():
    """Before every case."""
    NEW.drain()
    OLD.drain()


def alarms_match(said, wanted):
    return len(said) == len(wanted) and all(w in s for w, s in zip(wanted, said))


def finish(path, levels, masks, kind, size, tile, sizes, interleave="pixel", source=None, raw=False):
    """What the judges say against the file. `levels` and `masks` are the arrays that everyone must see.

    `source`: an objection that a GDAL also has to this file (a CRS it does not know, metadata it cannot print) is not a fault.
    `raw`: GDAL shows this color space as RGB, so that tifffile, which shows what is stored, compares with `source`.
    """
    out = []
    # rio-cogeo
    wanted_errors, wanted_cautions = known_alarms(size, tile, sizes)
    valid, errors, cautions = cog_validate(path, strict=True, quiet=True)
    if not alarms_match(errors, wanted_errors) or not alarms_match(cautions, wanted_cautions):
        out.append(f"rio-cogeo: errors {errors}, cautions {cautions}; expected {wanted_errors}, {wanted_cautions}")
    if valid != (not wanted_errors and not wanted_cautions):
        out.append(f"rio-cogeo: valid={valid}")
    # tifffile
    COMPLAINTS.said.clear()
    try:
        if raw:
            with tifffile.TiffFile(path) as a, tifffile.TiffFile(source) as b:
                gap = int(np.abs(a.pages[0].asarray().astype(int) - b.pages[0].asarray().astype(int)).max())
                if gap > (3 if b.pages[0].compression == 7 else 0):
                    out.append(f"tifffile: samples differ by up to {gap}")
        else:
            out += tifffile_sees(path, levels, masks)
        out += [f"tifffile: {c}" for c in COMPLAINTS.said[:3]]
        if kind in TIFFFILE_CANNOT:
            out.append(f"tifffile can read {kind} now: judge it")
    except Exception as e:
        if TIFFFILE_CANNOT.get(kind, "\0") not in f"{e!r}":
            out.append(f"tifffile: {e!r}")
    # both GDALs
    for w in (NEW, OLD):
        a = w.answer()
        if not a["ok"] or a["errors"] or not alarms_match(a["warnings"], wanted_cautions) or a["messages"]:
            out.append(f"{w.name}: validator: {a}"[:600])
        a = w.answer()
        if not a["ok"]:
            out.append(f"{w.name}: {a['error']}")
            continue
        said = a["messages"] + ([a["trouble"]] if a["trouble"] else [])
        if said and source:
            b = w.call("info", path=source)
            known = {strip_names(m) for m in b["messages"] + [b.get("trouble") or b.get("error") or ""]}
            # PROJ's troubles with a CRS are said once per process, so their number tells nothing.
            said = [m for m in said if strip_names(m) not in known and not m.startswith("PROJ:")]
        if said:
            out.append(f"{w.name}: {said[:3]}")
        if a["layout"] != "COG":
            out.append(f"{w.name}: LAYOUT={a['layout']}")
        want = {"pixel": "PIXEL", "band": "BAND", "tile": "TILE" if w is NEW else "BAND"}[interleave]
        if len(levels[0]) > 1 and a["interleave"] != want:
            out.append(f"{w.name}: INTERLEAVE={a['interleave']}, expected {want}")
        if w is OLD:
            if kind == "i8" and (a["type"], a["pixeltype"]) != ("Byte", "SIGNEDBYTE"):
                out.append(f"{w.name}: shows i8 as {a['type']} {a['pixeltype']}")
            if kind == "f16" and (a["type"], a["nbits"]) != ("Float32", "16"):
                out.append(f"{w.name}: shows f16 as {a['type']} NBITS={a['nbits']}")
        if len(a["levels"]) != len(levels):
            out.append(f"{w.name}: sees {len(a['levels'])} levels, not {len(levels)}")
            continue
        for k, level in enumerate(a["levels"]):
            for b, h in enumerate(level["bands"]):
                if h != digest(levels[k][b]):
                    out.append(f"{w.name}: sees other pixels in level {k} band {b + 1}")
                    break
            if bool(masks) != (level["mask"] is not None):
                out.append(f"{w.name}: level {k} {'has a' if level['mask'] else 'has no'} mask")
            elif masks and level["mask"] != digest(masks[k]):
                out.append(f"{w.name}: sees another mask in level {k}")
    return out


def digest(array):
    """The same hash as in the workers."""
    import hashlib
    a = array
    if a.dtype.kind == "f":
        a = a.copy()
        a[np.isnan(a)] = np.nan
        a = a.astype("f4") if a.dtype == np.float16 else a
    elif a.dtype.kind == "c":
        a = a + 0
        a[np.isnan(a)] = complex("nan")
    return hashlib.sha1(np.ascontiguousarray(a).tobytes()).hexdigest()


def strip_names(message):
    """A message without the name of the file."""
    return re.sub(r"[^ ]*\.tif", "", message)


def tifffile_sees(path, levels, masks):
    """Every page decoded by tifffile and imagecodecs, compared with the levels."""
    out = []
    with tifffile.TiffFile(path) as t:
        pages = list(t.pages)
        images = [p for p in pages if not p.subfiletype & 4]
        veils = [p for p in pages if p.subfiletype & 4]
        if len(images) != len(levels) or len(veils) != len(masks):
            return [f"tifffile: sees {len(images)} images and {len(veils)} masks, not {len(levels)} and {len(masks)}"]
        for k, (page, level) in enumerate(zip(images, levels)):
            a = page.asarray()
            bands = len(level)
            if bands == 1:
                a = a.reshape(level.shape)
            elif page.planarconfig == 1:
                a = np.moveaxis(a.reshape(level.shape[1:] + (bands,)), -1, 0)
            else:
                a = a.reshape(level.shape)
            if a.dtype == bool:
                a = a.astype("u1")
            if digest(a.astype(level.dtype)) != digest(level):
                out.append(f"tifffile: sees other pixels in level {k}")
        for k, (page, mask) in enumerate(zip(veils, masks)):
            a = np.asarray(page.asarray()).reshape(mask.shape)
            if not np.array_equal(a != 0, mask != 0):
                out.append(f"tifffile: sees another mask in level {k}")
    return out


def close():
    NEW.close()
    OLD.close()
