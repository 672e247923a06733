"""What decisions see of the directory: users, groups and free mail joined, at the cost of a few queries."""

from __future__ import annotations

from sqlalchemy import event

from mailreeve.families.directory import facts as directory_facts
from mailreeve.families.directory.users import attributes
from mailreeve.formats.free_mail import FREE_MAIL_DOMAINS, FREE_MAIL_VERSION


def load(account):
    return account.services.store.read(account.id, directory_facts.load)


def test_groups_their_members_and_their_nesting_are_there(account):
    (outer,) = account.call("directory/create-group", {"description": "Outer"})
    (inner,) = account.call("directory/create-group", {"description": "Inner", "parentId": outer["id"]})
    account.call("directory/add-group-member", {"id": inner["id"], "emailAddress": "Ann@other.test"})
    account.call("directory/add-group-member", {"id": outer["id"], "domain": "partner.test"})
    directory = load(account)
    (inner_key,) = directory.groups["ann@other.test"]
    (outer_key,) = directory.groups["partner.test"]
    assert directory.parents == {inner_key: outer_key}
    assert directory.group_names == {outer_key: "Outer", inner_key: "Inner"}


def test_free_mail_list_and_its_version_are_the_shipped_ones(account):
    directory = load(account)
    assert directory.free_mail == FREE_MAIL_DOMAINS
    assert directory.free_mail_version == FREE_MAIL_VERSION
    assert "gmail.com" in directory.free_mail


def test_user_is_one_value_under_every_address_with_its_attributes(account):
    account.call("domain/create-domain", {"domain": "corp.test"})
    account.call("user/create-user", {"emailAddress": "Ann@corp.test"})
    account.call("user/update-alias", {"aliasFor": "ann@corp.test", "alias": "a@corp.test"})
    item = {"emailAddress": "ann@corp.test", "attributes": [{"name": "Office", "value": "North"}]}
    account.call("user/update-attributes", item)
    directory = load(account)
    key = account.write(lambda work: attributes.find_type(work, name="Office").id)
    ann = directory.users["ann@corp.test"]
    assert ann.primary == "ann@corp.test"
    assert ann.attributes == {key: "north"}
    assert directory.users["a@corp.test"] is ann
    assert directory.users["abuse@corp.test"].attributes == {}


def test_nothing_of_another_account_is_there(account, other_account):
    other_account.call("domain/create-domain", {"domain": "theirs.test", "inboundType": "known"})
    other_account.call("directory/create-group", {"description": "Theirs"})
    directory = load(account)
    assert not directory.internal_domains
    assert not directory.known_only
    assert not directory.users
    assert not directory.group_names


def test_number_of_queries_does_not_grow_with_the_directory(account):
    statements: list[str] = []
    engine = account.services.store._engine.sqlalchemy

    def count() -> int:
        statements.clear()
        load(account)
        return len(statements)

    event.listen(engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    account.call("domain/create-domain", {"domain": "corp.test"})
    few = count()
    account.call("user/create-user", *({"emailAddress": f"u{n}@corp.test"} for n in range(40)))
    assert few > 0
    assert count() == few
