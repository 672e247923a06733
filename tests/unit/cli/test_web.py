"""`mailreeve web`: lists are made, shown, added to, removed from and deleted, by name or by id."""

from __future__ import annotations

import json

VIDEO = "Video at work"


def lists(folder) -> list[dict]:
    return json.loads(folder.run("web", "list", "--json").output)["lists"]


def test_a_list_from_the_first_entry_to_its_end(folder):
    assert "2 entries, for everyone" in folder.run("web", "create", VIDEO, "video.test", "films.test").output
    result = folder.run("web", "add", "VIDEO at work", "clips.test/live", "video.test")
    assert result.output == "1 added, 1 there already: 3 in Video at work\n"
    assert folder.run("web", "add", VIDEO, "clips.test/live", "--allow").output.startswith("0 added, 1 changed")
    (one,) = lists(folder)
    assert [(e["action"], e["type"]) for e in one["urls"]] == [
        ("block", "domain"),
        ("block", "domain"),
        ("allow", "url"),
    ]
    shown = folder.run("web", "show", one["id"][:10].lstrip("-")).output
    assert "for  everyone" in shown
    assert "allow   url     clips.test/live" in shown
    assert folder.run("web", "remove", VIDEO, "films.test").output == "1 removed: 2 in Video at work\n"
    asked = folder.run("web", "delete", VIDEO)
    assert (asked.exit_code, asked.stderr.splitlines()[0]) == (2, "Video at work, with 2 entries")
    assert folder.run("web", "delete", VIDEO, "--yes").output == "deleted Video at work, which had 2 entries\n"
    assert folder.run("web", "list").output == "no list\n"


def test_entries_come_from_a_file_without_its_comments(folder, tmp_path):
    folder.run("web", "create", VIDEO)
    file = tmp_path / "domains.txt"
    file.write_text("# a comment\n\nvideo.test\n  films.test/x  \n")
    assert folder.run("web", "add", VIDEO, "--from", str(file)).output.startswith("2 added")
    assert folder.run("web", "remove", VIDEO, "--from", "-", text="video.test\n").output.startswith("1 removed")


def test_each_bad_entry_is_named(folder):
    folder.run("web", "create", VIDEO)
    result = folder.run("web", "add", VIDEO, "a,b", "ok.test", "*.x.test", "ok.test")
    assert result.exit_code == 1
    assert "Error: a,b: Domain is not valid" in result.output
    assert "Error: *.x.test: Domain is not valid" in result.output
    assert "Error: ok.test: The URL is in the list twice: it is the same as 'ok.test'" in result.output
    result = folder.run("web", "remove", VIDEO, "none.test")
    assert (result.exit_code, result.output.startswith("Error: none.test: ")) == (1, True)


def test_a_list_is_for_users_and_groups(folder):
    folder.call("directory/create-group", {"description": "Trainers"})
    target = ("--user", "pat@corp.test", "--group", "trainers", "--ip", "10.0.0.0/8")
    made = folder.run("web", "create", "Training", "video.test", "--allow", *target)
    assert "for pat@corp.test from 10.0.0.0/8, Trainers from 10.0.0.0/8" in made.output


def test_what_is_missing_is_said(folder):
    folder.run("web", "create", VIDEO)
    result = folder.run("web", "add", VIDEO)
    assert (result.exit_code, "ENTRY: give at least one" in result.output) == (2, True)
    result = folder.run("web", "add", "Nothing", "x.test")
    assert result.exit_code == 1
    assert "LIST 'Nothing': there is no such web policy" in result.output


def test_a_network_that_is_none_is_said_of_the_argument(folder):
    bad = folder.run("web", "location", "create", "Berlin", "203.0.113.0/24", "203.0.113.0/40")
    assert (bad.exit_code, bad.stderr) == (2, "Error: NETWORK: IP range is not valid: 203.0.113.0/40\n")
