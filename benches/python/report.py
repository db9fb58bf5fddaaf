"""Shared code of the Python benchmarks: machine description, process memory, and the results page."""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import os
import platform
import shlex
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "python-benchmarks.md"

HEAD = """# Benchmarks of the Python package

The command above each table writes it. It measures all writers in one run, one after the other, each in processes of its
own. The note below each table explains how memory is measured. `scripts/python-bench.sh` builds the wheel with `--release`
and installs it next to the others.
"""


def proc(process: int | str, name: str) -> int:
    """Returns a memory counter of a process in bytes; 0 if the process has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(name)), 0)


def mib(count: float) -> str:
    return f"{count / 2**20:,.0f} MiB"


def add_page(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--page", type=Path, help="write the result to this page, such as docs/python-benchmarks.md")


def machine() -> str:
    """Returns one line with processor, cores, memory, and system."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cores = len(os.sched_getaffinity(0))
    return f"{model}, {cores} cores, {memory / 2**30:.0f} GiB, {platform.system()} {platform.release()}"


def versions(*packages: str) -> str:
    found = [f"Python {platform.python_version()}"]
    for package in packages:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{package} not installed")
    try:
        import rasterio

        found.append(f"GDAL {rasterio.__gdal_version__}")
    except ImportError:
        pass
    return ", ".join(found)


def table(columns: list[str], rows: list[list[str]]) -> str:
    """Returns a Markdown table; all columns except the first and the last are right-aligned."""
    rule = ["---"] + ["--:"] * (len(columns) - 2) + ["---"]
    return "\n".join("| " + " | ".join(row) + " |" for row in [columns, rule, *rows])


def section(title: str, facts: list[str], body: str, notes: str) -> str:
    command = " ".join(["scripts/python-bench.sh", Path(sys.argv[0]).stem, *map(shlex.quote, sys.argv[1:])])
    today = datetime.date.today().isoformat()
    said = "\n".join(f"- {fact}" for fact in [today, machine(), *facts])
    return f"## {title}\n\n```sh\n{command}\n```\n\n{said}\n\n{body}\n\n{notes.strip()}\n"


def publish(text: str, page: Path | None) -> None:
    """Prints a section, and replaces the section of the page with the same title."""
    print("\n" + text, flush=True)
    if page is None:
        return
    old = page.read_text() if page.exists() else HEAD
    head, *sections = old.split("\n## ")
    title = text.split("\n", 1)[0].removeprefix("## ")
    kept = {one.split("\n", 1)[0]: one.strip() for one in sections}
    kept[title] = text.removeprefix("## ").strip()
    page.write_text("\n\n## ".join([head.strip(), *kept.values()]) + "\n")
