"""An image several times larger than the memory that its writers may take, through a cluster of processes.

    python benches/python/cluster.py [--side 49152] [--workers 2] [--limit 700MiB] [WRITER…]

Prints, for cogsmith, odc-geo's ``save_cog_with_dask`` and datacube's ``write_cog``: the peak memory of the largest worker
and of the client, the number of tasks, the time, and the size of the file. A worker that goes beyond the limit is ended by
Dask, which ends the run of that writer.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
import warnings
from pathlib import Path

import dask
import dask.array as da
import numpy as np
import xarray as xr
from affine import Affine
from distributed import Client, LocalCluster
from odc.geo.geobox import GeoBox
from odc.geo.xr import xr_coords


def chunk(block_info=None) -> np.ndarray:
    """Pixels like those of a sensor, made of where they lie: the same each time."""
    (top, bottom), (left, right) = block_info[None]["array-location"]
    down, across = np.ogrid[top:bottom, left:right]
    noise = np.random.default_rng(top * 7919 + left).integers(0, 60, (bottom - top, right - left), "uint16")
    waves = 1500 + 700 * np.sin(down / 977).astype("float32") * np.cos(across / 1431).astype("float32")
    return waves.astype("uint16") + noise


def scene(side: int, chunks: int) -> xr.DataArray:
    sides = (chunks,) * (side // chunks) + ((side % chunks,) if side % chunks else ())
    pixels = da.map_blocks(chunk, chunks=(sides, sides), dtype="uint16", meta=np.empty((0, 0), "uint16"))
    box = GeoBox((side, side), Affine(10, 0, 399960, 0, -10, 5000040), 32633)
    return xr.DataArray(pixels, dims=("y", "x"), coords=xr_coords(box, always_yx=True))


def with_cogsmith(array: xr.DataArray, path: Path):
    import cogsmith

    return cogsmith.write_cog(array, path)


def with_odc_geo(array: xr.DataArray, path: Path):
    from odc.geo.cog import save_cog_with_dask

    return save_cog_with_dask(array, str(path), compression="deflate", level=6, blocksize=512)


def with_datacube(array: xr.DataArray, path: Path):
    from datacube.utils.cog import write_cog

    return write_cog(array, path)


WRITERS = {"cogsmith": with_cogsmith, "odc-geo": with_odc_geo, "datacube": with_datacube}


def status(process: int | str, name: str) -> int:
    """Bytes that Linux counts for a process."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(name)), 0)


class Peaks(threading.Thread):
    """Watches the memory of all workers, and of this process."""

    def __init__(self, cluster: LocalCluster) -> None:
        super().__init__(daemon=True)
        self.cluster, self.worker, self.client, self.over = cluster, 0, 0, threading.Event()
        self.before = status("self", "VmRSS")

    def run(self) -> None:
        while not self.over.wait(0.05):
            processes = [nanny.pid for nanny in self.cluster.workers.values() if nanny.pid]
            self.worker = max([self.worker, *(status(process, "VmRSS") for process in processes)])
            self.client = max(self.client, status("self", "VmRSS") - self.before)


def run(name: str, arguments: argparse.Namespace, folder: Path) -> str:
    path = folder / f"{name}.tif"
    options = {"n_workers": arguments.workers, "threads_per_worker": 1, "memory_limit": arguments.limit}
    with LocalCluster(processes=True, dashboard_address=None, local_directory=str(folder), **options) as cluster:
        with Client(cluster) as client, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            write = WRITERS[name](scene(arguments.side, arguments.chunks), path)
            tasks = len(dict(write.__dask_graph__()))
            peaks = Peaks(cluster)
            peaks.start()
            began = time.perf_counter()
            try:
                client.compute(write, retries=0).result()
                outcome = f"{path.stat().st_size / 2**20:.0f} MiB"
            except Exception as error:  # noqa: BLE001 - how a writer fails is a result
                outcome = f"failed: {type(error).__name__}"
            seconds = time.perf_counter() - began
            peaks.over.set()
            peaks.join()
    path.unlink(missing_ok=True)
    return (
        f"{name:9} {seconds:7.1f} s  {tasks:6} tasks  worker {peaks.worker / 2**20:5.0f} MiB  "
        f"client +{peaks.client / 2**20:4.0f} MiB  {outcome}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("writers", nargs="*", default=list(WRITERS), metavar="WRITER", help=", ".join(WRITERS))
    parser.add_argument("--side", type=int, default=49152, help="columns and rows of the image of uint16")
    parser.add_argument("--chunks", type=int, default=2048)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--limit", default="700MiB", help="memory of a worker")
    arguments = parser.parse_args()
    size = arguments.side**2 * 2 / 2**30
    print(
        f"{arguments.side}x{arguments.side} uint16, {size:.1f} GiB, chunks of {arguments.chunks}; "
        f"{arguments.workers} workers with {arguments.limit} each; {os.cpu_count()} cores; dask {dask.__version__}"
    )
    for name in arguments.writers or list(WRITERS):
        with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
            print(run(name, arguments, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
