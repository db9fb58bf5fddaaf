"""Writes all arrays of ``array_cases.py`` in all ways, in a process that has imported only some libraries.

``python ways_process.py FOLDER [rioxarray] [odc-geo]`` writes ``FOLDER/ways.json``: for each array and way, the hash of
the file or the exception, and the warnings. The files go to ``FOLDER/../files``, named by their hash.
"""

from __future__ import annotations

import faulthandler
import hashlib
import json
import sys
import tempfile
import traceback
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

IMPORTS = {"rioxarray": ("rioxarray", "rasterio", "pyproj"), "odc-geo": ("odc", "odc.geo", "odc.geo.xr", "pyproj")}
FOREIGN = ("rioxarray", "rasterio", "pyproj", "odc", "datacube", "osgeo")


def import_only(libraries: list[str]) -> None:
    """Imports libraries, and blocks the import of all others."""
    allowed = {name.split(".")[0] for library in libraries for name in IMPORTS[library]}
    if libraries:
        # odc-geo uses rasterio if it is installed; rasterio is not under test here.
        allowed |= {"rasterio"}
    for name in FOREIGN:
        if name not in allowed:
            sys.modules[name] = None  # type: ignore[assignment]
    for library in libraries:
        for name in IMPORTS[library]:
            __import__(name)


class Geobox:
    """A geobox like odc-geo's, with the parts that `_write_cog` needs."""

    def __init__(self, shape: tuple[int, int], transform: Any, crs: Any, points: Any) -> None:
        self.shape, self.transform, self.crs = shape, transform, crs
        if points is not None:
            self.gcps = lambda: points


def as_dask(source: Any) -> Any:
    """Returns the same as Dask arrays of small chunks."""
    return source.chunk({dim: 16 for dim in source.dims})


#: Dask takes most of the time, and its additions to the other ways are the same in all processes.
DASK_EVERYWHERE = ("Dask, write", "Dask, to_cog")


def ways_of(source: Any, every: bool) -> dict[str, Callable[[dict[str, Any], Path], bytes]]:
    """Returns all ways of writing an array or a Dataset, by name."""
    import cogsmith

    def to_path(write: Callable[..., Any]) -> Callable[[dict[str, Any], Path], bytes]:
        def run(options: dict[str, Any], folder: Path) -> bytes:
            path = folder / "out.tif"
            result = write(path, **options)
            result = result.compute(scheduler="sync") if hasattr(result, "compute") else result
            assert result == path, result
            data = path.read_bytes()
            path.unlink()
            return data

        return run

    def to_memory(write: Callable[..., Any]) -> Callable[[dict[str, Any], Path], bytes]:
        def run(options: dict[str, Any], folder: Path) -> bytes:
            result = write(**options)
            return result.compute(scheduler="sync") if hasattr(result, "compute") else result

        return run

    dataset = source if hasattr(source, "data_vars") else source.to_dataset(name=source.name or "variable")
    found: dict[str, Callable[[dict[str, Any], Path], bytes]] = {}
    for prefix, one in (("", source), ("Dask, ", as_dask(source))):
        found |= {
            f"{prefix}write": to_memory(lambda one=one, **options: cogsmith.write(one, ":mem:", **options)),
            f"{prefix}write to a path": to_path(lambda path, one=one, **options: cogsmith.write(one, path, **options)),
            f"{prefix}write of a list": to_memory(lambda one=one, **options: cogsmith.write([one], ":mem:", **options)),
            f"{prefix}write_cog": to_memory(lambda one=one, **options: cogsmith.write_cog(one, ":mem:", **options)),
            f"{prefix}to_cog": to_memory(lambda one=one, **options: cogsmith.to_cog(one, **options)),
        }
    found |= {
        "write_cog to a path": to_path(lambda path, **options: cogsmith.write_cog(source, path, **options)),
        "write of a Dataset": to_memory(lambda **options: cogsmith.write(dataset, ":mem:", **options)),
        "write_cog of a Dataset": to_memory(lambda **options: cogsmith.write_cog(dataset, ":mem:", **options)),
        "Dask, write of a Dataset": to_memory(lambda **options: cogsmith.write(as_dask(dataset), ":mem:", **options)),
        ".cogsmith.write": to_memory(lambda **options: source.cogsmith.write(":mem:", **options)),
        ".cogsmith.write_cog": to_memory(lambda **options: source.cogsmith.write_cog(":mem:", **options)),
        ".cogsmith.to_cog": to_memory(lambda **options: source.cogsmith.to_cog(**options)),
        "Dataset.cogsmith.write": to_memory(lambda **options: dataset.cogsmith.write(":mem:", **options)),
    }
    return {way: run for way, run in found.items() if every or "Dask" not in way or way in DASK_EVERYWHERE}


def by_values(source: Any, case: Any) -> dict[str, Callable[[dict[str, Any], Path], bytes]]:
    """Returns the ways that are given the georeference instead of reading it from the array."""
    import cogsmith
    import numpy as np

    names = [dim for dim in source.dims if dim not in ("band", "time")]
    rows, columns = ("y", "x") if "y" in names else names
    rest = [dim for dim in source.dims if dim not in (rows, columns)]
    values = source.transpose(*rest, rows, columns).values

    def cog_writer(options: dict[str, Any], folder: Path) -> bytes:
        with cogsmith.CogWriter(":mem:", shape=values.shape, dtype=values.dtype, **options) as cog:
            for first in range(0, values.shape[-2], 7):
                cog.push(values[..., first : first + 7, :])
        return cog.result

    points = (
        None
        if case.gcps is None
        else [types.SimpleNamespace(col=c, row=r, x=x, y=y, z=None) for c, r, x, y in case.gcps]
    )
    geobox = Geobox(values.shape[-2:], case.transform, case.crs, points)
    place = ("crs", "transform", "gcps")

    def with_geobox(options: dict[str, Any], folder: Path) -> bytes:
        rest = {name: value for name, value in options.items() if name not in place}
        return cogsmith._write_cog(np.ascontiguousarray(values), geobox, ":mem:", **rest)

    def without_attributes(run: Callable[[dict[str, Any], Path], bytes]) -> Callable[[dict[str, Any], Path], bytes]:
        return lambda options, folder: run({name: options[name] for name in options if name != "attrs"}, folder)

    ways = {
        "write of numpy": lambda options, _: cogsmith.write(values, ":mem:", **options),
        "write_cog of numpy": lambda options, _: cogsmith.write_cog(values, ":mem:", **options),
        "CogWriter": cog_writer,
        "_write_cog": with_geobox,
    }
    return {way: without_attributes(run) for way, run in ways.items()}


#: Options for everything that the ways would decide differently.
EXPLICIT = {
    "compress": "deflate",
    "level": 6,
    "predictor": 1,
    "blocksize": 16,
    "overview_levels": [2],
    "overview_resampling": "average",
    "interleave": "pixel",
}


def explicit_options(source: Any, case: Any) -> dict[str, Any]:
    """Returns options that leave nothing to the array, for a case without its own options."""
    count = 1
    for dim in source.dims:
        count *= source.sizes[dim] if dim in ("band", "time") else 1
    dtype = source.dtype.kind
    nodata = (
        case.nodata if case.nodata is not None else float("nan") if dtype == "f" else 251 if dtype == "u" else -32768
    )
    place = {"gcps": case.gcps} if case.gcps else {"transform": case.transform} if case.transform else {}
    if case.crs is not None:
        place["crs"] = case.crs
    return {
        **EXPLICIT,
        **place,
        "nodata": nodata,
        "band_names": list(case.names or ["a name"] * count),
        "attrs": False,
        "tags": {"tag": "value"},
        "band_scale": 2.0,
        "band_offset": 1.0,
        "band_unit": "m",
        "colorinterp": ["gray"] + ["undefined"] * (count - 1),
        "pixel_is_point": case.point,
    }


def outcome(run: Callable[[dict[str, Any], Path], bytes], options: dict[str, Any], folder: Path, files: Path) -> Any:
    """Returns the hash of the file or the exception, and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            data = run(dict(options), folder)
            digest = hashlib.sha256(data).hexdigest()[:24]
            path = files / f"{digest}.tif"
            if not path.exists():
                path.write_bytes(data)
            result: dict[str, Any] = {"file": digest}
        except Exception as error:  # noqa: BLE001 - what is wrong is judged by the test
            where = [frame.name for frame in traceback.extract_tb(error.__traceback__)][-3:]
            kinds = [kind.__name__ for kind in type(error).__mro__]
            result = {"error": [kinds, str(error)], "where": where}
    result["warnings"] = sorted({f"{one.category.__name__}: {one.message}" for one in caught})
    return result


def main() -> None:
    # A process that hangs reports where.
    faulthandler.dump_traceback_later(600, exit=True)
    folder = Path(sys.argv[1])
    import_only(sys.argv[2:])
    alone = not sys.argv[2:]
    from array_cases import CASES

    files = folder.parent / "files"
    files.mkdir(exist_ok=True)
    results: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for case in CASES:
            source = case.build()
            results[case.name] = {
                way: outcome(run, case.options, Path(scratch), files) for way, run in ways_of(source, alone).items()
            }
            # If libraries make no difference by default, they make none with options either.
            if (
                alone
                and case.error is None
                and not case.options
                and not case.decoded
                and not hasattr(source, "data_vars")
            ):
                ways = ways_of(source, True)
                if case.transform or case.gcps:
                    ways |= by_values(source, case) if not isinstance(case.crs, dict) else {}
                options = explicit_options(source, case)
                results[case.name] |= {
                    f"explicit, {way}": outcome(run, options, Path(scratch), files) for way, run in ways.items()
                }
    present = sorted(name for name in FOREIGN if sys.modules.get(name) is not None)
    (folder / "ways.json").write_text(json.dumps({"libraries": present, "results": results}), encoding="utf-8")


if __name__ == "__main__":
    main()
