"""`mailreeve digest`: when held messages are told to their recipients by mail, and to whom."""

from __future__ import annotations

import click
import msgspec

from mailreeve.cli import times
from mailreeve.cli.calling import calls_api
from mailreeve.cli.confirming import changed
from mailreeve.cli.ids import GROUP, resolve
from mailreeve.cli.listing import Object, text, texts
from mailreeve.cli.options import json_option, misused
from mailreeve.cli.output import echo
from mailreeve.cli.refusals import Options
from mailreeve.client import Client
from mailreeve.client.api import only
from mailreeve.families.digest.schedule import Weekday
from mailreeve.policy.model.policy_types import Layer

GET = "ext/get-digest"
SET = "ext/set-digest"
SEND = "ext/send-digest"


@click.group("digest")
def command() -> None:
    """Tell users by mail what is held for them, with links that release, permit and block.

    It is off until it is switched on, and needs the setting public_url, which links begin with.

    \b
    mailreeve digest set --on --at 08:00 --at 16:00 --time-zone Europe/Berlin
    mailreeve digest send-now --to ann@example.com
    """


@command.command("show")
@json_option
@calls_api
def show(api: Client, as_json: bool) -> None:
    """Show when digests are sent, to whom, and about what.

    \b
    mailreeve digest show
    """
    row = only(api.send(GET, {}).rows())
    _print(api, row, as_json)


@command.command("set")
@click.option("--on/--off", "enabled", default=None, help="Send digests, or send none.")
@click.option("--at", "at", multiple=True, metavar="HH:MM", help="A time of day. May be given several times.")
@click.option(
    "--day",
    "days",
    multiple=True,
    type=click.Choice([day.value for day in Weekday]),
    help="A day of the week. May be given several times.",
)
@click.option("--every-day", is_flag=True, help="On all days of the week.")
@click.option("--time-zone", metavar="NAME", help="Whose time that is, such as Europe/Berlin.")
@click.option("--group", metavar="GROUP", help="Only users in this group, by id or name.")
@click.option("--everybody", is_flag=True, help="All users.")
@click.option(
    "--cause",
    "causes",
    metavar="CAUSE",
    multiple=True,
    type=click.Choice([layer.value for layer in Layer]),
    help="List only what is held for this cause. May be given several times: "
    f"{', '.join(layer.value for layer in Layer)}.",
)
@click.option("--every-cause", is_flag=True, help="List all that is held.")
@click.option("--from", "sender", metavar="ADDRESS", help="Whom digests come from; '' is the postmaster.")
@json_option
@calls_api
def set_(
    api: Client,
    enabled: bool | None,
    at: tuple[str, ...],
    days: tuple[str, ...],
    every_day: bool,
    time_zone: str | None,
    group: str | None,
    everybody: bool,
    causes: tuple[str, ...],
    every_cause: bool,
    sender: str | None,
    as_json: bool,
) -> None:
    """Say when digests are sent, to whom, and about what. What is not given stays as it is.

    \b
    mailreeve digest set --on --at 08:00 --day mon --time-zone Europe/Berlin
    mailreeve digest set --group Sales --every-day
    """
    for first, second, both in (
        ("--day", "--every-day", days and every_day),
        ("--group", "--everybody", group is not None and everybody),
        ("--cause", "--every-cause", causes and every_cause),
    ):
        if both:
            misused(f"{first} and {second} exclude each other")
    item: dict[str, object] = {
        "enabled": enabled,
        "times": list(at) or None,
        "weekdays": [day.value for day in Weekday] if every_day else list(days) or None,
        "timeZone": time_zone,
        "groupId": "" if everybody else None if group is None else resolve(api, GROUP, group, "--group"),
        "causes": [] if every_cause else list(causes) or None,
        "sender": sender,
    }
    item = {name: value for name, value in item.items() if value is not None}
    if not item:
        misused("nothing is to be changed; see mailreeve digest set --help")
    options: Options = {
        "enabled": ("--on", None),
        "times": ("--at", None),
        "timeZone": ("--time-zone", None),
        "groupId": ("--group", group),
        "sender": ("--from", sender),
        **{f"times[{n}]": ("--at", value) for n, value in enumerate(at)},
    }
    _print(api, changed(api, SET, item, options), as_json)


@command.command("send-now")
@click.option("--to", metavar="ADDRESS", help="To this user alone.  [default: all whom it is for]")
@json_option
@calls_api
def send_now(api: Client, to: str | None, as_json: bool) -> None:
    """Have a digest sent at once, whether it is on or off, to whoever has something new.

    A server that runs does it within seconds, one that does not once it is started.

    \b
    mailreeve digest send-now --to ann@example.com
    """
    row = changed(api, SEND, {} if to is None else {"to": to}, {"to": ("--to", to)})
    if as_json:
        echo(msgspec.json.encode(row))
        return
    whom = text(row, "to") or "all whom it is for"
    echo(f"a digest is on its way to {whom}, if there is anything new")


def _print(api: Client, row: Object, as_json: bool) -> None:
    if as_json:
        echo(msgspec.json.encode(row))
        return
    days = texts(row, "weekdays")
    lines = [
        ("digests", "on" if row.get("enabled") else "off"),
        ("times", f"{', '.join(texts(row, 'times'))} ({text(row, 'timeZone')})"),
        ("days", "every day" if len(days) == len(Weekday) else ", ".join(days)),
        ("for", _group(api, text(row, "groupId"))),
        ("about", ", ".join(texts(row, "causes")) or "all that is held"),
        ("from", text(row, "sender") or "nobody: the account has no domain"),
        ("links", text(row, "publicUrl") or "none: the setting public_url is not set"),
        ("next", times.shown(row.get("next"), "none")),
    ]
    if row.get("asked"):
        lines.append(("asked for", times.shown(row.get("asked"))))
    for name, value in lines:
        echo(f"{name:<10} {value}")


def _group(api: Client, id_: str) -> str:
    """Who gets digests, in words."""
    if not id_:
        return "all users"
    named = next((one for one in GROUP.objects(api) if one.get("id") == id_), None)
    return f"users in the group {GROUP.described(named) if named is not None else id_}"
