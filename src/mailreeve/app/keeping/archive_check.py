"""Is everything there that was archived? Each message's header and body, held against its row and its key."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec import Struct

from mailreeve.app.folder import Opened
from mailreeve.families.archive import rows
from mailreeve.families.archive.rows import ArchivedRow
from mailreeve.families.directory.account import rows as accounts

AT_ONCE: Final = 200
MOST_NAMED: Final = 100
"""So many problems are named."""

Report = Callable[[str, int, int], None]


class Checked(Struct, frozen=True):
    """What was found: how many messages and different bodies there are, and what is wrong, the first of many."""

    messages: int
    bodies: int
    problems: tuple[str, ...]


def check_archive(opened: Opened, account: str | None, report: Report) -> Checked:
    """Read every archived message of an account, or of all. Raises `FolderError`."""
    codes = opened.store.look_up(accounts.codes)
    chosen = codes if account is None else {account: opened.account_id(account)}
    total = sum(opened.store.read(account_id, rows.count) for account_id in chosen.values())
    problems: list[str] = []
    messages = bodies = 0
    for code, account_id in sorted(chosen.items()):
        sizes: dict[str, int | None] = {}
        after = ""
        while found := opened.store.read(account_id, partial(rows.after, key=after, most=AT_ONCE)):
            after = found[-1].id
            for row in found:
                messages += 1
                wrong = _wrong(opened, account_id, row, sizes)
                if wrong and len(problems) < MOST_NAMED:
                    problems.append(f"account {code}, message {row.id}: {wrong}")
            report("messages", messages, max(total, messages))
        bodies += len(sizes)
    return Checked(messages, bodies, tuple(problems))


def _wrong(opened: Opened, account_id: str, row: ArchivedRow, sizes: dict[str, int | None]) -> str:
    """What is wrong with a message, empty where nothing is. `sizes` are those of the bodies that were read before,
    None of one that is damaged."""
    try:
        header = opened.store.read(account_id, lambda work: rows.header_of(work, row.id))
    except zlib.error as problem:
        return f"its header is damaged: {problem}"
    if row.body not in sizes:
        sizes[row.body] = None
        try:
            # What it reads is held against the key, which is the digest of the body.
            sizes[row.body] = sum(map(len, opened.bodies.read(account_id, row.body)))
        except FileNotFoundError:
            return f"its body {row.body} is missing"
        except OSError as problem:
            return str(problem)
    size = sizes[row.body]
    if size is None:
        return f"its body {row.body} is missing or damaged"
    if size + len(header) != row.size:
        return f"it has {size + len(header)} octets, {row.size} were kept"
    return ""
