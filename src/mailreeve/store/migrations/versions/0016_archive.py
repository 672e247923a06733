"""The archive of accepted mail: copies, in whose mailboxes they lie, who looked, and the index of words."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_TEXT = "archive_text"


def upgrade() -> None:
    op.create_table(
        "archived_message",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.String(length=64), nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("is_private", sa.Boolean(), nullable=False),
        sa.Column("legal_hold", sa.Boolean(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("contents", sa.Text(), nullable=True),
        sa.Column("place", sa.BigInteger(), nullable=True),
        sa.Column("attempt", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_archived_message_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_archived_message")),
    )
    op.create_index(op.f("ix_archived_message_account_id_body"), "archived_message", ["account_id", "body"])
    op.create_index(op.f("ix_archived_message_account_id_attempt"), "archived_message", ["account_id", "attempt"])
    op.create_index(
        "ix_archived_message_unread",
        "archived_message",
        ["account_id", "id"],
        sqlite_where=sa.text("contents IS NULL"),
    )
    op.create_table(
        "archive_mailbox",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("mailbox", sa.Text(), nullable=False),
        sa.Column("view", sa.String(length=8), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owned", sa.Boolean(), nullable=False),
        sa.Column("direct", sa.Boolean(), nullable=False),
        sa.Column("is_private", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_archive_mailbox_account_id")),
        sa.PrimaryKeyConstraint("account_id", "mailbox", "view", "id", name=op.f("pk_archive_mailbox")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_archive_mailbox_account_id_id"), "archive_mailbox", ["account_id", "id"])
    op.create_index(
        "ix_archive_mailbox_unowned",
        "archive_mailbox",
        ["account_id", "mailbox", "view", "owned", "id"],
        sqlite_where=sa.text("owned IS 0"),
    )
    op.create_table(
        "archive_setting",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_archive_setting_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_archive_setting")),
    )
    op.create_table(
        "archive_log",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_archive_log_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_archive_log")),
    )
    op.create_index(op.f("ix_archive_log_account_id_kind_id"), "archive_log", ["account_id", "kind", "id"])
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            f"CREATE VIRTUAL TABLE {_TEXT} USING fts5"
            "(key UNINDEXED, account_id, sender, recipients, subject, body, files, "
            "tokenize = 'unicode61 remove_diacritics 2')"
        )
        connection.exec_driver_sql(
            f"CREATE TRIGGER {_TEXT}_removed AFTER DELETE ON archived_message WHEN OLD.place IS NOT NULL "  # noqa: S608
            f"BEGIN DELETE FROM {_TEXT} WHERE rowid = OLD.place; END"
        )
