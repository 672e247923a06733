"""Permissions are spelled as published, and the built-in roles hold what they should (behaviour.md section 9)."""

from __future__ import annotations

import re

import pytest

from mailreeve.access.caller import Caller
from mailreeve.access.permissions import PROTECTED, ROLE_PERMISSIONS, Permission, Role

READS = {p for p in Permission if p.value.endswith("| Read")} - PROTECTED
P = Permission


@pytest.mark.parametrize("permission", list(Permission))
def test_permissions_are_spelled_as_published(permission: Permission) -> None:
    """`Menu | Item | Level`, which a refused caller reads (D-37); in the archive some have two parts, and an item
    may be below another."""
    assert re.fullmatch(r"[A-Z][\w -]*( \| [A-Z][\w -]*){1,3}", permission.value)
    assert permission.name == re.sub(r"\W+", "_", permission.value).upper()


def test_every_role_has_its_permissions() -> None:
    """No role is forgotten, and none is empty."""
    assert ROLE_PERMISSIONS.keys() == set(Role)
    assert all(ROLE_PERMISSIONS.values())


@pytest.mark.parametrize(
    ("role", "lacking"),
    [
        (Role.SUPER_ADMINISTRATOR, set()),
        (
            Role.FULL_ADMINISTRATOR,
            {P.DIRECTORIES_INTERNAL_REGISTER_NEW_DOMAIN, P.MONITORING_HELD_CONTENT_VIEW, *PROTECTED},
        ),
        (
            Role.BASIC_ADMINISTRATOR,
            {
                P.DIRECTORIES_INTERNAL_REGISTER_NEW_DOMAIN,
                P.DIRECTORIES_INTERNAL_CREATE_ALTERNATE_ADDRESS,
                P.DIRECTORIES_INTERNAL_EDIT,
                P.DIRECTORIES_IMPORT_EDIT,
                P.DIRECTORIES_INTERNAL_PURGE_ADDRESS,
                P.DIRECTORIES_INTERNAL_REMOVE_ADDRESS_FROM_PURGE_LIST,
                P.DIRECTORIES_ROLES_EDIT,
                P.MONITORING_HELD_CONTENT_VIEW,
                P.SERVICES_API_APPLICATIONS_EDIT,
                P.SERVICES_DIRECTORY_SYNC_EDIT,
                *PROTECTED,
            },
        ),
    ],
)
def test_administrators_lack_little(role: Role, lacking: set[Permission]) -> None:
    """The table of roles, from its upper end."""
    assert set(Permission) - ROLE_PERMISSIONS[role] == lacking


def test_help_desk_reads_all_and_changes_little() -> None:
    """One person's list, and what is held for that person."""
    changes = {P.GATEWAY_MANAGED_SENDERS_EDIT, P.ACCOUNT_MONITORING_HELD_EDIT}
    assert ROLE_PERMISSIONS[Role.HELP_DESK] - READS == changes
    assert ROLE_PERMISSIONS[Role.HELP_DESK] > READS


def test_gateway_administrators_have_nothing_of_the_web_or_of_users() -> None:
    """Mail policies, lists and groups only."""
    assert all(
        p.value.startswith(("Gateway |", "Directories | Groups |", "Account |", "Monitoring |"))
        or p is P.DIRECTORIES_INTERNAL_READ
        for p in ROLE_PERMISSIONS[Role.GATEWAY_ADMINISTRATOR]
    )
    assert P.GATEWAY_POLICIES_EDIT in ROLE_PERMISSIONS[Role.GATEWAY_ADMINISTRATOR]


@pytest.mark.parametrize("role", list(Role))
def test_who_may_edit_may_read(role: Role) -> None:
    """No role can change what it cannot see."""
    held = ROLE_PERMISSIONS[role]
    for permission in held:
        if permission.value.endswith("| Edit"):
            twin = permission.value.removesuffix("Edit") + "Read"
            assert twin not in set(Permission) or Permission(twin) in held


def caller(*permissions: Permission) -> Caller:
    return Caller("account", "ann@corp.test", "app", frozenset(permissions))


def test_any_one_of_the_permissions_grants() -> None:
    """Where sources disagree, either does (api.md section 7.1)."""
    needed = (P.DIRECTORIES_GROUPS_READ, P.SERVICES_DIRECTORY_SYNC_READ)
    assert caller(P.DIRECTORIES_GROUPS_READ).may(needed)
    assert caller(P.SERVICES_DIRECTORY_SYNC_READ, P.GATEWAY_POLICIES_READ).may(needed)
    assert not caller(P.DIRECTORIES_GROUPS_EDIT).may(needed)
    assert not caller().may(needed)


def test_an_endpoint_that_asks_for_nothing_is_open_to_every_caller() -> None:
    """An empty tuple asks for none."""
    assert caller().may(())
