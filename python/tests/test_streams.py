"""Rows as they come, files, progress, and Ctrl-C."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import rich.progress
import tqdm
from conftest import assert_valid, image, leftovers, look

import cogsmith

WHERE = {"crs": 32633, "transform": (10, 0, 399960, 0, -10, 5000040)}


@pytest.mark.parametrize("dtype", ["uint16", "float32", "bool", ">i4", "complex64"])
@pytest.mark.parametrize("step", [1, 7, 300, 1100])
def test_rows_give_the_same_bytes_as_an_array(dtype, step, out):
    pixels = image((1100, 700), dtype)
    with cogsmith.CogWriter(out, shape=pixels.shape, dtype=dtype, nodata=0, **WHERE) as cog:
        for first in range(0, 1100, step):
            cog.push(pixels[first : first + step])
    assert cog.result == out
    assert out.read_bytes() == cogsmith.write(pixels, ":mem:", nodata=0, **WHERE)


def test_rows_of_several_bands_with_a_mask():
    pixels, valid = image((3, 600, 700)), image((600, 700)) > 100
    with cogsmith.CogWriter(":mem:", shape=pixels.shape, dtype="uint16", mask=True, band_names=["a", "b", "c"]) as cog:
        for first in range(0, 600, 64):
            cog.push(pixels[:, first : first + 64], valid[first : first + 64])
    assert cog.result == cogsmith.write(pixels, ":mem:", mask=valid, band_names=["a", "b", "c"])
    stream = io.BytesIO()
    with cogsmith.CogWriter(stream, shape=(64, 64), dtype="uint8") as cog:
        cog.push(np.zeros((64, 64), "uint8"))
    assert cog.result == len(stream.getvalue())


def test_a_block_that_fails_leaves_nothing(out):
    with pytest.raises(ZeroDivisionError):
        with cogsmith.CogWriter(out, shape=(100, 70), dtype="uint16") as cog:
            cog.push(image((50, 70)))
            assert len(leftovers(out.parent)) == 1
            1 / 0
    assert leftovers(out.parent) == []
    with pytest.raises(ValueError, match="the writer is closed"):
        cog.push(image((50, 70)))


def test_missing_and_wrong_rows(out):
    with pytest.raises(ValueError, match="expected 100, got 50"):
        with cogsmith.CogWriter(out, shape=(100, 70), dtype="uint16") as cog:
            cog.push(image((50, 70)))
    assert leftovers(out.parent) == []
    with cogsmith.CogWriter(":mem:", shape=(2, 100, 70), dtype="uint16") as cog:
        for rows, text in (
            (image((2, 50, 71)), "shape"), (image((50, 70)), "shape"), (image((2, 50, 70), "int16"), "int16"),
        ):  # fmt: skip
            with pytest.raises(ValueError, match=text):
                cog.push(rows)
        with pytest.raises(ValueError, match="mask"):
            cog.push(image((2, 50, 70)), np.ones((49, 70), bool))
        cog.push(image((2, 100, 70)))
    with pytest.raises(ValueError, match="samples, in whole rows"):
        with cogsmith.CogWriter(":mem:", shape=(100, 70), dtype="uint16") as cog:
            cog.push(image((101, 70)))


def test_without_a_with_block(out):
    cog = cogsmith.CogWriter(out, shape=(60, 70), dtype="uint16")
    cog.push(image((60, 70)))
    assert not out.exists()
    assert cog.finish() == out and look(out).levels[0].shape == (1, 60, 70)
    cog = cogsmith.CogWriter(out, shape=(60, 70), dtype="uint16", overwrite=True)
    cog.discard()
    assert leftovers(out.parent) == ["out.tif"]
    with pytest.raises(FileExistsError):
        cogsmith.CogWriter(out, shape=(60, 70), dtype="uint16")


# Files ----------------------------------------------------------------------------------------------------------------


def test_create(tmp_path, out):
    source = tmp_path / "in.tif"
    pixels = image((600, 700))
    cogsmith.write(pixels, source, overviews="none", blocksize=128, compress="lzw", nodata=3, **WHERE)
    summary = cogsmith.create(source, out, compress="zstd", level=3, overview_resampling="average", blocksize=256)
    assert (summary["width"], summary["height"], summary["bands"], summary["data_type"]) == (700, 600, 1, "u16")
    assert summary["compression"] == "zstd" and summary["resampling"] == "average" and summary["warnings"] == []
    assert summary["bytes"] == out.stat().st_size and len(summary["levels"]) == 3
    seen = look(out)
    np.testing.assert_array_equal(seen.levels[0][0], pixels)
    assert seen.profile["nodata"] == 3 and seen.profile["crs"].to_epsg() == 32633
    assert_valid(out)
    with pytest.raises(FileExistsError, match="File exists"):
        cogsmith.create(source, out)
    cogsmith.create(source, out, nodata=None, mask="none", overwrite=True)
    assert look(out).profile["nodata"] is None
    cogsmith.create(source, out, mask="nodata", overwrite=True)
    np.testing.assert_array_equal(look(out).masks > 0, pixels != 3)
    for options, text in (
        ({"mask": "sometimes"}, "mask="), ({"nbits": 70}, "nbits="), ({"photometric": "rgb"}, "expected one of"),
        ({"image": 0}, "counted from 1"), ({"image": 7}, "image"), ({"mask": "alpha"}, "alpha"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=text):
            cogsmith.create(source, out, overwrite=True, **options)
    with pytest.raises(TypeError, match="option 'frob' is unknown"):
        cogsmith.create(source, out, frob=1)
    with pytest.raises(FileNotFoundError):
        cogsmith.create(tmp_path / "none.tif", out, overwrite=True)
    (tmp_path / "text.tif").write_text("no TIFF")
    with pytest.raises(ValueError):
        cogsmith.create(tmp_path / "text.tif", out, overwrite=True)


# Progress and Ctrl-C --------------------------------------------------------------------------------------------------


def test_progress():
    told = []
    cogsmith.write(image((4000, 3000)), ":mem:", progress=lambda done, rows: told.append((done, rows)))
    assert told[-1] == (4000, 4000) and told == sorted(told) and len(told) > 1
    told.clear()
    cogsmith.to_cog(image((600, 700)), progress=lambda *now: told.append(now), **WHERE)
    assert told[-1] == (600, 600)
    with pytest.raises(TypeError, match="progress"):
        cogsmith.write(image((60, 70)), ":mem:", progress=3)


def test_bars_of_tqdm_and_rich(tmp_path):
    with tqdm.tqdm(unit="row", file=io.StringIO()) as bar:
        cogsmith.write(image((2000, 3000)), ":mem:", progress=bar)
    assert (bar.n, bar.total) == (2000, 2000)
    with rich.progress.Progress(console=rich.console.Console(file=io.StringIO())) as bars:
        task = bars.add_task("writing")
        cogsmith.write(
            image((2000, 3000)), ":mem:", progress=lambda done, rows: bars.update(task, completed=done, total=rows)
        )
        assert bars.tasks[0].completed == bars.tasks[0].total == 2000
    with tqdm.tqdm(file=io.StringIO()) as bar:
        with cogsmith.CogWriter(":mem:", shape=(600, 70), dtype="uint16", progress=bar) as cog:
            cog.push(image((600, 70)))
    assert (bar.n, bar.total) == (600, 600)


WORK = """
import sys, time
import numpy as np
import cogsmith
pixels = np.random.default_rng(0).integers(0, 4000, (14000, 8000), "uint16")
print("ready", flush=True)
try:
    cogsmith.{call}
except KeyboardInterrupt:
    print("stopped", time.time(), flush=True)
    sys.exit(7)
print("done")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a child alone")
@pytest.mark.parametrize(
    "call",
    [
        "write(pixels, sys.argv[1], compress='zstd', level=19)",
        "write_cog(pixels, sys.argv[1], crs=32633, transform=(10, 0, 0, 0, -10, 0), blocksize=1024, zlevel=9)",
        "write(pixels, ':mem:', compress='zstd', level=19)",
    ],
)
def test_ctrl_c_stops_within_a_second_and_leaves_nothing(call, tmp_path):
    target = tmp_path / "out.tif"
    process = subprocess.Popen(
        [sys.executable, "-c", WORK.format(call=call), str(target)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.7)
    assert process.poll() is None
    sent = time.time()
    os.kill(process.pid, signal.SIGINT)
    word, stopped = process.stdout.readline().split()
    assert word == "stopped" and process.wait() == 7
    assert float(stopped) - sent < 1.0, float(stopped) - sent
    assert leftovers(tmp_path) == []


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from Linux's /proc")
@pytest.mark.parametrize(
    ("target", "prepare"),
    [("path", "pixels"), ("path", "pixels.T"), ("path", "pixels[:, ::-1]"), ("path", "pixels.view('>u2')"), ("memory", "pixels")],
)
def test_memory_above_the_array(target, prepare, tmp_path):
    """Peak memory is at most 200 MB above the array and a result in memory; the benchmark uses 2 GiB."""
    script = f"""
import sys, numpy as np, cogsmith
def status(name):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name)) * 1024
pixels = np.empty((12000, 16000), "uint16")
block = np.random.default_rng(0).integers(0, 4000, (500, 16000), "uint16")
for row in range(0, 12000, 500):
    pixels[row : row + 500] = block
pixels = {prepare}
open("/proc/self/clear_refs", "w").write("5")
before = status("VmRSS")
result = cogsmith.write(pixels, {"':mem:'" if target == "memory" else "sys.argv[1]"})
print(status("VmHWM") - before, len(result) if isinstance(result, bytes) else 0)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "out.tif")], check=True, capture_output=True, text=True
    )
    grown, result = map(int, done.stdout.split())
    assert grown - result < 200e6, (grown, result)


def test_the_gil_is_released():
    import threading

    ticks, stop = [0], threading.Event()

    def count():
        while not stop.is_set():
            ticks[0] += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    pixels = image((4000, 4000))
    thread.start()
    began, before = time.time(), ticks[0]
    cogsmith.write(pixels, ":mem:", threads=1)
    passed, counted = time.time() - began, ticks[0] - before
    stop.set()
    thread.join()
    # With the GIL held, there would be none or one.
    assert counted > passed * 50, (counted, passed)


# Looking at files -----------------------------------------------------------------------------------------------------


def test_validate_and_info(out):
    data = cogsmith.write(image((1300, 1100)), ":mem:", nodata=3, band_names="red", **WHERE)
    out.write_bytes(data)
    for subject in (out, str(out), data):
        verdict = cogsmith.validate(subject, strict=True)
        assert verdict["verdict"] == "valid", verdict["findings"]
        assert verdict["tiles"] == verdict["tiles_decoded"] == 9 + 4 + 1
        facts = cogsmith.info(subject)
        assert (facts["width"], facts["height"], facts["data_type"], facts["nodata"]) == (1100, 1300, "u16", "3")
        assert facts["crs"] == "EPSG:32633" and tuple(facts["transform"]) == WHERE["transform"]
        assert [(level["width"], level["height"]) for level in facts["levels"]] == [(1100, 1300), (550, 650), (275, 325)]
    broken = bytearray(data)
    broken[-3000:-2000] = bytes(1000)
    verdict = cogsmith.validate(bytes(broken))
    assert verdict["verdict"] == "invalid" and verdict["errors"] > 0
    assert all(finding["message"] and finding["remedy"] for finding in verdict["findings"])
    assert cogsmith.validate(data, quick=True)["quick"] is True
    for look_at in (cogsmith.validate, cogsmith.info):
        with pytest.raises(ValueError):
            look_at(b"no TIFF at all")
        with pytest.raises(FileNotFoundError):
            look_at(out.parent / "none.tif")


def test_verified_writes(out):
    pixels = image((600, 700))
    cogsmith.write(pixels, out, verify=True, **WHERE)
    assert out.read_bytes() == cogsmith.write(pixels, ":mem:", **WHERE)
    with pytest.raises(ValueError, match="verify"):
        cogsmith.write(pixels, ":mem:", verify=True)
