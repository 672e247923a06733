"""Web block and allow lists: what the endpoints do, and what decisions then see."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace
from sqlalchemy import event

from mailreeve.families.policies.web_lists.rows import web_entry, web_policy, web_target
from mailreeve.formats.addresses import parse_address
from mailreeve.policy.decide.web import decide_web
from mailreeve.policy.model.decisions import WebVerdict
from mailreeve.policy.model.facts import WebFacts
from mailreeve.store.schema import audit_event
from mailreeve.wire.errors import ItemRefused

CREATE = "policy/webwhiteurl/create-policy-with-targets"
GET = "policy/webwhiteurl/get-policy-with-targets"
UPDATE = "policy/webwhiteurl/update-policy-with-targets"
DELETE = "policy/webwhiteurl/delete-policy-with-targets"

EVERYONE = {"description": "all", "from": {"type": "everyone"}, "to": {"type": "everyone"}}


def domain(value, action="block", **more):
    return {"action": action, "type": "domain", "value": value, **more}


def url(value, action="block", **more):
    return {"action": action, "type": "url", "value": value, **more}


def user(address, description="one user"):
    return {
        "description": description,
        "from": {"type": "individual_email_address", "emailAddress": address},
        "to": {"type": "everyone"},
    }


def a_list(*urls, policies=(EVERYONE,), description="list"):
    return {"description": description, "policies": list(policies), "urls": list(urls)}


def verdict(account, asked, user=None):
    facts = WebFacts(asked, datetime.now(UTC).timestamp(), None if user is None else parse_address(user))
    return decide_web(account.policies(), facts).verdict


def problems(account, path, item):
    with pytest.raises(ItemRefused) as refusal:
        account.call(path, item)
    return [(p.code, p.field) for p in refusal.value.problems]


def limit(account, **limits):
    """The account in the same services, with other limits."""
    account.services = replace(account.services, limits=replace(account.services.limits, **limits))
    return account


def rows_of(account, *tables):
    return account.write(
        lambda work: [work.execute(t.select().where(t.c.account_id == account.id)).all() for t in tables]
    )


@contextmanager
def statements(account):
    """The statements that the database gets meanwhile; one that is executed for many rows counts once."""
    seen = []
    engine = account.services.store._engine.sqlalchemy

    def note(connection, cursor, statement, *_):
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


class TestCreate:
    def test_answers_with_the_whole_list_and_decisions_see_it_at_once(self, account):
        (row,) = account.call(CREATE, a_list(domain("ex.test"), url("ex.test/docs", "allow")))
        assert set(row) == {"id", "description", "urls", "policies"}
        assert row["description"] == "list"
        assert [{k: u[k] for k in ("action", "type", "value")} for u in row["urls"]] == [
            domain("ex.test"),
            url("ex.test/docs", "allow"),
        ]
        (target,) = row["policies"]
        assert set(target) == {"id", "locations", "policy"}
        assert target["locations"] == []
        assert len({row["id"], target["id"], *(u["id"] for u in row["urls"])}) == 4
        assert verdict(account, "http://a.ex.test/") is WebVerdict.BLOCK
        assert verdict(account, "http://ex.test/docs/1?x=2") is WebVerdict.ALLOW
        assert verdict(account, "http://ex.test/docsx") is WebVerdict.BLOCK
        assert verdict(account, "http://other.test/") is WebVerdict.NONE

    def test_targets_answer_with_every_member_and_without_dates_when_eternal(self, account):
        (row,) = account.call(CREATE, a_list(domain("ex.test")))
        policy = row["policies"][0]["policy"]
        for member in ("override", "bidirectional", "enforced"):
            assert policy[member] is False
        for member in ("enabled", "fromEternal", "toEternal"):
            assert policy[member] is True
        assert policy["description"] == "all"
        assert policy["comment"] == ""
        assert policy["fromPart"] == "envelope_from"
        assert policy["from"] == policy["to"] == {"type": "everyone"}
        assert policy["fromType"] == policy["toType"] == "everyone"
        assert policy["conditions"] == {}
        assert {"createTime", "lastUpdated"} <= set(policy)
        assert not {"fromDate", "toDate", "fromValue", "toValue"} & set(policy)

    def test_dates_flags_and_conditions_come_back_as_sent(self, account):
        sent = {
            **user("pat@corp.test"),
            "fromDate": "2026-01-01T00:00:00+0000",
            "toDate": "2027-01-01T00:00:00+0000",
            "enforced": True,
            "override": "true",
            "comment": "why",
            "fromPart": "both",
            "bidirectional": True,
            "conditions": {"sourceIPs": ["192.0.2.0/24"], "hostnames": ["h.test"], "spfDomains": ["s.test"]},
        }
        (row,) = account.call(CREATE, a_list(domain("ex.test"), policies=[sent]))
        policy = row["policies"][0]["policy"]
        for member in ("fromDate", "toDate", "enforced", "comment", "fromPart", "bidirectional", "conditions"):
            assert policy[member] == sent[member]
        assert policy["override"] is True
        assert (policy["fromEternal"], policy["toEternal"]) == (False, False)
        assert policy["from"]["emailAddress"] == policy["fromValue"] == "pat@corp.test"

    def test_a_group_target_answers_with_its_id_and_the_whole_group(self, account):
        (parent,) = account.call("directory/create-group", {"description": "Sales"})
        (child,) = account.call("directory/create-group", {"description": "East", "parentId": parent["id"]})
        account.call("directory/add-group-member", {"id": parent["id"], "emailAddress": "pat@corp.test"})
        target = {**EVERYONE, "from": {"type": "profile_group", "groupId": parent["id"]}}
        (row,) = account.call(CREATE, a_list(domain("ex.test"), policies=[target]))
        side = row["policies"][0]["policy"]["from"]
        assert side["groupId"] == parent["id"]
        assert side["group"] == {
            "id": parent["id"],
            "description": "Sales",
            "source": "cloud",
            "parentId": "",
            "userCount": 1,
            "folderCount": 1,
            "folders": [
                {
                    "id": child["id"],
                    "description": "East",
                    "source": "cloud",
                    "parentId": parent["id"],
                    "userCount": 0,
                    "folderCount": 0,
                    "folders": [],
                }
            ],
        }
        assert verdict(account, "ex.test", "pat@corp.test") is WebVerdict.BLOCK
        assert verdict(account, "ex.test", "kim@corp.test") is WebVerdict.NONE

    def test_an_answer_sent_back_as_a_new_list_is_taken(self, account):
        """Targets in the nested form of answers; their ids and the entries' mean nothing for a new list."""
        (row,) = account.call(CREATE, a_list(domain("ex.test"), policies=[user("pat@corp.test")]))
        (copy,) = account.call(CREATE, row)
        assert copy["id"] != row["id"]
        assert copy["policies"][0]["id"] != row["policies"][0]["id"]
        assert copy["policies"][0]["policy"]["from"] == row["policies"][0]["policy"]["from"]

    def test_a_list_may_be_empty_of_entries(self, account):
        (row,) = account.call(CREATE, a_list())
        assert row["urls"] == []

    def test_each_item_succeeds_or_fails_alone(self, account):
        answer = account.answer(CREATE, a_list(domain("*.ex.test")), a_list(domain("ok.test")))
        assert [row["urls"][0]["value"] for row in answer["data"]] == ["ok.test"]
        assert answer["fail"][0]["key"]["urls"][0]["value"] == "*.ex.test"
        assert [len(rows) for rows in rows_of(account, web_policy, web_target, web_entry)] == [1, 1, 1]

    def test_many_entries_take_no_more_statements_than_few(self, account):
        """No statement for each entry, neither to write nor to read nor to load."""
        account.policies()
        counts = []
        for size in (2, 5000):
            with statements(account) as counted:
                (row,) = account.call(CREATE, a_list(*(url(f"ex{n}.test/{size}") for n in range(size))))
                assert len(account.call(GET, {"id": row["id"]})[0]["urls"]) == size
                assert account.call(UPDATE, row) == [row]
                account.policies()
            counts.append(len(counted))
        assert counts[0] == counts[1]
        assert verdict(account, "ex4999.test/5000/x") is WebVerdict.BLOCK


class TestRefusedItems:
    @pytest.mark.parametrize("member", ["description", "policies", "urls"])
    def test_what_is_required_is_named(self, account, member):
        item = a_list(domain("ex.test"))
        del item[member]
        assert problems(account, CREATE, item) == [("err_validation_null", member)]

    def test_a_target_needs_a_description(self, account):
        item = a_list(domain("ex.test"), policies=[EVERYONE, {"from": {"type": "everyone"}}])
        assert problems(account, CREATE, item) == [("err_validation_null", "policies[1].description")]

    def test_without_any_target_the_list_would_hold_for_nobody(self, account):
        item = a_list(domain("ex.test"), policies=[])
        assert problems(account, CREATE, item) == [("err_validation_at_least_one_not_null", "policies")]

    def test_the_members_of_an_entry_are_required(self, account):
        assert problems(account, CREATE, a_list({"value": ""})) == [
            ("err_validation_null", "urls[0].action"),
            ("err_validation_null", "urls[0].type"),
            ("err_validation_blank", "urls[0].value"),
        ]

    @pytest.mark.parametrize("member", ["action", "type"])
    def test_a_wrong_action_or_type_is_named_with_its_place(self, account, member):
        item = a_list(domain("ok.test"), {**domain("ex.test"), member: "deny"})
        assert problems(account, CREATE, item) == [("err_validation_value_not_allowed", f"urls[1].{member}")]

    def test_a_wildcard_domain_is_refused_with_its_place(self, account):
        """Test vector 29."""
        item = a_list(domain("ok.test"), domain("*.ex.test"))
        assert problems(account, CREATE, item) == [("err_validation_invalid_domain", "urls[1].value")]

    def test_every_bad_entry_is_named_at_once(self, account):
        item = a_list(domain("ex.test/path"), url("gopher://ex.test/"), domain("ok.test"), url("http://"))
        assert problems(account, CREATE, item) == [
            ("err_validation_invalid_domain", "urls[0].value"),
            ("err_validation_invalid_url", "urls[1].value"),
            ("err_validation_invalid_url", "urls[3].value"),
        ]

    def test_the_same_entry_twice_is_refused_with_both_places(self, account):
        """Also where it is spelled differently, and whatever it does."""
        item = a_list(url("ex.test/p"), domain("ex.test"), url("http://EX.test:8080/p#x", "allow"))
        with pytest.raises(ItemRefused) as refusal:
            account.call(CREATE, item)
        (problem,) = refusal.value.problems
        assert (problem.code, problem.field) == ("err_web_entry_duplicate", "urls[2].value")
        assert "urls[0]" in problem.message

    def test_a_request_has_no_recipient_so_to_must_be_everyone(self, account):
        """D-26."""
        target = {**EVERYONE, "to": {"type": "internal_addresses"}}
        item = a_list(domain("ex.test"), policies=[EVERYONE, target])
        assert problems(account, CREATE, item) == [("err_validation_value_not_allowed", "policies[1].to.type")]

    def test_without_from_and_to_a_target_is_everyone(self, account):
        account.call(CREATE, a_list(domain("ex.test"), policies=[{"description": "bare"}]))
        assert verdict(account, "ex.test", "kim@corp.test") is WebVerdict.BLOCK

    @pytest.mark.parametrize("type_", ["web_device", "web_device_group", "nobody"])
    def test_devices_are_no_targets_here(self, account, type_):
        item = a_list(domain("ex.test"), policies=[{**EVERYONE, "from": {"type": type_}}])
        assert problems(account, CREATE, item) == [("err_validation_value_not_allowed", "policies[0].from.type")]

    def test_a_location_that_there_is_not_is_refused_rather_than_forgotten(self, account):
        """Forgotten, the target would hold everywhere."""
        target = {**EVERYONE, "locations": [{"ip": "192.0.2.1", "location": "HQ"}]}
        item = a_list(domain("ex.test"), policies=[target])
        where = "policies[0].locations[0].location"
        assert problems(account, CREATE, item) == [("err_web_location_not_found", where)]

    def test_problems_inside_the_nested_form_are_named_there(self, account):
        item = a_list(
            domain("ex.test"), policies=[{"policy": {"description": "x", "to": {"type": "email_domain"}}}]
        )
        assert problems(account, CREATE, item) == [("err_validation_null", "policies[0].policy.to.emailDomain")]

    def test_a_group_of_another_account_is_refused(self, account, other_account):
        (group,) = other_account.call("directory/create-group", {"description": "Theirs"})
        item = a_list(
            domain("ex.test"),
            policies=[{**EVERYONE, "from": {"type": "profile_group", "groupId": group["id"]}}],
        )
        assert problems(account, CREATE, item) == [("xdk_failure", "policies[0].from.groupId")]

    def test_too_many_targets_are_refused(self, account):
        item = a_list(domain("ex.test"), policies=[EVERYONE] * 501)
        assert problems(account, CREATE, item) == [("err_validation_value_not_allowed", "policies")]

    def test_an_over_long_description_is_refused(self, account):
        item = a_list(domain("ex.test"), description="x" * 513)
        assert problems(account, CREATE, item) == [("err_validation_too_long", "description")]


class TestLimits:
    def test_the_5001st_url_of_a_policy_refuses_the_whole_item_and_says_the_count(self, account):
        """Test vector 30, D-28."""
        with pytest.raises(ItemRefused) as refusal:
            account.call(CREATE, a_list(*(domain(f"ex{n}.test") for n in range(5001))))
        (problem,) = refusal.value.problems
        assert (problem.code, problem.field) == ("err_web_policy_url_limit", "urls")
        assert "would hold 5001 of 5000" in problem.message
        assert rows_of(account, web_policy, web_target, web_entry) == [[], [], []]

    def test_the_account_limit_counts_all_lists_and_is_reached_exactly(self, account):
        limit(account, web_urls_per_account=5)
        account.call(CREATE, a_list(*(domain(f"a{n}.test") for n in range(3))))
        account.call(CREATE, a_list(domain("b0.test"), domain("b1.test")))
        with pytest.raises(ItemRefused) as refusal:
            account.call(CREATE, a_list(domain("c.test")))
        (problem,) = refusal.value.problems
        assert (problem.code, problem.field) == ("err_web_account_url_limit", "urls")
        assert "would hold 6 of 5" in problem.message

    def test_an_update_frees_what_it_replaces(self, account):
        limit(account, web_urls_per_account=3)
        (row,) = account.call(CREATE, a_list(*(domain(f"a{n}.test") for n in range(3))))
        account.call(UPDATE, {"id": row["id"], **a_list(*(domain(f"b{n}.test") for n in range(3)))})
        refused = problems(account, UPDATE, {"id": row["id"], **a_list(*(domain(f"c{n}.test") for n in range(4)))})
        assert refused == [("err_web_account_url_limit", "urls")]
        assert [u["value"] for u in account.call(GET, {"id": row["id"]})[0]["urls"]] == [
            "b0.test",
            "b1.test",
            "b2.test",
        ]

    def test_a_refused_item_leaves_no_room_taken_for_the_next(self, account):
        limit(account, web_urls_per_account=2)
        answer = account.answer(
            CREATE,
            a_list(domain("a.test"), domain("a2.test")),
            a_list(domain("b.test")),
        )
        assert (len(answer["data"]), len(answer["fail"])) == (1, 1)

    def test_another_account_has_its_own_count(self, account, other_account):
        limit(account, web_urls_per_account=1)
        limit(other_account, web_urls_per_account=1)
        account.call(CREATE, a_list(domain("a.test")))
        assert other_account.call(CREATE, a_list(domain("a.test")))


class TestShownValues:
    @pytest.mark.parametrize(
        ("type_", "typed"),
        [
            ("url", "http://ex.test:8080/p#f"),
            ("url", "https://bad.example/path"),
            ("url", "ftp://ex.test/p"),
            ("domain", "https://ex.test"),
            ("domain", "EX.test"),
            ("domain", ".ex.test"),
            ("domain", "bücher.test"),
            ("url", "ex.test/abc/"),
            ("url", "Ex.Test/a%20b?q=1"),
            ("url", "ex.test/a?b=1&a=2"),
            ("url", "ex.test/*"),
        ],
    )
    def test_an_entry_is_answered_as_it_was_written(self, account, type_, typed):
        """D-47."""
        (row,) = account.call(CREATE, a_list({"action": "block", "type": type_, "value": typed}))
        assert row["urls"][0]["value"] == typed
        (read,) = account.call(GET, {"id": row["id"]})
        assert read["urls"][0]["value"] == typed

    def test_another_way_to_write_an_entry_leaves_its_id(self, account):
        """D-47: entries that are canonically equal are one."""
        (row,) = account.call(CREATE, a_list(url("http://ex.test:8080/p?b=1&a=2")))
        again = {"id": row["id"], "policies": [EVERYONE], "urls": [url("https://EX.test/p?a=2&b=1")]}
        (after,) = account.call(UPDATE, again)
        assert after["urls"][0]["id"] == row["urls"][0]["id"]
        assert after["urls"][0]["value"] == "https://EX.test/p?a=2&b=1"

    def test_what_is_compared_is_canonical(self, account):
        account.call(CREATE, a_list(domain("BÜCHER.test"), url("http://ex.test:8080/p#f")))
        (entries,) = rows_of(account, web_entry)
        assert {entry.value for entry in entries} == {"xn--bcher-kva.test", "ex.test/p"}
        assert verdict(account, "https://xn--bcher-kva.test/x") is WebVerdict.BLOCK
        assert verdict(account, "https://ex.test/p/below") is WebVerdict.BLOCK


class TestGet:
    def test_by_id_one_row_equal_to_what_create_answered(self, account):
        (row,) = account.call(CREATE, a_list(domain("ex.test"), policies=[user("a@corp.test"), EVERYONE]))
        account.call(CREATE, a_list(domain("other.test")))
        assert account.call(GET, {"id": row["id"]}) == [row]

    def test_without_an_id_all_lists_oldest_first(self, account, other_account):
        made = [account.call(CREATE, a_list(domain(f"ex{n}.test"), description=str(n)))[0] for n in range(3)]
        other_account.call(CREATE, a_list(domain("theirs.test")))
        answer = account.answer(GET)
        assert sorted(answer["data"], key=lambda row: row["description"]) == made
        assert answer["meta"]["pagination"] == {"pageSize": 3, "totalCount": 3}

    def test_pages_cut_the_lists(self, account):
        for n in range(3):
            account.call(CREATE, a_list(domain(f"ex{n}.test"), description=str(n)))
        first = account.answer(GET, {}, meta={"pagination": {"pageSize": 2}})
        token = first["meta"]["pagination"]["next"]
        second = account.answer(GET, {}, meta={"pagination": {"pageSize": 2, "pageToken": token}})
        assert [len(first["data"]), len(second["data"])] == [2, 1]
        assert "next" not in second["meta"]["pagination"]
        assert {row["description"] for row in first["data"] + second["data"]} == {"0", "1", "2"}

    def test_a_list_that_is_gone_is_empty_data(self, account):
        """Terraform takes any failure for an error."""
        (row,) = account.call(CREATE, a_list(domain("ex.test")))
        account.call(DELETE, {"id": row["id"]})
        answer = account.answer(GET, {"id": row["id"]})
        assert (answer["data"], answer["fail"]) == ([], [])
        assert answer["meta"]["pagination"]["pageSize"] == 0

    def test_ids_of_another_account_or_kind_are_refused(self, account, other_account):
        (row,) = account.call(CREATE, a_list(domain("ex.test")))
        assert problems(other_account, GET, {"id": row["id"]}) == [("xdk_failure", "id")]
        assert problems(account, GET, {"id": row["urls"][0]["id"]}) == [("xdk_failure", "id")]

    def test_more_lists_than_are_named_in_one_query_are_read(self, account, monkeypatch):
        monkeypatch.setattr("mailreeve.families.policies.web_lists.rows.MAX_KEYS_NAMED", 1)
        made = [account.call(CREATE, a_list(domain(f"ex{n}.test")))[0] for n in range(3)]
        assert {row["id"] for row in account.call(GET)} == {row["id"] for row in made}


class TestUpdate:
    def test_replaces_both_lists_as_sent(self, account):
        (row,) = account.call(CREATE, a_list(domain("a.test"), domain("b.test")))
        (new,) = account.call(
            UPDATE,
            {
                "id": row["id"],
                **a_list(url("c.test/x", "allow"), policies=[user("pat@corp.test")], description="new"),
            },
        )
        assert new["id"] == row["id"]
        assert new["description"] == "new"
        assert [u["value"] for u in new["urls"]] == ["c.test/x"]
        assert account.call(GET, {"id": row["id"]}) == [new]
        assert verdict(account, "a.test") is WebVerdict.NONE
        assert verdict(account, "c.test/x", "pat@corp.test") is WebVerdict.ALLOW
        assert verdict(account, "c.test/x", "kim@corp.test") is WebVerdict.NONE

    def test_ids_stay_where_they_are_sent(self, account):
        (row,) = account.call(
            CREATE, a_list(domain("a.test"), domain("b.test"), policies=[EVERYONE, user("p@c.test")])
        )
        first, second = row["urls"]
        (new,) = account.call(
            UPDATE,
            {
                "id": row["id"],
                "description": "list",
                "urls": [domain("b2.test", "allow", id=second["id"]), domain("a.test", id=first["id"])],
                "policies": [
                    {**user("q@c.test"), "id": row["policies"][1]["id"]},
                    {**EVERYONE, "id": row["policies"][0]["id"]},
                ],
            },
        )
        assert [u["id"] for u in new["urls"]] == [second["id"], first["id"]]
        assert [t["id"] for t in new["policies"]] == [row["policies"][1]["id"], row["policies"][0]["id"]]
        assert new["urls"][0] == {"id": second["id"], "action": "allow", "type": "domain", "value": "b2.test"}
        assert new["policies"][0]["policy"]["from"]["emailAddress"] == "q@c.test"
        assert account.call(GET, {"id": row["id"]}) == [new]

    def test_without_ids_the_same_entry_keeps_its_own(self, account):
        (row,) = account.call(CREATE, a_list(domain("a.test"), domain("b.test"), url("b.test")))
        ids = {(u["type"], u["value"]): u["id"] for u in row["urls"]}
        (new,) = account.call(
            UPDATE,
            {"id": row["id"], **a_list(url("http://B.test", "allow"), domain("c.test"), domain("b.test"))},
        )
        found = [u["id"] for u in new["urls"]]
        assert found[0] == ids["url", "b.test"]
        assert found[2] == ids["domain", "b.test"]
        assert found[1] not in ids.values()

    def test_without_ids_a_target_is_known_by_its_scope_then_by_its_place(self, account):
        (row,) = account.call(
            CREATE, a_list(domain("a.test"), policies=[user("a@c.test"), user("b@c.test"), EVERYONE])
        )
        ids = [target["id"] for target in row["policies"]]
        item = a_list(domain("a.test"), policies=[user("b@c.test", "renamed"), user("new@c.test"), EVERYONE])
        (new,) = account.call(UPDATE, {"id": row["id"], **item})
        found = [target["id"] for target in new["policies"]]
        assert found[0] == ids[1]
        assert found[2] == ids[2]
        assert found[1] not in ids

    def test_a_target_that_changes_its_scope_in_its_place_keeps_its_id(self, account):
        (row,) = account.call(CREATE, a_list(domain("a.test")))
        (new,) = account.call(UPDATE, {"id": row["id"], **a_list(domain("a.test"), policies=[user("a@c.test")])})
        assert new["policies"][0]["id"] == row["policies"][0]["id"]

    def test_a_sent_id_wins_over_a_likeness(self, account):
        (row,) = account.call(CREATE, a_list(domain("a.test"), domain("b.test")))
        first, second = row["urls"]
        (new,) = account.call(
            UPDATE, {"id": row["id"], **a_list(domain("b.test"), domain("a.test", id=second["id"]))}
        )
        assert new["urls"][1]["id"] == second["id"]
        assert new["urls"][0]["id"] not in (first["id"], second["id"])

    @pytest.mark.parametrize("with_id", [True, False], ids=["by its id", "by its place"])
    @pytest.mark.parametrize("nested", [True, False], ids=["nested", "flat"])
    def test_a_target_without_from_keeps_its_scope(self, account, with_id, nested):
        """D-48: a new description alone must not turn one user's list into everybody's."""
        limited = {**user("pat@corp.test"), "conditions": {"sourceIPs": ["192.0.2.0/24"]}, "override": True}
        (row,) = account.call(CREATE, a_list(domain("ex.test"), policies=[limited]))
        (target,) = row["policies"]
        change = {"description": "renamed"}
        sent = {"policy": change} if nested else change
        if with_id:
            sent = {"id": target["id"], **sent}
        (after,) = account.call(UPDATE, {"id": row["id"], "policies": [sent]})
        (changed,) = after["policies"]
        assert changed["id"] == target["id"]
        updated = changed["policy"]["lastUpdated"]
        assert changed["policy"] == {**target["policy"], "description": "renamed", "lastUpdated": updated}
        assert account.call(GET, {"id": row["id"]}) == [after]

    def test_a_further_target_without_from_is_everyone(self, account):
        (row,) = account.call(CREATE, a_list(domain("ex.test"), policies=[user("pat@corp.test")]))
        more = [{"description": "pat"}, {"description": "all"}]
        (after,) = account.call(UPDATE, {"id": row["id"], "policies": more})
        types = [target["policy"]["from"]["type"] for target in after["policies"]]
        assert types == ["individual_email_address", "everyone"]

    def test_the_same_update_again_changes_nothing(self, account):
        (row,) = account.call(CREATE, a_list(domain("a.test"), policies=[user("a@c.test"), EVERYONE]))
        item = {"id": row["id"], **a_list(domain("b.test"), policies=[EVERYONE, user("a@c.test")])}
        once = account.call(UPDATE, item)
        assert account.call(UPDATE, item) == once

    def test_an_answer_can_be_sent_back(self, account):
        (row,) = account.call(CREATE, a_list(domain("a.test"), policies=[user("a@c.test"), EVERYONE]))
        assert account.call(UPDATE, row) == [row]

    def test_description_and_entries_that_are_not_sent_stay(self, account):
        (row,) = account.call(CREATE, a_list(domain("a.test")))
        (new,) = account.call(UPDATE, {"id": row["id"], "policies": [user("pat@corp.test")]})
        assert (new["description"], new["urls"]) == (row["description"], row["urls"])

    def test_an_empty_list_of_entries_takes_all_away(self, account):
        (row,) = account.call(CREATE, a_list(domain("a.test")))
        (new,) = account.call(UPDATE, {"id": row["id"], **a_list()})
        assert new["urls"] == []
        assert verdict(account, "a.test") is WebVerdict.NONE

    def test_id_and_policies_are_required(self, account):
        assert problems(account, UPDATE, {"urls": []}) == [
            ("err_validation_null", "id"),
            ("err_validation_null", "policies"),
        ]

    def test_ids_of_another_list_are_refused_with_their_place(self, account):
        (row,) = account.call(CREATE, a_list(domain("a.test")))
        (other,) = account.call(CREATE, a_list(domain("a.test")))
        foreign = a_list(domain("b.test"), domain("a.test", id=other["urls"][0]["id"]))
        assert problems(account, UPDATE, {"id": row["id"], **foreign}) == [
            ("err_web_entry_not_found", "urls[1].id")
        ]
        foreign = a_list(domain("a.test"), policies=[{**EVERYONE, "id": other["policies"][0]["id"]}])
        assert problems(account, UPDATE, {"id": row["id"], **foreign}) == [
            ("err_web_target_not_found", "policies[0].id")
        ]

    def test_the_same_id_twice_is_refused(self, account):
        (row,) = account.call(CREATE, a_list(domain("a.test")))
        twice = [domain(name, id=row["urls"][0]["id"]) for name in ("b.test", "c.test")]
        assert problems(account, UPDATE, {"id": row["id"], **a_list(*twice)}) == [
            ("err_web_id_twice", "urls[1].id")
        ]

    def test_a_malformed_part_id_is_refused(self, account):
        (row,) = account.call(CREATE, a_list(domain("a.test")))
        item = {"id": row["id"], **a_list(domain("b.test", id="nonsense"))}
        assert problems(account, UPDATE, item) == [("xdk_failure", "urls[0].id")]

    def test_a_refused_update_leaves_the_list_as_it_was(self, account):
        (row,) = account.call(CREATE, a_list(domain("a.test")))
        assert problems(account, UPDATE, {"id": row["id"], **a_list(domain("b.test"), domain("b.test"))})
        assert account.call(GET, {"id": row["id"]}) == [row]

    def test_a_list_that_is_gone_or_not_ours_is_refused(self, account, other_account):
        (row,) = account.call(CREATE, a_list(domain("a.test")))
        item = {"id": row["id"], **a_list(domain("b.test"))}
        assert problems(other_account, UPDATE, item) == [("xdk_failure", "id")]
        account.call(DELETE, {"id": row["id"]})
        assert problems(account, UPDATE, item) == [("err_policy_not_found", "id")]


class TestDelete:
    def test_answers_with_the_whole_list_and_the_flag_and_leaves_no_row(self, account):
        (row,) = account.call(CREATE, a_list(domain("ex.test")))
        (gone,) = account.call(DELETE, {"id": row["id"]})
        assert gone == {**row, "deleted": True}
        assert rows_of(account, web_policy, web_target, web_entry) == [[], [], []]
        assert verdict(account, "ex.test") is WebVerdict.NONE

    def test_twice_is_refused(self, account):
        (row,) = account.call(CREATE, a_list(domain("ex.test")))
        account.call(DELETE, {"id": row["id"]})
        assert problems(account, DELETE, {"id": row["id"]}) == [("err_policy_not_found", "id")]

    def test_another_account_cannot(self, account, other_account):
        (row,) = account.call(CREATE, a_list(domain("ex.test")))
        assert problems(other_account, DELETE, {"id": row["id"]}) == [("xdk_failure", "id")]
        assert account.call(GET, {"id": row["id"]}) == [row]

    def test_leaves_other_lists_alone(self, account):
        (row,) = account.call(CREATE, a_list(domain("ex.test")))
        (other,) = account.call(CREATE, a_list(domain("ex.test", "allow")))
        account.call(DELETE, {"id": row["id"]})
        assert account.call(GET) == [other]


def test_a_group_that_a_list_names_cannot_be_deleted_until_it_does_no_more(account):
    """Else the list would hold for nobody, without a word."""
    (group,) = account.call("directory/create-group", {"description": "Sales"})
    named = {**EVERYONE, "from": {"type": "profile_group", "groupId": group["id"]}}
    (row,) = account.call(CREATE, a_list(domain("a.test"), policies=[named, {**named, "description": "again"}]))
    (other,) = account.call(CREATE, a_list(domain("b.test"), policies=[named]))
    drop = ("directory/delete-group", {"id": group["id"]})
    assert problems(account, *drop) == [("err_folder_in_use", "id")]
    account.call(UPDATE, {"id": row["id"], **a_list(domain("a.test"))})
    assert problems(account, *drop) == [("err_folder_in_use", "id")]
    (gone,) = account.call(DELETE, {"id": other["id"]})
    assert gone["policies"][0]["policy"]["from"]["group"]["description"] == "Sales"
    assert account.call(*drop)[0]["deleted"] is True


def test_every_change_is_audited_with_the_states_before_and_after(account):
    (row,) = account.call(CREATE, a_list(domain("a.test")))
    account.call(UPDATE, {"id": row["id"], **a_list(domain("b.test"))})
    account.call(DELETE, {"id": row["id"]})
    (events,) = rows_of(account, audit_event)
    found = [
        (event.action, event.object_kind, "a.test" in (event.before or ""), "b.test" in (event.after or ""))
        for event in sorted(events, key=lambda event: event.revision)
    ]
    assert found == [
        ("create", "web policy", False, False),
        ("update", "web policy", True, True),
        ("delete", "web policy", False, False),
    ]
    assert [event.before is None for event in sorted(events, key=lambda e: e.revision)] == [True, False, False]


def test_a_user_allow_beats_a_block_for_everyone(account):
    """Test vector 26, from the API to the decision."""
    account.call(CREATE, a_list(domain("ex.test")))
    account.call(CREATE, a_list(domain("ex.test", "allow"), policies=[user("pat@corp.test")]))
    assert verdict(account, "ex.test", "pat@corp.test") is WebVerdict.ALLOW
    assert verdict(account, "ex.test", "kim@corp.test") is WebVerdict.BLOCK
