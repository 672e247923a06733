"""How does one item of `data` become the type that its endpoint declares?

Clients send empty strings and nulls for what they leave out, booleans and numbers as text, and members that
nobody knows (api.md section 1.2). An item is cleaned of these, checked for everything that is missing at once,
and then converted; every complaint names the member it is about.
"""

from __future__ import annotations

import re
import types
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Annotated, Final, TypeVar, Union, cast, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

from mailreeve.wire.envelope import Item
from mailreeve.wire.errors import (
    BAD_REQUEST,
    BLANK,
    NOT_ALLOWED,
    NULL,
    TOO_LONG,
    WRONG_TYPE,
    ItemRefused,
    Problem,
    RequestRefused,
    problem,
)

MAX_DEPTH: Final = 32
MAX_TEXT: Final = 4096  # Characters of any one string; a URL is the longest thing that anybody sends.

_AT: Final = re.compile(r" - at `\$\.?(.*)`$")

T = TypeVar("T", bound=Struct)

MaybeEmpty = Annotated[str, Meta(extra={"empty": "kept"})]
"""A text whose being empty says something, such as the null sender. Elsewhere empty is as good as absent."""


class _Field(Struct, frozen=True):
    """A member of an item type. `also` holds other names for what is allowed, which clients use."""

    name: str
    required: bool
    keeps_empty: bool
    inner: type[Struct] | None
    allowed: tuple[str, ...]
    also: Mapping[str, str]


def read(item: Item, into: type[T]) -> T:
    """The item as a value of `into`. Raises `ItemRefused` with one problem per member at fault."""
    kept, blank = _clean(item)
    problems = list(_check(kept, blank, into, ""))
    if problems:
        raise ItemRefused(problems)
    try:
        return msgspec.convert(kept, into, strict=False)
    except msgspec.ValidationError as mismatch:
        text = str(mismatch)
        place = _AT.search(text)
        message = f"{WRONG_TYPE.message}: {_AT.sub('', text)}"
        field = _plain(place.group(1)) if place else None
        raise ItemRefused([problem(WRONG_TYPE, field or None, message)]) from mismatch


def members(into: type[Struct]) -> Mapping[str, type[Struct] | None]:
    """The members that an item type knows, by their names on the wire, with the type of those that have members of
    their own."""
    return {field.name: field.inner for field in _fields(into)}


def _clean(item: Item) -> tuple[dict[str, object], frozenset[str]]:
    """The item without nulls and empty strings, and the paths of the empty strings."""
    blank: set[str] = set()

    def walk_object(value: dict[str, object], path: str, depth: int) -> dict[str, object]:
        kept: dict[str, object] = {}
        for name, member in value.items():
            here = f"{path}.{name}" if path else name
            if isinstance(member, str) and not member.strip():
                blank.add(here)
            elif member is not None:
                kept[name] = walk(member, here, depth + 1)
        return kept

    def walk(value: object, path: str, depth: int) -> object:
        if depth > MAX_DEPTH:
            raise RequestRefused(BAD_REQUEST, f"An item is nested deeper than {MAX_DEPTH} levels")
        if isinstance(value, dict):
            return walk_object(value, path, depth)
        if isinstance(value, list):
            return [
                walk(member, f"{path}[{n}]", depth + 1)
                for n, member in enumerate(value)
                if member is not None and not (isinstance(member, str) and not member.strip())
            ]
        if isinstance(value, str):
            if len(value) > MAX_TEXT:
                raise ItemRefused([problem(TOO_LONG, path, f"Field is longer than {MAX_TEXT} characters")])
            if "\x00" in value or (not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value)):
                raise ItemRefused([problem(WRONG_TYPE, path, "Field holds characters that are not text")])
            return value.strip()
        return value

    return walk_object(item, "", 0), frozenset(blank)


def _check(kept: dict[str, object], blank: frozenset[str], into: type[Struct], path: str) -> list[Problem]:
    problems: list[Problem] = []
    for field in _fields(into):
        here = f"{path}.{field.name}" if path else field.name
        value = kept.get(field.name)
        if value is None and field.keeps_empty and here in blank:
            value = kept[field.name] = ""
        if value is None:
            if field.required:
                problems.append(problem(BLANK if here in blank else NULL, here))
            continue
        if isinstance(value, str) and value in field.also:
            value = kept[field.name] = field.also[value]
        if field.allowed and isinstance(value, str) and value not in field.allowed:
            problems.append(problem(NOT_ALLOWED, here, f"Field must be one of [{','.join(field.allowed)}]"))
        if field.inner is not None:
            if isinstance(value, dict):
                problems += _check(value, blank, field.inner, here)
            elif isinstance(value, list):
                for n, member in enumerate(value):
                    if isinstance(member, dict):
                        problems += _check(member, blank, field.inner, f"{here}[{n}]")
    return problems


@cache  # As many entries as there are item types.
def _fields(into: type[Struct]) -> tuple[_Field, ...]:
    fields = []
    for info in msgspec.structs.fields(into):
        inner, allowed = _inside(info.type)
        keeps_empty = info.type in (MaybeEmpty, MaybeEmpty | None)
        fields.append(_Field(info.encode_name, info.required, keeps_empty, inner, allowed, _also(info.type)))
    return tuple(fields)


def _also(annotation: object) -> Mapping[str, str]:
    """The other names that an annotation such as `Annotated[Kind, Meta(extra={"also": {...}})] | None` gives."""
    if get_origin(annotation) is Annotated:
        for note in get_args(annotation)[1:]:
            if isinstance(note, Meta) and note.extra and "also" in note.extra:
                return cast(Mapping[str, str], note.extra["also"])
        return {}
    for argument in get_args(annotation):
        found = _also(argument)
        if found:
            return found
    return {}


def _inside(annotation: object) -> tuple[type[Struct] | None, tuple[str, ...]]:
    """The struct and the allowed texts inside an annotation such as `list[Policy] | None`."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _inside(get_args(annotation)[0])
    if origin in (Union, types.UnionType, list, tuple):
        for argument in get_args(annotation):
            inner, allowed = _inside(argument)
            if inner is not None or allowed:
                return inner, allowed
        return None, ()
    if isinstance(annotation, type):
        if issubclass(annotation, Struct):
            return annotation, ()
        if issubclass(annotation, Enum):
            return None, tuple(str(member.value) for member in annotation)
    return None, ()


def _plain(path: str) -> str:
    return path.replace("[...]", "")
