"""`mailreeve restore`: make a data folder of a backup."""

from __future__ import annotations

from pathlib import Path

import click

from mailreeve.app import logs
from mailreeve.app.folder import FolderError
from mailreeve.app.keeping.backup import SETTINGS
from mailreeve.app.keeping.restore import restore_backup
from mailreeve.cli.options import data_option, ends_with, json_option
from mailreeve.cli.output import echo
from mailreeve.cli.progress import reported
from mailreeve.cli.running.verify import as_json_object, described


@click.command("restore")
@click.argument("backup", metavar="BACKUP", type=click.Path(path_type=Path))
@click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The secret.key that belongs to it.  [default: the one in BACKUP]",
)
@json_option
@ends_with(FolderError, OSError)
@data_option
def command(backup: Path, data: Path, key: Path | None, as_json: bool) -> None:
    """Make a data folder of a backup. The folder must not be there yet, or be empty.

    \b
      mailreeve restore /backup/mailreeve-2026-11-27 --data /var/lib/mailreeve

    The backup is verified first, and nothing is made of one that is not whole. The database is left as it was
    written: the version that wrote it can serve it, and a newer one brings it up to date when it serves it.
    """
    logs.configure_quietly()
    with reported() as report:
        found = restore_backup(backup, data, key, report)
    if as_json:
        echo(as_json_object(found))
        return
    echo(f"{data} is made of {backup}")
    echo("\n".join(described(found)))
    assert found.manifest is not None  # noqa: S101  of a backup
    if SETTINGS in found.manifest.files:
        echo(f"  Its settings were kept elsewhere: {backup / SETTINGS} is to be put where --config says.")
