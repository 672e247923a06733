"""Whatever a client in the wild sends becomes items and a page; whatever is no request is refused, not crashed on.

The rows are those of api.md section 1.2 and of the numbered list in clients.md.
"""

from __future__ import annotations

import codecs
import json

import msgspec
import pytest

from mailreeve.wire import envelope
from mailreeve.wire.envelope import Failure
from mailreeve.wire.errors import BAD_PAGINATION, BAD_REQUEST, NULL, RequestRefused, problem
from mailreeve.wire.pagination import MAX_PAGE_SIZE, PageRequest, Shown


def refusal(body: bytes) -> RequestRefused:
    with pytest.raises(RequestRefused) as caught:
        envelope.decode(body)
    return caught.value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  \r\n",
        b"{}",
        b'{"data": []}',
        b'{"data": [{}]}',
        b'{"data": {}}',
        b'{"meta": {}}',
        b'{"meta": null, "data": []}',
        b'{"meta": {"pagination": null}}',
        b'{"meta": {"pagination": {}}, "data": [{}]}',
        b"{'data': []}",
        b"data=eNoVzkkOgjAAAMC",
    ],
)
def test_all_ways_to_ask_for_everything_are_alike(body: bytes) -> None:
    """No body, no `data`, an empty `data` and an empty item are one empty item (clients.md, 2)."""
    assert envelope.decode(body) == envelope.Request([{}], PageRequest())


def test_items_keep_their_order_and_their_members() -> None:
    """Several items are several calls, in order (clients.md, 5)."""
    body = b'{"data": [{"a": 1, "b": null}, {"a": [true, 2.5, "x"]}, {}]}'
    assert envelope.decode(body).items == [{"a": 1, "b": None}, {"a": [True, 2.5, "x"]}, {}]


def test_one_item_without_its_list_is_one_item() -> None:
    """A few clients forget the list."""
    assert envelope.decode(b'{"data": {"id": "x"}}').items == [{"id": "x"}]


@pytest.mark.parametrize(
    ("text", "item"),
    [
        (
            "{'data': [{'sender': 'a@b.test', 'to': \"o'neil@c.test\"}]}",
            {"sender": "a@b.test", "to": "o'neil@c.test"},
        ),
        ("{'data': [{'a': True, 'b': False, 'c': None}]}", {"a": True, "b": False, "c": None}),
        ("{u'data': [{u'name': u'J\\xf6rg'}]}", {"name": "Jörg"}),
        ("{'data': [{'n': -1, 'f': 0.5, 't': (1, 2)}]}", {"n": -1, "f": 0.5, "t": [1, 2]}),
        ("{'data': [{'name': 'Jörg'}]}", {"name": "Jörg"}),
        ('{"data": [{"admin": True}]}', {"admin": True}),
    ],
)
def test_the_text_of_a_python_dict_is_read(text: str, item: dict[str, object]) -> None:
    """Published samples send `str(payload)`, Python 2's with `u''` (clients.md, 2)."""
    assert envelope.decode(text.encode()).items == [item]


def test_python_text_and_json_of_the_same_request_are_the_same() -> None:
    """`repr` and `json.dumps` of one payload decode alike, nesting and quotes included."""
    payload = {
        "meta": {"pagination": {"pageSize": 7}},
        "data": [{"policy": {"from": {"type": "everyone"}, "note": "\"'\\ \n"}}],
    }
    assert envelope.decode(repr(payload).encode()) == envelope.decode(json.dumps(payload).encode())


def test_a_byte_order_mark_before_json_is_ignored() -> None:
    """Some frameworks put one before every UTF-8 text (RFC 8259 section 8.1 allows to ignore it)."""
    assert envelope.decode(codecs.BOM_UTF8 + b'{"data": [{"a": 1}]}').items == [{"a": 1}]


@pytest.mark.parametrize(
    "body",
    [
        b'{"data": null}',
        b"{'data': None}",
        b'{"data": [null]}',
        b'{"data": [{}, null]}',
        b'{"data": ["x"]}',
        b'{"data": [[]]}',
        b'{"data": "x"}',
        b'{"data": 0}',
        b"null",
        b"[]",
        b'[{"data": []}]',
        b'"data"',
        b"7",
        b"<xml/>",
        b"emailAddress=a%40b.test",
        b"{",
        b'{"data": [}',
        b"{'data': [}",
        b"\xff\xfe{\x00",
        b"{'data': [{'a': '\xff'}]}",
        b"{'data': [{'a': b'bytes'}]}",
        b"{'data': [{'a': {1, 2}}]}",
        b"{'data': [{'a': 1j}]}",
        b"{'data': [{'a': ...}]}",
        b"{'data': [{1: 2}]}",
        b"{'data': [{('a',): 2}]}",
        b"{'data': [{'a': '\\ud800'}]}",
        b'{"data": [{"a": "\\ud800"}]}',
        b"{'data': [{'a': __import__('os')}]}",
        b"{'data': [{'a': 1 if True else 2}]}",
        b"{**{}}",
    ],
)
def test_what_is_no_request_is_refused(body: bytes) -> None:
    """Nulls for objects, other JSON, other text and Python that is no JSON value are 400 `err_deserialise`."""
    refused = refusal(body)
    assert (refused.status, refused.problem.code) == (400, BAD_REQUEST.code)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"data":' * 200_000,
        b"{'a':" * 10_000,
        b"{'a': " + b"-" * 200_000 + b"1}",
        b"{'a': " + b"1+" * 50_000 + b"1}",
        b"{'a': " + b"not " * 50_000 + b"1}",
        b"{'a': '''" + b"x" * (envelope.MAX_PYTHON_TEXT) + b"'''}",
        b"{'a': " + b"9" * 10_000 + b"}",
        b'{"a": ' + b"9" * 10_000 + b"}",
    ],
    ids=["arrays", "objects", "dicts", "minuses", "sums", "nots", "long text", "python number", "json number"],
)
def test_hostile_bodies_are_refused(body: bytes) -> None:
    """Depth, length and huge numbers end in a refusal, neither in a crash nor in an error of ours."""
    assert refusal(body).problem.code == BAD_REQUEST.code


def test_short_python_text_waits_for_no_long_one() -> None:
    """It is read where others wait for it, and a long one takes seconds."""
    with envelope._one_literal:
        assert envelope.decode(b"{'data': {'x': 'y'}}").items == [{"x": "y"}]


def test_python_text_may_nest_as_deep_as_allowed_and_no_deeper() -> None:
    """Brackets inside quotes do not count; one level more than the limit is refused."""
    levels = envelope.MAX_PYTHON_DEPTH - 1

    def nested(depth: int) -> bytes:
        return b"{'data': {'x': '" + b"[" * 100 + b"\\'', 'a': " + b"[" * depth + b"]" * depth + b"}}"

    assert envelope.decode(nested(levels - 1)).items[0]["x"] == "[" * 100 + "'"
    assert "deeper" in str(refusal(nested(levels)))


@pytest.mark.parametrize(
    "text",
    [
        '{"meta": {"pagination": P}}',
        '{"meta": {"pagination": P}, "data": [{}]}',
        '{"data": [{"meta": {"pagination": P}}]}',
        '{"data": [{"pagination": P}]}',
        '{"meta": {}, "data": [{"meta": {"pagination": P}}]}',
        '{"meta": {"requestId": "x"}, "data": [{"pagination": P}]}',
        '{"meta": {"pagination": null}, "data": [{"pagination": P}]}',
    ],
)
def test_the_page_is_found_wherever_clients_put_it(text: str) -> None:
    """On top, in the first item's `meta`, or right in the first item (clients.md, 4)."""
    assert envelope.decode(text.replace("P", '{"pageSize": 25}').encode()).page == PageRequest(25)


@pytest.mark.parametrize("pagination", ["[1]", '"25"', "7", "true"])
def test_a_pagination_that_is_no_object_is_refused(pagination: str) -> None:
    """Rather than read as the first page, which would make a client loop."""
    refused = refusal(b'{"meta": {"pagination": ' + pagination.encode() + b"}}")
    assert (refused.status, refused.problem.code) == (400, BAD_PAGINATION.code)


def test_the_largest_page_is_the_largest() -> None:
    """A larger size is cut down, not refused."""
    assert envelope.decode(b'{"meta": {"pagination": {"pageSize": 100000}}}').page.size == MAX_PAGE_SIZE


def test_an_answer_has_all_three_members_in_the_live_order() -> None:
    """`meta`, `data`, `fail`, empty lists included (api.md section 1.3)."""
    assert envelope.encode([], []) == b'{"meta":{"status":200},"data":[],"fail":[]}'


def test_pagination_says_nothing_it_does_not_know() -> None:
    """No `next`, no `previous`, no `totalCount` where there is none: a null would be read as a token."""
    assert envelope.encode([], [], Shown(0)) == (
        b'{"meta":{"status":200,"pagination":{"pageSize":0}},"data":[],"fail":[]}'
    )


def test_failures_have_the_shapes_seen_live() -> None:
    """With the item as `key`, without it for a whole request, or flat for bearer tokens (api.md section 1.4)."""
    fault = problem(NULL, "sender")
    shown = {"code": NULL.code, "message": NULL.message, "retryable": False, "field": "sender"}
    encoded = envelope.encode([], [Failure([fault], {"to": None}), Failure([fault]), fault], status=401)
    answer = msgspec.json.decode(encoded)
    assert answer["meta"] == {"status": 401}
    assert answer["fail"] == [{"errors": [shown], "key": {"to": None}}, {"errors": [shown]}, shown]


def test_a_problem_without_a_field_names_none() -> None:
    """`field` is left out, and `retryable` never is."""
    assert msgspec.to_builtins(problem(NULL)) == {"code": NULL.code, "message": NULL.message, "retryable": False}


@pytest.mark.parametrize("number", [2**63, 2**64, -(2**70), 10**300, 1.5e300])
def test_any_number_that_is_read_can_be_echoed(number: float) -> None:
    """A refused item is repeated in `fail`; a number that JSON reads must not break that."""
    item = envelope.decode(json.dumps({"data": [{"sender": number}]}).encode()).items[0]
    echoed = msgspec.json.decode(envelope.encode([], [Failure([problem(NULL)], item)]))
    assert echoed["fail"][0]["key"] == {"sender": number}
