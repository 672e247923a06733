"""Many messages are read at once, within so much memory, and nobody waits for ever."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from mailreeve.families.archive import contents
from mailreeve.families.archive.room import Room
from mailreeve.families.archive.rows import ArchivedRow
from mailreeve.formats.mime import content_of, read_parts
from mailreeve.store.bodies import DamagedBody, FolderBodies

HEADER = b"Content-Type: multipart/mixed; boundary=x\r\n"
BODY = (
    b"\r\n--x\r\nContent-Type: text/plain\r\n\r\nHello\r\n"
    b"--x\r\nContent-Disposition: attachment; filename=a.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + b"QUJD" * 60_000
    + b"\r\n--x--\r\n"
)


def test_a_small_message_is_read_beside_a_large_one() -> None:
    """Before, whoever read any message had all others wait."""
    room = Room(100)
    with room.taken(90), ThreadPoolExecutor(1) as pool:

        def read_small() -> bool:
            with room.taken(10):
                return True

        assert pool.submit(read_small).result(10)


def test_what_there_is_no_room_for_waits_and_is_not_overtaken_for_ever() -> None:
    room = Room(100)
    order: list[str] = []
    asked = threading.Semaphore(0)

    def take(name: str, octets: int) -> None:
        asked.release()
        with room.taken(octets):
            order.append(name)

    with ThreadPoolExecutor(2) as pool:
        with room.taken(60):
            large = pool.submit(take, "large", 90)
            assert asked.acquire(timeout=10)
            while not room._waiting:
                pass
            small = pool.submit(take, "small", 10)
            assert asked.acquire(timeout=10)
            while len(room._waiting) < 2:
                pass
            assert order == []
        large.result(10), small.result(10)
    assert order == ["large", "small"]


def test_one_that_is_larger_than_all_the_room_has_it_alone() -> None:
    room = Room(100)
    with room.taken(10**9):
        assert room._taken == 100
    assert room._taken == 0


def test_whoever_fails_gives_the_room_back() -> None:
    room = Room(100)
    with pytest.raises(FileNotFoundError), room.taken(100):
        raise FileNotFoundError
    with room.taken(100):
        pass


def test_a_part_is_read_without_the_rest_of_the_message(tmp_path) -> None:
    """In pieces as they come; the same octets as out of the whole."""
    bodies = FolderBodies(tmp_path)
    (key,) = bodies.put("account", [[BODY]])
    row = row_of(key)
    parts = read_parts(HEADER, BODY)
    assert [contents.content_in(bodies, "account", row, part) for part in parts] == [
        content_of(part, BODY) for part in parts
    ]
    assert contents.content_in(bodies, "account", row, parts[1]) == b"ABC" * 60_000


def test_a_part_of_a_body_that_is_damaged_behind_it_is_not_given(tmp_path) -> None:
    bodies = FolderBodies(tmp_path)
    (key,) = bodies.put("account", [[BODY]])
    file = next(tmp_path.rglob(key))
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(DamagedBody):
        contents.content_in(bodies, "account", row_of(key), read_parts(HEADER, BODY)[0])


def row_of(key: str) -> ArchivedRow:
    """A row of which its body alone is asked for."""
    return ArchivedRow("", None, "", len(BODY), key, None, False, False, 0, None)  # type: ignore[arg-type]
