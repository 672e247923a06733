"""How long does a replay of a million recorded messages take, by what the draft touches?

The account has blocked sender policies of every kind, users in groups, personal entries and definitions. Its mail
of the last days is from strangers, from senders whom a policy is about, and from inside; one message in five was
refused at RCPT, so that its header was never seen. What is timed is the command, from start to end, on one core.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from rig import filled, worlds
from rig.report import show
from rig.servers import MAILREEVE
from sqlalchemy import Connection, insert, select

from mailreeve.families.tracking.outcomes import Outcome, State
from mailreeve.families.tracking.rows import message_outcome
from mailreeve.formats.addresses import parse_address
from mailreeve.formats.authors import HeaderFrom
from mailreeve.policy.model.decisions import SpamChecks, Stage
from mailreeve.store.engines import SqliteEngine
from mailreeve.store.schema import account

DAYS = 6.5
ROWS = 20_000  # inserted at a time
STRANGERS = 200_000  # different senders outside, of whom a few write most


def outcomes(size: worlds.Size, count: int) -> Iterator[Outcome]:
    """What is recorded of that mail, the oldest first."""
    chance = random.Random(6)
    start, step = time.time() - DAYS * 86_400, DAYS * 86_400 / count
    for number in range(count):
        kind = chance.random()
        recipient = worlds.user_address(min(int(chance.paretovariate(0.7)), size.users) - 1)
        source = f"198.51.{number % 250}.{number % 200}"
        if kind < 0.2:
            who = chance.randrange(1, size.policies)
            sender = f"sender{who}@{worlds.domain_of(who % 100_000)}"
        elif kind < 0.9:
            who = min(int(chance.paretovariate(0.5)), STRANGERS)
            sender = f"stranger{who}@unknown{who % 5_000}.test"
        else:
            sender, source = worlds.user_address(chance.randrange(size.users)), "127.0.0.1"
            if kind > 0.95:
                recipient = f"out{number % 10_000}@{worlds.domain_of(number % 10_000)}"
        refused = kind < 0.2
        authors = (HeaderFrom(parse_address(sender), "Somebody" if number % 3 else ""),)
        yield Outcome(
            account_id="",
            decision_id=f"d{number:015d}",
            at=start + number * step,
            source_ip=source,
            sender=sender,
            effective_sender=sender,
            recipient=recipient,
            effective_recipient=recipient,
            header_from=None if refused else authors,
            subject="" if refused else f"About the order {number} and what became of it",
            message_id="" if refused else f"<{number}.{chance.getrandbits(64):x}@{sender.rpartition('@')[2]}>",
            size=0 if refused else 20_000,
            state=State.REJECTED if refused else State.DELIVERED,
            stage=Stage.RCPT if refused else None,
            layer="blocked_senders" if refused else "default",
            reply="550 5.7.1 Envelope rejected - block policy for envelope from address" if refused else "",
            policy_id=worlds.key_of(number) if refused else "",
            description="Blocked by ticket" if refused else "",
            revision=1,
            spam_checks=SpamChecks.RUN,
        )


def record(connection: Connection, account_id: str, made: Iterator[Outcome]) -> None:
    """Insert outcomes as the mail door would have, but many in one transaction."""
    numbers = iter(range(10**9))
    while several := list(islice(made, ROWS)):
        rows: list[dict[str, Any]] = [
            {
                "account_id": account_id,
                "id": worlds.key_of(next(numbers)),
                "at": datetime.fromtimestamp(one.at, UTC),
                "decision_id": one.decision_id,
                "state": one.state,
                "sender": one.sender,
                "recipient": one.recipient,
                "document": msgspec.json.encode(one).decode(),
                "header_at": None,
            }
            for one in several
        ]
        connection.execute(insert(message_outcome), rows)


def fill(folder: Path, size: worlds.Size, count: int) -> None:
    """A data folder with an account of that size, and so many records."""
    subprocess.run(
        [MAILREEVE, "init", "--data", str(folder), "--domain", "corp.test", "--json"],
        check=True,
        capture_output=True,
    )
    engine = SqliteEngine(folder / "mailreeve.db")
    with engine.writing() as connection:
        account_id = connection.execute(select(account.c.id)).scalar_one()
        for table, found in filled.rows(size):
            rows = iter(found)
            while several := [{"account_id": account_id, **row} for row in islice(rows, ROWS)]:
                connection.execute(insert(table), several)
        record(connection, account_id, outcomes(size, count))
    engine.dispose()


def domain(description: str, sender: dict[str, str]) -> list[dict[str, object]]:
    """A draft that blocks a sender for everybody inside."""
    policy = {"description": description, "from": sender, "to": {"type": "internal_addresses"}}
    return [{"call": "policy/blockedsenders/create-policy", "item": {"option": "block_sender", "policy": policy}}]


DRAFTS: dict[str, list[dict[str, object]]] = {
    "blocks one domain": domain("One domain", {"type": "email_domain", "emailDomain": "unknown7.test"}),
    "blocks all mail from outside": domain("Everybody", {"type": "external_addresses"}),
    "one user's block of a frequent sender": [
        {
            "call": "managedsender/permit-or-block-sender",
            "item": {"sender": "stranger1@unknown1.test", "to": worlds.user_address(0), "action": "block"},
        }
    ],
    "renames a whole domain": [
        {
            "call": "policy/address-alteration/create-definition",
            "item": {
                "addressAlterations": [
                    {
                        "addressType": "envelope_to",
                        "routing": "all",
                        "originalAddress": "*@corp1.example",
                        "newAddress": "*@corp2.example",
                    }
                ]
            },
        }
    ],
}


def measured(command: Sequence[str]) -> tuple[float, float, int, str]:
    """Seconds by the clock and of the processor, peak memory in octets, and what was printed."""
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        if status:
            raise SystemExit(f"{command} failed")
        output.seek(0)
        return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, output.read()


def main() -> None:
    """Fill a folder, replay each draft, print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--records", type=int, default=1_000_000)
    options.add_argument("--policies", type=int, default=10_000)
    options.add_argument("--rounds", type=int, default=3, help="of each draft; the quickest is told")
    asked = options.parse_args()
    size = worlds.Size(asked.policies, personal=20_000, web=1_000, users=5_000, groups=500)
    rows = []
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "data"
        fill(folder, size, asked.records)
        cores = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(cores)})
        for name, steps in DRAFTS.items():
            draft = Path(parent) / "draft.json"
            draft.write_text(json.dumps(steps), "utf-8")
            command = [
                MAILREEVE,
                "replay",
                "--data",
                str(folder),
                "--draft",
                str(draft),
                "--since",
                "7d",
                "--json",
            ]
            seconds, cpu, memory, printed = min(measured(command) for _ in range(asked.rounds))
            told = json.loads(printed)
            assert told["lookedAt"] == asked.records
            rows.append(
                (
                    name,
                    f"{seconds:.1f}",
                    f"{cpu:.1f}",
                    f"{asked.records / seconds:,.0f}",
                    f"{memory / 2**20:,.0f}",
                    f"{told['differences']:,}",
                )
            )
    notes = (
        f"{asked.records:,} messages, {asked.policies:,} blocked sender policies; the quickest of {asked.rounds}"
    )
    columns = ("the draft", "seconds", "of the processor", "messages/s", "peak MiB", "differences")
    show("Replay of a draft", notes, columns, rows)


if __name__ == "__main__":
    main()
