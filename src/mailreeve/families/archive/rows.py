"""What is in the archive, and in whose mailboxes does it lie? The tables and their queries.

A row is one copy of a message, as it was delivered, with its header; its body is kept beside the database
(`store/bodies`). It lies in the mailboxes of its recipients, by the address that it was delivered to (behaviour.md
section 5.4), and in that of its sender. A mailbox is a user's, by the user's id, so that it survives whatever
becomes of addresses; and an address's, by its key, which is what there is of an address that was nobody's.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Index,
    Integer,
    Select,
    String,
    Table,
    Text,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    true,
    update,
)

from mailreeve.families.machinery.copies import ArchivedCopy, RecipientOfCopy
from mailreeve.families.machinery.copy_columns import text_columns
from mailreeve.formats.mime import Part
from mailreeve.store.keys import new_key
from mailreeve.store.loading import stream_named
from mailreeve.store.many import ManyRows, Row
from mailreeve.store.records import given, ours
from mailreeve.store.schema import KEY, Moment, account_column, key_column, metadata
from mailreeve.store.transactions import ACCOUNT, Work

_LEVEL: Final = 1  # of compression, as for bodies

archived_message: Final = Table(
    "archived_message",
    metadata,
    account_column(),
    key_column(),
    Column("received_at", Moment, nullable=False),
    Column("subject", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    *text_columns(),
    Column("document", Text, nullable=False),
    Column("is_private", Boolean, nullable=False),
    Column("legal_hold", Boolean, nullable=False),
    Column("files", Integer, nullable=False),
    Column("contents", Text, nullable=True),
    Column("place", BigInteger, nullable=True),
    Column("attempt", String(64), nullable=False),
    Index(None, "account_id", "body"),
    Index(None, "account_id", "attempt"),
    Index("ix_archived_message_unread", "account_id", "id", sqlite_where=text("contents IS NULL")),
)
"""Archived copies. `document` is an `Envelope`, `header` compressed. `files` is how many are attached, and
`contents`, a `Contents`, what was found in it, absent until it was read, which is after it was acknowledged;
`place` is its number in the search index. A private one is hidden from delegates (behaviour.md section 7.2)."""

archive_mailbox: Final = Table(
    "archive_mailbox",
    metadata,
    account_column(),
    Column("mailbox", Text, primary_key=True),
    Column("view", String(8), primary_key=True),
    Column("id", KEY, primary_key=True),
    Column("owned", Boolean, nullable=False),
    Column("direct", Boolean, nullable=False),
    Column("is_private", Boolean, nullable=False),
    Index(None, "account_id", "id"),
    Index(
        "ix_archive_mailbox_unowned",
        "account_id",
        "mailbox",
        "view",
        "owned",
        "id",
        sqlite_where=text("owned IS 0"),
    ),
    sqlite_with_rowid=False,
)
"""In which mailboxes a message lies. `mailbox` is a user's id or an address's key. `owned` says that the address
was somebody's, who finds it in the mailbox of the user; `direct` that it came to the primary address, not an
alias."""

archive_setting: Final = Table(
    "archive_setting",
    metadata,
    account_column(),
    Column("days", Integer, nullable=False),
)
"""For how many days an account keeps its archive, where that is not what the installation says; 0 is for good."""


class View(StrEnum):
    """Which side of a mailbox: what came, or what was sent."""

    INBOX = "INBOX"
    SENT = "SENT"


class Envelope(Struct, frozen=True):
    """What is kept of how a message was delivered. `sender` is that of the envelope after alteration, empty for
    the null sender; `recipients` have both addresses and the policies that applied (behaviour.md D-35)."""

    decision_id: str
    sender: str
    original_sender: str
    recipients: tuple[RecipientOfCopy, ...]
    source_ip: str
    message_id: str
    header_from: str
    from_name: str


class Contents(Struct, frozen=True, omit_defaults=True):
    """What was found in a message: its parts, and the beginning of its text. `digests` are of the parts that are
    files, by number. `trouble` says why it could not be read."""

    parts: tuple[Part, ...] = ()
    preview: str = ""
    digests: dict[int, str] = {}
    trouble: str = ""


class Box(Struct, frozen=True):
    """A mailbox that a message lies in."""

    mailbox: str
    view: View
    owned: bool
    direct: bool


class ArchivedRow(Struct, frozen=True):
    """An archived message without its header."""

    id: str
    received_at: datetime
    subject: str
    size: int
    body: str
    envelope: Envelope
    is_private: bool
    legal_hold: bool
    files: int
    contents: Contents | None


class Stretch(Struct, frozen=True):
    """The rows of a mailbox that are asked for: all of them, the ones of nobody then, or those that came directly.
    Without `private` those are left out."""

    mailbox: str
    unowned: bool = False
    direct: bool = False
    private: bool = True


_c: Final = archived_message.c
_columns: Final = (
    _c.id,
    _c.received_at,
    _c.subject,
    _c.size,
    _c.body,
    _c.document,
    _c.is_private,
    _c.legal_hold,
    _c.files,
    _c.contents,
)
_read_envelope: Final = msgspec.json.Decoder(Envelope).decode
_read_contents: Final = msgspec.json.Decoder(Contents).decode
_rows: Final = select(*_columns).where(ours(archived_message))
_one: Final = _rows.where(_c.id == given("key"))
_header: Final = select(_c.header).where(ours(archived_message), _c.id == given("key"))
_headers: Final = select(_c.id, _c.header).where(
    ours(archived_message), _c.id.in_(bindparam("keys", expanding=True))
)
_unread: Final = _rows.where(_c.contents.is_(None), _c.id > given("after")).order_by(_c.id).limit(given("most"))
_messages: Final = ManyRows(archived_message)
_boxes: Final = ManyRows(archive_mailbox)
_describe: Final = (
    update(archived_message)
    .where(ours(archived_message), _c.id == given("key"))
    .values(contents=given("new_contents"), files=given("new_files"), place=given("new_place"))
)
_of_attempt: Final = (
    select(_c.document)
    .where(ours(archived_message), _c.attempt == given("which"), _c.id < given("before"))
    .order_by(_c.id.desc())
    .limit(100)
)
_hold: Final = (
    update(archived_message)
    .where(ours(archived_message), _c.id == given("key"))
    .values(legal_hold=given("new_hold"))
)
_expired: Final = (
    select(_c.id)
    .where(ours(archived_message), _c.id < given("before"), _c.legal_hold.is_(False))
    .order_by(_c.id)
    .limit(given("most"))
)
_delete: Final = delete(archived_message).where(ours(archived_message), _c.id == given("key"))
_delete_boxes: Final = delete(archive_mailbox).where(ours(archive_mailbox), archive_mailbox.c.id == given("key"))
_b: Final = archive_mailbox.c
_nobodys: Final = ours(archive_mailbox), _b.mailbox == given("which"), _b.owned.is_(False)
_claim: Final = (
    insert(archive_mailbox)
    .prefix_with("OR IGNORE", dialect="sqlite")  # it may lie there already, by another address
    .from_select(
        ["account_id", "mailbox", "view", "id", "owned", "direct", "is_private"],
        select(
            _b.account_id,
            bindparam("whose", type_=Text),
            _b.view,
            _b.id,
            true(),
            bindparam("came_directly", type_=Boolean),
            _b.is_private,
        ).where(*_nobodys),
    )
)
_claimed: Final = update(archive_mailbox).where(*_nobodys).values(owned=True)
_count: Final = select(func.count()).select_from(archived_message).where(ours(archived_message))
_count_on_hold: Final = _count.where(_c.legal_hold.is_(True))
_of_decision: Final = (
    _rows.where(_c.id >= given("first"), _c.id < given("beyond"), func.instr(_c.document, given("said")) > 0)
    .order_by(_c.id)
    .limit(20)
)
_after: Final = _rows.where(_c.id > given("after")).order_by(_c.id).limit(given("most"))


class NewCopy(Struct, frozen=True):
    """A copy of so many octets that is to be kept: its body is, under this key. In which mailboxes, and whether it
    is hidden."""

    copy: ArchivedCopy
    body: str
    boxes: tuple[Box, ...]
    size: int
    is_private: bool


def add(work: Work, copies: Iterable[NewCopy]) -> list[str]:
    """Keep copies, all rows of a table at once. The keys of their rows."""
    messages: list[Row] = []
    boxes: list[Row] = []
    keys: list[str] = []
    for new in copies:
        key = new_key()
        keys.append(key)
        messages.append(_message(work, key, new))
        boxes += [
            (work.account_id, box.mailbox, box.view.value, key, box.owned, box.direct, new.is_private)
            for box in new.boxes
        ]
    _messages.insert(work, messages)
    _boxes.insert(work, boxes)
    return keys


def _message(work: Work, key: str, new: NewCopy) -> Row:
    copy = new.copy
    envelope = Envelope(
        copy.copy.decision_id,
        str(copy.copy.sender),
        copy.original_sender,
        copy.recipients,
        copy.source_ip,
        copy.message_id,
        copy.header_from,
        copy.from_name,
    )
    return (
        work.account_id,
        key,
        datetime.fromtimestamp(copy.received_at, work.now.tzinfo),
        copy.subject,
        new.size,
        new.body,
        zlib.compress(copy.copy.content.header, _LEVEL),
        msgspec.json.encode(envelope).decode(),
        new.is_private,
        False,  # no legal hold
        0,  # files, which nobody has looked for
        None,  # so that there are no contents
        None,  # and no place in the search index
        copy.attempt,
    )


def claim(work: Work, address: str, user_id: str, *, direct: bool) -> None:
    """Put what came to an address, by its key, while it was nobody's into the mailbox of a user."""
    work.run(_claim, {"whose": user_id, "came_directly": direct, "which": address})
    work.run(_claimed, {"which": address})


def find(work: Work, key: str) -> ArchivedRow | None:
    """One message, or None."""
    return work.read_one(archived_message.name, work.run(_one, {"key": key}).one_or_none(), _row)


def some(work: Work, keys: Sequence[str]) -> dict[str, ArchivedRow]:
    """These messages, by key; without those that are not there."""
    rows = work.read(archived_message.name, stream_named(work, _rows, _c.id, keys), _row)
    return {row.id: row for row in rows}


def header_of(work: Work, key: str) -> bytes:
    """The header of a message that is there. Raises `zlib.error` where it is damaged."""
    return zlib.decompress(work.run(_header, {"key": key}).scalar_one())


def headers_of(work: Work, keys: Sequence[str]) -> dict[str, bytes]:
    """The headers of messages by key, of those that are there, still compressed (zlib)."""
    return {row.id: row.header for row in work.run(_headers, {"keys": list(keys)})}


def after(work: Work, key: str, most: int) -> list[ArchivedRow]:
    """The next messages in the order in which they came."""
    rows = work.run(_after, {"after": key, "most": most}).all()
    return list(work.read(archived_message.name, rows, _row))


def count(work: Work) -> int:
    """How many messages the archive holds."""
    found: int = work.run(_count).scalar_one()
    return found


def count_on_hold(work: Work) -> int:
    """How many messages are under legal hold."""
    found: int = work.run(_count_on_hold).scalar_one()
    return found


def boxes_of(work: Work, key: str) -> list[tuple[str, bool]]:
    """In which mailboxes a message lies, and whether as that of an address which was somebody's."""
    query = select(archive_mailbox.c.mailbox, archive_mailbox.c.owned).where(
        ours(archive_mailbox), archive_mailbox.c.id == given("key")
    )
    return [tuple(row) for row in work.run(query, {"key": key})]


def unread(work: Work, after_key: str, most: int) -> list[ArchivedRow]:
    """The next messages that nobody has read yet for the search, in the order in which they came."""
    rows = work.run(_unread, {"after": after_key, "most": most}).all()
    return list(work.read(archived_message.name, rows, _row))


def describe(work: Work, key: str, contents: Contents, files: int, place: int | None) -> None:
    """Note what was found in a message."""
    found = {
        "new_contents": msgspec.json.encode(contents).decode(),
        "new_files": files,
        "new_place": place,
    }
    work.run(_describe, {"key": key, **found})


def kept_of(work: Work, attempt: str, before: str) -> set[str]:
    """The recipients, as the sender wrote them, whose copy of a message was kept before this key."""
    found = work.run(_of_attempt, {"which": attempt, "before": before}).all()
    return {one.original for (document,) in found for one in _read_envelope(document).recipients}


def of_decision(work: Work, decision_id: str, first: str, beyond: str) -> list[ArchivedRow]:
    """The copies of a decision with keys from `first` on and before `beyond`, which should not be far apart: no
    index has the decision."""
    said = f'"decision_id":"{decision_id}"'
    rows = work.run(_of_decision, {"first": first, "beyond": beyond, "said": said}).all()
    return list(work.read(archived_message.name, rows, _row))


def set_legal_hold(work: Work, key: str, hold: bool) -> None:
    """Put a message under legal hold, or end that."""
    work.run(_hold, {"key": key, "new_hold": hold})


def forget(work: Work, before: str, most: int) -> int:
    """Remove messages with keys below this one that are not under legal hold, at most so many. The number."""
    keys: list[dict[str, object]] = [
        {ACCOUNT: work.account_id, "key": key}
        for key in work.run(_expired, {"before": before, "most": most}).scalars()
    ]
    work.insert_many(_delete_boxes, keys)
    work.insert_many(_delete, keys)
    return len(keys)


def days(work: Work) -> int | None:
    """For how many days the account keeps its archive, where it says so itself."""
    found: int | None = work.run(select(archive_setting.c.days).where(ours(archive_setting))).scalar_one_or_none()
    return found


def set_days(work: Work, new: int | None) -> None:
    """Have the account keep its archive for so many days, or as the installation says."""
    work.run(delete(archive_setting).where(ours(archive_setting)))
    if new is not None:
        work.insert(insert(archive_setting), {"days": new})


def keys_within(stretch: Stretch, view: View) -> Select[Any]:
    """The query for the keys of a stretch, bound to the account."""
    c = archive_mailbox.c
    return select(c.id).where(
        ours(archive_mailbox), c.mailbox == stretch.mailbox, c.view == view.value, *_of_stretch(stretch)
    )


def lies_in(key: ColumnElement[str], stretches: Iterable[Stretch]) -> ColumnElement[bool]:
    """Whether a message, by its key, lies in one of the stretches, on either side."""
    c = archive_mailbox.c
    any_of = [
        exists().where(
            c.account_id == bindparam(ACCOUNT),
            c.mailbox == stretch.mailbox,
            c.view.in_([view.value for view in View]),
            c.id == key,
            *_of_stretch(stretch),
        )
        for stretch in stretches
    ]
    return or_(*any_of)


def keys_of_all() -> Select[Any]:
    """The query for the keys of all messages, bound to the account."""
    return select(_c.id).where(ours(archived_message))


def _of_stretch(stretch: Stretch) -> list[ColumnElement[bool]]:
    c = archive_mailbox.c
    found: list[ColumnElement[bool]] = []
    if stretch.unowned:
        found.append(c.owned.is_(False))
    if stretch.direct:
        found.append(c.direct.is_(True))
    if not stretch.private:
        found.append(c.is_private.is_(False))
    return found


def _row(row: Sequence[Any]) -> ArchivedRow:
    key, received_at, subject, size, body, document, is_private, legal_hold, files, contents = row
    return ArchivedRow(
        key,
        received_at,
        subject,
        size,
        body,
        _read_envelope(document),
        is_private,
        legal_hold,
        files,
        None if contents is None else _read_contents(contents),
    )
