"""Cloud Optimized GeoTIFFs in one pass, without GDAL: from numpy, xarray and Dask.

- :func:`write_cog`, :func:`to_cog`: in place of datacube's and odc-geo's functions of these names.
- :func:`write`: any array, Dataset or list of them, with the defaults of the library.
- :class:`CogWriter`: rows as they come.
- :func:`create`: a GeoTIFF file, as the command ``cogsmith create``; :func:`validate`, :func:`info`: as its others.
- ``array.cogsmith.write(...)``: the same from a DataArray or a Dataset.
"""

from . import _xarray
from ._check import info, validate
from ._convert import create
from ._native import __version__
from ._streaming import CogWriter
from ._write import _write_cog, to_cog, write, write_cog

_xarray.register()

__all__ = ["CogWriter", "__version__", "create", "info", "to_cog", "validate", "write", "write_cog"]
