"""ELF files: header, libraries, and what Go wrote into them."""
