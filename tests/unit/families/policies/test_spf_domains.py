"""Nothing but a bypass of anti-spoofing asks what SPF says.

At RCPT a refusal is certain if it stands with everything vouched for (D-07, ADR 0061). A block that held only
where SPF passes, or an exemption from one, would be decided at RCPT as if it did.
"""

from __future__ import annotations

import pytest

from mailreeve.policy.index.policy_set import SCOPED
from mailreeve.policy.model.policy_types import POLICY_TYPES, PolicyType

OWN = {
    PolicyType.BLOCKED_SENDERS: {"option": "block_sender"},
    PolicyType.PERMITTED_SENDERS: {"option": "permit_sender"},
    PolicyType.ANTI_SPOOFING: {"option": "hold"},
    PolicyType.ANTI_SPOOFING_BYPASS: {"option": "enable_bypass"},
    PolicyType.SPAM_SCANNING: {"actions": {}},
    PolicyType.ADDRESS_ALTERATION: {},
}


@pytest.mark.parametrize("type_", SCOPED)
def test_the_condition_is_that_of_a_bypass_alone(account, type_):
    """Whether it is refused elsewhere or kept and shown as it was sent: it decides nothing."""
    own = dict(OWN[type_])
    if type_ is PolicyType.ADDRESS_ALTERATION:
        path = "policy/address-alteration/create-address-alteration-set"
        own["addressAlterationSetId"] = account.call(path, {"description": "Set"})[0]["id"]
    before = {policy.id for policy in account.policies().scoped[type_].policies}
    policy = {
        "description": "Only where SPF passes",
        "fromPart": "envelope_from",
        "from": {"type": "individual_email_address", "emailAddress": "a@far.test"},
        "to": {"type": "everyone"},
        "conditions": {"spfDomains": ["mailer.test"]},
    }
    answer = account.answer(f"{POLICY_TYPES[type_].api}/create-policy", {"policy": policy, **own})
    assert all("spfDomains" in one["errors"][0]["field"] for one in answer["fail"])
    made = [one for one in account.policies().scoped[type_].policies if one.id not in before]
    asked = [one.scope.terms.spf_domains for one in made]
    if type_ is PolicyType.ANTI_SPOOFING_BYPASS:
        assert asked == [frozenset({"mailer.test"})]
    else:
        assert asked in ([], [frozenset()])
