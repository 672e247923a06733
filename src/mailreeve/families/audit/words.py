"""How is a change told? By the category and type that clients know, the name of the object, and what differs.

What the store keeps of an object holds keys of other rows. On the wire they are ids, or they are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from mailreeve.families.audit.lists import change_of_list
from mailreeve.families.audit.rows import AuditRow
from mailreeve.families.audit.types import AuditChange
from mailreeve.policy.model.policy_types import POLICY_TYPES
from mailreeve.wire.errors import ItemRefused
from mailreeve.wire.tokens import Ids, Kind

CATEGORIES: Final[Mapping[str, str]] = {
    "policy_logs": "Policies, personal lists, web lists and address alteration",
    "profile_group_logs": "Groups and their members",
    "held_message_logs": "Held messages: released, turned down, asked for",
    "user_account_and_role_logs": "Users, aliases, attributes and delegate rights",
    "account_logs": "The account, its domains, and credentials of programs",
    "authentication_logs": "Users who signed in and out",
}
"""The categories of events, by their codes."""


class Told(Struct, frozen=True):
    """What the events about a kind of object are called: when it is made, when it is removed, otherwise."""

    category: str
    created: str
    deleted: str
    changed: str


_POLICY: Final = Told("policy_logs", "New Policy", "Policy Deleted", "Existing Policy Changed")
_USER: Final = Told("user_account_and_role_logs", "New User", "User Deleted", "User Settings Changed")
_ACCOUNT: Final = Told("account_logs", "Account Created", "Account Deleted", "Account Settings Changed")
_KEYS: Final = Told("account_logs", "API Application Created", "API Keys Revoked", "API Application Changed")

_TOLD: Final[Mapping[str, Told]] = {
    **{row.kind: _POLICY for row in POLICY_TYPES.values()},
    Kind.WEB_POLICY: _POLICY,
    Kind.WEB_ALLOW: _POLICY,
    Kind.MANAGED_URL: _POLICY,
    Kind.WEB_LOCATION: _POLICY,
    Kind.WEB_CLIENT: _POLICY,
    Kind.WEB_ACCESS_REQUEST: _POLICY,
    Kind.ALTERATION_SET: _POLICY,
    Kind.ALTERATION_DEFINITION: _POLICY,
    Kind.USER: _USER,
    Kind.ATTRIBUTE: Told("user_account_and_role_logs", "New Attribute", "Attribute Deleted", "Attribute Changed"),
    Kind.DELEGATE: Told("user_account_and_role_logs", "New Delegate", "Delegate Removed", "Delegate Changed"),
    Kind.HELD_MESSAGE: Told("held_message_logs", *("Held Message Log Entry",) * 3),
    Kind.GROUP: Told("profile_group_logs", *("Profile Group Log Entry",) * 3),
    Kind.GROUP_MEMBER: Told(
        "profile_group_logs",
        "Profile Group Log Entry",
        "Profile Group unlink Log Entry",
        "Profile Group Log Entry",
    ),
    Kind.DOMAIN: Told("account_logs", *("Domain Adjustments",) * 3),
    Kind.ACCOUNT: _ACCOUNT,
    "zone key": Told("account_logs", "Zone Key Created", "Zone Key Deleted", "Zone Key Changed"),
    "digest": Told("account_logs", *("Digest Settings Changed",) * 3),
    "application": _KEYS,
    Kind.WEB_PROXY: Told("account_logs", "Web Proxy Created", "Web Proxy Deleted", "Web Proxy Changed"),
    "binding": _KEYS,
    "logon": Told("authentication_logs", "User Logged On", "User Logged Out", "User Logged On"),
}
_OTHERS: Final = Told("account_logs", "Created", "Deleted", "Changed")

KINDS_WITH_IDS: Final = frozenset({*Kind, *(row.kind for row in POLICY_TYPES.values())})
"""The kinds of object that functions of the API know by ids."""

_KEY: Final = re.compile("[0-9a-f]{32}")
_REFERS_TO: Final[Mapping[str, str]] = {
    "group_id": Kind.GROUP,
    "set_id": Kind.ALTERATION_SET,
    "user_id": Kind.USER,
    "type_id": Kind.ATTRIBUTE,
}
_OF_NO_INTEREST: Final = frozenset({"id", "created_at", "updated_at", "changed_in", "key", "type_id"})
_NAMED_BY: Final = ("description", "name", "address", "matched", "domain", "code")
MOST_CHANGES: Final = 100


def category_of(row: AuditRow) -> str:
    """The code of the category that an event belongs to."""
    return _TOLD.get(row.object_kind, _OTHERS).category


def kinds_in(category: str) -> list[str]:
    """The kinds of object whose events are in a category."""
    return [kind for kind, told in _TOLD.items() if told.category == category]


def audit_type_of(row: AuditRow) -> str:
    """What clients know this sort of event as (api.md section 3.10)."""
    told = _TOLD.get(row.object_kind, _OTHERS)
    action = row.action
    if action == "restore":
        action = "create" if row.before is None else "delete" if row.after is None else "update"
    return {"create": told.created, "delete": told.deleted}.get(action, told.changed)


def name_of(row: AuditRow) -> str:
    """What people call the object, empty where it has no name."""
    state = row.after or row.before or {}
    members = dict(_flat(state))
    if "sender" in members and "recipient" in members:
        return f"{members.get('action', '')} {members['sender']} for {members['recipient']}".strip()
    if "holder" in members and "mailbox" in members:
        return f"{members['holder']} for {members['mailbox']}"
    return next((str(members[name]) for name in _NAMED_BY if members.get(name)), "")


def shown(
    state: Mapping[str, object] | None, row: AuditRow, ids: Ids, account_id: str
) -> dict[str, object] | None:
    """A state with ids in the place of keys."""

    def walk(value: object, kind: str) -> object:
        if isinstance(value, dict):
            found: dict[str, object] = {}
            for name, member in value.items():
                of = _kind_of(name, value, kind)
                if isinstance(member, str) and _KEY.fullmatch(member):
                    if of in KINDS_WITH_IDS:
                        found[name.rstrip("_")] = ids.seal(of, member, account_id)
                else:
                    found[name.rstrip("_")] = walk(member, "")
            return found
        return [walk(member, kind) for member in value] if isinstance(value, list) else value

    walked = walk(state, row.object_kind)
    return walked if isinstance(walked, dict) else None


def _kind_of(name: str, within: Mapping[str, object], kind: str) -> str:
    """The kind of object whose key a member holds, empty where that is not known."""
    if name in ("id", "parent_id"):
        return kind
    if name == "key" and within.get("type") == "profile_group":
        return Kind.GROUP
    return _REFERS_TO.get(name, "")


def changes(before: Mapping[str, object] | None, after: Mapping[str, object] | None) -> list[AuditChange]:
    """The members that differ, the first of very many. Where an object was made or removed, what it is made of."""
    old, new = dict(_flat(before or {})), dict(_flat(after or {}))
    made = before is None or after is None
    found = []
    for name in {**old, **new}:
        was, now = old.get(name), new.get(name)
        if was != now and not (made and (was or now) in (None, "", False)):
            found.append(AuditChange(name, was, now))
    return found[:MOST_CHANGES]


def _flat(state: Mapping[str, object], at: str = "") -> Iterator[tuple[str, object]]:
    """The members with all that lie below, by their paths. `document` is only where the store keeps a policy's."""
    for name, value in state.items():
        here = f"{at}.{name.rstrip('_')}" if at else name.rstrip("_")
        if isinstance(value, dict):
            yield from _flat(value, "" if here == "document" else here)
        elif name not in _OF_NO_INTEREST:
            yield here, value


def event_info(row: AuditRow, found: list[AuditChange]) -> str:
    """An event in one text, as clients show it: what it is about, its scope, if it is active, what changed."""
    state = dict(_flat(row.after or row.before or {}))
    parts = [row.object_kind.title()]
    name = name_of(row)
    if name:
        parts.append(name)
    for side in ("from", "to"):
        scope = state.get(f"{side}.shown") or state.get(f"{side}.type")
        if scope:
            parts.append(f"{side.title()}: {scope}")
    if _TOLD.get(row.object_kind) is _POLICY:
        parts.append("[Active]" if state.get("enabled", True) and row.action != "delete" else "[Inactive]")
    if state.get("option"):
        parts.append(f"[{str(state['option']).replace('_', ' ').title()}]")
    if row.before is not None and row.after is not None:
        parts += [
            f"{one.member}: {change_of_list(one.before, one.after) or f'{one.before} -> {one.after}'}"
            for one in found
        ]
    parts.append(f"Date: {row.at:%Y-%m-%d}, Time: {row.at:%H:%M:%S%z}")
    if row.source_ip:
        parts.append(f"IP: {row.source_ip}")
    return ", ".join(parts)


def open_object(ids: Ids, account_id: str, wire_id: str, field: str) -> tuple[str, str] | None:
    """Of which kind an id is, and the key behind it; None where it is of none that this account has."""
    for kind in sorted(KINDS_WITH_IDS):
        try:
            return kind, ids.open(kind, wire_id, account_id, field)
        except ItemRefused:
            continue
    return None
