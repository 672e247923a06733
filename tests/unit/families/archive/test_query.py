"""Searches in the XML of clients: what is read of them, and that nothing else breaks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailreeve.families.archive.query import MOST_TERMS, Query, read_query, read_words
from mailreeve.families.archive.search_index import COLUMNS, CREATE, Sought, Term, _match
from mailreeve.wire.errors import ItemRefused

MINE, OTHERS = "a" * 32, "b" * 32
NOW = datetime(2026, 11, 27, 15, 30, tzinfo=UTC)


def read(muse: str, metadata: str = "<metadata/>") -> Query:
    return read_query(
        f'<?xml version="1.0"?><xmlquery trace="iql,muse">{metadata}<muse>{muse}</muse></xmlquery>', NOW
    )


def test_a_search_of_a_client() -> None:
    """Page, mailboxes, words, sender, dates and route, as they are sent."""
    found = read(
        '<text>subject:invoice</text><text>from:a@x.test or from:b@x.test</text><date select="between" '
        'from="2026-01-01T00:00:00Z" to="2026-02-01T00:00:00Z"/><sent select="to">corp.test</sent>'
        '<docs select="optional">report.pdf</docs><route>inbound</route>',
        '<metadata page-size="100" startrow="200"><mailboxes><mailbox include-aliases="false">ann@corp.test'
        "</mailbox></mailboxes><smartfolders/></metadata>",
    )
    assert found == Query(
        (
            ((Term("invoice", ("subject",)),),),
            ((Term("a@x.test", ("sender",)),), (Term("b@x.test", ("sender",)),)),
            ((Term("corp.test", ("recipients",)),),),
            ((Term("report.pdf", ("files",)),),),
        ),
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 2, 1, tzinfo=UTC),
        (("ann@corp.test", False),),
        "inbound",
        200,
        100,
        "subject:invoice from:a@x.test or from:b@x.test corp.test report.pdf",
    )


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("one two", ((Term("one"), Term("two")),)),
        ("one OR two", ((Term("one"),), (Term("two"),))),
        ('"one two" not three', ((Term("one two"), Term("three", (), True)),)),
        ("[body: one]", ((Term("one", ("body",)),),)),
        ('"or" and', ((Term("or"),),)),
        ("http://x.test", ((Term("http //x.test"),),)),
        ("or or", ()),
    ],
)
def test_words(text: str, terms: tuple[tuple[Term, ...], ...]) -> None:
    """As people write them."""
    assert read_words(text) == terms


@pytest.mark.parametrize(
    ("select", "since"),
    [
        ("last_year", datetime(2025, 11, 26, tzinfo=UTC)),
        ("last_24_hours", datetime(2026, 11, 26, 15, 30, tzinfo=UTC)),
        ("today", datetime(2026, 11, 27, tzinfo=UTC)),
        ("all_time", None),
    ],
)
def test_dates_by_name(select: str, since: datetime | None) -> None:
    """Those that clients send."""
    assert read(f'<date select="{select}"/>').since == since


@pytest.mark.parametrize(
    ("xml", "why"),
    [
        ("from:x@y.com", "not well-formed"),
        ("<other/>", "outermost"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><xmlquery/>', "document type"),
        ('<!DOCTYPE x SYSTEM "http://x.test/a.dtd"><xmlquery/>', "document type"),
        ("<xmlquery>" + "<a/>" * 600 + "</xmlquery>", "elements"),
        ("<xmlquery><muse><text>" + "w " * (MOST_TERMS + 1) + "</text></muse></xmlquery>", "words"),
        ('<xmlquery><metadata page-size="501"/></xmlquery>', "number up to 500"),
        ('<xmlquery><metadata startrow="-1"/></xmlquery>', "number up to"),
        ('<xmlquery><muse><date select="soon"/></muse></xmlquery>', "between"),
        ('<xmlquery><muse><date select="between" from="soon"/></muse></xmlquery>', "Date"),
    ],
)
def test_what_is_refused(xml: str, why: str) -> None:
    """The field is named, and what is wrong with it."""
    with pytest.raises(ItemRefused, match=why) as refused:
        read_query(xml, NOW)
    assert refused.value.problems[0].field == "query"


@given(st.text(max_size=400))
@example("<xmlquery>\udc80</xmlquery>")
@example("<xmlquery>&lt;&#0;</xmlquery>")
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing else happens, as a document and within one."""
    for xml in (text, f"<xmlquery><muse><text>{text}</text></muse></xmlquery>"):
        with suppress(ItemRefused):
            read_query(xml, NOW)


@given(
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"),
        max_size=80,
    )
)
def test_what_is_written_is_what_is_read(text: str) -> None:
    """Escaped as XML has it, a text and an address come back as they were."""
    found = read(f"<sent select={quoteattr(text)}/><text>{escape(text)}</text>")
    assert found.text == text.strip()


@pytest.fixture(scope="module")
def text_index() -> Iterator[sqlite3.Connection]:
    """The index of two accounts, each with a message that says `invoice`."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(CREATE[0])
        for rowid, account in enumerate((MINE, OTHERS)):
            connection.execute(
                "INSERT INTO archive_text (rowid, key, account_id, sender, recipients, subject, body, files) "
                "VALUES (?, ?, ?, 'liz@out.test', 'ann@corp.test', 'invoice', 'net 30 days', '')",
                (rowid, account, account),
            )
        yield connection


TERMS = st.builds(
    Term,
    st.text(max_size=20) | st.sampled_from(['"', 'invoice" OR "a', "account : x", "NOT", "*", "invoice"]),
    st.sampled_from([(), *((name,) for name in COLUMNS)]),
    st.booleans(),
)


@given(st.lists(st.lists(st.lists(TERMS, max_size=3).map(tuple), max_size=3).map(tuple), max_size=3).map(tuple))
def test_whatever_words_hold_they_find_in_one_account_alone(text_index: sqlite3.Connection, groups) -> None:
    """No word is a query of the database, or leads into another account."""
    match = _match(MINE, Sought(groups))
    if match is not None:
        query = "SELECT key FROM archive_text WHERE archive_text MATCH ?"
        assert text_index.execute(query, (match,)).fetchall() in ([], [(MINE,)])


@pytest.mark.parametrize(
    ("words", "is_found"),
    [
        ("invoice", True),
        ("INVOICE 30", True),
        ("subject:30", False),
        ("nothing or days", True),
        ("invoice not days", False),
        ("not draft", True),
        ('"days 30"', False),
        ("!!!", True),
    ],
)
def test_what_words_find(text_index: sqlite3.Connection, words: str, is_found: bool) -> None:
    """In any column or in one, together or apart."""
    match = _match(MINE, Sought((read_words(words),)))
    query = "SELECT key FROM archive_text WHERE archive_text MATCH ?"
    found = [(MINE,)] if match is None else text_index.execute(query, (match,)).fetchall()
    assert bool(found) == is_found
