"""How do tables hold a copy of a message? The columns that they have alike, to be made for each anew."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, LargeBinary, String, Text


def envelope_columns() -> tuple[Column[Any], ...]:
    """By which decision the copy is, from whom and for whom: as the sender wrote the recipient, and as it is
    delivered to."""
    return (
        Column("decision_id", String(32), nullable=False),
        Column("sender", Text, nullable=False),
        Column("recipient", Text, nullable=False),
        Column("effective_recipient", Text, nullable=False),
    )


def text_columns() -> tuple[Column[Any], ...]:
    """Its text: `body` is the key of what is among the `bodies`, `header` is compressed. They stand at the end,
    so that lists need not read past them."""
    return Column("body", String(64), nullable=False), Column("header", LargeBinary, nullable=False)
