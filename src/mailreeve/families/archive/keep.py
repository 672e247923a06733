"""Into which mailboxes does a delivered copy go, and who may see it there?"""

from __future__ import annotations

from msgspec.structs import replace

from mailreeve.families.archive import rows
from mailreeve.families.archive.rows import Box, View
from mailreeve.families.directory.domains import rows as domains
from mailreeve.families.directory.users import operations as users
from mailreeve.families.machinery.copies import ArchivedCopy
from mailreeve.formats.addresses import Address
from mailreeve.formats.authors import plain_address
from mailreeve.formats.message import read_message
from mailreeve.formats.sensitivity import is_private
from mailreeve.store.transactions import Work


def keep(work: Work, copy: ArchivedCopy, body: str, began: str = "", *, size: int | None = None) -> str | None:
    """Put a copy into the archive, whose body is kept under this key. The key of its row. `size` is that of the
    copy in octets, where `copy` has its header alone.

    `began` is a key of the time when the mail door began to remember who has had which message. What was kept
    before by another process, which may have died before it could answer, is not kept a second time for the same
    recipients: None where that are all.
    """
    if copy.attempt and began:
        there = rows.kept_of(work, copy.attempt, began)
        left = [n for n, one in enumerate(copy.recipients) if one.original not in there]
        if not left:
            return None
        copy = replace(
            copy,
            copy=replace(copy.copy, recipients=tuple(copy.copy.recipients[n] for n in left)),
            recipients=tuple(copy.recipients[n] for n in left),
        )
    boxes: dict[tuple[str, View], Box] = {}
    for one in copy.copy.recipients:
        _add(boxes, _boxes(work, one.effective, View.INBOX))
    # The sender's mailbox is that of whoever sent it: alteration changes what others see.
    effective = copy.copy.sender
    for sender in (plain_address(copy.original_sender), effective if isinstance(effective, Address) else None):
        found = [] if sender is None else _boxes(work, sender, View.SENT)
        if found:
            _add(boxes, found)
            break
    content = copy.copy.content
    if size is None:
        size = len(content.header) + sum(map(len, content.body))
    return rows.add(
        work, copy, body, list(boxes.values()), size=size, is_private=is_private(read_message(content.header))
    )


def _boxes(work: Work, address: Address, view: View) -> list[Box]:
    """The mailboxes of an address: its own, and its user's. None where its domain is not the account's."""
    if domains.find(work, address.domain) is None:
        return []
    user = users.reached(work, address)
    if user is None:
        return [Box(address.key, view, False, True)]
    return [Box(address.key, view, True, True), Box(user.id, view, True, user.key == address.key)]


def _add(boxes: dict[tuple[str, View], Box], found: list[Box]) -> None:
    for box in found:
        there = boxes.get((box.mailbox, box.view))
        direct = box.direct or (there is not None and there.direct)
        boxes[box.mailbox, box.view] = Box(box.mailbox, box.view, box.owned, direct)
