"""A client that does not read the answer it asked for is given up."""

from __future__ import annotations

import asyncio
import socket

import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mailreeve.api import server as server_module
from mailreeve.api.server import HttpServer

ANSWER = b"x" * 8_000_000  # more than all the buffers between the two hold


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    await Response(ANSWER)(scope, receive, send)


async def asked(client: socket.socket, *, read: bool) -> bytes:
    """What comes of a request: the answer where it is read, else what is left of the connection."""
    loop = asyncio.get_running_loop()
    listener = socket.create_server(("127.0.0.1", 0))
    server = HttpServer(app)
    serving = asyncio.create_task(server.serve([listener]))
    await server.ready.wait()
    client.setblocking(False)
    await loop.sock_connect(client, listener.getsockname())
    await loop.sock_sendall(client, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    received = bytearray()
    try:
        if not read:
            while not server.server_state.connections:
                await asyncio.sleep(0)
            while server.server_state.connections:
                await asyncio.sleep(0.01)
        while piece := await loop.sock_recv(client, 1 << 20):
            received += piece
    except ConnectionError:
        pass
    finally:
        server.stop()
        await serving
    return bytes(received)


@pytest.mark.parametrize("read", [True, False])
def test_an_answer_that_nobody_takes_is_given_up(monkeypatch: pytest.MonkeyPatch, read: bool) -> None:
    monkeypatch.setattr(server_module, "SEND_TIME", 0.3)
    with socket.socket() as client:
        received = asyncio.run(asked(client, read=read))
    assert received.endswith(ANSWER) is read
