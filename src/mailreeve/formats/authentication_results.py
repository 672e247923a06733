"""What does an `Authentication-Results` field say (RFC 8601 section 2.2)?

The grammar is read leniently: what cannot be read is passed over, and nothing raises. The text is gone through
once, and no more of it than `MAX_LENGTH`: a stranger may have written it.

A server writes what a stranger calls himself into its own field, and few put it in quotes. So whatever follows a
value without white space belongs to the value: of `smtp.mailfrom=corp.test=x@far.test` the domain is `far.test`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

MAX_LENGTH: Final = 8_192
"""Characters of a field that are read. A server writes a few hundred."""

MAX_ID: Final = 512
"""Of these the ones in which the id of the server is looked for, with what may stand before it."""

MAX_RESULTS: Final = 64
"""Results of a field that are read."""

_TOKEN: Final = re.compile(
    r'"(?P<quoted>(?:[^"\\]|\\.)*+)" | (?P<word>[^\s()";=]++) | (?P<sign>["();=]) | \s++', re.VERBOSE | re.DOTALL
)
_IN_COMMENT: Final = re.compile(r"\\. | [^()\\]++ | (?P<sign>[()]) | \\", re.VERBOSE | re.DOTALL)
_QUOTED_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)


class MethodResult(Struct, frozen=True):
    """What a server found by one method: `method` and `result` in lower case, without the method's version.

    `properties` are what it looked at, by type and name in lower case: `smtp.mailfrom`, `header.d`.
    """

    method: str
    result: str
    properties: dict[str, str]


class Results(Struct, frozen=True):
    """A field that can be read: who says it, in lower case, and what."""

    authserv_id: str
    results: tuple[MethodResult, ...]


class _Token(Struct, frozen=True):
    """A word, or an equals sign, and whether it stands apart from what is before it."""

    text: str
    apart: bool
    is_equals: bool = False


def authserv_id_of(value: str) -> str:
    """Who says it, in lower case; empty where the field does not name anybody. A header may have many such fields,
    and most are not worth reading on."""
    first = next(_parts(value[:MAX_ID]), [])
    return "" if not first or first[0].is_equals else first[0].text.strip().rstrip(".").casefold()


def read_results(value: str) -> Results | None:
    """What a field says, None where it does not name who says it."""
    authserv_id = authserv_id_of(value)
    if not authserv_id:
        return None
    parts = _parts(value[:MAX_LENGTH])
    next(parts)
    found: list[MethodResult] = []
    for tokens in parts:
        result = _result(tokens)
        if result is not None:
            found.append(result)
            if len(found) == MAX_RESULTS:
                break
    return Results(authserv_id, tuple(found))


def _parts(text: str) -> Iterator[list[_Token]]:
    """What stands between semicolons, without comments. Nothing behind a quotation mark that is never closed."""
    part: list[_Token] = []
    place, apart = 0, True
    while (found := _TOKEN.match(text, place)) is not None:
        place = found.end()
        sign, quoted = found["sign"], found["quoted"]
        if sign == '"':
            return
        if sign == "(":
            place = _end_of_comment(text, place)
        elif sign == ";":
            yield part
            part, apart = [], True
        elif sign == "=":
            part.append(_Token("=", apart, True))
            apart = False
        elif quoted is not None or found["word"]:
            part.append(_Token(found["word"] if quoted is None else _QUOTED_PAIR.sub(r"\1", quoted), apart))
            apart = False
        else:
            apart = sign is None or apart
    yield part


def _end_of_comment(text: str, place: int) -> int:
    """Where the comment ends that was opened just before; comments may be nested."""
    depth = 1
    while depth and (found := _IN_COMMENT.match(text, place)) is not None:
        place = found.end()
        if found["sign"]:
            depth += 1 if found["sign"] == "(" else -1
    return place


def _result(tokens: list[_Token]) -> MethodResult | None:
    """The result that a part tells: names with values, of which the first are a method and its result."""
    pairs = list(_pairs(tokens))
    if not pairs:
        return None
    (method, result), *rest = pairs
    properties: dict[str, str] = {}
    for name, text in rest:
        properties.setdefault(name, text)  # of two the first counts
    return MethodResult(method.partition("/")[0], result.casefold(), properties)


def _pairs(tokens: list[_Token]) -> Iterator[tuple[str, str]]:
    name: str | None = None
    value: list[str] = []
    waits = False  # an equals sign was read, and its value comes next
    for token in tokens:
        if waits or (value and not token.apart):
            value.append(token.text)
            waits = False
        elif token.is_equals:
            # One that stands apart from a value belongs to nothing.
            waits = name is not None and not value
            if value:
                yield str(name), "".join(value)
                name, value = None, []
        else:
            if value:
                yield str(name), "".join(value)
                value = []
            name = token.text.casefold()
    if value:
        yield str(name), "".join(value)
