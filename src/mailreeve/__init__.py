"""Mailreeve: mail and web policies set through an API, enforced on the next message, and explained."""
