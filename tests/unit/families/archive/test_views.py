"""In whose mailbox was an archived message read? What the view log says, whatever the caller does."""

from __future__ import annotations

import pytest

from mailreeve.access.caller import Caller
from mailreeve.access.permissions import Permission
from mailreeve.families.directory.users import rows as users
from mailreeve.formats.addresses import parse_address
from mailreeve.wire.errors import ItemRefused

DETAIL = "archive/get-message-detail"
ANN, BOB, EVE = "ann@corp.test", "bob@corp.test", "eve@corp.test"
READS = (Permission.ARCHIVE_READ, Permission.ARCHIVE_SEARCH_CONTENT_VIEW)


@pytest.fixture
def office(account):
    """Ann, Bob and Eve; Bob may open Ann's archive."""
    account.call("domain/create-domain", {"domain": "corp.test"})
    account.call("user/create-user", *({"emailAddress": one} for one in (ANN, BOB, EVE)))
    account.call("user/add-delegate-user", {"primaryAddress": BOB, "delegateAddress": ANN, "scopes": ["archive"]})
    account.admin = account.caller
    return account


def read(office, who: str, id_: str, *permissions: Permission, **item: object) -> None:
    user = office.write(lambda work: users.find_by_address(work, who))
    office.caller = Caller(office.id, who, "app", frozenset(permissions), user.id, in_person=True)
    try:
        office.call(DETAIL, {"id": id_, **item})
        office.call("archive/get-file", {"id": id_, **item})
    except ItemRefused as refusal:
        raise AssertionError([(one.code, one.field) for one in refusal.problems]) from refusal
    finally:
        office.caller = office.admin


def viewed(office) -> list[tuple[str, str]]:
    """Who read it in whose mailbox, the newest first, each once."""
    return list(dict.fromkeys((one["viewer"], one["mailbox"]) for one in office.call("archive/get-view-logs", {})))


def test_the_log_names_the_mailbox_that_was_opened(office) -> None:
    message = office.archive("Own", ANN)
    read(office, ANN, message)
    read(office, BOB, message)
    read(office, BOB, message, mailbox="ANN+x@corp.test")
    assert viewed(office) == [(BOB, ANN), (ANN, ANN)]


@pytest.mark.parametrize("mailbox", [BOB, EVE, "nobody@corp.test", "liz@out.test"])
def test_nobody_has_the_log_say_another_mailbox(office, mailbox) -> None:
    """Bob opens Ann's copy, and would have it in the log as one of his own, or of somebody else's."""
    message = office.archive("Ann's", ANN)
    with pytest.raises(AssertionError, match="err_archive_mailbox_not_found', 'mailbox'"):
        read(office, BOB, message, mailbox=mailbox)
    with pytest.raises(AssertionError, match="err_archive_mailbox_not_found', 'mailbox'"):
        read(office, EVE, message, *READS, mailbox=mailbox)
    assert viewed(office) == []


def test_of_a_message_in_two_mailboxes_the_own_one_is_meant_where_none_is_named(office) -> None:
    message = office.archive("Both", ANN, sender=BOB)
    read(office, BOB, message)
    assert viewed(office) == [(BOB, BOB)]
    read(office, BOB, message, mailbox=ANN)
    assert viewed(office)[0] == (BOB, ANN)


def test_who_may_read_all_is_noted_in_the_mailbox_where_it_lies(office) -> None:
    message = office.archive("Ann's", ANN)
    read(office, EVE, message, *READS)
    read(office, EVE, message, *READS, mailbox=ANN)
    assert viewed(office) == [(EVE, ANN)]
    office.call("ext/remove-user", {"emailAddress": ANN})
    read(office, EVE, message, *READS)
    read(office, EVE, message, *READS, mailbox=ANN)
    assert viewed(office) == [(EVE, ANN)]


def test_a_delegate_reads_what_the_list_of_the_mailbox_shows(office) -> None:
    """What came before there was the user, too."""
    before = office.archive("Early", "new@corp.test")
    office.call("user/create-user", {"emailAddress": "new@corp.test"})
    office.call("user/add-delegate-user", {"primaryAddress": BOB, "delegateAddress": "new@corp.test"})
    read(office, BOB, before)
    assert viewed(office) == [(BOB, parse_address("new@corp.test").key)]
