"""The items and answers of the endpoints about temporary web allows, ours."""

from __future__ import annotations

from msgspec import Struct, UnsetType

from mailreeve.policy.model.policies import WebEntryType
from mailreeve.wire.items import AsWritten, Prose


class AllowWeb(Struct, frozen=True):
    """A domain or URL to allow for one user or one client, by its IP address, `until` an instant, and why. Without
    a type what says more than a host is a URL. `override` has it win over lists that override as well."""

    value: AsWritten
    until: str
    reason: Prose
    type: WebEntryType | None = None
    user: str | None = None
    client: str | None = None
    override: bool = False


class FindWebAllows(Struct, frozen=True):
    """Which temporary allows are listed: all that are in force, or those of a user or a client."""

    user: str | None = None
    client: str | None = None


class OneWebAllow(Struct, frozen=True):
    """One temporary allow, by id."""

    id: str


class WebAllowAnswer(Struct, frozen=True, rename="camel"):
    """A temporary allow: what, for whom, from when until when, why, and who made it."""

    id: str
    type: WebEntryType
    value: str
    user: str | UnsetType
    client: str | UnsetType
    reason: str
    created: str
    until: str
    override: bool
    made_by: str


class RemovedWebAllow(Struct, frozen=True):
    """A temporary allow that is no more."""

    id: str
