"""The registry knows every table: what removes an account, or looks through all rows, goes by the tables that are
declared, whatever else of the program is loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mailreeve.store.engines import SqliteEngine
from mailreeve.store.migrations import bring_up_to_date

_TABLES = """
from mailreeve.families import registry
from mailreeve.store.schema import metadata
print(*metadata.tables)
"""


def test_whoever_loads_the_registry_knows_every_table(tmp_path: Path) -> None:
    """In a process of its own: here the mail doors may be loaded already, which know some of them."""
    known = subprocess.run(
        [sys.executable, "-c", _TABLES], capture_output=True, text=True, check=True
    ).stdout.split()
    engine = SqliteEngine(tmp_path / "new.db")
    with engine.writing() as connection:
        bring_up_to_date(connection)
        there = connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE TABLE%account_id%'"
        )
        of_accounts = {name for (name,) in there}
    engine.dispose()
    assert of_accounts <= set(known)
