"""The domain endpoints: what is registered, what is refused, and what decisions then see."""

from __future__ import annotations

import pytest

from mailreeve.families.directory.domains import rows
from mailreeve.store.schema import audit_event
from mailreeve.wire.errors import ItemRefused


def refusal(account, path: str, **item: object) -> tuple[str, str | None]:
    with pytest.raises(ItemRefused) as refused:
        account.call(path, item)
    (problem,) = refused.value.problems
    return problem.code, problem.field


def test_a_domain_is_internal_from_the_next_decision_on(account):
    assert account.policies().directory.internal_domains == frozenset()
    account.call("domain/create-domain", {"domain": "corp.test", "inboundType": "any"})
    assert account.policies().directory.internal_domains == {"corp.test"}


def test_answer_of_create_has_every_documented_member(account):
    (answer,) = account.call("domain/create-domain", {"domain": "corp.test"})
    assert answer.keys() >= {"id", "domain", "token", "created", "expiry"}
    assert answer["domain"] == "corp.test"
    assert answer["token"] == answer["expiry"] == ""
    assert answer["created"].endswith("+0000")


def test_list_has_one_row_for_each_domain_with_the_id_that_create_gave(account):
    created = account.call("domain/create-domain", {"domain": "corp.test"}, {"domain": "b.test"})
    listed = account.call("domain/get-internal-domain")
    assert [row["id"] for row in listed] == [row["id"] for row in created]
    assert listed[0] == {
        "id": created[0]["id"],
        "domain": "corp.test",
        "sendOnly": False,
        "local": True,
        "inboundType": "any",
    }


def test_list_says_how_many_rows_it_has_and_can_be_cut(account):
    account.call("domain/create-domain", *({"domain": f"d{n}.test"} for n in range(3)))
    whole = account.answer("domain/get-internal-domain")
    assert whole["meta"]["pagination"] == {"pageSize": 3, "totalCount": 3}
    first = account.answer("domain/get-internal-domain", meta={"pagination": {"pageSize": 2}})
    second = account.answer(
        "domain/get-internal-domain", meta={"pagination": {"pageToken": first["meta"]["pagination"]["next"]}}
    )
    shown = [row["domain"] for row in first["data"] + second["data"]]
    assert shown == ["d0.test", "d1.test", "d2.test"]


@pytest.mark.parametrize("asked", ["corp.test", "@corp.test", "CORP.Test"])
def test_filter_finds_exactly_one_domain_however_it_is_written(account, asked):
    account.call("domain/create-domain", {"domain": "corp.test"}, {"domain": "sub.corp.test"})
    assert [row["domain"] for row in account.call("domain/get-internal-domain", {"domain": asked})] == [
        "corp.test"
    ]


def test_filter_for_a_domain_that_is_not_ours_finds_nothing(account):
    account.call("domain/create-domain", {"domain": "corp.test"})
    assert account.call("domain/get-internal-domain", {"domain": "sub.corp.test"}) == []


def test_malformed_filter_is_refused(account):
    assert refusal(account, "domain/get-internal-domain", domain="*.corp.test") == (
        "err_validation_invalid_domain",
        "domain",
    )


@pytest.mark.parametrize("given", ["known", "KNOWN", "Known"])
def test_known_recipients_only_is_read_in_any_case_and_reaches_decisions(account, given):
    account.call("domain/create-domain", {"domain": "corp.test", "inboundType": given}, {"domain": "open.test"})
    assert account.policies().directory.known_only == {"corp.test"}


@pytest.mark.parametrize("given", ["any", "smtp", "ldap", "known"])
def test_every_documented_inbound_type_is_kept(account, given):
    account.call("domain/create-domain", {"domain": "corp.test", "inboundType": given})
    assert account.call("domain/get-internal-domain")[0]["inboundType"] == given


def test_unknown_inbound_type_is_refused_with_the_allowed_ones(account):
    with pytest.raises(ItemRefused) as refused:
        account.call("domain/create-domain", {"domain": "corp.test", "inboundType": "some"})
    (problem,) = refused.value.problems
    assert (problem.code, problem.field) == ("err_validation_value_not_allowed", "inboundType")
    assert "[any,smtp,ldap,known]" in problem.message


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ({}, "err_validation_null"),
        ({"domain": ""}, "err_validation_blank"),
        ({"domain": "a b.test"}, "err_validation_invalid_domain"),
        ({"domain": "user@corp.test"}, "err_validation_invalid_domain"),
    ],
)
def test_create_names_the_domain_when_it_is_at_fault(account, item, code):
    assert refusal(account, "domain/create-domain", **item) == (code, "domain")


def test_international_domain_is_matched_as_a_labels_and_shown_as_typed(account):
    """D-43."""
    account.call("domain/create-domain", {"domain": "Bücher.test"})
    assert account.policies().directory.internal_domains == {"xn--bcher-kva.test"}
    assert (
        account.call("domain/get-internal-domain", {"domain": "xn--bcher-kva.test"})[0]["domain"] == "bücher.test"
    )


def test_a_domain_is_not_registered_twice(account):
    account.call("domain/create-domain", {"domain": "corp.test"})
    assert refusal(account, "domain/create-domain", domain="CORP.test") == ("err_domain_already_exists", "domain")


def test_domain_of_another_account_is_refused_in_the_same_words_as_one_of_ours(account, other_account):
    """The refusal does not tell whose the domain is."""
    account.call("domain/create-domain", {"domain": "ours.test"})
    other_account.call("domain/create-domain", {"domain": "theirs.test"})
    messages = set()
    for name in ("ours.test", "theirs.test", "below.theirs.test", "far.below.theirs.test"):
        with pytest.raises(ItemRefused) as refused:
            account.call("domain/create-domain", {"domain": name})
        (problem,) = refused.value.problems
        messages.add((problem.code, problem.message, problem.field))
    assert len(messages) == 1


def test_subdomain_of_an_own_domain_is_internal_at_once(account):
    account.call("domain/create-domain", {"domain": "corp.test"})
    account.call("domain/create-domain", {"domain": "sub.corp.test"})
    assert account.policies().directory.internal_domains == {"corp.test", "sub.corp.test"}


def test_a_name_that_only_ends_like_another_accounts_domain_is_free(account, other_account):
    other_account.call("domain/create-domain", {"domain": "corp.test"})
    account.call("domain/create-domain", {"domain": "notcorp.test"})
    assert account.policies().directory.internal_domains == {"notcorp.test"}


def test_domains_of_another_account_are_not_listed(account, other_account):
    other_account.call("domain/create-domain", {"domain": "theirs.test"})
    assert account.call("domain/get-internal-domain") == []
    assert account.call("domain/get-internal-domain", {"domain": "theirs.test"}) == []


def test_the_account_behind_a_domain_is_found_before_any_account_is_known(account, other_account):
    account.call("domain/create-domain", {"domain": "ours.test"})
    other_account.call("domain/create-domain", {"domain": "theirs.test"})
    look_up = account.services.store.look_up
    assert look_up(lambda connection: rows.account_of(connection, "theirs.test")) == other_account.id
    assert look_up(lambda connection: rows.account_of(connection, "sub.theirs.test")) is None
    assert look_up(rows.owners) == ({"ours.test": account.id, "theirs.test": other_account.id}, frozenset())


def test_a_new_domain_has_its_two_system_users_even_where_only_known_recipients_are_taken(account):
    account.call("domain/create-domain", {"domain": "corp.test", "inboundType": "known"})
    assert account.policies().directory.users.keys() == {"abuse@corp.test", "postmaster@corp.test"}
    (answer,) = account.call("user/get-internal-users", {"domain": "corp.test"})
    assert {row["name"] for row in answer["users"]} == {"Domain abuse address", "Domain postMaster address"}


def test_a_refused_item_leaves_the_others_of_its_request(account):
    answer = account.answer(
        "domain/create-domain", {"domain": "a.test"}, {"domain": "a.test"}, {"domain": "b.test"}
    )
    assert [row["domain"] for row in answer["data"]] == ["a.test", "b.test"]
    assert [entry["key"] for entry in answer["fail"]] == [{"domain": "a.test"}]
    assert account.policies().directory.internal_domains == {"a.test", "b.test"}


def test_registering_is_audited(account):
    account.call("domain/create-domain", {"domain": "corp.test"})
    kinds = account.write(lambda work: [row.object_kind for row in work.execute(audit_event.select())])
    assert kinds.count("domain") == 1
    assert kinds.count("user") == 2
