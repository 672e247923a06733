"""A declaration says all there is to know of an endpoint; items are read and prepared before they are run."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec import Struct

from mailreeve.access.permissions import Permission
from mailreeve.wire.endpoint import MAX_ITEMS, endpoint
from mailreeve.wire.errors import NULL, ItemRefused
from mailreeve.wire.pagination import Page


class Item(Struct, frozen=True):
    name: str


class Longer(Struct, frozen=True):
    names: tuple[str, ...]


class Answer(Struct, frozen=True):
    text: str


def lengthened(item: Item) -> Longer:
    return Longer((item.name, item.name))


@endpoint("things/one", Permission.GATEWAY_POLICIES_READ, Permission.GATEWAY_POLICIES_EDIT)
def one(call: str, item: Item) -> Answer:
    """Return one thing.

    The second paragraph is not for the reference.
    """
    return Answer(f"{call} {item.name}")


@endpoint("things/some", writes=True, most=1)
def some(call: str, item: Item) -> list[Answer]:
    """Return things."""
    return [Answer(letter) for letter in item.name]


@endpoint("things/several")
def several(call: str, item: Item) -> Sequence[Answer]:
    """Return things that cannot change."""
    return tuple(Answer(letter) for letter in item.name)


@endpoint("things/page")
def page(call: str, item: Item) -> Page[Answer]:
    """Return a page."""
    return Page.of_all([Answer(item.name)])


def test_a_declaration_is_read_from_the_function() -> None:
    """Path, summary, permissions and types, and the defaults of the rest."""
    assert one.path == "things/one"
    assert one.summary == "Return one thing."
    assert one.permissions == (Permission.GATEWAY_POLICIES_READ, Permission.GATEWAY_POLICIES_EDIT)
    assert (one.item, one.answer) == (Item, Answer)
    assert (one.writes, one.lists, one.most) == (False, False, MAX_ITEMS)
    assert (some.writes, some.most) == (True, 1)


def test_the_answer_type_is_that_of_one_answer() -> None:
    """Whether the function returns one, a list or a page; only pages carry pagination."""
    assert [e.answer for e in (one, some, several, page)] == [Answer] * 4
    assert [e.lists for e in (one, some, several, page)] == [False, False, False, True]


@endpoint("things/prepared", prepare=lengthened)
def prepared(call: str, item: Longer) -> Answer:
    """Return a thing made of a prepared item."""
    return Answer(f"{call} {item.names}")


def test_items_are_read_and_answers_returned() -> None:
    """One answer becomes a list of one; lists, tuples and pages stay."""
    assert one.run("call", one.read({"name": " n "})) == [Answer("call n")]
    assert some.run("call", some.read({"name": "ab"})) == [Answer("a"), Answer("b")]
    assert list(several.run("call", Item("ab"))) == [Answer("a"), Answer("b")]  # type: ignore[arg-type]
    assert page.run("call", Item("n")) == Page.of_all([Answer("n")])


def test_a_prepared_item_is_prepared_when_it_is_read() -> None:
    """What is declared is the item as it comes; what runs is what `prepare` made of it."""
    assert prepared.item is Item
    ready = prepared.read({"name": "n"})
    assert ready == Longer(("n", "n"))
    assert prepared.run("call", ready) == [Answer("call ('n', 'n')")]


def test_a_bad_item_is_refused_when_it_is_read() -> None:
    """With the member named."""
    with pytest.raises(ItemRefused) as caught:
        one.read({})
    assert [(p.code, p.field) for p in caught.value.problems] == [(NULL.code, "name")]
