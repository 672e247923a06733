"""How does a made-up account get into a database? By inserting rows: a million calls would take hours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from math import inf
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, insert

from mailreeve.families.directory.domains.rows import domain
from mailreeve.families.directory.groups.rows import group, member
from mailreeve.families.directory.users.attributes import attribute_type, attribute_value
from mailreeve.families.directory.users.rows import address, user
from mailreeve.families.managed_senders.rows import managed_sender
from mailreeve.families.policies.address_alteration.rows import (
    alteration_definition,
    alteration_policy,
    alteration_set,
)
from mailreeve.families.policies.blocked_senders.rows import blocked_sender_policy
from mailreeve.families.policies.permitted_senders.rows import permitted_sender_policy
from mailreeve.families.policies.web_lists.rows import web_entry, web_policy, web_target
from mailreeve.families.registry import ENDPOINTS
from mailreeve.policy.model.policies import BlockedSenderPolicy, Scope
from mailreeve.policy.model.targets import Target
from mailreeve.store.engines import SqliteEngine
from mailreeve.store.schema import account, metadata
from mailreeve.wire.policy_object import PolicyDocument, TargetDocument
from rig import worlds

assert ENDPOINTS, "importing the registry declares all tables"
ACCOUNT = worlds.key_of(90_000_000)
AT = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = 20_000  # inserted at a time


Rows = tuple[Table, Iterable[dict[str, Any]]]
"""Rows of one table, without the account."""


def document(description: str, scope: Scope) -> str:
    """A scope as the store keeps it."""

    def target(wanted: Target) -> TargetDocument:
        return TargetDocument(wanted.type, wanted.value, wanted.value, wanted.attribute)

    def moment(at: float) -> datetime | None:
        return None if at in (inf, -inf) else datetime.fromtimestamp(at, UTC)

    return msgspec.json.encode(
        PolicyDocument(
            description,
            target(scope.from_),
            target(scope.to),
            from_part=scope.terms.from_part,
            starts=moment(scope.terms.starts),
            ends=moment(scope.terms.ends),
            override=scope.terms.override,
            bidirectional=scope.terms.bidirectional,
            enabled=scope.terms.enabled,
            source_ips=tuple(map(str, scope.terms.networks)),
        )
    ).decode()


def rows(size: worlds.Size) -> Iterator[Rows]:
    """The rows of each table, in an order that foreign keys allow."""
    directory = worlds.directory(size)
    made = {"created_at": AT}
    both = {"created_at": AT, "updated_at": AT}
    yield (
        domain,
        (
            {
                "id": worlds.key_of(91_000_000 + number),
                "name": name,
                "shown": name,
                "inbound_type": "known" if name in directory.known_only else "any",
                "send_only": False,
                **made,
            }
            for number, name in enumerate(sorted(directory.internal_domains))
        ),
    )
    levels = sorted(directory.group_names, key=lambda id_: (_depth(directory.parents, id_), id_))
    yield (
        group,
        (
            {
                "id": id_,
                "parent_id": directory.parents.get(id_),
                "name": directory.group_names[id_],
                "source": "cloud",
                "system": False,
                **made,
            }
            for id_ in levels
        ),
    )
    memberships = ((matched, id_) for matched, held in directory.groups.items() for id_ in held)
    yield (
        member,
        (
            {
                "id": worlds.key_of(100_000_000 + number),
                "group_id": id_,
                "matched": matched,
                "shown": matched,
                "notes": "",
                **made,
            }
            for number, (matched, id_) in enumerate(memberships)
        ),
    )
    ids = {key: worlds.key_of(110_000_000 + n) for n, key in enumerate(directory.users) if "user" in key}
    yield (
        user,
        (
            {
                "id": id_,
                "key": key,
                "address": key,
                "name": "",
                "role": None,
                "address_type": "created_manually",
                "source": "cloud",
                "locked": False,
                "disabled": False,
                "force_password_change": False,
                "password_never_expires": False,
                "allow_smtp": False,
                "allow_pop": False,
                "archive_start": None,
                "archive_start_shown": None,
                "password_hash": None,
                "password_changed_at": None,
                **both,
            }
            for key, id_ in ids.items()
        ),
    )
    yield (
        address,
        (
            {
                "key": key,
                "user_id": ids[owner.primary],
                "shown": key,
                "domain": key.partition("@")[2],
                "alias": key != owner.primary,
                **made,
            }
            for key, owner in directory.users.items()
        ),
    )
    type_id = worlds.key_of(20_000_000)
    yield attribute_type, [{"id": type_id, "name": "Department", "folded": "department", **made}]
    yield (
        attribute_value,
        (
            {"user_id": ids[key], "type_id": type_id, "value": owner.attributes[type_id]}
            for key, owner in directory.users.items()
            if key == owner.primary and owner.attributes
        ),
    )
    yield blocked_sender_policy, map(blocked_row, worlds.blocked(size))
    yield (
        permitted_sender_policy,
        (
            {"id": policy.id, "document": document(policy.description, policy.scope), **both}
            for policy in worlds.permitted(size)
        ),
    )
    yield (
        managed_sender,
        (
            {
                "id": entry.id,
                "recipient": entry.recipient,
                "sender": entry.sender,
                "sender_shown": entry.sender,
                "action": entry.action,
                **both,
            }
            for entry in worlds.managed(size)
        ),
    )
    yield alteration_set, ({"id": f"S{n}", "parent_id": None, "name": f"Set {n}", **made} for n in range(20))
    yield (
        alteration_policy,
        (
            {
                "id": policy.id,
                "set_id": policy.set_id,
                "document": document(policy.description, policy.scope),
                **both,
            }
            for policy in worlds.alteration(size)
        ),
    )
    yield (
        alteration_definition,
        (
            {
                "id": one.id,
                "set_id": one.set_id,
                "address_type": one.address_type,
                "routing": one.routing,
                "original_local": one.original.local,
                "original_domain": one.original.domain,
                "original_shown": "",
                "new_local": one.new.local,
                "new_domain": one.new.domain,
                "new_shown": "",
                **made,
            }
            for one in worlds.definitions(size)
        ),
    )
    lists = list(worlds.web(size))
    yield web_policy, ({"id": policy.id, "description": policy.description, **both} for policy in lists)
    yield (
        web_target,
        (
            {
                "id": worlds.key_of(120_000_000 + number),
                "policy_id": policy.id,
                "position": 0,
                "document": document(policy.description, policy.scopes[0]),
                **both,
            }
            for number, policy in enumerate(lists)
        ),
    )
    yield (
        web_entry,
        (
            {
                "id": entry.id,
                "policy_id": policy.id,
                "position": position,
                "action": entry.action,
                "type": entry.type,
                "value": entry.value,
                "shown": entry.value,
            }
            for policy in lists
            for position, entry in enumerate(policy.entries)
        ),
    )


def blocked_row(policy: BlockedSenderPolicy) -> dict[str, Any]:
    """A blocked sender policy as the store keeps it."""
    return {
        "id": policy.id,
        "option": policy.option,
        "document": document(policy.description, policy.scope),
        "immutable": policy.relay_guard,
        "created_at": AT,
        "updated_at": AT,
    }


def fill(path: Path, size: worlds.Size) -> None:
    """A new database with the account in it."""
    engine = SqliteEngine(path)
    with engine.writing() as connection:
        metadata.create_all(connection)
        connection.execute(
            insert(account).values(
                id=ACCOUNT, code=ACCOUNT, name="Bench", admin_email="a@b.test", revision=1, created_at=AT
            )
        )
        put(connection, ACCOUNT, rows(size))
    engine.dispose()


def put(connection: Connection, account_id: str, tables: Iterable[Rows]) -> None:
    """Insert these rows as the account's."""
    for table, found in tables:
        found = iter(found)
        while several := [{"account_id": account_id, **row} for row in islice(found, ROWS)]:
            connection.execute(insert(table), several)


def _depth(parents: dict[str, str], group_id: str) -> int:
    depth = 0
    while group_id in parents:
        group_id, depth = parents[group_id], depth + 1
    return depth
