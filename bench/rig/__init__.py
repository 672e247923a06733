"""What the benchmarks share: servers in processes of their own, load generators, and how results are shown."""
