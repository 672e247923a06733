"""Domains that wait until somebody proves to hold them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pending_domain",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("shown", sa.String(length=255), nullable=False),
        sa.Column("inbound_type", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_pending_domain_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_pending_domain")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_pending_domain_account_id_name")),
    )


def downgrade() -> None:
    op.drop_table("pending_domain")
