"""The API called with nothing of ours: a shell, openssl and curl, as the guide shows it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.requires("bash", "openssl", "curl", "od", "swaks")

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "api-clients.md"


def program() -> str:
    """The guide's shell program that signs a call."""
    (found,) = (text for text in re.findall(r"```sh\n(.*?)```", GUIDE.read_text(), re.DOTALL) if "openssl" in text)
    return found


def call(server, path: str, *items: dict[str, str]) -> dict:
    """What the server answers to the program, told another place, another function and other items."""
    text = program()
    for shown, meant in (
        ("mailreeve-data/credentials.json", str(server.folder / "credentials.json")),
        ("http://127.0.0.1:8025", server.http),
        ("/api/account/get-account", path),
        ("""-d '{"data": []}'""", "-d @-"),
    ):
        assert text.count(shown) == 1, f"the guide's program no longer has {shown}"
        text = text.replace(shown, meant)
    body = json.dumps({"data": items})
    done = subprocess.run(
        ["bash", "-euc", text], input=body, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_shell_program_of_the_guide_is_understood(server):
    """As it stands but for the address: it asks for the account."""
    answer = call(server, "/api/account/get-account")
    assert (answer["meta"], answer["fail"]) == ({"status": 200}, [])
    assert [row["accountCode"] for row in answer["data"]] == [server.credentials["account_code"]]


def test_policy_set_from_a_shell_refuses_swaks(server):
    """The main job without a line of ours between the signature and the refusal."""
    sender = {"type": "individual_email_address", "emailAddress": "x@bad.test"}
    policy = {"description": "from a shell", "from": sender, "to": {"type": "everyone"}}
    item = {"option": "block_sender", "policy": policy}
    answer = call(server, "/api/policy/blockedsenders/create-policy", item)
    assert answer["fail"] == []
    command = ["swaks", "--server", f"127.0.0.1:{server.port}", "--from", "x@bad.test", "--to", "u@corp.test"]
    session = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert session.returncode == 24, session.stdout
    assert "<** 550 5.7.1 Envelope rejected - block policy for envelope from address [" in session.stdout


def test_spoilt_signature_is_refused(server):
    """The same program with another secret: the signature is looked at."""
    keys = dict(server.credentials)
    keys["secret_key"] = "c3BvaWx0" + keys["secret_key"][8:]
    spoilt = server.folder.with_name("spoilt.json")
    spoilt.write_text(json.dumps(keys))
    text = program().replace("mailreeve-data/credentials.json", str(spoilt))
    text = text.replace("http://127.0.0.1:8025", server.http)
    done = subprocess.run(["bash", "-euc", text], capture_output=True, text=True, timeout=60, check=True)
    answer = json.loads(done.stdout)
    assert (answer["meta"]["status"], answer["data"]) == (401, [])
    assert answer["fail"][0]["errors"][0]["code"] == "err_xdk_invalid_signature"
