"""Personal entries know the revision of their last change: the clock may have been set back since."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("changed_in", sa.BigInteger(), nullable=False, server_default="0")
    op.add_column("managed_sender", column)
