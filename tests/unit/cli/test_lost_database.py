"""What was lost is never made anew in silence: every command says in one line which file, and what to do."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from mailreeve.app.folder import FolderError, open_initialised
from mailreeve.app.library import open_account
from mailreeve.app.new_account import initialise
from mailreeve.app.settings import Settings

STEPS = [{"call": "directory/create-group", "item": {"description": "Partners"}}]
COMMANDS = [
    ("serve", "--http", "127.0.0.1:0", "--smtp", "127.0.0.1:0"),
    ("explain", "mail", "--from", "", "--to", "u@corp.test"),
    ("explain", "web", "https://ex.test/"),
    ("lint",),
    ("replay", "--draft", "-"),
]


class Answered(NamedTuple):
    """What a command said, and how it ended."""

    exit_code: int
    stdout: str
    stderr: str


def answered(folder, *arguments: str) -> Answered:
    """In a process of its own where it is a server, which takes over the process's log."""
    if arguments[0] != "serve":
        result = folder.run(*arguments, text=json.dumps(STEPS))
        return Answered(result.exit_code, result.stdout, result.stderr)
    program = Path(sys.executable).with_name("mailreeve")
    done = subprocess.run(
        [program, *arguments, "--data", folder.data], capture_output=True, text=True, timeout=60, check=False
    )
    return Answered(done.returncode, done.stdout, done.stderr)


def gone(data: Path) -> str:
    (data / "mailreeve.db").unlink()
    return "mailreeve.db is missing; put it back"


def empty(data: Path) -> str:
    (data / "mailreeve.db").write_bytes(b"")
    return "mailreeve.db is empty; put it back"


def folder_instead(data: Path) -> str:
    (data / "mailreeve.db").unlink()
    (data / "mailreeve.db").mkdir()
    return "mailreeve.db is not a file; put it back"


def letter(data: Path) -> str:
    (data / "mailreeve.db").write_text("no database " * 1000, "ascii")
    return "mailreeve.db cannot be used: file is not a database"


def new(data: Path) -> str:
    (data / "mailreeve.db").unlink()
    with sqlite3.connect(data / "mailreeve.db") as connection:
        connection.execute("CREATE TABLE other (x)")
    connection.close()
    return "mailreeve.db is not a database of Mailreeve, or a new one; put it back"


def no_account(data: Path) -> str:
    with sqlite3.connect(data / "mailreeve.db") as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("DELETE FROM account")
    connection.close()
    return "mailreeve.db holds no account; put it back"


def half(data: Path) -> str:
    content = (data / "mailreeve.db").read_bytes()
    (data / "mailreeve.db").write_bytes(content[: len(content) // 2])
    return "mailreeve.db is cut off: it has"


def one_octet_less(data: Path) -> str:
    content = (data / "mailreeve.db").read_bytes()
    (data / "mailreeve.db").write_bytes(content[:-1])
    return "mailreeve.db is cut off: it has"


def other_database(data: Path) -> str:
    initialise(data.with_name("other"), ("corp.test",), None)
    shutil.copy(data.with_name("other") / "mailreeve.db", data)
    return "secret.key is not the key that"


def other_key(data: Path) -> str:
    initialise(data.with_name("other"), ("corp.test",), None)
    shutil.copy(data.with_name("other") / "secret.key", data)
    return "secret.key is not the key that"


def other_key_of_an_old_database(data: Path) -> str:
    """From before accounts were marked."""
    with sqlite3.connect(data / "mailreeve.db") as connection:
        connection.execute("UPDATE account SET key_fingerprint = NULL")
    connection.close()
    return other_key(data)


def no_key(data: Path) -> str:
    (data / "secret.key").unlink()
    return "secret.key is missing; put it back"


def short_key(data: Path) -> str:
    (data / "secret.key").write_text("c2hvcnQ=")
    return "secret.key is damaged: it should hold 32 octets"


def nonsense_key(data: Path) -> str:
    (data / "secret.key").write_bytes(b"\xff\x00 no key")
    return "secret.key is damaged; put it back"


def no_settings(data: Path) -> str:
    (data / "mailreeve.toml").unlink()
    return "mailreeve.toml is missing; put it back, it may be empty"


def nonsense_settings(data: Path) -> str:
    (data / "mailreeve.toml").write_text("http = \n")
    return "mailreeve.toml: Invalid value"


def binary_settings(data: Path) -> str:
    (data / "mailreeve.toml").write_bytes(b"\xff\xfe")
    return "mailreeve.toml: "


def unknown_setting(data: Path) -> str:
    (data / "mailreeve.toml").write_text("htpp = 1\n")
    return "mailreeve.toml, line 1: there is no setting htpp"


LOSSES: list[Callable[[Path], str]] = [
    gone, empty, folder_instead, letter, new, no_account, half, one_octet_less, other_database, other_key,
    other_key_of_an_old_database, no_key, short_key, nonsense_key, no_settings, nonsense_settings, binary_settings,
    unknown_setting,
]  # fmt: skip


@pytest.mark.parametrize("command_line", COMMANDS, ids=lambda words: " ".join(words[:2]))
@pytest.mark.parametrize("lose", LOSSES, ids=lambda lose: lose.__name__)
def test_a_loss_is_told_in_a_line(folder, command_line, lose):
    folder.opened.close()
    said = lose(folder.data)
    before = sorted(path.name for path in folder.data.iterdir())
    result = answered(folder, *command_line)
    assert result.exit_code == 1, result.stderr
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    left = {path.name for path in folder.data.iterdir()} - {"serve.lock", "mailreeve.db-wal", "mailreeve.db-shm"}
    assert left == set(before), "nothing is made anew"


@pytest.mark.parametrize("lose", LOSSES[:12], ids=lambda lose: lose.__name__)
def test_a_program_is_told_as_well(folder, lose):
    folder.opened.close()
    said = lose(folder.data)
    with pytest.raises(FolderError) as told, open_account(folder.data):
        pass
    assert said in str(told.value)


def test_a_page_that_was_overwritten_keeps_a_server_from_starting(folder):
    """Whatever table it belongs to: found before the first message, not by it."""
    folder.opened.close()
    file = folder.data / "mailreeve.db"
    content = bytearray(file.read_bytes())
    for start in range(len(content) // 2 // 4096 * 4096, len(content), 4096):
        content[start : start + 4096] = b"\x07" * 4096
    file.write_bytes(content)
    result = answered(folder, *COMMANDS[0])
    assert (result.exit_code, result.stdout) == (1, "")
    assert str(file) in result.stderr
    assert result.stderr.splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in result.stderr


def test_a_database_from_before_the_marks_gets_its_own(folder):
    folder.opened.close()
    with sqlite3.connect(folder.data / "mailreeve.db") as connection:
        connection.execute("UPDATE account SET key_fingerprint = NULL")
    connection.close()
    for _ in range(2):
        open_initialised(folder.data, Settings()).close()
    with sqlite3.connect(folder.data / "mailreeve.db") as connection:
        ((mark,),) = connection.execute("SELECT key_fingerprint FROM account")
    connection.close()
    assert len(mark) == 32
