"""A held message says whether its sender marked it private: delegates do not see it then."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The table is made anew: what lists show stands before the text, or each row would be read to its end.
    with op.batch_alter_table("held_message", recreate="always") as table:
        table.add_column(
            sa.Column("is_private", sa.Boolean(), nullable=False, server_default=sa.false()),
            insert_after="has_attachments",
        )
