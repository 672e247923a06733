"""Digests of held mail: how they are to be, and up to where each user was told; notices to senders, counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "digest_definition",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("group_id", sa.String(length=32), nullable=True),
        sa.Column("causes", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("handled_to", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_digest_definition_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_digest_definition")),
    )
    op.create_table(
        "digest_told",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("listed_to", sa.String(length=32), nullable=False),
        sa.Column("sent_for", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_digest_told_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_digest_told")),
    )
    op.create_index(
        op.f("ix_digest_told_account_id_asked_at"),
        "digest_told",
        ["account_id", "asked_at"],
        sqlite_where=sa.text("asked_at IS NOT NULL"),
    )
    op.create_table(
        "notice",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_notice_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_notice")),
    )
    for columns in (("account_id", "address", "sent_at"), ("account_id", "sent_at")):
        op.create_index(op.f(f"ix_notice_{'_'.join(columns)}"), "notice", list(columns))
