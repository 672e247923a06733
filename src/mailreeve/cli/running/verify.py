"""`mailreeve verify`: is a backup, or a data folder, whole?"""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from mailreeve.app import logs
from mailreeve.app.folder import FolderError
from mailreeve.app.keeping.verify import Verified, verify_backup, verify_folder
from mailreeve.cli.options import data_option, ends_with, fail, json_option
from mailreeve.cli.output import echo
from mailreeve.cli.progress import reported

SHOWN = 20  # rows that cannot be read
BOOKKEEPING = ("changes", "row_count")  # rows that follow from others


@click.command("verify")
@click.argument("backup", metavar="[BACKUP]", type=click.Path(path_type=Path), required=False)
@click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The secret.key that belongs to BACKUP.  [default: the one in it]",
)
@json_option
@ends_with(FolderError, OSError)
@data_option
def command(backup: Path | None, data: Path, key: Path | None, as_json: bool) -> None:
    """Say whether a backup is whole, or without BACKUP the data folder, which may be served meanwhile.

    \b
      mailreeve verify /backup/mailreeve-2026-11-27

    Every file is held against its digest, every page and every row of the database is read, and the key is tried.
    Nothing is changed: rows are read in a copy, for which TMPDIR needs room. Exit code 1 if anything is wrong.
    """
    logs.configure_quietly()
    with reported() as report:
        found = verify_folder(data, report) if backup is None else verify_backup(backup, key, report)
    if as_json:
        echo(as_json_object(found))
    else:
        echo(f"{found.place} is {'whole' if found.is_whole else 'not whole'}")
        echo("\n".join(described(found)))
    if not found.is_whole:
        fail(*found.problems)
    if found.unreadable:
        fail(f"{len(found.unreadable)} rows cannot be read; a server leaves them out and serves everything else")


def as_json_object(found: Verified) -> bytes:
    """What was found, as one JSON object."""
    return msgspec.json.encode({"whole": found.is_whole, **msgspec.to_builtins(found)})


def described(found: Verified) -> list[str]:
    """What was found, for a reader."""
    lines = [f"  schema {found.schema or 'unknown'}"]
    if found.manifest is not None:
        lines[0] += f", written by version {found.manifest.version} at {found.manifest.made_at}"
    lines.append(
        "  the key belongs to the database" if found.has_key else "  whether a key belongs to it is not known"
    )
    for account in found.accounts:
        lines.append(f"  account {account.code} at revision {account.revision}")
        lines += [
            f"    {number:>9,}  {table.replace('_', ' ')}"
            for table, number in account.rows.items()
            if table not in BOOKKEEPING
        ]
    lines += [f"  cannot be read: {row.table} {row.key}: {row.why}" for row in found.unreadable[:SHOWN]]
    if len(found.unreadable) > SHOWN:
        lines.append(f"  and {len(found.unreadable) - SHOWN} more")
    return lines
