"""The rules read naively: what the property tests hold the engine against.

`NaiveRules` reads behaviour.md sections 2 to 5: every policy is looked at, nothing is indexed, and no code of the
engine is used beyond its values.
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from msgspec.structs import replace

from mailreeve.formats.addresses import NULL_SENDER, Address, parse_address
from mailreeve.formats.authors import HeaderFrom
from mailreeve.policy.model.decisions import Stage
from mailreeve.policy.model.policies import (
    AddressType,
    BlockedOption,
    BypassOption,
    FromPart,
    ManagedAction,
    Routing,
)
from mailreeve.policy.model.policy_types import Layer, PolicyType
from mailreeve.policy.model.targets import TargetType
from mailreeve.policy.model.trace import Unmet

T = TargetType
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

AGAINST_SPOOFING = (PolicyType.ANTI_SPOOFING, PolicyType.ANTI_SPOOFING_BYPASS)


class Expected(NamedTuple):
    layer: Layer
    reply: str | None
    spam_skipped: bool
    recipient: str
    winners: dict[PolicyType, str | None]


def plain_ip(facts):
    ip = facts.source_ip
    return getattr(ip, "ipv4_mapped", None) or ip


def is_at(named, domain):
    """Whether a domain is the one that is named, or with a dot in front one that ends so."""
    return domain == named or (named[0] == "." and (domain == named[1:] or domain.endswith(named)))


def narrowness(target):
    """The longer a domain with everything below it, the narrower; always between free mail and one domain."""
    if target.type is T.EMAIL_DOMAIN and target.value[0] == ".":
        return RANKS.index(T.FREE_MAIL_DOMAINS) + len(target.value.split(".")[1:]) / 100
    return RANKS.index(T.INDIVIDUAL_EMAIL_ADDRESS if target.type is T.HEADER_DISPLAY_NAME else target.type)


def place(policy, is_reversed):
    scope = policy.scope
    sides = [narrowness(scope.from_), narrowness(scope.to)]
    if is_reversed:
        sides.reverse()
    dated = (scope.terms.starts, scope.terms.ends) != (-inf, inf)
    ranks = (max(sides), min(sides), sides[0])
    return (scope.terms.override, ranks, bool(scope.terms.networks), dated, policy.created, policy.id)


def personal_place(hit):
    entry, part = hit
    name = entry.sender
    narrowness = 1000 if "@" in name else 500 if name[0] != "." else name.count(".")
    if entry.is_auto:  # D-15: below whatever the user said
        narrowness = 0
    return narrowness, entry.action == "block", part == "envelope_from"


def sort_key(policy, is_reversed):
    """The same as a flat tuple, as explanations show it."""
    override, ranks, networks, dated, created, id_ = place(policy, is_reversed)
    return (int(override), *(rank + 1 for rank in ranks), int(networks), int(dated), created, id_)


class NaiveRules:
    """The rules, for one directory and one set of relay networks."""

    def __init__(self, directory, relay):
        self.directory = directory
        self.relay = relay

    def groups_of(self, address):
        """Groups are of people: whoever stands for a member is in them, and whoever a member stands for. Besides,
        those that hold the domain of the address, or of whom it stands for."""
        person = self.persons(address.key)[-1]
        found = set()
        todo = []
        for member, held in self.directory.groups.items():
            if "@" in member:
                counts = self.persons(member)[-1] == person
            else:
                counts = any(is_at(member, key.rpartition("@")[2]) for key in self.persons(address.key))
            if counts:
                todo += held
        while todo:
            group = todo.pop()
            if group not in found:
                found.add(group)
                if group in self.directory.parents:
                    todo.append(self.directory.parents[group])
        return found

    def persons(self, key):
        """The address and those that it stands for (D-53): in an internal domain the one without its tag, or with
        the longest part of it that is somebody's; then the primary one of an alias."""
        found = [key]
        local, _, domain = key.rpartition("@")
        parts = local.split("+")
        if key not in self.directory.users and domain in self.directory.internal_domains and parts[0]:
            shorter = ["+".join(parts[:count]) + f"@{domain}" for count in range(1, len(parts))]
            known = [each for each in shorter if each in self.directory.users]
            found += known[-1:] or shorter[:1]
        user = self.directory.users.get(found[-1])
        if user is not None and user.primary != found[-1]:
            found.append(user.primary)
        return found

    def user_of(self, address):
        persons = self.persons(address.key)
        return next((self.directory.users[key] for key in persons if key in self.directory.users), None)

    def meanings(self, address):
        """The address, and those that it stands for."""
        if not isinstance(address, Address):
            return [address]
        return [address, *(parse_address(key) for key in self.persons(address.key)[1:])]

    def is_internal(self, address):
        return isinstance(address, Address) and address.domain in self.directory.internal_domains

    def is_met(self, target, address):
        """Whether the target matches the address or one that it stands for."""
        return any(self.is_met_itself(target, one) for one in self.meanings(address))

    def is_met_itself(self, target, address):
        """Whether the target matches; an address that is missing counts as the null sender."""
        real = isinstance(address, Address)
        match target.type:
            case T.EVERYONE:
                return True
            case T.EXTERNAL_ADDRESSES:
                return not self.is_internal(address)
            case T.INTERNAL_ADDRESSES:
                return self.is_internal(address)
            case T.FREE_MAIL_DOMAINS:
                return real and address.domain in self.directory.free_mail
            case T.EMAIL_DOMAIN:
                return real and is_at(target.value, address.domain)
            case T.INDIVIDUAL_EMAIL_ADDRESS:
                return real and address.key == target.value
            case T.PROFILE_GROUP:
                return real and target.value in self.groups_of(address)
            case T.ADDRESS_ATTRIBUTE_VALUE:
                user = self.user_of(address) if real else None
                return user is not None and user.attributes.get(target.attribute) == target.value
        return False

    def is_trusted(self, facts):
        """Said so, or connecting from a relay network; no address is in none."""
        if facts.source_trusted is not None:
            return facts.source_trusted
        ip = plain_ip(facts)
        return ip is not None and any(ip in network for network in self.relay)

    def vouches_for(self, known, domain):
        """Whether DMARC passes for the domain, or SPF or a signature does for its organisation: in this world a
        domain's last two labels."""
        if known.is_supposed:
            return True
        passed = [one.domain for one in known.dkim if one.result == "pass"]
        passed += [known.spf_domain] if known.spf == "pass" else []
        return (known.dmarc == "pass" and known.dmarc_domain == domain) or any(
            one.split(".")[-2:] == domain.split(".")[-2:] for one in passed
        )

    def is_vouched_for(self, facts, part):
        """SPF for the envelope sender; whatever is aligned for all authors."""
        known = facts.authentication
        if known is None:
            return False
        if part is FromPart.HEADER_FROM:
            addresses = [author.address for author in facts.header_from or ()]
            return bool(addresses) and all(
                one is not None and self.vouches_for(known, one.domain) for one in addresses
            )
        if known.is_supposed:
            return True
        spf_alone = replace(known, dkim=(), dmarc=None)
        return isinstance(facts.sender, Address) and self.vouches_for(spf_alone, facts.sender.domain)

    def permit_counts(self, facts, rules, part, inside):
        known = facts.authentication
        if rules.permits == "never" and not inside:
            return True
        if rules.permits == "when_known" and not inside:
            if known is None and not rules.is_judged:
                return True
            if part is FromPart.ENVELOPE_FROM and known and known.spf is None and (known.dkim or known.dmarc):
                return True
        return self.is_vouched_for(facts, part)

    def permits_by(self, policy, source, part, facts, rules):
        """Whether a permit that names this side of the message counts by it."""
        if policy.scope.terms.networks:
            return True
        addresses = [facts.sender]
        if part is FromPart.HEADER_FROM:
            addresses = [author.address for author in facts.header_from] or [None]
        # Who stands for somebody inside would be met by what names that one, wherever the alias itself is.
        inside = any(self.is_internal(one) for address in addresses for one in self.meanings(address))
        if inside and all(map(self.is_internal, addresses)) and self.is_trusted(facts):
            return True
        if self.permit_counts(facts, rules, part, inside):
            return True
        return not inside and source.type in (T.EVERYONE, T.EXTERNAL_ADDRESSES)

    def is_spoofed(self, facts):
        """Mail from outside that claims somebody inside whom nothing that is known vouches for."""
        known = facts.authentication
        claimed = [facts.sender, *(author.address for author in facts.header_from or ())]
        return (
            known is not None
            and not self.is_trusted(facts)
            and any(self.is_internal(one) and not self.vouches_for(known, one.domain) for one in claimed)
        )

    def spf_is_missing(self, policy, facts):
        """Whether the policy asks for SPF to pass for one of its domains, and it does not."""
        known, domains = facts.authentication, policy.scope.terms.spf_domains
        if not domains or (known is not None and known.is_supposed):
            return False
        return known is None or known.spf != "pass" or known.spf_domain not in domains

    def applies(self, policy, facts, rules=None):
        """(part, is_reversed) if the policy applies, else None: behaviour.md section 2.12. A permit counts by what
        `rules` say, without which it does by whatever it names."""
        scope, terms, ip = policy.scope, policy.scope.terms, plain_ip(facts)
        if not terms.enabled or not terms.starts <= facts.at < terms.ends:
            return None
        if terms.networks and not any(ip is not None and ip in network for network in terms.networks):
            return None
        if self.spf_is_missing(policy, facts):
            return None
        if getattr(policy, "relay_guard", False) and facts.sender == NULL_SENDER and self.is_trusted(facts):
            return None
        if policy.type in AGAINST_SPOOFING and not self.is_spoofed(facts):
            return None
        asks = rules is not None and policy.type is PolicyType.PERMITTED_SENDERS
        for is_reversed in (False, True) if terms.bidirectional else (False,):
            source, goal = (scope.to, scope.from_) if is_reversed else (scope.from_, scope.to)
            if not self.is_met(goal, facts.recipient):
                continue
            named = source.type is T.HEADER_DISPLAY_NAME
            if named or terms.from_part is not FromPart.ENVELOPE_FROM:
                unseen = facts.header_from is None
                for author in () if unseen else facts.header_from or (HeaderFrom(None),):
                    met = author.display_name == source.value if named else self.is_met(source, author.address)
                    if met and (not asks or self.permits_by(policy, source, FromPart.HEADER_FROM, facts, rules)):
                        return FromPart.HEADER_FROM, is_reversed
            by_envelope = not named and terms.from_part is not FromPart.HEADER_FROM
            if by_envelope and self.is_met(source, facts.sender):
                if asks and not self.permits_by(policy, source, FromPart.ENVELOPE_FROM, facts, rules):
                    continue
                return FromPart.ENVELOPE_FROM, is_reversed
        return None

    def first_failing(self, policy, facts):
        """The first test of the policy as written that the message does not pass, where the policy does not
        apply: switched on, dates, source, SPF, the guard's exception, spoofed, recipient, sender, and whether that
        counts."""
        scope, terms, ip = policy.scope, policy.scope.terms, plain_ip(facts)
        if not terms.enabled:
            return Unmet.DISABLED
        if facts.at < terms.starts:
            return Unmet.NOT_STARTED
        if facts.at >= terms.ends:
            return Unmet.EXPIRED
        if terms.networks and ip is None:
            return Unmet.SOURCE_UNKNOWN
        if terms.networks and not any(ip in network for network in terms.networks):
            return Unmet.SOURCE_OUTSIDE
        if self.spf_is_missing(policy, facts):
            return Unmet.SPF_DOMAIN
        if getattr(policy, "relay_guard", False) and facts.sender == NULL_SENDER and self.is_trusted(facts):
            return Unmet.BOUNCE
        if policy.type in AGAINST_SPOOFING and not self.is_spoofed(facts):
            return Unmet.NOT_SPOOFED
        if scope.to.type is T.HEADER_DISPLAY_NAME or not self.is_met(scope.to, facts.recipient):
            return Unmet.RECIPIENT
        reads_header = scope.from_.type is T.HEADER_DISPLAY_NAME or terms.from_part is not FromPart.ENVELOPE_FROM
        if reads_header and facts.header_from is None:
            return Unmet.HEADER_UNKNOWN
        one_way = replace(policy, scope=replace(scope, terms=replace(terms, bidirectional=False)))
        named = policy.type is PolicyType.PERMITTED_SENDERS and self.applies(one_way, facts)
        return Unmet.UNAUTHENTICATED if named else Unmet.SENDER

    def trace(self, policies, facts, rules=None):
        """What an explanation lists of one type: those that apply by their places, then the others by what their
        places would be. Of each its id, first failing test, place, sort key, and how it applied."""
        applying, others = [], []
        for policy in policies:
            how = self.applies(policy, facts, rules)
            key = sort_key(policy, how is not None and how[1])
            (others if how is None else applying).append((key, policy, how))
        applying.sort(key=lambda item: item[0], reverse=True)
        others.sort(key=lambda item: item[0], reverse=True)
        return [(policy.id, None, number, key, how) for number, (key, policy, how) in enumerate(applying, 1)] + [
            (policy.id, self.first_failing(policy, facts), 0, key, None) for key, policy, _ in others
        ]

    def best(self, policies, facts, rules=None):
        """The winner with its part and direction, or None."""
        found = [(policy, how) for policy in policies if (how := self.applies(policy, facts, rules)) is not None]
        return max(found, key=lambda item: place(item[0], item[1][1]), default=None)

    def rewritten(self, account, facts, set_id):
        """The envelope recipient after alteration."""
        address = facts.recipient
        local, _, domain = address.key.rpartition("@")
        inbound = self.is_internal(address)
        outbound = not inbound and self.is_internal(facts.sender)
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

    def personal_trace(self, account, facts, effective):
        """(entry, failing test, place) of the entries of the list that the message obeys: those that apply, by
        their places, and the others."""
        key, hits, ignored = self.personal_hits(account, facts, effective)
        best = {}
        for entry, part in sorted(hits, key=personal_place, reverse=True):
            best.setdefault(entry.id, (entry, part))
        applying = [(entry.id, None, number) for number, (entry, _) in enumerate(best.values(), 1)]
        return applying, {
            (entry.id, self.unmet_by(entry, facts, ignored), 0)
            for entry in account.managed
            if entry.recipient == key and entry.id not in best
        }

    def unmet_by(self, entry, facts, ignored):
        """The first test that a personal entry does not pass."""
        if entry.ends <= facts.at:
            return Unmet.EXPIRED
        return Unmet.UNAUTHENTICATED if entry.id in ignored else Unmet.SENDER

    def personal(self, account, facts, effective):
        """(entry, part) of the personal entry that decides, or None."""
        _, hits, _ = self.personal_hits(account, facts, effective)
        return max(hits, key=personal_place, default=None)

    def personal_hits(self, account, facts, effective):
        """Whose list the message obeys, which entries name a sender, and the ids of those that do not count."""
        key = self.persons(effective.key)[-1]
        senders = [(facts.sender, FromPart.ENVELOPE_FROM)]
        senders += [(author.address, FromPart.HEADER_FROM) for author in facts.header_from or ()]
        hits, ignored = [], set()
        for sender, part in senders:  # of equal hits the first author's counts
            for entry in account.managed:
                if entry.recipient != key or entry.ends <= facts.at or not isinstance(sender, Address):
                    continue
                if not any(
                    entry.sender == one.key or is_at(entry.sender, one.domain) for one in self.meanings(sender)
                ):
                    continue
                inside = entry.sender.rpartition("@")[2] in self.directory.internal_domains
                if entry.sender[0] == ".":
                    inside = self.is_internal(sender)
                inside = inside or entry.sender in (key, effective.key, facts.recipient.key)  # section 4.4
                if entry.action is ManagedAction.PERMIT and not self.permit_counts(
                    facts, account.authentication, part, inside
                ):
                    ignored.add(entry.id)
                    continue
                hits.append((entry, part))
        return key, hits, ignored

    def expected(self, account, facts):
        blocked = self.best(account.blocked, facts)
        permitted = self.best(account.permitted, facts, account.authentication)
        spoofing, bypass = self.best(account.spoofing, facts), self.best(account.bypass, facts)
        alteration = self.best(account.alteration, facts)
        effective = self.rewritten(account, facts, alteration[0].set_id if alteration else "")
        entry = self.personal(account, facts, effective)
        winners = {
            PolicyType.BLOCKED_SENDERS: blocked and blocked[0].id,
            PolicyType.PERMITTED_SENDERS: permitted and permitted[0].id,
            PolicyType.ADDRESS_ALTERATION: alteration and alteration[0].id,
            PolicyType.MANAGED_SENDERS: entry and entry[0].id,
            PolicyType.ANTI_SPOOFING: spoofing and spoofing[0].id,
            PolicyType.ANTI_SPOOFING_BYPASS: bypass and bypass[0].id,
            # Nothing is known of the content here; `tests/unit/policy/decide/test_content.py` reads those rules.
            PolicyType.SPAM_SCANNING: None,
        }
        let_past = bypass and bypass[0].option is BypassOption.ENABLE
        spoofed = None if not spoofing or let_past else spoofing[0].option.value

        def answer(layer, reply=None, skip=False):
            if reply is None and spoofed not in (None, "none"):
                layer, skip = Layer.ANTI_SPOOFING, False
                reply = "550 5.7.1 Anti-Spoofing policy - Inbound not allowed" if spoofed == "reject" else None
            return Expected(layer, reply, skip, str(effective), winners)

        if not self.is_internal(facts.recipient) and not self.is_trusted(facts):
            return answer(Layer.RELAY, "451 4.7.1 Open relay not allowed")
        if not self.is_trusted(facts) and set("@%!:/|") & set(facts.recipient.local):
            return answer(Layer.RELAY, "550 5.1.3 Sender-routed addresses are not taken")
        if facts.recipient.domain in self.directory.known_only and self.user_of(facts.recipient) is None:
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

    def was_given_before(self, account, facts, decision):
        """Whether the decision is what a session said at RCPT: the refusal of the same message without its header,
        or with none, by the same policy (D-07). Only where the rules refuse the message with its header too."""
        if decision.stage is not Stage.RCPT or self.expected(account, facts).reply is None:
            return False
        told = found(decision)
        settled = PolicyType(told.layer.value)
        earlier = [
            self.expected(account, replace(facts, header_from=header, authentication=None))
            for header in (None, ())
        ]
        return any(
            told[:3] == early[:3] and told.winners[settled] == early.winners[settled] is not None
            for early in earlier
        )

    def made_from(self, account, facts, decision):
        """The facts that the decision was made from: those of the message, or without its header, or with none, if
        a session refused it as long as that was unknown."""
        told = found(decision)
        without = [replace(facts, header_from=header, authentication=None) for header in (None, ())]
        for early in (facts, *without):
            rules = self.expected(account, early)
            if (told.winners, told.layer, told.recipient) == (rules.winners, rules.layer, rules.recipient):
                return early
        return facts


def found(decision):
    return Expected(
        decision.layer,
        None if decision.reply is None else str(decision.reply),
        decision.spam_checks == "skip",
        decision.recipient,
        {type_: winner and winner.id for type_, winner in decision.winners.items()},
    )
