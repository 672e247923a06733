"""What is a decision? The action, who settled it, what the sender is told, and the way there."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from mailreeve.policy.model.content import SpamTag
from mailreeve.policy.model.policies import AddressType, WebEntry
from mailreeve.policy.model.policy_types import Layer, PolicyType, SmtpReply
from mailreeve.policy.model.trace import Candidate, Step, WebCandidate


class Action(StrEnum):
    """What becomes of the message for this recipient.

    Whoever asks whether somebody gets it reads this: a reply is only what is told. Where each action is treated in
    a way of its own, the last branch is `assert_never`, so that mypy names all such places to whoever adds one.
    """

    REJECT = "reject"
    DELIVER = "deliver"
    HOLD = "hold"


class Stage(StrEnum):
    """When in the SMTP session the refusal is certain (behaviour.md section 1)."""

    CONNECT = "connect"
    RCPT = "rcpt"
    DATA = "data"


class SpamChecks(StrEnum):
    """Whether a spam engine behind us should look at the message. Virus checks always run."""

    RUN = "run"
    SKIP = "skip"


class Winner(Struct, frozen=True, gc=False):
    """The policy or personal entry that took its type."""

    id: str
    description: str


class FieldAlteration(Struct, frozen=True, gc=False):
    """One rewrite that alteration would do to one address field. Addresses are as written."""

    definition_id: str
    set_id: str
    field: AddressType
    original: str
    new: str


class Decision(Struct, frozen=True, gc=False):
    """The answer for one message and one recipient.

    `action` is what becomes of it; `reply` is what the sender is told of a refusal, None where it is taken.
    `certain` is False when the header is still unknown and could change the action, or the spam checks and
    recipient of a delivery (D-07); such a decision must not be acted upon. `stage` is when the session gives the
    refusal, None where it is taken. `recipient` is the effective, that is possibly rewritten, envelope recipient.
    `winners` holds one entry per policy type, None where nothing applied. `description` is that of the policy
    which settled it, to be kept with the message (D-35). `steps` says what each layer found, in order; what came
    of it is the decision itself. `tag` is what a copy says that is delivered in spite of a spam engine's verdict.
    """

    action: Action
    stage: Stage | None
    reply: SmtpReply | None
    layer: Layer
    spam_checks: SpamChecks
    recipient: str
    winners: dict[PolicyType, Winner | None]
    revision: int
    certain: bool = True
    description: str = ""
    alterations: tuple[FieldAlteration, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    steps: tuple[Step, ...] = ()
    tag: SpamTag | None = None

    @property
    def refusal(self) -> SmtpReply:
        """The reply of a decision that rejects. Raises `ValueError` for any other."""
        if self.action is not Action.REJECT or self.reply is None:
            raise ValueError(f"{self.action.value} is told no refusal")
        return self.reply


class WebVerdict(StrEnum):
    """What becomes of a web request. `none` is no opinion: other rules decide."""

    ALLOW = "allow"
    BLOCK = "block"
    NONE = "none"


class WebDecision(Struct, frozen=True, gc=False):
    """The answer for one web request. `policy_id` and `entry` are None when there is no opinion."""

    verdict: WebVerdict
    policy_id: str | None
    entry: WebEntry | None
    url: str
    revision: int
    candidates: tuple[WebCandidate, ...] = ()
