"""Managed URLs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_STEP = (
    "INSERT INTO row_count (account_id, list, scope, total) VALUES ({row}.account_id, 'managed_url', '', {by}) "
    "ON CONFLICT (account_id, list, scope) DO UPDATE SET total = total + {by};"
)


def upgrade() -> None:
    op.create_table(
        "managed_url",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("match_type", sa.String(length=16), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("scheme", sa.String(length=16), nullable=False),
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("disable_user_awareness", sa.Boolean(), nullable=False),
        sa.Column("disable_rewrite", sa.Boolean(), nullable=False),
        sa.Column("disable_log_click", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("sought", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_managed_url_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_managed_url")),
        sa.UniqueConstraint("account_id", "digest", name=op.f("uq_managed_url_account_id_digest")),
    )
    op.create_index(op.f("ix_managed_url_account_id_domain_id"), "managed_url", ["account_id", "domain", "id"])
    more, less = _STEP.format(row="NEW", by=1), _STEP.format(row="OLD", by=-1)
    op.execute(f"CREATE TRIGGER count_managed_url_insert AFTER INSERT ON managed_url BEGIN {more} END")
    op.execute(f"CREATE TRIGGER count_managed_url_delete AFTER DELETE ON managed_url BEGIN {less} END")


def downgrade() -> None:
    op.execute("DELETE FROM row_count WHERE list = 'managed_url'")
    op.drop_table("managed_url")
