"""Web lists that block whatever no entry speaks of; temporary allows of web addresses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("web_policy", sa.Column("default_deny", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index(
        op.f("ix_web_policy_account_id_default_deny_id"), "web_policy", ["account_id", "default_deny", "id"]
    )
    op.create_table(
        "web_allow",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("client", sa.String(length=45), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("override", sa.Boolean(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_web_allow_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_web_allow")),
    )
    op.create_index(op.f("ix_web_allow_account_id_address"), "web_allow", ["account_id", "address"])
