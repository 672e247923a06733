"""What is a decision? The action, who settled it, what the sender is told, and the way there."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from mailreeve.formats.addresses import Sender
from mailreeve.formats.networks import IPAddress
from mailreeve.policy.model.identities import StandIn
from mailreeve.policy.model.policies import AddressType, FromPart, WebAction, WebEntry
from mailreeve.policy.model.policy_types import Layer, PolicyType, SmtpReply
from mailreeve.policy.model.trace import Effect, GroupPath, TieBreaker, Unmet, WebUnmet


class Action(StrEnum):
    """What becomes of the message for this recipient.

    Whoever asks whether somebody gets it reads this: a reply is only what is told. Where each action is treated in
    a way of its own, the last branch is `assert_never`, so that mypy names all such places to whoever adds one.
    """

    REJECT = "reject"
    DELIVER = "deliver"


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


class Candidate(Struct, frozen=True, gc=False):
    """One policy that a decision considered.

    `failed` is the first test that it did not pass, or None when it applied.
    `sort_key` is the order of D-10 and D-11, highest first; `place` is 1 for the winner of the
    type and 0 for a policy that did not apply. `part` is the sender address that matched.
    `stand_ins` are the steps from an address of the message to one that the policy names (D-53), where that is
    another one, and `groups` how addresses belong to groups that it names. `tie` is what put the winner of the
    type before it, where they are equally narrow.
    """

    type: PolicyType
    id: str
    description: str
    effect: Effect
    failed: Unmet | None
    sort_key: tuple[float | str, ...]
    place: int
    part: FromPart | None = None
    is_reversed: bool = False
    stand_ins: tuple[StandIn, ...] = ()
    groups: tuple[GroupPath, ...] = ()
    tie: TieBreaker | None = None


class Survey(Struct, frozen=True, gc=False):
    """What came of looking through the policies of one type, or the entries of one list.

    Of `total`, so many `applied`, the first of which is the `winner`; `left_out` are not among the candidates.
    In a large account `all_tested` is False: those that applied are counted among those that were looked at.
    """

    winner: Candidate | None
    applied: int
    total: int
    left_out: int
    all_tested: bool


class AssumedHeader(Struct, frozen=True, gc=False):
    """Nobody said what the From header is: it is taken to name the sender, and a bounce to have none."""

    sender: Sender


class RelayFinding(Struct, frozen=True, gc=False):
    """What the relay check looked at. `source` is None if unknown; `trusted` says whether it is, or is taken as, a
    relay network."""

    to_internal: bool
    source: IPAddress | None
    trusted: bool


class RecipientFinding(Struct, frozen=True, gc=False):
    """What recipient validation looked at: whether the domain is internal, whether it takes known recipients only,
    and whether this one is in the directory."""

    is_internal: bool
    known_only: bool
    is_known: bool


class StandInsFinding(Struct, frozen=True, gc=False):
    """For whom the addresses of the message stand, step by step (D-53)."""

    stand_ins: tuple[StandIn, ...]


class PoliciesFinding(Struct, frozen=True, gc=False):
    """What the policies of a type say. `at_root` counts the alterations by definitions that need no policy."""

    type: PolicyType
    survey: Survey
    at_root: int = 0


class EffectiveRecipient(Struct, frozen=True, gc=False):
    """To whom the message would go."""

    recipient: str


class PersonalFinding(Struct, frozen=True, gc=False):
    """What the personal list of this owner says."""

    owner: str
    survey: Survey


class FreeMailList(Struct, frozen=True, gc=False):
    """Which list of free-mail domains is in force (D-44), empty if it has no version."""

    version: str


class UnknownHeader(Struct, frozen=True, gc=False):
    """The From header is not known yet, and whether the decision is certain all the same (D-07)."""

    certain: bool


Step = (
    AssumedHeader
    | RelayFinding
    | RecipientFinding
    | StandInsFinding
    | PoliciesFinding
    | EffectiveRecipient
    | PersonalFinding
    | FreeMailList
    | UnknownHeader
)
"""What one layer found on the way to a decision, or what was taken for granted."""


class FieldAlteration(Struct, frozen=True, gc=False):
    """One rewrite that alteration would do to one address field. Addresses are as written."""

    definition_id: str
    set_id: str
    field: AddressType
    original: str
    new: str


class Decision(Struct, frozen=True, gc=False):
    """The answer for one message and one recipient.

    `action` is what becomes of it; `reply` is what the sender is told of a refusal, None for a delivery.
    `certain` is False when the header is still unknown and could change the action, or the spam checks and
    recipient of a delivery (D-07); such a decision must not be acted upon. `stage` is when the session gives the
    refusal, None for a delivery. `recipient` is the effective, that is possibly rewritten, envelope recipient.
    `winners` holds one entry per policy type, None where nothing applied. `description` is that of the policy
    which settled it, to be kept with the message (D-35). `steps` says what each layer found, in order; what came
    of it is the decision itself.
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


class WebCandidate(Struct, frozen=True, gc=False):
    """One entry of one web list that a decision considered; fields as in `Candidate`. `is_tied` says that it is as
    narrow as the winner."""

    policy_id: str
    description: str
    entry: WebEntry
    action: WebAction
    failed: Unmet | WebUnmet | None
    sort_key: tuple[float | str, ...]
    place: int
    stand_ins: tuple[StandIn, ...] = ()
    is_tied: bool = False


class WebDecision(Struct, frozen=True, gc=False):
    """The answer for one web request. `policy_id` and `entry` are None when there is no opinion."""

    verdict: WebVerdict
    policy_id: str | None
    entry: WebEntry | None
    url: str
    revision: int
    candidates: tuple[WebCandidate, ...] = ()
