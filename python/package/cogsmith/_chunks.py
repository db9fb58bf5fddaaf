"""The chunks of a Dask array, and the parts of them that a window is assembled from.

A window is not a slice of the array: Dask would create a separate group of tasks for every window, and its distributed
scheduler starts the first tasks of small groups all at once. Chunks would then be computed far ahead of the blocks that
need them, and fill the memory of workers. The chunks of an array are one group, of which no more are computed than
there are free workers.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Slices = tuple[slice, ...]


@dataclass(frozen=True)
class Frame:
    """The shape and type of a window, and the slices of its parts."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    places: list[Slices]

    def put_together(self, parts: Sequence[Any]) -> np.ndarray[Any, Any]:
        """Returns the window; a single part is not copied."""
        arrays = [self._checked(part, place) for part, place in zip(parts, self.places, strict=True)]
        if len(arrays) == 1 and arrays[0].shape == self.shape:
            return arrays[0]
        window = np.empty(self.shape, self.dtype)
        for array, place in zip(arrays, self.places, strict=True):
            window[place] = array
        return window

    def _checked(self, part: Any, place: Slices) -> np.ndarray[Any, Any]:
        """Returns a part; an error if it is not as declared, since NumPy would silently convert or broadcast it."""
        if isinstance(part, np.ma.MaskedArray) and np.ma.is_masked(part):
            raise ValueError(
                "chunks of the Dask array are masked, but its meta is not; use dask.array.ma.filled, or pass the mask "
                "as mask="
            )
        array = np.asarray(part)
        shape = tuple(one.stop - one.start for one in place)
        if array.shape != shape or array.dtype.newbyteorder("=") != self.dtype.newbyteorder("="):
            raise ValueError(
                f"a chunk is {array.dtype} of shape {array.shape}, but the Dask array declares {self.dtype} of {shape}"
            )
        return array


class Chunks:
    """The chunks of an array."""

    def __init__(self, array: Any) -> None:
        self._chunks = array.to_delayed()
        self._edges = [np.cumsum([0, *chunks]).tolist() for chunks in array.chunks]
        self._dtype = np.dtype(array.dtype)

    def window(self, ranges: Sequence[tuple[int, int]], cut: Callable[[Any, Slices], Any]) -> tuple[Frame, list[Any]]:
        """Returns the parts of a window, given by start and end along the first axes; the other axes are complete.

        ``cut`` creates a task that cuts a part out of a chunk.
        """
        rest = [(0, edges[-1]) for edges in self._edges[len(ranges) :]]
        axes = [_overlaps(edges, *ends) for edges, ends in zip(self._edges, [*ranges, *rest], strict=True)]
        parts, places = [], []
        for overlaps in itertools.product(*axes):
            chunk = self._chunks[tuple(overlap.chunk for overlap in overlaps)]
            whole = all(overlap.whole for overlap in overlaps)
            parts.append(chunk if whole else cut(chunk, tuple(overlap.part for overlap in overlaps)))
            places.append(tuple(overlap.place for overlap in overlaps))
        shape = tuple(end - start for start, end in [*ranges, *rest])
        return Frame(shape, self._dtype, places), parts


@dataclass(frozen=True)
class _Overlap:
    """The overlap of a window and a chunk along an axis: the part of the chunk, and its place in the window."""

    chunk: int
    whole: bool
    part: slice
    place: slice


def _overlaps(edges: list[int], start: int, end: int) -> list[_Overlap]:
    found = []
    for chunk, (first, last) in enumerate(itertools.pairwise(edges)):
        low, high = max(first, start), min(last, end)
        if low < high:
            part, place = slice(low - first, high - first), slice(low - start, high - start)
            found.append(_Overlap(chunk, (low, high) == (first, last), part, place))
    return found


def cut_out(chunk: Any, part: Slices) -> Any:
    """Returns a copy of a part of a chunk, so that the chunk can be freed."""
    return chunk[part].copy()
