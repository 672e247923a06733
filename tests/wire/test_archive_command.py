"""`mailreeve archive`, as people use it: on the folder of a server that runs, and with `--url` on the server."""

from __future__ import annotations

import json
import mailbox
import smtplib
import time
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from mailreeve.cli.main import main

PATIENCE = 30.0
TEXT = (
    "From: Liz <liz@out.test>\r\nSubject: {}\r\nMessage-ID: <{}@out.test>\r\n\r\nFrom here on it says kumquat.\r\n"
)


@pytest.fixture(scope="module")
def live(new_folder, live_server_class, tmp_path_factory) -> Iterator:
    parent = tmp_path_factory.mktemp("archive-command")
    data, credentials = new_folder(parent)
    environment = {"MAILREEVE_RATE_LIMIT": "100000000", "MAILREEVE_ARCHIVE": "on"}
    server = live_server_class(data, credentials, parent / "maildir", environment=environment)
    server.start()
    try:
        with smtplib.SMTP(*server.smtp, local_hostname="client.test", timeout=60) as smtp:
            for name in ("one", "two"):
                smtp.sendmail("liz@out.test", ["ann@corp.test"], TEXT.format(name, name))
        yield server
    finally:
        server.stop()


def run(live, *arguments: str, code: int = 0) -> str:
    """What the command says, in this process: on the folder that the server serves."""
    done = CliRunner().invoke(main, ["archive", *arguments], env={"MAILREEVE_DATA": str(live.data)})
    assert done.exit_code == code, done.stderr
    return done.stdout if code == 0 else done.stderr


@pytest.fixture(scope="module")
def messages(live) -> list[dict]:
    """The two messages, the newest first, once they have been read."""
    until = time.monotonic() + PATIENCE
    while len(found := json.loads(run(live, "find", "kumquat", "--json"))["messages"]) < 2:
        assert time.monotonic() < until, "the messages were not found"
    return found


def test_messages_are_found_and_shown(live, messages) -> None:
    """By words, sender and mailbox, on the folder and over the API."""
    assert [one["subject"] for one in messages] == ["two", "one"]
    assert messages[0]["id"] in run(live, "find", "subject:two", "--mailbox", "ann@corp.test")
    assert run(live, "find", "kumquat", "--from", "other.test") == ""
    said = run(live, "show", messages[0]["id"])
    assert "Liz <liz@out.test>" in said
    assert "From here on it says kumquat." in said
    assert "mailbox" in run(live, "find", "--mailbox", "nonsense", code=2)


def test_messages_are_exported(live, messages, tmp_path) -> None:
    """One as it was delivered, all as an mbox that the standard library reads; nothing is written over."""
    one, many = tmp_path / "one.eml", tmp_path / "all.mbox"
    run(live, "export", "--id", messages[0]["id"], "--out", str(one))
    assert one.read_bytes().endswith(TEXT.format("two", "two").encode())
    assert one.stat().st_mode & 0o777 == 0o600
    run(live, "export", "kumquat", "--out", str(many))
    found = mailbox.mbox(many)
    try:
        assert [message["subject"] for message in found] == ["one", "two"]
        assert found[0].get_payload() == ">From here on it says kumquat.\n"
    finally:
        found.close()
    assert "is there already" in run(live, "export", "kumquat", "--out", str(many), code=2)
    run(live, "export", "nothing", "--out", str(tmp_path / "none"), code=1)
    assert not (tmp_path / "none").exists()


def test_holds_and_retention(live, messages) -> None:
    """Said and taken back."""
    assert run(live, "hold", messages[0]["id"]) == "1 message under legal hold\n"
    assert json.loads(run(live, "show", messages[0]["id"], "--json"))["legalHold"] is True
    assert run(live, "hold", messages[0]["id"], "--release") == "1 message no longer under legal hold\n"
    assert json.loads(run(live, "show", messages[0]["id"], "--json"))["legalHold"] is False
    assert "each kept for 365 days, as the installation says" in run(live, "retention")
    assert "each kept for good\n" in run(live, "retention", "--days", "0")
    assert "as the installation says" in run(live, "retention", "--default")


def test_verify_finds_what_is_damaged(live, messages) -> None:
    """While the server runs: all is there; then a body is not what it was."""
    assert run(live, "verify") == "2 messages, 1 body\n"
    (body,) = [file for file in (live.data / "bodies").rglob("*") if file.is_file()]
    kept = body.read_bytes()
    body.write_bytes(kept[:-3])
    said = run(live, "verify", code=1)
    assert said.count("is damaged") + said.count("missing or damaged") == 2
    body.unlink()
    assert "is missing" in run(live, "verify", code=1)
    body.write_bytes(kept)
    assert run(live, "verify") == "2 messages, 1 body\n"
