"""The items and answers of the explain endpoints (design.md section 7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, field

from mailreeve.formats.malformed import Flaw
from mailreeve.formats.weburls import MAX_URL
from mailreeve.policy.model.authentication import Result
from mailreeve.policy.model.content import SpamAction
from mailreeve.policy.model.decisions import Action, SpamChecks, Stage, WebVerdict
from mailreeve.policy.model.facts import MAX_HEADER_OCTETS
from mailreeve.policy.model.identities import StandInKind
from mailreeve.policy.model.policies import AddressType, FromPart, WebAction, WebEntryType
from mailreeve.policy.model.policy_types import Layer, PolicyType
from mailreeve.wire.items import ForeignText, MaybeEmpty, longest


class ExplainMessage(Struct, frozen=True, rename="camel"):
    """A message to explain, real or imagined. An empty `from_` is the null sender.

    `header_from` is the text of the From header; an empty one stands for a message without any. Where it is not
    given the header names the envelope sender, as in ordinary mail; a bounce has no author to name. Without `at`
    the time is now. `policy_id` names a policy or personal entry that was expected to win: the answer then says
    what became of it.

    `spf`, `dkim` and `dmarc` are what was found of these, `pass` or `fail` and the like, with the domain that each
    is about; a domain that is left out is that of the envelope sender for SPF, and that of the first author for
    the others. Where none of them is given nobody said anything.

    `spam_score` and `spam_action` are what a spam engine would say of it; of one alone, the other is as rspamd has
    it where nothing is set. `virus` is what an antivirus would find, `malformed` what would be broken in its form.
    Without any of them the content is not looked at.
    """

    from_: MaybeEmpty = field(name="from")
    to: str
    header_from: Annotated[ForeignText, longest(MAX_HEADER_OCTETS)] | None = None
    source_ip: str | None = None
    at: str | None = None
    policy_id: str | None = None
    spf: Result | None = None
    spf_domain: str | None = None
    dkim: Result | None = None
    dkim_domain: str | None = None
    dmarc: Result | None = None
    dmarc_domain: str | None = None
    spam_score: Annotated[float, Meta(ge=-100_000, le=100_000)] | None = None
    spam_action: SpamAction | None = None
    virus: str | None = None
    malformed: Sequence[Flaw] = ()


class ExpectedAnswer(Struct, frozen=True):
    """What became of the policy that was asked about: whether it applied, whether it then won its type, and why
    or why not in one sentence."""

    id: str
    description: str
    applied: bool
    won: bool
    sentence: str


class WinnerAnswer(Struct, frozen=True):
    """The policy or personal entry that took its type."""

    id: str
    description: str


class AlterationAnswer(Struct, frozen=True, rename="camel"):
    """One rewrite of an address. The set is empty for a definition in the root."""

    definition_id: str
    address_alteration_set_id: str
    address_type: AddressType
    original_address: str
    new_address: str


class StandInAnswer(Struct, frozen=True):
    """An address that stands for another one, as an alias or because it has a tag."""

    address: str
    kind: StandInKind
    of: str


class CandidateAnswer(Struct, frozen=True, rename="camel"):
    """One policy that was considered. `failed` is the first test that it did not pass, null where it applied;
    `place` is 1 for the winner of its type. Of two that applied the one with the higher `sort_key` won.
    `stand_ins` lead from an address of the message to the one that the policy names, where that is another one."""

    type: PolicyType
    id: str
    description: str
    effect: str
    failed: str | None
    sort_key: Sequence[float]
    place: int
    part: FromPart | None
    swapped: bool
    note: str
    stand_ins: Sequence[StandInAnswer] = ()


class Verdict(StrEnum):
    """What becomes of the message for this recipient."""

    # The published name of an `Action`: clients have the schema under it.
    REJECT = Action.REJECT.value
    DELIVER = Action.DELIVER.value
    HOLD = Action.HOLD.value


class MessageExplanation(Struct, frozen=True, rename="camel"):
    """What becomes of a message for one recipient, and why. `smtp_reply` is null for a delivery.

    `alterations` are those that the delivered copy shows, of the envelope and of the From header; where the
    message is refused, those that it would have.

    `description` is that of the policy which settled the verdict; `steps` tell in sentences what was taken
    for granted and what each layer found. `expected` is there when a policy was asked about. `tagged`
    is there, and true, where the copy is delivered with what a spam engine said of it.
    """

    verdict: Verdict
    stage: Stage | None
    smtp_reply: str | None
    layer: Layer
    spam_checks: SpamChecks
    recipient: str
    winners: Mapping[PolicyType, WinnerAnswer | None]
    alterations: Sequence[AlterationAnswer]
    trace: Sequence[CandidateAnswer]
    revision: int
    description: str
    steps: Sequence[str]
    expected: ExpectedAnswer | UnsetType = UNSET
    tagged: bool | UnsetType = UNSET


class ExplainWeb(Struct, frozen=True, rename="camel"):
    """A web request to explain. Without a user it is whoever has the address `source_ip`, if that is known; for
    nobody only what holds for everyone applies. `policy_id` names a web list, an entry of one, or a temporary
    allow that was expected to win. In the place of `url` and the rest, `decision_id` names a decision of a door:
    the question is what would become of the same request now."""

    url: Annotated[MaybeEmpty, longest(MAX_URL)] | None = None
    user: str | None = None
    source_ip: str | None = None
    at: str | None = None
    policy_id: str | None = None
    decision_id: str | None = None


class EntryAnswer(Struct, frozen=True):
    """An entry of a web list, in the form in which it is compared."""

    id: str
    type: WebEntryType
    value: str
    action: WebAction


class WebCandidateAnswer(Struct, frozen=True, rename="camel"):
    """One entry that was considered; members as in `CandidateAnswer`. `entry` is null for what a list blocks by
    default. The ids of a temporary allow are both its own."""

    policy_id: str
    description: str
    entry: EntryAnswer | None
    failed: str | None
    sort_key: Sequence[float]
    place: int
    note: str


class WebExplanation(Struct, frozen=True, rename="camel"):
    """What becomes of a web request, and why. `url` is the URL as it was compared; `expected` is there when a list
    or entry was asked about. Of a block without an `entry` a default deny says so."""

    verdict: WebVerdict
    policy_id: str | None
    entry: EntryAnswer | None
    trace: Sequence[WebCandidateAnswer]
    revision: int
    url: str
    expected: ExpectedAnswer | UnsetType = UNSET
