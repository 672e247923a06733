"""Anti-spoofing policies and the exceptions from them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TABLES = ("anti_spoofing_policy", "anti_spoofing_bypass_policy")


def upgrade() -> None:
    connection = op.get_bind()
    for table in TABLES:
        op.create_table(
            table,
            sa.Column("account_id", sa.String(length=32), nullable=False),
            sa.Column("id", sa.String(length=32), nullable=False),
            sa.Column("option", sa.String(length=16), nullable=False),
            sa.Column("document", sa.Text(), nullable=False),
            sa.Column("created_at", sa.BigInteger(), nullable=False),
            sa.Column("updated_at", sa.BigInteger(), nullable=False),
            sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f(f"fk_{table}_account_id")),
            sa.PrimaryKeyConstraint("account_id", "id", name=op.f(f"pk_{table}")),
        )
        for event, row, step in (("insert", "NEW", 1), ("delete", "OLD", -1)):
            connection.exec_driver_sql(
                f"CREATE TRIGGER count_{table}_{event} AFTER {event.upper()} ON {table} BEGIN "  # noqa: S608 - names of our own
                "INSERT INTO row_count (account_id, list, scope, total) "
                f"VALUES ({row}.account_id, '{table}', '', {step}) "
                f"ON CONFLICT (account_id, list, scope) DO UPDATE SET total = total + {step}; END"
            )
