"""A client of a data folder, without a server.

What works on a folder is the whole program, and takes many times as long to load as a call of a server takes.
`calling` loads this module where a command works on a folder (ADR 0069).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailreeve.app import logs
from mailreeve.app.folder import opened_folder
from mailreeve.app.folder_api import URL, FolderApi
from mailreeve.app.folder_files import FolderError
from mailreeve.app.settings import Settings
from mailreeve.client import Client
from mailreeve.store.migrations import SchemaError


@contextmanager
def folder_client(data: Path, settings: Settings, account: str | None) -> Iterator[Client]:
    """A client that is carried out on the folder. Raises `FolderError`, also while it is used, or `OSError`."""
    logs.configure_quietly()
    try:
        with opened_folder(data, settings) as opened:
            folder = FolderApi(opened.services, opened.account_id(account))
            with Client(URL, None, transport=folder) as api:
                yield api
    except SchemaError as problem:
        raise FolderError(str(problem)) from problem
