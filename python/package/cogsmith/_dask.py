"""Write Dask arrays: a graph of Dask tasks, each with one block of the image.

Tasks of the first tier take a block of pixels with its margins, encode its tiles and its part of the overviews, and
return a record of sizes, the tiles, and the pixels of a coarse level; tasks of later tiers continue from there (see
``docs/distributed.md``). Records are merged in a tree. The target is touched only afterwards, when none of the caller's
tasks can fail any more: its header follows from the records, and one task per block writes the tiles at their offsets.
The last task renames the file.

No task holds more than a block, and a failure in the caller's tasks leaves nothing behind. Files in object stores are sent
from the workers in parts (``_upload.py``).
"""

from __future__ import annotations

import io
import itertools
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from dask.delayed import Delayed, delayed

from . import _arrays, _native, _options, _raster, _upload, _values
from ._chunks import Chunks, Frame, cut_out
from ._final import FileWrite, ObjectWrite, remove
from ._fragments import Fragment, Id
from ._plan import Pixels
from ._raster import Raster
from ._resolve import ResolvedOptions
from ._targets import MEMORY, check_storage_options, path_of
from ._upload import Connection

#: Bytes of a block of pixels: blocks grow to the first and shrink to the second if the chunks allow it.
SMALL_BLOCK, LARGE_BLOCK = 16 << 20, 128 << 20
#: Number of inputs that one task merges.
FAN_IN = 16
#: A block assembled from more pieces than this causes a warning.
MANY_PIECES = 512
#: A chunk of more bytes than this causes a warning.
LARGE_CHUNK = 1 << 30
#: Bytes that are read and written at a time when tiles are copied to the file.
COPY = 8 << 20


def delayed_write(raster: Raster, mask: Any, resolved: ResolvedOptions, target: Any) -> Delayed:
    """Returns the task that writes the file; nothing is computed or written before it is computed."""
    where: Path | Connection | None
    if isinstance(target, str) and target == MEMORY:
        where = None
        _native.check_stream(resolved.work)
    elif isinstance(target, str) and _native.is_object(target):
        _native.check_stream(replace(resolved.work, overwrite=False))
        where = Connection(target, resolved.work.storage_options, resolved.work.overwrite)
        where.check_options()
        if resolved.options.sparse != "no":
            raise ValueError("sparse is not supported for Dask arrays and object stores; write a local file, and copy it")
    elif isinstance(target, (str, os.PathLike)):
        where = path_of(target)
    else:
        raise TypeError(
            f"{target!r}: a Dask array is written to a path or ':mem:', or to an object such as 's3://bucket/key.tif', "
            "which other processes can reach"
        )
    check_storage_options(resolved.work.storage_options, where.target if isinstance(where, Connection) else where)
    if resolved.work.verify:
        raise ValueError("verify is not supported for Dask arrays; pass the file to cogsmith.validate")
    if resolved.work.progress is not None:
        raise ValueError(
            "progress is not supported for Dask arrays; use a Dask progress bar, such as dask.diagnostics.ProgressBar"
        )
    plan = resolved.plan()
    pixels = _one_array(raster.parts)
    width, height = block_size(resolved.options.tile_size, pixels)
    _warn_of_costly_chunks(pixels, width, height)
    shards = _native.Shards(plan, width, height)
    if mask is not None and _raster.is_dask(getattr(mask, "data", mask)):
        mask = Chunks(getattr(mask, "data", mask))
    return _Graph(shards, resolved, where, plan.uncompressed_bytes).build(Chunks(pixels), mask)


def _one_array(parts: Sequence[Any]) -> Any:
    """Returns all bands of an image in one Dask array."""
    if len(parts) == 1:
        return parts[0]
    import dask.array

    return dask.array.concatenate(parts, axis=2)  # type: ignore[no-untyped-call]


def block_size(tile: tuple[int, int], pixels: Any) -> tuple[int, int]:
    """Returns columns and rows of a block: tiles times powers of two, close to the size of the chunks."""
    tile_width, tile_height = tile
    bytes_of_pixel = int(pixels.dtype.itemsize) * int(pixels.shape[2])
    rows, columns = (max(chunks) for chunks in pixels.chunks[:2])
    width, height = _times_power_of_two(tile_width, columns), _times_power_of_two(tile_height, rows)

    def size() -> int:
        return width * height * bytes_of_pixel

    # Each edge of a block adds margins: the shorter side grows first, and the longer one shrinks first.
    while size() * 2 <= SMALL_BLOCK * 2 and (width < pixels.shape[1] or height < pixels.shape[0]):
        if height >= pixels.shape[0] or (width <= height and width < pixels.shape[1]):
            width *= 2
        else:
            height *= 2
    while size() > LARGE_BLOCK and (width > tile_width or height > tile_height):
        if height <= tile_height or (width >= height and width > tile_width):
            width //= 2
        else:
            height //= 2
    return width, height


def _times_power_of_two(unit: int, side: int) -> int:
    """Returns the largest ``unit * 2**n`` that does not exceed a side, at least the unit."""
    while unit * 2 <= side:
        unit *= 2
    return unit


def _warn_of_costly_chunks(pixels: Any, width: int, height: int) -> None:
    """Warns if other chunks would make the work much faster, or need much less memory."""
    largest = int(np.prod([max(chunks) for chunks in pixels.chunks])) * int(pixels.dtype.itemsize)
    rows, columns, bands = pixels.chunks
    pieces = len(bands) * _pieces(rows, height) * _pieces(columns, width)
    advice = f"rechunk to about {_values.size(width, height)} first"
    if largest > LARGE_CHUNK and len(rows) * len(columns) > 1:
        _options.warn(f"chunks of {largest >> 20} MiB are costly: a worker holds several of them at once; {advice}")
    elif pieces > MANY_PIECES:
        _options.warn(
            f"the chunking is costly: each block of {_values.size(width, height)} is assembled from about {pieces} "
            f"chunks; {advice}"
        )


def _pieces(chunks: Sequence[int], side: int) -> int:
    """Returns the approximate number of chunks along one side of a block."""
    return min(len(chunks), -(-side * len(chunks) // max(1, sum(chunks))) + 1)


# The graph ------------------------------------------------------------------------------------------------------------


#: The frame and the parts of a window, and those of its mask: no frame for a mask that is an array, or `None`.
_Part = tuple[Frame, list[Any], Frame | None, Any]


@dataclass
class _Block:
    """The delayed results of a block."""

    #: Record, tiles, pixels for the next tier, and the starts of its runs, in one value.
    output: Delayed
    record: Delayed
    fragment: Delayed
    pixels: Delayed


class _Graph:
    """Builds the graph of one file."""

    def __init__(
        self, shards: _native.Shards, resolved: ResolvedOptions, where: Path | Connection | None, bytes_in_all: int
    ) -> None:
        self.shards, self.resolved, self.bytes_in_all = shards, resolved, bytes_in_all
        self.connection = where if isinstance(where, Connection) else None
        self.path = path = where if isinstance(where, Path) else None
        self.token = uuid.uuid4().hex
        # Next to the target of a symbolic link, so that a rename is enough.
        real = None if path is None else Path(os.path.realpath(path))
        self.temporary = None if real is None else real.with_name(f".{real.name[:180]}.cogsmith-{self.token}.tmp")
        self.threads = resolved.work.threads or 1

    def build(self, pixels: Chunks, mask: Any) -> Delayed:
        # The context is one value that all tasks depend on, rather than a copy in each task.
        context = self.task(_Context, "plan")(self.settled(pixels, mask), self.token, self.threads, self.resolved.fill)
        if self.path is not None:
            context = self.task(_check_target, "check")(context, self.path, self.resolved.work.overwrite)
        elif self.connection is not None:
            context = self.task(_upload.check, "check")(context, self.connection)
        blocks: dict[Id, _Block] = {}
        for tier in self.shards.tiers:
            for shard in tier:
                blocks[shard] = self.block(context, shard, blocks, pixels, mask)
        gathered = [
            self.task(_gather, "gather", number)(context, [block.record for block in some])
            for number, some in enumerate(_cut(list(blocks.values())))
        ]
        depth = 0
        while len(gathered) > 1:
            depth += 1
            gathered = [
                self.task(_merge, f"merge-{depth}", number)(context, some)
                for number, some in enumerate(_cut(gathered))
            ]
        return self.finish(context, gathered[0], blocks)

    def settled(self, pixels: Chunks, mask: Any) -> Any:
        """Returns the shards, with the predictor that the local encoder chooses from some tiles of the first rows."""
        windows = self.shards.predictor_windows
        if not windows:
            return self.shards
        parts = [self.part(pixels, mask, window, "predictor", number) for number, window in enumerate(windows)]
        return self.task(_settle, "predictor")(self.shards, parts, self.resolved.fill)

    def block(self, context: Delayed, shard: Id, blocks: dict[Id, _Block], pixels: Chunks, mask: Any) -> _Block:
        if shard[0] == 0:
            part = self.part(pixels, mask, self.shards.window(shard), "part", *shard)
            done = self.task(_encode, "encode", *shard)(context, shard, part)
        else:
            inputs = [blocks[before].pixels for before in self.shards.inputs(shard)]
            done = self.task(_encode_from, "encode", *shard)(context, shard, inputs)
        record, fragment, given = (
            self.task(_item, name, *shard)(done, place) for place, name in enumerate(("record", "tiles", "pixels"))
        )
        return _Block(done, record, fragment, given)

    def part(self, pixels: Chunks, mask: Any, window: tuple[int, int, int, int], name: str, *place: int) -> _Part:
        """Returns the parts of chunks that a window of full resolution, with its mask, is assembled from."""
        top, bottom, left, right = window

        def cut(chunks: Chunks, name: str) -> tuple[Frame, list[Any]]:
            count = itertools.count()
            return chunks.window(
                [(top, bottom), (left, right)],
                lambda chunk, part: self.task(cut_out, name, *place, next(count))(chunk, part),
            )

        if isinstance(mask, Chunks):
            return (*cut(pixels, name), *cut(mask, f"{name}-mask"))
        valid = None if mask is None else np.array(mask[top:bottom, left:right])
        return (*cut(pixels, name), None, valid)

    def finish(self, context: Delayed, merged: Delayed, blocks: dict[Id, _Block]) -> Delayed:
        if self.connection is not None:
            return self.upload(self.connection, context, merged, blocks)
        if self.path is None:
            fragments = [block.fragment for block in blocks.values()]
            in_memory: Delayed = self.task(_to_memory, "save")(context, merged, list(blocks), fragments)
            return in_memory
        begun = self.task(_begin, "begin")(context, merged, self.path, self.temporary, self.resolved.work.overwrite)
        placed = []
        for shard, block in blocks.items():
            pieces = self.task(_pieces_of, "places", *shard)(begun, shard)
            placed.append(self.task(_place, "place", *shard)(pieces, shard, block.fragment, self.temporary))
        depth = 0
        while len(placed) > FAN_IN:
            depth += 1
            placed = [
                self.task(_first_failure, f"placed-{depth}", number)(some) for number, some in enumerate(_cut(placed))
            ]
        work = self.resolved.work
        last = self.task(_finish, "save")(begun, placed, self.path, self.temporary, work.overwrite, work.sync)
        return FileWrite(last, str(self.temporary))

    def upload(
        self, connection: Connection, context: Delayed, merged: Delayed, blocks: dict[Id, _Block]
    ) -> Delayed:
        """Returns the task that completes the upload of a file."""
        groups = _upload.Groups(self.shards, self.bytes_in_all)
        begun = self.task(_upload.begin, "begin")(context, merged, connection, groups)
        sent = []
        for number, group in enumerate(groups.runs):
            runs: dict[Id, list[int]] = {}
            for shard, run in group:
                runs.setdefault(shard, []).append(run)
            tiles = [
                self.task(_upload.cut, "tiles", number, *shard)(blocks[shard].output, some)
                for shard, some in runs.items()
            ]
            placed = self.task(_upload.group_of, "place", number)(begun, number)
            sent.append(self.task(_upload.send, "send", number)(context, placed, tiles, connection))
        depth = 0
        while len(sent) > 1:
            depth += 1
            sent = [
                self.task(_upload.join, f"join-{depth}", number)(some, connection)
                for number, some in enumerate(_cut(sent, _upload.FAN_IN))
            ]
        session = self.task(_upload.session_of, "session")(begun)
        last = self.task(_upload.complete, "save")(sent[0], session, connection)
        return ObjectWrite(last, connection)

    def task(self, function: Any, name: str, *place: int) -> Any:
        """Returns a function as a task, named after its work and its block."""
        key = "-".join([f"cogsmith-{name}", self.token, *map(str, place)])
        # An explicit name is the key: nothing has to be hashed, and no two writes share a task.
        make = delayed(function, pure=False, traverse=True)
        return lambda *arguments: make(*arguments, dask_key_name=key)


def _cut(items: list[Any], count: int = FAN_IN) -> list[list[Any]]:
    return [items[first : first + count] for first in range(0, len(items), count)]


# Tasks ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Context:
    """Data that all tasks of a file share."""

    shards: _native.Shards
    token: str
    threads: int
    fill: str | None


@dataclass(frozen=True)
class _Failure:
    """An error after the target has been touched, passed on as a value so that the last task can clean up."""

    error: BaseException


def _check_target(context: _Context, path: Path, overwrite: bool) -> _Context:
    """Fails before the work if the target cannot be written."""
    if path.exists() and not overwrite:
        raise FileExistsError(17, "File exists; pass overwrite=True to replace it", str(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(2, "no such directory; create it first", str(path.parent))
    return context


def _settle(shards: _native.Shards, parts: list[_Part], fill: str | None) -> _native.Shards:
    return shards.settle([_pixels(part, fill) for part in parts])


def _pixels(part: _Part, fill: str | None) -> Pixels:
    frame, parts, mask_frame, valid = part
    window = frame.put_together(parts)
    mask = valid if mask_frame is None else mask_frame.put_together(valid)
    return _arrays.pixels([window], mask, fill)


#: Record, tiles, pixels for the next tier, and the starts of the runs of tiles.
_Output = tuple[bytes, Fragment, "bytes | None", list[int]]


def _encode(context: _Context, shard: Id, part: _Part) -> _Output:
    return _kept(context, context.shards.encode(shard, _pixels(part, context.fill), context.threads))


def _encode_from(context: _Context, shard: Id, inputs: list[bytes]) -> _Output:
    return _kept(context, context.shards.encode_from(shard, inputs, context.threads))


def _kept(context: _Context, output: tuple[bytes, int, bytes, bytes | None, list[int]]) -> _Output:
    record, digest, tiles, pixels, starts = output
    return record, Fragment.keep(context.token, digest, tiles), pixels, starts


def _item(output: tuple[Any, ...], place: int) -> Any:
    return output[place]


def _gather(context: _Context, records: list[bytes]) -> bytes:
    return context.shards.gather(records)


def _merge(context: _Context, gathered: list[bytes]) -> bytes:
    return context.shards.merge(gathered)


def _to_memory(context: _Context, merged: bytes, shards: list[Id], fragments: list[Fragment]) -> bytes:
    layout = context.shards.layout(merged)
    pieces = layout.pieces()
    # Full size from the start; getvalue() then returns the bytes without a copy.
    stream = io.BytesIO()
    stream.seek(layout.size - 1)
    stream.write(b"\0")
    stream.seek(0)
    stream.write(layout.header)
    for shard, fragment in zip(shards, fragments, strict=True):
        digest, runs = pieces.get(shard, (fragment.digest, []))
        fragment.check(shard, digest)
        for start, end, offset in runs:
            stream.seek(offset)
            for place in range(start, end, COPY):
                stream.write(fragment.read(place, min(place + COPY, end)))
    return stream.getvalue()


def _begin(context: _Context, merged: bytes, path: Path, temporary: Path, overwrite: bool) -> Any:
    """Creates the temporary file with its header, at its full size."""
    layout = context.shards.layout(merged)
    _check_target(context, path, overwrite)
    try:
        # If the task runs again, the file is created again; tiles that other tasks have written are the same bytes.
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        with os.fdopen(descriptor, "r+b") as file:
            file.write(layout.header)
            file.truncate(layout.size)
    except OSError as error:
        return _Failure(error)
    return layout.pieces()


def _pieces_of(begun: Any, shard: Id) -> Any:
    return begun if isinstance(begun, _Failure) else begun.get(shard)


def _place(pieces: Any, shard: Id, fragment: Fragment, temporary: Path) -> _Failure | None:
    """Writes the tiles of a block at their offsets."""
    if pieces is None or isinstance(pieces, _Failure):
        return pieces
    digest, runs = pieces
    try:
        fragment.check(shard, digest)
        with open(temporary, "r+b", buffering=0) as file:
            for start, end, offset in runs:
                file.seek(offset)
                for place in range(start, end, COPY):
                    some = memoryview(fragment.read(place, min(place + COPY, end)))
                    while some:
                        some = some[file.write(some) :]
    except (OSError, ValueError) as error:
        return _Failure(error)
    return None


def _first_failure(outcomes: list[_Failure | None]) -> _Failure | None:
    return next((outcome for outcome in outcomes if outcome is not None), None)


def _finish(
    begun: Any, placed: list[_Failure | None], path: Path, temporary: Path, overwrite: bool, sync: bool
) -> Path:
    """Renames the file to its target, or removes it."""
    failure = begun if isinstance(begun, _Failure) else _first_failure(placed)
    if failure is not None:
        remove(temporary)
        raise failure.error
    try:
        if not os.path.exists(temporary) and os.path.exists(path):
            # This task has run before, and only its result was lost.
            return path
        _publish(temporary, Path(os.path.realpath(path)), overwrite, sync)
    except BaseException:
        remove(temporary)
        raise
    return path


def _publish(temporary: Path, target: Path, overwrite: bool, sync: bool) -> None:
    """Renames a file to the target, with the permissions of a file that it replaces."""
    if sync:
        with open(temporary, "r+b") as file:
            os.fsync(file.fileno())
    if overwrite:
        if target.exists():
            os.chmod(temporary, target.stat().st_mode & 0o777)
        os.replace(temporary, target)
        return
    try:
        # A rename replaces silently, a hard link does not.
        os.link(temporary, target)
    except FileExistsError:
        raise FileExistsError(17, "File exists; pass overwrite=True to replace it", str(target)) from None
    except (OSError, NotImplementedError, AttributeError):
        # Without hard links, a gap between check and rename is unavoidable.
        if os.path.lexists(target):
            raise FileExistsError(17, "File exists; pass overwrite=True to replace it", str(target)) from None
        os.rename(temporary, target)
    else:
        os.remove(temporary)
