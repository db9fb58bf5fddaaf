"""Shared by the tests: georeferenced rasters, and files as rasterio reads them."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.shutil
import s3_server
from affine import Affine
from odc.geo.geobox import GeoBox
from odc.geo.xr import xr_coords
from rio_cogeo import cog_validate
import xarray as xr

#: Options of the command that Python does not have: those of warps (docs/warp.md).
NOT_IN_PYTHON = {
    "tiling_scheme", "zoom_level", "zoom_level_strategy", "aligned_levels", "dst_crs", "resolution", "extent", "warp_resampling",
}  # fmt: skip

TYPES = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"]


def image(shape: tuple[int, ...], dtype: Any = "uint16", seed: int = 0) -> np.ndarray:
    """Pixels with structure and noise, over the range of the type."""
    generator = np.random.default_rng(seed)
    dtype = np.dtype(dtype)
    down, across = np.ogrid[: shape[-2], : shape[-1]]
    waves = np.sin(down / 37) + np.cos(across / 53)
    values = waves * 1000 + generator.normal(0, 50, shape) + np.arange(int(np.prod(shape[:-2]))).reshape(
        (*shape[:-2], 1, 1)
    )
    if dtype.kind == "b":
        return values > 0
    if dtype.kind == "c":
        return (values + 1j * values[..., ::-1, :]).astype(dtype)
    if dtype.kind in "ui":
        limits = np.iinfo(dtype)
        values = values * min(1, limits.max / 4000)
        return np.clip(values, limits.min, limits.max).astype(dtype)
    return values.astype(dtype)


def geobox(shape: tuple[int, int], crs: Any = 32633) -> GeoBox:
    """A grid of 10 units per pixel."""
    return GeoBox(shape, Affine(10, 0, 399960, 0, -10, 5000040), crs)


def raster(pixels: Any, nodata: Any = None, crs: Any = 32633, dims: tuple[str, ...] | None = None) -> xr.DataArray:
    """A DataArray with coordinates by odc-geo."""
    if dims is None:
        dims = ("y", "x") if pixels.ndim == 2 else ("band", "y", "x")
    shape = tuple(pixels.shape[dims.index(dim)] for dim in ("y", "x"))
    coords = xr_coords(geobox(shape, crs), always_yx=True)
    array = xr.DataArray(pixels, dims=dims, coords=coords)
    if nodata is not None:
        array.attrs["nodata"] = nodata
    return array


@dataclass
class Seen:
    """A file as rasterio reads it."""

    levels: list[np.ndarray]
    profile: dict[str, Any]
    tags: dict[str, str]
    descriptions: tuple[str | None, ...]
    scales: tuple[float, ...]
    offsets: tuple[float, ...]
    units: tuple[str | None, ...]
    colorinterp: tuple[Any, ...]
    overviews: list[int]
    block_shapes: list[tuple[int, int]]
    structure: dict[str, str]
    gcps: Any
    masks: np.ndarray


#: A folder for files that ``tests/judges/python_files.py`` checks afterwards.
JUDGED = os.environ.get("COGSMITH_JUDGED")


def keep_for_judges(data: bytes, finished: bool = False, edited: bool = False) -> None:
    """Keeps a file of this package once, by its content, if the folder is set.

    ``finished`` marks files with supplied overviews and no record of their kernel, which the check expects; ``edited`` those
    with another header than that of a new file.
    """
    if JUDGED:
        path = Path(JUDGED) / f"{hashlib.sha256(data).hexdigest()[:24]}{'.finished' * finished}{'.edited' * edited}.tif"
        if not path.exists():
            path.write_bytes(data)


def look(path: Path | str | bytes, finished: bool = False) -> Seen:
    """Reads everything about a file. Bytes are always a file of this package."""
    if isinstance(path, bytes):
        keep_for_judges(path, finished)
        with rasterio.MemoryFile(path) as memory:
            return look(memory.name)
    with rasterio.open(path) as file:
        factors = file.overviews(1)
        levels = [file.read()]
        blocks = [file.block_shapes[0]]
        seen = Seen(
            levels=levels,
            profile=dict(file.profile),
            tags=file.tags(),
            descriptions=file.descriptions,
            scales=file.scales,
            offsets=file.offsets,
            units=file.units,
            colorinterp=file.colorinterp,
            overviews=factors,
            block_shapes=blocks,
            structure=file.tags(ns="IMAGE_STRUCTURE"),
            gcps=file.gcps,
            masks=file.dataset_mask(),
        )
    for level in range(len(factors)):
        with rasterio.open(path, OVERVIEW_LEVEL=level) as file:
            levels.append(file.read())
            blocks.append(file.block_shapes[0])
    return seen


def assert_valid(path: Path | str, finished: bool = False, edited: bool = False) -> None:
    """rio-cogeo's strict validation."""
    keep_for_judges(Path(path).read_bytes(), finished, edited)
    valid, errors, warnings = cog_validate(str(path), strict=True, quiet=True)
    assert valid, (errors, warnings)


def leftovers(folder: Path) -> list[str]:
    """Returns the names in a folder, hidden files included."""
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def server():
    """A server with the interface of S3."""
    with s3_server.running() as server:
        yield server


@pytest.fixture
def storage(server):
    """Options of the connection to it."""
    return s3_server.options(server)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.tif"
