"""Large headers of recorded messages stand in one row of the message."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("message_outcome", sa.Column("header_at", sa.String(length=32), nullable=True))
