"""An answer goes out in one piece, and nothing that was written is kept back."""

from __future__ import annotations

import asyncio

from mailreeve.api.whole_answers import MOST_JOINED, AnswerWriter


class Transport:
    """What was written, piece by piece."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.pieces.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


async def written(*steps: bytes | str) -> tuple[list[bytes], bool]:
    transport = Transport()
    writer = AnswerWriter(transport)  # type: ignore[arg-type]
    for step in steps:
        if isinstance(step, bytes):
            writer.write(step)
        elif step == "turn":
            await asyncio.sleep(0)
        else:
            getattr(writer, step)()
    return [*transport.pieces], transport.closed


def pieces(*steps: bytes | str) -> list[bytes]:
    return asyncio.run(written(*steps))[0]


def test_header_and_body_go_out_together() -> None:
    assert pieces(b"head", b"body", "flush") == [b"headbody"]
    assert pieces(b"head", b"body") == []  # until somebody says so, or the loop goes on


def test_what_nobody_completes_goes_out_when_the_loop_goes_on() -> None:
    """Such as the header of an answer whose body is still to come, or 100 Continue."""
    assert pieces(b"head", "turn", b"body", "turn") == [b"head", b"body"]


def test_a_long_piece_is_not_copied_and_keeps_its_place() -> None:
    body = b"x" * (MOST_JOINED + 1)
    assert pieces(b"head", body, b"tail", "flush", "turn") == [b"head", body, b"tail"]


def test_closing_writes_first() -> None:
    assert asyncio.run(written(b"head", "close", "turn", "flush")) == ([b"head"], True)
