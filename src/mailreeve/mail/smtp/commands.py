"""The arguments of MAIL and RCPT (RFC 5321 sections 4.1.1.2, 4.1.1.3 and 4.1.2), and what they may hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from mailreeve.mail.incoming import TOO_LARGE

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


def parameters_refused(read: PathArgument, max_size: int, *, relayed: bool = False) -> str | None:
    """The reply to parameters of MAIL that cannot be honoured, or None. `max_size` is in octets.

    What a server in front passes on (`relayed`) may say who signed in there (RFC 4954 section 5), which counts for
    nothing.
    """
    for name, value in read.parameters.items():
        if name == "SIZE":
            if value is None or not (value.isascii() and value.isdigit()) or len(value) > 20:
                return "501 5.5.4 SIZE takes a number"
            if int(value) > max_size:
                return str(TOO_LARGE)
        elif name == "BODY":
            if (value or "").upper() not in ("7BIT", "8BITMIME"):
                return "501 5.5.4 BODY takes 7BIT or 8BITMIME"
        elif name == "SMTPUTF8":
            if value is not None:
                return "501 5.5.4 SMTPUTF8 takes no value"
        elif name != "AUTH" or not relayed:
            return "555 5.5.4 A parameter of MAIL is not known"
    return None
