"""Users who are marked for removal go when it is time; users are made of a file, in the background."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from mailreeve.access.caller import Caller
from mailreeve.access.permissions import ROLE_PERMISSIONS, Permission, Role
from mailreeve.families.directory.imports import operations as imports
from mailreeve.families.directory.imports import rows as import_rows
from mailreeve.families.directory.purging import operations as purging
from mailreeve.families.directory.purging import rows as marks
from mailreeve.families.directory.users import rows as users
from mailreeve.formats.addresses import parse_address
from mailreeve.store.schema import audit_event
from mailreeve.wire.errors import ItemRefused

MARK, UNMARK, MARKED = "user/add-to-purge-list", "user/remove-from-purge-list", "ext/get-purge-list"
IMPORT, STATUS = "user/import-users", "user/get-import-status"
ANN, BOB = "ann@corp.test", "bob@corp.test"


@pytest.fixture
def corp(account):
    account.call("domain/create-domain", {"domain": "corp.test"})
    for address in (ANN, BOB):
        account.call("user/create-user", {"emailAddress": address})
    return account


def refusal(account, path: str, **item: object) -> tuple[str, str | None]:
    with pytest.raises(ItemRefused) as refused:
        account.call(path, item)
    (problem,) = refused.value.problems
    return problem.code, problem.field


def addresses(account) -> set[str]:
    return {row["emailAddress"] for row in account.call("ext/find-users")}


def age(account, by: timedelta = timedelta(days=31)) -> None:
    """Let all marks be older."""

    def transaction(work) -> None:
        for row in work.execute(marks.purge_mark.select()).all():
            old = marks.RECORDS.find(work, row.id)
            marks.RECORDS.replace(work, replace(old, due_at=old.due_at - by))

    account.write(transaction)


def test_a_marked_user_stays_until_it_is_time_and_then_goes_with_all_that_is_the_users(corp):
    corp.call("user/update-alias", {"alias": "annie@corp.test", "aliasFor": ANN})
    (row,) = corp.call(MARK, {"emailAddresses": ["annie@corp.test"]})
    assert (row["emailAddress"], row["markedBy"]) == (ANN, "admin@corp.test")
    assert corp.call(MARKED) == [row]
    assert any("removal" in words for words in corp.call("ext/describe-user", {"emailAddress": ANN})[0]["kept"])
    assert purging.purge_due(corp.services) == 0
    assert ANN in addresses(corp)
    age(corp)
    assert purging.purge_due(corp.services) == 1
    assert addresses(corp) & {ANN, BOB} == {BOB}
    assert corp.call(MARKED) == []
    assert corp.policies().identities.user(parse_address("annie@corp.test")) is None
    rows = corp.write(lambda work: work.execute(audit_event.select()).all())
    assert [row.actor for row in rows if (row.action, row.object_kind) == ("delete", "user")] == [
        "admin@corp.test"
    ]


def test_who_is_unmarked_stays(corp):
    corp.call(MARK, {"emailAddresses": [ANN, BOB]})
    assert corp.call(UNMARK, {"emailAddresses": [ANN]})[0]["wasMarked"] is True
    assert corp.call(UNMARK, {"emailAddresses": [ANN]})[0]["wasMarked"] is False
    age(corp)
    assert purging.purge_due(corp.services) == 1
    assert ANN in addresses(corp)


def test_marked_again_the_time_stays(corp):
    first = corp.call(MARK, {"emailAddresses": [ANN]})
    age(corp, timedelta(days=3))
    assert corp.call(MARK, {"emailAddresses": [ANN]}) != first
    (again,) = corp.call(MARKED)
    assert again["purgeOn"] < first[0]["purgeOn"]


def test_a_mark_follows_whoever_is_renamed_and_goes_with_whoever_goes(corp):
    corp.call(MARK, {"emailAddresses": [ANN, BOB]})
    corp.call("ext/rename-user", {"emailAddress": ANN, "newAddress": "anna@corp.test"})
    corp.call("ext/remove-user", {"emailAddress": BOB})
    assert [row["emailAddress"] for row in corp.call(MARKED)] == ["anna@corp.test"]


def test_one_unknown_address_and_nobody_is_marked(corp):
    assert refusal(corp, MARK, emailAddresses=[ANN, "nobody@corp.test"]) == (
        "err_user_not_found",
        "emailAddresses",
    )
    assert corp.call(MARKED) == []
    too_many = [f"u{n}@corp.test" for n in range(1001)]
    assert refusal(corp, MARK, emailAddresses=too_many)[0] == "err_data_too_many_items"


def test_nobody_marks_a_user_who_may_do_more_nor_the_last_administrator(corp):
    corp.write(
        lambda work: users.change(work, replace(users.find_by_address(work, ANN), role=Role.SUPER_ADMINISTRATOR))
    )
    assert refusal(corp, MARK, emailAddresses=[ANN]) == ("err_user_last_administrator", "emailAddresses")
    few = frozenset({Permission.DIRECTORIES_INTERNAL_PURGE_ADDRESS})
    corp.caller = Caller(corp.id, "x@corp.test", "app", few)
    assert refusal(corp, MARK, emailAddresses=[ANN]) == ("err_xdk_forbidden", "emailAddresses")


def test_the_last_administrator_is_not_purged_and_does_not_keep_others(corp):
    corp.call(MARK, {"emailAddresses": [ANN, BOB]})
    corp.write(
        lambda work: users.change(work, replace(users.find_by_address(work, ANN), role=Role.SUPER_ADMINISTRATOR))
    )
    age(corp)
    assert purging.purge_due(corp.services) == 1
    assert addresses(corp) & {ANN, BOB} == {ANN}
    assert len(corp.call(MARKED)) == 1


# Imports.


def start(account, text: str, **more: object) -> dict:
    return account.call(IMPORT, {"file": text, **more})[0]


def test_a_file_makes_changes_and_leaves_users_as_they_are(corp):
    corp.call("user/update-user", {"emailAddress": BOB, "name": "Bob"})
    started = start(
        corp,
        '\ufeffEmail,name,mobile\r\nnew@corp.test,"New, N.",+44 1\r\nBob@corp.test,Bob,\r\nann@corp.test,Ann,\r\n',
    )
    assert (started["status"], started["total"]) == ("running", 3)
    assert imports.run_waiting(corp.services) == 3
    (status,) = corp.call(STATUS, {"id": started["id"]})
    assert [status[name] for name in ("status", "processed", "created", "updated", "unchanged", "refused")] == [
        "complete",
        3,
        1,
        1,
        1,
        0,
    ]
    (new,) = corp.call("ext/describe-user", {"emailAddress": "new@corp.test"})
    assert new["name"] == "New, N."
    assert new["attributes"] == [{"name": "Mobile", "value": "+44 1"}]
    assert corp.call(STATUS) == [status]


def test_refused_lines_are_told_and_keep_no_other_from_being_taken_over(corp):
    start(corp, "name;email\nX;x@far.test\nY;none\n\nZ;z@corp.test\n")
    imports.run_waiting(corp.services)
    (status,) = corp.call(STATUS)
    assert (status["created"], status["refused"], status["status"]) == (1, 2, "complete")
    assert [(one["line"], one["email"], one["code"]) for one in status["errors"]] == [
        (2, "x@far.test", "err_xdk_operation_forbidden_for_address"),
        (3, "none", "err_validation_invalid_email_address"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "email\n",
        "name\nx\n",
        "email,age\na@corp.test,3\n",
        "email,name\na@corp.test\n",
        'email\n"a@corp.test\n',
        "email,email\na,b\n",
        "email\n" + "a@corp.test\n" * 25_001,
        "email\n" + "a" * 2000 + "\n",
        'email,name\na@corp.test,"two\nlines"\n',
    ],
    ids=range(10),
)
def test_a_file_that_is_no_list_of_users_is_refused_as_a_whole(corp, text):
    assert refusal(corp, IMPORT, file=text) == ("err_user_import_file", "file")


def test_a_refused_file_is_not_told_again(corp):
    (failure,) = corp.answer(IMPORT, {"file": "secret\n", "notifyEmailAddress": ANN})["fail"]
    assert failure["key"] == {"notifyEmailAddress": ANN}


def test_an_import_goes_on_where_it_was_left_and_takes_no_line_twice(corp, monkeypatch):
    start(corp, "email\n" + "".join(f"u{n}@corp.test\n" for n in range(250)))
    real, calls = imports._take_over, []

    def dies(key, call):
        calls.append(key)
        if len(calls) == 2:
            real(key, call)
            raise KeyboardInterrupt
        return real(key, call)

    monkeypatch.setattr(imports, "_take_over", dies)
    with pytest.raises(KeyboardInterrupt):
        imports.run_waiting(corp.services)
    (status,) = corp.call(STATUS)
    assert (status["processed"], status["status"]) == (100, "running")
    assert imports.run_waiting(corp.services) == 150
    (status,) = corp.call(STATUS)
    assert (status["created"], status["processed"], status["status"]) == (250, 250, "complete")


def test_an_import_that_breaks_off_says_so_and_others_go_on(corp, monkeypatch):
    for name in ("a", "b"):
        start(corp, f"email\n{name}@corp.test\n")
    real = imports._put

    def breaks(call, person):
        if person.email.startswith("a"):
            raise RuntimeError("no")
        return real(call, person)

    monkeypatch.setattr(imports, "_put", breaks)
    imports.run_waiting(corp.services)
    states = [row.state.value for row in corp.write(lambda work: import_rows.RECORDS.where().every(work))]
    assert sorted(states) == ["complete", "failed"]
    assert "b@corp.test" in addresses(corp)


def test_an_import_may_do_what_its_maker_might(corp):
    corp.write(
        lambda work: users.change(work, replace(users.find_by_address(work, ANN), role=Role.SUPER_ADMINISTRATOR))
    )
    corp.caller = Caller(corp.id, "x@corp.test", "app", ROLE_PERMISSIONS[Role.FULL_ADMINISTRATOR])
    start(corp, f"email,name\n{ANN},Taken over\n")
    imports.run_waiting(corp.services)
    assert corp.call(STATUS)[0]["errors"][0]["code"] == "err_xdk_forbidden"


def test_there_are_bounds_on_imports_under_way_and_on_those_that_are_kept(corp, monkeypatch):
    for n in range(imports.MOST_RUNNING):
        start(corp, f"email\nu{n}@corp.test\n")
    assert refusal(corp, IMPORT, file="email\nx@corp.test\n") == ("err_user_import_limit", None)
    imports.run_waiting(corp.services)
    monkeypatch.setattr(import_rows, "KEPT", 2)
    start(corp, "email\nx@corp.test\n")
    assert len(corp.write(lambda work: import_rows.RECORDS.where().every(work))) == 2


def test_whoever_wants_to_be_written_to_is_told_that_nobody_is(corp):
    answer = corp.answer(IMPORT, {"file": f"email\n{ANN}\n", "notifyEmailAddress": BOB})
    assert any("get-import-status" in warning for warning in answer["meta"]["warnings"])
    assert answer["fail"] == []
