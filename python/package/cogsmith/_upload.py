"""Tasks that send a file to an object store from the machines that encoded it.

When the records of all blocks are merged, the size of the file and the place of every tile are known, so the file is
divided into parts before the first one is sent. The graph was built before that: it has groups of runs of tiles in file
order, each of about the size of a few parts. A task per group reads the group's tiles, which come from the workers that
encoded them, and sends the parts that are complete. What belongs to a part that other groups have bytes of is joined
with theirs in a tree of tasks. The last task completes the upload.

Every task may run again: a part that is sent twice replaces itself. Failures are passed on as values, so that the last
task can abort the upload.
"""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from . import _native
from ._fragments import Fragment, Id

#: Bytes of a group of tiles before compression, about: a few parts.
GROUP = 48 << 20
#: The most groups of a file: those of larger files are larger.
GROUPS = 4000
#: Number of inputs that one task joins.
FAN_IN = 8

#: Uploads that this process has begun or sent parts of, by the token of their connection.
_OPEN: dict[str, str] = {}
#: Uploads that were completed, by the token of their connection, as far as this process knows.
_DONE: set[str] = set()
#: Connections of this process, by process and token. Few are used at once.
_CONNECTIONS: dict[tuple[int, str], _native.Connection] = {}


class Connection:
    """The object that a file is written to, with the options of the connection.

    The options may contain secrets. They travel with this object alone, which shows only their names.
    """

    __slots__ = ("target", "overwrite", "token", "_options")

    def __init__(self, target: str, options: Mapping[str, str], overwrite: bool, token: str | None = None) -> None:
        self.target, self.overwrite, self._options = target, overwrite, dict(options)
        self.token = token or uuid.uuid4().hex

    def __repr__(self) -> str:
        return f"<Connection to {self.target!r} with options {sorted(self._options)}>"

    def __dask_tokenize__(self) -> Any:
        return "cogsmith-connection", self.token

    def __reduce__(self) -> Any:
        return Connection, (self.target, self._options, self.overwrite, self.token)

    def check_options(self) -> None:
        """Checks address and options, without the environment, which is that of the workers."""
        _native.Connection.check_options(self.target, self._options)

    def open(self) -> _native.Connection:
        """Returns the connection of this process."""
        # The thread of a connection does not survive a fork.
        key = (os.getpid(), self.token)
        connection = _CONNECTIONS.get(key)
        if connection is None:
            connection = _native.Connection(self.target, self._options, self.overwrite)
            for old in list(_CONNECTIONS)[:-8]:
                _CONNECTIONS.pop(old, None)
            _CONNECTIONS[key] = connection
        return connection


@dataclass(frozen=True)
class Session:
    """An upload."""

    #: Its identifier; `None` for a file that is written in one request.
    upload: str | None
    #: Size of the file in bytes, and number of its parts.
    size: int = 0
    parts: int = 0
    failure: BaseException | None = None
    #: The object is there, and only the result of the last task was lost.
    is_done: bool = False


@dataclass(frozen=True)
class Group:
    """A group of runs whose place in the file is known."""

    session: Session
    #: The offset in the file.
    offset: int = 0
    #: The header, which precedes the first group.
    header: bytes = b""
    #: Runs in file order: the position of their block among the blocks of the group, and the size in bytes.
    runs: Sequence[tuple[int, int]] = ()
    #: The blocks, and the digests of their records.
    blocks: Sequence[tuple[Id, int]] = ()
    #: The parts that have bytes of the group: number, start, and end.
    parts: Sequence[tuple[int, int, int]] = ()


@dataclass(frozen=True)
class Sent:
    """The outcome of sending some parts, and the bytes that belong to others."""

    session: Session
    #: Numbers and identifications of parts.
    parts: Mapping[int, str] = field(default_factory=dict)
    #: Parts that are not complete: number, start, and end.
    open: Sequence[tuple[int, int, int]] = ()
    #: Their bytes with the offsets in the file.
    rest: Sequence[tuple[int, Fragment]] = ()


class Groups:
    """The runs of a file in groups, in file order. Opaque to Dask, which would look into each of their lists."""

    def __init__(self, shards: _native.Shards, bytes_in_all: int) -> None:
        # The bound of a run is about twice its size before compression.
        self.runs = shards.groups(2 * max(GROUP, bytes_in_all // GROUPS))


# Tasks ----------------------------------------------------------------------------------------------------------------


def check(context: Any, connection: Connection) -> Any:
    """Fails before the work if the object cannot be written."""
    try:
        connection.open().check()
    except FileExistsError:
        if not _is_done(connection.token):
            raise
    return context


def cut(output: tuple[Any, ...], runs: Sequence[int]) -> Fragment:
    """Returns some runs of a block."""
    fragment, starts = output[1], output[3]
    part: Fragment = fragment.cut((starts[run], starts[run + 1]) for run in runs)
    return part


def begin(
    context: Any, merged: bytes, connection: Connection, groups: Groups
) -> tuple[Session, list[Group]]:
    """Begins the upload, and places all groups."""
    if _is_done(connection.token):
        session = Session(None, is_done=True)
        return session, [Group(session)] * len(groups.runs)
    layout = context.shards.layout(merged)
    header, lengths = layout.header, layout.lengths()
    offsets, offset, places = [0], len(header), iter(lengths)
    sizes = [[next(places) for _ in group] for group in groups.runs]
    for some in sizes:
        offset += sum(some)
        offsets.append(offset)
    try:
        ends = connection.open().part_ends(layout.size, offsets[1:])
        upload = None if len(ends) == 1 else _begin(connection)
    except (OSError, ValueError, RuntimeError) as error:
        session = Session(None, failure=error)
        return session, [Group(session)] * len(groups.runs)
    session = Session(upload, layout.size, len(ends))
    parts = list(zip(range(1, len(ends) + 1), [0, *ends[:-1]], ends, strict=True))
    placed, first = [], 0
    for number, (group, some) in enumerate(zip(groups.runs, sizes, strict=True)):
        start, end = offsets[number], offsets[number + 1]
        blocks = {shard: place for place, shard in enumerate(dict.fromkeys(shard for shard, _ in group))}
        while parts[first][2] <= start:
            first += 1
        last = first
        while last < len(parts) and parts[last][1] < end:
            last += 1
        placed.append(
            Group(
                session, start, b"" if number else header,
                [(blocks[shard], length) for (shard, _), length in zip(group, some, strict=True)],
                [(shard, layout.digest(shard)) for shard in blocks], parts[first:last],
            )
        )  # fmt: skip
    return session, placed


def _begin(connection: Connection) -> str:
    """Begins an upload, or returns the one that this task has begun before its result was lost."""
    known: str | None
    for known in [_OPEN.get(connection.token), *_on_workers(known_upload, connection.token)]:
        if known is not None:
            _OPEN[connection.token] = known
            return known
    begun = connection.open().begin()
    _OPEN[connection.token] = begun
    return begun


def _is_done(token: str) -> bool:
    return token in _DONE or True in _on_workers(known_as_done, token)


def known_as_done(token: str) -> bool:
    """Returns whether this process knows that an upload was completed."""
    return token in _DONE


def mark_done(token: str) -> None:
    """Notes that an upload was completed."""
    _OPEN.pop(token, None)
    _DONE.add(token)


def known_upload(token: str) -> str | None:
    """Returns the upload of a connection, if this process knows it."""
    return _OPEN.get(token)


def _on_workers(function: Any, *arguments: Any) -> list[Any]:
    """Calls a function in all workers of a cluster, if this is a task of one, or if there is a client."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return []
    try:
        client = distributed.get_client()
    except (ValueError, OSError):
        return []
    try:
        answers = client.run(function, *arguments, on_error="ignore")
    except Exception:
        # Nobody answers while the cluster closes, or a worker has just been lost.
        return []
    return list(answers.values())


def group_of(begun: tuple[Session, list[Group]], number: int) -> Group:
    return begun[1][number]


def session_of(begun: tuple[Session, list[Group]]) -> Session:
    return begun[0]


def send(context: Any, group: Group, fragments: Sequence[Fragment], connection: Connection) -> Sent:
    """Sends the parts that a group has all bytes of."""
    if group.session.failure is not None or group.session.is_done:
        return Sent(group.session)
    pieces, offset = [], group.offset
    try:
        if group.header:
            pieces.append((offset, Fragment.keep(context.token, 0, group.header)))
            offset += len(group.header)
        for fragment, (shard, digest) in zip(fragments, group.blocks, strict=True):
            fragment.check(shard, digest)
        taken = [0] * len(fragments)
        for block, length in group.runs:
            start = taken[block]
            taken[block] += length
            pieces.append((offset, fragments[block].cut([(start, start + length)])))
            offset += length
    except (OSError, ValueError) as error:
        return Sent(replace(group.session, failure=error))
    return _send(group.session, {}, group.parts, pieces, connection)


def join(some: Sequence[Sent], connection: Connection) -> Sent:
    """Joins adjacent outcomes, and sends the parts that are complete now."""
    session = some[0].session
    for other in some:
        if other.session.failure is not None:
            return Sent(other.session)
        if other.session.upload != session.upload:
            lost = OSError(
                f"{connection.target}: a lost worker was the only one to know upload {session.upload}, so another was "
                "begun; compute the file again"
            )
            # Both are to be aborted; the error has the one that the session does not.
            _abort(connection, other.session.upload)
            return Sent(replace(session, failure=lost))
    parts = {number: name for sent in some for number, name in sent.parts.items()}
    still_open = sorted({part for sent in some for part in sent.open})
    return _send(session, parts, still_open, [piece for sent in some for piece in sent.rest], connection)


def _send(
    session: Session,
    parts: dict[int, str],
    still_open: Sequence[tuple[int, int, int]],
    pieces: Sequence[tuple[int, Fragment]],
    connection: Connection,
) -> Sent:
    """Sends the parts whose bytes are all there; the pieces are in file order."""
    if session.upload is None:
        return Sent(session, parts, still_open, pieces)
    _OPEN[connection.token] = session.upload
    incomplete: list[tuple[int, int, int]] = []
    rest: list[tuple[int, Fragment]] = []
    for number, start, end in still_open:
        own = list(_within(pieces, start, end))
        if sum(fragment.length for _, fragment in own) < end - start:
            incomplete.append((number, start, end))
            rest += own
            continue
        try:
            data = b"".join(fragment.read(0, fragment.length) for _, fragment in own)
            parts[number] = connection.open().send(session.upload, number, data)
        except (OSError, ValueError, RuntimeError) as error:
            return Sent(replace(session, failure=error))
    return Sent(session, parts, incomplete, rest)


def _within(pieces: Iterable[tuple[int, Fragment]], start: int, end: int) -> Iterable[tuple[int, Fragment]]:
    """Returns the pieces between two offsets of the file."""
    for offset, fragment in pieces:
        first, last = max(start, offset), min(end, offset + fragment.length)
        if first < last:
            yield first, fragment.cut([(first - offset, last - offset)])


def complete(sent: Sent, session: Session, connection: Connection) -> str:
    """Makes the object appear, or aborts the upload."""
    failure = session.failure or sent.session.failure
    try:
        if failure is not None:
            raise failure
        if session.is_done:
            return connection.target
        if session.upload is None:
            data = b"".join(fragment.read(0, fragment.length) for _, fragment in sent.rest)
            connection.open().put(data)
        else:
            if sorted(sent.parts) != list(range(1, session.parts + 1)):
                raise RuntimeError(f"{connection.target}: parts are missing")
            connection.open().complete(session.upload, sorted(sent.parts.items()), session.size)
    except BaseException as error:
        left = [_abort(connection, upload) for upload in {session.upload, sent.session.upload}]
        if any(left):
            raise OSError("; ".join(filter(None, [str(error), *left]))) from error
        raise
    # If this worker and its result are lost, the others know that there is nothing left to do.
    mark_done(connection.token)
    _on_workers(mark_done, connection.token)
    return connection.target


def _abort(connection: Connection, upload: str | None) -> str | None:
    """Aborts an upload; if that fails, returns what is left and how to delete it."""
    _OPEN.pop(connection.token, None)
    if upload is None:
        return None
    try:
        connection.open().abort(upload)
    except (OSError, ValueError, RuntimeError) as error:
        return str(error)
    return None


def abort_open(connection: Connection) -> str | None:
    """Aborts the upload that this process knows."""
    return _abort(connection, _OPEN.get(connection.token))


def abort_everywhere(connection: Connection) -> str | None:
    """Aborts an upload after an interruption, wherever it is known; returns what is left."""
    outcomes = [abort_open(connection), *_on_workers(abort_open, connection)]
    return next((left for left in outcomes if left is not None), None)
