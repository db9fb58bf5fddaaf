"""Who is told how far the work is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def as_callback(progress: Any) -> Callable[[int, int], object] | None:
    """A callable that takes rows done and rows in all, from such a callable or from a bar of tqdm."""
    if progress is None:
        return None
    if hasattr(progress, "update") and hasattr(progress, "n"):
        return _Bar(progress)
    if callable(progress):
        function: Callable[[int, int], object] = progress
        return function
    raise TypeError(f"progress={progress!r} is neither a function of rows done and rows in all, nor a bar of tqdm")


class _Bar:
    """Moves a bar of tqdm, which wants to hear what has been added."""

    def __init__(self, bar: Any) -> None:
        self.bar = bar
        self.start = bar.n

    def __call__(self, done: int, rows: int) -> None:
        if self.bar.total is None:
            self.bar.total = self.start + rows
        self.bar.update(self.start + done - self.bar.n)
