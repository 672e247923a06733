"""The limit of open files is raised as far as it may be, and never lowered."""

from __future__ import annotations

import resource

import pytest
from structlog.testing import capture_logs

from mailreeve.app.server import process

UNLIMITED = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("limits", "then", "told"),
    [
        ((1_024, 524_288), (process.DESCRIPTORS, 524_288), False),
        ((1_024, UNLIMITED), (process.DESCRIPTORS, UNLIMITED), False),
        ((1_024, 2_048), (2_048, 2_048), True),
        ((process.DESCRIPTORS + 1, UNLIMITED), None, False),
        ((UNLIMITED, UNLIMITED), None, False),
    ],
)
def test_the_limit_of_open_files_is_raised(monkeypatch: pytest.MonkeyPatch, limits, then, told) -> None:
    made = []
    monkeypatch.setattr(resource, "getrlimit", lambda which: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda which, now: made.append(now))
    with capture_logs() as lines:
        process.allow_descriptors()
    assert made == ([] if then is None else [then])
    assert [line["event"] for line in lines] == (["few open files are allowed"] if told else [])
