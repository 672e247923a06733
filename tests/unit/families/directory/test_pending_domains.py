"""Domains that have to be proved: who waits, what the DNS has to say, and what becomes of them."""

from __future__ import annotations

import socketserver
import threading
from datetime import timedelta

import dns.message
import dns.rcode
import dns.rrset
import pytest
from msgspec.structs import replace

from mailreeve.families.directory.domains import pending_rows, registration
from mailreeve.families.directory.domains.proof import Found, Resolver, ask_by
from mailreeve.store.schema import audit_event
from mailreeve.wire.errors import ItemRefused

CREATE, VERIFY, PENDING = "domain/create-domain", "domain/verify-domain", "domain/get-pending-domain"
GIVE_UP, CODE = "domain/delete-pending-domain", "domain/get-verification-code"
STATUS = "domain/get-provision-status"
INTERNAL = "domain/get-internal-domain"


@pytest.fixture
def careful(account):
    """An account of an installation that wants proofs."""
    installation = replace(account.services.installation, domains_are_verified=True)
    account.services = replace(account.services, installation=installation)
    return account


def refusal(account, path: str, **item: object) -> tuple[str, str | None]:
    with pytest.raises(ItemRefused) as refused:
        account.call(path, item)
    (problem,) = refused.value.problems
    return problem.code, problem.field


def test_a_domain_waits_and_nothing_is_taken_for_it(careful):
    (made,) = careful.call(CREATE, {"domain": "Corp.Test", "inboundType": "known"})
    assert made["token"].startswith("mailreeve-verification=")
    assert made["expiry"] > made["created"]
    assert careful.policies().directory.internal_domains == frozenset()
    (listed,) = careful.call(PENDING)
    assert listed == {name: made[name] for name in ("id", "domain", "token", "created", "expiry")}
    assert careful.call(STATUS, {"domain": "corp.test"}) == [{"domain": "corp.test", "status": "pending"}]
    (code,) = careful.call(CODE, {"domain": "corp.test"})
    assert code["token"] == made["token"]
    assert code["names"] == ["corp.test", "_mailreeve.corp.test"]


def test_the_code_in_the_dns_makes_it_internal_with_its_users(careful, zone):
    (made,) = careful.call(CREATE, {"domain": "corp.test", "inboundType": "known"})
    assert refusal(careful, VERIFY, domain="corp.test") == ("err_domain_not_verified", "domain")
    zone["corp.test"] = ["v=spf1 -all", f" {made['token']} "]
    (row,) = careful.call(VERIFY, {"domain": "corp.test"})
    assert (row["domain"], row["inboundType"]) == ("corp.test", "known")
    assert careful.policies().directory.internal_domains == {"corp.test"}
    assert careful.call(PENDING) == []
    assert careful.call(STATUS, {"domain": "corp.test"}) == [{"domain": "corp.test", "status": "provisioned"}]
    assert len(careful.call("user/get-internal-users", {"domain": "corp.test"})[0]["users"]) == 2
    assert refusal(careful, VERIFY, domain="corp.test") == ("err_domain_not_pending", "domain")


def test_verify_may_say_how_recipients_are_validated(careful, zone):
    (made,) = careful.call(CREATE, {"domain": "corp.test"})
    zone["corp.test"] = [made["token"]]
    assert careful.call(VERIFY, {"domain": "corp.test", "inboundType": "KNOWN"})[0]["inboundType"] == "known"


@pytest.mark.parametrize("said", ["", "mailreeve-verification=", "mailreeve-verification=00", "x"])
def test_another_text_proves_nothing(careful, zone, said):
    (made,) = careful.call(CREATE, {"domain": "corp.test"})
    zone["corp.test"] = [said, made["token"][:-1], made["token"] + "0", made["token"].upper()]
    assert refusal(careful, VERIFY, domain="corp.test") == ("err_domain_not_verified", "domain")


def test_a_resolver_that_does_not_answer_is_told_of_and_may_be_tried_again(careful):
    careful.call(CREATE, {"domain": "corp.test"})
    ask_by(lambda domain: Found((), f"{domain}: timed out"))
    (failure,) = careful.answer(VERIFY, {"domain": "corp.test"})["fail"]
    (error,) = failure["errors"]
    assert (error["code"], error["retryable"]) == ("err_domain_look_up_failed", True)
    assert "timed out" in error["message"]


def test_asked_again_it_keeps_its_code_and_its_id(careful):
    first, second = (careful.call(CREATE, {"domain": "corp.test"})[0] for _ in range(2))
    assert first == second
    assert len(careful.call(PENDING)) == 1


def test_below_an_own_domain_no_proof_is_needed(careful, zone):
    (made,) = careful.call(CREATE, {"domain": "corp.test"})
    zone["corp.test"] = [made["token"]]
    careful.call(VERIFY, {"domain": "corp.test"})
    (below,) = careful.call(CREATE, {"domain": "a.b.corp.test"})
    assert below["token"] == below["expiry"] == ""
    assert len(careful.call(INTERNAL)) == 2


def test_two_accounts_wait_for_one_name_and_the_first_to_prove_it_has_it(careful, other_account, zone):
    other = other_account
    other.services = careful.services
    mine, theirs = (one.call(CREATE, {"domain": "corp.test"})[0]["token"] for one in (careful, other))
    assert mine != theirs
    zone["corp.test"] = [theirs]
    assert refusal(careful, VERIFY, domain="corp.test") == ("err_domain_not_verified", "domain")
    other.call(VERIFY, {"domain": "corp.test"})
    zone["corp.test"] = [mine, theirs]
    assert refusal(careful, VERIFY, domain="corp.test") == ("err_domain_already_exists", "domain")
    assert refusal(careful, CREATE, domain="sub.corp.test") == ("err_domain_already_exists", "domain")


def test_one_that_waits_can_be_given_up_by_name_or_by_id(careful):
    ids = [careful.call(CREATE, {"domain": name})[0]["id"] for name in ("a.test", "b.test")]
    assert refusal(careful, GIVE_UP) == ("err_validation_at_least_one_not_null", "domain")
    assert refusal(careful, GIVE_UP, domain="a.test", id=ids[1]) == ("err_domain_not_pending", "id")
    assert careful.call(GIVE_UP, {"domain": "a.test", "id": ids[0]})[0]["deleted"] is True
    assert careful.call(GIVE_UP, {"id": ids[1]}) == [{"id": ids[1], "domain": "b.test", "deleted": True}]
    assert refusal(careful, GIVE_UP, id=ids[1]) == ("err_domain_not_pending", "id")
    assert refusal(careful, CODE, domain="a.test") == ("err_domain_not_pending", "domain")


def test_a_code_ends_and_so_does_the_number_of_those_that_wait(careful, monkeypatch):
    monkeypatch.setattr(registration, "MOST_PENDING", 2)
    first = careful.call(CREATE, {"domain": "a.test"}, {"domain": "b.test"})[0]
    assert refusal(careful, CREATE, domain="c.test") == ("err_domain_pending_limit", "domain")

    def age(work):
        for row in (pending_rows.find(work, name) for name in ("a.test", "b.test")):
            pending_rows._records.replace(work, replace(row, expires_at=work.now - timedelta(seconds=1)))

    careful.write(age)
    assert careful.call(PENDING) == []
    assert refusal(careful, VERIFY, domain="a.test") == ("err_domain_not_pending", "domain")
    careful.call(CREATE, {"domain": "c.test"})
    assert careful.call(CREATE, {"domain": "a.test"})[0]["token"] != first["token"]


def test_where_nobody_asks_for_proofs_a_domain_is_internal_at_once(account):
    assert account.call(CREATE, {"domain": "corp.test"})[0]["token"] == ""
    assert account.call(PENDING) == []


def test_what_was_done_is_in_the_audit_log(careful, zone):
    (made,) = careful.call(CREATE, {"domain": "corp.test"})
    zone["corp.test"] = [made["token"]]
    careful.call(VERIFY, {"domain": "corp.test"})
    rows = careful.write(lambda work: work.execute(audit_event.select()).all())
    done = [(row.action, row.object_kind) for row in rows if row.object_kind in ("pending domain", "domain")]
    assert done == [("create", "pending domain"), ("verify", "pending domain"), ("create", "domain")]


def test_records_are_read_of_both_names_with_their_parts_joined():
    """Asked of a real server on loopback, which knows one name and refuses to answer for another domain."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, connection = self.request
            query = dns.message.from_wire(wire)
            name = query.question[0].name
            response = dns.message.make_response(query)
            if name.to_text() == "_mailreeve.corp.test.":
                response.answer.append(
                    dns.rrset.from_text(name, 60, "IN", "TXT", '"mailreeve-" "verification=ab"', '"x"')
                )
            elif not name.to_text().endswith("corp.test."):
                response.set_rcode(dns.rcode.REFUSED)
            connection.sendto(response.to_wire(), self.client_address)

    with socketserver.UDPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        resolver = Resolver([server.server_address])
        known = resolver("corp.test")
        assert (sorted(known.texts), known.problem) == (["mailreeve-verification=ab", "x"], "")
        refused = resolver("far.test")
        server.shutdown()
    assert refused.texts == []
    assert refused.problem.startswith("far.test: ")
