"""`mailreeve check postfix`: what it prints, its exit codes, and how it reads where there is no postconf."""

from __future__ import annotations

import json
import pwd
import socket
import tempfile
from pathlib import Path

import pytest

from mailreeve.app.doctor.postfix import reading

MAIN = (
    "myhostname = mx.corp.test\nmessage_reject_characters = \\0\n"
    "smtpd_milters = unix:{}/m.sock\nmessage_size_limit = 1000000\n"
)
MASTER = (
    "smtp inet n - n - - smtpd\n"
    "127.0.0.1:10026 inet n - n - - smtpd\n  -o smtpd_milters=\n  -o content_filter=\n"
    "cleanup unix n - n - 0 cleanup\n"
)


@pytest.fixture
def beside(folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A folder whose Postfix is a pair of files, on a machine without postconf, run by the user of this test."""
    monkeypatch.setattr(reading.shutil, "which", lambda *_, **__: None)
    place = tmp_path / "postfix"
    place.mkdir()
    owner = f"mail_owner = {pwd.getpwuid(place.stat().st_uid).pw_name}\n"
    (place / "main.cf").write_text(MAIN.format(tmp_path) + owner + "non_smtpd_milters = ${smtpd_milters}\n")
    (place / "master.cf").write_text(MASTER)
    (folder.data / "mailreeve.toml").write_text(
        f'milter = "unix:{tmp_path}/m.sock"\nnext_hop = "127.0.0.1:10026"\nmax_recipients = 1000\n'
    )
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "m.sock"))
        listening.listen()
        yield lambda *more: folder.run("check", "postfix", "--config-dir", str(place), *more)


def test_all_is_right_and_the_source_is_named(beside):
    result = beside()
    assert result.exit_code == 0, result.stdout
    lines = result.stdout.splitlines()
    assert "there is no postconf" in " ".join(" ".join(lines[:4]).split())
    assert {line.split()[0] for line in lines if line[:1].strip()} == {"ok"}
    answer = json.loads(beside("--json").stdout)
    assert (answer["well"], answer["placement"]) == (True, "milter")
    assert {each["state"] for each in answer["findings"]} == {"ok"}


def test_what_is_missing_ends_with_1_and_the_line_stands_whole(beside, tmp_path: Path):
    """However narrow the terminal is, so that it can be copied."""
    main = tmp_path / "postfix" / "main.cf"
    main.write_text(main.read_text() + "milter_default_action = accept\nnon_smtpd_milters =\n")
    result = beside()
    assert result.exit_code == 1
    lines = [line.strip() for line in result.stdout.splitlines()]
    for line in ("milter_default_action = tempfail", "non_smtpd_milters = $smtpd_milters"):
        assert lines[lines.index(line) - 1] == "main.cf:"
    failed = [each for each in json.loads(beside("--json").stdout)["findings"] if each["state"] == "fail"]
    assert [(each["file"], each["line"]) for each in failed] == [
        ("main.cf", "non_smtpd_milters = $smtpd_milters"),
        ("main.cf", "milter_default_action = tempfail"),
    ]


def test_nobody_listens(beside, tmp_path: Path):
    (tmp_path / "m.sock").unlink()
    result = beside()
    assert result.exit_code == 1
    assert "No such file or directory" in " ".join(result.stdout.split())


def test_a_socket_that_a_user_may_not_use():
    """By the first part of its path that is closed to them."""
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to others
        folder, place = Path(name), Path(name) / "m.sock"
        folder.chmod(0o755)
        place.write_text("")
        place.chmod(0o600)
        assert reading.barred(place, "nobody") == f"user nobody may not write to {place}"
        place.chmod(0o666)
        assert reading.barred(place, "nobody") == ""
        folder.chmod(0o700)
        assert reading.barred(place, "nobody") == f"user nobody may not enter {folder}"
        assert reading.barred(place, "no-such-user") == "there is no user no-such-user"


@pytest.mark.parametrize(
    ("file", "said"), [("main.cf", "main.cf cannot be read"), ("master.cf", "master.cf cannot be read")]
)
def test_no_configuration_ends_with_1(beside, tmp_path: Path, file, said):
    (tmp_path / "postfix" / file).unlink()
    result = beside()
    assert (result.exit_code, said in result.stderr) == (1, True)


def test_misuse_ends_with_2(folder, tmp_path: Path):
    result = folder.run("check", "postfix", "--config-dir", str(tmp_path / "none"))
    assert result.exit_code == 2
    assert folder.run("check", "postfix", "--config-dir", str(tmp_path), "x").exit_code == 2
