"""Into which mailboxes does a delivered copy go, and who may see it there?"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from mailreeve.families.archive import rows
from mailreeve.families.archive.rows import Box, NewCopy, View
from mailreeve.families.directory.domains import rows as domains
from mailreeve.families.directory.users import operations as users
from mailreeve.families.machinery.copies import ArchivedCopy
from mailreeve.formats.addresses import Address, Domain
from mailreeve.formats.authors import plain_address
from mailreeve.formats.message import read_message
from mailreeve.formats.sensitivity import is_private
from mailreeve.store.transactions import Work


def keep(work: Work, copy: ArchivedCopy, body: str, began: str = "", *, size: int | None = None) -> str | None:
    """As `keep_all`, for one copy. The key of its row, None where it has none. `size` is that of the copy in
    octets, where `copy` has its header alone."""
    return next(iter(keep_all(work, [(copy, body)], began, size=size)), None)


def keep_all(
    work: Work, copies: Iterable[tuple[ArchivedCopy, str]], began: str = "", *, size: int | None = None
) -> list[str]:
    """Put copies into the archive, whose bodies are kept under these keys. The keys of their rows.

    `began` is a key of the time when the mail door began to remember who has had which message. What was kept
    before by another process, which may have died before it could answer, is not kept a second time for the same
    recipients; where that are all, it has no row.
    """
    mailboxes = _Mailboxes(work)
    new: list[NewCopy] = []
    for copy, body in copies:
        left = _left(work, copy, began)
        if left is not None:
            content = left.copy.content
            octets = len(content.header) + sum(map(len, content.body)) if size is None else size
            # Nearly none has the field, which is told at once.
            private = b"sensitivity" in content.header.lower() and is_private(read_message(content.header))
            new.append(NewCopy(left, body, tuple(mailboxes.of_copy(left)), octets, private))
    return rows.add(work, new)


def _left(work: Work, copy: ArchivedCopy, began: str) -> ArchivedCopy | None:
    """The copy for those recipients for whom it was not kept before, None where there are none."""
    if not (copy.attempt and began):
        return copy
    there = rows.kept_of(work, copy.attempt, began)
    left = [n for n, one in enumerate(copy.recipients) if one.original not in there]
    if not left:
        return None
    return replace(
        copy,
        copy=replace(copy.copy, recipients=tuple(copy.copy.recipients[n] for n in left)),
        recipients=tuple(copy.recipients[n] for n in left),
    )


class _Mailboxes:
    """The mailboxes of addresses, each looked for once in a transaction: messages that are kept together have many
    in common."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._is_ours: dict[Domain, bool] = {}
        self._found: dict[tuple[Address, View], list[Box]] = {}

    def of_copy(self, copy: ArchivedCopy) -> Iterable[Box]:
        """Those of its recipients, and that of its sender."""
        boxes: dict[tuple[str, View], Box] = {}
        for one in copy.copy.recipients:
            _add(boxes, self._of(one.effective, View.INBOX))
        # The sender's mailbox is that of whoever sent it: alteration changes what others see.
        effective = copy.copy.sender
        for sender in (plain_address(copy.original_sender), effective if isinstance(effective, Address) else None):
            found = [] if sender is None else self._of(sender, View.SENT)
            if found:
                _add(boxes, found)
                break
        return boxes.values()

    def _of(self, address: Address, view: View) -> list[Box]:
        """The mailboxes of an address: its own, and its user's. None where its domain is not the account's."""
        is_ours = self._is_ours.get(address.domain)
        if is_ours is None:
            is_ours = self._is_ours[address.domain] = domains.find(self._work, address.domain) is not None
        if not is_ours:
            return []
        found = self._found.get((address, view))
        if found is None:
            found = self._found[address, view] = self._looked_for(address, view)
        return found

    def _looked_for(self, address: Address, view: View) -> list[Box]:
        user = users.reached(self._work, address)
        if user is None:
            return [Box(address.key, view, False, True)]
        return [Box(address.key, view, True, True), Box(user.id, view, True, user.key == address.key)]


def _add(boxes: dict[tuple[str, View], Box], found: list[Box]) -> None:
    for box in found:
        there = boxes.get((box.mailbox, box.view))
        direct = box.direct or (there is not None and there.direct)
        boxes[box.mailbox, box.view] = Box(box.mailbox, box.view, box.owned, direct)
