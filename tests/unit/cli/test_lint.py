"""`mailreeve lint`: a table, the whole of it, JSON, and exit codes."""

from __future__ import annotations

import json

import pytest

from mailreeve.cli import progress
from mailreeve.cli.asking import lint as command
from mailreeve.store import follow


def test_a_new_account_has_notes_only(folder):
    """Its policies wait for their groups to be filled; nothing is wrong."""
    result = folder.run("lint", "--strict")
    assert result.exit_code == 0
    assert result.output.startswith("no warnings, 3 notes at revision ")


def test_what_is_wrong_is_told_in_a_table(folder):
    folder.block("bad.test", description="Old")
    folder.block("bad.test", "no_action", description="New")
    result = folder.run("lint")
    assert result.exit_code == 0
    assert result.output.startswith("1 warning, 3 notes")
    lines = result.output.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[3].split()[:3] == ["warning", "Old", "can"]
    assert lines[-1] == "--all says what to do about each"


def test_all_says_what_to_do_about_each_and_names_the_ids(folder):
    old = folder.block("bad.test", description="Old")
    new = folder.block("bad.test", "no_action", description="New")
    shown = folder.run("lint", "--all").output
    assert "warning: shadowed" in shown
    assert "Delete it; or, if it should have a say" in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert old in shown
    assert new in shown


def test_of_many_the_first_are_shown(folder):
    for number in range(command.SHOWN + 5):
        folder.block(f"d{number}.test", toDate="2001-01-01T00:00:00+0000")
    assert folder.run("lint").output.splitlines()[-1].startswith("8 more; --all lists them")


@pytest.mark.parametrize(("level", "code"), [("warning", 1), ("note", 0)])
def test_strict_fails_on_a_warning_only(folder, level, code):
    dates = {"toDate": "2001-01-01"} if level == "warning" else {"fromDate": "2999-01-01"}
    folder.block("bad.test", **dates)
    assert folder.run("lint", "--strict").exit_code == code
    assert folder.run("lint").exit_code == 0


def test_json_holds_everything(folder):
    folder.block("bad.test", toDate="2001-01-01")
    result = folder.run("lint", "--json", "--kind", "expired")
    answer = json.loads(result.output)
    assert answer["counts"] == {"expired": 1}
    assert folder.run("lint", "--json", "--kind", "expired", "--at", "2000-01-01").output == (
        f'{{"findings":[],"counts":{{}},"truncated":false,"why":"","revision":{answer["revision"]}}}\n'
    )


def test_a_bad_time_is_an_error(folder):
    result = folder.run("lint", "--at", "yesterday")
    assert result.exit_code == 2
    assert "--at 'yesterday': Date is not valid" in result.output


def test_progress_is_shown_for_large_sets_on_standard_error(folder, monkeypatch):
    """So that the answer on standard output stays clean."""
    monkeypatch.setattr(command, "LARGE", 1)
    monkeypatch.setattr(progress, "EVERY", 0.0)
    folder.block("bad.test")
    result = folder.run("lint", "--json")
    assert "of 6 policies" in result.stderr
    json.loads(result.stdout)


@pytest.mark.parametrize("command_line", [("lint",), ("explain", "mail", "--from", "", "--to", "u@corp.test")])
def test_the_log_of_a_long_load_is_not_among_the_answers(folder, monkeypatch, command_line):
    """What is logged while a million policies are read stays out of what a program reads."""
    monkeypatch.setattr(follow, "LOGGED_EVERY", 0.0)
    json.loads(folder.run(*command_line, "--json").stdout)
