"""`mailreeve delegate` and `alteration`: short lists of what the API holds, named by addresses and names."""

from __future__ import annotations

import json

import pytest

ROOM = "policy/address-alteration/"


@pytest.fixture
def people(folder):
    for name in ("ann", "boss"):
        folder.call("user/create-user", {"emailAddress": f"{name}@corp.test", "name": name.title()})
    return folder


def test_a_right_is_given_listed_and_taken_away_by_addresses(people):
    mailbox = ("ann@corp.test", "--mailbox", "boss@corp.test")
    assert (
        people.run("delegate", "add", *mailbox).stdout == "ann@corp.test may open the mailbox of boss@corp.test\n"
    )
    lines = people.run("delegate", "list", "ann@corp.test").stdout.splitlines()
    assert lines[0].split() == ["id", "mailbox", "name", "opens"]
    assert lines[1].split()[1:] == ["boss@corp.test", "Boss", "held,", "lists,", "archive"]
    (right,) = json.loads(people.run("delegate", "list", "ann@corp.test", "--json").stdout)["mailboxes"]
    assert right["id"].lstrip("-").startswith(lines[1].split()[0])
    assert people.run("delegate", "remove", *mailbox).exit_code == 0
    result = people.run("delegate", "list", "ann@corp.test")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "no mailbox\n")


def test_a_right_is_narrowed_and_ended_by_options(people):
    mailbox = ("ann@corp.test", "--mailbox", "boss@corp.test")
    until = ("--until", "2090-01-01T00:00")
    done = people.run("delegate", "add", *mailbox, "--scope", "lists", "--scope", "held", *until)
    assert (
        done.stdout
        == "ann@corp.test may open the mailbox of boss@corp.test (lists, held) until 2090-01-01 00:00 UTC\n"
    )
    lines = people.run("delegate", "list", "ann@corp.test").stdout.splitlines()
    assert lines[1].split()[3:] == ["held,", "lists", "2090-01-01", "00:00"]
    (right,) = json.loads(people.run("delegate", "list", "ann@corp.test", "--json").stdout)["mailboxes"]
    assert (right["scopes"], right["expires"]) == (["held", "lists"], "2090-01-01T00:00:00+0000")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["list", "nobody@corp.test"], 1, "HOLDER 'nobody@corp.test'"),
        (["add", "ann@corp.test", "--mailbox", "x@"], 2, "--mailbox 'x@'"),
        (["remove", "ann@corp.test", "--mailbox", "boss@corp.test"], 1, "--mailbox 'boss@corp.test'"),
        (["add", "ann@corp.test"], 2, "--mailbox"),
        (["add", "ann@corp.test", "--mailbox", "boss@corp.test", "--scope", "all"], 2, "--scope"),
        (["add", "ann@corp.test", "--mailbox", "boss@corp.test", "--until", "2000-01-01"], 1, "--until"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_is_wrong_with_a_right_is_told_in_a_line(people, arguments, code, told):
    result = people.run("delegate", *arguments)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (code, "", 1), result.stderr
    assert told in result.stderr


def test_sets_and_definitions_are_listed_with_where_they_are(folder):
    path = ROOM + "create-address-alteration-set"
    above = folder.call(path, {"description": "Merger"})[0]["id"]
    below = folder.call(path, {"description": "Sales", "parentId": above})[0]["id"]
    for where in ({}, {"folderId": below}):
        one = {
            "originalAddress": "old@corp.test",
            "newAddress": "ann@corp.test",
            "addressType": "envelope_to",
            "routing": "inbound",
        }
        folder.call(ROOM + "create-definition", {**where, "addressAlterations": [one]})
    lines = folder.run("alteration", "sets").stdout.splitlines()
    assert [line.split()[1] for line in lines[1:]] == ["Merger", "Sales"]
    assert lines[2][lines[1].index("Merger") :].startswith("  Sales")
    for arguments, places in (
        ((), ["root", "Sales"]),
        (("root",), ["root"]),
        (("sales",), ["sales"]),
        (("sales", "--original", "old@corp.test"), ["sales"]),
    ):
        found = json.loads(folder.run("alteration", "definitions", *arguments, "--json").stdout)
        assert [one["set"] for one in found["definitions"]] == places, arguments
    found = json.loads(folder.run("alteration", "definitions", "--original", "old@corp.test", "--json").stdout)
    assert len(found["definitions"]) == 2
    for columns in (80, 40):
        output = folder.run("alteration", "definitions", columns=columns).stdout
        assert max(map(len, output.splitlines())) <= columns
    result = folder.run("alteration", "definitions", "Nobody")
    assert (result.exit_code, "SET 'Nobody'" in result.stderr) == (1, True)
