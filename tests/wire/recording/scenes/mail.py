"""The mail door, line by line, and the messages as they are delivered."""

from __future__ import annotations

from recorder import Recorder

from scenes import office
from scenes.words import ANN, BOB, CAT, EVERYONE, block


def content(author: str, *fields: str, body: str = "Hello.\r\n.a dot\r\n") -> bytes:
    lines = [f"From: {author}", "Subject: hello", "Message-ID: <1@client.test>", *fields, "", body]
    return "\r\n".join(lines).encode()


def play(r: Recorder) -> None:
    office.furnish(r)
    _protocol(r)
    _refusals(r)
    _copies(r)
    _limits(r)


def _protocol(r: Recorder) -> None:
    r.dialogue(
        "out of order",
        "MAIL FROM:<x@far.test>",
        "EHLO",
        "EHLO client.test",
        f"RCPT TO:<{ANN}>",
        "DATA",
        "MAIL FROM:<none",
        "MAIL FROM:<not@an@address>",
        "MAIL FROM:<x@far.test> SIZE=99999999999",
        "MAIL FROM:<x@far.test> NONSENSE=1",
        "MAIL FROM:<x@far.test> BODY=8BITMIME SIZE=100",
        "MAIL FROM:<x@far.test>",
        "DATA",
        "RCPT TO:<none>",
        f"RCPT TO:<{ANN}> NOTIFY=NEVER",
        "RSET",
        "QUIT",
    )
    r.dialogue(
        "other commands",
        "HELO client.test",
        "NOOP",
        f"VRFY {ANN}",
        "VRFY",
        "EXPN all",
        "HELP",
        "AUTH PLAIN",
        "STARTTLS",
        "TURN",
        "NONSENSE",
        "",
        "RSET",
        "QUIT",
    )


def _refusals(r: Recorder) -> None:
    for sender, to in (
        ("x@bad.test", ANN),
        ("eve@far.test", ANN),
        ("a@news.test", ANN),
        ("spam@far.test", BOB),
        ("a@either.test", BOB),
        ("a@gmail.com", BOB),
        ("x@far.test", "ghost@known.test"),
        ("a@far.test", "b@far.test"),
        (ANN, "rival@far.test"),
        (BOB, "a@ways.test"),
    ):
        r.refused(f"{sender} to {to}", sender, to)
    for title, sender, to, author in (
        ("by the header", "x@far.test", BOB, "Eve <a@header.test>"),
        ("by the header, both", "x@far.test", BOB, "Eve <a@either.test>"),
        ("by the recipient's list in the header", "x@far.test", ANN, "Eve <eve@far.test>"),
        ("by the name", "x@far.test", BOB, '"The Boss" <x@far.test>'),
        ("by the author's being external", "x@far.test", CAT, "x@far.test"),
    ):
        r.message(f"refused {title}", sender, to, content=content(author))
    r.message("refused for one, delivered to another", "eve@far.test", ANN, BOB, content=content("eve@far.test"))
    r.message("refused at the data for one", "x@far.test", ANN, BOB, content=content("eve@far.test"))


def _copies(r: Recorder) -> None:
    plain = content("x@far.test", "To: ann@corp.test")
    r.message("ordinary", "x@far.test", ANN, content=plain)
    r.message("to two", "x@far.test", ANN, BOB, content=plain)
    r.message("permitted by the recipient", "pal@bad.test", ANN, content=content("pal@bad.test"))
    r.message("permitted for all", "a@permitted.test", BOB, content=content("a@permitted.test"))
    r.message("exempt", "good@bad.test", ANN, content=content("good@bad.test"))
    r.message("a bounce", "", ANN, content=content("MAILER-DAEMON@far.test"))
    r.message("to the postmaster", "x@far.test", "postmaster", content=plain)
    r.message("to an alias", "x@far.test", "annie@corp.test", content=plain)
    fields = (
        'To: "Sales, all" <sales@corp.test>,\r\n\tbob@old.test',
        "Cc: cc@corp.test",
        "Reply-To: help@corp.test",
        "X-Mailreeve-Spam-Checks: skip",
    )
    r.message(
        "altered by root and set",
        "x@far.test",
        "sales@corp.test",
        "bob@old.test",
        "info@corp.test",
        content=content("x@far.test", *fields),
    )
    r.message(
        "altered on its way out", ANN, "x@far.test", content=content('"Ann" <ann@corp.test>', "To: x@far.test")
    )
    r.message("no header", "x@far.test", ANN, content=b"\r\nOnly a body.\r\n")
    r.message("eight bits", "x@far.test", ANN, content=content("Zoë <x@far.test>", body="Grüße\r\n"))
    r.dialogue(
        "two messages",
        "EHLO client.test",
        "MAIL FROM:<x@far.test>",
        f"RCPT TO:<{ANN}>",
        "DATA",
        plain,
        "MAIL FROM:<y@far.test>",
        f"RCPT TO:<{BOB}>",
        "DATA",
        plain,
        "QUIT",
    )


def _limits(r: Recorder) -> None:
    many = ", ".join(f"a{n}@far.test" for n in range(101))
    r.message("too many authors", "x@far.test", ANN, content=content(many))
    r.message("a null octet", "x@far.test", ANN, content=content("x@far.test", "X-Null: \x00"))
    r.message("a long line", "x@far.test", ANN, content=content("x@far.test", body="x" * 70000 + "\r\n"))
    r.message("a loop", "x@far.test", ANN, content=content("x@far.test", *["Received: from x"] * 101))
    r.message(
        "a long header", "x@far.test", ANN, content=content("x@far.test", *[f"X-{n}: y" for n in range(2001)])
    )
    recipients = [f"RCPT TO:<u{n}@corp.test>" for n in range(101)]
    r.dialogue("too many recipients", "EHLO client.test", "MAIL FROM:<x@far.test>", *recipients, "QUIT")


def play_strangers(r: Recorder) -> None:
    """As seen from outside the relay networks."""
    office.furnish(r)
    r.refused("no relay", ANN, "x@far.test")
    r.refused("between strangers", "a@far.test", "b@far.test")
    for to in ("a%b@corp.test", "a!b@corp.test", '"a@b"@corp.test'):
        r.refused("a source route", "x@far.test", to)
    r.message("ordinary", "x@far.test", ANN, content=content("x@far.test"))
    r.message("altered", "x@far.test", "bob@old.test", content=content("x@far.test", "To: bob@old.test"))
    r.message("says that it is ours", ANN, BOB, content=content(ANN))


def play_connect(r: Recorder) -> None:
    """A network that is refused before it says anything: nothing in the account could exempt it."""
    r.call(
        "no more from here",
        "policy/blockedsenders/create-policy",
        {
            **block("This network", EVERYONE, EVERYONE, override=True, conditions={"sourceIPs": ["127.0.0.0/8"]}),
            "confirmReach": True,
        },
    )
    r.dialogue("refused at connect", greeted=False)
