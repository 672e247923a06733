"""What is written down while a decision is made? Findings as values; `policy.explain.words` says them in words.

The enumerations are no strings, so that none of them can pass for words by mistake.
"""

from __future__ import annotations

from enum import Enum, StrEnum

from msgspec import Struct


class Unmet(Enum):
    """The first test that a policy did not pass, or a personal entry."""

    DISABLED = "disabled"
    NOT_STARTED = "not_started"
    EXPIRED = "expired"
    SOURCE_UNKNOWN = "source_unknown"
    SOURCE_OUTSIDE = "source_outside"
    BOUNCE = "bounce"
    RECIPIENT = "recipient"
    SENDER = "sender"
    HEADER_UNKNOWN = "header_unknown"
    UNAUTHENTICATED = "unauthenticated"


class WebUnmet(Enum):
    """The first test that a web list or an entry of one did not pass, apart from those of its time and source,
    which are among `Unmet`."""

    HOST = "host"
    PATH = "path"
    QUERY = "query"
    RECIPIENT_NAMED = "recipient_named"
    USER_UNKNOWN = "user_unknown"
    USER = "user"
    NO_TARGET = "no_target"


class TieBreaker(Enum):
    """What decides between two equally narrow policies (D-11), in the order in which it is asked."""

    SOURCE = "source"
    DATES = "dates"
    CREATED = "created"
    ID = "id"


class EffectKind(Enum):
    """What a policy or personal entry does to a message."""

    # Enum's own is a function in Python, asked for every effect that a header could bring.
    __hash__ = object.__hash__

    BLOCK_SENDER = "block_sender"
    REFUSE_RELAY = "refuse_relay"
    NO_ACTION = "no_action"
    PERMIT = "permit"
    PERSONAL_BLOCK = "personal_block"
    PERSONAL_PERMIT = "personal_permit"
    ALTER = "alter"


class Effect(Struct, frozen=True, gc=False):
    """What a policy does when it wins. Equal effects change a decision equally. `set_id` is that of the alteration
    set, empty for all else."""

    kind: EffectKind
    set_id: str = ""


class Side(StrEnum):
    """One end of a message."""

    SENDER = "sender"
    RECIPIENT = "recipient"


class GroupPath(Struct, frozen=True, gc=False):
    """By which groups an address is in the one that a policy names: the names of the one that holds it, of that
    one's parent, and so on up to the one that is named (D-03)."""

    side: Side
    groups: tuple[str, ...]
