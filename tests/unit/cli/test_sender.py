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
        "blocked a@x.test for ann@corp.test until 2090-01-01\nblocked x.test for ann@corp.test until 2090-01-01\n"
    )
    assert folder.run("sender", "permit", "b@x.test", *ANN).output == "permitted b@x.test for ann@corp.test\n"
    table = folder.run("sender", "list", *ANN, columns=120).output.splitlines()
    assert table[0].split() == ["id", "type", "sender", "to", "until", "set", "by", "reason"]
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


@pytest.mark.parametrize(("option", "value"), [("--for", "soon"), ("--until", "never")])
def test_a_bad_end_is_named(folder, option, value):
    result = folder.run("sender", "block", "a@x.test", *ANN, option, value)
    assert (result.exit_code, value in result.output) == (2 if option == "--for" else 1, True)
    assert folder.run("sender", "block", "a@x.test", *ANN, "--for", "1d", "--until", "2090-01-01").exit_code == 2


def test_entries_are_removed_by_id_by_its_beginning_and_by_whose_they_are(folder):
    folder.run("sender", "block", "a@x.test", "b@x.test", "c@x.test", *ANN)
    ids = {one["sender"]: one["id"].removeprefix("MTOKEN:") for one in entries(folder)}
    assert (
        folder.run("sender", "remove", ids["a@x.test"]).output
        == "removed the block of a@x.test for ann@corp.test\n"
    )
    assert folder.run("sender", "remove", ids["b@x.test"].lstrip("-")[:12]).exit_code == 0
    assert folder.run("sender", "remove", *ANN, "--sender", "c@x.test").exit_code == 0
    assert folder.run("sender", "list").output == "no entries\n"
    result = folder.run("sender", "remove", *ANN, "--sender", "c@x.test")
    assert (result.exit_code, "c@x.test: There is no such entry" in result.output) == (1, True)


@pytest.mark.parametrize(
    "arguments", [(), ("--sender", "a@x.test"), ("abcdefgh", *ANN), ("abcdefgh", "--expired")]
)
def test_remove_says_what_it_takes(folder, arguments):
    assert folder.run("sender", "remove", *arguments).exit_code == 2


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_what_is_given_out_is_taken_in(folder, tmp_path, form):
    """Into an empty account, and again without a change."""
    reason = 'a, "quoted" one'
    folder.run("sender", "block", "a@x.test", *ANN, "--until", "2090-01-01", "--reason", reason)
    folder.run("sender", "permit", "bücher.test", "--to", "bob@corp.test")
    before = folder.run("sender", "export", "--format", form).output
    file = tmp_path / "lists"
    assert folder.run("sender", "export", "--format", form, "-o", str(file)).exit_code == 0
    assert file.read_text() == before
    assert folder.run("sender", "import", str(file)).output == "0 added, 0 changed, 2 unchanged\n"
    folder.run("sender", "remove", *ANN, "--sender", "a@x.test")
    folder.run("sender", "remove", "--to", "bob@corp.test", "--sender", "bücher.test")
    would = folder.run("sender", "import", str(file), "--dry-run").output
    assert would == "nothing is changed; it would be: 2 added, 0 changed, 0 unchanged\n"
    assert folder.run("sender", "import", "-", text=before).output == "2 added, 0 changed, 0 unchanged\n"
    assert sorted(folder.run("sender", "export", "--format", form).output) == sorted(before)


def test_each_bad_line_is_told_with_its_number_and_value(folder):
    text = "sender,action,expires\na@x.test,block,\n*@x.test,block\n\nb@x.test,bloc\nc@x.test,block,1,2\n"
    result = folder.run("sender", "import", "-", *ANN, text=text)
    lines = result.output.splitlines()
    assert (result.exit_code, lines[0]) == (1, "1 added, 0 changed, 0 unchanged, 3 lines refused")
    assert [line.split(":")[1].strip() for line in lines[1:]] == ["line 3", "line 5", "line 6"]
    assert "sender '*@x.test'" in lines[1]
    assert "type 'bloc'" in lines[2]
    text = '{"sender": "d@x.test", "type": "Block"}\nnonsense\n[]\n{"sender": 7}\n'
    result = folder.run("sender", "import", "-", *ANN, text=text, columns=200)
    assert result.output.splitlines()[0] == "1 added, 0 changed, 0 unchanged, 3 lines refused"


def test_a_file_that_names_no_sender_is_refused_whole(folder):
    result = folder.run("sender", "import", "-", text="from,to\na@x.test,ann@corp.test\n")
    assert (result.exit_code, "nothing was taken in" in result.output) == (1, True)


def test_files_of_both_commands_are_alike(folder, tmp_path):
    """What `sender export` gives out `import senders` takes in, and the other way round."""
    folder.run("sender", "block", "a@x.test", *ANN, "--until", "2090-01-01", "--reason", "=why")
    one, other = folder.run("sender", "export").output, folder.run("export", "senders").output
    assert one == other
