"""How are rows imported? Each by itself, all in one transaction, which is undone where they are not to stay."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Final

import msgspec
from msgspec import Struct

from mailreeve.families.bulk.errors import IMPORT_CONTRADICTION, IMPORT_UNKNOWN_COLUMN
from mailreeve.families.bulk.steps import Finish, Kind, Outcome, Step
from mailreeve.families.bulk.types import MAX_ROWS, ImportAnswer, ImportRows, ReadRows
from mailreeve.families.machinery.call import Call
from mailreeve.wire import items
from mailreeve.wire.errors import NOT_ALLOWED, NULL, ItemRefused, Problem, problem, refused

MAX_TOLD: Final = 500  # refused rows that are told one by one

_FIRST: Final = re.compile(r"[.\[]")


class _Undone(Exception):
    """The rows are not to stay."""


class _Apart(Exception):
    """A row that is refused wrote something first, which has to be undone alone."""


def read(kind: Kind, asked: ImportRows) -> ReadRows:
    """The rows as their kind takes them, or why they are refused. Raises `ItemRefused`."""
    if not asked.rows:
        raise refused(NULL, "rows", "There are no rows")
    if len(asked.rows) > MAX_ROWS:
        raise refused(NOT_ALLOWED, "rows", f"At most {MAX_ROWS} rows are allowed")
    return ReadRows(asked, [_read(kind, row) for row in asked.rows])


def _read(kind: Kind, row: dict[str, object]) -> Struct | ItemRefused:
    unknown = [name for name in row if name not in items.members(kind.row)]
    if unknown:
        known = ",".join(items.members(kind.row))
        message = f"{IMPORT_UNKNOWN_COLUMN.message}; there are [{known}]"
        return ItemRefused([problem(IMPORT_UNKNOWN_COLUMN, name[:64], message) for name in unknown[:10]])
    try:
        return items.read(row, kind.row)
    except ItemRefused as refusal:
        return refusal


def carry_out(call: Call, kind: Kind, given: ReadRows) -> ImportAnswer:
    """What came of the rows, or would come of them in a dry run. Raises `ItemRefused` naming every row that is
    refused, unless the others are to be imported all the same."""
    asked = given.asked
    try:
        done, kept = _done(call, kind, given, apart=False)
    except _Apart:
        done, kept = _done(call, kind, given, apart=True)
    if done.refused and not (asked.dry_run or asked.skip_errors):
        raise ItemRefused(done.told())
    return ImportAnswer(
        added=done.outcomes[Outcome.ADDED],
        changed=done.outcomes[Outcome.CHANGED],
        unchanged=done.outcomes[Outcome.UNCHANGED],
        refused_count=len(done.refused),
        refused=done.told(),
        dry_run=asked.dry_run,
        changed_account=kept and bool(call.work.audits or call.work.touched),
    )


def _done(call: Call, kind: Kind, given: ReadRows, *, apart: bool) -> tuple[_Import, bool]:
    """What came of the rows, and whether they stay. A savepoint for each row takes as long again as carrying it
    out does, and nearly all that are refused are so before they write anything: so there are none unless `apart`
    asks for them. Raises `_Apart` when that turns out to be needed."""
    asked, said = given.asked, len(call.warnings)
    done = _Import(call, kind, apart)
    try:
        with call.work.item():
            done.run(given.rows, asked.confirm_reach)
            if asked.dry_run or (done.refused and not asked.skip_errors):
                raise _Undone
    except _Undone:
        return done, False
    except _Apart:
        del call.warnings[said:]
        raise
    return done, True


class _Import:
    """One import under way."""

    def __init__(self, call: Call, kind: Kind, apart: bool) -> None:
        self._call = call
        self._kind = kind
        self._apart = apart
        self._seen: dict[str, int] = {}
        self.outcomes: Counter[Outcome] = Counter()
        self.refused: dict[int, Sequence[Problem]] = {}

    def run(self, rows: Sequence[Struct | ItemRefused], confirmed: bool | None) -> None:
        """Carry out the rows; what is refused is undone. Raises `ItemRefused` for what is about all of them."""
        good: list[tuple[int, Struct]] = []
        for number, row in enumerate(rows):
            if isinstance(row, ItemRefused):
                self._refuse((number,), row)
            else:
                good.append((number, row))
        for step in self._kind.plan(self._call, good, confirmed):
            if isinstance(step, Finish):
                step.run()
            else:
                self._step(step)

    def told(self) -> list[Problem]:
        """Why rows were refused, in their order; of many the first."""
        told = [problem for number in sorted(self.refused)[:MAX_TOLD] for problem in self.refused[number]]
        if len(self.refused) > MAX_TOLD:
            told.append(problem(NOT_ALLOWED, "rows", f"{len(self.refused) - MAX_TOLD} more rows were refused"))
        return told

    def _step(self, step: Step) -> None:
        work, warnings, written = self._call.work, len(self._call.warnings), self._call.work.rows_changed
        try:
            with work.item() if self._apart else nullcontext():
                outcomes = self._outcomes(step)
        except ItemRefused as refusal:
            if not self._apart and work.rows_changed != written:
                raise _Apart from refusal
            del self._call.warnings[warnings:]
            self._refuse(step.rows, refusal)
        else:
            self.outcomes.update(outcomes)

    def _outcomes(self, step: Step) -> Sequence[Outcome]:
        before = len(self._call.work.audits)
        result = step.run()
        if not isinstance(result, str):
            return result
        outcome = self._outcome(before)
        if result:
            self._note(result, step.rows[0], outcome)
        return [outcome]

    def _outcome(self, before: int) -> Outcome:
        """What the audit log says that became of an object since."""
        actions = [entry.action for entry in self._call.work.audits[before:]]
        if not actions:
            return Outcome.UNCHANGED
        return Outcome.ADDED if actions[0] == "create" else Outcome.CHANGED

    def _note(self, key: str, number: int, outcome: Outcome) -> None:
        """The row is about this object. Raises `ItemRefused` where an earlier one was, which it contradicts: else
        each import of the same rows would change it twice."""
        first = self._seen.setdefault(key, number)
        if first != number and outcome is not Outcome.UNCHANGED:
            message = f"{IMPORT_CONTRADICTION.message}: rows[{first}] is about the same object"
            raise refused(IMPORT_CONTRADICTION, None, message)

    def _refuse(self, rows: Sequence[int], refusal: ItemRefused) -> None:
        for number in rows:
            self.refused[number] = ()
        self.refused[rows[0]] = [self._within(rows[0], problem) for problem in refusal.problems]

    def _within(self, number: int, problem: Problem) -> Problem:
        """The problem of a row, naming its column."""
        place = f"rows[{number}]"
        if problem.field is None:
            return msgspec.structs.replace(problem, field=place)
        path = problem.field.removeprefix("policy.").removeprefix("conditions.")
        # Attributes are columns of their own.
        first = path if path.startswith("attributes.") else _FIRST.split(path)[0]
        return msgspec.structs.replace(problem, field=f"{place}.{self._kind.columns.get(first, first)}")
