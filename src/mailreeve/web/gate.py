"""May this web request pass? The one place where every web door asks, and where what it came to is recorded.

No door has rules of its own. A decision reads the policy set in force, and costs some microseconds where that is
at hand; after a change the first one has it read, which is not for an event loop: `answer` sees to that.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Final, Protocol

import anyio.to_thread
from msgspec.structs import replace

from mailreeve.families.web_log.record import MAX_URL, SETTLED_UNREADABLE, WebRecord
from mailreeve.formats.addresses import Address
from mailreeve.formats.networks import IPAddress
from mailreeve.formats.weburls import UrlError, host_of, parse_web_url
from mailreeve.policy.decide.web import WebUrlError, browsing, decide_web
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.decisions import WebDecision, WebVerdict
from mailreeve.policy.model.facts import WebFacts
from mailreeve.policy.model.policies import WebEntryType, WebPolicy, WebPolicyKind
from mailreeve.policy.model.wording import web_list_words
from mailreeve.web.requests import WebAnswer, WebRequest
from mailreeve.web.who import MAX_LOGIN, client_at, user_named

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NONE: Final = WebVerdict.NONE
_BLOCK: Final = WebVerdict.BLOCK


class PolicySource(Protocol):
    """Where the policies of an account come from: `store.follow.Follower`."""

    def at_hand(self, account_id: str) -> PolicySet | None:
        """The set in force, where nothing has to be read for it."""
        ...

    def current(self, account_id: str, /) -> PolicySet:
        """The set in force. May wait for the store."""
        ...


class Recorder(Protocol):
    """Who keeps records of decisions."""

    def wants(self, verdict: WebVerdict) -> bool:
        """Whether a decision with this verdict is to be recorded: all blocks, and a sample of what passes."""
        ...

    def new_key(self) -> str:
        """The store key of a new record."""
        ...

    def wire_id(self, account_id: str, key: str) -> str:
        """What a record is known by on the wire."""
        ...

    def record(self, account_id: str, record: WebRecord) -> None:
        """Keep a record. Never waits; what is too much is counted and left out."""
        ...


class WebGate:
    """Decides about web requests and records what came of them. Threads may share it."""

    def __init__(self, policies: PolicySource, recorder: Recorder, clock: Callable[[], float] = time.time) -> None:
        self._policies = policies
        self._recorder = recorder
        self._clock = clock

    async def answer(self, account_id: str, request: WebRequest) -> WebAnswer:
        """As `decide`, for an event loop: whatever has to be read is read in a thread."""
        await self.ready(account_id)
        return self.decide(account_id, request)

    async def ready(self, account_id: str) -> None:
        """See to it that the account's policies are at hand. For whoever decides about many requests at once."""
        if self._policies.at_hand(account_id) is None:
            await anyio.to_thread.run_sync(self._policies.current, account_id)

    def decide(self, account_id: str, request: WebRequest) -> WebAnswer:
        """What becomes of a request, by the policies in force now. Never raises for what the request says: one
        whose URL cannot be read is blocked."""
        policies = self._policies.at_hand(account_id) or self._policies.current(account_id)
        source = client_at(request.client_address) if request.client_address else None
        at = self._clock()
        user = user_named(policies, request.user)
        settled_by = ""
        try:
            facts = self._facts(request, user, source, at)
            decision = decide_web(policies, facts)
            host = parse_web_url(facts.url).host if request.host_only else ""
        except (WebUrlError, UrlError):
            facts = self._facts(replace(request, url=""), user, source, at)
            decision = WebDecision(_BLOCK, None, None, "", policies.revision)
            settled_by, host = SETTLED_UNREADABLE, ""
        missed = len(policies.web.deeper(host)) if host else 0
        verdict = decision.verdict
        wanted = self._recorder.wants(verdict)
        if verdict is _NONE and not wanted and not missed:
            return WebAnswer(_NONE, _NO_OPINION, decision.revision)
        facts = browsing(policies, facts)
        place = None if source is None else policies.places.location_at(source)
        location = "" if place is None else place.name
        policy = None if decision.policy_id is None else policies.web.policy(decision.policy_id)
        description = "" if policy is None else policy.description
        key = self._recorder.new_key() if wanted else ""
        answer = WebAnswer(
            verdict=verdict,
            sentence=sentence(decision, policy, missed),
            revision=decision.revision,
            policy_id=decision.policy_id or "",
            policy=description,
            entry=decision.entry,
            decision_id=self._recorder.wire_id(account_id, key) if key else "",
            user="" if facts.user is None else str(facts.user),
            location=location,
            not_enforceable=missed,
        )
        if key:
            self._recorder.record(
                account_id,
                WebRecord(
                    id=key,
                    at=at,
                    door=request.door,
                    url=request.url[:MAX_URL],
                    host=_host(decision.url),
                    verdict=verdict,
                    revision=decision.revision,
                    method=request.method[:32],
                    login=request.user[:MAX_LOGIN],
                    user=answer.user,
                    client="" if source is None else str(source),
                    location=location,
                    policy_id=answer.policy_id,
                    description=description,
                    entry=decision.entry,
                    settled_by=settled_by,
                    url_cut=len(request.url) > MAX_URL,
                    host_only=request.host_only,
                    unenforced=missed,
                    kind=WebPolicyKind.LIST if policy is None else policy.kind,
                ),
            )
        return answer

    @staticmethod
    def _facts(request: WebRequest, user: Address | None, source: IPAddress | None, at: float) -> WebFacts:
        url = request.url
        if request.host_only:
            # What lies behind the host the door did not see, whatever it was told.
            url = host_of(url)
        return WebFacts(url, at, user, source, is_stranger=bool(request.user) and user is None)


_NO_OPINION: Final = "No web list says anything about this address."
_PLACES: Final = {WebEntryType.DOMAIN: "the domain", WebEntryType.URL: "the URL"}


def sentence(decision: WebDecision, policy: WebPolicy | None, missed: int) -> str:
    """What a decision by this list, if any, is, in words for whoever browses: one line."""
    name = "" if policy is None else web_list_words(policy.description, policy.kind)
    if decision.verdict is _NONE:
        words = _NO_OPINION
    elif decision.entry is None and policy is not None:
        words = f"Blocked by {name}: it blocks what no web list allows."
    elif decision.entry is None:
        words = "This address cannot be read, so it is blocked."
    else:
        done = "Blocked" if decision.verdict is _BLOCK else "Allowed"
        entry = decision.entry
        words = f"{done} by {name}: it names {_PLACES[entry.type]} {entry.value}."
    if missed:
        entries = "entry names" if missed == 1 else "entries name"
        words += f" {missed} more {entries} a path on this host, which cannot be enforced without inspection."
    return _CONTROL.sub(" ", words)


def _host(url: str) -> str:
    return url.partition("/")[0].partition("?")[0]
