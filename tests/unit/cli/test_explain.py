"""`mailreeve explain` for a reader at a terminal: a table that fits, and why an expected policy did not win."""

from __future__ import annotations

import json

import pytest

MAIL = ("explain", "mail", "--from", "a@bad.test", "--to", "u@corp.test")


def table(output: str) -> list[str]:
    """The table with the line below it."""
    lines = output.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("#  type"))
    return lines[start:]


@pytest.mark.parametrize("columns", [80, 120])
def test_the_table_fits_a_screen_with_a_line_for_each_policy(folder, columns):
    """Best first; 24 lines at most, none wider than the terminal, however long descriptions are."""
    for number in range(40):
        folder.block(f"other{number}.test", description=f"A description of policy {number} " + "x" * 80)
    folder.block("bad.test", description="The one that wins")
    lines = table(folder.run(*MAIL, columns=columns).output)
    assert len(lines) <= 24
    assert max(map(len, lines)) <= columns
    assert lines[1].split()[:2] == ["1", "blocked"]
    assert "The one that wins" in lines[1]
    assert lines[-1].endswith("more; --all lists them")
    assert all(line[0] in "1-" for line in lines[1:-1])


def test_all_lists_every_policy_and_cuts_nothing(folder):
    for number in range(30):
        folder.block(f"other{number}.test", description=f"policy {number} " + "x" * 60)
    shown = folder.run(*MAIL, "--all").output
    assert "…" not in shown
    assert "--all" not in shown
    assert sum(line.startswith("-  blocked") for line in shown.splitlines()) >= 30


def test_those_that_applied_come_first_each_with_what_became_of_it(folder):
    folder.block("bad.test", description="Loses")
    folder.block("bad.test", "no_action", description="Wins", override=True)
    lines = table(folder.run(*MAIL).output)
    assert [line.split()[0] for line in lines[1:3]] == ["1", "2"]
    assert "won" in lines[1]
    assert "exempts" in lines[1]
    assert "outranked by the first" in lines[2]
    assert "the sender does not match" in lines[3]


def test_what_people_typed_is_no_markup(folder):
    folder.block("bad.test", description="[bold]:boom:[/bold] [oops")
    assert "[bold]:boom:[/bold] [oops" in folder.run(*MAIL, columns=120).output


def test_an_expected_policy_is_told_about_in_a_sentence(folder):
    loser = folder.block("bad.test", description="Loser")
    folder.block("bad.test", "no_action", description="Winner", override=True)
    sentence = '"Loser" applied but lost to "Winner": both apply, and the latter overrides'
    assert sentence in folder.run(*MAIL, "--policy", loser).output.splitlines()
    as_json = json.loads(folder.run(*MAIL, "--policy", loser, "--json").output)
    assert as_json["expected"]["sentence"] == sentence
    assert "expected" not in json.loads(folder.run(*MAIL, "--json").output)


def test_an_id_of_no_policy_is_an_error(folder):
    result = folder.run(*MAIL, "--policy", "nonsense")
    assert result.exit_code == 1
    assert "--policy: Policy not found" in result.output


def test_a_web_list_is_told_about_too(folder):
    item = {
        "description": "Video",
        "policies": [{"description": "all", "from": {"type": "everyone"}}],
        "urls": [{"action": "block", "type": "domain", "value": "video.test"}],
    }
    (made,) = folder.call("policy/webwhiteurl/create-policy-with-targets", item)
    shown = folder.run("explain", "web", "https://www.video.test/", "--policy", made["id"]).output
    assert '"Video" won: block domain video.test settled the verdict' in shown
    assert "video.test (Video)" in table(shown)[1]
    shown = folder.run("explain", "web", "https://other.test/", "--policy", made["id"]).output
    assert '"Video" did not apply: the host does not match' in shown
