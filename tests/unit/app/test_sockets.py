"""An address that cannot be had is named with its setting and what to do."""

from __future__ import annotations

import errno
import os
import socket
import stat
from pathlib import Path

import pytest

from mailreeve.app.server.sockets import listening, open_sockets
from mailreeve.app.settings import Settings, SettingsError


def at(path: Path, **more: str) -> Settings:
    """Settings with a milter door on this path."""
    return Settings(http="127.0.0.1:0", smtp="127.0.0.1:0", milter=f"unix:{path}", **more)


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


def test_unix_socket_of_the_milter_door_is_for_its_group_and_goes_with_it(tmp_path: Path) -> None:
    path = tmp_path / "milter.sock"
    with open_sockets(at(path, milter_group=str(os.getgid()))) as sockets:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert path.stat().st_gid == os.getgid()
        assert sockets.milter[0] in sockets.every()
    assert not path.exists()


def test_without_a_group_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "milter.sock"
    with open_sockets(at(path)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_a_dead_server_left_is_taken_away_and_a_living_ones_is_not(tmp_path: Path) -> None:
    path = tmp_path / "milter.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with open_sockets(at(path)):
        with pytest.raises(SettingsError, match=r"milter: unix:\S+ is in use"), open_sockets(at(path)):
            pass
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))


def test_no_other_file_is_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "letter"
    path.write_text("dear")
    with pytest.raises(SettingsError, match="is in use"), open_sockets(at(path)):
        pass
    assert path.read_text() == "dear"


def test_group_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "milter.sock"
    told = pytest.raises(SettingsError, match="milter_group: there is no group 'nobody-here'")
    with told, open_sockets(at(path, milter_group="nobody-here")):
        pass
    assert not path.exists()
