"""What differs from one run to the next, and the stable words that stand for it in a recording.

Ids, tokens and decision ids are numbered in order of first appearance, so that a recording still tells which is
which. Times are not: whether two of them fall into the same second is chance. Dates far from today were written
by the scenes, and stay.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_SECONDS_AGO = re.compile(r"it is \d+ s (ahead|behind)")
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)([T ])\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?")
_MAIL_DATE = re.compile(r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (?:[+-]\d{4}|UTC|GMT)")
_DECIDED = re.compile(
    r"(?:\[|\"decisionId\":\s?\"|X-Mailreeve-Decision: |ESMTPS? id |decision(?:_id)?=)([a-z2-7]{16})(?![a-z0-9])"
)
_ACCESS_TOKEN = re.compile(r"\beyJ[A-Za-z0-9_.-]+")
_PROXY_TOKEN = re.compile(r"\bmailreeve-web-[A-Za-z0-9_-]{43}")
_PROOF = re.compile(r"(?<=mailreeve-verification=)[0-9a-f]{32}")
_ZONE_OF_ACCOUNT = re.compile(r"\bcm[a-z]{2}\d{8}(?=\.rpz\.)")
_EXPIRES = re.compile(r'"expires_in":1(?:800|79\d)\b')
_PAGE_TOKEN = re.compile(r'"(?:next|previous)":"([^"]+)"')
_NEW_KEY = re.compile(r'"(?:appId|appKey|accessKey|secretKey|clientId|clientSecret)":\s?"([A-Za-z0-9+/=_-]{32,})"')
_DIGEST = re.compile(r'"head":"[0-9a-f]{64}"')
_LAST_USE = re.compile(r',\s?"lastUsed":\s?"[^"]*",\s?"lastUsedFrom":\s?"[^"]*"')  # written now and then
_ID = re.compile(r"(?<![A-Za-z0-9_-])(?:MTOKEN:)?[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")
_WORD = re.compile(r"(?:MTOKEN:)?[A-Za-z0-9_-]{16,}")
_EVENT_TIME = re.compile(r"Date: \d{4}-\d\d-\d\d, Time: \d\d:\d\d:\d\d\+0000")
_LOG_TIME = re.compile(r"(?<![\d-])\d\d-\d\d \d\d:\d\d:\d\d(?= (?:rejected|deferred|delivered) )")
_MAILDIR_NAME = re.compile(r"\b1\d{9}\.\d{6}\.[0-9a-f]{16}\.[A-Za-z0-9._-]+")
_REQUEST = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b")
_PORT = re.compile(r"(127\.0\.0\.1[: ]|\bport=)\d{4,5}\b")
_ACCOUNT_CODE = re.compile(r"\bCM[A-Z]{2}\d{8}\b")
_MOMENT = re.compile(r"-?\b1\d{9}\.\d+\b")
_RUN = re.compile(r"(.)\1{99,}", re.DOTALL)
_TODAY = timedelta(days=40)  # wide enough for what is counted from now: seven days ago, a month ahead


class Placeholders:
    """The placeholders of one recording. `known` has what is known to differ, and its names."""

    def __init__(self, known: dict[str, str]) -> None:
        self._known = {value: f"<{name}>" for name, value in known.items()}
        # What is known stands as a whole: a key inside a longer word is none.
        given = "|".join(map(re.escape, sorted(known.values(), key=len, reverse=True)))
        self._given = re.compile(rf"(?<![A-Za-z0-9])(?:{given})(?![A-Za-z0-9])") if known else None
        self._counts: dict[str, int] = {}
        self._now = datetime.now(UTC)

    def in_text(self, text: str) -> str:
        """The text with everything that differs replaced."""
        # Not numbered: those that are given within one second are the same.
        text = _ACCESS_TOKEN.sub("<access token>", text)
        text = _PROXY_TOKEN.sub("<proxy token>", text)
        text = _PROOF.sub("<code>", text)
        text = _ZONE_OF_ACCOUNT.sub("<account code>", text)
        text = _EXPIRES.sub('"expires_in":1800', text)
        text = _DIGEST.sub('"head":"<digest>"', text)
        text = _LAST_USE.sub("", text)
        for kind, pattern in (("decision", _DECIDED), ("page", _PAGE_TOKEN), ("key", _NEW_KEY)):
            for found in pattern.finditer(text):
                self._name(kind, found.group(1))
        for found in _ACCOUNT_CODE.finditer(text):
            text = text.replace(found.group(), self._name("account code", found.group()))
        # Not within keys: between two of its signs a random one may have a run of letters as long as an id.
        apart = _NEW_KEY.sub(" ", text)
        if self._given is not None:
            apart = self._given.sub(" ", apart)
        for found in _ID.finditer(apart):
            word = found.group().removeprefix("MTOKEN:")
            # Neither an error code that happens to be as long, nor a word that a scene makes up.
            if len(set(word)) > 8 and word != word.lower():
                self._name("id", found.group())
        if self._given is not None:
            text = self._given.sub(lambda found: self._known[found.group()], text)
        text = _NEW_KEY.sub(lambda found: found[0].replace(found[1], self._known.get(found[1], found[1])), text)
        text = _WORD.sub(lambda found: self._known.get(found.group(), found.group()), text)
        text = _SECONDS_AGO.sub(r"it is <n> s \1", text)
        text = _MAILDIR_NAME.sub("<file>", text)
        text = _LOG_TIME.sub("<time>", _EVENT_TIME.sub("<time>", text))
        text = _MOMENT.sub('"<moment>"', text)  # In quotes, so that what was JSON stays JSON.
        text = _ISO.sub(self._time, text)
        text = _MAIL_DATE.sub(self._mail_date, text)
        text = _REQUEST.sub("<request>", text)
        text = _PORT.sub(r"\1<port>", text)
        return _RUN.sub(lambda found: f"<{len(found.group())} × {found.group(1)}>", text)

    def _name(self, kind: str, value: str) -> str:
        if value not in self._known:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._known[value] = f"<{kind} {self._counts[kind]}>"
        return self._known[value]

    def _time(self, found: re.Match[str]) -> str:
        try:
            day = datetime.fromisoformat(found.group(1)).replace(tzinfo=UTC)
        except ValueError:  # Scenes send dates that are none, and those are answered as they were sent.
            return found.group()
        return "<time>" if abs(day - self._now) < _TODAY else found.group()

    def _mail_date(self, found: re.Match[str]) -> str:
        when = parsedate_to_datetime(found.group())
        when = when.replace(tzinfo=UTC) if when.tzinfo is None else when
        return "<date>" if abs(when - self._now) < _TODAY else found.group()
