"""What a server in front may say of its clients, and what no value can do, whatever a stranger puts into it."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from mailreeve.formats.networks import parse_ip
from mailreeve.mail.client import Client
from mailreeve.mail.next_hop.xforward import MAX_COMMAND, xforward_commands
from mailreeve.mail.smtp.announced import MAX_VALUE, XCLIENT, XFORWARD, Speaker, read_attributes
from mailreeve.mail.trace import received_field
from mailreeve.policy.model.policy_types import SmtpReply

PROXY = parse_ip("127.0.0.1")


@pytest.fixture
def speaker() -> Speaker:
    return Speaker(PROXY, listed=True)


def test_unannounced_mail_of_a_listed_host_is_nobodys_own():
    """Whatever the relay networks say of its address; that of any other host is as its address says."""
    assert Speaker(PROXY, listed=True).client == Client(source_ip=PROXY, trusted=False)
    assert Speaker(PROXY, listed=False).client == Client(source_ip=PROXY, trusted=None)


def test_a_host_that_is_not_listed_is_not_heard():
    """Nor told what was wrong with its words."""
    speaker = Speaker(PROXY, listed=False)
    for said in (speaker.xclient, speaker.xforward):
        for argument in ("ADDR=192.0.2.7", "nonsense", ""):
            refusal = said(argument)
            assert refusal is not None
            assert str(refusal).startswith("550 5.7.0 ")
    assert not speaker.is_announced


def test_xclient_names_the_client(speaker: Speaker):
    """As Postfix' clients say it, in any case, in xtext."""
    argument = (
        "name=spike.test ADDR=192.0.2.7 PORT=40001 PROTO=esmtp HELO=a+3Db+2Ec DESTADDR=192.0.2.1 DESTPORT=25"
    )
    assert speaker.xclient(argument) is None
    assert speaker.client == Client(
        source_ip=parse_ip("192.0.2.7"), name="spike.test", port=40_001, helo="a=b.c", protocol="esmtp"
    )


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("IPV6:2001:db8::1", "2001:db8::1"),
        ("ipv6:2001:DB8:0::1", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("IPV6:::ffff:192.0.2.7", "192.0.2.7"),
        ("+3192.0.2.7", "192.0.2.7"),
    ],
)
def test_addresses(speaker: Speaker, value: str, address: str):
    assert speaker.xclient(f"ADDR={value}") is None
    assert speaker.client.source_ip == parse_ip(address)


@pytest.mark.parametrize("value", ["[UNAVAILABLE]", "[unavailable]", "[TempUnavail]", "", "+5BUNAVAILABLE+5D"])
def test_what_is_unavailable_is_not_known_and_not_trusted(speaker: Speaker, value: str):
    """No login of that name either."""
    assert speaker.xclient(f"ADDR={value} LOGIN={value} NAME={value} PORT={value}") is None
    assert speaker.client == Client(source_ip=None, trusted=False)


def test_a_login_makes_mail_ones_own(speaker: Speaker):
    assert speaker.xclient("ADDR=192.0.2.7 LOGIN=ann@corp.test") is None
    assert (speaker.client.login, speaker.client.trusted) == ("ann@corp.test", True)


def test_the_next_client_does_not_have_the_login_of_the_one_before(speaker: Speaker):
    """Where a connection is used again; nor its name. What is added without an address is about the same one."""
    speaker.xclient("ADDR=192.0.2.7 LOGIN=ann NAME=ann.test")
    speaker.xclient("HELO=laptop")
    assert (speaker.client.login, speaker.client.helo, speaker.client.name) == ("ann", "laptop", "ann.test")
    speaker.xclient("ADDR=192.0.2.8")
    assert speaker.client == Client(source_ip=parse_ip("192.0.2.8"))
    speaker.xclient("LOGIN=ann")
    speaker.xclient("LOGIN=[UNAVAILABLE]")
    assert speaker.client == Client(source_ip=parse_ip("192.0.2.8"))


def test_without_an_address_nobody_is_trusted(speaker: Speaker):
    """A name alone says nothing of where it comes from."""
    assert speaker.xclient("NAME=localhost HELO=localhost") is None
    assert (speaker.client.source_ip, speaker.client.trusted) == (PROXY, False)
    assert speaker.xclient("LOGIN=[UNAVAILABLE]") is None
    assert speaker.client.trusted is False


def test_xforward_is_for_one_message_and_adds_up(speaker: Speaker):
    """Postfix sends it in two commands. Afterwards the session's client counts again."""
    speaker.xclient("ADDR=192.0.2.7")
    assert speaker.xforward("NAME=spike.test ADDR=198.51.100.9 PORT=1") is None
    assert speaker.xforward("PROTO=ESMTP HELO=spike IDENT=4XyZ SOURCE=REMOTE") is None
    assert speaker.client == Client(
        source_ip=parse_ip("198.51.100.9"), name="spike.test", port=1, helo="spike", protocol="ESMTP",
        identity="4XyZ", is_local=False,
    )  # fmt: skip
    assert speaker.message_over()
    assert speaker.client == Client(source_ip=parse_ip("192.0.2.7"))
    assert not speaker.message_over()


@pytest.mark.parametrize(
    ("argument", "source", "trusted"),
    [
        ("ADDR=[UNAVAILABLE] SOURCE=LOCAL", PROXY, True),  # as Postfix says it of what `sendmail` hands in
        # As Postfix says it of whomever a proxy on its own machine brings.
        ("ADDR=198.51.100.9 SOURCE=LOCAL", parse_ip("198.51.100.9"), None),
        ("ADDR=[UNAVAILABLE] HELO=spike SOURCE=LOCAL", None, False),
        ("ADDR=[UNAVAILABLE] PORT=4 SOURCE=LOCAL", None, False),
        ("ADDR=uucp-gate SOURCE=LOCAL", None, False),
        ("ADDR=127.0.0.1 SOURCE=REMOTE", PROXY, None),
        ("ADDR=[UNAVAILABLE] SOURCE=REMOTE", None, False),
        ("ADDR=[UNAVAILABLE]", None, False),
        ("HELO=spike", None, False),
        ("ADDR=uucp-gate", None, False),
    ],
)
def test_xforward_says_whose_own_a_message_is(speaker: Speaker, argument: str, source, trusted):
    assert speaker.xforward(argument) is None
    assert (speaker.client.source_ip, speaker.client.trusted) == (source, trusted)


@pytest.mark.parametrize(
    "argument",
    [
        "",
        "ADDR",
        "ADDR 192.0.2.7",
        "=192.0.2.7",
        "ADDR=300.1.1.1",
        "ADDR=192.0.2.7/24",
        "ADDR=[192.0.2.7]",
        "ADDR=IPV6:fe80::1%eth0",
        "ADDR=IPV6:fe80::1%25+0D+0AX-Evil:1",
        "ADDR=\u0661\u0669\u0662.0.2.7",
        "ADDR=192.0.2.7 ADDR=192.0.2.8",
        "ADDR=192.0.2.7 addr=192.0.2.7",
        "ADDR=192.0.2.7 COLOUR=red",
        "ADDR=192.0.2.7 IDENT=x",  # of XFORWARD only
        "PORT=65536",
        "PORT=-1",
        "PORT=\u0661",
        "PROTO=HTTP",
        "HELO=a+b",
        "HELO=a+4",
        "NAME=" + "x" * 256,
        "DESTADDR=nowhere",
    ],
)
def test_a_bad_attribute_changes_nothing(speaker: Speaker, argument: str):
    """Nor do the good ones beside it."""
    speaker.xclient("ADDR=192.0.2.9 LOGIN=ann")
    before = speaker.client
    refusal = speaker.xclient(argument)
    assert refusal is not None
    assert re.fullmatch(r"501 5\.5\.4 [ -~]{1,150}", str(refusal))
    assert speaker.client is before


HOSTILE = st.text(st.sampled_from("+0AD=[]%:.\r\n\t \0LOCALUNVIE6f\u2028\udcff\u00e9(;)") | st.characters())


@given(
    st.lists(st.tuples(st.sampled_from(XCLIENT + XFORWARD), HOSTILE)).map(
        lambda pairs: " ".join(f"{name}={value}" for name, value in pairs)
    )
    | HOSTILE
)
@example("HELO=x+0D+0ABcc:+20eve NAME=a+0Ab LOGIN=+E2+80+A8")
@example("HELO=" + "+41" * 255)
def test_nothing_said_breaks_a_line(argument: str):
    """Neither in our Received field, nor in what the next hop is told, nor in a log; and all of it is short."""
    for names in (XCLIENT, XFORWARD):
        read = read_attributes(argument, names)
        if isinstance(read, SmtpReply):
            assert read.code == 501
            assert re.fullmatch("[ -~]+", str(read))
            continue
        speaker = Speaker(PROXY, listed=True)
        assert (speaker.xclient if names is XCLIENT else speaker.xforward)(argument) is None
        client = speaker.client
        for text in (client.name, client.helo, client.login, client.protocol, client.identity, client.source):
            assert len(text) <= MAX_VALUE
            assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", text)
        field = received_field(
            client=speaker.of_session,
            client_name=client.helo,
            hostname="mx.test",
            protocol="ESMTP",
            id_="x",
            at=0.0,
            behind=client if speaker.forwards else None,
        )
        assert re.fullmatch(rb"Received: from [ -~]+\r\n(\t[ -~]+\r\n){2,3}", field)
        for command in xforward_commands(client, " ".join(XFORWARD)):
            assert re.fullmatch(rb"XFORWARD( [A-Z]+=[!-~]+)+", command)
            assert len(command) + 2 <= MAX_COMMAND


@given(
    st.builds(
        Client,
        source_ip=st.none() | st.ip_addresses(),
        name=st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S")), max_size=60),
        helo=st.text(st.characters(categories=("L", "N", "P", "S")), max_size=30),
        identity=st.text(st.characters(codec="ascii", categories=("L", "N")), max_size=60),
        port=st.none() | st.integers(0, 65_535),
        protocol=st.sampled_from(["", "SMTP", "ESMTP"]),
        is_local=st.booleans(),
    )
)
def test_what_we_say_is_what_we_read(client: Client):
    """One Mailreeve behind another hears what the first one knows."""
    assume(not {"[UNAVAILABLE]", "[TEMPUNAVAIL]"} & {client.name.upper(), client.helo.upper()})
    speaker = Speaker(PROXY, listed=True)
    for command in xforward_commands(client, " ".join(XFORWARD)):
        assert speaker.xforward(command.decode().removeprefix("XFORWARD ")) is None
    heard = speaker.client
    if client.source_ip is not None:
        assert heard.source_ip == parse_ip(str(client.source_ip))
    assert (heard.name, heard.helo, heard.port, heard.identity) == (
        client.name,
        client.helo,
        client.port,
        client.identity,
    )
    assert (heard.is_local, heard.protocol) == (client.is_local, client.protocol)


def test_only_what_the_next_hop_takes_is_said():
    client = Client(source_ip=parse_ip("2001:db8::1"), helo="spike.test", trusted=True)
    assert xforward_commands(client, "NAME addr HELO") == [
        b"XFORWARD NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::1 HELO=spike.test"
    ]
    assert xforward_commands(client, "") == []
