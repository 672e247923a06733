"""May this web request pass? Block and allow lists, behaviour.md section 6."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable
from ipaddress import IPv6Address
from typing import Final

from msgspec.structs import replace

from mailreeve.formats.networks import unmapped
from mailreeve.formats.weburls import ENTRY_SCHEMES, UrlError, WebUrl, canonical_query, parse_web_url
from mailreeve.policy.index.matching import out_of_force
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.index.web_index import EntryOrder, Listed
from mailreeve.policy.model.decisions import WebDecision, WebVerdict
from mailreeve.policy.model.facts import WebFacts
from mailreeve.policy.model.identities import Identities, Renamed, StandIn
from mailreeve.policy.model.keys import Keys
from mailreeve.policy.model.policies import ALL_ELSE, Scope, WebAction, WebEntryType, WebPolicy, WebPolicyKind
from mailreeve.policy.model.targets import EVERYONE_KEY, TargetType
from mailreeve.policy.model.trace import Unmet, WebCandidate, WebUnmet
from mailreeve.policy.model.ways import way_to_target

EXPLAINED_ENTRIES: Final = 100
"""So many entries are listed in an explanation, the best first."""

TEMPORARY_SCOPE, MANAGED_SCOPE = 6, 5
USER_SCOPE, GROUP_SCOPE, LOCATION_SCOPE, EVERYONE_SCOPE = 4, 3, 2, 1
_NOBODY: Final = Keys((EVERYONE_KEY,))
_NONE: Final = WebVerdict.NONE
_ALLOW: Final = WebVerdict.ALLOW
_BLOCK: Final = WebVerdict.BLOCK

SCOPE_RANK: Final[dict[TargetType, int]] = {
    TargetType.EVERYONE: EVERYONE_SCOPE,
    TargetType.INTERNAL_ADDRESSES: EVERYONE_SCOPE,
    TargetType.EXTERNAL_ADDRESSES: EVERYONE_SCOPE,
    TargetType.FREE_MAIL_DOMAINS: EVERYONE_SCOPE,
    TargetType.EMAIL_DOMAIN: GROUP_SCOPE,
    TargetType.PROFILE_GROUP: GROUP_SCOPE,
    TargetType.ADDRESS_ATTRIBUTE_VALUE: GROUP_SCOPE,
    TargetType.INDIVIDUAL_EMAIL_ADDRESS: USER_SCOPE,
    TargetType.HEADER_DISPLAY_NAME: EVERYONE_SCOPE,
}
"""How narrow a scope is (behaviour.md D-25). Web policies know users, groups, locations and everyone;
of the other targets those that pick some users rank as groups, the sweeping ones as everyone."""

_RANK_OF_KIND: Final = {WebPolicyKind.TEMPORARY: TEMPORARY_SCOPE, WebPolicyKind.MANAGED: MANAGED_SCOPE}

_HOST: Final = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}")
_NOT_IN_HOST: Final = re.compile(r"[^a-z0-9._-]")
"""Names have letters, digits and hyphens (RFC 1123 section 2.1), and real ones have underscores."""

_NO_HOST: Final = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?[/\\]{3}|[/\\](?![/\\])")
"""A path alone, or more slashes than lead to a host. Browsers take its first part for the host; no writer does."""
_RANGE: Final = re.compile(
    r"""(?:https?://)?
        (?: \d{1,3}(?:\.\d{1,3}){0,3}/(?:\d{1,2}|\d{1,3}(?:\.\d{1,3}){3})  # by prefix or mask
          | \d{1,3}(?:\.\d{1,3}){3}[ ]?-[ ]?\d{1,3}(?:\.\d{1,3}){0,3}      # from and to
          | \[?(?P<ipv6>[0-9A-Fa-f:.]{2,45})\]?/\d{1,3} )""",
    re.VERBOSE,
)
"""A range of addresses. A host with a path of one number looks the same, and nobody writes it into a list."""

Standing = tuple[int, int]
"""Override and rank of the scope by which a policy holds for a request."""

WebFailure = Unmet | WebUnmet
"""Why a list or an entry does not hold for a request."""

EntryKey = tuple[Standing, EntryOrder]
"""The sort key of an entry in one request, the highest wins."""


class WebEntryError(ValueError):
    """The text cannot be an entry of a web list. The message says why, without repeating the text."""


class WebUrlError(ValueError):
    """The requested URL cannot be read, so no list can say anything about it."""


def canonical_entry(type_: WebEntryType, text: str) -> str:
    """The form in which an entry is stored and compared (behaviour.md section 6.1). Raises `WebEntryError`.

    Scheme, port and fragment are stripped; a query is kept, its parameters in order. An asterisk in a path is
    literal, in a host it is refused: there are no wildcards, a domain covers its subdomains anyway. A dot in front
    of a domain says just that, and goes. What no request could ever have as its host is refused, for it was meant
    otherwise: two domains in one, or a domain that was made harmless to be shown.
    """
    if _NO_HOST.match(text):
        raise WebEntryError("the URL has no host")
    found = _RANGE.fullmatch(text)
    if found and (found["ipv6"] is None or _is_ipv6(found["ipv6"])):
        raise WebEntryError("an entry cannot be a range of addresses")
    try:
        url = parse_web_url(f"[{text}]" if _is_ipv6(text) else text, ENTRY_SCHEMES)
    except UrlError as problem:
        raise WebEntryError(str(problem)) from problem
    host = url.host.removeprefix(".") if type_ is WebEntryType.DOMAIN else url.host
    if "*" in host:
        raise WebEntryError("a domain cannot hold an asterisk; it covers its subdomains without one")
    if host in ENTRY_SCHEMES and url.path.startswith("//"):
        raise WebEntryError("the URL has two schemes")
    if url.has_credentials:
        raise WebEntryError("an entry cannot hold a user name or password")
    if not host.startswith("[") and not _HOST.fullmatch(host):
        strange = _NOT_IN_HOST.search(host)
        if strange is not None:
            raise WebEntryError(f"a domain cannot hold {strange[0]!r}; each entry is one domain or URL")
        raise WebEntryError("the domain is malformed")
    if type_ is WebEntryType.DOMAIN and (url.path or url.query):
        raise WebEntryError("a domain cannot hold a path or a query; use the type url")
    return str(WebUrl(host, url.path, canonical_query(url.query)))


def _is_ipv6(text: str) -> bool:
    """Whether the text is an IPv6 address as people write it, without the brackets that a URL wants."""
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


def browsing(policies: PolicySet, facts: WebFacts) -> WebFacts:
    """The facts with the user who browses: the one that the door knows, else the one whose address it is, by the
    account's table of web clients, else nobody. A stranger is nobody."""
    if facts.user is not None or facts.source_ip is None or facts.is_stranger:
        return facts
    user = policies.places.user_at(unmapped(facts.source_ip))
    return facts if user is None else replace(facts, user=user)


def decide_web(policies: PolicySet, facts: WebFacts, *, explain: bool = False) -> WebDecision:
    """The decision for one web request: the union of all entries that hold for it, the strongest wins.

    Strongest is, in this order (D-25): override, narrower scope, URL over domain, longer entry, block
    over allow. A temporary allow is narrower than a user, and a default deny comes behind every entry of equal
    scope (ADR 0073); a block by one has no entry. A managed URL comes before all lists (D-54). Without a known
    user only scopes for everyone hold, with or without a location; who browses is as `browsing` has it. Raises
    `WebUrlError`; what a request with such a URL gets is for the door to say.
    """
    try:
        url = parse_web_url(facts.url)
    except UrlError as problem:
        raise WebUrlError(str(problem)) from problem
    found: Iterable[Listed] = policies.web.on_host(url) if explain else policies.web.covering(url)
    if policies.web.all_else and not explain:
        found = (*found, *policies.web.all_else)
    if not found:
        return WebDecision(_NONE, None, None, str(url), policies.revision)
    policies = policies.at(facts.at)
    facts = browsing(policies, facts)
    request = WebRequest(policies, facts)
    best: Listed | None = None
    best_key: EntryKey | None = None
    seen: list[tuple[bool, EntryKey, Listed, WebFailure | None]] = []
    for listed in found:
        standing = request.standing(listed.policy_id)
        failed = None if isinstance(standing, tuple) else standing
        if explain:
            failed = listed.mismatch(url) or failed
        elif failed is not None:
            continue
        key = (standing if isinstance(standing, tuple) else (0, 0), listed.order)
        if failed is None and (best_key is None or key > best_key):
            best, best_key = listed, key
        if explain:
            seen.append((failed is None, key, listed, failed))
    candidates = _candidates(policies, facts, seen) if explain else ()
    if best is None:
        return WebDecision(_NONE, None, None, str(url), policies.revision, candidates)
    verdict = _BLOCK if best.entry.action is WebAction.BLOCK else _ALLOW
    entry = None if best.entry is ALL_ELSE else best.entry
    return WebDecision(verdict, best.policy_id, entry, str(url), policies.revision, candidates)


class WebRequest:
    """One request, and by which scope each policy holds for it."""

    __slots__ = ("_facts", "_keys", "_policies", "_source", "_standings")

    def __init__(self, policies: PolicySet, facts: WebFacts) -> None:
        self._policies = policies
        self._facts = facts
        self._source = None if facts.source_ip is None else unmapped(facts.source_ip)
        self._keys = _NOBODY if facts.user is None else policies.identities.keys(facts.user)
        self._standings: dict[str, Standing | WebFailure] = {}

    def standing(self, policy_id: str) -> Standing | WebFailure:
        """The strongest scope of the policy that holds, or why the first one does not."""
        known = self._standings.get(policy_id)
        if known is not None:
            return known
        policy = self._policies.web.policy(policy_id)
        strongest: Standing | None = None
        reason: WebFailure | None = None
        for scope in policy.scopes:
            result = self._scope_standing(scope)
            if not isinstance(result, tuple):
                reason = reason or result
            elif strongest is None or result > strongest:
                strongest = result
        answer = (strongest and list_standing(policy, strongest)) or reason or WebUnmet.NO_TARGET
        self._standings[policy_id] = answer
        return answer

    def _scope_standing(self, scope: Scope) -> Standing | WebFailure:
        if not scope.terms.unconditional:
            unmet = out_of_force(scope.terms, self._facts.at, self._source)
            if unmet is not None:
                return unmet
        if scope.to.type is not TargetType.EVERYONE:
            return WebUnmet.RECIPIENT_NAMED  # a web request has no recipient (D-26)
        if scope.from_.key not in self._keys:
            return WebUnmet.USER_UNKNOWN if self._facts.user is None else WebUnmet.USER
        return scope_standing(scope)


def scope_standing(scope: Scope) -> Standing:
    """The standing that a policy has through this scope, in a request for which it holds."""
    rank = SCOPE_RANK[scope.from_.type]
    return (1 if scope.terms.override else 0, max(rank, LOCATION_SCOPE) if scope.terms.networks else rank)


def list_standing(policy: WebPolicy, strongest: Standing) -> Standing:
    """The standing of a list that holds by this scope as its strongest one (ADR 0073, 0075)."""
    return (strongest[0], _RANK_OF_KIND.get(policy.kind, strongest[1]))


def _candidates(
    policies: PolicySet,
    facts: WebFacts,
    seen: list[tuple[bool, EntryKey, Listed, WebFailure | None]],
) -> tuple[WebCandidate, ...]:
    """The entries that were considered, those that hold first, then by their order."""
    ranked = heapq.nlargest(EXPLAINED_ENTRIES, seen, key=lambda item: (item[0], item[1]))
    candidates = []
    for place, (holds, key, listed, failed) in enumerate(ranked, 1):
        policy = policies.web.policy(listed.policy_id)
        candidates.append(
            WebCandidate(
                policy_id=listed.policy_id,
                description=policy.description,
                entry=listed.entry,
                action=listed.entry.action,
                failed=failed,
                sort_key=(*key[0], *key[1]),
                place=place if holds else 0,
                stand_ins=_ways(policies.identities, facts, policy) if holds else (),
                renamed=_renamed(policies.identities, facts, policy) if holds else (),
                is_tied=holds and place > 1 and _narrowness(key) == _narrowness(ranked[0][1]),
                until=policy.scopes[0].terms.ends if policy.kind is WebPolicyKind.TEMPORARY else None,
                kind=policy.kind,
            )
        )
    return tuple(candidates)


def _ways(identities: Identities, facts: WebFacts, policy: WebPolicy) -> tuple[StandIn, ...]:
    """For whom the user's address stands so that the list names the user (D-53)."""
    if facts.user is None:
        return ()
    found = [step for scope in policy.scopes for step in way_to_target(identities, facts.user, scope.from_)]
    return tuple(dict.fromkeys(found))


def _renamed(identities: Identities, facts: WebFacts, policy: WebPolicy) -> tuple[Renamed, ...]:
    """The user whom the list names, if that one had another address before."""
    if facts.user is None:
        return ()
    person = identities.person(facts.user)
    return identities.renamed(person) if any(scope.from_.key == person for scope in policy.scopes) else ()


def _narrowness(key: EntryKey) -> tuple[int, ...]:
    return (*key[0], *key[1][:2])
