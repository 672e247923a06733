"""Text in files is found; what a stranger attaches takes so much time and memory and no more."""

from __future__ import annotations

import base64
import time

import pytest

from mailreeve.families.archive.file_texts import MOST_FILES, MOST_STEPS, MOST_TEXT, file_texts
from mailreeve.formats.mime import read_parts

HEADER = b"Content-Type: multipart/mixed; boundary=b\r\n"


def message(*parts: tuple[str, bytes]) -> bytes:
    made = b"".join(b"\r\n--b\r\n" + header.encode() + b"\r\n\r\n" + content for header, content in parts)
    return b"\r\n" + made + b"\r\n--b--\r\n"


def said(*parts: tuple[str, bytes], clock=time.monotonic) -> str:
    body = message(*parts)
    return file_texts(read_parts(HEADER, body), body, clock)


def attached(type_: str, name: str = "a.txt") -> str:
    return f"Content-Type: {type_}\r\nContent-Disposition: attachment; filename={name}"


@pytest.mark.parametrize(
    ("header", "content", "text"),
    [
        (attached("text/plain; charset=utf-8"), "Grüße an alle".encode(), "Grüße an alle"),
        (attached("text/plain; charset=iso-8859-1"), "Grüße".encode("latin-1"), "Grüße"),
        (attached("text/csv"), b"name,amount\r\nann,12\r\n", "name,amount ann,12"),
        (attached("text/html"), b"<p>An <b>offer</b><script>hidden()</script></p>", "An offer"),
        (
            attached("text/plain") + "\r\nContent-Transfer-Encoding: base64",
            base64.b64encode(b"in base64"),
            "in base64",
        ),
        (attached("application/pdf", "a.pdf"), b"%PDF secret", ""),
        (attached("application/octet-stream", "a.txt"), b"secret", ""),
        ("Content-Type: text/plain", b"the text of the message itself", ""),
    ],
)
def test_which_files_are_read(header, content, text):
    assert said((header, content)) == text


def test_an_attached_message_is_read_with_its_subject_addresses_text_and_files():
    inner = (
        b"From: Liz <liz@out.test>\r\nTo: ann@corp.test\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
        + HEADER.replace(b"=b", b"=c")
        + message(("Content-Type: text/plain", b"the words"), (attached("text/csv", "sums.csv"), b"1,2")).replace(
            b"--b", b"--c"
        )
    )
    found = said((attached("message/rfc822", "mail.eml"), inner))
    for words in ("Liz <liz@out.test>", "ann@corp.test", "Grüße", "the words", "sums.csv", "1,2"):
        assert words in found


def test_messages_in_messages_are_followed_so_far():
    inner = b"Subject: innermost\r\n\r\nx\r\n"
    for depth in range(MOST_STEPS + 3, 0, -1):
        boundary = f"--n{depth}".encode()
        part = attached("message/rfc822").encode()
        inner = (
            f"Subject: level{depth}\r\nContent-Type: multipart/mixed; boundary=n{depth}\r\n".encode()
            + b"\r\n" + boundary + b"\r\n" + part + b"\r\n\r\n" + inner + b"\r\n" + boundary + b"--\r\n"
        )  # fmt: skip
    found = said((attached("message/rfc822"), inner))
    assert [f"level{n}" in found for n in range(1, MOST_STEPS + 3)] == [True] * MOST_STEPS + [False, False]
    assert "innermost" not in found


def test_so_much_of_so_many_files_is_read():
    assert len(said((attached("text/plain"), b"x" * 10_000_000))) == MOST_TEXT
    many = [(attached("text/plain"), f"n{number}".encode()) for number in range(MOST_FILES + 5)]
    assert said(*many).split() == [f"n{number}" for number in range(MOST_FILES)]
    together = said((attached("text/plain"), b"x" * (MOST_TEXT - 4)), (attached("text/plain"), b"y" * 100))
    assert together.count("y") == 4


def test_after_so_long_no_further_file_is_begun():
    ticks = iter((0.0, 0.5, 1.5, 2.0))
    found = said(
        *[(attached("text/plain"), text) for text in (b"one", b"two", b"three")], clock=lambda: next(ticks)
    )
    assert found == "one"


@pytest.mark.parametrize(
    "content",
    [
        b"<" * 3_000_000,
        b"\r\n--b" * 200_000,
        b"Subject: " + b"=?utf-8?q?x?= " * 100_000,
        b"\0" * 1_000_000,
        b"",
    ],
)
@pytest.mark.parametrize("type_", ["text/html", "message/rfc822", "text/plain; charset=utf-7"])
def test_hostile_files_take_little_time(content, type_):
    began = time.process_time()
    said(*[(attached(type_), content)] * 3)
    assert time.process_time() - began < 2


def test_it_is_found_in_the_archive(account):
    account.call("domain/create-domain", {"domain": "corp.test"})
    account.call("user/create-user", {"emailAddress": "ann@corp.test"})
    text = message((attached("text/csv", "sums.csv"), b"zebra,12")).decode()
    id_ = account.archive("Files", "ann@corp.test", header=HEADER.decode(), text=text)
    account.read_archive()
    for words in ("zebra", "attachment:zebra", "attachment:sums.csv"):
        assert [one["id"] for one in account.call("ext/find-archived-messages", {"text": words})] == [id_]
    assert account.call("ext/find-archived-messages", {"text": "body:zebra"}) == []
