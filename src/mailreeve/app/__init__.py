"""The assembly: the data folder, its services, the mail server, settings and logs."""
