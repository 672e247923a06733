"""The assembly: the data folder and its accounts, the library, the server, settings and logs."""
