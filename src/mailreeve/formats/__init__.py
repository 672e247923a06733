"""What the outside world writes, parsed once: addresses, header fields, messages, web URLs, networks."""
