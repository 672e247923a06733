"""Managed URLs: a URL or domain that is permitted or blocked for everybody, before any web list is asked."""
