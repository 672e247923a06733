"""The zones that resolvers fetch: their serials, the keys that they are fetched with, and what they cannot say."""
