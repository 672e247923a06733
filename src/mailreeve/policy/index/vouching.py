"""Does a permit count for this message, and does the message falsely claim to be from inside?

Permits of the account, personal ones and anti-spoofing ask here, and nowhere else (behaviour.md 4.4, D-49):

- A permit by the From header counts where that is vouched for: DMARC passes, or SPF or a signature passes that is
  aligned with each of its authors. One by the envelope counts where SPF passes for the sender. The setting
  `permit_needs_authentication` says whether that is asked of every message, of those whose authentication somebody
  judges, or of none.
- Whoever claims to be internal is asked for it in any case, but for mail from the account's own servers.
- Mail from outside is spoofed where it claims an internal sender, in the envelope or the From header, whom nothing
  that is known vouches for. Where nothing is known, nothing is.
"""

from __future__ import annotations

from collections.abc import Iterable

from mailreeve.formats.addresses import Address
from mailreeve.policy.model.authentication import AuthenticationRules, PermitNeeds
from mailreeve.policy.model.facts import MessageFacts
from mailreeve.policy.model.identities import Identities
from mailreeve.policy.model.policies import FromPart


def is_vouched_for(facts: MessageFacts, part: FromPart) -> bool:
    """Whether something vouches for the envelope sender, or for all authors of the From header."""
    known = facts.authentication
    if known is None:
        return False
    if part is FromPart.HEADER_FROM:
        authors = facts.header_from or ()
        return bool(authors) and all(
            author.address is not None and known.vouches_for(author.address.domain) for author in authors
        )
    sender = facts.sender
    return known.is_supposed or (isinstance(sender, Address) and known.spf_vouches_for(sender.domain))


def permit_counts(facts: MessageFacts, rules: AuthenticationRules, part: FromPart, *, inside: bool) -> bool:
    """Whether a permit that is met by this part of the message counts. `inside` says that it names whom anybody
    could claim to be: then something has to vouch for it whatever the rules say."""
    known = facts.authentication
    if inside or rules.permits is PermitNeeds.ALWAYS:
        return is_vouched_for(facts, part)
    if rules.permits is PermitNeeds.NEVER or (known is None and not rules.is_judged):
        return True
    if part is not FromPart.HEADER_FROM and known is not None and known.spf is None and not known.is_empty:
        return True  # who judges the message does not judge SPF
    return is_vouched_for(facts, part)


def is_spoofed(identities: Identities, facts: MessageFacts, *, trusted: bool) -> bool:
    """Whether a message from outside claims an internal sender and nothing vouches for it. `trusted` says that it
    comes from one of the account's own servers."""
    known = facts.authentication
    if known is None or trusted:
        return False
    return any(
        identities.is_internal(address) and not known.vouches_for(address.domain) for address in _claimed(facts)
    )


def _claimed(facts: MessageFacts) -> Iterable[Address]:
    """Whom the message claims to be from."""
    if isinstance(facts.sender, Address):
        yield facts.sender
    for author in facts.header_from or ():
        if author.address is not None:
            yield author.address
