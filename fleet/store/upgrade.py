"""From no tables, or an older fleet's, to those of schema.py. Saved scans stay as they are."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, delete, insert, inspect, select, text

from fleet.store.schema import METADATA, SCHEMA, VERSION

UPGRADES: Mapping[int, tuple[str, ...]] = {
    1: ("ALTER TABLE fleet_function ADD COLUMN signing_profile TEXT",),
    2: (),
    3: (),
    4: (
        "ALTER TABLE fleet_function ADD COLUMN memory_mb INTEGER",
        "ALTER TABLE fleet_function ADD COLUMN duration_ms BIGINT",
        "ALTER TABLE fleet_function ADD COLUMN cold_starts BIGINT",
        "ALTER TABLE fleet_function ADD COLUMN init_ms BIGINT",
    ),
}
"""By version, what leads from its tables to the next one's, besides tables that are new."""


def upgrade(connection: Connection) -> None:
    """Bring the tables up to date, inside the transaction that is open."""
    if SCHEMA.name in inspect(connection).get_table_names():
        older = connection.scalars(select(SCHEMA.c.version)).one()
        for version in range(older, VERSION):
            for statement in UPGRADES[version]:
                connection.execute(text(statement))
        connection.execute(delete(SCHEMA))
    METADATA.create_all(connection)
    connection.execute(insert(SCHEMA).values(version=VERSION))
