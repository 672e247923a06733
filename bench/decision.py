"""What does a mail decision cost as policies grow in number, here and in other engines?

One account of four sizes: its blocked sender policies grow, everything else stays (100,000 personal entries,
25,000 web entries, 20,000 users, each in eight of 2,000 groups of three levels). Each engine has a process of its
own for each size. They are asked the same questions and must name the same winner among the blocked senders, or
nothing is printed. What the others are given, and what they lack: rig/rivals.py.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

from rig import engines, postmap, rivals
from rig.apart import Timed, apart
from rig.engines import AT_RCPT, KNOWN, TRACED, Measured
from rig.report import Judged, show, show_targets
from rig.worlds import Size

Engine = Callable[[Size, int, float], Measured]
OURS: tuple[Engine, ...] = (engines.mailreeve, engines.scan)
OTHERS: tuple[Engine, ...] = (rivals.cedar_engine, rivals.casbin_engine)
MOST_DECISION = 0.5  # seconds that a decision of another engine may take, or a greater size is not tried
MOST_LOAD = 60.0  # seconds likewise
COLUMNS = ("engine", "asked", "load s", "bytes/policy", "median us", "p99 us", "times Mailreeve")


def foreseen(measured: Measured, growth: float) -> str:
    """What a greater size would take, if that is too much. All of them take what the number of policies says."""
    decision, load = measured.asked[KNOWN].median / 1e6 * growth, measured.load * growth
    if decision <= MOST_DECISION and load <= MOST_LOAD:
        return ""
    return f"{decision:.1f} s a decision and {load:.0f} s to load foreseen"


def agree(number: int, measured: list[Measured]) -> None:
    """Raise `SystemExit` if an answer differs from the scan's, or where that was not asked from Mailreeve's."""
    for header in (KNOWN, AT_RCPT):
        several = [(one.engine, one.asked[header].answers) for one in measured if header in one.asked]
        if header == KNOWN:
            several.append(("Mailreeve with a trace", measured[0].asked[TRACED].answers))
        first_name, first = several[0]
        for name, answers in several[1:]:
            for place, (ours, theirs) in enumerate(zip(first, answers, strict=False)):
                if ours != theirs:
                    raise SystemExit(
                        f"{first_name} and {name} disagree at {number:,} policies, {header}, question {place}: "
                        f"{ours} and {theirs}"
                    )


def row(name: str, one: Measured, number: int, asked: Timed, ours: Timed) -> tuple[str, ...]:
    """One line of the table."""
    return (
        name,
        f"{len(asked.taken):,}",
        f"{one.load:,.2f}",
        f"{one.policies / number:,.0f}",
        f"{asked.median:,.1f}",
        f"{asked.p99:,.1f}",
        f"{asked.median / ours.median:,.1f}",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--questions", type=int, default=20_000, help="asked of each engine, if time allows")
    parser.add_argument("--seconds", type=float, default=20.0, help="that each engine is asked at each size")
    options = parser.parse_args()
    why_no_floor = postmap.missing()
    last: dict[Engine, tuple[int, Measured]] = {}
    left_out: dict[Engine, str] = {}
    ours: dict[int, Measured] = {}
    rows: list[tuple[str, ...] | None] = []
    for number in sorted(options.sizes):
        size = Size().with_policies(number)
        measured = [apart(engine, size, options.questions, options.seconds) for engine in OURS]
        for engine in OTHERS:
            if engine in last and engine not in left_out:
                before, then = last[engine]
                if why := foreseen(then, number / before):
                    left_out[engine] = f"{then.engine} at {number:,}: {why}"
            if engine not in left_out:
                last[engine] = number, apart(engine, size, options.questions, options.seconds)
                measured.append(last[engine][1])
        agree(number, measured)
        ours[number] = measured[0]
        base = measured[0].asked[KNOWN]
        rows.append((f"{number:,} policies", *[""] * (len(COLUMNS) - 1)))
        for name, asked in measured[0].asked.items():
            rows.append(row(f"Mailreeve, {name}", measured[0], number, asked, base))
        rows += [row(one.engine, one, number, one.asked[KNOWN], base) for one in measured[1:]]
        if not why_no_floor:
            floor = postmap.floor(size, options.questions)
            figures = (
                f"{floor.asked:,}",
                f"{floor.load:,.2f}",
                f"{floor.octets / floor.keys:,.0f}",
                f"{floor.each:,.1f}",
                "",
                f"{floor.each / base.median:,.2f}",
            )
            rows.append(("postmap -q, lmdb: one key", *figures))
        rows.append(None)
    answers = measured[0].asked[KNOWN].answers
    met = sum(answer is not None for answer in answers)
    notes = [
        f"of {len(answers):,} questions {met:,} met a blocked sender policy at the greatest size; all engines "
        f"named the same one, each for as many questions as it was asked in {options.seconds:g} s",
        "Mailreeve makes the whole decision, the others find the blocked sender policy alone; they load their own "
        "text or rules, Mailreeve objects in memory; bytes are those of the blocked sender policies",
        "us are processor time, postmap's those of a process for all its keys without those of its start",
    ]
    notes += [f"not asked: {why}" for why in left_out.values()]
    if why_no_floor:
        notes.append(f"no postmap: {why_no_floor}")
    show("One mail decision for one recipient", "\n".join(notes), COLUMNS, rows)
    again = apart(engines.mailreeve, Size().with_policies(min(ours)), options.questions, options.seconds)
    show_targets("Mail decision: targets", targets(ours, again, measured[1]))


def targets(ours: dict[int, Measured], again: Measured, scan: Measured) -> list[Judged]:
    """What was aimed at, at the greatest size, and what the scan took there. `again` is the least size once more,
    measured last: over minutes a shared machine may become slower or faster."""
    least, most = min(ours), max(ours)
    known, unknown, traced = (ours[most].asked[way] for way in (KNOWN, AT_RCPT, TRACED))
    growth = known.median / min(one.asked[KNOWN].median for one in (ours[least], again))
    judged = [Judged(f"median with a trace at {most:,}", 150, traced.median, "us")]
    for words, one, plain in (
        ("header known", known, scan.asked[KNOWN]),
        ("header unknown", unknown, scan.asked[AT_RCPT]),
    ):
        judged += [
            Judged(f"median at {most:,}, {words}", 15, one.median, "us", f"{plain.median:,.0f} us"),
            Judged(f"p99 at {most:,}, {words}", 60, one.p99, "us", f"{plain.p99:,.0f} us"),
        ]
    judged.append(Judged(f"median at {most:,} over that at {least:,}", 2, growth, "times"))
    room = f"{scan.whole / most:,.0f} bytes for the policies"
    memory = ours[most].whole / most
    judged.append(Judged(f"memory of the whole account over {most:,} policies", 600, memory, "bytes", room))
    return judged


if __name__ == "__main__":
    main()
