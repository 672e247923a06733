"""How do bytes become items, and answers bytes? Lenient in, strict out (api.md sections 1.2, 1.3).

Clients in the wild send JSON, the text of a Python dict, a form, or nothing; `meta` on top or inside the
first item. All of it is read here, so that nothing further in needs to know.
"""

from __future__ import annotations

import ast
import codecs
import threading
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from mailreeve.wire.errors import BAD_PAGINATION, BAD_REQUEST, Problem, RequestRefused
from mailreeve.wire.pagination import PageRequest, Shown

Item = dict[str, object]

MAX_PYTHON_DEPTH: Final = 32  # Brackets in a Python literal; the parser of those recurses in C.
MAX_PYTHON_TEXT: Final = 1024 * 1024
"""Octets of a Python literal. The parser needs up to some 250 times that, so it reads one at a time; the largest
web list that may be sent this way, 5,000 entries, takes a third of it."""

SHORT_PYTHON_TEXT: Final = 4 * 1024
"""Octets of one that waits for no other: it takes a megabyte, and whoever reads it may hold up everybody."""

_decoder: Final = msgspec.json.Decoder()
_one_literal: Final = threading.Lock()


class Request(Struct, frozen=True):
    """A decoded request: at least one item, perhaps empty, and the page asked for."""

    items: list[Item]
    page: PageRequest


class Failure(Struct, frozen=True, omit_defaults=True):
    """An entry of `fail`. `key` is the item it is about; absent where the whole request failed."""

    errors: Sequence[Problem]
    key: Item | UnsetType = UNSET


class Meta(Struct, frozen=True):
    """`meta` of an answer. `status` is the function-level status. `warnings` is ours: what a caller should know
    about items, of those that were refused only which members are nearly known ones; absent where there is nothing
    to say. `revision` is ours as well: that of the account after a call that wrote something; absent in
    others."""

    status: int
    pagination: Shown | UnsetType = UNSET
    warnings: Sequence[str] | UnsetType = UNSET
    revision: int | UnsetType = UNSET


class Answer(Struct, frozen=True):
    """A whole answer, its members in the order of the live service."""

    meta: Meta
    data: Sequence[object]
    fail: Sequence[Failure | Problem]


def decode(body: bytes) -> Request:
    """The items and the page of a request body.

    No body, `{}`, `{"data": []}` and `{"data": [{}]}` are alike: one empty item. Raises `RequestRefused`.
    """
    document = members(body)
    items = document.get("data", [])
    if isinstance(items, dict):  # A few clients forget the list.
        items = [items]
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise RequestRefused(BAD_REQUEST, "data must be an array of objects without nulls")
    holders = [document.get("meta"), *(holder for item in items[:1] for holder in (item.get("meta"), item))]
    found = (holder.get("pagination") for holder in holders if isinstance(holder, dict))
    pagination: object = next(filter(None, found), {})
    if not isinstance(pagination, dict):
        raise RequestRefused(BAD_PAGINATION)
    return Request(items or [{}], PageRequest.read(pagination))


def encode(
    data: Sequence[object],
    fail: Sequence[Failure | Problem],
    shown: Shown | None = None,
    status: int = 200,
    warnings: Sequence[str] = (),
    revision: int | None = None,
) -> bytes:
    """The bytes of an answer."""
    meta = Meta(
        status, UNSET if shown is None else shown, warnings or UNSET, UNSET if revision is None else revision
    )
    return msgspec.json.encode(Answer(meta, data, fail))


def members(body: bytes) -> dict[str, object]:
    """The members of a body, of none where there is no body. Raises `RequestRefused`."""
    text = body.removeprefix(codecs.BOM_UTF8).strip()  # As RFC 8259 section 8.1 allows.
    if not text:
        return {}
    try:
        document: object = _decoder.decode(text)
    except RecursionError as problem:
        raise RequestRefused(BAD_REQUEST, "The request body is nested too deeply") from problem
    except (msgspec.DecodeError, UnicodeDecodeError) as not_json:
        document = _python_dict(text, str(not_json))
    if not isinstance(document, dict):
        raise RequestRefused(BAD_REQUEST)
    if "data" in document and document["data"] is None:
        raise RequestRefused(BAD_REQUEST, "The request body has null objects: data")
    return document


def _python_dict(text: bytes, json_problem: str) -> object:
    """The dict whose Python text this is: several published samples send `str(payload)` (clients.md)."""
    if not text.startswith((b"{", b"[")):
        # bsdkid's logout posts a form; whatever else is no JSON object is refused by its looks.
        if text.startswith(b"data="):
            return {}
        raise RequestRefused(BAD_REQUEST, f"The request body is not a JSON object: {json_problem}")
    if len(text) > MAX_PYTHON_TEXT:
        raise RequestRefused(BAD_REQUEST, f"The request body is not JSON: {json_problem}")
    if _too_deep(text):
        raise RequestRefused(BAD_REQUEST, f"The request body is nested deeper than {MAX_PYTHON_DEPTH} levels")
    try:
        with nullcontext() if len(text) <= SHORT_PYTHON_TEXT else _one_literal:
            document: object = ast.literal_eval(text.decode())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as problem:
        raise RequestRefused(BAD_REQUEST, f"The request body is not JSON: {json_problem}") from problem
    if not _in_json(document):
        raise RequestRefused(BAD_REQUEST, f"The request body is not JSON: {json_problem}")
    try:
        return msgspec.json.decode(msgspec.json.encode(document))  # Tuples become lists.
    except (ValueError, msgspec.MsgspecError) as problem:
        raise RequestRefused(BAD_REQUEST, f"The request body is not JSON: {json_problem}") from problem


def _in_json(value: object) -> bool:
    """Whether JSON has a word for it: not for sets, bytes, complex numbers, or keys that are no text."""
    if isinstance(value, dict):
        return all(isinstance(name, str) and _in_json(member) for name, member in value.items())
    if isinstance(value, list | tuple):
        return all(_in_json(member) for member in value)
    return value is None or isinstance(value, str | int | float)


def _too_deep(text: bytes) -> bool:
    """Whether brackets nest deeper than any published object, told before the parser recurses into them."""
    if text.count(b"{") + text.count(b"[") + text.count(b"(") <= MAX_PYTHON_DEPTH:
        return False
    depth = 0
    quote = 0
    escaped = False
    for octet in text:
        if quote:
            if escaped:
                escaped = False
            elif octet == 0x5C:
                escaped = True
            elif octet == quote:
                quote = 0
        elif octet in b"\"'":
            quote = octet
        elif octet in b"{[(":
            depth += 1
            if depth > MAX_PYTHON_DEPTH:
                return True
        elif octet in b"}])":
            depth -= 1
    return False
