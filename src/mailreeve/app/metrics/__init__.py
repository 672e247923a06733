"""What a server tells Prometheus: numbers about mail, calls and itself, on a listener of their own."""
