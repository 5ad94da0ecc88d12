"""The same program again from its own source, built for another architecture behind walls."""
