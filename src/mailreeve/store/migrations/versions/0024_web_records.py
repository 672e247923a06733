"""Records of decisions about web requests; requests for access to what was blocked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "web_record",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("client", sa.String(length=45), nullable=False),
        sa.Column("policy_id", sa.String(length=32), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_web_record_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_web_record")),
    )
    for column in ("verdict", "host", "user"):
        op.create_index(op.f(f"ix_web_record_account_id_{column}_id"), "web_record", ["account_id", column, "id"])
    op.create_table(
        "web_access_request",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("record_id", sa.String(length=32), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("asked_from", sa.String(length=45), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_web_access_request_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_web_access_request")),
        sa.UniqueConstraint("account_id", "record_id", name=op.f("uq_web_access_request_account_id_record_id")),
    )
    op.create_index(
        op.f("ix_web_access_request_account_id_asked_at"), "web_access_request", ["account_id", "asked_at"]
    )
