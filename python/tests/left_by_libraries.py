"""Arrays as rioxarray, odc-geo, and datacube leave them, in a form that xarray alone can read.

``left_by_libraries.json`` contains dimensions, attributes, encodings, and coordinates. ``python left_by_libraries.py``
writes it, and ``test_ways.py`` compares it with the installed libraries, so that processes without these libraries can
build the same arrays.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

RECORDS = Path(__file__).with_suffix(".json")
ROWS, COLUMNS = 24, 32


def pixels(bands: int, dtype: Any, rows: int = ROWS, columns: int = COLUMNS) -> np.ndarray:
    """Returns distinct values, (bands, rows, columns): a flip, a swap, or a shift changes them."""
    return (np.arange(bands * rows * columns) % 251).reshape(bands, rows, columns).astype(dtype)


# Reading the records --------------------------------------------------------------------------------------------------


def array(name: str) -> xr.DataArray:
    """Builds the array of a record, with its own pixels."""
    record = _records()[name]
    shape = record["shape"]
    spatial = [shape[dim] for dim in record["dims"] if dim not in ("band", "time")]
    values = pixels(int(np.prod(list(shape.values()))) // int(np.prod(spatial)), record["dtype"], *spatial)
    if record["dims"][-1] == "band":
        values = np.moveaxis(values, 0, -1)
    coords = {key: _variable(coordinate) for key, coordinate in record["coords"].items()}
    result = xr.DataArray(
        values.reshape([shape[dim] for dim in record["dims"]]), dims=record["dims"], coords=coords, name=record["name"]
    )
    result.attrs = _decode(record["attrs"])
    result.encoding = _decode(record["encoding"])
    return result


@functools.cache
def _records() -> dict[str, Any]:
    texts, records = json.loads(RECORDS.read_text(encoding="utf-8"))
    return {name: _restore_texts(one, texts) for name, one in records.items()}


def _restore_texts(value: Any, texts: list[str]) -> Any:
    if isinstance(value, list):
        return [_restore_texts(one, texts) for one in value]
    if isinstance(value, dict):
        if set(value) == {"text"}:
            return texts[value["text"]]
        return {key: _restore_texts(one, texts) for key, one in value.items()}
    return value


def _variable(record: dict[str, Any]) -> xr.Variable:
    values = np.array(record["values"], dtype=record["dtype"])
    return xr.Variable(record["dims"], values, _decode(record["attrs"]), _decode(record["encoding"]))


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return [_decode(one) for one in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"tuple"}:
        return tuple(map(_decode, value["tuple"]))
    if set(value) == {"scalar", "dtype"}:
        return np.dtype(value["dtype"]).type(value["scalar"])
    return {key: _decode(one) for key, one in value.items()}


# Making the records ---------------------------------------------------------------------------------------------------


def record(array: xr.DataArray) -> dict[str, Any]:
    """Describes an array in JSON, except its pixels."""
    encoding = {key: value for key, value in array.encoding.items() if key not in ("source", "preferred_chunks")}
    return {
        "name": array.name,
        "dims": list(array.dims),
        "shape": dict(zip(array.dims, array.shape, strict=True)),
        "dtype": array.dtype.name,
        "attrs": _encode(array.attrs),
        "encoding": _encode(encoding),
        "coords": {
            name: {
                "dims": list(coordinate.dims),
                "dtype": coordinate.dtype.str,
                "values": (
                    coordinate.values.astype(str) if coordinate.dtype.kind in "MU" else coordinate.values
                ).tolist(),
                "attrs": _encode(coordinate.attrs),
                "encoding": _encode(coordinate.encoding),
            }
            for name, coordinate in array.coords.items()
        },
    }


def _encode(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _encode(one) for key, one in value.items()}
    if isinstance(value, tuple):
        return {"tuple": [_encode(one) for one in value]}
    if isinstance(value, np.generic):
        return {"scalar": value.item(), "dtype": value.dtype.name}
    if isinstance(value, (np.dtype, type)):
        return np.dtype(value).name
    return value


def record_all(folder: Path) -> dict[str, Any]:
    """Creates the arrays with the libraries themselves, through files in a folder."""
    import datacube
    import odc.geo.xr
    import rasterio
    import rioxarray
    from affine import Affine
    from datacube.model import Measurement
    from odc.geo.gcp import GCPGeoBox
    from odc.geo.geobox import GeoBox
    from rasterio.control import GroundControlPoint

    utm = Affine(10, 0, 399960, 0, -10, 5000040)
    degrees = Affine(0.1, 0, 10, 0, -0.1, 50)
    points = [
        GroundControlPoint(row, column, 10 + column / 32 + row / 240, 50 - row / 24 + column / 320)
        for row in (0, ROWS)
        for column in (0, COLUMNS)
    ]

    def file(
        name: str,
        bands: int = 1,
        dtype: str = "int16",
        transform: Any = utm,
        crs: int = 32633,
        shape: tuple[int, int] = (ROWS, COLUMNS),
        **about: Any,
    ) -> Path:
        path = folder / f"{name}.tif"
        place = {} if about.get("gcps") else {"transform": transform, "crs": crs}
        profile = {"driver": "GTiff", "height": shape[0], "width": shape[1], "count": bands, "dtype": dtype}
        with rasterio.open(path, "w", nodata=about.get("nodata"), **profile, **place) as out:
            out.write(pixels(bands, dtype, *shape))
            out.update_tags(**about.get("tags", {}))
            for attribute in ("descriptions", "scales", "offsets", "units"):
                if attribute in about:
                    setattr(out, attribute, about[attribute])
            if about.get("gcps"):
                out.gcps = (about["gcps"], rasterio.crs.CRS.from_epsg(crs))
        return path

    def rio(name: str, **options: Any) -> Any:
        return rioxarray.open_rasterio(folder / f"{name}.tif", **options)

    file("int16", nodata=-999)
    file("rgb", 3, "uint8", descriptions=("red", "green", "blue"))
    file("nir", 4, "uint8", descriptions=("blue", "green", "red", "nir"))
    file(
        "tagged",
        2,
        "uint8",
        descriptions=("height", "depth"),
        scales=(2, 2),
        offsets=(1, 1),
        units=("m", "m"),
        tags={"AREA_OR_POINT": "Point", "TIFFTAG_SOFTWARE": "surveyor 2", "mission": "A & B", "count": "12"},
    )
    file("scaled", nodata=-999, scales=(0.5,), offsets=(10,), units=("K",))
    file("lonlat", transform=degrees, crs=4326)
    file("rotated", transform=utm * Affine.rotation(30), shape=(6, 8))
    file("gcps", crs=4326, gcps=points)
    grid = GeoBox((ROWS, COLUMNS), utm, 32633)
    written = xr.DataArray(pixels(1, "int16")[0], dims=("y", "x")).rio.write_crs(32633).rio.write_transform(utm)
    with_nodata = rio("rgb").rio.write_nodata(255)
    many = odc.geo.xr.wrap_xr(pixels(2, "int16"), grid, time=["2024-05-01", "2024-05-11T10:20:30"], nodata=-1)
    product = [Measurement(name="red", dtype="int16", nodata=-999, units="1")]
    arrays = {
        "rio": rio("int16"),
        "rio_squeezed": rio("int16").squeeze("band", drop=True),
        "rio_masked": rio("int16", masked=True),
        "rio_scaled": rio("scaled", mask_and_scale=True),
        "rio_raw": rio("scaled"),
        "rio_rgb": rio("rgb"),
        "rio_nir": rio("nir"),
        "rio_tagged": rio("tagged"),
        "rio_lonlat": rio("lonlat"),
        "rio_rotated": rio("rotated"),
        "rio_gcps": rio("gcps"),
        "rio_written": written,
        "rio_nodata": with_nodata,
        "rio_variable": rio("tagged", band_as_variable=True)["band_2"],
        "rio_reprojected": rio("int16").rio.reproject("EPSG:3857"),
        "odc": odc.geo.xr.xr_zeros(grid, dtype="int16"),
        "odc_lonlat": odc.geo.xr.xr_zeros(GeoBox((ROWS, COLUMNS), degrees, 4326), dtype="int16"),
        "odc_rotated": odc.geo.xr.xr_zeros(GeoBox((ROWS, COLUMNS), utm * Affine.rotation(30), 32633), dtype="int16"),
        "odc_gcps": odc.geo.xr.xr_zeros(GCPGeoBox.from_rio(rasterio.open(folder / "gcps.tif")), dtype="int16"),
        "odc_time": many,
        "odc_colorized": odc.geo.xr.xr_zeros(grid, dtype="uint8").odc.colorize("viridis"),
        "datacube": datacube.Datacube.create_storage(None, grid, product)["red"],
    }
    return {name: record(array) for name, array in arrays.items()}


def _collect_texts(value: Any, texts: list[str]) -> Any:
    """Replaces long texts, most of them WKT, with references, since many arrays share them."""
    if isinstance(value, list):
        return [_collect_texts(one, texts) for one in value]
    if isinstance(value, dict):
        return {key: _collect_texts(one, texts) for key, one in value.items()}
    if isinstance(value, str) and len(value) > 100:
        if value not in texts:
            texts.append(value)
        return {"text": texts.index(value)}
    return value


def changed(folder: Path) -> list[str]:
    """Returns the names of arrays that the installed libraries leave in another form."""
    now = json.loads(json.dumps(record_all(folder)))
    kept = json.loads(json.dumps(_records()))
    return sorted(name for name in {*now, *kept} if repr(now.get(name)) != repr(kept.get(name)))


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        collected: list[str] = []
        records = _collect_texts(record_all(Path(folder)), collected)
    lines = [f"{json.dumps(name)}: {json.dumps(one, ensure_ascii=False)}" for name, one in records.items()]
    texts = ",\n".join(json.dumps(text, ensure_ascii=False) for text in collected)
    RECORDS.write_text("[[\n" + texts + "\n], {\n" + ",\n".join(lines) + "\n}]\n", encoding="utf-8")
