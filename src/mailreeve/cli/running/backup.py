"""`mailreeve backup`: copy a data folder while it is served."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from mailreeve.app import logs
from mailreeve.app.folder import FolderError
from mailreeve.app.keeping.backup import SETTINGS, make_backup
from mailreeve.cli.options import data_option, ends_with, json_option
from mailreeve.cli.output import echo
from mailreeve.cli.progress import reported


@click.command("backup")
@click.argument("target", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--without-key", is_flag=True, help="Leave out secret.key and credentials.json.")
@click.option("--with-mail", is_flag=True, help="Take along the messages of DATA/maildir.")
@json_option
@ends_with(FolderError, OSError)
@data_option
def command(target: Path, data: Path, without_key: bool, with_mail: bool, as_json: bool) -> None:
    """Back up a data folder to a new folder DIR, also while it is served.

    \b
      mailreeve backup /backup/mailreeve-$(date +%F)

    DIR gets the database as it is at one moment, the settings, secret.key, credentials.json if there is one, and a
    manifest with the digest of each: all of it, or nothing. Whoever has a backup with the key has every secret of
    the folder; one without it is of no use unless the key is kept elsewhere.
    """
    logs.configure_quietly()
    with reported() as report:
        made = make_backup(data, target, with_key=not without_key, with_mail=with_mail, report=report)
    if as_json:
        echo(msgspec.json.encode(made))
        return
    manifest = made.manifest
    size = sum(file.octets for file in manifest.files.values())
    echo(f"{target} is made: {len(manifest.files)} files, {size:,} octets")
    for account in manifest.accounts:
        echo(f"  account {account.code} at revision {account.revision}")
    echo(f"  schema {manifest.schema}, written by version {manifest.version} at {manifest.made_at}")
    if made.left_out:
        echo(
            f"  {' and '.join(made.left_out)} not in it: keep secret.key elsewhere, as carefully.\n"
            "  Without it the stored API keys cannot be read, ids that clients hold are void,\n"
            "  and nothing can be restored."
        )
    if made.messages and not made.messages_in_it:
        echo(f"  {made.messages} messages of maildir are not in it; --with-mail takes them along")
    if made.messages_in_it:
        echo(f"  {made.messages} messages of maildir")
    if SETTINGS in manifest.files:
        echo(f"  {SETTINGS} is the file that --config named")
