"""How long does a page of `mailreeve log` take in an account with very many records?

    .venv/bin/python bench/mail_log.py [--records 1000000] [--rounds 9]

Each question is a page of 50, asked of the endpoint in this process. The first page and one from the middle of the
list; the median is told, and the slowest. What is narrowed by a second field, or by what is left out, may take
several pages: their number is told as well.
"""

from __future__ import annotations

FIND = "ext/find-mail-records"
AT_ONCE = 5_000
