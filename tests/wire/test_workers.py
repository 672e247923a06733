"""Several workers serve one folder as one process would: nothing is lost, and a change is everywhere."""

from __future__ import annotations

import http.client
import json
import os
import signal
import smtplib
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

pytestmark = pytest.mark.cold

MAILREEVE = Path(sys.executable).with_name("mailreeve")
PATIENCE = 60.0
PROMISED = 0.1
TRIALS = 9
CREATE, DELETE = "/api/policy/blockedsenders/create-policy", "/api/policy/blockedsenders/delete-policy"
EXPLAIN = "/api/ext/explain-message"


def until(condition: Callable[[], object], patience: float = PATIENCE) -> float:
    """The seconds until it holds."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < patience
        time.sleep(0.002)
    return time.monotonic() - began


def workers(live) -> list[int]:
    """The process ids of a server's workers."""
    parent = live.process.pid
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


@contextmanager
def alone(live, worker: int) -> Iterator[None]:
    """Whoever connects while the block runs gets this worker: the others stand still."""
    others = [pid for pid in workers(live) if pid != worker]
    for pid in others:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in others:
            os.kill(pid, signal.SIGCONT)


class Caller:
    """A connection to one of the workers."""

    def __init__(self, live, worker: int) -> None:
        self._live = live
        self._connection = live.connect()
        with alone(live, worker):
            self.call("/api/account/get-account")

    def call(self, path: str, *items: dict) -> dict:
        """The answer to a signed call on this connection."""
        body = json.dumps({"data": list(items)})
        self._connection.request("POST", path, body, self._live.signed(path))
        answer = self._connection.getresponse()
        return json.loads(answer.read()) | {"status": answer.status}

    def refuses(self, sender: str) -> bool:
        """Whether this worker would refuse mail from that sender."""
        found = self.call(EXPLAIN, {"from": sender, "to": "ann@corp.test"})
        return found["data"][0]["verdict"] == "reject"

    def close(self) -> None:
        self._connection.close()


def block(sender: str) -> dict:
    from_ = {"type": "individual_email_address", "emailAddress": sender}
    policy = {"description": sender, "from": from_, "to": {"type": "internal_addresses"}}
    return {"option": "block_sender", "policy": policy}


@pytest.fixture
def live(fresh_server):
    """A server with two workers."""
    return fresh_server("--workers", "2", MAILREEVE_RATE_LIMIT="100000000")


def test_ready_is_printed_once_and_all_workers_serve(fresh_server) -> None:
    """By the setting's variable as well; SIGTERM ends all of them, and the exit code is 0."""
    live = fresh_server(MAILREEVE_WORKERS="3")
    found = workers(live)
    assert len(found) == 3
    for worker in found:
        with closing(Caller(live, worker)) as caller:
            assert caller.call("/api/account/get-account")["status"] == 200
        with alone(live, worker), smtplib.SMTP(*live.smtp, timeout=30) as client:
            assert client.noop()[0] == 250
    process = live.process
    live.stop()
    assert process.returncode == 0
    assert not any(Path(f"/proc/{worker}").exists() for worker in found)


def test_a_policy_set_through_one_worker_is_enforced_by_all(live) -> None:
    """Within the time that is promised; and at once by the one that it was set through."""
    one, other = (Caller(live, worker) for worker in workers(live))
    took = []
    with closing(one), closing(other):
        for number in range(TRIALS):
            sender = f"s{number}@bad.test"
            assert not one.refuses(sender)
            assert not other.refuses(sender)
            made = one.call(CREATE, block(sender))["data"][0]
            began = time.monotonic()
            assert one.refuses(sender)
            until(lambda s=sender: other.refuses(s))
            took.append(time.monotonic() - began)
            other.call(DELETE, {"id": made["id"]})
            assert not other.refuses(sender)
            took.append(until(lambda s=sender: not one.refuses(s)))
    assert statistics.median(took) < PROMISED, took


def test_many_writers_through_all_workers_lose_nothing(live) -> None:
    """Each sees its own change at once, and all of them are there in the end."""
    found = workers(live)
    callers = [Caller(live, found[n % 2]) for n in range(4)]

    def write(n: int) -> list[str]:
        senders = [f"p{n}x{number}@bad.test" for number in range(15)]
        for sender in senders:
            answer = callers[n].call(CREATE, block(sender))
            assert answer["fail"] == [], answer
            assert callers[n].refuses(sender)
        return senders

    with ThreadPoolExecutor(len(callers)) as pool:
        written = [sender for senders in pool.map(write, range(len(callers))) for sender in senders]
    time.sleep(PROMISED)
    for caller in callers:
        assert all(caller.refuses(sender) for sender in written)
        caller.close()


def test_a_worker_that_is_killed_loses_no_acknowledged_mail_and_the_others_go_on(live) -> None:
    """Mail is sent all the while; what got its 250 is in the Maildir. Each time another worker takes the place."""
    acknowledged: list[str] = []
    failures: list[str] = []
    stop = threading.Event()
    lock = threading.Lock()

    def send(thread: int) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            name = f"m{thread}-{number}"
            try:
                with smtplib.SMTP(*live.smtp, timeout=30) as client:
                    client.sendmail("far@far.test", ["admin@corp.test"], f"Subject: {name}\r\n\r\nx\r\n")
            except (OSError, smtplib.SMTPException) as problem:
                with lock:
                    failures.append(repr(problem))
            else:
                with lock:
                    acknowledged.append(name)

    threads = [threading.Thread(target=send, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            before = workers(live)
            count = len(acknowledged)
            until(lambda c=count: len(acknowledged) > c + 5)
            os.kill(before[0], signal.SIGKILL)
            count = len(acknowledged)
            until(lambda c=count: len(acknowledged) > c + 5)
            until(lambda b=before: len(set(workers(live)) - {b[0]}) == 2)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    kept = {
        line.removeprefix(b"Subject: ").strip().decode()
        for file in (live.maildir / "new").iterdir()
        for line in file.read_bytes().splitlines()
        if line.startswith(b"Subject: ")
    }
    assert set(acknowledged) <= kept
    # Each kill cuts off at most what the killed one had in hand, and the connections waiting for it.
    assert len(failures) <= 3 * len(threads), failures
    assert live.log().count("worker died") == 3


def test_a_worker_that_dies_again_and_again_is_started_more_and_more_slowly(live) -> None:
    for _ in range(3):
        before = workers(live)
        os.kill(before[0], signal.SIGKILL)
        until(lambda b=before: len(set(workers(live)) - {b[0]}) == 2)
    pauses = [
        line.partition("started_again_in=")[2].split()[0] for line in live.log().splitlines() if "died" in line
    ]
    assert sorted(pauses)[0] == "0.0"
    assert len(pauses) == 3
    assert live.request("GET", "/readyz").status == 200


def test_workers_end_with_their_parent_and_hold_the_folder_until_then(live) -> None:
    """Nobody else may serve it while one of them does."""
    found = workers(live)
    for worker in found:
        os.kill(worker, signal.SIGSTOP)
    live.kill()
    refused = subprocess.run(
        [MAILREEVE, "serve", "--data", live.data, "--http", "127.0.0.1:0", "--smtp", "127.0.0.1:0"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert refused.returncode == 1
    assert "is being served by another process" in refused.stderr
    for worker in found:
        os.kill(worker, signal.SIGCONT)
    until(lambda: not any(_runs(worker) for worker in found))
    live.start()


def test_hangups_reach_all_workers_and_those_that_come_later(live) -> None:
    """They have read the same settings in the end, and none of them ends."""
    found = workers(live)
    with (live.data / "mailreeve.toml").open("a") as file:
        file.write("delegates_per_user = 7\n")
    live.process.send_signal(signal.SIGHUP)
    until(lambda: live.log().count("event=reloaded") == 2)
    assert workers(live) == found
    os.kill(found[0], signal.SIGKILL)
    until(lambda: live.log().count("event=reloaded") == 3)
    lines = [line for line in live.log().splitlines() if "event=reloaded" in line]
    assert all("settings=delegates_per_user" in line for line in lines)
    assert {"worker=0", "worker=1"} <= {word for line in lines for word in line.split()}


def test_what_keeps_workers_from_starting_is_said_in_a_line(new_folder, tmp_path) -> None:
    data, _ = new_folder(tmp_path)
    done = subprocess.run(
        [MAILREEVE, "serve", "--data", data, "--http", "127.0.0.1:0", "--smtp", "127.0.0.1:0", "--workers", "2"],
        capture_output=True, text=True, timeout=60, env=os.environ | {"MAILREEVE_HOSTNAME": "not a name"},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert "hostname" in done.stderr
    assert "Traceback" not in done.stderr


def test_sigterm_lets_every_worker_finish_its_call(live) -> None:
    """A call that is under way is answered, and nobody new is let in."""
    callers = [Caller(live, worker) for worker in workers(live)]
    answers: list[int] = []

    def call(caller: Caller) -> None:
        with suppress(http.client.HTTPException, OSError):
            while True:
                answers.append(caller.call(CREATE, block("x@bad.test"))["status"])

    threads = [threading.Thread(target=call, args=(caller,)) for caller in callers]
    for thread in threads:
        thread.start()
    until(lambda: len(answers) > 10)
    live.stop()
    for thread in threads:
        thread.join()
    for caller in callers:
        caller.close()  # One that could not send its call is open still.
    assert set(answers) == {200}


def _runs(pid: int) -> bool:
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
