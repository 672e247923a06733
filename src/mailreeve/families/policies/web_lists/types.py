"""The items and answers of the web list endpoints (api.md section 3.3)."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from mailreeve.policy.artefact.written import ArtefactFormat
from mailreeve.policy.model.policies import WebAction, WebEntryType
from mailreeve.wire.items import AsWritten, Prose
from mailreeve.wire.policy_object import PolicyAnswer, PolicyItem


class UrlItem(Struct, frozen=True):
    """A domain or URL of a list, with what to do about it. An `id` names the one that it replaces."""

    action: WebAction
    type: WebEntryType
    value: AsWritten
    id: str | None = None


class LocationItem(Struct, frozen=True):
    """A location of a target, by name. An address or network beside it is checked to be the location's."""

    ip: str | None = None
    location: str | None = None


class WebTargetItem(PolicyItem, frozen=True, rename="camel"):
    """A target as clients write it: a bare policy object with its id beside the members.

    Also taken is what answers hold, the policy object inside `policy`, so that what was read can be written.
    `locations` bind it to named places; in an update they stay where they are not sent, and an empty list of them
    lifts the bond.
    """

    id: str | None = None
    policy: PolicyItem | None = None
    locations: list[LocationItem] | None = None


class CreatePolicy(Struct, frozen=True):
    """A list to create."""

    description: Prose
    policies: list[WebTargetItem]
    urls: list[UrlItem]


class UpdatePolicy(Struct, frozen=True):
    """A list to replace: its targets, and those of the other parts that are given (api.md section 3.3.4)."""

    id: str
    policies: list[WebTargetItem]
    description: Prose | None = None
    urls: list[UrlItem] | None = None


class NewUrl(Struct, frozen=True):
    """A domain or URL that a list is to hold, with what to do about it."""

    action: WebAction
    type: WebEntryType
    value: AsWritten


class ImportEntries(Struct, frozen=True, rename="camel"):
    """Entries to add to the list of this name, which is made for everyone unless it is there. What does not fit
    into it goes into lists of the same name with a number, for the same people. `confirm_suffixes` says that
    domains below which anybody may have names are meant; `dry_run` says what would come of it, and changes
    nothing."""

    name: str
    urls: list[NewUrl]
    confirm_suffixes: bool = False
    dry_run: bool = False


class ExportFile(Struct, frozen=True, rename="camel"):
    """A file of the names that the lists speak of, for a program that does not ask: as they are now for everyone,
    or for a user, or for who comes from an address."""

    format: ArtefactFormat
    user: str | None = None
    source_ip: str | None = None


class PacPlace(Struct, frozen=True):
    """The proxies of a location, by its name, `HOST:PORT`, in the order in which they are tried."""

    location: str
    proxies: list[str]


class PacFile(Struct, frozen=True, rename="camel"):
    """A proxy auto-configuration file: which `proxies` browsers use, those of each location, and which domains
    they reach without one. With `or_direct` they do without where no proxy answers, and nothing is enforced
    then."""

    proxies: list[str] = []
    places: list[PacPlace] = []
    direct: list[str] = []
    or_direct: bool = False


class NamedUrl(Struct, frozen=True):
    """An entry of a list: by id, or by value, of either type where none is given."""

    id: str | None = None
    type: WebEntryType | None = None
    value: AsWritten | None = None


class AddEntries(Struct, frozen=True):
    """Entries to add to a list."""

    id: str
    urls: list[NewUrl]


class RemoveEntries(Struct, frozen=True):
    """Entries to take out of a list."""

    id: str
    urls: list[NamedUrl]


class SetDefaultDeny(Struct, frozen=True, rename="camel"):
    """Whether a list blocks whatever no entry speaks of, for those whom it is for. `confirm_reach` is about one
    that is for everyone: true says that it is meant, false has it refused."""

    id: str
    default_deny: bool
    confirm_reach: bool | None = None


class EveryDefaultDeny(Struct, frozen=True):
    """All lists with a default deny are listed; there is nothing to say."""


class OnePolicy(Struct, frozen=True):
    """One list, by id."""

    id: str


class SomePolicies(Struct, frozen=True):
    """One list by id, or all without one."""

    id: str | None = None


class DefaultDenyAnswer(Struct, frozen=True, rename="camel"):
    """Whether a list has a default deny, and how many entries of it allow something."""

    id: str
    description: str
    default_deny: bool
    allows: int


class UrlAnswer(Struct, frozen=True):
    """A domain or URL of a list."""

    id: str
    action: WebAction
    type: WebEntryType
    value: str


class LocationAnswer(Struct, frozen=True):
    """A network of a location that a target is bound to, and the location's name."""

    ip: str
    location: str


class WebTargetAnswer(Struct, frozen=True):
    """A target of a list."""

    id: str
    locations: Sequence[LocationAnswer]
    policy: PolicyAnswer


class AddedEntries(Struct, frozen=True):
    """What came of adding entries: those that were given, as the list holds them, in their order; how many of them
    are new, have another action than before, and were there already; and how many the list holds now."""

    id: str
    description: str
    urls: Sequence[UrlAnswer]
    added: int
    changed: int
    unchanged: int
    count: int


class RefusedEntry(Struct, frozen=True):
    """An entry that was not taken: which one of `urls`, from 0, and why."""

    n: int
    code: str
    message: str


class ImportedEntries(Struct, frozen=True, rename="camel"):
    """What came of entries that were imported: how many are new, have another action than before, and were there
    already; those that were refused; how many lists hold them now, and how many entries those have."""

    added: int
    changed: int
    unchanged: int
    refused: Sequence[RefusedEntry]
    lists: int
    count: int
    dry_run: bool


class RemovedEntries(Struct, frozen=True):
    """The entries that a list has lost, as they were, and how many it holds now."""

    id: str
    description: str
    urls: Sequence[UrlAnswer]
    count: int


class WebPolicyAnswer(Struct, frozen=True):
    """A list."""

    id: str
    description: str
    urls: Sequence[UrlAnswer]
    policies: Sequence[WebTargetAnswer]


class DeletedPolicy(WebPolicyAnswer, frozen=True):
    """A list that is gone, as it was: the vendor's page has the whole, terraform wants the flag (api.md 7.1)."""

    deleted: bool = True
