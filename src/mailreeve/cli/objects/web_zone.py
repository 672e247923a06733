"""`mailreeve web zone`: what the web lists say as zones for resolvers: their state, as files, and their keys."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import TypeVar

import click
import msgspec
from msgspec import Struct

from mailreeve.access.caller import Origin
from mailreeve.app import logs
from mailreeve.app.folder import FolderError, Opened, opened_folder
from mailreeve.app.folder_api import local_caller
from mailreeve.app.settings import SettingsError
from mailreeve.app.settings import read as read_settings
from mailreeve.app.terminal import escaped_line
from mailreeve.cli.calling import calls_api
from mailreeve.cli.confirming import confirm_removal, yes_option
from mailreeve.cli.options import account_option, data_option, ends_with, json_option
from mailreeve.cli.output import echo
from mailreeve.client import Client
from mailreeve.families.web_zones import operations
from mailreeve.families.web_zones.operations import ZoneKeyError
from mailreeve.store.migrations import SchemaError
from mailreeve.store.transactions import Work

T = TypeVar("T")

STATUS = "ext/get-web-zones"
_EXPECTED = (FolderError, SettingsError, SchemaError, ZoneKeyError, OSError)


class _Unsaid(Struct, frozen=True):
    description: str
    what: str
    why: str
    count: int
    examples: Sequence[str]


class _Zone(Struct, frozen=True, rename="camel"):
    name: str
    location: str
    serial: int | None
    names: int | None
    changed: str | None
    not_said: Sequence[_Unsaid]
    not_said_count: int


class _Zones(Struct, frozen=True):
    zones: Sequence[_Zone]
    keys: Sequence[str]


@click.group("zone")
def command() -> None:
    """What the web lists say as zones, for resolvers that fetch them.

    A resolver sees names, and neither users nor whole URLs: what it cannot be told, the status lists.

    \b
    mailreeve web zone status
    """


@command.command("status")
@json_option
@calls_api
def status(api: Client, as_json: bool) -> None:
    """Say which zones there are, and what of the web lists they cannot say.

    \b
    mailreeve web zone status
    """
    (row,) = api.call(STATUS, {})
    if as_json:
        echo(msgspec.json.encode(row))
        return
    found = msgspec.convert(row, _Zones)
    for zone in found.zones:
        _print(zone)
    keys = ", ".join(found.keys)
    echo(f"keys: {keys}" if keys else "no keys; `mailreeve web zone key new NAME` makes one")


@command.command("export")
@click.option("--location", default="", metavar="NAME", help="The zone of this location.  [default: of everyone]")
@click.option("-o", "--output", metavar="FILE", help="Where to.  [default: standard output]")
@ends_with(*_EXPECTED)
@data_option
@account_option
def export(data: Path, account: str | None, location: str, output: str | None) -> None:
    """Write a zone as a file that resolvers read.

    A file that is there is replaced at once as a whole.

    \b
    mailreeve web zone export -o /var/lib/mailreeve/everyone.rpz
    """
    logs.configure_quietly()
    settings = read_settings(data, {})
    with opened_folder(data, settings) as opened:
        # Imported here: it loads the library for zones, which the other commands have no use for.
        from mailreeve.app.zone_file import zone_lines

        lines = zone_lines(opened, settings, opened.account_id(account), location)
        if output is None:
            sys.stdout.writelines(lines)
            return
        file = Path(output)
        beside = file.with_name(f".{file.name}.{token_hex(4)}")
        try:
            with beside.open("x", encoding="ascii") as out:
                out.writelines(lines)
            beside.replace(file)
        finally:
            with suppress(OSError):
                beside.unlink(missing_ok=True)


@command.group("key")
def key() -> None:
    """The keys that resolvers sign with to fetch zones (TSIG).

    They are kept in the data folder, sealed. These commands work on the folder itself.

    \b
    mailreeve web zone key new resolver-1
    """


@key.command("new")
@click.argument("name")
@json_option
@ends_with(*_EXPECTED)
@data_option
@account_option
def new(data: Path, account: str | None, name: str, as_json: bool) -> None:
    """Make a key, and print it as BIND and Knot are told it.

    \b
    mailreeve web zone key new resolver-1
    """
    _print_key(_with_folder(data, account, lambda work, opened: _made(work, opened, name)), as_json)


@key.command("show")
@click.argument("name")
@json_option
@ends_with(*_EXPECTED)
@data_option
@account_option
def show(data: Path, account: str | None, name: str, as_json: bool) -> None:
    """Print a key again.

    \b
    mailreeve web zone key show resolver-1
    """
    _print_key(_with_folder(data, account, lambda work, opened: _shown(work, opened, name)), as_json)


@key.command("list")
@ends_with(*_EXPECTED)
@data_option
@account_option
def list_(data: Path, account: str | None) -> None:
    """List the names of the keys.

    \b
    mailreeve web zone key list
    """
    for name in _with_folder(data, account, lambda work, opened: operations.key_names(work)):
        echo(name)


@key.command("delete")
@click.argument("name")
@yes_option()
@ends_with(*_EXPECTED)
@data_option
@account_option
def delete(data: Path, account: str | None, name: str, yes: bool) -> None:
    """Delete a key, after asking: nothing is fetched with it any more.

    \b
    mailreeve web zone key delete resolver-1 --yes
    """
    confirm_removal([f"the key {name}"], yes=yes)
    _with_folder(data, account, lambda work, opened: operations.delete_key(work, name))
    echo(f"deleted {name}")


def _made(work: Work, opened: Opened, name: str) -> operations.ZoneKey:
    return operations.make_key(work, opened.vault, name)


def _shown(work: Work, opened: Opened, name: str) -> operations.ZoneKey:
    return operations.show_key(work, opened.vault, name)


def _with_folder(data: Path, account: str | None, action: Callable[[Work, Opened], T]) -> T:
    logs.configure_quietly()
    with opened_folder(data, read_settings(data, {})) as opened:
        account_id = opened.account_id(account)
        origin = Origin(local_caller(account_id).actor)
        return opened.store.write(account_id, origin, lambda work: action(work, opened))


def _print_key(found: operations.ZoneKey, as_json: bool) -> None:
    if as_json:
        echo(msgspec.json.encode(found))
        return
    echo(f'key "{found.name}" {{\n    algorithm {found.algorithm};\n    secret "{found.secret}";\n}};')


def _print(zone: _Zone) -> None:
    whose = f"the location {escaped_line(zone.location)}" if zone.location else "everyone"
    echo(f"{zone.name}, for {whose}")
    if zone.serial is None:
        echo("  nobody has fetched it yet")
    else:
        names = "1 name" if zone.names == 1 else f"{zone.names} names"
        echo(f"  serial {zone.serial}, {names}, changed {zone.changed}")
    for one in zone.not_said:
        examples = f" ({', '.join(map(escaped_line, one.examples))})" if one.examples else ""
        what = one.what if one.count != 1 else {"targets": "target", "entries": "entry"}.get(one.what, one.what)
        echo(f"  not said of {escaped_line(one.description)}: {one.count} {what}{examples} {one.why}")
    if zone.not_said_count > len(zone.not_said):
        echo(f"  and {zone.not_said_count - len(zone.not_said)} more")
