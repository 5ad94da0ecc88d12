"""An AWS organization to run against: moto made to behave as AWS documents, and real Go handlers."""
