"""The accessor ``.cogsmith`` of DataArrays and Datasets, registered once xarray has been imported."""

from __future__ import annotations

import importlib.abc
import importlib.util
import inspect
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Concatenate, ParamSpec, TypeVar

from . import _datacube, _write


P = ParamSpec("P")
R = TypeVar("R")


def _method(function: Callable[Concatenate[Any, P], R], doc: str) -> Callable[Concatenate[Accessor, P], R]:
    """Returns a function for arrays as a method, which has the function's parameters except the array."""

    def method(self: Accessor, /, *args: P.args, **options: P.kwargs) -> R:
        return function(self._raster, *args, **options)

    signature = inspect.signature(function)
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    method.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[own, *list(signature.parameters.values())[1:]]
    )
    method.__name__ = function.__name__
    method.__qualname__ = f"Accessor.{function.__name__}"
    method.__doc__ = inspect.cleandoc(doc)
    return method


class Accessor:
    """Write a DataArray or a Dataset as a Cloud Optimized GeoTIFF.

    Examples
    --------
    >>> array.cogsmith.write("out.tif", compress="zstd")
    PosixPath('out.tif')
    """

    def __init__(self, raster: Any) -> None:
        self._raster = raster

    write = _method(
        _write.write,
        """Write this DataArray or Dataset with :func:`cogsmith.write`.

        Parameters
        ----------
        target : str, os.PathLike, or file object
            Path of the file, ``":mem:"`` for bytes, or an object with a method ``write(bytes)``.
        crs, transform, ... : optional
            All other arguments of :func:`cogsmith.write`.

        Returns
        -------
        pathlib.Path, bytes, int, or dask.delayed.Delayed
            As :func:`cogsmith.write`, which also lists the errors.

        Examples
        --------
        >>> array.cogsmith.write("out.tif", compress="zstd")
        PosixPath('out.tif')
        """,
    )

    write_cog = _method(
        _datacube.write_cog,
        """Write this DataArray or Dataset with :func:`cogsmith.write_cog`.

        Parameters
        ----------
        fname : str or os.PathLike
            Path of the file, or ``":mem:"`` for bytes.
        overwrite, blocksize, ... : optional
            All other arguments of :func:`cogsmith.write_cog`.

        Returns
        -------
        pathlib.Path, bytes, or dask.delayed.Delayed
            As :func:`cogsmith.write_cog`, which also lists the errors.

        Examples
        --------
        >>> array.cogsmith.write_cog("out.tif", overwrite=True)
        PosixPath('out.tif')
        """,
    )

    to_cog = _method(
        _datacube.to_cog,
        """Compress this DataArray or Dataset to bytes with :func:`cogsmith.to_cog`.

        Parameters
        ----------
        blocksize, compress, ... : optional
            All other arguments of :func:`cogsmith.to_cog`.

        Returns
        -------
        bytes or dask.delayed.Delayed
            As :func:`cogsmith.to_cog`, which also lists the errors.

        Examples
        --------
        >>> data = array.cogsmith.to_cog(compress="zstd")
        """,
    )


def register() -> None:
    """Registers the accessor now, or once the caller imports xarray; this package does not import it."""
    if "xarray" in sys.modules:
        _register_with(sys.modules["xarray"])
    else:
        sys.meta_path.insert(0, _WhenXarrayComes())


def _register_with(xarray: ModuleType) -> None:
    xarray.register_dataarray_accessor("cogsmith")(Accessor)
    xarray.register_dataset_accessor("cogsmith")(Accessor)


class _WhenXarrayComes(importlib.abc.MetaPathFinder):
    """Delegates to the other finders, and registers the accessor after the import of xarray."""

    def __init__(self) -> None:
        self._asked = False

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != "xarray" or self._asked:
            return None
        self._asked = True
        try:
            spec = importlib.util.find_spec("xarray")
        finally:
            self._asked = False
        if spec is not None and spec.loader is not None and not isinstance(spec.loader, _Loader):
            spec.loader = _Loader(spec.loader, self._done)
        return spec

    def _done(self, xarray: ModuleType) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)
            _register_with(xarray)


class _Loader(importlib.abc.Loader):
    def __init__(self, inner: Any, done: Callable[[ModuleType], None]) -> None:
        self._inner = inner
        self._done = done

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._inner.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        self._inner.exec_module(module)
        self._done(module)
