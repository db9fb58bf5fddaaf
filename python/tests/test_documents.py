"""Documents and types: examples run, tables of options are complete, and types match the stubs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import assert_valid

import cogsmith

PROJECT = Path(__file__).resolve().parents[2]
PAGE = PROJECT / "docs" / "python.md"


def test_examples_of_the_page(tmp_path, monkeypatch):
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) >= 8
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for example in examples:
        exec(compile(example, str(PAGE), "exec"), names)  # noqa: S102 - the examples are the test
    written = sorted(path.name for path in tmp_path.glob("*.tif"))
    assert {"red.tif", "pixels.tif", "rows.tif", "again.tif", "lazy.tif", "accessor.tif"} <= set(written)
    for name in written:
        assert_valid(tmp_path / name, finished=name == "levels.tif", edited=name == "pixels.tif")


def test_the_notebook(tmp_path):
    script = PROJECT / "docs" / "python_example.py"
    done = subprocess.run([sys.executable, str(script), str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "valid" in done.stdout.splitlines()
    assert (tmp_path / "python_example.png").read_bytes()[:4] == b"\x89PNG"
    assert_valid(tmp_path / "index.tif")


def test_every_option_is_on_the_page():
    from cogsmith import _file_options, _options, _overrides

    page = PAGE.read_text(encoding="utf-8")
    again = {"driver", "width", "height", "count", "dtype", "tiled"}
    for name in [*_options.OPTIONS, *_overrides.OVERRIDES, *_file_options.FILE_OPTIONS]:
        assert f"`{name}`" in page or name in again or name == "descriptions", name
    for name in cogsmith.__all__:
        assert name == "__version__" or f"`{name}`" in page or f".{name}(" in page, name


def test_everything_public_is_documented():
    for name in cogsmith.__all__:
        value = getattr(cogsmith, name)
        assert isinstance(value, str) or value.__doc__, name
    for name in ("push", "finish", "discard"):
        assert getattr(cogsmith.CogWriter, name).__doc__


def test_types():
    package = Path(cogsmith.__file__).parent
    assert (package / "py.typed").exists() and (package / "_native.pyi").exists()
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", os.devnull, "-p", "cogsmith"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_stub_is_what_the_module_is():
    done = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "cogsmith._native", "--ignore-disjoint-bases"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_how_callers_see_the_types(tmp_path):
    code = tmp_path / "caller.py"
    code.write_text(
        """
from pathlib import Path
import numpy as np
import cogsmith
path: Path = cogsmith.write(np.zeros((4, 4)), "a.tif")
data: bytes = cogsmith.to_cog(np.zeros((4, 4)), crs=4326, transform=(1, 0, 0, 0, -1, 0))
with cogsmith.CogWriter("b.tif", shape=(4, 4), dtype="u1") as cog:
    cog.push(np.zeros((4, 4), "u1"))
accepted = dict(compress="ZSTD", COMPRESS="lzw")
cogsmith.write(np.zeros((4, 4)), "a.tif", compress="zstd", level=15, overviews=[2, 4], blocksize=(256, 128), alpha=True)
cogsmith.write(np.zeros((4, 4)), "a.tif", COMPRESS="ZSTD", zlevel=3, NUM_THREADS="ALL_CPUS", dtype="u1", driver="GTiff")
cogsmith.create("a.tif", "b.tif", band_scale={1: 0.5}, metadata={"A": "b"}, mask="nodata", gcp=[(0, 0, 1, 1)])
cogsmith.write(np.zeros((4, 4)))  # a target is missing
cogsmith.write(np.zeros((4, 4)), "a.tif", compres="lzw")
cogsmith.to_cog(np.zeros((4, 4)), blocksize="large")
cogsmith.create("a.tif", "b.tif", scale=0.5)
"""
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", os.devnull, str(code)], capture_output=True, text=True
    )
    lines = done.stdout.splitlines()
    expected = (
        'Missing positional argument "target"', 'Unexpected keyword argument "compres"',
        'Argument "blocksize" to "to_cog" has incompatible type', 'Unexpected keyword argument "scale"',
    )  # fmt: skip
    errors = [line for line in lines if ": error: " in line]
    assert len(errors) == len(expected), done.stdout
    for error, part in zip(errors, expected, strict=True):
        assert part in error, done.stdout


@pytest.mark.skipif("COGSMITH_WHEEL" not in os.environ, reason="the test command names the wheel")
def test_the_wheel():
    wheel = Path(os.environ["COGSMITH_WHEEL"])
    assert "-cp310-abi3-" in wheel.name
    # Without the optimizations of a release, which make it smaller.
    assert wheel.stat().st_size < 9_700_000, wheel.stat().st_size
    # The installed package is the wheel, not the folder of sources.
    assert "site-packages" in cogsmith.__file__
