"""The authors of a message: whom its From fields name, by all that mail readers may see in them.

`address_list` has the syntax; here is what readers make of a field, of a broken one too: the addresses that may be
seen in text that is no mailbox, names in comments and groups, encoded words. A field is parted into its entries
first, so a broken mailbox spoils none of its neighbours.

Whoever decides or explains reads authors here: two readings of one header would be two verdicts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from msgspec import Struct

from mailreeve.formats.address_list import (
    AddrSpec,
    Entry,
    comment_places,
    entries,
    read_addr_spec,
    read_phrase,
    spelled,
)
from mailreeve.formats.addresses import MAX_ADDRESS_OCTETS, Address, AddressError, parse_address
from mailreeve.formats.header_text import INVISIBLE, decoded_words, octets_read, printable

MAX_MAILBOX_LENGTH: Final = 1_000
"""Longer text is not read as one mailbox: an address has 254 octets, and a name may be a few encoded words."""

MAX_AUTHORS: Final = 100
"""How many authors a message may have. Honest mail has one, rarely two. `read_authors` gives one more where there
are more, and `decide_mail` refuses the message: nobody looks at authors without end."""

MAX_NAME_LENGTH: Final = 500

MAX_OTHER_NAMES: Final = 4
"""How many names an author may have beside the display name: what is in comments, the name of a group."""

WHITE_SPACE: Final = " \t\r\n"
"""What may stand around the value of a field, and belongs to the header and to no reading of the value."""

# What could be meant as an address in text that is no valid mailbox: no mail reader shows the invisible, none
# takes quotes around an address, or what follows a domain, for a part of it.
_INVISIBLE: Final = re.compile(f"[{INVISIBLE}\x0b\x0c\u2028\u2029\ud800-\udfff]+")
_LINE_ENDS: Final = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+")
_OVERRIDE: Final = re.compile("\u202e([^\u202c]*)\u202c?")
_SHOWN_OTHERWISE: Final = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029\u202e]")
_QUOTES: Final = "'`\u00b4\u00ab\u00bb\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2039\u203a"
_BESIDE_LOCAL: Final = ' \t\r\n<>()[]",;:\\'
_ENDS_LOCAL: Final = re.compile(r'[\s<>()\[\]",;:@\\]')
_DOMAIN: Final = re.compile(r"[\s\[]{0,8}([A-Za-z0-9._\u00a1-\U0010ffff-]{1,253})")
_MAX_LOCAL: Final = MAX_ADDRESS_OCTETS  # as of `parse_address`, here in characters
_SURE_LOCAL: Final = 64  # octets that leave room for any domain but an absurd one
_QUOTED_LOCAL: Final = re.compile(r'\s*"(?:[^"\\]|\\.)*"\s*@', re.DOTALL)
_INNER_COMMENT: Final = re.compile(r"\([^()]*\)")
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


class HeaderFrom(Struct, frozen=True, gc=False, omit_defaults=True):
    """The author in the From header: its address, if it parses, and its decoded display name.

    `other_names` are what readers may show for a name as well, such as comments.
    """

    address: Address | None
    display_name: str = ""
    other_names: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All that a reader may show for the author's name."""
        return (self.display_name, *self.other_names) if self.display_name else self.other_names


def read_authors(fields: Iterable[str]) -> tuple[HeaderFrom, ...]:
    """The authors that the From fields of one message name, given the fields' values; empty without any field.

    There should be one field with one author. Where there are more, all of them count, because readers
    differ in which one they show. Text that is no valid mailbox counts as every address that a
    forgiving reader might see in it. Beyond `MAX_AUTHORS` there is one more and no further.
    """
    authors: dict[HeaderFrom, None] = {}
    for value in fields:
        raw = value.strip(WHITE_SPACE)
        field = octets_read(raw)
        authors |= dict.fromkeys(_authors_of(field))
        if field != raw and len(authors) <= MAX_AUTHORS:
            without = _authors_of(without_unreadable(raw))
            authors |= dict.fromkeys(author for author in without if author.address is not None)
        if len(authors) > MAX_AUTHORS:
            break
    return tuple(islice(authors, MAX_AUTHORS + 1))


def without_unreadable(value: str) -> str:
    """The value as readers take it who leave out whatever they cannot read or show."""
    return _INVISIBLE.sub("", value)


def _authors_of(field: str) -> list[HeaderFrom]:
    """The authors that one field names, at least one; where there are too many, some more than `MAX_AUTHORS`."""
    authors: list[HeaderFrom] = []
    group = ""
    for entry in entries(field, groups=True):
        if entry.group and "@" not in entry.text:
            group = _name(entry.text)
            continue  # a name; an address in that place is one that a forgiving reader might see
        read = read_address(entry)
        exact, plain = None, False
        if read is not None and not is_odd(read[0].domain):
            spec, exact = read
            authors.append(_author(exact, _names(entry), group))
            written = entry.text[spec.start : spec.end]
            plain = (
                not is_odd(spec.local)
                # Some readers decode first, and then look for the address.
                and decoded_words(written) == written
                # By the syntax, words in front of a bare address are a part of it; readers take them for a name.
                and (entry.angle >= 0 or " " not in exact.local or _QUOTED_LOCAL.match(entry.text) is not None)
            )
        if not plain and entry.text.strip():
            guessed = islice(_guess_authors(entry.text, group), MAX_AUTHORS + 1)
            authors.extend(one for one in guessed if exact is None or one.address not in (None, exact))
        if len(authors) > MAX_AUTHORS:
            break
    return authors or [_author(None, (_name(field),), group)]


def _author(address: Address | None, names: tuple[str, ...], group: str) -> HeaderFrom:
    """The author under these names, the display name first, of which any may be empty, and that of a group."""
    found = dict.fromkeys((*names, group))
    for name in (*names, group):
        if "@" in name:
            # Readers show an address in a name beside it, and people read the name.
            found.setdefault(_name(" ".join(word for word in name.split() if "@" not in word)))
    shown = next((name for name in names if name), "")
    others = [name for name in found if name and name != shown]
    return HeaderFrom(address, shown, tuple(others[:MAX_OTHER_NAMES]))


def read_address(entry: Entry) -> tuple[AddrSpec, Address] | None:
    """The one address that an entry holds, as it is written and as it is meant, or None.

    Programs put encoded words into local parts though RFC 2047 section 5 forbids it; they are decoded.
    """
    if "@" not in entry.text or len(entry.text) > MAX_MAILBOX_LENGTH:
        return None
    spec = read_addr_spec(entry)
    if spec is None:
        return None
    local = decoded_words(spec.local)
    if local != spec.local:
        spec = AddrSpec(local, spec.domain, spec.start, spec.end, verbatim=False)
    address = plain_address(spelled(spec.local, spec.domain))
    return None if address is None else (spec, address)


def _names(entry: Entry) -> tuple[str, ...]:
    """What readers may show for the name of a mailbox: the display name, and beside or instead of it the comments.

    RFC 5322 section 3.4 knows the comment behind the address as the older form of the display name.
    """
    comments = _comments(entry.text)
    if entry.angle < 0:
        return comments
    text = entry.text[: entry.angle]
    if not comments:
        return _phrase(text)
    # Some leave out comments in a display name, some do not.
    first, *others = _phrase(text)
    return (first, _name(text), *others, *comments)


def _phrase(text: str) -> tuple[str, ...]:
    """What a display name says; first as most show it, then as some do."""
    said = read_phrase(text)
    # What is no phrase is shown by mail readers as it stands.
    name = text if said is None else said
    return (_name(name), *_shown_otherwise(name))


def _shown_otherwise(name: str) -> Iterator[str]:
    """The name as those show it who break lines where Unicode does, and turn letters round where told to.

    And as it was meant where a gateway encoded once more what was encoded, which some decode twice.
    """
    decoded = decoded_words(name)
    if "=?" in decoded:
        again = decoded_words(decoded)
        if again != decoded:
            yield _name_of(again)
    if _SHOWN_OTHERWISE.search(decoded):
        broken = _LINE_ENDS.sub(" ", decoded)
        yield _name_of(broken)
        yield _name_of(_OVERRIDE.sub(lambda turned: turned[1][::-1], broken))


def _comments(text: str) -> tuple[str, ...]:
    """What the comments say: all of the outermost together, then each alone, those inside others last."""
    if "(" not in text:
        return ()
    text = text[: MAX_MAILBOX_LENGTH * 10]
    places = comment_places(text)[:MAX_OTHER_NAMES]
    texts = [(_ESCAPED.sub(r"\1", text[start:end]), depth) for depth, start, end in places]
    said = [(_name(text), text, depth) for text, depth in texts]
    said = [one for one in said if any(map(str.isalnum, one[0]))]
    together = " ".join(name for name, _, depth in said if depth == 0)
    others = [other for _, text, _ in said for other in _shown_otherwise(text)]
    return (_name(together), _name(_INNER_COMMENT.sub(" ", together)), *others, *[name for name, *_ in said])


def _guess_authors(text: str, group: str) -> Iterator[HeaderFrom]:
    """The authors that might be seen in text that is no mailbox."""
    text = decoded_words(text)
    before, _, behind = text[: MAX_MAILBOX_LENGTH * 10].partition("<")
    names = (_name(before.strip(' \t\r\n"')), _name(behind.rpartition(">")[2]), *_comments(text))
    text = _INVISIBLE.sub("", text)
    found = False
    start = 0
    while (at := text.find("@", start)) >= 0:
        if at > start:
            for address in _guesses(text[max(start, at - _MAX_LOCAL - 8) : at], text, at + 1):
                found = True
                yield _author(address, names, group)
        start = at + 1
    if not found:
        yield _author(None, names, group)


def _guesses(before: str, text: str, after: int) -> Iterator[Address]:
    """The addresses around an at sign: `before` it, and in the text `after` it."""
    local = _ENDS_LOCAL.split(before.rstrip(_BESIDE_LOCAL))[-1].strip(_QUOTES)
    found = _DOMAIN.match(text, after)
    if not local or found is None:
        return
    domain = found[1]
    trimmed = domain.rstrip("".join({c for c in domain if not c.isalnum()}))
    whole = _first_address(local, (trimmed, domain, domain.strip(".-")))
    if whole is not None:
        yield whole
    odd = _odd_place(trimmed)
    if odd and (whole is None or "." in trimmed[:odd]):
        # What is no letter may end the domain for a reader.
        ended = _first_address(local, (trimmed[:odd].strip(".-"),))
        if ended is not None:
            yield ended


def _first_address(local: str, domains: Iterable[str]) -> Address | None:
    # Cut where it is too long and quoted where it is broken: its domain is to be seen all the same.
    short = local.encode("utf-8", "ignore")[-_SURE_LOCAL:].decode("utf-8", "ignore")
    for domain in dict.fromkeys(domains):
        for spelling in dict.fromkeys((local, short, f'"{short[: _SURE_LOCAL - 2]}"')):
            address = plain_address(f"{spelling}@{domain}")
            if address is not None:
                return address
    return None


def is_odd(text: str) -> bool:
    """Whether characters beyond ASCII stand in a part of an address that are no letters, marks or digits.

    Such as a quotation mark or a zero-width space. They may be part of it, or readers may leave them out or take
    the address to begin or to end there.
    """
    return not text.isascii() and any(map(_is_odd_character, text))


def _odd_place(domain: str) -> int:
    """Where in a domain the first odd character stands, as of `is_odd`; 0 if none does."""
    return next((at for at, character in enumerate(domain) if _is_odd_character(character)), 0)


def _is_odd_character(character: str) -> bool:
    return character > "~" and unicodedata.category(character)[0] not in "LMN"


def plain_address(text: str) -> Address | None:
    """The address that the text is, or None."""
    try:
        return parse_address(text)
    except AddressError:
        return None


def _name(text: str) -> str:
    return _name_of(decoded_words(text))


def _name_of(decoded: str) -> str:
    # Without what nobody sees, lest it fill the length of a name.
    return printable(_INVISIBLE.sub("", decoded), MAX_NAME_LENGTH)
