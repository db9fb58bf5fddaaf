"""The Python example in README.md: it runs unchanged, and its files are valid."""

import re
from pathlib import Path

import pytest

from conftest import assert_valid

README = Path(__file__).parents[2] / "README.md"


def test_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.M | re.S)
    assert len(blocks) == 1
    monkeypatch.chdir(tmp_path)
    exec(compile(blocks[0], str(README), "exec"), {})
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == ["scene-cog.tif", "scene.tif"]
    for name in written:
        assert_valid(tmp_path / name)
