"""Keys can be listed, made anew and taken back on a folder; what is wrong is said in a line, changing nothing."""

from __future__ import annotations

import getpass
import json
import stat
from datetime import datetime, timedelta

import pytest

from mailreeve.app.new_account import initialise
from mailreeve.client import Credentials, OAuthCredentials

MADE = [
    "account_code", "app_id", "app_key", "access_key", "secret_key", "client_id", "client_secret", "user",
    "name", "role", "expires",
]  # fmt: skip


def listed(folder) -> list[dict]:
    result = folder.run("keys", "list", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)["applications"]


def new(folder, *more: str) -> dict:
    result = folder.run("keys", "new", "--json", *more)
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


def test_what_init_made_is_listed_without_its_secrets(tmp_path, folder):
    (only,) = listed(folder)
    assert only["name"] == "Default application"
    assert only["role"] == "Super Administrator"
    assert [bound["user"] for bound in only["keys"]] == ["admin@corp.test"]
    assert set(only) == {"appId", "name", "role", "clientId", "created", "keys"}
    assert set(only["keys"][0]) == {"accessKey", "user", "created", "role"}
    assert datetime.fromisoformat(only["created"]).tzinfo is not None
    result = folder.run("keys", "list")
    assert only["appId"] in result.stdout
    assert only["keys"][0]["accessKey"][:12] in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_new_keys_are_told_once_and_listed(tmp_path, folder):
    made = new(folder, "--name", "playbooks")
    assert list(made) == MADE
    assert made["user"] == "admin@corp.test"
    assert [(one["name"], one["appId"]) for one in listed(folder)][1:] == [("playbooks", made["app_id"])]
    result = folder.run("keys", "new", "--save", str(tmp_path / "keys.json"))
    assert (result.exit_code, result.stderr) == (0, "")
    assert Credentials.load(tmp_path / "keys.json")
    assert OAuthCredentials.load(tmp_path / "keys.json")
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600
    assert json.loads((tmp_path / "keys.json").read_text())["secret_key"] not in result.stdout


def test_keys_that_have_ended_are_shown_as_such(folder, monkeypatch):
    new(folder, "--name", "short", "--expires", "1h")
    assert "  expires     20" in folder.run("keys", "list").stdout
    monkeypatch.setattr("mailreeve.cli.people.keys.datetime", Later)
    assert "  expired     20" in folder.run("keys", "list").stdout


class Later(datetime):
    """Two hours later."""

    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + timedelta(hours=2)


def test_all_credentials_may_be_lost_and_renewed(folder):
    """An account without any application is still one, and its key is known by its mark."""
    (only,) = listed(folder)
    assert folder.run("keys", "revoke", only["appId"]).exit_code == 0
    assert listed(folder) == []
    new(folder)
    assert len(listed(folder)) == 1


@pytest.mark.parametrize("by", ["app_id", "client_id"])
def test_an_application_is_revoked_with_all_that_it_had(folder, by):
    made = new(folder)
    result = folder.run("keys", "revoke", made[by], "--json")
    assert json.loads(result.stdout) == {"revoked": [{"appId": made["app_id"]}]}
    assert made["app_id"] not in [one["appId"] for one in listed(folder)]


@pytest.mark.parametrize("letters", [8, 12, None])
def test_a_users_keys_are_revoked_by_the_access_key_or_its_beginning(folder, letters):
    made = new(folder)
    result = folder.run("keys", "revoke", made["access_key"][:letters])
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"revoked {made['app_id']}, access key {made['access_key'][:12]}")
    (left,) = [one for one in listed(folder) if one["appId"] == made["app_id"]]
    assert left["keys"] == []


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("revoke",), 2, "Missing argument"),
        (
            ("revoke", "nonsense"),
            1,
            "ID: nonsense: there is no such application or access key; nothing was revoked",
        ),
        (("revoke", "{app_id}", "nonsense"), 1, "nothing was revoked"),
        (("revoke", "-nonsense"), 1, "-nonsense: there"),
        (("revoke", "{short}"), 1, "there is no such application or access key"),
        (("new", "--user", "nobody@corp.test"), 1, "--user 'nobody@corp.test': there is no user nobody@corp.test"),
        (("new", "--user", "nobody"), 2, "--user 'nobody': "),
        (("new", "--name", ""), 2, "--name"),
        (("new", "--name", "a\x1b[2Jb"), 2, "--name"),
        (
            ("new", "--role", "King"),
            1,
            "--role 'King': There is no such role: King; there are Super Administrator, ",
        ),
        (("new", "--expires", "soon"), 2, "--expires"),
        (("new", "--expires", "2020-01-01"), 2, "--expires '2020-01-01': The keys would have expired"),
        (("rotate", "nonsense"), 1, "; nothing was exchanged"),
        (("rotate", "{app_id}", "--grace", "31d"), 2, "--grace '31d': "),
        (("rotate", "{app_id}", "--grace", "x"), 2, "--grace"),
        (("new", "--save", "/dev/full"), 1, "/dev/full: it exists already"),
        (("new", "--account", "NONE"), 1, "there is no account NONE"),
        (("list", "--account", "NONE"), 1, "there is no account NONE"),
        (("lost",), 2, "No such command"),
    ],
)
def test_what_is_wrong_is_named_and_changes_nothing(folder, arguments, code, said):
    folder.call("user/create-user", {"emailAddress": "bob@corp.test"})
    before = listed(folder)
    names = {"app_id": before[0]["appId"], "short": before[0]["keys"][0]["accessKey"][:7]}
    result = folder.run("keys", *(text.format(**names) for text in arguments))
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert listed(folder) == before


def test_the_keys_of_another_folder_mean_nothing_here(tmp_path, folder):
    other = initialise(tmp_path / "other", ("corp.test",), None)
    assert folder.run("keys", "revoke", other.app_id).exit_code == 1


def test_what_was_done_is_in_the_audit_log(folder):
    made = new(folder)
    folder.run("keys", "revoke", made["app_id"])
    with folder.opened.engine.reading() as connection:
        rows = connection.exec_driver_sql(
            "SELECT action, object_kind, actor FROM audit_event ORDER BY id DESC LIMIT 2"
        ).all()
    assert [tuple(row) for row in rows] == [
        ("delete", "application", f"command line ({getpass.getuser()})"),
        ("create", "application", f"command line ({getpass.getuser()})"),
    ]
