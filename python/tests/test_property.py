"""Random arrays, compared with a reference in fractions and NumPy: position, CRS, nodata, names, colors, metadata, pixels.

CI draws the same 300 every time. ``COGSMITH_PROPERTY_CASES=20000`` draws as many others, by ``--hypothesis-seed=N``.
"""

from __future__ import annotations

import os
import warnings

import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, given, settings
from random_arrays import POINTS, Sample, samples

import cogsmith

CASES = os.environ.get("COGSMITH_PROPERTY_CASES")


def written(sample: Sample) -> bytes:
    """Returns the bytes of the file, written in the way that was drawn."""
    array, options = sample.array, sample.options
    data = {
        "write": lambda: cogsmith.write(array, ":mem:", **options),
        "write_cog": lambda: cogsmith.write_cog(array, ":mem:", **options),
        "to_cog": lambda: cogsmith.to_cog(array, **options),
        "write Dataset": lambda: cogsmith.write(array.to_dataset(), ":mem:", **options),
        "write list": lambda: cogsmith.write([array], ":mem:", **options),
        ".write": lambda: array.cogsmith.write(":mem:", **options),
    }[sample.way]()
    return data if isinstance(data, bytes) else data.compute(scheduler="sync")


@settings(
    max_examples=int(CASES or 300),
    derandomize=CASES is None,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(samples())
def test_files_of_random_arrays(sample: Sample):
    expected = sample.expected
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.filterwarnings("ignore", "the chunking is costly")
        if expected.refused:
            with pytest.raises(ValueError, match="even"):
                written(sample)
            return
        data = written(sample)
    with rasterio.MemoryFile(data) as memory, memory.open() as file:
        if expected.mask is None:
            np.testing.assert_array_equal(file.read(), expected.pixels)
        else:
            np.testing.assert_array_equal(file.read_masks(1) != 0, expected.mask)
            np.testing.assert_array_equal(file.read(1)[expected.mask], expected.pixels[0][expected.mask])
        points, crs_of_points = file.gcps
        crs = crs_of_points if expected.gcps else file.crs
        assert (None if crs is None else crs.to_epsg()) == expected.crs
        if expected.gcps is not None:
            got = [(point.col, point.row, point.x, point.y) for point in points]
            wanted = [(*pixel, x, y) for pixel, (_, _, x, y) in zip(expected.gcps, POINTS, strict=True)]
            np.testing.assert_allclose(got, wanted, rtol=0, atol=expected.tolerance)
        else:
            height, width = expected.pixels.shape[1:]
            for corner in ((0, 0), (width, 0), (0, height), (width, height)):
                a, b, c, d, e, f = expected.transform
                x, y = a * corner[0] + b * corner[1] + c, d * corner[0] + e * corner[1] + f
                assert np.hypot(*np.subtract(file.transform @ corner, (x, y))) <= expected.tolerance, (corner, tuple(file.transform))
        np.testing.assert_equal(file.nodata, expected.nodata)
        assert file.descriptions == expected.names
        assert tuple(color.name for color in file.colorinterp) == expected.colors
        tags = file.tags()
        assert (tags.pop("AREA_OR_POINT", "Area") == "Point") == expected.point
        assert tags == expected.tags
        count = file.count
        assert file.scales == (expected.scale,) * count and file.offsets == (expected.offset,) * count
        assert file.units == (expected.unit,) * count
