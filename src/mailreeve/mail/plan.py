"""What is to be done with a message at the end of its data? A plan of steps, which a door carries out.

The steps are values. The same plan is made under every door, so what holds for one holds for the other.
"""

from __future__ import annotations

from msgspec import Struct

from mailreeve.families.machinery.copies import Copy, HoldCause, Routed
from mailreeve.families.managed_senders.auto_allow import Correspondence
from mailreeve.families.tracking.outcomes import Outcome
from mailreeve.formats.addresses import Address, Sender
from mailreeve.formats.message import Content, Message
from mailreeve.mail.edits import Edits, apply
from mailreeve.policy.model.decisions import Decision
from mailreeve.policy.model.policy_types import SmtpReply


def reply_line(reply: SmtpReply, decision_id: str) -> str:
    """The reply as it goes to the sender: code, enhanced code, text, decision id (behaviour.md D-17)."""
    return f"{reply} [{decision_id}]"


class Reject(Struct, frozen=True):
    """The recipient does not get the message. `decision` is None where no policy, but a limit, refuses."""

    recipient: Address
    reply: SmtpReply
    decision_id: str
    decision: Decision | None = None


class Deliver(Struct, frozen=True):
    """These recipients get the very same copy. `sender` is the envelope sender after alteration. `is_utf8` says
    that alteration made the header one that needs SMTPUTF8 (RFC 6531). `passes` says that it is a copy of our
    own that comes back while it is handed on (`released`): its outcome is recorded, and it is archived,
    elsewhere."""

    account_id: str
    decision_id: str
    sender: Sender
    recipients: tuple[Routed, ...]
    edits: Edits
    is_utf8: bool = False
    passes: bool = False

    def content(self, message: Message, on_top: bytes) -> Content:
        """The copy they get; `on_top` are the door's own trace fields."""
        return apply(message, self.edits, on_top=on_top)


class Hold(Struct, frozen=True):
    """The copy that these recipients would get is kept here. Members as in `Deliver`; `cause` says why."""

    account_id: str
    decision_id: str
    sender: Sender
    recipients: tuple[Routed, ...]
    edits: Edits
    cause: HoldCause
    is_utf8: bool = False

    def copy(self, message: Message, on_top: bytes) -> Copy:
        """The copy that is kept; `on_top` are the door's own trace fields."""
        content = apply(message, self.edits, on_top=on_top)
        return Copy(self.account_id, self.decision_id, self.sender, self.recipients, content, self.is_utf8)


class Record(Struct, frozen=True):
    """Keep these outcomes, those of recipients refused at RCPT among them.

    Deliveries stand as `accepted`. A door that also learns how they ended records that instead.
    """

    outcomes: tuple[Outcome, ...]


Step = Reject | Deliver | Hold | Record


class Plan(Struct, frozen=True):
    """The steps for one message, in the order to carry them out. There is one `Record`, at the end.
    `correspondence` says whose answers are expected once the message is taken for them; it is kept with the
    outcomes."""

    message: Message
    steps: tuple[Step, ...]
    correspondence: Correspondence | None = None

    @property
    def deliveries(self) -> tuple[Deliver, ...]:
        """The copies to hand on."""
        return tuple(step for step in self.steps if isinstance(step, Deliver))

    @property
    def holds(self) -> tuple[Hold, ...]:
        """The copies to keep."""
        return tuple(step for step in self.steps if isinstance(step, Hold))

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What to record."""
        return tuple(o for step in self.steps if isinstance(step, Record) for o in step.outcomes)

    @property
    def recorded(self) -> tuple[Outcome, ...]:
        """Those of `outcomes` that are to be kept: not of copies that pass."""
        passing = {step.decision_id for step in self.deliveries if step.passes}
        return tuple(o for o in self.outcomes if o.decision_id not in passing)

    @property
    def refusal(self) -> str | None:
        """The reply for the whole message where nobody gets it (D-13): that of the first refusal."""
        if self.deliveries or self.holds:
            return None
        return next((reply_line(s.reply, s.decision_id) for s in self.steps if isinstance(s, Reject)), None)
