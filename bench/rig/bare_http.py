"""The least that answers such a call: an ASGI callable that reads the body and sends a fixed envelope, on the HTTP
server that Mailreeve uses, set up as Mailreeve sets it up."""

from __future__ import annotations

import asyncio
import signal
import socket
from typing import Any

import uvloop

from mailreeve.api.server import HttpServer

ANSWER = b'{"meta":{"status":200},"data":[],"fail":[]}'


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Read, answer."""
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(ANSWER)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})


async def main() -> None:
    server = HttpServer(app)  # type: ignore[arg-type]
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await server.ready.wait()
    print(f"http http://127.0.0.1:{listener.getsockname()[1]}\nready", flush=True)
    await serving


if __name__ == "__main__":
    uvloop.run(main())
