"""The numbers that are told, each once: its name, what it means, its labels.

Labels hold nothing that strangers make up: an account's code, one of our paths, a status, a state. So there are as
many series as accounts and endpoints make, whatever comes in.

Of several workers counters and histograms are added up, over the death of a worker too; of the others it is said
here (`multiprocess_mode`) what their numbers make together.
"""

from __future__ import annotations

from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

CALL_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
DECISION_BUCKETS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1, 5)
MESSAGE_BUCKETS: Final = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120, 600)


class Instruments:
    """All of them. `registry` is None where several workers share their numbers."""

    def __init__(self, registry: CollectorRegistry | None) -> None:
        # They are another series for each, which nobody asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call]

        def counter(name: str, meaning: str, *labels: str) -> Counter:
            return Counter(f"mailreeve_{name}", meaning, labels, registry=registry)

        def histogram(name: str, meaning: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"mailreeve_{name}", meaning, labels, buckets=buckets, registry=registry)

        # Mail.
        self.outcomes = counter(
            "outcomes", "Recipients by what became of their message", "account", "state", "stage", "layer"
        )
        self.decisions = histogram(
            "decision_seconds",
            "Deciding about a recipient or a content, policies looked up",
            DECISION_BUCKETS,
            "stage",
        )
        self.messages = histogram(
            "message_seconds",
            "From the end of a content to its reply, next hop and records included",
            MESSAGE_BUCKETS,
            "reply",
        )
        self.turned_away = counter("smtp_turned_away", "Clients of the mail door that found no place")
        self.outcomes_left_out = counter("outcomes_left_out", "Outcomes that were not recorded, for want of room")
        self.next_hop_replies = counter(
            "next_hop_replies", "What the next hop said of a recipient or a copy", "asked", "reply"
        )
        self.next_hop_seconds = histogram("next_hop_seconds", "Handing a copy to the next hop", MESSAGE_BUCKETS)
        # Calls.
        self.calls = counter("api_calls", "Calls by path and status of the answer", "path", "status")
        self.call_seconds = histogram(
            "api_call_seconds", "From a call's headers to its answer", CALL_BUCKETS, "path"
        )
        # The process.
        self.log_lines_dropped = counter("log_lines_dropped", "Log lines that could not be written")
        self.cpu_seconds = Counter("process_cpu_seconds", "Time of the processors, in seconds", registry=registry)

        self.next_hop_up = Gauge(
            "mailreeve_next_hop_up",
            "Whether the next hop answered when it was last asked; absent until then",
            ["kind"],
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self.connections = Gauge(
            "mailreeve_connections", "Connections", ["door"], registry=registry, multiprocess_mode="livesum"
        )
        self.waiting = Gauge(
            "mailreeve_writes_waiting",
            "Calls and records that wait for the writes before them",
            ["of"],
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.outgoing = Gauge(
            "mailreeve_outgoing_waiting", "Copies that wait to be handed to the next hop", registry=registry,
            multiprocess_mode="livemax",
        )  # fmt: skip
        self.outgoing_oldest = Gauge(
            "mailreeve_outgoing_oldest_seconds", "How long the oldest of these has waited", registry=registry,
            multiprocess_mode="livemax",
        )  # fmt: skip
        self.policies = Gauge(
            "mailreeve_policies", "Policies and entries in force", ["account"], registry=registry,
            multiprocess_mode="livemax",
        )  # fmt: skip
        self.policies_since = Gauge(
            "mailreeve_policies_since_timestamp_seconds",
            "Since when these policies decide",
            ["account"],
            registry=registry,
            multiprocess_mode="livemin",
        )
        self.revision = Gauge(
            "mailreeve_revision", "Newest revision of the account", ["account"], registry=registry,
            multiprocess_mode="livemax",
        )  # fmt: skip
        self.unreadable_rows = Gauge(
            "mailreeve_unreadable_rows", "Stored rows that are left out", registry=registry,
            multiprocess_mode="livemax",
        )  # fmt: skip
        self.workers = Gauge(
            "mailreeve_workers", "Serving processes", registry=registry, multiprocess_mode="livesum"
        )
        self.build = Gauge(
            "mailreeve_build_info", "The version, always 1", ["version"], registry=registry,
            multiprocess_mode="livemax",
        )  # fmt: skip
        self.certificate_expiry = Gauge(
            "mailreeve_certificate_expiry_timestamp_seconds",
            "When the certificate that is in the file expires",
            ["file"],
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.database_octets = Gauge(
            "mailreeve_database_bytes", "Size of the database and its log", registry=registry,
            multiprocess_mode="livemax",
        )  # fmt: skip
        self.free_octets = Gauge(
            "mailreeve_data_free_bytes", "Room left on the disk of the data folder", registry=registry,
            multiprocess_mode="livemin",
        )  # fmt: skip
        # As every exporter names them.
        self.process = {
            name: Gauge(name, meaning, registry=registry, multiprocess_mode=mode)
            for name, (meaning, mode) in _PROCESS.items()
        }


_PROCESS: Final[dict[str, tuple[str, Literal["livesum", "livemin"]]]] = {
    "process_resident_memory_bytes": ("Memory in use", "livesum"),
    "process_open_fds": ("Open files", "livesum"),
    "process_max_fds": ("Open files that one process may have", "livemin"),
    "process_start_time_seconds": ("When the oldest process started", "livemin"),
}
