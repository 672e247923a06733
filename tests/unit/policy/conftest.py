"""A small language to say what policies there are and what mail arrives: the fixture `world`."""

from __future__ import annotations

from math import inf

import pytest
from msgspec.structs import replace
from policy_parts import parts

from mailreeve.formats.addresses import Domain, parse_address, parse_sender
from mailreeve.formats.authors import HeaderFrom
from mailreeve.formats.display_names import fold_display_name
from mailreeve.formats.networks import parse_ip, parse_network
from mailreeve.policy.decide.mail import decide_connect, decide_mail
from mailreeve.policy.decide.rewrite import Rewriter, rewriter
from mailreeve.policy.decide.web import canonical_entry, decide_web
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.authentication import SUPPOSED, Authentication, AuthenticationRules, PermitNeeds
from mailreeve.policy.model.decisions import Decision, WebDecision
from mailreeve.policy.model.facts import Directory, MessageFacts, User, WebFacts
from mailreeve.policy.model.policies import (
    AddressPattern,
    AddressType,
    AlterationPolicy,
    AntiSpoofingBypassPolicy,
    AntiSpoofingPolicy,
    BlockedOption,
    BlockedSenderPolicy,
    BypassOption,
    Definition,
    FromPart,
    ManagedAction,
    ManagedSender,
    PermittedSenderPolicy,
    Routing,
    Scope,
    SpoofingOption,
    WebAction,
    WebEntry,
    WebEntryType,
    WebPolicy,
)
from mailreeve.policy.model.targets import Target, TargetType

NOW = 1_800_000_000.0
SAME_AS_ENVELOPE = "(the envelope sender)"

_WORDS = {
    "everyone": TargetType.EVERYONE,
    "internal": TargetType.INTERNAL_ADDRESSES,
    "external": TargetType.EXTERNAL_ADDRESSES,
    "free mail": TargetType.FREE_MAIL_DOMAINS,
}


def target(text: str) -> Target:
    """`everyone`, `internal`, `a@x.test`, `x.test`, `group:G`, `name:Jo Doe` or `attribute:id=value`."""
    kind, colon, value = text.partition(":")
    if text in _WORDS:
        return Target.of(_WORDS[text])
    if colon and kind == "group":
        return Target.of(TargetType.PROFILE_GROUP, value)
    if colon and kind == "name":
        return Target.of(TargetType.HEADER_DISPLAY_NAME, fold_display_name(value))
    if colon and kind == "attribute":
        attribute, _, wanted = value.partition("=")
        return Target.of(TargetType.ADDRESS_ATTRIBUTE_VALUE, wanted.casefold(), attribute)
    if "@" in text:
        return Target.of(TargetType.INDIVIDUAL_EMAIL_ADDRESS, parse_address(text).key)
    return Target.of(TargetType.EMAIL_DOMAIN, text)


def scope(
    from_: str = "everyone",
    to: str = "everyone",
    *,
    part: str = "envelope_from",
    ips: tuple[str, ...] = (),
    starts: float = -inf,
    ends: float = inf,
    override: bool = False,
    bidirectional: bool = False,
    enabled: bool = True,
) -> Scope:
    return Scope.of(
        target(from_),
        target(to),
        FromPart(part),
        tuple(parse_network(ip) for ip in ips),
        starts,
        ends,
        override,
        bidirectional,
        enabled,
    )


class World:
    """One account: what it contains, said line by line, then questions to it.

    Policies are created one after the other, so a later line is a newer policy; each gets the next
    number as its id, which the call returns.
    """

    def __init__(self) -> None:
        self.internal = {"corp.test"}
        self.known_only: set[str] = set()
        self.users: dict[str, User] = {}
        self.groups: dict[str, tuple[str, ...]] = {}
        self.parents: dict[str, str] = {}
        self.free_mail: set[str] = set()
        self.relay_networks: tuple[str, ...] = ("127.0.0.0/8",)
        self.blocked: list[BlockedSenderPolicy] = []
        self.permitted: list[PermittedSenderPolicy] = []
        self.managed: list[ManagedSender] = []
        self.definitions: list[Definition] = []
        self.alteration: list[AlterationPolicy] = []
        self.web_policies: list[WebPolicy] = []
        self.spoofing: list[AntiSpoofingPolicy] = []
        self.bypass: list[AntiSpoofingBypassPolicy] = []
        self.permit_needs = PermitNeeds.WHEN_KNOWN
        self.judged = False  # whether anybody is asked about authentication
        self._count = 0

    def _next(self) -> str:
        self._count += 1
        return str(self._count)

    # ---- what there is

    def user(self, primary: str, *aliases: str, **attributes: str) -> None:
        found = User(primary, {name: value.casefold() for name, value in attributes.items()})
        for address in (primary, *aliases):
            self.users[parse_address(address).key] = found

    def group(self, name: str, *members: str, parent: str | None = None) -> None:
        for member in members:
            self.groups[member] = (*self.groups.get(member, ()), name)
        if parent is not None:
            self.parents[name] = parent

    def block(self, from_: str = "everyone", to: str = "everyone", **more: object) -> str:
        return self._blocked(BlockedOption.BLOCK_SENDER, from_, to, **more)

    def exempt(self, from_: str = "everyone", to: str = "everyone", **more: object) -> str:
        return self._blocked(BlockedOption.NO_ACTION, from_, to, **more)

    def relay_guard(self) -> str:
        return self._blocked(BlockedOption.BLOCK_SENDER, "external", "external", guard=True)

    def _blocked(self, option: BlockedOption, from_: str, to: str, *, guard: bool = False, **more: object) -> str:
        id_ = self._next()
        self.blocked.append(
            BlockedSenderPolicy(
                id_, f"{option.value} {from_} to {to}", scope(from_, to, **more), option, float(id_), guard
            )
        )
        return id_

    def permit(self, from_: str = "everyone", to: str = "everyone", **more: object) -> str:
        id_ = self._next()
        policy = PermittedSenderPolicy(id_, f"permit {from_} to {to}", scope(from_, to, **more), float(id_))
        self.permitted.append(policy)
        return id_

    def against_spoofing(
        self, option: str, from_: str = "internal", to: str = "everyone", *, part: str = "both", **more: object
    ) -> str:
        id_ = self._next()
        where = scope(from_, to, part=part, **more)
        self.spoofing.append(
            AntiSpoofingPolicy(id_, f"{option} spoofed", where, SpoofingOption(option), float(id_))
        )
        return id_

    def let_past(
        self,
        from_: str = "internal",
        to: str = "everyone",
        *,
        spf: tuple[str, ...] = (),
        on: bool = True,
        part: str = "both",
        **more: object,
    ) -> str:
        id_ = self._next()
        where = scope(from_, to, part=part, **more)
        terms = replace(where.terms, spf_domains=frozenset(spf))
        option = BypassOption.ENABLE if on else BypassOption.DISABLE
        self.bypass.append(
            AntiSpoofingBypassPolicy(id_, f"past {from_}", replace(where, terms=terms), option, float(id_))
        )
        return id_

    def personal(self, recipient: str, action: str, sender: str) -> str:
        id_ = self._next()
        key = parse_address(sender).key if "@" in sender else sender
        self.managed.append(ManagedSender(id_, recipient, key, ManagedAction(action)))
        return id_

    def auto(self, recipient: str, sender: str, ends: float) -> str:
        """Whoever the recipient wrote to is permitted until then."""
        id_ = self._next()
        self.managed.append(
            ManagedSender(id_, recipient, parse_address(sender).key, ManagedAction.PERMIT, ends, True)
        )
        return id_

    def define(
        self, original: str, new: str, *, field: str = "envelope_to", routing: str = "all", set_: str = ""
    ) -> str:
        id_ = self._next()
        patterns = []
        for text in (original, new):
            local, _, domain = text.partition("@")
            patterns.append(AddressPattern("" if local == "*" else local, "" if domain == "*" else domain))
        self.definitions.append(
            Definition(id_, set_, AddressType(field), patterns[0], patterns[1], Routing(routing))
        )
        return id_

    def alter(self, set_: str, from_: str = "everyone", to: str = "everyone", **more: object) -> str:
        id_ = self._next()
        self.alteration.append(AlterationPolicy(id_, f"use {set_}", scope(from_, to, **more), set_, float(id_)))
        return id_

    def web(self, who: str, *entries: str, **more: object) -> str:
        """`web("everyone", "block domain ex.test", "allow url ex.test/docs")`."""
        id_ = self._next()
        listed = []
        for number, entry in enumerate(entries):
            action, type_, value = entry.split(" ", 2)
            kind = WebEntryType(type_)
            listed.append(WebEntry(f"{id_}.{number}", kind, canonical_entry(kind, value), WebAction(action)))
        policy = WebPolicy(id_, f"list for {who}", (scope(who, **more),), tuple(listed), float(id_))
        self.web_policies.append(policy)
        return id_

    # ---- questions

    def policies(self) -> PolicySet:
        return PolicySet.build(
            account_id="account",
            revision=7,
            directory=Directory(
                internal_domains=frozenset(map(Domain, self.internal)),
                known_only=frozenset(map(Domain, self.known_only)),
                users=self.users,
                groups=self.groups,
                parents=self.parents,
                free_mail=frozenset(self.free_mail),
            ),
            relay_networks=[parse_network(text) for text in self.relay_networks],
            managed=self.managed,
            **parts(
                blocked=self.blocked,
                permitted=self.permitted,
                spoofing=self.spoofing,
                bypass=self.bypass,
                alteration=self.alteration,
            ),
            definitions=self.definitions,
            web=self.web_policies,
            authentication=AuthenticationRules(self.permit_needs, self.judged),
        )

    def facts(
        self,
        sender: str,
        recipient: str,
        *,
        header: str | tuple[str, ...] | None = SAME_AS_ENVELOPE,
        ip: str | None = None,
        at: float = NOW,
        authenticated: bool = False,
        authentication: Authentication | None = None,
        trusted: bool | None = None,
    ) -> MessageFacts:
        """Without `ip`, the source counts as a relay network unless `trusted` says otherwise.

        `header` is one author or several, each `a@x.test` or `Name <a@x.test>`; None while unknown. With
        `authenticated` something vouches for all of it; else what is known is the `authentication`."""
        authors: tuple[HeaderFrom, ...] | None
        if ip is None and trusted is None:
            trusted = True
        if header is None:
            authors = None
        elif header == SAME_AS_ENVELOPE:
            authors = (_author(sender),) if sender else ()
        else:
            authors = tuple(_author(text) for text in ((header,) if isinstance(header, str) else header))
        return MessageFacts(
            sender=parse_sender(sender),
            recipient=parse_address(recipient),
            at=at,
            header_from=authors,
            source_ip=None if ip is None else parse_ip(ip),
            authentication=SUPPOSED if authenticated else authentication,
            source_trusted=trusted,
        )

    def mail(self, sender: str, recipient: str, *, explain: bool = False, **more: object) -> Decision:
        """The final decision, with the header known: by default the sender's own address."""
        return decide_mail(self.policies(), self.facts(sender, recipient, **more), explain=explain)

    def at_rcpt(self, sender: str, recipient: str, *, explain: bool = False, **more: object) -> Decision:
        """The decision while the header is unknown."""
        facts = self.facts(sender, recipient, header=None, **more)
        return decide_mail(self.policies(), facts, explain=explain)

    def connect(self, ip: str, at: float = NOW) -> Decision | None:
        return decide_connect(self.policies(), parse_ip(ip), at)

    def rewriter(self, sender: str, recipient: str, **more: object) -> Rewriter:
        return rewriter(self.policies(), self.facts(sender, recipient, **more))

    def browse(
        self, url: str, user: str | None = None, *, ip: str | None = None, explain: bool = False
    ) -> WebDecision:
        facts = WebFacts(
            url=url,
            at=NOW,
            user=None if user is None else parse_address(user),
            source_ip=None if ip is None else parse_ip(ip),
        )
        return decide_web(self.policies(), facts, explain=explain)


def _author(text: str) -> HeaderFrom:
    name, bracket, rest = text.partition("<")
    if not bracket:
        return HeaderFrom(parse_address(text))
    address = rest.removesuffix(">")
    return HeaderFrom(parse_address(address) if address else None, name.strip())


@pytest.fixture
def world() -> World:
    return World()
