"""`mailreeve web`: lists of web addresses that are blocked or allowed: make, show, add to, remove from, delete."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import IO, Final, ParamSpec, TypeVar

import click
import msgspec
from msgspec import Struct

from mailreeve.app.terminal import escaped_line
from mailreeve.cli import listing
from mailreeve.cli.calling import calls_api
from mailreeve.cli.confirming import confirm_at_terminal, confirm_removal, yes_option
from mailreeve.cli.ids import GROUP, WEB_POLICY, IdCommand, resolve, resolve_all, short
from mailreeve.cli.listing import Object, Table, limit_option, page_size
from mailreeve.cli.objects.web_allow import allow, allows, unallow
from mailreeve.cli.objects.web_deny import GET as DENYING
from mailreeve.cli.objects.web_deny import default_deny
from mailreeve.cli.objects.web_export import export, pac
from mailreeve.cli.objects.web_import import import_
from mailreeve.cli.objects.web_log import log, requests
from mailreeve.cli.objects.web_places import client, location
from mailreeve.cli.objects.web_proxy import proxy
from mailreeve.cli.objects.web_zone import command as zone
from mailreeve.cli.options import fail, json_option, misused, wants_csv
from mailreeve.cli.output import echo, say
from mailreeve.cli.tables import Column
from mailreeve.client import Answer, ApiError, Client, Failure
from mailreeve.client.api import convert
from mailreeve.formats.weburls import says_more_than_host

P = ParamSpec("P")
R = TypeVar("R")

ADD: Final = "ext/add-web-entries"
REMOVE: Final = "ext/remove-web-entries"
ROOM: Final = "policy/webwhiteurl/"

_FIELD: Final = re.compile(r"urls\[(\d+)\]")


class _Entry(Struct, frozen=True):
    id: str
    action: str
    type: str
    value: str


class _Place(Struct, frozen=True):
    location: str


class _Target(Struct, frozen=True):
    """For whom a list holds, as far as is shown."""

    policy: Mapping[str, object]
    locations: Sequence[_Place] = ()


class _List(Struct, frozen=True):
    id: str
    description: str
    urls: Sequence[_Entry]
    policies: Sequence[_Target]


class _Added(Struct, frozen=True):
    description: str
    added: int
    changed: int
    unchanged: int
    count: int


class _Removed(Struct, frozen=True):
    description: str
    urls: Sequence[_Entry]
    count: int


@click.group("web")
def command() -> None:
    """Lists of web addresses that are blocked or allowed, and for whom; and what web requests came to.

    A list is named by its id, the beginning of that, or what it is called. An entry is a domain, which covers what
    is below it, or a URL, which covers that path and what is below it.

    \b
    mailreeve web create "Video at work" video.test
    mailreeve web add "Video at work" https://video.test/training --allow
    """


for _below in (
    *(location, client, log, requests, zone, allow, allows, unallow),
    *(default_deny, export, import_, pac, proxy),
):
    command.add_command(_below)


def _entries(function: Callable[P, R]) -> Callable[P, R]:
    """The arguments and options that name entries."""
    for decorate in (
        click.option(
            "--type",
            "type_",
            type=click.Choice(["domain", "url"]),
            help="What the entries are.  [default: those with a path are URLs]",
        ),
        click.option(
            "--from",
            "file",
            type=click.File(encoding="utf-8-sig"),
            metavar="FILE",
            help="Entries from a file, one a line; - is standard input.",
        ),
        click.argument("entries", nargs=-1, metavar="[ENTRY]..."),
    ):
        function = decorate(function)
    return function


@command.command("list")
@limit_option
@json_option
@calls_api
def list_(api: Client, limit: int, as_json: bool) -> None:
    """List the lists: for whom each is, and how much it blocks and allows.

    \b
    mailreeve web list
    """
    pages = api.pages(WEB_POLICY.path, page_size=page_size(limit))
    listing.show(pages, _LISTS, limit, as_json=as_json)


@command.command("show", cls=IdCommand)
@click.argument("which", metavar="LIST")
@click.option("--text", metavar="TEXT", help="Entries with this in them only.")
@limit_option
@json_option
@calls_api
def show(api: Client, which: str, text: str | None, limit: int, as_json: bool) -> None:
    """Show a list: for whom it is, and its entries.

    \b
    mailreeve web show "Video at work"
    """
    row = _found(api, which)
    if as_json:
        echo(msgspec.json.encode(row))
        return
    one = msgspec.convert(row, _List)
    if not wants_csv():
        _print_list(api, one)
    entries = [entry for entry in one.urls if text is None or text.casefold() in entry.value.casefold()]
    rows = [msgspec.structs.asdict(entry) for entry in entries]
    listing.show(iter([Answer(rows, (), len(rows))]), _ENTRIES, limit, as_json=False, is_filtered=text is not None)


@command.command("add", cls=IdCommand)
@click.argument("which", metavar="LIST")
@_entries
@click.option("--allow/--block", default=False, help="What to do about them.  [default: block]")
@json_option
@calls_api
def add(
    api: Client,
    which: str,
    entries: tuple[str, ...],
    file: IO[str] | None,
    type_: str | None,
    allow: bool,
    as_json: bool,
) -> None:
    """Add entries to a list. One that it holds already gets the action that is given.

    \b
    mailreeve web add "Video at work" films.test clips.test/live
    mailreeve web add "Video at work" --from domains.txt
    """
    named = _named(entries, file)
    item = {"id": resolve(api, WEB_POLICY, which, "LIST"), "urls": [_url(one, type_, allow) for one in named]}
    row = _sent(api, ADD, item, named)
    if as_json:
        echo(msgspec.json.encode(row))
        return
    done = msgspec.convert(row, _Added)
    changed = f", {done.changed} changed" if done.changed else ""
    name = escaped_line(done.description)
    echo(f"{done.added} added{changed}, {done.unchanged} there already: {done.count} in {name}")


@command.command("remove", cls=IdCommand)
@click.argument("which", metavar="LIST")
@_entries
@yes_option()
@json_option
@calls_api
def remove(
    api: Client,
    which: str,
    entries: tuple[str, ...],
    file: IO[str] | None,
    type_: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Take entries out of a list. Where it does not hold one of them, nothing is removed.

    \b
    mailreeve web remove "Video at work" films.test
    """
    named = _named(entries, file)
    urls = [{"value": one} if type_ is None else {"value": one, "type": type_} for one in named]
    id_ = resolve(api, WEB_POLICY, which, "LIST")
    confirm_at_terminal([f"{one} of {which}" for one in named], yes=yes)
    row = _sent(api, REMOVE, {"id": id_, "urls": urls}, named)
    if as_json:
        echo(msgspec.json.encode(row))
        return
    done = msgspec.convert(row, _Removed)
    echo(f"{len(done.urls)} removed: {done.count} in {escaped_line(done.description)}")


@command.command("create")
@click.argument("description")
@_entries
@click.option("--allow/--block", default=False, help="What to do about the entries.  [default: block]")
@click.option("--user", "users", multiple=True, metavar="ADDRESS", help="For this user.  [default: for everyone]")
@click.option("--group", "groups", multiple=True, metavar="GROUP", help="For this group, by id or name.")
@click.option("--ip", "networks", multiple=True, metavar="RANGE", help="Only for those who come from there.")
@click.option("--location", "places", multiple=True, metavar="NAME", help="Only for those in this location.")
@json_option
@calls_api
def create(
    api: Client,
    description: str,
    entries: tuple[str, ...],
    file: IO[str] | None,
    type_: str | None,
    allow: bool,
    users: tuple[str, ...],
    groups: tuple[str, ...],
    networks: tuple[str, ...],
    places: tuple[str, ...],
    as_json: bool,
) -> None:
    """Make a list.

    \b
    mailreeve web create "Video at work" video.test films.test
    mailreeve web create "Training" video.test --allow --group Trainers
    """
    named = _named(entries, file, none_is_fine=True)
    froms: list[Mapping[str, object]] = [
        {"type": "individual_email_address", "emailAddress": user} for user in users
    ]
    froms += [{"type": "profile_group", "groupId": id_} for id_ in resolve_all(api, GROUP, groups, "--group")]
    conditions: dict[str, object] = {"conditions": {"sourceIPs": list(networks)}} if networks else {}
    if places:
        conditions["locations"] = [{"location": place} for place in places]
    targets = [
        {"description": description, "from": one, "to": {"type": "everyone"}, **conditions}
        for one in froms or [{"type": "everyone"}]
    ]
    item = {
        "description": description,
        "policies": targets,
        "urls": [_url(one, type_, allow) for one in named],
    }
    row = _sent(api, f"{ROOM}create-policy-with-targets", item, named)
    if as_json:
        echo(msgspec.json.encode(row))
        return
    one = msgspec.convert(row, _List)
    echo(f"made {short(one.id)}: {escaped_line(one.description)}, {_number(one)}, for {_whom(one)}")


@command.command("delete", cls=IdCommand)
@click.argument("which", nargs=-1, required=True, metavar="LIST...")
@yes_option()
@json_option
@calls_api
def delete(api: Client, which: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Delete lists with all that they hold, after asking.

    \b
    mailreeve web delete "Video at work" --yes
    """
    items = [{"id": id_} for id_ in resolve_all(api, WEB_POLICY, which, "LIST")]
    if not yes:
        lists = [msgspec.convert(_found(api, item["id"]), _List) for item in items]
        confirm_removal([f"{one.description}, with {_number(one)}" for one in lists], yes=yes)
    rows = api.call(f"{ROOM}delete-policy-with-targets", *items)
    if as_json:
        echo(msgspec.json.encode({"deleted": rows}))
        return
    for row in rows:
        one = msgspec.convert(row, _List)
        echo(f"deleted {escaped_line(one.description)}, which had {_number(one)}")


def _print_list(api: Client, one: _List) -> None:
    """For whom a list is, and whether it blocks all else."""
    echo(f"{escaped_line(one.description)}\n  id   {one.id}\n  for  {escaped_line(_whom(one))}")
    if any(row["id"] == one.id for row in api.every(DENYING)):
        echo("  all else is blocked by default")


def _found(api: Client, which: str) -> Mapping[str, object]:
    rows = api.call(f"{ROOM}get-policy-with-targets", {"id": resolve(api, WEB_POLICY, which, "LIST")})
    if not rows:
        fail(f"LIST {which!r}: there is no such web policy")
    return rows[0]


def _named(entries: Iterable[str], file: IO[str] | None, *, none_is_fine: bool = False) -> list[str]:
    """The entries that are named, those of the file among them: a line each, but for empty ones and comments."""
    named = list(entries)
    if file is not None:
        try:
            lines = [line.strip() for line in file]
        except UnicodeDecodeError as problem:
            fail(f"{file.name}: {problem}")
        named += [line for line in lines if line and not line.startswith("#")]
    if not named and not none_is_fine:
        misused("ENTRY: give at least one, or --from with a file that holds some")
    return named


def _url(text: str, type_: str | None, allow: bool) -> dict[str, str]:
    return {"action": "allow" if allow else "block", "type": type_ or _type_of(text), "value": text}


def _type_of(text: str) -> str:
    """A URL, if it says more than a host."""
    return "url" if says_more_than_host(text) else "domain"


def _sent(api: Client, path: str, item: Mapping[str, object], named: Sequence[str]) -> Mapping[str, object]:
    """What came of one item about these entries. Where it is refused, each error names its entry."""
    answer = api.send(path, item)
    if answer.failures:
        fail(*(_told(failure, named) for failure in answer.failures))
    for warning in answer.warnings:
        say(f"Warning: {warning}")
    if not answer.data:
        raise ApiError(200, answer.failures, answer.data)
    return answer.data[0]


def _told(failure: Failure, named: Sequence[str]) -> str:
    found = _FIELD.match(failure.field or "")
    if found is None or int(found[1]) >= len(named):
        return failure.described(200)
    message = _FIELD.sub(
        lambda other: repr(named[int(other[1])]) if int(other[1]) < len(named) else other[0], failure.message
    )
    return f"{named[int(found[1])]}: {message} ({failure.code})"


def _number(one: _List) -> str:
    return "1 entry" if len(one.urls) == 1 else f"{len(one.urls)} entries"


def _count(one: _List, action: str) -> int:
    return sum(entry.action == action for entry in one.urls)


def _whom(one: _List) -> str:
    """For whom the list is, in words."""
    return ", ".join(dict.fromkeys(_target_words(target.policy) + _places(target) for target in one.policies))


def _places(target: _Target) -> str:
    names = dict.fromkeys(place.location for place in target.locations)
    return f" in {', '.join(names)}" if names else ""


def _target_words(policy: Mapping[str, object]) -> str:
    side = policy.get("from")
    side = side if isinstance(side, dict) else {}
    group = side.get("group")
    named = group.get("description") or group.get("name") if isinstance(group, dict) else None
    attribute = side.get("attribute")
    if named is None and isinstance(attribute, dict):
        named = f"{attribute.get('name')} {attribute.get('value')}"
    named = named or side.get("emailAddress") or side.get("emailDomain")
    words = str(named or str(side.get("type", "")).replace("_", " "))
    conditions = policy.get("conditions")
    sources = conditions.get("sourceIPs") if isinstance(conditions, dict) else None
    if isinstance(sources, list) and sources:
        words += f" from {', '.join(map(str, sources[:2]))}{' and others' if len(sources) > 2 else ''}"
    return words


def _list_cells(row: Object, ids: Mapping[str, str]) -> tuple[str, ...]:
    one = convert(row, _List)
    return ids[one.id], one.description, _whom(one), str(_count(one, "block")), str(_count(one, "allow"))


def _entry_cells(row: Object, _: Mapping[str, str]) -> tuple[str, ...]:
    return listing.text(row, "action"), listing.text(row, "type"), listing.text(row, "value")


_LISTS: Final = Table(
    ("list", "lists"),
    (Column("id"), Column("list", 2), Column("for", 3), Column("blocks"), Column("allows")),
    _list_cells,
)
_ENTRIES: Final = Table(("entry", "entries"), (Column("action"), Column("type"), Column("entry", 1)), _entry_cells)
