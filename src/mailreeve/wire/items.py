"""How does one item of `data` become the type that its endpoint declares?

Clients send empty strings and nulls for what they leave out, booleans and numbers as text, and members that
nobody knows (api.md section 1.2). An item is cleaned of these, checked for everything that is missing at once,
and then converted; every complaint names the member it is about.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Mapping
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
MAX_TEXT: Final = 4096  # characters of a string, where its member does not say otherwise, see `longest`

_CONTROLS: Final = {
    "": re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]"),
    "lines": re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]"),
    "any": re.compile(r"\x00"),
}
"""The control characters that a text may not hold: C0, DEL, C1, and Unicode's own line ends."""

_AT: Final = re.compile(r" - at `\$\.?(.*)`$")

T = TypeVar("T", bound=Struct)

MaybeEmpty = Annotated[str, Meta(extra={"empty": "kept"})]
"""A text whose being empty says something, such as the null sender. Elsewhere empty is as good as absent."""

AsWritten = Annotated[str, Meta(extra={"space": "kept"})]
"""A text that is answered as it was written (D-47), white space at its ends included. Elsewhere that goes."""

Prose = Annotated[str, Meta(extra={"space": "kept", "controls": "lines"})]
"""What people write for people, such as descriptions and comments, answered as it was written: tabs and line ends
are part of it. Elsewhere a text holds no control characters at all; a terminal would act upon them, or they would
forge a line of a log."""

MaybeEmptyProse = Annotated[str, Meta(extra={"space": "kept", "empty": "kept", "controls": "lines"})]

ForeignText = Annotated[str, Meta(extra={"empty": "kept", "space": "kept", "controls": "any"})]
"""What others wrote, quoted to ask about it and not kept: a header may be empty, or hold all but NUL (D-52)."""


def longest(characters: int) -> Meta:
    """Marks a member, at the top of an item, whose texts may be longer than others are, as in
    `Annotated[str, longest(…)]`: it is one, or holds them."""
    return Meta(extra={"longest": characters})


class _Field(Struct, frozen=True):
    """A member of an item type. `also` holds other names for what is allowed, which clients use; `longest` is how
    many characters a text may have."""

    name: str
    required: bool
    keeps_empty: bool
    keeps_space: bool
    inner: type[Struct] | None
    allowed: tuple[str, ...]
    also: Mapping[str, str]
    controls: re.Pattern[str]
    longest: int


def read(item: Item, into: type[T]) -> T:
    """The item as a value of `into`. Raises `ItemRefused` with one problem per member at fault."""
    kept, said = _clean(item, {field.name: field.longest for field in _fields(into)})
    problems = list(_check(kept, said, into, ""))
    if not problems:
        try:
            return msgspec.convert(kept, into, strict=False)
        except msgspec.ValidationError as mismatch:
            found = list(_mismatches(kept, into, "", frozenset()))
            raise ItemRefused(found or [_mismatch(mismatch, "")]) from mismatch
    # Whoever mends a member hears of the others at once as well.
    problems += _mismatches(kept, into, "", frozenset(one.field or "" for one in problems))
    raise ItemRefused(problems)


def _mismatches(
    kept: dict[str, object], into: type[Struct], path: str, faulty: frozenset[str]
) -> Iterator[Problem]:
    """A problem for each member that has the wrong type. What is `faulty` is so for another reason already."""
    for info, known in zip(msgspec.structs.fields(into), _fields(into), strict=True):
        here = f"{path}.{known.name}" if path else known.name
        if known.name not in kept or here in faulty:
            continue
        value = kept[known.name]
        if known.inner is not None and isinstance(value, dict):
            yield from _mismatches(value, known.inner, here, faulty)
        elif known.inner is not None and isinstance(value, list) and all(isinstance(one, dict) for one in value):
            for n, one in enumerate(value):
                yield from _mismatches(one, known.inner, f"{here}[{n}]", faulty)
        elif not any(field.startswith(f"{here}[") for field in faulty):
            try:
                msgspec.convert(value, info.type, strict=False)
            except msgspec.ValidationError as mismatch:
                yield _mismatch(mismatch, here)


def _mismatch(mismatch: msgspec.ValidationError, path: str) -> Problem:
    text = str(mismatch)
    place = _AT.search(text)
    within = _plain(place.group(1)) if place else ""
    # What stands in a list is told from a member by its bracket.
    field = f"{path}.{within}" if path and within and not within.startswith("[") else path + within
    return problem(WRONG_TYPE, field or None, f"{WRONG_TYPE.message}: {_AT.sub('', text)}")


def members(into: type[Struct]) -> Mapping[str, type[Struct] | None]:
    """The members that an item type knows, by their names on the wire, with the type of those that have members of
    their own."""
    return {field.name: field.inner for field in _fields(into)}


class _Said(Struct, frozen=True):
    """What an item said that is as good as nothing: the paths of empty strings, and those of the objects that
    held nothing else."""

    blank: frozenset[str]
    hollow: frozenset[str]


def _clean(item: Item, longest: Mapping[str, int]) -> tuple[dict[str, object], _Said]:
    """The item without nulls, empty strings, and lists of nothing else; and where there were any. `longest` says
    of members at the top how many characters they may have."""
    blank: set[str] = set()
    hollow: set[str] = set()

    def walk_object(value: dict[str, object], path: str, depth: int) -> dict[str, object]:
        kept: dict[str, object] = {}
        for name, member in value.items():
            here = f"{path}.{name}" if path else name
            if isinstance(member, str) and not member.strip():
                blank.add(here)
            elif member is not None:
                cleaned = walk(member, here, depth + 1)
                if not (isinstance(member, list) and member and cleaned == []):
                    kept[name] = cleaned
        if value and not kept:
            hollow.add(path)
        return kept

    def walk(value: object, path: str, depth: int) -> object:
        if depth > MAX_DEPTH:
            raise RequestRefused(BAD_REQUEST, f"An item is nested deeper than {MAX_DEPTH} levels")
        if isinstance(value, dict):
            return walk_object(value, path, depth)
        if isinstance(value, list):
            # Counted without the blanks, as `_check` finds them.
            said = [
                member
                for member in value
                if not (member is None or (isinstance(member, str) and not member.strip()))
            ]
            return [walk(member, f"{path}[{n}]", depth + 1) for n, member in enumerate(said)]
        if isinstance(value, str):
            if len(value) > MAX_TEXT and len(value) > (most := longest.get(_top(path), MAX_TEXT)):
                raise ItemRefused([problem(TOO_LONG, path, f"Field is longer than {most} characters")])
            if "\x00" in value or (not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value)):
                raise ItemRefused([problem(WRONG_TYPE, path, "Field holds characters that are not text")])
        return value

    kept = walk_object(item, "", 0)
    return kept, _Said(frozenset(blank), frozenset(hollow))


def _check(kept: dict[str, object], said: _Said, into: type[Struct], path: str) -> list[Problem]:
    problems: list[Problem] = []
    blank = said.blank
    for field in _fields(into):
        here = f"{path}.{field.name}" if path else field.name
        value = kept.get(field.name)
        if value is None and field.keeps_empty and here in blank:
            value = kept[field.name] = ""
        if (
            here in said.hollow
            and value == {}
            and not field.required
            and field.inner
            and not _requires(field.inner)
        ):
            # Clients that send every member have an empty text in those that they do not mean.
            del kept[field.name]
            value = None
        if value is None:
            if field.required:
                problems.append(problem(BLANK if here in blank else NULL, here))
            continue
        if not field.keeps_space:
            value = kept[field.name] = _stripped(value)
        if isinstance(value, str) and value in field.also:
            value = kept[field.name] = field.also[value]
        if field.allowed and isinstance(value, str) and value not in field.allowed:
            problems.append(problem(NOT_ALLOWED, here, f"Field must be one of [{','.join(field.allowed)}]"))
        problems += _controls(field, value, here)
        if field.inner is not None:
            if isinstance(value, dict):
                problems += _check(value, said, field.inner, here)
            elif isinstance(value, list):
                for n, member in enumerate(value):
                    if isinstance(member, dict):
                        problems += _check(member, said, field.inner, f"{here}[{n}]")
    return problems


@cache  # As many entries as there are item types.
def _fields(into: type[Struct]) -> tuple[_Field, ...]:
    fields = []
    for info in msgspec.structs.fields(into):
        inner, allowed = _inside(info.type)
        notes = _notes(info.type)
        fields.append(
            _Field(
                info.encode_name,
                info.required,
                notes.get("empty") == "kept",
                notes.get("space") == "kept",
                inner,
                allowed,
                cast(Mapping[str, str], notes.get("also", {})),
                _CONTROLS[cast(str, notes.get("controls", ""))],
                cast(int, notes.get("longest", MAX_TEXT)),
            )
        )
    return tuple(fields)


def _requires(into: type[Struct]) -> bool:
    return any(field.required for field in _fields(into))


def _stripped(value: object) -> object:
    """A text, or the texts of a list, without white space at the ends."""
    if isinstance(value, str):
        return value.strip()
    return [_stripped(member) for member in value] if isinstance(value, list) else value


def _notes(annotation: object) -> Mapping[str, object]:
    """What annotations such as `Annotated[Kind, Meta(extra={"also": {...}})] | None` say of a member."""
    if get_origin(annotation) is Annotated:
        notes: dict[str, object] = {}
        for note in get_args(annotation)[1:]:
            if isinstance(note, Meta) and note.extra:
                notes |= note.extra
        return notes
    return next(filter(None, map(_notes, get_args(annotation))), {})


def _controls(field: _Field, value: object, here: str) -> Iterator[Problem]:
    """A problem for each text that holds control characters which the field does not take."""
    if isinstance(value, str):
        if field.controls.search(value):
            yield problem(WRONG_TYPE, here, "Field holds control characters")
    elif isinstance(value, list):
        for n, member in enumerate(value):
            yield from _controls(field, member, f"{here}[{n}]")


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


def _top(path: str) -> str:
    """The member at the top of the item that a path leads into."""
    return path.partition(".")[0].partition("[")[0]


def _plain(path: str) -> str:
    return path.replace("[...]", "")
