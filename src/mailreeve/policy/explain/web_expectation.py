"""Why did the web list that somebody expected not win this request? One sentence, as for mail."""

from __future__ import annotations

from typing import Final

from mailreeve.formats.weburls import parse_web_url
from mailreeve.policy.decide.web import (
    EVERYONE_SCOPE,
    GROUP_SCOPE,
    LOCATION_SCOPE,
    MANAGED_SCOPE,
    TEMPORARY_SCOPE,
    USER_SCOPE,
    EntryKey,
    WebRequest,
    browsing,
)
from mailreeve.policy.explain.expectation import Expectation
from mailreeve.policy.explain.words import unmet_words
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.index.web_index import Listed, list_entry
from mailreeve.policy.model.decisions import WebDecision
from mailreeve.policy.model.facts import WebFacts
from mailreeve.policy.model.policies import ALL_ELSE, WebPolicy
from mailreeve.policy.model.wording import web_entry_words, web_policy_words

_SCOPES: Final = {
    TEMPORARY_SCOPE: "a user or client for a time",
    USER_SCOPE: "a user",
    GROUP_SCOPE: "a group",
    LOCATION_SCOPE: "a location",
    EVERYONE_SCOPE: "everyone",
}


def expect_web(policies: PolicySet, facts: WebFacts, decision: WebDecision, wanted: str) -> Expectation | None:
    """What became of a web list, or of one entry of one, in the decision about these facts.

    `wanted` is the id of either; None if there is none. Of a list its strongest entry speaks for it.
    """
    policy = _find(policies, wanted)
    if policy is None:
        return None
    url = parse_web_url(facts.url)
    entries = [list_entry(policy, entry) for entry in policy.entries if wanted in (policy.id, entry.id)]
    if policy.default_deny and wanted == policy.id:
        entries.append(list_entry(policy, ALL_ELSE))
    mismatches = [listed.mismatch(url) for listed in entries]
    covering = [listed for listed, mismatch in zip(entries, mismatches, strict=True) if mismatch is None]
    name = web_policy_words(policy)
    if wanted != policy.id:
        name = f"{web_entry_words(entries[0].entry)} of {name}"

    def answer(applied: bool, won: bool, sentence: str) -> Expectation:
        return Expectation(wanted, policy.description, applied, won, sentence)

    if not covering:
        only = mismatches[0] if len(mismatches) == 1 else None
        why = f"none of its {len(entries)} entries covers {url}" if only is None else unmet_words(only)
        return answer(False, False, f"{name} did not apply: {why}")
    policies = policies.at(facts.at)
    facts = browsing(policies, facts)
    request = WebRequest(policies, facts)
    standing = request.standing(policy.id)
    if not isinstance(standing, tuple):
        return answer(False, False, f"{name} did not apply: {unmet_words(standing)}")
    best = max(covering, key=lambda listed: listed.order)
    winner = _winner(policies, decision)
    if (winner.policy_id, winner.entry.id) == (policy.id, best.entry.id):
        return answer(True, True, f"{name} won: {web_entry_words(best.entry)} settled the verdict")
    theirs = request.standing(winner.policy_id)
    if not isinstance(theirs, tuple):
        raise AssertionError("the winner does not hold")
    why = why_entry_before((theirs, winner.order), (standing, best.order))
    their_name = web_policy_words(policies.web.policy(winner.policy_id))
    mine = "" if wanted != policy.id else f", which holds through {web_entry_words(best.entry)},"
    return answer(
        True,
        False,
        f"{name}{mine} applied but lost to {web_entry_words(winner.entry)} of {their_name}: both apply, and {why}",
    )


def why_entry_before(first: EntryKey, second: EntryKey) -> str:
    """The order of D-25 in half a sentence, in which "the latter" is the winner."""
    (override, rank), order = first
    (their_override, their_rank), their_order = second
    if rank == MANAGED_SCOPE != their_rank:
        return "a managed URL comes before lists, and before a temporary allow that does not override"
    if override != their_override:
        return "the latter's list overrides"
    if rank != their_rank:
        ranks = f"{_SCOPES[rank]} before {_SCOPES[their_rank]}"
        return f"the latter's list names its users more narrowly ({ranks})"
    if -1 in (order[0], their_order[0]) and order[0] != their_order[0]:
        return "the latter is an entry, which comes before what a list blocks by default"
    if order[0] != their_order[0]:
        return "the latter names a URL, which comes before a domain"
    if order[1] != their_order[1]:
        return "the latter is longer"
    if order[2] != their_order[2]:
        return "of two that are equally narrow a block comes before an allow"
    if order[3] != their_order[3]:
        return "they are equally narrow and the list created later wins"
    return "they are equally narrow and the one with the higher id wins"


def _winner(policies: PolicySet, decision: WebDecision) -> Listed:
    if decision.policy_id is None:
        raise AssertionError("an entry holds, so there is a winner")
    return list_entry(policies.web.policy(decision.policy_id), decision.entry or ALL_ELSE)


def _find(policies: PolicySet, wanted: str) -> WebPolicy | None:
    """One web list, by its own id or by that of one of its entries, or None."""
    found = policies.web.get(wanted)
    if found is not None:
        return found
    return next(
        (policy for policy in policies.web.policies if any(entry.id == wanted for entry in policy.entries)), None
    )
