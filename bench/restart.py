"""How long is a restart with much mail held and archived, and what does a page of a list of it cost?

The first thousands of messages get into a folder by what the mail door calls to hold and to archive; the
others are copies of their rows under keys of their own. The folder is then served with the program's own
command: the time from its start to `ready`, and its processor time until then, for an empty folder and for a
full one, the least of three. Pages are carried out as the server does it once the signature is checked, from
the bytes of the body to those of the answer: processor time, medians of calls after one that warms up.
`--data` keeps the folder, for more runs.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path

from rig.report import Judged, show_targets
from rig.servers import MAILREEVE, running
from sqlalchemy import insert, select

from mailreeve.access.caller import Caller, Origin
from mailreeve.access.permissions import Permission
from mailreeve.app.folder import Opened, opened_folder
from mailreeve.app.new_account import initialise
from mailreeve.app.settings import Settings
from mailreeve.families.archive import rows as archived
from mailreeve.families.archive.keep import keep
from mailreeve.families.held import arrival
from mailreeve.families.held.limits import HoldLimits
from mailreeve.families.held.rows import held_message
from mailreeve.families.machinery.copies import (
    ArchivedCopy,
    Copy,
    HeldCopy,
    HoldCause,
    RecipientOfCopy,
    Routed,
)
from mailreeve.families.machinery.perform import carry_out, ready
from mailreeve.families.registry import ENDPOINTS
from mailreeve.formats.addresses import parse_address
from mailreeve.formats.message import Content
from mailreeve.policy.model.policy_types import Layer
from mailreeve.store.keys import new_key
from mailreeve.store.transactions import Work
from mailreeve.wire import envelope

AT_ONCE = 1_000  # messages in one transaction
BY_DOOR = 2_000  # messages of each kind, before rows are copied
USERS = 200
DOMAIN = "corp.test"
BY_PATH = {endpoint.path: endpoint for endpoint in ENDPOINTS}
ORIGIN = Origin("bench")


def message(number: int) -> Copy:
    """A message to one of the users, like no other."""
    to = parse_address(f"user{number % USERS}@{DOMAIN}")
    header = (
        f"From: Shop {number % 97} <news@shop{number % 997}.test>\r\nTo: User <{to}>\r\n"
        f"Subject: Offer {number} of this week\r\nMessage-ID: <{number}@shop.test>\r\n"
    )
    body = f"\r\nThis is offer {number}.\r\n" + "It is as good as the last one.\r\n" * 20
    sender = parse_address(f"news@shop{number % 997}.test")
    return Copy("", f"{number:016x}", sender, (Routed(to, to),), Content(header.encode(), (body.encode(),)))


def fill(opened: Opened, account_id: str, held: int, kept: int) -> None:
    """Hold so many messages, and archive so many others, which are marked as read for the search."""
    now = time.time()
    limits = HoldLimits(copies=held + 1, octets=1 << 40)
    for start in range(0, held + kept, AT_ONCE):
        copies = [message(number) for number in range(start, min(start + AT_ONCE, held + kept))]
        bodies = opened.bodies.put(account_id, [copy.content.body for copy in copies])
        named = list(zip(copies, bodies, strict=True))

        def some(work: Work, named: list[tuple[Copy, str]] = named, start: int = start) -> None:
            to_hold = named[: max(0, held - start)]
            cause = HoldCause(Layer.SPAM, "", "Default: spam scanning")
            arrived = [
                (arrival.read(HeldCopy(copy, cause, now, "192.0.2.1", f"Offer {copy.decision_id}")), body)
                for copy, body in to_hold
            ]
            arrival.keep(work, arrived, limits)
            for copy, body in named[len(to_hold) :]:
                (to,) = copy.recipients
                recipient = RecipientOfCopy(str(to.original), str(to.effective), (), 1)
                subject = f"Offer {copy.decision_id}"
                one = ArchivedCopy(copy, (recipient,), str(copy.sender), now, "192.0.2.1", subject)
                key = keep(work, one, body)
                assert key is not None
                archived.describe(work, key, archived.Contents(), 0, None)

        opened.store.write(account_id, ORIGIN, some)


def multiply(opened: Opened, account_id: str, held: int, kept: int) -> None:
    """Copy rows until there are so many."""
    with opened.engine.writing() as connection:
        for table, wanted in ((held_message, held), (archived.archived_message, kept)):
            rows = [dict(row._mapping) for row in connection.execute(select(table))]
            boxes: dict[str, list[dict[str, object]]] = {}
            if table is archived.archived_message:
                for row in connection.execute(select(archived.archive_mailbox)):
                    boxes.setdefault(row.id, []).append(dict(row._mapping))
            copies = [(row["id"], new_key(), row) for row in islice(cycle(rows), wanted - len(rows))]
            for start in range(0, len(copies), AT_ONCE):
                some = copies[start : start + AT_ONCE]
                connection.execute(insert(table), [row | {"id": key} for _, key, row in some])
                lying = [box | {"id": key} for old, key, _ in some for box in boxes.get(old, [])]
                if lying:
                    connection.execute(insert(archived.archive_mailbox), lying)


def made(data: Path, held: int, kept: int) -> None:
    """A folder with so much mail in it."""
    initialise(data, (DOMAIN,), None, data / "credentials.json")
    with opened_folder(data, Settings()) as opened:
        account_id = opened.account_id(None)
        users = [{"emailAddress": f"user{number}@{DOMAIN}"} for number in range(USERS)]
        for start in range(0, USERS, 100):
            call(opened, account_id, "user/create-user", *users[start : start + 100])
        fill(opened, account_id, min(held, BY_DOOR), min(kept, BY_DOOR))
        multiply(opened, account_id, held, kept)


def call(opened: Opened, account_id: str, path: str, *items: dict[str, object], size: int = 0) -> bytes:
    """The answer of a function, to somebody who may do everything."""
    caller = Caller(account_id, f"admin@{DOMAIN}", "app", frozenset(Permission))
    meta = {"pagination": {"pageSize": size}} if size else {}
    body = json.dumps({"meta": meta, "data": items}).encode()
    done = carry_out(
        opened.services,
        ready(opened.services, BY_PATH[path], envelope.decode(body), caller, Origin(caller.actor)),
    )
    answer = envelope.encode(done.data, done.fail, done.shown, warnings=done.warnings)
    assert b'"fail":[]' in answer, answer[:500]
    return answer


def pages(data: Path, rounds: int) -> Iterator[tuple[str, float]]:
    """Milliseconds of processor for pages of lists."""
    lists: list[tuple[str, dict[str, object]]] = [
        ("gateway/get-hold-message-list", {"admin": True}),
        ("archive/get-message-list", {"mailbox": f"user1@{DOMAIN}", "view": "INBOX"}),
    ]
    with opened_folder(data, Settings()) as opened:
        account_id = opened.account_id(None)
        for path, item in lists:
            for size in (100, 500):
                taken = []
                for _ in range(rounds + 1):
                    begun = time.thread_time()
                    answer = call(opened, account_id, path, item, size=size)
                    taken.append(time.thread_time() - begun)
                found = len(json.loads(answer)["data"])
                yield f"{path}, page of {found}", statistics.median(taken[1:]) * 1000


def started(data: Path) -> tuple[float, float]:
    """Seconds until `ready`, and of processor until then."""
    command = [MAILREEVE, "serve", "--data", str(data), "--http", "127.0.0.1:0", "--smtp", "127.0.0.1:0"]
    begun = time.monotonic()
    with open(os.devnull, "w") as nothing, running(command, log=nothing) as server:
        return time.monotonic() - begun, server.cpu()


def restarts(data: Path, what: str, most: float) -> Iterator[Judged]:
    taken = [started(data) for _ in range(3)]
    yield Judged(f"{what}: from start to ready", most, min(wall for wall, _ in taken), "s")
    yield Judged(f"{what}: processor until ready", most, min(cpu for _, cpu in taken), "s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--held", type=int, default=10_000)
    parser.add_argument("--archived", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--data", type=Path, help="a folder to be made, or that an earlier run made")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        empty, full = Path(folder) / "empty", chosen.data or Path(folder) / "full"
        initialise(empty, (DOMAIN,), None, empty / "credentials.json")
        if not full.exists():
            begun = time.monotonic()
            made(full, chosen.held, chosen.archived)
            print(f"filled in {time.monotonic() - begun:.0f} s, {datetime.now(UTC):%F}", file=sys.stderr)
        judged = [
            *restarts(empty, "an empty folder", 3.0),
            *restarts(full, f"{chosen.held:,} held, {chosen.archived:,} archived", 3.0),
            *(Judged(what, 50.0, taken, "ms") for what, taken in pages(full, chosen.rounds)),
        ]
    show_targets("Restart, and pages of lists of mail", judged)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
