"""The items and answers of the gateway functions that read records of mail (api.md section 3.11).

No source has the answers of `get-rejections` whole: a client reads `rejections` in them, and what can be searched
by is there to be shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import UNSET, Struct, UnsetType, field

from mailreeve.families.tracking.types import EnvelopeAddress, NamedAddress


class RejectionField(StrEnum):
    """What rejections are searched by."""

    ALL = "all"
    FROM = "from"
    TO = "to"
    TYPE = "type"
    INFO = "info"
    REMOTE_IP = "remoteIp"


class RejectionSearch(Struct, frozen=True, rename="camel"):
    """A text, in any case, that the field holds."""

    field_name: RejectionField = RejectionField.ALL
    value: str | None = None


class FindRejections(Struct, frozen=True, rename="camel", kw_only=True):
    """Which rejections to list, the newest first unless `oldest_first`. Without `admin` those of the caller's own
    mailbox, or of `mailbox`, which is the own one or was opened to the caller; `include_delegates` adds to the own
    ones those of all mailboxes that were opened. An application has none, and is told all. `from_` and `to` are
    what some clients call `start` and `end`."""

    admin: bool = False
    mailbox: str | None = None
    include_delegates: bool = False
    start: str | None = None
    end: str | None = None
    from_: str | None = field(name="from", default=None)
    to: str | None = None
    oldest_first: bool = False
    search_by: RejectionSearch | None = None


class Rejection(Struct, frozen=True, rename="camel", kw_only=True):
    """A message that was refused for one recipient. `type` is what refused it, `info` what the sender was told,
    and `policy_info` the policy that did, empty where none did."""

    id: str
    created: str
    from_env: EnvelopeAddress
    from_hdr: NamedAddress
    to: NamedAddress
    subject: str
    type: str
    info: str
    remote_ip: str
    remote_host: str
    route: str
    policy_info: str
    decision_id: str


class Rejections(Struct, frozen=True):
    """The rejections that were found."""

    rejections: Sequence[Rejection]


class ProcessingType(StrEnum):
    """Which messages are meant; of bulk ones nothing is known here."""

    PROCESSING = "processing"
    BULK_PROCESSING = "bulk_processing"


class ProcessingField(StrEnum):
    """What messages on their way are searched by."""

    ALL = "all"
    FROM = "fromAddress"
    TO = "toAddress"
    SUBJECT = "subject"
    INFO = "info"
    REMOTE_IP = "remoteIp"


class SortOrder(StrEnum):
    """In which order they are listed."""

    ASCENDING = "asc"
    DESCENDING = "desc"


class ProcessingSearch(Struct, frozen=True, rename="camel"):
    """A text, in any case, that the field holds."""

    field_name: ProcessingField = ProcessingField.ALL
    value: str | None = None


class ProcessingFilter(Struct, frozen=True):
    """What narrows the list further. Of `attachments` nothing is known here, and nothing is asked by it."""

    route: str | None = None
    attachments: bool | None = None


class FindProcessing(Struct, frozen=True, rename="camel", kw_only=True):
    """Which messages on their way to list."""

    type: ProcessingType = ProcessingType.PROCESSING
    admin: bool = False
    start: str | None = None
    end: str | None = None
    sort_order: SortOrder | None = None
    search_by: ProcessingSearch | None = None
    filter_by: Sequence[ProcessingFilter] = ()


class ProcessingMessage(Struct, frozen=True, rename="camel", kw_only=True):
    """A message that was put off, and of which nothing is recorded since: its sender's server has it, and will try
    again. Or a copy that waits here to be handed on: `origin` says what sends it, `attempts` how often it was
    tried, and `next_attempt` when it is next."""

    id: str
    created: str
    from_env: EnvelopeAddress
    from_header: NamedAddress
    to: Sequence[NamedAddress]
    subject: str
    size: int
    attachments: bool = False
    info: str
    remote_ip: str
    route: str
    priority: str = "normal"
    origin: str | UnsetType = UNSET
    attempts: int | UnsetType = UNSET
    next_attempt: str | UnsetType = UNSET


class ProcessingMessages(Struct, frozen=True):
    """The messages on their way that were found."""

    messages: Sequence[ProcessingMessage]
