"""The chunks of a Dask array as they are: which of them, and which parts of them, a window is put together from.

A window is not cut out by slicing the array: Dask would make a group of tasks of its own for every window, and its
distributed scheduler hands out the first tasks of small groups all at once. Chunks would then be made far ahead of the
blocks that need them, and fill the memory of workers. The chunks of one array are one group, of which no more are made
than workers are free.
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
    """What the parts of a window become: its shape and type, and where each part goes."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    places: list[Slices]

    def put_together(self, parts: Sequence[Any]) -> np.ndarray[Any, Any]:
        """The window; a single part is not copied."""
        arrays = [self._checked(part, place) for part, place in zip(parts, self.places, strict=True)]
        if len(arrays) == 1 and arrays[0].shape == self.shape:
            return arrays[0]
        window = np.empty(self.shape, self.dtype)
        for array, place in zip(arrays, self.places, strict=True):
            window[place] = array
        return window

    def _checked(self, part: Any, place: Slices) -> np.ndarray[Any, Any]:
        """A part, once it is what Dask was told: numpy would convert and repeat silently."""
        if isinstance(part, np.ma.MaskedArray) and np.ma.is_masked(part):
            raise ValueError(
                "chunks of the array turned out to be masked, which its meta doesn't say: use dask.array.ma.filled, or "
                "pass the mask as mask="
            )
        array = np.asarray(part)
        shape = tuple(one.stop - one.start for one in place)
        if array.shape != shape or array.dtype.newbyteorder("=") != self.dtype.newbyteorder("="):
            raise ValueError(
                f"a chunk turned out to be {array.dtype} of shape {array.shape}, and Dask was told {self.dtype} of {shape}"
            )
        return array


class Chunks:
    """The chunks of an array."""

    def __init__(self, array: Any) -> None:
        self._chunks = array.to_delayed()
        self._edges = [np.cumsum([0, *chunks]).tolist() for chunks in array.chunks]
        self._dtype = np.dtype(array.dtype)

    def window(self, ranges: Sequence[tuple[int, int]], cut: Callable[[Any, Slices], Any]) -> tuple[Frame, list[Any]]:
        """The parts of a window, given by start and end along the first axes; of the others it has all.

        ``cut`` makes a task that cuts a part out of a chunk.
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
    """What a window has of a chunk along an axis: which part of the chunk, and at which place of the window."""

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
    """A part of a chunk, in memory of its own, so that the chunk can go."""
    return chunk[part].copy()
