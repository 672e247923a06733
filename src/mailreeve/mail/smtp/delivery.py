"""Carrying out a plan while the sender waits: hand on the copies, record the outcomes, then answer.

The answer for the whole message follows from what became of its recipients:

1. All refused by policy: the reply of the first refusal (D-13).
2. Any copy put off by the next hop (4xx), or the records not durable: 4xx. Whoever has had the copy is
   remembered, so that the retry does not bring it twice, or hold it again. What is to be held is kept before
   anything is delivered: where there is no room for it, nobody has had the message. Once records failed, nothing
   is delivered until they can be kept again.
3. Any copy refused by the next hop for good: its 5xx, although others may have had theirs. The sender
   then reports a failure that was one only in part; a 250 would lose mail in silence. This is rare,
   because each recipient is checked with the next hop at RCPT: what is left are refusals of the content.
4. Else 250. Recipients refused by policy at the end of data are recorded, and their senders are not
   written to (D-13).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import anyio.to_thread
import structlog
from msgspec.structs import replace
from structlog.typing import FilteringBoundLogger

from mailreeve.families.held.limits import NoRoom
from mailreeve.families.keeping.kept import Kept
from mailreeve.families.machinery.copies import ArchivedCopy, Copy, HeldCopy
from mailreeve.families.managed_senders.auto_allow import Correspondence
from mailreeve.families.tracking.outcomes import LAYER_LOCAL_FAULT, LAYER_NEXT_HOP, Outcome, State
from mailreeve.formats.message import Content
from mailreeve.mail.next_hop.queue_id import queue_id
from mailreeve.mail.outcome_lines import OutcomeLines
from mailreeve.mail.outcomes import LOCAL_FAULT, archived_copy, held_copy, undelivered
from mailreeve.mail.plan import Deliver, Plan, reply_line
from mailreeve.mail.ports import NextHopSession, is_taken
from mailreeve.mail.record_writer import RecordWriter
from mailreeve.mail.smtp.retries import Retries
from mailreeve.policy.model.policy_types import SmtpReply

log: FilteringBoundLogger = structlog.get_logger()

DELIVERED: Final = SmtpReply(250, "2.0.0", "Delivered")
SMALL: Final = 32 * 1024  # octets of a message that is copied in less time than it takes to hand it to a thread

_Results = dict[str, SmtpReply | None]


class Delivery:
    """What a session needs to carry out its plans."""

    def __init__(
        self,
        hop_session: NextHopSession,
        records: RecordWriter,
        retries: Retries,
        lines: OutcomeLines | None = None,
        *,
        archives: bool = False,
    ) -> None:
        self._hop_session = hop_session
        self._records = records
        self._retries = retries
        self._lines = lines
        self._archives = archives

    async def carry_out(
        self, plan: Plan, *, on_top: bytes, utf8: bool, key: bytes | None, content: bytes | None, now: float
    ) -> str:
        """Do all that the plan says, durably, and return the reply for the message.

        `on_top` are the door's trace fields for every copy; `key` is what the message is recognised by
        when it is sent again, `content` what others that say the same have in common with it (`attempts`).
        """
        done = self._retries.done(key, now) | self._retries.held(content, now)
        results: _Results = {}
        contents: dict[str, Content] = {}
        attempt = "" if key is None else key.hex()
        holds = [o for o in plan.recorded if o.state is State.HELD]
        held = await self._held(plan, on_top, utf8, done)
        if held and not await self.record([o for o in holds if o.recipient not in done], held, attempt=attempt):
            await self.forget()
            return str(LOCAL_FAULT)
        may_deliver = bool(held) or await self._can_record()
        for step in plan.deliveries:
            if may_deliver:
                results.update(await self._hand_on(step, plan, on_top, utf8, done, contents))
            else:
                results.update({str(recipient.original): LOCAL_FAULT for recipient in step.recipients})
        handed_on = [_with_result(o, results) for o in plan.outcomes if o.state is State.ACCEPTED]
        others = [o for o in plan.recorded if o.state not in (State.ACCEPTED, State.HELD)]
        answer = plan.refusal or _answer([*handed_on, *holds])
        owed = self._retries.owed(key, now)
        archived = await self._archived(plan, on_top, utf8, results, done - owed, contents, key)
        passing = {step.decision_id for step in plan.deliveries if step.passes}
        recorded = [*others, *(o for o in handed_on if o.decision_id not in passing)]
        is_kept = await self.record(recorded, (), archived, plan.correspondence)
        if is_kept:
            self._retries.paid(key)
        else:
            answer = str(LOCAL_FAULT)
            self._retries.owe(key, (str(one.original) for made in archived for one in made.recipients), now)
        if answer.startswith("4"):
            had_it = [address for address, reply in results.items() if is_taken(reply)]
            if had_it:
                self._retries.remember(key, had_it, now)
            self._retries.remember_held(
                content, (str(one.original) for step in plan.holds for one in step.recipients), now
            )
        else:
            self._retries.forget(key)
            self._retries.taken(content)
        await self.forget()
        return answer

    async def forget(self) -> None:
        """The message is over. Where it was not handed on, the next hop still has those who were checked."""
        try:
            await self._hop_session.reset()
        except Exception:
            # What was answered or delivered before stands, whatever went wrong here.
            log.exception("mail.reset_failed")

    async def record(
        self,
        outcomes: Sequence[Outcome],
        held: Sequence[HeldCopy] = (),
        archived: Sequence[ArchivedCopy] = (),
        correspondence: Correspondence | None = None,
        attempt: str = "",
    ) -> bool:
        """Keep the outcomes, and the copies that are held or go into the archive. A failure is logged and
        returned, for the caller to answer 4xx if it can."""
        if not outcomes:
            return True
        try:
            if self._lines is not None:
                self._lines.tell(outcomes)
        except Exception:
            # A fault of ours in telling it is no reason not to keep it.
            log.exception("mail.not_logged")
        try:
            kept = Kept(outcomes, held, archived=archived, correspondence=correspondence, attempt=attempt)
            await self._records.write(kept)
        except NoRoom as problem:
            # Nothing is broken: a stranger may cause it as often as there is mail to be held.
            log.warning(
                "mail.no_room_to_hold", decisions=[one.decision_id for one in outcomes], problem=str(problem)
            )
            return False
        except Exception:
            ids = [outcome.decision_id for outcome in outcomes]
            log.exception("mail.not_recorded", decisions=ids)
            self._retries.recording_failed = True
            return False
        return True

    async def _can_record(self) -> bool:
        """Whether outcomes can be recorded, as far as is known; where the last could not, it is tried."""
        if self._retries.recording_failed:
            try:
                await self._records.try_to_write()
            except Exception:
                log.exception("mail.still_not_recorded")
                return False
            self._retries.recording_failed = False
        return True

    async def _held(self, plan: Plan, on_top: bytes, utf8: bool, done: frozenset[str]) -> list[HeldCopy]:
        """The copies that are to be kept, of whom they are not kept since an earlier attempt."""
        held: list[HeldCopy] = []
        described = {outcome.decision_id: outcome for outcome in plan.outcomes}
        for step in plan.holds:
            waiting = tuple(one for one in step.recipients if str(one.original) not in done)
            if not waiting:
                continue
            if plan.message.size <= SMALL:
                copy = step.copy(plan.message, on_top)
            else:
                copy = await anyio.to_thread.run_sync(step.copy, plan.message, on_top)
            copy = replace(copy, recipients=waiting, is_utf8=utf8 or copy.is_utf8)
            held.append(held_copy(copy, step.cause, described[step.decision_id]))
        return held

    async def _archived(
        self,
        plan: Plan,
        on_top: bytes,
        utf8: bool,
        results: _Results,
        kept: frozenset[str],
        contents: dict[str, Content],
        key: bytes | None,
    ) -> list[ArchivedCopy]:
        """The copies for the archive: of those who have theirs now, and of whom none is `kept` since an earlier
        attempt."""
        found: list[ArchivedCopy] = []
        if not self._archives:
            return found
        outcomes = {outcome.recipient: outcome for outcome in plan.outcomes}
        for step in plan.deliveries:
            if step.passes:
                continue
            named = ((one, str(one.original)) for one in step.recipients)
            have_it = tuple(one for one, name in named if is_taken(results[name]) and name not in kept)
            if not have_it:
                continue
            content = contents.get(step.decision_id)
            if content is None:  # It was delivered earlier, and could not be kept then.
                content = await self._content(step, plan, on_top)
            copy = Copy(
                step.account_id, step.decision_id, step.sender, have_it, content, is_utf8=utf8 or step.is_utf8
            )
            found.append(archived_copy(copy, outcomes, key))
        return found

    async def _content(self, step: Deliver, plan: Plan, on_top: bytes) -> Content:
        if plan.message.size <= SMALL:
            return step.content(plan.message, on_top)
        return await anyio.to_thread.run_sync(step.content, plan.message, on_top)

    async def _hand_on(
        self,
        step: Deliver,
        plan: Plan,
        on_top: bytes,
        utf8: bool,
        done: frozenset[str],
        contents: dict[str, Content],
    ) -> _Results:
        """What the next hop said of each recipient; the copy goes into `contents`, by its decision id."""
        results: _Results = {str(r.original): None for r in step.recipients}
        waiting = [recipient for recipient in step.recipients if str(recipient.original) not in done]
        if not waiting:
            return results
        try:
            content = contents[step.decision_id] = await self._content(step, plan, on_top)
            replies = await self._hop_session.deliver(step.sender, waiting, content, utf8=utf8 or step.is_utf8)
        except Exception:
            # A fault of ours must neither lose the message nor stop the other copies.
            log.exception("mail.delivery_failed", decision=step.decision_id)
            replies = [LOCAL_FAULT] * len(waiting)
        for recipient, reply in zip(waiting, replies, strict=True):
            results[str(recipient.original)] = reply
        return results


def layer_of(reply: SmtpReply) -> str:
    """Whose refusal it is, after the policies: a fault of ours is not the next hop's."""
    return LAYER_LOCAL_FAULT if reply == LOCAL_FAULT else LAYER_NEXT_HOP


def _with_result(outcome: Outcome, results: _Results) -> Outcome:
    """The outcome of a delivery as it ended."""
    reply = results[outcome.recipient]
    if reply is not None and not is_taken(reply):
        return undelivered(outcome, reply, layer_of(reply))
    said = "" if reply is None else str(reply)
    return replace(
        outcome,
        state=State.DELIVERED,
        reply=reply_line(DELIVERED, outcome.decision_id),
        hop_reply=said,
        queue_id=queue_id(said),
    )


def _answer(handed_on: Sequence[Outcome]) -> str:
    """The reply for a message that somebody may get: the rules 2 to 4 above."""
    for state in (State.DEFERRED, State.REJECTED):
        for outcome in handed_on:
            if outcome.state is state:
                return outcome.reply
    return handed_on[0].reply
