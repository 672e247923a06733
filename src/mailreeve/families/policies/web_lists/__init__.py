"""Lists of URLs and domains that web requests may or may not reach."""
