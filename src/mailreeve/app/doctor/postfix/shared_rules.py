"""What holds wherever Mailreeve stands: whom each trusts, and how much each takes."""

from __future__ import annotations

from collections.abc import Iterator

from mailreeve.app.doctor.checks import State
from mailreeve.app.doctor.postfix.placement import MAIN, Beside, Finding, Placement, add_main, add_ours, good
from mailreeve.formats.networks import Network


def shared_findings(beside: Beside, placement: Placement) -> Iterator[Finding]:
    """What is found of networks, sizes and recipients."""
    yield from _networks(beside)
    yield from _sizes(beside, placement)
    yield from _recipients(beside)
    yield from _smuggling(beside, placement)
    if beside.postfix.get("smtputf8_enable") == "no":
        yield add_main(
            "SMTPUTF8", State.WARN, "Postfix takes no international addresses", "smtputf8_enable = yes",
            "Mailreeve announces them",
        )  # fmt: skip


def _smuggling(beside: Beside, placement: Placement) -> Iterator[Finding]:
    """Where Postfix meets the world, it says where a message ends (CVE-2023-51764). It knows the setting from
    3.5.23, 3.6.13, 3.7.9 and 3.8.4 on; nothing is said of an older one."""
    said = beside.postfix.main.get("smtpd_forbid_bare_newline")
    if placement is Placement.FRONT or said is None:
        return
    if said == "no":
        yield add_main(
            "smuggling", State.WARN, "a line feed alone may end a message: another can be smuggled in behind it",
            "smtpd_forbid_bare_newline = normalize",
        )  # fmt: skip
    else:
        yield good("smuggling", "a line feed alone ends no message")


def _within(inner: Network, networks: tuple[Network, ...]) -> bool:
    same = [each for each in networks if each.version == inner.version]
    return any(
        int(outer.network_address) <= int(inner.network_address)
        and int(inner.broadcast_address) <= int(outer.broadcast_address)
        for outer in same
    )


def _networks(beside: Beside) -> Iterator[Finding]:
    known, unknown = beside.postfix.networks()
    everybody = [str(each) for each in known if not each.prefixlen]
    if everybody:
        yield Finding(
            "mynetworks", State.FAIL, f"it holds {', '.join(everybody)}: everybody may send to everybody",
            "name your own networks alone", MAIN, "mynetworks = 127.0.0.0/8 [::1]/128",
        )  # fmt: skip
        return
    wider = [str(each) for each in known if not _within(each, beside.settings.networks())]
    if wider:
        listed = ", ".join(f'"{each}"' for each in (*beside.settings.relay_networks, *wider))
        yield add_ours(
            "mynetworks", State.WARN, f"Postfix trusts {', '.join(wider)}, Mailreeve does not",
            f"relay_networks = [{listed}]", "or take them from mynetworks: their mail to others is put off",
        )  # fmt: skip
    elif unknown:
        yield Finding("mynetworks", State.WARN, f"what {', '.join(unknown)} holds cannot be told here",
                      "see that relay_networks holds as much")  # fmt: skip
    else:
        yield good("mynetworks", "Mailreeve trusts whom Postfix trusts")


def _sizes(beside: Beside, placement: Placement) -> Iterator[Finding]:
    theirs, ours = beside.postfix.number("message_size_limit"), beside.settings.max_message
    told = f"Postfix takes {theirs:,} octets, Mailreeve {ours:,}" if theirs else "Postfix takes any size"
    larger = theirs == 0 or theirs > ours
    if placement is Placement.FRONT:
        if 0 < theirs < ours:
            yield add_ours(
                "size", State.WARN, told, f"max_message = {theirs}",
                "or senders learn at the end that a message was too large",
            )  # fmt: skip
            return
    elif larger:
        yield add_main(
            "size", State.WARN, told, f"message_size_limit = {ours}",
            "or senders learn at the end that a message was too large",
        )  # fmt: skip
        return
    yield good("size", told)


def _recipients(beside: Beside) -> Iterator[Finding]:
    theirs, ours = beside.postfix.number("smtpd_recipient_limit"), beside.settings.max_recipients
    if theirs > ours:
        yield add_main(
            "recipients", State.WARN, f"Postfix takes {theirs} recipients of a message, Mailreeve {ours}",
            f"smtpd_recipient_limit = {ours}", "or raise max_recipients; those beyond are told to come again",
        )  # fmt: skip
    else:
        yield good("recipients", f"Postfix takes {theirs} recipients of a message, Mailreeve {ours}")
