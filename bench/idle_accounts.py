"""What do thousands of accounts in one process cost while nobody asks for them?

Accounts of two kinds: as `mailreeve init` makes them, and small ones with some hundreds of objects more. All are
asked for once, so that each is loaded; then all are let go, and asked for again.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from math import inf
from pathlib import Path

from msgspec import Struct
from rig import filled, worlds
from rig.apart import Timed, apart, resident, timed
from rig.report import Judged, show, show_targets

from mailreeve.access.caller import Origin
from mailreeve.app import logs
from mailreeve.families.directory.account import operations as accounts
from mailreeve.families.registry import LOADERS, seed_account
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.store.engines import SqliteEngine
from mailreeve.store.follow import Follower, Keep
from mailreeve.store.schema import metadata
from mailreeve.store.transactions import Store, Work

SMALL = worlds.Size(policies=40, personal=100, web=50, users=20, groups=10, memberships=2, definitions=10)
IDLE = 3_600.0
KINDS: dict[str, worlds.Size | None] = {"as init makes it": None, "small": SMALL}


class Memory(Struct, frozen=True):
    """Bytes more than before, once all accounts were loaded, had been let go, and were loaded again."""

    loaded: int
    let_go: int
    again: int


class Measured(Struct, frozen=True):
    """How loading went the first and the second time, seconds to let all go, what an account holds, and memory:
    what the process had of the system's, and what it had in use."""

    first: Timed
    second: Timed
    letting_go: float
    objects: int
    held: Memory


def make(path: Path, number: int, size: worlds.Size | None) -> list[str]:
    """A database with so many accounts; their ids."""
    engine = SqliteEngine(path)
    ids = []
    with engine.writing() as connection:
        metadata.create_all(connection)
        for place in range(number):
            account_id, code = accounts.new_identity()
            work = Work(connection, account_id, Origin("bench"), datetime.now(UTC))
            accounts.create(work, code, f"Account {place}", f"admin@corp{place}.example")
            seed_account(work)
            if size is not None:
                filled.put(connection, account_id, _rows(place, size))
            ids.append(account_id)
    engine.dispose()
    return ids


def _rows(place: int, size: worlds.Size) -> Iterator[filled.Rows]:
    """The rows of a small account, with domains that no other account has."""
    for table, rows in filled.rows(size):
        several = (row for row in rows if not row.get("immutable"))
        if table is filled.domain:
            several = ({**row, "name": f"a{place}.{row['name']}", "shown": row["name"]} for row in several)
        yield table, several


def measure(path: Path, ids: list[str], traced: bool) -> Measured:
    """Load all, let them go, load them again. Memory is what is in use if it is traced, which makes everything
    slow, else what the process has of the system's."""
    logs.configure("warning")
    now = 0.0
    store = Store(SqliteEngine(path))
    follower = Follower(store, LOADERS, worlds.RELAY, Keep(IDLE), lambda: now)
    follower.current(ids[0])
    if traced:
        tracemalloc.start()
    before = _memory(traced)
    first = timed(follower.current, ids[1:], inf, _size, warming=0, clock=time.perf_counter_ns)
    loaded = _memory(traced)
    now = 2 * IDLE
    began = time.perf_counter()
    dropped = follower.let_go()
    letting_go = time.perf_counter() - began
    if dropped != len(ids):
        raise SystemExit(f"{dropped} accounts were let go, not {len(ids)}")
    let_go = _memory(traced)
    second = timed(follower.current, ids[1:], inf, _size, warming=0, clock=time.perf_counter_ns)
    memory = Memory(loaded - before, let_go - before, _memory(traced) - before)
    return Measured(first, second, letting_go, first.answers[0], memory)


def _memory(traced: bool) -> int:
    held = resident()
    return tracemalloc.get_traced_memory()[0] if traced else held


def _size(policies: PolicySet) -> int:
    return policies.size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=2_000, help="of each kind")
    options = parser.parse_args()

    def kilobytes(octets: int) -> float:
        return octets / options.accounts / 1024

    rows: list[tuple[str, ...] | None] = []
    judged = []
    for kind, size in KINDS.items():
        with tempfile.TemporaryDirectory() as temporary:
            path = Path(temporary) / "mailreeve.db"
            ids = make(path, options.accounts, size)
            found, traced = (apart(measure, path, ids, way) for way in (False, True))
        rows.append((f"{kind}: {found.objects} policies, entries and definitions", *[""] * 4))
        for state, one in (("loaded, idle", found.first), ("let go", None), ("loaded again", found.second)):
            name = {"loaded, idle": "loaded", "let go": "let_go", "loaded again": "again"}[state]
            memory = [f"{kilobytes(getattr(each.held, name)):,.1f}" for each in (traced, found)]
            use = ["", ""] if one is None else [f"{one.median / 1000:,.1f}", f"{one.p99 / 1000:,.1f}"]
            rows.append((state, *memory, *use))
        rows.append(None)
        judged.append(Judged(f"an idle account, {kind}", 10, kilobytes(traced.held.let_go), "kB in use"))
    show(
        f"{options.accounts:,} accounts in one process, memory in kB for each",
        "in use is what Python's allocator is asked for; held is what the process has of the system's, some of "
        f"it free; the {options.accounts:,} of the last kind were let go in {found.letting_go * 1000:,.0f} ms",
        ("state", "in use", "held", "first use ms", "p99 ms"),
        rows,
    )
    show_targets("Idle accounts: a few kilobytes each", judged)


if __name__ == "__main__":
    main()
