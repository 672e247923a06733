"""Personal entries know why they are there, who had them so, and when they end; they are listed and counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLE = "managed_sender"
INDEXES = (("account_id", "recipient", "id"), ("account_id", "sender", "id"))


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("reason", sa.Text(), nullable=False, server_default=""))
    op.add_column(TABLE, sa.Column("set_by", sa.Text(), nullable=False, server_default=""))
    op.add_column(TABLE, sa.Column("expires_at", sa.BigInteger(), nullable=True))
    for columns in INDEXES:
        op.create_index(op.f(f"ix_{TABLE}_{'_'.join(columns)}"), TABLE, list(columns), unique=False)
    for by in ("", "recipient"):
        _count(op.get_bind(), by)


def _count(connection: sa.Connection, by: str) -> None:
    """Count what is there, and from now on whatever comes and goes. Every name here is one of ours."""
    name = f"{TABLE}.{by}" if by else TABLE
    scope = f"coalesce({by}, '')" if by else "''"
    connection.exec_driver_sql(
        "INSERT INTO row_count (account_id, list, scope, total) "  # noqa: S608
        f"SELECT account_id, '{name}', {scope}, count(*) FROM {TABLE} GROUP BY account_id, {scope}"
    )
    trigger = f"count_{name.replace('.', '_by_')}"
    more, less = _step("NEW", name, by, 1), _step("OLD", name, by, -1)
    connection.exec_driver_sql(f"CREATE TRIGGER {trigger}_insert AFTER INSERT ON {TABLE} BEGIN {more} END")
    connection.exec_driver_sql(f"CREATE TRIGGER {trigger}_delete AFTER DELETE ON {TABLE} BEGIN {less} END")
    if by:
        moved = f"UPDATE OF {by} ON {TABLE} WHEN NEW.{by} IS NOT OLD.{by}"
        connection.exec_driver_sql(f"CREATE TRIGGER {trigger}_update AFTER {moved} BEGIN {less} {more} END")


def _step(row: str, name: str, by: str, step: int) -> str:
    scope = f"coalesce({row}.{by}, '')" if by else "''"
    return (
        "INSERT INTO row_count (account_id, list, scope, total) "  # noqa: S608
        f"VALUES ({row}.account_id, '{name}', {scope}, {step}) "
        f"ON CONFLICT (account_id, list, scope) DO UPDATE SET total = total + {step};"
    )
