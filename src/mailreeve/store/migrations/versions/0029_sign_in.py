"""Of a user's keys: when the user last signed in for them with a password."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("binding", sa.Column("signed_in_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("binding", "signed_in_at")
