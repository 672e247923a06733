"""Whatever a mail server sends, and however it is cut on its way: the events are the same, and nothing raises but
`ProtocolError`, hangs or grows."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mta import Delivered, Mta, packed, split

from mailreeve.formats.message import read_message
from mailreeve.mail.edits import Edits, apply
from mailreeve.mail.milter.changes import header_changes
from mailreeve.mail.milter.conversation import Conversation
from mailreeve.mail.milter.packets import MAX_PACKET, PacketReader, ProtocolError

letters = st.sampled_from([bytes([one]) for one in b"OCHMRTLNBEADQKUz\0"])
texts = st.binary(max_size=60)
packets = st.builds(packed, letters, texts | st.lists(texts, max_size=5).map(b"\0".join))
negotiation = st.builds(
    lambda version, actions, steps: packed(b"O", struct.pack("!III", version, actions, steps)),
    st.integers(2, 9),
    st.just(0x1FF),
    st.integers(0, 2**32 - 1),
)
streams = st.builds(lambda first, rest: first + b"".join(rest), negotiation, st.lists(packets, max_size=12))


def heard(pieces: list[bytes]) -> tuple[list, bytes, bool]:
    """The events, what is answered, and whether it ended in a `ProtocolError`."""
    conversation, events = Conversation(), []
    try:
        for piece in pieces:
            for event in conversation.feed(piece):
                assert conversation.wants_reply(event) in (True, False)
                events.append(event)
    except ProtocolError:
        return events, conversation.answer, True
    return events, conversation.answer, False


@given(streams)
def test_octet_by_octet_is_as_good_as_all_at_once(stream):
    assert heard([stream[at : at + 1] for at in range(len(stream))]) == heard([stream])


@given(streams | st.binary(max_size=200), st.lists(st.integers(0, 400)))
def test_wherever_it_is_cut(stream, cuts):
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    assert heard([stream[one:other] for one, other in pairwise(places)]) == heard([stream])


@given(st.integers(0, 2**32 - 1))
def test_a_packet_may_claim_any_length_and_is_kept_only_up_to_the_limit(length):
    reader = PacketReader()
    start = struct.pack("!I", length) + b"B"
    if not 1 <= length <= MAX_PACKET:
        with pytest.raises(ProtocolError):
            list(reader.feed(start))
    else:
        list(reader.feed(start))
    assert reader.held <= len(start)


field_names = st.sampled_from(
    [b"Subject", b"To", b"to", b"Received", b"X-Mailreeve-Decision", b"x-mailreeve-X", b"From", b"X"]
)
values = st.sampled_from([b"", b" x", b"x", b" a\r\n\tb", b"\r\n c", b"  two ", " ü".encode(), b" \xff"])
fields = st.lists(st.tuples(field_names, values), min_size=1, max_size=8)


@given(fields, st.data(), st.booleans())
def test_changes_make_the_server_have_the_copy_that_is_meant(fields, data, keeps_space):
    """As the server in `mta` carries them out, one after the other."""
    every = [*fields, (b"Last", b" one")]
    content = b"".join(name + b":" + value + b"\r\n" for name, value in every) + b"\r\nbody\r\n"
    message = read_message(content)
    places = st.sets(st.integers(0, len(fields) - 1))
    replaced = data.draw(places)
    edits = Edits(
        data.draw(st.lists(st.sampled_from([("X-Mailreeve-A", "one"), ("X-Mailreeve-B", "zwei ü " * 20)]))),
        tuple(
            (place, message.fields[place].raw.split(b":")[0] + b": new\r\n line\r\n") for place in sorted(replaced)
        ),
        frozenset(data.draw(places)),
    )
    server = object.__new__(Mta)
    server.actions, server.steps = 0x1FF, 0x100000 if keeps_space else 0
    shown, body = split(content)
    if not keeps_space:
        # Such a server cannot tell one space in front from none.
        shown = [(name, b" " + value.removeprefix(b" ")) for name, value in shown]
    for letter, change in PacketReader().feed(b"".join(header_changes(message, edits, keeps_space=keeps_space))):
        server._change(Delivered("", [], b""), shown, letter, change)
    made = (
        b"".join(name + b":" + value.replace(b"\n", b"\r\n") + b"\r\n" for name, value in shown) + b"\r\n" + body
    )
    wanted = bytes(apply(message, edits))
    if keeps_space:
        assert made == wanted
    else:
        spaced = [(name, b" " + value.removeprefix(b" ")) for name, value in split(wanted)[0]]
        assert (split(made)[0], split(made)[1]) == (spaced, split(wanted)[1])
