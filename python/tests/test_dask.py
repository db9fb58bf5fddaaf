"""Dask arrays: the bytes of the local writer, from every scheduler, whatever fails."""

from __future__ import annotations

import itertools
import os
import pickle
import subprocess
import sys
import threading
import time

import dask
import dask.array as da
import numpy as np
import pytest
from conftest import assert_valid, image, leftovers, look, raster
from dask.base import is_dask_collection
from dask.delayed import Delayed

import cogsmith

WHERE = {"crs": 32633, "transform": (10, 0, 399960, 0, -10, 5000040)}


def chunked(pixels, chunks):
    return raster(da.from_array(pixels, chunks=chunks))


@pytest.fixture(scope="module")
def client():
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        with Client(cluster) as client:
            yield client


def compute(delayed, scheduler, client=None):
    if scheduler == "distributed":
        return client.compute(delayed).result()
    return delayed.compute(scheduler=scheduler)


def test_nothing_is_computed_before_compute(out):
    computed = []

    def block(block_info=None):
        computed.append(1)
        return np.zeros((300, 300), "uint16")

    array = raster(da.map_blocks(block, chunks=((300, 300), (300, 300)), dtype="uint16", meta=np.zeros((0, 0), "uint16")))
    delayed = cogsmith.write_cog(array, out)
    assert isinstance(delayed, Delayed) and is_dask_collection(delayed)
    assert computed == [] and leftovers(out.parent) == []
    assert delayed.compute() == out and len(computed) >= 4
    assert leftovers(out.parent) == ["out.tif"]
    assert isinstance(cogsmith.to_cog(array), Delayed) and isinstance(cogsmith.write(array, ":mem:"), Delayed)


@pytest.mark.parametrize("scheduler", ["threads", "processes", "synchronous", "distributed"])
@pytest.mark.parametrize("memory", [False, True])
def test_every_scheduler_gives_the_local_bytes(scheduler, memory, out, client):
    pixels = image((2, 2049, 1723))
    options = {"overview_resampling": "cubic", "blocksize": 128, "nodata": 7}
    expected = cogsmith.to_cog(raster(pixels), **options)
    array = chunked(pixels, (1, 500, 600))
    result = compute(cogsmith.write_cog(array, ":mem:" if memory else out, **options), scheduler, client)
    if memory:
        assert type(result) is bytes and result == expected
    else:
        assert result == out and out.read_bytes() == expected
        assert_valid(out)
        assert leftovers(out.parent) == ["out.tif"]


CHUNKS = [(512, 512), (300, 700), (2000, 64), (17, 2000), (1024, 1024), (2500, 2500), ((5, 1000, 1044), (1, 2, 1720))]


@pytest.mark.parametrize("chunks", CHUNKS)
@pytest.mark.parametrize("resampling", ["nearest", "average", "lanczos", "gauss"])
def test_chunks_of_any_shape(chunks, resampling):
    pixels = image((2049, 1723))
    options = {"overview_resampling": resampling, "blocksize": 256}
    got = cogsmith.to_cog(chunked(pixels, chunks), **options).compute()
    assert got == cogsmith.to_cog(raster(pixels), **options)


@pytest.mark.parametrize("side", [1023, 1025, 10981])
@pytest.mark.parametrize("overviews", ["auto", [2, 4, 8, 16]])
def test_odd_sizes(side, overviews):
    pixels = image((side % 3000, min(side, 3001)), "int16")
    options = {"overviews": overviews, "blocksize": 64, "overview_resampling": "bilinear"}
    got = cogsmith.write(da.from_array(pixels, chunks=(400, 512)), ":mem:", **options).compute()
    assert got == cogsmith.write(pixels, ":mem:", **options)


@pytest.mark.parametrize(
    ("dtype", "options"),
    [
        ("float32", {"predictor": 3}), ("float64", {"compress": "zstd", "predictor": 3}), ("bool", {}),
        ("complex64", {"predictor": 1, "overview_resampling": "nearest"}), (">u2", {}), ("float16", {"predictor": 3}),
        ("uint8", {"compress": "none", "predictor": 1}), ("uint16", {"compress": "lzw", "interleave": "band"}),
        ("uint16", {"interleave": "tile"}), ("int64", {"BIGTIFF": "YES"}), ("uint8", {"num_threads": 2}),
    ],
)  # fmt: skip
def test_types_and_options(dtype, options):
    pixels = image((2, 700, 900), dtype)
    options = {"blocksize": 128, "overviews": [2, 4, 8], **options}
    got = cogsmith.write(da.from_array(pixels, chunks=(2, 300, 300)), ":mem:", **options).compute()
    assert got == cogsmith.write(pixels, ":mem:", **options)


@pytest.mark.parametrize("bands", [1, 3])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_auto_chooses_the_predictor_of_the_local_writer(dtype, bands, scheduler):
    rng = np.random.default_rng(3)
    classes = rng.choice(np.array([3, 90, 17, 200], dtype), (600, 1500, bands)).astype(dtype)
    for pixels in (classes, image((600, 1500, bands), dtype)):
        for options in ({}, {"interleave": "band"}, {"mask": rng.random((600, 1500)) < 0.9}):
            options = {"blocksize": 128, "bands": "last"} | options
            got = cogsmith.write(da.from_array(pixels, chunks=(200, 500, bands)), ":mem:", **options)
            assert got.compute(scheduler=scheduler) == cogsmith.write(pixels, ":mem:", **options)


def test_bands_of_a_dataset_and_masks():
    import xarray as xr

    pixels = image((2, 700, 900))
    lazy = xr.Dataset({name: chunked(pixels[place], 256) for place, name in enumerate(("red", "nir"))})
    got = cogsmith.write(lazy, ":mem:").compute()
    assert got == cogsmith.write(lazy.compute(), ":mem:")
    mixed = cogsmith.write([da.from_array(pixels[0], 256), pixels[1]], ":mem:").compute()
    assert mixed == cogsmith.write(pixels, ":mem:")
    valid = pixels[0] > 10
    expected = cogsmith.write(pixels, ":mem:", mask=valid)
    for mask in (valid, da.from_array(valid, 300)):
        got = cogsmith.write(da.from_array(pixels, (1, 256, 256)), ":mem:", mask=mask).compute()
        assert got == expected


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks no larger than chunks, so that small images have many blocks."""
    from cogsmith import _dask

    monkeypatch.setattr(_dask, "SMALL_BLOCK", 1)


STATISTICS = [
    (dtype, invalid, [(75, 90), (33, 211), (64, 64), (163, 40)][place % 4])
    for place, (dtype, invalid) in enumerate(
        itertools.product(
            ["uint8", "int16", "uint64", "float16", "float32", "float64", "bool"],
            ["none", "nodata", "mask", "nodata and mask", "alpha"],
        )
    )
]


@pytest.mark.parametrize(("dtype", "invalid", "chunks"), STATISTICS)
def test_statistics_are_those_of_the_local_writer(dtype, invalid, chunks, small_blocks):
    pixels = image((2, 163, 211), dtype)
    if np.dtype(dtype).kind == "f":
        pixels[:, 20:60, 30:150] = np.nan
        pixels[1, 160, 200] = np.inf
    options = {"predictor": "YES", "statistics": True, "blocksize": 32, "overview_resampling": "cubic"}
    if "nodata" in invalid:
        value = pixels[0, 100, 100].item()
        options["nodata"] = int(value) if dtype == "bool" else value
    if invalid == "alpha":
        options["colorinterp"] = ["gray", "alpha"]
    mask = image((163, 211), "bool", seed=5) if "mask" in invalid else None
    array = da.from_array(pixels, (2, *chunks))
    write = cogsmith.write(array, ":mem:", mask=None if mask is None else da.from_array(mask, 100), **options)
    assert sum("cogsmith-encode-" in str(key) for key in dict(write.__dask_graph__())) > 4
    got = write.compute(scheduler="synchronous")
    assert got == cogsmith.write(pixels, ":mem:", mask=mask, **options)
    assert b"STATISTICS_MEAN" in got


def test_statistics_from_every_scheduler(out, client, small_blocks):
    pixels = image((2, 525, 523), "float32")
    options = {"statistics": True, "blocksize": 128, "nodata": 7}
    expected = cogsmith.to_cog(raster(pixels), **options)
    for scheduler in ("threads", "processes", "distributed"):
        write = cogsmith.write_cog(chunked(pixels, (1, 300, 200)), out, overwrite=True, **options)
        assert compute(write, scheduler, client) == out
        assert out.read_bytes() == expected
    import rasterio

    with rasterio.open(out) as file:
        for band in (1, 2):
            tags = file.tags(band)
            values = pixels[band - 1].astype("f8")
            assert float(tags["STATISTICS_MEAN"]) == pytest.approx(values.mean(), rel=1e-12)
            assert float(tags["STATISTICS_STDDEV"]) == pytest.approx(values.std(), rel=1e-9)
            assert tags["STATISTICS_VALID_PERCENT"] == "100"


def test_masked_arrays_of_dask():
    pixels = image((90, 120))
    masked = np.ma.masked_equal(pixels, 0)
    lazy = da.from_array(masked, chunks=40, asarray=False)
    for function in (cogsmith.to_cog, lambda array, **options: cogsmith.write(array, ":mem:", **options)):
        assert function(lazy, **WHERE).compute() == function(masked, **WHERE)
    with pytest.raises(ValueError, match="one mask for all bands"):
        cogsmith.write([lazy, lazy], ":mem:")
    # Chunks that differ from what the array declares.
    surprise = da.from_array(pixels, chunks=40).map_blocks(
        lambda block: np.ma.masked_equal(block, 0), meta=np.empty((0, 0), "uint16")
    )
    with pytest.raises(ValueError, match="chunks of the Dask array are masked"):
        cogsmith.write(surprise, ":mem:").compute()


@pytest.mark.parametrize("real", [
    lambda block: block.astype("float32"), lambda block: block[:1], lambda block: block[:, :-1],
])  # fmt: skip
def test_chunks_that_are_not_what_dask_was_told(real):
    array = da.from_array(image((90, 120)), chunks=40).map_blocks(real, dtype="uint16", meta=np.empty((0, 0), "uint16"))
    with pytest.raises(ValueError, match="but the Dask array declares uint16"):
        cogsmith.write(array, ":mem:").compute()


def test_chunks_of_an_array_are_one_group_of_tasks():
    """Only in large groups does distributed start no more tasks than there are free workers; see ``_chunks.py``."""
    pixels = da.zeros((4096, 4096), "uint16", chunks=256)
    for resampling in ("nearest", "cubic"):
        graph = cogsmith.write(pixels, ":mem:", blocksize=128, overview_resampling=resampling).__dask_graph__()
        groups = {key[0] for key in dict(graph) if isinstance(key, tuple)}
        made = [name for name in groups if sum(isinstance(key, tuple) and key[0] == name for key in dict(graph)) == 256]
        assert made, groups
        assert len(groups) <= 2, groups


def test_chunks_of_unknown_size():
    pixels = da.from_array(image((90, 120)), chunks=40)
    with pytest.raises(ValueError, match="compute_chunk_sizes"):
        cogsmith.write(pixels[pixels[:, 0] > 0], ":mem:")


def test_decoded_arrays():
    pixels = image((700, 900), "float32")
    pixels[5:90, 7:300] = np.nan
    array = chunked(pixels, 256)
    array.encoding["_FillValue"] = -999.0
    seen = look(cogsmith.to_cog(array).compute())
    np.testing.assert_array_equal(seen.levels[0][0], np.nan_to_num(pixels, nan=-999))


def test_several_files_at_once(tmp_path):
    pixels = image((700, 900))
    writes = [cogsmith.write_cog(chunked(pixels + n, 256), tmp_path / f"{n}.tif") for n in range(4)]
    assert list(dask.compute(*writes)) == [tmp_path / f"{n}.tif" for n in range(4)]
    for n in range(4):
        np.testing.assert_array_equal(look(tmp_path / f"{n}.tif").levels[0][0], pixels + n)


def test_a_write_can_be_pickled_and_is_part_of_other_graphs(out):
    write = cogsmith.write_cog(chunked(image((700, 900)), 256), out)
    again = pickle.loads(pickle.dumps(write))
    assert dask.delayed(lambda path: path.stat().st_size)(again).compute() == out.stat().st_size


# Only what is needed moves --------------------------------------------------------------------------------------------


def test_no_task_sees_more_than_a_block():
    from cogsmith import _arrays, _dask

    whole = da.zeros((8192, 8192), chunks=1024, dtype="uint16")
    seen, original = [], _arrays.pixels

    def pixels(parts, *rest):
        seen.append(parts[0].nbytes)
        return original(parts, *rest)

    _arrays.pixels = pixels
    try:
        cogsmith.write(whole, ":mem:", blocksize=256, overview_resampling="cubic").compute(scheduler="synchronous")
    finally:
        _arrays.pixels = original
    width, height = _dask.block_size((256, 256), whole[:, :, None])
    # The others are the tiles that settle the predictor.
    blocks = [size for size in seen if size > 256 * 256 * 2]
    assert len(blocks) == (8192 // width) * (8192 // height) > 1 and len(seen) - len(blocks) <= 4
    assert max(seen) < width * height * 2 * 1.2


# What goes wrong ------------------------------------------------------------------------------------------------------


def failing(after=3):
    def block(block_info=None):
        place = block_info[None]["chunk-location"]
        if sum(place) >= after:
            raise ArithmeticError("the source failed")
        return np.zeros((256, 256), "uint16")

    return raster(da.map_blocks(block, chunks=((256,) * 4, (256,) * 4), dtype="uint16", meta=np.zeros((0, 0), "uint16")))


@pytest.mark.parametrize("scheduler", ["threads", "processes", "synchronous", "distributed"])
def test_a_failing_task_leaves_nothing_behind(scheduler, out, client):
    out.write_bytes(b"old")
    with pytest.raises(ArithmeticError, match="the source failed"):
        compute(cogsmith.write_cog(failing(), out, overwrite=True), scheduler, client)
    assert leftovers(out.parent) == ["out.tif"] and out.read_bytes() == b"old"


@pytest.mark.parametrize("scheduler", ["threads", "processes", "synchronous", "distributed"])
def test_failures_while_tiles_are_put_at_their_places(scheduler, out, client, monkeypatch):
    """A file that appears at the target while blocks are computed is not replaced."""
    array = chunked(image((700, 900)), 256)
    write = cogsmith.write_cog(array, out)
    out.write_bytes(b"old")
    with pytest.raises(FileExistsError, match="File exists"):
        compute(write, scheduler, client)
    assert leftovers(out.parent) == ["out.tif"] and out.read_bytes() == b"old"


@pytest.mark.parametrize("function", [cogsmith.write_cog, cogsmith.write])
def test_a_target_that_exists_fails_when_it_is_computed(function, out):
    """As in datacube, whose Delayed runs the check."""
    out.write_bytes(b"old")
    write = function(chunked(image((700, 900)), 256), out)
    assert isinstance(write, Delayed)
    with pytest.raises(IOError, match="File exists"):
        write.compute()
    assert leftovers(out.parent) == ["out.tif"] and out.read_bytes() == b"old"
    assert function(chunked(image((700, 900)), 256), out, overwrite=True).compute() == out


@pytest.mark.parametrize("memory", [False, True])
def test_nothing_warns_and_no_file_stays_open(memory, out):
    """Runs in a separate process, where every warning is an error, including those of garbage collection."""
    script = f"""
import gc, sys, warnings
import dask, dask.array, numpy
import cogsmith
failures = []
sys.unraisablehook = lambda failure: failures.append(failure.exc_value)
warnings.simplefilter("error")
array = dask.array.from_array(numpy.arange(250_000, dtype="u2").reshape(500, 500), 200)
where = dict(crs=32633, transform=(10, 0, 399960, 0, -10, 5000040))
for function in (cogsmith.write_cog, cogsmith.write):
    result = function(array, {":mem:" if memory else str(out)!r}, overwrite={not memory}, statistics=True, **where)
    result.compute(scheduler="threads")
    del result
    gc.collect()
assert not failures, failures
"""
    done = subprocess.run([sys.executable, "-W", "error::ResourceWarning", "-c", script], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "", done.stderr


def test_a_disk_that_is_full(out, monkeypatch):
    from cogsmith import _dask

    def full(self, start, end):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_dask.Fragment, "read", full)
    with pytest.raises(OSError, match="No space left"):
        cogsmith.write_cog(chunked(image((700, 900)), 256), out).compute(scheduler="threads")
    assert leftovers(out.parent) == []


def test_an_interrupted_write(out, monkeypatch):
    from cogsmith import _dask

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(_dask, "_publish", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cogsmith.write_cog(chunked(image((700, 900)), 256), out).compute(scheduler="synchronous")
    assert leftovers(out.parent) == []


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        cogsmith.write_cog(chunked(image((700, 900)), 256), tmp_path / "no" / "out.tif").compute()


def test_pixels_that_change_when_they_are_computed_again():
    """A lost block is computed again; different pixels are an error, not a broken file."""
    from cogsmith import _dask

    fragment = _dask.Fragment.keep("token", 17, b"tiles")
    fragment.check((0, 0, 0), 17)
    with pytest.raises(ValueError, match="not deterministic"):
        fragment.check((0, 0, 0), 18)


def test_tasks_that_run_twice(out):
    """Runs each task of the graph two or three times, as after lost results."""
    pixels = image((700, 900))
    write = cogsmith.write_cog(chunked(pixels, 256), out)
    expected = cogsmith.to_cog(raster(pixels))
    from cogsmith import _dask

    twice = {}
    for name in ("_encode", "_encode_from", "_begin", "_place", "_finish", "_gather", "_merge"):
        twice[name] = getattr(_dask, name)

    def double(function):
        def run(*arguments):
            function(*arguments)
            return function(*arguments)

        return run

    for name, function in twice.items():
        setattr(_dask, name, double(function))
    try:
        write = cogsmith.write_cog(chunked(pixels, 256), out)
        assert write.compute(scheduler="threads") == out
    finally:
        for name, function in twice.items():
            setattr(_dask, name, function)
    assert out.read_bytes() == expected and leftovers(out.parent) == ["out.tif"]


def test_a_worker_that_dies(out):
    """Blocks of a lost worker are computed again, and the file is correct."""
    from distributed import Client, LocalCluster

    pixels = image((2048, 2048))

    def slow(block):
        time.sleep(0.2)
        return block

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        with Client(cluster) as client:
            array = raster(da.from_array(pixels, chunks=512).map_blocks(slow, dtype="uint16"))
            write = cogsmith.write_cog(array, out, blocksize=256)
            future = client.compute(write, retries=3)
            time.sleep(1.2)
            victim = next(iter(cluster.workers.values()))
            os.kill(victim.pid, 9)
            assert future.result(timeout=120) == out
    assert out.read_bytes() == cogsmith.to_cog(raster(pixels), blocksize=256)
    assert leftovers(out.parent) == ["out.tif"]


def test_costly_chunks_are_said(out):
    array = raster(da.zeros((2000, 2000), chunks=(20, 20), dtype="uint8"))
    with pytest.warns(UserWarning, match="the chunking is costly: each block of [0-9]+ columns x [0-9]+ rows is"):
        cogsmith.write_cog(array, out)
    array = raster(da.zeros((40_000, 80_000), chunks=(40_000, 40_000), dtype="uint8"))
    with pytest.warns(UserWarning, match="chunks of 1525 MiB are costly"):
        cogsmith.write_cog(array, out)


def test_what_dask_cannot_take(out):
    array = chunked(image((700, 900)), 256)
    with pytest.raises(TypeError, match="a path or ':mem:'"):
        with open(out, "wb") as file:
            cogsmith.write(array, file)
    with pytest.raises(ValueError, match="progress is not supported"):
        cogsmith.write(array, out, progress=print)


def test_temporary_files_go(tmp_path, out):
    with dask.config.set({"temporary-directory": str(tmp_path)}):
        write = cogsmith.write_cog(chunked(image((2000, 2000)), 512), out)
        write.compute(scheduler="threads")
    assert leftovers(tmp_path) == ["out.tif"]
    assert threading.active_count() < 100
