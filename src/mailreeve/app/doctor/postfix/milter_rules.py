"""Mailreeve as a milter: is it asked of every message, is nothing let by in silence, and can copies come back?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mailreeve.app.doctor.checks import State
from mailreeve.app.doctor.postfix.configuration import Milter, Service
from mailreeve.app.doctor.postfix.placement import (
    MAIN,
    MASTER,
    UNIX,
    Beside,
    Finding,
    add_main,
    add_option,
    add_ours,
    good,
    socket_path,
)

VERSION: Final = 6  # of the protocol, which Postfix speaks from 2.6 on
SECOND_PORT: Final = "127.0.0.1:10026"
DEFAULT_ADDRESS: Final = "unix:mailreeve/milter.sock"  # below the queue's folder, in a chroot or not


def milter_findings(beside: Beside) -> Iterator[Finding]:
    """What is found where Mailreeve is, or is to be, a milter."""
    postfix = beside.postfix
    if not beside.settings.milter:
        yield add_ours("milter", State.FAIL, "Mailreeve has no milter door", f'milter = "{_suggested(beside)}"')
        return
    entry = beside.ours_among("smtpd_milters", None)
    yield from _listeners(beside)
    yield from _own_mail(beside)
    address = _postfix_address(beside)
    for milter in filter(None, [entry or _any_entry(beside)]):
        yield from _entry(beside, milter)
    if postfix.number("milter_protocol") < VERSION:
        yield add_main(
            "protocol", State.FAIL, f"milter_protocol = {postfix.get('milter_protocol')}",
            f"milter_protocol = {VERSION}", "older ones lack what recipients are removed and mail is held by",
        )  # fmt: skip
    else:
        yield good("protocol", f"milter_protocol = {postfix.get('milter_protocol')}")
    yield from _null_octets(beside)
    for where, why in beside.barred.items():
        if why and beside.settings.milter.startswith(UNIX) and not beside.settings.milter_group:
            yield add_ours(
                "socket", State.FAIL, f"Postfix cannot reach {where}: {why}",
                f'milter_group = "{postfix.get("mail_owner")}"', "and mailreeve serve has to run",
            )  # fmt: skip
        elif why:
            yield Finding(
                "socket", State.FAIL, f"Postfix cannot reach {where}: {why}",
                f"is mailreeve serve running, and may user {postfix.get('mail_owner')} use the socket?",
            )  # fmt: skip
        else:
            yield good("socket", f"Postfix reaches {address} at {where}")
    yield from _copies(beside)


def _suggested(beside: Beside) -> str:
    return f"unix:{beside.postfix.get('queue_directory')}/mailreeve/milter.sock"


def _postfix_address(beside: Beside) -> str:
    """Our door as Postfix has to write it."""
    ours = beside.settings.milter
    if not ours.startswith(UNIX):
        return f"inet:{ours}"
    queue = beside.postfix.get("queue_directory").rstrip("/") + "/"
    path = ours.partition(":")[2]
    return f"unix:{path.removeprefix(queue)}"


def _any_entry(beside: Beside) -> Milter | None:
    found = (beside.ours_among("smtpd_milters", each) for each in beside.postfix.listeners())
    return next(filter(None, found), None)


def _listeners(beside: Beside) -> Iterator[Finding]:
    postfix = beside.postfix
    line = f"smtpd_milters = {_postfix_address(beside)}"
    by_default = beside.ours_among("smtpd_milters", None)
    if by_default is None and _any_entry(beside) is None:
        there = postfix.get("smtpd_milters")
        advice = "beside what is there, separated by a comma" if there else ""
        yield add_main("asked", State.FAIL, "Postfix asks Mailreeve of no message", line, advice)
        return
    second = beside.second()
    for listener in postfix.listeners():
        if listener == second:
            continue
        if not beside.passes_no_milter(listener):
            yield good("asked", f"{listener} asks Mailreeve")
            continue
        if postfix.is_local(listener):
            continue  # another program's way back
        if by_default is not None and "no_milters" in postfix.get("receive_override_options", listener):
            yield Finding(
                "asked", State.FAIL, f"{listener} asks no milter", "take no_milters from its options", MASTER
            )
        elif listener.chroot and _would_be_ours(beside, listener):
            yield add_main(
                "asked", State.FAIL,
                f"{listener} runs in a chroot, where the path of the socket begins at the queue's folder",
                f"smtpd_milters = {DEFAULT_ADDRESS}",
                f'and milter = "{_suggested(beside)}" in mailreeve.toml: right in a chroot and outside',
            )  # fmt: skip
        else:
            yield add_option("asked", State.FAIL, f"{listener} does not ask Mailreeve", listener,
                             f"smtpd_milters={_postfix_address(beside)}")  # fmt: skip


def _would_be_ours(beside: Beside, listener: Service) -> bool:
    """Whether it names our socket, and only the chroot makes it another."""
    return "smtpd_milters" not in listener.options and beside.ours_among("smtpd_milters", None) is not None


def _own_mail(beside: Beside) -> Iterator[Finding]:
    postfix = beside.postfix
    cleanup = postfix.transport("cleanup")
    if beside.ours_among("non_smtpd_milters", cleanup) is not None:
        yield good("own mail", "what sendmail hands in is decided too")
    elif any(beside.ours_among("non_smtpd_milters", each) for each in (None, *postfix.listeners())):
        yield add_main(
            "own mail", State.FAIL,
            "of smtpd and cleanup one runs in a chroot: a path with a slash in front is not the same for both",
            f"non_smtpd_milters = {DEFAULT_ADDRESS}",
            f'and milter = "{_suggested(beside)}" in mailreeve.toml: right in a chroot and outside',
        )  # fmt: skip
    else:
        yield add_main(
            "own mail", State.FAIL, "what sendmail hands in passes without a decision",
            "non_smtpd_milters = $smtpd_milters",
        )  # fmt: skip


def _entry(beside: Beside, milter: Milter) -> Iterator[Finding]:
    said = milter.options.get("default_action")
    action = (said or beside.postfix.get("milter_default_action")).partition(" ")[0]
    line = "milter_default_action = tempfail"
    told = f"while Mailreeve is down, Postfix does: {action}"
    if said and action != "tempfail":
        yield Finding(
            "when down", State.FAIL, f"{told}, as {{ {milter.address}, default_action={said} }} says",
            "write default_action=tempfail there", MAIN,
        )  # fmt: skip
        return
    match action:
        case "tempfail":
            yield good("when down", "while Mailreeve is down, senders are told to try again")
        case "accept":
            yield add_main("when down", State.FAIL, told, line, "then every message passes without a decision")
        case "reject":
            yield add_main("when down", State.FAIL, told, line, "then good mail is refused for good")
        case _:
            yield add_main("when down", State.WARN, told, line, "then somebody has to look after that mail")


def _null_octets(beside: Beside) -> Iterator[Finding]:
    """A field is shown as far as its first null octet: what stands behind it is delivered and not looked at."""
    if "\\0" in beside.postfix.get("message_reject_characters"):
        yield good("null octets", "Postfix refuses messages with null octets")
    else:
        yield add_main(
            "null octets", State.WARN, "what stands behind a null octet in a header field is not looked at",
            "message_reject_characters = \\0",
        )  # fmt: skip


def _copies(beside: Beside) -> Iterator[Finding]:
    """The way by which copies that were split off, and held ones that are released, come back into Postfix."""
    postfix = beside.postfix
    whole = f"{SECOND_PORT} inet n - n - - smtpd -o smtpd_milters= -o content_filter= -o mynetworks=127.0.0.0/8"
    if beside.next_hop is None:
        yield add_ours(
            "way back", State.FAIL, "released and split-off copies have no way back into Postfix",
            f'next_hop = "{SECOND_PORT}"',
        )  # fmt: skip
        if not any(each.port == 10026 for each in postfix.listeners()):
            yield Finding("way back", State.FAIL, "no listener for them", "", MASTER, whole)
        return
    second = beside.second()
    if second is None:
        yield good("way back", f"copies go to {beside.settings.next_hop}, which is no listener of this Postfix")
        return
    if not beside.passes_no_milter(second):
        yield add_option(
            "way back", State.FAIL, f"{second} asks Mailreeve again: released mail would be held anew", second,
            "smtpd_milters=",
        )  # fmt: skip
    elif not postfix.is_local(second):
        yield Finding(
            "way back", State.FAIL, f"others reach {second}, where nothing is decided",
            "let it listen on loopback", MASTER, whole,
        )  # fmt: skip
    else:
        yield good("way back", f"copies come back at {second}, without our milter")


def our_places(beside: Beside) -> Iterator[tuple[str, str]]:
    """The milter doors of ours that Postfix is led to, to be tried: each in Postfix' words, and as seen from
    outside, a path or HOST:PORT."""
    for listener in (None, *beside.postfix.listeners()):
        if milter := beside.ours_among("smtpd_milters", listener):
            path = socket_path(milter.address, beside.postfix, listener)
            yield milter.address, str(path) if path else milter.address.removeprefix("inet:")
