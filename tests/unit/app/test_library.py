"""Explanations in Python, without a server: the answers of the command, and the guide's examples."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec import json as msgspec_json

from mailreeve.app.folder import FolderError
from mailreeve.app.library import open_account
from mailreeve.app.new_account import initialise
from mailreeve.cli.main import main
from mailreeve.wire.errors import ItemRefused

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "explain.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def data(tmp_path, own_log) -> Path:
    folder = tmp_path / "mailreeve-data"
    initialise(folder, ("example.com",), None)
    return folder


def answered(data: Path, *arguments: str) -> object:
    return json.loads(CliRunner().invoke(main, ["explain", *arguments, "--data", str(data), "--json"]).stdout)


def test_a_message_is_explained_as_by_the_command(data):
    with open_account(data) as account:
        told = account.explain_message(
            "a@bad.test",
            "ann@example.com",
            header_from="Ann <a@bad.test>",
            source_ip="192.0.2.1",
            at=datetime(2030, 1, 1, tzinfo=UTC),
        )
    wanted = answered(
        data,
        *("mail", "--from", "a@bad.test", "--to", "ann@example.com", "--header-from", "Ann <a@bad.test>"),
        *("--ip", "192.0.2.1", "--at", "2030-01-01"),
    )
    assert json.loads(msgspec_json.encode(told)) == wanted


def test_a_web_request_is_explained_as_by_the_command(data):
    with open_account(str(data)) as account:
        told = account.explain_web("http://ex.test/", user="ann@example.com")
    assert json.loads(msgspec_json.encode(told)) == answered(
        data, "web", "http://ex.test/", "--user", "ann@example.com"
    )


def test_what_is_no_address_is_refused_by_its_name(data):
    with open_account(data) as account, pytest.raises(ItemRefused) as refused:
        account.explain_message("a@bad.test", "nobody")
    assert [problem.field for problem in refused.value.problems] == ["to"]


def test_a_folder_that_is_none_says_what_to_do(tmp_path, own_log):
    with pytest.raises(FolderError, match="run: mailreeve init"), open_account(tmp_path):
        pass


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_the_guide_run(example, data, monkeypatch, capsys):
    """Each prints what the comment behind it says."""
    monkeypatch.chdir(data.parent)
    exec(compile(example, str(GUIDE), "exec"), {})  # noqa: S102 - our own documentation
    printed = capsys.readouterr().out.splitlines()
    assert printed == re.findall(r"print\(.*\)  # (.*)", example)


def test_the_guide_has_an_example_with_a_folder_and_one_without():
    assert len(EXAMPLES) == 2
