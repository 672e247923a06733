"""What does it take to load a large account from its database, and to change one thing in it?

The account is that of the decision benchmark, in a folder that `mailreeve init` has made. It is served once, to
see how long a start takes; then one process loads it and changes policies and memberships through the operations
that the API's endpoints call, without HTTP. After each change it decides a message that must show it. At last one
thread decides while another works.
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import structlog
from msgspec import Struct
from rig import filled, servers, worlds
from rig.apart import apart, at, most_resident, resident
from rig.changing import (
    MANY,
    Account,
    InMemory,
    Step,
    in_memory,
    membership_steps,
    naming,
    policy_steps,
    unblocked,
)
from rig.meanwhile import EVERY, Asked, Changing, Loading, asked, counting, nothing
from rig.report import Judged, show, show_targets

from mailreeve.app import logs
from mailreeve.app.folder import DATABASE, Opened, open_initialised
from mailreeve.app.new_account import initialise
from mailreeve.app.settings import Settings


class Start(Struct, frozen=True):
    """One way to have the account ready: seconds, those of them on a processor, bytes held then and at most, lines
    of progress."""

    seconds: float
    processor: float
    held: int
    most: int
    told: int


class Measured(Struct, frozen=True):
    """What came of it in the one process."""

    load: Start
    rows: float
    policies: dict[str, list[Step]]
    memberships: dict[str, list[Step]]
    memory: InMemory
    meanwhile: dict[str, Asked]
    checked: int


def make(folder: Path, size: worlds.Size) -> str:
    """An initialised folder with the account in it; the account's id. Its own relay guard stands for the made-up
    one."""
    initialise(folder, ("corp.test",), None)
    opened = open_initialised(folder, Settings())
    account_id = opened.account_id(None)

    def tables() -> Iterator[filled.Rows]:
        for table, rows in filled.rows(size):
            yield table, (row for row in rows if not row.get("immutable"))
            if table is filled.blocked_sender_policy:
                yield table, map(filled.blocked_row, naming(size))

    with opened.engine.writing() as connection:
        filled.put(connection, account_id, tables())
    opened.close()
    return account_id


def served(folder: Path) -> Start:
    """`mailreeve serve`, from its start to `ready`."""
    with tempfile.TemporaryFile("w+") as log:
        began = time.perf_counter()
        with servers.running(servers.serve(folder), {"MAILREEVE_LOG_LEVEL": "info"}, log) as server:
            seconds = time.perf_counter() - began
            processor, (held, most) = server.cpu(), server.memory()
        log.seek(0)
        return Start(seconds, processor, held, most, sum("loading policies" in line for line in log))


def measure(folder: Path, account_id: str, size: worlds.Size, rounds: int, seconds: float) -> Measured:
    """All that is measured in one process."""
    rows = _rows_alone(folder / DATABASE)
    before = resident()
    opened = open_initialised(folder, Settings())
    load = _loaded(opened, account_id, before)
    logs.configure("warning")
    account = Account(opened, account_id)
    users = unblocked(account.policies(), size)
    steps = policy_steps(account, users[:rounds])
    memberships = membership_steps(account, size, users[:rounds])
    memory = in_memory(account.policies(), size, rounds)
    questions = worlds.questions(size, 2_000)
    changing = Changing(account, users[0])
    loading = Loading(account)
    meanwhile = {
        "nothing": asked(account, questions, nothing, seconds),
        "a thread that counts": asked(account, questions, counting, seconds),
        "policies created and deleted": asked(account, questions, changing, seconds),
        "the same, deciding without a pause": asked(account, questions, changing, seconds, every=0.0),
        "the whole account loaded anew": asked(account, questions, loading.load, 0, again=False),
        "what was loaded anew let go": asked(account, questions, loading.let_go, 1, again=False),
    }
    checked = changing.check(seconds)
    opened.close()
    return Measured(load, rows, steps, memberships, memory, meanwhile, checked)


def _loaded(opened: Opened, account_id: str, before: int) -> Start:
    with structlog.testing.capture_logs() as log:
        began, before_it = time.perf_counter(), time.process_time()
        opened.services.follower.current(account_id)
        seconds, processor = time.perf_counter() - began, time.process_time() - before_it
    told = sum(line["event"] == "loading policies" for line in log)
    return Start(seconds, processor, resident() - before, most_resident() - before, told)


def _rows_alone(database: Path) -> float:
    """Seconds to read the rows of the blocked senders, and to make nothing of them: what no loader can beat."""
    connection = sqlite3.connect(database)
    began = time.perf_counter()
    for _ in connection.execute("SELECT id, option, document, immutable, created_at FROM blocked_sender_policy"):
        pass
    seconds = time.perf_counter() - began
    connection.close()
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policies", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=100, help="changes of each kind")
    parser.add_argument("--seconds", type=float, default=5.0, help="of decisions while something goes on")
    options = parser.parse_args()
    size = worlds.Size().with_policies(options.policies)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "data"
        account_id = make(folder, size)
        start = served(folder)
        found = apart(measure, folder, account_id, size, options.rounds, options.seconds)
    show_start(start, found, options.policies)
    show_changes(found, options.policies)
    show_in_memory(found.memory, options.policies)
    show_meanwhile(found)
    show_targets("Large account: targets", targets(start, found, options.policies))


def show_start(start: Start, found: Measured, policies: int) -> None:
    """How the account becomes ready."""

    def row(name: str, one: Start) -> tuple[str, ...]:
        memory = (f"{one.held / 2**20:,.0f}", f"{one.held / policies:,.0f}", f"{one.most / 2**20:,.0f}")
        return name, f"{one.seconds:,.1f}", f"{one.processor:,.1f}", str(one.told), *memory

    show(
        f"From the database to the first decision, {policies:,} blocked sender policies",
        "serve is counted from the start of its process to `ready`, with all memory that it has; the loading "
        "alone is what a process grows by; the file is in the page cache",
        ("way", "seconds", "processor s", "progress lines", "MB", "bytes/policy", "MB at most"),
        [
            row("mailreeve serve, to ready", start),
            row("the loading alone", found.load),
            ("blocked sender rows read, nothing made", f"{found.rows:,.1f}", "", "", "", "", ""),
        ],
    )


def show_changes(found: Measured, policies: int) -> None:
    """Changes through the operations."""
    names = {"many": f"member added to a group of {MANY:,} policies", "few": "member added to another group"}
    every = {f"policy: {name}": steps for name, steps in found.policies.items()}
    every |= {names[name]: steps for name, steps in found.memberships.items()}
    show(
        f"One change among {policies:,}, in milliseconds",
        f"median and p99 of {len(found.policies['create'])}; live is from the beginning of the commit, which is "
        "synced, to the end of the first decision that shows the change; the new set is made by that decision",
        ("change", "call", "p99", "live", "p99", "of it processor", "new set", "decision"),
        [
            (
                name,
                *_both([step.call for step in steps]),
                *_both([step.live for step in steps]),
                f"{at([step.processor for step in steps], 0.5) / 1000:.2f}",
                f"{at([step.following for step in steps], 0.5) / 1000:.2f}",
                f"{at([step.deciding for step in steps], 0.5) / 1000:.2f}",
            )
            for name, steps in every.items()
        ],
    )


def _both(values: list[float]) -> tuple[str, str]:
    return f"{at(values, 0.5) / 1000:,.2f}", f"{at(values, 0.99) / 1000:,.2f}"


def show_in_memory(memory: InMemory, policies: int) -> None:
    """Changes of the set alone."""
    rows: list[tuple[str, ...] | None] = []
    for kind, operations in memory.policies.items():
        medians = [f"{at(taken, 0.5):,.0f}" for taken in operations.values()]
        p99 = at([one for taken in operations.values() for one in taken], 0.99)
        rows.append((kind, *medians, f"{p99:,.0f}", f"{memory.blocked_anew * 1e6:,.0f}"))
    rows.append(None)
    for name, taken in memory.memberships.items():
        what = f"membership of a group of {MANY:,} policies" if name == "many" else "membership of another group"
        anew = f"{memory.directory_anew * 1e6:,.0f}"
        rows.append((what, f"{at(taken, 0.5):,.0f}", "", "", f"{at(taken, 0.99):,.0f}", anew))
    show(
        f"The same in memory alone among {policies:,}, in microseconds (PolicySet.changed)",
        "processor time; all anew is what one change costs where its part of the set is made anew from what is in "
        "memory",
        ("what changes", "create", "change", "delete", "p99", "all anew"),
        rows,
    )


def show_meanwhile(found: Measured) -> None:
    """Decisions while something else goes on."""
    rows = []
    for name, one in found.meanwhile.items():
        several = {name: one.quick}
        took = f"{at(one.work, 0.5) * 1000:,.1f}"
        if one.followed:
            several |= {"- those that made a change's set": one.followed}
        for which, taken in several.items():
            figures = [f"{at(taken, part):,.1f}" for part in (0.5, 0.99, 0.999)]
            rows.append((which, took, f"{len(taken):,}", *figures, f"{max(taken) / 1000:,.1f}"))
            took = ""
    changes = sum(len(found.meanwhile[name].work) for name in found.meanwhile if "created" in name)
    show(
        f"{1 / EVERY:,.0f} decisions a second of one thread while another works",
        "counted from when a message is due, which by itself is a tenth of a millisecond before the thread wakes; "
        f"{changes:,} changes were made; of {found.checked:,} further decisions during changes each was what the "
        "policies of its revision say; CPython lets one thread run at a time and turns every 5 ms",
        ("meanwhile", "it took ms", "decisions", "median us", "p99 us", "p99.9 us", "longest ms"),
        rows,
    )


def targets(start: Start, found: Measured, policies: int) -> list[Judged]:
    """What was aimed at."""
    live = [step.live for steps in found.policies.values() for step in steps]
    many, few = (at([step.live for step in found.memberships[name]], 0.5) for name in ("many", "few"))
    anew = f"{found.load.seconds:,.1f} s"
    return [
        Judged("mailreeve serve is ready in", 15, start.seconds, "s"),
        Judged("memory of the loaded account", 600, found.load.held / policies, "bytes/policy"),
        Judged("a policy is live, median", 5, at(live, 0.5) / 1000, "ms", anew),
        Judged("a policy is live, p99", 5, at(live, 0.99) / 1000, "ms", anew),
        Judged(
            f"membership of a group of {MANY:,} policies, over another",
            1.5,
            many / few,
            "times",
            f"{found.memory.directory_anew:.2f} s",
        ),
    ]


if __name__ == "__main__":
    main()
