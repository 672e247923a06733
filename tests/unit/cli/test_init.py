"""A folder is made wholly or not at all, whatever ends the attempt, and its credentials are never lost."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailreeve.app.folder import FolderError, open_initialised
from mailreeve.app.new_account import initialise
from mailreeve.app.settings import Settings
from mailreeve.cli.main import main
from mailreeve.client import Credentials

pytestmark = pytest.mark.cold

DOMAIN = ("--domain", "corp.test")


def run(*arguments: object, **environment: str) -> Result:
    return CliRunner(env=environment).invoke(main, ["init", *DOMAIN, *map(str, arguments)])


def modes(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}


def usable(data: Path) -> bool:
    opened = open_initialised(data, Settings())
    try:
        return bool(opened.account_id(None))
    finally:
        opened.close()


def taken(tmp_path: Path) -> Path:
    (tmp_path / "keys.json").write_text("precious")
    return tmp_path / "keys.json"


def dangling(tmp_path: Path) -> Path:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    return tmp_path / "link"


@pytest.mark.parametrize(
    ("target", "code"),
    [
        (taken, 1),
        (dangling, 1),
        (lambda tmp_path: tmp_path, 2),
        (lambda tmp_path: tmp_path / "absent" / "keys.json", 1),
        (lambda tmp_path: Path("/dev/full"), 1),
        (lambda tmp_path: Path("/dev/null"), 1),
        (lambda tmp_path: Path("/proc/keys.json"), 1),
        (lambda tmp_path: tmp_path / ("k" * 300), 1),
        (lambda tmp_path: tmp_path / "data" / "mailreeve.db", 1),
        (lambda tmp_path: tmp_path / "data" / "secret.key", 1),
    ],
    ids=["taken", "dangling", "folder", "absent", "full", "device", "proc", "long", "database", "key"],
)
def test_a_place_that_cannot_be_saved_to_is_found_out_before_anything_is_made(tmp_path, target, code):
    place = target(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    result = run("--data", tmp_path / "data", "--save", place)
    assert result.exit_code == code
    assert result.stdout == ""
    assert str(place)[:100] in result.stderr
    assert "Traceback" not in result.stderr
    assert sorted(tmp_path.rglob("*")) == before
    if place.name == "keys.json" and place.exists():
        assert place.read_text() == "precious"


@pytest.mark.parametrize("place", ["keys.json", "data/credentials.json"])
def test_credentials_are_saved_where_they_are_wanted(tmp_path, place):
    result = run("--data", tmp_path / "data", "--save", tmp_path / place, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads((tmp_path / place).read_text()) == json.loads(result.stdout)
    assert stat.S_IMODE((tmp_path / place).stat().st_mode) == 0o600
    assert Credentials.load(tmp_path / place)
    assert usable(tmp_path / "data")
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    """The file of credentials is what does not fit any more: the folder goes again."""

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("mailreeve.app.private_files.os.fsync", full)
        result = run("--data", tmp_path / "data", "--save", tmp_path / "keys.json")
    assert result.exit_code == 1
    assert result.stderr.endswith("No space left on device\n")
    assert list(tmp_path.iterdir()) == []
    assert run("--data", tmp_path / "data", "--save", tmp_path / "keys.json").exit_code == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize("save", [None, "keys.json"])
def test_credentials_that_cannot_be_printed_are_saved(tmp_path, save):
    command = [Path(sys.executable).with_name("mailreeve"), "init", "--data", tmp_path / "data", *DOMAIN]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*command, *(["--save", tmp_path / save] if save else [])],
            stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip
    file = tmp_path / save if save else tmp_path / "data" / "credentials.json"
    assert done.returncode != 0
    assert str(file) in done.stderr
    assert Credentials.load(file)


def test_everything_is_the_owners_alone(tmp_path):
    old = os.umask(0)
    try:
        assert run("--data", tmp_path / "data", "--save", tmp_path / "data" / "credentials.json").exit_code == 0
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    found = modes(tmp_path / "data")
    assert set(found) == {"mailreeve.db", "mailreeve.toml", "secret.key", "credentials.json"}
    assert {name: mode for name, mode in found.items() if mode & 0o077 and name != "mailreeve.toml"} == {}


@pytest.mark.parametrize("holds", [(), ("lost+found",), ("serve.lock",)], ids=["empty", "mount point", "lock"])
def test_a_folder_that_holds_nothing_of_anybodys_may_be_there(tmp_path, holds):
    """A mount point cannot be replaced by another folder, and has `lost+found`."""
    data = tmp_path / "data"
    data.mkdir()
    number = data.stat().st_ino
    for name in holds:
        (data / name).mkdir()
    assert run("--data", data).exit_code == 0
    assert usable(data)
    assert data.stat().st_ino == number
    assert all((data / name).exists() for name in holds)


@pytest.mark.parametrize("holds", ["notes.txt", "secret.key", "credentials.json", "mailreeve.db"])
def test_a_folder_that_holds_anything_is_left_alone(tmp_path, holds):
    data = tmp_path / "data"
    data.mkdir()
    (data / holds).write_text("precious")
    result = run("--data", data)
    assert result.exit_code == 1
    assert holds in result.stderr
    assert result.stderr.count("\n") == 1
    assert {path.name: path.read_text() for path in data.iterdir()} == {holds: "precious"}


KILLED = """
import json, os, signal, sys
import alembic.command
import mailreeve.cli.running.init
from mailreeve.cli.main import main
for line in sys.stdin:
    countdown, root, arguments = json.loads(line)
    child = os.fork()
    if not child:
        def count(event, values):
            global countdown
            if event in ("open", "os.mkdir", "os.rename", "os.link", "os.remove", "os.rmdir", "sqlite3.connect"):
                if root in str(values):
                    countdown -= 1
                    if countdown < 0:
                        os.kill(os.getpid(), signal.SIGKILL)
        os.dup2(2, 1)
        sys.addaudithook(count)
        try:
            main(arguments)
        except SystemExit as end:
            os._exit(end.code or 0)
        os._exit(70)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def test_an_init_that_was_killed_at_any_moment_is_in_nobodys_way(tmp_path):
    """SIGKILL before each of the files it touches: the next one works, or the folder was ready.

    Each is a process of its own, forked off one that has loaded the program.
    """
    survived = unfinished = 0
    with (
        (tmp_path / "said").open("w") as said,
        subprocess.Popen(
            [sys.executable, "-c", KILLED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True
        ) as loaded,
    ):
        for moment in range(60):
            data = tmp_path / f"{moment}" / "data"
            keys = tmp_path / f"{moment}" / "keys.json"
            data.parent.mkdir()
            save = keys if moment % 2 else data / "credentials.json"
            arguments = ["init", "--data", data, *DOMAIN, "--save", save]
            loaded.stdin.write(json.dumps([moment, str(data.parent), [*map(str, arguments)]]) + "\n")
            loaded.stdin.flush()
            code = int(loaded.stdout.readline())
            if code != -signal.SIGKILL:
                assert code == 0, (tmp_path / "said").read_text()
                survived += 1
                if survived == 2:
                    break
            if not (data / "mailreeve.toml").exists():
                unfinished += 1
                again = run("--data", data, "--save", save)
                assert (again.exit_code, again.stderr) == (0, ""), moment
                assert Credentials.load(save)
            assert usable(data), moment
    assert unfinished > 10
    assert survived == 2


def test_two_at_once_make_one_folder(tmp_path):
    """The second is told that the first is at it, or has been."""
    command = [Path(sys.executable).with_name("mailreeve"), "init", "--data", tmp_path / "data", *DOMAIN]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(2)]
    said = [process.communicate(timeout=60)[1].decode() for process in both]
    assert sorted(process.returncode for process in both) == [0, 1], said
    assert usable(tmp_path / "data")


def test_hints_name_the_listeners_of_the_settings(tmp_path):
    result = run("--data", tmp_path / "a", MAILREEVE_HTTP="127.0.0.1:8026", MAILREEVE_SMTP="0.0.0.0:2526")
    assert "call" in result.stdout
    assert "--url http://127.0.0.1:8026" in result.stdout
    assert "smtplib.SMTP('127.0.0.1', 2526)" in result.stdout
    result = run("--data", tmp_path / "b", MAILREEVE_SMTP="[::1]:0")
    assert "--url" not in result.stdout
    assert "smtplib.SMTP('::1', PORT)" in result.stdout


def test_a_setting_that_makes_no_sense_is_said_before_anything_is_made(tmp_path):
    result = run("--data", tmp_path / "data", MAILREEVE_SMTP="nonsense")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: smtp: 'nonsense' is not HOST:PORT\n"
    assert not (tmp_path / "data").exists()


def test_what_fails_on_the_way_leaves_a_folder_as_it_was(tmp_path, monkeypatch):
    def fail(folder: Path, *_: object) -> None:
        (folder / "secret.key").write_text("half")
        raise FolderError("on the way")

    (tmp_path / "there").mkdir()
    monkeypatch.setattr("mailreeve.app.new_account._fill", fail)
    for data in (tmp_path / "there", tmp_path / "new" / "deep"):
        with pytest.raises(FolderError, match="on the way"):
            initialise(data, ("corp.test",), None)
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == ["there"]
