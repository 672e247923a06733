"""The client for asyncio says and does what the one for threads does."""

from __future__ import annotations

import asyncio

import httpx2
import pytest

from mailreeve.client import ApiError, AsyncClient, OAuthCredentials, Policy, Target, Unreachable


def run(script, credentials, use):
    """What `use` gives for a client of the script."""

    async def answer(request: httpx2.Request) -> httpx2.Response:
        return script(request)

    async def pause(seconds: float) -> None:
        script.slept.append(seconds)

    async def go():
        transport = httpx2.MockTransport(answer)
        async with AsyncClient("https://mail.test", credentials, transport=transport, sleep=pause) as client:
            return await use(client)

    return asyncio.run(go())


def test_a_capability_by_hand(script, keys) -> None:
    kept = {"id": "1", "option": "block_sender", "policy": {"description": "x"}}
    script.answers = [script.envelope(kept), script.envelope(kept, next="N"), script.envelope(kept)]

    async def use(client):
        made = await client.blocked_senders.create(Policy("x", Target.everyone(), Target.internal()))
        return made.id, [one.id async for one in client.blocked_senders.every(page_size=1)]

    assert run(script, keys, use) == ("1", ["1", "1"])
    assert script.requests[0].headers["authorization"].startswith("MC access:")


def test_a_made_function_and_its_pages(script, keys) -> None:
    script.answers = [script.envelope({"id": "1"}, next="N"), script.envelope({"id": "2"})]

    async def use(client):
        return [one.id async for one in client.domains.get_internal_domain()]

    assert run(script, keys, use) == ["1", "2"]


def test_whole_lists_are_joined(script, keys) -> None:
    script.answers = [script.envelope({"users": [1]}, next="N"), script.envelope({"users": [2]})]
    assert run(script, keys, lambda client: client.call("user/get-internal-users")) == [{"users": [1, 2]}]


def test_a_token_is_fetched_and_a_refusal_raised(script) -> None:
    given = {"access_token": "T", "expires_in": 1799}
    fail = [{"errors": [{"code": "bad", "message": "No"}], "key": {}}]
    script.answers = [httpx2.Response(200, json=given), script.envelope(fail=fail)]
    with pytest.raises(ApiError, match="bad"):
        run(script, OAuthCredentials("id", "secret"), lambda client: client.call("x/y", {}))
    assert script.requests[1].headers["authorization"] == "Bearer T"


def test_over_quota_is_waited_for_and_no_answer_raised(script, keys) -> None:
    script.answers = [
        httpx2.Response(429, headers={"retry-after": "3"}, json={}),
        script.envelope({"id": "1"}),
        httpx2.ReadError("gone"),
    ]

    async def use(client):
        first = await client.call("x/y")
        with pytest.raises(Unreachable):
            await client.call("policy/create-y")
        return first

    assert run(script, keys, use) == [{"id": "1"}]
    assert script.slept == [3.0]
