"""The items and answers of the permitted sender endpoints. API 1.0 has none: these are ours, in the form of its
blocked sender endpoints."""

from __future__ import annotations

from msgspec import Struct

from mailreeve.wire.policy_object import PolicyAnswer, PolicyItem


class CreatePermit(Struct, frozen=True):
    """A policy to create."""

    policy: PolicyItem


class UpdatePermit(Struct, frozen=True):
    """A policy to change: a policy object that names `from` and `to` replaces the whole, one that does not changes
    what it holds."""

    id: str
    policy: PolicyItem


class OnePermit(Struct, frozen=True):
    """One policy, by id."""

    id: str


class SomePermits(Struct, frozen=True):
    """One policy by id, or all without one."""

    id: str | None = None


class PermitAnswer(Struct, frozen=True):
    """A permitted sender policy."""

    id: str
    policy: PolicyAnswer


class DeletedPermit(Struct, frozen=True):
    """A policy that is gone."""

    id: str
    deleted: bool = True
