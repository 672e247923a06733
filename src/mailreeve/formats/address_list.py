"""The syntax of address fields: the entries of a list, and the address, the display name and the places in each.

Of RFC 5322 section 3.4 with the obsolete forms of section 4.4, and beyond both as forgiving as mail readers are:
comments and quotes may stay open, words of a local part may follow each other without a dot, characters beyond
ASCII are letters. Each function passes over the text from left to right, without recursion, so its time is linear
in the length of the text, and any text at all has a reading, if only `None`. Encoded words (RFC 2047) are for the
caller: here they are text like any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

_STRUCTURE: Final = re.compile(r'[\\",:;()<>\[\]]')
_UNFOLDED: Final = str.maketrans("\r\n", "  ")
_WHITE_SPACE: Final = re.compile(r"[ \t]\s*")
_ATOM: Final = re.compile(r'[^()<>@,:;.\\"\[\] \t]+')
_QUOTED: Final = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)', re.DOTALL)
_LITERAL: Final = re.compile(r"\[(?:[ \t]\s*+)?+((?:[^ \t\[\]\\]|\\[^ \t]?)*+)(?:[ \t]\s*+)?+\]")
# A backslash takes away the meaning of what is behind it, but for white space, and means nothing itself.
_ESCAPED: Final = re.compile(r"\\([^ \t]?)", re.DOTALL)
_COMMENT_MARK: Final = re.compile(r"[()]|\\[^ \t]", re.DOTALL)
_QUOTES_AND_COMMENTS: Final = re.compile(r'["()]|\\.', re.DOTALL)
# As nearly all are written: these are read at once.
_PLAIN_TEXT: Final = r'[^()<>@,:;.\\"\[\]\s]+'
_PLAIN_ADDRESS: Final = rf"({_PLAIN_TEXT}(?:\.{_PLAIN_TEXT})*)@({_PLAIN_TEXT}(?:\.{_PLAIN_TEXT})*)"
_AROUND: Final = r"(?:[ \t\r\n]\s*)?"
_PLAIN_ALONE: Final = re.compile(f"{_AROUND}{_PLAIN_ADDRESS}{_AROUND}")
_PLAIN_IN_ANGLE: Final = re.compile(f"<{_AROUND}{_PLAIN_ADDRESS}{_AROUND}>{_AROUND}")
_PLAIN_PHRASE: Final = re.compile(r'([^()<>@,:;\\"\[\]\s]+(?: [^()<>@,:;\\"\[\]\s]+)*) ?')
_NEEDS_QUOTES: Final = re.compile(r'[()<>@,:;\\"\[\] \t]')
_NEEDS_BACKSLASH: Final = re.compile(r'(["\\])')


class Entry(Struct, frozen=True):
    """One part of an address list: where it stands in the field's value, and its text.

    `group` says that it is the name of a group; `angle` is where in the text an angle bracket opens
    outside quotes and comments, -1 if none does.
    """

    start: int
    text: str
    angle: int
    group: bool = False


class AddrSpec(Struct, frozen=True):
    """The address of an entry as it is written (`addr-spec`), and its place: the indexes in the entry's text of
    the first character and of that behind the last, comments and white space around it left out.

    `local` is without the quotes and comments that it was written with, `domain` without comments and white space.
    In `verbatim` entries every mark is closed and every backslash needed.
    """

    local: str
    domain: str
    start: int
    end: int
    verbatim: bool


def entries(value: str, *, groups: bool = False) -> Iterator[Entry]:
    """The parts of an address list that may hold a mailbox; group names if asked for."""
    opened: list[str] = []  # the closing marks still awaited, innermost last
    start = position = 0
    angle = -1
    while (mark := _STRUCTURE.search(value, position)) is not None:
        at, character = mark.start(), mark[0]
        position = at + 1
        inside = opened[-1] if opened else ""
        if character == "\\":
            position += 1
        elif character == inside:
            opened.pop()
        elif inside in ('"', "]"):
            continue
        elif character == "(" or (character in '"[' and inside in ("", ">")):
            opened.append({'"': '"', "(": ")", "[": "]"}[character])
        elif character == "<" and not opened:
            opened.append(">")
            angle = at - start if angle < 0 else angle
        elif character in ",;:" and not opened:
            group = character == ":"
            if groups or not group:
                yield Entry(start, value[start:at], angle, group)
            start, angle = position, -1
    yield Entry(start, value[start:], angle)


def read_addr_spec(entry: Entry) -> AddrSpec | None:
    """The address that an entry holds, or None if that is not one address and nothing else.

    It is what stands in the angle brackets, behind a route (`obs-route`) if there is one, or the whole entry where
    there are none.
    """
    plain = (_PLAIN_ALONE if entry.angle < 0 else _PLAIN_IN_ANGLE).fullmatch(entry.text, max(entry.angle, 0))
    if plain is not None:
        return AddrSpec(plain[1], plain[2], plain.start(1), plain.end(2), verbatim=True)
    # Line ends of folds are white space; places stay the same.
    scanner = _Scanner(entry.text.translate(_UNFOLDED), max(entry.angle, 0))
    if entry.angle >= 0:
        scanner.at += 1
        if not scanner.pass_route():
            return None
    local = scanner.words(local_part=True)
    if local is None or not scanner.passes("@"):
        return None
    start = scanner.first
    domain = scanner.domain()
    if domain is None:
        return None
    end = scanner.last
    if entry.angle >= 0:
        if not scanner.passes(">"):
            scanner.verbatim = False
        scanner.pass_gap()
    if scanner.text[scanner.at :].strip():
        return None
    return AddrSpec(local, domain, start, end, scanner.verbatim)


def read_phrase(text: str) -> str | None:
    """What a display name says: its words without quotes, each comment and each white space as one space.

    None if the text is no phrase, not even one with dots in it (`obs-phrase`).
    """
    plain = _PLAIN_PHRASE.fullmatch(text)
    if plain is not None:
        return plain[1]
    scanner = _Scanner(text.translate(_UNFOLDED), 0)
    words = scanner.words(local_part=False)
    return words if scanner.at == len(text) else None


def spelled(local: str, domain: str) -> str:
    """The address of these parts as text, the local part in quotes if it needs them."""
    if not local or _NEEDS_QUOTES.search(local):
        local = '"' + _NEEDS_BACKSLASH.sub(r"\\\1", local) + '"'
    return f"{local}@{domain}"


def comment_places(text: str) -> list[tuple[int, int, int]]:
    """The comments in an entry's text, outermost first: how deep each is in others, and where its content begins
    and ends. One that stays open ends with the text."""
    found: list[tuple[int, int, int]] = []
    opened: list[int] = []
    quoted = False
    for mark in _QUOTES_AND_COMMENTS.finditer(text):
        character = mark[0]
        if character == '"' and not opened:
            quoted = not quoted
        elif quoted or len(character) > 1:
            continue
        elif character == "(":
            opened.append(mark.end())
        elif character == ")" and opened:
            start = opened.pop()
            found.append((len(opened), start, mark.start()))
    found.extend((depth, start, len(text)) for depth, start in enumerate(opened))
    return sorted(found)


class _Scanner:
    """A place in an entry's text that moves to the right as one thing after another is read.

    `first` and `last` are where what was read begins and ends, without white space and comments around it.
    """

    __slots__ = ("at", "first", "last", "text", "verbatim")

    def __init__(self, text: str, at: int) -> None:
        self.text = text
        self.at = self.first = self.last = at
        self.verbatim = True

    def passes(self, character: str) -> bool:
        """Whether this character is next; it is passed."""
        if not self.text.startswith(character, self.at):
            return False
        self.at += 1
        return True

    def pass_gap(self) -> bool:
        """Pass white space and comments (`CFWS`), if there are any."""
        start = self.at
        while True:
            if white_space := _WHITE_SPACE.match(self.text, self.at):
                self.at = white_space.end()
            elif self.text.startswith("(", self.at):
                self._pass_comment()
            else:
                return self.at > start

    def words(self, *, local_part: bool) -> str | None:
        """The words and dots that are next, None if there are none. A gap between two of them is a space; in local
        parts there is none beside dots, and backslashes may stand alone."""
        text, parts = self.text, list[str]()
        beside_dot = gap = False
        while True:
            if self.pass_gap():
                gap = True
            at = self.at
            if atom := _ATOM.match(text, at):
                word, self.at = atom[0], atom.end()
            elif quoted := _QUOTED.match(text, at):
                word = self._unquoted(quoted)
            elif text.startswith((".", "\\") if local_part else ".", at):
                word, self.at = text[at], at + 1
            else:
                return "".join(parts) if parts else None
            is_dot = text[at] == "."
            if not parts:
                self.first = at
            elif gap and not (local_part and (is_dot or beside_dot)):
                parts.append(" ")
            parts.append(word)
            self.last, beside_dot, gap = self.at, is_dot, False

    def domain(self) -> str | None:
        """The domain that is next, a name or a literal, or None if there is none."""
        self.pass_gap()
        if literal := _LITERAL.match(self.text, self.at):
            self._note_escapes(literal[1], "")
            content = _ESCAPED.sub(r"\1", literal[1])
            self.at = self.last = literal.end()
            self.pass_gap()
            return "[" + "".join(content.split()) + "]"
        labels: list[str] = []
        while True:
            label = _ATOM.match(self.text, self.at)
            if label is None:
                return None
            labels += label[0].split()
            self.at = self.last = label.end()
            self.pass_gap()
            if not self.passes("."):
                return "".join(labels)
            labels.append(".")
            self.pass_gap()

    def pass_route(self) -> bool:
        """Pass the hosts that a message should take its way by, if any are named; False if they are broken."""
        start = self.at
        while self.pass_gap() or self.passes(","):
            pass
        if not self.text.startswith("@", self.at):
            self.at = start
            return True
        while self.passes("@"):
            if self.domain() is None:
                return False
            if not self.passes(","):
                break
            while self.pass_gap() or self.passes(","):
                pass
        return self.passes(":")

    def _pass_comment(self) -> None:
        start, depth = self.at, 0
        for mark in _COMMENT_MARK.finditer(self.text, start):
            depth += {"(": 1, ")": -1}.get(mark[0], 0)
            if depth == 0:
                self.at = mark.end()
                break
        else:
            self.at = len(self.text)
            self.verbatim = False
        self._note_escapes(self.text[start : self.at], "()")

    def _unquoted(self, quoted: re.Match[str]) -> str:
        self.at = quoted.end()
        if not self.passes('"'):
            self.at = len(self.text)  # there may be a last backslash
            self.verbatim = False
        self._note_escapes(quoted[1], '"')
        return _ESCAPED.sub(r"\1", quoted[1])

    def _note_escapes(self, text: str, special: str) -> None:
        """A backslash is idle before anything but what is special here and another one."""
        if "\\" in text and any(not one[1] or one[1] not in special + "\\" for one in _ESCAPED.finditer(text)):
            self.verbatim = False
