"""Dask arrays to real servers: the object has the bytes of the local writer, whoever computes, also if a worker dies.

    python dask_stores.py                ONLY=words in the environment picks cases by name

Runs in the environment that the Python package is installed in.
"""

import os
import sys
import tempfile
import threading
import time
import traceback

import dask.array as da
import numpy as np
import xarray as xr

import store_servers
from report import Report

BUCKET = "bucket"
SIDE = 3400
# Noise hardly compresses, so the file has about four parts.
PIXELS = np.random.default_rng(1).integers(0, 4096, (SIDE, SIDE), dtype="uint16")
WHERE = {"crs": 32633, "transform": (10, 0, 500000, 0, -10, 5000000)}


def lazy(delay=0.0):
    def block(pixels):
        time.sleep(delay)
        return pixels

    return da.from_array(PIXELS, chunks=700).map_blocks(block, dtype="uint16")


def check(server, key, expected):
    found = server.get(BUCKET, key)
    out = []
    if found != expected:
        out.append(f"the object of {len(found or b'')} bytes is not the local file of {len(expected)}")
    if left := server.uploads(BUCKET):
        out.append(f"{left} uploads are left")
    return out


def computed(name, server, scheduler, expected, **options):
    import cogsmith

    key = f"{name}.tif"
    write = cogsmith.write(lazy(), server.target(BUCKET, key), **WHERE, **options)
    found = store_servers.secrets_in(repr(dict(write.__dask_graph__())))
    write.compute(scheduler=scheduler)
    return [f"secrets {found} in the graph"] * bool(found) + check(server, key, expected)


def with_options(name, server, expected):
    """The options travel with the graph, and the environment of the workers has none."""
    import cogsmith

    hidden = {variable: os.environ.pop(variable) for variable in server.env}
    try:
        write = cogsmith.write(lazy(), server.target(BUCKET, f"{name}.tif"), storage_options=server.env, **WHERE)
        found = store_servers.secrets_in(repr([getattr(task, "args", task) for task in dict(write.__dask_graph__()).values()]))
        write.compute(scheduler="processes")
    finally:
        os.environ.update(hidden)
    return [f"secrets {found} in the graph"] * bool(found) + check(server, f"{name}.tif", expected)


def a_worker_dies(name, server, expected):
    """Kills a worker while parts are sent, or after a while on Azure, which does not list uploads.

    The first task begins an upload and aborts it, to see whether it may. One that is killed in between leaves it.
    """
    import cogsmith
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        with Client(cluster) as client:
            write = cogsmith.write(lazy(0.05), server.target(BUCKET, f"{name}.tif"), **WHERE)
            future = client.compute(write, retries=3)
            deadline, looks = time.monotonic() + (15 if server.lists_uploads else 4), 0
            while time.monotonic() < deadline and looks < 4:
                time.sleep(0.05)
                looks = looks + 1 if server.uploads(BUCKET) else 0
            os.kill(next(iter(cluster.workers.values())).pid, 9)
            future.result(timeout=240)
    return check(server, f"{name}.tif", expected)


def refused(name, server):
    """An error of the store shows no secret, and nothing is left."""
    import cogsmith

    write = cogsmith.write(lazy(), server.target("missing-bucket", f"{name}.tif"), **WHERE)
    try:
        write.compute(scheduler="threads")
    except OSError as error:
        said = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
        return [f"{store_servers.secrets_in(said)} in {said}"] if store_servers.secrets_in(said) else []
    return ["a bucket that does not exist was written to"]


def interrupted(name, server):
    import cogsmith
    from cogsmith import _upload

    original, begun = _upload.join, threading.Event()

    def stop(some, connection):
        begun.set()
        raise KeyboardInterrupt

    _upload.join = stop
    try:
        cogsmith.write(lazy(), server.target(BUCKET, f"{name}.tif"), **WHERE).compute(scheduler="threads")
    except KeyboardInterrupt:
        out = [] if server.get(BUCKET, f"{name}.tif") is None else ["the object exists"]
        return out + [f"{server.uploads(BUCKET)} uploads are left"] * bool(server.uploads(BUCKET))
    finally:
        _upload.join = original
    return ["it was not interrupted"]


def main():
    import cogsmith
    from cogsmith import _dask, _upload

    # Small images have many blocks and groups, too. Both are decided in this process.
    _dask.SMALL_BLOCK, _upload.GROUP = 1, 2 << 20
    report = Report("dask-stores")
    drop = ("AWS_", "GOOGLE_", "AZURE_", "GS_", "CPL_")
    for name in [name for name in os.environ if name.startswith(drop)]:
        del os.environ[name]
    # No configuration files of this machine.
    os.environ["HOME"] = tempfile.mkdtemp(prefix="cogsmith-dask-stores-")
    expected = cogsmith.write(PIXELS, ":mem:", **WHERE)
    cube = xr.DataArray(np.stack([PIXELS[:300, :300]] * 2), dims=("time", "y", "x"), coords={"time": [2025, 2026]})
    for kind in (store_servers.S3, store_servers.Google, store_servers.Azure):
        server, name = kind(), kind.__name__
        server.make(BUCKET)
        os.environ.update(server.env)
        for scheduler in ("threads", "processes"):
            report.run(f"{name}-{scheduler}", computed, f"{name}-{scheduler}", server, scheduler, expected)
        report.run(f"{name}-options", with_options, f"{name}-options", server, expected)
        report.run(f"{name}-worker-dies", a_worker_dies, f"{name}-worker-dies", server, expected)
        report.run(f"{name}-refused", refused, f"{name}-refused", server)
        report.run(f"{name}-interrupted", interrupted, f"{name}-interrupted", server)
        report.run(f"{name}-steps", steps, server, cube)
        for variable in server.env:
            del os.environ[variable]
    return report.close()


def steps(server, cube):
    import cogsmith

    expected = cogsmith.write(cube.isel(time=0).values, ":mem:", **WHERE)
    for array, kind in ((cube, "eager"), (cube.chunk({"y": 100}), "lazy")):
        written = cogsmith.write(array, server.target(BUCKET, f"{kind}/{{time}}.tif"), **WHERE)
        written = written.compute() if hasattr(written, "compute") else written
        for year in (2025, 2026):
            if problems := check(server, f"{kind}/{year}.tif", expected):
                return problems
        if len(written) != 2:
            return [f"{written} are not two objects"]
    return []


if __name__ == "__main__":
    sys.exit(main())
