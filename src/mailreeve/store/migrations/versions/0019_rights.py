"""A delegate right says what of the mailbox it opens, and when it ends; an entry may have come by itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "delegate_right",
        sa.Column("scopes", sa.String(64), nullable=False, server_default="held,lists,archive"),
    )
    op.add_column("delegate_right", sa.Column("expires_at", sa.BigInteger(), nullable=True))
    op.add_column("managed_sender", sa.Column("is_auto", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index(
        op.f("ix_managed_sender_account_id_expires_at"),
        "managed_sender",
        ["account_id", "expires_at"],
        unique=False,
        sqlite_where=sa.text("is_auto"),
    )
