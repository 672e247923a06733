"""What of the web lists can resolvers not be told? For those who serve zones."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.lint.findings import Finding, FindingKind, Subject, SubjectKind
from mailreeve.policy.model.wording import listed, quoted
from mailreeve.policy.zone.rules import MAX_NAME, ZoneRules
from mailreeve.policy.zone.unsaid import OF_TARGETS, WORDS, Unsaid, unsaid

_ZONE: Final = 50  # octets of the name of a zone, about; the status of the zones knows each


def lint_zones(policies: PolicySet, at: float) -> Iterator[Finding]:
    """A finding for each list that is not, or not all of it, in the zone of everyone or of a location. A temporary
    allow is none: it ends by itself, and the status of the zones tells of it."""
    rules = ZoneRules(policies, at, (), MAX_NAME - _ZONE)
    locations = [policies.places.networks_of(key) for key in policies.places.locations]
    for policy_id, several in groupby(unsaid(rules, (), locations), key=lambda one: one.policy_id):
        if policies.web.policy(policy_id).is_temporary:
            continue
        found = list(several)
        name = found[0].description
        yield Finding(
            FindingKind.NOT_AT_DNS,
            (Subject(SubjectKind.WEB_LIST, policy_id, name),),
            f"{quoted(name)} is not enforced as a whole at resolvers: {listed(map(_words, found), len(found))}",
            "Nothing, if a proxy enforces it. A name is never blocked for a part of what is on it.",
            sum(one.count for one in found),
        )


def _words(one: Unsaid) -> str:
    what = ("target", "targets") if one.reason in OF_TARGETS else ("entry", "entries")
    shown = f" ({listed(one.examples, len(one.examples))})" if one.examples else ""
    return f"{one.count} {what[one.count != 1]}{shown} {WORDS[one.reason]}"
