"""Accounts × regions → an inventory, with the coverage that says what was not seen."""

from fleet.scan.lane import Look
from fleet.scan.run import Inbox, Progress, begin, resume, run

__all__ = ["Inbox", "Look", "Progress", "begin", "resume", "run"]
