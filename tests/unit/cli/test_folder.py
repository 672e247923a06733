"""What a command says of a data folder that it cannot use."""

from __future__ import annotations

import json

import pytest

from mailreeve.app.folder import FolderError
from mailreeve.app.library import open_account

STEPS = [{"call": "directory/create-group", "item": {"description": "Partners"}}]


@pytest.mark.parametrize(
    "command_line",
    [
        ("explain", "mail", "--from", "", "--to", "u@corp.test"),
        ("explain", "web", "https://ex.test/"),
        ("lint",),
        ("replay", "--draft", "-"),
    ],
    ids=" ".join,
)
def test_a_damaged_database_is_told_in_a_line(folder, command_line):
    folder.opened.close()
    for name in ("mailreeve.db-wal", "mailreeve.db-shm"):
        (folder.data / name).unlink(missing_ok=True)
    (folder.data / "mailreeve.db").write_text("no database " * 1000, "ascii")
    result = folder.run(*command_line, text=json.dumps(STEPS))
    assert result.exit_code == 1
    assert result.stderr == f"Error: {folder.data / 'mailreeve.db'} cannot be used: file is not a database\n"


def test_a_program_is_told_of_a_damaged_database_too(folder):
    folder.opened.close()
    for name in ("mailreeve.db-wal", "mailreeve.db-shm"):
        (folder.data / name).unlink(missing_ok=True)
    (folder.data / "mailreeve.db").write_text("no database " * 1000, "ascii")
    with pytest.raises(FolderError, match="cannot be used"), open_account(folder.data):
        pass
