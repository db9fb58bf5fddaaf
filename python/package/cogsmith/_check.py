"""Check and describe files: :func:`validate` and :func:`info`, with the results of the commands."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from . import _native, _targets, _values
from ._types import StorageOptions


def validate(
    file: str | os.PathLike[str] | bytes,
    *,
    strict: bool = False,
    quick: bool = False,
    threads: int | None = None,
    storage_options: StorageOptions = None,
) -> dict[str, Any]:
    """Check whether a file is a valid Cloud Optimized GeoTIFF, by its structure and its pixels.

    The rules are those of TIFF, GeoTIFF, OGC 21-026, GDAL, and rio-cogeo. Files may come from any writer.

    Parameters
    ----------
    file : str, os.PathLike, or bytes
        Path of the file, its address as for :func:`cogsmith.create`, or its bytes.
    strict : bool, default False
        Whether warnings make a file invalid.
    quick : bool, default False
        Whether only a sample of the tiles is decoded; at an address, at most 256 KiB of tiles.
    threads : int, optional
        Number of threads, 1 to 1024. Default: one per core.
    storage_options : dict, optional
        Connection to the store of an address, as for :func:`cogsmith.write`.

    Returns
    -------
    dict
        The object that ``cogsmith validate --json`` prints, without ``file`` and ``error``:

        - ``verdict``: "valid" or "invalid";
        - ``strict``, ``quick``: the arguments;
        - ``errors``, ``warnings``, ``notes``: number of findings by severity;
        - ``directories``, ``tiles``: number in the file, masks and strips included;
        - ``tiles_decoded``: number of tiles that were decoded;
        - ``cells_compared``: number of overview cells compared with the level before or with full resolution;
        - ``classes``: for each class of rules, whether the file conforms;
        - ``counts``: number of findings by rule;
        - ``findings``: list of dicts, at most 20 per rule, with ``rule``, ``severity``, ``class``, ``directory``,
          ``tile``, and ``byte`` (counted from 0; None where not applicable), ``message``, ``required``, ``source``, and
          ``remedy``;
        - ``read``, if the file is at an address: the ``requests`` made and the ``bytes`` received.

    Raises
    ------
    ValueError
        If the file is not a TIFF, or ``threads`` is out of range.
    OSError
        If the file cannot be read; FileNotFoundError if it does not exist.

    Examples
    --------
    >>> report = cogsmith.validate("out.tif", strict=True)
    >>> report["verdict"]
    'valid'
    >>> for finding in report["findings"]:
    ...     print(finding["message"], "->", finding["remedy"])
    """
    return _native.validate(_subject(file), strict, quick, threads, _storage(storage_options, file))


def info(file: str | os.PathLike[str] | bytes, *, storage_options: StorageOptions = None) -> dict[str, Any]:
    """Describe a TIFF file: levels, compression, georeference, metadata, and the HTTP cost of reading it.

    Parameters
    ----------
    file : str, os.PathLike, or bytes
        Path of the file, its address as for :func:`cogsmith.create`, or its bytes. It does not have to be a COG.
    storage_options : dict, optional
        Connection to the store of an address, as for :func:`cogsmith.write`.

    Returns
    -------
    dict
        The object that ``cogsmith info --json`` prints, without ``file``:

        - ``bytes``: size of the file; ``big_tiff``, ``byte_order`` ("little" or "big"), ``gdal_layout``: whether GDAL's
          structural metadata declare a COG;
        - ``width``, ``height``: pixels of full resolution; ``bands``, ``data_type`` (such as "u16"), ``bits`` per
          sample, ``color``, ``alpha_band`` (counted from 1, or None), ``interleave``, ``nodata`` (str or None),
          ``mask``;
        - ``levels``: list of dicts, full resolution first, with ``directory``, ``width``, ``height``, ``tiled``,
          ``tile_width``, ``tile_height``, ``tiles``, ``sparse_tiles``, ``compression``, ``predictor``, ``bytes``,
          ``mask_bytes``, ``uncompressed_bytes``, and ``ratio`` of the last to ``bytes`` (or None);
        - ``other_images``: number of other full-resolution images;
        - ``crs``, ``vertical_crs`` (such as "EPSG:32633"), ``crs_name``, ``crs_kind``: str or None;
        - ``transform``: a, b, c, d, e, f in the order of ``affine.Affine``, at pixel corners, or None;
          ``pixel_is_point``, ``control_points`` (their number), ``bounds`` (left, bottom, right, top in units of the
          CRS, or None);
        - ``metadata``: list of dicts with ``name``, ``domain``, ``band`` (counted from 1, or None), ``role``, and
          ``value``;
        - ``open``, ``whole_view``, ``detail_view``: HTTP cost of opening the file, of then showing the whole image on
          1024 x 1024 pixels, and of showing 1024 x 1024 pixels of full resolution, as dicts with ``requests``,
          ``bytes``, and ``tiles``;
        - ``read``, if the file is at an address: the ``requests`` made and the ``bytes`` received.

    Raises
    ------
    ValueError
        If the file is not a TIFF, or is damaged.
    OSError
        If the file cannot be read; FileNotFoundError if it does not exist.

    Examples
    --------
    >>> facts = cogsmith.info("out.tif")
    >>> facts["crs"], [(level["width"], level["height"]) for level in facts["levels"]]
    ('EPSG:32633', [(3000, 2000), (1500, 1000), (750, 500), (375, 250)])
    """
    return _native.info(_subject(file), _storage(storage_options, file))


def explain(
    file: str | os.PathLike[str], *, trials: bool = True, storage_options: StorageOptions = None
) -> dict[str, Any]:
    """Explain a TIFF file: where its bytes are, the requests for reading it, and what other options would save.

    Parameters
    ----------
    file : str or os.PathLike
        Path of the file, or its address as for :func:`cogsmith.create`.
    trials : bool, default True
        Whether three windows of full resolution are encoded with other codecs and tile sizes.
    storage_options : dict, optional
        Connection to the store of an address, as for :func:`cogsmith.write`.

    Returns
    -------
    dict
        The object that ``cogsmith explain --json`` prints, without ``file``:

        - ``info``: the result of :func:`info`;
        - ``contents``: list of dicts with ``content`` ("header", "index", "tiles", "mask", "other", or "unused"), ``level``,
          and ``bytes``; ``padding_bytes``: uncompressed bytes beyond the edges of the image; ``regions``: list of dicts with
          ``start``, ``end``, ``content``, and ``level``;
        - ``readers``: list of dicts with ``reader``, ``block_bytes``, the cost ``open``, and ``views`` of each level;
        - ``sample``: dict with ``windows`` (column, row, width, height), ``uncompressed_bytes``, and ``stored_bytes``, or None;
        - ``trials``: list of dicts with ``name``, ``arguments`` (of ``cogsmith create``), ``predictor``, ``bytes``, ``seconds``
          (one thread), and ``lossy``;
        - ``advice``: list of dicts with ``reason`` and ``arguments``;
        - ``read``, if the file is at an address: the ``requests`` made and the ``bytes`` received.

    Raises
    ------
    ValueError
        If the file is not a TIFF, is damaged, or, with ``trials``, has tiles that cannot be read.
    OSError
        If the file cannot be read; FileNotFoundError if it does not exist.

    Examples
    --------
    >>> for advice in cogsmith.explain("out.tif")["advice"]:
    ...     print(advice["reason"], advice["arguments"])
    """
    return _native.explain(_targets.source_of(file), bool(trials), _storage(storage_options, file))


def _subject(file: str | os.PathLike[str] | bytes) -> Path | str | bytes:
    return file if isinstance(file, bytes) else _targets.source_of(file)


def _storage(value: StorageOptions, file: str | os.PathLike[str] | bytes) -> dict[str, str]:
    options = {} if value is None else _values.storage_options("storage_options", value)
    _targets.check_storage_options(options, None, [_subject(file)])
    return options
