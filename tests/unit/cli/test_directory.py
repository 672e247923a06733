"""`mailreeve user`, `domain` and `group` on a data folder, as an administrator types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from mailreeve.app.new_account import initialise
from mailreeve.cli.main import main


@pytest.fixture
def typed(tmp_path: Path):
    """Runs a command on a fresh folder; the exit code, standard output and standard error."""
    data = tmp_path / "data"
    initialise(data, ("corp.test",), None)

    def run(*arguments: str) -> tuple[int, str, str]:
        done = CliRunner().invoke(main, [*arguments, "--data", str(data)])
        return done.exit_code, done.stdout, done.stderr

    return run


def test_users_groups_and_domains_are_made_listed_changed_and_removed(typed) -> None:
    """Each with its words, and as JSON."""
    assert typed("user", "add", "ann@corp.test", "--name", "Ann")[:2] == (0, "ann@corp.test is made\n")
    assert typed("group", "create", "Team")[0] == 0
    code, said, _ = typed("group", "add", "Team", "ann@corp.test", "@x.test", "--until", "2099-12-31T18:00")
    assert (code, said.splitlines()[1]) == (0, "@x.test is in Team until 2099-12-31 18:00 UTC")
    shown = json.loads(typed("group", "show", "Team", "--json")[1])
    assert [one["domain"] for one in shown["members"]] == ["corp.test", "x.test"]
    code, said, _ = typed("user", "rename", "ann@corp.test", "anna@corp.test")
    assert said.splitlines()[0] == "anna@corp.test was ann@corp.test, which is an alias now"
    listed = json.loads(typed("user", "list", "--group", "Team", "--json")[1])
    assert [one["emailAddress"] for one in listed["users"]] == ["anna@corp.test"]
    assert typed("domain", "add", "spare.test")[0] == 0
    assert "spare.test is removed" in typed("domain", "remove", "spare.test", "--yes")[1]
    assert typed("user", "remove", "ann@corp.test", "--yes")[:1] == (0,)
    assert json.loads(typed("group", "tidy", "--json")[1]) == {"removed": []}


def test_errors_name_what_was_given(typed) -> None:
    """With exit code 2 where only that is wrong, else 1; nothing is removed that nobody confirmed."""
    typed("user", "add", "ann@corp.test")
    for expected, arguments in (
        ((2, "Error: NEW 'none': "), ("user", "rename", "ann@corp.test", "none")),
        ((1, "Error: NEW 'x@far.test': "), ("user", "rename", "ann@corp.test", "x@far.test")),
        ((2, "Error: NAME 'localhost': "), ("domain", "add", "localhost")),
        ((1, "Error: NAME 'far.test': "), ("domain", "set", "far.test", "--inbound-type", "any")),
        ((2, "ann@corp.test"), ("user", "remove", "ann@corp.test")),
        ((1, "Error: GROUP 'Nobody'"), ("group", "show", "Nobody")),
        ((2, "Error: --until 'soon'"), ("group", "add", "Blocked Senders", "x.test", "--until", "soon")),
    ):
        code, _, told = typed(*arguments)
        assert (code, expected[1] in told) == (expected[0], True), (arguments, told)
    assert typed("user", "show", "ann@corp.test")[1].startswith("ann@corp.test\n")
