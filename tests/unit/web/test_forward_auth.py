"""The application that proxies ask: who may ask, what is told, and that nothing passes by mistake."""

from __future__ import annotations

import asyncio

import httpx2
import pytest

from mailreeve.console.blocked import PATH as BLOCK_PAGE
from mailreeve.families.web_proxies.rows import FoundProxy
from mailreeve.formats.forward_auth import ProxyKind
from mailreeve.policy.model.decisions import WebVerdict
from mailreeve.web.forward_auth import PAGE, Counted, ForwardAuth
from mailreeve.web.requests import WebAnswer

TOKEN = "mailreeve-web-good"
ASKED = {"x-mailreeve-token": TOKEN, "x-original-url": "http://app.test/a?b=c", "x-forwarded-for": "192.0.2.7"}


class Gate:
    """Blocks what has `blocked` in it, and remembers what it was asked."""

    def __init__(self):
        self.asked = []

    async def answer(self, account_id, request):
        self.asked.append((account_id, request))
        if "broken" in request.url:
            raise RuntimeError("broken")
        if "blocked" in request.url:
            return WebAnswer(WebVerdict.BLOCK, 'Blocked by the web list "Ä".', 7, decision_id="decision-1")
        return WebAnswer(WebVerdict.NONE, "No opinion.", 7)


class Proxies:
    def __init__(self, kind=ProxyKind.NGINX, user_header=""):
        self.known = {TOKEN: FoundProxy("account", "key", "gateway", kind, user_header, "hash")}
        self.looked_up = 0

    def at_hand(self, token):
        return False

    def find(self, token):
        self.looked_up += 1
        return self.known.get(token)


class World:
    def __init__(self, kind=ProxyKind.NGINX, user_header="", strangers=1000, known=1000):
        self.gate, self.proxies = Gate(), Proxies(kind, user_header)
        self.counts = {}

        def turns(limit):
            def count(who):
                self.counts[who] = self.counts.get(who, 0) + 1
                return look(who)

            def look(who):
                return 1500 if self.counts.get(who, 0) > limit else 0

            return Counted(count, look)

        self.app = ForwardAuth(self.gate, self.proxies, turns(strangers), turns(known))

    def ask(self, headers=ASKED, path="/web/check", method="GET"):
        async def call():
            transport = httpx2.ASGITransport(app=self.app, client=("10.0.0.1", 1))
            async with httpx2.AsyncClient(transport=transport, base_url="http://mailreeve.test") as client:
                return await client.request(method, path, headers=headers)

        return asyncio.run(call())


def test_what_passes_is_200_and_what_is_blocked_403_with_the_reason_and_the_decision():
    world = World()
    answer = world.ask()
    assert (answer.status_code, answer.headers["x-mailreeve-verdict"]) == (200, "none")
    ((account_id, request),) = world.gate.asked
    assert (account_id, request.url, request.client_address) == ("account", "http://app.test/a?b=c", "192.0.2.7")
    assert (request.door, request.user) == ("forward-auth", "")
    answer = world.ask({**ASKED, "x-original-url": "http://app.test/blocked"}, method="POST")
    assert answer.status_code == 403
    assert answer.headers["x-mailreeve-decision"] == "decision-1"
    assert answer.headers["x-mailreeve-reason"] == 'Blocked by the web list "?".'
    assert answer.text == 'Blocked by the web list "Ä".\nDecision decision-1\n'
    assert answer.headers["cache-control"] == "no-store"


def test_envoy_asks_with_the_path_of_the_request_behind_ours():
    world = World(ProxyKind.ENVOY, "x-user")
    headers = {"x-mailreeve-token": TOKEN, "host": "app.test", "x-user": "pat@corp.test"}
    assert world.ask(headers, "/web/check/a%2Fb/blocked?x=%41", "PUT").status_code == 403
    ((_, request),) = world.gate.asked
    assert (request.url, request.method) == ("http://app.test/a%2Fb/blocked?x=%41", "PUT")
    assert request.user == "pat@corp.test"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"x-mailreeve-token": ""}, 401),
        ({"x-mailreeve-token": "mailreeve-web-wrong"}, 401),
        ({"x-original-url": ""}, 403),
        ({"x-original-url": "http://open.test#/private"}, 403),
        ({"x-original-url": "http://app.test/broken"}, 500),
    ],
)
def test_a_question_that_is_not_understood_lets_nothing_through(headers, status):
    world = World()
    answer = world.ask({**ASKED, **headers})
    assert answer.status_code == status
    assert answer.headers["x-mailreeve-reason"]
    if status != 500:
        assert world.gate.asked == []


def test_a_token_or_a_header_that_comes_twice_lets_nothing_through():
    world = World()
    twice = [*ASKED.items(), ("x-mailreeve-token", TOKEN)]
    assert world.ask(twice).status_code == 401
    twice = [*ASKED.items(), ("x-original-url", "http://good.test/")]
    answer = world.ask(twice)
    assert (answer.status_code, "x-original-url comes 2 times" in answer.text) == (403, True)
    assert world.gate.asked == []


@pytest.mark.parametrize("path", ["/web/checked", "/web/check/", "/web/check/x"])
def test_other_paths_are_nothing(path):
    world = World()
    assert world.ask(path=path).status_code == 404
    assert world.gate.asked == []


def test_whoever_shows_wrong_tokens_waits_and_costs_no_look_up():
    world = World(strangers=2)
    wrong = {**ASKED, "x-mailreeve-token": "mailreeve-web-wrong"}
    assert [world.ask(wrong).status_code for _ in range(3)] == [401, 401, 429]
    looked_up = world.proxies.looked_up
    answer = world.ask(wrong)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    assert world.proxies.looked_up == looked_up


def test_a_proxy_is_told_where_the_block_page_is():
    world = World()
    world.app = ForwardAuth(
        world.gate, world.proxies, *[Counted(lambda who: 0, lambda who: 0)] * 2, lambda: "https://m.test"
    )
    answer = world.ask({**ASKED, "x-original-url": "http://app.test/blocked"})
    assert answer.headers["x-mailreeve-page"] == "https://m.test/web/blocked?id=decision-1"
    assert PAGE == BLOCK_PAGE


def test_a_proxy_that_asks_too_often_waits():
    world = World(known=2)
    assert [world.ask().status_code for _ in range(3)] == [200, 200, 429]
    assert len(world.gate.asked) == 2
