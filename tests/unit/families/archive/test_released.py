"""A held message that is released is archived as it was delivered, once: when the next hop has it."""

from __future__ import annotations

import pytest
from held_copies import hold, kept
from msgspec.structs import replace

from mailreeve.families.held.limits import DEFAULT
from mailreeve.families.held.undelivered import UndeliveredCopies
from mailreeve.families.keeping.keeper import MessageKeeper
from mailreeve.families.keeping.kept import Kept
from mailreeve.families.keeping.released import archive_released
from mailreeve.families.outgoing.queue import OutgoingQueue
from mailreeve.families.tracking.outcomes import State, Won
from mailreeve.families.tracking.record_budget import RecordBudget

ANN = "ann@corp.test"
LIST, DETAIL, FIND = "archive/get-message-list", "archive/get-message-detail", "ext/find-archived-messages"
HELD, RELEASE = "gateway/get-hold-message-list", "gateway/hold-release"


@pytest.fixture
def office(account):
    account.call("domain/create-domain", {"domain": "corp.test"})
    account.call("user/create-user", {"emailAddress": ANN})
    return account


@pytest.fixture
def keeper(services):
    return MessageKeeper(services.store, RecordBudget(), services.bodies)


@pytest.fixture
def queue(services):
    undelivered = UndeliveredCopies("mx.corp.test", (), DEFAULT)
    return OutgoingQueue(services.store, services.bodies, undelivered, archive_released)


def archived(office) -> list[dict]:
    return office.call(LIST, {"mailbox": ANN})


def release(office) -> None:
    office.call(RELEASE, *({"id": one["id"]} for one in office.call(HELD, {"admin": True})))


def test_it_is_archived_when_the_next_hop_takes_it_and_once(office, keeper, queue) -> None:
    message = kept(office.id, ANN)
    won = replace(message.outcomes[0], winners=(Won("spam_scanning", "ab" * 16, "Spam for everybody"),))
    hold(keeper, replace(message, outcomes=[won]))
    assert archived(office) == []
    release(office)
    (one,) = queue.due(10)
    assert archived(office) == [], "nobody has it yet"
    queue.begin(one)
    queue.put_off(one, "451 4.3.0 later")
    assert archived(office) == []
    queue.delivered(one, "250 2.0.0 queued as ABC", "ABC")
    queue.delivered(one, "250 2.0.0 queued as ABC", "ABC")
    (found,) = archived(office)
    assert (found["subject"], found["size"]) == ("Cheap", len(b"".join(whole(message))))
    (detail,) = office.call(DETAIL, {"id": found["id"]})
    assert detail["recipients"][0]["policies"][0]["description"] == "Spam for everybody"
    assert (detail["decisionId"], detail["sourceIp"]) == (won.decision_id, "192.0.2.9")
    assert detail["isReadable"]
    office.read_archive()
    assert len(office.call(FIND, {"text": "dots"})) == 1


def whole(message: Kept) -> list[bytes]:
    content = message.held[0].copy.content
    return [content.header, *content.body]


def test_what_the_next_hop_refuses_or_nobody_released_is_not(office, keeper, queue, services) -> None:
    hold(keeper, kept(office.id, ANN))
    release(office)
    (one,) = queue.due(10)
    queue.refused(one, "550 5.1.1 nobody")
    split_off = kept(office.id, ANN, state=State.ACCEPTED)  # The door archives such copies itself.
    hold(keeper, split_off)
    (one,) = queue.due(10)
    queue.delivered(one, "250 2.0.0 ok", "")
    assert archived(office) == []


def test_it_is_archived_where_there_was_no_room_for_its_record(office, services, queue) -> None:
    class NoRoomForOutcomes(RecordBudget):
        def admit(self, outcomes):
            return []

    keeper = MessageKeeper(services.store, NoRoomForOutcomes(), services.bodies)
    hold(keeper, kept(office.id, ANN))
    release(office)
    (one,) = queue.due(10)
    queue.delivered(one, "250 2.0.0 ok", "")
    assert [found["subject"] for found in archived(office)] == ["Cheap"]
