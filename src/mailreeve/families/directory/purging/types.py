"""The items and answers of the endpoints about the purge list (api.md section 3.6)."""

from __future__ import annotations

from msgspec import Struct


class PurgeAddresses(Struct, frozen=True, rename="camel"):
    """Users to mark for removal, or to unmark, each by any address."""

    email_addresses: list[str]


class MarkedUser(Struct, frozen=True, rename="camel"):
    """A user who is marked for removal: by whom, since when, and from when on the user is gone."""

    id: str
    email_address: str
    marked: str
    marked_by: str
    purge_on: str


class UnmarkedUser(Struct, frozen=True, rename="camel"):
    """A user who stays. `was_marked` says whether the user was to go."""

    id: str
    email_address: str
    was_marked: bool


class EveryMark(Struct, frozen=True):
    """All who are marked."""
