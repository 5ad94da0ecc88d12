"""Accounts × regions → an inventory, with the coverage that says what was not seen."""

from fleet.fan_out import Crew, Inbox
from fleet.scan.inspecting import Inspector
from fleet.scan.lane import Look
from fleet.scan.run import Progress, begin, look_at, resume, run

__all__ = ["Crew", "Inbox", "Inspector", "Look", "Progress", "begin", "look_at", "resume", "run"]
