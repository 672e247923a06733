"""What is done about the spam engine: when it is asked, and when it is not there."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import structlog
from msgspec.structs import replace
from structlog.typing import FilteringBoundLogger

from mailreeve.families.tracking.outcomes import NotScanned
from mailreeve.mail.scan import Scan, ScanRequest
from mailreeve.mail.spam.engine import EngineAway, SpamEngine
from mailreeve.mail.spam.put_off import PutOff
from mailreeve.mail.spam.settings import EngineSettings, WhenAbsent
from mailreeve.policy.model.content import SpamAction
from mailreeve.policy.model.policy_types import SmtpReply

log: FilteringBoundLogger = structlog.get_logger()

ENGINE_AWAY: Final = SmtpReply(451, "4.7.1", "Cannot look at the message now, try again later")


class EngineScanner:
    """Has messages looked at by an engine, see `mail.scan.Scanner`. To be made, and closed, in an event loop."""

    def __init__(self, settings: EngineSettings, clock: Callable[[], float] = time.time) -> None:
        self.finds_viruses = settings.finds_viruses
        self._settings = settings
        self._clock = clock
        self._engine = SpamEngine(settings.url, timeout=settings.timeout, at_once=settings.at_once)
        self._put_off = PutOff()
        self._is_away = False

    async def scan(self, request: ScanRequest) -> Scan:
        """What the engine says, or why it says nothing."""
        if request.size > self._settings.max_size:
            return Scan(not_scanned=NotScanned.TOO_LARGE)
        try:
            scan = await self._engine.check(request)
        except EngineAway as problem:
            if not self._is_away:  # else it would be said of every message
                log.warning("spam.engine_away", url=self._settings.url, why=str(problem))
            self._is_away = True
            defers = self._settings.when_absent is WhenAbsent.DEFER
            return Scan(not_scanned=NotScanned.NO_ANSWER, refusal=ENGINE_AWAY if defers else None)
        if self._is_away:
            log.info("spam.engine_back", url=self._settings.url)
            self._is_away = False
        verdict = scan.verdict
        if verdict is not None and verdict.action is SpamAction.GREYLIST:
            again = self._put_off.again(request, self._clock())
            scan = replace(scan, verdict=replace(verdict, was_put_off=again))
        return scan

    async def aclose(self) -> None:
        """Close the connections."""
        await self._engine.aclose()
