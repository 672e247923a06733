"""Policies that permit senders are listed by pages, so they are counted as the others are."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLE = "permitted_sender_policy"


def upgrade() -> None:
    connection = op.get_bind()
    connection.exec_driver_sql(
        "INSERT INTO row_count (account_id, list, scope, total) "  # noqa: S608 - names of our own
        f"SELECT account_id, '{TABLE}', '', count(*) FROM {TABLE} GROUP BY account_id"
    )
    for event, row, step in (("insert", "NEW", 1), ("delete", "OLD", -1)):
        connection.exec_driver_sql(
            f"CREATE TRIGGER count_{TABLE}_{event} AFTER {event.upper()} ON {TABLE} BEGIN "  # noqa: S608
            "INSERT INTO row_count (account_id, list, scope, total) "
            f"VALUES ({row}.account_id, '{TABLE}', '', {step}) "
            f"ON CONFLICT (account_id, list, scope) DO UPDATE SET total = total + {step}; END"
        )
