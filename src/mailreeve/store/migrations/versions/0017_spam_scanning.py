"""Policies about what a spam engine finds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TABLE = "spam_scanning_policy"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f(f"fk_{TABLE}_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f(f"pk_{TABLE}")),
    )
    connection = op.get_bind()
    for event, row, step in (("insert", "NEW", 1), ("delete", "OLD", -1)):
        connection.exec_driver_sql(
            f"CREATE TRIGGER count_{TABLE}_{event} AFTER {event.upper()} ON {TABLE} BEGIN "  # noqa: S608
            "INSERT INTO row_count (account_id, list, scope, total) "
            f"VALUES ({row}.account_id, '{TABLE}', '', {step}) "
            f"ON CONFLICT (account_id, list, scope) DO UPDATE SET total = total + {step}; END"
        )
