"""An address that cannot be had is named with its setting and what to do."""

from __future__ import annotations

import errno

import pytest

from mailreeve.app.server.sockets import listening
from mailreeve.app.settings import SettingsError


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (
            errno.EADDRINUSE,
            "smtp: 127.0.0.1:25 is in use; choose another with --smtp or MAILREEVE_SMTP",
        ),
        (
            errno.EACCES,
            "smtp: 127.0.0.1:25 cannot be had: Permission denied; choose another with --smtp or MAILREEVE_SMTP",
        ),
    ],
)
def test_listener_and_option_are_named(number: int, said: str) -> None:
    problem = OSError(number, "Permission denied")
    with pytest.raises(SettingsError) as caught, listening("smtp", "127.0.0.1:25"):
        raise problem
    assert str(caught.value) == said
