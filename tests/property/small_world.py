"""Small accounts in which policies collide often, and mail among few people: what the property tests draw."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from itertools import product
from math import inf
from typing import NamedTuple

from hypothesis import strategies as st
from msgspec.structs import replace
from policy_parts import parts

from mailreeve.formats.addresses import NULL_SENDER, Domain, parse_address
from mailreeve.formats.authors import HeaderFrom
from mailreeve.formats.networks import parse_ip, parse_network
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.authentication import SUPPOSED, Authentication, AuthenticationRules, PermitNeeds
from mailreeve.policy.model.facts import Directory, MessageFacts, User
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
)
from mailreeve.policy.model.targets import Target, TargetType

ADDRESSES = tuple(
    map(
        parse_address,
        (
            "a@corp.test",
            "a+t@corp.test",
            "al@corp.test",
            "b@old.test",
            "c@old.test",
            "a@x.test",
            "b@x.test",
            "f@free.test",
            "a%x.test@corp.test",
            "al+t@corp.test",
            "bob@corp.test",
            "c+t+u@corp.test",
            "a+t@x.test",
            "d@sub.x.test",
            "e@very.deep.x.test",
            "g@far.example",
        ),
    )
)
NAMES = ("", "jo doe")
DIRECTORY = Directory(
    internal_domains=frozenset({Domain("corp.test"), Domain("old.test")}),
    known_only=frozenset({Domain("old.test")}),
    users={
        "a@corp.test": User("a@corp.test", {"1": "sales"}),
        "al@corp.test": User("a@corp.test", {"1": "sales"}),
        "b@old.test": User("b@old.test"),
        "bob@corp.test": User("b@old.test"),
        "c+t@corp.test": User("a@corp.test", {"1": "sales"}),
    },
    groups={
        "a@x.test": ("low",),
        "free.test": ("ring1",),
        ".deep.x.test": ("low", "ring2"),
        ".old.test": ("below",),
        ".test": ("all",),
        "al@corp.test": ("top",),
        "a@corp.test": ("top", "low"),
        "b+t@old.test": ("nobody",),
    },
    parents={"low": "top", "ring1": "ring2", "ring2": "ring1"},
    free_mail=frozenset({"free.test"}),
)
RELAY = (parse_network("127.0.0.0/8"),)
SOURCES = (
    None,
    parse_ip("127.0.0.1"),
    parse_ip("127.0.0.9"),
    parse_ip("192.0.2.5"),
    ip_address("::ffff:192.0.2.6"),
    parse_ip("::1"),
)
NETWORKS = (parse_network("192.0.2.5/24"), parse_network("127.0.0.1"), parse_network("::/64"))
TIMES = (-inf, 10.0, 20.0, inf)

T = TargetType
TARGETS = (
    Target.of(T.EVERYONE),
    Target.of(T.INTERNAL_ADDRESSES),
    Target.of(T.EXTERNAL_ADDRESSES),
    Target.of(T.FREE_MAIL_DOMAINS),
    *(Target.of(T.EMAIL_DOMAIN, domain) for domain in ("corp.test", "x.test")),
    *(Target.of(T.PROFILE_GROUP, group) for group in ("low", "top", "ring2", "nobody")),
    Target.of(T.ADDRESS_ATTRIBUTE_VALUE, "sales", "1"),
    *(Target.of(T.INDIVIDUAL_EMAIL_ADDRESS, key) for key in ("a@corp.test", "a@x.test", "b@old.test")),
    Target.of(T.HEADER_DISPLAY_NAME, "jo doe"),
    *(Target.of(T.INDIVIDUAL_EMAIL_ADDRESS, key) for key in ("al@corp.test", "a+t@corp.test", "a+t@x.test")),
    *(Target.of(T.EMAIL_DOMAIN, domain) for domain in (".x.test", ".test", ".old.test")),
    *(Target.of(T.PROFILE_GROUP, group) for group in ("below", "all")),
)

targets = st.sampled_from(TARGETS)
# Wide targets and simple scopes more often than not: then policies meet.
wide = st.sampled_from(TARGETS[:3])
rarely = st.integers(0, 4).map(lambda n: n == 0)
scopes = st.builds(
    Scope.of,
    from_=wide | targets,
    to=wide | targets,
    from_part=st.sampled_from(FromPart),
    networks=st.just(()) | st.just(()) | st.lists(st.sampled_from(NETWORKS), max_size=2).map(tuple),
    starts=st.just(-inf) | st.sampled_from(TIMES),
    ends=st.just(inf) | st.sampled_from(TIMES),
    override=rarely,
    bidirectional=st.booleans(),
    enabled=rarely.map(lambda rare: not rare),
)
created = st.sampled_from((1.0, 2.0))


def policies_of(kind, **fields):
    built = st.builds(
        lambda scope, created, **rest: kind(id="", description="", scope=scope, created=created, **rest),
        scope=scopes,
        created=created,
        **fields,
    )
    return st.lists(built, max_size=8).map(
        lambda found: [
            replace(policy, id=f"{kind.__name__}{number:02}", description=f"no. {number}")
            for number, policy in enumerate(found)
        ]
    )


blocked_lists = policies_of(BlockedSenderPolicy, option=st.sampled_from(BlockedOption), relay_guard=rarely)
permitted_lists = policies_of(PermittedSenderPolicy)
alteration_lists = policies_of(AlterationPolicy, set_id=st.sampled_from(("S1", "S2")))
managed_lists = st.dictionaries(
    st.tuples(
        st.sampled_from(("a@corp.test", "b@old.test")),
        st.sampled_from(("a@x.test", "b@x.test", "x.test", "a@corp.test", "corp.test", ".x.test", ".test")),
    ),
    st.tuples(
        st.sampled_from(ManagedAction), st.sampled_from((inf, inf, 10.0, 20.0)), st.sampled_from((False, True))
    ),
    max_size=5,
).map(
    lambda entries: [
        # An automatic entry permits an address.
        ManagedSender(f"m{number}", recipient, sender, action, ends, auto and action == "permit" and "@" in sender)
        for number, ((recipient, sender), (action, ends, auto)) in enumerate(entries.items())
    ]
)
patterns = st.sampled_from(
    [AddressPattern(*halves) for halves in product(("a", "b", ""), ("corp.test", "old.test", "")) if any(halves)]
)
definition_lists = st.lists(
    st.builds(
        Definition,
        id=st.just(""),
        set_id=st.sampled_from(("", "S1", "S2")),
        address_type=st.sampled_from(AddressType),
        original=patterns,
        new=patterns,
        routing=st.sampled_from(Routing),
    ),
    max_size=6,
).map(lambda found: [replace(one, id=f"d{number}") for number, one in enumerate(found)])


class Account(NamedTuple):
    blocked: list[BlockedSenderPolicy]
    permitted: list[PermittedSenderPolicy]
    managed: list[ManagedSender]
    alteration: list[AlterationPolicy]
    definitions: list[Definition]
    spoofing: Sequence[AntiSpoofingPolicy] = ()
    bypass: Sequence[AntiSpoofingBypassPolicy] = ()
    authentication: AuthenticationRules = AuthenticationRules()

    def asked(self, facts: MessageFacts) -> MessageFacts:
        """The message as it comes to this account: where nobody is asked, nothing is known."""
        return facts if self.authentication.is_judged else replace(facts, authentication=None)

    def policy_set(self) -> PolicySet:
        return PolicySet.build(
            account_id="account",
            revision=1,
            directory=DIRECTORY,
            relay_networks=RELAY,
            **parts(**self._asdict()),
        )


spoofing_lists = policies_of(AntiSpoofingPolicy, option=st.sampled_from(SpoofingOption))
bypass_lists = policies_of(AntiSpoofingBypassPolicy, option=st.sampled_from(BypassOption)).flatmap(
    lambda policies: st.lists(
        st.sampled_from((frozenset(), frozenset({"x.test"}), frozenset({"corp.test", "far.example"}))),
        min_size=len(policies),
        max_size=len(policies),
    ).map(
        lambda domains: [
            replace(one, scope=replace(one.scope, terms=replace(one.scope.terms, spf_domains=held)))
            for one, held in zip(policies, domains, strict=True)
        ]
    )
)
authentication_rules = st.just(AuthenticationRules()) | st.builds(
    AuthenticationRules, st.sampled_from(PermitNeeds), st.booleans()
)
accounts = st.builds(
    Account,
    blocked_lists,
    permitted_lists,
    managed_lists,
    alteration_lists,
    definition_lists,
    spoofing_lists | st.just([]),
    bypass_lists,
    authentication_rules,
)
# Few kinds of policy that turn round and look at the header: here places in the order change with it.
turning_lists = st.lists(
    st.builds(
        lambda from_, to, part, option, created, bidirectional: BlockedSenderPolicy(
            "", "", Scope.of(from_, to, part, bidirectional=bidirectional), option, created
        ),
        *[st.sampled_from([TARGETS[number] for number in (0, 1, 2, 7, 11, 12)])] * 2,
        st.sampled_from(FromPart),
        st.sampled_from(BlockedOption),
        created,
        st.sampled_from((True, True, False)),
    ),
    min_size=2,
    max_size=4,
).map(lambda found: [replace(policy, id=str(number)) for number, policy in enumerate(found)])
turning_accounts = turning_lists.map(lambda blocked: Account(blocked, [], [], [], []))
# Accounts that let in and keep out by what vouches for a sender.
judging_accounts = st.builds(
    lambda permitted, managed, spoofing, bypass, needs: Account(
        [], permitted, managed, [], [], spoofing, bypass, AuthenticationRules(needs, True)
    ),
    permitted_lists,
    managed_lists,
    spoofing_lists,
    bypass_lists,
    st.sampled_from(PermitNeeds),
)
# And accounts where only the personal lists have a say.
personal_accounts = managed_lists.map(lambda managed: Account([], [], managed, [], []))
# Or what alteration leads to.
altering_accounts = st.builds(
    lambda managed, alteration, definitions: Account([], [], managed, alteration, definitions),
    managed_lists,
    alteration_lists,
    definition_lists,
)
small_accounts = turning_accounts | turning_accounts | personal_accounts | altering_accounts | judging_accounts

RESULTS = (
    Authentication(),
    *(Authentication.from_results(spf="pass", spf_domain=one) for one in ("corp.test", "x.test", "sub.x.test")),
    Authentication.from_results(spf="fail", spf_domain="x.test", dkim=[("pass", "x.test"), ("fail", "corp.test")]),
    Authentication.from_results(dkim=[("pass", "mail.corp.test")]),
    Authentication.from_results(spf="softfail", spf_domain="corp.test", dmarc="fail", dmarc_domain="corp.test"),
    Authentication.from_results(dmarc="pass", dmarc_domain="old.test"),
    SUPPOSED,
)
"""What may be known of who sent a message."""
known = st.none() | st.sampled_from(RESULTS)

authors = st.builds(HeaderFrom, st.sampled_from((*ADDRESSES, None)), st.sampled_from(NAMES))
headers = st.lists(authors, max_size=2).map(tuple)
envelopes = st.builds(
    MessageFacts,
    sender=st.sampled_from((*ADDRESSES, NULL_SENDER)),
    recipient=st.sampled_from(ADDRESSES),
    at=st.sampled_from((5.0, 10.0, 15.0, 20.0)),
    source_ip=st.sampled_from(SOURCES),
    source_trusted=st.sampled_from((None, None, True, False)),
)
messages = st.builds(
    lambda facts, header, authentication: replace(facts, header_from=header, authentication=authentication),
    envelopes,
    headers,
    known,
)

# A few people who keep meeting.
people = [HeaderFrom(parse_address(text)) for text in ("a@corp.test", "a@x.test", "b@x.test", "b@old.test")]
close_messages = st.builds(
    MessageFacts,
    sender=st.sampled_from([person.address for person in people]),
    recipient=st.sampled_from([people[number].address for number in (0, 0, 0, 1, 3)]),
    at=st.just(5.0),
    header_from=st.lists(st.sampled_from(people), max_size=2).map(tuple),
    authentication=known,
    source_trusted=st.sampled_from((True, True, False)),
)
