"""Targets are kept as their keys; what they were made of can be read back (behaviour.md section 2.2)."""

from __future__ import annotations

import pytest

from mailreeve.policy.model.targets import EVERYONE, Target, TargetType, shared_target

T = TargetType
MADE_OF = [
    (T.EVERYONE, "", ""),
    (T.INTERNAL_ADDRESSES, "", ""),
    (T.EXTERNAL_ADDRESSES, "", ""),
    (T.FREE_MAIL_DOMAINS, "", ""),
    (T.EMAIL_DOMAIN, "bad.test", ""),
    (T.INDIVIDUAL_EMAIL_ADDRESS, "a@bad.test", ""),
    (T.PROFILE_GROUP, "019a", ""),
    (T.HEADER_DISPLAY_NAME, "the boss", ""),
    (T.HEADER_DISPLAY_NAME, "odd\0name", ""),
    (T.ADDRESS_ATTRIBUTE_VALUE, "sales", "019b"),
    (T.ADDRESS_ATTRIBUTE_VALUE, "odd\0value", "019b"),
    (T.ADDRESS_ATTRIBUTE_VALUE, "", "019b"),
]


@pytest.mark.parametrize(("type_", "value", "attribute"), MADE_OF)
def test_a_target_gives_back_what_it_was_made_of(type_, value, attribute):
    for target in (Target.of(type_, value, attribute), shared_target(type_, value, attribute)):
        assert (target.type, target.value, target.attribute) == (type_, value, attribute)


def test_no_two_targets_share_a_key():
    assert len({Target.of(*made).key for made in MADE_OF}) == len(MADE_OF)


def test_those_that_need_no_value_are_there_once():
    assert shared_target(T.EVERYONE) is shared_target(T.EVERYONE)
    assert shared_target(T.PROFILE_GROUP, "019a") is shared_target(T.PROFILE_GROUP, "019a")
    assert shared_target(T.EVERYONE) == EVERYONE
