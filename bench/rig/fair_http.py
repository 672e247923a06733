"""What a capable programmer would write in an afternoon for one such call: Starlette with a dict of paths, the
signature checked, one prepared point read on sqlite3, an envelope. On the HTTP server that Mailreeve uses, set up
as Mailreeve sets it up; plain uvicorn would leave out its bounds, not much of its cost.

It takes the account, the key and the path as given, checks no permission, no date and no quota, and keeps no log.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import os
import signal
import socket
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailreeve.api.server import HttpServer

POINT = "SELECT document FROM policy WHERE account_id = ? AND id = ?"
DOCUMENT = json.dumps({"description": "a", "option": "block_sender", "from": "a@x.test", "to": "all"})


def database(folder: str) -> sqlite3.Connection:
    """A database with a thousand policies."""
    made = sqlite3.connect(Path(folder) / "peer.db", isolation_level=None)
    made.execute("PRAGMA journal_mode=WAL")
    made.execute("CREATE TABLE policy (account_id TEXT, id TEXT, document TEXT, PRIMARY KEY (account_id, id))")
    made.execute("BEGIN")
    made.executemany("INSERT INTO policy VALUES ('acc', ?, ?)", ((f"p{n}", DOCUMENT) for n in range(1_000)))
    made.execute("COMMIT")
    return made


def endpoints(store: sqlite3.Connection) -> dict[str, Callable[[dict[str, str]], object]]:
    """What each path does with an item."""

    def get_policy(item: dict[str, str]) -> object:
        (document,) = store.execute(POINT, ("acc", "p500")).fetchone()
        return {"id": item["id"], "policy": msgspec.json.decode(document)}

    return {"/api/policy/blockedsenders/get-policy": get_policy}


def app(store: sqlite3.Connection, app_key: str, secret_key: bytes) -> Starlette:
    """The application."""
    known = endpoints(store)

    async def call(request: Request) -> Response:
        path, headers = request.url.path, request.headers
        run = known.get(path)
        if run is None:
            return Response(status_code=404)
        signed = f"{headers['x-mc-date']}:{headers['x-mc-req-id']}:{path}:{app_key}"
        wanted = base64.b64encode(hmac.digest(secret_key, signed.encode(), hashlib.sha1))
        given = headers["authorization"].rpartition(":")[2]
        if not hmac.compare_digest(wanted, given.encode()):
            return Response(status_code=401)
        items = msgspec.json.decode(await request.body())["data"]
        answer = {"meta": {"status": 200}, "data": [run(item) for item in items], "fail": []}
        return Response(msgspec.json.encode(answer), media_type="application/json")

    return Starlette(routes=[Route("/{path:path}", call, methods=["POST"])])


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = database(folder)
        secret_key = base64.b64decode(os.environ["PEER_SECRET_KEY"])
        server = HttpServer(app(store, os.environ["PEER_APP_KEY"], secret_key))  # type: ignore[arg-type]
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
        listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await server.ready.wait()
        print(f"http http://127.0.0.1:{listener.getsockname()[1]}\nready", flush=True)
        await serving
        store.close()


if __name__ == "__main__":
    uvloop.run(main())
