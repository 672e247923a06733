"""Mail decisions held against a plain reading of the rules.

`expected` below reads behaviour.md sections 2 to 5 naively: every policy is looked at, nothing is
indexed, and no code of the engine is used beyond its values. Hypothesis draws small accounts in which
policies collide often.
"""

from __future__ import annotations

from ipaddress import ip_address
from itertools import product
from math import inf
from typing import NamedTuple

from hypothesis import event, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from mailreeve.policy.addresses import NULL_SENDER, Address, Domain, parse_address
from mailreeve.policy.decide import decide_connect, decide_mail
from mailreeve.policy.decisions import Layer, PolicyType, Stage, Verdict
from mailreeve.policy.facts import Directory, HeaderFrom, MessageFacts, User, parse_ip
from mailreeve.policy.networks import parse_network
from mailreeve.policy.policies import (
    AddressPattern,
    AddressType,
    AlterationPolicy,
    BlockedOption,
    BlockedSenderPolicy,
    Definition,
    FromPart,
    ManagedAction,
    ManagedSender,
    PermittedSenderPolicy,
    Routing,
    Scope,
)
from mailreeve.policy.policy_set import PolicySet
from mailreeve.policy.targets import Target, TargetType

# ---------------------------------------------------------------------------- a small world

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
    },
    groups={"a@x.test": ("low",), "free.test": ("ring1",), "a@corp.test": ("top", "low")},
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
    Target(T.EVERYONE),
    Target(T.INTERNAL_ADDRESSES),
    Target(T.EXTERNAL_ADDRESSES),
    Target(T.FREE_MAIL_DOMAINS),
    *(Target(T.EMAIL_DOMAIN, domain) for domain in ("corp.test", "x.test")),
    *(Target(T.PROFILE_GROUP, group) for group in ("low", "top", "ring2", "nobody")),
    Target(T.ADDRESS_ATTRIBUTE_VALUE, "sales", "1"),
    *(Target(T.INDIVIDUAL_EMAIL_ADDRESS, key) for key in ("a@corp.test", "a@x.test", "b@old.test")),
    Target(T.HEADER_DISPLAY_NAME, "jo doe"),
)

targets = st.sampled_from(TARGETS)
# Wide targets and simple scopes more often than not: then policies meet.
wide = st.sampled_from(TARGETS[:3])
rarely = st.integers(0, 4).map(lambda n: n == 0)
scopes = st.builds(
    Scope,
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
        st.sampled_from(("a@x.test", "b@x.test", "x.test", "a@corp.test", "corp.test")),
    ),
    st.sampled_from(ManagedAction),
    max_size=5,
).map(
    lambda entries: [
        ManagedSender(f"m{number}", recipient, sender, action)
        for number, ((recipient, sender), action) in enumerate(entries.items())
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

    def policy_set(self) -> PolicySet:
        return PolicySet.build(
            account_id="account",
            revision=1,
            directory=DIRECTORY,
            relay_networks=RELAY,
            **self._asdict(),
        )


accounts = st.builds(Account, blocked_lists, permitted_lists, managed_lists, alteration_lists, definition_lists)
# Few kinds of policy that turn round and look at the header: here places in the order change with it.
turning_lists = st.lists(
    st.builds(
        lambda from_, to, part, option, created, bidirectional: BlockedSenderPolicy(
            "", "", Scope(from_, to, part, bidirectional=bidirectional), option, created
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
# And accounts where only the personal lists have a say.
personal_accounts = managed_lists.map(lambda managed: Account([], [], managed, [], []))
# Or what alteration leads to.
altering_accounts = st.builds(
    lambda managed, alteration, definitions: Account([], [], managed, alteration, definitions),
    managed_lists,
    alteration_lists,
    definition_lists,
)
small_accounts = turning_accounts | turning_accounts | personal_accounts | altering_accounts

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
    lambda facts, header, authenticated: replace(facts, header_from=header, authenticated=authenticated),
    envelopes,
    headers,
    st.sampled_from((None, False, True)),
)

# A few people who keep meeting.
people = [HeaderFrom(parse_address(text)) for text in ("a@corp.test", "a@x.test", "b@x.test", "b@old.test")]
close_messages = st.builds(
    MessageFacts,
    sender=st.sampled_from([person.address for person in people]),
    recipient=st.sampled_from([people[number].address for number in (0, 0, 0, 1, 3)]),
    at=st.just(5.0),
    header_from=st.lists(st.sampled_from(people), max_size=2).map(tuple),
    authenticated=st.sampled_from((None, False, True)),
    source_trusted=st.just(True),
)

# ------------------------------------------------------------------ the rules, read naively


def groups_of(key):
    found = set()
    todo = list(DIRECTORY.groups.get(key, ()))
    while todo:
        group = todo.pop()
        if group not in found:
            found.add(group)
            if group in DIRECTORY.parents:
                todo.append(DIRECTORY.parents[group])
    return found


def user_of(address):
    local, _, domain = address.key.partition("@")
    return DIRECTORY.users.get(address.key) or DIRECTORY.users.get(f"{local.partition('+')[0]}@{domain}")


def is_internal(address):
    return isinstance(address, Address) and address.domain in DIRECTORY.internal_domains


def is_met(target, address):
    """Whether the target matches; an address that is missing counts as the null sender."""
    real = isinstance(address, Address)
    match target.type:
        case T.EVERYONE:
            return True
        case T.EXTERNAL_ADDRESSES:
            return not is_internal(address)
        case T.INTERNAL_ADDRESSES:
            return is_internal(address)
        case T.FREE_MAIL_DOMAINS:
            return real and address.domain == "free.test"
        case T.EMAIL_DOMAIN:
            return real and address.domain == target.value
        case T.INDIVIDUAL_EMAIL_ADDRESS:
            return real and address.key == target.value
        case T.PROFILE_GROUP:
            return real and target.value in groups_of(address.key) | groups_of(address.domain)
        case T.ADDRESS_ATTRIBUTE_VALUE:
            user = user_of(address) if real else None
            return user is not None and user.attributes.get(target.attribute) == target.value
    return False


def plain_ip(facts):
    ip = facts.source_ip
    return getattr(ip, "ipv4_mapped", None) or ip


def is_trusted(facts):
    """Said so, or connecting from a relay network; no address is in none."""
    if facts.source_trusted is not None:
        return facts.source_trusted
    ip = plain_ip(facts)
    return ip is not None and any(ip in network for network in RELAY)


def applies(policy, facts):
    """(part, swapped) if the policy applies, else None: behaviour.md section 2.12."""
    scope, ip = policy.scope, plain_ip(facts)
    if not scope.enabled or not scope.starts <= facts.at < scope.ends:
        return None
    if scope.networks and not any(ip is not None and ip in network for network in scope.networks):
        return None
    if getattr(policy, "relay_guard", False) and facts.sender == NULL_SENDER and is_trusted(facts):
        return None
    for swapped in (False, True) if scope.bidirectional else (False,):
        source, goal = (scope.to, scope.from_) if swapped else (scope.from_, scope.to)
        if not is_met(goal, facts.recipient):
            continue
        named = source.type is T.HEADER_DISPLAY_NAME
        if named or scope.from_part is not FromPart.ENVELOPE_FROM:
            for author in facts.header_from or (HeaderFrom(None),):
                if author.display_name == source.value if named else is_met(source, author.address):
                    return FromPart.HEADER_FROM, swapped
        if not named and scope.from_part is not FromPart.HEADER_FROM and is_met(source, facts.sender):
            return FromPart.ENVELOPE_FROM, swapped
    return None


RANKS = (
    T.EVERYONE,
    T.INTERNAL_ADDRESSES,
    T.EXTERNAL_ADDRESSES,
    T.FREE_MAIL_DOMAINS,
    T.EMAIL_DOMAIN,
    T.PROFILE_GROUP,
    T.ADDRESS_ATTRIBUTE_VALUE,
    T.INDIVIDUAL_EMAIL_ADDRESS,
)


def place(policy, swapped):
    scope = policy.scope
    sides = [
        RANKS.index(T.INDIVIDUAL_EMAIL_ADDRESS if side.type is T.HEADER_DISPLAY_NAME else side.type)
        for side in (scope.from_, scope.to)
    ]
    if swapped:
        sides.reverse()
    dated = (scope.starts, scope.ends) != (-inf, inf)
    ranks = (max(sides), min(sides), sides[0])
    return (scope.override, ranks, bool(scope.networks), dated, policy.created, policy.id)


def best(policies, facts):
    """The winner with its part and direction, or None."""
    found = [(policy, how) for policy in policies if (how := applies(policy, facts)) is not None]
    return max(found, key=lambda item: place(item[0], item[1][1]), default=None)


def rewritten(account, facts, set_id):
    """The envelope recipient after alteration."""
    address = facts.recipient
    local, _, domain = address.key.rpartition("@")
    inbound = is_internal(address)
    outbound = not inbound and is_internal(facts.sender)
    for folder in (set_id, ""):
        hits = []
        for one in account.definitions:
            half, other = one.original.local, one.original.domain
            if (
                one.set_id != folder
                or half not in ("", local)
                or other not in ("", domain)
                or (not other and not inbound)
                or one.address_type not in (AddressType.ALL, AddressType.ENVELOPE_TO)
                or (one.routing is Routing.INBOUND and not inbound)
                or (one.routing is Routing.OUTBOUND and not outbound)
            ):
                continue
            shape = 2 if half and other else 1 if half else 0
            hits.append((shape, one.address_type != "all", one.routing != "all", one.id, one))
        if hits:
            new = max(hits, key=lambda hit: hit[:4])[4].new
            return parse_address(f"{new.local or address.local}@{new.domain or address.domain}")
    return address


def personal(account, facts, effective):
    """(entry, part) of the personal entry that decides, or None."""
    user = user_of(effective)
    local, _, domain = effective.key.partition("@")
    key = user.primary if user else f"{local.partition('+')[0]}@{domain}"
    senders = [(facts.sender, FromPart.ENVELOPE_FROM)]
    senders += [(author.address, FromPart.HEADER_FROM) for author in facts.header_from or ()]
    hits = []
    for sender, part in senders:  # of equal hits the first author's counts
        for entry in account.managed:
            if entry.recipient != key or not isinstance(sender, Address):
                continue
            if entry.sender not in (sender.key, sender.domain):
                continue
            inside = entry.sender.endswith(("corp.test", "old.test"))
            if entry.action is ManagedAction.PERMIT and inside and facts.authenticated is not True:
                continue
            hits.append((entry, part))
    return max(
        hits,
        key=lambda hit: ("@" in hit[0].sender, hit[0].action == "block", hit[1] == "envelope_from"),
        default=None,
    )


class Expected(NamedTuple):
    layer: Layer
    reply: str | None
    spam_skipped: bool
    recipient: str
    winners: dict[PolicyType, str | None]


def expected(account, facts):
    blocked, permitted = best(account.blocked, facts), best(account.permitted, facts)
    alteration = best(account.alteration, facts)
    effective = rewritten(account, facts, alteration[0].set_id if alteration else "")
    entry = personal(account, facts, effective)
    winners = {
        PolicyType.BLOCKED_SENDERS: blocked and blocked[0].id,
        PolicyType.PERMITTED_SENDERS: permitted and permitted[0].id,
        PolicyType.ADDRESS_ALTERATION: alteration and alteration[0].id,
        PolicyType.MANAGED_SENDERS: entry and entry[0].id,
    }

    def answer(layer, reply=None, skip=False):
        return Expected(layer, reply, skip, str(effective), winners)

    if not is_internal(facts.recipient) and not is_trusted(facts):
        return answer(Layer.RELAY, "451 4.7.1 Open relay not allowed")
    if not is_trusted(facts) and set("@%!:/|") & set(facts.recipient.local):
        return answer(Layer.RELAY, "550 5.1.3 Sender-routed addresses are not taken")
    if facts.recipient.domain == "old.test" and user_of(facts.recipient) is None:
        return answer(Layer.RECIPIENT_VALIDATION, "550 5.1.1 Invalid Recipient")
    if blocked and blocked[0].option is BlockedOption.BLOCK_SENDER:
        if blocked[0].relay_guard:
            reply = "451 4.7.1 Open relay not allowed"
        elif blocked[1][0] is FromPart.HEADER_FROM:
            reply = "550 5.7.1 Rejected by header-based Blocked Senders - block policy for header from"
        else:
            reply = "550 5.7.1 Envelope rejected - block policy for envelope from address"
        return answer(Layer.BLOCKED_SENDERS, reply)
    if permitted:
        return answer(Layer.PERMITTED_SENDERS, skip=True)
    if entry:
        if entry[0].action is ManagedAction.PERMIT:
            return answer(Layer.MANAGED_SENDERS, skip=True)
        if entry[1] is FromPart.HEADER_FROM:
            text = "Rejected by header-based manually Blocked Senders - block for manual block"
        else:
            text = f"Envelope blocked - User {'' if '@' in entry[0].sender else 'Domain '}Entry"
        return answer(Layer.MANAGED_SENDERS, f"550 5.7.1 {text}")
    return answer(Layer.DEFAULT)


def found(decision):
    return Expected(
        decision.layer,
        None if decision.reply is None else str(decision.reply),
        decision.spam_checks == "skip",
        decision.recipient,
        {type_: winner and winner.id for type_, winner in decision.winners.items()},
    )


# ------------------------------------------------------------------------------- properties


@settings(max_examples=120)
@given(accounts, st.lists(messages, min_size=1, max_size=8))
def test_the_index_decides_as_a_naive_reading_of_the_rules(account, mail):
    """Winners of every type, layer, reply, spam checks and effective recipient; refusals at connect apart."""
    policies = account.policy_set()
    for facts in mail:
        wanted = expected(account, facts)
        at_connect = facts.source_ip and decide_connect(policies, facts.source_ip, facts.at)
        if at_connect:
            wanted = wanted._replace(
                layer=Layer.BLOCKED_SENDERS, reply="421 4.7.1 Sender address blocked", spam_skipped=False
            )
            assert at_connect.winners[PolicyType.BLOCKED_SENDERS].id == wanted.winners["blocked_senders"]
        event(f"layer {wanted.layer}")
        assert found(decide_mail(policies, facts)) == wanted


@settings(max_examples=80)
@given(accounts, messages | envelopes)
def test_an_explanation_decides_as_without_one(account, facts):
    """With the trace left out, the two decisions are equal in every field, the stage included."""
    policies = account.policy_set()
    explained = decide_mail(policies, facts, explain=True)
    assert replace(explained, candidates=(), steps=()) == decide_mail(policies, facts)
    for type_, winner in explained.winners.items():
        first = [c.id for c in explained.candidates if c.type is type_ and c.place == 1]
        assert first == ([] if winner is None else [winner.id])


ANY_AUTHOR = [HeaderFrom(address, name) for address, name in product((*ADDRESSES, None), NAMES)]
INSIDER, STRANGER = HeaderFrom(ADDRESSES[0]), HeaderFrom(parse_address("a@x.test"), "jo doe")
OTHERS = (HeaderFrom(parse_address("f@free.test")), HeaderFrom(parse_address("b@x.test")))
HEADERS = [(), *((author,) for author in ANY_AUTHOR), (INSIDER, STRANGER), OTHERS]


def check_certainty(policies, envelope, headers):
    """What was certain before the header was known holds for any; refusals come when they are certain."""
    early = decide_mail(policies, envelope)
    event(f"certain {early.certain}, {early.verdict}")
    for header, authenticated in product(headers, (None, True)):
        facts = replace(envelope, header_from=header, authenticated=authenticated)
        final = decide_mail(policies, facts)
        assert final.certain
        if early.certain:
            assert (final.verdict, final.reply) == (early.verdict, early.reply)
            if early.verdict is Verdict.DELIVER:
                assert (final.spam_checks, final.recipient) == (early.spam_checks, early.recipient)
        if final.verdict is Verdict.REJECT and final.stage is not Stage.CONNECT:
            assert final.stage is (Stage.RCPT if early.certain else Stage.DATA)


@settings(max_examples=80)
@given(accounts, envelopes)
def test_what_is_certain_at_rcpt_holds_for_any_header(account, envelope):
    """D-07: verdict and reply stay; so do spam checks and effective recipient of a delivery."""
    check_certainty(account.policy_set(), envelope, HEADERS)


@settings(max_examples=350)
@given(small_accounts, st.lists(close_messages, min_size=3, max_size=6))
def test_few_policies_of_one_kind_among_few_people_decide_as_a_naive_reading(account, mail):
    """The rare cases of each kind, which large accounts hide: turned policies, two faces, two sets."""
    policies = account.policy_set()
    for facts in mail:
        assert found(decide_mail(policies, facts)) == expected(account, facts)


@settings(max_examples=350)
@given(small_accounts, close_messages)
def test_few_policies_of_one_kind_among_few_people_are_certain_for_any_header(account, facts):
    """The same rare cases for D-07."""
    envelope = replace(facts, header_from=None, authenticated=None)
    check_certainty(account.policy_set(), envelope, [(), *((person,) for person in people)])


@settings(max_examples=80)
@given(blocked_lists, envelopes)
def test_a_doubt_about_an_admin_block_is_a_real_one_unless_both_parts_or_directions_count(blocked, envelope):
    """The engine does not wait without need: some header changes the outcome wherever it says so.

    Left out are policies for which it knowingly waits too often: those that would need a header that
    matches two narrow targets at once, and those that turn round.
    """
    simple = [
        replace(
            policy,
            scope=replace(
                policy.scope,
                bidirectional=False,
                from_part=FromPart.ENVELOPE_FROM if number else FromPart.HEADER_FROM,
                from_=policy.scope.from_ if number else Target(T.INDIVIDUAL_EMAIL_ADDRESS, "a@x.test"),
            ),
        )
        for number, policy in enumerate(blocked)
        if policy.scope.from_.type is not T.HEADER_DISPLAY_NAME
    ]
    policies = Account(simple, [], [], [], []).policy_set()
    early = decide_mail(policies, envelope)
    if not early.certain:
        outcomes = {decide_mail(policies, replace(envelope, header_from=header)).reply for header in HEADERS}
        assert len(outcomes) > 1


@settings(max_examples=120)
@given(
    st.lists(
        st.builds(
            lambda networks, **fields: Scope(networks=networks, **fields),
            networks=st.sampled_from(((), NETWORKS[:1], NETWORKS[:1])),
            from_=st.just(Target(T.EVERYONE)) | targets,
            to=st.just(Target(T.EVERYONE)),
            override=st.booleans(),
            bidirectional=rarely,
            ends=st.sampled_from((10.0, inf, inf)),
            from_part=st.just(FromPart.ENVELOPE_FROM) | st.sampled_from(FromPart),
        ),
        min_size=1,
        max_size=4,
    ),
    st.lists(
        st.sampled_from((BlockedOption.BLOCK_SENDER,) * 3 + (BlockedOption.NO_ACTION,)), min_size=4, max_size=4
    ),
    st.lists(messages | envelopes, min_size=1, max_size=10),
)
def test_a_refusal_at_connect_is_the_refusal_of_every_message_from_there(scopes_drawn, options, mail):
    """Every message is refused by the same policy, and by nothing else in a naive reading."""
    blocked = [
        BlockedSenderPolicy(str(number), "", scope, option, float(number))
        for number, (scope, option) in enumerate(zip(scopes_drawn, options, strict=False))
    ]
    account = Account(blocked, [], [], [], [])
    policies = account.policy_set()
    source = parse_ip("192.0.2.5")
    for drawn in mail:
        facts = replace(drawn, source_ip=source)
        refusal = decide_connect(policies, source, facts.at)
        event(f"refused at connect: {refusal is not None}")
        decision = decide_mail(policies, facts)
        if refusal is None:
            assert decision.stage is not Stage.CONNECT
        else:
            same = (refusal.verdict, refusal.stage, refusal.reply, refusal.layer, refusal.description)
            assert same == (
                decision.verdict,
                decision.stage,
                decision.reply,
                decision.layer,
                decision.description,
            )
            winner = best(blocked, facts)[0].id
            assert refusal.winners[PolicyType.BLOCKED_SENDERS].id == winner
            assert decision.winners[PolicyType.BLOCKED_SENDERS].id == winner


@settings(max_examples=25)
@given(accounts, accounts, messages)
def test_a_changed_set_decides_as_one_built_anew(before, after, facts):
    """`changed` re-indexes exactly the parts it is given."""
    rebuilt = after.policy_set()
    changed = before.policy_set().changed(revision=1, **after._asdict())
    assert decide_mail(changed, facts) == decide_mail(rebuilt, facts)
    mixed = before.policy_set().changed(revision=1, permitted=after.permitted, managed=after.managed)
    fresh = before._replace(permitted=after.permitted, managed=after.managed).policy_set()
    assert decide_mail(mixed, facts) == decide_mail(fresh, facts)
