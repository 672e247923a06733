"""Who gives way when all places for connections are taken."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mailreeve.api.crowd import Crowd, Place


class Guests:
    """Connections to one crowd, and which of them were closed."""

    def __init__(self, most: int = 6, per_network: int = 3) -> None:
        self.crowd = Crowd(most, per_network)
        self.closed: list[str] = []

    def enter(self, name: str, peer: str = "192.0.2.1") -> Place | None:
        return self.crowd.enter(peer, lambda: self.closed.append(name))


def test_the_longest_silent_of_a_network_gives_way() -> None:
    guests = Guests()
    first, second, third = (guests.enter(name) for name in "abc")
    assert None not in (first, second, third)
    assert guests.enter("d") is not None
    assert guests.closed == ["a"]


def test_who_has_begun_a_request_outlasts_the_silent() -> None:
    guests = Guests()
    first, _, third = (guests.enter(name) for name in "abc")
    assert first is not None
    assert third is not None
    guests.crowd.begins(first)
    guests.enter("d")
    guests.crowd.begins(third)
    assert guests.closed == ["b"]
    for name in "ef":
        place = guests.enter(name)
        assert place is not None
        guests.crowd.begins(place)
    assert guests.closed == ["b", "d", "a"]


def test_a_call_that_is_being_answered_is_not_cut_off() -> None:
    guests = Guests()
    places = [guests.enter(name) for name in "abc"]
    for place in places:
        assert place is not None
        guests.crowd.begins(place)
        guests.crowd.works(place)
    assert guests.enter("d") is None
    assert places[1] is not None
    guests.crowd.waits(places[1])
    assert guests.enter("e") is not None
    assert guests.closed == ["b"]


def test_networks_do_not_take_from_each_other() -> None:
    """An IPv4 address is one, and so is a /64."""
    guests = Guests()
    for name in "abc":
        guests.enter(name, f"2001:db8::{name}")
    guests.enter("d", "2001:db8::ffff:1")
    guests.enter("e", "2001:db8:0:1::1")
    assert guests.closed == ["a"]


def test_when_all_places_are_taken_the_fullest_network_gives_way() -> None:
    guests = Guests(most=4)
    for name in "abc":
        guests.enter(name)
    guests.enter("d", "192.0.2.2")
    guests.enter("e", "192.0.2.3")
    assert guests.closed == ["a"]


@given(
    st.lists(
        st.tuples(st.sampled_from(["enter", "begins", "works", "waits", "leave"]), st.integers(0, 9)), max_size=60
    )
)
def test_places_are_counted_right(steps: list[tuple[str, int]]) -> None:
    """Whatever happens in whatever order, no more stand than may, and all can go."""
    crowd = Crowd(4, 2)
    standing: dict[int, Place] = {}
    for number, (step, which) in enumerate(steps):
        if step == "enter":
            place = crowd.enter(f"192.0.2.{which % 4}", lambda number=number: standing.pop(number, None))
            if place is not None:
                standing[number] = place
        elif standing:
            key = sorted(standing)[which % len(standing)]
            getattr(crowd, step)(standing.pop(key) if step == "leave" else standing[key])
        assert len(standing) <= 4
    for place in list(standing.values()):
        crowd.leave(place)
        crowd.leave(place)
    assert crowd.enter("198.51.100.1", lambda: None) is not None


def test_where_the_fullest_network_only_has_calls_under_way_the_next_gives_way() -> None:
    """Strangers from everywhere, and a busy proxy: it is not the proxy that has to go, nor who comes."""
    guests = Guests()
    for name in "abc":
        place = guests.enter(name)
        assert place is not None
        guests.crowd.works(place)
    for number in range(3):
        guests.enter(f"silent{number}", f"198.51.100.{number}")
    assert guests.enter("d", "203.0.113.1") is not None
    assert guests.closed == ["silent0"]
