"""Hostile mail once it is kept: every message of the corpus can be shown where it is held, and is read for the
archive, found in it and given back octet for octet. The corpus is in tests/wire/mail/peers/hostile.py."""

from __future__ import annotations

import json
import time

import msgspec
from hostile import CORPUS, Hostile

from mailreeve.families.archive import rows
from mailreeve.families.held.content import said
from mailreeve.families.keeping.keeper import MessageKeeper
from mailreeve.families.keeping.kept import Kept
from mailreeve.families.machinery.copies import ArchivedCopy, Copy, RecipientOfCopy, Routed
from mailreeve.families.tracking.record_budget import RecordBudget
from mailreeve.formats.addresses import parse_address
from mailreeve.formats.message import Content, header_length
from mailreeve.wire.tokens import Kind

ANN = "ann@corp.test"
FAIR = 2.0  # seconds of CPU for one message
KEPT = [case for case in CORPUS if not case.refused]


def content_of(case: Hostile) -> Content:
    end = header_length(case.content)
    return Content(case.content[:end], (case.content[end:],))


def test_each_can_be_shown_in_fair_time() -> None:
    for case in KEPT:
        content = content_of(case)
        began = time.process_time()
        shown = said(content.header, content.body)
        assert time.process_time() - began < FAIR, case
        json.loads(msgspec.json.encode(shown))


def test_each_is_read_for_the_archive_and_given_back_as_it_is(account) -> None:
    account.call("domain/create-domain", {"domain": "corp.test"})
    account.call("user/create-user", {"emailAddress": ANN})
    ann, sender = parse_address(ANN), parse_address("eve@out.test")
    copies = [
        ArchivedCopy(
            Copy(account.id, f"{n:016}", sender, (Routed(ann, ann),), content_of(case)),
            (RecipientOfCopy(ANN, ANN, (), 1),),
            str(sender),
            time.time(),
            subject=f"case {n}",
        )
        for n, case in enumerate(KEPT)
    ]
    keeper = MessageKeeper(account.services.store, RecordBudget(), account.services.bodies)
    assert keeper.record([Kept(archived=[one]) for one in copies]) == [None] * len(copies)
    began = time.process_time()
    account.read_archive()
    assert time.process_time() - began < FAIR * len(copies) / 10
    found = {row.subject: row for row in account.write(lambda work: rows.after(work, "", len(KEPT) + 1))}
    assert len(found) == len(KEPT)
    for n, case in enumerate(KEPT):
        row = found[f"case {n}"]
        id_ = account.services.ids.seal(Kind.ARCHIVED_MESSAGE, row.id, account.id)
        (detail,) = account.call("archive/get-message-detail", {"id": id_})
        assert (detail["isReadable"], row.contents.trouble) == (True, ""), case
        header = account.write(lambda work, row=row: rows.header_of(work, row.id))
        assert header + b"".join(account.services.bodies.read(account.id, row.body)) == case.content, case
