"""Locations and clients of web requests; the locations that a web list is bound to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "web_location",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.String(length=255), nullable=False),
        sa.Column("networks", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_web_location_account_id")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_web_location")),
        sa.UniqueConstraint("account_id", "name_key", name=op.f("uq_web_location_account_id_name_key")),
    )
    op.create_table(
        "web_client",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("network", sa.String(length=49), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=True),
        sa.Column("location_id", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_web_client_account_id")),
        sa.ForeignKeyConstraint(
            ["account_id", "user_id"],
            ["user.account_id", "user.id"],
            name=op.f("fk_web_client_account_id_user_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "location_id"],
            ["web_location.account_id", "web_location.id"],
            name=op.f("fk_web_client_account_id_location_id"),
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_web_client")),
        sa.UniqueConstraint("account_id", "network", name=op.f("uq_web_client_account_id_network")),
    )
    for column in ("user_id", "location_id"):
        op.create_index(op.f(f"ix_web_client_account_id_{column}"), "web_client", ["account_id", column])
    op.create_table(
        "web_location_use",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("location_id", sa.String(length=32), nullable=False),
        sa.Column("policy_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_web_location_use_account_id")),
        sa.ForeignKeyConstraint(
            ["account_id", "location_id"],
            ["web_location.account_id", "web_location.id"],
            name=op.f("fk_web_location_use_account_id_location_id"),
        ),
        sa.PrimaryKeyConstraint("account_id", "location_id", "policy_id", name=op.f("pk_web_location_use")),
    )
    op.create_index(
        op.f("ix_web_location_use_account_id_policy_id"), "web_location_use", ["account_id", "policy_id"]
    )
    op.add_column("web_target", sa.Column("locations", sa.Text(), server_default="", nullable=False))
