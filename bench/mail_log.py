"""How long does a page of `mailreeve log` take in an account with very many records?

    .venv/bin/python bench/mail_log.py [--records 1000000] [--rounds 9]

Each question is a page of 50, asked of the endpoint in this process. The first page and one from the middle of the list;
the median is told, and the slowest. What is narrowed by a second field, or by what is left out, may take several pages:
their number is told as well.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from mailreeve.app.folder import opened_folder
from mailreeve.app.folder_api import URL, FolderApi
from mailreeve.app.new_folder import NewAccount, make_folder
from mailreeve.app.settings import Settings
from mailreeve.client import Client
from mailreeve.families.tracking import rows
from mailreeve.families.tracking.outcomes import Outcome, State
from mailreeve.policy.model.decisions import SpamChecks, Stage
from mailreeve.store.transactions import Origin

FIND = "ext/find-mail-records"
AT_ONCE = 5_000
