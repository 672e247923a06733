"""What is short and waits for nothing is done on the event loop; everything else in a thread, with the same
answer."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace

import pytest

from mailreeve.formats.networks import parse_ip
from mailreeve.mail import promptly
from mailreeve.mail.incoming import HEADER_TOO_LARGE, Incoming
from mailreeve.mail.promptly import FEW_RECIPIENTS, SHORT_CONTENT, SHORT_HEADER
from mailreeve.mail.reception import Reception
from mailreeve.mail.transaction import Accepted
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.store.transactions import WouldWait


class Source:
    """Policies that are in memory, or have to be waited for. Notes in which threads they were asked for."""

    def __init__(self, policies: PolicySet, *, waits: bool) -> None:
        self.policies = policies
        self.waits = waits
        self.threads: list[int] = []
        self.at_hand = SimpleNamespace(
            policies_for=lambda recipient, sender: self._at_hand(), all_policies=lambda: [self._at_hand()]
        )

    def _at_hand(self) -> PolicySet:
        if self.waits:
            raise WouldWait
        return self._noted()

    def _noted(self) -> PolicySet:
        self.threads.append(threading.get_ident())
        return self.policies

    def policies_for(self, recipient, sender) -> PolicySet:
        return self._noted()

    def all_policies(self) -> list[PolicySet]:
        return [self._noted()]


@pytest.mark.parametrize("waits", [False, True])
def test_policies_in_memory_are_asked_on_the_loop_and_others_in_a_thread(office, waits) -> None:
    source = Source(office.policies, waits=waits)
    reception = Reception(parse_ip("192.0.2.9"), source, lambda: 1.0)

    async def come() -> list[object]:
        refusal = await promptly.connected(reception)
        reception.sender("ann@out.test")
        return [refusal, *[await promptly.recipient(reception, f"u{n}@corp.test") for n in range(2)]]

    refusal, *answers = asyncio.run(come())
    assert refusal is None
    assert [type(one) for one in answers] == [Accepted, Accepted]
    assert reception.recipients == 2
    here = threading.get_ident()
    assert len(source.threads) == 3
    assert all((thread == here) is not waits for thread in source.threads)


def test_a_recipient_who_is_asked_for_again_in_a_thread_counts_once(office) -> None:
    reception = Reception(None, Source(office.policies, waits=True), lambda: 1.0, max_recipients=2)

    async def come() -> list[object]:
        reception.sender("ann@out.test")
        return [await promptly.recipient(reception, f"u{n}@corp.test") for n in range(3)]

    first, second, third = asyncio.run(come())
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert third.line.startswith("452 4.5.3")


def content(header: int, body: int = 0) -> Incoming:
    incoming = Incoming(max_size=10**7, max_line=10**7)
    incoming.add(b"X: " + b"x" * (header - 5) + b"\r\n" + b"\r\n" + b"y" * body)
    incoming.end()
    return incoming


@pytest.mark.parametrize(
    ("incoming", "recipients", "short"),
    [
        (content(SHORT_HEADER), 1, True),
        (content(SHORT_HEADER + 1), 1, False),
        (content(100, SHORT_CONTENT - 102), FEW_RECIPIENTS, True),
        (content(100, SHORT_CONTENT - 101), FEW_RECIPIENTS, False),
        (content(100), FEW_RECIPIENTS + 1, False),
    ],
)
def test_what_a_stranger_can_make_long_goes_to_a_thread(office, incoming, recipients, short) -> None:
    reception = Reception(None, Source(office.policies, waits=False), lambda: 1.0)
    reception.sender("ann@out.test")
    for number in range(recipients):
        reception.recipient(f"u{number}@corp.test")
    worker = asyncio.run(promptly.worked_out(reception, incoming, None, threading.get_ident))
    assert (worker == threading.get_ident()) is short


def test_a_content_that_is_refused_is_short_only_for_few_recipients(office) -> None:
    """Each of them gets an outcome, whatever is kept of the content."""
    incoming = Incoming(max_size=10**7, max_line=10**7)
    incoming.refuse(HEADER_TOO_LARGE)
    reception = Reception(None, Source(office.policies, waits=False), lambda: 1.0)
    reception.sender("ann@out.test")
    for number in range(FEW_RECIPIENTS + 1):
        assert promptly.is_short(reception, incoming) is (number <= FEW_RECIPIENTS)
        reception.recipient(f"u{number}@corp.test")
    assert not promptly.is_short(reception, incoming)
