"""Faults of the system: full disks, errors of every call, kills, missing rights, other file systems, folders that vanish,
writers that meet. The expected results are in docs/guarantees.md.

    python faults.py        ONLY=words in the environment picks cases by name; needs a C compiler (`cc`)
"""

import ctypes
import errno
import os
import random
import re
import shutil
import signal
import stat
import subprocess
import sys
import time

import numpy as np
import tifffile

from command import SMALL, SOURCE, Folder, contents, done, refused, sound, write
from command_line import ROOT, binary, create
from report import Report

LEFTOVER = re.compile(r"\.out\.tif\.cogsmith-\d+-[0-9a-f]{16}\.tmp")
# Ways through the encoder: tiles wait in memory, in a temporary file, or go to their places at once.
WAYS = {"memory": {}, "spooled": {"tile_memory": 0}, "direct": {"compress": "none"}}


def start(source, target, *words, **more):
    """The command, running."""
    return subprocess.Popen([binary(), "create", *words, source, target], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)


def ended(p, codes, words=None, seconds=60):
    """Waits for its end: what is wrong with exit code and message."""
    try:
        out, err = p.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        p.kill()
        p.communicate()
        return [f"did not end within {seconds} s"]
    if p.returncode not in codes or b"panicked" in err:
        return [f"exit {p.returncode}, expected {codes}: {err[-300:]!r}"]
    if words and not re.search(words, err.decode("utf-8", "replace")):
        return [f"the message should match {words!r}: {err[-300:]!r}"]
    return []


def wait_until(condition, seconds=20):
    end = time.time() + seconds
    while not condition():
        if time.time() > end:
            raise TimeoutError("it did not come to this")
        time.sleep(0.001)


def long_source(path):
    """An image that is read in many steps."""
    rng = np.random.default_rng(1)
    tifffile.imwrite(path, rng.integers(0, 50, (3000, 3000), "u2"), rowsperstrip=64)
    return path


# Errors of single calls.

class Faulty:
    """Builds the library that makes one call fail."""

    def __init__(self, folder):
        self.path = folder("faulty.so")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", self.path, os.path.join(ROOT, "tests", "judges", "faulty.c"), "-ldl"], check=True)

    def create(self, folder, target, function, at, error, path=None, **options):
        """Runs the command; tells its result and whether the call came."""
        mark = folder("mark")
        if os.path.exists(mark):
            os.remove(mark)
        preset = {"LD_PRELOAD": self.path, "FAULT": function, "FAULT_AT": str(at), "FAULT_ERROR": str(error), "FAULT_MARK": mark}
        if path:
            preset["FAULT_PATH"] = path
        os.environ.update(preset)
        try:
            r = create(SMALL[0], target, threads=1, blocksize=64, **options)
        finally:
            for name in preset:
                del os.environ[name]
        return r, os.path.exists(mark)


# Function, errors, and the words that the message must hold; each of the first calls, then every second one, and so on.
FATAL = [
    ("pread64", (errno.EIO,), r"dem_f32\.tif.*read|read .*dem_f32\.tif"),
    ("write", (errno.ENOSPC, errno.EIO, errno.EDQUOT), r"(?i)out\.tif|temporary"),
    ("pwrite64", (errno.ENOSPC, errno.EIO), r"(?i)out\.tif"),
    ("copy_file_range", (errno.EIO, errno.ENOSPC), r"(?i)out\.tif|temporary"),
    ("rename", (errno.EIO, errno.EXDEV, errno.EPERM), r"out\.tif"),
    ("fchmod", (errno.EPERM, errno.EIO), r"permissions"),
    ("open64", (errno.EMFILE, errno.EACCES, errno.EROFS, errno.ENOSPC), r"file in"),
]
# What another call, or the same one once more, can do instead.
HARMLESS = [
    ("pread64", (errno.EINTR,)),
    ("write", (errno.EINTR,)),
    ("pwrite64", (errno.EINTR,)),
    ("copy_file_range", (errno.EXDEV, errno.ENOSYS, errno.EINTR)),
    ("linkat", (errno.EPERM, errno.EOPNOTSUPP, errno.EXDEV, errno.EMLINK)),
]


def calls_that_fail():
    """Whatever call fails, and whenever: exit 1 with a message, nothing left, an existing target as it was."""
    out, met = [], set()
    with Folder() as f, Folder() as t:
        faulty = Faulty(f)
        for function, errors, words in FATAL:
            for way, options in WAYS.items():
                for turn, error in enumerate(errors):
                    at = 1
                    while True:
                        old = turn % 2 == 0 or function in ("rename", "fchmod")
                        for name in t.left():
                            os.remove(t(name))
                        if old:
                            os.chmod(write(t("out.tif"), b"precious"), 0o666)
                        r, came = faulty.create(f, t("out.tif"), function, at, error, path=".cogsmith-" if function == "open64" else None,
                                                overwrite=old, **options)
                        if not came:
                            break
                        met.add(function)
                        case = f"{function} number {at} fails with {errno.errorcode[error]}, {way}: "
                        out += [case + problem for problem in refused(r, 1, words)]
                        if t.left() != (["out.tif"] if old else []) or (old and contents(t("out.tif")) != b"precious"):
                            out.append(f"{case}left behind {t.left()}")
                        # The first calls, then fewer and fewer; of further errors the first call alone.
                        at = at + 1 if at < 3 else at * 2
                        if at > 64 or turn:
                            break
        if met != {function for function, *_ in FATAL}:
            out.append(f"calls that never came, so that nothing was tested: {sorted({f for f, *_ in FATAL} - met)}")
    return out


def calls_that_may_fail():
    """What is tried again or done by other means gives the same bytes."""
    out, met = [], set()
    with Folder() as f, Folder() as t:
        faulty = Faulty(f)
        for way, options in WAYS.items():
            out += done(create(SMALL[0], f(way), threads=1, blocksize=64, **options))
        for function, errors in HARMLESS:
            for way, options in WAYS.items():
                for error in errors:
                    for at in (1, 3):
                        for name in t.left():
                            os.remove(t(name))
                        r, came = faulty.create(f, t("out.tif"), function, at, error, **options)
                        case = f"{function} number {at} fails with {errno.errorcode[error]}, {way}: "
                        if came:
                            met.add(function)
                        out += [case + problem for problem in done(r)]
                        if t.left() != ["out.tif"] or contents(t("out.tif")) != contents(f(way)):
                            out.append(f"{case}other bytes, or {t.left()}")
        if met != {function for function, _ in HARMLESS}:
            out.append(f"calls that never came: {sorted({f for f, _ in HARMLESS} - met)}")
    return out


def last_steps_that_fail():
    """Syncing the file fails: nothing appears. Syncing the folder, or removing the temporary, fails: the file is whole and in place."""
    out = []
    with Folder() as f, Folder() as t:
        faulty = Faulty(f)
        want = create(SMALL[0], "-", threads=1, blocksize=64).out
        for old in (False, True):
            for function, at, appears in (("fsync", 1, False), ("fsync", 2, True), ("unlink", 1, True)):
                if function == "unlink" and old:
                    continue
                for name in t.left():
                    os.remove(t(name))
                if old:
                    write(t("out.tif"), b"precious")
                r, came = faulty.create(f, t("out.tif"), function, at, errno.EIO, path=".cogsmith-", sync=True, overwrite=old)
                case = f"{function} number {at}, {'over an old file' if old else 'new'}: "
                out += [case + problem for problem in ([] if came else ["never came"]) + refused(r, 1)]
                names = [name for name in t.left() if not (function == "unlink" and LEFTOVER.fullmatch(name))]
                expected = want if appears else b"precious" if old else None
                if names != ([] if expected is None else ["out.tif"]) or (names and contents(t("out.tif")) != expected):
                    out.append(f"{case}{t.left()}")
    return out


# Full disks.

def full_disk():
    """As a small tmpfs where this user can mount one; single calls that fail with ENOSPC are tested for any user."""
    out = []
    with Folder() as f:
        write(f("out.tif"), b"precious")
        for name in ("out.tif", "new.tif"):
            for options in WAYS.values():
                out += refused(create(SOURCE, f(name), overwrite=True, file_size=100_000, **options), 1)
        if f.left() != ["out.tif"] or contents(f("out.tif")) != b"precious":
            out.append(f"limit on the file size: left behind {f.left()}")
    with Folder() as f:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b"tmpfs", f.path.encode(), b"tmpfs", 0, b"size=400k"):
            if os.geteuid() == 0:
                out.append(f"root can't mount a tmpfs: {os.strerror(ctypes.get_errno())}")
            print("note: this user can't mount a tmpfs; the limit on the file size and ENOSPC of single calls stood in for the full disk")
            return out
        try:
            write(f("out.tif"), b"precious")
            for name in ("out.tif", "new.tif"):
                for options in WAYS.values():
                    out += refused(create(SOURCE, f(name), overwrite=True, **options), 1, "(?i)space|full|write")
            if f.left() != ["out.tif"] or contents(f("out.tif")) != b"precious":
                out.append(f"full disk: left behind {f.left()}")
            # A full disk for temporary data alone: it may work, or fail cleanly.
            for options in ({}, {"tile_memory": 0}):
                with Folder() as g:
                    r = create(SOURCE, g("out.tif"), temp_dir=f.path, **options)
                    if r.crashed or (r.code and g.left()) or f.left() != ["out.tif"]:
                        out.append(f"full --temp-dir: {r}, left {g.left()} {f.left()}")
                    if options:
                        out += refused(r, 1, "(?i)space")
        finally:
            libc.umount2(f.path.encode(), 2)
    return out


# Ends before the end.

def killed():
    """SIGKILL at 100 random moments: a whole file or none under the target's name, the old one or the new one where there
    was one; what is left has the name of a temporary, and does not hinder the next run."""
    out = []
    rng = random.Random(7)
    with Folder() as f:
        os.mkdir(f("t"))
        os.mkdir(f("temp"))
        target = f("t/out.tif")
        counts = {"before": 0, "temporary": 0, "done": 0}
        for way, options in WAYS.items():
            words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()] + ["--temp-dir", f("temp"), "--threads=2"]
            seconds = []
            for _ in range(3):
                began = time.time()
                out += ended(start(SMALL[0], target, "--overwrite", *words), (0,))
                seconds.append(time.time() - began)
            want = contents(target)
            for turn in range(34 if way == "memory" else 33):
                for name in os.listdir(f("t")):
                    os.remove(f(f"t/{name}"))
                old = turn % 2 == 1
                if old:
                    write(target, b"precious")
                p = start(SMALL[0], target, *(["--overwrite"] if old else []), *words)
                time.sleep(min(seconds) * rng.uniform(0, 1.2))
                p.kill()
                p.communicate()
                left = os.listdir(f("t"))
                rest = [name for name in left if name != "out.tif"]
                if [name for name in rest if not LEFTOVER.fullmatch(name)] or len(rest) > 1:
                    out.append(f"{way}, turn {turn}: left behind {left}")
                if os.listdir(f("temp")):
                    out.append(f"{way}, turn {turn}: temporary tiles left behind")
                found = contents(target) if "out.tif" in left else None
                if found not in ((b"precious", want) if old else (None, want)):
                    out.append(f"{way}, turn {turn}: {None if found is None else len(found)} bytes at the target, {len(want)} are a whole file")
                counts["done" if found == want else "temporary" if rest else "before"] += 1
                if turn % 11 == 0:
                    out += [f"{way}, turn {turn}, the next run: {problem}" for problem in ended(start(SMALL[0], target, "--overwrite", *words), (0,))]
                    if contents(target) != want:
                        out.append(f"{way}, turn {turn}: the next run gave other bytes")
        print("cases killed:", counts)
        if min(counts.values()) == 0:
            out.append(f"the moments were badly chosen: {counts}")
    return out


# The world changes meanwhile.

def stopped_midway(folder, change, codes, words=None, more=(), number=None):
    """Stops the command when its temporary is there, changes the world, and lets it go on, with a signal if one is given."""
    source = long_source(folder("big.tif"))
    if not os.path.isdir(folder("t")):
        os.mkdir(folder("t"))
    already = os.listdir(folder("t"))
    p = start(source, folder("t/out.tif"), "--compress=lzw", "--threads=1", "--row-memory=1M", *more)
    wait_until(lambda: os.listdir(folder("t")) != already)
    p.send_signal(signal.SIGSTOP)
    if p.poll() is not None:
        return [f"done too early: {p.communicate()}"]
    change(folder)
    if number:
        p.send_signal(number)
    p.send_signal(signal.SIGCONT)
    return ended(p, codes, words, seconds=30)


def interrupted(number):
    """A signal in the midst of a conversion: it stops, nothing is left, and what was there is unharmed."""
    out = []
    for old in (False, True):
        with Folder() as f:
            os.mkdir(f("t"))
            os.mkdir(f("temp"))
            if old:
                write(f("t/out.tif"), b"precious")
            out += stopped_midway(f, lambda f: None, (1,), "(?i)cancel", ("--overwrite", "--tile-memory=0", "--temp-dir", f("temp")), number)
            if os.listdir(f("t")) != (["out.tif"] if old else []) or (old and contents(f("t/out.tif")) != b"precious") or os.listdir(f("temp")):
                out.append(f"left behind: {os.listdir(f('t'))} {os.listdir(f('temp'))}")
    return out


def folder_vanishes():
    with Folder() as f:
        out = stopped_midway(f, lambda f: shutil.rmtree(f("t")), (1,), r"out\.tif")
        return out + ([f"left behind: {f.left()}"] if f.left() != ["big.tif"] else [])


def folder_is_renamed():
    with Folder() as f:
        out = stopped_midway(f, lambda f: os.rename(f("t"), f("elsewhere")), (1,), r"out\.tif")
        if "t" in f.left() or [name for name in os.listdir(f("elsewhere")) if not LEFTOVER.fullmatch(name)]:
            out.append(f"left behind: {f.left()} {os.listdir(f('elsewhere'))}")
        return out


def input_is_truncated():
    with Folder() as f:
        out = stopped_midway(f, lambda f: os.truncate(f("big.tif"), 1_000_000), (1,), r"big\.tif")
        return out + ([f"left behind: {os.listdir(f('t'))}"] if os.listdir(f("t")) else [])


def input_is_replaced():
    """Another file takes the input's name: the one that was opened is converted."""
    with Folder() as f:
        long_source(f("same.tif"))
        out = done(create(f("same.tif"), f("want.tif"), compress="lzw", row_memory="1M"))
        out += stopped_midway(f, lambda f: os.replace(write(f("other"), b"other"), f("big.tif")), (0,))
        return out + ([] if contents(f("t/out.tif")) == contents(f("want.tif")) else ["other bytes"])


def target_appears():
    with Folder() as f:
        out = stopped_midway(f, lambda f: write(f("t/out.tif"), b"precious"), (1,), "exists")
        if os.listdir(f("t")) != ["out.tif"] or contents(f("t/out.tif")) != b"precious":
            out.append(f"left behind: {os.listdir(f('t'))}")
        return out


def target_becomes_a_folder():
    with Folder() as f:
        out = stopped_midway(f, lambda f: os.mkdir(f("t/out.tif")), (1,), r"out\.tif", ("--overwrite",))
        return out + ([] if os.listdir(f("t")) == ["out.tif"] and not os.listdir(f("t/out.tif")) else [f"left: {os.listdir(f('t'))}"])


def two_writers():
    """Without --overwrite one wins and the other is told; with it, one of the two files is there, whole."""
    out = []
    with Folder() as f:
        codecs = ("lzw", "zstd")
        whole = {codec: create(SMALL[0], "-", compress=codec).out for codec in codecs}
        os.mkdir(f("t"))
        for turn in range(12):
            overwrite = turn % 2 == 1
            for name in os.listdir(f("t")):
                os.remove(f(f"t/{name}"))
            both = [start(SMALL[0], f("t/out.tif"), f"--compress={codec}", *(["--overwrite"] if overwrite else [])) for codec in codecs]
            said = [p.communicate()[1] for p in both]
            codes = [p.returncode for p in both]
            found = contents(f("t/out.tif"))
            winners = [codec for codec, code in zip(codecs, codes) if code == 0 and whole[codec] == found]
            if os.listdir(f("t")) != ["out.tif"] or not winners:
                out.append(f"turn {turn}: {codes}, {len(found)} bytes, {os.listdir(f('t'))}")
            if not overwrite and (sorted(codes) != [0, 1] or not any(b"exists" in words for words in said)):
                out.append(f"turn {turn}: {codes} {said}")
            if overwrite and codes != [0, 0]:
                out.append(f"turn {turn}: {codes} {said}")
    return out


# Rights and file systems.

def without_rights():
    """As a user who is not root: unreadable input, unwritable folders, a foreign file in a sticky folder."""
    out = []
    user = {"user": "nobody", "extra_groups": []} if os.geteuid() == 0 else {}
    with Folder(parent="/tmp") as f:
        os.chmod(f.path, 0o755)
        # The binary may lie where that user can't go.
        shutil.copy(binary(), f("cogsmith"))
        shutil.copy(SMALL[0], f("in.tif"))

        def attempt(case, source, target, codes, words, *more):
            p = subprocess.Popen([f("cogsmith"), "create", *more, source, target], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/", **user)
            out.extend(f"{case}: {problem}" for problem in ended(p, codes, words))

        for name in ("open", "locked", "sticky"):
            os.mkdir(f(name))
        os.chmod(f("open"), 0o777)
        os.chmod(f("locked"), 0o555)
        attempt("a folder that may be written", f("in.tif"), f("open/out.tif"), (0,), None)
        attempt("a folder that may not", f("in.tif"), f("locked/out.tif"), (1,), r"(?i)permission.*|locked")
        attempt("a folder of temporary files that may not", f("in.tif"), f("open/b.tif"), (1,), r"(?i)locked.*permission", "--temp-dir",
                f("locked"), "--tile-memory=0")
        if os.listdir(f("open")) != ["out.tif"] or os.listdir(f("locked")):
            out.append(f"left behind: {os.listdir(f('open'))} {os.listdir(f('locked'))}")
        shutil.copy(f("in.tif"), f("secret.tif"))
        os.chmod(f("secret.tif"), 0)
        attempt("an input that may not be read", f("secret.tif"), f("open/c.tif"), (1,), r"(?i)secret\.tif.*permission")
        if user:
            # Whoever may write the folder may replace a file in it, but not in a sticky folder.
            os.chmod(write(f("open/foreign.tif"), b"precious"), 0o644)
            attempt("another's file, to be replaced", f("in.tif"), f("open/foreign.tif"), (0,), None, "--overwrite")
            if contents(f("open/foreign.tif"))[:2] != b"II" or stat.S_IMODE(os.stat(f("open/foreign.tif")).st_mode) != 0o644:
                out.append("another's file was not replaced as it should be")
            os.chmod(f("sticky"), 0o1777)
            os.chmod(write(f("sticky/foreign.tif"), b"precious"), 0o644)
            attempt("another's file in a sticky folder", f("in.tif"), f("sticky/foreign.tif"), (1,), r"foreign\.tif", "--overwrite")
            if os.listdir(f("sticky")) != ["foreign.tif"] or contents(f("sticky/foreign.tif")) != b"precious":
                out.append(f"sticky folder: {os.listdir(f('sticky'))}")
    return out


def other_file_systems():
    """Source, target and temporary files on file systems of their own, and a link from one to another."""
    out = []
    shared = "/dev/shm"
    with Folder(parent="/tmp") as f:
        if not os.path.isdir(shared) or os.stat(shared).st_dev == os.stat(f.path).st_dev:
            return ["there is no second file system at /dev/shm: nothing was tested"]
        with Folder(parent=shared) as g:
            want = create(SOURCE, "-").out
            for case, target, temp in (("target there", g("a.tif"), None), ("temporary files there", f("a.tif"), g.path), ("target there, temporary files here", g("b.tif"), f.path)):
                out += [f"{case}: {problem}" for problem in done(create(SOURCE, target, temp_dir=temp, tile_memory=0)) + sound(target)]
                if contents(target) != want:
                    out.append(f"{case}: other bytes")
            os.symlink(g("real.tif"), f("link.tif"))
            out += done(create(SOURCE, f("link.tif")))
            if not os.path.islink(f("link.tif")) or contents(g("real.tif")) != want:
                out.append("a link to another file system")
            if f.left() != ["a.tif", "link.tif"] or g.left() != ["a.tif", "b.tif", "real.tif"]:
                out.append(f"left behind: {f.left()} {g.left()}")
    return out


def main():
    report = Report("faults")
    for f in (calls_that_fail, calls_that_may_fail, last_steps_that_fail, full_disk, killed, folder_vanishes, folder_is_renamed, input_is_truncated,
              input_is_replaced, target_appears, target_becomes_a_folder, two_writers, without_rights, other_file_systems):
        report.run(f.__name__.replace("_", " "), f)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        report.run(f"interrupted by {number.name}", interrupted, number)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
