"""Defaults of parameters that can be told from values that the caller passes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar, cast

T = TypeVar("T")


class Default:
    """The default of a parameter. Signatures show its value."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def __repr__(self) -> str:
        return repr(self.value)


def default(value: T) -> T:
    """Returns a default with the type of its value, for signatures.

    An option may be passed by one of several names (``compress``, ``COMPRESS``); passing two of them is an error, even
    if one of the values is the default.
    """
    return cast(T, Default(value))


def passed(arguments: Mapping[str, Any], without: Collection[str]) -> dict[str, Any]:
    """Returns the arguments that the caller passed, also by other names, except some.

    ``arguments`` are the ``locals()`` of a function before it has others: its parameters, of which ``aliases`` are
    those without a parameter of their own.
    """
    given = {name: value for name, value in arguments.items() if name not in without and not isinstance(value, Default)}
    aliases = given.pop("aliases")
    return {**given, **aliases}
