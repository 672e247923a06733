"""A name that is blocked is blocked however a message writes it: raw octets, charsets, look-alikes, comments."""

from __future__ import annotations

import base64

import pytest

from mailreeve.client import Target

NAMES = ["Jane Boss", "José Núñez", "Sean O’Brien", "朱镕基", "髙橋一郎", "똠방", "boss@corp.test"]


def word(label: str, name: str, codec: str) -> bytes:
    return f"=?{label}?B?{base64.b64encode(name.encode(codec)).decode()}?= <q@esp.test>".encode()


@pytest.fixture
def answer(gate):
    """The code that a message with this From field gets, where all of `NAMES` are blocked."""
    for name in NAMES:
        gate.block(Target.display_name(name))

    def send(field: bytes) -> int:
        gate.smtp.mail("q@esp.test")
        gate.smtp.rcpt(gate.recipient())
        code, _ = gate.smtp.data(b"From: " + field + b"\r\nSubject: t\r\n\r\nHello.\r\n")
        for copy in (gate.live.maildir / "new").iterdir():
            copy.unlink()
        return code

    return send


BLOCKED = [
    b"q@esp.test (Jane Boss)",
    b"Q <q@esp.test> (Jane (my) Boss)",
    b"Jane Boss: q@esp.test;",
    b"<q@esp.test> Jane Boss",
    b'"Jane Boss <boss@x.test>" <q@esp.test>',
    b'"boss@corp.test" <q@esp.test>',
    b"=?utf-8?q?=22Jane_Boss=22?= <q@esp.test>",
    b"=?utf-8?q?Jane?==?us-ascii?q?_Boss?= <q@esp.test>",
    b"=?utf-8?q?Jan?=\r\n =?utf-8?q?e_Boss?= <q@esp.test>",
    "J\u0430n\u0435 \u0412\u043e\u0455\u0455 <q@esp.test>".encode(),
    "Jane\u2060 B\u00adoss\u202c <q@esp.test>".encode(),
    "\uff2a\uff41\uff4e\uff45 Boss <q@esp.test>".encode(),
    "José Núñez <q@esp.test>".encode("latin-1"),
    "Jose\u0301 Nu\u0301n\u0303ez <q@esp.test>".encode(),
    b"Sean O\x92Brien <q@esp.test>",
    b"=?iso-8859-1?q?Sean_O=92Brien?= <q@esp.test>",
    word("gb2312", "朱镕基", "gbk"),
    word("shift_jis", "髙橋一郎", "cp932"),
    b"=?iso-2022-jp?B?" + base64.b64encode(b"\x1b$B|b660lO:\x1b(B") + b"?= <q@esp.test>",
    b"=?euc-jp?B?" + base64.b64encode(b"\xfc\xe2\xb6\xb6\xb0\xec\xcf\xba") + b"?= <q@esp.test>",
    word("ks_c_5601-1987", "똠방", "cp949"),
    word("euc-kr*ko", "똠방", "cp949"),
    b"=?utf-8?q?=3D=3Futf-8=3Fq=3FJane=5FBoss=3F=3D?= <q@esp.test>",
    "q@esp.test (\u202essoB enaJ\u202c)".encode(),
    b"Other <o@esp.test>\r\nFrom: Jane Boss <q@esp.test>",
]


def test_a_blocked_name_is_refused_however_it_is_written(answer):
    assert [field for field in BLOCKED if answer(field) != 550] == []


@pytest.mark.parametrize(
    "field",
    [b"Jean Boss <q@esp.test>", b"Jane <q@esp.test> (Boss of it)", b"q@esp.test", b"Jose Nunez <q@esp.test>"],
)
def test_another_name_is_delivered(answer, field):
    assert answer(field) == 250
