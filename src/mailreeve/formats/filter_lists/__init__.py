"""Lists of domains and URLs as others write them: plain, hosts files, AdBlock rules, policy zones, URLhaus."""
