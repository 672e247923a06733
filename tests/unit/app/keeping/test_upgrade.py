"""A folder of the first schema is backed up as it is, upgraded without loss, and can be put back as it was."""

from __future__ import annotations

import base64
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest

from mailreeve.app.doctor.folder_checks import folder_checks
from mailreeve.app.folder import Opened, open_initialised
from mailreeve.app.folder_api import URL, FolderApi
from mailreeve.app.keeping.backup import make_backup
from mailreeve.app.keeping.restore import restore_backup
from mailreeve.app.keeping.verify import verify_backup, verify_folder
from mailreeve.app.settings import read
from mailreeve.client import Client
from mailreeve.families.login.authenticate import Authenticator
from mailreeve.store.copying import schema_of
from mailreeve.store.migrations import HEAD
from mailreeve.wire.signing import read_signed, sign

FIRST = Path(__file__).parent / "first_schema"
EXPECTED = json.loads((FIRST / "expected.json").read_text())

# Rules that have changed since, not what is stored: aliases are in the groups of their user (ADR 0021).
DECIDED_ANEW = {("z@offers.test", "a.nn@corp.test"): ["reject", "blocked_senders", "a.nn@corp.test", "run"]}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The folder as that version left it."""
    found = tmp_path / "data"
    found.mkdir(0o700)
    for name in ("secret.key", "mailreeve.toml"):
        shutil.copy(FIRST / name, found / name)
    with closing(sqlite3.connect(found / "mailreeve.db")) as connection:
        connection.executescript((FIRST / "database.sql").read_text())
        connection.execute("PRAGMA journal_mode=WAL")
    for path in found.iterdir():
        path.chmod(0o600)
    return found


@pytest.fixture
def upgraded(data: Path) -> Iterator[Opened]:
    found = open_initialised(data, read(data, {}, {}))
    yield found
    found.close()


@pytest.fixture
def api(upgraded: Opened) -> Iterator[Client]:
    with Client(URL, None, transport=FolderApi(upgraded.services, upgraded.account_id(None))) as found:
        yield found


def contents(file: Path) -> dict[str, list[dict[str, object]]]:
    """The rows of every table, each as a dict, in an order of their own."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            table: sorted((dict(row) for row in connection.execute(f"SELECT * FROM {table}")), key=repr)  # noqa: S608
            for table in tables
        }


def test_a_backup_before_the_upgrade_is_what_the_older_version_wrote(data: Path, tmp_path: Path) -> None:
    before = contents(data / "mailreeve.db")
    made = make_backup(data, tmp_path / "backup")
    assert made.manifest.schema == "0001"
    assert contents(data / "mailreeve.db") == before, "the folder is not touched"
    found = verify_backup(tmp_path / "backup")
    assert (found.is_whole, found.unreadable, found.schema) == (True, (), "0001"), "and it can be upgraded"
    open_initialised(data, read(data, {}, {})).close()
    assert schema_of(data / "mailreeve.db") == HEAD
    restore_backup(tmp_path / "backup", tmp_path / "back")
    assert contents(tmp_path / "back" / "mailreeve.db") == before, "the older version finds what it left"


def test_nothing_is_lost_by_the_upgrade(data: Path) -> None:
    before = contents(data / "mailreeve.db")
    open_initialised(data, read(data, {}, {})).close()
    after = contents(data / "mailreeve.db")
    del before["alembic_version"]
    for table, rows in before.items():
        kept = [{name: row[name] for name in rows[0] if name in row} for row in after[table]] if rows else []
        old = [{name: value for name, value in row.items() if name in after[table][0]} for row in rows]
        assert sorted(kept, key=repr) == sorted(old, key=repr), table
    found = verify_folder(data)
    assert (found.is_whole, found.has_key, found.unreadable) == (True, True, ())


def test_all_is_decided_as_before(api: Client) -> None:
    for sender, to, *expected in EXPECTED["mail"]:
        (told,) = api.call("ext/explain-message", {"from": sender, "to": to})
        winners = {type_: winner and winner["id"] for type_, winner in told["winners"].items()}
        verdict = [told["verdict"], told["layer"], told["recipient"], told["spamChecks"]]
        if (sender, to) in DECIDED_ANEW:
            assert verdict == DECIDED_ANEW[sender, to]
            continue
        assert verdict == expected[:4], (sender, to)
        assert {type_: winners[type_] for type_ in expected[4]} == expected[4], (sender, to)
        assert told["revision"] == EXPECTED["revision"]
    for url, *expected in EXPECTED["web"]:
        (told,) = api.call("ext/explain-web", {"url": url})
        assert [told["verdict"], told["policyId"]] == expected, url


def test_every_id_that_a_client_holds_is_good(api: Client) -> None:
    ids = EXPECTED["ids"]
    assert api.call("policy/blockedsenders/get-policy", {"id": ids["blocked"]})[0]["id"] == ids["blocked"]
    assert api.web_lists.get(ids["web"]).id == ids["web"]
    policy = api.address_alteration.policy(ids["alteration"])
    assert policy is not None
    assert policy.address_alteration_set_id == ids["set"]
    assert [one.id for one in api.address_alteration.definitions(folder_id=ids["set"])] == [ids["definition"]]
    api.call("directory/add-group-member", {"id": ids["group"], "emailAddress": "bob@corp.test"})
    assert [one.email_address for one in api.delegates.find("ann@corp.test")] == ["bob@corp.test"]


def test_its_keys_sign_calls(upgraded: Opened) -> None:
    keys = EXPECTED["credentials"]
    now = datetime.now(UTC)
    authenticator = Authenticator(upgraded.store, upgraded.vault, upgraded.token_key, 900.0)
    date, path = format_datetime(now), "/api/account/get-account"
    signature = sign(base64.b64decode(keys["secret_key"]), date, "1", path, keys["app_key"])
    call = read_signed(f"{keys['access_key']}:{signature}", keys["app_id"], date, "1", path)
    assert authenticator.signed(call, now).actor == "admin@corp.test"
    assert authenticator.give_token(keys["client_id"], keys["client_secret"], now) is not None


def test_the_doctor_says_what_will_happen_and_to_back_up_first(data: Path) -> None:
    (schema,) = [check for check in folder_checks(data) if check.name == "schema"]
    assert (schema.state, f"to {HEAD}" in schema.found) == ("warn", True)
    assert schema.advice.startswith("back up first")
