"""The milter door as a program of others has it: `miltertest` of OpenDKIM, which speaks the protocol with code of
its own, and says what it was told."""

from __future__ import annotations

import subprocess

import pytest

pytestmark = pytest.mark.requires("miltertest")

BEGIN = """\
conn = mt.connect("unix:{path}", 40, 0.05)
assert(conn, "no connection")
assert(mt.conninfo(conn, "client.test", "192.0.2.7") == nil)
assert(mt.getreply(conn) == SMFIR_CONTINUE, "at connect")
mt.helo(conn, "client.test")
mt.macro(conn, SMFIC_MAIL, "{{mail_addr}}", "ann@out.test")
mt.mailfrom(conn, "<ann@out.test>", "SIZE=100")
assert(mt.getreply(conn) == SMFIR_CONTINUE, "at MAIL")
"""
MESSAGE = """\
mt.macro(conn, SMFIC_RCPT, "i", "8ABC")
mt.rcptto(conn, "<{recipient}>")
assert(mt.getreply(conn) == SMFIR_CONTINUE, "at RCPT")
mt.header(conn, "From", "Eve <eve@bad.test>")
mt.header(conn, "To", "{recipient}")
mt.header(conn, "X-Mailreeve-Spam-Checks", "skip")
mt.eoh(conn)
mt.bodystring(conn, "Hi.\\r\\n")
mt.eom(conn)
"""


@pytest.fixture
def say(open_milter, tmp_path):
    """`say(script, …)`: the script, run against the door."""
    path = open_milter()

    def run(*parts: str, **names: str) -> None:
        script = tmp_path / "script.lua"
        script.write_text("".join(parts).format(path=path, **names) + "mt.disconnect(conn)\n")
        done = subprocess.run(
            ["miltertest", "-vv", "-s", str(script)], capture_output=True, text=True, timeout=30, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return run


def test_message_is_accepted_and_its_header_changed(say, office, records):
    office.alter_domain("old.test", "corp.test")
    say(
        BEGIN,
        MESSAGE,
        """\
assert(mt.getreply(conn) == SMFIR_ACCEPT, "at the end")
assert(mt.eom_check(conn, MT_HDRINSERT, "X-Mailreeve-Spam-Checks"), "no mark")
assert(mt.eom_check(conn, MT_HDRINSERT, "X-Mailreeve-Decision"), "no id")
assert(mt.eom_check(conn, MT_HDRDELETE, "X-Mailreeve-Spam-Checks"), "the forged mark stays")
assert(mt.eom_check(conn, MT_HDRCHANGE, "To"), "To is not altered")
assert(mt.eom_check(conn, MT_RCPTDELETE, "<u@old.test>"), "the old recipient stays")
assert(mt.eom_check(conn, MT_RCPTADD, "<u@corp.test>"), "no new recipient")
assert(not mt.eom_check(conn, MT_BODYCHANGE), "the body is changed")
""",
        recipient="u@old.test",
    )
    [outcome] = records.wait_for(1)
    assert (outcome.source_ip, outcome.client_name, outcome.queue_id) == ("192.0.2.7", "client.test", "8ABC")


def test_header_block_is_a_reply_at_the_end(say, office):
    office.block("bad.test", part="header_from")
    say(
        BEGIN,
        MESSAGE,
        """\
assert(mt.getreply(conn) == SMFIR_REPLYCODE, "at the end")
assert(not mt.eom_check(conn, MT_HDRINSERT), "changed and refused")
""",
        recipient="u@corp.test",
    )


def test_envelope_block_is_a_reply_at_rcpt_and_another_message_may_follow(say, office, records):
    office.personal("block", "u@corp.test", "ann@out.test")
    say(
        BEGIN,
        """\
mt.rcptto(conn, "<u@corp.test>")
assert(mt.getreply(conn) == SMFIR_REPLYCODE, "at RCPT")
mt.abort(conn)
mt.mailfrom(conn, "<ann@out.test>")
""",
        MESSAGE,
        'assert(mt.getreply(conn) == SMFIR_ACCEPT, "at the end")\n',
        recipient="v@corp.test",
    )
    assert [one.recipient for one in records.wait_for(2)] == ["u@corp.test", "v@corp.test"]
