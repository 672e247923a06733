"""Zones for resolvers: their serials, and the keys that they are fetched with."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two tables."""
    op.create_table(
        "web_zone",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("location_id", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=63), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("names", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_web_zone_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_web_zone")),
    )
    op.create_index(op.f("ix_web_zone_account_id_label"), "web_zone", ["account_id", "label"], unique=True)
    op.create_table(
        "web_zone_key",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_web_zone_key_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_web_zone_key")),
    )
    op.create_index(op.f("ix_web_zone_key_account_id_name"), "web_zone_key", ["account_id", "name"], unique=True)
