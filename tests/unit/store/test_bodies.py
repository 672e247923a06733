"""Bodies are kept once, durably, and read as they were; what no row names is removed when it is old."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from mailreeve.store.bodies import LEFT_OVER, DamagedBody, FolderBodies

TEXT = (b"\r\n", b"hello\r\n" * 1_000)
OTHER = (b"\r\nother\r\n",)


@pytest.fixture
def bodies(tmp_path):
    return FolderBodies(tmp_path / "bodies")


def files(tmp_path):
    return [file for file in (tmp_path / "bodies").rglob("*") if file.is_file()]


def test_a_body_is_kept_once_however_it_is_cut(bodies, tmp_path):
    """Its key is made of its content alone, and no other account sees it."""
    first, again, other = bodies.put("a", [TEXT, [b"".join(TEXT)], OTHER])
    assert (first, len(files(tmp_path))) == (again, 2)
    assert bodies.put("a", [TEXT]) == [first]
    assert b"".join(bodies.read("a", first)) == b"".join(TEXT)
    assert b"".join(bodies.read("a", other)) == b"".join(OTHER)
    with pytest.raises(FileNotFoundError):
        next(bodies.read("b", first))


def test_files_are_their_owners_alone(bodies, tmp_path):
    bodies.put("a", [TEXT])
    [file] = files(tmp_path)
    assert file.stat().st_mode & 0o077 == 0
    assert (tmp_path / "bodies").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("damage", [lambda data: data[:-6], lambda data: b"\0" + data[1:], lambda data: b""])
def test_what_is_damaged_is_told_and_not_taken_for_the_body(bodies, tmp_path, damage):
    [key] = bodies.put("a", [TEXT])
    [file] = files(tmp_path)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(DamagedBody, match=key):
        list(bodies.read("a", key))


@pytest.mark.parametrize("key", ["../../../etc/passwd", "", "ab"])
def test_nothing_but_keys_is_looked_for(bodies, key):
    with pytest.raises(ValueError, match="no key"):
        next(bodies.read("a", key))


def test_old_bodies_that_no_row_names_are_removed(bodies, tmp_path):
    """Not those that rows name, nor young ones, whose rows may be on their way; one that comes again is young."""
    named, unnamed, young, again = bodies.put("a", [[bytes([65 + n])] for n in range(4)])
    old = time.time() - LEFT_OVER - 1
    for file in files(tmp_path):
        if file.name != young:
            os.utime(file, (old, old))
    bodies.put("a", [[b"D"]])
    assert bodies.sweep("a", lambda keys: {named} & set(keys)) == 1
    assert {file.name for file in files(tmp_path)} == {named, young, again}
    with pytest.raises(FileNotFoundError):
        next(bodies.read("a", unnamed))


def test_of_many_bodies_a_sweep_looks_at_some_and_the_next_one_at_others(bodies, tmp_path, monkeypatch):
    """So that an archive of millions costs no more than a small one; each is looked at in turn, and once a
    round."""
    monkeypatch.setattr("mailreeve.store.bodies.SWEPT_AT_ONCE", 25)
    keys = bodies.put("a", [[b"%d" % n] for n in range(200)])
    for file in files(tmp_path):
        os.utime(file, (0, 0))
    asked: list[str] = []

    def named(some):
        asked.extend(some)
        return some

    for _ in range(8):
        before = len(asked)
        assert bodies.sweep("a", named) == 0
        assert len(asked) - before < 25 + 10
    assert len(set(asked)) == len(asked[: len(keys)]) == len(keys)
    assert bodies.sweep("a", lambda some: ()) >= 25
    FolderBodies(tmp_path / "bodies").sweep("a", lambda some: ())
    assert len(files(tmp_path)) < len(keys) - 2 * 24


def test_a_body_that_comes_again_while_it_is_removed_is_kept(bodies, tmp_path, monkeypatch):
    """Whoever put it was told that it is durable: it comes before the removal and stays, or after it, anew."""
    [key] = bodies.put("a", [TEXT])
    [file] = files(tmp_path)
    os.utime(file, (0, 0))
    again = threading.Thread(target=bodies.put, args=("a", [TEXT]))
    unlink = Path.unlink

    def removed(self, missing_ok=False):
        if self == file:
            again.start()
            again.join(0.1)  # as long as it takes where nothing keeps it from it
        unlink(self, missing_ok)

    monkeypatch.setattr(Path, "unlink", removed)
    bodies.sweep("a", lambda keys: ())
    again.join()
    assert b"".join(bodies.read("a", key)) == b"".join(TEXT)


def test_what_is_being_written_does_not_stop_a_sweep(bodies, tmp_path, monkeypatch):
    """A file that is listed and gone before it is looked at: it has its name by now."""
    bodies.put("a", [TEXT])
    [file] = files(tmp_path)
    os.utime(file, (0, 0))
    listed = Path.iterdir
    monkeypatch.setattr(
        Path, "iterdir", lambda self: [*listed(self), self / ".gone"] if self == file.parent else listed(self)
    )
    assert bodies.sweep("a", lambda keys: ()) == 1


def test_a_body_that_another_just_wrote_is_durable_too(bodies, tmp_path, monkeypatch):
    """Its folder is synced by whoever finds it there: the one who wrote it may not have come so far."""
    bodies.put("a", [TEXT])
    [file] = files(tmp_path)
    synced = []
    monkeypatch.setattr("mailreeve.store.bodies._sync", synced.append)
    bodies.put("a", [TEXT])
    assert file.parent in synced
