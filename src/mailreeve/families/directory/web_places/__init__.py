"""Locations and clients: where web requests come from, and whose addresses these are."""
