"""Roles, administrators and accounts by commands on a folder: what is done is shown, what is wrong is named."""

from __future__ import annotations

import json

import pytest

from mailreeve.access.caller import Origin
from mailreeve.client import Credentials
from mailreeve.families.archive import rows as archive_rows
from mailreeve.families.archive.keep import keep as archive
from mailreeve.families.machinery.copies import ArchivedCopy, Copy, RecipientOfCopy, Routed
from mailreeve.formats.addresses import parse_address
from mailreeve.formats.message import Content

READ = "Account | Dashboard | Read"
GROUPS = "Directories | Groups | Read"


def done(folder, *arguments: str, text: str | None = None) -> str:
    result = folder.run(*arguments, text=text)
    assert (result.exit_code, result.stderr) == (0, ""), result.stderr
    assert max(map(len, result.stdout.splitlines())) <= 80 or {"--json", "--save"} & set(arguments)
    return result.stdout


def told(folder, *arguments: str, text: str | None = None) -> dict:
    return json.loads(done(folder, *arguments, "--json", text=text))


def test_a_role_is_made_changed_shown_and_deleted(folder) -> None:
    assert "Account | Dashboard | Read" in done(folder, "role", "create", "Watcher", "-p", READ)
    assert told(folder, "role", "update", "watcher", "--add", GROUPS)["permissions"] == [READ, GROUPS]
    said = done(
        folder, "role", "update", "watcher", "--remove", "account|dashboard|READ", "--description", "looks"
    )
    assert said.splitlines() == [
        "Watcher, custom",
        "  looks",
        "  no users and no applications have it",
        f"  {GROUPS}",
    ]
    assert told(folder, "role", "update", "Watcher", "-p", READ, "--name", "Onlooker")["permissions"] == [READ]
    lines = done(folder, "role", "list").splitlines()
    assert len(lines) == 7
    assert lines[-1].split() == ["Onlooker", "1", "0", "0", "custom"]
    assert done(folder, "role", "delete", "onlooker") == "deleted Onlooker\n"


def test_an_administrator_is_added_listed_locked_and_dismissed(folder) -> None:
    said = done(folder, "admin", "add", "ann@corp.test", "--role", "help desk", "--name", "Ann")
    assert said.startswith("ann@corp.test, Help Desk\n  password  ")
    made = told(
        folder, "admin", "add", "bob@corp.test", "--role", "Help Desk", "--password-stdin", text="a password\n"
    )
    assert "password" not in made
    assert made["localPassword"] is True
    assert done(folder, "admin", "lock", "ann@corp.test") == "ann@corp.test is locked\n"
    lines = [line.split() for line in done(folder, "admin", "list").splitlines()]
    assert ["ann@corp.test", "Help", "Desk", "locked", "0", "never"] in lines
    assert done(folder, "admin", "unlock", "ann@corp.test") == "ann@corp.test is not locked\n"
    assert "another password\n  password  " in done(folder, "admin", "reset-password", "ann@corp.test")
    assert done(folder, "admin", "set-role", "ann@corp.test", "basic administrator").endswith(
        "Basic Administrator\n"
    )
    assert done(folder, "admin", "remove", "ann@corp.test") == "ann@corp.test has no role now\n"
    found = told(folder, "admin", "list")["administrators"]
    assert [one["emailAddress"] for one in found] == ["admin@corp.test", "bob@corp.test"]


def test_who_is_given_less_is_warned_of(folder) -> None:
    done(folder, "admin", "add", "ann@corp.test", "--role", "Full Administrator")
    done(folder, "keys", "new", "--user", "ann@corp.test", "--name", "playbooks", "--json")
    result = folder.run("admin", "remove", "ann@corp.test")
    assert result.exit_code == 0
    assert result.stderr.startswith("Warning: ann@corp.test has keys of the application playbooks")


def test_an_account_with_mail_under_legal_hold_is_not_removed_by_accident(folder) -> None:
    """And stays as it was: not locked, nothing gone."""
    code = told(folder, "account", "add", "--domain", "second.test")["account_code"]
    account_id = folder.opened.account_id(code)
    to = parse_address("a@second.test")
    copy = Copy(account_id, "a" * 16, to, (Routed(to, to),), Content(b"Subject: evidence\r\n"))
    archived = ArchivedCopy(copy, (RecipientOfCopy(str(to), str(to), (), 1),), "", 0.0)

    def keep(work) -> None:
        key = archive(work, archived, "f" * 64)
        assert key is not None
        archive_rows.set_legal_hold(work, key, True)

    folder.opened.store.write(account_id, Origin("test"), keep)
    refused = folder.run("account", "remove", code, "--yes")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "1 message is under legal hold in its archive" in refused.stderr
    assert "--with-legal-holds" in refused.stderr
    (one,) = [row for row in told(folder, "account", "list")["accounts"] if row["code"] == code]
    assert one["locked"] is False
    assert told(folder, "account", "remove", code, "--yes", "--with-legal-holds")["rows"] > 10


def test_accounts_are_added_listed_locked_and_removed(folder, tmp_path) -> None:
    file = tmp_path / "more.json"
    said = done(folder, "account", "add", "--domain", "more.test", "--name", "More", "--save", str(file))
    code = json.loads(file.read_text())["account_code"]
    assert code in said
    assert Credentials.load(file)
    done(folder, "account", "lock", code)
    assert "as it was" in done(folder, "account", "lock", code)
    (line,) = (one for one in done(folder, "account", "list").splitlines() if one.startswith(code))
    assert line.split()[:5] == [code, "More", "more.test", "3", "locked"]
    assert told(folder, "account", "unlock", code) == {"code": code, "locked": False, "changed": True}
    # Whatever is asked of one of two accounts names it.
    assert "there are several accounts" in folder.run("keys", "list").stderr
    assert "more.test" in done(folder, "admin", "list", "--account", code)
    assert told(folder, "account", "remove", code, "--yes")["rows"] > 10
    assert len(told(folder, "account", "list")["accounts"]) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("role", "create", "New"), 2, "--permission: a role permits something"),
        (("role", "create", "New", "-p", "Read"), 1, "--permission: There is no such permission: Read"),
        (("role", "create", "Help Desk", "-p", READ), 1, "ROLE 'Help Desk': A role has this name already"),
        (("role", "update", "Help Desk", "--add", READ), 1, "ROLE 'Help Desk': Built-in roles cannot be changed"),
        (("role", "update", "King", "--add", READ), 1, "ROLE 'King': There is no such role: King"),
        (("role", "update", "King", "--add", READ, "-p", READ), 2, "--permission replaces all of them"),
        (("role", "show", "King"), 1, "ROLE 'King': There is no such role: King"),
        (("role", "delete", "Help Desk"), 1, "ROLE 'Help Desk': Built-in roles cannot be changed"),
        (("admin", "add", "ann@corp.test"), 2, "--role"),
        (("admin", "add", "ann@corp.test", "--role", "King"), 1, "--role 'King': There is no such role: King"),
        (("admin", "add", "x@far.test", "--role", "Help Desk"), 1, "ADDRESS 'x@far.test': "),
        (
            ("admin", "add", "ann@corp.test", "--role", "Help Desk", "--password-stdin"),
            2,
            "standard input is empty",
        ),
        (("admin", "lock", "admin@corp.test"), 1, "ADDRESS 'admin@corp.test': This is the last administrator"),
        (("admin", "remove", "admin@corp.test"), 1, "ADDRESS 'admin@corp.test': This is the last administrator"),
        (
            ("admin", "set-role", "admin@corp.test", "Help Desk"),
            1,
            "ROLE 'Help Desk': This is the last",
        ),
        (("admin", "set-role", "nobody", "Help Desk"), 1, "APP_ID 'nobody': nobody: there is no such application"),
        (("admin", "reset-password", "nobody@corp.test"), 1, "ADDRESS 'nobody@corp.test': "),
        (("account", "add", "--domain", "corp.test"), 1, "--domain: corp.test is a domain of the account CM"),
        (
            ("account", "add", "--domain", "a.corp.test"),
            1,
            "--domain: a.corp.test lies below corp.test, which",
        ),
        (
            ("account", "add", "--domain", "b.test", "--admin", "x@c.test"),
            2,
            "--admin 'x@c.test': c.test is none",
        ),
        (("account", "add"), 2, "--domain"),
        (("account", "lock", "NONE"), 1, "there is no account NONE"),
        (("account", "remove", "NONE", "--yes"), 1, "there is no account NONE"),
        (("account", "remove", "{code}"), 1, "Nobody can answer; give --yes"),
        (("account", "remove", "{code}", "--yes"), 1, "is the only account of the folder"),
    ],
)
def test_what_is_wrong_is_named_and_changes_nothing(folder, arguments, code: int, said: str) -> None:
    account = told(folder, "account", "list")["accounts"][0]["code"]
    lists = [("role", "list"), ("admin", "list"), ("account", "list")]
    before = [told(folder, *one) for one in lists]
    result = folder.run(*(text.format(code=account) for text in arguments))
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert [told(folder, *one) for one in lists] == before


def test_a_permission_that_is_nearly_one_is_answered_with_that(folder):
    result = folder.run("role", "create", "New", "-p", "Directories | Group | Read")
    assert (
        "There is no such permission: Directories | Group | Read (do you mean Directories | Groups"
        in result.stderr
    )
