"""What does a response policy zone say of names, in the text of a zone file (RFC 1035 section 5)?

`CNAME .` (NXDOMAIN), `CNAME *.` (no data) and `rpz-drop.` block, `rpz-passthru.` allows; so does an address that
leads nowhere. Other answers, and triggers that are no names, no web list can say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from mailreeve.formats.filter_lists.rules import NOWHERE, Lines, Read, Rule, Untaken

_CLASSES: Final = frozenset(("IN", "CH", "HS"))
_TTL: Final = re.compile(r"\d+|(?:\d+[smhdwSMHDW])+")
_BLOCKS: Final = frozenset((".", "*.", "rpz-drop."))
_TRIGGERS: Final = (".rpz-ip", ".rpz-client-ip", ".rpz-nsip", ".rpz-nsdname")
_OF_THE_ZONE: Final = frozenset(("SOA", "NS"))
_WORD: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[();]|[^\s"();]+')


def read_rpz(lines: Lines) -> Read:
    """The rules of a zone. Names are relative to `$ORIGIN`, or to the name of the SOA record."""
    origin, owner, depth = "", "", 0
    for number, line in lines:
        words = _words(line)
        inside = depth > 0  # a record that goes on from a line before
        depth = max(0, depth + words.count("(") - words.count(")"))
        if inside or not words:
            continue
        words = [word for word in words if word not in "()"]
        if words and words[0].upper() == "$ORIGIN":
            origin = words[1].rstrip(".").lower() if len(words) > 1 else ""
            continue
        if not words or words[0].upper() == "$TTL":
            continue
        if words[0].startswith("$"):
            yield Untaken(number, line, f"{words[0]} is not followed")
            continue
        if not line[:1].isspace():
            owner = words.pop(0)
        record = _without_ttl_and_class(words)
        if not owner or not record:
            yield Untaken(number, line, "this is no record of a zone file")
        elif record[0].upper() in _OF_THE_ZONE:
            if record[0].upper() == "SOA" and owner.endswith("."):
                origin = owner.rstrip(".").lower()
        else:
            yield _rule(number, line, _relative(owner, origin), record)


def _rule(number: int, line: str, name: str, record: Sequence[str]) -> Rule | Untaken:
    type_, target = record[0].upper(), (record[1] if len(record) > 1 else "").lower()
    wide = name.startswith("*.")
    host = name.removeprefix("*.")
    if f".{host}".endswith(_TRIGGERS):
        return Untaken(number, line, "its trigger is no name but an address or a name server")
    if not host or host in ("@", "*"):
        return Untaken(number, line, "it is about every name there is")
    if type_ == "CNAME" and target in _BLOCKS:
        return Rule(number, host, wide=wide)
    if type_ == "CNAME" and target == "rpz-passthru.":
        return Rule(number, host, allows=True, wide=wide)
    if type_ in ("A", "AAAA") and target in NOWHERE:
        return Rule(number, host, wide=wide)
    return Untaken(number, line, f"it answers with {type_} {target or 'nothing'}, which a web list does not")


def _words(line: str) -> list[str]:
    words: list[str] = []
    for word in _WORD.findall(line):
        if word == ";":
            break
        words.append(word)
    return words


def _without_ttl_and_class(words: Sequence[str]) -> list[str]:
    rest = list(words)
    while rest and (rest[0].upper() in _CLASSES or _TTL.fullmatch(rest[0])):
        rest.pop(0)
    return rest


def _relative(owner: str, origin: str) -> str:
    """An owner without the zone's own name at its end, or the dot of a whole name."""
    name = owner.lower()
    if not name.endswith("."):
        return name
    name = name.rstrip(".")
    return name.removesuffix(f".{origin}") if origin else name
