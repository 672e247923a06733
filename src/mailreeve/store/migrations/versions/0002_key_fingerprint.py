"""A fingerprint of the key that an account's secrets are sealed under."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("account", sa.Column("key_fingerprint", sa.String(length=32), nullable=True))
