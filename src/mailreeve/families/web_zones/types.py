"""The item and answers of the endpoint that tells of zones, which is ours."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from mailreeve.policy.zone.unsaid import Reason


class GetZones(Struct, frozen=True):
    """Nothing has to be said: all zones of the account are told."""


class UnsaidAnswer(Struct, frozen=True, rename="camel"):
    """`count` targets or entries of a web list or temporary allow, as `what` has it, that a zone does not say, and
    why. `examples` are some of the entries."""

    id: str
    description: str
    reason: Reason
    what: str
    why: str
    count: int
    examples: Sequence[str]


class ZoneAnswer(Struct, frozen=True, rename="camel"):
    """A zone: of a location by its name, or of everyone, where that is empty. Serial, the number of names and the
    time of the last change are those it was last fetched or written with, null where it never was. The first of
    what it does not say, and of how much."""

    name: str
    location: str
    serial: int | None
    names: int | None
    changed: str | None
    not_said: Sequence[UnsaidAnswer]
    not_said_count: int


class ZonesAnswer(Struct, frozen=True, rename="camel"):
    """The zones of an account, the names of the keys that they may be fetched with, and the account's
    revision."""

    zones: Sequence[ZoneAnswer]
    keys: Sequence[str]
    revision: int
