"""What do the policy engines take that a Python team would reach for?

Both are given every rule of the blocked senders: both targets of each policy, which sender address it looks at,
dates, networks, both directions. So that nothing but their own work is timed, a question comes to them with the
keys of its addresses worked out, those of all groups above included, in the form that costs them least; Mailreeve
and the scan work these out on the clock.

What they lack: Cedar knows permits and forbids and no order among either. So every policy is a permit, Cedar says
which of them apply, and the first of these in our order is picked outside. Casbin takes that order as priorities
and stops at the first policy that applies; its fast variant keeps the rules of a key in a set and loses the order,
so it cannot be asked. Both look at policy after policy.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from importlib.metadata import version
from math import inf
from typing import Any

import casbin
import cedarpy
from casbin.persist import Adapter
from msgspec import Struct

from mailreeve.formats.addresses import NullSender
from mailreeve.formats.networks import parse_network, within
from mailreeve.policy.index.matching import Case, case_of, policy_order
from mailreeve.policy.model.order import Order
from mailreeve.policy.model.policies import BlockedOption, BlockedSenderPolicy, FromPart
from mailreeve.policy.model.targets import Target, TargetType
from rig import worlds
from rig.apart import resident, timed
from rig.engines import KNOWN, Measured, directory_of, same


class Rule(Struct, frozen=True, gc=False):
    """A policy in one of its directions, as the general engines are given it."""

    policy: BlockedSenderPolicy
    is_reversed: bool
    sender: Target
    recipient: Target

    @property
    def part(self) -> str:
        """Which sender address is looked at. A display name is a property of the header."""
        name = self.sender.type is TargetType.HEADER_DISPLAY_NAME
        return (FromPart.HEADER_FROM if name else self.policy.scope.terms.from_part).value

    @property
    def order(self) -> Order:
        """The place of the policy in this direction."""
        return policy_order(self.policy, self.is_reversed)


def rules(size: worlds.Size) -> Iterator[Rule]:
    """The blocked senders, those switched off left out."""
    for policy in worlds.blocked(size):
        scope = policy.scope
        if scope.terms.enabled:
            yield Rule(policy, False, scope.from_, scope.to)
            if scope.terms.bidirectional:
                yield Rule(policy, True, scope.to, scope.from_)


def cases(size: worlds.Size, questions: int) -> list[Case]:
    """The questions, each address with its keys."""
    account = directory_of(size)
    return [
        case_of(account.identities, account.relay_networks, facts) for facts in worlds.questions(size, questions)
    ]


def is_bounce(case: Case) -> bool:
    """Whether the relay guard has to let it pass."""
    return case.trusted_source and isinstance(case.facts.sender, NullSender)


def cedar_engine(size: worlds.Size, questions: int, seconds: float) -> Measured:
    """Cedar: a permit for each policy; keys are entities that the addresses are in."""
    before = resident()
    text = "\n".join(map(_cedar_rule, rules(size)))
    began = time.perf_counter()
    policies = cedarpy.PolicySet.from_str(text)
    load = time.perf_counter() - began
    del text
    whole = resident() - before
    ranked = [(rule.order, rule.policy.id, rule.is_reversed) for rule in rules(size)]

    def ask(question: tuple[dict[str, str], Any]) -> str | None:
        request, entities = question
        applying = cedarpy.is_authorized(request, policies, entities).diagnostics.reasons
        found = [ranked[int(name.removeprefix("policy"))] for name in applying]
        # One that applies both ways counts as written.
        written = {id_ for _, id_, is_reversed in found if not is_reversed}
        return max((one for one in found if not one[2] or one[1] not in written), default=(None, None))[1]

    asked = {KNOWN: timed(ask, [_cedar_question(one) for one in cases(size, questions)], seconds, same)}
    return Measured(f"cedarpy {version('cedarpy')}", load, whole, whole, asked)


def _cedar_rule(rule: Rule) -> str:
    terms = rule.policy.scope.terms
    sender, recipient = _cedar_key(rule.sender.key), _cedar_key(rule.recipient.key)
    principal, conditions = "principal", []
    if rule.part == FromPart.ENVELOPE_FROM:
        principal = f"principal in {sender}"
    elif rule.part == FromPart.HEADER_FROM:
        conditions.append(f"context.author in {sender}")
    else:
        conditions.append(f"(context.author in {sender} || principal in {sender})")
    if terms.starts != -inf:
        conditions.append(f"context.at >= {terms.starts:.0f}")
    if terms.ends != inf:
        conditions.append(f"context.at < {terms.ends:.0f}")
    if terms.networks:
        ranges = " || ".join(f'context.source.isInRange(ip("{network}"))' for network in terms.networks)
        conditions.append(f"({ranges})")
    if rule.policy.relay_guard:
        conditions.append("!context.bounce")
    when = f" when {{ {' && '.join(conditions)} }}" if conditions else ""
    return f"permit({principal}, action, resource in {recipient}){when};"


def _cedar_key(key: str) -> str:
    escaped = key.replace("\\", r"\\").replace('"', r"\"").replace("\0", r"\0")
    return f'Key::"{escaped}"'


def _cedar_question(case: Case) -> tuple[dict[str, str], Any]:
    addresses = {"Sender": case.envelope, "Author": case.header, "Recipient": case.recipient}
    entities = [
        {"uid": {"type": name, "id": "it"}, "attrs": {}, "parents": [{"type": "Key", "id": key} for key in keys]}
        for name, keys in addresses.items()
    ]
    context = {
        "author": {"__entity": {"type": "Author", "id": "it"}},
        "at": int(case.at),
        "source": {"__extn": {"fn": "ip", "arg": str(case.source_ip)}},
        "bounce": is_bounce(case),
    }
    request = {
        "principal": 'Sender::"it"',
        "action": 'Action::"send"',
        "resource": 'Recipient::"it"',
        "context": json.dumps(context),
    }
    return request, cedarpy.Entities.from_json_str(json.dumps(entities))


CASBIN_MODEL = """
[request_definition]
r = senders, recipient, at, source, bounce
[policy_definition]
p = priority, part, sender, recipient, starts, ends, networks, guard, id, eft
[policy_effect]
e = priority(p.eft) || deny
[matchers]
m = p.sender in r.senders[p.part] && p.recipient in r.recipient && \
in_force(r.at, r.source, r.bounce, p.starts, p.ends, p.networks, p.guard)
"""


def casbin_engine(size: worlds.Size, questions: int, seconds: float) -> Measured:
    """Casbin: a rule for each policy, our order as its priority."""

    class World(Adapter):  # type: ignore[misc]
        def load_policy(self, model: Any) -> None:
            model["p"]["p"].policy.extend(made)

    logging.getLogger("casbin").setLevel(logging.ERROR)  # else it writes a line for each refusal
    before = resident()
    made = [(rule.order, _casbin_rule(rule)) for rule in rules(size)]
    made.sort(reverse=True)
    made = [[str(place), *rule] for place, (_, rule) in enumerate(made)]
    model = casbin.Model()
    model.load_model_from_text(CASBIN_MODEL)
    began = time.perf_counter()
    enforcer = casbin.Enforcer(model, World())
    load = time.perf_counter() - began
    enforcer.add_function("in_force", _casbin_in_force)
    made.clear()
    whole = resident() - before
    place = enforcer.get_model()["p"]["p"].tokens.index("p_id")

    def ask(question: tuple[object, ...]) -> str | None:
        _, rule = enforcer.enforce_ex(*question)
        return rule[place] if rule else None

    asked = {KNOWN: timed(ask, [_casbin_question(one) for one in cases(size, questions)], seconds, same)}
    return Measured(f"pycasbin {version('pycasbin')}", load, whole, whole, asked)


def _casbin_rule(rule: Rule) -> list[str]:
    terms = rule.policy.scope.terms
    return [
        rule.part,
        rule.sender.key,
        rule.recipient.key,
        str(terms.starts),
        str(terms.ends),
        ",".join(map(str, terms.networks)),
        "guard" if rule.policy.relay_guard else "",
        rule.policy.id,
        "deny" if rule.policy.option is BlockedOption.BLOCK_SENDER else "allow",
    ]


def _casbin_in_force(
    at: float, source: Any, bounce: bool, starts: str, ends: str, networks: str, guard: str
) -> bool:
    if not float(starts) <= at < float(ends) or (guard and bounce):
        return False
    return not networks or within(source, tuple(map(parse_network, networks.split(","))))


def _casbin_question(case: Case) -> tuple[object, ...]:
    envelope, header = set(case.envelope), set(case.header)
    senders = {
        FromPart.ENVELOPE_FROM.value: envelope,
        FromPart.HEADER_FROM.value: header,
        FromPart.BOTH.value: envelope | header,
    }
    return senders, set(case.recipient), case.at, case.source_ip, is_bounce(case)
