"""What was decided at RCPT is kept only where deciding again would say the same."""

from __future__ import annotations

from effort import examples
from hypothesis import event, given, settings
from msgspec.structs import replace
from small_world import accounts, close_messages, messages, small_accounts

from mailreeve.policy.decide import with_header
from mailreeve.policy.decide.mail import decide_mail
from mailreeve.policy.index.matching import reads_header


def by_envelope(account):
    """The account without the policies that look at the header, which most accounts have none of."""

    def kept(policies):
        return [
            policy
            for policy in policies
            if not reads_header(policy.scope, is_reversed=False)
            and not (policy.scope.terms.bidirectional and reads_header(policy.scope, is_reversed=True))
        ]

    scoped = ("blocked", "permitted", "alteration", "spoofing", "bypass")
    return account._replace(**{name: kept(getattr(account, name)) for name in scoped})


def few_altered(account):
    """The account with definitions for one of its domains only."""
    return account._replace(definitions=[one for one in account.definitions if one.original.domain == "old.test"])


several = accounts | small_accounts
every_account = several | several.map(by_envelope) | several.map(by_envelope).map(few_altered)


@settings(max_examples=examples(400))
@given(every_account, messages | close_messages)
def test_a_decision_with_its_header_is_the_same_whether_kept_or_made_again(account, facts):
    """In every member, the winners, the stage and the alterations among them."""
    policies = account.policy_set()
    facts = account.asked(facts)
    early = decide_mail(policies, replace(facts, header_from=None, authentication=None))
    event(f"decided again: {with_header._may_differ(policies, early, facts)}, certain: {early.certain}")
    assert with_header.decide_with_header(policies, early, facts) == decide_mail(policies, facts)
