"""The client for asyncio. Made by tools/make_client.py."""
