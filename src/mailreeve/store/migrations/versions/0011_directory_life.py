"""Users remember their former addresses, and memberships of groups may end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("user", sa.Column("formerly", sa.Text(), nullable=False, server_default="{}"))
    op.add_column("directory_group_member", sa.Column("until", sa.BigInteger(), nullable=True))
