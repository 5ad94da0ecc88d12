"""The programs that execution environments take, found or built once a process."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from fleet.toolchain.sandbox.box import find_tools
from fleet.toolchain.sandbox.walls import Tools
from fleet.toolchain.trial.emulator import Emulator, emulator
from moto_fixtures.build import build
from moto_fixtures.definition import Build

_RPC = Path(__file__).parent.parent / "rpc"

_lock = threading.Lock()
_kept: list[Programs] = []


@dataclass(frozen=True, slots=True)
class Programs:
    """What builds the walls, and what is put behind them."""

    tools: Tools
    emulator: Emulator
    door: Path


def programs() -> Programs:
    """Give them; raises NoSandbox, EmulatorMissing, ToolMissing or BuildFailed."""
    with _lock:
        if not _kept:
            door = Build(command="door")
            _kept.append(Programs(find_tools(), emulator(), build(door, handlers=_RPC)))
        return _kept[0]
