"""What whoever asks may send, before it costs memory."""

from __future__ import annotations

import pytest

from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.web import who
from mailreeve.web.frames import MAX_FRAME, MAX_HELLO, FrameError, length_of


def test_whoever_has_not_said_who_it_is_may_say_little():
    assert length_of(MAX_HELLO.to_bytes(4, "big"), MAX_HELLO) == MAX_HELLO
    with pytest.raises(FrameError):
        length_of((MAX_HELLO + 1).to_bytes(4, "big"), MAX_HELLO)
    assert length_of(MAX_FRAME.to_bytes(4, "big")) == MAX_FRAME


def test_what_is_too_long_for_a_login_or_an_address_is_nobodys_and_is_not_remembered():
    policies = PolicySet.build(account_id="a", revision=1)
    remembered = who._address.cache_info().currsize, who._client_at.cache_info().currsize
    assert who.user_named(policies, "a" * who.MAX_LOGIN + "@corp.test") is None
    assert who.client_at("fe80::1%" + "e" * 1_000) is None
    assert (who._address.cache_info().currsize, who._client_at.cache_info().currsize) == remembered
    assert str(who.client_at("fe80::1%eth0")) == "fe80::1"
