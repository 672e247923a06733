"""What a resolver hears that asks for a zone, read by the library."""

from __future__ import annotations

import io
from ipaddress import ip_address

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.tsig
import dns.zone
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailreeve.policy.model.persistent_map import Sharded
from mailreeve.policy.zone.rules import ALLOW, BLOCK, NOTHING, REST, said
from mailreeve.web.dns import answers
from mailreeve.web.dns.records import RUN_OCTETS, Style
from mailreeve.web.dns.zone import JOURNAL_NAMES, WrittenZone, Zone, lines

ORIGIN = dns.name.from_text("everyone.c1.rpz.mailreeve")
KEY = dns.tsig.Key("r1.c1.mailreeve", "c2VjcmV0IG9mIGEga2V5", "hmac-sha256")
KEYS = {KEY.name: KEY}
BOTH = said(BLOCK, BLOCK)
NAMES = {"bad.test": BOTH, "good.bad.test": said(ALLOW, ALLOW), "exact.test": said(BLOCK, NOTHING)}
labels = st.from_regex(r"[a-z0-9_]([a-z0-9_-]{0,20}[a-z0-9_])?", fullmatch=True)
hosts = st.lists(labels, min_size=1, max_size=4).map(".".join)
rests = st.sampled_from([{}, {REST: said(NOTHING, BLOCK)}, {REST: said(NOTHING, ALLOW)}])
meanings = st.sampled_from([said(a, b) for a in (NOTHING, ALLOW, BLOCK) for b in (NOTHING, ALLOW, BLOCK)][1:])


def zone_of(names, serial=7, style=Style()):  # noqa: B008 - immutable
    return Zone(ORIGIN, serial, Sharded(names), style)


def asked(type_, serial=None, key=None):
    """A question, as sent and as read."""
    message = dns.message.make_query(ORIGIN, type_)
    if serial is not None:
        message.authority.append(zone_of({}).soa(serial))
    if key is not None:
        message.use_tsig(key)
    wire = message.to_wire()
    return message, answers.read(wire, KEYS)


def whole(zone, key=None):
    """The records of a transfer of the whole zone, as text."""
    message, question = asked("AXFR", key=key)
    context, records = None, []
    for wire in answers.whole(question, zone, WrittenZone(zone.style)):
        one = dns.message.from_wire(
            wire, keyring=KEYS, request_mac=message.mac, tsig_ctx=context, multi=True, xfr=True
        )
        context = one.tsig_ctx
        assert one.flags & dns.flags.AA
        assert one.had_tsig is (key is not None)
        records += [line for rrset in one.answer for line in rrset.to_text().splitlines()]
    return records


@given(st.dictionaries(hosts, meanings, max_size=30), rests)
def test_a_zone_is_the_same_on_the_wire_and_in_a_file(some, rest):
    """And both are what was meant, as the library reads them. What is said of all other names is at the top."""
    names = some | rest
    zone = zone_of(names)
    first, *between, last = whole(zone)
    assert first == last == f"{ORIGIN} 60 IN SOA localhost. hostmaster.invalid. 7 60 10 2592000 60"
    read = dns.zone.from_file(io.StringIO("".join(lines(zone))), ORIGIN, relativize=False)
    written = {
        f"{name} {line}" for name, rdataset in read.iterate_rdatasets() for line in rdataset.to_text().splitlines()
    }
    assert {*between, first} == written
    texts = {NOTHING: None, ALLOW: "rpz-passthru.", BLOCK: "."}
    for host, what in names.items():
        for owner, meaning in ((host or "@", what // 3), (f"*.{host}".strip("."), what % 3)):
            owner = "" if owner == "@" else f"{owner}."
            node = read.get_rdataset(f"{owner}{ORIGIN}", "CNAME")
            assert (None if node is None else node[0].target.to_text()) == texts[meaning]


def test_a_block_page_has_its_addresses():
    zone = zone_of(NAMES, style=Style((ip_address("192.0.2.80"), ip_address("2001:db8::80"))))
    found = whole(zone)
    assert f"bad.test.{ORIGIN} 60 IN A 192.0.2.80" in found
    assert f"*.bad.test.{ORIGIN} 60 IN AAAA 2001:db8::80" in found
    assert f"good.bad.test.{ORIGIN} 60 IN CNAME rpz-passthru." in found
    assert "bad.test A 192.0.2.80\n" in "".join(lines(zone))


def test_a_large_zone_comes_in_many_messages_each_signed():
    names = {f"host{number}.example{number % 7}.test": BOTH for number in range(9_000)}
    zone = zone_of(names)
    question = asked("AXFR", key=KEY)[1]
    messages = list(answers.whole(question, zone, WrittenZone(zone.style)))
    assert len(messages) > 10
    assert max(map(len, messages)) < 2 * RUN_OCTETS + 500
    assert len(whole(zone, KEY)) == 2 * len(names) + 3


def test_records_that_did_not_change_are_not_written_again():
    zone = zone_of({f"host{number}.test": BOTH for number in range(20_000)})
    written = WrittenZone(zone.style)
    before = list(written.runs(zone.names))
    changed = zone.changed(8, zone.names.changed({"new.test": BOTH}), {"new.test": (0, BOTH)})
    after = list(written.runs(changed.names))
    again = [one for one in after if any(one is other for other in before)]
    assert len(after) - len(again) == 1


def test_a_difference_is_what_is_gone_and_what_came():
    zone = zone_of(NAMES)
    after = {**NAMES, "new.test": BOTH, "exact.test": BOTH}
    del after["bad.test"]
    changes = {"new.test": (0, BOTH), "exact.test": (said(BLOCK, NOTHING), BOTH), "bad.test": (BOTH, 0)}
    new = zone.changed(9, Sharded(after), changes)
    message, question = asked("IXFR", 7, KEY)
    (wire,) = answers.difference(question, new, WrittenZone(new.style))
    read = dns.message.from_wire(wire, keyring=KEYS, request_mac=message.mac, xfr=True, one_rr_per_rrset=True)
    found = [f"{one.name.relativize(ORIGIN)} {one[0].to_text()}" for one in read.answer]
    soa = "@ localhost. hostmaster.invalid. {} 60 10 2592000 60".format
    assert found[:2] == [soa(9), soa(7)]
    middle = found.index(soa(9), 1)
    assert sorted(found[2:middle]) == ["*.bad.test .", "bad.test .", "exact.test ."]
    assert sorted(found[middle + 1 : -1]) == ["*.exact.test .", "*.new.test .", "exact.test .", "new.test ."]
    assert found[-1] == soa(9)


def test_steps_are_joined_and_what_came_and_went_is_not_told():
    zone = zone_of({})
    for serial, change in enumerate(({"a.test": (0, BOTH)}, {"b.test": (0, BOTH)}, {"a.test": (BOTH, 0)}), 8):
        zone = zone.changed(serial, zone.names.changed({k: v or None for k, (_, v) in change.items()}), change)
    assert zone.since(7) == {"b.test": (0, BOTH)}
    assert zone.since(9) == {"a.test": (BOTH, 0)}
    assert zone.since(6) is None
    assert answers.difference(asked("IXFR", 6)[1], zone, WrittenZone(zone.style)) is None


def test_the_journal_has_an_end():
    zone = zone_of({})
    half = {f"{number}.test": (0, BOTH) for number in range(JOURNAL_NAMES // 2 + 1)}
    zone = zone.changed(8, zone.names, half).changed(9, zone.names, half)
    assert zone.since(7) is None
    assert zone.since(8) is not None


@pytest.mark.parametrize(("serial", "current"), [(7, True), (8, True), (6, False), (7 - (1 << 31) + 2, False)])
def test_who_is_up_to_date_or_ahead_gets_no_zone(serial, current):
    assert answers.is_current(asked("IXFR", serial % (1 << 32))[1], zone_of(NAMES)) is current


def test_a_wrong_signature_is_told_from_none():
    signed, question = asked("SOA", key=KEY)
    assert question.key == KEY
    assert asked("SOA")[1].key is None
    wire = bytearray(signed.to_wire())
    wire[-12] ^= 1  # an octet of the signature
    broken = answers.read(bytes(wire), KEYS)
    assert (broken.key, broken.problem) == (None, "the signature is wrong")
    other = dns.message.make_query(ORIGIN, "SOA")
    other.use_tsig(dns.tsig.Key("other.", "c2VjcmV0", "hmac-sha256"))
    unknown = answers.read(other.to_wire(), KEYS)
    assert (unknown.key, unknown.problem) == (None, "the key is not known")
    refused = dns.message.from_wire(answers.refusal(broken, dns.rcode.NOTAUTH), keyring=False)
    assert (refused.rcode(), refused.answer) == (dns.rcode.NOTAUTH, [])


@given(st.binary(max_size=80))
def test_nothing_that_comes_breaks_it(wire):
    try:
        answers.read(wire, KEYS)
    except answers.Unreadable as problem:
        assert str(problem)  # noqa: PT017 - either outcome is right


@pytest.mark.parametrize("change", ["opcode", "response", "class", "questions"])
def test_what_is_no_question_for_us_is_unreadable(change):
    message = dns.message.make_query(ORIGIN, "SOA")
    if change == "opcode":
        message.set_opcode(dns.opcode.NOTIFY)
    elif change == "response":
        message.flags |= dns.flags.QR
    elif change == "class":
        message = dns.message.make_query(ORIGIN, "SOA", "CH")
    else:
        message.question += message.question
    with pytest.raises(answers.Unreadable):
        answers.read(message.to_wire(), KEYS)
