"""When do two display names read the same? (behaviour.md D-42 and D-51)

Policies name people by what a reader sees, and everybody can write what looks like a name with other characters.
So names are compared by the skeleton of UTS 39, section 4: what is not seen is dropped, what looks alike becomes
one. A policy's name has one skeleton, its key. A message's name may be read in a few ways, and each is looked up.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Final

from mailreeve.formats.confusables import PROTOTYPES
from mailreeve.formats.header_text import INVISIBLE

_UNSEEN: Final = re.compile(f"[{INVISIBLE}\ud800-\udfff]+")
# They look like a space and count as letters or symbols.
_BLANK: Final = re.compile("[\u115f\u1160\u2800\u3164\uffa0]")
_AROUND: Final = " '<>\u00ab\u00bb\u2039\u203a\u201e\u201a"
# A small l, or what looks like it, where only a capital I is likely: in front of a word, behind a capital.
_LIKELY_I: Final = re.compile(r"\bl|(?<=[A-Z])l")
_SMALL_CAPITALS: Final = (*range(0x0250, 0x02B0), *range(0x1D00, 0x1D80), *range(0xA720, 0xA800))
"""Where letters such as U+0280 are; UTS 39 has few of them."""

_FOLDED_BEFORE: Final = 4_096


@lru_cache(maxsize=_FOLDED_BEFORE)
def fold_display_name(text: str) -> str:
    """The form display names are compared in: no case, white space folded, and the skeleton of that.

    Quotes around it or around a word in it are not part of a name. The caller decodes MIME encoded words first.
    """
    seen = _seen(text)
    folded = seen.casefold()
    if not folded.isascii():
        folded = unicodedata.normalize("NFKD", folded).casefold()
    skeleton = folded.translate(_table())
    if not skeleton.isascii():
        skeleton = unicodedata.normalize("NFD", skeleton)
    # A name of nothing but quotes is one all the same.
    return " ".join(skeleton.strip(_AROUND).split()) or " ".join(seen.casefold().split())


@lru_cache(maxsize=_FOLDED_BEFORE)
def name_readings(text: str) -> tuple[str, ...]:
    """The folded forms of what a reader may take a name for, three at most; none for a blank one.

    Beside its own: capitals that look like other letters than their small forms do (`BiII` is Bill, a Greek
    capital Nu is an N), and small letters that look like capitals (`lvan` is Ivan).
    """
    own = fold_display_name(text)
    if not own:
        return ()
    readings = {own: None}
    looks = unicodedata.normalize("NFKD", _seen(text)).translate(PROTOTYPES)
    for looked in (looks, _LIKELY_I.sub("I", looks)):
        readings.setdefault(fold_display_name(looked))
    return tuple(readings)


def _seen(text: str) -> str:
    return _BLANK.sub(" ", _UNSEEN.sub("", text))


@cache
def _table() -> Mapping[int, str]:
    """From a character of case-folded text to its part of a skeleton, which has no case either.

    A small letter that looks like none of ASCII stands for the ASCII letter that its capital looks like, as in
    other alphabets all capitals are ours and few small letters: a name in capitals and the same in small letters
    must have one skeleton.
    """

    def folded(text: str) -> str:
        for _ in range(4):  # a prototype may have case, and its small form a prototype
            again = unicodedata.normalize("NFKD", text.translate(PROTOTYPES)).casefold()
            if again == text:
                break
            text = again
        return text

    table: dict[int, str] = {}
    for code in _SMALL_CAPITALS:
        kind, _, letter = unicodedata.name(chr(code), "").rpartition(" ")
        if kind == "LATIN LETTER SMALL CAPITAL" and len(letter) == 1:
            table[code] = folded(letter.lower())
    small = {ord(character.casefold()) for character in map(chr, PROTOTYPES) if len(character.casefold()) == 1}
    for code in {*PROTOTYPES, *small}:
        character = chr(code)
        skeleton = folded(character)
        if character.isalpha() and not any(letter.isascii() and letter.isalpha() for letter in skeleton):
            skeleton = _capital(character) or skeleton
        if skeleton != character and code not in table:
            # Quotation marks of two strokes.
            table[code] = "" if skeleton == "''" else skeleton
    return table


def _capital(character: str) -> str:
    """The small form of the ASCII letter that the capital of this letter looks like; empty without one."""
    looks = character.upper().translate(PROTOTYPES)
    if len(looks) != 1 or not (looks.isascii() and looks.isalpha()):
        return ""
    return looks.lower().translate(PROTOTYPES).casefold()
