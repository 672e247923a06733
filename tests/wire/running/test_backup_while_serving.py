"""A backup that is made while calls write and mail comes in is served as if it were the server of that moment."""

from __future__ import annotations

import json
import smtplib
import subprocess
import sys
import threading
from pathlib import Path

from mailreeve.client import Client

MAILREEVE = Path(sys.executable).with_name("mailreeve")
MESSAGE = "Subject: hello\r\n\r\nhi\r\n"
POLICY = {
    "description": "bad",
    "from": {"type": "email_domain", "emailDomain": "bad.test"},
    "to": {"type": "internal_addresses"},
}


def mailreeve(*arguments: object) -> dict:
    done = subprocess.run(
        [MAILREEVE, *map(str, arguments), "--json"], check=True, capture_output=True, text=True, timeout=60
    )
    return json.loads(done.stdout)


def block(client: Client, sender: str) -> None:
    client.call("managedsender/permit-or-block-sender", {"sender": sender, "to": "u@corp.test", "action": "block"})


def verdict(client: Client, sender: str) -> tuple:
    (told,) = client.call("ext/explain-message", {"from": sender, "to": "u@corp.test"})
    return told["verdict"], told["layer"], told["winners"]


def test_what_is_restored_decides_alike_and_knows_every_id(fresh_server, live_server_class, tmp_path):
    live = fresh_server()
    with live.client() as client:
        (made,) = client.call("policy/blockedsenders/create-policy", {"option": "block_sender", "policy": POLICY})
        block(client, "before@x.test")
        stop, written = threading.Event(), []

        def write() -> None:
            with live.client() as other:
                while not stop.is_set():
                    block(other, f"s{len(written)}@x.test")
                    written.append(f"s{len(written)}@x.test")
                    with smtplib.SMTP(*live.smtp, timeout=30) as smtp:
                        smtp.sendmail("a@out.test", "u@corp.test", MESSAGE)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            while len(written) < 3:
                stop.wait(0.01)
            before = list(written)
            backup = mailreeve("backup", tmp_path / "backup", "--data", live.data)
            after = len(written)
        finally:
            stop.set()
            writer.join()
        revision = backup["manifest"]["accounts"][0]["revision"]
        assert mailreeve("verify", tmp_path / "backup")["whole"]
        assert mailreeve("verify", "--data", live.data)["whole"], "a served folder, too"
        asked = ["x@bad.test", "before@x.test", *before, "nobody@x.test"]
        expected = {sender: verdict(client, sender) for sender in asked}

    mailreeve("restore", tmp_path / "backup", "--data", tmp_path / "restored")
    other = live_server_class(tmp_path / "restored", live.credentials, tmp_path / "mail")
    other.start()
    try:
        with other.client() as client:
            assert {sender: verdict(client, sender) for sender in asked} == expected
            (told,) = client.call("ext/explain-message", {"from": "x@bad.test", "to": "u@corp.test"})
            assert told["revision"] == revision
            (found,) = client.call("policy/blockedsenders/get-policy", {"id": made["id"]})
            assert found["id"] == made["id"]
            kept = [s for s in written if verdict(client, s)[0] == "reject"]
            assert kept == written[: len(kept)], "up to one moment, without gaps"
            assert len(before) <= len(kept) <= after + 1
        with smtplib.SMTP(*other.smtp, timeout=30) as smtp:
            smtp.ehlo()
            smtp.mail("x@bad.test")
            assert smtp.rcpt("u@corp.test")[0] == 550
    finally:
        other.stop()
