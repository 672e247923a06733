"""`mailreeve group`: groups of addresses and domains, which policies can name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import click
import msgspec
from rich.console import Console

from mailreeve.cli.calling import calls_api
from mailreeve.cli.confirming import REACH, changed, confirm_at_terminal, confirm_removal, yes_option
from mailreeve.cli.ids import GROUP, IdCommand, resolve
from mailreeve.cli.listing import Object, Table, inner, limit_option, page_size, show, text
from mailreeve.cli.options import json_option, misused
from mailreeve.cli.output import echo
from mailreeve.cli.refusals import said_of
from mailreeve.cli.tables import Column, print_table
from mailreeve.cli.times import COMING, WHEN, coming, in_column, shown
from mailreeve.client import Answer, Client

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

_GROUPS: Final = (
    Column("id"),
    Column("group", 2),
    Column("below", 2, if_any=True),
    Column("members"),
    Column("groups"),
)


@click.group("group")
def command() -> None:
    """Groups of addresses and domains, which policies can name. GROUP is a name, or an id or its beginning.

    \b
    mailreeve group create Partners
    mailreeve group add Partners partner.test ann@other.test
    mailreeve group add Partners pat@guest.test --until 30d
    """


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
    names: dict[str, str] = {}

    def known(answer: Answer) -> Answer:
        names.update((text(one, "id"), text(one, "description")) for one in inner(answer.data, "folders"))
        return answer

    def cells(row: Object, ids: Mapping[str, str]) -> tuple[str, ...]:
        above = text(row, "parentId")
        members, below = row.get("userCount", 0), row.get("folderCount", 0)
        parent = names.get(above, above[:8])
        return ids[text(row, "id")], text(row, "description"), parent, str(members), str(below)

    with said_of({"query": ("--text", query)}):
        pages = map(known, api.pages(FIND, item, page_size=page_size(limit)))
        table = Table(("group", "groups"), _GROUPS, cells)
        show(pages, table, limit, as_json=as_json, member="folders", is_filtered=bool(item))


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
    item = {"id": resolve(api, GROUP, group, "GROUP")}
    pages = api.pages(MEMBERS, item, page_size=page_size(limit))
    show(pages, _MEMBERS, limit, as_json=as_json, member="groupMembers")


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
    row = changed(api, CREATE, item, {"description": ("NAME", name), "parentId": ("--parent", parent)})
    echo(msgspec.json.encode(row) if as_json else f"the group {text(row, 'description')} is made")


@command.command("set", cls=IdCommand)
@click.argument("group")
@click.option("--name", metavar="TEXT", help="Call it this.")
@click.option("--parent", metavar="GROUP", help="Put it below this group.")
@yes_option(REACH)
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
        "description": ("--name", name),
        "parentId": ("--parent", parent),
    }
    row = changed(api, UPDATE, item, options, yes=yes)
    echo(msgspec.json.encode(row) if as_json else f"the group {text(row, 'description')} is changed")


@command.command("remove", cls=IdCommand)
@click.argument("group")
@yes_option()
@json_option
@calls_api
def remove(api: Client, group: str, yes: bool, as_json: bool) -> None:
    """Remove a group that no policy names and that has no groups below it.

    \b
    mailreeve group remove Partners --yes
    """
    id_ = resolve(api, GROUP, group, "GROUP")
    confirm_removal([f"the group {group}, with its members"], yes=yes)
    row = changed(api, DELETE, {"id": id_}, {"id": ("GROUP", group)})
    echo(msgspec.json.encode(row) if as_json else f"the group {group} is removed")


@command.command("add", cls=IdCommand)
@click.argument("group")
@click.argument("members", nargs=-1, required=True, metavar="MEMBER...")
@click.option("--until", metavar=WHEN, help=f"When it ends: {COMING}.")
@click.option("--reason", metavar="TEXT", help="Why, for whoever reads the list.")
@yes_option(REACH)
@json_option
@calls_api
def add(
    api: Client,
    group: str,
    members: tuple[str, ...],
    until: str | None,
    reason: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Add addresses or domains to a group, for good or for a time.

    A membership that has ended decides nothing any more, from that very second on.

    \b
    mailreeve group add Partners partner.test pat@guest.test --until 30d
    """
    id_, ends = resolve(api, GROUP, group, "GROUP"), coming(until, "--until")
    more = {name: value for name, value in (("until", ends), ("notes", reason)) if value is not None}
    done: list[Object] = []
    for member in members:
        options = _options(member) | {
            "until": ("--until", until),
            "notes": ("--reason", reason),
        }
        done.append(changed(api, ADD, {"id": id_, **_member(member), **more}, options, yes=yes))
        if not as_json:
            echo(f"{member} is in {group}{_until_words(done[-1])}")
    if as_json:
        echo(msgspec.json.encode({"members": done}))


@command.command("remove-member", cls=IdCommand)
@click.argument("group")
@click.argument("members", nargs=-1, required=True, metavar="MEMBER...")
@yes_option()
@json_option
@calls_api
def remove_member(api: Client, group: str, members: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Take addresses or domains out of a group.

    \b
    mailreeve group remove-member Partners partner.test
    """
    id_ = resolve(api, GROUP, group, "GROUP")
    confirm_at_terminal([f"{member} of {group}" for member in members], yes=yes)
    done: list[Object] = []
    for member in members:
        done.append(changed(api, REMOVE, {"id": id_, **_member(member)}, _options(member)))
        if not as_json:
            echo(f"{member} is out of {group}")
    if as_json:
        echo(msgspec.json.encode({"members": done}))


@command.command("until", cls=IdCommand)
@click.argument("group")
@click.argument("member")
@click.argument("time", metavar=f"{WHEN}|never")
@yes_option(REACH)
@json_option
@calls_api
def until(api: Client, group: str, member: str, time: str, yes: bool, as_json: bool) -> None:
    """Change when a membership ends: TIME is 30m, 12h, 7d or 2w from now, a date, or a time in ISO 8601.

    \b
    mailreeve group until Partners pat@guest.test 2027-03-31T18:00
    """
    end = "" if time == NEVER else coming(time, "TIME")
    item = {"id": resolve(api, GROUP, group, "GROUP"), **_member(member), "until": end}
    row = changed(api, CHANGE, item, _options(member) | {"until": ("TIME", time)}, yes=yes)
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
    gone: list[Object] = []
    while True:
        row = changed(api, TIDY, item, {"id": ("GROUP", group)})
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
        cells = ((text(one, "emailAddress") or text(one, "domain"), shown(text(one, "until"))) for one in gone)
        print_table(Console(highlight=False, soft_wrap=True), columns, cells)
        echo(f"{len(gone)} removed")


def _member(given: str) -> dict[str, str]:
    """An address, or a domain with or without an `@` before it."""
    return {"emailAddress": given} if given.find("@") > 0 else {"domain": given}


def _options(member: str) -> dict[str, tuple[str, str]]:
    named = ("MEMBER", member)
    return {"emailAddress": named, "domain": named}


def _until_words(row: Object) -> str:
    ends = text(row, "until")
    return f" until {shown(ends)}" if ends else ""


def _member_cells(row: Object, _: Mapping[str, str]) -> tuple[str, ...]:
    ends = text(row, "until")
    words = f"ended {in_column(ends)}" if row.get("ended") else in_column(ends)
    return text(row, "emailAddress") or text(row, "domain"), text(row, "name"), words, text(row, "notes")


_MEMBERS: Final = Table(
    ("member", "members"),
    (
        Column("member", 3),
        Column("name", 2, if_any=True),
        Column("until (UTC)", if_any=True),
        Column("reason", 2, if_any=True),
    ),
    _member_cells,
)
