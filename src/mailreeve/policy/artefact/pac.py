"""Which proxy does a browser use? A proxy auto-configuration file: by the address of the browser.

The file is a program that browsers run for each URL. It holds nothing but constants of ours, written as JSON. It
does not say what is blocked: that the proxy asks us about.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network
from typing import Final

from msgspec import Struct

from mailreeve.formats.networks import Network

_PROGRAM: Final = """\
// Made by Mailreeve. Which proxy to use, by where the browser is.
var direct = %(direct)s;
var places = %(places)s;
var other = %(other)s;

function FindProxyForURL(url, host) {
  host = host.toLowerCase().replace(/\\.+$/, "");
  if (isPlainHostName(host)) return "DIRECT";
  for (var i = 0; i < direct.length; i++)
    if (host === direct[i] || host.slice(-direct[i].length - 1) === "." + direct[i]) return "DIRECT";
  var here = myIpAddress();
  for (var j = 0; j < places.length; j++)
    if (isInNet(here, places[j][0], places[j][1])) return places[j][2];
  return other;
}
"""


class ProxyPlace(Struct, frozen=True):
    """The proxies of whoever browses from some networks, `HOST:PORT`, in the order in which they are tried."""

    networks: Sequence[Network]
    proxies: Sequence[str]


def pac_file(
    proxies: Sequence[str], places: Iterable[ProxyPlace], direct: Iterable[str], *, or_direct: bool
) -> str:
    """The file. `proxies` are for whoever is at none of the `places`, of which the narrowest network counts;
    without any such browsers go direct. Domains in `direct` are reached without a proxy, with all below them. With
    `or_direct` a browser goes direct where no proxy answers; without it, it reaches nothing then.

    Browsers know their IPv4 address alone here, so IPv6 networks are left out.
    """
    rows = [
        (network, _choice(place.proxies, or_direct=or_direct))
        for place in places
        for network in place.networks
        if isinstance(network, IPv4Network)
    ]
    rows.sort(key=lambda row: (-row[0].prefixlen, int(row[0].network_address)))
    written = [[str(network.network_address), str(network.netmask), choice] for network, choice in rows]
    return _PROGRAM % {
        "direct": json.dumps(sorted(set(direct))),
        "places": json.dumps(written, indent=1),
        "other": json.dumps(_choice(proxies, or_direct=or_direct)),
    }


def _choice(proxies: Sequence[str], *, or_direct: bool) -> str:
    named = [f"PROXY {proxy}" for proxy in proxies]
    return "; ".join([*named, *(["DIRECT"] if or_direct or not named else [])])
