"""`mailreeve check`: does what stands beside Mailreeve do what its place needs?"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click
import msgspec

from mailreeve.app import logs
from mailreeve.app.doctor.checks import Check, State
from mailreeve.app.doctor.postfix.look import Looked, look_beside
from mailreeve.app.doctor.postfix.placement import Finding
from mailreeve.app.doctor.postfix.reading import DEFAULT_FOLDER, UnreadableError
from mailreeve.app.doctor.squid_checks import DEFAULT_FILE, read_lines, squid_checks
from mailreeve.app.folder import FolderError, require_initialised
from mailreeve.app.settings import SettingsError, read
from mailreeve.app.terminal import escaped_line
from mailreeve.cli.options import data_option, ends_with, json_option
from mailreeve.cli.output import echo
from mailreeve.cli.tables import wrapped

_NAME = 13  # columns
_INDENT = 6 + _NAME
NARROWEST = 40


@click.group("check")
def command() -> None:
    """Say whether the programs beside Mailreeve are set up for it.

    \b
      mailreeve check postfix --data /var/lib/mailreeve
      mailreeve check squid --data /var/lib/mailreeve
    """


@command.command("postfix")
@click.option(
    "--config-dir",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=DEFAULT_FOLDER,
    show_default=True,
    help="Where Postfix has its main.cf and master.cf.",
)
@json_option
@ends_with(OSError, FolderError, SettingsError, UnreadableError)
@data_option
def postfix(data: Path, config_dir: Path, as_json: bool) -> None:
    """Say what Postfix and Mailreeve lack to work together, and the lines to write.

    \b
      mailreeve check postfix --data /var/lib/mailreeve
      mailreeve check postfix --config-dir /etc/postfix-in --json

    Postfix' configuration is asked for with postconf, and compared with the settings of the data folder. Where
    Mailreeve stands is found out: as a milter, before the queue, behind it, or in front of Postfix. Each thing is
    ok, warn or fail. Nothing is changed. Exit code 1 if anything fails.
    """
    logs.configure_quietly()
    require_initialised(data)
    looked = look_beside(config_dir, read(data, {}))
    if as_json:
        echo(msgspec.json.encode({"well": looked.well, **msgspec.structs.asdict(looked)}))
    else:
        echo(shown(looked, shutil.get_terminal_size().columns))
    if not looked.well:
        sys.exit(1)


@command.command("squid")
@click.option(
    "--squid-conf",
    "squid_conf",
    type=click.Path(path_type=Path, dir_okay=False),
    default=DEFAULT_FILE,
    show_default=True,
    help="Squid's configuration.",
)
@json_option
@ends_with(OSError, FolderError, SettingsError)
@data_option
def squid(data: Path, squid_conf: Path, as_json: bool) -> None:
    """Say what Squid and Mailreeve lack to work together, and the lines to write.

    \b
      mailreeve check squid --squid-conf /etc/squid/squid.conf

    The configuration is read, with what it includes, and compared with the settings of the data folder. Each thing
    is ok, warn or fail. Nothing is changed. Exit code 1 if anything fails.
    """
    logs.configure_quietly()
    require_initialised(data)
    checks = squid_checks(read_lines(squid_conf), read(data, {}))
    well = not any(check.state is State.FAIL for check in checks)
    if as_json:
        echo(msgspec.json.encode({"well": well, "checks": checks}))
    else:
        width = max(shutil.get_terminal_size().columns, NARROWEST)
        echo("\n".join(_check_lines(check, width) for check in checks))
    if not well:
        sys.exit(1)


def _check_lines(check: Check, width: int) -> str:
    lines = [wrapped(escaped_line(f"{check.state:<6}{check.name:<{_NAME}}{check.found}"), width, _INDENT)]
    if check.advice:
        lines.append(" " * _INDENT + escaped_line(check.advice))  # whole, to be copied
    return "\n".join(lines)


def shown(looked: Looked, columns: int) -> str:
    """All that was found, for a reader; of what Postfix would do its lines are whole, to be copied."""
    width = max(columns, NARROWEST)
    head = wrapped(f"{'':<6}{'place':<{_NAME}}{looked.placement}, says {looked.source}", width, _INDENT)
    return "\n".join([head, *(_lines(each, width) for each in looked.findings)])


def _lines(finding: Finding, width: int) -> str:
    lines = [wrapped(f"{finding.state:<6}{finding.name:<{_NAME}}{finding.found}", width, _INDENT)]
    if finding.advice:
        lines.append(wrapped(" " * _INDENT + finding.advice, width, _INDENT))
    if finding.line:
        lines.append(f"{' ' * _INDENT}{escaped_line(finding.file)}:")
        lines.append(f"{' ' * _INDENT}  {escaped_line(finding.line)}")
    return "\n".join(lines)
