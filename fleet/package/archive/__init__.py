"""A zip as a directory of entries, and their content: hostile until checked."""
