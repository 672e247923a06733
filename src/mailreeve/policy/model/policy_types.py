"""The types of policy that mail is decided by: one row for each, which says all that is told apart by type alone.

Whatever differs between types and is a name, a word or a number stands in these rows and is read from them: by
the API for its paths and permissions, by ids and the audit log for what they call a policy, by explanations and
findings for their words, by the decision for the layer that a type settles and the replies that it refuses with.
What a type *does* is code: its values are in `policies`, its meaning is in `decide`, its endpoints are a family.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from mailreeve.access.permissions import Permission


class PolicyType(StrEnum):
    """The kinds of policy that each contribute a winner of their own (behaviour.md section 2.8)."""

    # Enum's own hash is a function in Python, asked for every winner of every decision. And one is found by its
    # value, as the feed of changes holds it.
    __hash__ = str.__hash__

    BLOCKED_SENDERS = "blocked_senders"
    PERMITTED_SENDERS = "permitted_senders"
    MANAGED_SENDERS = "managed_senders"
    ADDRESS_ALTERATION = "address_alteration"
    SPAM_SCANNING = "spam_scanning"


class Layer(StrEnum):
    """Which layer settled the verdict. `default` means that no layer had anything to say.

    `message_limits` is no policy: the message is one that nobody gets, whoever the recipient is.
    """

    RELAY = "relay"
    RECIPIENT_VALIDATION = "recipient_validation"
    BLOCKED_SENDERS = "blocked_senders"
    PERMITTED_SENDERS = "permitted_senders"
    MANAGED_SENDERS = "managed_senders"
    MESSAGE_LIMITS = "message_limits"
    VIRUS = "virus"
    MALFORMED = "malformed"
    SPAM = "spam"
    DEFAULT = "default"


class SmtpReply(Struct, frozen=True, gc=False):
    """An SMTP reply without the decision id, which the door appends (behaviour.md D-17)."""

    code: int
    enhanced: str
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.enhanced} {self.text}"


class Refusals(Struct, frozen=True):
    """What a sender is told whom a type of policy refuses (behaviour.md section 3.4), by what it was known by: its
    envelope address, the domain of that address where the policy names the domain alone, or the From header.

    The texts are those that bounce analysers know. A policy refusal is 5.7.1 (D-17, RFC 3463 section 3.8).
    """

    envelope: SmtpReply
    envelope_domain: SmtpReply
    header: SmtpReply


class PolicyTypeRow(Struct, frozen=True):
    """What is to be known of a type by whoever does not interpret its policies.

    `words` name it in sentences and `column` in a narrow column. `layers` are those that it can settle the verdict
    in, if any, and `refusals` what it then tells those whom it refuses by their addresses, None for a type that
    refuses nobody by that.
    `kind` is what ids are bound to and the audit log says, so that it never changes. `table` is where its policies
    are stored. `api` is the beginning of its endpoints' paths, empty where there are none; callers of them need
    `read` and `edit`. `id_prefix` stands before ids of its policies on the wire. `is_scoped` says whether each of
    them has a scope; personal entries have none.
    """

    type: PolicyType
    words: str
    column: str
    layers: tuple[Layer, ...]
    refusals: Refusals | None
    kind: str
    table: str
    api: str
    read: Permission
    edit: Permission
    id_prefix: str = ""
    is_scoped: bool = True


def _refused(text: str) -> SmtpReply:
    return SmtpReply(550, "5.7.1", text)


# The table of behaviour.md section 3.4 has a second text for admin blocks, "Administrative prohibition - envelope
# blocked". It also stands for a hard SPF failure; ours says that a policy did it, and by which address.
_ENVELOPE_BLOCKED: Final = _refused("Envelope rejected - block policy for envelope from address")

POLICY_TYPES: Final[Mapping[PolicyType, PolicyTypeRow]] = {
    row.type: row
    for row in (
        PolicyTypeRow(
            type=PolicyType.BLOCKED_SENDERS,
            words="blocked senders",
            column="blocked",
            layers=(Layer.BLOCKED_SENDERS,),
            refusals=Refusals(
                envelope=_ENVELOPE_BLOCKED,
                envelope_domain=_ENVELOPE_BLOCKED,
                header=_refused("Rejected by header-based Blocked Senders - block policy for header from"),
            ),
            kind="blocked sender policy",
            table="blocked_sender_policy",
            api="policy/blockedsenders",
            read=Permission.GATEWAY_POLICIES_READ,
            edit=Permission.GATEWAY_POLICIES_EDIT,
        ),
        # API 1.0 has no endpoint for these (behaviour.md section 2.8): those are ours.
        PolicyTypeRow(
            type=PolicyType.PERMITTED_SENDERS,
            words="permitted senders",
            column="permitted",
            layers=(Layer.PERMITTED_SENDERS,),
            refusals=None,
            kind="permitted sender policy",
            table="permitted_sender_policy",
            api="ext/permittedsenders",
            read=Permission.GATEWAY_POLICIES_READ,
            edit=Permission.GATEWAY_POLICIES_EDIT,
        ),
        PolicyTypeRow(
            type=PolicyType.MANAGED_SENDERS,
            words="managed senders",
            column="personal",
            layers=(Layer.MANAGED_SENDERS,),
            refusals=Refusals(
                envelope=_refused("Envelope blocked - User Entry"),
                envelope_domain=_refused("Envelope blocked - User Domain Entry"),
                header=_refused("Rejected by header-based manually Blocked Senders - block for manual block"),
            ),
            kind="managed sender",
            table="managed_sender",
            api="managedsender",
            read=Permission.GATEWAY_MANAGED_SENDERS_EDIT,
            edit=Permission.GATEWAY_MANAGED_SENDERS_EDIT,
            id_prefix="MTOKEN:",  # as the live service has it (api.md section 1.8)
            is_scoped=False,
        ),
        PolicyTypeRow(
            type=PolicyType.ADDRESS_ALTERATION,
            words="address alteration",
            column="alteration",
            layers=(),
            refusals=None,
            kind="address alteration policy",
            table="alteration_policy",
            api="policy/address-alteration",
            read=Permission.GATEWAY_POLICIES_READ,
            edit=Permission.GATEWAY_POLICIES_EDIT,
        ),
        # API 1.0 has no endpoint for these: those are ours.
        PolicyTypeRow(
            type=PolicyType.SPAM_SCANNING,
            words="spam scanning",
            column="spam",
            layers=(Layer.VIRUS, Layer.MALFORMED, Layer.SPAM),
            refusals=None,  # its replies, in `decide.replies`, are about the content and not about addresses
            kind="spam scanning policy",
            table="spam_scanning_policy",
            api="ext/spam-policies",
            read=Permission.GATEWAY_POLICIES_READ,
            edit=Permission.GATEWAY_POLICIES_EDIT,
        ),
    )
}
"""Every type's row, in the order in which explanations tell of them."""

SCOPED: Final = tuple(row.type for row in POLICY_TYPES.values() if row.is_scoped)
"""The types whose policies have one scope each."""

SETTLED_IN: Final[Mapping[Layer, PolicyType]] = {
    layer: row.type for row in POLICY_TYPES.values() for layer in row.layers
}
"""The type that settles the verdict in each layer that is one of policies."""


def refusals_of(type_: PolicyType) -> Refusals:
    """What a type that refuses tells the sender. Raises `ValueError` for a type that refuses nobody."""
    found = POLICY_TYPES[type_].refusals
    if found is None:
        raise ValueError(f"{type_} refuses nobody")
    return found
