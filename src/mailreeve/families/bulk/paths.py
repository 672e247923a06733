"""Which group does a path mean? Names from the top down, parted by `/`: `Sales/EMEA`.

A `/` or a backslash in a name has a backslash before it, and so has a blank at its ends; other blanks there do not
count. Nothing keeps two groups in one place from having one name; then the path means neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from mailreeve.families.bulk.errors import IMPORT_AMBIGUOUS
from mailreeve.families.directory.groups import operations
from mailreeve.families.directory.groups.errors import GROUP_NOT_FOUND
from mailreeve.families.machinery.call import Call
from mailreeve.policy.model.group_tree import MAX_DEPTH
from mailreeve.policy.model.wording import quoted
from mailreeve.wire.errors import BLANK, refused
from mailreeve.wire.tokens import Kind

_PART: Final = re.compile(r"((?:[^\\/]|\\.)*)(/|$)", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_SPECIAL: Final = re.compile(r"[\\/]|\A\s|\s\Z")


def parts(path: str) -> list[str]:
    """The names in a path. One is empty where a `/` stands at an end, or beside another."""
    found: list[str] = []
    place = 0
    while place <= len(path):
        match = _PART.match(path, place)
        if match is None:  # a single backslash at the end stands for itself
            found.append(_name(path[place:-1]) + "\\")
            break
        found.append(_name(match[1]))
        if not match[2]:
            break
        place = match.end()
    return found


def joined(names: Sequence[str]) -> str:
    """The path that these names make."""
    return "/".join(_SPECIAL.sub(r"\\\g<0>", name) for name in names)


def _name(text: str) -> str:
    """A name as it was meant: blanks around it go, unless a backslash stands before them."""
    plain = text.strip()
    backslashes = len(plain) - len(plain.rstrip("\\"))
    if backslashes % 2:  # the blank after it is a part of the name
        plain = text[: text.index(plain) + len(plain) + 1]
        plain = plain.lstrip()
    return _ESCAPED.sub(r"\1", plain)


class GroupPaths:
    """The paths of an account's groups, with those that are made here."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._by_key: dict[str, tuple[str | None, str]] = {}
        self._keys: dict[tuple[str | None, str], list[str]] = {}
        directory = call.identities.directory  # in memory, however many groups there are
        for key, name in directory.group_names.items():
            self._add(key, directory.parents.get(key), name)

    def key(self, path: str, field: str) -> str:
        """The key of the group with this path. Raises `ItemRefused` naming `field`."""
        place: str | None = None
        for name in self._names(path, field):
            place = self._below(place, name, path, field)
            if place is None:
                raise refused(GROUP_NOT_FOUND, field, f"There is no group {quoted(path)}")
        if place is None:
            raise refused(BLANK, field)
        return place

    def put(self, path: str, field: str) -> str:
        """The key of the group with this path, which is made unless it is there, with those above it. Raises
        `ItemRefused` naming `field`; what it made before that is to be undone by the caller."""
        place: str | None = None
        made: list[str] = []
        try:
            for name in self._names(path, field):
                found = self._below(place, name, path, field)
                if found is None:
                    above = None if place is None else self._call.seal(Kind.GROUP, place)
                    found = operations.create(self._call, name, above).id
                    self._add(found, place, name)
                    made.append(found)
                place = found
        except BaseException:
            for key in made:
                self._keys.pop(self._by_key.pop(key))
            raise
        if place is None:
            raise refused(BLANK, field)
        return place

    def path(self, key: str) -> str | None:
        """The path of a group; None for one whose path means several, or that does not exist."""
        names: list[str] = []
        for parent, name in self._upward(key):
            if len(self._keys[parent, name]) > 1:
                return None
            names.append(name)
        return joined(names[::-1]) or None

    def _upward(self, key: str) -> Iterator[tuple[str | None, str]]:
        place: str | None = key
        for _ in range(MAX_DEPTH * 2):
            if place is None or place not in self._by_key:
                return
            yield self._by_key[place]
            place = self._by_key[place][0]

    def _names(self, path: str, field: str) -> list[str]:
        found = parts(path)
        if not all(found):
            raise refused(BLANK, field, f"A name in the path {quoted(path)} is empty")
        return found

    def _below(self, place: str | None, name: str, path: str, field: str) -> str | None:
        found = self._keys.get((place, name), [])
        if len(found) > 1:
            message = f"{len(found)} groups in one place are called {quoted(name)}, so {quoted(path)} means none"
            raise refused(IMPORT_AMBIGUOUS, field, message)
        return found[0] if found else None

    def _add(self, key: str, parent: str | None, name: str) -> None:
        self._by_key[key] = parent, name
        self._keys.setdefault((parent, name), []).append(key)
