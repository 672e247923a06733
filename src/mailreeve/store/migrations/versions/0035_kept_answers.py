"""Answers that are kept under the keys of calls that must not be done twice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kept_answer",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_kept_answer_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_kept_answer")),
    )
    op.create_index(op.f("ix_kept_answer_account_id_kept_at"), "kept_answer", ["account_id", "kept_at"])


def downgrade() -> None:
    op.drop_table("kept_answer")
