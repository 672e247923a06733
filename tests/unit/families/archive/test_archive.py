"""The archive without a server: whose mailboxes a copy lies in, who may see it, how long it is kept."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from mailreeve.access.caller import Caller
from mailreeve.access.permissions import PROTECTED, Permission
from mailreeve.families.archive import access, contents, rows
from mailreeve.families.archive.retention import ExpiredMessages
from mailreeve.families.archive.rows import Contents
from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.directory.users import mailboxes
from mailreeve.families.keeping.keeper import MessageKeeper
from mailreeve.families.keeping.kept import Kept
from mailreeve.families.machinery.copies import ArchivedCopy, Copy, RecipientOfCopy, Routed
from mailreeve.families.registry import bodies_named
from mailreeve.families.tracking.record_budget import RecordBudget
from mailreeve.formats.addresses import parse_address
from mailreeve.formats.message import Content
from mailreeve.store.bodies import LEFT_OVER
from mailreeve.store.keys import least_key
from mailreeve.wire.errors import ItemRefused
from mailreeve.wire.tokens import Kind

LIST = "archive/get-message-list"
DETAIL = "archive/get-message-detail"
PART = "archive/get-message-part"
FIND = "ext/find-archived-messages"
ANN, BOB = "ann@corp.test", "bob@corp.test"


@pytest.fixture
def office(account):
    """An account with two users, whose callers may be exchanged: `office.caller_is("ann")`."""
    account.call("domain/create-domain", {"domain": "corp.test"})
    ids = {}
    for address in (ANN, BOB):
        account.call("user/create-user", {"emailAddress": address})
        ids[address] = account.write(lambda work, a=address: accounts_user(work, a))
    admin = account.caller

    def caller_is(address: str | None, *permissions: Permission) -> None:
        account.caller = (
            admin
            if address is None
            else Caller(
                admin.account_id,
                address,
                admin.application_id,
                frozenset(permissions),
                ids[address],
                in_person=True,
            )
        )

    account.caller_is, account.user_ids = caller_is, ids
    return account


def accounts_user(work, address: str) -> str:
    from mailreeve.families.directory.users import rows as users

    return users.find_by_address(work, parse_address(address).key).id


def subjects(account, mailbox: str | None = None, **item: object) -> list[str]:
    named = {} if mailbox is None else {"mailbox": mailbox}
    return [row["subject"] for row in account.call(LIST, {**named, **item})]


def refusal(account, path: str, item: dict) -> str:
    with pytest.raises(ItemRefused) as refused:
        account.call(path, item)
    return refused.value.problems[0].code


def test_a_user_reads_the_own_mailbox_without_a_permission(office) -> None:
    """And nobody else's, whether there is one or not."""
    own, other = office.archive("Own", ANN), office.archive("Other", BOB)
    office.caller_is(ANN)
    assert subjects(office) == subjects(office, ANN) == ["Own"]
    for mailbox in (BOB, "nobody@corp.test", "liz@out.test"):
        assert refusal(office, LIST, {"mailbox": mailbox}) == "err_archive_mailbox_not_found"
    assert office.call(DETAIL, {"id": own})[0]["subject"] == "Own"
    for path in (DETAIL, PART, "archive/get-file"):
        assert refusal(office, path, {"id": other}) == "err_archive_message_not_found"


def test_keys_that_were_made_for_less_open_no_mailbox(office, monkeypatch) -> None:
    """Neither the own one nor one that was opened to the user: an application with a lesser role is not the
    user in person. With the permission it is another matter."""
    monkeypatch.setattr(mailboxes, "may_open", lambda work, caller, mailbox, scope: bool(caller))
    own, other = office.archive("Own", ANN), office.archive("Other", BOB)
    office.caller_is(ANN, Permission.DIRECTORIES_GROUPS_READ)
    office.caller = replace(office.caller, in_person=False)
    assert refusal(office, LIST, {}) == "err_validation_null"
    for mailbox in (ANN, BOB):
        assert refusal(office, LIST, {"mailbox": mailbox}) == "err_archive_mailbox_not_found"
    for path in (DETAIL, PART, "archive/get-file"):
        for message in (own, other):
            assert refusal(office, path, {"id": message}) == "err_archive_message_not_found"
    office.caller_is(ANN, Permission.ARCHIVE_SEARCH_READ)
    office.caller = replace(office.caller, in_person=False)
    assert subjects(office) == ["Own"]


def test_an_administrator_without_the_permission_reads_no_mailbox(office) -> None:
    """Whoever may do all else reads what others write only with a permission for that."""
    office.archive("Own", ANN)
    office.caller_is(BOB, *frozenset(Permission) - PROTECTED)
    assert refusal(office, LIST, {"mailbox": ANN}) == "err_archive_mailbox_not_found"
    office.caller_is(BOB, Permission.ARCHIVE_SEARCH_READ)
    assert subjects(office, ANN) == ["Own"]


def test_private_mail_is_hidden_from_delegates(office, monkeypatch) -> None:
    """Whatever is marked private or personal; its owner and administrators see it (behaviour.md section 7.2)."""
    monkeypatch.setattr(mailboxes, "may_open", lambda work, caller, mailbox, scope: scope == access.SCOPE)
    monkeypatch.setattr(mailboxes, "opened_by", lambda work, caller, scope: list(office.user_ids.values()))
    office.archive("Plain", ANN)
    hidden = [office.archive(value, ANN, header=f"Sensitivity: {value}\r\n") for value in ("Private", "personal")]
    office.archive("Company-Confidential", ANN, header="Sensitivity: Company-Confidential\r\n")
    office.caller_is(BOB)
    seen = ["Company-Confidential", "Plain"]
    assert subjects(office, ANN) == seen
    assert subjects(office, includeDelegates=True) == seen
    assert subjects(office) == []
    for message in hidden:
        assert refusal(office, DETAIL, {"id": message}) == "err_archive_message_not_found"
    office.caller_is(ANN)
    assert subjects(office) == ["Company-Confidential", "personal", "Private", "Plain"]
    office.caller_is(None)
    assert len(subjects(office, ANN)) == 4


def test_altered_mail_is_found_by_the_new_address_only(office) -> None:
    """In the mailbox that it was delivered to, and by its words (behaviour.md section 5.4)."""
    message = office.archive("Altered", ANN, original="sales@corp.test")
    office.read_archive()
    assert (subjects(office, ANN), subjects(office, "sales@corp.test")) == (["Altered"], [])
    assert [one["id"] for one in office.call(FIND, {"to": ANN})] == [message]
    assert office.call(FIND, {"to": "sales@corp.test"}) == []
    assert office.call(FIND, {"text": "sales"}) == []
    (recipient,) = office.call(DETAIL, {"id": message})[0]["recipients"]
    assert (recipient["original"], recipient["effective"]) == ("sales@corp.test", ANN)


def test_mail_of_an_address_goes_to_whoever_gets_it_unless_it_was_somebodys(office) -> None:
    """What came while it was nobody's is its user's; what was a user's stays that user's, by whatever address."""
    office.archive("Early", "new@corp.test")
    office.call("user/update-alias", {"alias": "new@corp.test", "aliasFor": ANN})
    office.archive("As alias", "new@corp.test")
    assert subjects(office, ANN) == ["As alias", "Early"]
    assert subjects(office, ANN, includeAliases=False) == []
    office.call("user/remove-alias", {"alias": "new@corp.test", "aliasFor": ANN})
    office.call("user/create-user", {"emailAddress": "new@corp.test"})
    assert subjects(office, ANN) == ["As alias", "Early"]
    assert subjects(office, "new@corp.test") == []


def test_mail_follows_a_user_to_another_address(office) -> None:
    """What came under the old one, before the user and since, and what came to the new one while it was
    nobody's."""
    for address in ("carl@corp.test", "dora@corp.test"):
        office.archive(f"Early {address}", address)
    office.call("user/create-user", {"emailAddress": "carl@corp.test"})
    office.archive("Own", "carl@corp.test")
    office.call("ext/rename-user", {"emailAddress": "carl@corp.test", "newAddress": "dora@corp.test"})
    office.archive("New", "dora@corp.test")
    early = ["Early dora@corp.test", "Early carl@corp.test"]
    assert subjects(office, "dora@corp.test") == ["New", "Own", *early]


def test_tagged_addresses_reach_their_user(office) -> None:
    """As mail to them does."""
    office.archive("Tagged", "ann+lists@corp.test")
    assert subjects(office, ANN) == ["Tagged"]


def test_sent_mail_lies_with_its_sender(office) -> None:
    """Of outsiders nothing is kept as theirs."""
    office.archive("Sent", "liz@out.test", ANN)
    assert subjects(office, ANN, view="SENT") == ["Sent"]
    assert refusal(office, LIST, {"view": "OUTBOX"}) == "err_validation_value_not_allowed"
    assert subjects(office, "liz@out.test") == []


def test_a_message_can_be_read_before_it_was_read_for_the_search(office) -> None:
    """At once after it was acknowledged."""
    message = office.archive("New", ANN, text="Hello there")
    assert office.call(DETAIL, {"id": message})[0]["messageBodyPreview"] == "Hello there"
    assert office.call(FIND, {"text": "hello"}) == []
    office.read_archive()
    assert [one["id"] for one in office.call(FIND, {"text": "hello"})] == [message]


def test_old_mail_is_removed_unless_it_is_held(office) -> None:
    """With its words and, once nothing names it, its body; the account has its own span, or the installation's."""
    services = office.services
    held, gone = office.archive("Held", ANN, text="one"), office.archive("Gone", ANN, text="two")
    office.read_archive()
    office.call("ext/set-legal-hold", {"id": held, "legalHold": True})
    assert office.call(DETAIL, {"id": held})[0]["legalHold"] is True
    expired = ExpiredMessages(services.store, 30)
    assert expired.forget() == 0
    office.call("ext/set-archive-retention", {"days": 10})
    assert office.call("ext/get-archive-retention", {}) == [{"days": 10, "isOwn": True, "messages": 2}]

    later = datetime.now(UTC) + timedelta(days=11)
    before = least_key((later - timedelta(days=10)).timestamp())
    assert office.write(lambda work: rows.forget(work, before, 100)) == 1
    assert subjects(office, ANN) == ["Held"]
    assert refusal(office, DETAIL, {"id": gone}) == "err_archive_message_not_found"
    assert office.call(FIND, {"text": "two"}) == []
    words = office.write(lambda work: work.execute(text("SELECT count(*) FROM archive_text")).scalar_one())
    assert words == 1
    office.call("ext/set-legal-hold", {"id": held, "legalHold": False})
    assert office.write(lambda work: rows.forget(work, before, 100)) == 1


def test_bodies_are_kept_as_long_as_a_row_names_them(office, tmp_path, monkeypatch) -> None:
    """Once for each content; a leftover goes when it is old enough that no row is on its way."""
    services = office.services
    for _ in range(2):
        office.archive("Twice", ANN, text="the same")
    services.bodies.put(office.id, [[b"of nobody"]])
    files = [file for file in (tmp_path / "bodies").rglob("*") if file.is_file()]
    assert len(files) == 2

    def named(keys):
        return services.store.read(office.id, lambda work: bodies_named(work, list(keys)))

    assert services.bodies.sweep(office.id, named) == 0
    later = time.time() + LEFT_OVER + 1
    monkeypatch.setattr("mailreeve.store.bodies.time.time", lambda: later)
    assert services.bodies.sweep(office.id, named) == 1
    monkeypatch.undo()
    assert office.call(PART, {"id": office.call(LIST, {"mailbox": ANN})[0]["id"]})


def test_a_body_that_is_gone_or_damaged_is_told(office, tmp_path) -> None:
    """The list goes on; the message says that it cannot be read, and those behind it are read."""
    broken, whole = office.archive("Broken", ANN, text="one"), office.archive("Whole", ANN, text="two")
    key = office.services.ids.open(Kind.ARCHIVED_MESSAGE, broken, office.id)
    body = office.write(lambda work: rows.find(work, key)).body
    next((tmp_path / "bodies").rglob(body)).write_bytes(b"nonsense")
    office.read_archive()
    detail = office.call(DETAIL, {"id": broken})[0]
    assert (detail["isReadable"], detail["subject"], detail["attachments"]) == (False, "Broken", [])
    assert refusal(office, PART, {"id": broken, "type": "RFC822"}) == "err_archive_unreadable"
    assert [one["id"] for one in office.call(FIND, {"text": "two"})] == [whole]
    assert [one["id"] for one in office.call(FIND, {"subject": "broken"})] == [broken]


def test_a_message_that_breaks_the_reader_stops_no_other(office, monkeypatch) -> None:
    """Whatever a stranger wrote."""
    broken, whole = office.archive("Broken", ANN), office.archive("Whole", ANN)
    from mailreeve.families.archive import contents

    read = contents.read

    def break_on(row, header, body):
        if row.subject == "Broken":
            raise RecursionError("too deep")
        return read(row, header, body)

    monkeypatch.setattr(contents, "read", break_on)
    office.read_archive()
    assert [one["id"] for one in office.call(FIND, {"subject": "whole"})] == [whole]
    key = office.services.ids.open(Kind.ARCHIVED_MESSAGE, broken, office.id)
    assert office.write(lambda work: rows.find(work, key)).contents == Contents(trouble="RecursionError")


def test_the_keeper_keeps_copies_with_their_outcomes_or_nothing(office) -> None:
    """Where there is no place for bodies nothing is kept, and the message is put off."""
    ann = parse_address(ANN)
    copy = ArchivedCopy(
        Copy(office.id, "a" * 16, parse_address("liz@out.test"), (Routed(ann, ann),), Content(b"Subject: x\r\n")),
        (RecipientOfCopy(ANN, ANN, (), 1),),
        "liz@out.test",
        time.time(),
        subject="Kept",
    )
    store = office.services.store
    (problem,) = MessageKeeper(store, RecordBudget()).record([Kept(archived=[copy])])
    assert isinstance(problem, RuntimeError)
    assert subjects(office, ANN) == []
    keeper = MessageKeeper(store, RecordBudget(), office.services.bodies)
    assert keeper.record([Kept(archived=[copy]), Kept(archived=[copy])]) == [None, None]
    assert subjects(office, ANN) == ["Kept", "Kept"]


def test_an_account_that_is_removed_takes_its_archive_along(office) -> None:
    """Rows, logs and words."""
    office.archive("Gone", ANN)
    office.read_archive()
    subjects(office, ANN)
    with office.services.store._engine.writing() as connection:
        counted = "SELECT (SELECT count(*) FROM archived_message) + (SELECT count(*) FROM archive_text)"
        assert connection.execute(text(counted)).scalar_one() == 2
    office.write(accounts.remove)
    with office.services.store._engine.writing() as connection:
        assert connection.execute(text(counted)).scalar_one() == 0


def test_a_message_that_comes_again_after_a_crash_is_kept_once(office) -> None:
    """The process died between keeping it and answering: whoever has theirs gets no second one. While a process
    lives its mail door knows better, and keeps what it is given."""
    ann, bob = parse_address(ANN), parse_address(BOB)

    def copy(*recipients) -> ArchivedCopy:
        routes = tuple(Routed(one, one) for one in recipients)
        return ArchivedCopy(
            Copy(office.id, "a" * 16, parse_address("liz@out.test"), routes, Content(b"Subject: x\r\n")),
            tuple(RecipientOfCopy(str(one), str(one), (), 1) for one in recipients),
            "liz@out.test",
            time.time(),
            subject="Again",
            attempt="ab" * 20,
        )

    def keeper() -> MessageKeeper:
        return MessageKeeper(office.services.store, RecordBudget(), office.services.bodies)

    first = keeper()
    first.record([Kept(archived=[copy(ann)])])
    keeper().record([Kept(archived=[copy(ann, bob)])])
    keeper().record([Kept(archived=[copy(ann, bob)])])
    assert (subjects(office, ANN), subjects(office, BOB)) == (["Again"], ["Again"])
    first.record([Kept(archived=[copy(ann)])])
    assert subjects(office, ANN) == ["Again", "Again"]


def test_addresses_before_alteration_are_left_out_in_one_go() -> None:
    """Whoever writes one address again and again, to many, keeps the reader of the archive no longer."""
    without = contents._without
    assert without("a@b.test, A@B.test c", "a@B.test") == " ,   c"
    began = time.process_time()
    for _ in range(20):
        without("a@b.test " * 20_000, "a@b.test")
    assert time.process_time() - began < 1.5


@pytest.mark.parametrize("member", ["text", "from", "to", "subject"])
@pytest.mark.parametrize("words", ["@@", "or", "invoice or --"])
def test_what_holds_no_word_to_look_for_is_refused(office, member: str, words: str) -> None:
    """Every message would meet it, as if nothing had been asked for."""
    office.archive("Invoice", ANN)
    office.caller_is(ANN, Permission.ARCHIVE_SEARCH_READ)
    with pytest.raises(ItemRefused) as refused:
        office.call(FIND, {member: words})
    assert [(one.field, one.code) for one in refused.value.problems] == [
        (member, "err_validation_value_not_allowed")
    ]
    assert [row["subject"] for row in office.call(FIND, {member: " "})] == ["Invoice"]
