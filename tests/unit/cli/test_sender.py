"""`mailreeve sender`: entries of personal lists are set, listed, removed, taken in and given out."""

from __future__ import annotations

import json

import pytest

ANN = ("--to", "ann@corp.test")


def entries(folder, *more: str) -> list[dict]:
    return json.loads(folder.run("sender", "list", "--json", *more).output)["entries"]


def test_entries_are_set_and_listed(folder):
    result = folder.run("sender", "block", "a@x.test", "x.test", *ANN, "--until", "2090-01-01", "--reason", "why")
    assert result.output == (
        "blocked a@x.test for ann@corp.test until 2090-01-01 00:00 UTC\n"
        "blocked x.test for ann@corp.test until 2090-01-01 00:00 UTC\n"
    )
    assert folder.run("sender", "permit", "b@x.test", *ANN).output == "permitted b@x.test for ann@corp.test\n"
    table = folder.run("sender", "list", *ANN, columns=120).output.splitlines()
    assert table[0].split() == ["id", "type", "sender", "to", "until", "(UTC)", "set", "by", "reason"]
    assert [line.split()[1:3] for line in table[1:]] == [
        ["block", "a@x.test"],
        ["block", "x.test"],
        ["permit", "b@x.test"],
    ]
    assert {one["setBy"].split(" (")[0] for one in entries(folder)} == {"command line"}


def test_a_bad_sender_leaves_the_others_and_is_named(folder):
    result = folder.run("sender", "block", "a@x.test", "*@x.test", *ANN)
    assert result.exit_code == 1
    assert "blocked a@x.test" in result.output
    assert "Error: *@x.test: Email address is not valid" in result.output


def test_an_end_is_a_span_or_a_time_and_a_bad_one_is_named(folder):
    assert folder.run("sender", "block", "a@x.test", *ANN, "--until", "2w").exit_code == 0
    assert "expires" in entries(folder)[0]
    result = folder.run("sender", "block", "a@x.test", *ANN, "--until", "soon")
    assert (result.exit_code, "--until 'soon': write 30m" in result.output) == (2, True)


def test_entries_are_removed_by_id_by_its_beginning_and_by_whose_they_are(folder):
    folder.run("sender", "block", "a@x.test", "b@x.test", "c@x.test", *ANN)
    ids = {one["sender"]: one["id"].removeprefix("MTOKEN:") for one in entries(folder)}
    assert (
        folder.run("sender", "remove", ids["a@x.test"]).output
        == "removed the block of a@x.test for ann@corp.test\n"
    )
    assert folder.run("sender", "remove", ids["b@x.test"].lstrip("-")[:12]).exit_code == 0
    assert folder.run("sender", "remove", *ANN, "--sender", "c@x.test").exit_code == 0
    assert folder.run("sender", "list").output == "no entry\n"
    result = folder.run("sender", "remove", *ANN, "--sender", "c@x.test")
    assert (result.exit_code, "c@x.test: There is no such entry" in result.output) == (1, True)


@pytest.mark.parametrize(
    "arguments", [(), ("--sender", "a@x.test"), ("abcdefgh", *ANN), ("abcdefgh", "--expired")]
)
def test_remove_says_what_it_takes(folder, arguments):
    assert folder.run("sender", "remove", *arguments).exit_code == 2


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_what_is_given_out_is_taken_in(folder, tmp_path, form):
    """By the same code as with `mailreeve import senders`, reason and end included; into an empty account, and
    again without a change."""
    folder.run("sender", "block", "a@x.test", *ANN, "--until", "2090-01-01", "--reason", '=a, "quoted" one')
    folder.run("sender", "permit", "bücher.test", "--to", "bob@corp.test")
    before = folder.run("sender", "export", "--format", form).output
    assert folder.run("export", "senders", "--format", form).output == before
    file = tmp_path / "lists"
    assert folder.run("sender", "export", "--format", form, str(file)).exit_code == 0
    assert file.read_text() == before
    assert "0 added, 0 changed, 2 unchanged" in folder.run("sender", "import", str(file)).output
    folder.run("sender", "remove", *ANN, "--sender", "a@x.test")
    folder.run("sender", "remove", "--to", "bob@corp.test", "--sender", "bücher.test")
    assert "2 added" in folder.run("sender", "import", str(file), "--dry-run").output
    assert not entries(folder)
    assert "2 added" in folder.run("sender", "import", "-", text=before).output
    assert sorted(folder.run("sender", "export", "--format", form).output) == sorted(before)
