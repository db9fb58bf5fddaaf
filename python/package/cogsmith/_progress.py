"""Progress callbacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def as_callback(progress: Any) -> Callable[[int, int], object] | None:
    """Returns a callable that takes rows done and rows in total, from such a callable or from a tqdm bar."""
    if progress is None:
        return None
    if hasattr(progress, "update") and hasattr(progress, "n"):
        return _Bar(progress)
    if callable(progress):
        function: Callable[[int, int], object] = progress
        return function
    raise TypeError(f"progress={progress!r}: expected a function of rows done and rows in total, or a tqdm bar")


class _Bar:
    """Moves a tqdm bar, which takes increments."""

    def __init__(self, bar: Any) -> None:
        self.bar = bar
        self.start = bar.n

    def __call__(self, done: int, rows: int) -> None:
        if self.bar.total is None:
            self.bar.total = self.start + rows
        self.bar.update(self.start + done - self.bar.n)
