"""Many requests in one packet cost what they cost one by one: none is begun long before its turn."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable

import anyio
import pytest
from starlette.types import Receive, Scope, Send

from mailreeve.api.server import HEAD_PIECE, HttpServer

SMALLEST = b"GET / HTTP/1.1\r\n\r\n"
pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request):
    return "asyncio", {"use_uvloop": request.param == "uvloop"}


class House:
    """An app that answers each request with its path and body, once `doors` are open."""

    def __init__(self) -> None:
        self.doors = asyncio.Event()
        self.called = asyncio.Event()
        self.calls = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.calls += 1
        self.called.set()
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        await self.doors.wait()
        answer = scope["path"].encode() + b" " + str(len(body)).encode() + b"\n"
        headers = [(b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


Visit = Callable[[House, HttpServer, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def visited(visit: Visit) -> None:
    house = House()
    listener = socket.create_server(("127.0.0.1", 0))
    server = HttpServer(house)
    serving = asyncio.create_task(server.serve([listener]))
    await server.ready.wait()
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    try:
        with anyio.fail_after(20):
            await visit(house, server, reader, writer)
    finally:
        house.doors.set()
        writer.close()
        server.stop()
        await serving


async def test_requests_wait_as_octets_and_not_as_requests() -> None:
    async def visit(house, server, reader, writer):
        writer.write(SMALLEST * 100_000)
        await house.called.wait()
        (connection,) = server.server_state.connections
        for _ in range(50):  # all that comes in meanwhile
            await asyncio.sleep(0)
            assert len(connection.pipeline) <= HEAD_PIECE // len(SMALLEST)
            assert len(connection._held) < 1_000_000
        assert house.calls == 1

    await visited(visit)


async def test_all_are_answered_in_their_order() -> None:
    """Heads and bodies that come in one packet and are cut anywhere."""
    sizes = [0, 1, 700, HEAD_PIECE, 40_000, 3, 100_000, 0] * 20

    async def visit(house, server, reader, writer):
        house.doors.set()
        for number, size in enumerate(sizes):
            padding = b"p: " + b"x" * (number * 7) + b"\r\n"
            head = b"POST /%d HTTP/1.1\r\n%scontent-length: %d\r\n\r\n" % (number, padding, size)
            writer.write(head + b"b" * size)
        for number, size in enumerate(sizes):
            await reader.readuntil(b"\r\n\r\n")
            assert await reader.readline() == b"/%d %d\n" % (number, size)

    await visited(visit)


async def test_who_breaks_off_among_several_requests_is_no_fault_of_ours(caplog) -> None:
    """The one that is being answered is told, not only the last: else each such stranger writes a traceback."""
    caplog.set_level(logging.ERROR)

    async def visit(house, server, reader, writer):
        writer.write(SMALLEST * 3)
        await house.called.wait()
        writer.transport.abort()
        while server.server_state.connections:
            await asyncio.sleep(0.001)
        house.doors.set()
        while server.server_state.tasks:
            await asyncio.sleep(0.001)

    await visited(visit)
    assert [record.getMessage() for record in caplog.records] == []
