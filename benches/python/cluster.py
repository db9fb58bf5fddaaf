"""Memory and time of writing an image several times larger than the memory of its writers, on a cluster of processes.

    scripts/python-bench.sh cluster [--side 49152] [--workers 2] [--limit 700MiB] [--page docs/python-benchmarks.md] [WRITER…]
    scripts/python-bench.sh cluster --store [--check] …

Measures cogsmith, odc-geo's ``save_cog_with_dask``, and datacube's ``write_cog``, each in a cluster of its own: the peak
memory of the largest worker and of the client, the number of tasks, the time, and the file size. Dask ends a worker that
exceeds the limit, and a run that does not finish is ended after a while. A failure of a writer is a result, too.

With ``--store``, files go to moto, a server with the interface of S3 on this machine, which ``scripts/test.sh stores``
installs. With ``--check``, the program fails unless cogsmith finishes within the memory limit of its workers, with the right pixels.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import warnings
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import numpy as np
import xarray as xr
from affine import Affine
from distributed import Client, LocalCluster
from distributed.diagnostics.plugin import SchedulerPlugin
from odc.geo.geobox import GeoBox
from odc.geo.xr import xr_coords
from report import add_page, mib, proc, publish, section, table, versions

#: Time for a cluster to close, in seconds.
GRACE = 60
#: Number and size of the windows that are read back.
LOOKS, LOOK = 16, 256

NOTES = """
**Largest worker** is `VmHWM` of the worker with the highest value, the kernel's record of the resident set of a process, read
twenty times a second until the process ends. It includes the interpreter and all libraries (pages shared with other processes
count in full); the value in parentheses is their share before the work starts. **Client** is the same for the process with
client and scheduler, without its memory before the graph was made. Dask spills, pauses, and ends workers by their memory as
it does by default; the first worker that is ended ends the run. The file cache belongs to the system, not to a process, and
is not counted.

**Tasks** are the tasks that workers ran. All writers use nearest overviews, DEFLATE level 6, predictor 2, and tiles of
512x512; odc-geo without its statistics. datacube's task cannot be sent to other processes unchanged (`deprecat`), so the
function inside it is sent. The pixels read back at {looks} positions of full resolution are compared with the generated ones.
"""


def chunk(block_info: Any = None) -> np.ndarray:
    """Returns sensor-like pixels derived from their position, the same each time."""
    (top, bottom), (left, right) = block_info[None]["array-location"]
    return pixels(top, bottom, left, right, (top, left))


def pixels(top: int, bottom: int, left: int, right: int, seed: tuple[int, int]) -> np.ndarray:
    down, across = np.ogrid[top:bottom, left:right]
    noise = np.random.default_rng(seed).integers(0, 60, (bottom - top, right - left), "uint16")
    waves = 1500 + 700 * np.sin(down / 977).astype("float32") * np.cos(across / 1431).astype("float32")
    return waves.astype("uint16") + noise


def scene(side: int, chunks: int) -> xr.DataArray:
    sides = (chunks,) * (side // chunks) + ((side % chunks,) if side % chunks else ())
    array = da.map_blocks(chunk, chunks=(sides, sides), dtype="uint16", meta=np.empty((0, 0), "uint16"))
    box = GeoBox((side, side), Affine(10, 0, 399960, 0, -10, 5000040), 32633)
    return xr.DataArray(array, dims=("y", "x"), coords=xr_coords(box, always_yx=True))


def with_cogsmith(array: xr.DataArray, target: Path | str) -> Any:
    import cogsmith

    return cogsmith.write_cog(array, target)


def with_odc_geo(array: xr.DataArray, target: Path | str) -> Any:
    from odc.geo.cog import save_cog_with_dask

    options = {"aws": {}} if isinstance(target, str) else {}
    return save_cog_with_dask(array, str(target), compression="deflate", level=6, blocksize=512, stats=False, **options)


def with_datacube(array: xr.DataArray, path: Path | str) -> Any:
    from datacube.utils import cog

    # Its task is wrapped in a deprecation decorator that cannot be sent to another process; the function inside can.
    cog._delayed_write_cog_to_file = dask.delayed(inspect.unwrap(cog._write_cog), name="save-cog", pure=False)
    return cog.write_cog(array, path)


class Moto:
    """A bucket on this machine; credentials and endpoint are in the environment, which workers inherit."""

    def __init__(self) -> None:
        # Last, since that folder has other modules of the same names.
        sys.path.append(str(Path(__file__).parents[2] / "tests" / "judges"))
        import store_servers

        self.server = store_servers.S3()
        self.server.make("cluster")
        os.environ |= self.server.env | {"AWS_DEFAULT_REGION": "us-east-1"}
        self.target = self.server.target("cluster", "out.tif")

    def fetch(self, path: Path) -> None:
        """Copies the object to a file, in pieces."""
        import store_servers

        request = urllib.request.Request(f"{self.server.url}/cluster/out.tif", headers={"Authorization": store_servers.SIGNED})
        with urllib.request.urlopen(request) as answer, open(path, "wb") as file:
            shutil.copyfileobj(answer, file, 8 << 20)
        assert self.server.uploads("cluster") == 0


WRITERS = {"cogsmith": with_cogsmith, "odc-geo": with_odc_geo, "datacube": with_datacube}


class Peaks(threading.Thread):
    """Watches the memory of all workers, including those that replaced ended ones."""

    def __init__(self, cluster: LocalCluster) -> None:
        super().__init__(daemon=True)
        self.cluster, self.over = cluster, threading.Event()
        self.peak, self.idle = 0, max(proc(process, "VmRSS") for process in self._workers())

    def _workers(self) -> list[int]:
        return [nanny.pid for nanny in self.cluster.workers.values() if nanny.pid]

    def run(self) -> None:
        while not self.over.wait(0.05):
            self.look()

    def look(self) -> None:
        self.peak = max([self.peak, *(proc(process, "VmHWM") for process in self._workers())])


class Count(SchedulerPlugin):
    """Counts the tasks that were run."""

    name = "count"

    def __init__(self) -> None:
        self.tasks = 0

    def transition(self, key: Any, start: str, finish: str, *_: Any, **__: Any) -> None:
        self.tasks += start == "processing" and finish == "memory"


def same(path: Path, side: int, chunks: int) -> bool:
    """Returns whether some windows contain the generated pixels."""
    import rasterio

    generator = np.random.default_rng(0)
    with rasterio.open(path) as file:
        for row, column in generator.integers(0, -(-side // chunks), (LOOKS, 2)) * chunks:
            bottom, right = min(side, row + chunks), min(side, column + chunks)
            made = pixels(row, bottom, column, right, (int(row), int(column)))[-LOOK:, -LOOK:]
            height, width = made.shape
            read = file.read(1, window=((bottom - height, bottom), (right - width, right)))
            if not np.array_equal(read, made):
                return False
    return True


def one(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Measures a writer; this process is client and scheduler."""
    # A worker that was ended would not succeed on a second attempt.
    dask.config.set({"distributed.scheduler.allowed-failures": 0})
    found: dict[str, Any] = {"outcome": ""}
    path = Path(arguments.one) / "out.tif"
    moto = Moto() if arguments.store else None
    options = {"n_workers": arguments.workers, "threads_per_worker": 1, "memory_limit": arguments.limit}
    with LocalCluster(processes=True, dashboard_address=None, local_directory=arguments.one, **options) as cluster:
        count = Count()
        cluster.scheduler.add_plugin(count)
        with Client(cluster) as client, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            peaks = Peaks(cluster)
            Path("/proc/self/clear_refs").write_text("5")
            before = proc("self", "VmRSS")
            peaks.start()
            began = time.perf_counter()
            try:
                write = WRITERS[name](scene(arguments.side, arguments.chunks), moto.target if moto else path)
                client.compute(write, retries=0).result(timeout=arguments.timeout)
            except TimeoutError:
                found["outcome"] = f"not finished after {arguments.timeout} s"
            except Exception as error:  # noqa: BLE001 - how a writer fails is a result
                found["outcome"] = f"failed: {type(error).__name__}: {str(error).splitlines()[0][:60].replace('|', ' ')}"
            found["seconds"] = time.perf_counter() - began
            peaks.over.set()
            peaks.join()
            peaks.look()
            found |= {"peak": peaks.peak, "idle": peaks.idle, "client": proc("self", "VmHWM") - before}
            found["tasks"] = count.tasks
            if not found["outcome"]:
                if moto:
                    moto.fetch(path)
                found["outcome"] = mib(path.stat().st_size)
                if not same(path, arguments.side, arguments.chunks):
                    found["outcome"] = "wrong pixels"
            # Printed before the cluster closes, which may take a while.
            print(json.dumps(found), flush=True)
    return found


def measure(name: str, arguments: argparse.Namespace, options: list[str]) -> list[str]:
    """Returns a row of the table, measured in a process of its own, whose workers end with it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = [sys.executable, __file__, "--one", folder, *options, name]
        with open(Path(folder) / "errors.txt", "w+") as errors:
            child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True)
            try:
                output, _ = child.communicate(timeout=arguments.timeout + 2 * GRACE)
            except subprocess.TimeoutExpired:
                output = ""
            finally:
                # The group contains only the child and its workers.
                try:
                    os.killpg(child.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            output = output or child.communicate()[0]
            errors.seek(0)
            last = (errors.read().strip().splitlines() or ["no message"])[-1][:80].replace("|", " ")
    lines = [line for line in output.splitlines() if line.startswith("{")]
    if not lines:
        return [name, "", "", "", "", f"failed: {last}"]
    found = json.loads(lines[-1])
    return [
        name,
        f"{found['seconds']:.1f} s",
        f"{found['tasks']:,}",
        f"{mib(found['peak'])} ({mib(found['idle'])})",
        mib(found["client"]),
        found["outcome"],
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("writers", nargs="*", metavar="WRITER", help=", ".join(WRITERS))
    parser.add_argument("--side", type=int, default=49152, help="columns and rows of the uint16 image")
    parser.add_argument("--chunks", type=int, default=2048)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--limit", default="700MiB", help="memory limit of a worker")
    parser.add_argument("--timeout", type=int, default=1800, help="time limit of a writer in seconds")
    parser.add_argument("--store", action="store_true", help="write to moto, which has the interface of S3")
    parser.add_argument("--check", action="store_true", help="fail unless cogsmith finishes with the right pixels")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    add_page(parser)
    arguments = parser.parse_args()
    # datacube writes to files only.
    names = arguments.writers or [name for name in WRITERS if name != "datacube" or not arguments.store]
    if unknown := set(names) - set(WRITERS):
        parser.error(f"no such writer: {', '.join(unknown)}")
    if arguments.one:
        one(names[0], arguments)
        return
    options = ["side", "chunks", "workers", "limit", "timeout"]
    given = [word for option in options for word in (f"--{option}", str(getattr(arguments, option)))]
    given += ["--store"] if arguments.store else []
    rows = []
    for name in names:
        rows.append(measure(name, arguments, given))
        print("  ".join(rows[-1]), flush=True)
    facts = [
        versions("cogsmith", "numpy", "dask", "distributed", "odc-geo", "tifffile", "datacube", "rasterio"),
        f"a lazily made image of {arguments.side}x{arguments.side} uint16, {arguments.side**2 * 2 / 2**30:.2f} GiB, in "
        f"chunks of {arguments.chunks}x{arguments.chunks}",
        f"LocalCluster of {arguments.workers} processes of one thread, each with a limit of {arguments.limit}",
    ]
    columns = ["writer", "time", "tasks", "largest worker", "client", "size of the file"]
    notes = NOTES.format(looks=LOOKS)
    title = "A Dask cluster and an object store" if arguments.store else "A Dask cluster"
    publish(section(title, facts, table(columns, rows), notes), arguments.page)
    if arguments.check:
        outcome = next((row[-1] for row in rows if row[0] == "cogsmith"), "not run")
        if not outcome.endswith("MiB"):
            sys.exit(f"cogsmith: {outcome}")


if __name__ == "__main__":
    main()
