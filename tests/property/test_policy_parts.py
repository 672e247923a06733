"""Each part of a policy set, changed step by step, is the part made at once of what is left."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import inf

import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from small_world import ADDRESSES, DIRECTORY, created, patterns, scopes

from mailreeve.formats.networks import parse_ip, parse_network
from mailreeve.formats.weburls import parse_web_url
from mailreeve.policy.index import buckets, ranked
from mailreeve.policy.index.buckets import held_with, held_without
from mailreeve.policy.index.definitions import Definitions, Route
from mailreeve.policy.index.matching import out_of_force
from mailreeve.policy.index.ranked import Ranked, entry_order
from mailreeve.policy.index.source_blocks import SourceBlocks
from mailreeve.policy.index.web_index import WebIndex
from mailreeve.policy.model import persistent_map
from mailreeve.policy.model.persistent_map import Sharded
from mailreeve.policy.model.policies import (
    AddressType,
    BlockedOption,
    BlockedSenderPolicy,
    Changes,
    Definition,
    Routing,
    Scope,
    WebAction,
    WebEntry,
    WebEntryType,
    WebPolicy,
)
from mailreeve.policy.model.targets import EVERYONE


@pytest.fixture(autouse=True, scope="module")
def tiny() -> Iterator[None]:
    """Shards and rows so small that they split and empty."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(persistent_map, "FULL", 3)
        patch.setattr(persistent_map, "FILLED", 2)
        patch.setattr(ranked, "CHUNK", 4)
        patch.setattr(buckets, "LONG", 3)
        yield


texts = st.integers(0, 40).map(str)
entries = st.dictionaries(texts, st.none() | st.integers(), max_size=12)


@given(entries, st.lists(entries, max_size=8))
def test_a_sharded_map_is_the_dictionary_that_it_stands_for(first, changes):
    """After any changes; and no map changes under its reader."""
    kept = {key: value for key, value in first.items() if value is not None}
    maps = [(Sharded(kept), kept)]
    for change in changes:
        new, kept = maps[-1][0].changed(change), {**kept, **change}
        kept = {key: value for key, value in kept.items() if value is not None}
        maps.append((new, kept))
    for found, wanted in maps:
        assert (dict(found.items()), len(found)) == (wanted, len(wanted))
        assert sorted(found) == sorted(wanted)
        assert sorted(found.values()) == sorted(wanted.values())
        assert all((key in found) is (key in wanted) for key in map(str, range(41)))
        assert all(found.get(key) == wanted.get(key) for key in map(str, range(41)))


NETWORKS = [parse_network(text) for text in ("192.0.2.0/24", "192.0.2.128/25", "2001:db8::/32", "198.51.100.7")]
kinds = st.fixed_dictionaries(
    {
        "networks": st.lists(st.sampled_from(NETWORKS), max_size=3).map(tuple),
        "starts": st.sampled_from((-inf, -inf, 2.0)),
        "ends": st.sampled_from((inf, inf, 5.0)),
    }
)
numbered = st.lists(st.tuples(st.booleans(), st.integers(0, 30), kinds), max_size=60)
sources = [None, *map(parse_ip, ("192.0.2.1", "192.0.2.200", "2001:db8::1", "198.51.100.7", "203.0.113.1"))]


@settings(max_examples=examples(300))
@given(numbered)
def test_a_row_stays_in_order_and_tells_what_is_in_force_whatever_comes_and_goes(steps):
    """From one entry to rows of many chunks and back. What is not in force may be told or not."""
    row, kept = None, {}
    for add, number, kind in steps:
        scope = Scope.of(**kind)
        policy = BlockedSenderPolicy(str(number), "", scope, BlockedOption.BLOCK_SENDER, float(number % 7))
        if add and number not in kept:
            row = held_with(row, policy)
            kept[number] = policy
        elif not add and number in kept:
            row = held_without(row, kept.pop(number))
        ordered = sorted(kept.values(), key=entry_order, reverse=True)
        listed = [] if row is None else [row] if isinstance(row, BlockedSenderPolicy) else list(row)
        assert listed == ordered
        if not isinstance(row, Ranked):
            continue
        assert len(row) == len(ordered)
        for at, source in product((1.0, 2.0, 4.0, 5.0), sources):
            told = list(row.in_force(at, source))
            assert told == sorted(told, key=entry_order, reverse=True)
            assert {one.id for one in ordered if out_of_force(one.scope.terms, at, source) is None} <= {
                one.id for one in told
            }


policies = st.builds(
    BlockedSenderPolicy,
    id=st.integers(0, 6).map(str),
    description=st.just(""),
    # Blocks of a source address, and what stands against them, more often than others.
    scope=scopes | scopes.map(lambda scope: Scope.of(EVERYONE, EVERYONE, networks=scope.terms.networks)),
    option=st.sampled_from(BlockedOption),
    created=created,
)
policy_changes = st.lists(
    st.tuples(st.lists(policies, max_size=4, unique_by=lambda one: one.id), st.sets(st.integers(0, 6).map(str))),
    max_size=8,
)


@settings(max_examples=examples(200))
@given(policy_changes)
def test_source_blocks_changed_are_source_blocks_made_anew(changes):
    """In every member, the count of policies for somebody in particular included."""
    kept: dict[str, BlockedSenderPolicy] = {}
    blocks = SourceBlocks()
    for put, gone in changes:
        ids = {one.id for one in put} | gone
        blocks = blocks.changed([one for key, one in kept.items() if key in ids], put)
        kept = {key: one for key, one in kept.items() if key not in ids} | {one.id: one for one in put}
        anew = SourceBlocks.of(kept.values())
        for part in ("blocks", "exemptions", "overriding", "everyone"):
            assert tuple(getattr(blocks, part)) == tuple(getattr(anew, part))
        assert blocks.particular == anew.particular


definitions = st.builds(
    Definition,
    id=st.integers(0, 6).map(str),
    set_id=st.sampled_from(("", "S")),
    address_type=st.sampled_from((AddressType.ALL, AddressType.FROM)),
    original=patterns,
    new=patterns,
    routing=st.sampled_from(Routing),
)


@settings(max_examples=examples(200))
@given(
    st.lists(
        st.tuples(st.lists(definitions, max_size=4, unique_by=lambda one: one.id), st.sets(texts)), max_size=6
    )
)
def test_definitions_changed_are_definitions_made_anew(changes):
    """They find the same one for each address; and once all are gone, they are none."""
    kept: dict[str, Definition] = {}
    found = Definitions()
    for put, gone in changes:
        gone = frozenset(gone - {one.id for one in put})
        found = found.changed(Changes(put, gone))
        kept = {key: one for key, one in kept.items() if key not in gone} | {one.id: one for one in put}
        anew = Definitions(kept.values())
        for address in ADDRESSES:
            for set_id in ("", "S"):
                asked = (set_id, AddressType.FROM, address, Route(Routing.INBOUND), DIRECTORY.internal_domains)
                assert found.find(*asked) == anew.find(*asked)
            concern = [one.concern(address, DIRECTORY.internal_domains) for one in (found, anew)]
            assert concern[0] or not concern[1]
        assert (bool(found), len(found)) == (bool(kept), len(kept))
    found = found.changed(Changes((), frozenset(kept)))
    assert not found
    assert not any(found.concern(address, DIRECTORY.internal_domains) for address in ADDRESSES)


places = st.sampled_from(("x.test", "a.x.test", "y.test", "x.test/p", "x.test/p/q", "x.test/p?s=1", "y.test/p"))
lists = st.builds(
    lambda number, entries, at: WebPolicy(
        f"w{number}",
        "",
        (Scope(),),
        tuple(
            WebEntry(f"{number}.{n}", WebEntryType.URL if "/" in value else WebEntryType.DOMAIN, value, action)
            for n, (value, action) in entries.items()
        ),
        at,
    ),
    st.integers(0, 2),
    st.dictionaries(st.integers(0, 5), st.tuples(places, st.sampled_from(WebAction)), max_size=4),
    created,
)
URLS = (
    "http://x.test/",
    "http://a.x.test/p",
    "http://x.test/p/q/r",
    "http://x.test/p?s=1&t=2",
    "http://b.y.test/",
)


@settings(max_examples=examples(200))
@given(st.lists(st.tuples(st.lists(lists, max_size=2, unique_by=lambda one: one.id), st.sets(texts)), max_size=6))
def test_web_lists_changed_are_web_lists_made_anew(changes):
    """They cover each URL with the same entries, and show the same ones on its host."""
    kept: dict[str, WebPolicy] = {}
    index = WebIndex()
    for put, gone in changes:
        gone = frozenset(f"w{key}" for key in gone) - {one.id for one in put}
        index = index.changed(Changes(put, gone))
        kept = {key: one for key, one in kept.items() if key not in gone} | {one.id: one for one in put}
        anew = WebIndex(kept.values())
        assert len(index) == len(anew) == sum(len(one.entries) for one in kept.values())
        for url in map(parse_web_url, URLS):
            for show in ("covering", "on_host"):
                found, wanted = (sorted(getattr(one, show)(url), key=lambda x: x.order) for one in (index, anew))
                assert found == wanted
