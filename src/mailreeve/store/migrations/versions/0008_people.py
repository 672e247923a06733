"""Custom roles, keys that end and are exchanged, when keys were last used, locked accounts, and the application in
the audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KEYS = (
    ("application", "expires_at", sa.BigInteger()),
    ("application", "old_app_key", sa.LargeBinary()),
    ("application", "old_client_secret", sa.String(length=64)),
    ("application", "old_until", sa.BigInteger()),
    ("application", "last_used_at", sa.BigInteger()),
    ("application", "last_used_from", sa.String(length=45)),
    ("binding", "old_secret_key", sa.LargeBinary()),
    ("binding", "old_until", sa.BigInteger()),
    ("binding", "last_used_at", sa.BigInteger()),
    ("binding", "last_used_from", sa.String(length=45)),
)


def upgrade() -> None:
    op.create_table(
        "role",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("permissions", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_role_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_role")),
        sa.UniqueConstraint("account_id", "folded", name=op.f("uq_role_account_id_folded")),
    )
    for table, name, kind in KEYS:
        op.add_column(table, sa.Column(name, kind, nullable=True))
    op.add_column("account", sa.Column("locked", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("audit_event", sa.Column("application", sa.Text(), nullable=False, server_default=""))
    op.add_column("audit_event", sa.Column("app_id", sa.String(length=64), nullable=False, server_default=""))
    op.create_index(
        op.f("ix_binding_account_id_application_id_id"), "binding", ["account_id", "application_id", "id"]
    )
    op.create_index(op.f("ix_binding_account_id_user_id_id"), "binding", ["account_id", "user_id", "id"])
    op.create_index(
        op.f("ix_user_account_id_id_role"),
        "user",
        ["account_id", "id", "role"],
        sqlite_where=sa.text("role IS NOT NULL"),
    )
