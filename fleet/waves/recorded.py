"""A plan's record as the store has it, with nothing but the store at hand."""

from __future__ import annotations

from datetime import datetime

from fleet.model import FunctionRef
from fleet.store import Store
from fleet.wave import SavedPlan
from fleet.wave_status import PlanRecord
from fleet.waves.due import Record
from fleet.waves.planfile import PlanFile
from fleet.waves.status import record_of

_FUNCTIONS = "function/"


def recorded(store: Store, saved: SavedPlan, now: datetime) -> PlanRecord:
    """Read how far a plan has come. `now` is the store's, by which its leases end.

    Raises FileProblem (the store), SettingsProblem (the plan is of another fleet's format).
    """
    plan = PlanFile.of(f"plan {saved.name}", saved.text).plan
    states = {state.ref: state for state in store.members(saved.name)}
    held = store.leases(_FUNCTIONS)
    busy = {
        FunctionRef.of_arn(lease.key.removeprefix(_FUNCTIONS))
        for lease in held
        if lease.until > now
    }
    return record_of(plan, Record(states, tuple(store.orders())), now, busy=busy)
