"""What does Mailreeve cost a Postfix that asks it as a milter?

Subjects: Postfix alone; with a milter that does nothing; with Mailreeve, of 1,000 and of 100,000 blocked sender
policies, and with the archive on; with rspamd, and with both, where rspamd is installed. Each has a port of one
Postfix, which throws away what it takes; smtp-source sends. And without a Postfix: the milters asked by a program
that does nothing else, over connections that stay.

A message is one of 5 kB to one recipient; it is decided in full, marked, and its record is synced before Postfix
is answered, with the archive on its copy too. smtp-source sends one body again and again, which the archive keeps
once; the program sends another one each time. Archived mail is read for the search afterwards, which is waited for
and counted. Needs root and a folder that Postfix' user may enter.
"""

from __future__ import annotations

import argparse
import os
import shutil
import smtplib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rig import filled, worlds
from rig.apart import at
from rig.asking import Asking
from rig.load import Load
from rig.postfix import cpu_of, postfix
from rig.report import median, ratios, show, spread
from rig.rspamd import rspamd
from rig.servers import MAILREEVE, RIG, Server, running, serve
from smtp_messages import message

from mailreeve.app.folder import DATABASE
from mailreeve.app.server.periodic import READ_EVERY
from mailreeve.families.policies.blocked_senders.rows import blocked_sender_policy
from mailreeve.policy.model.policies import BlockedOption, BlockedSenderPolicy, FromPart, Scope
from mailreeve.policy.model.targets import EVERYONE, Target, TargetType
from mailreeve.store.engines import SqliteEngine

SEARCHED = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"])
ALONE, NOOP = "Postfix alone", "+ a milter that does nothing"
RSPAMD, BOTH = "+ rspamd", "+ Mailreeve and rspamd"
ARCHIVING = "+ Mailreeve, archive on"
OF_NOOP, CPU_MS = 0.9, 0.4  # targets: of the rate with a milter that does nothing; per message in ours
OF_NOOP_ARCHIVING = 0.7
STILL = 2 * READ_EVERY  # seconds of rest after which what a milter does in the background counts as done


def policies(count: int) -> Iterator[BlockedSenderPolicy]:
    """Blocks of addresses and domains that send nothing here."""
    for n in range(count):
        target = (
            Target.of(TargetType.EMAIL_DOMAIN, f"spam{n}.test")
            if n % 3
            else Target.of(TargetType.INDIVIDUAL_EMAIL_ADDRESS, f"eve{n}@mixed.test")
        )
        scope = Scope.of(target, EVERYONE, FromPart.BOTH)
        yield BlockedSenderPolicy(worlds.key_of(n), "made", scope, BlockedOption.BLOCK_SENDER, 0.0)


@contextmanager
def asked(folder: Path, count: int, milter: str, *, archive: bool = False) -> Iterator[Server]:
    """A Mailreeve with so many policies, asked at the socket."""
    init = [MAILREEVE, "init", "--data", str(folder), "--domain", "corp.test", "--json"]
    subprocess.run(init, check=True, capture_output=True)
    engine = SqliteEngine(folder / DATABASE)
    with engine.writing() as connection:
        account_id = connection.exec_driver_sql("SELECT id FROM account").scalar_one()
        filled.put(connection, account_id, [(blocked_sender_policy, map(filled.blocked_row, policies(count)))])
    engine.dispose()
    environment = {"MAILREEVE_LOG_LEVEL": "warning", "MAILREEVE_MILTER_GROUP": "postfix"}
    environment |= {"MAILREEVE_ARCHIVE": "on"} if archive else {}
    with running([*serve(folder), "--milter", f"unix:{milter}"], environment) as server:
        yield server


def source(port: int, messages: int, sessions: int) -> float:
    """Messages per second that smtp-source brings."""
    command = ["smtp-source", "-s", str(sessions), "-l", "5000", "-m", str(messages)]
    began = time.perf_counter()
    subprocess.run([*command, "-f", "news@shop.test", "-t", "ann@corp.test", f"127.0.0.1:{port}"], check=True)
    return messages / (time.perf_counter() - began)


def latencies(port: int, messages: int) -> list[float]:
    """Milliseconds from MAIL to the answer, of one client that sends one message after the other."""
    taken = []
    with smtplib.SMTP("127.0.0.1", port, local_hostname="client.test", timeout=60) as smtp:
        smtp.ehlo()
        for n in range(messages):
            began = time.perf_counter()
            refused = smtp.sendmail("news@shop.test", ["ann@corp.test"], message(f"latency-{n}"))
            taken.append((time.perf_counter() - began) * 1_000)
            assert not refused
    return taken


def at_rest(server: Server) -> None:
    """Wait until a server does nothing any more."""
    seen, since = server.cpu(), time.monotonic()
    while time.monotonic() - since < STILL:
        time.sleep(0.1)
        now = server.cpu()
        if now - seen > 0.02:
            seen, since = now, time.monotonic()


def asking_job(number: int, path: str, messages: int, results: str) -> Callable[[], int]:
    """One process that asks about message after message, on one connection; it writes what each took."""

    def run() -> int:
        connection = Asking(path)
        taken = [
            connection.message("news@shop.test", "ann@corp.test", message(name) + f"{name} {run}\r\n".encode())
            for name, run in ((f"p{number}-{n}", os.getpid()) for n in range(messages))
        ]
        connection.close()
        Path(f"{results}-{number}").write_text("\n".join(map(str, taken)))
        return messages

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--messages", type=int, default=400, help="messages per subject and round")
    parser.add_argument("--sessions", type=int, default=10, help="of smtp-source at once")
    parser.add_argument("--processes", type=int, default=4, help="that ask the milter directly")
    parser.add_argument("--policies", type=int, nargs="*", default=[1_000, 100_000])
    parser.add_argument("--direct", action="store_true", help="only ask the milters directly: needs no Postfix")
    options = parser.parse_args()
    lacking = [program for program in ("postfix", "smtp-source") if shutil.which(program, path=SEARCHED) is None]
    if not options.direct and (lacking or os.geteuid() != 0):
        print(f"not measured: {' and '.join(lacking)} not installed" if lacking else "not measured: needs root")
        return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mr-")))
        folder.chmod(0o755)
        noop = stack.enter_context(running([sys.executable, str(RIG / "noop_milter.py"), f"{folder}/noop"]))
        ours: dict[str, Server] = {NOOP: noop}
        ways = {ALONE: "", NOOP: f"unix:{folder}/noop"}
        paths = {}
        for count in options.policies:
            name = f"+ Mailreeve, {count:,} policies"
            paths[name] = f"{folder}/reeve{count}"
            ours[name] = stack.enter_context(asked(folder / f"data{count}", count, paths[name]))
            ways[name] = f"unix:{paths[name]}"
        paths[ARCHIVING] = f"{folder}/archiving"
        archiving = asked(folder / "data-archiving", 1_000, paths[ARCHIVING], archive=True)
        ours[ARCHIVING] = stack.enter_context(archiving)
        ways[ARCHIVING] = f"unix:{paths[ARCHIVING]}"
        through = None if options.direct else _through_postfix(options, folder, ways, ours)
        direct = {name: _directly(ours[name], path, options, folder) for name, path in paths.items()}
        direct[NOOP] = _directly(noop, f"{folder}/noop", options, folder)
        show(
            "The milter asked directly",
            f"{options.processes} processes, one connection each, message after message",
            ("subject", "messages/s", "p50 ms", "p99 ms", "CPU ms/message"),
            [
                (name, f"{rate:,.0f}", f"{at(taken, 0.5):.2f}", f"{at(taken, 0.99):.2f}", f"{cost:.2f}")
                for name, (rate, taken, cost) in direct.items()
            ],
        )
        show(
            "Targets",
            "",
            ("figure", "wanted", "measured", "reached"),
            [
                *(row for name in paths for row in _through_judged(name, through)),
                *(_judged(f"{name}: CPU ms, asked directly", direct[name][2], CPU_MS) for name in paths),
            ],
        )


Through = dict[str, tuple[float, float]]
"""For each subject the rate over that with a milter that does nothing, and the milter's milliseconds a message."""


def _through_postfix(
    options: argparse.Namespace, folder: Path, ways: dict[str, str], ours: dict[str, Server]
) -> Through:
    """Measure messages through a Postfix that asks in these ways, rspamd among them where it is installed."""
    with ExitStack() as stack:
        other = stack.enter_context(rspamd(folder / "rspamd"))
        if other is not None:
            ways[RSPAMD] = other[0]
            ways[BOTH] = f"{other[0]}, {ways[next(name for name in ours if name != NOOP)]}"
        made = stack.enter_context(postfix(folder / "mx", ways))
        rates: dict[str, list[float]] = {name: [] for name in ways}
        waits: dict[str, list[float]] = {name: [] for name in ways}
        costs: dict[str, list[float]] = {name: [] for name in ways}
        theirs: dict[str, list[float]] = {name: [] for name in ways}

        def filters_cpu(name: str) -> float:
            """Seconds that the milters of a subject have used."""
            used = ours[name].cpu() if name in ours else 0.0
            if name == BOTH:
                used += ours[next(name for name in ours if name != NOOP)].cpu()
            if name in (RSPAMD, BOTH) and other is not None:
                used += cpu_of(other[1])
            return used

        for round_ in range(-1, options.rounds):
            for name, port in made.ports.items():
                before, before_mx = filters_cpu(name), made.cpu()
                rate = source(port, options.messages, options.sessions)
                if name == ARCHIVING:
                    at_rest(ours[name])
                used, used_mx = filters_cpu(name) - before, made.cpu() - before_mx
                waited = latencies(port, 20)
                if round_ >= 0:  # the first round warms caches
                    rates[name].append(rate)
                    waits[name] += waited
                    costs[name].append(used / options.messages * 1_000)
                    theirs[name].append(used_mx / options.messages * 1_000)
        relative = ratios(rates, NOOP)
        show(
            "Messages through Postfix, 5 kB, one recipient",
            f"median of {options.rounds} interleaved rounds of {options.messages} messages, "
            f"{options.sessions} sessions at once; latency: one session, nothing else going on",
            ("subject", "messages/s", "range", "of do-nothing", "p50 ms", "p99 ms", "milter ms", "Postfix ms"),
            [
                (
                    name,
                    f"{median(rates[name]):,.0f}",
                    spread(rates[name]),
                    f"{relative[name]:.2f}",
                    f"{median(waits[name]):.1f}",
                    f"{at(waits[name], 0.99):.1f}",
                    f"{median(costs[name]):.2f}",
                    f"{median(theirs[name]):.2f}",
                )
                for name in ways
            ],
        )
    if other is None:
        print("rspamd is not installed: nothing is said of it")
    return {name: (relative[name], median(costs[name])) for name in ways}


def _through_judged(name: str, through: Through | None) -> list[tuple[str, str, str, str]]:
    if through is None:
        return []
    rate, cost = through[name]
    wanted = OF_NOOP_ARCHIVING if name == ARCHIVING else OF_NOOP
    return [
        _judged(f"{name}: of the rate with do-nothing", rate, wanted, at_least=True),
        _judged(f"{name}: CPU ms, through Postfix", cost, CPU_MS),
    ]


def _directly(
    server: Server, path: str, options: argparse.Namespace, folder: Path
) -> tuple[float, list[float], float]:
    """Messages per second, the milliseconds that each took, and those of the milter's processor time for one."""
    load, results = Load(options.processes), f"{folder}/taken"
    load.rate(asking_job, path, 20, results)
    before = server.cpu()
    rate = load.rate(asking_job, path, options.messages, results)
    at_rest(server)
    cost = (server.cpu() - before) / (options.messages * options.processes) * 1_000
    files = [Path(f"{results}-{n}") for n in range(options.processes)]
    return rate, [float(line) * 1_000 for file in files for line in file.read_text().split()], cost


def _judged(what: str, measured: float, target: float, *, at_least: bool = False) -> tuple[str, str, str, str]:
    reached = measured >= target if at_least else measured <= target
    sign = "at least" if at_least else "at most"
    return what, f"{sign} {target:g}", f"{measured:.2f}", "yes" if reached else "NO"


if __name__ == "__main__":
    main()
