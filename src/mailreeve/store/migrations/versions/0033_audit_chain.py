"""The audit log is chained by digests, and found by object and by request."""

from __future__ import annotations

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

# As `audit_chain` had them when the rows that were there were chained.
CONTENT = (
    *("account_id", "id", "at", "revision", "actor", "application", "app_id", "acting_for", "source_ip"),
    *("request_id", "action", "object_kind", "object_id", "before", "after"),
)
READ_AT_ONCE = 1_000


def upgrade() -> None:
    op.add_column("account", sa.Column("audit_head", sa.String(length=64), nullable=False, server_default=""))
    op.add_column("audit_event", sa.Column("digest", sa.String(length=64), nullable=False, server_default=""))
    op.create_index(
        op.f("ix_audit_event_account_id_object_id_id"), "audit_event", ["account_id", "object_id", "id"]
    )
    op.create_index(
        op.f("ix_audit_event_account_id_request_id_id"), "audit_event", ["account_id", "request_id", "id"]
    )
    connection = op.get_bind()
    for account_id in connection.execute(sa.text("SELECT id FROM account")).scalars().all():
        _chain(connection, account_id)


def _chain(connection: sa.Connection, account_id: str) -> None:
    event = sa.table("audit_event", *map(sa.column, CONTENT))
    some = (
        sa.select(event)
        .where(event.c.account_id == account_id, event.c.id > sa.bindparam("place"))
        .order_by(event.c.id)
        .limit(READ_AT_ONCE)
    )
    write = sa.text("UPDATE audit_event SET digest = :digest WHERE account_id = :account AND id = :id")
    digest, after = "", ""
    while rows := connection.execute(some, {"place": after}).all():
        found = []
        for row in rows:
            text = json.dumps([digest, *row], ensure_ascii=False, separators=(",", ":"))
            digest = hashlib.sha256(text.encode()).hexdigest()
            after = row.id
            found.append({"account": account_id, "id": after, "digest": digest})
        connection.execute(write, found)
    connection.execute(
        sa.text("UPDATE account SET audit_head = :digest WHERE id = :account"),
        {"account": account_id, "digest": digest},
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_audit_event_account_id_request_id_id"), "audit_event")
    op.drop_index(op.f("ix_audit_event_account_id_object_id_id"), "audit_event")
    op.drop_column("audit_event", "digest")
    op.drop_column("account", "audit_head")
