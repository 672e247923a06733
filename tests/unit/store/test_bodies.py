"""Bodies are kept once, durably, and read as they were; what no row names is removed when it is old."""

from __future__ import annotations

import os
import time

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
