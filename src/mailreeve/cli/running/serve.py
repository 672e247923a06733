"""`mailreeve serve`: the API and the mail door, in one process or in several."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import click
import structlog

from mailreeve.app.folder import CREDENTIALS, is_initialised
from mailreeve.app.server.process import prepared_process
from mailreeve.app.server.serving import CANNOT_SERVE, Listeners, serve
from mailreeve.app.server.workers import WorkerError
from mailreeve.app.settings import OptionError, SettingsError, Unavailable
from mailreeve.cli.options import data_option, ends_with, misused

_log = structlog.get_logger(__name__)


@click.command("serve")
@click.option("--http", metavar="HOST:PORT", help="Where the API listens; port 0 picks a free one.")
@click.option("--smtp", metavar="HOST:PORT", help="Where the mail door listens.")
@click.option("--next-hop", metavar="HOST:PORT|maildir:DIR", help="Where mail goes.  [default: a Maildir in DATA]")
@click.option(
    "--milter", metavar="unix:PATH|HOST:PORT", help="Where mail servers ask by milter.  [default: nowhere]"
)
@click.option(
    "--web-socket", metavar="unix:PATH|HOST:PORT", help="Where helpers of proxies ask.  [default: nowhere]"
)
@click.option("--dns", metavar="HOST:PORT", help="Where resolvers fetch zones.  [default: nowhere]")
@click.option("--metrics", metavar="HOST:PORT", help="Where Prometheus may ask.  [default: nowhere]")
@click.option("--workers", metavar="N", help="Processes that share the work; 1 by default.")
@click.option("--tls-cert", metavar="FILE", help="Certificate chain in PEM, for HTTPS and STARTTLS.")
@click.option("--tls-key", metavar="FILE", help="The certificate's private key in PEM.")
@click.option(
    "--init", "make", is_flag=True, help="Make the folder first if it is new; takes the options of init."
)
@click.option("--domain", "domain_names", multiple=True, help="With --init: an internal domain; repeatable.")
@click.option("--admin", help="With --init: the administrator's address.")
@click.option("--sandbox", is_flag=True, help="Serve a throw-away account for tests: known keys, seeded mail.")
@ends_with(*CANNOT_SERVE, WorkerError)
@data_option
def command(
    data: Path,
    make: bool,
    domain_names: tuple[str, ...],
    admin: str | None,
    sandbox: bool,
    **options: str | None,
) -> None:
    """Serve the API and the mail door from a data folder.

    Prints a line per listener, then `ready`. SIGTERM or Ctrl-C finishes what is in flight and exits with 0.
    SIGHUP reads the certificate again, and those settings that need no restart.

    \b
    mailreeve serve --data /var/lib/mailreeve --smtp 127.0.0.1:2525
    mailreeve serve --sandbox --http 127.0.0.1:0 --smtp 127.0.0.1:0
    """
    try:
        if sandbox:
            _serve_sandbox(make, domain_names, admin, options)
            return
        with prepared_process(data, options) as process:
            if make and not is_initialised(data):
                _make(data, domain_names, admin)
            serve(process, _announce)
    except Unavailable:
        raise
    except SettingsError as problem:
        raise _of_option(problem, options) from problem


def _serve_sandbox(
    make: bool, domain_names: tuple[str, ...], admin: str | None, options: Mapping[str, str | None]
) -> None:
    """Serve a sandbox, whose folder and account are its own."""
    if make or domain_names or admin or options.get("workers") not in (None, "1"):
        misused(
            "--sandbox makes its own account, in one process: it goes without --init, --domain, --admin, --workers"
        )
    # Imported here: it is for tests alone.
    from mailreeve.app.sandbox.serving import serve_sandbox

    serve_sandbox(options, _announce)


def _of_option(problem: SettingsError, options: Mapping[str, str | None]) -> SettingsError:
    """A complaint about a setting, of the option where that gave it."""
    named, _, why = str(problem).partition(" " if ":" not in str(problem) else ": ")
    for name, value in options.items():
        if value is not None and name in named.split():
            return OptionError(f"--{name.replace('_', '-')} {value!r}: {why.replace(f'{value!r} is', 'this is')}")
    return problem


def _make(data: Path, domain_names: tuple[str, ...], admin: str | None) -> None:
    # Imported here: most starts find the folder made.
    from mailreeve.app.new_account import initialise

    file = data / CREDENTIALS
    initialise(data, domain_names, admin, file)
    # Not the credentials themselves: standard error is a service's log.
    click.echo(f"{data} is made; the credentials are in {file}", err=True)


def _announce(found: Listeners) -> None:
    """Print where the listeners are. Whether anybody can hear it is no matter of whether we serve."""
    try:
        for name in ("http", "smtp", "milter", "web", "dns", "metrics"):
            if where := getattr(found, name):
                click.echo(f"{name} {where}")
        click.echo("ready")
    except OSError as problem:
        _log.warning("standard output cannot be written", problem=str(problem))
        # What could not be written waits in a buffer, and would make the exit fail.
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), sys.stdout.fileno())
