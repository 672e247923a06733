"""Temporary allows of web addresses: for one user or client, with an end and a reason."""
