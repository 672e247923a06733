"""`mailreeve web export`: the lists as a file for a program that does not ask."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from mailreeve.app.terminal import escaped_line
from mailreeve.cli.calling import calls_api
from mailreeve.cli.options import fail, misused
from mailreeve.cli.output import say
from mailreeve.cli.refusals import said_of
from mailreeve.client import Client
from mailreeve.policy.artefact.written import ArtefactFormat


@click.command("pac")
@click.option("--proxy", "proxies", multiple=True, metavar="HOST:PORT", help="The proxy; further ones stand in.")
@click.option(
    "--at", "places", multiple=True, metavar="LOCATION=HOST:PORT", help="The proxy of a location; may be repeated."
)
@click.option("--direct", multiple=True, metavar="DOMAIN", help="Reached without a proxy, with all below it.")
@click.option("--or-direct", is_flag=True, help="Without a proxy where none answers; nothing is enforced then.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="[default: standard output]")
@calls_api
def pac(
    api: Client,
    proxies: tuple[str, ...],
    places: tuple[str, ...],
    direct: tuple[str, ...],
    or_direct: bool,
    output: Path | None,
) -> None:
    """Write a proxy auto-configuration file: which proxy browsers use, by the location that they are in.

    Put it on a web server as application/x-ns-proxy-autoconfig, and its address into the settings of browsers.

    \b
    mailreeve web pac --proxy proxy.example.com:3128 --output proxy.pac
    """
    by_location: dict[str, list[str]] = {}
    for text in places:
        name, equals, proxy = text.rpartition("=")
        if not equals:
            misused(f"--at {text!r}: write it like LOCATION=HOST:PORT")
        by_location.setdefault(name, []).append(proxy)
    item = {
        "proxies": list(proxies),
        "places": [{"location": name, "proxies": several} for name, several in by_location.items()],
        "direct": list(direct),
        "orDirect": or_direct,
    }
    with said_of({"proxies": ("--proxy", " ".join(proxies)), "places": ("--at", " ".join(places))}):
        _write(api.octets("ext/get-pac-file", item), output)


_OMITTED: Final = "Not in this file: "
_ZONE: Final = "rpz"


@click.command("export")
@click.option(
    "--format",
    "format_",
    type=click.Choice([*(one.value for one in ArtefactFormat), _ZONE]),
    required=True,
    help="For whom.",
)
@click.option("--user", metavar="ADDRESS", help="As the lists are for this user.  [default: for everyone]")
@click.option("--ip", metavar="IP", help="As they are for who comes from there.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="[default: standard output]")
@calls_api
def export(api: Client, format_: str, user: str | None, ip: str | None, output: Path | None) -> None:
    """Write the names that are blocked, as a file for another program; what it cannot say is named.

    domains, hosts and adblock are for filters, squid and squid-allow for two dstdomain lists, of which the second
    comes first in http_access, unbound is a configuration to include. The file is as the lists are now. A zone
    (rpz) has a serial, which is kept: "mailreeve web zone export" writes it.

    \b
    mailreeve web export --format squid --output /etc/squid/blocked.txt
    """
    if format_ == _ZONE:
        misused("--format rpz: a zone is written by mailreeve web zone export, of a location with --location NAME")
    given = {"format": format_, "user": user, "sourceIp": ip}
    item = {name: value for name, value in given.items() if value is not None}
    with said_of({"user": ("--user", user), "sourceIp": ("--ip", ip)}):
        octets = api.octets("ext/export-web-file", item)
    _write(octets, output)
    for line in octets.decode().splitlines():
        if line[:1] not in "!#":
            break
        if line[2:].startswith(_OMITTED):
            say(escaped_line(line[2:]))


def _write(octets: bytes, output: Path | None) -> None:
    try:
        if output is None:
            sys.stdout.buffer.write(octets)
            sys.stdout.flush()
        else:
            output.write_bytes(octets)
    except OSError as problem:
        fail(f"{output or 'standard output'}: {problem.strerror}")
