"""The command line: assembles the rest, and owns start-up and shutdown."""
