"""The items and answers of the functions that read records of mail: ours, and message-finder's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import UNSET, Struct, UnsetType, field

from mailreeve.families.tracking.outcomes import State
from mailreeve.formats.malformed import Flaw
from mailreeve.policy.model.authentication import Result
from mailreeve.policy.model.content import SpamAction
from mailreeve.policy.model.decisions import SpamChecks, Stage
from mailreeve.policy.model.policies import AddressType
from mailreeve.wire.items import MaybeEmpty, longest


class Criteria(Struct, frozen=True, rename="camel", kw_only=True):
    """What records are asked for; a member that is left out asks for nothing.

    - `from_` and `to` are an address or a domain, `bad.test` or `@bad.test`, which means exactly that domain. A
      sender is whoever stands in the envelope or in the From header; empty, or `<>`, is the null sender
    - `id` is a decision id as in the SMTP reply, its beginning, or a reply that holds one
    - `message_id` is that of the header, with or without brackets, `queue_id` the id that the next hop gave
    - `policy_id` is the policy or personal entry that settled the verdict
    """

    from_: MaybeEmpty | None = field(name="from", default=None)
    to: str | None = None
    id: str | None = None
    message_id: str | None = None
    queue_id: str | None = None
    policy_id: str | None = None
    source_ip: str | None = None
    verdict: State | None = None


class FindMailRecords(Criteria, frozen=True, rename="camel", kw_only=True):
    """Which records to list, the newest first or the oldest.

    `since` and `until` are a time or how long ago (`7d`, `12h`, `30m`) and are about when the record was made,
    which is when its outcome stood. `exclude` are criteria of which a record shall meet none. `after` is the id of
    a record: only what was recorded later is listed.
    """

    since: str | None = None
    until: str | None = None
    exclude: Sequence[Criteria] = ()
    after: str | None = None
    oldest_first: bool = False


class OneMailRecord(Struct, frozen=True, rename="camel", kw_only=True):
    """Which decision to show: by `id`, which is a decision id, its beginning, an SMTP reply that holds one, or the
    id of a record; or by `message_id`, the newest first."""

    id: Annotated[str, longest(1_000)] | None = None
    message_id: str | None = None


class PolicyOfRecord(Struct, frozen=True):
    """A policy as it was called when it won. It may be gone by now; while it is there, `id` is what the functions
    of its family take."""

    type: str
    id: str
    description: str


class MailRecord(Struct, frozen=True, rename="camel", kw_only=True):
    """What became of one message for one recipient. Members as in `outcomes.Outcome`; `at` is when it was
    recorded.

    `policy` is the one that settled the verdict. Of a source that was refused at connect, `from_` and `to` are
    null.
    """

    id: str
    decision_id: str
    at: str
    verdict: State
    stage: Stage | None
    from_: str | None = field(name="from")
    to: str | None
    header_from: str | None
    subject: str
    message_id: str
    source_ip: str
    client_name: str
    size: int
    layer: str
    reply: str
    policy: PolicyOfRecord | None
    queue_id: str
    revision: int


class RecordedSymbol(Struct, frozen=True):
    """One test of a spam engine that the message met, and what it added to the score."""

    name: str
    score: float


class RecordedSpam(Struct, frozen=True, rename="camel"):
    """What a spam engine said of the message: `required` is the score from which it rejects, `symbols` are the
    weightiest few. `was_put_off` says that the message had come before."""

    action: SpamAction
    score: float
    required: float
    symbols: Sequence[RecordedSymbol]
    virus: str
    was_put_off: bool


class RecordedAlteration(Struct, frozen=True, rename="camel"):
    """One rewrite of an address, as it was done."""

    definition_id: str
    address_alteration_set_id: str
    address_type: AddressType
    original_address: str
    new_address: str


class SignatureOfRecord(Struct, frozen=True, rename="camel"):
    """A DKIM signature: what checking it came to, and the domain that signed, empty where that was not known."""

    result: Result
    domain: str


class AuthenticationOfRecord(Struct, frozen=True, rename="camel"):
    """What was known of who sent a message; a result is null where nobody said any."""

    spf: Result | None
    spf_domain: str
    dkim: Sequence[SignatureOfRecord]
    dmarc: Result | None
    dmarc_domain: str


class Today(Struct, frozen=True, rename="camel", kw_only=True):
    """What the policies of now would make of a message with these facts. Nothing was done by it.

    `verdict` is `rejected`, `deferred`, `held` or `delivered`; null where it cannot be told, `undetermined` says
    why.
    `differs` says whether it is another verdict than that of then, or by another policy.
    """

    revision: int
    verdict: State | None
    reply: str | None
    layer: str
    policy: PolicyOfRecord | None
    spam_checks: SpamChecks
    recipient: str
    differs: bool
    undetermined: str


class MailRecordDetail(MailRecord, frozen=True, rename="camel", kw_only=True):
    """All that is kept of it.

    `began` is when the message began, the time that its policies were asked for. `effective_from` and
    `effective_to` are the envelope after alteration. `winners` are the policies that won their types.
    `next_hop_reply` is what the next hop said when it took the message. `login` is as whom the client signed in,
    says a server in front; `not_learnt` says why the answer of a recipient outside is not expected, where that is
    because another one is signed in than the sender. `header_cut` says that of the From header only the beginning
    was kept. `authentication` is null where nobody is asked, and of what was refused before its content. `spam` is
    null where no spam engine said anything; if one was to, `not_scanned` says why. `malformed` says what was
    broken in the form of the message.
    """

    began: str
    effective_from: str | None
    effective_to: str | None
    winners: Sequence[PolicyOfRecord]
    alterations: Sequence[RecordedAlteration]
    spam_checks: SpamChecks
    next_hop_reply: str
    login: str
    not_learnt: str
    header_cut: bool
    authentication: AuthenticationOfRecord | None
    spam: RecordedSpam | None
    not_scanned: str
    malformed: Sequence[Flaw]
    today: Today


class TrackOptions(Struct, frozen=True, rename="camel", kw_only=True):
    """What message-finder searches for besides a Message-ID. `url` is not recorded, and asks for nothing here."""

    from_: MaybeEmpty | None = field(name="from", default=None)
    to: str | None = None
    subject: str | None = None
    sender_ip: str | None = field(name="senderIP", default=None)
    url: str | None = None
    route: Sequence[str] | str = ()


class SearchMessages(Struct, frozen=True, rename="camel", kw_only=True):
    """A search of message-finder (api.md section 3.12): exactly one of `message_id` and the options."""

    message_id: str | None = None
    advanced_track_and_trace_options: TrackOptions | None = None
    start: str | None = None
    end: str | None = None
    search_reason: str | None = None
    attachments: bool = False
    route: Sequence[str] | str = ()
    status: Sequence[str] | str = ()


class AskSiemLogs(Struct, frozen=True, rename="camel"):
    """Which file of the log to hand out: the one after that whose answer had the `token`. `type` is `MTA`,
    `file_format` is `key_value` or `json`; `compress` asks for an archive with a file for each kind of log."""

    type: str = "MTA"
    file_format: str | None = None
    compress: bool = False
    token: str | None = None


class NamedAddress(Struct, frozen=True, rename="camel"):
    """An address with the name that stands beside it."""

    email_address: str
    displayable_name: str = ""


class EnvelopeAddress(Struct, frozen=True, rename="camel"):
    """An address of the envelope."""

    email_address: str


class TrackedEmail(Struct, frozen=True, rename="camel", kw_only=True):
    """A message that was found, for one recipient."""

    id: str
    status: str
    info: str
    from_env: EnvelopeAddress
    from_hdr: NamedAddress
    to: Sequence[NamedAddress]
    received: str
    sent: str
    subject: str
    sender_ip: str = field(name="senderIP")
    attachments: bool = False
    route: str
    spam_score: int = 0
    detection_level: str = ""


class FoundMessages(Struct, frozen=True, rename="camel"):
    """The messages that were found, the newest first."""

    tracked_emails: Sequence[TrackedEmail]


class OneMessage(Struct, frozen=True):
    """A message that a search found."""

    id: str


class MessageInfo(Struct, frozen=True, rename="camel", kw_only=True):
    """What is known of a message: its header and envelope, when it came and how."""

    from_header: str
    from_envelope: str
    to: Sequence[str]
    cc: Sequence[str] = ()
    subject: str
    sent: str
    processed: str
    transmission_info: str


class MetaInfo(Struct, frozen=True, rename="camel", kw_only=True):
    """How the message came, or went on."""

    remote_ip: str
    remote_host: str
    transmission_start: str
    transmission_end: str
    transmission_size: int
    processing_server: str = ""
    receipt_event: str
    receipt_acknowledgement: str
    message_id: str


class RecipientInfo(Struct, frozen=True, rename="camel"):
    """The message as it came."""

    message_info: MessageInfo
    recipient_meta_info: MetaInfo
    tx_info: MetaInfo


class AppliedPolicy(Struct, frozen=True, rename="camel"):
    """A policy that applied."""

    policy_type: str
    policy_name: str
    inherited: bool = False


class DeliveredMessage(Struct, frozen=True, rename="camel"):
    """The message as a recipient has it, and which policies applied."""

    message_info: MessageInfo
    policy_info: Sequence[AppliedPolicy]
    delivery_meta_info: MetaInfo


class Allowance(Struct, frozen=True):
    """Whether a permit applied, and which: `none`, `whitelist`, or `ignored`, one that spared nothing."""

    allow: bool
    info: str


class SpamProcessing(Struct, frozen=True, rename="camel"):
    """What is known of spam checks: whether a permit spared the message those. Of SPF, DKIM and DMARC `allow` says
    that it passed, `info` what it came to."""

    permitted_sender: Allowance
    managed_sender: Allowance
    rbl: Allowance = Allowance(allow=False, info="none")
    grey_email: bool = False
    spf: Allowance = Allowance(allow=False, info="none")
    dkim: Allowance = Allowance(allow=False, info="none")
    dmarc: Allowance = Allowance(allow=False, info="none")


class SpamInfo(Struct, frozen=True, rename="camel"):
    """The score of the spam engine, 0 where none was asked, and what led to it."""

    spam_processing_detail: SpamProcessing
    spam_score: int = 0
    detection_level: str = ""


class Retention(Struct, frozen=True, rename="camel"):
    """How long a message is kept that is in the archive (`is_archived`, which is ours), or else what is known of
    it: for how many days, 0 for good, and until when; `current_purge_date` is empty where it is not removed, for
    good or while it is under legal hold, which `litigation_hold_info` says. Of stamps and tags there are none
    here."""

    retention_adjustment_days: int
    purge_based_on: str
    current_purge_date: str
    is_archived: bool
    litigation_hold_info: Sequence[str] = ()
    fbr_stamps: Sequence[str] = ()
    fbr_expire_check: Sequence[str] = ()
    smart_tags: Sequence[str] = ()
    audits: Sequence[str] = ()


class MessageFound(Struct, frozen=True, rename="camel", kw_only=True):
    """All that is known of a message (api.md section 3.12). `delivered_message` is by recipient, of those who have
    it; `policy_info` is ours, the policies that applied whatever became of it."""

    id: str
    status: str
    recipient_info: RecipientInfo
    delivered_message: dict[str, DeliveredMessage] | UnsetType = UNSET
    retention_info: Retention
    spam_info: SpamInfo
    policy_info: Sequence[AppliedPolicy] = ()
