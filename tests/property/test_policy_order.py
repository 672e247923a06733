"""The order of policies is total and reads as behaviour.md D-10 says, whatever the scopes."""

from __future__ import annotations

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from mailreeve.formats.networks import parse_network
from mailreeve.policy.model.order import order
from mailreeve.policy.model.policies import Scope
from mailreeve.policy.model.targets import RANK, Target, TargetType

scopes = st.builds(
    Scope.of,
    from_=st.sampled_from(TargetType).map(Target.of),
    to=st.sampled_from(TargetType).map(Target.of),
    networks=st.sampled_from(((), (parse_network("192.0.2.0/24"),))),
    starts=st.sampled_from((-inf, 1.0)),
    ends=st.sampled_from((inf, 9.0)),
    override=st.booleans(),
    bidirectional=st.booleans(),
)
placed = st.tuples(scopes, st.sampled_from((1.0, 2.0)), st.sampled_from("abc"), st.booleans())


@given(placed, placed)
def test_two_policies_never_share_a_place(first, second):
    if first[2] != second[2]:
        assert order(*first) != order(*second)


@given(st.permutations([order(Scope(), 1.0, letter) for letter in "abcdef"]), placed)
def test_the_winner_does_not_depend_on_who_is_asked_first(shuffled, extra):
    everyone = [*shuffled, order(*extra)]
    assert max(everyone) == max(reversed(everyone)) == sorted(everyone)[-1]


@given(placed, placed)
def test_override_then_narrowest_side_then_other_side_then_sender_decide(first, second):
    def ranks(placed):
        scope, _, _, is_reversed = placed
        sender, recipient = (scope.to, scope.from_) if is_reversed else (scope.from_, scope.to)
        sides = sorted((RANK[sender.type], RANK[recipient.type]))
        return scope.terms.override, sides[1], sides[0], RANK[sender.type]

    if ranks(first) != ranks(second):
        assert (order(*first) > order(*second)) is (ranks(first) > ranks(second))


@given(scopes)
def test_a_mirrored_scope_is_the_scope_reversed(scope):
    """D-09: a bidirectional policy used backwards stands where its mirror image would."""
    mirrored = Scope(scope.to, scope.from_, scope.terms)
    assert order(scope, 1.0, "a", is_reversed=True) == order(mirrored, 1.0, "a")
