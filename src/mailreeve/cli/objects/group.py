"""`mailreeve group`: groups of addresses and domains, which policies can name."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Final, ParamSpec, TypeVar

import click
import msgspec
from rich.console import Console

from mailreeve.cli.calling import calls_api
from mailreeve.cli.ids import GROUP, IdCommand, resolve, shortened
from mailreeve.cli.objects.directory import (
    Row,
    carried_out,
    confirm_removal,
    end,
    guarded,
    limit_option,
    moment,
    rows_of,
    show,
    text,
    yes_option,
)
from mailreeve.cli.options import json_option, misused
from mailreeve.cli.output import echo
from mailreeve.cli.tables import Column, print_table
from mailreeve.client import Client

P = ParamSpec("P")
R = TypeVar("R")

FIND: Final = "directory/find-groups"
GET: Final = "directory/get-group"
MEMBERS: Final = "directory/get-group-members"
CREATE: Final = "directory/create-group"
UPDATE: Final = "directory/update-group"
DELETE: Final = "directory/delete-group"
ADD: Final = "directory/add-group-member"
REMOVE: Final = "directory/remove-group-member"
CHANGE: Final = "ext/update-group-member"
TIDY: Final = "ext/remove-ended-members"
NEVER: Final = "never"

_MEMBERS: Final = (Column("member", 3), Column("name", 2), Column("until"), Column("notes", 2))


@click.group("group")
def command() -> None:
    """Groups of addresses and domains, which policies can name. GROUP is a name, or an id or its beginning.

    \b
    mailreeve group create Partners
    mailreeve group add Partners partner.test ann@other.test
    mailreeve group add Partners pat@guest.test --until 2026-12-31
    """


def _until(function: Callable[P, R]) -> Callable[P, R]:
    for decorate in (
        click.option("--for", "duration", metavar="TIME", help="For so long: 12h, 30d, 6w."),
        click.option("--until", metavar="TIME", help="Until then, in ISO 8601; without a zone in UTC."),
    ):
        function = decorate(function)
    return function


@command.command("list")
@click.option("--text", "query", metavar="TEXT", help="With this in the name.")
@limit_option
@json_option
@calls_api
def list_(api: Client, query: str | None, limit: int, as_json: bool) -> None:
    """List the groups.

    \b
    mailreeve group list --text partner
    """
    item = {} if query is None else {"query": query}
    rows = list(islice(rows_of(api, FIND, item, member="folders", limit=limit), limit + 1 if limit else None))
    names = {text(row, "id"): text(row, "description") for row in rows}
    ids = shortened(names)

    def cells(row: Row) -> tuple[str, ...]:
        above = text(row, "parentId")
        members, below = row.get("userCount", 0), row.get("folderCount", 0)
        parent = names.get(above, above[:8])
        return ids[text(row, "id")], text(row, "description"), parent, str(members), str(below)

    columns = (Column("id"), Column("group", 2), Column("below", 2), Column("members"), Column("groups"))
    show(iter(rows), ("group", "groups"), columns, cells, limit, as_json=as_json)


@command.command("show", cls=IdCommand)
@click.argument("group")
@limit_option
@json_option
@calls_api
def show_(api: Client, group: str, limit: int, as_json: bool) -> None:
    """List the members of a group, with when a membership ends, or ended.

    \b
    mailreeve group show Partners
    """
    rows = rows_of(api, MEMBERS, {"id": resolve(api, GROUP, group, "GROUP")}, member="groupMembers", limit=limit)
    show(rows, ("member", "members"), _MEMBERS, _member_cells, limit, as_json=as_json)


@command.command("create")
@click.argument("name")
@click.option("--parent", metavar="GROUP", help="Below this group, of which its members are members too.")
@json_option
@calls_api
def create(api: Client, name: str, parent: str | None, as_json: bool) -> None:
    """Make a group.

    \b
    mailreeve group create "Partners abroad" --parent Partners
    """
    item = {"description": name}
    if parent is not None:
        item["parentId"] = resolve(api, GROUP, parent, "--parent")
    row = carried_out(api, CREATE, item, {"description": ("NAME", name), "parentId": ("--parent", parent or "")})
    echo(msgspec.json.encode(row) if as_json else f"the group {text(row, 'description')} is made")


@command.command("set", cls=IdCommand)
@click.argument("group")
@click.option("--name", metavar="TEXT", help="Call it this.")
@click.option("--parent", metavar="GROUP", help="Put it below this group.")
@yes_option
@json_option
@calls_api
def set_(api: Client, group: str, name: str | None, parent: str | None, yes: bool, as_json: bool) -> None:
    """Rename a group, or put it below another.

    \b
    mailreeve group set Partners --name "Old partners"
    """
    if name is None and parent is None:
        misused("give --name or --parent")
    item = {"id": resolve(api, GROUP, group, "GROUP")}
    if name is not None:
        item["description"] = name
    if parent is not None:
        item["parentId"] = resolve(api, GROUP, parent, "--parent")
    options = {
        "id": ("GROUP", group),
        "description": ("--name", name or ""),
        "parentId": ("--parent", parent or ""),
    }
    row = guarded(api, UPDATE, item, options, yes=yes)
    echo(msgspec.json.encode(row) if as_json else f"the group {text(row, 'description')} is changed")


@command.command("remove", cls=IdCommand)
@click.argument("group")
@yes_option
@json_option
@calls_api
def remove(api: Client, group: str, yes: bool, as_json: bool) -> None:
    """Remove a group that no policy names and that has no groups below it.

    \b
    mailreeve group remove Partners --yes
    """
    id_ = resolve(api, GROUP, group, "GROUP")
    confirm_removal([f"the group {group}, with its members"], yes=yes)
    row = carried_out(api, DELETE, {"id": id_}, {"id": ("GROUP", group)})
    echo(msgspec.json.encode(row) if as_json else f"the group {group} is removed")


@command.command("add", cls=IdCommand)
@click.argument("group")
@click.argument("members", nargs=-1, required=True, metavar="MEMBER...")
@_until
@click.option("--notes", metavar="TEXT", help="Why, for whoever reads the list.")
@yes_option
@json_option
@calls_api
def add(
    api: Client,
    group: str,
    members: tuple[str, ...],
    until: str | None,
    duration: str | None,
    notes: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Add addresses or domains to a group, for good or for a time.

    A membership that has ended decides nothing any more, from that very second on.

    \b
    mailreeve group add Partners partner.test pat@guest.test --until 2026-12-31
    """
    id_, ends = resolve(api, GROUP, group, "GROUP"), end(until, duration)
    more = {name: value for name, value in (("until", ends), ("notes", notes)) if value is not None}
    done: list[Row] = []
    for member in members:
        options = _options(member) | {
            "until": ("--until", until or duration or ""),
            "notes": ("--notes", notes or ""),
        }
        done.append(guarded(api, ADD, {"id": id_, **_member(member), **more}, options, yes=yes))
        if not as_json:
            echo(f"{member} is in {group}{_until_words(done[-1])}")
    if as_json:
        echo(msgspec.json.encode({"members": done}))


@command.command("remove-member", cls=IdCommand)
@click.argument("group")
@click.argument("members", nargs=-1, required=True, metavar="MEMBER...")
@json_option
@calls_api
def remove_member(api: Client, group: str, members: tuple[str, ...], as_json: bool) -> None:
    """Take addresses or domains out of a group.

    \b
    mailreeve group remove-member Partners partner.test
    """
    id_ = resolve(api, GROUP, group, "GROUP")
    done: list[Row] = []
    for member in members:
        done.append(carried_out(api, REMOVE, {"id": id_, **_member(member)}, _options(member)))
        if not as_json:
            echo(f"{member} is out of {group}")
    if as_json:
        echo(msgspec.json.encode({"members": done}))


@command.command("until", cls=IdCommand)
@click.argument("group")
@click.argument("member")
@click.argument("time")
@yes_option
@json_option
@calls_api
def until(api: Client, group: str, member: str, time: str, yes: bool, as_json: bool) -> None:
    """Change when a membership ends: TIME in ISO 8601, or `never`.

    \b
    mailreeve group until Partners pat@guest.test 2027-03-31T18:00
    """
    item = {"id": resolve(api, GROUP, group, "GROUP"), **_member(member), "until": "" if time == NEVER else time}
    row = guarded(api, CHANGE, item, _options(member) | {"until": ("TIME", time)}, yes=yes)
    echo(msgspec.json.encode(row) if as_json else f"{member} is in {group}{_until_words(row) or ' for good'}")


@command.command("tidy", cls=IdCommand)
@click.argument("group", required=False)
@json_option
@calls_api
def tidy(api: Client, group: str | None, as_json: bool) -> None:
    """Remove memberships that have ended, of one group or of all. No decision changes by it.

    \b
    mailreeve group tidy
    """
    item = {} if group is None else {"id": resolve(api, GROUP, group, "GROUP")}
    gone: list[Row] = []
    while True:
        row = carried_out(api, TIDY, item, {"id": ("GROUP", group or "")})
        removed = row.get("removed")
        gone += removed if isinstance(removed, list) else []
        if not row.get("more"):
            break
    if as_json:
        echo(msgspec.json.encode({"removed": gone}))
    elif not gone:
        echo("no membership has ended")
    else:
        columns = (Column("member", 1), Column("ended"))
        cells = ((text(one, "emailAddress") or text(one, "domain"), moment(text(one, "until"))) for one in gone)
        print_table(Console(highlight=False, soft_wrap=True), columns, cells)
        echo(f"{len(gone)} removed")


def _member(given: str) -> dict[str, str]:
    """An address, or a domain with or without an `@` before it."""
    return {"emailAddress": given} if given.find("@") > 0 else {"domain": given}


def _options(member: str) -> dict[str, tuple[str, str]]:
    named = ("MEMBER", member)
    return {"emailAddress": named, "domain": named}


def _until_words(row: Row) -> str:
    ends = text(row, "until")
    return f" until {moment(ends)}" if ends else ""


def _member_cells(row: Row) -> tuple[str, ...]:
    ends = text(row, "until")
    words = f"ended {moment(ends)}" if row.get("ended") else moment(ends) if ends else ""
    return text(row, "emailAddress") or text(row, "domain"), text(row, "name"), words, text(row, "notes")
