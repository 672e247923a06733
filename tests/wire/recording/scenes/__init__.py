"""What is recorded: for each area a scene, and the server that it is played on.

`accounts` says what the folder holds: one account as `mailreeve init` makes it, or two with callers of every role.
The settings are given in the environment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from recorder import Recorder

from scenes import (
    alteration,
    archive,
    blocked_senders,
    bulk,
    comings,
    digest,
    directory,
    envelope,
    explaining,
    forms,
    groups,
    held,
    life,
    limits,
    mail,
    people,
    personal,
    records,
    web_lists,
)

SETTINGS = {"MAILREEVE_RATE_LIMIT": "100000000", "MAILREEVE_HOSTNAME": "mx.corp.test"}


@dataclass(frozen=True)
class Area:
    """A scene, and the server that it needs."""

    play: Callable[[Recorder], None]
    accounts: int = 1
    settings: dict[str, str] = field(default_factory=dict)


AREAS: dict[str, Area] = {
    # First, since it takes longest: two areas are played at a time.
    "explaining": Area(explaining.play, settings={"MAILREEVE_AUTO_ALLOW": "false"}),
    "envelope": Area(envelope.play, 2, {"MAILREEVE_MAX_BODY": "100000"}),
    "forms": Area(forms.play, 2),
    "directory": Area(directory.play, 2),
    "comings": Area(comings.play, settings=comings.SETTINGS),
    "groups": Area(groups.play, 2),
    "people": Area(people.play, 2),
    "life": Area(life.play, 2),
    "personal": Area(personal.play, 2),
    "blocked_senders": Area(blocked_senders.play, 2),
    "alteration": Area(alteration.play, 2),
    "web_lists": Area(web_lists.play, 2),
    "mail": Area(mail.play),
    "records": Area(records.play),
    "held": Area(held.play, 2),
    "archive": Area(archive.play, 2, archive.SETTINGS),
    "digest": Area(digest.play, 2, digest.SETTINGS),
    "digest_without_url": Area(digest.play_without_url),
    "strangers_mail": Area(mail.play_strangers, 1, {"MAILREEVE_RELAY_NETWORKS": "192.0.2.0/24"}),
    "mail_at_connect": Area(mail.play_connect),
    "limits": Area(limits.play, 2, limits.SETTINGS),
    "bulk": Area(bulk.play),
    "quota": Area(limits.play_quota, 1, limits.QUOTA_SETTINGS),
}
