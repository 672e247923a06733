"""How long does an import of 2,000 rows take, on a folder and on a server, and who waits while a long one runs?

Each kind of object is imported into a new account, then the same rows once more, which changes nothing, and
exported. What is timed is the call: reading the file and starting the command come on top, half a second or so.

The second table is about others: one client writes an entry, asks for the account and begins a mail, over and
over, while 20,000 rows are imported in calls of 500 and of 2,000 rows.
"""

from __future__ import annotations

import argparse
import smtplib
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path

from rig.report import Judged, median, show, show_targets
from rig.servers import Server, mailreeve

from mailreeve.app.folder import opened_folder
from mailreeve.app.folder_api import URL, FolderApi
from mailreeve.app.new_account import initialise
from mailreeve.app.settings import read
from mailreeve.client import Client, Credentials

ROWS = 2_000
LONG = 20_000
WRITE = "managedsender/permit-or-block-sender"
MOST = 3.0  # seconds that so many rows may take

Rows = list[dict[str, object]]

KINDS: dict[str, Callable[[int], dict[str, object]]] = {
    "users": lambda n: {"address": f"u{n}@corp.test", "name": f"User {n}", "attributes": {"Site": f"s{n % 7}"}},
    "groups": lambda n: {"group": f"G{n % 50}/H{n}"},
    "members": lambda n: {"group": f"G{n % 50}/H{n % 50}", "address": f"m{n}@out.test"},
    "senders": lambda n: {"to": f"u{n % 500}@corp.test", "sender": f"s{n}@out.test", "action": "block"},
    "blocks": lambda n: {
        "description": f"Block {n}",
        "option": "block_sender",
        "from": f"b{n}@out.test",
        "to": "internal",
    },
    "web": lambda n: {"policy": f"List {n % 3}", "type": "domain", "value": f"d{n}.test", "action": "block"},
    "delegates": lambda n: {
        "primary": f"u{n % 100}@corp.test",
        "delegate": f"u{(n % 100 + 1 + n // 100) % 2000}@corp.test",
    },
}


def rows(kind: str, count: int, start: int = 0) -> Rows:
    """So many rows of a kind."""
    return [KINDS[kind](n) for n in range(start, start + count)]


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


@contextmanager
def on_folder(place: Path) -> Iterator[Client]:
    """A client of a new folder itself."""
    initialise(place, ("corp.test",), None)
    with opened_folder(place, read(place, {}, {})) as opened:
        yield Client(URL, None, transport=FolderApi(opened.services, opened.account_id(None)))


@contextmanager
def on_server(place: Path) -> Iterator[Client]:
    """A client of a new server."""
    with mailreeve(place) as (server, keys), client(server, keys) as api:
        yield api


def client(server: Server, keys: dict[str, str]) -> Client:
    """A signed client."""
    url = "http://{}:{}".format(*server.address("http"))
    names = ("app_id", "app_key", "access_key", "secret_key")
    return Client(url, Credentials(*(keys[name] for name in names)))


def times(where: Callable[[Path], AbstractContextManager[Client]]) -> dict[str, list[float]]:
    """The seconds to add, to find unchanged, and to export the rows of each kind."""
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, where(Path(folder) / "data") as api:
        for kind in KINDS:
            item = {"rows": rows(kind, ROWS), "confirmReach": True}
            path = f"ext/import-{kind}"
            found[kind] = [
                seconds(lambda path=path, item=item: api.call(path, item)),
                seconds(lambda path=path, item=item: api.call(path, item)),
                seconds(lambda kind=kind: list(api.pages(f"ext/export-{kind}", {}, page_size=500))),
            ]
    return found


def waits(chunk: int) -> dict[str, list[float]]:
    """The milliseconds that another client waits for a write, a read and the answer to RCPT while a long import
    runs in calls of so many rows; with 0, while none does."""
    found: dict[str, list[float]] = {"write": [], "read": [], "rcpt": []}
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        server, keys = stack.enter_context(mailreeve(Path(folder) / "data"))
        api, importer = (stack.enter_context(client(server, keys)) for _ in range(2))
        mail = stack.enter_context(smtplib.SMTP(*server.address("smtp")))
        mail.ehlo()
        importer.call("ext/import-users", {"rows": rows("users", 500)})

        def work() -> None:
            for start in range(0, LONG, chunk):
                importer.call("ext/import-senders", {"rows": rows("senders", chunk, start)})

        worker = threading.Thread(target=work if chunk else lambda: time.sleep(5))
        worker.start()
        number = 0
        while worker.is_alive():
            number += 1
            entry = {"to": "u1@corp.test", "sender": f"x{number % 1000}@y.test", "action": "permit"}
            found["write"].append(seconds(partial(api.call, WRITE, entry)) * 1e3)
            found["read"].append(seconds(partial(api.call, "account/get-account")) * 1e3)
            mail.mail("a@b.test")
            found["rcpt"].append(seconds(partial(mail.rcpt, "u1@corp.test")) * 1e3)
            mail.rset()
            time.sleep(0.02)
        worker.join()
    return found


def tail(values: Sequence[float], part: float) -> float:
    """The value that so great a part of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    several = {
        name: [times(where) for _ in range(rounds)] for name, where in (("folder", on_folder), ("HTTP", on_server))
    }
    table: list[list[str]] = []
    judged: list[Judged] = []
    for kind in KINDS:
        cells = [kind]
        for name, found in several.items():
            middle = [median([one[kind][n] for one in found]) for n in range(3)]
            cells += [f"{value:.2f}" for value in middle]
            judged.append(Judged(f"{ROWS:,} {kind} added, {name}", MOST, middle[0], "s"))
        table.append(cells)
    titles = [f"{name} {what}" for name in several for what in ("added", "same", "exported")]
    show(f"{ROWS:,} rows of each kind, in seconds", f"medians of {rounds} rounds", ["kind", *titles], table)
    show_targets("Targets", judged)
    waited = {chunk: waits(chunk) for chunk in (0, 500, 2_000)}
    show(
        f"What others wait while {LONG:,} rows are imported, in milliseconds",
        "median, 99 of 100, longest",
        ["", "no import", "500 rows a call", "2,000 rows a call"],
        [
            [
                what,
                *(
                    f"{median(one[what]):.1f}, {tail(one[what], 0.99):.0f}, {max(one[what]):.0f}"
                    for one in waited.values()
                ),
            ]
            for what in ("write", "read", "rcpt")
        ],
    )


if __name__ == "__main__":
    main()
