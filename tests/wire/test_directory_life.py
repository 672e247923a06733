"""With a running server: a renamed user, a domain given up and one changed are so for the very next recipient."""

from __future__ import annotations

import smtplib
import sys
from pathlib import Path
from subprocess import run

import pytest

from mailreeve.app.new_account import initialise
from mailreeve.client import Client, Credentials

MAILREEVE = Path(sys.executable).parent / "mailreeve"


@pytest.fixture
def live(live_server_class, tmp_path: Path):
    """A server for old.test and spare.test, of which the first takes mail for known recipients only."""
    data = tmp_path / "data"
    initialise(data, ("old.test", "spare.test"), None, data / "credentials.json", "known")
    elsewhere = {"MAILREEVE_RELAY_NETWORKS": "192.0.2.0/24"}  # The client is a stranger, who may not relay.
    server = live_server_class(data, {}, data / "maildir", environment=elsewhere)
    server.start()
    yield server
    server.stop()


def reply(live, sender: str, recipient: str) -> int:
    """The code of the answer to RCPT."""
    with smtplib.SMTP(*live.smtp, timeout=30) as smtp:
        smtp.ehlo("client.test")
        smtp.mail(sender)
        return smtp.rcpt(recipient)[0]


def command(live, *arguments: str) -> str:
    """What the command prints, which works on the folder that the server runs on."""
    done = run(
        [MAILREEVE, *arguments, "--data", live.data], capture_output=True, text=True, check=False, timeout=90
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_door_knows_at_once(live) -> None:
    """Through the API and through commands on the folder, in another process."""
    with Client(live.http, Credentials.load(live.data / "credentials.json")) as api:
        assert reply(live, "x@shop.test", "ann@old.test") == 550
        api.call("user/create-user", {"emailAddress": "ann@old.test"})
        api.block_sender("x@shop.test", to="ann@old.test")
        assert reply(live, "x@shop.test", "ann@old.test") == 550
        assert reply(live, "y@shop.test", "ann@old.test") == 250
        api.call("domain/create-domain", {"domain": "new.test", "inboundType": "known"})
        api.call("ext/rename-user", {"emailAddress": "ann@old.test", "newAddress": "ann@new.test"})
        for address in ("ann@new.test", "ann@old.test"):
            assert reply(live, "x@shop.test", address) == 550
            assert reply(live, "y@shop.test", address) == 250
        api.call("ext/update-domain", {"domain": "spare.test", "inboundType": "any"})
        assert reply(live, "y@shop.test", "anybody@spare.test") == 250
        api.call("ext/remove-domain", {"domain": "spare.test"})
        assert reply(live, "y@shop.test", "anybody@spare.test") == 451  # as mail for strangers is
    said = command(live, "user", "rename", "ann@new.test", "anna@new.test", "--no-alias")
    assert said.splitlines()[0] == "anna@new.test was ann@new.test"
    assert reply(live, "y@shop.test", "ann@new.test") == 550
    assert reply(live, "y@shop.test", "anna@new.test") == 250
    assert "anna@new.test" in command(live, "user", "list", "--domain", "new.test")
    command(live, "user", "remove", "anna@new.test", "--yes")
    assert reply(live, "y@shop.test", "anna@new.test") == 550


def test_the_keys_of_a_renamed_user_go_on_to_work(live) -> None:
    """And calls are those of the new address."""
    with Client(live.http, Credentials.load(live.data / "credentials.json")) as api:
        assert api.call("user/get-profile")[0]["emailAddress"] == "admin@old.test"
        api.call("ext/rename-user", {"emailAddress": "admin@old.test", "newAddress": "root@old.test"})
        (profile,) = api.call("user/get-profile")
        assert (profile["emailAddress"], profile["role"]) == ("root@old.test", "Super Administrator")
        assert api.call("account/get-account")[0]["adminEmail"] == "root@old.test"
