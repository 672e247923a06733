"""Which spam scanning policies come to nothing because nobody looks at the mail?"""

from __future__ import annotations

from collections.abc import Iterator

from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.lint.findings import Finding, FindingKind, Subject
from mailreeve.policy.model.content import WITHOUT_POLICY, OnMalformed
from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.policy.model.wording import quoted


def lint_spam(policies: PolicySet, *, spam_engine: bool) -> Iterator[Finding]:
    """Policies that only act upon the verdict of an engine, where none is set. One that says what holds without
    any asks for nothing, and every account starts with such a one."""
    if spam_engine:
        return
    for policy in policies.spam.policies:
        options = policy.options
        if not policy.scope.terms.enabled or options == WITHOUT_POLICY:
            continue
        if options.on_malformed is not OnMalformed.NOTE:
            continue
        yield Finding(
            kind=FindingKind.NO_ENGINE,
            subjects=(Subject(PolicyType.SPAM_SCANNING, policy.id, policy.description),),
            why=f"{quoted(policy.description)} says what is done about spam, and no spam engine is set",
            advice="Set spam_engine to the address of an rspamd, or delete the policy",
        )
