"""What does a policy say? The immutable values that a decision is made from.

Ids are the store's keys as text; times are POSIX seconds in UTC. Nothing here is validated: values
come from `wire` and `store`, which refuse what makes no sense.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, StrEnum
from functools import lru_cache
from math import inf
from typing import ClassVar, Final, Generic, Protocol, TypeVar

from msgspec import Struct
from msgspec.structs import force_setattr

from mailreeve.formats.networks import Network
from mailreeve.policy.model.content import SpamOptions
from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.policy.model.targets import EVERYONE, Target

T = TypeVar("T", covariant=True)


class Changes(Struct, Generic[T], frozen=True):
    """What has become of single objects of one kind: their new values, and the ids of those that are gone.

    An id that is gone may be one that never was, so that whoever reads what is left need not know.
    """

    put: Sequence[T] = ()
    gone: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.put) + len(self.gone)


class FromPart(StrEnum):
    """Which sender address a policy looks at (behaviour.md section 2.4)."""

    ENVELOPE_FROM = "envelope_from"
    HEADER_FROM = "header_from"
    BOTH = "both"


class BlockedOption(StrEnum):
    """What a blocked sender policy does (behaviour.md section 3.1)."""

    NO_ACTION = "no_action"
    BLOCK_SENDER = "block_sender"


class SpoofingOption(StrEnum):
    """What an anti-spoofing policy does with mail from outside that claims to be from inside."""

    NONE = "none"
    TAG = "tag"
    HOLD = "hold"
    REJECT = "reject"


class BypassOption(StrEnum):
    """What an anti-spoofing bypass policy does (api.md section 3.4.4)."""

    ENABLE = "enable_bypass"
    DISABLE = "disable_bypass"


class ManagedAction(StrEnum):
    """What a personal entry does (behaviour.md section 4.1)."""

    __hash__ = str.__hash__  # Enum's own is a function in Python, asked for every entry looked at

    PERMIT = "permit"
    BLOCK = "block"


class Terms(Struct, frozen=True, gc=False):
    """What a scope says besides whom it names. Few differ, so that the policies of an account share them.

    `starts` is inclusive and `ends` exclusive (D-12), in POSIX seconds; infinite means eternal.
    An empty `networks` sets no condition on the source address, empty `spf_domains` none on what SPF says: one of
    them is the domain that it passes for.

    `unconditional` follows from the others: in force at any time, from anywhere. What is passed for it is ignored.
    """

    from_part: FromPart = FromPart.ENVELOPE_FROM
    networks: tuple[Network, ...] = ()
    starts: float = -inf
    ends: float = inf
    override: bool = False
    bidirectional: bool = False
    enabled: bool = True
    unconditional: bool = False
    spf_domains: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        always = self.enabled and self.starts == -inf and self.ends == inf and not self.networks
        always = always and not self.spf_domains
        force_setattr(self, "unconditional", always)


PLAIN: Final = Terms()


@lru_cache(maxsize=4_096)
def _shared_terms(
    from_part: FromPart, starts: float, ends: float, override: bool, bidirectional: bool, enabled: bool
) -> Terms:
    return Terms(from_part, (), starts, ends, override, bidirectional, enabled)


class Scope(Struct, frozen=True, gc=False):
    """When a policy applies: the part that all policy types share (behaviour.md section 2.1)."""

    from_: Target = EVERYONE
    to: Target = EVERYONE
    terms: Terms = PLAIN

    @staticmethod
    def of(
        from_: Target = EVERYONE,
        to: Target = EVERYONE,
        from_part: FromPart = FromPart.ENVELOPE_FROM,
        networks: tuple[Network, ...] = (),
        starts: float = -inf,
        ends: float = inf,
        override: bool = False,
        bidirectional: bool = False,
        enabled: bool = True,
    ) -> Scope:
        """The scope on the terms given, see `Terms`."""
        if networks:  # not remembered: there may be a thousand, and hardly two policies name the same
            terms = Terms(from_part, networks, starts, ends, override, bidirectional, enabled)
        else:
            terms = _shared_terms(from_part, starts, ends, override, bidirectional, enabled)
        return Scope(from_, to, terms)


class EffectKind(Enum):
    """What a policy or personal entry does to a message."""

    # Enum's own is a function in Python, asked for every effect that a header could bring.
    __hash__ = object.__hash__

    BLOCK_SENDER = "block_sender"
    REFUSE_RELAY = "refuse_relay"
    NO_ACTION = "no_action"
    PERMIT = "permit"
    SPOOFING_IGNORED = "spoofing_ignored"
    SPOOFING_TAGGED = "spoofing_tagged"
    SPOOFING_HELD = "spoofing_held"
    SPOOFING_REFUSED = "spoofing_refused"
    BYPASS = "bypass"
    NO_BYPASS = "no_bypass"
    PERSONAL_BLOCK = "personal_block"
    PERSONAL_PERMIT = "personal_permit"
    ALTER = "alter"
    SCAN = "scan"


class Effect(Struct, frozen=True, gc=False):
    """What a policy does when it wins. Equal effects change a decision equally. `set_id` is that of the alteration
    set, empty for all else; `options` are those of a spam scanning policy, None for all else."""

    kind: EffectKind
    set_id: str = ""
    options: SpamOptions | None = None


class ScopedPolicy(Protocol):
    """A policy with one scope, of a type of which one wins per message (behaviour.md section 2.8).

    `created` is in POSIX seconds. `effect` is what the policy does when it wins. `relay_guard` marks the account's
    fixed policy, see `BlockedSenderPolicy`.
    """

    type: ClassVar[PolicyType]

    @property
    def id(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def scope(self) -> Scope: ...
    @property
    def created(self) -> float: ...
    @property
    def relay_guard(self) -> bool: ...
    @property
    def effect(self) -> Effect: ...


BLOCKS: Final = Effect(EffectKind.BLOCK_SENDER)
REFUSES_RELAY: Final = Effect(EffectKind.REFUSE_RELAY)
"""The effect of the account's fixed policy (D-14), whose refusal has a text of its own."""
EXEMPTS: Final = Effect(EffectKind.NO_ACTION)
PERMITS: Final = Effect(EffectKind.PERMIT)


class BlockedSenderPolicy(Struct, frozen=True, gc=False):
    """Refuses, or exempts, a sender (behaviour.md section 3). `created` is in POSIX seconds.

    `relay_guard` marks the account's fixed external-to-external policy (D-14), whose refusal has
    the text of an open relay attempt.
    """

    id: str
    description: str
    scope: Scope
    option: BlockedOption
    created: float
    relay_guard: bool = False
    type: ClassVar[PolicyType] = PolicyType.BLOCKED_SENDERS

    @property
    def effect(self) -> Effect:
        """See `ScopedPolicy`."""
        if self.option is BlockedOption.NO_ACTION:
            return EXEMPTS
        return REFUSES_RELAY if self.relay_guard else BLOCKS


class PermittedSenderPolicy(Struct, frozen=True, gc=False):
    """Lets a sender skip spam checks (behaviour.md section 3.3). `created` is in POSIX seconds."""

    id: str
    description: str
    scope: Scope
    created: float
    relay_guard: ClassVar[bool] = False
    type: ClassVar[PolicyType] = PolicyType.PERMITTED_SENDERS
    effect: ClassVar[Effect] = PERMITS


_SPOOFING_EFFECTS: Final = {
    SpoofingOption.NONE: Effect(EffectKind.SPOOFING_IGNORED),
    SpoofingOption.TAG: Effect(EffectKind.SPOOFING_TAGGED),
    SpoofingOption.HOLD: Effect(EffectKind.SPOOFING_HELD),
    SpoofingOption.REJECT: Effect(EffectKind.SPOOFING_REFUSED),
}
_BYPASS_EFFECTS: Final = {
    BypassOption.ENABLE: Effect(EffectKind.BYPASS),
    BypassOption.DISABLE: Effect(EffectKind.NO_BYPASS),
}


class AntiSpoofingPolicy(Struct, frozen=True, gc=False):
    """Says what becomes of mail from outside that claims an internal sender whom nothing vouches for. `created` is
    in POSIX seconds. To any other mail it does not apply."""

    id: str
    description: str
    scope: Scope
    option: SpoofingOption
    created: float
    relay_guard: ClassVar[bool] = False
    type: ClassVar[PolicyType] = PolicyType.ANTI_SPOOFING

    @property
    def effect(self) -> Effect:
        """See `ScopedPolicy`."""
        return _SPOOFING_EFFECTS[self.option]


class AntiSpoofingBypassPolicy(Struct, frozen=True, gc=False):
    """Excepts such mail from anti-spoofing, or from a wider exception (api.md section 3.4.4). `created` is in
    POSIX seconds."""

    id: str
    description: str
    scope: Scope
    option: BypassOption
    created: float
    relay_guard: ClassVar[bool] = False
    type: ClassVar[PolicyType] = PolicyType.ANTI_SPOOFING_BYPASS

    @property
    def effect(self) -> Effect:
        """See `ScopedPolicy`."""
        return _BYPASS_EFFECTS[self.option]


class ManagedSender(Struct, frozen=True, gc=False):
    """One entry of a recipient's personal list (behaviour.md section 4).

    `recipient` is the key of the user's primary address, `sender` the key of an address or, without an `@`, a
    canonical domain (D-18), with a dot in front for everything below it. There is one entry per pair (D-19). From
    `ends` on, in POSIX seconds, it decides nothing, as with policies (D-12); infinite means that it never ends.
    `is_auto` says that nobody said it: it permits an address because the user wrote there (auto allow).
    """

    id: str
    recipient: str
    sender: str
    action: ManagedAction
    ends: float = inf
    is_auto: bool = False


class AddressType(StrEnum):
    """Which address a definition rewrites (api.md section 3.4.2)."""

    ALL = "all"
    ENVELOPE_FROM = "envelope_from"
    ENVELOPE_TO = "envelope_to"
    FROM = "from"
    REPLY_TO = "reply_to"
    TO_CC_BCC = "to_cc_bcc"
    SENDER = "sender"


class Routing(StrEnum):
    """For which direction of mail a definition holds (behaviour.md section 5.2)."""

    ALL = "all"
    INBOUND = "inbound"
    OUTBOUND = "outbound"


class AddressPattern(Struct, frozen=True, gc=False):
    """`local@domain`, `*@domain` or `local@*`; an empty half stands for the asterisk.

    On the original side an asterisk matches any such half, on the new side it keeps the half
    (behaviour.md section 5.5). `local` is kept as given, `domain` is canonical.
    """

    local: str
    domain: str


class Definition(Struct, frozen=True, gc=False):
    """One rewrite rule. An empty `set_id` is the root, which needs no policy (behaviour.md section 5.1)."""

    id: str
    set_id: str
    address_type: AddressType
    original: AddressPattern
    new: AddressPattern
    routing: Routing


class AlterationPolicy(Struct, frozen=True, gc=False):
    """Puts a set of definitions to work for a scope. `created` is in POSIX seconds."""

    id: str
    description: str
    scope: Scope
    set_id: str
    created: float
    relay_guard: ClassVar[bool] = False
    type: ClassVar[PolicyType] = PolicyType.ADDRESS_ALTERATION

    @property
    def effect(self) -> Effect:
        """See `ScopedPolicy`."""
        return Effect(EffectKind.ALTER, self.set_id)


class SpamPolicy(Struct, frozen=True, gc=False):
    """What is done about what a spam engine finds, and about malformed mail. `created` is in POSIX seconds."""

    id: str
    description: str
    scope: Scope
    options: SpamOptions
    created: float
    relay_guard: ClassVar[bool] = False
    type: ClassVar[PolicyType] = PolicyType.SPAM_SCANNING

    @property
    def effect(self) -> Effect:
        """See `ScopedPolicy`."""
        return Effect(EffectKind.SCAN, options=self.options)


class WebEntryType(StrEnum):
    """How much of the address an entry must match (behaviour.md section 6.1)."""

    DOMAIN = "domain"
    URL = "url"


class WebAction(StrEnum):
    """What an entry of a web list does."""

    ALLOW = "allow"
    BLOCK = "block"


class WebEntry(Struct, frozen=True, gc=False):
    """One domain or URL of a web list; `value` is canonical, as `decide.web.canonical_entry` gives it. `exact`
    marks a URL with a path or query that means just itself, neither what is below it nor other queries (D-54)."""

    id: str
    type: WebEntryType
    value: str
    action: WebAction
    exact: bool = False


ALL_ELSE: Final = WebEntry("", WebEntryType.DOMAIN, "", WebAction.BLOCK)
"""What a list with a default deny says besides its entries. No entry has an empty value."""


class WebPolicyKind(StrEnum):
    """What a `WebPolicy` is to people, in their words.

    A temporary allow has one entry, for one user or client, until the end of its only scope; its description is
    the reason that was given. A managed URL has one entry, for everyone; its description is the URL as written.
    """

    LIST = "web list"
    TEMPORARY = "temporary allow"
    MANAGED = "managed URL"


class WebPolicy(Struct, frozen=True, gc=False):
    """A block/allow list: its entries hold for whoever one of its scopes names (behaviour.md section 6). `kind`
    tells what is no list, but decided as one.

    With `default_deny` it blocks for these whatever no entry speaks of.

    `located` are the ids of the locations that each scope is bound to, none where it holds anywhere; it is empty
    where no scope is. A policy set gives such a scope the networks of its locations (`index.web_places`).
    """

    id: str
    description: str
    scopes: tuple[Scope, ...]
    entries: tuple[WebEntry, ...]
    created: float
    default_deny: bool = False
    kind: WebPolicyKind = WebPolicyKind.LIST
    located: tuple[tuple[str, ...], ...] = ()
