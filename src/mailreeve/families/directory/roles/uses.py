"""Who has a role? Users and applications bear its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct
from sqlalchemy import func, select, update

from mailreeve.families.directory.users.rows import user
from mailreeve.families.login.rows import application
from mailreeve.store.records import given, ours
from mailreeve.store.transactions import Work

_users: Final = select(user.c.role, func.count()).where(ours(user), user.c.role.is_not(None)).group_by(user.c.role)
_applications: Final = (
    select(application.c.role, func.count()).where(ours(application)).group_by(application.c.role)
)
_user_names: Final = (
    select(user.c.address)
    .where(ours(user), user.c.role == given("named"))
    .order_by(user.c.id)
    .limit(given("most"))
)
_application_names: Final = (
    select(application.c.name)
    .where(ours(application), application.c.role == given("named"))
    .order_by(application.c.id)
    .limit(given("most"))
)
_rename_users: Final = update(user).where(ours(user), user.c.role == given("named")).values(role=given("other"))
_rename_applications: Final = (
    update(application).where(ours(application), application.c.role == given("named")).values(role=given("other"))
)


class Uses(Struct, frozen=True):
    """From the name of each role to how many users and applications have it."""

    users: Mapping[str, int]
    applications: Mapping[str, int]


def counted(work: Work) -> Uses:
    """How often each role is used."""
    return Uses(
        {str(name): int(number) for name, number in work.run(_users)},
        {str(name): int(number) for name, number in work.run(_applications)},
    )


def named(work: Work, role: str, most: int) -> tuple[list[str], list[str]]:
    """The addresses of users, and the names of applications, that have a role: the first of each."""
    asked = {"named": role, "most": most}
    return list(work.run(_user_names, asked).scalars()), list(work.run(_application_names, asked).scalars())


def rename(work: Work, role: str, other: str) -> None:
    """Have all that bear the one name bear the other."""
    for statement in (_rename_users, _rename_applications):
        work.run(statement, {"named": role, "other": other})
