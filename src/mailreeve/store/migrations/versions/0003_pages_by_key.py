"""Pages by key: indexes in the order of lists, names of groups without case, and counts kept by the database."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INDEXES = (
    ("alteration_definition", ("account_id", "original_domain", "original_local")),
    ("alteration_definition", ("account_id", "new_domain")),
    ("alteration_set", ("account_id", "parent_id", "id")),
    ("delegate_right", ("account_id", "holder_id", "id")),
    ("directory_group", ("account_id", "id", "folded")),
    ("directory_group", ("account_id", "parent_id", "id")),
    ("directory_group_use", ("account_id", "group_id", "policy_id")),
    ("directory_group_member", ("account_id", "group_id", "id")),
    ("user_address", ("account_id", "domain", "key")),
    ("user_address", ("account_id", "user_id", "key")),
    ("web_entry", ("account_id", "policy_id", "position")),
    ("web_target", ("account_id", "policy_id", "position")),
)
SERVED_BY_THEM = (
    ("directory_group", ("account_id", "parent_id")),
    ("directory_group_use", ("account_id", "group_id")),
    ("user_address", ("account_id", "domain")),
    ("user_address", ("account_id", "user_id")),
    ("web_entry", ("account_id", "policy_id")),
    ("web_target", ("account_id", "policy_id")),
)
COUNTED = (
    ("alteration_policy", ""),
    ("alteration_set", ""),
    ("alteration_set", "parent_id"),
    ("blocked_sender_policy", ""),
    ("directory_group", ""),
    ("directory_group", "parent_id"),
    ("directory_group_member", "group_id"),
    ("domain", ""),
    ("user", ""),
    ("user_address", ""),
    ("user_address", "domain"),
    ("web_policy", ""),
)


def upgrade() -> None:
    op.create_table(
        "row_count",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("list", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_row_count_account_id")),
        sa.PrimaryKeyConstraint("account_id", "list", "scope", name=op.f("pk_row_count")),
    )
    op.add_column("directory_group", sa.Column("folded", sa.Text(), nullable=False, server_default=""))
    connection = op.get_bind()
    group = sa.table(
        "directory_group", sa.column("account_id"), sa.column("id"), sa.column("name"), sa.column("folded")
    )
    names = connection.execute(sa.select(group.c.account_id, group.c.id, group.c.name)).all()
    for account_id, key, name in names:
        this = (group.c.account_id == account_id, group.c.id == key)
        connection.execute(sa.update(group).where(*this).values(folded=name.casefold()))

    for table, columns in INDEXES:
        op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns), unique=False)
    for table, columns in SERVED_BY_THEM:
        op.drop_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table)

    for table, by in COUNTED:
        _count(connection, table, by)


def _count(connection: sa.Connection, table: str, by: str) -> None:
    """Count what is there, and from now on whatever comes and goes. Every name here is one of ours."""
    name = f"{table}.{by}" if by else table
    scope = f"coalesce({by}, '')" if by else "''"
    connection.exec_driver_sql(
        "INSERT INTO row_count (account_id, list, scope, total) "  # noqa: S608
        f"SELECT account_id, '{name}', {scope}, count(*) FROM {table} GROUP BY account_id, {scope}"
    )
    trigger = f"count_{name.replace('.', '_by_')}"
    more, less = _step("NEW", name, by, 1), _step("OLD", name, by, -1)
    connection.exec_driver_sql(f"CREATE TRIGGER {trigger}_insert AFTER INSERT ON {table} BEGIN {more} END")
    connection.exec_driver_sql(f"CREATE TRIGGER {trigger}_delete AFTER DELETE ON {table} BEGIN {less} END")
    if by:
        moved = f"UPDATE OF {by} ON {table} WHEN NEW.{by} IS NOT OLD.{by}"
        connection.exec_driver_sql(f"CREATE TRIGGER {trigger}_update AFTER {moved} BEGIN {less} {more} END")


def _step(row: str, name: str, by: str, step: int) -> str:
    scope = f"coalesce({row}.{by}, '')" if by else "''"
    return (
        "INSERT INTO row_count (account_id, list, scope, total) "  # noqa: S608
        f"VALUES ({row}.account_id, '{name}', {scope}, {step}) "
        f"ON CONFLICT (account_id, list, scope) DO UPDATE SET total = total + {step};"
    )
