"""From opening data to a validated COG with a plot of its levels.

Consists of cells (``# %%``) for Jupyter (through jupytext), VS Code, or Spyder; ``python docs/python_example.py`` runs it
from the project folder. Needs rioxarray, rasterio, rio-cogeo, and matplotlib in addition to cogsmith.
"""

# %% Open two bands of a Sentinel-2-like scene
import sys
import tempfile
from pathlib import Path

import matplotlib
import numpy as np
import rioxarray

import cogsmith

here = Path(__file__).resolve().parent
folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
with rioxarray.open_rasterio(here.parent / "fixtures" / "sentinel2_like.tif") as opened:
    scene = opened.load()
print(scene.sizes, scene.dtype, scene.rio.crs, "nodata", scene.rio.nodata)

# %% Compute something: an index of vegetation, without values where there is no data
first, second = scene.astype("float32").where(scene != scene.rio.nodata)
index = (second - first) / (second + first)
# Scale, offset and nodata were the bands'; the index has no value where it is NaN.
index.attrs = {"long_name": "vegetation index", "units": "1"}
index = index.rio.write_crs(scene.rio.crs)

# %% Write it
path = cogsmith.write_cog(
    index, folder / "index.tif", overwrite=True, blocksize=256, overview_resampling="average", overview_levels=[2, 4, 8]
)
print(path.name, path.stat().st_size, "bytes")

# %% Validate it
from rio_cogeo import cog_validate

valid, errors, warnings = cog_validate(str(path), strict=True)
assert valid, (errors, warnings)
print("valid")

# %% Look at its levels
import rasterio

matplotlib.use("Agg")
from matplotlib import pyplot

with rasterio.open(path) as file:
    factors = [1, *file.overviews(1)]
figure, axes = pyplot.subplots(1, len(factors), figsize=(12, 3.2), layout="constrained")
for place, (factor, axis) in enumerate(zip(factors, axes)):
    options = {} if place == 0 else {"OVERVIEW_LEVEL": place - 1}
    with rasterio.open(path, **options) as file:
        pixels = file.read(1)
    assert np.isfinite(pixels).any() and np.isnan(pixels[0, 0])
    drawn = axis.imshow(pixels, cmap="RdYlGn", vmin=-1, vmax=1, interpolation="nearest")
    axis.set_title(f"1:{factor}, {pixels.shape[1]}x{pixels.shape[0]}")
figure.colorbar(drawn, ax=axes, label=index.attrs["long_name"])
figure.savefig(folder / "python_example.png", dpi=80)
