"""The items and answers of the functions that read what web requests came to. All are ours."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET, Struct, UnsetType

from mailreeve.policy.model.decisions import WebVerdict
from mailreeve.policy.model.policies import WebAction, WebEntryType


class FindWebRecords(Struct, frozen=True, rename="camel"):
    """Which records to list. `host` is exact, `domain` a host with all below it; `since` and `until` are times, or
    how long ago, as `12h`."""

    verdict: WebVerdict | None = None
    host: str | None = None
    domain: str | None = None
    user: str | None = None
    client: str | None = None
    policy_id: str | None = None
    since: str | None = None
    until: str | None = None
    oldest_first: bool = False


class OneWebRecord(Struct, frozen=True):
    """One record, by the decision id."""

    id: str


class PolicyOfWebRecord(Struct, frozen=True):
    """The list that settled a decision, or the temporary allow, as it was called then."""

    id: str
    description: str


class EntryOfWebRecord(Struct, frozen=True):
    """The entry that settled a decision."""

    type: WebEntryType
    value: str
    action: WebAction


class WebRecordAnswer(Struct, frozen=True, rename="camel"):
    """A decision about a web request. `user` is who browsed as policies know them, `login` what the proxy called
    them; both are empty where nobody was known. `settledBy` names what settled it where that was no list.
    `notEnforceable` counts the entries that nobody could look at, as the door saw the host alone."""

    id: str
    at: str
    door: str
    method: str
    url: str
    host: str
    host_only: bool
    url_cut: bool
    verdict: WebVerdict
    user: str
    login: str
    client: str
    location: str
    policy: PolicyOfWebRecord | None
    entry: EntryOfWebRecord | None
    settled_by: str
    not_enforceable: int
    revision: int


class WebToday(Struct, frozen=True, rename="camel"):
    """What the policies of now make of a recorded request. `why` says which entries hold for it, best first."""

    revision: int
    verdict: WebVerdict
    policy: PolicyOfWebRecord | None
    entry: EntryOfWebRecord | None
    differs: bool
    why: Sequence[str]


class WebRecordDetail(WebRecordAnswer, frozen=True, rename="camel"):
    """A record with what would be decided today."""

    today: WebToday


class FindAccessRequests(Struct, frozen=True):
    """All requests for access."""


class OneAccessRequest(Struct, frozen=True):
    """One request for access, by id."""

    id: str


class AccessRequestAnswer(Struct, frozen=True, rename="camel"):
    """Who asked to be let through to what. `decisionId` is that of the decision that blocked it."""

    id: str
    decision_id: str
    at: str
    user: str
    asked_from: str
    url: str
    policy: str
    reason: str


class ClosedAccessRequest(Struct, frozen=True):
    """A request for access that is on the list no more."""

    id: str
    closed: bool = True
    url: str | UnsetType = UNSET
