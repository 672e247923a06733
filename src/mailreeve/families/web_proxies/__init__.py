"""Proxies that ask before they let a request through: which there are, and by what token each is known."""
