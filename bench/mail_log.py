"""How long does a page of `mailreeve log` take in an account with very many records?

    .venv/bin/python bench/mail_log.py [--records 1000000] [--rounds 9]

Each question is a page of 50, asked of the endpoint in this process: the first page, and one that goes on from
there. The median of the rounds is told. What is narrowed by a second field, or by what is left out, may
take several pages to be filled, which is told as well.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import b32encode
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from rich.console import Console
from rich.table import Table

from mailreeve.app.folder import opened_folder
from mailreeve.app.folder_api import URL, FolderApi
from mailreeve.app.settings import read
from mailreeve.client import Client
from mailreeve.families.tracking import rows
from mailreeve.families.tracking.outcomes import Outcome, State
from mailreeve.policy.model.decisions import SpamChecks, Stage
from mailreeve.store.transactions import Origin

MAILREEVE = Path(sys.executable).with_name("mailreeve")
FIND = "ext/find-mail-records"
AT_ONCE = 5_000
PAGE = 50

QUESTIONS: dict[str, dict[str, object]] = {
    "everything": {},
    "to an address": {"to": "user7@corp.test"},
    "to the own domain": {"to": "corp.test"},
    "from a domain": {"from": "unknown17.test"},
    "rejected": {"verdict": "rejected"},
    "deferred, of which there are few": {"verdict": "deferred"},
    "a Message-ID": {"messageId": "<5000@unknown0.test>"},
    "from a domain to an address": {"from": "unknown17.test", "to": "user1@corp.test"},
    "rejected, to an address": {"verdict": "rejected", "to": "user1@corp.test"},
    "all but the own domain": {"exclude": [{"to": "corp.test"}]},
    "all but two verdicts": {"exclude": [{"verdict": "rejected"}, {"verdict": "delivered"}]},
    "before yesterday": {"until": "1d"},
}


def outcomes(account_id: str, count: int) -> Iterator[Outcome]:
    """What a busy account has: half of it refused, few deferred, a hundred users, many strangers."""
    chance = random.Random(6)
    for number in range(count):
        kind = chance.random()
        state = State.REJECTED if kind < 0.5 else State.DELIVERED
        if number % 50_000 == 7:
            state = State.DEFERRED
        user = min(int(chance.paretovariate(0.7)), 5_000)
        recipient = f"user{user}@corp.test"
        if number % 100_000 == 11:
            recipient = f"out{number}@elsewhere.test"
        stranger = chance.randrange(20_000)
        sender = f"stranger{stranger}@unknown{stranger % 5_000}.test"
        decision = b32encode(number.to_bytes(10)).decode().lower()
        yield Outcome(
            account_id=account_id,
            decision_id=decision,
            at=time.time(),
            source_ip=f"198.51.{number % 250}.{number % 200}",
            sender=sender,
            effective_sender=sender,
            recipient=recipient,
            effective_recipient=recipient,
            header_from=None,
            subject=f"About the order {number}",
            message_id=f"<{number}@unknown{number % 5_000}.test>",
            size=20_000,
            state=state,
            stage=None if state is State.DELIVERED else Stage.RCPT,
            layer="blocked_senders",
            reply=f"550 5.7.1 Envelope rejected - block policy for envelope from address [{decision}]",
            policy_id="",
            description="",
            revision=1,
            spam_checks=SpamChecks.RUN,
            client_name="mx.unknown.test",
        )


def measure(api: Client, item: dict[str, object], rounds: int) -> tuple[float, float, int, int]:
    """Milliseconds of a first page and of the next, medians; how many pages fill one, and how many rows it has."""
    first: list[float] = []
    for _ in range(rounds):
        began = time.perf_counter()
        answer = api.send(FIND, item, page_size=PAGE)
        first.append(time.perf_counter() - began)
    rows_found, calls, token = len(answer.data), 1, answer.next_page
    while rows_found < PAGE and token is not None:
        answer = api.send(FIND, item, page_size=PAGE, page_token=token)
        rows_found, calls, token = rows_found + len(answer.data), calls + 1, answer.next_page
    later = list(first)
    if token is not None:
        later = []
        for _ in range(rounds):
            began = time.perf_counter()
            api.send(FIND, item, page_size=PAGE, page_token=token)
            later.append(time.perf_counter() - began)
    return statistics.median(first) * 1_000, statistics.median(later) * 1_000, calls, rows_found


def main() -> None:
    """Fill a folder, ask each question, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=9)
    asked = parser.parse_args()
    table = Table(title=f"A page of {PAGE} among {asked.records:,} records")
    for title in ("question", "first page ms", "next page ms", "pages to fill one", "rows"):
        table.add_column(title, justify="left" if title == "question" else "right")
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as parent:
        data = Path(parent) / "data"
        subprocess.run(
            [MAILREEVE, "init", "--data", data, "--domain", "corp.test"], check=True, capture_output=True
        )
        with opened_folder(data, read(data, {})) as opened:
            account_id = opened.account_id(None)
            made = outcomes(account_id, asked.records)
            began = time.perf_counter()
            while several := list(islice(made, AT_ONCE)):
                opened.store.write(account_id, Origin("bench"), lambda work, some=several: rows.add(work, some))
            each = (time.perf_counter() - began) / asked.records * 1e6
            octets = sum(file.stat().st_size for file in data.iterdir() if file.name.startswith("mailreeve.db"))
            with Client(URL, None, transport=FolderApi(opened.services, account_id)) as api:
                for title, item in QUESTIONS.items():
                    first, later, calls, found = measure(api, item, asked.rounds)
                    table.add_row(title, f"{first:.1f}", f"{later:.1f}", str(calls), str(found))
    console = Console()
    console.print(table)
    console.print(f"writing a record {each:.0f} us, {octets / asked.records:.0f} octets each in the database")


if __name__ == "__main__":
    main()
