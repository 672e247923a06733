"""`mailreeve policy`: the policies of all types in one list, switched on and off, made and removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Final, ParamSpec, TypeVar

import click
import msgspec
from rich.console import Console

from mailreeve.cli import ids
from mailreeve.cli.calling import calls_api
from mailreeve.cli.confirming import REACH, carried_out, confirm_removal, send_confirmed, yes_option
from mailreeve.cli.ids import IdCommand
from mailreeve.cli.listing import Object, limit_option, page_size, show
from mailreeve.cli.options import fail, json_option
from mailreeve.cli.output import echo
from mailreeve.cli.policies.new_policy import block, exempt, permit
from mailreeve.cli.policies.showing import TABLE, does, members, sentence
from mailreeve.cli.policies.spam import spam, spam_change
from mailreeve.cli.policies.targets import plain
from mailreeve.cli.refusals import said_of
from mailreeve.cli.tables import wrapped
from mailreeve.client import Client

P = ParamSpec("P")
R = TypeVar("R")

FIND: Final = "ext/find-policies"
WEB: Final = "policy/webwhiteurl/{}-policy-with-targets"
_TYPES: Final = {
    "blocked": "blocked_senders",
    "permitted": "permitted_senders",
    "alteration": "address_alteration",
    "spam": "spam_scanning",
    "web": "web_lists",
}
_ROOMS: Final = {
    "blocked_senders": "policy/blockedsenders/{}-policy",
    "permitted_senders": "ext/permittedsenders/{}-policy",
    "address_alteration": "policy/address-alteration/{}-policy",
    "spam_scanning": "ext/spam-policies/{}-policy",
    "web_lists": WEB,
}
_LOOKED_UP: Final = 10  # ids that one call is asked about


@click.group("policy")
def command() -> None:
    """List policies of all types, switch them on and off, make and remove them.

    A policy is named by the beginning of its id, as lists show it, or by its description.

    \b
    mailreeve policy list --matching news@shop.test
    mailreeve policy block shop.test --until 7d --reason "Ticket 4711"
    """


def _ids_argument(function: Callable[P, R]) -> Callable[P, R]:
    return click.argument("given", nargs=-1, required=True, metavar="ID...")(function)


@command.command("list")
@click.option("--type", "type_", type=click.Choice(list(_TYPES)), help="Policies of this type only.")
@click.option("--from", "from_", metavar="WHO", help="Whose from side names this address, domain or kind.")
@click.option("--to", metavar="WHO", help="The same of the to side.")
@click.option(
    "--matching", metavar="ADDRESS", help="Whose from side this sender would match, by whatever it names."
)
@click.option("--matching-to", metavar="ADDRESS", help="The same of a recipient and the to side.")
@click.option("--group", metavar="GROUP", help="That name this group, by its name or id.")
@click.option("--enabled/--disabled", default=None, help="Those that are switched on, or off.")
@click.option("--expired", is_flag=True, help="Those whose end has passed.")
@click.option("--text", metavar="TEXT", help="With this in description, comment or an address they name.")
@limit_option
@json_option
@calls_api
def list_(
    api: Client,
    type_: str | None,
    from_: str | None,
    to: str | None,
    matching: str | None,
    matching_to: str | None,
    group: str | None,
    enabled: bool | None,
    expired: bool,
    text: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List policies, those for which all that is given holds.

    \b
    mailreeve policy list --type blocked --matching news@shop.test
    """
    asked = {
        "type": None if type_ is None else _TYPES[type_],
        "from": plain(from_),
        "to": plain(to),
        "matching": matching,
        "matchingTo": matching_to,
        "groupId": None if group is None else ids.resolve(api, ids.GROUP, group, "--group"),
        "enabled": enabled,
        "state": "expired" if expired else None,
        "text": text,
    }
    item = {name: value for name, value in asked.items() if value is not None}
    pages = api.pages(FIND, item, page_size=page_size(limit))
    options = {
        "from": ("--from", from_),
        "to": ("--to", to),
        "matching": ("--matching", matching),
        "matchingTo": ("--matching-to", matching_to),
        "groupId": ("--group", group),
        "text": ("--text", None),
    }
    with said_of(options):
        show(pages, TABLE, limit, as_json=as_json, is_filtered=bool(item))


@command.command("show", cls=IdCommand)
@click.argument("given", metavar="ID")
@json_option
@calls_api
def show_(api: Client, given: str, as_json: bool) -> None:
    """Show all of one policy.

    \b
    mailreeve policy show 3f9a01bc
    """
    (policy,) = _found(api, [given])
    if as_json:
        echo(msgspec.json.encode(policy))
        return
    console = Console(highlight=False, soft_wrap=True)
    for name, text in members(policy):
        console.print(wrapped(f"{name:<12} {text}", console.width, 13), markup=False, emoji=False)


@command.command("enable", cls=IdCommand)
@_ids_argument
@yes_option(REACH)
@json_option
@calls_api
def enable(api: Client, given: Sequence[str], yes: bool, as_json: bool) -> None:
    """Switch policies on.

    \b
    mailreeve policy enable 3f9a01bc
    """
    _switch(api, given, on=True, yes=yes, as_json=as_json)


@command.command("disable", cls=IdCommand)
@_ids_argument
@json_option
@calls_api
def disable(api: Client, given: Sequence[str], as_json: bool) -> None:
    """Switch policies off. They stay, and can be switched on again.

    \b
    mailreeve policy disable 3f9a01bc 77d0c2aa
    """
    _switch(api, given, on=False, yes=True, as_json=as_json)


@command.command("remove", cls=IdCommand)
@_ids_argument
@yes_option()
@json_option
@calls_api
def remove(api: Client, given: Sequence[str], yes: bool, as_json: bool) -> None:
    """Remove policies for good, after asking.

    \b
    mailreeve policy remove 3f9a01bc --yes
    """
    policies = _found(api, given)
    confirm_removal([_named(policy) for policy in policies], yes=yes)
    for policy in _changing(policies, "removed", as_json=as_json):
        with _said_of(policy):
            carried_out(api, _path(policy, "delete"), {"id": policy["id"]})


for made in (block, permit, exempt, spam, spam_change):
    command.add_command(made)


def _found(api: Client, given: Sequence[str]) -> list[Object]:
    """The policies that are meant. It ends the command where one is none."""
    wanted = list(dict.fromkeys(ids.resolve_all(api, ids.POLICY, given)))
    found: list[Object] = []
    for start in range(0, len(wanted), _LOOKED_UP):
        several = wanted[start : start + _LOOKED_UP]
        answer = api.send(FIND, *({"id": id_} for id_ in several))
        rows = {row["id"]: row for row in answer.data}
        for id_ in several:
            if id_ not in rows:
                fail(f"ID {id_!r}: there is no such policy")
            found.append(rows[id_])
    return found


def _switch(api: Client, given: Sequence[str], *, on: bool, yes: bool, as_json: bool) -> None:
    for policy in _changing(_found(api, given), "enabled" if on else "disabled", as_json=as_json):
        with _said_of(policy):
            _switch_one(api, policy, on=on, yes=yes)


def _switch_one(api: Client, policy: Object, *, on: bool, yes: bool) -> None:
    item: dict[str, object] = {"id": policy["id"], "policy": {"enabled": on}}
    match policy["type"]:
        case "web_lists":
            _switch_web(api, policy, on=on)
        case "blocked_senders":
            send_confirmed(api, _path(policy, "update"), {**item, "option": policy["does"]}, yes=yes)
        case _:
            carried_out(api, _path(policy, "update"), item)


def _switch_web(api: Client, policy: Object, *, on: bool) -> None:
    """A web list is on for each of its targets, which are written together."""
    (row,) = api.call(WEB.format("get"), {"id": policy["id"]})
    targets = row["policies"]
    flat = [
        {**target["policy"], "id": target["id"], "enabled": on}
        for target in (targets if isinstance(targets, list) else [])
    ]
    carried_out(api, WEB.format("update"), {"id": policy["id"], "policies": flat})


def _changing(policies: Sequence[Object], done: str, *, as_json: bool) -> Iterator[Object]:
    """Each policy in turn; what was done with it is said once whoever asks for the next one has done it."""
    changed: list[object] = []
    try:
        for policy in policies:
            yield policy
            changed.append(policy["id"])
            if not as_json:
                echo(f"{done} {_named(policy)}")
    finally:
        # Also where one is refused: those before it are changed.
        if as_json:
            echo(msgspec.json.encode({done: changed}))


def _said_of(policy: Object) -> AbstractContextManager[None]:
    """What is refused is said of a policy."""
    return said_of({"id": (f"policy {ids.short(str(policy['id']))}", None)})


def _named(policy: Object) -> str:
    return f"{ids.short(str(policy['id']))}  {sentence(policy)}: {policy.get('description') or does(policy)}"


def _path(policy: Object, verb: str) -> str:
    return _ROOMS[str(policy["type"])].format(verb)
