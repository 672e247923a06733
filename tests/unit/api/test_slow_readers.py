"""What the server does about clients that are slow to read."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import anyio
import pytest
from starlette.types import Receive, Scope, Send

from mailreeve.api import server
from mailreeve.api.crowd import Crowd
from mailreeve.api.server import HttpServer

LENGTH = 32 * 1024 * 1024  # octets: more than any socket's buffers take
ASK = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    headers = [(b"content-length", str(LENGTH).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": bytes(LENGTH)})


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    """Where a server listens that has one place for each network."""
    listening = socket.create_server(("127.0.0.1", 0))
    http = HttpServer(app)
    http.config.load()
    http.config.http_protocol_class.crowd = Crowd(most=10, per_network=1)
    thread = threading.Thread(target=lambda: anyio.run(http.serve, [listening]))
    thread.start()
    yield listening.getsockname()
    http.force_exit = True
    http.stop()
    thread.join()


def connected(address: tuple[str, int]) -> socket.socket:
    return socket.create_connection(address, timeout=30)


def test_an_answer_that_is_read_slowly_is_not_cut_off(address: tuple[str, int]) -> None:
    """All of it is given to the network's buffers at once, but the client has yet to take it."""
    with closing(connected(address)) as slow:
        slow.sendall(ASK)
        read = len(slow.recv(1))
        with closing(connected(address)) as late:
            assert refused(late)
        while some := slow.recv(1024 * 1024):
            read += len(some)
            if read > LENGTH:
                break
        assert read > LENGTH


def test_who_does_not_read_an_answer_loses_its_place(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "SEND_TIME", 0.1)
    with closing(connected(address)) as deaf:
        deaf.sendall(ASK)
        deaf.recv(1)
        # It is told of that by no octet: others find the place free.
        for _ in range(300):
            with closing(connected(address)) as late:
                if not refused(late):
                    return
            threading.Event().wait(0.05)
        pytest.fail("the place was never given back")


def refused(connection: socket.socket) -> bool:
    try:
        connection.sendall(ASK)
        return not connection.recv(1)
    except ConnectionError:
        return True
