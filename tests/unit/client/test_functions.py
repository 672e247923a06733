"""What is made of the server's declarations: current, complete, and right about which functions only look."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from mailreeve.client import AsyncClient, Client, ClientError, Policy, Target
from mailreeve.client.api import reads
from mailreeve.families.registry import ENDPOINTS

ROOT = Path(__file__).parents[3]


def test_what_is_made_is_current() -> None:
    """After a change to an endpoint, its item or its answer, or to the client by hand: `make client`."""
    command = [sys.executable, str(ROOT / "tools/make_client.py"), "--check"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_every_function_of_the_server_has_a_method(kind) -> None:
    """By hand or made: each path stands in the source of a room's class of the same name as its folder."""
    client = kind("https://mail.test", None)
    missing = []
    for endpoint in ENDPOINTS:
        room = type(getattr(client, endpoint._run.__module__.split(".")[-2]))
        made = "".join(inspect.getsource(one) for one in room.__mro__ if one is not object)
        by_hand = inspect.getsource(inspect.getmodule(room))  # has the end of a path alone
        if f'"{endpoint.path}"' not in made and endpoint.path.rpartition("/")[2] not in by_hand:
            missing.append(endpoint.path)
    # The one whose path a verb ends in a formatted text: `{verb}-policy-with-targets`.
    assert [path for path in missing if not path.endswith("-policy-with-targets")] == []


def test_what_only_looks_is_known_by_its_verb() -> None:
    """A call that may be repeated after a lost connection changes nothing at the server."""
    changing = [endpoint.path for endpoint in ENDPOINTS if endpoint.writes and reads(endpoint.path)]
    unknown = [endpoint.path for endpoint in ENDPOINTS if not endpoint.writes and not reads(endpoint.path)]
    assert (changing, unknown) == ([], [])


def test_a_method_sends_what_was_given_under_the_names_of_the_wire(client, script) -> None:
    script.answers = [script.envelope({"id": "1", "domain": "a.example", "inboundType": "known"})]
    made = client.domains.update_domain(domain="a.example", inbound_type="known")
    assert script.requests[0].url.path == "/api/ext/update-domain"
    assert script.body() == {"data": [{"domain": "a.example", "inboundType": "known"}]}
    assert (made.domain, made.inbound_type) == ("a.example", "known")


def test_what_was_not_given_is_not_sent(client, script) -> None:
    script.answers = [script.envelope()]
    assert list(client.domains.get_internal_domain()) == []
    assert script.body() == {"data": []}


def test_a_list_is_read_page_after_page(client, script) -> None:
    script.answers = [script.envelope({"id": "1"}, next="N"), script.envelope({"id": "2"})]
    assert [one.id for one in client.domains.get_internal_domain(page_size=1)] == ["1", "2"]
    assert script.body()["meta"] == {"pagination": {"pageSize": 1, "pageToken": "N"}}


def test_an_answer_may_have_nulls_texts_for_numbers_and_what_nobody_knows(client, script) -> None:
    """The hosted service writes null for no comment and booleans as text, and may say more than we know."""
    row = {"id": "1", "domain": None, "sendOnly": "true", "brandNew": {"x": 1}}
    script.answers = [script.envelope(row)]
    (domain,) = client.domains.get_internal_domain()
    assert (domain.id, domain.domain, domain.send_only, domain.local) == ("1", "", True, False)


def test_an_answer_of_another_kind_is_refused_in_words(client, script) -> None:
    script.answers = [script.envelope({"id": {"not": "a text"}})]
    with pytest.raises(ClientError, match="not what this client knows"):
        list(client.domains.get_internal_domain())


def test_a_policy_goes_into_made_functions_as_well(client, script) -> None:
    script.answers = [script.envelope({"id": "1", "option": "block_sender", "policy": {"description": "x"}})]
    policy = Policy("x", Target.domain("shop.example"), Target.internal())
    made = client.blocked_senders.create_policy(option="block_sender", policy=policy)
    assert made.policy.description == "x"
    assert script.body()["data"][0]["policy"]["from"] == {"type": "email_domain", "emailDomain": "shop.example"}


def test_octets_come_as_they_are(client, script) -> None:
    import httpx2

    script.answers = [httpx2.Response(200, content=b"\x00file")]
    assert client.archive.get_message_part(id="1") == b"\x00file"
