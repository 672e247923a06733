"""What does a data folder hold, and how is the rest put together from it?

mailreeve.toml   settings; its presence marks the folder as initialised
mailreeve.db     the database
secret.key       the key from which all others are derived; without it the database's secrets are lost
maildir/         delivered mail, when no other next hop is set
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mailreeve.families.account import rows as accounts
from mailreeve.families.call import Conduct, Limits
from mailreeve.families.perform import House
from mailreeve.families.registry import ADDRESS_JOINED, LOADERS
from mailreeve.settings import FILE_NAME, Settings
from mailreeve.store.engines import DatabaseError, SqliteEngine
from mailreeve.store.follow import Follower, Keep
from mailreeve.store.migrations import bring_up_to_date
from mailreeve.store.secrets import KEY_OCTETS as VAULT_OCTETS
from mailreeve.store.secrets import Vault
from mailreeve.store.transactions import Store
from mailreeve.wire.tokens import KEY_OCTETS as IDS_OCTETS
from mailreeve.wire.tokens import Ids

DATABASE: Final = "mailreeve.db"
KEY_FILE: Final = "secret.key"
MAILDIR: Final = "maildir"
LOCK: Final = "serve.lock"
CREDENTIALS: Final = "credentials.json"
_TOKEN_OCTETS: Final = 32


class FolderError(RuntimeError):
    """The folder cannot be used. The message says why and what to do."""


def is_initialised(data: Path) -> bool:
    """Whether `mailreeve init` has finished here."""
    return (data / FILE_NAME).is_file()


def write_private(path: Path, text: str) -> None:
    """Write a new file that only its owner may read. Raises `FileExistsError`."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def make_key_file(data: Path) -> None:
    """A new key for a new folder."""
    write_private(data / KEY_FILE, base64.b64encode(secrets.token_bytes(32)).decode() + "\n")


class Opened:
    """An open data folder: its database brought up to date, and what is made of its key."""

    def __init__(self, data: Path, settings: Settings) -> None:
        self._master = self._read_key(data / KEY_FILE)
        self.engine = SqliteEngine(data / DATABASE)
        with self.engine.writing() as connection:
            bring_up_to_date(connection)
        self.store = Store(self.engine)
        self.vault = Vault(self._derive("vault", VAULT_OCTETS))
        self.token_key = self._derive("tokens", _TOKEN_OCTETS)
        limits = Limits(
            web_urls_per_policy=settings.web_urls_per_policy,
            web_urls_per_account=settings.web_urls_per_account,
            address_alterations=settings.address_alterations,
            managed_senders_per_user=settings.managed_senders_per_user,
            delegates_per_user=settings.delegates_per_user,
        )
        keep = Keep(settings.account_idle, settings.policies_kept)
        follower = Follower(self.store, LOADERS, settings.networks(), keep)
        conduct = Conduct(settings.reach_guard, settings.web_proxy)
        self.house = House(
            self.store, follower, Ids(self._derive("ids", IDS_OCTETS)), limits, ADDRESS_JOINED, conduct
        )

    def account_id(self, code: str | None) -> str:
        """The account that a code names, or the only one. Raises `FolderError`."""
        codes = self.store.look_up(accounts.codes)
        if code is None:
            if len(codes) != 1:
                named = ", ".join(sorted(codes))
                raise FolderError(f"there are several accounts; name one with --account: {named}")
            code = next(iter(codes))
        if code not in codes:
            raise FolderError(f"there is no account {code}")
        return codes[code]

    def close(self) -> None:
        """Close the database."""
        self.engine.dispose()

    def _derive(self, purpose: str, octets: int) -> bytes:
        return HKDF(SHA256(), octets, salt=None, info=f"mailreeve {purpose}".encode()).derive(self._master)

    @staticmethod
    def _read_key(file: Path) -> bytes:
        try:
            key = base64.b64decode(file.read_text("ascii").strip(), validate=True)
        except (OSError, ValueError) as problem:
            raise FolderError(f"{file} cannot be read: {problem}") from problem
        if len(key) != 32:
            raise FolderError(f"{file} is damaged: it should hold 32 octets in base64")
        return key


def open_initialised(data: Path, settings: Settings) -> Opened:
    """Open a folder that `mailreeve init` has made. Raises `FolderError`."""
    if not is_initialised(data):
        raise FolderError(f"{data} is not initialised; run: mailreeve init --data {data} --domain NAME")
    return Opened(data, settings)


@contextmanager
def opened_folder(data: Path, settings: Settings) -> Iterator[Opened]:
    """The folder while the block lasts. Raises `FolderError`, also where its database turns out to be damaged."""
    try:
        opened = open_initialised(data, settings)
        try:
            yield opened
        finally:
            opened.close()
    except DatabaseError as problem:
        raise FolderError(f"{data / DATABASE} cannot be used: {problem.orig}") from problem
