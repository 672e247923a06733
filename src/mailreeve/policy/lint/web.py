"""Which entries of web lists can never win, contradict each other, cannot be enforced, or forget a twin?

As for mail, an entry is held against those that the index would find for what it names and whom its list is for.
An entry that is reported as never winning never wins. One that a single other entry covers for all users of its
list is always found, and so is one that another list says the opposite of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from mailreeve.formats.networks import Network
from mailreeve.policy.decide.web import Standing, list_standing, scope_standing
from mailreeve.policy.index.network_table import ANYWHERE, NetworkTable, network_keys
from mailreeve.policy.index.web_index import EntryOrder, Listed, list_entry
from mailreeve.policy.lint.coverage import Coverage
from mailreeve.policy.lint.findings import NAMED, Finding, FindingKind, Subject, SubjectKind
from mailreeve.policy.lint.scope_cover import MAX_PAIRS, is_in_force, may_meet, networks_covered
from mailreeve.policy.model.keys import Keys
from mailreeve.policy.model.policies import Scope, WebAction, WebEntry, WebEntryType, WebPolicy, WebPolicyKind
from mailreeve.policy.model.targets import EVERYONE_KEY, TargetType
from mailreeve.policy.model.wording import listed, quoted, target_words, web_policy_words

_SHORT_LABEL: Final = 3  # letters of a second-level name such as the `co` of co.uk

_SEE_WHOLE: Final = (
    "Set web_proxy where a proxy sees whole URLs: Squid that inspects HTTPS, or one that asks at /web/check. Or"
    " name the whole domain; an entry is never widened to it silently."
)

Networks = tuple[Network, ...]

FEW: Final = 64
"""Up to so many lists with the opposite of an entry are tried; of more only those that share people with it."""


class WebLinter:
    """The linter of an account's web lists, at one time."""

    def __init__(self, policies: Sequence[WebPolicy], coverage: Coverage, at: float, *, web_proxy: bool) -> None:
        self._coverage = coverage
        self._at = at
        self._web_proxy = web_proxy
        # A list that holds for nobody any more says so once, and is no rival of any other.
        self._alive = {policy.id: self._live(policy) for policy in policies}
        self._lists = {policy.id: policy for policy in policies}
        self._on_base: dict[tuple[WebEntryType, str], dict[str, list[Listed]]] = {}
        self._saying: dict[tuple[WebEntryType, str, WebAction], dict[str, Listed]] = {}
        self._named: dict[str, set[str]] = {}
        self._inside: dict[str, set[str]] = {}
        naming: dict[str, dict[str, set[str]]] = {}
        for policy in policies:
            scopes = self._alive[policy.id]
            for scope in scopes:
                self._named.setdefault(scope.from_.key, set()).add(policy.id)
                for network in network_keys(scope.terms.networks) or {ANYWHERE}:
                    naming.setdefault(network, {}).setdefault(scope.from_.key, set()).add(policy.id)
                for key in self._user_keys(scope):
                    self._inside.setdefault(key, set()).add(policy.id)
            for entry in policy.entries if scopes else ():
                found, kind = list_entry(policy, entry), entry.type
                self._on_base.setdefault((kind, found.base), {}).setdefault(policy.id, []).append(found)
                self._saying.setdefault((kind, entry.value, entry.action), {})[policy.id] = found
        # The lists by the networks of their scopes, and by whom these name.
        self._anywhere = naming.pop(ANYWHERE, {})
        self._bound = NetworkTable(naming)
        self._asked: tuple[str, Networks] | None = None
        self._answer = set[str]()

    def look_at(self, policy: WebPolicy) -> Iterator[Finding]:
        """What is wrong with one list."""
        enabled = [scope for scope in policy.scopes if scope.terms.enabled]
        if not enabled:
            return
        yield from self._dates(policy, enabled)
        if not self._alive[policy.id]:
            yield from self._dead(policy, enabled)
            return
        shadowed: dict[str, tuple[Listed, list[WebEntry]]] = {}
        contradicted: dict[str, tuple[Listed, list[WebEntry]]] = {}
        for entry in policy.entries:
            mine = list_entry(policy, entry)
            rival = self._contradiction(mine)
            if rival is not None:
                contradicted.setdefault(rival.policy_id, (rival, []))[1].append(entry)
                continue
            rival = self._shadow(mine)
            if rival is not None:
                shadowed.setdefault(rival.policy_id, (rival, []))[1].append(entry)
        for rival, entries in contradicted.values():
            yield self._contradicts(policy, rival, entries)
        for rival, entries in shadowed.values():
            yield self._shadowed(policy, rival, entries)
        if policy.kind is WebPolicyKind.LIST:
            yield from self._urls_of(policy)
        if policy.default_deny:
            yield from self._denied(policy)

    def last(self) -> Iterator[Finding]:
        """What is wrong with the managed URLs together."""
        urls = [
            policy
            for policy in self._lists.values()
            if policy.kind is WebPolicyKind.MANAGED
            and self._alive[policy.id]
            and policy.entries[0].type is WebEntryType.URL
        ]
        if urls and not self._web_proxy:
            yield Finding(
                FindingKind.URL_NOT_ENFORCED,
                tuple(_list_subject(policy) for policy in urls[:NAMED]),
                f"{len(urls)} managed URL{'' if len(urls) == 1 else 's'} cannot be enforced where only hosts are"
                " seen: the setting web_proxy is off",
                _SEE_WHOLE,
                len(urls),
            )

    def _live(self, policy: WebPolicy) -> tuple[Scope, ...]:
        """The scopes by which the list may hold for anybody from now on (D-26)."""
        return tuple(
            scope
            for scope in policy.scopes
            if is_in_force(scope, self._at)
            and scope.to.type is TargetType.EVERYONE
            and scope.from_.type is not TargetType.HEADER_DISPLAY_NAME
            and not self._coverage.impossible(scope.from_)
        )

    def _dates(self, policy: WebPolicy, enabled: Sequence[Scope]) -> Iterator[Finding]:
        subject = _list_subject(policy)
        over = [scope for scope in enabled if scope.terms.ends <= self._at]
        name, targets = quoted(policy.description), len(enabled)
        if len(over) == targets:
            why = f"{name} has expired"
            yield Finding(FindingKind.EXPIRED, (subject,), why, "Delete it, or give it a later end.")
        elif over:
            why = f"{len(over)} of the {targets} targets of {name} have expired"
            yield Finding(FindingKind.EXPIRED_TARGETS, (subject,), why, "Remove those targets.")
        later = [scope for scope in enabled if scope.terms.starts > self._at]
        if later:
            why = f"{len(later)} of the {targets} targets of {name} have not started yet"
            yield Finding(FindingKind.NOT_STARTED, (subject,), why, "Nothing, if that is meant.")

    def _dead(self, policy: WebPolicy, enabled: Sequence[Scope]) -> Iterator[Finding]:
        current = [scope for scope in enabled if scope.terms.ends > self._at]
        if not current:
            return  # told as expired
        directory = self._coverage.directory
        reasons = {self._why_nobody(scope) for scope in current}
        groups = [scope for scope in current if scope.from_.type is TargetType.PROFILE_GROUP]
        empty = len(groups) == len(current) and all(scope.from_.value in directory.group_names for scope in groups)
        kind = FindingKind.EMPTY_GROUP if empty else FindingKind.NEVER_MATCHES
        why = f"{quoted(policy.description)} holds for nobody: {listed(sorted(reasons), 3)}"
        advice = "Add members to the group when there are any." if empty else "Name other users, or delete it."
        yield Finding(kind, (_list_subject(policy),), why, advice)

    def _why_nobody(self, scope: Scope) -> str:
        if scope.terms.starts >= scope.terms.ends:
            return "it ends before it starts"
        named = target_words(scope.from_, self._coverage.directory.group_names)
        reason = self._coverage.impossible(scope.from_)
        return f"it names {named} and {reason or 'a web request has neither recipient nor display name'}"

    def _rivals(self, mine: Listed) -> Iterator[Listed]:
        """The entries that may cover this one, of lists that may hold wherever its list does."""
        host, slash, path = mine.base.partition("/")
        bases = [(WebEntryType.DOMAIN, name) for name in _upwards(host)]
        if mine.entry.type is WebEntryType.URL:
            bases.append((WebEntryType.URL, host))
            for part in path.split("/") if slash else ():
                bases.append((WebEntryType.URL, f"{bases[-1][1]}/{part}"))
        for shelf in [shelf for base in bases if (shelf := self._on_base.get(base)) is not None]:
            if len(shelf) == 1:
                yield from next(iter(shelf.values()))
                continue
            for policy_id in self._around(mine.policy_id) & shelf.keys():
                yield from shelf[policy_id]

    def _around(self, policy_id: str) -> set[str]:
        """The lists of which a scope may hold for all users and sources of the first scope of this one."""
        scope, found = self._alive[policy_id][0], set[str]()
        asked = scope.from_.key, scope.terms.networks
        if asked != self._asked:
            networks, keys = scope.terms.networks, self._user_keys(scope)
            for naming in (self._anywhere, *(self._bound.around(networks[0]) if networks else ())):
                for key in keys:
                    found |= naming.get(key, set())
            self._asked, self._answer = asked, found
        return self._answer

    def _contradiction(self, mine: Listed) -> Listed | None:
        """An entry that says the opposite about the same, for the same people, and wins (test vector 27)."""
        entry = mine.entry
        opposite = WebAction.ALLOW if entry.action is WebAction.BLOCK else WebAction.BLOCK
        saying = self._saying.get((entry.type, entry.value, opposite), {})
        found: Iterable[str] = saying
        if len(saying) > FEW:
            found = saying.keys() & set[str]().union(*map(self._sharing, self._alive[mine.policy_id]))
        rivals = [saying[policy_id] for policy_id in found]
        rivals = [
            rival
            for rival in rivals
            if rival.order > mine.order and self._same_people(rival.policy_id, mine.policy_id)
        ]
        return max(rivals, key=_order, default=None)

    def _sharing(self, scope: Scope) -> set[str]:
        """The lists of which a scope names users among those of this one, or the other way round."""
        found = set(self._inside.get(scope.from_.key, ()))
        for key in self._user_keys(scope):
            found |= self._named.get(key, set())
        return found

    def _same_people(self, first: str, second: str) -> bool:
        """Whether the lists with these ids both hold for some user by equally narrow scopes."""
        if len(self._alive[first]) * len(self._alive[second]) > MAX_PAIRS:
            return False
        return any(
            self._standing(first, ours) == self._standing(second, theirs)
            and may_meet(ours, theirs, self._at)
            and (ours.from_.key in self._user_keys(theirs) or theirs.from_.key in self._user_keys(ours))
            for ours in self._alive[first]
            for theirs in self._alive[second]
        )

    def _shadow(self, mine: Listed) -> Listed | None:
        """An entry that covers this one and wins wherever this one holds; of several the first in the order."""
        rivals = [
            rival
            for rival in self._rivals(mine)
            if rival.entry.id != mine.entry.id and entry_covers(rival, mine) and self._outranks(rival, mine)
        ]
        return max(rivals, key=_order, default=None)

    def _outranks(self, rival: Listed, mine: Listed) -> bool:
        """Whether for every scope of the entry's list the rival's has one that holds as well and comes first."""
        if len(self._alive[rival.policy_id]) * len(self._alive[mine.policy_id]) > MAX_PAIRS:
            return False
        return all(
            any(
                (self._standing(rival.policy_id, theirs), rival.order)
                > (self._standing(mine.policy_id, ours), mine.order)
                and self._scope_covers(theirs, ours)
                for theirs in self._alive[rival.policy_id]
            )
            for ours in self._alive[mine.policy_id]
        )

    def _scope_covers(self, wide: Scope, narrow: Scope) -> bool:
        ours, theirs = wide.terms, narrow.terms
        return (
            ours.starts <= max(self._at, theirs.starts)
            and ours.ends >= theirs.ends
            and networks_covered(ours.networks, theirs.networks)
            and wide.from_.key in self._user_keys(narrow)
        )

    def _standing(self, policy_id: str, scope: Scope) -> Standing:
        return list_standing(self._lists[policy_id], scope_standing(scope))

    def _user_keys(self, scope: Scope) -> Keys:
        """The keys that are sure of every user for whom the scope holds. A person is met by any of the addresses,
        so of a user named by one of them no more is sure than that address."""
        if scope.from_.type is TargetType.INDIVIDUAL_EMAIL_ADDRESS:
            return Keys((EVERYONE_KEY, scope.from_.value))
        return self._coverage.sure_keys(scope.from_)

    def _contradicts(self, policy: WebPolicy, rival: Listed, entries: Sequence[WebEntry]) -> Finding:
        winner = self._lists[rival.policy_id]
        name, theirs, action = web_policy_words(policy), web_policy_words(winner), rival.entry.action
        other = entries[0].action
        shown = listed((entry.value for entry in entries), 3)
        why = f"{name} has {other} and {theirs} has {action} for {shown}, for the same users: the {action} wins"
        return Finding(
            FindingKind.WEB_CONTRADICTION,
            (_list_subject(policy), _list_subject(winner), *_entry_subjects(policy, entries)),
            why,
            f"Take {shown} out of one of the lists, or name the users of one more narrowly.",
            len(entries),
        )

    def _shadowed(self, policy: WebPolicy, rival: Listed, entries: Sequence[WebEntry]) -> Finding:
        harmless = all(entry.action is rival.entry.action for entry in entries)
        shown = listed((f"{entry.action} {entry.type} {entry.value}" for entry in entries), 3)
        winner = self._lists[rival.policy_id]
        name, theirs, entry = web_policy_words(policy), web_policy_words(winner), rival.entry
        why = (
            f"{shown} of {name} can never win: {theirs} has {entry.action} {entry.type} {entry.value}, which"
            " covers the same for the same users and comes first"
        )
        advice = "Remove what is covered; it changes nothing." if harmless else "Remove one of the two."
        return Finding(
            FindingKind.SHADOWED,
            (*_entry_subjects(policy, entries), _list_subject(policy), _list_subject(winner)),
            why,
            advice,
            len(entries),
            harmless,
        )

    def _denied(self, policy: WebPolicy) -> Iterator[Finding]:
        """What a default deny may not have been meant to do: block everything, or block for everyone."""
        subject, name = _list_subject(policy), quoted(policy.description)
        if not any(entry.action is WebAction.ALLOW for entry in policy.entries):
            yield Finding(
                FindingKind.DENIES_ALL,
                (subject,),
                f"{name} has a default deny and allows nothing itself: whom it is for can open what narrower lists"
                " allow, and nothing else",
                "Add what is to be allowed, or take the default deny away.",
            )
        scopes = self._alive[policy.id]
        wide = [scope for scope in scopes if scope.from_.key == EVERYONE_KEY and not scope.terms.networks]
        if wide:
            yield Finding(
                FindingKind.DENIES_EVERYONE,
                (subject,),
                f"{name} has a default deny for everyone, also for those whom no door knows",
                "Nothing, if that is meant; or name a group, a user or source addresses.",
            )

    def _urls_of(self, policy: WebPolicy) -> Iterator[Finding]:
        urls = [entry for entry in policy.entries if entry.type is WebEntryType.URL]
        subject, name = _list_subject(policy), quoted(policy.description)
        if urls and not self._web_proxy:
            number = "one URL" if len(urls) == 1 else f"{len(urls)} URLs"
            yield Finding(
                FindingKind.URL_NOT_ENFORCED,
                (subject, *_entry_subjects(policy, urls)),
                f"{name} has {number}, which cannot be enforced where only hosts are seen: the setting web_proxy"
                " is off",
                _SEE_WHOLE,
                len(urls),
            )
        hosts = {(_host(entry), entry.action) for entry in urls}
        domains = {(entry.value, entry.action) for entry in policy.entries if entry.type is WebEntryType.DOMAIN}
        alone = [
            entry
            for entry in urls
            if (twin := _twin(entry))
            and (twin, entry.action) not in hosts
            and not any((above, entry.action) in domains for above in _upwards(twin))
        ]
        if alone:
            shown = listed((entry.value for entry in alone), 3)
            twins = listed((_twin(entry) for entry in alone), 3)
            yield Finding(
                FindingKind.WWW_TWIN,
                (subject, *_entry_subjects(policy, alone)),
                f"A URL covers its exact host only: {shown} of {name} does not cover {twins}",
                f"Add the same for {twins}, if both lead to one site.",
                len(alone),
            )


def entry_covers(wide: Listed, narrow: Listed) -> bool:
    """Whether every URL that the narrow entry covers is covered by the wide one."""
    host = narrow.base.partition("/")[0]
    if wide.entry.type is WebEntryType.DOMAIN:
        return f".{host}".endswith(f".{wide.base}")
    if narrow.entry.type is WebEntryType.DOMAIN:
        return False  # a URL covers its exact host, a domain those below it too
    if wide.entry.exact:
        same = wide.base == narrow.base and wide.parameters == narrow.parameters
        return same and narrow.entry.exact
    if wide.parameters:
        return wide.base == narrow.base and wide.parameters <= narrow.parameters
    return f"{narrow.base}/".startswith(f"{wide.base}/")


def _order(entry: Listed) -> EntryOrder:
    return entry.order


def _twin(entry: WebEntry) -> str:
    """The host with or without `www.` that probably leads to the same site (D-24); empty if there is none."""
    host = _host(entry)
    bare = host.removeprefix("www.")
    if bare != host:
        return bare
    labels = host.split(".")
    if labels[-1].isdigit() or host.startswith("["):
        return ""  # an address
    # Without a list of public suffixes: two labels, or three as in example.co.uk.
    registered = len(labels) == 2 or (len(labels) == 3 and len(labels[1]) <= _SHORT_LABEL and len(labels[2]) == 2)
    return f"www.{host}" if registered else ""


def _host(entry: WebEntry) -> str:
    return entry.value.partition("/")[0].partition("?")[0]


def _upwards(host: str) -> Iterator[str]:
    """The host and every domain above it."""
    while host:
        yield host
        host = host.partition(".")[2]


def _list_subject(policy: WebPolicy) -> Subject:
    kind = SubjectKind.MANAGED_URL if policy.kind is WebPolicyKind.MANAGED else SubjectKind.WEB_LIST
    return Subject(kind, policy.id, policy.description)


def _entry_subjects(policy: WebPolicy, entries: Sequence[WebEntry]) -> tuple[Subject, ...]:
    if policy.kind is not WebPolicyKind.LIST:
        return ()  # it is its only entry
    return tuple(
        Subject(SubjectKind.WEB_ENTRY, entry.id, f"{entry.action} {entry.type} {entry.value}")
        for entry in entries[:NAMED]
    )
