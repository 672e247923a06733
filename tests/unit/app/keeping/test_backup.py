"""A backup holds what a folder holds, closed to others, wholly or not at all; only a whole one is restored."""

from __future__ import annotations

import json
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from held_copies import hold, kept

from mailreeve.app.folder import BODIES, FolderError, Opened, open_initialised
from mailreeve.app.folder_api import URL, FolderApi
from mailreeve.app.keeping import backup as making
from mailreeve.app.keeping.backup import make_backup
from mailreeve.app.keeping.manifest import read_manifest
from mailreeve.app.keeping.restore import restore_backup
from mailreeve.app.keeping.verify import verify_backup, verify_folder
from mailreeve.app.new_account import initialise
from mailreeve.app.server.process import only_server
from mailreeve.app.settings import read
from mailreeve.client import Client
from mailreeve.families.keeping.keeper import MessageKeeper
from mailreeve.families.tracking.record_budget import RecordBudget
from mailreeve.store.bodies import body_files
from mailreeve.store.copying import faults


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("made") / "data"
    initialise(data, ("corp.test",), None, data / "credentials.json")
    return data


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "data"))


@pytest.fixture
def opened(data: Path) -> Iterator[Opened]:
    found = open_initialised(data, read(data, {}, {}))
    yield found
    found.close()


def block(opened: Opened, sender: str) -> None:
    with Client(URL, None, transport=FolderApi(opened.services, opened.account_id(None))) as api:
        api.block_sender(sender, to="admin@corp.test")


def spoil(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(statement)


def test_a_backup_holds_all_of_a_folder_for_its_owner_alone(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "kept" / "backup"
    made = make_backup(data, target)
    names = {"mailreeve.db", "mailreeve.toml", "secret.key", "credentials.json"}
    assert set(made.manifest.files) == names
    assert {path.name for path in target.iterdir()} == names | {"manifest.json"}
    assert [stat.S_IMODE(path.stat().st_mode) for path in target.iterdir()] == [0o600] * 5
    assert stat.S_IMODE(target.stat().st_mode) == 0o700
    assert read_manifest(target) == made.manifest


def test_it_is_of_one_moment_and_takes_what_only_the_log_of_the_database_has(
    data: Path, opened: Opened, tmp_path: Path
) -> None:
    block(opened, "before@bad.test")
    assert (data / "mailreeve.db-wal").stat().st_size, "not yet in the file itself"
    committed = []

    def commit_meanwhile(what: str, done: int, total: int) -> None:
        if what == "pages" and not committed:
            block(opened, "meanwhile@bad.test")
            committed.append(True)

    before = verify_folder(data).accounts[0].revision
    made = make_backup(data, tmp_path / "backup", report=commit_meanwhile)
    assert committed
    assert made.manifest.accounts[0].revision == before
    assert verify_folder(data).accounts[0].revision == before + 1
    assert verify_backup(tmp_path / "backup").is_whole


def test_a_backup_is_not_begun_anew_by_what_others_commit(
    data: Path, opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page by page, with a commit after each: without a transaction of its own it would never come to an end."""
    monkeypatch.setattr("mailreeve.store.copying.PAGES", 1)
    steps = []

    def commit(what: str, done: int, total: int) -> None:
        if what == "pages":
            steps.append(done)
            if len(steps) < 20:
                block(opened, f"x{len(steps)}@bad.test")

    make_backup(data, tmp_path / "backup", report=commit)
    assert steps == sorted(steps)
    assert verify_backup(tmp_path / "backup").is_whole


def test_what_cannot_be_made_wholly_is_not_made(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "kept" / "backup"

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(making, "write_private", full)
    with pytest.raises(OSError, match="No space"):
        make_backup(data, target)
    assert list(target.parent.iterdir()) == []


def test_what_a_killed_one_left_is_cleared_away_and_nothing_else_is_overwritten(
    data: Path, tmp_path: Path
) -> None:
    left = tmp_path / ".backup.unfinished" / "maildir"
    left.mkdir(parents=True)
    (left.parent / "mailreeve.db").write_text("half")
    make_backup(data, tmp_path / "backup")
    assert verify_backup(tmp_path / "backup").is_whole
    with pytest.raises(FolderError, match="is not empty"):
        make_backup(data, tmp_path / "backup")
    assert verify_backup(tmp_path / "backup").is_whole


def test_without_the_key_nothing_secret_is_in_it_and_only_the_key_restores_it(data: Path, tmp_path: Path) -> None:
    made = make_backup(data, tmp_path / "backup", with_key=False)
    assert made.left_out == ("secret.key", "credentials.json")
    assert set(made.manifest.files) == {"mailreeve.db", "mailreeve.toml"}
    found = verify_backup(tmp_path / "backup")
    assert found.is_whole
    assert not found.has_key
    with pytest.raises(FolderError, match="give --key"):
        restore_backup(tmp_path / "backup", tmp_path / "restored")
    other = tmp_path / "other.key"
    other.write_text("A" * 43 + "=\n")
    with pytest.raises(FolderError, match="is not the key"):
        restore_backup(tmp_path / "backup", tmp_path / "restored", other)
    assert not (tmp_path / "restored").exists()
    assert restore_backup(tmp_path / "backup", tmp_path / "restored", data / "secret.key").has_key
    open_initialised(tmp_path / "restored", read(data, {}, {})).close()


def test_mail_is_taken_along_when_asked(data: Path, tmp_path: Path) -> None:
    for folder in ("new", "cur", "tmp"):
        (data / "maildir" / folder).mkdir(parents=True)
    (data / "maildir" / "new" / "1.a").write_text("one")
    (data / "maildir" / "cur" / "2.b:2,S").write_text("two")
    (data / "maildir" / "tmp" / "3.c").write_text("half of thr")
    assert make_backup(data, tmp_path / "without").messages == 2
    make_backup(data, tmp_path / "with", with_mail=True)
    restore_backup(tmp_path / "with", tmp_path / "restored")
    mail = tmp_path / "restored" / "maildir"
    assert {str(p.relative_to(mail)) for p in mail.rglob("*") if p.is_file()} == {"new/1.a", "cur/2.b:2,S"}
    assert (mail / "tmp").is_dir()


def test_settings_that_are_kept_elsewhere_are_in_it(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "etc.toml"
    config.write_text('hostname = "mx.corp.test"\n')
    monkeypatch.setenv("MAILREEVE_CONFIG", str(config))
    make_backup(data, tmp_path / "backup")
    assert (tmp_path / "backup" / "settings.toml").read_text() == config.read_text()


@pytest.mark.parametrize("name", ["mailreeve.db", "mailreeve.toml", "secret.key", "credentials.json"])
@pytest.mark.parametrize("harm", ["changed", "missing"])
def test_a_backup_that_was_changed_is_found_out_and_not_restored(
    data: Path, tmp_path: Path, name: str, harm: str
) -> None:
    make_backup(data, tmp_path / "backup")
    file = tmp_path / "backup" / name
    if harm == "missing":
        file.unlink()
    else:
        text = file.read_bytes()
        file.write_bytes(text[:-2] + bytes([text[-2] ^ 1]) + text[-1:])
    found = verify_backup(tmp_path / "backup")
    assert any(problem.startswith(name) for problem in found.problems)
    with pytest.raises(FolderError, match="nothing was restored"):
        restore_backup(tmp_path / "backup", tmp_path / "restored")
    assert not (tmp_path / "restored").exists()


def test_a_file_that_came_in_and_a_path_that_leads_out_are_refused(data: Path, tmp_path: Path) -> None:
    make_backup(data, tmp_path / "backup")
    (tmp_path / "backup" / "mailreeve.db-wal").write_text("pages of somebody else")
    assert any(
        "mailreeve.db-wal is not of this backup" in one for one in verify_backup(tmp_path / "backup").problems
    )
    file = tmp_path / "backup" / "manifest.json"
    manifest = json.loads(file.read_text())
    manifest["files"]["maildir/../../x"] = {"octets": 1, "sha256": "0" * 64}
    file.write_text(json.dumps(manifest))
    with pytest.raises(FolderError, match="which is no file of a backup"):
        verify_backup(tmp_path / "backup")


def test_it_is_not_restored_under_a_server_that_works_on(data: Path, tmp_path: Path) -> None:
    make_backup(data, tmp_path / "backup")
    place = tmp_path / "served"
    place.mkdir()
    with only_server(place), pytest.raises(FolderError, match="being served"):
        restore_backup(tmp_path / "backup", place)
    restore_backup(tmp_path / "backup", place)


def test_what_is_a_link_is_no_file_of_a_backup(data: Path, tmp_path: Path) -> None:
    """Else what it points at would be restored, or shown to be there."""
    (data / "maildir" / "new").mkdir(parents=True)
    (data / "maildir" / "new" / "1.x").write_text("hello")
    backup = tmp_path / "backup"
    make_backup(data, backup, with_mail=True)
    (tmp_path / "latest").symlink_to(backup)
    assert verify_backup(tmp_path / "latest").is_whole
    (backup / "maildir").rename(tmp_path / "elsewhere")
    (backup / "maildir").symlink_to(tmp_path / "elsewhere")
    assert verify_backup(backup).problems == ("maildir/new/1.x is missing", "maildir is not of this backup")


def test_where_it_is_built_is_closed_to_others(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfinished = tmp_path / ".backup.unfinished"
    unfinished.mkdir()
    unfinished.chmod(0o777)
    make_backup(data, tmp_path / "backup")
    assert stat.S_IMODE((tmp_path / "backup").stat().st_mode) == 0o700
    monkeypatch.setattr("os.geteuid", lambda: 12_345)
    with pytest.raises(FolderError, match="not yours"):
        make_backup(data, tmp_path / "backup2")


def test_the_folder_may_be_the_one_that_one_is_in(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    make_backup(data, Path("."))
    assert verify_backup(tmp_path / "here").is_whole


def test_nothing_is_said_of_a_key_that_was_not_tried(data: Path, tmp_path: Path) -> None:
    """It is tried on the secrets that the database holds, and there are none to be had of a damaged one."""
    make_backup(data, tmp_path / "backup")
    assert verify_folder(data).has_key
    with (data / "mailreeve.db").open("r+b") as file:
        file.seek(5 * 4096)
        file.write(b"\xff" * 4096)
    found = verify_folder(data)
    assert not found.is_whole
    assert not found.has_key
    assert not any("mailreeve-verify" in problem for problem in found.problems)
    other = tmp_path / "other.key"
    other.write_text("A" * 43 + "=")
    assert not verify_backup(tmp_path / "backup", other).has_key


def test_it_is_only_restored_where_there_is_nothing(data: Path, tmp_path: Path) -> None:
    make_backup(data, tmp_path / "backup")
    with pytest.raises(FolderError, match="initialised already"):
        restore_backup(tmp_path / "backup", data)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("mine")
    with pytest.raises(FolderError, match="not an empty folder"):
        restore_backup(tmp_path / "backup", tmp_path / "other")
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["letter.txt"]


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ("UPDATE blocked_sender_policy SET document = '{' WHERE rowid = 1", "blocked_sender_policy"),
        ("UPDATE user SET created_at = 'long ago' WHERE rowid = 1", "user"),
        ("UPDATE user SET formerly = '{' WHERE role IS NOT NULL", "user"),
        ("UPDATE audit_event SET after = '{' WHERE rowid = 1", "audit_event"),
        ("UPDATE application SET name = x'00'", "application"),
    ],
)
def test_a_row_that_cannot_be_read_is_named_and_keeps_nothing_from_being_restored(
    data: Path, tmp_path: Path, statement: str, table: str
) -> None:
    spoil(data / "mailreeve.db", statement)
    make_backup(data, tmp_path / "backup")
    for found in (verify_folder(data), verify_backup(tmp_path / "backup")):
        assert found.is_whole
        assert {row.table for row in found.unreadable} == {table}
    restore_backup(tmp_path / "backup", tmp_path / "restored")


def test_a_damaged_page_a_lost_reference_and_a_foreign_secret_are_problems(data: Path) -> None:
    spoil(data / "mailreeve.db", "UPDATE binding SET secret_key = x'01000000000000000000000000'")
    assert verify_folder(data).problems == ("1 stored keys cannot be opened with secret.key",)
    spoil(data / "mailreeve.db", "DELETE FROM application")
    assert any("names a row of application that is not there" in one for one in verify_folder(data).problems)
    with (data / "mailreeve.db").open("r+b") as file:
        file.seek(5 * 4096)
        file.write(b"\xff" * 4096)
    assert any("is damaged" in one or "cannot be read" in one for one in verify_folder(data).problems)


def test_looking_at_a_backup_changes_nothing_in_it(data: Path, tmp_path: Path) -> None:
    make_backup(data, tmp_path / "backup")
    before = {path.name: path.read_bytes() for path in (tmp_path / "backup").iterdir()}
    verify_backup(tmp_path / "backup")
    faults(tmp_path / "backup" / "mailreeve.db")
    assert {path.name: path.read_bytes() for path in (tmp_path / "backup").iterdir()} == before


def test_a_backup_of_a_newer_version_is_no_matter_of_this_one(data: Path, tmp_path: Path) -> None:
    spoil(data / "mailreeve.db", "UPDATE alembic_version SET version_num = '9999'")
    make_backup(data, tmp_path / "backup")
    with pytest.raises(FolderError, match="revision 9999, this version knows up to"):
        restore_backup(tmp_path / "backup", tmp_path / "restored")
    manifest = tmp_path / "backup" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(FolderError, match="newer than this one"):
        verify_backup(tmp_path / "backup")


def test_a_folder_whose_settings_are_elsewhere_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "etc.toml"
    config.write_text("")
    monkeypatch.setenv("MAILREEVE_CONFIG", str(config))
    initialise(tmp_path / "new", ("corp.test",), None)
    assert str(config) in (tmp_path / "new" / "mailreeve.toml").read_text()


@pytest.fixture
def body(opened: Opened) -> Path:
    """The file of the body of a message that is held; its name within the folder."""
    account_id = opened.account_id(None)
    hold(MessageKeeper(opened.store, RecordBudget(), opened.bodies), kept(account_id, "ann@corp.test"))
    (file,) = body_files(opened._data / BODIES)
    return file.relative_to(opened._data)


def test_the_bodies_of_held_mail_go_into_a_backup_and_come_back(
    opened: Opened, body: Path, tmp_path: Path
) -> None:
    """Without them a message that was acknowledged would be lost."""
    backup, restored = tmp_path / "backup", tmp_path / "restored"
    assert str(body) in make_backup(opened._data, backup).manifest.files
    assert verify_backup(backup).problems == ()
    restore_backup(backup, restored)
    assert verify_folder(restored).problems == ()
    assert (restored / body).read_bytes() == (opened._data / body).read_bytes()
    assert (restored / body).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("harm", "words"),
    [(Path.unlink, "is missing"), (lambda file: file.write_bytes(file.read_bytes()[:-6]), "is damaged")],
    ids=["missing", "damaged"],
)
def test_a_body_that_is_missing_or_damaged_is_told_of(
    opened: Opened, body: Path, tmp_path: Path, harm, words
) -> None:
    """Of the folder itself, and of a backup that was made of it so."""
    harm(opened._data / body)
    (problem,) = verify_folder(opened._data).problems
    assert (body.name in problem, words in problem) == (True, True)
    make_backup(opened._data, tmp_path / "backup")
    assert words in verify_backup(tmp_path / "backup").problems[0]


def test_bodies_that_come_while_a_backup_is_made_are_in_it(
    opened: Opened, body: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the database has of them is what counts: they came before its copy was taken."""
    copy = making.copy_database

    def copy_later(source: Path, target: Path, report: object) -> None:
        message = kept(opened.account_id(None), "ann@corp.test", text=b"A: b\r\n\r\nanother\r\n")
        hold(MessageKeeper(opened.store, RecordBudget(), opened.bodies), message)
        copy(source, target)

    monkeypatch.setattr(making, "copy_database", copy_later)
    made = make_backup(opened._data, tmp_path / "backup")
    assert len([name for name in made.manifest.files if name.startswith("bodies/")]) == 2
    assert verify_backup(tmp_path / "backup").problems == ()
