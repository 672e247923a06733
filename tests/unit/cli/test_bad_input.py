"""Whatever is wrong with a command is told in one line that names the option and its value, with exit code 2.

Where nothing is wrong with the command, but with what it is about, the code is 1. The first tests walk through all
commands that there are; the table has what no walk finds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from mailreeve.cli.main import main


def commands(
    group: click.Group = main, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command, with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


COMMANDS = dict(commands())
DASHED = {("keys", "revoke"), ("keys", "rotate"), ("message", "show")}
"""They take access keys or ids, which may begin with a dash, so that what looks like an option may be one."""
STRICT = [
    path for path in COMMANDS if path not in DASHED and path not in {("log",), ("audit",)}
]  # which is `log list` without more
LEAVES = [path for path, command in COMMANDS.items() if not isinstance(command, click.Group)]


def ended(*arguments: str, text: str | None = None) -> tuple[int, str]:
    """How a command ends that must not succeed: the exit code and the one line that it says."""
    result = CliRunner(env={"COLUMNS": "80"}).invoke(main, arguments, input=text, prog_name="mailreeve")
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.stderr.startswith("Error: "), result.output
    assert result.stderr.count("\n") == 1, result.stderr
    return result.exit_code, result.stderr


@pytest.mark.parametrize("path", STRICT, ids=" ".join)
def test_a_misspelt_option_is_named(path):
    code, line = ended(*path, "--colour", "blue")
    assert code == 2
    assert "'--colour'" in line
    assert f"mailreeve {' '.join(path)} --help" in line


def bad_values() -> Iterator[tuple[tuple[str, ...], str, str]]:
    """For every option that takes a number, or one of a few words, something else."""
    for path, command in COMMANDS.items():
        for parameter in command.params:
            if not isinstance(parameter, click.Option) or parameter.is_flag or parameter.count:
                continue
            if isinstance(parameter.type, click.Choice | click.types.IntParamType | click.types.FloatParamType):
                yield path, parameter.opts[0], "blue"


@pytest.mark.parametrize(("path", "option", "value"), list(bad_values()), ids=lambda value: "".join(value)[:40])
def test_a_value_of_the_wrong_kind_is_named_with_its_option(path, option, value):
    code, line = ended(*path, option, value)
    assert code == 2
    assert option in line
    assert f"'{value}'" in line


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_its_help_has_an_example_and_fits_the_screen(path):
    """The example may stand in the help of its group."""
    result = CliRunner(env={"COLUMNS": "80"}).invoke(main, [*path, "--help"])
    assert result.exit_code == 0
    assert max(map(len, result.output.splitlines())) <= 80, result.output
    above = CliRunner(env={"COLUMNS": "80"}).invoke(main, [*path[:-1], "--help"]).output if path[1:] else ""
    called = (
        " ".join(path).removesuffix(" list") if path in {("log", "list"), ("audit", "list")} else " ".join(path)
    )
    examples = re.findall(r"^ +mailreeve (.*)", result.output + above, re.MULTILINE)
    assert any(example.startswith(called) for example in examples), result.output


@pytest.mark.parametrize(
    "path", [path for path in COMMANDS if path not in LEAVES and path not in {("log",), ("audit",)}], ids=" ".join
)
def test_a_list_of_commands_tells_whole_sentences(path):
    result = CliRunner(env={"COLUMNS": "80"}).invoke(main, [*path, "--help"])
    listed = result.output.partition("Commands:\n")[2]
    assert listed
    assert "..." not in listed


def test_a_server_elsewhere_is_called_without_a_folder(tmp_path):
    code, line = ended("policy", "list", "--data", str(tmp_path / "none"), "--url", "http://127.0.0.1:9")
    assert code == 1
    assert "give --credentials with a file that" in line
    assert "mailreeve init --data" not in line


def test_what_there_is_to_choose_from_stands_in_the_same_line():
    assert "Choose from: users, groups, " in ended("export")[1]


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("polcy", "policy"), ("doctr", "doctor"), ("sender lst", "list"), ("policy dissable x", "disable")],
)
def test_a_misspelt_command_is_answered_with_the_one_that_is_meant(wrong, meant):
    code, line = ended(*wrong.split())
    assert code == 2
    assert f"Did you mean '{meant}'? See mailreeve " in line


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ("serve --workers two", 2, "--workers 'two': a whole number is expected"),
        ("serve --workers 0", 2, "--workers '0': a whole number of at least 1"),
        ("serve --http nowhere", 2, "--http 'nowhere': this is not HOST:PORT"),
        ("serve --next-hop nowhere", 2, "--next-hop 'nowhere': this is not HOST:PORT"),
        ("serve --tls-cert cert.pem", 2, "--tls-cert 'cert.pem': give both or neither"),
        ("replay --draft nowhere.json", 2, "'nowhere.json': No such file or directory"),
        ("replay --draft - --since 7x", 2, "--since '7x': Date is not valid: write 30m, 12h, 7d or 2w, or a time"),
        ("explain mail --from x --to a@corp.test", 2, "--from 'x': Email address is not valid: an address has"),
        ("explain mail --from a@b.test --to a@corp.test --ip 3", 2, "--ip '3': IP address is not valid"),
        ("explain mail --from a@b.test --to a@corp.test --at now", 2, "--at 'now': Date is not valid"),
        ("explain mail --from a@bad[.]test --to a@corp.test", 2, "the dots are in brackets, as reports have them"),
        ("lint --at yesterday", 2, "--at 'yesterday': Date is not valid"),
        ("call ext/lint-policies [", 2, "not JSON"),
        ("policy list --account nobody", 1, "there is no account nobody"),
        ("policy list --matching corp.test", 2, "--matching 'corp.test': Email address is not valid"),
        ("policy block corp", 2, "FROM 'corp': write an address, a domain, group:NAME"),
        ("policy block 192.0.2.0/24", 2, "FROM '192.0.2.0/24': an IP address is no sender; --ip limits"),
        ("policy block https://x.test/a", 2, "this is a URL, or part of one; give the domain alone"),
        ("policy block bad[.]test", 2, "the dots are in brackets, as reports have them; write them alone"),
        ("policy show abc", 1, "ID 'abc': there is no such policy"),
        ("delegate list ann", 2, "HOLDER 'ann': Email address is not valid"),
        ("alteration definitions nowhere", 1, "SET 'nowhere': there is no such alteration set"),
    ],
)
def test_what_is_wrong_is_told_with_its_value(folder, monkeypatch, arguments, code, told):
    monkeypatch.setenv("MAILREEVE_DATA", str(folder.data))
    draft = '[{"call": "managedsender/permit-or-block-sender", "item": {}}]'
    steps = '[{"call": "directory/create-group", "item": {"description": "x"}}]'
    got, line = ended(*arguments.split(), text=steps if "--since" in arguments else draft)
    assert (got, told in line) == (code, True), line


@pytest.mark.parametrize(
    ("draft", "told"),
    [
        ('{"call": "x", "item": {}}', "this is one step; a draft is a list of steps: put it in [ and ]"),
        ('{"steps": []}', 'a draft is a list of steps, and this is an object without a list "draft"'),
        ("7", "a draft is a list of steps, and this is a number"),
        ('[{"cal": "x"}]', 'draft[0]: "call" is missing'),
        ('{"draft": [{"call": "x"}]}', 'draft[0]: "item" is missing'),
        ("[\n{]", "line 2"),
    ],
)
def test_what_is_wrong_with_a_draft_is_told_with_its_place(draft, told):
    code, line = ended("replay", "--draft", "-", text=draft)
    assert code == 2
    assert "--draft" in line
    assert told in line


def test_a_step_with_a_misspelt_member_names_it(folder, monkeypatch):
    monkeypatch.setenv("MAILREEVE_DATA", str(folder.data))
    policy = '{"descripton": "x", "from": {"type": "everyone"}, "to": {"type": "everyone"}}'
    item = f'{{"option": "block_sender", "policy": {policy}}}'
    steps = f'[{{"call": "policy/blockedsenders/create-policy", "item": {item}}}]'
    code, line = ended("replay", "--draft", "-", text=steps)
    assert code == 1
    assert "draft[0].item.policy.description: " in line


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('workers = "two"', ", line 1: workers: 'two': a whole number is expected"),
        ("\nhttp = 7", ", line 2: http: 7: a text is expected"),
        ("# settings\nrelay_network = []", ", line 2: there is no setting relay_network; relay_networks is one"),
        ('reach_guard = "no"', "it is one of"),
        ("http = \nsmtp = 1", "line 1"),
    ],
)
def test_a_wrong_setting_is_told_with_file_and_line(folder, text, told):
    (folder.data / "mailreeve.toml").write_text(text)
    result = folder.run("policy", "list")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1), result.stderr
    assert str(folder.data / "mailreeve.toml") in result.stderr
    assert told in result.stderr
