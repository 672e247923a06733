"""What does a data folder hold, and how is the rest put together from it?

mailreeve.toml   settings; its presence marks the folder as initialised
mailreeve.db     the database
secret.key       the key from which all others are derived; without it the database's secrets are lost
maildir/         delivered mail, when no other next hop is set
bodies/          the bodies of mail that is held, archived, or waits to be handed on
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mailreeve.app.database_file import check_contents, check_file, unusable
from mailreeve.app.folder_files import BODIES as BODIES
from mailreeve.app.folder_files import CREDENTIALS as CREDENTIALS
from mailreeve.app.folder_files import DATABASE as DATABASE
from mailreeve.app.folder_files import KEY_FILE as KEY_FILE
from mailreeve.app.folder_files import LOCK as LOCK
from mailreeve.app.folder_files import MAILDIR as MAILDIR
from mailreeve.app.folder_files import UNFINISHED as UNFINISHED
from mailreeve.app.folder_files import FolderError as FolderError
from mailreeve.app.folder_files import is_initialised as is_initialised
from mailreeve.app.folder_files import is_served as is_served
from mailreeve.app.private_files import write_private
from mailreeve.app.settings import FILE_NAME, NewDomains, Settings
from mailreeve.families.digest.links import KEY_OCTETS as LINKS_OCTETS
from mailreeve.families.digest.links import Links
from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.directory.domains.proof import Resolver, ask_by
from mailreeve.families.login.key_marks import ForeignKeyError, sign
from mailreeve.families.machinery.call import InstallationOptions, Limits
from mailreeve.families.machinery.perform import Services
from mailreeve.families.registry import ADDRESS_JOINED, ELSEWHERE, FOLLOWERS, LOADERS, VERSIONED
from mailreeve.store.bodies import FolderBodies
from mailreeve.store.engines import DatabaseError, SqliteEngine
from mailreeve.store.follow import Follower, Keep
from mailreeve.store.migrations import bring_up_to_date
from mailreeve.store.secrets import KEY_OCTETS as VAULT_OCTETS
from mailreeve.store.secrets import Vault
from mailreeve.store.transactions import Store
from mailreeve.wire.tokens import KEY_OCTETS as IDS_OCTETS
from mailreeve.wire.tokens import Ids

FINGERPRINT_OCTETS: Final = 16
_TOKEN_OCTETS: Final = 32
_RELEASE_OCTETS: Final = 32


def make_key_file(data: Path) -> None:
    """A new key for a new folder."""
    write_private(data / KEY_FILE, base64.b64encode(secrets.token_bytes(32)).decode() + "\n")


class Opened:
    """An open data folder: its database brought up to date, and what is made of its key.

    A `new` one may have an empty database, one in use never: what was in it is lost, and nobody is to find out by
    mail that passes. Raises `FolderError`.
    """

    def __init__(
        self,
        data: Path,
        settings: Settings,
        *,
        new: bool = False,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self._data = data
        self._master = read_key(data / KEY_FILE)
        if not new:
            check_file(data / DATABASE)
        self.engine = SqliteEngine(data / DATABASE)
        self.store = Store(self.engine) if clock is None else Store(self.engine, clock)
        self.vault = Vault(self._derive("vault", VAULT_OCTETS))
        try:
            self._prepare(new)
        except BaseException:
            self.engine.dispose()
            raise
        self.token_key = self._derive("tokens", _TOKEN_OCTETS)
        self.links = Links(self._derive("digest links", LINKS_OCTETS))
        self.release_key = self._derive("released mail", _RELEASE_OCTETS)
        keep = Keep(settings.account_idle, settings.policies_kept)
        follower = Follower(
            self.store, LOADERS, settings.networks(), keep, authentication=settings.authentication()
        )
        ids = Ids(self._derive("ids", IDS_OCTETS))
        self.bodies = FolderBodies(data / BODIES)
        ask_by(Resolver(settings.resolvers_at()))
        self.services = Services(
            self.store,
            follower,
            ids,
            limits_of(settings),
            ADDRESS_JOINED,
            self.vault,
            installation_of(settings),
            FOLLOWERS,
            self.bodies,
            ELSEWHERE,
            VERSIONED,
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

    def sign_accounts(self) -> None:
        """Have the accounts that are new bear the mark of this folder's key."""
        sign(self.engine, self.vault, fingerprint_of(self._master))

    def close(self) -> None:
        """Close the database."""
        self.engine.dispose()

    def _prepare(self, new: bool) -> None:
        """Bring the database up to date, if it is one of ours and belongs to this folder's key. Raises
        `FolderError`."""
        database = self._data / DATABASE
        try:
            if not new:
                check_contents(self.engine, database)
            with self.engine.writing() as connection:
                bring_up_to_date(connection)
            if not new:
                self.sign_accounts()
        except ForeignKeyError as problem:
            raise FolderError(
                f"{self._data / KEY_FILE} is not the key that {database} was written with: put back the two that "
                "belong together"
            ) from problem
        except DatabaseError as problem:
            raise FolderError(unusable(database, problem)) from problem

    def _derive(self, purpose: str, octets: int) -> bytes:
        return derived(self._master, purpose, octets)


def derived(master: bytes, purpose: str, octets: int) -> bytes:
    """The key for a purpose, made of the folder's."""
    return HKDF(SHA256(), octets, salt=None, info=f"mailreeve {purpose}".encode()).derive(master)


def fingerprint_of(master: bytes) -> str:
    """What a key is known by, and says nothing about it."""
    return derived(master, "fingerprint", FINGERPRINT_OCTETS).hex()


def read_key(file: Path) -> bytes:
    """The key that a file holds. Raises `FolderError`."""
    put_back = "put it back from a backup: without it neither ids nor stored keys can be read"
    try:
        key = base64.b64decode(file.read_text("ascii").strip(), validate=True)
    except FileNotFoundError as problem:
        raise FolderError(f"{file} is missing; {put_back}") from problem
    except OSError as problem:
        raise FolderError(f"{file} cannot be read: {problem.strerror}") from problem
    except ValueError as problem:
        raise FolderError(f"{file} is damaged; {put_back}") from problem
    if len(key) != 32:
        raise FolderError(f"{file} is damaged: it should hold 32 octets in base64; {put_back}")
    return key


def limits_of(settings: Settings) -> Limits:
    """How much an account may hold."""
    return Limits(
        web_urls_per_policy=settings.web_urls_per_policy,
        web_urls_per_account=settings.web_urls_per_account,
        address_alterations=settings.address_alterations,
        managed_senders_per_user=settings.managed_senders_per_user,
        delegates_per_user=settings.delegates_per_user,
    )


def installation_of(settings: Settings) -> InstallationOptions:
    """How what could be treated either way is treated."""
    return InstallationOptions(
        settings.reach_guard,
        settings.web_proxy,
        spam_engine=bool(settings.spam_engine),
        zones=bool(settings.dns),
        archive_days=settings.archive_days,
        public_url=settings.links_base(),
        purge_days=settings.purge_days,
        directory=settings.directory(),
        domains_are_verified=settings.new_domains is NewDomains.VERIFIED,
        login_life=settings.login_life,
    )


def open_initialised(data: Path, settings: Settings, clock: Callable[[], datetime] | None = None) -> Opened:
    """Open a folder that `mailreeve init` has made. Raises `FolderError`."""
    require_initialised(data)
    return Opened(data, settings, clock=clock)


def require_initialised(data: Path) -> None:
    """Raises `FolderError` that says what to do when `mailreeve init` has not finished here."""
    if is_initialised(data):
        return
    if data.exists() and not data.is_dir():
        raise FolderError(f"{data} is not a folder")
    if (data / DATABASE).exists() and not (data / UNFINISHED).exists():
        raise FolderError(f"{data / FILE_NAME} is missing; put it back, it may be empty")
    raise FolderError(f"{data} is not initialised; run: mailreeve init --data {data} --domain NAME")


@contextmanager
def opened_folder(data: Path, settings: Settings, clock: Callable[[], datetime] | None = None) -> Iterator[Opened]:
    """The folder while the block lasts. Raises `FolderError`, also where its database turns out to be damaged."""
    opened = open_initialised(data, settings, clock)
    try:
        yield opened
    except DatabaseError as problem:
        raise FolderError(unusable(data / DATABASE, problem)) from problem
    finally:
        opened.close()
