"""A directory is taken over: who comes, who is disabled, who is left alone, and what is not believed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from mailreeve.families.directory.sync import ldap, operations, rows
from mailreeve.families.directory.sync.ldap import DirectoryError, OutsideGroup, Person, Snapshot, entries
from mailreeve.families.machinery.directory_source import DirectorySource
from mailreeve.wire.errors import ItemRefused

SOURCE = DirectorySource("ldap://127.0.0.1", "", "", "dc=corp", "(mail=*)", "(cn=*)", False, "", 24)
ANN, BOB = Person("ann@corp.test", "Ann"), Person("Bob@corp.test", "Bob")
SALES = OutsideGroup("Sales", frozenset({"ann@corp.test", "Bob@corp.test"}))
SYNC, STATUS = "directory/execute-sync", "directory/get-connection"


@pytest.fixture
def corp(account):
    account.call("domain/create-domain", {"domain": "corp.test"})
    installation = replace(account.services.installation, directory=SOURCE)
    account.services = replace(account.services, installation=installation)
    return account


def sync(account, *people: Person, groups: tuple[OutsideGroup, ...] = ()) -> int | None:
    account.call(SYNC, {})
    snapshot = Snapshot(people, groups)
    return operations.sync_if_due(account.services, SOURCE, account.id, lambda source: snapshot)


def people(account) -> dict[str, dict]:
    return {row["emailAddress"]: row for row in account.call("ext/find-users")}


def group(account, name: str = "") -> tuple[dict, set[str]]:
    (found,) = account.call("directory/find-groups", {"source": "ldap", "query": name})[0]["folders"]
    members = account.call("directory/get-group-members", {"id": found["id"]})[0]["groupMembers"]
    return found, {one["emailAddress"] for one in members}


def test_users_and_groups_come_and_a_second_sync_changes_nothing(corp):
    assert sync(corp, ANN, BOB, Person("x@far.test", "X"), Person("none", ""), groups=(SALES,)) == 5
    listed = corp.call("user/get-internal-users", {"domain": "corp.test"})[0]["users"]
    assert {(one["emailAddress"], one["source"]) for one in listed if one["name"] in ("Ann", "Bob")} == {
        ("ann@corp.test", "ldap"),
        ("Bob@corp.test", "ldap"),
    }
    found, members = group(corp)
    assert (found["description"], members) == ("Sales", {"ann@corp.test", "Bob@corp.test"})
    assert sync(corp, ANN, BOB, groups=(SALES,)) == 0
    (status,) = corp.call(STATUS)
    assert (status["status"], status["changes"], status["problem"]) == ("ok", 0, "")
    assert status["lastSync"]


def test_who_vanishes_is_disabled_and_comes_back_with_all_that_was_kept(corp):
    sync(corp, ANN, BOB, groups=(SALES,))
    corp.call("managedsender/permit-or-block-sender", {"sender": "x@y.test", "to": BOB.address, "action": "block"})
    assert sync(corp, ANN, groups=(SALES,)) == 2
    assert people(corp)["Bob@corp.test"]["disabled"] is True
    assert group(corp)[1] == {"ann@corp.test"}
    assert sync(corp, ANN, BOB, groups=(SALES,)) == 2
    assert people(corp)["Bob@corp.test"]["disabled"] is False
    assert len(corp.call("ext/get-managed-senders", {"to": BOB.address})) == 1


def test_a_group_that_vanishes_stays_empty_since_policies_may_name_it(corp):
    other = OutsideGroup("Others", frozenset({ANN.address}))
    sync(corp, ANN, groups=(OutsideGroup("Sales", frozenset({ANN.address})), other))
    assert sync(corp, ANN) == 0, "one that holds no groups at all is not believed about them"
    assert sync(corp, ANN, groups=(other,)) == 1
    assert group(corp, "Sales")[1] == set()


def test_whom_an_administrator_disabled_is_not_enabled_again(corp):
    """Only whom the directory's silence disabled."""
    sync(corp, ANN, BOB)
    corp.call("user/update-user", {"emailAddress": ANN.address, "accountDisabled": True})
    assert sync(corp, ANN, BOB) == 0
    assert people(corp)[ANN.address]["disabled"] is True
    sync(corp, ANN)
    assert people(corp)[BOB.address]["disabled"] is True
    sync(corp, ANN, BOB)
    assert [people(corp)[one.address]["disabled"] for one in (ANN, BOB)] == [True, False]


def test_groups_that_shrank_are_not_believed(corp):
    many = [Person(f"u{n}@corp.test", "") for n in range(20)]
    everybody = OutsideGroup("Sales", frozenset(one.address for one in many))
    sync(corp, *many, groups=(everybody,))
    assert sync(corp, *many, groups=(OutsideGroup("Sales", frozenset({many[0].address})),)) is None
    assert len(group(corp)[1]) == 20


def test_what_failed_is_tried_again_later_and_not_at_once(corp):
    """Whatever it was: nothing but a mistake of ours raises `ZeroDivisionError`."""
    asked = []

    def broken(source):
        asked.append(source)
        return 1 / 0

    for _ in range(3):
        assert operations.sync_if_due(corp.services, SOURCE, corp.id, broken) is None
    assert len(asked) == 1
    corp.write(lambda work: rows.put(work, replace(rows.find(work), tried_at=work.now - timedelta(minutes=11))))
    assert operations.sync_if_due(corp.services, SOURCE, corp.id, lambda _: Snapshot((ANN,), ())) == 1


def test_what_was_made_here_is_left_alone(corp):
    corp.call("user/create-user", {"emailAddress": "ann@corp.test", "name": "Made here"})
    corp.call("directory/create-group", {"description": "Sales"})
    sync(corp, ANN, BOB, groups=(SALES,))
    assert people(corp)["ann@corp.test"]["name"] == "Made here"
    assert len(corp.call("directory/find-groups", {"query": "Sales"})[0]["folders"]) == 2
    sync(corp, BOB)
    assert people(corp)["ann@corp.test"]["disabled"] is False


def test_a_directory_that_shrank_is_not_believed(corp):
    everybody = [Person(f"u{n}@corp.test", "") for n in range(30)]
    sync(corp, *everybody)
    for few in ((), everybody[:10]):
        assert sync(corp, *few) is None
        (status,) = corp.call(STATUS)
        assert status["status"] == "failed"
        assert "too few" in status["problem"]
    assert not any(one["disabled"] for one in people(corp).values())
    assert sync(corp, *everybody[:16]) == 14


def test_it_is_read_when_it_is_time_or_somebody_asks_and_not_before(corp):
    def due(source=SOURCE):
        return operations.sync_if_due(corp.services, source, corp.id, lambda _: Snapshot((ANN,), ()))

    assert due() == 1
    assert due() is None
    corp.call(SYNC, {})
    assert due() == 0

    def age(work):
        old = rows.find(work)
        rows.put(work, replace(old, read_at=old.read_at - timedelta(hours=25)))

    corp.write(age)
    assert due(replace(SOURCE, hours=0)) is None
    assert due() == 0


def test_a_directory_that_cannot_be_read_is_told_of(corp):
    def broken(source):
        raise DirectoryError("no route")

    assert operations.sync_if_due(corp.services, SOURCE, corp.id, broken) is None
    (status,) = corp.call(STATUS)
    assert (status["status"], status["problem"]) == ("failed", "no route")


def test_a_preview_changes_nothing(corp, monkeypatch):
    monkeypatch.setattr(ldap, "read", lambda source: Snapshot((ANN,), (SALES,)))
    (told,) = corp.call("ext/preview-directory-sync")
    assert told["changes"] == [
        "user ann@corp.test is made",
        "group Sales is made",
        "group Sales: ann@corp.test joins",
    ]
    assert "ann@corp.test" not in people(corp)


def test_without_a_directory_there_is_no_connection(account):
    assert account.call(STATUS) == []
    for path in (SYNC, "ext/preview-directory-sync"):
        with pytest.raises(ItemRefused, match="No directory"):
            account.call(path)


def test_a_directory_is_one_account_s_alone(corp, other_account):
    """Where no account is named, it is the only one's; else that one's."""
    assert corp.call(STATUS) == []
    for source, whose in ((replace(SOURCE, account=corp.id), corp), (replace(SOURCE, account="x"), None)):
        services = corp.services
        services = replace(services, installation=replace(services.installation, directory=source))
        for account in (corp, other_account):
            account.services = services
            assert bool(account.call(STATUS)) == (account is whose)


def test_ldif_is_read_with_its_base64_and_broken_ones_are_refused():
    text = b"dn: cn=a,dc=x\nmail: a@x.test\ncn:: QW5uw6k=\ncn: Ann\njpegPhoto:: /9j/\n\n# ref\n\ndn: cn=b,dc=x\n"
    assert list(entries(text)) == [
        ("cn=a,dc=x", {"mail": ("a@x.test",), "cn": ("Anné", "Ann")}),
        ("cn=b,dc=x", {}),
    ]
    with pytest.raises(DirectoryError, match="no LDIF"):
        list(entries(b"dn: x\nnonsense\n"))
