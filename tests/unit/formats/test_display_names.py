"""When display names read the same, and when they do not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailreeve.formats.display_names import fold_display_name, name_readings


def reads_as(message: str, policy: str) -> bool:
    """Whether a policy that names `policy` is met by a message that shows `message`."""
    return fold_display_name(policy) in name_readings(message)


@pytest.mark.parametrize(
    "shown",
    [
        "Jane Boss",
        "  JANE \t\r\n boss ",
        "J\u200bane Boss",
        "\u202eJane Boss\u202c",
        "Ja\u00adne Boss",
        "Jan\ufe0fe Boss",
        "Jane\U000e0041\U000e007f Boss",
        "Ja\u034fne Boss",
        "\ufeffJane Bo\u2060ss",
        "Jane\u3164Boss",
        "Jane\u00a0Boss",
        "Jane\u2800Boss",
        "\uff2a\uff41\uff4e\uff45\u3000\uff22\uff4f\uff53\uff53",
        "J\u0430n\u0435 \u0412\u043e\u0455\u0455",
        "\u0408\u0410N\u0415 \u0412\u041e\u0405\u0405",
        "jane \u0432oss",
        "\U0001d4d9\U0001d4ea\U0001d4f7\U0001d4ee Boss",
        "\u24bf\u24d0\u24dd\u24d4 Boss",
        "\u1d0a\u1d00\u0274\u1d07 Boss",
        "Jane B0ss",
        '"Jane Boss"',
        "\u201cJane Boss\u201d",
        "\u2018Jane Boss\u2019",
        "\u00abJane Boss\u00bb",
        'Jane "Boss"',
        "J\x08ane Boss",
    ],
)
def test_a_disguised_name_is_the_name(shown):
    """D-51: what is not seen is dropped, what looks alike is the same."""
    assert reads_as(shown, "Jane Boss")


@pytest.mark.parametrize(
    ("shown", "named"),
    [
        ("Jose\u0301 Nu\u0301n\u0303ez", "José Núñez"),
        ("José Núñez", "Jose\u0301 Nu\u0301n\u0303ez"),
        ("Sean O'Brien", "Sean O’Brien"),
        ("lvan BiII", "Ivan Bill"),
        ("BlLL", "Bill"),
        ("PayPaI", "PayPal"),
        ("\u039deil", "Neil"),
        ("Kirn", "Kim"),
        ("\u041e\u041b\u042c\u0413\u0410", "\u041e\u043b\u044c\u0433\u0430"),
        ("\u039d\u0399\u039a\u039f\u03a3", "\u039d\u03b9\u03ba\u03bf\u03c2"),
        ("STRASSE", "Straße"),
        ('"', '"'),
    ],
)
def test_other_spellings_of_a_name_are_the_name(shown, named):
    assert reads_as(shown, named)


@pytest.mark.parametrize(
    ("shown", "named"),
    [
        ("Jean Boss", "Jane Boss"),
        ("Jane Bosse", "Jane Boss"),
        ("Jane", "Jane Boss"),
        ("Boss Jane", "Jane Boss"),
        ("Nell", "Neil"),
        ("Jorg", "Jörg"),
        ("Jose", "José"),
        ("Nora", "Vora"),
        ("", "Jane Boss"),
        ("\u200b", "Jane Boss"),
    ],
)
def test_another_name_is_another(shown, named):
    """Accents and letters that differ to the eye make a different name."""
    assert not reads_as(shown, named)


@given(st.text(max_size=60))
def test_case_never_makes_a_difference(text):
    """D-42, whatever the script: a policy meets its own name, and that in other case where case is one to one."""
    assert fold_display_name(text) in name_readings(text) or not fold_display_name(text)
    assert fold_display_name(text) == fold_display_name(text.casefold())
    assert len(name_readings(text)) <= 3


@given(
    st.text(max_size=40),
    st.text("\u200b\u200d\u202e\u00ad\ufe0f\U000e0041\u034f", max_size=10),
    st.integers(0, 40),
)
def test_what_is_not_seen_never_makes_a_difference(text, unseen, place):
    assert name_readings(text[:place] + unseen + text[place:]) == name_readings(text)


@pytest.mark.alone
@pytest.mark.parametrize("character", ["a", "é", "\u200b", "I", "l", "\ufdfa", "\u0430", "\u0301", '"'])
def test_a_name_of_any_length_costs_little(character):
    """500 characters are the most that is read of a header; 4,096 the most that a policy may hold."""
    start = time.perf_counter()
    name_readings(character * 4_096 + "x")
    assert time.perf_counter() - start < 0.5
