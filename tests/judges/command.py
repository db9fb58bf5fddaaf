"""The command as a user meets it: exit codes, messages, files that appear whole or not at all, inputs that lie.

    python command.py        ONLY=words in the environment picks cases by name
"""

import concurrent.futures
import gzip
import hashlib
import json
import os
import random
import re
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
import zlib

import numpy as np
import tifffile

import judges
import layout
from command_line import ROOT, binary, create, run
from report import Report

SOURCE = os.path.join(ROOT, "fixtures", "sentinel2_like.tif")
SMALL = [os.path.join(ROOT, "fixtures", n) for n in ("dem_f32.tif", "landcover_palette.tif", "rgb_jpeg_mask.tif")]
GIB = 1 << 30


class Folder:
    """A new folder, gone afterwards; `left()` tells what is in it."""

    def __init__(self, parent=None):
        self.path = tempfile.mkdtemp(prefix="cogsmith-command-", dir=parent)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def __call__(self, name):
        return os.path.join(self.path, name)

    def left(self):
        return sorted(os.listdir(self.path))


def contents(path):
    with open(path, "rb") as f:
        return f.read()


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)
    return path


def sound(path):
    """What is wrong with a finished file."""
    return layout.problems(path, **layout.guess(path))


def refused(r, code=1, words=None):
    """A clean refusal: this exit code, a message (with these words), no panic."""
    out = []
    if r.crashed:
        out.append(f"crashed: {r}")
    elif r.code != code:
        out.append(f"expected exit {code}: {r}")
    elif not r.err.strip():
        out.append("failed without a message")
    if r.out:
        out.append(f"an error belongs on standard error, not on standard output: {r.out[:200]!r}")
    if words and not re.search(words, r.words()):
        out.append(f"the message should match {words!r}: {r.words()[:300]}")
    return out


def done(r):
    return [] if r.code == 0 else [str(r)]


# Help and usage.

OPTIONS = ("compress level predictor blocksize overview-blocksize overviews overview-count overview-resampling interleave nodata "
           "nbits mask bigtiff image ignore-aux threads tile-memory row-memory temp-dir sync verify overwrite quiet json crs crs-wkt "
           "transform bounds gcp pixel-is band-description band-scale band-offset band-unit color-interpretation stats metadata strip-metadata").split()


def help_names_everything():
    r = run("create", "--help")
    text = r.out.decode()
    out = done(r) + [f"--help does not name --{o}" for o in OPTIONS if f"--{o}" not in text]
    for words in ("default: deflate", "default: 512", "default: auto", "default: pixel", "pixels", "bytes|MB|MiB|beside|cores"):
        if not re.search(words, text):
            out.append(f"--help does not say {words!r}")
    return out


def version():
    r = run("--version")
    return done(r) + ([] if re.fullmatch(rb"cogsmith \d+\.\d+\.\d+\S*\n", r.out) else [f"--version says {r.out!r}"])


WRONG = {
    "no arguments at all": [],
    "no output": ["create", SOURCE],
    "unknown option": ["create", "--colour", "red", SOURCE, "OUT"],
    "unknown command": ["destroy", SOURCE, "OUT"],
    "standard input": ["create", "-", "OUT"],
    "level with LZW": ["create", "--compress", "lzw", "--level", "5", SOURCE, "OUT"],
    "level without compression": ["create", "--compress", "none", "--level", "5", SOURCE, "OUT"],
    "DEFLATE level 0": ["create", "--level", "0", SOURCE, "OUT"],
    "DEFLATE level 10": ["create", "--level", "10", SOURCE, "OUT"],
    "ZSTD level 0": ["create", "--compress", "zstd", "--level", "0", SOURCE, "OUT"],
    "ZSTD level 23": ["create", "--compress", "zstd", "--level", "23", SOURCE, "OUT"],
    "level that is not a number": ["create", "--level", "fast", SOURCE, "OUT"],
    "unknown codec": ["create", "--compress", "rar", SOURCE, "OUT"],
    "predictor without compression": ["create", "--compress", "none", "--predictor", "horizontal", SOURCE, "OUT"],
    "float predictor on integers": ["create", "--predictor", "float", SOURCE, "OUT"],
    "block size not a multiple of 16": ["create", "--blocksize", "500", SOURCE, "OUT"],
    "block size 0": ["create", "--blocksize", "0", SOURCE, "OUT"],
    "block size half said": ["create", "--blocksize", "512x", SOURCE, "OUT"],
    "block height not a multiple of 16": ["create", "--blocksize", "512x100", SOURCE, "OUT"],
    "overview block size not a multiple of 16": ["create", "--overview-blocksize", "100", SOURCE, "OUT"],
    "factor 1": ["create", "--overviews", "1,2", SOURCE, "OUT"],
    "factors that fall": ["create", "--overviews", "4,2", SOURCE, "OUT"],
    "factor 0": ["create", "--overviews", "0", SOURCE, "OUT"],
    "factors empty": ["create", "--overviews", "2,,4", SOURCE, "OUT"],
    "count with a list": ["create", "--overviews", "2,4", "--overview-count", "2", SOURCE, "OUT"],
    "count without overviews": ["create", "--overviews", "none", "--overview-count", "2", SOURCE, "OUT"],
    "overview block size without overviews": ["create", "--overviews", "none", "--overview-blocksize", "256", SOURCE, "OUT"],
    "resampling without overviews": ["create", "--overviews", "none", "--overview-resampling", "mode", SOURCE, "OUT"],
    "unknown resampling": ["create", "--overview-resampling", "cubist", SOURCE, "OUT"],
    "no threads": ["create", "--threads", "0", SOURCE, "OUT"],
    "nodata that is not a number": ["create", "--nodata", "abc", SOURCE, "OUT"],
    "unknown interleave": ["create", "--interleave", "line", SOURCE, "OUT"],
    "unknown BigTIFF": ["create", "--bigtiff", "maybe", SOURCE, "OUT"],
    "image 0": ["create", "--image", "0", SOURCE, "OUT"],
}


def wrong_usage(words):
    with Folder() as f:
        r = run(*[f("out.tif") if w == "OUT" else w for w in words])
        return refused(r, 2) + ([f"left behind: {f.left()}"] if f.left() else [])


# What is said.

def one_line():
    with Folder() as f:
        r = create(SOURCE, f("out.tif"))
        out = done(r) + sound(f("out.tif"))
        text = (r.out + r.err).decode().strip()
        if len(text.splitlines()) != 1:
            out.append(f"the summary should be one line: {text!r}")
        for words in ("1300", "1100", "(?i)deflate", r"\d+(\.\d+)? ?s\b"):
            if not re.search(words, text):
                out.append(f"the summary does not say {words!r}: {text!r}")
        if b"\x1b" in r.out + r.err or b"\r" in r.out + r.err:
            out.append("control characters in a pipe")
        return out


def quiet():
    with Folder() as f:
        r = create(SOURCE, f("out.tif"), quiet=True)
        return done(r) + ([f"--quiet printed {r.out + r.err!r}"] if r.out or r.err else [])


def as_json():
    with Folder() as f:
        r = create(SOURCE, f("out.tif"), json=True)
        out = done(r)
        said = json.loads(r.out)
        if not isinstance(said, dict) or "1300" not in json.dumps(said) or str(os.path.getsize(f("out.tif"))) not in json.dumps(said):
            out.append(f"the JSON should tell size in pixels and bytes: {said}")
        r = create(SOURCE, "-", json=True)
        json.loads(r.err)
        if r.out != contents(f("out.tif")):
            out.append("standard output is not the file")
        return out


def missing_input():
    with Folder() as f:
        return refused(create(f("not-there.tif"), f("out.tif")), 1, "not-there.tif") + f.left()


def no_tiff():
    with Folder() as f:
        return (refused(create(write(f("in.tif"), b"no picture at all\n" * 50), f("out.tif")), 1, r"in\.tif")
                + refused(create(f.path, f("out.tif"))) + [n for n in f.left() if n != "in.tif"])


def kinds():
    """What is not a TIFF is named, and the hint says what to do; all three commands."""
    with Folder() as f:
        made = f("made")
        os.mkdir(made)
        found = {"empty": (b"", "an empty file", "download it again"), "zeros": (bytes(5000), "a file of zeros", "download it again"),
                 "html": (b"\n<!DOCTYPE html><html>", "an HTML page", "a server sent"),
                 "s3": (b'<?xml version="1.0"?>\n<Error><Code>NoSuchKey</Code></Error>', "an XML error message", "a server sent"),
                 "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "a Git LFS pointer", "git lfs pull"),
                 "text": (b"no picture at all\n" * 50, "a text file", "reads GeoTIFF"), "grib": (b"GRIB\0\0\0\2" + bytes(90), "a GRIB file", "xarray"),
                 "noise": (bytes(range(1, 255)), r"byte-order mark\)( \||$)", "gdalinfo"), "old": (b"II\x2c\0" + bytes(90), "version is 44", "gdalinfo")}
        with zipfile.ZipFile(f("made/a.zip"), "w") as z:
            z.writestr("a.tif", "x")
        with gzip.open(f("made/a.gz"), "w") as z:
            z.write(b"x")
        found["zip"] = (contents(f("made/a.zip")), "a ZIP archive", "unpack it")
        found["gz"] = (contents(f("made/a.gz")), "a gzip file", "unpack it")
        names = {"PNG": ("a PNG image", "gdal_translate"), "JPEG": ("a JPEG image", "gdal_translate"), "JP2OpenJPEG": ("a JPEG 2000 image", "gdal_translate"),
                 "WEBP": ("a WebP image", "gdal_translate"), "VRT": ("a GDAL virtual raster", "gdal_translate"), "netCDF": ("a NetCDF", "xarray"),
                 "GPKG": ("an SQLite database", "ogrinfo"), "HDF4Image": ("an HDF4 file", "xarray")}
        for driver, words in names.items():
            answer = judges.NEW.call("translate", path=SMALL[2], to=f(f"made/{driver}"), format=driver)
            if answer["ok"]:
                found[driver] = (contents(f(f"made/{driver}")), *words)
        out = [f"GDAL writes no {n}" for n in ("PNG", "JPEG", "VRT", "netCDF") if n not in found]
        for name, (data, kind, hint) in found.items():
            source = write(f("in.dat"), data)
            for words, code in ((["create", source, f("out.tif")], 1), (["info", source], 1), (["validate", "--quiet", source], 2)):
                r = run(*words)
                if name in ("PNG", "JPEG") and words[0] == "create":
                    out += [] if r.code == 0 else [f"{name}: {r}"]
                    os.remove(f("out.tif"))
                    continue
                expected = rf"error: '.*in\.dat': not a TIFF file.*{kind}.*hint: .*{hint}"
                if name == "VRT" and words[0] == "create":
                    # An input, but the file that it names is elsewhere.
                    expected = r"error: '.*in\.dat' names '.*', which is not relative to its folder.*hint: --vrt-root"
                out += [f"{name}, {words[0]}: {p}" for p in refused(r, code, expected)]
                if "damaged" in r.words():
                    out.append(f"{name}: {r.words()}")
        return out + [n for n in f.left() if n not in ("in.dat", "made")]


def addresses():
    """Addresses and names for GDAL are no paths, as source and as target."""
    out = []
    with Folder() as f:
        for name, words in (("s3://bucket/a.tif", "an object store address, not the path of a file.*hint: .*without the feature 'store'"), ("https://example.com/a.tif", "a web address, not the path.*hint: .*without the feature 'store'"),
                            ("ftp://example.com/a.tif", "a web address, not the path.*hint: .*copy the file first"), ("/vsizip/a.zip/a.tif", "a GDAL virtual file system path, not.*hint: .*copy the file first"),
                            ("file:///tmp/a.tif", "a file:// address, not.*hint: give the path alone"), ("/vsicurl/https://example.com/a.tif", "a GDAL virtual file system path, not.*hint: "),
                            ("GTIFF_DIR:2:a.tif", "a GDAL dataset name.*--image"), ("NETCDF:a.nc:t", "a GDAL dataset name.*gdal_translate")):
            for command, code in (("create", 1), ("info", 1), ("validate", 2)):
                r = run(command, name, *([f("out.tif")] if command == "create" else []), cwd=f.path)
                out += refused(r, code, f"'{re.escape(name)}' is {words}")
        for name, words in (("s3://bucket/a.tif", r"create INPUT - \| aws s3 cp - s3://bucket/a.tif"), ("https://example.com/a.tif", "hint: write a local file"),
                            ("file:///nowhere/a.tif", "hint: give the path alone"), ("/vsis3/bucket/a.tif", "hint: write a local file")):
            out += refused(run("create", SOURCE, name, cwd=f.path), 1, f"'{re.escape(name)}' is .*not the path of a file.*{words}")
        # A file of that name is a file.
        os.makedirs(f("s3:/bucket"))
        shutil.copy(SMALL[0], f("s3:/bucket/a.tif"))
        out += done(run("create", "s3://bucket/a.tif", "s3://bucket/b.tif", cwd=f.path))
        return out + [n for n in f.left() if n != "s3:"]


# Words of other tools, and what the command says is meant.
MEANT = {
    ("--co=TILED=YES",): "-co NAME=VALUE takes", ("--scale", "0.1"): "'gdal_translate -scale'", ("--offset", "1"): "--band-offset NUMBER",
    ("--unit", "m"): "--band-unit TEXT", ("-tr", "10", "10"): "--resolution", ("--resampling", "average"): "--overview-resampling",
    ("--blockxsize", "256"): "--blocksize", ("--tile-size", "256"): "--blocksize", ("--web-optimized",): "--tiling-scheme GoogleMapsCompatible", ("--add-mask",): "--mask",
    ("--num-threads", "2"): "--threads", ("-j", "2"): "--threads", ("--force",): "--overwrite",
    ("-t_srs", "EPSG:3857"): "--dst-crs CRS warps", ("--epsg", "3857"): "--crs", ("--srcwin", "1,2,3,4"): "--window", ("--projwin", "0,1,1,0"): "--bbox",
    ("--predictor", "2"): "'horizontal'", ("--predictor", "YES"): "'auto'", ("--bigtiff", "IF_SAFER"): "'auto'", ("--threads", "ALL_CPUS"): "'all'",
    ("--compress", "JXL"): "hardly any reader", ("--compress", "LZMA"): "", ("--ot", "Byte"): "--dtype", ("--no-aux",): "--ignore-aux",
}
# Values in either case.
CASES = (("--compress", "DEFLATE"), ("--compress", "Zstd"), ("--predictor", "Horizontal"), ("--interleave", "BAND"), ("--bigtiff", "YES"), ("--threads", "ALL"),
         ("--overviews", "NONE"), ("--overview-resampling", "Average"), ("--overview-resampling", "AUTO"), ("--mask", "None"), ("--nodata", "None"),
         ("--nbits", "KEEP"), ("--pixel-is", "Point"), ("--color-interpretation", "GRAY"))


def other_words():
    out = []
    with Folder() as f:
        for words, expected in MEANT.items():
            r = run("create", *words, SOURCE, f("out.tif"))
            out += [f"{words}: {p}" for p in refused(r, 2, f"tip: .*{re.escape(expected)}")]
        for words, expected in ((["convert", SOURCE, "x.tif"], "cogsmith create"), ([SOURCE, "x.tif"], "cogsmith create"), (["check", SOURCE], "cogsmith validate"),
                                (["gdalinfo", SOURCE], "cogsmith info")):
            out += refused(run(*words, cwd=f.path), 2, f"tip: .*{expected}")
        for option, value in CASES:
            out += done(run("create", "--overwrite", option, value, SMALL[0], f("out.tif")))
        return out + [n for n in f.left() if n != "out.tif"]


# Where it is written.

def same_bytes():
    with Folder() as f:
        out = []
        for k, extra in enumerate(({}, {"compress": "zstd", "interleave": "tile", "blocksize": "128x64"}, {"compress": "lzw", "interleave": "band", "bigtiff": "yes"})):
            for n in ("1", "2", "all"):
                out += done(create(SOURCE, f(f"{k}-{n}.tif"), threads=n, quiet=True, **extra))
            r = create(SOURCE, "-", **extra)
            files = [contents(f(f"{k}-{n}.tif")) for n in ("1", "2", "all")] + [r.out]
            if len({hashlib.sha1(c).digest() for c in files}) != 1:
                out.append(f"bytes differ between 1 thread, 2 threads, all threads and standard output: {[len(c) for c in files]} {extra}")
        return out


def summary_of_stdout():
    r = create(SOURCE, "-")
    return done(r) + ([] if r.err.strip() else ["no summary on standard error"]) + ([] if r.out[:2] == b"II" else ["no TIFF on standard output"])


def existing_target():
    with Folder() as f:
        write(f("out.tif"), b"precious")
        out = refused(create(SOURCE, f("out.tif")), 1, "overwrite")
        if contents(f("out.tif")) != b"precious":
            out.append("the existing file was harmed")
        out += done(create(SOURCE, f("out.tif"), overwrite=True)) + sound(f("out.tif"))
        return out + ([f"left behind: {f.left()}"] if f.left() != ["out.tif"] else [])


def input_is_output():
    with Folder() as f:
        shutil.copy(SOURCE, f("a.tif"))
        os.symlink("a.tif", f("soft.tif"))
        os.link(f("a.tif"), f("hard.tif"))
        before = contents(f("a.tif"))
        out = []
        for a, b in (("a.tif", "a.tif"), ("a.tif", "soft.tif"), ("soft.tif", "a.tif"), ("hard.tif", "a.tif")):
            out += refused(create(f(a), f(b)))
            if contents(f("a.tif")) != before:
                return out + ["the input was harmed"]
        create(f("a.tif"), f("want.tif"))
        out += done(create(f("a.tif"), f("soft.tif"), overwrite=True))
        if contents(f("a.tif")) != contents(f("want.tif")):
            out.append("input = output gave other bytes")
        if contents(f("hard.tif")) != before:
            out.append("another name of the old file was written through")
        if not os.path.islink(f("soft.tif")):
            out.append("the link is gone")
        return out


def symbolic_link():
    with Folder() as f:
        os.mkdir(f("deep"))
        write(f("deep/real.tif"), b"old")
        os.symlink("deep/real.tif", f("link.tif"))
        out = refused(create(SOURCE, f("link.tif")), 1) + done(create(SOURCE, f("link.tif"), overwrite=True))
        if not os.path.islink(f("link.tif")):
            out.append("the link was replaced")
        out += sound(f("deep/real.tif"))
        if os.listdir(f("deep")) != ["real.tif"] or f.left() != ["deep", "link.tif"]:
            out.append(f"left behind: {f.left()} {os.listdir(f('deep'))}")
        os.symlink("new.tif", f("dangling.tif"))
        r = create(SOURCE, f("dangling.tif"))
        if r.code == 0 and not (os.path.islink(f("dangling.tif")) and os.path.exists(f("new.tif"))):
            out.append("a link to nothing was replaced")
        os.symlink("loop.tif", f("loop.tif"))
        out += refused(create(SOURCE, f("loop.tif"), overwrite=True))
        return out


def permissions():
    with Folder() as f:
        out = []
        for mask in (0o022, 0o027, 0o077):
            name = f(f"{mask:o}.tif")
            out += done(create(SOURCE, name, umask=mask))
            mode = stat.S_IMODE(os.stat(name).st_mode)
            if mode != 0o666 & ~mask:
                out.append(f"umask {mask:03o} gave mode {mode:03o}")
        for mode in (0o600, 0o664, 0o444):
            name = write(f(f"old{mode:o}.tif"), b"x")
            os.chmod(name, mode)
            out += done(create(SOURCE, name, overwrite=True, umask=0o022))
            got = stat.S_IMODE(os.stat(name).st_mode)
            if got != mode:
                out.append(f"a replaced file of mode {mode:03o} has {got:03o}")
        return out


def fifo():
    with Folder() as f:
        want = create(SOURCE, "-").out
        os.mkfifo(f("pipe"))
        got = []
        reader = threading.Thread(target=lambda: got.append(contents(f("pipe"))), daemon=True)
        reader.start()
        out = done(create(SOURCE, f("pipe"), timeout=60, overwrite=True))
        reader.join(10)
        if not stat.S_ISFIFO(os.lstat(f("pipe")).st_mode):
            out.append("the FIFO was replaced")
        if got != [want]:
            out.append("other bytes came through the FIFO")
        return out + ([f"left behind: {f.left()}"] if f.left() != ["pipe"] else [])


def devices():
    out = []
    for extra in ({}, {"overwrite": True}):
        r = create(SOURCE, "/dev/null", **extra)
        out += done(r)
    if not stat.S_ISCHR(os.stat("/dev/null").st_mode):
        out.append("/dev/null was replaced")
    return out + refused(create(SOURCE, "/dev/full", overwrite=True))


def unwritable():
    with Folder() as f:
        out = refused(create(SOURCE, f("no/such/folder/out.tif")), 1)
        out += refused(create(SOURCE, f.path, overwrite=True), 1)
        out += refused(create(SOURCE, "/proc/out.tif"), 1)
        if os.geteuid():
            os.chmod(f.path, 0o555)
            out += refused(create(SOURCE, f("out.tif")), 1)
            os.chmod(f.path, 0o755)
        return out + ([f"left behind: {f.left()}"] if f.left() else [])


def broken_pipe():
    p = subprocess.Popen([binary(), "create", SOURCE, "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdout.read(10)
    p.stdout.close()
    err = p.stderr.read()
    code = p.wait(30)
    return [] if code in (1, -signal.SIGPIPE) and b"panicked" not in err else [f"exit {code}: {err!r}"]


# Inputs that are broken.

def survives(path, folder, must_fail=False, timeout=20):
    """Converts or fails cleanly: never a signal, a panic, a hang, or something left behind."""
    target = os.path.join(folder, "out.tif")
    with Removed(target):
        began = time.time()
        r = create(path, target, timeout=timeout, memory=4 * GIB, threads=2)
        took = time.time() - began
        if r.crashed:
            return f"crashed after {took:.1f} s: {r}"
        if r.code == 0 and (must_fail is True or not os.path.exists(target)):
            return "should have failed" if must_fail is True else "exit 0 without a file"
        if must_fail == "or warn" and not r.err.strip():
            return "accepted without a word"
        if r.code and (r.code not in (1, 2) or not r.err.strip()):
            return f"unclean: {r}"
        if r.code and os.listdir(folder):
            return f"left behind: {os.listdir(folder)}"
    return None


class Removed:
    """Removes a file afterwards."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if os.path.exists(self.path):
            os.remove(self.path)


def many(cases):
    """(name, bytes, must_fail) two at a time."""
    out = []

    def one(case):
        name, data, must_fail = case
        with Folder() as f:
            os.mkdir(f("t"))
            trouble = survives(write(f("in.tif"), data), f("t"), must_fail)
            return f"{name}: {trouble}" if trouble else None

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for trouble in pool.map(one, cases):
            if trouble:
                out.append(trouble)
    return out


def truncated(path):
    data = contents(path)
    rng = random.Random(len(data))
    lengths = sorted({0, 1, 3, 4, 7, 8, 9, 15, 16, len(data) - 1, len(data) // 2} | {rng.randrange(len(data)) for _ in range(12)} | {rng.randrange(600) for _ in range(8)})
    return many([(f"{n} of {len(data)} bytes", data[:n], n < 200) for n in lengths])


def flipped(path):
    data = contents(path)
    # Where the directories lie: flips there hit harder than in the pixels.
    spots = []
    f = layout.File(path)
    for ifd in f.directories:
        spots.append((ifd.offset, ifd.end))
        spots += [(e.offset, e.offset + min(e.length, 64)) for e in ifd.entries.values() if not e.inline]
    cases = []
    for k in range(70):
        rng = random.Random(k)
        bad = bytearray(data)
        for _ in range(1 + k % 3):
            low, high = (0, len(data)) if k % 7 == 0 else rng.choice(spots)
            bad[rng.randrange(low, high)] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        cases.append((f"flip {k}", bytes(bad), False))
    return many(cases)


def tiff(entries, tail=b"", big=False, next_ifd=0):
    """A TIFF by hand: entries (tag, type, count, value), and `tail` from byte 4096 on."""
    if big:
        head = struct.pack("<2sHHHQ", b"II", 43, 8, 0, 16) + struct.pack("<Q", len(entries))
        for tag, kind, count, value in entries:
            head += struct.pack("<HHQQ", tag, kind, count, value)
        head += struct.pack("<Q", next_ifd)
    else:
        head = struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", len(entries))
        for tag, kind, count, value in entries:
            head += struct.pack("<HHII", tag, kind, count, value)
        head += struct.pack("<I", next_ifd)
    return head.ljust(4096, b"\0") + tail


def image(width, height, changes=()):
    """Tags of a gray u8 image in one strip, with some of them changed."""
    tags = {256: (4, 1, width), 257: (4, 1, height), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1), 273: (4, 1, 4096), 277: (3, 1, 1),
            278: (4, 1, height), 279: (4, 1, 4096)}
    tags.update(dict(changes))
    return [(t, *v) for t, v in sorted(tags.items()) if v]


def tiled(width, height, tw, th, changes=(), offset=4096, count=4096):
    more = {273: None, 278: None, 279: None, 322: (4, 1, tw), 323: (4, 1, th), 324: (4, 1, offset), 325: (4, 1, count)}
    more.update(dict(changes))
    return image(width, height, more)


def liars():
    data = bytes(range(256)) * 16
    huge = 0xFFFFFFFF
    yield "2^31 by 2^31", tiff(image(1 << 31, 1 << 31), data)
    yield "2^32 by 2^32 in BigTIFF", tiff(image(huge, huge), data, big=True)
    yield "2^31 wide, one row", tiff(image((1 << 31) - 1, 1), data)
    yield "2^31 high, one column", tiff(image(1, (1 << 31) - 1), data)
    yield "2^31 high, one row per strip", tiff(image(1, (1 << 31) - 1, {278: (4, 1, 1), 273: (4, (1 << 31) - 1, 4096), 279: (4, (1 << 31) - 1, 4096)}), data)
    yield "one tile of 2^31", tiff(tiled((1 << 31) - 16, (1 << 31) - 16, (1 << 31) - 16, (1 << 31) - 16), data)
    yield "one sparse tile of 2^31", tiff(tiled((1 << 31) - 16, (1 << 31) - 16, (1 << 31) - 16, (1 << 31) - 16, offset=0, count=0))
    yield "tiles of no size", tiff(tiled(64, 64, 0, 0), data)
    yield "tile width alone", tiff(tiled(64, 64, 64, 64, {323: None}), data)
    yield "no width", tiff(image(0, 64), data)
    yield "no height", tiff(image(64, 0), data)
    yield "no samples", tiff(image(64, 64, {277: (3, 1, 0)}), data)
    yield "65535 samples, few data", tiff(image(64, 64, {277: (3, 1, 65535)}), data)
    yield "0 bits", tiff(image(64, 64, {258: (3, 1, 0)}), data)
    yield "65535 bits", tiff(image(64, 64, {258: (3, 1, 65535)}), data)
    yield "2^31 strip offsets", tiff(image(64, 64, {273: (4, 1 << 31, 4096)}), data)
    yield "2^62 strip offsets", tiff(image(64, 64, {273: (16, 1 << 62, 4096)}), data, big=True)
    yield "strips beyond the end", tiff(image(64, 64, {273: (4, 1, huge - 8)}), data)
    yield "strips beyond all ends", tiff(image(64, 64, {273: (16, 1, (1 << 64) - 8)}), data, big=True)
    yield "4 GiB in a strip", tiff(image(64, 64, {279: (4, 1, huge)}), data)
    yield "no strips", tiff(image(64, 64, {273: None, 279: None}), data)
    yield "too few strips", tiff(image(64, 64, {278: (4, 1, 1)}), data)
    yield "metadata of 4 GiB", tiff(image(64, 64, {42112: (2, huge, 4096)}), data)
    yield "nodata of 4 GiB", tiff(image(64, 64, {42113: (2, huge, 4096)}), data)
    yield "GeoKeys of 4 Gi", tiff(image(64, 64, {34735: (3, huge, 4096)}), data)
    yield "IFD of 65535 entries", tiff([])[:8] + b"\xff\xff" + b"\0" * 100
    yield "IFD of 2^63 entries", struct.pack("<2sHHHQQ", b"II", 43, 8, 0, 16, 1 << 63) + b"\0" * 100
    yield "IFD beyond the end", struct.pack("<2sHI", b"II", 42, huge - 1)
    yield "IFD at 0", struct.pack("<2sHI", b"II", 42, 0)
    yield "unknown field types", tiff([(t, 99, c, v) for t, _, c, v in image(64, 64)], data)
    yield "unknown compression", tiff(image(64, 64, {259: (3, 1, 12345)}), data)
    yield "DEFLATE that is none", tiff(image(64, 64, {259: (3, 1, 8)}), data)
    yield "LZW that is none", tiff(image(64, 64, {259: (3, 1, 5)}), b"\xff" * 4096)
    yield "JPEG that is none", tiff(image(64, 64, {259: (3, 1, 7)}), data)
    yield "ZSTD that is none", tiff(image(64, 64, {259: (3, 1, 50000)}), data)


def lying():
    # What can be read all the same may be read, but not without a word.
    mild = ("4 GiB in a strip", "too few strips", "metadata of 4 GiB", "nodata of 4 GiB", "GeoKeys of 4 Gi")
    return many([(name, data, {mild[0]: False}.get(name, "or warn" if name in mild else True)) for name, data in liars()])


def cyclic():
    """A chain of IFDs that never ends: the image in it may be read."""
    data = bytes(range(256)) * 16
    return many([("itself", tiff(image(64, 64), data, next_ifd=8), False),
                 ("itself, overview", tiff(image(64, 64, {254: (4, 1, 1)}), data, next_ifd=8), False),
                 ("itself in BigTIFF", tiff(image(64, 64), data, big=True, next_ifd=16), False),
                 ("SubIFD to itself", tiff(image(64, 64, {330: (4, 1, 8)}), data), False)])


def bombs():
    """Data that unpack to far more than the image holds, or than memory does."""
    packed = zlib.compress(b"\0" * (1 << 28), 9)
    small = {259: (3, 1, 8), 279: (4, 1, len(packed))}
    return many([("DEFLATE of 256 MiB for 64×64 pixels", tiff(image(64, 64, small), packed), False),
                 ("tall DEFLATE strip that stops early", tiff(image(60000, 60000, small), packed), True)])


def made_masks():
    """--mask: made from nodata or alpha, or left out; read back by tifffile, whose pages are image, mask, overviews."""
    out = []

    def pages(name, source, mask):
        out.extend(done(create(source, name, mask=mask)) + sound(name))
        with tifffile.TiffFile(name) as t:
            return [(int(p.subfiletype) & 4 != 0, p.asarray()) for p in t.pages]

    with Folder() as f:
        (_, image), (is_mask, mask), *_ = pages(f("nodata.tif"), SOURCE, "nodata")
        if not is_mask or not np.array_equal(mask != 0, (image != 0).any(axis=-1)):
            out.append("--mask nodata: the mask is not where every band is nodata")
        rgba = np.random.default_rng(5).integers(0, 3, (70, 90, 4), dtype="u1")
        tifffile.imwrite(f("rgba.tif"), rgba, photometric="rgb", extrasamples=["unassalpha"], metadata=None)
        (_, image), (is_mask, mask), *_ = pages(f("alpha.tif"), f("rgba.tif"), "alpha")
        if not is_mask or not np.array_equal(image, rgba[..., :3]) or not np.array_equal(mask != 0, rgba[..., 3] != 0):
            out.append("--mask alpha: colors or mask are not those of the source")
        if any(is_mask for is_mask, _ in pages(f("none.tif"), SMALL[2], "none")):
            out.append("--mask none: there is a mask")
        out += refused(create(SMALL[2], f("no.tif"), mask="alpha"), code=2, words="alpha")
    return out


def twelve_thousand_wide():
    """A wide and flat image: memory must not follow the header's word."""
    with Folder() as f:
        data = tiff(image(2_000_000, 8, {278: (4, 1, 8), 279: (4, 1, 16_000_000)}), bytes(16_000_000))
        return done(create(write(f("in.tif"), data), f("out.tif"), memory=4 * GIB, timeout=60)) + sound(f("out.tif"))


def main():
    report = Report("command")
    report.run("help names every option and the defaults", help_names_everything)
    report.run("version", version)
    for name, words in WRONG.items():
        report.run(f"wrong usage: {name}", wrong_usage, words)
    for f in (one_line, quiet, as_json, missing_input, no_tiff, kinds, addresses, other_words, same_bytes, summary_of_stdout, existing_target, input_is_output, symbolic_link,
              permissions, fifo, devices, unwritable, broken_pipe):
        report.run(f.__name__.replace("_", " "), f)
    for path in [SOURCE] + SMALL:
        report.run(f"truncated {os.path.basename(path)}", truncated, path)
    for path in SMALL:
        report.run(f"flipped bytes in {os.path.basename(path)}", flipped, path)
    for f in (made_masks, lying, cyclic, bombs, twelve_thousand_wide):
        report.run(f.__name__.replace("_", " "), f)
    judges.close()
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
