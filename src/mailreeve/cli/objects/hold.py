"""`mailreeve hold`: mail that is held: list it, show it, release it, turn it down."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, ParamSpec, TypeVar

import click
import msgspec

from mailreeve.app.terminal import escaped_line
from mailreeve.cli.calling import calls_api
from mailreeve.cli.confirming import carried_out
from mailreeve.cli.ids import IdCommand, Listed, resolve, resolve_all
from mailreeve.cli.listing import Object, Table, inner, limit_option, page_size, show, text
from mailreeve.cli.options import fail, json_option, misused
from mailreeve.cli.output import counted, echo, say
from mailreeve.cli.refusals import said_of
from mailreeve.cli.tables import Column
from mailreeve.cli.times import in_column, shown
from mailreeve.client import Client
from mailreeve.client.api import only

P = ParamSpec("P")
R = TypeVar("R")

LIST: Final = "gateway/get-hold-message-list"
SHOW: Final = "ext/show-held-message"
DECIDE: Final = "ext/decide-held-messages"
ASK: Final = "ext/ask-held-release"
DECLINE: Final = "ext/decline-held-release"
AT_ONCE: Final = 100  # messages that one call decides about
DECLINED_AT_ONCE: Final = 25

_FIELDS: Final = {
    "subject": "subject",
    "sender": "sender",
    "to": "recipient",
    "reason": "reason_code",
    "ip": "senderIP",
}
_WHOSE: Final = ("admin", "mailbox")  # the members of an item that say whose messages are meant
_EVERYBODYS: Final = {"admin": ("Without --own or --mailbox", None)}  # what its refusal is about


@click.group("hold")
def command() -> None:
    """Mail that is held: list it, show it, release it, turn it down.

    A message is held for each of its recipients by itself, for 14 days at most. Who releases it has it delivered
    as it came.

    \b
    mailreeve hold list --to ann@example.com
    mailreeve hold release DAN8Lzp0 --permit
    """


def _narrowing(function: Callable[P, R]) -> Callable[P, R]:
    """The options that say which messages."""
    for decorate in (
        click.option("--own", is_flag=True, help="What is held for yourself, not for everybody; with --url."),
        click.option("--mailbox", metavar="ADDRESS", help="What is held for this user."),
        click.option(
            "--group",
            type=click.Choice(["user", "moderator", "administrator"]),
            help="Whose decision it is.",
        ),
        click.option(
            "--route", type=click.Choice(["inbound", "outbound", "internal", "external"]), help="On this way."
        ),
        click.option("--ip", metavar="IP", help="From exactly this address."),
        click.option("--reason", metavar="TEXT", help="Held for a reason with this in it: spam, malformed."),
        click.option("--to", metavar="TEXT", help="With this in the recipient."),
        click.option("--sender", metavar="TEXT", help="With this in the envelope sender, or the author."),
        click.option("--subject", metavar="TEXT", help="With this in the subject."),
        click.option("--text", metavar="TEXT", help="With this in any of these."),
    ):
        function = decorate(function)
    return function


def _which(narrowing: Mapping[str, object]) -> dict[str, object]:
    """The item that asks for these messages."""
    given = {name: value for name, value in narrowing.items() if value not in (None, False)}
    looked_for = [name for name in (*_FIELDS, "text") if name in given]
    for several in (looked_for, [name for name in ("own", "mailbox") if name in given]):
        if len(several) > 1:
            misused(f"--{several[0]} and --{several[1]}: give one of them")
    item: dict[str, object] = {"admin": not given.keys() & {"own", "mailbox"}}
    if "mailbox" in given:
        item["mailbox"] = given["mailbox"]
    for name in looked_for:
        item["searchBy"] = {"fieldName": _FIELDS.get(name, "all"), "value": given[name]}
    narrowed = [{key: given[name]} for key, name in (("route", "route"), ("heldGroup", "group")) if name in given]
    return item | ({"filterBy": narrowed} if narrowed else {})


def _listed(which: Mapping[str, object]) -> Listed:
    """The messages among which ids are looked up: everybody's, one's own, or those of a mailbox."""
    item = {name: which[name] for name in _WHOSE if name in which}
    return Listed("held message", LIST, item=item, says=("subject",))


@command.command("list")
@_narrowing
@limit_option
@json_option
@calls_api
def list_(api: Client, /, limit: int, as_json: bool, **narrowing: object) -> None:
    """List messages that are held, the newest first.

    \b
    mailreeve hold list --sender shop.test
    mailreeve hold list --reason spam --route inbound
    """
    which = _which(narrowing)
    with said_of({**_EVERYBODYS, "mailbox": ("--mailbox", narrowing.get("mailbox"))}):
        pages = api.pages(LIST, which, page_size=page_size(limit))
        show(pages, _TABLE, limit, as_json=as_json, is_filtered=len(which) > 1)


@command.command("requests")
@limit_option
@json_option
@calls_api
def requests(api: Client, limit: int, as_json: bool) -> None:
    """List messages whose recipients ask for their release, and why.

    They are released with `release`, turned down with `reject`, and left as they are with `decline`.

    \b
    mailreeve hold requests
    """
    pages = api.pages(LIST, {"admin": True, "asked": True}, page_size=page_size(limit))
    show(pages, _REQUESTS, limit, as_json=as_json)


@command.command("show", cls=IdCommand)
@click.argument("id_", metavar="ID")
@click.option("--own", is_flag=True, help="One that is held for yourself; with --url.")
@click.option("--mailbox", metavar="ADDRESS", help="One that is held for this user.")
@click.option("--html", "as_html", is_flag=True, help="Print what is harmless of its HTML instead of its text.")
@json_option
@calls_api
def show_(api: Client, id_: str, own: bool, mailbox: str | None, as_html: bool, as_json: bool) -> None:
    """Show what a held message says: its header, its text, and which attachments it has.

    Nothing is loaded that it refers to, and nothing of it is run.

    \b
    mailreeve hold show DAN8Lzp0
    mailreeve hold show DAN8Lzp0 --mailbox ann@example.com
    """
    which = _which({"own": own, "mailbox": mailbox})
    with said_of({**_EVERYBODYS, "id": ("ID", id_), "mailbox": ("--mailbox", mailbox)}):
        found = only(api.call(SHOW, {"id": resolve(api, _listed(which), id_)}))
    if as_json:
        echo(msgspec.json.encode(found))
        return
    message = found.get("message")
    if isinstance(message, dict):
        for why in _why_held(message):
            echo(escaped_line(why))
        echo("")
    for line in inner([found], "headers"):
        echo(escaped_line(f"{text(line, 'name')}: {text(line, 'value')}"))
    echo("")
    for row in text(found, "html" if as_html else "text").splitlines():
        echo(escaped_line(row))
    for attached in inner([found], "attachments"):
        name = text(attached, "name") or "without a name"
        echo(escaped_line(f"[attachment {name}, {text(attached, 'type')}, {attached.get('size')} octets]"))
    if found.get("isCut"):
        say("only the beginning is shown")


def _why_held(message: Object) -> Iterator[str]:
    """Why a message does not go on, from when, until when, and how to be told more."""
    policy = text(message, "policyInfo")
    yield f"held on {shown(text(message, 'dateReceived'))}: {text(message, 'reason')}" + (
        f", by the policy {policy!r}" if policy else ""
    )
    if message.get("returnedWhy"):
        yield f"could not be delivered on {shown(text(message, 'returnedAt'))}: {text(message, 'returnedWhy')}"
    if message.get("askedBy"):
        yield f"{text(message, 'askedBy')} asks for it: {text(message, 'askedWhy')}"
    decision = text(message, "decisionId")
    yield f"expires on {shown(text(message, 'expires'))}; more is said by: explain mail --id {decision}"


def _deciding(function: Callable[P, R]) -> Callable[P, R]:
    return click.argument("ids", nargs=-1, metavar="[ID|-]...")(
        click.option("--message", metavar="TEXT", help="Why, for the log.")(_narrowing(function))
    )


@command.command("release", cls=IdCommand)
@_deciding
@click.option("--permit", is_flag=True, help="Permit the sender from now on for the recipient.")
@json_option
@calls_api
def release(
    api: Client, /, ids: tuple[str, ...], message: str | None, permit: bool, as_json: bool, **narrowing: object
) -> None:
    """Have messages delivered: by ID or its beginning, those whose ids stand on standard input (-), or all that
    the options name.

    \b
    mailreeve hold release DAN8Lzp0 --permit
    mailreeve hold release --sender newsletter@shop.test
    mailreeve hold release - < ids.txt
    """
    item = {"action": "release", "message": message, "sender": "permit" if permit else None}
    _decide(api, ids, item, narrowing, "released", as_json)


@command.command("reject", cls=IdCommand)
@_deciding
@click.option("--block", is_flag=True, help="Block the sender from now on for the recipient.")
@click.option("--notify", is_flag=True, help="Tell the sender, where the address is proved.")
@click.option("--reason-type", metavar="TYPE", help="One of the API's reasons, as inappropriate_communication.")
@json_option
@calls_api
def reject(
    api: Client,
    /,
    ids: tuple[str, ...],
    message: str | None,
    block: bool,
    notify: bool,
    reason_type: str | None,
    as_json: bool,
    **narrowing: object,
) -> None:
    """Turn messages down, which nobody gets then: by ID or its beginning, those whose ids stand on standard input
    (-), or all that the options name.

    \b
    mailreeve hold reject DAN8Lzp0 --block
    mailreeve hold reject --sender shop.test --message "not wanted"
    """
    item = {
        "action": "reject",
        "message": message,
        "sender": "block" if block else None,
        "notify": notify,
        "reasonType": reason_type,
    }
    _decide(api, ids, item, narrowing, "rejected", as_json)


@command.command("ask", cls=IdCommand)
@click.argument("id_", metavar="ID")
@click.option("--message", required=True, metavar="TEXT", help="Why it should be released.")
@json_option
@calls_api
def ask(api: Client, id_: str, message: str, as_json: bool) -> None:
    """Ask those who may for the release of a message that is held for you.

    \b
    mailreeve hold ask DAN8Lzp0 --message "from my bank"
    """
    with said_of({"id": ("ID", id_), "reason": ("--message", message)}):
        done = only(api.call(ASK, {"id": resolve(api, _listed({"admin": False}), id_), "reason": message}))
    echo(msgspec.json.encode(done) if as_json else "asked for its release")


@command.command("decline", cls=IdCommand)
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@json_option
@calls_api
def decline(api: Client, ids: tuple[str, ...], as_json: bool) -> None:
    """Leave messages held whose release was asked for.

    \b
    mailreeve hold decline DAN8Lzp0
    """
    with said_of({"id": ("ID", None)}):
        whole = resolve_all(api, _listed({"admin": True}), ids)
        done = [row for part in _parts(whole, DECLINED_AT_ONCE) for row in _declined(api, part)]
    echo(msgspec.json.encode({"declined": done}) if as_json else f"declined {counted(len(done), 'message')}")


def _declined(api: Client, ids: Sequence[str]) -> list[Object]:
    return list(api.call(DECLINE, *({"id": id_} for id_ in ids)))


def _decide(
    api: Client,
    ids: Sequence[str],
    item: Mapping[str, object],
    narrowing: Mapping[str, object],
    done: str,
    as_json: bool,
) -> None:
    which = _which(narrowing)
    looks = bool(which.keys() - set(_WHOSE))
    if looks if ids else not (looks or "mailbox" in which):
        misused("give IDs, or options that say which messages")
    rows: list[Object] = []
    said = {
        "reasonType": ("--reason-type", item.get("reasonType")),
        "mailbox": ("--mailbox", narrowing["mailbox"]),
    }
    with said_of({**_EVERYBODYS, **said}):
        if ids:
            whole = resolve_all(api, _listed(which), _given(ids))
        else:
            whole = [text(row, "id") for row in api.every(LIST, which)]
        for part in _parts(whole, AT_ONCE):
            given = {**{k: v for k, v in item.items() if v is not None}, "ids": part}
            rows += carried_out(api, DECIDE, given).data
    failed = [row for row in rows if text(row, "error")]
    if as_json:
        echo(msgspec.json.encode({done: [row for row in rows if not text(row, "error")]}))
    else:
        for row in rows[: len(rows) if len(rows) <= 20 else 0]:
            if not text(row, "error"):
                echo(escaped_line(f"{done} {text(row, 'subject') or 'a message'} for {text(row, 'to')}"))
        if len(rows) > 20 or not rows:
            echo(f"{done} {counted(len(rows) - len(failed), 'message')}")
    if failed:
        fail(*(escaped_line(f"{text(row, 'id')}: {text(row, 'error')}") for row in failed))


def _given(ids: Sequence[str]) -> list[str]:
    """The ids that are given, those of standard input in the place of a dash."""
    found: list[str] = []
    for one in ids:
        found += sys.stdin.read().split() if one == "-" else [one]
    return found


def _parts(several: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    return (several[n : n + most] for n in range(0, len(several), most))


def _address(row: Object, name: str) -> str:
    value = row.get(name)
    return text(value, "emailAddress") if isinstance(value, dict) else ""


def _cells(row: Object, ids: Mapping[str, str]) -> tuple[str, ...]:
    return (
        ids[text(row, "id")],
        in_column(row.get("dateReceived")),
        _address(row, "from") or "<>",
        _address(row, "to"),
        text(row, "subject"),
        f"came back: {text(row, 'returnedWhy')}" if row.get("returnedWhy") else text(row, "policyInfo"),
        f"{row.get('size')}{' +' if row.get('hasAttachments') else ''}",
    )


_TABLE: Final = Table(
    ("message", "messages"),
    (
        Column("id"),
        Column("received (UTC)"),
        Column("from", 4),
        Column("to", 4),
        Column("subject", 5),
        Column("held by", 4),
        Column("size", least=120),
    ),
    _cells,
)


def _request_cells(row: Object, ids: Mapping[str, str]) -> tuple[str, ...]:
    return (
        ids[text(row, "id")],
        shown(row.get("askedAt")),
        text(row, "askedBy"),
        text(row, "askedWhy"),
        _address(row, "from") or "<>",
        text(row, "subject"),
    )


_REQUESTS: Final = Table(
    ("request", "requests"),
    (
        Column("id"),
        Column("asked"),
        Column("by", 4),
        Column("why", 5),
        Column("from", 4),
        Column("subject", 4),
    ),
    _request_cells,
)
