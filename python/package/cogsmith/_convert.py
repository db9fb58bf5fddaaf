"""GeoTIFF files: :func:`create`, what the command does."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from . import _native, _options, _raster
from ._plan import Input
from ._progress import as_callback
from ._raster import UNSET


def create(
    src_path: str | os.PathLike[str],
    dst_path: str | os.PathLike[str],
    *,
    image: int | None = None,
    nodata: Any = UNSET,
    mask: str = "auto",
    nbits: str = "keep",
    progress: Any = None,
    **options: Any,
) -> dict[str, Any]:
    """Reads a GeoTIFF and writes it again as a Cloud Optimized GeoTIFF, as ``cogsmith create`` does.

    Options are those of the command, with ``_`` for ``-``, and their other names as in :func:`cogsmith.write`. Georeference
    and metadata are carried over. What is strange about the input becomes a ``UserWarning``.

    Returns the object that ``cogsmith create --json`` prints, without ``output`` and ``seconds``.
    """
    if nbits not in ("keep", "widen"):
        raise ValueError(f"nbits={nbits!r}: expected 'keep' or 'widen'")
    facts = _options.Facts(1, 1, 1, np.dtype("u1"))
    request = _options.resolve(options, facts, _options.Request())
    for name in ("photometric", "extra_samples", "bits"):
        if getattr(request, name) is not None:
            raise ValueError(f"option '{name}' is not supported: it is the input's")
    given: str | None = None
    if nodata is not UNSET:
        given = "none" if nodata is None else _raster.nodata_text(nodata, np.dtype("f8"))
    request.work.progress = as_callback(progress)
    taken = Input(image=image, nodata=given, mask=mask, widen=nbits == "widen")
    source, target = Path(src_path), Path(dst_path)
    summary, strange = _native.create(source, target, taken, request.options, request.work)
    for text in strange:
        _options.warn(f"{source}: {text}")
    summary["ratio"] = round(summary["uncompressed_bytes"] / summary["bytes"], 3)
    summary["warnings"] = strange
    return summary
