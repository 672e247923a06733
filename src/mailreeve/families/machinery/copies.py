"""What is one copy of a message, on its way or kept? Who gets it, from whom, and its text.

Mail doors make copies; families keep them: held, waiting to be handed on, archived.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from mailreeve.formats.addresses import Address, Sender
from mailreeve.formats.message import Content
from mailreeve.policy.model.policy_types import Layer


class Routed(Struct, frozen=True):
    """One recipient on the way to the next hop: as the sender wrote it, and as it is delivered to."""

    original: Address
    effective: Address


class ReportWishes(Struct, frozen=True):
    """What a sender wants to hear of a message that does not arrive (RFC 3461). `never` are the recipients, as
    they were spelt, of whom no report of a failure is wanted; with `headers_only` a report has the header alone.
    `envelope_id` is what the sender calls the message, in xtext as it was given."""

    never: frozenset[str] = frozenset()
    headers_only: bool = False
    envelope_id: str = ""


NO_WISHES: Final = ReportWishes()


class Copy(Struct, frozen=True):
    """The very same copy for these recipients, all of one account, with its trace fields. `sender` is the envelope
    sender after alteration, `is_utf8` says that it needs SMTPUTF8 (RFC 6531)."""

    account_id: str
    decision_id: str
    sender: Sender
    recipients: tuple[Routed, ...]
    content: Content
    is_utf8: bool = False
    reports: ReportWishes = NO_WISHES


class HoldCause(Struct, frozen=True):
    """Why a copy is held: the layer that settled it, and the policy, both of its texts empty where none did."""

    layer: Layer
    policy_id: str = ""
    description: str = ""


class HeldCopy(Struct, frozen=True):
    """A copy that is held. `subject` and `header_from` are read of the message once, for lists; `received_at` is
    in POSIX seconds."""

    copy: Copy
    cause: HoldCause
    received_at: float
    source_ip: str = ""
    subject: str = ""
    header_from: str = ""


class KeptCopy(Struct, frozen=True):
    """A copy whose body is kept under this key, of `bodies`. `size` is that of all of it in octets, where `copy`
    has its header alone."""

    copy: Copy
    body: str
    size: int | None = None


class Applied(Struct, frozen=True):
    """A policy that won its type for a recipient, as it was called then (behaviour.md D-35). `id` is its key,
    `type` a `policy_types.PolicyType`."""

    type: str
    id: str
    description: str


class RecipientOfCopy(Struct, frozen=True):
    """For whom a copy is: as the sender wrote it and as it was delivered to, the policies that applied, and the
    revision of the policies that it was decided on."""

    original: str
    effective: str
    policies: tuple[Applied, ...]
    revision: int


class ArchivedCopy(Struct, frozen=True):
    """A copy that was delivered, to be kept in the archive. `recipients` are those of `copy`, in their order;
    `original_sender` is the envelope sender before alteration, empty for the null sender. `received_at` is in
    POSIX seconds. `header_from` is the address of the first author, `from_name` the name beside it. `attempt` is
    what the message is recognised by when it is sent again, empty where it could be another one."""

    copy: Copy
    recipients: tuple[RecipientOfCopy, ...]
    original_sender: str
    received_at: float
    source_ip: str = ""
    subject: str = ""
    message_id: str = ""
    header_from: str = ""
    from_name: str = ""
    attempt: str = ""
