"""A folder that comes back from a backup is closed to others, and served although a row in it cannot be read."""

from __future__ import annotations

import smtplib
import sqlite3
import stat

MESSAGE = "Subject: hello\r\n\r\nhi\r\n"


def test_a_server_closes_what_others_could_read(fresh_server):
    """Folder, database and what SQLite keeps beside it, key, credentials: as after `cp -r` with a wide umask."""
    live = fresh_server()
    live.stop()
    (live.data / "credentials.json").write_text("{}")
    for path in [live.data, *live.data.iterdir()]:
        path.chmod(0o777 if path.is_dir() else 0o666)
    live.start()
    with live.client() as client:
        client.call("user/create-user", {"emailAddress": "ann@corp.test"})
    names = (".", "mailreeve.db", "mailreeve.db-wal", "mailreeve.db-shm", "secret.key", "credentials.json")
    modes = {name: stat.S_IMODE((live.data / name).stat().st_mode) for name in names}
    assert {name: mode for name, mode in modes.items() if mode & 0o077} == {}
    closed = [line for line in live.log().splitlines() if "others could read this" in line]
    assert {name for name in names[1:] if any(name in line for line in closed)} >= {"mailreeve.db", "secret.key"}
    before = live.log().count("others could read this")
    live.stop()
    live.start()
    assert live.log().count("others could read this") == before, "it is said once"


def test_mail_is_delivered_for_its_owner_alone(fresh_server):
    """Whatever the umask: the Maildir, its folders and every message."""
    live = fresh_server()
    live.stop()
    live.options = ["--next-hop", f"maildir:{live.data.parent / 'deep' / 'mail'}"]
    live.start()
    with smtplib.SMTP(*live.smtp, timeout=30) as smtp:
        smtp.sendmail("x@out.test", "u@corp.test", MESSAGE)
    mail = live.data.parent / "deep" / "mail"
    (message,) = (mail / "new").iterdir()
    for path in (mail, *(mail / name for name in ("new", "cur", "tmp")), message):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_broken_row_is_served_around_and_named(fresh_server):
    """Ready, with the row named; mail and calls about everything else go on, by log and answers."""
    live = fresh_server()
    policy = {
        "description": "b",
        "from": {"type": "email_domain", "emailDomain": "bad.test"},
        "to": {"type": "internal_addresses"},
    }
    with live.client() as client:
        for _ in range(2):
            client.call("policy/blockedsenders/create-policy", {"option": "block_sender", "policy": policy})
        whole = len(client.call("policy/blockedsenders/get-policy"))
    live.stop()
    with sqlite3.connect(live.data / "mailreeve.db") as connection:
        (key,) = connection.execute("SELECT max(id) FROM blocked_sender_policy").fetchone()
        connection.execute("UPDATE blocked_sender_policy SET document = '{' WHERE id = ?", (key,))
    connection.close()
    live.start()
    answer = live.request("GET", "/readyz")
    assert answer.status == 200
    assert answer.body.decode().splitlines()[0] == "ready"
    assert f"blocked_sender_policy {key}" in answer.body.decode()
    assert key in live.log()
    with live.client() as client:
        assert len(client.call("policy/blockedsenders/get-policy")) == whole - 1
        entry = {"sender": "y@x.test", "to": "u@corp.test", "action": "block"}
        client.call("managedsender/permit-or-block-sender", entry)
        (told,) = client.call("ext/lint-policies")
        assert [f["kind"] for f in told["findings"]].count("unreadable") == 1
    with smtplib.SMTP(*live.smtp, timeout=30) as smtp:
        smtp.ehlo()
        smtp.mail("x@bad.test")
        assert smtp.rcpt("u@corp.test")[0] == 550, "the other one blocks still"
