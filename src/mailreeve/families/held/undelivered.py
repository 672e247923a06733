"""What becomes of a copy that was taken and cannot be delivered? Somebody who can do something about it hears of
it.

| the copy | becomes |
| --- | --- |
| was released | held again, as it was, with what the next hop said |
| of a sender who may be told | a report to the sender (`outgoing.report`) |
| of any other sender, the empty one among them, or of one who wants no report | held for the administrators |
| a report that nobody takes | held for the administrators: no report answers a report |
| one whose text is damaged or gone, and whose sender may not be told | a report to the account's postmaster |
| a digest or a notice, which was written here about what is still here | gone |

A sender may be told whose address is proved (`sender_notices.rules`): the message came from a network of our
own, or of a user who signed in, with a sender in one of our domains; or SPF passed for the sender's domain. A
report has the empty sender, so nobody answers it, and its own failure is no new report.

All of it is written in the transaction that ends the copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from mailreeve.families.directory.domains import rows as domains
from mailreeve.families.held import arrival, rows
from mailreeve.families.held.limits import HoldLimits
from mailreeve.families.held.operations import RELEASE, note_return
from mailreeve.families.held.rows import HeldState, HeldText
from mailreeve.families.machinery.copies import Copy, HeldCopy, HoldCause, KeptCopy, Routed
from mailreeve.families.outgoing import rows as outgoing
from mailreeve.families.outgoing.queue import Failed
from mailreeve.families.outgoing.report import REPORT, Failure, failure_report
from mailreeve.families.sender_notices import rows as sent
from mailreeve.families.sender_notices.rules import NoticeFacts, NoticeVerdict, report_verdict
from mailreeve.families.tracking import rows as tracking
from mailreeve.families.tracking.outcomes import (
    LAYER_LOCAL_FAULT,
    LAYER_NEXT_HOP,
    Outcome,
    State,
    following,
)
from mailreeve.formats.addresses import NULL_SENDER, Address, Sender, parse_address, parse_sender
from mailreeve.formats.message import Content, read_message
from mailreeve.formats.networks import Network, parse_ip, within
from mailreeve.policy.model.policy_types import Layer
from mailreeve.store.transactions import Work

HELD_AGAIN: Final = "held_again"
REPORTED: Final = "reported"
HELD: Final = "held"
POSTMASTER: Final = "postmaster_told"
ENDED: Final = "ended"
"""What became of a copy, for the log."""

_MAX_SUBJECT: Final = 255


class UndeliveredCopies:
    """Decides about copies that are given up. `networks` are those that are our own, `hostname` is what this
    installation calls itself in reports."""

    def __init__(self, hostname: str, networks: Sequence[Network], limits: HoldLimits) -> None:
        self._hostname = hostname
        self._networks = tuple(networks)
        self._limits = limits

    def __call__(self, work: Work, failed: Failed) -> str:
        """What becomes of it. Returns what was done, in a word for the log."""
        one = failed.one
        if failed.is_ours:
            return self._hold(work, failed, None) if one.origin == REPORT else ENDED
        before = tracking.of_recipient(work, one.kept.copy.decision_id, str(one.to.original))
        if one.origin == RELEASE:
            return self._hold_again(work, failed, before)
        sender = _sender(failed, before)
        if str(one.to.original) not in one.kept.copy.reports.never:
            proved = before is not None and isinstance(sender, Address) and self._is_proved(work, before, sender)
            lately = sent.lately(work, sender) if isinstance(sender, Address) else 0
            facts = NoticeFacts(sender, is_proved=proved, is_automatic=False, lately=lately)
            if report_verdict(facts) is NoticeVerdict.SEND and isinstance(sender, Address):
                return self._report(work, failed, before, sender)
        return self._hold(work, failed, before)

    def _is_proved(self, work: Work, before: Outcome, sender: Address) -> bool:
        """Whether the message is known to come from whom its envelope names."""
        found = before.authentication
        if found is not None and found.spf_vouches_for(sender.domain):
            return True
        if domains.find(work, sender.domain) is None:
            return False
        if before.source_trusted is not None:
            return before.source_trusted
        return bool(before.source_ip) and within(parse_ip(before.source_ip), self._networks)

    def _hold_again(self, work: Work, failed: Failed, before: Outcome | None) -> str:
        one = failed.one
        row = rows.find(work, one.held_id) if one.held_id else None
        if not one.kept.body:
            return self._tell_postmaster(work, failed, before)
        if row is None or row.state is not HeldState.RELEASED:
            return self._hold(work, failed, before)
        text = HeldText(one.kept.copy.content.header, one.kept.body)
        until = work.now + timedelta(days=self._limits.days)
        rows.hold_again(work, row.id, text, one.size, until, failed.reply)
        note_return(work, row, failed.reply)
        _follow(work, before, State.HELD, failed.reply, "Held again")
        return HELD_AGAIN

    def _hold(self, work: Work, failed: Failed, before: Outcome | None) -> str:
        """Hold it for the administrators."""
        one = failed.one
        copy = one.kept.copy
        if not one.kept.body:
            return self._tell_postmaster(work, failed, before)
        copy = replace(copy, content=Content(copy.content.header, failed.body or ()))
        subject = read_message(copy.content.header).text("subject", _MAX_SUBJECT)
        source_ip = "" if before is None else before.source_ip
        held = HeldCopy(copy, HoldCause(Layer.DEFAULT), one.created_at.timestamp(), source_ip, subject)
        arrived = replace(arrival.read(held), size=one.size)
        arrival.keep_undeliverable(work, arrived, one.kept.body, self._limits, failed.reply)
        _follow(work, before, State.HELD, failed.reply, "Held for the administrators")
        return HELD

    def _report(self, work: Work, failed: Failed, before: Outcome | None, sender: Address) -> str:
        sent.add(work, sender)
        if not self._send(work, failed, before, sender):
            return self._hold(work, failed, before)
        _follow(work, before, State.BOUNCED, failed.reply)
        return REPORTED

    def _tell_postmaster(self, work: Work, failed: Failed, before: Outcome | None) -> str:
        """Of a copy there is nothing left that could be held."""
        first = domains.first(work)
        told = first is not None and self._send(work, failed, before, parse_address(f"postmaster@{first.name}"))
        _follow(work, before, State.BOUNCED, failed.reply, layer=LAYER_LOCAL_FAULT)
        return POSTMASTER if told else ENDED

    def _send(self, work: Work, failed: Failed, before: Outcome | None, to: Address) -> bool:
        """Have a report sent. Whether there is anybody who could send it: an account without a domain has no
        postmaster."""
        first = domains.first(work)
        if first is None:
            return False
        one, copy = failed.one, failed.one.kept.copy
        failure = Failure(
            recipient=str(one.to.original),
            reply=failed.reply,
            gave_up=failed.gave_up,
            arrived_at=one.created_at,
            tried_at=work.now,
            header=copy.content.header,
            body=None if copy.reports.headers_only else failed.body,
            is_utf8=copy.is_utf8,
            is_altered=one.to.original != one.to.effective or (before is not None and bool(before.alterations)),
            envelope_id=copy.reports.envelope_id,
        )
        content = failure_report(failure, to, domain=first.name, hostname=self._hostname)
        made = Copy(
            work.account_id, copy.decision_id, NULL_SENDER, (Routed(to, to),), content, not str(to).isascii()
        )
        outgoing.add(work, [KeptCopy(made, "")], REPORT)
        return True


def _sender(failed: Failed, before: Outcome | None) -> Sender:
    """Who sent it, before alteration."""
    return failed.one.kept.copy.sender if before is None else parse_sender(before.sender)


def _follow(
    work: Work, before: Outcome | None, state: State, reply: str, what: str = "", layer: str = LAYER_NEXT_HOP
) -> None:
    if before is not None:  # There is none where there was no room for it.
        tracking.add(work, [following(before, state, work.now, layer, f"{what}: {reply}" if what else reply)])
