"""People and programs beside a running server: who comes, goes, or is given another role is noticed at once."""

from __future__ import annotations

import json
import smtplib
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from mailreeve.cli.main import main
from mailreeve.client import ApiError, Client, Credentials, OAuthCredentials

pytestmark = pytest.mark.usefixtures("own_log")

PATIENCE = 30  # seconds; a tenth of one is promised
FUNCTION = "account/get-account"
BLOCK = "managedsender/permit-or-block-sender"
GROUP = "directory/create-group"
ITEM = {"sender": "x@far.test", "to": "ann@corp.test", "action": "block"}
READ = "Account | Dashboard | Read"


def run(data: Path, *arguments: str, code: int = 0) -> dict:
    """What a command prints as JSON, run in this process, which is not the server's."""
    done = CliRunner().invoke(main, [*arguments, "--data", str(data), "--json"])
    assert done.exit_code == code, done.stderr
    return json.loads(done.stdout) if not code else {"error": done.stderr}


def signed(live, made: dict) -> Client:
    return Client(live.http, Credentials(**{name: made[name] for name in Credentials.__struct_fields__}))


def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "not noticed"


def status(client: Client, path: str = FUNCTION, item: dict | None = None) -> int:
    try:
        client.call(path, item or {})
    except ApiError as problem:
        return problem.status
    return 200


def test_an_integrator_can_try_403_and_418(fresh_server) -> None:
    """With keys of a role, and with keys that end: of a signed client, and of one with access tokens."""
    live = fresh_server()
    made = run(live.data, "keys", "new", "--role", "Help Desk")
    tokens = OAuthCredentials(made["client_id"], made["client_secret"])
    create = "domain/create-domain"
    with signed(live, made) as client, Client(live.http, tokens) as bearer:
        for one in (client, bearer):
            assert status(one) == 200
            with pytest.raises(ApiError) as caught:
                one.call(create, {"domain": "more.test"})
            assert (caught.value.status, caught.value.code) == (403, "err_xdk_forbidden")
            assert "Directories | Internal | Register New Domain" in str(caught.value)
    end = datetime.now(UTC) + timedelta(seconds=4)
    made = run(live.data, "keys", "new", "--expires", end.isoformat(timespec="seconds"))
    with signed(live, made) as client:
        until(lambda: status(client) == 418)
        with pytest.raises(ApiError) as caught:
            client.call(FUNCTION)
        assert (caught.value.code, caught.value.message) == ("err_xdk_binding_expired", "AccessKey Has Expired")


def test_roles_locks_and_secrets_are_noticed_while_it_serves(fresh_server) -> None:
    """A command on the folder changes them; the server's very next calls follow."""
    live = fresh_server()
    run(live.data, "role", "create", "Watcher", "-p", READ)
    added = run(live.data, "admin", "add", "ann@corp.test", "--role", "watcher")
    assert len(added["password"]) > 16
    made = run(live.data, "keys", "new", "--user", "ann@corp.test", "--name", "dashboard")
    with signed(live, made) as client:
        assert (status(client), status(client, GROUP, {"description": "One"})) == (200, 403)
        run(live.data, "role", "update", "Watcher", "--add", "Directories | Groups | Edit")
        until(lambda: status(client, GROUP, {"description": "One"}) == 200)
        run(live.data, "admin", "lock", "ann@corp.test")
        until(lambda: status(client) == 401)
        run(live.data, "admin", "unlock", "ann@corp.test")
        until(lambda: status(client) == 200)
        other = run(live.data, "keys", "rotate", made["access_key"])
        until(lambda: status(client) == 401)
        with signed(live, made | {"secret_key": other["secret_key"]}) as renewed:
            assert status(renewed) == 200
            run(live.data, "admin", "remove", "ann@corp.test")
            until(lambda: status(renewed) == 403)
    # The audit log has the user and the application that was used.
    with closing(sqlite3.connect(live.data / "mailreeve.db")) as database:
        query = (
            "SELECT DISTINCT actor, application, app_id FROM audit_event"
            " WHERE object_kind = 'group' AND actor LIKE 'ann%'"
        )
        assert database.execute(query).fetchall() == [("ann@corp.test", "dashboard", made["app_id"])]


def test_everything_is_done_by_a_server_too(fresh_server) -> None:
    """`--url` calls it, with the permissions of the credentials: nobody gives more than they have."""
    live = fresh_server()
    keys = live.data / "credentials.json"
    keys.write_text(json.dumps(live.credentials))
    url = ("--url", live.http, "--credentials", str(keys))
    run(live.data, "role", "create", "Clerk", "-p", READ, "-p", "Services | API Applications | Edit", *url)
    run(live.data, "admin", "add", "ann@corp.test", "--role", "Clerk", *url)
    made = run(live.data, "keys", "new", "--user", "ann@corp.test", *url)
    keys.write_text(json.dumps(made))
    said = run(live.data, "keys", "new", "--role", "Help Desk", *url, code=1)["error"]
    assert "--role 'Help Desk': 0002 Access denied: nobody gives more than they have, and you lack" in said
    assert "Gateway | Policies | Read" in said
    assert run(live.data, "keys", "new", *url)["user"] == "ann@corp.test"
    assert "Directories | Roles | Read" in run(live.data, "role", "list", *url, code=1)["error"]


def test_the_last_use_of_keys_is_known_after_a_restart(fresh_server) -> None:
    live = fresh_server()
    with live.client() as client:
        assert client.call(FUNCTION)
        (one,) = client.call("ext/get-keys")
    live.stop()
    (one,) = run(live.data, "keys", "list")["applications"]
    assert one["keys"][0]["lastUsedFrom"] == "127.0.0.1"
    assert one["keys"][0]["lastUsed"].startswith("20")


def mail(live, recipient: str, sender: str = "eve@far.test") -> int:
    """The reply to a recipient."""
    with smtplib.SMTP(*live.smtp, timeout=30) as smtp:
        smtp.ehlo("client.test")
        smtp.mail(sender)
        return smtp.rcpt(recipient)[0]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_accounts_come_and_go_while_it_serves(fresh_server, workers: str) -> None:
    """Mail and calls of a new one, of a locked one, of one that is removed; the first goes on all the time."""
    live = fresh_server("--workers", workers)
    assert mail(live, "ann@corp.test") == 250
    outside = mail(live, "ann@more.test")
    assert outside not in (250, 450)
    made = run(live.data, "account", "add", "--domain", "more.test", "--admin", "root@more.test", "--name", "More")
    code = made["account_code"]
    with signed(live, made) as client:
        for _ in range(6):
            assert client.call(FUNCTION)[0]["accountName"] == "More"
        client.call("managedsender/permit-or-block-sender", ITEM | {"to": "ann@more.test"})
        until(lambda: mail(live, "ann@more.test") == 250)
        until(lambda: all(mail(live, "ann@more.test", "x@far.test") == 550 for _ in range(4)))
        run(live.data, "account", "lock", code)
        until(lambda: all(mail(live, "ann@more.test") == 450 for _ in range(4)))
        until(lambda: all(status(client) == 403 for _ in range(4)))
        assert mail(live, "ann@corp.test") == 250
        run(live.data, "account", "unlock", code)
        until(lambda: all(mail(live, "ann@more.test") == 250 for _ in range(4)))
        until(lambda: status(client) == 200)
        assert "give --yes" in run(live.data, "account", "remove", code, code=1)["error"]
        run(live.data, "account", "remove", code, "--yes")
        until(lambda: all(mail(live, "ann@more.test") == outside for _ in range(4)))
        with pytest.raises(ApiError) as caught:
            client.call(FUNCTION)
        assert caught.value.code == "err_developer_key"
    with live.client() as client:
        assert client.call(FUNCTION)
    assert mail(live, "ann@corp.test") == 250
    accounts = run(live.data, "account", "list")["accounts"]
    assert [one["domains"] for one in accounts] == [["corp.test"]]
    assert "only account" in run(live.data, "account", "remove", accounts[0]["code"], "--yes", code=1)["error"]
    assert "Traceback" not in live.log()
