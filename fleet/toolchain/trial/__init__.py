"""Does this package start? Tried under AWS's own emulator."""
