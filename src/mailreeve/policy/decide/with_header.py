"""Does a decision stand once the header is known? What was decided at RCPT is not decided again without need.

It stands where no policy looks at the header for this recipient, the recipient's own list has no entry about its
authors that would win, no definition is for any of the addresses, and nothing is said about authentication that a
policy asks for: then no step of the decision reads what is new. Whatever is in doubt is decided again, so the
answer is always that of `decide_mail`.
"""

from __future__ import annotations

from msgspec.structs import replace

from mailreeve.formats.addresses import NullSender
from mailreeve.formats.authors import MAX_AUTHORS
from mailreeve.policy.decide.mail import decide_mail
from mailreeve.policy.index.personal import personal_view
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.index.scoped import ScopedIndex
from mailreeve.policy.model.decisions import Decision
from mailreeve.policy.model.facts import MessageFacts
from mailreeve.policy.model.keys import Keys
from mailreeve.policy.model.policies import ScopedPolicy
from mailreeve.policy.model.policy_types import PolicyType


def decide_with_header(policies: PolicySet, early: Decision, facts: MessageFacts) -> Decision:
    """The decision now that the header is known, `early` being that of the same policies while it was not.

    The facts are those of then, with the header and what vouches for it.
    """
    policies = policies.at(facts.at)
    if _may_differ(policies, early, facts):
        return decide_mail(policies, facts)
    return early if early.certain else replace(early, certain=True)


def _may_differ(policies: PolicySet, early: Decision, facts: MessageFacts) -> bool:
    authors = facts.header_from or ()
    if len(authors) > MAX_AUTHORS or _may_be_altered(policies, facts):
        return True
    if facts.authentication is not None and (len(policies.permitted) or len(policies.spoofing)):
        return True  # it may say which permits count, or that the message is spoofed
    recipient = policies.identities.keys(facts.recipient)
    if any(_is_read_for(index, recipient) for index in policies.scoped.values()):
        return True
    # Nothing is altered, so the list is that of the recipient as written.
    rules = policies.authentication
    hit = personal_view(policies.managed, policies.identities, facts, facts.recipient, rules).winner
    before = early.winners[PolicyType.MANAGED_SENDERS]
    return (None if hit is None else hit.entry.id) != (None if before is None else before.id)


def _is_read_for(index: ScopedIndex[ScopedPolicy], recipient: Keys) -> bool:
    """Whether a policy of the type looks at the header of mail to a recipient with these keys."""
    return index.reads_header and any(True for _ in index.header_readers(recipient))


def _may_be_altered(policies: PolicySet, facts: MessageFacts) -> bool:
    """Whether a definition could be for an address of the message, by its domain."""
    domains = policies.definitions.domains
    if not domains:
        return False
    if "" in domains or facts.recipient.domain in domains:
        return True
    if not isinstance(facts.sender, NullSender) and facts.sender.domain in domains:
        return True
    addresses = (author.address for author in facts.header_from or ())
    return any(address is not None and address.domain in domains for address in addresses)
