"""How many signed calls per second does the API serve, and what does it cost over the bare HTTP server?

Subjects: a read (get-policy of one policy), a write (permit-or-block, which is durable when it is answered),
a fair peer (`rig/fair_http.py`: signature, a point read, an envelope, and nothing else) and a bare ASGI
callable, all on the same HTTP server. Rounds are interleaved, rates are medians. The processor time is that
of the server's process alone; it is the steadier figure, since server and load generators share the machine.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import tempfile
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path

from rig.load import Address, Load, converse
from rig.report import median, ratios, show, spread
from rig.servers import mailreeve, rig_server

from mailreeve.client import Client, Credentials

READ = "/api/policy/blockedsenders/get-policy"
WRITE = "/api/managedsender/permit-or-block-sender"
SENDERS = 1000  # different senders written; each is permitted and blocked in turn
GOOD = b"HTTP/1.1 200 "
NO_FAILURE = b'"fail":[]}'


def signed_request(keys: dict[str, str], path: str, body: bytes) -> bytes:
    """A whole request, with a signature of its own."""
    date = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S UTC")
    request_id = str(uuid.uuid4())
    text = f"{date}:{request_id}:{path}:{keys['app_key']}"
    signature = base64.b64encode(hmac.digest(base64.b64decode(keys["secret_key"]), text.encode(), hashlib.sha1))
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: MC {keys['access_key']}:{signature.decode()}\r\n"
        f"x-mc-app-id: {keys['app_id']}\r\nx-mc-date: {date}\r\nx-mc-req-id: {request_id}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def read_body(number: int, policy_id: str) -> bytes:
    """The body of a read: always the same policy."""
    return json.dumps({"data": [{"id": policy_id}]}).encode()


def write_body(number: int, admin: str) -> bytes:
    """The body of a write: the next sender, the other way round than the last time."""
    action = "permit" if number // SENDERS % 2 else "block"
    item = {"sender": f"sender{number % SENDERS}@shop.test", "to": admin, "action": action}
    return json.dumps({"data": [item]}).encode()


def whole_answer(came: bytearray) -> int:
    """How many octets the first whole HTTP answer has; 0 if it is not there yet."""
    end = came.find(b"\r\n\r\n")
    if end < 0:
        return 0
    at = came.find(b"content-length: ", 0, end) + len(b"content-length: ")
    length = end + 4 + int(came[at : came.find(b"\r\n", at)])
    return length if len(came) >= length else 0


def http_job(
    number: int,
    address: Address,
    keys: dict[str, str],
    path: str,
    body: Callable[[int], bytes],
    connections: int,
    calls: int,
    offset: int,
) -> Callable[[], int]:
    """Prepare one process's requests, signatures included; the result sends them."""
    first = offset + number * calls
    requests = [signed_request(keys, path, body(first + n)) for n in range(calls)]

    def check(answer: bytes) -> bool:
        return answer.startswith(GOOD) and answer.endswith(NO_FAILURE)

    def shares() -> list[Iterator[bytes]]:
        return [islice(requests, n, None, connections) for n in range(connections)]

    return lambda: converse(address, shares(), whole_answer, check)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=2000, help="calls of each process per round")
    parser.add_argument("--processes", type=int, default=2, help="load generators")
    parser.add_argument("--connections", type=int, default=8, help="kept-alive connections of each process")
    options = parser.parse_args()
    load = Load(options.processes)
    with (
        tempfile.TemporaryDirectory() as folder,
        rig_server("bare_http") as bare,
        mailreeve(Path(folder) / "data") as (server, keys),
        rig_server("fair_http", {"PEER_APP_KEY": keys["app_key"], "PEER_SECRET_KEY": keys["secret_key"]}) as peer,
    ):
        host, port = server.address("http")
        names = Credentials.__struct_fields__
        with Client(f"http://{host}:{port}", Credentials(**{name: keys[name] for name in names})) as client:
            policy_id = next(client.blocked_senders.every()).id
        read, write = partial(read_body, policy_id=policy_id), partial(write_body, admin=keys["admin"])
        subjects = {
            "bare ASGI callable": (bare, READ, read),
            "fair peer: signed point read": (peer, READ, read),
            "read: get-policy of one": (server, READ, read),
            "write: permit-or-block": (server, WRITE, write),
        }
        rates: dict[str, list[float]] = {name: [] for name in subjects}
        costs: dict[str, list[float]] = {name: [] for name in subjects}
        made = 0
        for round_ in range(-1, options.rounds):
            for name, (subject, path, body) in subjects.items():
                before = subject.cpu()
                arguments = (subject.address("http"), keys, path, body, options.connections, options.calls, made)
                rate = load.rate(http_job, *arguments)
                cost = (subject.cpu() - before) / (options.calls * options.processes)
                made += options.calls * options.processes
                if round_ >= 0:  # The first round warms caches and connections.
                    rates[name].append(rate)
                    costs[name].append(cost * 1e6)
    relative = ratios(rates, "bare ASGI callable")
    show(
        "Signed API calls over HTTP, keep-alive",
        f"median of {options.rounds} interleaved rounds; {options.processes} load processes on the same machine, "
        f"{options.connections} connections each; one server process; quota lifted; writes are synced to disk",
        ("subject", "calls/s", "range", "times bare", "server CPU us/call", "times peer"),
        [
            (
                name,
                f"{median(rates[name]):,.0f}",
                spread(rates[name]),
                f"{relative[name]:.2f}",
                f"{median(costs[name]):,.0f}",
                f"{median(costs[name]) / median(costs['fair peer: signed point read']):.1f}",
            )
            for name in subjects
        ],
    )


if __name__ == "__main__":
    main()
