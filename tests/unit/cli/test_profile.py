"""`mailreeve profile` and `--profile`: several servers by name, whose keys only their owner may read."""

from __future__ import annotations

import json
import stat

import pytest
from click.testing import CliRunner

from mailreeve.cli.main import main

KEYS = {"app_id": "app", "app_key": "s3cret-app", "access_key": "access", "secret_key": "czNjcmV0"}
URL = "http://127.0.0.1:9"  # where nothing answers


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("MAILREEVE_CONFIG_HOME", str(tmp_path / "config"))
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(KEYS | {"more": "of an older version"}))
    return tmp_path


def plain(*arguments: str, text: str | None = None):
    """A command that takes no `--data`."""
    return CliRunner().invoke(main, list(arguments), input=text)


def test_a_profile_from_its_making_to_its_end(home):
    assert "no profile" in plain("profile", "list").stderr
    made = plain("profile", "add", "office", "--url", URL, "--credentials", str(home / "keys.json"))
    assert made.output == f"office: {URL}\n"
    file = home / "config" / "profiles.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = plain("profile", "add", "office", "--url", URL, "--credentials", "-", text=json.dumps(KEYS))
    assert (again.exit_code, "--replace" in again.output) == (1, True)
    listed = plain("profile", "list", "--json")
    assert json.loads(listed.output) == {"profiles": [{"name": "office", "url": URL, "appId": "app", "ca": ""}]}
    assert "s3cret" not in listed.output + plain("profile", "list").output
    assert plain("profile", "list", "--csv").output == f"name,url,appId,ca\noffice,{URL},app,\n"
    asked = plain("profile", "remove", "office")
    assert (asked.exit_code, "--yes" in asked.output) == (2, True)
    assert plain("profile", "remove", "office", "--yes").output == "removed office\n"


def test_a_command_goes_to_the_server_of_a_profile(folder, home, monkeypatch):
    plain("profile", "add", "office", "--url", URL, "--credentials", str(home / "keys.json"))
    for arguments in (("domain", "list"), ("call", "domain/get-internal-domain")):
        result = plain(*arguments, "--profile", "office")
        assert (result.exit_code, "no server answers at the server of office" in result.output) == (1, True)
    missing = plain("domain", "list", "--profile", "home")
    assert (missing.exit_code, "there is no profile 'home'; there is office" in missing.output) == (1, True)
    for option, value in (("--url", URL), ("--data", str(folder.data)), ("--account", "CTEST")):
        both = plain("domain", "list", "--profile", "office", option, value)
        assert (both.exit_code, f"either --profile or {option}" in both.output) == (2, True)
    monkeypatch.setenv("MAILREEVE_PROFILE", "office")
    assert plain("domain", "list").exit_code == 1
    assert plain("domain", "list", "--data", str(folder.data)).exit_code == 0, "--data is written out"


def test_keys_that_others_may_read_are_not_used(home):
    plain("profile", "add", "office", "--url", URL, "--credentials", str(home / "keys.json"))
    file = home / "config" / "profiles.json"
    file.chmod(0o640)
    result = plain("domain", "list", "--profile", "office")
    assert (result.exit_code, "chmod 600" in result.output) == (1, True)
    file.chmod(0o600)
    file.write_text("s3cret")
    result = plain("domain", "list", "--profile", "office")
    assert (result.exit_code, "s3cret" in result.output) == (1, False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-x", "--url", URL), "NAME"),
        (("office", "--url", "mail.example.com"), "--url"),
    ],
)
def test_what_is_wrong_with_a_profile_is_named(home, arguments, said):
    words = ["profile", "add", "--credentials", str(home / "keys.json"), *arguments[1:], "--", arguments[0]]
    result = plain(*words)
    assert (result.exit_code, said in result.output) == (2, True)
    (home / "keys.json").write_text("s3cret")
    result = plain("profile", "add", "x", "--url", URL, "--credentials", str(home / "keys.json"))
    assert (result.exit_code, "s3cret" in result.output) == (1, False)


@pytest.mark.parametrize(("shell", "word"), [("bash", "complete -o"), ("zsh", "compdef"), ("fish", "complete")])
def test_a_shell_is_told_how_to_complete(shell, word):
    result = plain("completion", shell)
    assert (result.exit_code, word in result.output) == (0, True)
    assert "_MAILREEVE_COMPLETE=" in result.output
