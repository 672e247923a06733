"""An item becomes the declared type, or is refused with one problem for each member at fault."""

from __future__ import annotations

from enum import StrEnum

import pytest
from msgspec import Struct, field

from mailreeve.wire import items
from mailreeve.wire.errors import (
    BAD_REQUEST,
    BLANK,
    NOT_ALLOWED,
    NULL,
    TOO_LONG,
    WRONG_TYPE,
    ItemRefused,
    RequestRefused,
)
from mailreeve.wire.items import MAX_DEPTH, MAX_TEXT, AsWritten, ForeignText, MaybeEmpty, Prose


class Colour(StrEnum):
    RED = "red"
    DARK_BLUE = "dark_blue"


class Inner(Struct, frozen=True, rename="camel"):
    wanted_name: str
    colour: Colour | None = None
    size: int = 1


class Outer(Struct, frozen=True, rename="camel"):
    name: str
    inner: Inner
    inners: list[Inner] = field(default_factory=list)
    colour: Colour = Colour.RED
    colours: list[Colour] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    flag: bool = False
    maybe: bool | None = None
    number: int = 0
    share: float = 0.0
    note: str | None = None
    sender: MaybeEmpty | None = None
    either: Inner | list[Inner] | None = None
    prose: Prose | None = None
    foreign: ForeignText | None = None


WHOLE: dict[str, object] = {"name": "n", "inner": {"wantedName": "w"}}


def problems(item: dict[str, object], into: type[Struct] = Outer) -> list[tuple[str, str | None]]:
    with pytest.raises(ItemRefused) as caught:
        items.read(item, into)
    return [(p.code, p.field) for p in caught.value.problems]


def test_a_whole_item_is_read_with_its_defaults() -> None:
    """Members get their camel case names from the wire and their defaults from the type."""
    assert items.read(WHOLE, Outer) == Outer("n", Inner("w"))


def test_the_item_itself_is_left_as_it_came() -> None:
    """It is echoed in `fail` (api.md section 1.4), nulls, blanks and all."""
    item: dict[str, object] = {"name": " n ", "note": "", "inner": {"wantedName": "w", "colour": None}}
    items.read(item, Outer)
    assert item == {"name": " n ", "note": "", "inner": {"wantedName": "w", "colour": None}}


@pytest.mark.parametrize("empty", [None, "", "  ", "\t\n"])
@pytest.mark.parametrize(
    "member", ["note", "colour", "flag", "maybe", "number", "share", "inners", "texts", "sender"]
)
def test_null_and_blank_are_absent(member: str, empty: object) -> None:
    """Whatever the type: XS sends nulls, MCPS empty strings (api.md section 1.2)."""
    expected = Outer("n", Inner("w"))
    if member == "sender" and empty is not None:
        expected = Outer("n", Inner("w"), sender="")
    assert items.read(WHOLE | {member: empty}, Outer) == expected


def test_nulls_and_blanks_in_a_list_are_absent() -> None:
    """As they are everywhere else."""
    assert items.read(WHOLE | {"texts": [None, "a", "", " "]}, Outer).texts == ["a"]


def test_an_emptiness_that_says_something_is_kept() -> None:
    """The null sender is an empty text, not an absent one; null stays absent."""
    assert items.read(WHOLE | {"sender": ""}, Outer).sender == ""
    assert items.read(WHOLE | {"sender": None}, Outer).sender is None


def test_text_is_trimmed() -> None:
    """At both ends, inside lists and objects too."""
    read = items.read({"name": " n\n", "inner": {"wantedName": "\tw"}, "texts": [" t "]}, Outer)
    assert (read.name, read.inner.wanted_name, read.texts) == ("n", "w", ["t"])


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("True", True), ("TRUE", True), ("false", False), ("False", False), (1, True), (0, False)],
)
@pytest.mark.parametrize("member", ["flag", "maybe"])
def test_booleans_may_be_text(member: str, text: object, value: bool) -> None:
    """`"true"`, `"False"` and the like are sent by four clients (clients.md, 7)."""
    assert getattr(items.read(WHOLE | {member: text}, Outer), member) is value


@pytest.mark.parametrize("text", ["yes", "2", "t", 2, 1.5, [], {}])
def test_what_is_no_boolean_is_refused(text: object) -> None:
    """Doubt is no `false`."""
    assert problems(WHOLE | {"flag": text}) == [(WRONG_TYPE.code, "flag")]


@pytest.mark.parametrize(("given", "value"), [("25", 25), ("-3", -3), (25.0, 25), (" 7 ", 7), (2**70, 2**70)])
def test_numbers_may_be_text(given: object, value: int) -> None:
    """And whole floats whole numbers."""
    assert items.read(WHOLE | {"number": given}, Outer).number == value


@pytest.mark.parametrize("given", ["many", "2.5", 2.5, True, [1], {"n": 1}])
def test_what_is_no_number_is_refused(given: object) -> None:
    """A boolean is none either."""
    assert problems(WHOLE | {"number": given}) == [(WRONG_TYPE.code, "number")]


@pytest.mark.parametrize("given", [5, True, [], {}, 0.5])
def test_text_must_be_text(given: object) -> None:
    """A number is not quietly made into a name."""
    assert problems(WHOLE | {"name": given}) == [(WRONG_TYPE.code, "name")]


def test_a_text_that_spells_null_is_a_text() -> None:
    """Somebody is called Null."""
    assert items.read(WHOLE | {"note": "null"}, Outer).note == "null"


def test_unknown_members_are_ignored() -> None:
    """At every level, whatever they hold (clients.md, 8)."""
    item = {"name": "n", "inner": {"wantedName": "w", "x": [1]}, "y": {"z": None}, "meta": {"pagination": {}}}
    assert items.read(item, Outer) == Outer("n", Inner("w"))


def test_everything_that_is_missing_or_not_allowed_is_told_at_once() -> None:
    """One problem for each member, with its full path: a client mends its request in one go."""
    item = {
        "name": " ",
        "inner": {"wantedName": None, "colour": "green"},
        "inners": [{"wantedName": "ok"}, {"wantedName": ""}, {"colour": "RED"}],
        "colour": "blue",
    }
    assert problems(item) == [
        (BLANK.code, "name"),
        (NULL.code, "inner.wantedName"),
        (NOT_ALLOWED.code, "inner.colour"),
        (BLANK.code, "inners[1].wantedName"),
        (NULL.code, "inners[2].wantedName"),
        (NOT_ALLOWED.code, "inners[2].colour"),
        (NOT_ALLOWED.code, "colour"),
    ]


def test_a_member_that_is_not_allowed_hides_none_of_the_wrong_type() -> None:
    """Nor does one of the wrong type hide another; each is told once."""
    item = {
        **WHOLE,
        "colour": "blue",
        "colours": ["red", "blue", 7],
        "flag": "perhaps",
        "number": [1],
        "inners": [{"wantedName": "w"}, {"wantedName": "w", "size": "much"}, {"size": "more"}],
        "texts": [{"a": 1}],
    }
    assert set(problems(item)) == {
        (NOT_ALLOWED.code, "colour"),
        (WRONG_TYPE.code, "colours[1]"),
        (WRONG_TYPE.code, "flag"),
        (WRONG_TYPE.code, "number"),
        (WRONG_TYPE.code, "inners[1].size"),
        (NULL.code, "inners[2].wantedName"),
        (WRONG_TYPE.code, "inners[2].size"),
        (WRONG_TYPE.code, "texts[0]"),
    }
    item = {**WHOLE, "flag": "perhaps", "number": "x"}
    assert problems(item) == [(WRONG_TYPE.code, "flag"), (WRONG_TYPE.code, "number")]


def test_an_empty_item_misses_all_that_is_required_and_nothing_else() -> None:
    """The required members, in their order."""
    assert problems({}) == [(NULL.code, "name"), (NULL.code, "inner")]


def test_blank_and_null_are_told_apart() -> None:
    """`err_validation_blank` and `err_validation_null` (api.md section 1.6)."""
    assert problems({"name": "", "inner": None}) == [(BLANK.code, "name"), (NULL.code, "inner")]


def test_the_allowed_values_are_listed() -> None:
    """In the words of the live service: `Field must be one of [A,B]`."""
    with pytest.raises(ItemRefused) as caught:
        items.read(WHOLE | {"colour": "green"}, Outer)
    assert caught.value.problems[0].message == "Field must be one of [red,dark_blue]"


@pytest.mark.parametrize("given", [5, True, [], ["red"], {"red": 1}])
def test_an_enumerated_member_of_the_wrong_type_is_refused(given: object) -> None:
    """Neither a crash nor a default."""
    assert problems(WHOLE | {"colour": given}) == [(WRONG_TYPE.code, "colour")]


@pytest.mark.parametrize(
    ("change", "field_name"),
    [
        ({"inner": "text"}, "inner"),
        ({"inner": []}, "inner"),
        ({"inners": {"wantedName": "w"}}, "inners"),
        ({"inners": ["w"]}, "inners[0]"),
        ({"texts": "t"}, "texts"),
        ({"texts": ["t", 1]}, "texts[1]"),
        ({"colours": ["red", "green"]}, "colours[1]"),
        ({"inner": {"wantedName": 5}}, "inner.wantedName"),
        ({"inners": [{"wantedName": "w", "size": "big"}]}, "inners[0].size"),
        ({"either": 5}, "either"),
    ],
)
def test_a_wrong_type_names_its_member(change: dict[str, object], field_name: str) -> None:
    """However deep it lies."""
    assert problems(WHOLE | change) == [(WRONG_TYPE.code, field_name)]


def test_a_member_may_be_an_object_or_a_list_of_them() -> None:
    """As the policy of address alteration (api.md section 3.0.5); what is missing is told for both forms."""
    assert items.read(WHOLE | {"either": {"wantedName": "w"}}, Outer).either == Inner("w")
    assert items.read(WHOLE | {"either": [{"wantedName": "w"}]}, Outer).either == [Inner("w")]
    assert problems(WHOLE | {"either": {}}) == [(NULL.code, "either.wantedName")]
    assert problems(WHOLE | {"either": [{}]}) == [(NULL.code, "either[0].wantedName")]


@pytest.mark.parametrize("hostile", ["a\x00b", "\ud800", "x" * (MAX_TEXT + 1)])
@pytest.mark.parametrize(
    ("wrap", "path"),
    [
        (lambda text: {"name": text}, "name"),
        (lambda text: {"inner": {"wantedName": text}}, "inner.wantedName"),
        (lambda text: {"texts": ["fine", text]}, "texts[1]"),
        (lambda text: {"unknown": text}, "unknown"),
    ],
)
def test_text_that_no_store_holds_is_refused(hostile: str, wrap, path: str) -> None:  # type: ignore[no-untyped-def]
    """Nul octets, half surrogates and endless texts, with their place."""
    expected = TOO_LONG if len(hostile) > MAX_TEXT else WRONG_TYPE
    assert problems(WHOLE | wrap(hostile)) == [(expected.code, path)]


@pytest.mark.parametrize("control", ["\x01", "\x1b", "\x07", "\x7f", "\x85", "\x9b", "\u2028", "\u2029"])
@pytest.mark.parametrize(
    "wrap", [lambda text: {"name": text}, lambda text: {"prose": text}, lambda text: {"texts": [text]}]
)
def test_control_characters_are_refused(control: str, wrap) -> None:  # type: ignore[no-untyped-def]
    """C0, DEL, C1 and Unicode's line ends, in every text that is kept; the member is named."""
    item = wrap(f"a{control}b")
    [(code, place)] = problems(WHOLE | item)
    assert code == WRONG_TYPE.code
    assert place in ("name", "prose", "texts[0]")


@pytest.mark.parametrize("control", ["\t", "\n", "\r\n"])
def test_tabs_and_line_ends_are_part_of_prose_alone(control: str) -> None:
    text = f"a{control}b"
    assert items.read(WHOLE | {"prose": text}, Outer).prose == text
    assert problems(WHOLE | {"name": text}) == [(WRONG_TYPE.code, "name")]
    assert problems(WHOLE | {"texts": ["x", text]}) == [(WRONG_TYPE.code, "texts[1]")]


def test_a_text_of_others_may_hold_anything_but_nul() -> None:
    assert items.read(WHOLE | {"foreign": "a\x1b\x85\nb"}, Outer).foreign == "a\x1b\x85\nb"
    assert problems(WHOLE | {"foreign": "a\x00b"}) == [(WRONG_TYPE.code, "foreign")]


def test_the_longest_text_is_taken() -> None:
    """The limit itself is allowed."""
    assert len(items.read(WHOLE | {"name": "x" * MAX_TEXT}, Outer).name) == MAX_TEXT


def test_deep_nesting_is_refused_even_where_nobody_looks() -> None:
    """Also in an unknown member: the walk that cleans an item must not run out of stack."""

    def nested(depth: int) -> object:
        value: object = 1
        for level in range(depth):
            value = [value] if level % 2 else {"x": value}
        return value

    assert items.read(WHOLE | {"unknown": nested(MAX_DEPTH - 1)}, Outer).name == "n"
    with pytest.raises(RequestRefused) as caught:
        items.read(WHOLE | {"unknown": nested(MAX_DEPTH)}, Outer)
    assert caught.value.problem.code == BAD_REQUEST.code


class Wishes(Struct, frozen=True):
    colours: list[str] | None = None
    size: str | None = None


class Letter(Struct, frozen=True, rename="camel"):
    wishes: Wishes | None = None
    several: list[Wishes] | None = None
    needed: Inner | None = None
    title: AsWritten = ""
    titles: list[str] = field(default_factory=list)


@pytest.mark.parametrize(
    "blank", [{"colours": [""]}, {"colours": [None, " "]}, {"size": ""}, {"size": None, "colours": None}], ids=str
)
def test_an_object_of_nothing_but_blanks_is_as_good_as_absent(blank: dict[str, object]) -> None:
    assert items.read({"wishes": blank}, Letter).wishes is None


def test_an_object_or_a_list_that_is_empty_says_that_there_is_nothing() -> None:
    assert items.read({"wishes": {}}, Letter).wishes == Wishes()
    assert items.read({"wishes": {"colours": []}}, Letter).wishes == Wishes([])
    assert items.read({"wishes": {"colours": [], "size": ""}}, Letter).wishes == Wishes([])


def test_an_object_of_blanks_that_needs_a_member_misses_it() -> None:
    assert problems({"needed": {"wantedName": ""}}, Letter) == [(BLANK.code, "needed.wantedName")]


def test_members_of_a_list_are_counted_without_the_blanks() -> None:
    assert problems({"inners": [None, {"colour": "red"}], **WHOLE}) == [(NULL.code, "inners[0].wantedName")]
    assert problems({"inners": [None, {"wantedName": " "}], **WHOLE}) == [(BLANK.code, "inners[0].wantedName")]


def test_white_space_at_the_ends_is_kept_where_it_is_said_to_be() -> None:
    read = items.read({"title": " a  b ", "titles": [" c "], "wishes": {"size": " d "}}, Letter)
    assert (read.title, read.titles, read.wishes) == (" a  b ", ["c"], Wishes(size="d"))
    assert items.read({"title": "  "}, Letter).title == ""
