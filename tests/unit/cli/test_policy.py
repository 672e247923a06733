"""`mailreeve policy`: all policies in one list, filtered and short; made, switched, removed by a few letters."""

from __future__ import annotations

import json

import pytest

from mailreeve.cli.ids import bare

EVERYONE = {"type": "everyone"}


def done(folder, *arguments: str, **more: object) -> str:
    """What a command that must succeed prints."""
    result = folder.run("policy", *arguments, **more)
    assert (result.exit_code, result.exception) == (0, None), result.stderr
    return result.stdout


def refused(folder, *arguments: str) -> tuple[int, str]:
    """How a command ends that must not succeed: in one line."""
    result = folder.run("policy", *arguments)
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1, result.stderr
    return result.exit_code, result.stderr.strip()


def rows(folder, *arguments: str) -> list[dict]:
    return json.loads(done(folder, "list", "--json", *arguments))["policies"]


def web_list(folder) -> str:
    targets = [{"description": name, "from": EVERYONE, "to": EVERYONE} for name in ("a", "b")]
    urls = [{"action": "block", "type": "domain", "value": "games.test"}]
    path = "policy/webwhiteurl/create-policy-with-targets"
    return folder.call(path, {"description": "games", "policies": targets, "urls": urls})[0]["id"]


def test_a_list_fits_its_screen_and_shows_what_tells_policies_apart(folder):
    folder.block("evil.test")
    web_list(folder)
    done(folder, "block", "shop.test", "--until", "2099-12-31", "--description", "x" * 200)
    for columns in (80, 40):
        output = done(folder, "list", columns=columns)
        assert max(map(len, output.splitlines())) <= columns
    lines = done(folder, "list").splitlines()
    assert lines[0].split() == ["id", "does", "is", "from", "to", "description", "valid"]
    assert len(lines) == 9
    (line,) = [line for line in lines if "evil.test" in line]
    assert line.split()[1:3] == ["block", "on"]
    assert "to 2099-12-31" in next(line for line in lines if "shop.test" in line)


def test_a_limit_is_kept_and_the_rest_told_of(folder):
    for n in range(5):
        folder.block(f"n{n}.test")
    result = folder.run("policy", "list", "--limit", "3")
    assert len(result.stdout.splitlines()) == 4
    assert result.stderr == "the first 3 of 10 policies; --limit 30 lists more, --limit 0 all\n"
    answer = json.loads(done(folder, "list", "--json", "--limit", "3"))
    assert (len(answer["policies"]), answer["more"]) == (3, True)
    answer = json.loads(done(folder, "list", "--json", "--limit", "0"))
    assert (len(answer["policies"]), answer["more"]) == (10, False)
    assert json.loads(done(folder, "list", "--json", "--limit", "10"))["more"] is False


def test_filters_are_those_of_the_api_in_short_words(folder):
    group = folder.call("directory/create-group", {"description": "Rivals"})[0]["id"]
    folder.call("directory/add-group-member", {"id": group, "domain": "rival.test"})
    done(folder, "block", "group:rivals", "--to", "ann@corp.test")
    done(folder, "permit", "bank.test")
    for arguments, wanted in (
        (["--type", "permitted", "--text", "bank"], ["Permit bank.test"]),
        (["--from", "bank.test"], ["Permit bank.test"]),
        (["--group", "RIVALS"], ["Block group:rivals"]),
        (
            ["--matching", "a@rival.test", "--matching-to", "ann@corp.test"],
            ["Block group:rivals", "Default: spam scanning"],
        ),
        (["--from", "external", "--to", "external"], ["Default: no open relay"]),
        (["--disabled"], []),
        (["--expired"], []),
    ):
        assert [row["description"] for row in rows(folder, *arguments)] == wanted, arguments
    result = folder.run("policy", "list", "--disabled")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "no policy like that\n")


def test_a_policy_is_made_in_a_line_and_found_by_what_the_line_shows(folder):
    made = done(folder, "block", "shop.test", "--until", "7d", "--reason", "Ticket 4711", "--ip", "192.0.2.0/24")
    id_, _, said = made.strip().partition("  ")
    assert said.startswith("block shop.test to internal, to 20")
    shown = done(folder, "show", id_)
    assert "Ticket 4711" in shown
    assert "192.0.2.0/24" in shown
    policy = json.loads(done(folder, "show", "Block shop.test", "--json"))
    assert (policy["from"], policy["comment"]) == ([{"type": "email_domain", "value": "shop.test"}], "Ticket 4711")
    for text, type_, part in (
        ("name:The Boss", "header_display_name", "header_from"),
        ("free-mail", "free_mail_domains", "envelope_from"),
        ("eve@far.test", "individual_email_address", "envelope_from"),
    ):
        made = json.loads(done(folder, "exempt", text, "--json"))
        assert (made["from"][0]["type"], made["fromPart"], made["does"]) == (type_, part, "no_action")


def test_policies_of_every_type_are_switched_off_on_and_removed(folder):
    known = {
        "blocked": done(folder, "block", "evil.test").split()[0],
        "permitted": done(folder, "permit", "bank.test").split()[0],
        "web": web_list(folder),
    }
    set_ = folder.call("policy/address-alteration/create-address-alteration-set", {"description": "Merger"})
    policy = {"description": "merger", "from": EVERYONE, "to": EVERYONE}
    path = "policy/address-alteration/create-policy"
    known["alteration"] = folder.call(path, {"addressAlterationSetId": set_[0]["id"], "policy": policy})[0]["id"]
    for verb, option in (("disable", "--disabled"), ("enable", "--enabled")):
        assert done(folder, verb, *known.values()).count(f"{verb}d ") == 4
        # Of an id that begins with a dash, which one in 64 does, the beginning is shown without it.
        ids = [bare(row["id"]) for row in rows(folder, option)]
        assert all(any(id_.startswith(bare(given)) for id_ in ids) for given in known.values())
    before = len(rows(folder))
    answer = json.loads(done(folder, "remove", *known.values(), "--yes", "--json"))
    assert len(answer["removed"]) == 4
    assert len(rows(folder)) == before - 4


def test_a_removal_is_asked_about_and_a_wide_block_too(folder):
    id_ = done(folder, "block", "evil.test").split()[0]
    result = folder.run("policy", "remove", id_)
    assert result.exit_code == 2
    assert "block evil.test to internal" in result.stderr
    assert "give --yes" in result.stderr
    assert len(rows(folder, "--from", "evil.test")) == 1
    code, told = refused(folder, "block", "everyone")
    assert code == 1
    assert told.endswith("if that is meant, give --yes")
    assert "block everyone to internal" in done(folder, "block", "everyone", "--yes")


def test_what_was_done_before_a_refusal_is_told(folder):
    id_ = done(folder, "block", "evil.test").split()[0]
    guard = next(row["id"] for row in rows(folder) if row["immutable"])
    result = folder.run("policy", "disable", id_, guard)
    assert result.exit_code == 1
    assert result.stdout.startswith(f"disabled {id_}")
    assert "This policy cannot be changed" in result.stderr
    assert [row["description"] for row in rows(folder, "--disabled")] == ["Block evil.test"]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["list", "--from", "a@"], 2, "--from 'a@'"),
        (["list", "--matching", "corp.test"], 2, "--matching 'corp.test'"),
        (["list", "--group", "Nobody"], 1, "--group 'Nobody'"),
        (["list", "--limit", "-1"], 2, "--limit"),
        (["list", "--type", "junk"], 2, "--type"),
        (["show", "zzzzzzzz"], 1, "ID 'zzzzzzzz'"),
        (["show", "A" * 43], 1, "AAAAAAAA"),
        (["block", "shop"], 2, "FROM 'shop'"),
        (["block", "a b@shop.test"], 2, "FROM 'a b@shop.test'"),
        (["block", "x.test", "--to", "ann@"], 2, "--to 'ann@'"),
        (["block", "x.test", "--until", "soon"], 2, "--until 'soon'"),
        (["block", "x.test", "--until", "2020-01-01", "--start", "2021-01-01"], 2, "--until '2020-01-01'"),
        (["block", "x.test", "--ip", "300.1.1.1"], 2, "--ip"),
        (["block", "group:Nobody"], 1, "FROM 'Nobody'"),
        (["block", "attribute:red"], 2, "attribute:NAME=VALUE"),
        (["block", ""], 2, "FROM"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_wrong_is_told_in_a_line_with_the_option_and_its_value(folder, arguments, code, told):
    got, line = refused(folder, *arguments)
    assert got == code
    assert told in line
    assert "err_" not in line


def test_spam_policies_are_made_and_changed_in_a_line(folder):
    """What is left out is as without a policy; a change keeps the rest."""
    said = done(folder, "spam", "everyone", "--to", "ann@corp.test", "--spam", "tag", "--spam-score", "8")
    id_ = said.split()[0]
    (row,) = rows(folder, "--type", "spam", "--to", "ann@corp.test")
    assert row["does"] == "reject: refuse, spam from 8: tag, greylist: put_off, virus: refuse, malformed: note"
    assert row["description"] == "Spam scanning of everyone"
    done(folder, "spam-change", id_, "--malformed", "hold", "--spam-score", "0")
    (row,) = rows(folder, "--type", "spam", "--to", "ann@corp.test")
    assert row["does"] == "reject: refuse, spam: tag, greylist: put_off, virus: refuse, malformed: hold"
    code, said = refused(folder, "spam", "everyone", "--subject-prefix", "x" * 65)
    assert (code, said.startswith("Error: --subject-prefix")) == (2, True), said
    done(folder, "disable", id_)
    done(folder, "remove", id_, "--yes")
