"""Messages as attackers and broken programs write them: contents, who is their author, and what they may come to.

A content has the octets that stand between DATA and the final dot, before dots are doubled.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

BAD: Final = "eve@bad.test"  # whose domain is blocked by header
HEAD: Final = b"From: Ann <ann@out.test>\r\nSubject: hello\r\nMessage-ID: <1@out.test>\r\n"
MIXED: Final = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
MAIL: Final = b"MAIL FROM:<eve@bad.test>\r\nRCPT TO:<u@corp.test>\r\nDATA\r\nFrom: eve@bad.test\r\n\r\nsecond\r\n"


@dataclass(frozen=True)
class Hostile:
    """A message. `by_bad` says whether a block of bad.test by header meets it; `refused` is how the refusal begins
    that comes otherwise, empty where it is delivered."""

    name: str
    content: bytes
    by_bad: bool = False
    refused: str = ""

    def __str__(self) -> str:
        return self.name

    @property
    def body(self) -> bytes:
        """What has to arrive as it is: what follows the first empty line."""
        return self.content.partition(b"\r\n\r\n")[2]

    @property
    def delivered_body(self) -> bytes:
        """The body with line ends as mail has them: nobody behind sees the end of a message in one that is not."""
        return re.sub(rb"\r*\n|\r", b"\r\n", self.body)

    @property
    def is_plain(self) -> bool:
        """Whether lines end in CR LF and nowhere else, and no octet is null: a server shows a filter no others."""
        ends = {self.content.count(end) for end in (b"\r", b"\n", b"\r\n")}
        return len(ends) == 1 and b"\0" not in self.content

    @property
    def stuffed(self) -> bytes:
        """The content as it goes over the wire, with the dot that ends it."""
        return re.sub(rb"(?<=\r\n)\.|\A\.", b"..", self.content) + b".\r\n"


def text(fields: bytes, body: bytes = b"Hi.\r\n") -> bytes:
    return fields + b"\r\n" + body


def by(author: str | bytes, more: bytes = b"") -> bytes:
    """A message with this From field."""
    value = author.encode() if isinstance(author, str) else author
    return text(b"From: " + value + b"\r\n" + more + b"Subject: hello\r\n")


def nested(depth: int) -> bytes:
    """Parts within parts."""
    opened = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(depth)
    )
    closed = b"".join(b"--b%d--\r\n" % n for n in reversed(range(depth)))
    return HEAD + b"MIME-Version: 1.0\r\n" + opened + b"Content-Type: text/plain\r\n\r\nx\r\n" + closed


def forwarded(depth: int) -> bytes:
    """Messages within messages."""
    one = b"From: a@b.test\r\nMIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n"
    return HEAD + b"MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n" + one * depth + b"x: y\r\n\r\nx\r\n"


AUTHORS: Final = (
    ("an address alone", BAD, True),
    ("a name", f"Eve <{BAD}>", True),
    ("capitals", "EVE@BAD.TEST", True),
    ("a comment before", f"(ann@out.test) {BAD}", True),
    ("a comment within", "eve@(x)bad.test", True),
    ("a quoted local part", '"eve"@bad.test', True),
    ("a quoted name with an address", f'"ann@out.test" <{BAD}>', True),
    ("a bad name and a good address", f'"{BAD}" <ann@out.test>', False),
    ("folded", f"Eve\r\n <{BAD}>", True),
    ("folded with nothing", f"Eve\r\n\t\r\n <{BAD}>", True),
    ("several authors", f"ann@out.test, {BAD}", True),
    ("a group", f"team: ann@out.test, {BAD};", True),
    ("an empty group", "team:;", False),
    ("a route", f"<@out.test,@x.test:{BAD}>", True),
    ("an encoded name", "=?utf-8?q?eve=40bad=2Etest?= <ann@out.test>", False),
    ("an encoded name, bad address", f"=?utf-8?b?QW5u?= <{BAD}>", True),
    ("two addresses in brackets", f"<ann@out.test> <{BAD}>", True),
    ("no closing bracket", f"Eve <{BAD}", True),
    ("an IDN", "eve@b\u00e4d.test", False),
    ("empty", "", False),
    ("empty brackets", "<>", False),
    ("no at sign", "eve", False),
    ("a dot at the end", f"{BAD}.", True),
    ("another kind of dot", "eve@bad\u3002test", True),
    ("an open comment", f"{BAD} (and so on", True),
    ("a percent sign", "eve%bad.test@out.test", False),
    ("two groups", f"one: ann@out.test;, two: {BAD};", True),
    ("a group in a group", f"one: two: {BAD};;", True),
    ("an encoded null", f"=?utf-8?q?=00?= <{BAD}>", True),
    ("an encoded line end", f"=?utf-8?q?=0D=0AFrom:_ann=40out=2Etest?= <{BAD}>", True),
    ("controls in a name", f'"\x07\x1b[2J" <{BAD}>', True),
    ("a long local part", "e" * 5_000 + "@bad.test", True),
    ("a long name", "Eve " * 5_000 + f"<{BAD}>", True),
)

CORPUS: Final = (
    *(Hostile(f"From: {name}", by(author), bad) for name, author, bad in AUTHORS),
    Hostile("no From", text(b"Subject: hello\r\n")),
    Hostile("no header", b"\r\nHi.\r\n"),
    Hostile("two From fields, the second bad", by("ann@out.test", b"From: eve@bad.test\r\n"), by_bad=True),
    Hostile("two From fields, the first bad", by(BAD, b"From: ann@out.test\r\n"), by_bad=True),
    Hostile("a blank before the colon", text(b"From : eve@bad.test\r\nSubject: x\r\n"), by_bad=True),
    Hostile("small letters", text(b"fRoM: eve@bad.test\r\nSubject: x\r\n"), by_bad=True),
    Hostile("bad addresses elsewhere", text(HEAD + b"Sender: eve@bad.test\r\nResent-From: eve@bad.test\r\n")),
    Hostile("a line of blanks in the header", text(b"Subject: x\r\n \t \r\nFrom: eve@bad.test\r\n"), by_bad=True),
    Hostile("a mark before the header", text(b"\xef\xbb\xbfFrom: eve@bad.test\r\nSubject: x\r\n"), by_bad=True),
    Hostile("a null in From", text(b"From: eve\0@bad.test\r\n"), refused="554 5.6.0"),
    Hostile("overlong UTF-8 in From", by(b"eve\xc0\x80 <eve@bad.test>"), by_bad=True),
    Hostile("a name of 5,000", text(HEAD + b"X" * 5_000 + b": y\r\n")),
    Hostile("a field without a name", text(HEAD + b": y\r\n")),
    Hostile("latin-1 in the header", text(HEAD + b"X: gr\xfc\xdfe\r\n")),
    Hostile("latin-1 in a name", by(b"J\xf6 <eve@bad.test>"), by_bad=True),
    Hostile("UTF-8 in the header", text(HEAD + "X: Grüße\r\n".encode())),
    Hostile("octets of no charset", text(HEAD + b"X: \x80\x81\xfe\xff\r\n", bytes(range(128, 256)) + b"\r\n")),
    Hostile("null in the header", text(HEAD + b"X: a\0b\r\n"), refused="554 5.6.0"),
    Hostile("null in the body", text(HEAD, b"a\0b\r\n")),
    Hostile("bare CR in the body", text(HEAD, b"a\rb\r\r\nc\r\n")),
    Hostile("bare LF in the body", text(HEAD, b"a\nb\n\nc\r\n")),
    Hostile("bare LF in the header", text(b"Subject: x\nFrom: eve@bad.test\r\n"), by_bad=True),
    Hostile("bare CR in the header", text(b"Subject: x\rFrom: eve@bad.test\r\nFrom: ann@out.test\r\n")),
    *(
        Hostile(f"smuggling by {end!r}", text(HEAD, b"first" + end + MAIL))
        for end in (b"\n.\n", b"\n.\r\n", b"\r.\r\n", b"\r\n.\n", b"\r\n.\r", b"\r\n\0.\r\n", b"\r\n.\0\r\n")
    ),
    Hostile("a line of 998", text(HEAD, b"x" * 998 + b"\r\n")),
    Hostile("a line of 5,000", text(HEAD, b"x" * 5_000 + b"\r\n")),
    Hostile("a line of 60,000", text(HEAD, b"x" * 60_000 + b"\r\n")),
    Hostile("a line of 100,000", text(HEAD, b"x" * 100_000 + b"\r\n"), refused="500 5.6.0"),
    Hostile("a field of 998", text(HEAD + b"X: " + b"y" * 995 + b"\r\n")),
    Hostile("a field of 50,000", text(HEAD + b"X: " + b"y" * 50_000 + b"\r\n")),
    Hostile("dots", text(HEAD, b".\r\n..\r\n...\r\n.x\r\n")),
    Hostile("1,000 nested parts", nested(1_000)),
    Hostile("1,000 nested messages", forwarded(1_000)),
    Hostile("10,000 parts", text(HEAD + MIXED, b"--b\r\n\r\nx\r\n" * 10_000 + b"--b--\r\n")),
    Hostile("10,000 parts without an end", text(HEAD + MIXED, b"--b\r\n" * 10_000)),
    Hostile(
        "1,000 fields of a part", text(HEAD + MIXED, b"--b\r\n" + b"X: y\r\n" * 1_000 + b"\r\nx\r\n--b--\r\n")
    ),
    Hostile("Base64 that is none", text(HEAD + b"Content-Transfer-Encoding: base64\r\n", b"=" * 5_000 + b"\r\n")),
    Hostile("no boundary", text(HEAD + b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed\r\n")),
    Hostile(
        "a boundary of nothing", text(HEAD + b'Content-Type: multipart/mixed; boundary=""\r\n', b"--\r\n--\r\n")
    ),
    Hostile("no empty line", HEAD),
    Hostile("no field", b"this is no header at all\r\nFrom: eve@bad.test\r\n\r\nHi.\r\n", by_bad=True),
    Hostile("10,000 authors", by(",\r\n ".join(f"a{n}@out.test" for n in range(10_000))), refused="554 5.6.0"),
    Hostile("deep comments", by("(" * 5_000 + ")" * 5_000 + f" <{BAD}>"), by_bad=True),
    Hostile("one encoded word of many", by("=?utf-8?q?" + "x" * 900 + "?= " * 40 + f"<{BAD}>"), by_bad=True),
)
