"""`mailreeve doctor`: what ails a folder, its settings and its surroundings?"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click
import msgspec

from mailreeve.app import logs
from mailreeve.app.doctor.checks import Check
from mailreeve.app.doctor.doctor import is_well, look
from mailreeve.cli.options import data_option, ends_with, json_option
from mailreeve.cli.output import echo
from mailreeve.cli.tables import wrapped

_NAME = 13  # columns
_INDENT = 6 + _NAME
NARROWEST = 40


@click.command("doctor")
@json_option
@ends_with(OSError)
@data_option
def command(data: Path, as_json: bool) -> None:
    """Say what ails a data folder, its settings, its ports, its certificate and its next hop.

    \b
      mailreeve doctor --data /var/lib/mailreeve

    Each thing is ok, warn or fail, with what to do. Nothing is changed, and no message is sent; the next hop is
    asked whether it would take mail for the postmaster. Whether a server works on the folder or not, it can be
    asked. Exit code 1 if anything fails.
    """
    logs.configure_quietly()
    checks = []
    for check in look(data):
        checks.append(check)
        if not as_json:
            echo(line(check, shutil.get_terminal_size().columns))
    if as_json:
        echo(msgspec.json.encode({"well": is_well(checks), "checks": checks}))
    if not is_well(checks):
        sys.exit(1)


def line(check: Check, columns: int) -> str:
    """A thing that was looked at, for a reader: what was found, and below it what to do."""
    width = max(columns, NARROWEST)
    found = wrapped(f"{check.state:<6}{check.name:<{_NAME}}{check.found}", width, _INDENT)
    if not check.advice:
        return found
    return f"{found}\n{wrapped(' ' * _INDENT + check.advice, width, _INDENT)}"
