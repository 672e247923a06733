"""Members that were meant to have another name."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from mailreeve.families.registry import ENDPOINTS
from mailreeve.wire import items, misspelt
from mailreeve.wire.errors import BLANK, NULL, problem

ITEMS = {endpoint.path: endpoint.item for endpoint in ENDPOINTS}
BLOCK = ITEMS["policy/blockedsenders/create-policy"]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("toDat", "toDate"),
        ("fromEternel", "fromEternal"),
        ("todate", "toDate"),
        ("from_date", "fromDate"),
        ("overide", "override"),
        ("bidirectionnal", "bidirectional"),
        ("descripton", "description"),
        ("condition", "conditions"),
    ],
)
def test_a_misspelt_member_is_named_with_the_one_that_was_meant(wrong: str, right: str) -> None:
    item = {"option": "block_sender", "policy": {wrong: "x", "to": {"type": "everyone"}}}
    assert misspelt.warnings(item, BLOCK) == [f'"policy.{wrong}" is not known and was ignored; "{right}" is']


def test_members_are_looked_at_wherever_they_lie() -> None:
    web = ITEMS["policy/webwhiteurl/create-policy-with-targets"]
    item = {
        "urls": [{"action": "block"}, {"acton": "block"}],
        "policies": [{"from": {"type": "everyone", "emailAdress": "x"}}],
        "descripion": "x",
    }
    found = misspelt.warnings(item, web, "data[3]")
    assert [line.split('"')[1::2] for line in found] == [
        ["data[3].urls[1].acton", "action"],
        ["data[3].policies[0].from.emailAdress", "emailAddress"],
        ["data[3].descripion", "description"],
    ]


SENT = {
    "remove-delegate": ("user/remove-delegate-user", {"id": "x", "primaryAddress": "a@x.test"}),
    "google": ("policy/blockedsenders/create-policy", {"policy": {"comment": "x", "fromEternal": True}}),
    "rapid7": ("account/get-account", {"meta": {"pagination": {"pageSize": 1}}}),
    "xsoar": ("directory/find-groups", {"query": "x", "start": None, "page_size": 10}),
    "members": ("directory/add-group-member", {"id": "x", "domain": "x.test", "notes": "x"}),
    "unknown": (
        "policy/blockedsenders/get-policy",
        {"id": "x", "reason": "x", "loadContent": "true", "action": "x"},
    ),
    "definition": (
        "policy/address-alteration/get-definition",
        {"routing": "all", "folderId": "", "newAddress": "x"},
    ),
}


@pytest.mark.parametrize(("path", "item"), SENT.values(), ids=SENT)
def test_what_clients_send_is_passed_over(path: str, item: dict[str, object]) -> None:
    """clients.md, bodies: members that nobody reads are ignored without a word."""
    assert misspelt.warnings(item, ITEMS[path]) == []


def test_no_two_members_of_a_type_are_taken_for_each_other() -> None:
    """A member that is known is never told to be another."""
    for item_type in ITEMS.values():
        everything = dict.fromkeys(items.members(item_type), "x")
        assert misspelt.warnings(everything, item_type) == []


def test_every_member_of_every_item_type_is_told_when_a_letter_is_missing() -> None:
    """Whatever the endpoint, at any depth: a long name without its last letter but one is told, and named."""

    def looked_at(item_type: type, wrap: Callable[[object], object], path: str, root: type) -> int:
        known, number = items.members(item_type), 0
        for name, inner in known.items():
            wrong = name[:-2] + name[-1]
            if len(name) > 6 and wrong not in known and wrong not in misspelt._SENT:
                (line,) = misspelt.warnings(wrap({wrong: "x"}), root)
                assert line.startswith(f'"{path}{wrong}" '), line
                assert line.split('"')[3] in known
                number += 1
            if inner is not None and path.count(".") < 3:
                number += looked_at(inner, lambda it, n=name: wrap({n: it}), f"{path}{name}.", root)
        return number

    assert sum(looked_at(one, lambda it: it, "", one) for one in ITEMS.values()) > 100


def test_few_members_are_looked_at_and_long_ones_are_not() -> None:
    """Whoever sends a hundred thousand waits for ten."""
    item: dict[str, object] = {f"descriptio{n}": "x" for n in range(100_000)}
    began = time.process_time()
    assert len(misspelt.warnings(item, ITEMS["directory/create-group"])) <= misspelt.MOST
    assert time.process_time() - began < 0.2
    assert (
        misspelt.warnings({"toDate" * 20: "x", "toDat\x1b": "x"}, ITEMS["policy/blockedsenders/create-policy"])
        == []
    )


def test_a_missing_member_is_told_with_what_was_written_instead() -> None:
    """Of those that are missing for another reason, nothing is said."""
    item = {"option": "block_sender", "polcy": {}}
    missing = [problem(NULL, "policy"), problem(NULL, "option"), problem(BLANK, "policy.description")]
    told = misspelt.explained(missing, item, BLOCK)
    assert told[0].message == f'{NULL.message}; "polcy" is not known'
    assert told[1:] == missing[1:]
    nested = {"option": "block_sender", "policy": {"descripton": "x"}}
    (one,) = misspelt.explained([problem(NULL, "policy.description")], nested, BLOCK)
    assert one.message == f'{NULL.message}; "policy.descripton" is not known'


def test_every_unknown_member_is_told_where_nobody_is_known_to_send_any() -> None:
    """A user who was to be made with a role has none; what clients send anywhere is passed over here too."""
    item: dict[str, object] = {"emailAddress": "a@corp.test", "role": "x", "nme": "x", "comment": "x", "no": None}
    assert misspelt.warnings(item, ITEMS["user/create-user"]) == ['"nme" is not known and was ignored; "name" is']
    assert misspelt.warnings(item, ITEMS["user/create-user"], every=True) == [
        '"role" is not known and was ignored',
        '"nme" is not known and was ignored; "name" is',
    ]
    told = misspelt.warnings({"x\x1b" * 100: "x"}, ITEMS["user/create-user"], every=True)
    assert len(told[0]) < 200
    assert told[0].isprintable()


def test_our_own_functions_and_those_about_users_tell_every_unknown_member() -> None:
    told = {endpoint.path for endpoint in ENDPOINTS if endpoint.tells_unknown}
    assert told == {path for path in ITEMS if path.startswith("ext/")} | {"user/create-user", "user/update-user"}
