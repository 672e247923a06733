"""`mailreeve role`: which roles there are, what they permit, and roles of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import click
import msgspec

from mailreeve.app.terminal import escaped_line
from mailreeve.cli import listing
from mailreeve.cli.calling import calls_api
from mailreeve.cli.confirming import confirm_at_terminal, yes_option
from mailreeve.cli.listing import Object, Table, limit_option, page_size
from mailreeve.cli.options import json_option
from mailreeve.cli.output import counted, echo
from mailreeve.cli.refusals import said_of
from mailreeve.cli.tables import Column
from mailreeve.client import Client
from mailreeve.client.api import convert, only
from mailreeve.families.directory.roles.types import RoleAnswer

FIND: Final = "ext/get-roles"
NAMED: Final = {
    "role": ("ROLE", None),
    "name": ("--name", None),
    "permissions": ("--permission", None),
    "description": ("--description", None),
}


@click.group("role")
def command() -> None:
    """List, make, change and delete roles.

    A role is a set of permissions, by the names that docs/reference/roles.md lists. The built-in ones stay as they
    are. Nobody makes or gives a role that permits more than they may do themselves.

    \b
    mailreeve role create "List keeper" -p "Gateway | Managed Senders | Edit"
    """


@command.command("list")
@limit_option
@json_option
@calls_api
def list_(api: Client, limit: int, as_json: bool) -> None:
    """List the roles, built-in ones first, and how many have each.

    \b
    mailreeve role list
    """
    listing.show(api.pages(FIND, page_size=page_size(limit)), _TABLE, limit, as_json=as_json)


def _cells(row: Object, _: Mapping[str, str]) -> tuple[str, ...]:
    one = convert(row, RoleAnswer)
    kind = "built in" if one.built_in else "custom"
    return one.name, str(len(one.permissions)), str(one.users), str(one.applications), kind


_TABLE: Final = Table(
    ("role", "roles"),
    (Column("role", 1), Column("permissions"), Column("users"), Column("applications"), Column("kind")),
    _cells,
)


@command.command("show")
@click.argument("role")
@json_option
@calls_api
def show(api: Client, role: str, as_json: bool) -> None:
    """Say what a role permits.

    \b
    mailreeve role show "Help Desk"
    """
    with said_of(NAMED | {"role": ("ROLE", role)}):
        row = only(api.call(FIND, {"role": role}))
    _say(row, as_json)


_permissions = click.option(
    "--permission",
    "-p",
    "permissions",
    multiple=True,
    metavar="NAME",
    help="A permission, by name; repeatable.",
)
_description = click.option("--description", metavar="TEXT", help="What it is for.")


@command.command("create")
@click.argument("role")
@_permissions
@_description
@json_option
@calls_api
def create(api: Client, role: str, permissions: tuple[str, ...], description: str | None, as_json: bool) -> None:
    """Make a role of permissions.

    \b
    mailreeve role create "List keeper" -p "Gateway | Managed Senders | Edit" \\
        -p "Directories | Internal | Read"
    """
    if not permissions:
        raise click.BadParameter("a role permits something; give at least one", param_hint="--permission")
    item = {"name": role, "permissions": list(permissions), "description": description}
    with said_of(NAMED | {"name": ("ROLE", role)}):
        _say(only(api.call("ext/create-role", item)), as_json)


@command.command("update")
@click.argument("role")
@click.option("--name", metavar="NAME", help="Another name.")
@_permissions
@click.option("--add", multiple=True, metavar="NAME", help="A permission that it gets besides; repeatable.")
@click.option("--remove", multiple=True, metavar="NAME", help="A permission that it loses; repeatable.")
@_description
@json_option
@calls_api
def update(
    api: Client,
    role: str,
    name: str | None,
    permissions: tuple[str, ...],
    add: tuple[str, ...],
    remove: tuple[str, ...],
    description: str | None,
    as_json: bool,
) -> None:
    """Change a role. It holds at once for all who have it.

    --permission replaces all that the role permitted; --add and --remove change a part.

    \b
    mailreeve role update "List keeper" --add "Directories | Groups | Read"
    """
    if permissions and (add or remove):
        raise click.UsageError("--permission replaces all of them; give either it, or --add and --remove")
    item: dict[str, object] = {"role": role, "name": name, "description": description}
    with said_of(NAMED | {"role": ("ROLE", role)}):
        if add or remove:
            found = convert(only(api.call(FIND, {"role": role})), RoleAnswer)
            lost = {_folded(one) for one in remove}
            missing = lost - {_folded(one) for one in found.permissions}
            if missing:
                names = ", ".join(one for one in remove if _folded(one) in missing)
                raise click.BadParameter(f"{found.name} does not permit {names}", param_hint="--remove")
            item["permissions"] = [one for one in found.permissions if _folded(one) not in lost] + list(add)
        elif permissions:
            item["permissions"] = list(permissions)
        _say(only(api.call("ext/update-role", item)), as_json)


@command.command("delete")
@click.argument("role")
@yes_option()
@json_option
@calls_api
def delete(api: Client, role: str, yes: bool, as_json: bool) -> None:
    """Delete a role that nobody has.

    \b
    mailreeve role delete "Web helpers"
    """
    confirm_at_terminal([f"the role {role}"], yes=yes)
    with said_of(NAMED | {"role": ("ROLE", role)}):
        row = only(api.call("ext/delete-role", {"role": role}))
    echo(msgspec.json.encode(row) if as_json else f"deleted {escaped_line(str(row['role']))}")


def _folded(name: str) -> str:
    return "|".join(" ".join(part.split()) for part in name.casefold().split("|"))


def _say(row: dict[str, object], as_json: bool) -> None:
    if as_json:
        echo(msgspec.json.encode(row))
        return
    one = convert(row, RoleAnswer)
    echo(f"{escaped_line(one.name)}, {'built in' if one.built_in else 'custom'}")
    if one.description:
        echo(f"  {escaped_line(one.description)}")
    users, programs = counted(one.users, "user", none="no"), counted(one.applications, "application", none="no")
    echo(f"  {users} and {programs} have it")
    for permission in one.permissions:
        echo(f"  {permission}")
