"""An id on the wire opens for the account and the kind of object that it was made for, and for nothing else."""

from __future__ import annotations

import re
import string
from concurrent.futures import ThreadPoolExecutor

import pytest

from mailreeve.policy.model.policy_types import POLICY_TYPES, PolicyType
from mailreeve.wire.errors import INVALID_TOKEN, ItemRefused
from mailreeve.wire.tokens import KEY_OCTETS, Ids, Kind

IDS = Ids(bytes(range(KEY_OCTETS)))
KEY = "0192f3a4b5c67def8123456789abcdef"
ACCOUNT = "a" * 32
KINDS = [*Kind, *(row.kind for row in POLICY_TYPES.values())]
PERSONAL = POLICY_TYPES[PolicyType.MANAGED_SENDERS].kind


def refused(text: str, *, kind: str = Kind.GROUP, account: str = ACCOUNT, ids: Ids = IDS) -> None:
    with pytest.raises(ItemRefused) as caught:
        ids.open(kind, text, account, "groupId")
    assert [(p.code, p.message, p.field) for p in caught.value.problems] == [
        (INVALID_TOKEN.code, "0007 Invalid token: this account has no such id of this kind", "groupId")
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_an_id_opens_to_the_key_it_was_made_of(kind: str) -> None:
    """For every kind."""
    assert IDS.open(kind, IDS.seal(kind, KEY, ACCOUNT), ACCOUNT) == KEY


def test_no_two_kinds_are_called_alike() -> None:
    """An id would open as either."""
    assert len(set(KINDS)) == len(KINDS)


def test_an_id_is_the_same_for_life() -> None:
    """The same object has the same id from call to call and from process to process (api.md section 1.8)."""
    assert IDS.seal(Kind.GROUP, KEY, ACCOUNT) == Ids(bytes(range(KEY_OCTETS))).seal(Kind.GROUP, KEY, ACCOUNT)


@pytest.mark.parametrize("kind", KINDS)
def test_ids_are_safe_in_a_url(kind: str) -> None:
    """URL-safe characters only; managed senders have the prefix of the live service."""
    prefix = "MTOKEN:" if kind == PERSONAL else ""
    assert re.fullmatch(prefix + r"[A-Za-z0-9_-]{43}", IDS.seal(kind, KEY, ACCOUNT))


def test_ids_do_not_show_the_order_of_their_keys() -> None:
    """Neighbouring keys share no beginning on the wire."""
    one, two = (IDS.seal(Kind.USER, f"{int(KEY, 16) + n:032x}", ACCOUNT) for n in range(2))
    assert one[:8] != two[:8]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != Kind.GROUP])
def test_an_id_of_another_kind_does_not_open(kind: str) -> None:
    """A policy is no group."""
    refused(IDS.seal(kind, KEY, ACCOUNT))


def test_an_id_of_another_account_does_not_open() -> None:
    """Not even one whose name begins alike."""
    refused(IDS.seal(Kind.GROUP, KEY, "b" * 32))
    refused(IDS.seal(Kind.GROUP, KEY, ACCOUNT + "a"))


def test_an_id_of_another_installation_does_not_open() -> None:
    """It was sealed under another key."""
    refused(Ids(bytes(KEY_OCTETS)).seal(Kind.GROUP, KEY, ACCOUNT))


def test_account_and_kind_cannot_be_shifted_into_each_other() -> None:
    """They are bound in apart, not joined into one text."""
    moved = IDS.seal(Kind.USER, KEY, ACCOUNT + "u")
    with pytest.raises(ItemRefused):
        IDS.open(Kind.USER, moved, ACCOUNT)


@pytest.mark.parametrize("length", [0, 1, 20, 42])
def test_a_truncated_id_does_not_open(length: int) -> None:
    """However much is left."""
    refused(IDS.seal(Kind.GROUP, KEY, ACCOUNT)[:length])


@pytest.mark.parametrize("place", range(43))
def test_an_id_with_one_other_character_does_not_open(place: int) -> None:
    """At every place and whichever; two bits of the last one would be ignored by base64."""
    text = IDS.seal(Kind.GROUP, KEY, ACCOUNT)
    for other in string.ascii_letters + string.digits + "-_":
        if other != text[place]:
            refused(text[:place] + other + text[place + 1 :])


@pytest.mark.parametrize(
    "text", ["x" * 43, "é" * 43, "=" * 43, " " * 43, "MTOKEN:", "eNo" * 60, KEY, "../../etc/passwd", "\x00" * 43]
)
def test_what_was_never_an_id_does_not_open(text: str) -> None:
    """Without an error of ours."""
    refused(text)


def test_padding_and_spaces_are_not_part_of_an_id() -> None:
    """Only the very text that was given out is an id."""
    text = IDS.seal(Kind.GROUP, KEY, ACCOUNT)
    for other in (text + "=", text + "\n", " " + text, "MTOKEN:" + text):
        refused(other)


def test_a_managed_sender_opens_with_its_prefix() -> None:
    """As recorded live (api.md section 1.8); the prefix opens nothing of another kind."""
    text = IDS.seal(PERSONAL, KEY, ACCOUNT)
    assert IDS.open(PERSONAL, text, ACCOUNT) == KEY
    refused(text.removeprefix("MTOKEN:"))


def test_threads_may_share_the_cipher() -> None:
    """One `Ids` serves all workers."""
    keys = [f"{n:032x}" for n in range(2_000)]
    with ThreadPoolExecutor(8) as pool:
        sealed = list(pool.map(lambda key: IDS.seal(Kind.USER, key, ACCOUNT), keys))
        opened = list(pool.map(lambda text: IDS.open(Kind.USER, text, ACCOUNT), sealed))
    assert opened == keys
    assert len(set(sealed)) == len(keys)
