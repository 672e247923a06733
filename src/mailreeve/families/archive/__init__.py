"""The archive of accepted mail: kept as it was delivered, found again, read, held, and removed in time."""
