"""Web lists, from a signed call to the very next web request (behaviour.md sections 6 and 15).

The decision is asked for where any door would ask: `ext/explain-web`, and once in a test `mailreeve explain web`.
"""

from __future__ import annotations

import json

import pytest

from mailreeve.client import ApiError, Conditions, Policy, Target, WebEntry, WebList

EVERYONE = Policy("everyone")
BLOCK_EX = WebEntry("block", "domain", "ex.test")


class Web:
    """The web lists of one test, which are gone when it is over."""

    def __init__(self, gate) -> None:
        self.gate = gate
        self.lists = gate.client.web_lists

    def create(self, *entries: WebEntry, for_: Policy = EVERYONE) -> WebList:
        made = self.lists.create("a test's", entries, [for_])
        self.gate.ending.callback(self.lists.delete, made.id)
        return made

    def ask(self, url: str, user: str | None = None, **more: str) -> dict:
        """The server's decision."""
        item = {"url": url, **more} | ({} if user is None else {"user": user})
        return self.gate.client.call("ext/explain-web", item)[0]

    def verdict(self, url: str, user: str | None = None, **more: str) -> str:
        return self.ask(url, user, **more)["verdict"]

    def ask_by_command(self, url: str, user: str | None = None) -> dict:
        """The decision of `mailreeve explain web --json`."""
        return json.loads(self.gate.run("explain", "web", url, "--json", *(("--user", user) if user else ())))


@pytest.fixture
def web(gate) -> Web:
    return Web(gate)


# ---------------------------------------------------------------------------------------------------- the main job


def test_managed_url_holds_for_the_very_next_request_until_it_is_deleted(web):
    """Before a list that overrides, as the door tells who browses."""
    web.create(WebEntry("allow", "domain", "managed.test"), for_=Policy("all", override=True))
    assert web.verdict("http://www.managed.test/x") == "allow"
    call = web.gate.client.call
    (made,) = call("ttp/url/create-managed-url", {"url": "managed.test", "matchType": "domain", "action": "block"})
    told = web.ask("http://www.managed.test/x")
    assert (told["verdict"], told["policyId"]) == ("block", made["id"])
    assert web.ask_by_command("http://www.managed.test/x")["verdict"] == "block"
    call("ttp/url/delete-managed-url", {"id": made["id"]})
    assert web.verdict("http://www.managed.test/x") == "allow"


def test_list_holds_for_the_very_next_request_until_it_is_deleted(web):
    assert web.verdict("http://ex.test/") == "none"
    made = web.lists.create("No ex", [BLOCK_EX], [EVERYONE])
    told = web.ask("http://ex.test/")
    assert (told["verdict"], told["policyId"]) == ("block", made.id)
    entry = {"id": made.urls[0].id, "type": "domain", "value": "ex.test", "action": "block"}
    assert told["entry"] == entry
    web.lists.update(made.id, "No ex", [WebEntry("allow", "domain", "ex.test")], [EVERYONE])
    assert web.verdict("http://ex.test/") == "allow"
    web.lists.update(made.id, "No ex", [BLOCK_EX], [Policy("ann", Target.address("ann@corp.test"))])
    assert [web.verdict("http://ex.test/", user) for user in (None, "ann@corp.test")] == ["none", "block"]
    web.lists.delete(made.id)
    told = web.ask("http://ex.test/", "ann@corp.test")
    assert (told["verdict"], told["policyId"], told["entry"], told["trace"]) == ("none", None, None, [])


def test_endpoint_and_command_agree(web):
    web.create(BLOCK_EX, WebEntry("allow", "url", "ex.test/docs"))
    web.create(WebEntry("allow", "domain", "ex.test"), for_=Policy("pat", Target.address("pat@corp.test")))
    for url, user, verdict in (
        ("https://ex.test/docs/1?x=2", None, "allow"),
        ("http://www.ex.test:8080/#top", "kim@corp.test", "block"),
    ):
        told = web.ask(url, user)
        assert told["verdict"] == verdict
        assert web.ask_by_command(url, user) == told


# --------------------------------------------------------------------------------------------------------- vectors


def test_vector_24_domain_covers_its_subdomains(web):
    """D-23: on label boundaries."""
    web.create(BLOCK_EX)
    asked = ("ex.test", "a.ex.test", "b.a.ex.test:8443/x", "EX.test", "aex.test", "test", "ex.test.org")
    verdicts = [web.verdict(f"http://{url}") for url in asked]
    assert verdicts == ["block"] * 4 + ["none"] * 3


def test_vector_25_url_beats_domain_on_segment_boundaries(web):
    """D-40: `/docs` is not `/docsx`; parameters are covered, unless the entry has some."""
    web.create(BLOCK_EX)
    web.create(WebEntry("allow", "url", "ex.test/docs"))
    asked = ("/docs/1?x=2", "/docs", "/docs/", "/docsx", "/Docs", "/a/../docs/x", "/docs/../secret", "/d%6Fcs")
    verdicts = [web.verdict(f"http://ex.test{path}") for path in asked]
    assert verdicts == ["allow", "allow", "allow", "block", "block", "allow", "block", "allow"]


def test_vector_26_users_own_list_beats_everyones(web):
    web.create(BLOCK_EX)
    web.create(WebEntry("allow", "domain", "ex.test"), for_=Policy("pat", Target.address("pat@corp.test")))
    users = ("pat@corp.test", "PAT@corp.test", "kim@corp.test", None)
    assert [web.verdict("http://ex.test", user) for user in users] == ["allow", "allow", "block", "block"]


def test_vector_27_of_two_lists_that_disagree_block_wins_and_the_trace_shows_both(web):
    """D-25: never "both ineffective"."""
    web.create(WebEntry("allow", "domain", "ex.test"))
    web.create(BLOCK_EX)
    told = web.ask("http://ex.test")
    assert told["verdict"] == "block"
    places = {candidate["entry"]["action"]: candidate["place"] for candidate in told["trace"]}
    assert places == {"block": 1, "allow": 2}


def test_vector_28_scheme_port_and_fragment_do_not_count_and_are_answered_as_written(web):
    made = web.create(WebEntry("block", "url", "http://ex.test:8080/p#f"))
    (row,) = web.gate.client.call("policy/webwhiteurl/get-policy-with-targets", {"id": made.id})
    assert [url["value"] for url in row["urls"]] == ["http://ex.test:8080/p#f"]  # D-47
    assert [web.verdict(f"{scheme}://ex.test/p/q") for scheme in ("http", "https", "ftp")] == ["block"] * 3
    assert web.verdict("https://www.ex.test/p") == "none"


@pytest.mark.parametrize(
    ("entry", "disguised"),
    [
        ("http://q.test/w?v=abc", "http://q.test/w?" + "&" * 1_000 + "v=abc"),
        ("http://q.test/w?v=abc", "http://q.test/w?" + "v=&" * 1_000 + "v=abc"),
        ("192.0.2.1", "http://[::ffff:192.0.2.1]/"),
        ("http://[::ffff:192.0.2.3]/x", "http://192.0.2.3/x/y"),
    ],
    ids=["empty parameters", "repeated parameters", "mapped address", "mapped address in the entry"],
)
def test_disguise_does_not_open_what_is_blocked(web, entry, disguised):
    web.create(WebEntry("block", "url" if "/" in entry else "domain", entry))
    assert web.verdict(disguised) == "block"


def test_allow_of_one_octet_does_not_open_another(web):
    web.create(WebEntry("block", "domain", "al.test"), WebEntry("allow", "url", "http://al.test/w?v=%FF"))
    assert [web.verdict(f"http://al.test/w?v={octet}") for octet in ("%ff", "%FE")] == ["allow", "block"]


@pytest.mark.parametrize("value", ["a.test,b.test", "e(.)test", "ex[.]test", "..test", "a.test b.test"])
def test_domain_that_could_never_match_is_refused(web, value):
    with pytest.raises(ApiError) as refused:
        web.create(WebEntry("block", "domain", value))
    assert refused.value.failures[0].field == "urls[0].value"


def test_vector_29_wildcard_in_a_domain_is_refused(web):
    with pytest.raises(ApiError) as refused:
        web.create(WebEntry("block", "domain", "*.ex.test"), BLOCK_EX)
    assert (refused.value.code, refused.value.field) == ("err_validation_invalid_domain", "urls[0].value")
    assert web.verdict("http://a.ex.test") == "none"


def test_vector_30_one_url_too_many_is_refused_whole_with_the_count(web):
    """5,000 are taken, and the last of them holds; the 5,001st leaves everything as it was (D-28)."""
    entries = [WebEntry("block", "url", f"ex{n}.test/x") for n in range(5_000)]
    made = web.create(*entries)
    assert web.verdict("http://ex4999.test/x") == "block"
    too_many = [*entries, WebEntry("block", "url", "late.test/x")]
    with pytest.raises(ApiError) as refused:
        web.lists.update(made.id, "a test's", too_many, [EVERYONE])
    assert refused.value.code == "err_web_policy_url_limit"
    assert "5001" in refused.value.message.replace(",", "")
    assert len(web.lists.get(made.id).urls) == 5_000
    assert [web.verdict(f"http://{host}.test/x") for host in ("ex0", "late")] == ["block", "none"]


# ---------------------------------------------------------------------------------------------------- who is meant


def test_groups_are_met_by_their_members_from_the_next_request_on(web):
    """Nested, and by address or by the user's domain; narrower than everyone, wider than the user (D-25)."""
    above = web.gate.group()
    below = web.gate.group(parent=above)
    web.create(BLOCK_EX)
    web.create(WebEntry("allow", "domain", "ex.test"), for_=Policy("group", Target.group(above)))
    assert web.verdict("http://ex.test", "pat@corp.test") == "block"
    web.gate.join(below, "pat@corp.test")
    assert web.verdict("http://ex.test", "pat@corp.test") == "allow"
    web.create(BLOCK_EX, for_=Policy("pat", Target.address("pat@corp.test")))
    assert web.verdict("http://ex.test", "pat@corp.test") == "block"


def test_source_ranges_name_a_location(web):
    """`sourceIPs` of a target hold for requests from there, whoever makes them."""
    web.create(BLOCK_EX, for_=Policy("office", conditions=Conditions(source_ips=("192.0.2.0/24",))))
    sources = [{}, {"sourceIp": "192.0.2.9"}, {"sourceIp": "192.0.3.9"}]
    assert [web.verdict("http://ex.test", **source) for source in sources] == ["none", "block", "none"]


# ---------------------------------------------------------------------------------------------- refused by the API


def test_list_for_nobody_is_refused(web):
    with pytest.raises(ApiError) as refused:
        web.lists.create("a test's", [BLOCK_EX], [])
    assert refused.value.field == "policies"


def test_recipient_in_a_web_target_is_refused(web):
    """D-26: a web request goes to no one."""
    with pytest.raises(ApiError) as refused:
        web.lists.create("a test's", [BLOCK_EX], [Policy("x", to=Target.address("u@corp.test"))])
    assert (refused.value.code, refused.value.field) == ("err_validation_value_not_allowed", "policies[0].to.type")
    assert web.verdict("http://ex.test") == "none"


def test_deleted_list_is_answered_as_it_was_and_is_gone(web):
    made = web.lists.create("a test's", [BLOCK_EX], [EVERYONE])
    (gone,) = web.gate.client.call("policy/webwhiteurl/delete-policy-with-targets", {"id": made.id})
    assert (gone["id"], gone["deleted"], gone["urls"][0]["value"]) == (made.id, True, "ex.test")
    assert web.gate.client.call("policy/webwhiteurl/get-policy-with-targets", {"id": made.id}) == []
    with pytest.raises(ApiError) as refused:
        web.lists.delete(made.id)
    assert refused.value.field == "id"


def test_what_is_no_url_cannot_be_explained(web):
    with pytest.raises(ApiError) as refused:
        web.ask("http://")
    assert (refused.value.code, refused.value.field) == ("err_validation_invalid_url", "url")
