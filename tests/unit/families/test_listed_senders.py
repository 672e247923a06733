"""Personal lists beyond the one call of the API: why, by whom and until when; lists and removal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from mailreeve.families.machinery.call import Limits
from mailreeve.formats.addresses import parse_address
from mailreeve.policy.decide.mail import decide_mail
from mailreeve.policy.model.decisions import Action, Decision
from mailreeve.policy.model.facts import MessageFacts
from mailreeve.policy.model.trace import Unmet
from mailreeve.wire.errors import ItemRefused

SET = "managedsender/permit-or-block-sender"
LIST = "ext/get-managed-senders"
REMOVE = "ext/remove-managed-sender"

END = datetime(2090, 1, 1, tzinfo=UTC)


@pytest.fixture
def corp(account):
    account.call("domain/create-domain", {"domain": "corp.test", "inboundType": "any"})
    return account


def item(sender="ann@news.test", to="pat@corp.test", action="block", **more):
    return {"sender": sender, "to": to, "action": action, **more}


def decided(account, at: float, sender="ann@news.test", **more) -> Decision:
    facts = MessageFacts(parse_address(sender), parse_address("pat@corp.test"), at=at)
    return decide_mail(account.policies(), facts, **more)


def refused(account, path, given) -> list[tuple[str, str | None]]:
    with pytest.raises(ItemRefused) as refusal:
        account.call(path, given)
    return [(problem.code, problem.field) for problem in refusal.value.problems]


def soon(seconds: float = 3600) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="seconds")


def over(account, *senders: str, to: str = "pat@corp.test") -> None:
    """Have these entries end a year ago, which no call does."""
    from mailreeve.families.managed_senders import rows

    def transaction(work):
        for sender in senders:
            row = rows.find(work, to, sender)
            ended = msgspec.structs.replace(row, expires_at=work.now - timedelta(days=365))
            rows.RECORDS.replace(work, ended)
            work.changed("managed_senders", "update", "managed sender", row.id, before=row, after=ended)

    account.write(transaction)


def test_an_entry_decides_up_to_its_end_and_not_at_it(corp):
    """As with policies (D-12), by the time of the message."""
    (row,) = corp.call(SET, item(expires=END.isoformat(), reason="why"))
    assert (row["expires"], row["reason"]) == ("2090-01-01T00:00:00+0000", "why")
    end = END.timestamp()
    assert decided(corp, end - 0.001).action is Action.REJECT
    assert decided(corp, end).action is Action.DELIVER
    explained = decided(corp, end, explain=True)
    (failed,) = [one.failed for one in explained.candidates if one.type == "managed_senders"]
    assert failed is Unmet.EXPIRED
    assert decided(corp, end - 1).description == (
        "personal block of ann@news.test by pat@corp.test until 2090-01-01 00:00 UTC"
    )


def test_what_has_ended_holds_no_refusal_back(corp):
    """Beside a block that holds, a permit that could have come with the header is no doubt once it has ended."""
    corp.call(SET, item("news.test"), item("x@far.test", action="permit", expires=END.isoformat()))
    assert not decided(corp, END.timestamp() - 1).certain
    after = decided(corp, END.timestamp())
    assert (after.certain, after.stage) == (True, "rcpt")


def test_the_call_of_the_api_is_for_good_and_leaves_the_reason(corp):
    corp.call(SET, item(expires=soon(), reason="why"))
    (row,) = corp.call(SET, item())
    assert ("expires" not in row, row["reason"]) == (True, "why")
    assert "reason" not in corp.call(SET, item(action="permit"))[0]


def test_who_set_an_entry_last_is_kept(corp):
    corp.call(SET, item())
    (row,) = corp.call(LIST)
    assert (row["setBy"], row["state"], row["to"]) == ("admin@corp.test", "active", "pat@corp.test")


@pytest.mark.parametrize("expires", ["2020-01-01", "soon"])
def test_an_end_must_be_to_come(corp, expires):
    code = "err_managed_sender_over" if expires[0] == "2" else "err_validation_invalid_date"
    assert refused(corp, SET, item(expires=expires)) == [(code, "expires")]
    assert not corp.policies().managed


def test_lists_are_narrowed(corp):
    corp.call("user/create-user", {"emailAddress": "pat@corp.test"})
    corp.call("user/update-alias", {"aliasFor": "pat@corp.test", "alias": "sales@corp.test"})
    corp.call(SET, item("A@x.test", reason="Too MUCH"), item("x.test", action="permit", to="kim@corp.test"))
    corp.call(SET, item("x.test", expires=soon()))
    over(corp, "x.test")

    def found(**which):
        return [(row["sender"], row["to"]) for row in corp.call(LIST, which)]

    pats, kims, ended = ("A@x.test", "pat@corp.test"), ("x.test", "kim@corp.test"), ("x.test", "pat@corp.test")
    assert found() == [pats, kims, ended]
    assert found(to="sales+tag@corp.test") == [pats, ended]
    assert found(sender="@X.test") == [kims, ended]
    assert found(text="too much") == [pats]
    assert found(text="kim@") == found(type="permit") == found(type="Permit") == [kims]
    assert found(state="active") == [pats, kims]
    assert found(state="expired") == [ended]
    assert found(to="pat@corp.test", sender="x.test", type="block", text="x", state="active") == []


def test_an_entry_is_removed_by_id_or_by_whose_it_is(corp):
    (row,) = corp.call(SET, item())
    assert corp.call(REMOVE, {"id": row["id"]})[0]["id"] == row["id"]
    assert decided(corp, 0.0).action is Action.DELIVER
    corp.call(SET, item())
    corp.call(REMOVE, {"to": "pat+tag@corp.test", "sender": "ANN@news.test"})
    assert corp.call(LIST) == []
    assert refused(corp, REMOVE, {"to": "pat@corp.test", "sender": "ann@news.test"}) == [
        ("err_managed_sender_not_found", "sender")
    ]
    assert refused(corp, REMOVE, {"id": row["id"]}) == [("err_managed_sender_not_found", "id")]
    assert refused(corp, REMOVE, {"to": "pat@corp.test"}) == [("err_validation_at_least_one_not_null", "sender")]


def test_a_full_list_drops_what_has_ended(corp):
    corp.services = msgspec.structs.replace(corp.services, limits=Limits(managed_senders_per_user=2))
    corp.call(SET, item("a@x.test", expires=soon()), item("b@x.test"))
    over(corp, "a@x.test")
    corp.call(SET, item("c@x.test"))
    assert [row["sender"] for row in corp.call(LIST)] == ["b@x.test", "c@x.test"]
    assert refused(corp, SET, item("d@x.test")) == [("err_managed_sender_limit", "to")]


def test_what_has_ended_gives_way_when_lists_join(corp):
    """Though it changed last (ADR 0015); the one that stays keeps reason, owner and end."""
    corp.call("user/create-user", {"emailAddress": "pat@corp.test"})
    corp.call(SET, item("a@x.test", reason="holds", expires=END.isoformat()))
    corp.call(SET, item("a@x.test", to="sales@corp.test", action="permit", expires=soon()))
    over(corp, "a@x.test", to="sales@corp.test")
    corp.call("user/update-alias", {"aliasFor": "pat@corp.test", "alias": "sales@corp.test"})
    (row,) = corp.call(LIST)
    assert (row["type"], row["reason"], row["expires"]) == ("Block", "holds", "2090-01-01T00:00:00+0000")
