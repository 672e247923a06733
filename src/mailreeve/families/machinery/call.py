"""What does an endpoint work with? One call by one caller, inside one transaction of the caller's account."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Final, Generic, Protocol, TypeVar

from msgspec import Struct

from mailreeve.access.caller import Caller
from mailreeve.access.permissions import Permission
from mailreeve.families.machinery.directory_source import DirectorySource
from mailreeve.families.machinery.elsewhere import NOWHERE, Elsewhere
from mailreeve.formats.addresses import Address
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.lint.guard import ReachGuard
from mailreeve.policy.model.identities import Identities
from mailreeve.store.bodies import Bodies
from mailreeve.store.changes import Part
from mailreeve.store.secrets import Vault
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import Asked
from mailreeve.wire.tokens import Ids

T = TypeVar("T")

Note = Callable[[Work], None]
"""What is written after a call that only reads."""


class Limits(Struct, frozen=True):
    """How much an account may hold. The defaults are the published ones, where there are any."""

    web_urls_per_policy: int = 5_000
    web_urls_per_account: int = 25_000
    address_alterations: int = 3_000
    managed_senders_per_user: int = 10_000
    delegates_per_user: int = 500


class InstallationOptions(Struct, frozen=True):
    """How an installation treats what could be treated either way.

    `reach_guard` is what is done about a block of a whole organisation that nobody has confirmed; `web_proxy` says
    whether web requests come to be decided with their whole URL, or by their host alone (behaviour.md D-27).
    `spam_engine` says whether mail doors ask a spam engine, `zones` whether resolvers fetch zones.
    `archive_days` is for how many days archives are kept whose accounts say nothing else, 0 for good.
    `public_url` is what links to this installation begin with, without a slash at its end; empty where it is not
    known. `domains_are_verified` says whether a domain has to be proved before it is an account's (ADR 0082).
    `directory` is a directory server whose users and groups are taken over. `purge_days` is for how many days a
    user who is marked for removal stays.
    `login_life` is for how many seconds keys are good that are got by signing in.
    """

    reach_guard: ReachGuard = ReachGuard.WARN
    web_proxy: bool = False
    spam_engine: bool = False
    zones: bool = False
    archive_days: int = 0
    public_url: str = ""
    domains_are_verified: bool = False
    purge_days: int = 30
    login_life: int = 3 * 24 * 3600
    directory: DirectorySource | None = None


class Rehearsed(Struct, Generic[T], frozen=True):
    """What came of a rehearsal: its result, and the policies without and with what it changed."""

    result: T
    before: PolicySet
    after: PolicySet


class Rehearse(Protocol):
    """Does something to the account that is undone at once, and tells what would have come of it."""

    def __call__(self, action: Callable[[Call], T]) -> Rehearsed[T]: ...


class SeenPolicies(Protocol):
    """Gives the account's policy set, of which some parts, or all, are to be looked at."""

    def __call__(self, *parts: str) -> PolicySet: ...


class AddressJoined(Protocol):
    """What a capability does when an address that was nobody's becomes a user's alias: what it keeps for the
    address is the user's from then on.

    `address` and `owner` are the keys of the alias and of the user's primary address. It is part of the
    transaction that gives the alias. Raises `ItemRefused` naming `field`, and the alias is not given.
    """

    def __call__(self, call: Call, address: str, owner: str, field: str) -> None: ...


class AddressFollower(Protocol):
    """What a capability, or a part of the directory, does about what it keeps for addresses when the directory
    changes. Each of these is part of the transaction that changes it, and notes its own changes for the audit log.

    Whoever has one of `reads` may see what it keeps; others are not told of it, see `Call.kept` and `Call.naming`.
    """

    reads: ClassVar[tuple[Permission, ...]]

    def renamed(self, call: Call, old: str, new: Address) -> None:
        """What is kept for the address with the key `old`, which was a user's primary one, is kept for `new` from
        now on. Raises `ItemRefused` naming `newAddress`, and nobody is renamed."""

    def removed(self, call: Call, user_id: str, keys: Sequence[str]) -> None:
        """What belongs to a user goes with the user, who has the addresses with these keys still, the primary one
        first."""

    def kept(self, call: Call, user_id: str, keys: Sequence[str]) -> Sequence[str]:
        """What is kept for a user who has the addresses with these keys, in words."""

    def naming(self, call: Call, name: str) -> Sequence[str]:
        """What names an address, by its key, or a domain, and stays when that goes: the first `MOST_NAMING`, in
        words for an administrator."""


class Versioned(Protocol):
    """A kind of object that can become again what the audit log says that it was.

    `edits` is what it takes to change one. What has a lower `rank` is named by what has a higher one.
    """

    @property
    def kind(self) -> str: ...

    @property
    def edits(self) -> Permission: ...

    @property
    def rank(self) -> int: ...

    def state(self, work: Work, key: str) -> Mapping[str, object] | None:
        """The object as the audit log would write it now, None where there is none."""

    def put(self, call: Call, key: str, state: Mapping[str, object] | None) -> None:
        """Have the object be as the state says, or not be there, and note that. Raises `ItemRefused`."""


MOST_NAMING: Final = 20
"""So many of a kind that name an address or a domain are told."""


HIDDEN: Final = "something that you may not see"


@dataclass(frozen=True)
class Call:
    """One call. `page` is what is asked of the list that the item at hand names. `warnings` are said about items
    that are carried out all the same. `rehearse` is for endpoints that only read: a call that writes holds the
    turn that a rehearsal waits for. `address_joined` is what follows when an alias is given, `followers` are those
    who follow when a user gets another address or goes. `vault` seals the keys of programs. `bodies` has those of
    kept messages; there are none where there is no folder. `elsewhere` tells what is kept of a message beside its
    record. `versioned` are the kinds of object that can become what they were. `notes` are written after a call
    that only reads."""

    caller: Caller
    work: Work
    ids: Ids
    limits: Limits
    page: Asked
    current_policies: SeenPolicies
    installation: InstallationOptions
    rehearse: Rehearse
    address_joined: Sequence[AddressJoined]
    vault: Vault
    followers: Sequence[AddressFollower] = ()
    bodies: Bodies | None = None
    elsewhere: Elsewhere = NOWHERE
    versioned: Sequence[Versioned] = ()
    notes: list[Note] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @cached_property
    def policies(self) -> PolicySet:
        """The account's policy set without what this call has changed. It is only asked for where it is needed:
        after a change, whoever asks first waits for what was changed to be read."""
        return self.current_policies()

    @cached_property
    def identities(self) -> Identities:
        """The directory of `policies`. Whoever needs no more asks for this: calls that change other parts are
        committed together with theirs then."""
        return self.current_policies(Part.DIRECTORY).identities

    def note(self, what: Note) -> None:
        """Have something written in a transaction of its own, which is durable before the call is answered: for
        what only reads, and keeps a log of it."""
        self.notes.append(what)

    def seal(self, kind: str, key: str) -> str:
        """The wire id of an object of the caller's account."""
        return self.ids.seal(kind, key, self.work.account_id)

    def kept(self, user_id: str, keys: Sequence[str]) -> list[str]:
        """What is kept for a user who has the addresses with these keys, in words, as far as the caller may see
        it."""
        seen = [follower for follower in self.followers if self.caller.may(follower.reads)]
        return [words for follower in seen for words in follower.kept(self, user_id, keys)]

    def naming(self, *names: str) -> list[str]:
        """What names one of these addresses or domains, and stays when that goes, in words. Of what the caller may
        not see no more is told than that it is there."""
        found: dict[str, None] = {}
        hidden = False
        for name in names:
            for follower in self.followers:
                words = follower.naming(self, name)
                if self.caller.may(follower.reads):
                    found |= dict.fromkeys(words)
                else:
                    hidden = hidden or bool(words)
        return [*found, *([HIDDEN] if hidden else [])]

    def open(self, kind: str, wire_id: str, field: str = "id") -> str:
        """The store key of an object of the caller's account. Raises `ItemRefused` naming `field`."""
        return self.ids.open(kind, wire_id, self.work.account_id, field)
