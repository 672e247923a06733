"""`mailreeve url`: managed URLs are made, listed, imported and removed."""

from __future__ import annotations

import json


def listed(folder, *arguments: str) -> list[dict]:
    return json.loads(folder.run("url", "list", *arguments, "--json").output)["managed_URLs"]


def test_urls_from_the_first_to_the_last(folder):
    made = folder.run("url", "block", "https://Bad.test/x?y=1", "worse.test", "--comment", "why")
    assert made.output == "block https://bad.test/x?y=1\nblock http://worse.test\n"
    assert folder.run("url", "permit", "worse.test", "--domain").output == "permit worse.test and all below it\n"
    assert [(one["domain"], one["matchType"], one["comment"]) for one in listed(folder)] == [
        ("bad.test", "explicit", "why"),
        ("worse.test", "explicit", "why"),
        ("worse.test", "domain", ""),
    ]
    assert len(listed(folder, "worse.test", "--exact")) == 2
    assert "https://bad.test/x?y=1" in folder.run("url", "list", "X?Y").output
    asked = folder.run("url", "remove", "https://bad.test/x?y=1")
    assert (asked.exit_code, asked.stderr.splitlines()[0]) == (2, "block https://bad.test/x?y=1")
    assert (
        folder.run("url", "remove", "bad.test/x?y=1", "--yes").output == "removed block https://bad.test/x?y=1\n"
    )
    twice = folder.run("url", "remove", "worse.test", "--yes")
    assert (twice.exit_code, "may be any of" in twice.output) == (1, True)
    for one in listed(folder):
        assert folder.run("url", "remove", one["id"][:12].lstrip("-"), "--yes").exit_code == 0
    assert folder.run("url", "list").output == "no managed URL\n"


def test_what_is_refused_is_named(folder):
    result = folder.run("url", "block", "a.test", "*.x.test", "a.test")
    assert result.exit_code == 1
    assert "Error: *.x.test: URL is not valid" in result.output
    result = folder.run("url", "block", "a.test/", "b.test")
    assert result.exit_code == 1
    assert "Error: a.test/: The managed URL already exists" in result.output
    assert [one["domain"] for one in listed(folder)] == ["a.test", "b.test"]
    result = folder.run("url", "remove", "c.test", "--yes")
    assert (result.exit_code, "c.test" in result.output) == (2, True)


def test_a_file_is_imported_and_may_be_so_again(folder, tmp_path):
    file = tmp_path / "urls.txt"
    file.write_text("# bad ones\n\nbad.test/x\nhttp://worse.test/\n")
    assert folder.run("url", "import", str(file)).output == "2 blocked\n"
    again = folder.run("url", "import", "-", "--action", "permit", text="bad.test/x\ngood.test\n*.x.test\n")
    assert again.exit_code == 1
    assert again.output.startswith("1 permitted, 1 there already\n")
    assert "standard input line 3: *.x.test: URL is not valid" in again.output
    assert {one["domain"]: one["action"] for one in listed(folder)} == {
        "bad.test": "block", "worse.test": "block", "good.test": "permit",
    }  # fmt: skip
    assert folder.run("url", "import", "-", text="# nothing\n").exit_code == 1
