"""What records of mail are found by: a row for each address, domain, id and verdict of a record."""

from __future__ import annotations

import json
from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_AT_ONCE = 2_000

_outcome = sa.table(
    "message_outcome",
    *(sa.column(name) for name in ("account_id", "id", "state", "sender", "recipient", "document", "header_at")),
)
_term = sa.table("message_term", sa.column("account_id"), sa.column("term"), sa.column("id"))


def upgrade() -> None:
    op.create_table(
        "message_term",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_message_term_account_id")),
        sa.PrimaryKeyConstraint("account_id", "term", "id", name=op.f("pk_message_term")),
        sqlite_with_rowid=False,
    )
    connection = op.get_bind()
    after = ("", "")
    while True:
        rows = connection.execute(
            sa.select(_outcome)
            .where(sa.tuple_(_outcome.c.account_id, _outcome.c.id) > sa.tuple_(*map(sa.literal, after)))
            .order_by(_outcome.c.account_id, _outcome.c.id)
            .limit(_AT_ONCE)
        ).all()
        if not rows:
            return
        after = (rows[-1].account_id, rows[-1].id)
        terms = [
            {"account_id": row.account_id, "term": term, "id": row.id} for row in rows for term in _terms_of(row)
        ]
        if terms:
            connection.execute(sa.insert(_term), terms)


def _terms_of(row: sa.Row[tuple[str, ...]]) -> set[str]:
    """The terms of a row. Those of a header that stands in another row are left out."""
    try:
        document = json.loads(row.document)
        named = dict(_named(row, document))
    except (ValueError, TypeError, AttributeError):
        named = {"f": {row.sender}, "t": {row.recipient}}
    return {f"{field}:{_lowered(value)}" for field, values in named.items() for value in values if value}


def _named(row: sa.Row[tuple[str, ...]], document: dict[str, object]) -> Iterator[tuple[str, set[str]]]:
    authors = [one.get("address") for one in (document.get("header_from") or [])[:3]]  # type: ignore[index]
    addresses = [f"{one['local']}@{one['domain']}" for one in authors if isinstance(one, dict)]
    senders = {row.sender, str(document.get("effective_sender", "")), *addresses}
    recipients = {row.recipient, str(document.get("effective_recipient", ""))}
    yield "f", {one or "<>" for one in senders}
    yield "F", {one.rpartition("@")[2] for one in senders}
    yield "t", recipients
    yield "T", {one.rpartition("@")[2] for one in recipients}
    yield "m", {str(document.get("message_id", "")).strip().removeprefix("<").removesuffix(">")}
    yield "p", {str(document.get("policy_id", ""))}
    yield "i", {str(document.get("source_ip", ""))}
    yield "v", {row.state}


def _lowered(text: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text)
