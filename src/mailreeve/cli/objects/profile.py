"""`mailreeve profile`: several servers, each by a name that `--profile` takes."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import click
import msgspec
from rich.console import Console

from mailreeve.app.terminal import escaped_line
from mailreeve.cli import profiles
from mailreeve.cli.confirming import confirm_removal, yes_option
from mailreeve.cli.listing import print_csv
from mailreeve.cli.options import csv_option, ends_with, fail, json_option, misused, wants_csv
from mailreeve.cli.output import echo, say
from mailreeve.cli.profiles import Profile, ProfileError
from mailreeve.cli.tables import Column, print_table
from mailreeve.client import Credentials

_ends = ends_with(ProfileError)


@click.group("profile")
def command() -> None:
    """Keep the servers that you call, each with its keys, under a name.

    Any command that calls the API takes `--profile NAME`, or the variable MAILREEVE_PROFILE.
    """


@command.command("list")
@csv_option
@json_option
@_ends
def list_(as_json: bool) -> None:
    """List the profiles, without their secrets.

    \b
    mailreeve profile list
    """
    csv = wants_csv(as_json=as_json)
    rows = [
        {"name": name, "url": one.url, "appId": one.credentials.app_id, "ca": one.ca}
        for name, one in sorted(profiles.every().items())
    ]
    if as_json:
        echo(msgspec.json.encode({"profiles": rows}))
    elif csv:
        print_csv(rows)
    elif rows:
        columns = [Column("name"), Column("server", 3), Column("application", 2), Column("ca", 2)]
        print_table(Console(highlight=False, soft_wrap=True), columns, [list(row.values()) for row in rows])
    else:
        say(f"no profile in {profiles.path()}")


@command.command("add")
@click.argument("name")
@click.option("--url", required=True, help="The server, as https://mail.example.com.")
@click.option(
    "--credentials",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="The file that `init` or `keys new` saved; - is standard input.",
)
@click.option("--ca", type=click.Path(dir_okay=False, exists=True), help="Certificates in PEM to trust besides.")
@click.option("--replace", is_flag=True, help="Put it in the place of one of that name.")
@_ends
def add(name: str, url: str, credentials: Path, ca: str | None, replace: bool) -> None:
    """Keep a server and its keys under a NAME. The file is copied, and may be deleted then.

    \b
    mailreeve profile add office --url https://mail.example.com \\
        --credentials credentials.json
    """
    if not name.strip() or name.startswith("-"):
        misused(f"NAME {name!r}: give a name that does not begin with a dash")
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        misused(f"--url {url!r}: write it like https://mail.example.com")
    known = dict(profiles.every())
    if name in known and not replace:
        fail(f"there is a profile {name!r} already; --replace puts this in its place")
    try:
        with click.open_file(str(credentials), "rb") as stream:
            keys = msgspec.json.decode(stream.read(profiles.MAX_FILE), type=Credentials)
    except OSError as problem:
        fail(f"{credentials} cannot be read: {problem.strerror}")
    except (msgspec.DecodeError, UnicodeDecodeError):
        fail(f"{credentials} does not hold credentials")
    known[name] = Profile(url.rstrip("/"), keys, str(Path(ca).resolve()) if ca else "")
    profiles.save(known)
    echo(f"{escaped_line(name)}: {escaped_line(url)}")


@command.command("remove")
@click.argument("name")
@yes_option()
@_ends
def remove(name: str, yes: bool) -> None:
    """Forget a server and its keys. The keys stay valid: `mailreeve keys revoke` ends them.

    \b
    mailreeve profile remove office
    """
    found = profiles.named(name)
    confirm_removal([f"the profile {name}, of {found.url}"], yes=yes)
    profiles.save({other: one for other, one in profiles.every().items() if other != name})
    echo(f"removed {escaped_line(name)}")
