"""`mailreeve explain` for a reader at a terminal: a table that fits, and why an expected policy did not win."""

from __future__ import annotations

import json

import pytest
from held_copies import hold, kept

from mailreeve.families.keeping.keeper import MessageKeeper
from mailreeve.families.tracking.record_budget import RecordBudget

MAIL = ("explain", "mail", "--from", "a@bad.test", "--to", "u@corp.test")


def table(output: str) -> list[str]:
    """The table with the line below it."""
    lines = output.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("#  type"))
    return lines[start:]


def screen_lines(output: str, columns: int) -> int:
    """How many lines the output takes on a screen of that width."""
    return sum(max(1, -(-len(line) // columns)) for line in output.splitlines())


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (80, 40), (120, 24), (200, 60)])
def test_the_whole_of_it_fits_a_screen_with_a_line_for_each_policy(folder, columns, lines):
    """Best first, and a line is left for the prompt, however long descriptions are and however many policies."""
    for number in range(60):
        folder.block(f"other{number}.test", description=f"A description of policy {number} " + "x" * 80)
    winner = folder.block("bad.test", description="The one that wins")
    output = folder.run(*MAIL, "--policy", winner, columns=columns, lines=lines).output
    assert screen_lines(output, columns) == lines - 1
    rows = table(output)
    assert max(map(len, rows)) <= columns
    assert rows[1].split()[:2] == ["1", "blocked"]
    assert "The one that wins" in rows[1]
    assert rows[-1].endswith("more; --all lists them")
    assert len(rows) > 5
    assert all(line[0] in "1-" for line in rows[1:-1])


def test_what_fits_is_not_cut(folder):
    """A reply is never cut, nor is what each layer found if there is room for it."""
    folder.block("bad.test", description="Short")
    output = folder.run(*MAIL).output
    told = " ".join(output.split())
    assert "550 5.7.1 Envelope rejected - block policy for envelope from address (at rcpt)" in told
    assert "- relay: the recipient is internal, the source is unknown and taken as a relay network" in told
    assert '- blocked senders: block_sender by "Short", the first of 1 that apply, by envelope_from' in told
    assert "spam checks" not in told
    assert "the sender does not match" in output
    assert all(line == line.rstrip() for line in output.splitlines())
    assert max(map(len, output.splitlines())) <= 80
    assert "--all" not in output
    assert screen_lines(output, 80) < 24


def test_where_room_is_short_what_layers_found_is_cut_and_the_reply_is_not(folder):
    folder.block("bad.test", description="Short")
    lines = folder.run(*MAIL, lines=18).output.splitlines()
    assert lines[1:3] == [
        "  reply        550 5.7.1 Envelope rejected - block policy for envelope from",
        "               address (at rcpt)",
    ]
    assert lines[6].endswith("…")
    assert len(lines[6]) == 80


def test_alteration_is_told_as_done_or_as_what_would_be_done(folder):
    item = {
        "addressAlterations": [
            {
                "addressType": "envelope_to",
                "originalAddress": "u@corp.test",
                "newAddress": "v@corp.test",
                "routing": "all",
            }
        ]
    }
    folder.call("policy/address-alteration/create-definition", item)
    shown = folder.run(*MAIL).output
    assert "  altered      envelope_to: u@corp.test -> v@corp.test" in shown
    folder.block("bad.test")
    shown = folder.run(*MAIL).output
    assert "refused" in shown.splitlines()[0]
    assert "  would alter  envelope_to: u@corp.test -> v@corp.test" in shown


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
    assert sentence in " ".join(folder.run(*MAIL, "--policy", loser).output.split())
    as_json = json.loads(folder.run(*MAIL, "--policy", loser, "--json").output)
    assert as_json["expected"]["sentence"] == sentence
    assert "expected" not in json.loads(folder.run(*MAIL, "--json").output)


def test_an_id_of_no_policy_is_an_error(folder):
    result = folder.run(*MAIL, "--policy", "nonsense")
    assert result.exit_code == 1
    assert "--policy 'nonsense': there is no such policy" in result.output
    result = folder.run(*MAIL, "--policy", "A" * 43)
    assert result.exit_code == 2
    assert "Policy not found" in result.output


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


def test_an_external_recipient_is_not_said_to_be_validated(folder):
    shown = folder.run("explain", "mail", "--from", "u@corp.test", "--to", "x@ext.test").output
    assert "recipient validation: does not apply, the recipient is external" in shown


def test_errors_name_the_options(folder):
    shown = folder.run("explain", "mail", "--from", "nobody", "--to", "u@corp.test").output
    assert shown.startswith("Error: --from 'nobody': ")
    shown = folder.run("explain", "web", "https://ex.test/", "--at", "noon").output
    assert "--at 'noon': Date is not valid: write it like 2026-12-01T09:00" in shown


@pytest.mark.parametrize("options", [(), ("--all",), ("--json",)])
def test_what_others_wrote_does_nothing_on_the_terminal(folder, options):
    """A description cannot turn the line around, nor look like a line of ours."""
    folder.block("bad.test", description="Short \u202e gnitset\n  reply  250 fine")
    output = folder.run(*MAIL, *options).output
    assert "\u202e" not in output
    assert "\\u202e" in output
    assert not any(line.startswith("  reply  250") for line in output.splitlines())


def test_an_expected_policy_may_be_named_by_a_few_letters_or_its_description(folder):
    id_ = folder.block("evil.test")
    for given in (id_, id_.lstrip("-")[:8], "block_sender evil.test"):
        arguments = ("--from", "a@evil.test", "--to", "b@corp.test", "--policy", given, "--json")
        answer = json.loads(folder.run("explain", "mail", *arguments).stdout)
        assert (answer["expected"]["id"], answer["expected"]["won"]) == (id_, True)
    result = folder.run("explain", "mail", "--from", "a@evil.test", "--to", "b@corp.test", "--policy", "nothing")
    assert (result.exit_code, "--policy 'nothing': there is no such policy" in result.stderr) == (1, True)


def test_a_message_that_came_is_explained_by_its_decision(folder):
    """As `log show` has it: what became of it, and what would today."""
    keeper = MessageKeeper(folder.opened.store, RecordBudget(), folder.opened.bodies)
    message = kept(folder.account_id, "ann@corp.test", subject="Came", sender="s@shop.test")
    hold(keeper, message)
    decision = message.outcomes[0].decision_id
    explained = folder.run("explain", "mail", "--id", decision).output
    assert explained == folder.run("log", "show", decision).output
    assert "s@shop.test" in explained
    assert "Today the same mail" in explained
    for arguments, said in (
        (("--id", decision, "--from", "a@bad.test"), "--id: the message has its own sender"),
        (("--from", "a@bad.test"), "Missing option '--to'"),
        (("--to", "u@corp.test"), "Missing option '--from'"),
    ):
        refused = folder.run("explain", "mail", *arguments)
        assert (refused.exit_code, said in refused.output) == (2, True)
    unknown = folder.run("explain", "mail", "--id", "zzzz2222zzzz2222")
    assert (unknown.exit_code, unknown.output.startswith("Error: --id: ")) == (1, True)
