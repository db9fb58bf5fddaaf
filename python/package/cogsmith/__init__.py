"""Write Cloud Optimized GeoTIFFs in one pass, without GDAL, from NumPy, xarray, and Dask.

- :func:`write`: write an array, a DataArray, a Dataset, or a list of these.
- :func:`write_cog`, :func:`to_cog`: replace the functions of these names in datacube and odc-geo.
- :class:`CogWriter`: write rows as they come.
- :func:`create`: convert a GeoTIFF file, as the command ``cogsmith create`` does.
- :func:`mosaic`, :func:`stack`: join files on one grid, or their bands, as the commands of these names do.
- :func:`edit`, :func:`repack`: change a file without encoding it again, as the commands of these names do.
- :func:`patch`: replace a window of a file, encoding only the tiles that change, as the command of this name does.
- :func:`cog_translate`: replaces the function of this name in rio-cogeo.
- :func:`validate`, :func:`info`, :func:`explain`, :func:`preview`: check, describe, explain, and show files, as the commands of these names do.
- ``array.cogsmith.write(...)``: the same functions as an accessor of DataArrays and Datasets.
"""

from . import _xarray
from ._check import explain, info, validate
from ._convert import create
from ._datacube import _write_cog, to_cog, write_cog
from ._edit import edit, repack
from ._native import __version__
from ._patch import patch
from ._preview import preview
from ._several import mosaic, stack
from ._streaming import CogWriter
from ._translate import cog_translate
from ._write import write

_xarray.register()

__all__ = [
    "CogWriter", "__version__", "cog_translate", "create", "edit", "explain", "info", "mosaic", "patch", "preview", "repack", "stack", "to_cog", "validate", "write", "write_cog",
]  # fmt: skip
