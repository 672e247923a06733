"""Proxies that ask before they let a request through."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "web_proxy",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("user_header", sa.String(length=64), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_web_proxy_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_web_proxy")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_web_proxy_token_hash")),
    )
    op.create_index(op.f("ix_web_proxy_account_id_name"), "web_proxy", ["account_id", "name"])
