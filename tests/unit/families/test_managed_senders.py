"""Personal lists through the API: what is taken, what is refused, and what decisions then do (behaviour.md 4)."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import select

from mailreeve.families.machinery.call import Limits
from mailreeve.families.registry import ENDPOINTS
from mailreeve.formats.addresses import parse_address
from mailreeve.policy.decide.mail import decide_mail
from mailreeve.policy.index.personal import list_key
from mailreeve.policy.model.decisions import Action, Decision, SpamChecks
from mailreeve.policy.model.facts import MessageFacts
from mailreeve.policy.model.policies import ManagedAction
from mailreeve.policy.model.policy_types import Layer
from mailreeve.store.schema import audit_event
from mailreeve.wire.errors import ItemRefused, RequestRefused

PATH = "managedsender/permit-or-block-sender"


@pytest.fixture
def corp(account):
    """An account that receives mail for corp.test."""
    account.call("domain/create-domain", {"domain": "corp.test", "inboundType": "any"})
    return account


def item(sender="ann@news.test", to="pat@corp.test", action="block"):
    return {"sender": sender, "to": to, "action": action}


def decided(account, sender, to="pat@corp.test") -> Decision:
    return decide_mail(account.policies(), MessageFacts(parse_address(sender), parse_address(to), at=0.0))


def problems(account, *items) -> list[tuple[str, str | None]]:
    """Code and field of every problem with the first item that is refused."""
    with pytest.raises(ItemRefused) as refusal:
        account.call(PATH, *items)
    return [(problem.code, problem.field) for problem in refusal.value.problems]


def test_a_block_is_answered_as_clients_read_it(corp):
    """`type` is capitalised, the id has its prefix, sender and recipient are echoed as they were typed."""
    (row,) = corp.call(PATH, item("Ann@News.test", "Pat@corp.test"))
    assert set(row) == {"id", "sender", "to", "type"}
    assert row["id"].startswith("MTOKEN:")
    assert (row["sender"], row["to"], row["type"]) == ("Ann@News.test", "Pat@corp.test", "Block")


def test_a_block_refuses_mail_to_its_recipient_only(corp):
    corp.call(PATH, item())
    refused = decided(corp, "ANN@news.test")
    assert (refused.action, refused.layer) == (Action.REJECT, Layer.MANAGED_SENDERS)
    assert decided(corp, "ann@news.test", "kim@corp.test").action is Action.DELIVER


def test_a_permit_skips_spam_checks(corp):
    (row,) = corp.call(PATH, item(action="permit"))
    assert row["type"] == "Permit"
    assert decided(corp, "ann@news.test").spam_checks is SpamChecks.SKIP


def test_the_other_action_moves_the_entry_and_keeps_its_id(corp):
    """D-19: one entry per recipient and sender; the last action counts."""
    (blocked,) = corp.call(PATH, item())
    (permitted,) = corp.call(PATH, item(action="permit"))
    assert permitted == {**blocked, "type": "Permit"}
    assert decided(corp, "ann@news.test").action is Action.DELIVER
    entries = corp.policies().managed.of("pat@corp.test").entries
    assert [entry.action for entry in entries.values()] == [ManagedAction.PERMIT]


def test_the_same_call_again_changes_and_records_nothing(corp):
    (first,) = corp.call(PATH, item())
    before = corp.policies().revision
    (second,) = corp.call(PATH, item("ANN@news.test"))
    assert second["id"] == first["id"]
    assert corp.policies().revision == before


def test_creating_and_moving_an_entry_are_audited(corp):
    """D-38: who, what, and the states before and after."""
    corp.call(PATH, item())
    corp.call(PATH, item(action="permit"))
    table = audit_event
    rows = corp.write(
        lambda work: work.execute(
            select(table.c.action, table.c.actor, table.c.before, table.c.after)
            .where(table.c.account_id == work.account_id, table.c.object_kind == "managed sender")
            .order_by(table.c.revision)
        ).all()
    )
    assert [(row.action, row.actor) for row in rows] == [
        ("create", "admin@corp.test"),
        ("update", "admin@corp.test"),
    ]
    states = [row.after and msgspec.json.decode(row.after)["action"] for row in rows]
    assert (rows[0].before, states) == (None, ["block", "permit"])
    assert msgspec.json.decode(rows[1].before)["action"] == "block"


@pytest.mark.parametrize("spelling", ["news.test", "@news.test", "NEWS.test", "news.test."])
def test_a_domain_is_taken_with_and_without_the_at_sign(corp, spelling):
    """D-18: all spellings are one entry; the domain is matched exactly, without what lies below it."""
    (first,) = corp.call(PATH, item("news.test"))
    (row,) = corp.call(PATH, item(spelling))
    assert row["id"] == first["id"]
    assert row["sender"] == spelling
    assert decided(corp, "anybody@news.test").action is Action.REJECT
    assert decided(corp, "anybody@sub.news.test").action is Action.DELIVER


def test_an_address_permitted_beats_its_domain_blocked(corp):
    """Vector 6: the two are entries of their own."""
    corp.call(PATH, item("news.test"), item("ann@news.test", action="permit"))
    assert decided(corp, "ann@news.test").action is Action.DELIVER
    assert decided(corp, "bob@news.test").action is Action.REJECT


def test_the_recipients_tag_is_dropped_and_the_senders_kept(corp):
    """D-18."""
    (plain,) = corp.call(PATH, item("ann+offers@news.test"))
    (tagged,) = corp.call(PATH, item("ann+offers@news.test", "pat+shop@corp.test"))
    assert tagged["id"] == plain["id"]
    assert decided(corp, "ann+offers@news.test").action is Action.REJECT
    assert decided(corp, "ann@news.test").action is Action.DELIVER


def test_an_alias_leads_to_its_user(corp):
    """D-18: the list belongs to the user, whichever address was written."""
    corp.call("user/create-user", {"emailAddress": "pat@corp.test", "name": "Pat"})
    corp.call("user/update-alias", {"aliasFor": "pat@corp.test", "alias": "sales@corp.test"})
    (by_alias,) = corp.call(PATH, item(to="sales@corp.test"))
    (by_name,) = corp.call(PATH, item(to="pat@corp.test"))
    assert by_alias["id"] == by_name["id"]
    assert by_alias["to"] == "sales@corp.test"
    for to in ("pat@corp.test", "sales@corp.test"):
        assert decided(corp, "ann@news.test", to).action is Action.REJECT


@pytest.mark.parametrize(
    "to",
    [
        *("pat@corp.test", "Sales@corp.test", "bare@corp.test", "kim+desk@corp.test", '"x+y z"@corp.test'),
        *("pat+a@corp.test", "sales+a+b@corp.test", "bare+a@corp.test", "kim+desk+a@corp.test", "+a@corp.test"),
    ],
)
def test_an_entry_is_kept_where_decisions_look_for_it(corp, to):
    """Whatever the address: a user's, an alias, nobody's, with a tag, or a user's with what looks like one."""
    corp.call("user/create-user", {"emailAddress": "pat@corp.test"}, {"emailAddress": "kim+desk@corp.test"})
    corp.call("user/update-alias", {"aliasFor": "pat@corp.test", "alias": "sales@corp.test"})
    corp.call(PATH, item(to=to))
    policies = corp.policies()
    (entry,) = policies.managed.entries
    assert entry.recipient == list_key(policies.identities, parse_address(to))
    assert decided(corp, "ann@news.test", to).action is Action.REJECT


def test_an_entry_written_on_the_heels_of_an_alias_is_the_users(corp, monkeypatch):
    """Between a commit and the news of it the policy set still has the alias as nobody's."""
    corp.call("user/create-user", {"emailAddress": "pat@corp.test"})
    corp.policies()

    feed = corp.services.store.feed
    hint = feed.hint

    def late(account_id, revision, touched):  # what is committed is known to nobody yet
        monkeypatch.setattr(feed, "hint", hint)
        corp.call(PATH, item(to="sales@corp.test"))
        hint(account_id, revision, touched)

    monkeypatch.setattr(feed, "hint", late)
    corp.call("user/update-alias", {"aliasFor": "pat@corp.test", "alias": "sales@corp.test"})
    assert [entry.recipient for entry in corp.policies().managed.entries] == ["pat@corp.test"]
    assert decided(corp, "ann@news.test", "sales@corp.test").action is Action.REJECT


def test_an_internationalised_domain_is_one_entry_in_both_spellings(corp):
    """D-43: compared as A-labels."""
    (unicode,) = corp.call(PATH, item("bücher.test"))
    (ascii_,) = corp.call(PATH, item("xn--bcher-kva.test"))
    assert unicode["id"] == ascii_["id"]


@pytest.mark.parametrize(
    "sender",
    [
        *("bad_email", "word", "@", "a b@x.test", "ann@", "ann@x..test", "-.test", "<ann@x.test>", "x.test/y"),
        *("*@x.test", "*.x.test", "ann*@x.test"),  # no wildcards
        *("192.0.2.1", "@192.0.2.1"),  # no domains
    ],
)
def test_a_sender_that_is_neither_address_nor_domain_is_refused(corp, sender):
    """The code and the field are those that the live service gave for `bad_email` (api.md section 1.4)."""
    assert problems(corp, item(sender)) == [("err_validation_invalid_email_address", "sender")]
    assert not corp.policies().managed


@pytest.mark.parametrize("to", ["pat", "pat@", "corp.test", "@corp.test"])
def test_the_recipient_must_be_an_address(corp, to):
    assert problems(corp, item(to=to)) == [("err_validation_invalid_email_address", "to")]


@pytest.mark.parametrize("to", ["pat@elsewhere.test", "pat@sub.corp.test"])
def test_a_recipient_that_the_account_does_not_manage_is_refused(corp, to):
    assert problems(corp, item(to=to)) == [("err_xdk_operation_forbidden_for_address", "to")]


def test_another_accounts_recipient_is_refused_like_any_stranger(corp, other_account):
    other_account.call("domain/create-domain", {"domain": "other.test", "inboundType": "any"})
    assert problems(corp, item(to="pat@other.test")) == [("err_xdk_operation_forbidden_for_address", "to")]
    corp.call(PATH, item())
    assert not other_account.policies().managed


def test_everything_missing_is_named_at_once(corp):
    codes = problems(corp, {"sender": "", "action": None})
    assert codes == [
        ("err_validation_blank", "sender"),
        ("err_validation_null", "to"),
        ("err_validation_null", "action"),
    ]


def test_an_unknown_action_is_refused(corp):
    assert problems(corp, item(action="Permit")) == [("err_validation_value_not_allowed", "action")]


def test_a_refused_item_leaves_the_others_alone(corp):
    """Items succeed and fail one by one (api.md section 1.2)."""
    answer = corp.answer(PATH, item("a@x.test"), item("bad_email"), item("b@x.test"))
    assert [row["sender"] for row in answer["data"]] == ["a@x.test", "b@x.test"]
    assert [entry["key"]["sender"] for entry in answer["fail"]] == ["bad_email"]


def test_a_full_list_takes_no_new_entry_but_moves_old_ones(corp):
    """D-19: the cap is per recipient, and another recipient has room."""
    corp.services = msgspec.structs.replace(corp.services, limits=Limits(managed_senders_per_user=2))
    corp.call(PATH, item("a@x.test"), item("b@x.test"))
    assert problems(corp, item("c@x.test")) == [("err_managed_sender_limit", "to")]
    assert corp.call(PATH, item("a@x.test", action="permit"))[0]["type"] == "Permit"
    assert corp.call(PATH, item("c@x.test", "kim@corp.test"))


def test_a_request_holds_at_most_a_hundred_items(corp):
    """api.md section 3.1.1."""
    with pytest.raises(RequestRefused) as refusal:
        corp.call(PATH, *[item(f"s{n}@x.test") for n in range(101)])
    assert refusal.value.problem.code == "err_data_too_many_items"
    assert len(corp.call(PATH, *[item(f"s{n}@x.test") for n in range(100)])) == 100


def test_the_permission_is_the_published_one():
    (endpoint,) = (endpoint for endpoint in ENDPOINTS if endpoint.path == PATH)
    assert endpoint.permissions == ("Gateway | Managed Senders | Edit",)
