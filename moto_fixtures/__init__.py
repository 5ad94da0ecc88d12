"""An AWS organization to run against: moto as AWS documents it, and real Go handlers."""
