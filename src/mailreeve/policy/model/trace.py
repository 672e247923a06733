"""What is written down while a decision is made? Findings as values; `policy.explain.words` says them in words.

The enumerations that have words are no strings, so that none of them can pass for its words by mistake.
"""

from __future__ import annotations

from enum import Enum, StrEnum

from msgspec import Struct

from mailreeve.formats.addresses import Sender
from mailreeve.formats.malformed import Flaw
from mailreeve.formats.networks import IPAddress
from mailreeve.policy.model.authentication import Authentication
from mailreeve.policy.model.content import SpamVerdict
from mailreeve.policy.model.identities import Renamed, StandIn
from mailreeve.policy.model.policies import Effect, FromPart, WebAction, WebEntry, WebPolicyKind
from mailreeve.policy.model.policy_types import PolicyType


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
    NOTHING_FOUND = "nothing_found"
    REFUSED_BEFORE = "refused_before"
    NOT_SPOOFED = "not_spoofed"
    SPF_DOMAIN = "spf_domain"


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


class Side(StrEnum):
    """One end of a message."""

    SENDER = "sender"
    RECIPIENT = "recipient"


class GroupPath(Struct, frozen=True, gc=False):
    """By which groups an address is in the one that a policy names: the names of the one that holds it, of that
    one's parent, and so on up to the one that is named (D-03). `until` is when that ends, in POSIX seconds, None
    where it does not."""

    side: Side
    groups: tuple[str, ...]
    until: float | None = None


class Candidate(Struct, frozen=True, gc=False):
    """One policy that a decision considered.

    `failed` is the first test that it did not pass, or None when it applied.
    `sort_key` is the order of D-10 and D-11, highest first; `place` is 1 for the winner of the
    type and 0 for a policy that did not apply. `part` is the sender address that matched.
    `stand_ins` are the steps from an address of the message to one that the policy names (D-53), where that is
    another one, and `groups` how addresses belong to groups that it names. `renamed` are the users whom it names
    and who had another address before. `tie` is what put the winner of the type before it, where they are equally
    narrow.
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
    renamed: tuple[Renamed, ...] = ()
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


class ContentFinding(Struct, frozen=True, gc=False):
    """What is known of the content: what a spam engine said, and what is broken in the form of the message. The
    spam verdict of a message that skips the spam checks counts for viruses only."""

    spam: SpamVerdict | None
    flaws: tuple[Flaw, ...]
    is_skipped: bool


class AuthenticationFinding(Struct, frozen=True, gc=False):
    """What is known of who the message really comes from: whether anybody is asked (`is_judged`), what was said,
    whether permits of outside senders count by it, and whether it shows that an inside one is forged."""

    is_judged: bool
    authentication: Authentication | None
    by_envelope: bool
    by_header: bool
    is_spoofed: bool


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
    | ContentFinding
    | AuthenticationFinding
    | FreeMailList
    | UnknownHeader
)
"""What one layer found on the way to a decision, or what was taken for granted."""


class WebCandidate(Struct, frozen=True, gc=False):
    """One entry of one web list that a decision considered; fields as in `Candidate`. `is_tied` says that it is as
    narrow as the winner. `entry` is `ALL_ELSE` for a default deny; `until` is the end of a temporary allow, in
    POSIX seconds, None for what is none."""

    policy_id: str
    description: str
    entry: WebEntry
    action: WebAction
    failed: Unmet | WebUnmet | None
    sort_key: tuple[float | str, ...]
    place: int
    stand_ins: tuple[StandIn, ...] = ()
    renamed: tuple[Renamed, ...] = ()
    is_tied: bool = False
    until: float | None = None
    kind: WebPolicyKind = WebPolicyKind.LIST
