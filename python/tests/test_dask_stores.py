"""Dask arrays to object stores: the bytes of the local writer, no secrets in graphs, and nothing left after a failure."""

from __future__ import annotations

import os
import pickle
import threading
import time
import traceback

import dask
import dask.array as da
import numpy as np
import pandas as pd
import pytest
from conftest import image, raster
from s3_server import SECRET

import cogsmith

PIXELS = np.random.default_rng(1).integers(0, 4096, (2, 3001, 2900), dtype="uint16")
OPTIONS = {"blocksize": 128, "overview_resampling": "cubic", "nodata": 7}
SCHEDULERS = ["threads", "processes", "synchronous", "distributed"]


@pytest.fixture(scope="module")
def client():
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        with Client(cluster) as client:
            yield client


@pytest.fixture(autouse=True)
def small_work(monkeypatch):
    """Many blocks and groups for small images. Both are decided when the graph is built."""
    from cogsmith import _dask, _upload

    monkeypatch.setattr(_dask, "SMALL_BLOCK", 1)
    monkeypatch.setattr(_upload, "GROUP", 1 << 20)


@pytest.fixture(scope="module")
def expected():
    return cogsmith.to_cog(raster(PIXELS), **OPTIONS)


def lazy(pixels=PIXELS):
    return raster(da.from_array(pixels, chunks=(1, 700, 1500)))


def compute(delayed, scheduler, client=None):
    if scheduler == "distributed":
        return client.compute(delayed).result()
    return delayed.compute(scheduler=scheduler)


def nothing_is_left(server):
    """Whether there is no object and, once running tasks have ended, no upload."""
    deadline = time.monotonic() + 20
    while server.uploads and time.monotonic() < deadline:
        time.sleep(0.05)
    return not server.objects and not server.uploads


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_every_scheduler_gives_the_local_bytes(scheduler, server, storage, client, expected):
    write = cogsmith.write_cog(lazy(), "s3://bucket/a.tif", storage_options=storage, **OPTIONS)
    assert not server.log
    groups = sum(str(key).startswith("cogsmith-send-") for key in dict(write.__dask_graph__()))
    assert groups > 10
    assert compute(write, scheduler, client) == "s3://bucket/a.tif"
    assert server.objects["/bucket/a.tif"] == expected
    sizes = server.sizes["/bucket/a.tif"]
    assert len(sizes) > 3 and not server.uploads
    # Each part was sent once, and the first tasks only looked.
    assert sum(command == "PUT" for command, _ in server.log) == len(sizes)


def test_groups_of_several_parts(server, storage, expected, monkeypatch):
    from cogsmith import _upload

    monkeypatch.setattr(_upload, "GROUP", 24 << 20)
    cogsmith.write_cog(lazy(), "s3://bucket/a.tif", storage_options=storage, **OPTIONS).compute(scheduler="threads")
    assert server.objects["/bucket/a.tif"] == expected


def test_parts_of_equal_size(server, storage, expected):
    contiguous = {**storage, "contiguous_parts": True}
    write = cogsmith.write_cog(lazy(), "s3://bucket/a.tif", storage_options=contiguous, **OPTIONS)
    write.compute(scheduler="threads")
    assert server.objects["/bucket/a.tif"] == expected
    assert set(server.sizes["/bucket/a.tif"][:-1]) == {8 << 20}


@pytest.mark.parametrize("options", [{"interleave": "band"}, {"compress": "none"}, {"statistics": True, "bigtiff": "yes"}])
def test_other_layouts(options, server, storage):
    cogsmith.write(lazy(), "s3://bucket/a.tif", storage_options=storage, **options).compute()
    assert server.objects["/bucket/a.tif"] == cogsmith.write(raster(PIXELS), ":mem:", **options)


def test_a_small_file_is_one_request(server, storage):
    pixels = image((600, 700))
    cogsmith.write_cog(lazy(pixels[None]), "s3://bucket/a.tif", storage_options=storage).compute()
    assert server.objects["/bucket/a.tif"] == cogsmith.to_cog(raster(pixels[None]))
    assert ("PUT", ()) in server.log and not server.uploads


def test_pixels_that_compress_to_nothing(server, storage):
    """All groups together are less than a part."""
    pixels = da.zeros((1, 9000, 9000), chunks=(1, 1024, 1024), dtype="uint16")
    cogsmith.write(pixels, "s3://bucket/a.tif", storage_options=storage).compute(scheduler="threads")
    assert server.objects["/bucket/a.tif"] == cogsmith.write(np.zeros((1, 9000, 9000), "uint16"), ":mem:")


def test_an_object_is_replaced_only_on_request(server, storage):
    pixels = image((1, 600, 700))
    write = cogsmith.write_cog(lazy(pixels), "s3://bucket/a.tif", storage_options=storage)
    server.objects["/bucket/a.tif"] = b"old"
    with pytest.raises(FileExistsError, match="overwrite=True"):
        write.compute()
    assert server.objects["/bucket/a.tif"] == b"old"
    cogsmith.write_cog(lazy(pixels), "s3://bucket/a.tif", overwrite=True, storage_options=storage).compute()
    assert server.objects["/bucket/a.tif"] == cogsmith.to_cog(raster(pixels))


def test_one_object_per_step(server, storage):
    pixels = image((3, 300, 400))
    days = pd.date_range("2026-01-30", periods=3)
    array = raster(pixels).rename(band="time").assign_coords(time=days)
    options = {"storage_options": storage, "overwrite": False}
    for some, name in ((array, "eager"), (array.chunk({"y": 100, "x": 100}), "lazy")):
        written = cogsmith.write(some, f"s3://bucket/{name}/{{time:%Y-%m-%d}}.tif", **options)
        written = written.compute() if hasattr(written, "compute") else written
        assert written == [f"s3://bucket/{name}/2026-01-{day}.tif" for day in (30, 31)] + [f"s3://bucket/{name}/2026-02-01.tif"]
        for step, address in enumerate(written):
            assert server.objects[address.removeprefix("s3:/")] == cogsmith.write(array.isel(time=step), ":mem:")
    del server.objects["/bucket/eager/2026-01-30.tif"]
    with pytest.raises(FileExistsError, match="2026-01-31"):
        cogsmith.write(array, "s3://bucket/eager/{time:%Y-%m-%d}.tif", **options)
    # Nothing was written before the object that exists was found.
    assert "/bucket/eager/2026-01-30.tif" not in server.objects


# Secrets --------------------------------------------------------------------------------------------------------------


def test_graphs_do_not_show_secrets(server, storage):
    write = cogsmith.write_cog(lazy(), "s3://bucket/a.tif", storage_options=storage, **OPTIONS)
    graph = dict(write.__dask_graph__())
    shown = [repr(write), repr(graph), *map(str, graph), *map(repr, graph.values()), repr(write.__dask_tokenize__())]
    arguments = [repr(getattr(task, "args", ())) for task in graph.values()]
    assert any("with options ['AWS_ACCESS_KEY_ID', 'endpoint', 'region', 'secret']" in text for text in arguments)
    shown += [*arguments, repr(dask.optimize(write)), repr(dask.base.tokenize(write))]
    assert not any(SECRET in text for text in shown)
    again = pickle.loads(pickle.dumps(write))
    assert again.compute() == "s3://bucket/a.tif" and "/bucket/a.tif" in server.objects


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_errors_do_not_show_secrets(scheduler, server, storage, client):
    server.refuse = lambda command, query: 403 if "partNumber" in query else None
    write = cogsmith.write_cog(lazy(), "s3://bucket/a.tif", storage_options=storage, **OPTIONS)
    with pytest.raises(OSError, match="access is denied") as caught:
        compute(write, scheduler, client)
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    # The variable of this test shows its own options.
    for value in storage.values():
        shown = shown.replace(f"storage = {storage!r}", "")
    assert "connection = <Connection to 's3://bucket/a.tif'" in shown or scheduler in ("processes", "distributed")
    assert SECRET not in shown
    assert not server.objects and not server.uploads


def test_options_are_checked_when_the_graph_is_built(storage):
    for options, target, message in (
        ({**storage, "acces_key": SECRET}, "s3://bucket/a.tif", "option 'acces_key' of S3 is unknown"),
        (storage, f"s3://user:{SECRET}@bucket/a.tif", "user information"),
        (storage, "s3://bucket", "without a key"),
    ):
        with pytest.raises((OSError, ValueError), match=message) as caught:
            cogsmith.write(lazy(), target, storage_options=options)
        assert SECRET not in str(caught.value)
    with pytest.raises(ValueError, match="sync"):
        cogsmith.write(lazy(), "s3://bucket/a.tif", sync=True, storage_options=storage)


def test_credentials_of_the_environment(server, storage, monkeypatch, expected):
    for name, value in (("AWS_ACCESS_KEY_ID", "AKIA"), ("AWS_SECRET_ACCESS_KEY", SECRET), ("AWS_ENDPOINT_URL", storage["endpoint"])):
        monkeypatch.setenv(name, value)
    write = cogsmith.write_cog(lazy(), "s3://bucket/a.tif", **OPTIONS)
    assert SECRET.encode() not in pickle.dumps(write)
    write.compute(scheduler="threads")
    assert server.objects["/bucket/a.tif"] == expected


# What goes wrong ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_failing_source_leaves_nothing(scheduler, server, storage, client):
    def block(block_info=None):
        if sum(block_info[None]["chunk-location"]) >= 6:
            raise ArithmeticError("the source failed")
        return np.random.default_rng(1).integers(0, 4096, (700, 700), dtype="uint16")

    array = raster(da.map_blocks(block, chunks=((700,) * 4, (700,) * 4), dtype="uint16", meta=np.zeros((0, 0), "uint16")))
    with pytest.raises(ArithmeticError, match="the source failed"):
        compute(cogsmith.write_cog(array, "s3://bucket/a.tif", storage_options=storage), scheduler, client)
    assert nothing_is_left(server)
    assert not any(names == ("partNumber", "uploadId") for _, names in server.log)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("refused", ["part", "completion"])
def test_a_failing_store_leaves_nothing(scheduler, refused, server, storage, client):
    def refuse(command, query):
        is_part = query.get("partNumber") == ["2"]
        return 403 if (is_part if refused == "part" else command == "POST" and "uploadId" in query) else None

    server.refuse = refuse
    write = cogsmith.write_cog(lazy(), "s3://bucket/a.tif", storage_options=storage, **OPTIONS)
    with pytest.raises(OSError, match="s3://bucket/a.tif.*access is denied"):
        compute(write, scheduler, client)
    assert nothing_is_left(server)


def test_an_upload_that_cannot_be_aborted_is_named(server, storage):
    server.refuse = lambda command, query: 403 if command == "DELETE" or "partNumber" in query else None
    write = cogsmith.write_cog(lazy(), "s3://bucket/a.tif", storage_options=storage, **OPTIONS)
    with pytest.raises(OSError, match="access is denied.*could not be aborted.*aws s3api abort-multipart-upload .*--upload-id upload"):
        write.compute(scheduler="threads")
    assert not server.objects


@pytest.mark.parametrize("scheduler", ["threads", "synchronous"])
def test_an_interrupted_write_is_aborted(scheduler, server, storage, monkeypatch):
    from cogsmith import _upload

    original = _upload.join

    def interrupted(some, connection):
        if any(sent.parts for sent in some):
            raise KeyboardInterrupt
        return original(some, connection)

    monkeypatch.setattr(_upload, "join", interrupted)
    write = cogsmith.write_cog(lazy(), "s3://bucket/a.tif", storage_options=storage, **OPTIONS)
    with pytest.raises(KeyboardInterrupt):
        write.compute(scheduler=scheduler)
    assert ("PUT", ("partNumber", "uploadId")) in server.log
    assert nothing_is_left(server)


def test_a_canceled_computation_on_a_cluster_is_aborted(server, storage, client):
    """The client's part of the work fails, as on Ctrl-C, while workers send parts."""
    arrived = threading.Event()
    server.refuse = lambda command, query: arrived.set() or time.sleep(0.5) if "partNumber" in query else None
    write = cogsmith.write_cog(lazy(), "s3://bucket/a.tif", storage_options=storage, **OPTIONS)
    main, original = threading.get_ident(), client.gather

    def interrupted(*arguments, **options):
        assert arrived.wait(60) and threading.get_ident() == main
        raise KeyboardInterrupt

    client.gather = interrupted
    try:
        with pytest.raises(KeyboardInterrupt):
            write.compute()
    finally:
        client.gather = original
    assert nothing_is_left(server)


def test_tasks_that_run_twice(server, storage, monkeypatch, expected):
    from cogsmith import _upload

    def twice(function):
        def run(*arguments):
            function(*arguments)
            return function(*arguments)

        return run

    for name in ("check", "begin", "cut", "group_of", "send", "join", "complete"):
        monkeypatch.setattr(_upload, name, twice(getattr(_upload, name)))
    write = cogsmith.write_cog(lazy(), "s3://bucket/a.tif", storage_options=storage, **OPTIONS)
    assert write.compute(scheduler="threads") == "s3://bucket/a.tif"
    assert server.objects["/bucket/a.tif"] == expected and not server.uploads
    assert sum(names == ("uploads",) for _, names in server.log) == 3


@pytest.mark.parametrize("victim", [0, 1])
def test_a_worker_that_dies_while_parts_are_sent(victim, server, storage, expected):
    """One of the two workers is the only one that holds the result of the task that has begun the upload."""
    from distributed import Client, LocalCluster

    arrived = threading.Semaphore(0)

    def slow(command, query):
        if "partNumber" in query:
            arrived.release()
            time.sleep(0.3)

    server.refuse = slow
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        with Client(cluster) as client:
            write = cogsmith.write_cog(lazy(), "s3://bucket/a.tif", storage_options=storage, **OPTIONS)
            future = client.compute(write, retries=3)
            assert all(arrived.acquire(timeout=60) for _ in range(2))
            os.kill(list(cluster.workers.values())[victim].pid, 9)
            assert future.result(timeout=120) == "s3://bucket/a.tif"
    assert server.objects["/bucket/a.tif"] == expected and not server.uploads


def test_a_worker_that_dies_with_the_result(server, storage, expected):
    """The object is complete, but the worker is killed before anyone has asked it for the result."""
    from distributed import Client, LocalCluster, wait

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        with Client(cluster) as client:
            write = cogsmith.write_cog(lazy(), "s3://bucket/a.tif", storage_options=storage, **OPTIONS)
            future = client.compute(write, retries=3)
            wait(future, timeout=120)
            (holder,) = client.who_has(future)[future.key]
            next(nanny for nanny in cluster.workers.values() if nanny.worker_address == holder).process.process.kill()
            time.sleep(1)
            assert future.result(timeout=120) == "s3://bucket/a.tif"
    assert server.objects["/bucket/a.tif"] == expected and not server.uploads
    assert sum(names == ("uploads",) for _, names in server.log) <= 3


def test_pixels_that_change_when_they_are_computed_again(server, storage):
    from cogsmith import _upload

    original = _upload.cut

    def other(output, runs):
        fragment = original(output, runs)
        fragment.digest += 1
        return fragment

    _upload.cut = other
    try:
        write = cogsmith.write_cog(lazy(), "s3://bucket/a.tif", storage_options=storage, **OPTIONS)
        with pytest.raises(ValueError, match="not deterministic"):
            write.compute(scheduler="threads")
    finally:
        _upload.cut = original
    assert nothing_is_left(server)


def test_fragments_are_cut_without_copies():
    from cogsmith._fragments import Fragment

    whole = Fragment.keep("token", 1, bytes(range(100)))
    part = whole.cut([(10, 20), (50, 60), (0, 0)])
    assert part.length == 20 and part.read(0, 20) == bytes([*range(10, 20), *range(50, 60)])
    assert part.read(5, 15) == bytes([*range(15, 20), *range(50, 55)])
    assert part.cut([(15, 20), (0, 2)]).read(0, 7) == bytes([*range(55, 60), 10, 11])
    again = pickle.loads(pickle.dumps(part))
    assert again.read(0, 20) == part.read(0, 20) and again.digest == 1
