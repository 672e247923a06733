"""Bytes in, items out: JSON and Python text mean the same, and nothing that comes in breaks the door."""

from __future__ import annotations

import contextlib
import json

import msgspec
import pytest
from hypothesis import example, given, reject
from hypothesis import strategies as st
from msgspec import Struct

from mailreeve.wire import envelope, items
from mailreeve.wire.envelope import Failure
from mailreeve.wire.errors import NULL, ItemRefused, RequestRefused, problem
from mailreeve.wire.policy_object import PolicyItem

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=12,
)
members = text.filter(lambda name: name not in {"meta", "pagination"})
requests = st.lists(st.dictionaries(members, values, max_size=4), min_size=1, max_size=3)


@given(requests)
def test_json_and_python_text_mean_the_same(data: list[dict[str, object]]) -> None:
    """Whatever is in it: the items come out as they went in."""
    assert envelope.decode(json.dumps({"data": data}).encode()).items == data
    assert envelope.decode(str({"data": data}).encode()).items == data


@given(requests)
def test_whatever_was_read_can_be_echoed(data: list[dict[str, object]]) -> None:
    """A refused item is repeated in `fail` and reads back."""
    read = envelope.decode(json.dumps({"data": data}).encode()).items
    encoded = envelope.encode([], [Failure([problem(NULL)], item) for item in read])
    assert [entry["key"] for entry in msgspec.json.decode(encoded)["fail"]] == data


@given(st.binary(max_size=200) | st.text(alphabet="{}[]()'\":,\\ubTrueNon0123 data", max_size=120).map(str.encode))
@example(b"{'data': [{'a': 1e999}]}")
@example(b'{"data": [{"a": 1e999}]}')
def test_any_body_is_read_or_refused(body: bytes) -> None:
    """Never another exception, and what is read is at least one item."""
    with contextlib.suppress(RequestRefused):
        assert envelope.decode(body).items


class Sample(Struct, frozen=True, rename="camel"):
    """A bit of everything that item types hold."""

    some_name: str
    policy: PolicyItem
    flags: list[bool] = []
    count: int = 0
    ratio: float | None = None


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "someName": values,
            "policy": values
            | st.dictionaries(
                st.sampled_from(["from", "to", "fromType", "conditions", "fromDate", "enabled", "description"]),
                values | st.fixed_dictionaries({"type": values, "sourceIPs": values}),
            ),
            "flags": values,
            "count": values,
            "ratio": values,
        },
    )
)
def test_any_item_is_read_or_refused_with_a_member_named(item: dict[str, object]) -> None:
    """Never another exception; every problem has a code and names a member."""
    try:
        read = items.read(item, Sample)
    except ItemRefused as refusal:
        problems = refusal.problems
    except RequestRefused as refusal:
        pytest.fail(f"nothing here is nested too deeply: {refusal}")
    else:
        assert isinstance(read, Sample)
        return
    assert problems
    assert all(p.code and p.field for p in problems)


@given(values)
def test_reading_a_cleaned_item_again_changes_nothing(value: object) -> None:
    """Trimming and dropping are done once and for all."""

    class Holder(Struct, frozen=True):
        kept: dict[str, object] = {}

    try:
        first = items.read({"kept": {"v": value}}, Holder)
    except ItemRefused:
        reject()  # NUL is refused, not cleaned away.
    assert items.read({"kept": first.kept}, Holder) == first
