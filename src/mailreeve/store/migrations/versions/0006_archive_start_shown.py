"""When a user's archive starts, as it was sent: answers have it that way (behaviour.md D-47)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("user", sa.Column("archive_start_shown", sa.Text(), nullable=True))
