"""Database schema migrations: Alembic revisions, run when a data folder is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

HEAD: Final = "0035"
"""The revision that this code expects. A test holds it against the newest file in `versions`."""


class SchemaError(RuntimeError):
    """The database was written by a newer version of this program."""


def bring_up_to_date(connection: Connection, revision: str = HEAD) -> None:
    """Run what revisions are missing, inside the connection's transaction. Raises `SchemaError`."""
    found = current(connection)
    if found == revision:
        return
    if found is not None and found > HEAD:
        raise SchemaError(f"the database is at revision {found}, this version knows up to {HEAD}")
    # Imported here: starting on an up-to-date database is the common case, and alembic is slow to load.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def current(connection: Connection) -> str | None:
    """The revision that the database is at, None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found
