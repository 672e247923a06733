"""The command line: reads options, has `app` do the work, and prints."""
