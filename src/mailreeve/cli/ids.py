"""How does somebody at a terminal name an object? By the beginning of its id, as tables show it, or by its name.

Ids on the wire are long, opaque and random, so eight characters of one tell it from thousands of others. Whoever
knows the whole id gives that: it is used as it is. All else is looked up in the list of the objects of its kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import click
from msgspec import Struct

from mailreeve.app.terminal import escaped_line
from mailreeve.cli.options import fail, misused
from mailreeve.client import Client

SHOWN: Final = 8  # characters of an id that are shown, where no other on the screen begins so
SHORTEST: Final = 4  # characters that name an object
WHOLE: Final = 43  # characters of an id
MOST_READ: Final = 50_000  # objects that are looked through for one whose id begins so
_NAMED: Final = 5  # candidates that an error names

_ID: Final = re.compile(r"[A-Za-z0-9_-]+")
_GUARD: Final = "\0"  # which no argument of a program can have
_MARK: Final = "MTOKEN:"  # what stands before ids of personal entries on the wire


class Listed(Struct, frozen=True):
    """A kind of object that has ids: how it is called, and the function of the API that lists it.

    `item` is sent to it, and `member` of a row holds the objects where they are not the rows themselves. `says`
    are the members that describe an object, the first that is not empty. `named` says that an object may be given
    by what describes it as well, and `narrows` names the member of the item that has the API look for a name.
    `below` is the member of an object that holds others of its kind, and `prefix` the member of the item by which
    the API itself finds ids that begin so.
    """

    words: str
    path: str
    member: str = ""
    item: Mapping[str, object] = {}
    says: Sequence[str] = ("description",)
    named: bool = False
    narrows: str = ""
    below: str = ""
    prefix: str = ""

    def objects(self, api: Client, **narrowed: object) -> Iterator[Mapping[str, object]]:
        """Every object, page after page. Raises `ApiError`."""
        for row in api.every(self.path, {**self.item, **narrowed}):
            for one in _rows(row.get(self.member)) if self.member else [row]:
                yield from self._with_those_below(one)

    def described(self, one: Mapping[str, object]) -> str:
        """An object in a word or two, empty if nothing describes it."""
        return next((text for name in self.says if isinstance(text := one.get(name), str) and text), "")

    def _with_those_below(self, one: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
        yield one
        for child in _rows(one.get(self.below)) if self.below else ():
            yield from self._with_those_below(child)


GROUP: Final = Listed("group", "directory/find-groups", "folders", named=True, narrows="query")
DOMAIN: Final = Listed("domain", "domain/get-internal-domain", says=("domain",), named=True)
POLICY: Final = Listed("policy", "ext/find-policies", named=True, narrows="text", prefix="idPrefix")
WEB_POLICY: Final = Listed("web policy", "policy/webwhiteurl/get-policy-with-targets", named=True)
LOCATION: Final = Listed("location", "ext/get-web-locations", says=("name",), named=True)
ACCESS_REQUEST: Final = Listed("request for access", "ext/get-web-access-requests", says=("url",))
ALTERATION_SET: Final = Listed(
    "alteration set",
    "policy/address-alteration/get-address-alteration-set",
    item={"depth": 30},
    named=True,
    below="folders",
)


def right_of(holder: str) -> Listed:
    """The delegate rights of a user, by the address: each is named by the address of its mailbox too."""
    item = {"primaryAddress": holder}
    return Listed(
        "delegate right", "user/find-delegate-users", "delegateUsers", item, says=("emailAddress",), named=True
    )


class IdCommand(click.Command):
    """A command that is given ids. One that begins with a dash is not taken for an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As every command; a whole id that begins so has a guard before it while options are looked for."""
        rest = super().parse_args(
            ctx, [_GUARD + text if text.startswith("-") and is_whole(text) else text for text in args]
        )
        ctx.params = {name: _unguarded(value) for name, value in ctx.params.items()}
        return rest


def _unguarded(value: object) -> object:
    match value:
        case str():
            return value.removeprefix(_GUARD)
        case tuple():
            return tuple(_unguarded(one) for one in value)
        case _:
            return value


def resolve(api: Client, kind: Listed, given: str, option: str = "ID") -> str:
    """The whole id of the object that is meant. See `resolve_all`."""
    return resolve_all(api, kind, [given], option)[0]


def resolve_all(api: Client, kind: Listed, given: Sequence[str], option: str = "ID") -> list[str]:
    """The whole ids of the objects that are meant by the beginnings of their ids, or by their names.

    It ends the command where one is none, or more than one, naming the `option` and what was given. Raises
    `ApiError`.
    """
    wanted = list(dict.fromkeys(given))
    looked_up = [text for text in wanted if not is_whole(text)]
    for text in looked_up:
        if not kind.named and not _ID.fullmatch(bare(text)):
            misused(f"{option} {text!r}: an id has letters, digits, - and _")
        if not kind.named and len(bare(text)) < SHORTEST:
            misused(f"{option} {text!r}: give at least the first {SHORTEST} characters of an id")
    found = _candidates(api, kind, looked_up)
    return [text if is_whole(text) else _one(kind, text, found[text], option) for text in given]


def is_whole(text: str) -> bool:
    """Whether this is a whole id, as an answer has it, not the beginning of one."""
    return bool(len(text.removeprefix(_MARK)) == WHOLE and _ID.fullmatch(text.removeprefix(_MARK)))


def bare(text: str) -> str:
    """An id without dashes before it, which a command line takes for those of an option."""
    return text.removeprefix(_MARK).lstrip("-")


def shortened(ids: Iterable[str]) -> dict[str, str]:
    """How each of these ids is shown: by its first characters, at least `SHOWN`, of which no other one has the
    same."""
    every = sorted({bare(text): text for text in ids}.items())
    shown: dict[str, str] = {}
    for n, (text, whole) in enumerate(every):
        most = SHOWN
        for other in (every[n - 1][0] if n else "", every[n + 1][0] if n + 1 < len(every) else ""):
            same = next((i for i, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), len(other))
            most = max(most, same + 1)
        shown[whole] = text[:most]
    return shown


def short(text: str) -> str:
    """How one id is shown that stands alone."""
    return bare(text)[:SHOWN]


def _candidates(api: Client, kind: Listed, wanted: Sequence[str]) -> dict[str, dict[str, str]]:
    """For each text, the objects that it may mean: what describes each, by its id."""
    named: dict[str, dict[str, str]] = {text: {} for text in wanted}
    begun: dict[str, dict[str, str]] = {text: {} for text in wanted}
    left = [text for text in wanted if not (kind.named and _by_name(api, kind, text, named[text]))]
    if left:
        narrowed = {kind.prefix: bare(left[0])} if kind.prefix and len(left) == 1 else {}
        for n, one in enumerate(kind.objects(api, **narrowed)):
            if n >= MOST_READ:
                fail(f"there are more than {MOST_READ} of this kind ({kind.words}): give the whole id")
            id_, said = str(one.get("id", "")), kind.described(one)
            for text in left:
                if kind.named and said.casefold() == text.casefold():
                    named[text][id_] = said
                elif _begins(id_, text):
                    begun[text][id_] = said
    return {text: named[text] or begun[text] for text in wanted}


def _by_name(api: Client, kind: Listed, text: str, named: dict[str, str]) -> bool:
    """Whether the API finds objects of exactly this name: they are put in `named`."""
    if not kind.narrows:
        return False
    for one in kind.objects(api, **{kind.narrows: text}):
        said = kind.described(one)
        if said.casefold() == text.casefold():
            named[str(one.get("id", ""))] = said
    return bool(named)


def _begins(id_: str, text: str) -> bool:
    body, start = bare(id_), bare(text)
    return len(start) >= SHORTEST and body.startswith(start)


def _one(kind: Listed, text: str, found: Mapping[str, str], option: str) -> str:
    if not found:
        means = "id begins so, and none has that name" if kind.named else "id begins so"
        fail(f"{option} {text!r}: there is no such {kind.words}: no {means}")
    if len(found) > 1:
        shown = shortened(found)
        told = [f"{shown[id_]} ({said})" if said else shown[id_] for id_, said in list(found.items())[:_NAMED]]
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        fail(f"{option} {text!r} may be any of {escaped_line(', '.join(told))}{more}: give more of the id")
    return next(iter(found))


def _rows(value: object) -> list[Mapping[str, object]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
