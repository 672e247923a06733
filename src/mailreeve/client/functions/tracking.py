"""The functions of tracking. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

from mailreeve.client.api import given

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class Allowance(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether a permit applied, and which: `none`, `whitelist`, or `ignored`, one that spared nothing."""

    allow: bool = False
    info: str = ""


class AppliedPolicy(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"policy_type": "policyType", "policy_name": "policyName"},
):
    """A policy that applied."""

    policy_type: str = ""
    policy_name: str = ""
    inherited: bool = False


class AuthenticationOfRecord(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"spf_domain": "spfDomain", "dmarc_domain": "dmarcDomain"},
):
    """What was known of who sent a message; a result is null where nobody said any."""

    spf: str | None = None
    spf_domain: str = ""
    dkim: tuple[SignatureOfRecord, ...] = ()
    dmarc: str | None = None
    dmarc_domain: str = ""


class Contact(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"email_address": "emailAddress"}):
    """An address that the caller wrote to: how often, and by which name it is known here, empty for none."""

    email_address: str = ""
    name: str = ""
    count: int = 0


class Contacts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Those whom the caller writes to most, the most frequent first."""

    contacts: tuple[Contact, ...] = ()


class Criteria(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "from_": "from",
        "message_id": "messageId",
        "queue_id": "queueId",
        "policy_id": "policyId",
        "source_ip": "sourceIp",
    },
):
    """What records are asked for; a member that is left out asks for nothing. - `from_` and `to` are an
    address or a domain, `bad.test` or `@bad.test`, which means exactly that domain. A sender is whoever
    stands in the envelope or in the From header; empty, or `<>`, is the null sender - `id` is a decision id
    as in the SMTP reply, its beginning, or a reply that holds one - `message_id` is that of the header,
    with or without brackets, `queue_id` the id that the next hop gave - `policy_id` is the policy or
    personal entry that settled the verdict
    """

    from_: str | None = None
    to: str | None = None
    id: str | None = None
    message_id: str | None = None
    queue_id: str | None = None
    policy_id: str | None = None
    source_ip: str | None = None
    verdict: (
        Literal[
            "connection",
            "rejected",
            "deferred",
            "accepted",
            "delivered",
            "held",
            "released",
            "bounced",
            "archived",
            "expired",
        ]
        | None
    ) = None


class DeliveredMessage(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"message_info": "messageInfo", "policy_info": "policyInfo", "delivery_meta_info": "deliveryMetaInfo"},
):
    """The message as a recipient has it, and which policies applied."""

    message_info: MessageInfo = field(default_factory=lambda: MessageInfo())
    policy_info: tuple[AppliedPolicy, ...] = ()
    delivery_meta_info: MetaInfo = field(default_factory=lambda: MetaInfo())


class EnvelopeAddress(
    Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"email_address": "emailAddress"}
):
    """An address of the envelope."""

    email_address: str = ""


class FoundMessages(
    Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"tracked_emails": "trackedEmails"}
):
    """The messages that were found, the newest first."""

    tracked_emails: tuple[TrackedEmail, ...] = ()


class MailRecord(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "decision_id": "decisionId",
        "from_": "from",
        "header_from": "headerFrom",
        "message_id": "messageId",
        "source_ip": "sourceIp",
        "client_name": "clientName",
        "queue_id": "queueId",
    },
):
    """What became of one message for one recipient. Members as in `outcomes.Outcome`; `at` is when it was
    recorded. `policy` is the one that settled the verdict. Of a source that was refused at connect, `from_`
    and `to` are null.
    """

    id: str = ""
    decision_id: str = ""
    at: str = ""
    verdict: str = ""
    stage: str | None = None
    from_: str | None = None
    to: str | None = None
    header_from: str | None = None
    subject: str = ""
    message_id: str = ""
    source_ip: str = ""
    client_name: str = ""
    size: int = 0
    layer: str = ""
    reply: str = ""
    policy: PolicyOfRecord | None = None
    queue_id: str = ""
    revision: int = 0


class MailRecordDetail(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "decision_id": "decisionId",
        "from_": "from",
        "header_from": "headerFrom",
        "message_id": "messageId",
        "source_ip": "sourceIp",
        "client_name": "clientName",
        "queue_id": "queueId",
        "effective_from": "effectiveFrom",
        "effective_to": "effectiveTo",
        "spam_checks": "spamChecks",
        "next_hop_reply": "nextHopReply",
        "not_learnt": "notLearnt",
        "header_cut": "headerCut",
        "not_scanned": "notScanned",
    },
):
    """All that is kept of it. `began` is when the message began, the time that its policies were asked for.
    `effective_from` and `effective_to` are the envelope after alteration. `winners` are the policies that
    won their types. `next_hop_reply` is what the next hop said when it took the message. `login` is as whom
    the client signed in, says a server in front; `not_learnt` says why the answer of a recipient outside is
    not expected, where that is because another one is signed in than the sender. `header_cut` says that of
    the From header only the beginning was kept. `authentication` is null where nobody is asked, and of what
    was refused before its content. `spam` is null where no spam engine said anything; if one was to,
    `not_scanned` says why. `malformed` says what was broken in the form of the message.
    """

    id: str = ""
    decision_id: str = ""
    at: str = ""
    verdict: str = ""
    stage: str | None = None
    from_: str | None = None
    to: str | None = None
    header_from: str | None = None
    subject: str = ""
    message_id: str = ""
    source_ip: str = ""
    client_name: str = ""
    size: int = 0
    layer: str = ""
    reply: str = ""
    policy: PolicyOfRecord | None = None
    queue_id: str = ""
    revision: int = 0
    began: str = ""
    effective_from: str | None = None
    effective_to: str | None = None
    winners: tuple[PolicyOfRecord, ...] = ()
    alterations: tuple[RecordedAlteration, ...] = ()
    spam_checks: str = ""
    next_hop_reply: str = ""
    login: str = ""
    not_learnt: str = ""
    header_cut: bool = False
    authentication: AuthenticationOfRecord | None = None
    spam: RecordedSpam | None = None
    not_scanned: str = ""
    malformed: tuple[str, ...] = ()
    today: Today = field(default_factory=lambda: Today())


class MessageFound(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "recipient_info": "recipientInfo",
        "delivered_message": "deliveredMessage",
        "retention_info": "retentionInfo",
        "spam_info": "spamInfo",
        "policy_info": "policyInfo",
    },
):
    """All that is known of a message. `delivered_message` is by recipient, of those who have it; `policy_info`
    is ours, the policies that applied whatever became of it.
    """

    id: str = ""
    status: str = ""
    recipient_info: RecipientInfo = field(default_factory=lambda: RecipientInfo())
    delivered_message: Mapping[str, DeliveredMessage] | None = None
    retention_info: Retention = field(default_factory=lambda: Retention())
    spam_info: SpamInfo = field(default_factory=lambda: SpamInfo())
    policy_info: tuple[AppliedPolicy, ...] = ()


class MessageInfo(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"from_header": "fromHeader", "from_envelope": "fromEnvelope", "transmission_info": "transmissionInfo"},
):
    """What is known of a message: its header and envelope, when it came and how."""

    from_header: str = ""
    from_envelope: str = ""
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    subject: str = ""
    sent: str = ""
    processed: str = ""
    transmission_info: str = ""


class MetaInfo(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "remote_ip": "remoteIp",
        "remote_host": "remoteHost",
        "transmission_start": "transmissionStart",
        "transmission_end": "transmissionEnd",
        "transmission_size": "transmissionSize",
        "processing_server": "processingServer",
        "receipt_event": "receiptEvent",
        "receipt_acknowledgement": "receiptAcknowledgement",
        "message_id": "messageId",
    },
):
    """How the message came, or went on."""

    remote_ip: str = ""
    remote_host: str = ""
    transmission_start: str = ""
    transmission_end: str = ""
    transmission_size: int = 0
    processing_server: str = ""
    receipt_event: str = ""
    receipt_acknowledgement: str = ""
    message_id: str = ""


class NamedAddress(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"email_address": "emailAddress", "displayable_name": "displayableName"},
):
    """An address with the name that stands beside it."""

    email_address: str = ""
    displayable_name: str = ""


class PolicyOfRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A policy as it was called when it won. It may be gone by now; while it is there, `id` is what the
    functions of its family take.
    """

    type: str = ""
    id: str = ""
    description: str = ""


class ProcessingFilter(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What narrows the list further. Of `attachments` nothing is known here, and nothing is asked by it."""

    route: str | None = None
    attachments: bool | None = None


class ProcessingMessage(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "from_env": "fromEnv",
        "from_header": "fromHeader",
        "remote_ip": "remoteIp",
        "next_attempt": "nextAttempt",
    },
):
    """A message that was put off, and of which nothing is recorded since: its sender's server has it, and will
    try again. Or a copy that waits here to be handed on: `origin` says what sends it, `attempts` how often
    it was tried, and `next_attempt` when it is next.
    """

    id: str = ""
    created: str = ""
    from_env: EnvelopeAddress = field(default_factory=lambda: EnvelopeAddress())
    from_header: NamedAddress = field(default_factory=lambda: NamedAddress())
    to: tuple[NamedAddress, ...] = ()
    subject: str = ""
    size: int = 0
    attachments: bool = False
    info: str = ""
    remote_ip: str = ""
    route: str = ""
    priority: str = ""
    origin: str | None = None
    attempts: int | None = None
    next_attempt: str | None = None


class ProcessingMessages(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The messages on their way that were found."""

    messages: tuple[ProcessingMessage, ...] = ()


class ProcessingSearch(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"field_name": "fieldName"}):
    """A text, in any case, that the field holds."""

    field_name: Literal["all", "fromAddress", "toAddress", "subject", "info", "remoteIp"] | None = None
    value: str | None = None


class RecipientInfo(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"message_info": "messageInfo", "recipient_meta_info": "recipientMetaInfo", "tx_info": "txInfo"},
):
    """The message as it came."""

    message_info: MessageInfo = field(default_factory=lambda: MessageInfo())
    recipient_meta_info: MetaInfo = field(default_factory=lambda: MetaInfo())
    tx_info: MetaInfo = field(default_factory=lambda: MetaInfo())


class RecordedAlteration(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "definition_id": "definitionId",
        "address_alteration_set_id": "addressAlterationSetId",
        "address_type": "addressType",
        "original_address": "originalAddress",
        "new_address": "newAddress",
    },
):
    """One rewrite of an address, as it was done."""

    definition_id: str = ""
    address_alteration_set_id: str = ""
    address_type: str = ""
    original_address: str = ""
    new_address: str = ""


class RecordedSpam(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"was_put_off": "wasPutOff"}):
    """What a spam engine said of the message: `required` is the score from which it rejects, `symbols` are the
    weightiest few. `was_put_off` says that the message had come before.
    """

    action: str = ""
    score: float = 0.0
    required: float = 0.0
    symbols: tuple[RecordedSymbol, ...] = ()
    virus: str = ""
    was_put_off: bool = False


class RecordedSymbol(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One test of a spam engine that the message met, and what it added to the score."""

    name: str = ""
    score: float = 0.0


class Rejection(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "from_env": "fromEnv",
        "from_hdr": "fromHdr",
        "remote_ip": "remoteIp",
        "remote_host": "remoteHost",
        "policy_info": "policyInfo",
        "decision_id": "decisionId",
    },
):
    """A message that was refused for one recipient. `type` is what refused it, `info` what the sender was
    told, and `policy_info` the policy that did, empty where none did.
    """

    id: str = ""
    created: str = ""
    from_env: EnvelopeAddress = field(default_factory=lambda: EnvelopeAddress())
    from_hdr: NamedAddress = field(default_factory=lambda: NamedAddress())
    to: NamedAddress = field(default_factory=lambda: NamedAddress())
    subject: str = ""
    type: str = ""
    info: str = ""
    remote_ip: str = ""
    remote_host: str = ""
    route: str = ""
    policy_info: str = ""
    decision_id: str = ""


class RejectionSearch(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"field_name": "fieldName"}):
    """A text, in any case, that the field holds."""

    field_name: Literal["all", "from", "to", "type", "info", "remoteIp"] | None = None
    value: str | None = None


class Rejections(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The rejections that were found."""

    rejections: tuple[Rejection, ...] = ()


class Retention(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "retention_adjustment_days": "retentionAdjustmentDays",
        "purge_based_on": "purgeBasedOn",
        "current_purge_date": "currentPurgeDate",
        "is_archived": "isArchived",
        "litigation_hold_info": "litigationHoldInfo",
        "fbr_stamps": "fbrStamps",
        "fbr_expire_check": "fbrExpireCheck",
        "smart_tags": "smartTags",
    },
):
    """How long a message is kept that is in the archive (`is_archived`, which is ours), or else what is known
    of it: for how many days, 0 for good, and until when; `current_purge_date` is empty where it is not
    removed, for good or while it is under legal hold, which `litigation_hold_info` says. Of stamps and tags
    there are none here.
    """

    retention_adjustment_days: int = 0
    purge_based_on: str = ""
    current_purge_date: str = ""
    is_archived: bool = False
    litigation_hold_info: tuple[str, ...] = ()
    fbr_stamps: tuple[str, ...] = ()
    fbr_expire_check: tuple[str, ...] = ()
    smart_tags: tuple[str, ...] = ()
    audits: tuple[str, ...] = ()


class SignatureOfRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A DKIM signature: what checking it came to, and the domain that signed, empty where that was not known."""

    result: str = ""
    domain: str = ""


class SpamInfo(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "spam_processing_detail": "spamProcessingDetail",
        "spam_score": "spamScore",
        "detection_level": "detectionLevel",
    },
):
    """The score of the spam engine, 0 where none was asked, and what led to it."""

    spam_processing_detail: SpamProcessing = field(default_factory=lambda: SpamProcessing())
    spam_score: int = 0
    detection_level: str = ""


class SpamProcessing(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"permitted_sender": "permittedSender", "managed_sender": "managedSender", "grey_email": "greyEmail"},
):
    """What is known of spam checks: whether a permit spared the message those. Of SPF, DKIM and DMARC `allow`
    says that it passed, `info` what it came to.
    """

    permitted_sender: Allowance = field(default_factory=lambda: Allowance())
    managed_sender: Allowance = field(default_factory=lambda: Allowance())
    rbl: Allowance = field(default_factory=lambda: Allowance())
    grey_email: bool = False
    spf: Allowance = field(default_factory=lambda: Allowance())
    dkim: Allowance = field(default_factory=lambda: Allowance())
    dmarc: Allowance = field(default_factory=lambda: Allowance())


class Today(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"spam_checks": "spamChecks"}):
    """What the policies of now would make of a message with these facts. Nothing was done by it. `verdict` is
    `rejected`, `deferred`, `held` or `delivered`; null where it cannot be told, `undetermined` says why.
    `differs` says whether it is another verdict than that of then, or by another policy.
    """

    revision: int = 0
    verdict: str | None = None
    reply: str | None = None
    layer: str = ""
    policy: PolicyOfRecord | None = None
    spam_checks: str = ""
    recipient: str = ""
    differs: bool = False
    undetermined: str = ""


class TrackOptions(
    Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"from_": "from", "sender_ip": "senderIP"}
):
    """What message-finder searches for besides a Message-ID. `url` is not recorded, and asks for nothing here."""

    from_: str | None = None
    to: str | None = None
    subject: str | None = None
    sender_ip: str | None = None
    url: str | None = None
    route: Sequence[str] | str | None = None


class TrackedEmail(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "from_env": "fromEnv",
        "from_hdr": "fromHdr",
        "sender_ip": "senderIP",
        "spam_score": "spamScore",
        "detection_level": "detectionLevel",
    },
):
    """A message that was found, for one recipient."""

    id: str = ""
    status: str = ""
    info: str = ""
    from_env: EnvelopeAddress = field(default_factory=lambda: EnvelopeAddress())
    from_hdr: NamedAddress = field(default_factory=lambda: NamedAddress())
    to: tuple[NamedAddress, ...] = ()
    received: str = ""
    sent: str = ""
    subject: str = ""
    sender_ip: str = ""
    attachments: bool = False
    route: str = ""
    spam_score: int = 0
    detection_level: str = ""


class TrackingFunctions:
    """What can be asked about tracking."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def get_siem_logs(
        self,
        *,
        type: str | None = None,
        file_format: str | None = None,
        compress: bool | None = None,
        token: str | None = None,
    ) -> bytes:
        """Hand out what became of mail, file by file, for a monitoring system."""
        return self._api.octets(
            "audit/get-siem-logs",
            given({"type": type, "fileFormat": file_format, "compress": compress, "token": token}),
        )

    def find_mail_records(
        self,
        *,
        from_: str | None = None,
        to: str | None = None,
        id: str | None = None,
        message_id: str | None = None,
        queue_id: str | None = None,
        policy_id: str | None = None,
        source_ip: str | None = None,
        verdict: Literal[
            "connection",
            "rejected",
            "deferred",
            "accepted",
            "delivered",
            "held",
            "released",
            "bounced",
            "archived",
            "expired",
        ]
        | None = None,
        since: str | None = None,
        until: str | None = None,
        exclude: Sequence[Criteria | Mapping[str, object]] | None = None,
        after: str | None = None,
        oldest_first: bool | None = None,
        page_size: int | None = None,
    ) -> Iterator[MailRecord]:
        """List records of mail, refusals included, by any of their fields."""
        return self._api.every_of(
            MailRecord,
            "ext/find-mail-records",
            {
                "from": from_,
                "to": to,
                "id": id,
                "messageId": message_id,
                "queueId": queue_id,
                "policyId": policy_id,
                "sourceIp": source_ip,
                "verdict": verdict,
                "since": since,
                "until": until,
                "exclude": exclude,
                "after": after,
                "oldestFirst": oldest_first,
            },
            page_size=page_size,
        )

    def get_mail_record(self, *, id: str | None = None, message_id: str | None = None) -> list[MailRecordDetail]:
        """Show a decision with all that is kept of it, and what would be decided today."""
        return self._api.all_of(MailRecordDetail, "ext/get-mail-record", {"id": id, "messageId": message_id})

    def search(
        self,
        *,
        message_id: str | None = None,
        advanced_track_and_trace_options: TrackOptions | Mapping[str, object] | None = None,
        start: str | None = None,
        end: str | None = None,
        search_reason: str | None = None,
        attachments: bool | None = None,
        route: Sequence[str] | str | None = None,
        status: Sequence[str] | str | None = None,
        page_size: int | None = None,
    ) -> Iterator[FoundMessages]:
        """Find messages by Message-ID, or by sender, recipient, subject, source and route."""
        return self._api.every_of(
            FoundMessages,
            "message-finder/search",
            {
                "messageId": message_id,
                "advancedTrackAndTraceOptions": advanced_track_and_trace_options,
                "start": start,
                "end": end,
                "searchReason": search_reason,
                "attachments": attachments,
                "route": route,
                "status": status,
            },
            page_size=page_size,
        )

    def get_message_info(self, *, id: str) -> MessageFound:
        """Show what is known of a message that a search found."""
        return self._api.one_of(MessageFound, "message-finder/get-message-info", {"id": id})

    def get_rejections(
        self,
        *,
        admin: bool | None = None,
        mailbox: str | None = None,
        include_delegates: bool | None = None,
        start: str | None = None,
        end: str | None = None,
        from_: str | None = None,
        to: str | None = None,
        oldest_first: bool | None = None,
        search_by: RejectionSearch | Mapping[str, object] | None = None,
        page_size: int | None = None,
    ) -> Iterator[Rejections]:
        """List messages that were refused: the caller's own, or everybody's."""
        return self._api.every_of(
            Rejections,
            "gateway/get-rejections",
            {
                "admin": admin,
                "mailbox": mailbox,
                "includeDelegates": include_delegates,
                "start": start,
                "end": end,
                "from": from_,
                "to": to,
                "oldestFirst": oldest_first,
                "searchBy": search_by,
            },
            page_size=page_size,
        )

    def find_processing_messages(
        self,
        *,
        type: Literal["processing", "bulk_processing"] | None = None,
        admin: bool | None = None,
        start: str | None = None,
        end: str | None = None,
        sort_order: Literal["asc", "desc"] | None = None,
        search_by: ProcessingSearch | Mapping[str, object] | None = None,
        filter_by: Sequence[ProcessingFilter | Mapping[str, object]] | None = None,
        page_size: int | None = None,
    ) -> Iterator[ProcessingMessages]:
        """List messages that were put off and not taken since, and copies that wait here."""
        return self._api.every_of(
            ProcessingMessages,
            "gateway/find-processing-messages",
            {
                "type": type,
                "admin": admin,
                "start": start,
                "end": end,
                "sortOrder": sort_order,
                "searchBy": search_by,
                "filterBy": filter_by,
            },
            page_size=page_size,
        )

    def get_most_used_contacts(self) -> Contacts:
        """Tell whom the caller writes to most, of late."""
        return self._api.one_of(Contacts, "user/get-most-used-contacts", {})


class AsyncTrackingFunctions:
    """What can be asked about tracking."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def get_siem_logs(
        self,
        *,
        type: str | None = None,
        file_format: str | None = None,
        compress: bool | None = None,
        token: str | None = None,
    ) -> bytes:
        """Hand out what became of mail, file by file, for a monitoring system."""
        return await self._api.octets(
            "audit/get-siem-logs",
            given({"type": type, "fileFormat": file_format, "compress": compress, "token": token}),
        )

    def find_mail_records(
        self,
        *,
        from_: str | None = None,
        to: str | None = None,
        id: str | None = None,
        message_id: str | None = None,
        queue_id: str | None = None,
        policy_id: str | None = None,
        source_ip: str | None = None,
        verdict: Literal[
            "connection",
            "rejected",
            "deferred",
            "accepted",
            "delivered",
            "held",
            "released",
            "bounced",
            "archived",
            "expired",
        ]
        | None = None,
        since: str | None = None,
        until: str | None = None,
        exclude: Sequence[Criteria | Mapping[str, object]] | None = None,
        after: str | None = None,
        oldest_first: bool | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[MailRecord]:
        """List records of mail, refusals included, by any of their fields."""
        return self._api.every_of(
            MailRecord,
            "ext/find-mail-records",
            {
                "from": from_,
                "to": to,
                "id": id,
                "messageId": message_id,
                "queueId": queue_id,
                "policyId": policy_id,
                "sourceIp": source_ip,
                "verdict": verdict,
                "since": since,
                "until": until,
                "exclude": exclude,
                "after": after,
                "oldestFirst": oldest_first,
            },
            page_size=page_size,
        )

    async def get_mail_record(
        self, *, id: str | None = None, message_id: str | None = None
    ) -> list[MailRecordDetail]:
        """Show a decision with all that is kept of it, and what would be decided today."""
        return await self._api.all_of(MailRecordDetail, "ext/get-mail-record", {"id": id, "messageId": message_id})

    def search(
        self,
        *,
        message_id: str | None = None,
        advanced_track_and_trace_options: TrackOptions | Mapping[str, object] | None = None,
        start: str | None = None,
        end: str | None = None,
        search_reason: str | None = None,
        attachments: bool | None = None,
        route: Sequence[str] | str | None = None,
        status: Sequence[str] | str | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[FoundMessages]:
        """Find messages by Message-ID, or by sender, recipient, subject, source and route."""
        return self._api.every_of(
            FoundMessages,
            "message-finder/search",
            {
                "messageId": message_id,
                "advancedTrackAndTraceOptions": advanced_track_and_trace_options,
                "start": start,
                "end": end,
                "searchReason": search_reason,
                "attachments": attachments,
                "route": route,
                "status": status,
            },
            page_size=page_size,
        )

    async def get_message_info(self, *, id: str) -> MessageFound:
        """Show what is known of a message that a search found."""
        return await self._api.one_of(MessageFound, "message-finder/get-message-info", {"id": id})

    def get_rejections(
        self,
        *,
        admin: bool | None = None,
        mailbox: str | None = None,
        include_delegates: bool | None = None,
        start: str | None = None,
        end: str | None = None,
        from_: str | None = None,
        to: str | None = None,
        oldest_first: bool | None = None,
        search_by: RejectionSearch | Mapping[str, object] | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[Rejections]:
        """List messages that were refused: the caller's own, or everybody's."""
        return self._api.every_of(
            Rejections,
            "gateway/get-rejections",
            {
                "admin": admin,
                "mailbox": mailbox,
                "includeDelegates": include_delegates,
                "start": start,
                "end": end,
                "from": from_,
                "to": to,
                "oldestFirst": oldest_first,
                "searchBy": search_by,
            },
            page_size=page_size,
        )

    def find_processing_messages(
        self,
        *,
        type: Literal["processing", "bulk_processing"] | None = None,
        admin: bool | None = None,
        start: str | None = None,
        end: str | None = None,
        sort_order: Literal["asc", "desc"] | None = None,
        search_by: ProcessingSearch | Mapping[str, object] | None = None,
        filter_by: Sequence[ProcessingFilter | Mapping[str, object]] | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[ProcessingMessages]:
        """List messages that were put off and not taken since, and copies that wait here."""
        return self._api.every_of(
            ProcessingMessages,
            "gateway/find-processing-messages",
            {
                "type": type,
                "admin": admin,
                "start": start,
                "end": end,
                "sortOrder": sort_order,
                "searchBy": search_by,
                "filterBy": filter_by,
            },
            page_size=page_size,
        )

    async def get_most_used_contacts(self) -> Contacts:
        """Tell whom the caller writes to most, of late."""
        return await self._api.one_of(Contacts, "user/get-most-used-contacts", {})
