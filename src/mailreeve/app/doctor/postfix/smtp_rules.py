"""Mailreeve as an SMTP server beside Postfix: does mail go through it once, known by its client, and come back?"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

from mailreeve.app.doctor.checks import State
from mailreeve.app.doctor.postfix.configuration import (
    SMTP_PORT,
    Service,
    is_loopback,
    parts,
    same_place,
)
from mailreeve.app.doctor.postfix.placement import (
    MASTER,
    Beside,
    Finding,
    Placement,
    add_option,
    add_ours,
    good,
)
from mailreeve.formats.networks import parse_network

LOOPBACK: Final = "127.0.0.1"
NOT_OURS: Final = ("dsn", "etrn", "chunking")  # of EHLO, which the door does not do
SECOND_LINE: Final = (
    "127.0.0.1:10026 inet n - n - - smtpd -o smtpd_authorized_xforward_hosts=127.0.0.0/8 -o content_filter="
    " -o smtpd_milters= -o smtpd_relay_restrictions=permit_mynetworks,reject -o mynetworks=127.0.0.0/8"
)


def before_findings(beside: Beside) -> Iterator[Finding]:
    """What is found where Postfix shows Mailreeve each command, by `smtpd_proxy_filter`."""
    postfix = beside.postfix
    for listener in postfix.listeners():
        if not beside.is_door(postfix.get("smtpd_proxy_filter", listener)):
            if listener != beside.second() and not postfix.is_local(listener) and not beside.filter_of(listener):
                yield add_option(
                    "asked", State.WARN, f"{listener} does not ask Mailreeve", listener,
                    f"smtpd_proxy_filter={beside.settings.smtp}",
                    "or for your users' mail content_filter, see the guide",
                )  # fmt: skip
            continue
        if listener == beside.second():
            yield _round(listener, "smtpd_proxy_filter=")
            continue
        yield good("asked", f"{listener} asks Mailreeve")
        if "speed_adjust" in postfix.get("smtpd_proxy_options", listener):
            yield add_option(
                "options", State.WARN, f"{listener} has speed_adjust", listener, "smtpd_proxy_options=",
                "it hides from the sender which recipient was refused",
            )  # fmt: skip
        hidden = {word.lower() for word in parts(postfix.get("smtpd_discard_ehlo_keywords", listener))}
        lacking = [word for word in NOT_OURS if word not in hidden]
        if lacking:
            yield add_option(
                "EHLO", State.FAIL, f"{listener} announces {', '.join(lacking)}, which the mail door does not do",
                listener, f"smtpd_discard_ehlo_keywords={','.join(NOT_OURS)}",
            )  # fmt: skip
        else:
            yield good("EHLO", f"{listener} announces nothing that the mail door does not do")
    yield from _spoken_for(beside)
    yield from _second(beside, Placement.BEFORE)


def behind_findings(beside: Beside, placement: Placement) -> Iterator[Finding]:
    """What is found where Postfix queues first, with `content_filter` or a transport that leads to Mailreeve."""
    postfix = beside.postfix
    setting = "content_filter" if placement is Placement.BEHIND else beside.relay()
    name = postfix.get(setting).partition(":")[0] if setting != "relayhost" else "smtp"
    yield good("asked", f"{setting} = {postfix.get(setting)}")
    transport = postfix.transport(name)
    if transport is None:
        line = f"{name} unix - - n - 10 smtp -o smtp_send_xforward_command=yes -o smtp_tls_security_level=none"
        yield Finding("transport", State.FAIL, f"there is no transport {name}", "", MASTER, line)
    else:
        yield from _transport(beside, transport)
    yield from _spoken_for(beside)
    if placement is Placement.BEHIND or beside.second() is not None:
        yield from _second(beside, placement)
    elif beside.next_hop is None:
        yield add_ours("next hop", State.FAIL, "nothing is behind Mailreeve", 'next_hop = "HOST:25"',
                       "the server with the mailboxes")  # fmt: skip
    yield from _names(beside)


def front_findings(beside: Beside) -> Iterator[Finding]:
    """What is found where Mailreeve meets the world, and Postfix is its next hop."""
    postfix, second = beside.postfix, beside.second()
    if second is None:
        return
    for listener in postfix.meets_the_world():
        yield Finding(
            "asked", State.FAIL, f"others reach Postfix past Mailreeve, at {listener}",
            "give port 25 to Mailreeve, and let Postfix listen on loopback", MASTER,
            f"127.0.0.1:{second.port if second.port != SMTP_PORT else 10025} inet n - n - - smtpd",
        )  # fmt: skip
    if postfix.is_local(second):
        yield good("asked", f"Postfix takes mail at {second}, which only this machine reaches")
    restrictions = parts(postfix.get("smtpd_relay_restrictions", second))
    if beside.settings.relay_networks and "permit_mynetworks" in restrictions:
        yield add_ours(
            "relay", State.WARN,
            f"{', '.join(beside.settings.relay_networks)} may send to anybody through both", "relay_networks = []",
            "where nobody is to send that way",
        )  # fmt: skip
    if beside.settings.next_hop_xforward:
        yield from _xforward(beside, second)
    yield from _names(beside)


def _transport(beside: Beside, transport: Service) -> Iterator[Finding]:
    postfix = beside.postfix
    if postfix.get("smtp_send_xforward_command", transport) == "yes":
        yield good("client", f"{transport} says whose mail it brings")
    else:
        yield add_option(
            "client", State.FAIL, f"{transport} does not say whose mail it brings", transport,
            "smtp_send_xforward_command=yes", "or policies on source addresses meet Postfix' own",
        )  # fmt: skip
    most = postfix.number("smtp_destination_recipient_limit", transport)
    if most == 0 or most > beside.settings.max_recipients:
        yield add_option(
            "recipients", State.WARN, f"{transport} brings more at once than max_recipients", transport,
            f"smtp_destination_recipient_limit={beside.settings.max_recipients}",
        )  # fmt: skip


def _spoken_for(beside: Beside) -> Iterator[Finding]:
    hosts = beside.settings.proxies()
    if any(ip_address(LOOPBACK) in network for network in hosts):
        yield good("spoken for", "Postfix may say whose mail it brings")
    elif beside.door is not None and not is_loopback(beside.door[0]) and hosts:
        yield good("spoken for", f"{', '.join(map(str, hosts))} may say whose mail they bring")
    else:
        yield add_ours(
            "spoken for", State.FAIL, "a stranger's mail comes from loopback and is taken for your own",
            f'xclient_hosts = ["{LOOPBACK}/32"]',
        )  # fmt: skip


def _second(beside: Beside, placement: Placement) -> Iterator[Finding]:
    """The listener to which Mailreeve hands what passes."""
    postfix, second = beside.postfix, beside.second()
    if second is None:
        if beside.next_hop is None:
            yield add_ours(
                "way back", State.FAIL, "what passes does not come back", 'next_hop = "127.0.0.1:10026"'
            )
        if beside.next_hop is None or is_loopback(beside.next_hop[0]):
            there = any(each.port == 10026 for each in postfix.listeners())
            if beside.next_hop is not None or not there:
                line = SECOND_LINE
                if beside.next_hop is not None:
                    line = line.replace("127.0.0.1:10026", beside.settings.next_hop)
                yield Finding("way back", State.FAIL, "no listener of Postfix takes it back", "", MASTER, line)
        else:
            yield good("way back", f"what passes goes on to {beside.settings.next_hop}")
        return
    round_ = False
    if same_place((second.host, second.port), beside.door):
        yield add_ours("way back", State.FAIL, "next_hop is the mail door itself", 'next_hop = "127.0.0.1:10026"')
        return
    if beside.filter_of(second):
        round_ = True
        yield _round(second, "content_filter=")
    if placement is Placement.BETWEEN:
        round_ = True
        yield Finding(
            "way back", State.FAIL, f"what comes in at {second} is relayed to Mailreeve again: mail goes round",
            "name the server with the mailboxes as next_hop, or use content_filter",
        )  # fmt: skip
    if not beside.passes_no_milter(second):
        yield add_option("way back", State.WARN, f"{second} asks our milter as well", second, "smtpd_milters=")
    if not postfix.is_local(second):
        yield Finding(
            "way back", State.FAIL, f"others reach {second}, where nothing is decided",
            "let it listen on loopback", MASTER,
            SECOND_LINE.replace("127.0.0.1:10026", f"{LOOPBACK}:{second.port}"),
        )  # fmt: skip
    elif not round_:
        yield good("way back", f"what passes comes back at {second}")
    if beside.settings.next_hop_xforward:
        yield from _xforward(beside, second)


def _round(second: Service, line: str) -> Finding:
    return add_option(
        "way back", State.FAIL, f"what comes in at {second} goes to Mailreeve again: mail goes round", second, line
    )


def _xforward(beside: Beside, second: Service) -> Iterator[Finding]:
    known = []
    for part in parts(beside.postfix.get("smtpd_authorized_xforward_hosts", second)):
        try:
            known.append(parse_network(part))
        except ValueError:
            return  # a table or a name, of which nothing can be said here
    if any(ip_address(LOOPBACK) in network for network in known):
        yield good("log", f"{second} lets Mailreeve say whose mail it is, for the log")
    else:
        yield add_option(
            "log", State.WARN, f"{second} does not let Mailreeve say whose mail it is", second,
            "smtpd_authorized_xforward_hosts=127.0.0.0/8",
        )  # fmt: skip


def _names(beside: Beside) -> Iterator[Finding]:
    mine = beside.postfix.get("myhostname")
    if mine and mine.lower() == beside.hostname.lower():
        yield add_ours(
            "name", State.FAIL, f"both call themselves {mine}: Postfix takes that for a loop",
            'hostname = "another.name.of.yours"',
        )  # fmt: skip
    else:
        yield good("name", f"Mailreeve calls itself {beside.hostname}, Postfix {mine}")
