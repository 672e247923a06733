"""What do clients search for? The XML in which they say it (api.md section 3.13, clients.md).

    <xmlquery><metadata page-size="25"
    startrow="0"><mailboxes><mailbox>ann@example.com</mailbox></mailboxes></metadata> <muse><text>subject:invoice
    or "net 30"</text><date select="last_month"/><sent select="from">bad.test</sent> <docs
    select="optional">report.pdf</docs><route/></muse></xmlquery>

A document that declares a type is refused, so there are no entities, and nothing is fetched or blown up. Elements
that nobody knows are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from xml.parsers import expat

from msgspec import Struct

from mailreeve.families.archive.errors import BAD_QUERY
from mailreeve.families.archive.search_index import Group, Term
from mailreeve.wire import fields
from mailreeve.wire.errors import NOT_ALLOWED, refused

MOST_ELEMENTS: Final = 500
MOST_TERMS: Final = 50
MOST_ROWS: Final = 500  # on a page
FARTHEST: Final = 10_000  # row that a page begins with
DEFAULT_ROWS: Final = 25
MOST_CHARACTERS: Final = 32_768

_FIELD: Final = "query"
_COLUMNS: Final = {
    "from": ("sender",),
    "to": ("recipients",),
    "subject": ("subject",),
    "body": ("body",),
    "text": ("body",),
    "attachment": ("files",),
    "attachments": ("files",),
    "filename": ("files",),
}
_TOKEN: Final = re.compile(r'(?:([A-Za-z]{1,16})\s?:\s?)?(?:"([^"]*)"|([^\s"\[\]()]+))')
_DAYS: Final = {
    "today": 0,
    "yesterday": 1,
    "last_24_hours": 1,
    "last_week": 7,
    "last_7_days": 7,
    "last_month": 31,
    "last_30_days": 30,
    "last_90_days": 90,
    "last_year": 366,
    "last_12_months": 366,
}
_EVER: Final = frozenset({"", "all", "all_time", "any", "none"})
BETWEEN: Final = "between"
_ROUTES: Final = frozenset({"inbound", "outbound", "internal", "external"})


class Query(Struct, frozen=True):
    """What is searched for: see `search_index.Sought`. `mailboxes` are addresses, each with whether aliases count;
    `start` and `rows` are the page. `text` is what was asked for in words, for the log."""

    groups: tuple[Group, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    mailboxes: tuple[tuple[str, bool], ...] = ()
    route: str = ""
    start: int = 0
    rows: int = DEFAULT_ROWS
    text: str = ""


class _Element(Struct, frozen=True):
    name: str
    attributes: dict[str, str]
    text: str


def read_query(xml: str, now: datetime) -> Query:
    """The search that a text says. Raises `ItemRefused` naming `query`."""
    elements = _elements(xml)
    if not elements or elements[-1].name != "xmlquery":
        raise refused(BAD_QUERY, _FIELD, f"{BAD_QUERY.message}: the outermost element is xmlquery")
    groups: list[Group] = []
    said: list[str] = []
    mailboxes: list[tuple[str, bool]] = []
    since = until = None
    start, rows, route = 0, DEFAULT_ROWS, ""
    for element in elements:
        text, attributes = element.text, element.attributes
        match element.name:
            case "text" | "sent" | "docs" if text:
                groups.append(_group(element))
                said.append(text)
            case "date":
                since, until = _dates(attributes, now)
            case "mailbox" if text:
                mailboxes.append((text, attributes.get("include-aliases", "true").lower() != "false"))
            case "route" if text.lower() in _ROUTES:
                route = text.lower()
            case "metadata":
                start = _number(attributes.get("startrow"), 0, FARTHEST)
                rows = _number(attributes.get("page-size"), DEFAULT_ROWS, MOST_ROWS) or DEFAULT_ROWS
            case _:
                pass
    terms = sum(len(alternative) for group in groups for alternative in group)
    if terms > MOST_TERMS:
        raise refused(BAD_QUERY, _FIELD, f"{BAD_QUERY.message}: it has more than {MOST_TERMS} words")
    return Query(tuple(groups), since, until, tuple(mailboxes), route, start, rows, " ".join(said))


def read_words(text: str, columns: tuple[str, ...] = ()) -> Group:
    """The alternatives that a text of words says: words that all must be there, `or` between alternatives, `not`
    before what must not be there, quotes around words that follow one another, `subject:` and the like before
    what stands there. `columns` are where words are looked for that say nothing else."""
    alternatives: list[list[Term]] = [[]]
    excluded = False
    for field, words, was_quoted in _tokens(text):
        known = _COLUMNS.get(field.lower())
        if known is None and field:
            words = f"{field} {words}"
        lowered = words.lower()
        if not was_quoted and not field and lowered in ("or", "and", "not"):
            excluded = lowered == "not"
            if lowered == "or":
                alternatives.append([])
            continue
        alternatives[-1].append(Term(words, known or columns, excluded))
        excluded = False
    return tuple(tuple(terms) for terms in alternatives if terms)


def _tokens(text: str) -> Iterator[tuple[str, str, bool]]:
    for token in _TOKEN.finditer(text):
        field, quoted, bare = token.groups()
        yield field or "", bare if quoted is None else quoted, quoted is not None


def _group(element: _Element) -> Group:
    if element.name == "sent":
        select = element.attributes.get("select", "").lower()
        where: tuple[str, ...] = {"from": ("sender",), "to": ("recipients",)}.get(select, ("sender", "recipients"))
        return read_words(element.text, where)
    return read_words(element.text, ("files",) if element.name == "docs" else ())


def _dates(attributes: dict[str, str], now: datetime) -> tuple[datetime | None, datetime | None]:
    select = attributes.get("select", "").strip().lower()
    since, until = attributes.get("from", "").strip(), attributes.get("to", "").strip()
    if select == BETWEEN or (not select and (since or until)):
        return (fields.moment(since, _FIELD) if since else None), (fields.moment(until, _FIELD) if until else None)
    if select in _EVER:
        return None, None
    if select not in _DAYS:
        allowed = ", ".join([BETWEEN, *_DAYS])
        raise refused(NOT_ALLOWED, _FIELD, f"{NOT_ALLOWED.message}: date select is one of {allowed}")
    if select == "last_24_hours":
        return now - timedelta(hours=24), None
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    since_day = midnight - timedelta(days=_DAYS[select])
    return since_day, midnight if select == "yesterday" else None


def _number(text: str | None, default: int, most: int) -> int:
    if text is None or not text.strip():
        return default
    bare = text.strip()
    if not (bare.isascii() and bare.isdigit() and len(bare) < 10) or int(bare) > most:
        raise refused(BAD_QUERY, _FIELD, f"{BAD_QUERY.message}: {bare[:20]!r} is no number up to {most}")
    return int(bare)


class _Refused(Exception):
    """The document holds what none of ours holds."""


def _elements(xml: str) -> list[_Element]:
    """The elements of a document, each when it ends, with the text that stands in it. Raises `ItemRefused`."""
    found: list[_Element] = []
    opened: list[tuple[str, dict[str, str], list[str]]] = []

    def begin(name: str, attributes: dict[str, str]) -> None:
        if len(found) + len(opened) >= MOST_ELEMENTS:
            raise _Refused(f"it has more than {MOST_ELEMENTS} elements")
        opened.append((name, attributes, []))

    def text(data: str) -> None:
        if opened:
            opened[-1][2].append(data)

    def end(_: str) -> None:
        name, attributes, texts = opened.pop()
        found.append(_Element(name.lower(), attributes, "".join(texts).strip()))

    def declares(*_: object) -> None:
        raise _Refused("it may not declare a document type")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = declares
    parser.EntityDeclHandler = declares
    try:
        # The text is Unicode already, whatever encoding it says it has.
        parser.Parse(re.sub(r"^\s*<\?xml[^>]*\?>", "", xml).strip().encode("utf-8", "replace"), True)
    except (expat.ExpatError, _Refused) as problem:
        raise refused(BAD_QUERY, _FIELD, f"{BAD_QUERY.message}: {problem}") from problem
    return found
