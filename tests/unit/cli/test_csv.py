"""`--csv`: every list prints a line for each object. And what is removed is asked about first."""

from __future__ import annotations

import csv
import io
from types import SimpleNamespace

import click

from mailreeve.cli import main as cli
from mailreeve.cli.listing import print_csv


def commands(group: click.Group, path: tuple[str, ...] = ()):
    """Every command with its words, those of the lazy groups too."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
            if not command.invoke_without_command:
                continue
        yield (*path, name), command


EVERY = dict(commands(cli.main))
OPTIONS = {words: {o for p in command.params for o in p.opts} for words, command in EVERY.items()}


def test_every_list_has_csv_beside_json():
    """Whatever takes `--limit`, but for what writes no objects of its own."""
    lists = {words for words, options in OPTIONS.items() if {"--limit", "--json"} <= options}
    assert len(lists) > 20
    assert {words for words in lists if "--csv" not in OPTIONS[words]} <= {("replay",), ("message", "find")}


def test_whatever_removes_asks_first():
    """But for what only releases or switches something."""
    removing = {
        words for words in EVERY if words[-1] in {"remove", "delete", "revoke", "unallow", "remove-member"}
    }
    assert len(removing) > 12
    assert {words for words in removing if "--yes" not in OPTIONS[words]} == set()


def test_a_list_as_csv(folder):
    folder.call("domain/create-domain", {"domain": "other.test"})
    result = folder.run("domain", "list", "--csv")
    rows = list(csv.DictReader(io.StringIO(result.output)))
    assert {row["domain"] for row in rows} == {"corp.test", "other.test"}
    assert all(len(row["id"]) == 43 for row in rows), "whole ids, for programs"
    assert folder.run("domain", "list", "--csv", "--limit", "1").stdout.count("\n") == 2
    both = folder.run("domain", "list", "--csv", "--json")
    assert (both.exit_code, "either --csv or --json" in both.output) == (2, True)
    nothing = folder.run("url", "list", "--csv")
    assert (nothing.exit_code, nothing.stdout) == (0, "")
    assert folder.run("audit", "--csv").output.startswith("id,at,")


def test_cells_hold_what_programs_read(capsys):
    print_csv([{"a": "=1+1", "b": None}, {"a": True, "c": ["x", 1]}, {"a": 'say "x"\nto'}])
    assert capsys.readouterr().out == 'a,b,c\n\'=1+1,,\ntrue,,"[""x"",1]"\n"say ""x""\nto",,\n'


def test_what_is_easily_made_again_is_asked_about_at_a_terminal(folder, monkeypatch):
    folder.call("ext/create-role", {"name": "Helpers", "permissions": ["Web Security | Policies | Read"]})
    terminal = SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True))
    with monkeypatch.context() as patched:
        patched.setattr("mailreeve.cli.confirming.sys", terminal)
        refused = folder.run("role", "delete", "Helpers", text="n\n")
        assert (refused.exit_code, refused.stderr.splitlines()[0]) == (1, "the role Helpers")
        assert folder.run("role", "delete", "Helpers", text="y\n").exit_code == 0
    folder.call("ext/create-role", {"name": "Helpers", "permissions": ["Web Security | Policies | Read"]})
    assert folder.run("role", "delete", "Helpers").output == "deleted Helpers\n"
