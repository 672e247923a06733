"""Whatever address a policy reads in a field is gone once a definition rewrites it, or the field is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailreeve.formats.addresses import Domain, parse_address
from mailreeve.formats.authors import read_authors
from mailreeve.policy.decide.address_fields import (
    MAX_ADDRESSES,
    MAX_DOUBTFUL,
    AddressField,
    CannotAlterError,
)
from mailreeve.policy.decide.rewrite import Rewriter, rewriter
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.facts import Directory, MessageFacts
from mailreeve.policy.model.policies import AddressPattern, AddressType, Definition, Routing

HIDDEN = "corp.test"
LONG_NAME = "\r\n ".join(["N" * 60] * 18)


def rewrites(*definitions: tuple[str, str]) -> Rewriter:
    """Those of mail from inside to a stranger, by definitions of all fields."""
    made = [
        Definition(
            f"d{number}",
            "",
            AddressType.ALL,
            AddressPattern(*[half.replace("*", "") for half in original.split("@")]),
            AddressPattern(*[half.replace("*", "") for half in new.split("@")]),
            Routing.OUTBOUND,
        )
        for number, (original, new) in enumerate(definitions)
    ]
    policies = PolicySet.build(
        account_id="a",
        revision=1,
        directory=Directory(internal_domains=frozenset({Domain(HIDDEN), Domain("xn--bcher-kva.test")})),
        definitions=made,
    )
    facts = MessageFacts(parse_address(f"pat@{HIDDEN}"), parse_address("buyer@ext.test"), 5.0, header_from=())
    return rewriter(policies, facts)


ALL = rewrites(("*@corp.test", "support@shop.test"), ("*@xn--bcher-kva.test", "support@shop.test"))


def altered(value: str, by: Rewriter = ALL) -> str:
    found = AddressField(AddressType.FROM, value).altered(by)
    return value if found is None else found.value


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("P <pat@corp.test.>", "P <support@shop.test>"),
        ("P <pat@CORP.TEST>", "P <support@shop.test>"),
        ("PAT@corp.test", "support@shop.test"),
        (" pat@corp.test\r\n", " support@shop.test\r\n"),
        ("pat(or so)@corp.test (Pat)", "support@shop.test (Pat)"),
        ("(Pat) pat@corp.test", "(Pat) support@shop.test"),
        ('"pat o"@corp.test', "support@shop.test"),
        ('Pat <"p a t"@corp.test>', "Pat <support@shop.test>"),
        ("Team: pat@corp.test, x@ext.test;", "Team: support@shop.test, x@ext.test;"),
        ("Pat <pat@bücher.test>", "Pat <support@shop.test>"),
        ("Pat <pat@XN--BCHER-KVA.test>", "Pat <support@shop.test>"),
        ("Pat <pat@corp.test", "Pat <support@shop.test"),
        ("Pat pat@corp.test>", "Pat support@shop.test>"),
        ("pat@corp.test (Pat", "support@shop.test (Pat"),
        ("Pat <pat@corp.test> <x@ext.test>", "Pat <support@shop.test> <x@ext.test>"),
        ("pat@corp.test@corp.test", "support@shop.test"),
        ("o pat@corp.test", "support@shop.test"),
        ('"" pat@corp.test', "support@shop.test"),
        ("pat@corp.test pat2@corp.test", "support@shop.test support@shop.test"),
        ("l" * 70 + "@corp.test", "support@shop.test"),
        (LONG_NAME + " <pat@corp.test>", LONG_NAME + " <support@shop.test>"),
        ("=?utf-8?q?pat=40corp.test?=", "support@shop.test"),
        (" =?utf-8?q?pat=40corp.test?=\r\n", " support@shop.test\r\n"),
        ("pa\u200bt@corp.test", "support@shop.test"),
        ("x@ext.test, Pat <pat@corp.test.>", "x@ext.test, Pat <support@shop.test>"),
        ("Pat <x@ext.test>", "Pat <x@ext.test>"),
        ("Pat at corp.test", "Pat at corp.test"),
    ],
)  # fmt: skip
def test_each_address_is_replaced_where_it_stands(before, after):
    """And as much of the rest stays as can."""
    assert altered(before) == after


def test_encoded_words_before_an_address_stay():
    words = "\r\n ".join(["=?utf-8?B?w5xuw69jw7Zkw6kgbsOkbcOp?="] * 40)
    assert altered(f"{words} <pat@corp.test>") == f"{words} <support@shop.test>"


def test_an_alteration_tells_the_address_that_was_read_and_the_one_that_stands_there():
    found = AddressField(AddressType.FROM, "P <pat@corp.test.>").altered(ALL)
    assert found is not None
    assert [(one.field, one.original, one.new) for one in found.alterations] == [
        (AddressType.FROM, "pat@corp.test", "support@shop.test")
    ]


def test_a_new_address_that_a_definition_would_rewrite_again_stays():
    """A result is not rewritten again (D-21)."""
    swap = rewrites(("pat@corp.test", "sam@corp.test"), ("sam@corp.test", "pat@corp.test"))
    assert altered("P <pat@corp.test.>, S <sam@corp.test.>", swap) == "P <sam@corp.test>, S <pat@corp.test>"


@pytest.mark.parametrize(
    "value",
    [
        ", ".join(f"u{number} u{number}@corp.test >" for number in range(MAX_DOUBTFUL + 1)),
        " ".join(f"u{number}@corp.test" for number in range(200)),
        "l" * 64 + "@corp.test",
    ],
    ids=["many broken", "many in one", "too long"],
)
def test_what_cannot_be_altered_is_refused(value):
    long_domain = ".".join(["d" * 60] * 4)
    with pytest.raises(CannotAlterError):
        altered(value, rewrites(("*@corp.test", f"*@{long_domain}")))


def test_a_field_is_read_once_and_altered_in_many_ways():
    field = AddressField(AddressType.FROM, "P <pat@corp.test>")
    for new in ("a@shop.test", "b@shop.test"):
        found = field.altered(rewrites(("pat@corp.test", new)))
        assert found is not None
        assert found.value == f"P <{new}>"


def test_the_longest_honest_list_is_altered():
    value = ",\r\n ".join(f"user{number}@corp.test" for number in range(MAX_ADDRESSES))
    assert "corp.test" not in altered(value)


pieces = st.sampled_from(
    ["pat@corp.test", "x@ext.test", "Pat", "<", ">", ",", ";", ":", "(", ")", '"', "\\", " ", "\r\n ", "@", ".",
     "corp.test", "pat@", "=?utf-8?q?pat=40corp.test?=", "ü", "\u200b", "[", "]", "\udcff"]
)  # fmt: skip


@given(st.lists(pieces, max_size=14).map("".join))
def test_no_reader_sees_an_address_that_was_altered(value):
    """Whatever the field looks like: what the policies read in it is altered, told, and gone."""
    hidden = {str(a.address) for a in read_authors([value]) if a.address and a.address.domain == HIDDEN}
    try:
        found = AddressField(AddressType.FROM, value).altered(ALL)
    except CannotAlterError:
        return
    told = set() if found is None else {one.original for one in found.alterations}
    assert hidden <= told
    after = value if found is None else found.value
    seen = {str(a.address) for a in read_authors([after]) if a.address}
    assert not {address for address in seen if address.endswith(f"@{HIDDEN}")}
