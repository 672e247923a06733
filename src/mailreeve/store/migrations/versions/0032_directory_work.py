"""Users who are marked for removal; imports of users; what was taken over of an outside directory."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "purge_mark",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("marked_at", sa.BigInteger(), nullable=False),
        sa.Column("marked_by", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_purge_mark_account_id")),
        sa.ForeignKeyConstraint(
            ["account_id", "id"], ["user.account_id", "user.id"], name=op.f("fk_purge_mark_account_id_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_purge_mark")),
    )
    op.create_index(op.f("ix_purge_mark_account_id_due_at"), "purge_mark", ["account_id", "due_at"])
    op.create_table(
        "user_import",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("people", sa.Text(), nullable=False),
        sa.Column("permitted", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_user_import_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_user_import")),
    )
    op.create_index(op.f("ix_user_import_account_id_state"), "user_import", ["account_id", "state"])
    op.create_table(
        "directory_sync",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("tried_at", sa.BigInteger(), nullable=True),
        sa.Column("disabled", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_directory_sync_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_directory_sync")),
    )


def downgrade() -> None:
    op.drop_table("directory_sync")
    op.drop_table("user_import")
    op.drop_table("purge_mark")
