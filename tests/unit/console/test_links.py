"""The pages behind links, whatever comes of them; what they show over a real connection is in `test_digest`."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import httpx2
import pytest

from mailreeve.console.links import LinkPages
from mailreeve.console.page import HEADERS
from mailreeve.console.routing import with_pages
from mailreeve.families.digest.acts import Seen, Shown, Standing
from mailreeve.families.digest.links import PATH, TOKEN_LENGTH, Act, NoLink
from mailreeve.wire.errors import BAD_ADDRESS, refused

TOKEN = "A" * TOKEN_LENGTH
MESSAGE = Shown("Bob", "Offers", "today", "spam")


class FakeActs:
    """Answers as it is told, and remembers whether it was asked to act."""

    def __init__(self, answer: Callable[[], Seen]) -> None:
        self.answer = answer
        self.acted: list[tuple[str, str]] = []

    def look(self, token: str) -> Seen:
        return self.answer()

    def carry_out(self, token: str, address: str) -> Seen:
        self.acted.append((token, address))
        return self.answer()


def seen(standing: Standing, act: Act = Act.PERMIT) -> Callable[[], Seen]:
    return lambda: Seen(act, standing, MESSAGE, "bob@shop.test")


def raising(problem: Exception) -> Callable[[], Seen]:
    def answer() -> Seen:
        raise problem

    return answer


async def api(scope, receive, send) -> None:
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def ask(acts: FakeActs, method: str, path: str = PATH + TOKEN, wait: int = 0, **more: object) -> httpx2.Response:
    app = with_pages(api, {PATH: LinkPages(acts, lambda network: wait)})

    async def send() -> httpx2.Response:
        transport = httpx2.ASGITransport(app, client=("192.0.2.7", 1))
        async with httpx2.AsyncClient(transport=transport, base_url="http://gate.test") as client:
            return await client.request(method, path, **more)

    return anyio.run(send)


PRESSED = {"data": {"confirm": "yes"}}


@pytest.mark.parametrize(
    ("standing", "status", "title"),
    [
        (Standing.DONE, 200, "The message is being delivered, and its sender is permitted"),
        (Standing.RELEASED, 200, "Already done"),
        (Standing.REJECTED, 200, "Already done"),
        (Standing.ENDED, 410, "This link has ended"),
        (Standing.PAUSED, 503, "Not at present"),
    ],
)
def test_each_outcome_has_its_honest_page(standing: Standing, status: int, title: str) -> None:
    acts = FakeActs(seen(standing))
    answer = ask(acts, "POST", **PRESSED)
    assert (answer.status_code, f"<h1>{title}</h1>" in answer.text) == (status, True)
    assert "<form" not in answer.text
    assert acts.acted == [(TOKEN, "192.0.2.7")]


@pytest.mark.parametrize("standing", [Standing.RELEASED, Standing.REJECTED, Standing.ENDED, Standing.PAUSED])
def test_a_link_that_acts_no_more_asks_nothing(standing: Standing) -> None:
    acts = FakeActs(seen(standing))
    assert "<form" not in ask(acts, "GET").text
    assert acts.acted == []


@pytest.mark.parametrize("act", Act)
def test_a_get_asks_and_a_press_acts(act: Act) -> None:
    acts = FakeActs(seen(Standing.WAITING, act))
    assert "<form" in ask(acts, "GET").text
    assert acts.acted == []
    acts.answer = seen(Standing.DONE, act)
    assert "<form" not in ask(acts, "POST", **PRESSED).text
    assert len(acts.acted) == 1


def test_no_address_turns_what_stands_beside_it() -> None:
    acts = FakeActs(lambda: Seen(Act.BLOCK, Standing.WAITING, MESSAGE, "moc\u202e@shop.test"))
    assert "Sender: moc@shop.test" in ask(acts, "GET").text


def test_what_cannot_be_done_says_why_and_that_nothing_was_changed() -> None:
    answer = ask(FakeActs(raising(refused(BAD_ADDRESS, "sender", "The list is <full>"))), "POST", **PRESSED)
    assert answer.status_code == 409
    assert "Nothing was changed" in answer.text
    assert "The list is &lt;full&gt;" in answer.text


def test_a_fault_of_ours_tells_a_number_and_nothing_else() -> None:
    answer = ask(FakeActs(raising(RuntimeError("the secret"))), "GET")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Error " in answer.text


def test_what_is_no_link_is_told_alike_before_and_after_a_look() -> None:
    short = ask(FakeActs(seen(Standing.WAITING)), "GET", PATH + "x")
    forged = ask(FakeActs(raising(NoLink())), "GET")
    assert (short.status_code, short.text) == (404, forged.text)


def test_whoever_has_to_wait_is_told_how_long_and_nothing_is_done() -> None:
    acts = FakeActs(seen(Standing.DONE))
    answer = ask(acts, "POST", wait=1_200, **PRESSED)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    assert acts.acted == []


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_every_page_has_the_headers_that_keep_it_to_itself(method: str) -> None:
    for answer in (seen(Standing.DONE), seen(Standing.ENDED), raising(NoLink()), raising(RuntimeError())):
        found = ask(FakeActs(answer), method).headers
        assert {name: found[name] for name in HEADERS} == dict(HEADERS)


def test_all_other_paths_are_for_the_api() -> None:
    acts = FakeActs(seen(Standing.WAITING))
    for path in ("/", "/api/x", "/digest", "/digestx/" + TOKEN, "/%64igest/" + TOKEN):
        assert ask(acts, "GET", path).status_code == 418
