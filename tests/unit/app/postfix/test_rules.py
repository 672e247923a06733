"""What is said of a Postfix beside Mailreeve: values in, findings out, nothing started and nothing read.

Each place of the guide is well as it stands there; each harm to it is found, with the line that mends it.
"""

from __future__ import annotations

import re

import msgspec
import pytest

from mailreeve.app.doctor.checks import State
from mailreeve.app.doctor.postfix.configuration import DEFAULTS, Postfix, milters, read_main, read_services
from mailreeve.app.doctor.postfix.look import findings_of
from mailreeve.app.doctor.postfix.milter_rules import our_places
from mailreeve.app.doctor.postfix.placement import Beside, Placement
from mailreeve.app.settings import Settings

SOCKET = "/var/spool/postfix/mailreeve/milter.sock"
SMTP = "smtp inet n - y - - smtpd\n"
POSTSCREEN = "smtp inet n - y - 1 postscreen\n"
REST = "cleanup unix n - y - 0 cleanup\nrelay unix - - n - - smtp\nsmtp unix - - n - - smtp\n"
SECOND = (
    "127.0.0.1:10026 inet n - n - - smtpd -o smtpd_milters= -o content_filter="
    " -o smtpd_authorized_xforward_hosts=127.0.0.0/8\n"
)
TRANSPORT = (
    "mailreeve unix - - n - 10 smtp -o smtp_send_xforward_command=yes -o smtp_destination_recipient_limit=100\n"
)
PLAIN = (
    "myhostname = mx.corp.test\nmessage_size_limit = 10240000\n"
    "smtpd_recipient_limit = 100\nmessage_reject_characters = \\0\n"
)
XCLIENT = {"xclient_hosts": ("127.0.0.1/32",), "next_hop": "127.0.0.1:10026", "next_hop_xforward": True}
DOOR = {"smtp": "127.0.0.1:10025"}

# Each place as it has to be: main.cf, master.cf, our settings.
WELL: dict[Placement, tuple[str, str, dict[str, object]]] = {
    Placement.MILTER: (
        PLAIN + "smtpd_milters = unix:mailreeve/milter.sock\nnon_smtpd_milters = unix:mailreeve/milter.sock\n",
        SMTP + SECOND + REST,
        {"milter": f"unix:{SOCKET}", "next_hop": "127.0.0.1:10026"},
    ),
    Placement.BEFORE: (
        PLAIN,
        "smtp inet n - n - 20 smtpd -o smtpd_proxy_filter=127.0.0.1:10025"
        " -o smtpd_discard_ehlo_keywords=dsn,etrn,chunking\n" + SECOND + REST,
        DOOR | XCLIENT,
    ),
    Placement.BEHIND: (
        PLAIN + "content_filter = mailreeve:[127.0.0.1]:10025\n",
        SMTP + SECOND + TRANSPORT + REST,
        DOOR | XCLIENT,
    ),
    Placement.BETWEEN: (
        PLAIN + "relay_transport = mailreeve:[127.0.0.1]:10025\n",
        SMTP + TRANSPORT + REST,
        DOOR | {"xclient_hosts": ("127.0.0.1/32",), "next_hop": "10.0.0.5:25"},
    ),
    Placement.FRONT: (
        PLAIN,
        "127.0.0.1:10025 inet n - n - - smtpd -o smtpd_authorized_xforward_hosts=127.0.0.0/8"
        " -o smtpd_relay_restrictions=reject_unauth_destination\n" + REST,
        {"smtp": "0.0.0.0:25", "next_hop": "127.0.0.1:10025", "next_hop_xforward": True, "relay_networks": (),
         "max_message": 10_240_000},
    ),
}  # fmt: skip


def beside(place: Placement, main: str = "", master=str, **settings: object) -> Beside:
    """A place of the guide; `main` is added to its main.cf, `master` made of its master.cf."""
    its_main, its_master, its_settings = WELL[place]
    postfix = Postfix(
        "/etc/postfix", DEFAULTS | dict(read_main(its_main + main)), tuple(read_services(master(its_master)))
    )
    made = Beside(postfix, msgspec.convert(its_settings | settings, Settings), "reeve.corp.test")
    return msgspec.structs.replace(made, barred={where: "" for _, where in our_places(made)})


def without(*words: str):
    """A change of a text: these are gone."""

    def change(text: str) -> str:
        for word in words:
            assert word in text
            text = text.replace(word, "")
        return text

    return change


def instead(old: str, new: str):
    """A change of a text."""

    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return change


@pytest.mark.parametrize("place", WELL, ids=lambda place: place.name)
def test_each_place_of_the_guide_is_found_and_well(place):
    made = beside(place) if place is not Placement.FRONT else beside(place, "mynetworks =")
    found, placed = findings_of(made)
    assert placed is place
    assert [each for each in found if each.state is not State.OK] == []
    assert len(found) > 3


M, P, F, R, V = Placement.MILTER, Placement.BEFORE, Placement.BEHIND, Placement.BETWEEN, Placement.FRONT

# The place, what is harmed, and what is to be found: name, state, a part of what is said, the line.
HARMED = [
    (M, {"main": "smtpd_milters ="}, "asked", "fail", "Postfix asks Mailreeve of no message",
     "smtpd_milters = unix:mailreeve/milter.sock"),
    (M, {"main": "smtpd_milters = inet:127.0.0.1:11332"}, "asked", "fail", "of no message",
     "smtpd_milters = unix:mailreeve/milter.sock"),
    (M, {"master": instead(SMTP, SMTP.strip() + " -o smtpd_milters=\n")}, "asked", "fail",
     "smtp/inet does not ask", "-o smtpd_milters=unix:mailreeve/milter.sock"),
    (M, {"master": instead(SMTP, SMTP.strip() + " -o receive_override_options=no_milters\n")}, "asked", "fail",
     "smtp/inet asks no milter", ""),
    (M, {"main": f"smtpd_milters = unix:{SOCKET}"}, "asked", "fail", "smtp/inet runs in a chroot",
     "smtpd_milters = unix:mailreeve/milter.sock"),
    (M, {"main": "smtpd_milters = unix:/mailreeve/milter.sock\nnon_smtpd_milters = unix:/mailreeve/milter.sock",
         "master": instead("cleanup unix n - y", "cleanup unix n - n")}, "own mail", "fail",
     "one runs in a chroot", "non_smtpd_milters = unix:mailreeve/milter.sock"),
    (M, {"master": instead(SMTP, POSTSCREEN + "smtpd pass - - y - - smtpd -o smtpd_milters=\n")}, "asked", "fail",
     "smtpd/pass does not ask", "-o smtpd_milters=unix:mailreeve/milter.sock"),
    (M, {"main": "non_smtpd_milters ="}, "own mail", "fail", "what sendmail hands in passes",
     "non_smtpd_milters = $smtpd_milters"),
    (M, {"main": "milter_default_action = accept"}, "when down", "fail", "Postfix does: accept",
     "milter_default_action = tempfail"),
    (M, {"main": "smtpd_milters = { unix:mailreeve/milter.sock, default_action=accept }"}, "when down", "fail",
     "default_action=accept", ""),
    (M, {"main": "milter_default_action = reject"}, "when down", "fail", "reject",
     "milter_default_action = tempfail"),
    (M, {"main": "milter_default_action = quarantine"}, "when down", "warn", "quarantine",
     "milter_default_action = tempfail"),
    (M, {"main": "milter_protocol = 4"}, "protocol", "fail", "milter_protocol = 4", "milter_protocol = 6"),
    (M, {"next_hop": ""}, "way back", "fail", "no way back", 'next_hop = "127.0.0.1:10026"'),
    (M, {"master": without(SECOND), "next_hop": ""}, "way back", "fail", "no listener for them",
     "127.0.0.1:10026 inet n - n - - smtpd -o smtpd_milters= -o content_filter= -o mynetworks=127.0.0.0/8"),
    (M, {"master": without("-o smtpd_milters=")}, "way back", "fail", "asks Mailreeve again", "-o smtpd_milters="),
    (M, {"next_hop": "127.0.0.1:25"}, "way back", "fail", "smtp/inet asks Mailreeve again", "-o smtpd_milters="),
    (M, {"master": instead("127.0.0.1:10026", "10026")}, "way back", "fail", "others reach 10026/inet",
     "127.0.0.1:10026 inet n - n - - smtpd -o smtpd_milters= -o content_filter= -o mynetworks=127.0.0.0/8"),
    (M, {"milter": ""}, "milter", "fail", "no milter door", None),
    (M, {"main": "mynetworks = 127.0.0.0/8 10.0.0.0/8"}, "mynetworks", "warn", "Postfix trusts 10.0.0.0/8",
     'relay_networks = ["127.0.0.0/8", "::1/128", "10.0.0.0/8"]'),
    (M, {"main": "mynetworks = 0.0.0.0/0"}, "mynetworks", "fail", "everybody may send",
     "mynetworks = 127.0.0.0/8 [::1]/128"),
    (M, {"main": "mynetworks = cidr:/etc/postfix/nets"}, "mynetworks", "warn", "cannot be told", ""),
    (M, {"main": "message_size_limit = 99999999"}, "size", "warn", "Postfix takes 99,999,999",
     "message_size_limit = 52428800"),
    (M, {"main": "message_size_limit = 0"}, "size", "warn", "any size", "message_size_limit = 52428800"),
    (M, {"main": "smtpd_recipient_limit = 1000"}, "recipients", "warn", "1000 recipients",
     "smtpd_recipient_limit = 100"),
    (M, {"main": "smtputf8_enable = no"}, "SMTPUTF8", "warn", "no international", "smtputf8_enable = yes"),
    (M, {"main": "content_filter = mailreeve:[127.0.0.1]:2525"}, "place", "warn", "asked in 2 places", ""),
    (M, {"main": "message_reject_characters ="}, "null octets", "warn", "behind a null octet",
     "message_reject_characters = \\0"),
    (M, {"main": "smtpd_forbid_bare_newline = no"}, "smuggling", "warn", "smuggled in",
     "smtpd_forbid_bare_newline = normalize"),
    (P, {"xclient_hosts": ()}, "spoken for", "fail", "a stranger's mail", 'xclient_hosts = ["127.0.0.1/32"]'),
    (P, {"master": instead("dsn,etrn,chunking", "dsn")}, "EHLO", "fail", "announces etrn, chunking",
     "-o smtpd_discard_ehlo_keywords=dsn,etrn,chunking"),
    (P, {"main": "smtpd_proxy_options = speed_adjust"}, "options", "warn", "speed_adjust",
     "-o smtpd_proxy_options="),
    (P, {"next_hop": ""}, "way back", "fail", "does not come back", 'next_hop = "127.0.0.1:10026"'),
    (P, {"master": without(SECOND)}, "way back", "fail", "no listener of Postfix", None),
    (P, {"main": "smtpd_proxy_filter = 127.0.0.1:10025"}, "way back", "fail", "mail goes round",
     "-o smtpd_proxy_filter="),
    (P, {"master": lambda text: text + "submission inet n - n - - smtpd\n"}, "asked", "warn", "submission/inet",
     "-o smtpd_proxy_filter=127.0.0.1:10025"),
    (P, {"master": without("-o smtpd_authorized_xforward_hosts=127.0.0.0/8")}, "log", "warn", "does not let",
     "-o smtpd_authorized_xforward_hosts=127.0.0.0/8"),
    (F, {"master": without("-o content_filter=")}, "way back", "fail", "mail goes round", "-o content_filter="),
    (F, {"master": without("-o smtp_send_xforward_command=yes")}, "client", "fail", "does not say whose mail",
     "-o smtp_send_xforward_command=yes"),
    (F, {"master": without(TRANSPORT)}, "transport", "fail", "no transport mailreeve", None),
    (F, {"max_recipients": 20}, "recipients", "warn", "mailreeve/unix brings more",
     "-o smtp_destination_recipient_limit=20"),
    (F, {"hostname": "mx.corp.test"}, "name", "fail", "both call themselves",
     'hostname = "another.name.of.yours"'),
    (R, {"next_hop": "127.0.0.1:25"}, "way back", "fail", "relayed to Mailreeve again", ""),
    (R, {"next_hop": ""}, "next hop", "fail", "nothing is behind Mailreeve", 'next_hop = "HOST:25"'),
    (V, {"master": lambda text: text + SMTP}, "asked", "fail", "past Mailreeve", None),
    (V, {"master": lambda text: text + POSTSCREEN}, "asked", "fail", "past Mailreeve", None),
    (V, {"relay_networks": ("10.0.0.0/8",), "master": instead("reject_unauth_destination", "permit_mynetworks")},
     "relay", "warn", "may send to anybody", "relay_networks = []"),
    (V, {"max_message": 20_000_000}, "size", "warn", "Postfix takes 10,240,000", "max_message = 10240000"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("place", "harm", "name", "state", "said", "line"),
    HARMED,
    ids=[f"{case[0].name}-{case[2]}-{number}" for number, case in enumerate(HARMED)],
)
def test_what_is_missing_or_dangerous_is_found_with_the_line_to_write(place, harm, name, state, said, line):
    made = beside(place, **{key: value for key, value in harm.items() if key != "hostname"})
    if "hostname" in harm:
        made = msgspec.structs.replace(made, hostname=harm["hostname"])
    found, placed = findings_of(made)
    assert placed is place
    [match] = [each for each in found if each.name == name and said in each.found]
    assert match.state == state
    if line is None:
        assert match.line
    else:
        assert match.line == line
    assert bool(match.line) == bool(match.file) or not line


MENDED_ALONE = [
    case
    for case in HARMED
    if case[5] and "hostname" not in case[1] and case[3:5] != ("fail", "nothing is behind Mailreeve")
]


@pytest.mark.parametrize("case", MENDED_ALONE, ids=lambda case: f"{case[0].name}-{case[2]}")
def test_the_line_mends_it(case):
    """Written where it says, the same is not found again. A line of ours is one of mailreeve.toml."""
    place, harm, name, _, said, _ = case
    made = beside(place, **harm)
    [match] = [each for each in findings_of(made)[0] if each.name == name and said in each.found]
    mended = dict(harm)
    if match.file == "main.cf":
        line = match.line.replace("$smtpd_milters", "unix:mailreeve/milter.sock")
        mended["main"] = harm.get("main", "") + "\n" + line
    elif match.file == "mailreeve.toml":
        key, value = match.line.split(" = ", 1)
        mended[key] = tuple(re.findall(r'"(.*?)"', value)) if value[0] == "[" else value.strip('"')
        if key == "max_message":
            mended[key] = int(value)
    elif match.file.startswith("master.cf, below "):
        service = match.file.removeprefix("master.cf, below ").partition("/")[0]
        change = harm.get("master", str)

        def written(text: str) -> str:
            return re.sub(rf"(?m)^({re.escape(service)}\s+\w+\s.*)$", rf"\1 {match.line}", change(text))

        mended["master"] = written
    else:
        old = match.line.split()[0].rpartition(":")[2]
        change = harm.get("master", str)
        mended["master"] = lambda text: re.sub(rf"(?m)^{old} .*\n", "", change(text)) + match.line + "\n"
    after = findings_of(beside(place, **mended))[0]
    assert not [
        each for each in after if each.name == name and each.found == match.found and each.state == match.state
    ]


def test_a_socket_that_postfix_cannot_reach_fails():
    made = msgspec.structs.replace(beside(M), barred={SOCKET: "user postfix may not write to it"})
    found, _ = findings_of(made)
    [match] = [each for each in found if each.name == "socket"]
    assert (match.state, match.line) == (State.FAIL, 'milter_group = "postfix"')
    assert match.found == f"Postfix cannot reach {SOCKET}: user postfix may not write to it"


def test_the_socket_that_is_tried_is_the_one_outside_the_chroot():
    assert set(our_places(beside(M))) == {("unix:mailreeve/milter.sock", SOCKET)}
    by_port = beside(M, "smtpd_milters = inet:127.0.0.1:9801", milter="127.0.0.1:9801")
    assert set(our_places(by_port)) == {("inet:127.0.0.1:9801", "127.0.0.1:9801")}


def test_two_that_do_not_know_each_other():
    made = Beside(
        Postfix("/etc/postfix", DEFAULTS, tuple(read_services(SMTP + REST))), Settings(), "reeve.corp.test"
    )
    found, placed = findings_of(made)
    assert placed is Placement.NONE
    assert [each.state for each in found] == [State.FAIL]


def test_other_milters_and_their_own_settings_are_read():
    listed = milters(
        "inet:localhost:11332, { unix:/run/x.sock, default_action=accept, connect_timeout=5s } unix:y"
    )
    assert [each.address for each in listed] == ["inet:localhost:11332", "unix:/run/x.sock", "unix:y"]
    assert listed[1].options == {"default_action": "accept", "connect_timeout": "5s"}


def test_master_cf_is_read_as_postfix_writes_it():
    text = (
        "# a comment\nsmtp inet n - y - 20 smtpd\n  -o smtpd_proxy_filter=127.0.0.1:10025\n"
        "  # one within\n  -o { smtpd_relay_restrictions = permit_mynetworks, reject }\n\n"
        "[::1]:10026 inet n - - - - smtpd -o a=b\npickup unix n - n 60 1 pickup\n"
    )
    first, second, third = read_services(text)
    assert (str(first), first.chroot, first.port, first.host) == ("smtp/inet", True, 25, "")
    assert first.options == {
        "smtpd_proxy_filter": "127.0.0.1:10025",
        "smtpd_relay_restrictions": "permit_mynetworks, reject",
    }
    assert (second.host, second.port, second.chroot, second.options) == ("::1", 10026, False, {"a": "b"})
    assert third.program == "pickup"
