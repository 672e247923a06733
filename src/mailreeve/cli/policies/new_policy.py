"""`mailreeve policy block`, `permit` and `exempt`: a policy in a line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import ParamSpec, TypeVar

import click
import msgspec

from mailreeve.cli import ids, refusals, times
from mailreeve.cli.calling import calls_api
from mailreeve.cli.confirming import REACH, carried_out, send_confirmed, yes_option
from mailreeve.cli.options import json_option
from mailreeve.cli.output import echo
from mailreeve.cli.policies.showing import sentence
from mailreeve.cli.policies.targets import FORMS, target
from mailreeve.client import Answer, Client, Policy

P = ParamSpec("P")
R = TypeVar("R")

_PARTS = {"envelope": "envelope_from", "header": "header_from", "both": "both"}


def policy_options(function: Callable[P, R]) -> Callable[P, R]:
    """The sender, and what limits a policy."""
    for option in reversed(
        (
            click.argument("from_", metavar="FROM"),
            click.option("--to", default="internal", show_default=True, metavar="WHO", help="Mail to whom."),
            click.option(
                "--by",
                type=click.Choice(list(_PARTS)),
                help="Where the sender is looked for.  [default: envelope; header for name:…]",
            ),
            click.option("--start", metavar=times.WHEN, help=f"When it begins: {times.COMING}."),
            click.option("--until", metavar=times.WHEN, help=f"When it ends: {times.COMING}."),
            click.option("--ip", "ips", multiple=True, metavar="NETWORK", help="Only from there; several times."),
            click.option("--description", metavar="TEXT", help="What it is called.  [default: made of FROM]"),
            click.option("--reason", metavar="TEXT", help="A comment."),
        )
    ):
        function = option(function)
    return function


class _Given(msgspec.Struct, frozen=True):
    """What the options say."""

    from_: str
    to: str
    by: str | None
    start: str | None
    until: str | None
    ips: tuple[str, ...]
    description: str | None
    reason: str | None


@click.command("block", epilog=f"FROM and WHO are {FORMS}.")
@policy_options
@yes_option(REACH)
@json_option
@calls_api
def block(api: Client, /, yes: bool, as_json: bool, **given: object) -> None:
    """Refuse mail from a sender: make a blocked sender policy.

    \b
    mailreeve policy block shop.test --until 7d --reason "Ticket 4711"
    mailreeve policy block group:Rivals --to ann@example.com
    """
    item = {"option": "block_sender", "policy": policy_item(api, given, "Block")}
    with said_of_options(given):
        answer = send_confirmed(api, "policy/blockedsenders/create-policy", item, yes=yes)
    tell(api, answer, as_json=as_json)


@click.command("exempt", epilog=f"FROM and WHO are {FORMS}.")
@policy_options
@json_option
@calls_api
def exempt(api: Client, /, as_json: bool, **given: object) -> None:
    """Except a sender from wider blocks: make a blocked sender policy that takes no action.

    \b
    mailreeve policy exempt good@shop.test
    """
    item = {"option": "no_action", "policy": policy_item(api, given, "Exempt")}
    with said_of_options(given):
        answer = carried_out(api, "policy/blockedsenders/create-policy", item)
    tell(api, answer, as_json=as_json)


@click.command("permit", epilog=f"FROM and WHO are {FORMS}.")
@policy_options
@json_option
@calls_api
def permit(api: Client, /, as_json: bool, **given: object) -> None:
    """Let mail from a sender past the spam checks: make a permitted sender policy.

    \b
    mailreeve policy permit bank.test --to ann@example.com
    """
    item = {"policy": policy_item(api, given, "Permit")}
    with said_of_options(given):
        answer = carried_out(api, "ext/permittedsenders/create-policy", item)
    tell(api, answer, as_json=as_json)


def policy_item(api: Client, options: Mapping[str, object], verb: str) -> dict[str, object]:
    """The policy object that the options stand for. `verb` begins its description where none is given."""
    given = msgspec.convert(dict(options), _Given)
    from_ = target(api, given.from_, "FROM")
    by = given.by or ("header" if from_.type == "header_display_name" else "envelope")
    policy = Policy(
        description=given.description or f"{verb} {given.from_}",
        from_=from_,
        to=target(api, given.to, "--to"),
        from_part=_PARTS[by],  # type: ignore[arg-type] # one of those
        comment=given.reason or "",
    )
    item: dict[str, object] = msgspec.to_builtins(policy)
    for name, text, option in (("fromDate", given.start, "--start"), ("toDate", given.until, "--until")):
        if (when := times.coming(text, option)) is not None:
            item[name] = when
    if given.ips:
        item["conditions"] = {"sourceIPs": list(given.ips)}
    return item


def said_of_options(
    given: Mapping[str, object], more: Mapping[str, tuple[str, object]] = MappingProxyType({})
) -> AbstractContextManager[None]:
    """What is refused is said of the options, or of `more` of them."""
    options = {
        "policy.from": ("FROM", given["from_"]),
        "policy.to": ("--to", given["to"]),
        "policy.fromDate": ("--start", given["start"]),
        "policy.toDate": ("--until", given["until"]),
        "policy.conditions": ("--ip", None),
        "policy.description": ("--description", None),
        "policy.comment": ("--reason", None),
    }
    return refusals.said_of({**options, **more})


def tell(api: Client, answer: Answer, *, as_json: bool) -> None:
    """Say what was made, as lists show it."""
    (made,) = answer.data
    (policy,) = api.call("ext/find-policies", {"id": made["id"]})
    if as_json:
        echo(msgspec.json.encode(policy))
    else:
        echo(f"{ids.short(str(made['id']))}  {sentence(policy)}")
