"""Signatures: every option is a parameter with a type, the same in all functions, in the tables, and in the command."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest
from conftest import NOT_IN_PYTHON
from test_create import command

import cogsmith
from cogsmith import _choice, _file_options, _options, _overrides, _types
from cogsmith._defaults import Default

FUNCTIONS = [cogsmith.write, cogsmith.write_cog, cogsmith.to_cog, cogsmith.CogWriter, cogsmith.create]
#: Parameters without a table.
OTHERS = {
    "write": {"array", "target", "mask", "progress"},
    "write_cog": {"geo_im", "fname", "use_windowed_writes", "intermediate_compression", "progress"},
    "to_cog": {"geo_im", "use_windowed_writes", "intermediate_compression", "progress"},
    "CogWriter": {"target", "shape", "dtype", "mask", "progress"},
    "create": {"src_path", "dst_path", "progress"},
}
#: Options that are not in the signature: they repeat properties of the array or the output, or are values of others.
IMPLIED = {"driver", "width", "height", "count", "dtype", "tiled", "json", "zlevel", "zstd_level", "blockxsize", "blockysize"}


def parameters(function):
    return [one for one in inspect.signature(function).parameters.values() if one.kind is not one.VAR_KEYWORD]


def aliases(function) -> set[str]:
    """Returns the names in the TypedDict of ``**aliases``."""
    annotation = inspect.signature(function).parameters["aliases"].annotation
    return set(getattr(_types, re.fullmatch(r"Unpack\[(\w+)\]", annotation)[1]).__annotations__)


def accepted(function) -> dict[str, str]:
    """Returns the options of the tables that a function accepts, and their meanings."""
    encoding = {name: meaning for name, (meaning, _) in _options.OPTIONS.items()}
    if function is cogsmith.create:
        files = {name: meaning for name, (meaning, _) in _file_options.FILE_OPTIONS.items()}
        return {name: one for name, one in encoding.items() if one not in _options.OF_ARRAYS} | files
    found = encoding | _overrides.OVERRIDES
    if function is not cogsmith.CogWriter:
        found |= {name: name for name in _choice.CHOICES}
    else:
        return {name: one for name, one in found.items() if name not in ("attrs", "dtype")}
    if function is cogsmith.to_cog:
        return {name: one for name, one in found.items() if one not in ("overwrite", "sync", "verify", "storage_options")}
    return found


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_signatures_have_the_options_of_the_tables(function):
    own = {one.name for one in parameters(function)}
    others, table, other_names = OTHERS[function.__name__], accepted(function), aliases(function)
    assert others <= own and not own & other_names
    assert (own - others) | {name.lower() for name in other_names} == set(table)
    # Each option has one parameter; an array has one for GDAL's order of transforms, too.
    meanings = [table[name] for name in own - others]
    twice = {"overviews", "transform"} if function is cogsmith.create else {"overviews"}
    assert {one for one in meanings if meanings.count(one) > 1} <= twice
    implied = IMPLIED - {"dtype"} if function is cogsmith.create else IMPLIED
    assert {one for name, one in table.items() if name not in implied} == set(meanings)
    for one in parameters(function):
        assert one.annotation is not one.empty, one
        if one.name in table and function is not cogsmith.write_cog and function is not cogsmith.to_cog:
            assert one.kind is one.KEYWORD_ONLY and one.default is not one.empty, one


def test_functions_agree():
    """Options of the same name have the same type and default, except those of datacube and of files."""
    seen: dict[str, tuple[str, str]] = {}
    different = set()
    for function in (cogsmith.write, cogsmith.CogWriter, cogsmith.create, cogsmith.write_cog, cogsmith.to_cog):
        for one in parameters(function):
            facts = (one.annotation, repr(one.default))
            if one.name in accepted(function) and seen.setdefault(one.name, facts) != facts:
                different.add((function.__name__, one.name))
    assert different == {
        *(("CogWriter", name) for name in ("nodata", "overviews")),
        *(("create", name) for name in ("bands", "window", "bbox", "wrap_longitude", "transform", "geotransform", "gcps", "nbits", "band_scale", "band_offset", "band_unit", "overviews")),
        *((name, option) for name in ("write_cog", "to_cog") for option in (
            "bands", "blocksize", "level", "predictor", "nodata", "overviews"
        )),
    }  # fmt: skip


def test_create_has_the_options_of_the_command():
    listed = re.findall(r"^\s+(?:-\w, )?--([a-z-]+)", command("create", "--help"), re.MULTILINE)
    options = {name.replace("-", "_") for name in listed} - {"help", *NOT_IN_PYTHON}
    own, other_names = {one.name for one in parameters(cogsmith.create)}, aliases(cogsmith.create)
    assert options <= own | other_names
    # An option that has another name in Python is also accepted by that of the command.
    assert options - own == {"gcp", "stats", "json"}
    assert own - options == {"src_path", "dst_path", "progress", "geotransform", "gcps", "statistics", "storage_options"}
    for one in ("band_scale", "band_offset", "band_unit"):
        assert all(one in inspect.signature(function).parameters for function in FUNCTIONS)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_help_lists_every_parameter_with_its_default(function):
    text = inspect.getdoc(function)
    section = text[text.index("Parameters\n") : text.index("Returns\n" if "Returns\n" in text else "Attributes\n")]
    listed = {name for line in re.findall(r"^([a-z_*][a-z_, *0-9]*?)(?: : .*)?$", section, re.MULTILINE) for name in line.split(", ")}
    missing = {one.name for one in parameters(function)} - listed
    assert not missing
    signature = str(inspect.signature(function))
    for part in ("compress: 'Compress' = 'deflate'", "interleave: 'Interleave' = 'pixel'", "**aliases"):
        assert part in signature, part
    assert "object at 0x" not in signature


def test_the_accessor_has_the_signatures_of_the_functions():
    from cogsmith._xarray import Accessor

    for name in ("write", "write_cog", "to_cog"):
        ours = list(inspect.signature(getattr(Accessor, name)).parameters.values())
        theirs = list(inspect.signature(getattr(cogsmith, name)).parameters.values())
        assert ours[0].name == "self" and ours[1:] == theirs[1:]
        assert getattr(Accessor, name).__doc__ and getattr(Accessor, name).__qualname__ == f"Accessor.{name}"


def test_defaults_mean_what_they_show():
    pixels = np.arange(600 * 700, dtype="uint16").reshape(600, 700)
    plain = cogsmith.write(pixels, ":mem:")
    shown = {
        one.name: one.default.value for one in parameters(cogsmith.write) if type(one.default) is Default
    }  # fmt: skip
    assert len(shown) > 20
    assert cogsmith.write(pixels, ":mem:", **shown) == plain
    georeferenced = {"crs": 4326, "transform": (0.1, 0, 0, 0, -0.1, 0)}
    plain = cogsmith.to_cog(pixels, **georeferenced)
    shown = {one.name: one.default.value for one in parameters(cogsmith.to_cog) if type(one.default) is Default}
    shown.pop("overviews")  # None is that of `write` here, not the factors of datacube
    assert cogsmith.to_cog(pixels, **georeferenced, **shown) == plain
