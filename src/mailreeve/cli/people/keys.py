"""`mailreeve keys`: which credentials programs have for calling the API, new ones, and taking them back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

import click
import msgspec
from msgspec import Struct

from mailreeve.app.private_files import Reserved, reserved, written
from mailreeve.app.terminal import said_of as said_of_problem
from mailreeve.cli.calling import calls_api
from mailreeve.cli.confirming import confirm_at_terminal, yes_option
from mailreeve.cli.listing import Blocks, Object, limit_option, page_size, show
from mailreeve.cli.options import fail, json_option
from mailreeve.cli.output import echo
from mailreeve.cli.refusals import said_of
from mailreeve.cli.times import COMING, WHEN, coming, shown, span
from mailreeve.client import Client
from mailreeve.client.api import convert, only
from mailreeve.families.login.types import ApplicationAnswer, KeysOfUser, RevokedKey

T = TypeVar("T")

SHOWN: Final = 12  # characters of an access key, which name it


class NewKeys(Struct, frozen=True):
    """What `keys new --json` prints, and `--save` writes."""

    account_code: str
    app_id: str
    app_key: str
    access_key: str
    secret_key: str
    client_id: str
    client_secret: str
    user: str
    name: str
    role: str
    expires: str | None = None


class RotatedKeys(Struct, frozen=True):
    """What `keys rotate --json` prints: a secret key, or what an application has."""

    app_id: str
    access_key: str | None = None
    secret_key: str | None = None
    app_key: str | None = None
    client_id: str | None = None
    client_secret: str | None = None
    old_until: str | None = None


@click.group("keys")
def command() -> None:
    """List, make, exchange and revoke the credentials of programs that call the API.

    This works on the data folder itself, where it needs no other credentials and a server may be running, or with
    --url on a server. New keys are good at once, and revoked ones are refused within 0.1 seconds.

    \b
    mailreeve keys new --name playbooks --role "Help Desk" --expires 90d
    """


@command.command("list")
@limit_option
@json_option
@calls_api
def list_(api: Client, limit: int, as_json: bool) -> None:
    """List applications, whose keys they were given, and when those were last used. Nothing secret is shown.

    The last use is known within a minute, and a client's address as the server sees it.

    \b
    mailreeve keys list
    """
    show(api.pages("ext/get-keys", page_size=page_size(limit)), _APPLICATIONS, limit, as_json=as_json)


def _lines(row: Object) -> Iterator[str]:
    one = convert(row, ApplicationAnswer)
    yield f"{one.name}, {one.role}"
    yield f"  app id      {one.app_id}"
    yield f"  client id   {one.client_id}"
    if one.expires:
        yield f"  {'expired' if _is_past(one.expires) else 'expires'}     {shown(one.expires)}"
    if one.last_used:
        yield f"  token used  {_use(one)}"
    for bound in one.keys:
        until = ""
        if bound.expires and bound.expires != one.expires:
            until = f", {'expired' if _is_past(bound.expires) else 'until'} {shown(bound.expires)}"
        yield f"  access key  {bound.access_key[:SHOWN]}…  of {bound.user}{until}"
        yield f"  last used   {_use(bound)}"


def _is_past(written: object) -> bool:
    return isinstance(written, str) and datetime.fromisoformat(written) <= datetime.now(UTC)


def _use(one: ApplicationAnswer | KeysOfUser) -> str:
    return shown(one.last_used, "never") + (f" from {one.last_used_from}" if one.last_used_from else "")


_APPLICATIONS: Final = Blocks(("application", "applications"), lambda row: list(_lines(row)))


@command.command("new")
@click.option("--user", "address", metavar="ADDRESS", help="Whose keys.  [default: the account's administrator]")
@click.option("--name", default="mailreeve keys", show_default=True, help="What the application is called.")
@click.option("--role", help="What it may do at most.  [default: the user's role]")
@click.option("--expires", metavar=WHEN, help=f"When they end: {COMING}.  [default: never]")
@click.option(
    "--save",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the credentials to this new file instead, readable by you alone.",
)
@json_option
@calls_api
def new(
    api: Client,
    address: str | None,
    name: str,
    role: str | None,
    expires: str | None,
    save: Path | None,
    as_json: bool,
) -> None:
    """Make an application with keys for a user.

    A signed call may do what both the user's role and the application's permit; an access token what the
    application's does. Nobody makes keys that permit more than they may do. Once they have ended, calls are
    answered with 418.

    The credentials are shown once, as by init: only you have them in clear from then on.

    \b
    mailreeve keys new --user ann@example.com --role "Help Desk" --expires 90d
    """
    if not name.strip() or len(name) > 512 or not name.isprintable():
        raise click.BadParameter("a name has 1 to 512 printable characters", param_hint="--name")
    item = {"user": address, "name": name, "role": role, "expires": coming(expires, "--expires")}
    options = {
        "user": ("--user", address),
        "role": ("--role", role),
        "expires": ("--expires", expires),
        "name": ("--name", name),
    }

    def make(place: Reserved | None) -> NewKeys:
        with said_of(options):
            made = _renamed(only(api.call("ext/create-key", item)), NewKeys)
        if place is not None:
            place.write(written(made) + "\n")
            place.place()
        return made

    try:
        # Reserved before anything is made: credentials that cannot be saved are lost.
        with nullcontext() if save is None else reserved(save) as place:
            made = make(place)
    except OSError as problem:
        fail(said_of_problem(problem))
    if as_json:
        echo(written(made))
    elif save is not None:
        echo(f"keys of {made.user} are in {save}")
    else:
        _print(made)


# An access key may begin with a hyphen.
@command.command("rotate", context_settings={"ignore_unknown_options": True})
@click.argument("id_", metavar="ID")
@click.option("--grace", metavar="SPAN", help="How long the old ones stay good: 1h, at most 30d.  [default: not]")
@json_option
@calls_api
def rotate(api: Client, id_: str, grace: str | None, as_json: bool) -> None:
    """Exchange secrets: new ones are shown once, and the old ones end at once or after a time of grace.

    An ID is an access key, or its first 8 characters or more: then its secret key is another. Or it is an
    application's app id or client id: then the application's key and the secret of its OAuth client are others,
    for all who use it. The ids themselves stay.

    \b
    mailreeve keys rotate 3f6c0b1e-8a5d-4c27-9f1e-2b7d40c9e6aa --grace 1h
    """
    seconds = 0 if grace is None else int(span(grace, "--grace").total_seconds())
    with said_of({"id": ("ID", id_), "grace": ("--grace", grace)}, ending="; nothing was exchanged"):
        made = _renamed(only(api.call("ext/rotate-key", {"id": id_, "grace": seconds})), RotatedKeys)
    if as_json:
        echo(written(made))
    else:
        _print(made)


@command.command("revoke", context_settings={"ignore_unknown_options": True})
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@yes_option()
@json_option
@calls_api
def revoke(api: Client, ids: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Take keys back: all of them, or none when an ID is not known.

    An ID is an application's app id or client id: then all that it had is void, access tokens too. Or it is an
    access key, or its first 8 characters or more: then a user's keys are. One that begins with a dash goes behind
    `--`, after all options.

    \b
    mailreeve keys revoke 1f9c2a7e
    """
    confirm_at_terminal([f"the keys {one}" for one in ids], yes=yes)
    with said_of({"ids": ("ID", None)}, ending="; nothing was revoked"):
        done = api.call_for(RevokedKey, "ext/revoke-key", {"ids": list(ids)})
    if as_json:
        echo(msgspec.json.encode({"revoked": done}))
        return
    for one in done:
        what = "with all its keys" if not one.access_key else f"access key {one.access_key[:SHOWN]}…"
        echo(f"revoked {one.app_id}, {what}")


def _renamed(row: dict[str, object], into: type[T]) -> T:
    """The row, whose members the API writes as in `appId`."""
    return convert({_underscored(name): value for name, value in row.items()}, into)


def _underscored(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _print(made: Struct) -> None:
    members = {name: getattr(made, name) for name in made.__struct_fields__}
    echo("\n".join(f"{name:<15} {value}" for name, value in members.items() if value is not None))
