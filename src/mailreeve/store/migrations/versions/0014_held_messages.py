"""Mail that is held; and outcomes that follow an earlier one of the same recipient."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLE = "held_message"
INDEXES = (
    ("account_id", "state", "id"),
    ("account_id", "state", "owner_id", "id"),
    ("account_id", "state", "octets"),
    ("account_id", "state", "expires_at"),
    ("account_id", "body"),
)
_TEXTS = ("sender", "recipient", "effective_recipient", "header_from", "header_from_name", "header_to")
_MORE_TEXTS = ("header_to_name", "subject")


def upgrade() -> None:
    op.add_column(
        "message_outcome", sa.Column("follows", sa.Boolean(), server_default=sa.text("0"), nullable=False)
    )
    op.create_table(
        TABLE,
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("held_group", sa.String(length=16), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("route", sa.String(length=16), nullable=False),
        sa.Column("decision_id", sa.String(length=32), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in (*_TEXTS, *_MORE_TEXTS)),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("has_attachments", sa.Boolean(), nullable=False),
        sa.Column("cause", sa.String(length=32), nullable=False),
        sa.Column("policy_id", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("source_ip", sa.String(length=45), nullable=False),
        sa.Column("is_utf8", sa.Boolean(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_why", sa.Text(), nullable=False),
        sa.Column("octets", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.String(length=64), nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f(f"fk_{TABLE}_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f(f"pk_{TABLE}")),
    )
    for columns in INDEXES:
        op.create_index(op.f(f"ix_{TABLE}_{'_'.join(columns)}"), TABLE, list(columns), unique=False)
    op.create_index(
        "ix_held_message_asked",
        TABLE,
        ["account_id", "state", "asked_at"],
        unique=False,
        sqlite_where=sa.text("asked_at IS NOT NULL"),
    )
