"""`mailreeve init`: make a data folder with an account, its domains, an administrator and an application."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import NoReturn

import click
import msgspec

from mailreeve.app.folder import CREDENTIALS, FolderError
from mailreeve.app.new_account import Credentials, initialise
from mailreeve.app.private_files import write_private, written
from mailreeve.app.server.sockets import found_at, http_url
from mailreeve.app.settings import DEFAULT_DATA, Settings, SettingsError, split_host_port
from mailreeve.app.settings import read as read_settings
from mailreeve.cli.options import data_option, ends_with, fail, json_option
from mailreeve.cli.output import echo
from mailreeve.families.directory.domains.types import InboundType


@click.command("init")
@click.option("--domain", "domain_names", multiple=True, required=True, help="An internal domain; repeatable.")
@click.option(
    "--inbound-type",
    type=click.Choice([type_.value for type_ in InboundType]),
    help="Which recipients of these domains mail is taken for: any, or known ones only.  [default: any]",
)
@click.option("--admin", help="The administrator's address.  [default: admin@ the first domain]")
@click.option(
    "--save",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the credentials to this new file, readable by you alone.",
)
@json_option
@ends_with(FolderError, SettingsError, OSError)
@data_option
def command(
    data: Path,
    domain_names: tuple[str, ...],
    inbound_type: str | None,
    admin: str | None,
    save: Path | None,
    as_json: bool,
) -> None:
    """Make a data folder with a first account.

    The credentials are printed once: only you have them in clear from then on.

    \b
    mailreeve init --domain example.com --save credentials.json
    """
    settings = read_settings(data, {})
    split_host_port(settings.smtp, "smtp")
    http_url(settings)  # Asked now: what is wrong with it is to be said before anything is made.
    credentials = initialise(data, domain_names, admin, save, inbound_type)
    try:
        if as_json:
            echo(written(credentials))
            return
        echo(f"{data} is made." + (f" The credentials are saved in {save}." if save else "") + "\n")
        echo("\n".join(describe(credentials)))
        echo(
            "\n".join(["", "Once it serves, try in another terminal:", *suggestions(data, credentials, settings)])
        )
    except OSError as problem:
        _save_instead(data, credentials, save, problem)


def _save_instead(data: Path, credentials: Credentials, save: Path | None, problem: OSError) -> NoReturn:
    """Standard output took nothing, or not all: say where the credentials are."""
    file = save or data / CREDENTIALS
    if save is None:
        write_private(file, written(credentials) + "\n")
    fail(f"standard output: {problem.strerror}; {data} is made, and the credentials are in {file}")


def suggestions(data: Path, credentials: Credentials, settings: Settings) -> list[str]:
    """Three commands that show the main job, for the default addresses and the listeners of the settings."""
    sender, to = "offers@shop.test", credentials.admin
    item = json.dumps({"sender": sender, "to": to, "action": "block"})
    program = sys.argv[0]
    where = "" if data == Path(DEFAULT_DATA) else f" --data {shlex.quote(str(data))}"
    host, port = found_at(settings.smtp, "smtp")
    # What only the environment says, the other terminal does not know.
    other = Settings().http != settings.http or settings.tls_cert
    url = f" --url {http_url(settings)}" if other else ""
    send = f"smtplib.SMTP('{host}', {port or 'PORT'}).sendmail('{sender}', '{to}', 'Subject: hello')"
    return [
        f"  {program} call{where}{url} managedsender/permit-or-block-sender '{item}'",
        f'  python3 -c "import smtplib; {send}"',
        f"  {program} explain mail{where} --from {sender} --to {to}",
        *(["PORT is the one that serve prints."] if not port or url.endswith(":PORT") else []),
    ]


def describe(credentials: Credentials) -> list[str]:
    """The credentials for a reader."""
    return [f"  {name:<15} {value}" for name, value in msgspec.structs.asdict(credentials).items()]
