"""What whoever asks may send, before it costs memory."""

from __future__ import annotations

import socket
from contextlib import ExitStack, suppress

import pytest

from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.web import who
from mailreeve.web.frames import MAX_FRAME, MAX_HELLO, FrameError, length_of
from mailreeve.web.helper.link import FIRST_PAUSE, Link


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


def test_a_unix_socket_without_room_is_asked_again_at_once_and_not_waited_for(tmp_path):
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as server, ExitStack() as others:
        server.bind(path)
        server.listen(0)
        for _ in range(3):
            other = others.enter_context(socket.socket(socket.AF_UNIX))
            other.setblocking(False)
            with suppress(BlockingIOError):
                other.connect(path)
        link = Link(path, "", "squid", lambda words, gone: None, 0.0)
        link.connect(0.0)
        assert link.socket is None
        assert 0.0 < link.retry_at <= FIRST_PAUSE
        server.accept()[0].close()
        link.connect(link.retry_at)
        assert link.socket is not None
        link.close()
