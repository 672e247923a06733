"""The arguments of MAIL and RCPT (RFC 5321 sections 4.1.1.2, 4.1.1.3 and 4.1.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

# A path in angle brackets, where a quoted local part may hold brackets of its own; or, as some clients
# have it, none at all.
_PATH: Final = re.compile(r'<(?:"(?:[^"\\]|\\.)*"|[^">])*>|[^\s<>]+')
_PARAMETER: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([^\s=]+))?\Z")


class PathArgument(Struct, frozen=True):
    """What follows FROM: or TO:. Parameter names are in upper case, None stands for "no value"."""

    path: str
    parameters: Mapping[str, str | None]


def read_path(keyword: str, argument: str) -> PathArgument | None:
    """The path and parameters behind `FROM:` or `TO:`, or None if the argument is not of that form."""
    if argument[: len(keyword)].upper() != keyword:
        return None
    # A space after the colon is an error that every server forgives.
    text = argument[len(keyword) :].lstrip()
    path = _PATH.match(text)
    if path is None:
        return None
    left_over = text[path.end() :]
    if left_over and not left_over[0].isspace():
        return None
    parameters: dict[str, str | None] = {}
    for word in left_over.split():
        parameter = _PARAMETER.match(word)
        if parameter is None or parameter[1].upper() in parameters:
            return None
        parameters[parameter[1].upper()] = parameter[2]
    return PathArgument(path[0], parameters)


def trace_name(text: str) -> str:
    """The name that a client gave itself, fit for a Received field; whatever could break one is left out."""
    return re.sub(r"[^A-Za-z0-9.:_\[\]-]", "", text)[:255] or "unknown"
