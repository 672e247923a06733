"""What becomes of a message whose plan is made? One copy stays where it is; the others are kept here.

A mail server that asks a milter holds one message, which has one header, one sender and one fate. So of the copies
that a plan hands on one is made of that message, in place: the one that most recipients get. The recipients of all
others are taken from it. Their copies, and those that are held, are in `Kept`, which has to be durable before the
server is told anything; where no copy stays in place, the server drops the message.

The answer for the whole message is the first refusal where nobody gets it (behaviour.md D-13), else what the
server itself says. Whoever is refused while others are not is taken from the message and recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from mailreeve.families.keeping.kept import Kept
from mailreeve.families.machinery.copies import NO_WISHES, ArchivedCopy, Copy, HeldCopy, ReportWishes
from mailreeve.families.tracking.outcomes import Outcome, State
from mailreeve.mail.attempts import message_key
from mailreeve.mail.milter.changes import Envelope, envelope_changes, header_changes
from mailreeve.mail.milter.packets import ACCEPT, DISCARD, reply
from mailreeve.mail.outcomes import TAKEN, archived_copy, held_copy
from mailreeve.mail.plan import Deliver, Plan, reply_line


class Settled(Struct, frozen=True):
    """What is to be kept, then sent. `answer` is the reply as far as it is ours, for a log."""

    kept: Kept
    packets: bytes
    answer: str


def settle(
    plan: Plan,
    envelope: Envelope,
    *,
    trace: Callable[[], bytes],
    queue_id: str = "",
    utf8: bool = False,
    can_change_sender: bool = True,
    keeps_space: bool = True,
    archives: bool = False,
    reports: ReportWishes = NO_WISHES,
) -> Settled:
    """What to keep and to send for a plan. `trace` makes our trace fields, for the copies that are kept if there
    are any; `utf8` says that the message came with SMTPUTF8 (RFC 6531), `archives` that what is delivered goes
    into the archive; `reports` is what the sender wants to hear."""
    if plan.refusal is not None:
        return Settled(Kept(plan.outcomes), reply(plan.refusal), plan.refusal)
    stays = _in_place(plan, envelope, utf8=utf8, can_change_sender=can_change_sender)
    others = [one for one in plan.deliveries if one is not stays]
    on_top = trace() if archives or others or plan.holds else b""
    outgoing = tuple([replace(_copy(one, plan, on_top, utf8=utf8), reports=reports) for one in others])
    decision_id = "" if stays is None else stays.decision_id
    outcomes = tuple(_taken(outcome, decision_id, queue_id) for outcome in plan.recorded)
    held = tuple(_held(plan, on_top, utf8=utf8))
    # Only where it is wanted: all of the message has to be looked at.
    key = message_key(envelope.sender, plan.message) if archives or held or outgoing else None
    kept = Kept(
        outcomes,
        held,
        outgoing,
        tuple(_archived(plan, outgoing, on_top, key, utf8=utf8)) if archives else (),
        plan.correspondence,
        "" if key is None else key.hex(),
    )
    if stays is None:
        return Settled(kept, DISCARD, str(TAKEN))
    changes = (
        *envelope_changes(envelope, stays.sender, stays.recipients),
        *header_changes(plan.message, stays.edits, keeps_space=keeps_space),
    )
    return Settled(kept, b"".join((*changes, ACCEPT)), str(TAKEN))


def _in_place(plan: Plan, envelope: Envelope, *, utf8: bool, can_change_sender: bool) -> Deliver | None:
    """The copy that is made of the message which the server has. None of those that it could not be made into:
    one whose header needs SMTPUTF8, of a message that came without, or one from another sender, where that cannot
    be changed."""
    possible = [
        one
        for one in plan.deliveries
        if (utf8 or not one.is_utf8) and (can_change_sender or one.sender == envelope.sender)
    ]
    return max(possible, key=lambda one: len(one.recipients), default=None)


def _taken(outcome: Outcome, in_place: str, queue_id: str) -> Outcome:
    """The outcome of a recipient whose copy is taken: the server has it under its id, or it is kept here."""
    if outcome.state is not State.ACCEPTED:
        return outcome
    return replace(
        outcome,
        reply=reply_line(TAKEN, outcome.decision_id),
        queue_id=queue_id if outcome.decision_id == in_place else "",
    )


def _copy(step: Deliver, plan: Plan, on_top: bytes, *, utf8: bool) -> Copy:
    content = step.content(plan.message, on_top)
    return Copy(
        step.account_id, step.decision_id, step.sender, step.recipients, content, is_utf8=utf8 or step.is_utf8
    )


def _archived(
    plan: Plan, outgoing: Sequence[Copy], on_top: bytes, key: bytes | None, *, utf8: bool
) -> Iterator[ArchivedCopy]:
    """The copies for the archive. That of the message in place has our trace fields, and none that the server adds
    later."""
    outcomes = {outcome.recipient: outcome for outcome in plan.outcomes}
    others = {copy.decision_id: copy for copy in outgoing}
    for step in plan.deliveries:
        if step.passes:
            continue
        copy = others.get(step.decision_id) or _copy(step, plan, on_top, utf8=utf8)
        yield archived_copy(copy, outcomes, key)


def _held(plan: Plan, on_top: bytes, *, utf8: bool) -> Iterator[HeldCopy]:
    described = {outcome.decision_id: outcome for outcome in plan.outcomes}
    for step in plan.holds:
        copy = step.copy(plan.message, on_top)
        yield held_copy(replace(copy, is_utf8=utf8 or copy.is_utf8), step.cause, described[step.decision_id])
