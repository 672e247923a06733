"""What an explanation says: every candidate with its first failing test, and each layer in words."""

from __future__ import annotations

import pytest

from mailreeve.policy.decide.trace import EXPLAINED
from mailreeve.policy.explain.words import decision_words, effect_words, note_words, unmet_words
from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.policy.model.wording import stand_in_words

U = "u@corp.test"


def candidates(decision, type_=PolicyType.BLOCKED_SENDERS):
    return [candidate for candidate in decision.candidates if candidate.type is type_]


def only(world, *args, **more):
    (candidate,) = world.mail(*args, explain=True, **more).candidates
    return candidate


@pytest.mark.parametrize(
    ("scope", "more", "failed"),
    [
        ({"enabled": False}, {}, "it is disabled"),
        ({"starts": 2e9}, {}, "it has not started yet"),
        ({"ends": 1.0}, {}, "it has expired"),
        ({"ips": ("192.0.2.1",)}, {}, "it asks for a source address and none is known"),
        ({"ips": ("192.0.2.1",)}, {"ip": "192.0.2.2"}, "the source address is outside its ranges"),
        ({"to": "v@corp.test"}, {}, "the recipient does not match"),
        ({"from_": "y.test"}, {}, "the sender does not match"),
        ({"from_": "y.test", "part": "header_from"}, {}, "the sender does not match"),
        (
            {"from_": "y.test", "part": "both"},
            {"header": None},
            "it looks at the From header, which is not known yet",
        ),
        ({"from_": "y.test", "to": "v@corp.test", "enabled": False}, {}, "it is disabled"),
    ],
)
def test_the_first_failing_test_is_named(world, scope, more, failed):
    world.block(**scope)
    candidate = only(world, "a@x.test", U, **more)
    assert (unmet_words(candidate.failed), candidate.place, candidate.part) == (failed, 0, None)


def test_a_bounce_that_the_relay_guard_lets_pass_is_explained(world):
    world.relay_guard()
    failed = only(world, "", "b@y.test", ip="127.0.0.1").failed
    assert unmet_words(failed) == "a bounce may leave through a relay network"


def test_candidates_are_listed_best_first_with_place_and_sort_key(world):
    wide = world.block("external", "internal")
    narrow = world.exempt("x.test")
    other = world.block("y.test")
    listed = candidates(world.mail("a@x.test", U, explain=True))
    assert [(one.id, one.place, effect_words(one.effect)) for one in listed] == [
        (narrow, 1, "no_action"),
        (wide, 2, "block_sender"),
        (other, 0, "block_sender"),
    ]
    assert listed[0].sort_key == (0, 5, 1, 5, 0, 0, 2.0, narrow)
    assert listed[0].sort_key > listed[1].sort_key


def test_a_tie_is_told(world):
    world.block("x.test")
    world.block("x.test")
    first, second = candidates(world.mail("a@x.test", U, explain=True))
    assert note_words(first) == ""
    assert note_words(second) == "as narrow as the winner: the one created later wins"


def test_the_path_through_groups_is_told(world):
    world.group("Sales West", "x.test", parent="Sales")
    world.group("Sales", parent="All")
    world.group("Readers", U)
    world.block("group:All", "group:Readers")
    assert note_words(only(world, "a@x.test", U)) == (
        "the sender is in Sales West, which is in Sales, which is in All; the recipient is in Readers"
    )


ALIAS = "u.4@old.test"
ALIAS_WORDS = f"{ALIAS} is an alias of {U}"


@pytest.mark.parametrize(
    ("policy", "message", "note"),
    [
        (("everyone", U), ("a@x.test", ALIAS), ALIAS_WORDS),
        ((U, "everyone"), (ALIAS, "v@corp.test"), ALIAS_WORDS),
        (("everyone", U), ("a@x.test", "U+x@corp.test"), f"u+x@corp.test is {U} with a tag"),
        (
            ("everyone", "corp.test"),
            ("a@x.test", "u.4+x@old.test"),
            f"u.4+x@old.test is {ALIAS} with a tag; {ALIAS_WORDS}",
        ),
        (("everyone", ALIAS), ("a@x.test", "u.4+x@old.test"), f"u.4+x@old.test is {ALIAS} with a tag"),
        (("everyone", ALIAS), ("a@x.test", ALIAS), ""),
        (("everyone", "group:G1"), ("a@x.test", ALIAS), f"{ALIAS_WORDS}; the recipient is in G1"),
        (("everyone", "group:G2"), ("a@x.test", U), f"{ALIAS_WORDS}; the recipient is in G2"),
        (("everyone", "group:G2"), ("a@x.test", ALIAS), "the recipient is in G2"),
    ],
)
def test_the_way_from_an_alias_or_a_tag_to_whom_the_policy_names_is_told(world, policy, message, note):
    """In words and as data (D-53); nothing where the policy names the address itself."""
    world.internal.add("old.test")
    world.user(U, ALIAS)
    world.group("G1", U)
    world.group("G2", ALIAS)
    world.block(*policy)
    candidate = only(world, *message)
    assert candidate.place == 1
    assert note_words(candidate) == note
    assert [stand_in_words(one) for one in candidate.stand_ins] == [
        words for words in note.split("; ") if words and "recipient is in" not in words
    ]


def test_the_way_is_told_of_personal_entries_and_in_the_steps(world):
    """Whose list it is, is told by the list's own line."""
    world.user(U, "al@corp.test")
    world.user("w@corp.test")
    world.personal(U, "block", "w@corp.test")
    decision = world.mail("w+t@corp.test", "al@corp.test", explain=True)
    (entry,) = decision.candidates
    assert (entry.place, note_words(entry)) == (1, "w+t@corp.test is w@corp.test with a tag")
    told = f"aliases and tags: w+t@corp.test is w@corp.test with a tag; al@corp.test is an alias of {U}"
    assert told in decision_words(decision)


def test_each_type_is_explained_in_its_own_terms(world):
    world.permit("x.test")
    world.personal(U, "block", "a@x.test")
    world.personal(U, "permit", "b@y.test")
    world.define(U, "v@corp.test", set_="S", field="from")
    world.alter("S")
    decision = world.mail("a@x.test", U, explain=True)
    assert {(one.type.value, effect_words(one.effect), one.place) for one in decision.candidates} == {
        ("permitted_senders", "permit", 1),
        ("managed_senders", "block", 1),
        ("managed_senders", "permit", 0),
        ("address_alteration", "set S", 1),
    }
    assert "permitted senders: permit by 1 (permit x.test to everyone)" in "\n".join(decision_words(decision))


def test_the_relay_guard_is_told_apart_from_other_blocks(world):
    world.relay_guard()
    assert effect_words(only(world, "a@x.test", "b@y.test").effect) == "block_sender as an open relay"


def test_a_long_list_is_cut_after_the_best_and_what_is_left_out_is_counted(world):
    for number in range(EXPLAINED + 5):
        world.block(f"x{number}.test")
    winner = world.block("x7.test")
    for number in range(EXPLAINED + 3):
        world.personal(U, "permit", f"p{number}.test")
    decision = world.mail("a@x7.test", U, explain=True)
    listed = candidates(decision)
    assert len(listed) == EXPLAINED
    assert [one.id for one in listed if one.place] == [winner, "8"]
    assert len(candidates(decision, PolicyType.MANAGED_SENDERS)) == EXPLAINED
    text = "\n".join(decision_words(decision))
    assert "6 more are left out of this list" in text
    assert "3 more are left out of this list" in text


def test_an_ignored_permit_is_listed_before_entries_for_others(world):
    world.personal(U, "permit", "z@z.test")
    world.personal(U, "permit", "boss@corp.test")
    decision = world.mail("boss@corp.test", U, explain=True)
    first, second = candidates(decision, PolicyType.MANAGED_SENDERS)
    assert "authenticates" in unmet_words(first.failed)
    assert unmet_words(second.failed) == "the sender does not match"


def test_the_steps_tell_each_layer_in_order(world):
    world.known_only.add("corp.test")
    world.user(U)
    world.free_mail.add("free.test")
    world.block("bad.test")
    steps = decision_words(world.mail("a@bad.test", U, ip="192.0.2.1", explain=True))
    assert [step.partition(":")[0] for step in steps] == [
        "relay",
        "recipient validation",
        "blocked senders",
        "permitted senders",
        "address alteration",
        "effective recipient",
        "managed senders of u@corp.test",
        "free-mail list",
        "verdict",
    ]
    assert steps[0] == "relay: the recipient is internal, the source 192.0.2.1 is not in a relay network"
    assert steps[-1].startswith("verdict: reject with 550 5.7.1 Envelope rejected")


def test_an_unknown_header_is_told_with_what_it_means(world):
    world.block("bad.test", part="header_from")
    assert "the From header is not known: it could still change this" in decision_words(
        world.at_rcpt("a@x.test", U, explain=True)
    )
    world.blocked.clear()
    assert "the From header is not known: it cannot change this" in decision_words(
        world.at_rcpt("a@x.test", U, explain=True)
    )


def test_without_explain_there_is_no_trace(world):
    world.block("bad.test")
    decision = world.mail("a@bad.test", U)
    assert (decision.candidates, decision.steps) == ((), ())


def test_an_alteration_at_the_root_is_told_beside_policies_that_do_not_apply(world):
    """Definitions at the root need no policy: the steps of the policies alone would say that nothing alters."""
    world.define("u@corp.test", "v@corp.test")
    decision = world.mail("a@x.test", U, explain=True)
    (line,) = (step for step in decision_words(decision) if step.startswith("address alteration: "))
    assert line == (
        "address alteration: none of 0 applies; 1 altered by definitions at the root, which need no policy"
    )
