"""The same file whatever libraries are imported: georeferences in every way of writing, in four processes."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
from conftest import look
from georeferenced import all_cases

import cogsmith

IMPORTS = {
    "nothing": "",
    "rioxarray": "import rioxarray",
    "odc-geo": "import odc.geo.xr",
    "both": "import odc.geo.xr, rioxarray, datacube.utils.cog",
}

SCRIPT = """
import hashlib, json, pickle, sys, warnings
warnings.simplefilter("ignore")
{imports}
import xarray
import cogsmith

def ways(raster):

    yield "write", lambda: cogsmith.write(raster, ":mem:")
    yield "to_cog", lambda: cogsmith.to_cog(raster)
    yield "write_cog", lambda: cogsmith.write_cog(raster, ":mem:")
    if not isinstance(raster, list):
        yield "accessor", lambda: raster.cogsmith.write(":mem:")
        yield "list", lambda: cogsmith.write([raster], ":mem:")
    if isinstance(raster, xarray.DataArray):
        yield "Dataset", lambda: cogsmith.write(raster.to_dataset(name="pixels"), ":mem:")
        if raster.chunks is None:
            yield "Dask", lambda: cogsmith.write(raster.chunk(), ":mem:", predictor="none")

found = {{}}
for name, raster in pickle.load(open(sys.argv[1], "rb")).items():
    for way, write in ways(raster):
        try:
            data = write()
            data = data if isinstance(data, bytes) else data.compute()
            found[f"{{name}}: {{way}}"] = hashlib.sha256(data).hexdigest()
        except Exception as error:
            found[f"{{name}}: {{way}}"] = f"{{type(error).__name__}}: {{error}}"
json.dump(found, sys.stdout)
"""


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    return all_cases(tmp_path_factory.mktemp("cases"))


def test_the_same_bytes_in_every_process(cases, tmp_path):
    path = tmp_path / "rasters"
    path.write_bytes(pickle.dumps({name: case.raster for name, case in cases.items()}))
    runs = {}
    for name, imports in IMPORTS.items():
        command = [sys.executable, "-c", SCRIPT.format(imports=imports), str(path)]
        runs[name] = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    results = {}
    for name, process in runs.items():
        output, errors = process.communicate()
        assert process.returncode == 0, errors
        results[name] = json.loads(output)
    expected = results["nothing"]
    assert len(expected) > 4 * len(cases)
    for name, result in results.items():
        different = {key: (expected[key], result[key]) for key in expected if result[key] != expected[key]}
        assert not different, name
    # Only rasters without a CRS or a position are errors.
    failed = {key.split(": ")[0]: text for key, text in expected.items() if "Error" in text}
    assert all("Need geo-registered array" in text for text in failed.values()), failed
    assert set(failed) == {name for name, case in cases.items() if case.crs is None or not (case.transform or case.points)}



def test_the_georeference_of_every_kind(cases):
    for name, case in cases.items():
        written = cogsmith.write(case.raster, ":mem:")
        seen = look(written if isinstance(written, bytes) else written.compute())
        crs = seen.gcps[1] if case.points else seen.profile["crs"]
        assert (None if crs is None else crs.to_epsg()) == case.crs, name
        if case.points:
            found = [(point.col, point.row) for point in seen.gcps[0]]
            np.testing.assert_allclose(found, case.points, atol=1e-6, err_msg=name)
        elif case.transform is None:
            assert seen.profile["transform"].is_identity, name
        else:
            scale = abs(case.transform.determinant) ** 0.5
            np.testing.assert_allclose(
                tuple(seen.profile["transform"])[:6], tuple(case.transform)[:6], rtol=1e-12, atol=1e-5 * scale, err_msg=name
            )
