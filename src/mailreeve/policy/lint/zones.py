"""What of the web lists can resolvers not be told? For those who serve zones."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.lint.findings import NAMED, Finding, FindingKind, Subject, SubjectKind
from mailreeve.policy.model.policies import WebPolicyKind
from mailreeve.policy.model.wording import listed, quoted
from mailreeve.policy.zone.rules import MAX_NAME, ZoneRules
from mailreeve.policy.zone.unsaid import OF_TARGETS, WORDS, Unsaid, unsaid

_NEVER_WIDENED: Final = "Nothing, if a proxy enforces it. A name is never blocked for a part of what is on it."
_ZONE: Final = 50  # octets of the name of a zone, about; the status of the zones knows each


def lint_zones(policies: PolicySet, at: float) -> Iterator[Finding]:
    """A finding for each list that is not, or not all of it, in the zone of everyone or of a location. A temporary
    allow is none: it ends by itself, and the status of the zones tells of it."""
    rules = ZoneRules(policies, at, (), MAX_NAME - _ZONE)
    locations = [policies.places.networks_of(key) for key in policies.places.locations]
    managed: list[Unsaid] = []
    for policy_id, several in groupby(unsaid(rules, (), locations), key=lambda one: one.policy_id):
        kind, found = policies.web.policy(policy_id).kind, list(several)
        if kind is WebPolicyKind.MANAGED:
            managed += found
        if kind is not WebPolicyKind.LIST:
            continue
        name = found[0].description
        yield Finding(
            FindingKind.NOT_AT_DNS,
            (Subject(SubjectKind.WEB_LIST, policy_id, name),),
            f"{quoted(name)} is not enforced as a whole at resolvers: {listed(map(_words, found), len(found))}",
            _NEVER_WIDENED,
            sum(one.count for one in found),
        )
    if managed:
        which = "one managed URL is" if len(managed) == 1 else f"{len(managed)} managed URLs are"
        yield Finding(
            FindingKind.NOT_AT_DNS,
            tuple(Subject(SubjectKind.MANAGED_URL, one.policy_id, one.description) for one in managed[:NAMED]),
            f"{which} not enforced at resolvers, which see names alone",
            _NEVER_WIDENED,
            len(managed),
        )


def _words(one: Unsaid) -> str:
    what = ("target", "targets") if one.reason in OF_TARGETS else ("entry", "entries")
    shown = f" ({listed(one.examples, len(one.examples))})" if one.examples else ""
    return f"{one.count} {what[one.count != 1]}{shown} {WORDS[one.reason]}"
