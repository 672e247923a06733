"""`mailreeve web zone`: keys, files and what cannot be said, on a folder."""

from __future__ import annotations

import base64
import json

import pytest
from click.testing import CliRunner

from mailreeve.app.new_account import initialise
from mailreeve.cli.main import main


@pytest.fixture
def command(tmp_path, own_log):
    data = tmp_path / "data"
    initialise(data, ("corp.test",), None)

    def run(*arguments, code=0):
        done = CliRunner().invoke(main, ["web", *arguments, "--data", str(data)])
        assert done.exit_code == code, done.output
        return done.output

    return run


def test_keys_are_made_shown_listed_and_deleted(command):
    made = json.loads(command("zone", "key", "new", "resolver-1", "--json"))
    assert made["algorithm"] == "hmac-sha256"
    assert len(base64.b64decode(made["secret"])) == 32
    assert json.loads(command("zone", "key", "show", "resolver-1", "--json")) == made
    text = command("zone", "key", "show", "resolver-1")
    assert text.startswith(f'key "{made["name"]}" {{\n')
    assert f'secret "{made["secret"]}";' in text
    assert command("zone", "key", "list") == "resolver-1\n"
    assert "there is a key resolver-1 already" in command("zone", "key", "new", "resolver-1", code=1)
    assert "a key's name has letters" in command("zone", "key", "new", "No Name", code=1)
    assert "give --yes" in command("zone", "key", "delete", "resolver-1", code=2)
    command("zone", "key", "delete", "resolver-1", "--yes")
    assert "there is no key resolver-1" in command("zone", "key", "show", "resolver-1", code=1)


def test_the_secret_of_a_key_is_in_no_audit_log(command, tmp_path):
    made = json.loads(command("zone", "key", "new", "resolver-1", "--json"))
    done = CliRunner().invoke(main, ["audit", "--data", str(tmp_path / "data"), "--json"])
    assert "zone key" in done.output
    assert "resolver-1" in done.output
    assert made["secret"] not in done.output
    assert made["secret"].encode() not in (tmp_path / "data" / "mailreeve.db").read_bytes()


def test_a_file_replaces_another_as_a_whole(command, tmp_path):
    command("create", "L", "bad.test")
    file = tmp_path / "everyone.rpz"
    file.write_text("old")
    command("zone", "export", "-o", str(file))
    assert file.read_text().startswith("$ORIGIN everyone.")
    assert "\nbad.test CNAME .\n*.bad.test CNAME .\n" in file.read_text()
    assert [one.name for one in tmp_path.iterdir() if "rpz" in one.name] == ["everyone.rpz"]
    assert command("zone", "export") == file.read_text()
    assert "there is no location 'Moon'" in command("zone", "export", "--location", "Moon", code=1)


def test_the_status_says_what_is_not_said(command):
    assert "nobody has fetched it yet" in command("zone", "status")
    command("create", "Pat", "pat.test", "--user", "pat@corp.test")
    command("create", "L", "bad.test", "bad.test/x", "10.0.0.1")
    command("zone", "export")
    said = command("zone", "status")
    assert "not said of Pat: 1 target for single users" in said
    assert "not said of L: 1 entry (bad.test/x) about a part of a host" in said
    assert "not said of L: 1 entry (10.0.0.1) by IP address" in said
    assert ", 1 name, changed 20" in said
