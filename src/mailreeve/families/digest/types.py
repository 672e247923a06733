"""The items and answers of the digest endpoints, which are ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from mailreeve.families.digest.schedule import Weekday
from mailreeve.policy.model.policy_types import Layer
from mailreeve.wire.items import MaybeEmpty

MOST_TIMES = 24


class GetDigest(Struct, frozen=True):
    """Nothing has to be said: an account has one digest."""


class SetDigest(Struct, frozen=True, rename="camel"):
    """How the digest is to be. What is left out stays as it is.

    `times` are `HH:MM` in 24 hours in `timeZone`, an IANA name; an empty `groupId` is for all users; without
    `causes` all of what is held is listed; an empty `sender` is the postmaster of the account's first domain.
    """

    enabled: bool | None = None
    time_zone: str | None = None
    times: Annotated[tuple[str, ...], Meta(min_length=1, max_length=MOST_TIMES)] | None = None
    weekdays: Annotated[tuple[Weekday, ...], Meta(min_length=1, max_length=7)] | None = None
    group_id: MaybeEmpty | None = None
    causes: Annotated[tuple[Layer, ...], Meta(max_length=len(Layer))] | None = None
    sender: MaybeEmpty | None = None


class DigestAnswer(Struct, frozen=True, rename="camel"):
    """The digest as it is. `next` is when one is due next, there if it is on; `asked` when somebody asked for one
    that was not yet sent. `publicUrl` is what its links begin with, empty where that is not set."""

    enabled: bool
    time_zone: str
    times: Sequence[str]
    weekdays: Sequence[Weekday]
    group_id: str
    causes: Sequence[Layer]
    sender: str
    public_url: str
    next: str | UnsetType = UNSET
    asked: str | UnsetType = UNSET


class SendDigest(Struct, frozen=True):
    """Who is to get a digest now: one user, or all whom it is for."""

    to: str | None = None


class SendingDigest(Struct, frozen=True):
    """A digest was asked for, at this time; a server sends it at once. `to` is the user's primary address, where
    it is for one."""

    asked: str
    to: str | UnsetType = UNSET
