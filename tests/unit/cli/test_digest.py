"""`mailreeve digest`: shown, set, and asked for."""

from __future__ import annotations

import json

import pytest

URL = "https://mail.corp.test"


@pytest.fixture
def public(folder, monkeypatch: pytest.MonkeyPatch):
    """A folder that links lead to."""
    monkeypatch.setenv("MAILREEVE_PUBLIC_URL", URL)
    return folder


def test_it_is_shown_and_set(public):
    assert public.run("digest", "show").output.splitlines() == [
        "digests    off",
        "times      08:00 (UTC)",
        "days       every day",
        "for        all users",
        "about      all that is held",
        "from       postmaster@corp.test",
        f"links      {URL}",
        "next       none",
    ]
    public.call("directory/create-group", {"description": "Sales"})
    options = (
        "--on --at 16:00 --at 08:00 --day fri --time-zone Europe/Berlin --group Sales --cause managed_senders"
    )
    done = public.run("digest", "set", *options.split(), "--from", "gate@corp.test")
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[:6] == [
        "digests    on",
        "times      08:00, 16:00 (Europe/Berlin)",
        "days       fri",
        "for        users in the group Sales",
        "about      managed_senders",
        "from       gate@corp.test",
    ]
    back = public.run(
        "digest", "set", "--off", "--every-day", "--everybody", "--every-cause", "--from", "", "--json"
    )
    row = json.loads(back.output)
    assert (row["enabled"], row["groupId"], row["causes"], len(row["weekdays"])) == (False, "", [], 7)
    assert row["sender"] == "postmaster@corp.test"
    assert row["times"] == ["08:00", "16:00"]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ([], 2, "nothing is to be changed"),
        (["--at", "8"], 2, "--at '8': A time of day is written HH:MM"),
        (["--time-zone", "Mars/Base"], 2, "--time-zone: There is no such time zone as Mars/Base"),
        (["--day", "fri", "--every-day"], 2, "--day and --every-day exclude each other"),
        (["--from", "ann@elsewhere.test"], 1, "--from 'ann@elsewhere.test'"),
        (["--group", "Nobody"], 1, "--group"),
    ],
)
def test_what_cannot_be_is_said_of_its_option(public, options, code, said):
    done = public.run("digest", "set", *options)
    assert (done.exit_code, said in done.output) == (code, True), done.output


def test_without_a_public_url_it_cannot_be_switched_on(folder):
    done = folder.run("digest", "set", "--on")
    assert (done.exit_code, "--on: The setting public_url is not set" in done.output) == (1, True)
    assert "links      none: the setting public_url is not set" in folder.run("digest", "show").output


def test_one_is_asked_for(public):
    public.call("user/create-user", {"emailAddress": "ann@corp.test"})
    assert public.run("digest", "send-now", "--to", "ann@corp.test").output == (
        "a digest is on its way to ann@corp.test, if there is anything new\n"
    )
    assert "all whom it is for" in public.run("digest", "send-now").output
    assert "asked for " in public.run("digest", "show").output
    done = public.run("digest", "send-now", "--to", "nobody@corp.test")
    assert (done.exit_code, "--to" in done.output) == (1, True)
