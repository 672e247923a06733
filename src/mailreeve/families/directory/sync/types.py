"""The items and answers of the endpoints about directory connections (api.md section 3.7)."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET, Struct, UnsetType


class EveryConnection(Struct, frozen=True):
    """All connections are told of; there is nothing to say."""


class ConnectionAnswer(Struct, frozen=True, rename="camel"):
    """The connection to a directory: where it is, and what came of reading it last. `problem` is why it could not
    be read, empty where it could."""

    id: str
    description: str
    server_type: str
    server: str
    status: str
    problem: str
    changes: int
    last_sync: str | UnsetType = UNSET


class StartedSync(Struct, frozen=True, rename="camel"):
    """A sync that a server begins within a second or two."""

    sync_status: str
    type: str


class PlannedChanges(Struct, frozen=True, rename="camel"):
    """What a sync would change now, in words; of many the first."""

    total: int
    changes: Sequence[str]
