"""Of outgoing copies: what they release, and what their senders want to hear; what was kept by which attempt."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, kind in (("held_id", sa.String(32)), ("reports", sa.String(8)), ("envelope_id", sa.Text())):
        op.add_column("outgoing_message", sa.Column(name, kind, nullable=False, server_default=""))
    op.create_table(
        "kept_attempt",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.String(length=64), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_kept_attempt_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_kept_attempt")),
    )
    for columns in (("account_id", "attempt"), ("account_id", "at")):
        op.create_index(op.f(f"ix_kept_attempt_{'_'.join(columns)}"), "kept_attempt", list(columns))
