"""What does a web decision cost as the lists grow, and what would it cost to look at every entry?

A third of the requests are for listed domains, a third for pages on hosts with listed URLs, a third for neither,
each by a user in eight groups. A decision begins with the URL as it was asked for. The scan tests every entry with
the test that explains decisions; both must name the same entry, or nothing is printed.
"""

from __future__ import annotations

import argparse
import gc
import time

from msgspec import Struct
from msgspec.structs import replace
from rig import worlds
from rig.apart import Timed, apart, resident, timed
from rig.report import Judged, show, show_targets

from mailreeve.formats.weburls import WebUrl, parse_web_url
from mailreeve.policy.decide.web import decide_web
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.index.web_index import Listed, WebIndex, list_entry
from mailreeve.policy.model.decisions import WebDecision
from mailreeve.policy.model.facts import WebFacts
from mailreeve.policy.model.policies import WebPolicy

CANONICAL = "URL made canonical"
DECIDED = "Mailreeve"
TRACED = "Mailreeve, with a trace"
SCANNED = "plain scan"


class LookedThrough(WebIndex):
    """The lists as if there were no index: every entry is tested."""

    def __init__(self, policies: list[WebPolicy]) -> None:
        super().__init__(policies)
        self._every = [list_entry(policy, entry) for policy in policies for entry in policy.entries]

    def covering(self, url: WebUrl) -> list[Listed]:
        return [listed for listed in self._every if listed.mismatch(url) is None]


class Measured(Struct, frozen=True):
    """One size: seconds to load, bytes that the lists take, and how each way answered, by the ids of entries."""

    load: float
    memory: int
    ways: dict[str, Timed]


def measure(entries: int, requests: int, seconds: float) -> Measured:
    """All ways at one size."""
    size = worlds.Size(policies=1_000, web=entries)
    rest = PolicySet.build(account_id="a", revision=1, directory=worlds.directory(size))
    before = resident()
    lists = list(worlds.web(size))
    began = time.perf_counter()
    policies = rest.changed(revision=2, web=lists)
    load = time.perf_counter() - began
    memory = resident() - before
    gc.freeze()

    def decide(facts: WebFacts) -> WebDecision:
        return decide_web(policies, facts)

    def explain(facts: WebFacts) -> WebDecision:
        return decide_web(policies, facts, explain=True)

    looked_through = replace(policies, web=LookedThrough(lists))

    def scan(facts: WebFacts) -> WebDecision:
        return decide_web(looked_through, facts)

    def canonical(facts: WebFacts) -> WebUrl:
        return parse_web_url(facts.url)

    asked = worlds.requests(size, requests)
    ways = {
        CANONICAL: timed(canonical, asked, seconds, lambda _: None),
        DECIDED: timed(decide, asked, seconds, _entry),
        TRACED: timed(explain, asked, seconds, _entry),
        SCANNED: timed(scan, asked, seconds, _entry),
    }
    return Measured(load, memory, ways)


def _entry(decision: WebDecision) -> str | None:
    return None if decision.entry is None else decision.entry.id


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 25_000], help="entries")
    parser.add_argument("--requests", type=int, default=20_000, help="asked each way, if time allows")
    parser.add_argument("--seconds", type=float, default=20.0, help="for each way")
    options = parser.parse_args()
    rows: list[tuple[str, ...] | None] = []
    for entries in sorted(options.sizes):
        found = apart(measure, entries, options.requests, options.seconds)
        ours = found.ways[DECIDED]
        for name in (TRACED, SCANNED):
            for place, (one, other) in enumerate(zip(ours.answers, found.ways[name].answers, strict=False)):
                if one != other:
                    raise SystemExit(f"{name} disagrees at {entries:,} entries, request {place}: {one}, {other}")
        rows.append((f"{entries:,} entries", *[""] * 6))
        for name, way in found.ways.items():
            figures = [f"{way.median:,.1f}", f"{way.p99:,.1f}", f"{way.median / ours.median:,.1f}"]
            room = [f"{found.load:,.2f}", f"{found.memory / entries:,.0f}"] if name == DECIDED else ["", ""]
            rows.append((name, f"{len(way.taken):,}", *room, *figures))
        rows.append(None)
    met = sum(answer is not None for answer in ours.answers)
    show(
        "One web decision, from the URL as it was asked for",
        f"of {len(ours.answers):,} requests {met:,} met an entry at the greatest size; the scan named the same "
        "one for as many as it was asked; us are processor time",
        ("way", "asked", "load s", "bytes/entry", "median us", "p99 us", "times Mailreeve"),
        rows,
    )
    plain = f"{found.ways[SCANNED].median:,.0f} us"
    show_targets(
        "Web decision: targets",
        [Judged(f"median among {entries:,} entries", 15, ours.median, "us", plain)],
    )


if __name__ == "__main__":
    main()
