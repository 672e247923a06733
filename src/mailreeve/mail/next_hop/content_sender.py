"""Sending the content of a message behind DATA, piece by piece, as the other side takes it.

aiosmtplib's own way makes new texts of the whole, several times over, in the event loop: for a large message that
is many times its size in memory, and seconds in which nobody else is served.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Final

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol

from mailreeve.formats.message import Content

_TOGETHER: Final = 1 << 16  # octets up to which pieces are sent together: most messages in one go


class NotTakenError(aiosmtplib.SMTPServerDisconnected):
    """The connection broke before the end of the content was sent, so the other side cannot have taken it.

    It must not act before it has seen the dot that ends the content (RFC 5321 section 4.1.1.4).
    """


async def send_content(
    protocol: SMTPProtocol, writer: asyncio.StreamWriter, content: Content, timeout: float
) -> aiosmtplib.SMTPResponse:
    """Send a content after the 354 and return the answer to it. `timeout` is in seconds, for each wait.

    An answer that comes before the end is the answer; what was begun cannot be taken back, so the connection is
    closed. Raises `NotTakenError`, or whatever else a connection that does not work raises.
    """
    answer = asyncio.ensure_future(protocol.read_response())
    await asyncio.sleep(0)  # from here on the answer is waited for
    ended = False
    try:
        for piece, ended in _on_the_wire(content):
            if answer.done() or writer.transport.is_closing():
                ended = False
                break
            writer.write(piece)
            if not ended:
                await _room(writer, answer, timeout)
        async with asyncio.timeout(timeout):
            response = await answer
    except aiosmtplib.SMTPServerDisconnected as problem:
        if ended:
            raise
        raise NotTakenError(str(problem)) from problem
    finally:
        answer.cancel()
    if not ended:
        writer.close()
        if response.code < 400:
            raise NotTakenError("the next mail server answered before the end of the message")
    return response


async def _room(
    writer: asyncio.StreamWriter, answer: asyncio.Future[aiosmtplib.SMTPResponse], timeout: float
) -> None:
    """Wait until there is room for more, or no more is wanted."""
    room = asyncio.ensure_future(writer.drain())
    try:
        await asyncio.wait((room, answer), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        if not room.done() and not answer.done():
            raise TimeoutError("the next mail server takes no more of the message")
    finally:
        room.cancel()
        await asyncio.gather(room, return_exceptions=True)  # a connection that broke fails the answer as well


def _on_the_wire(content: Content) -> Iterator[tuple[bytes, bool]]:
    """The content as it is sent, in pieces; the last, which says so, ends with the dot that ends it all."""
    together = bytearray()
    for piece in _stuffed(content):
        together += piece
        if len(together) > _TOGETHER:
            yield bytes(together), False
            together.clear()
    yield bytes(together) + b".\r\n", True


def _stuffed(content: Content) -> Iterator[bytes]:
    """The content with a dot before every line that begins with one (RFC 5321 section 4.5.2), and a line end."""
    before = b"\r\n"
    for piece in content.pieces():
        # Line and dot may stand in two pieces.
        yield (before + piece).replace(b"\r\n.", b"\r\n..")[len(before) :]
        before = (before + piece)[-2:]
    if before != b"\r\n":
        yield b"\r\n"
