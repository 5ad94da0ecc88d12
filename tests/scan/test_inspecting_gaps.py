"""What keeps a package from being read, and that it costs no other package its verdict."""

from __future__ import annotations

from dataclasses import replace

from moto.awslambda.utils import get_backend

from fleet.inspection import NOT_INSPECTED, InspectionDepth
from fleet.model import LATEST, ScanState
from moto_fixtures.packages import Package
from moto_fixtures.seed_functions import store_package
from tests.moto_fixtures.small_organization import HOME, MEMBER, zip_of
from tests.scan.conftest import ALONE, Small
from tests.scan.inspected import reasons, verdicts
from tests.scan.scanner import Watcher

INSPECTED = replace(ALONE, inspect=InspectionDepth.WHOLE)
INDEX = replace(ALONE, inspect=InspectionDepth.INDEX)


def test_a_package_that_may_not_be_downloaded_is_unknown_and_asked_for_again(small: Small) -> None:
    with small(denied=frozenset({(MEMBER, "lambda:GetFunction")})) as (organization, fleet):
        scan = fleet.scan(INSPECTED)
        assert set(verdicts(scan).values()) == {"unknown"}
        assert "AccessDenied" in reasons(scan, "orders")[NOT_INSPECTED]
        assert "fleet policy scan --inspect" in reasons(scan, "orders")[NOT_INSPECTED]
        world = organization.emulator._world
        world.rules = replace(world.rules, denied=frozenset())
        again = fleet.scan(resumes=scan.header.id)
        assert set(verdicts(again).values()) == {"not Go"}


def test_code_that_is_changed_between_list_and_download_gets_no_verdict(small: Small) -> None:
    with small() as (organization, fleet):
        client = organization.client("lambda", MEMBER)

        def deploy(_: object) -> None:
            with organization.emulator.seeding():
                client.update_function_code(FunctionName="orders", ZipFile=zip_of(main=b"new code"))

        scan = fleet.scan(replace(INSPECTED, regions=(HOME,)), progress=Watcher(at_lane=deploy))
        assert set(verdicts(scan).values()) == {"unknown"}
        assert list(reasons(scan, "orders")) == ["changed-meanwhile"]
        # Resuming would ask for the old code for ever.
        assert fleet.store.to_inspect(scan.header.id) == []


def test_a_package_that_is_no_zip_costs_only_its_own_verdict(small: Small) -> None:
    with small() as (organization, fleet):
        organization.add_function("broken", Code={"ZipFile": zip_of(main=b"x")})
        broken = get_backend(MEMBER, HOME).get_function("broken")
        store_package(broken, Package(b"no zip at all"))
        scan = fleet.scan(INSPECTED)
        assert scan.header.state is ScanState.FINISHED
        assert verdicts(scan) == {("broken", LATEST): "unknown", ("orders", LATEST): "not Go"}
        assert list(reasons(scan, "broken")) == ["refused-package"]
        assert fleet.store.to_inspect(scan.header.id) == []


def test_an_interrupted_inspection_is_finished_by_resume(small: Small) -> None:
    with small() as (organization, fleet):
        for number in range(6):
            organization.add_function(f"f{number}")

        def interrupt() -> None:
            raise KeyboardInterrupt

        partial = fleet.scan(INSPECTED, progress=Watcher(at_package=interrupt), threads=1)
        assert partial.header.state is ScanState.INTERRUPTED
        assert None in verdicts(partial).values()
        assert set(verdicts(fleet.scan(resumes=partial.header.id)).values()) == {"not Go"}


def test_the_index_alone_is_read_by_ranges_and_judges_no_program(small: Small) -> None:
    big = zip_of(main=b"\x7fELF" + bytes(400_000), data=bytes(400_000))
    with small() as (organization, fleet):
        organization.add_function("big", Code={"ZipFile": big})
        organization.add_function("empty", Code={"ZipFile": zip_of()})
        scan = fleet.scan(replace(INDEX, regions=(HOME,)))
        assert verdicts(scan)["empty", LATEST] == "empty"
        assert list(reasons(scan, "big")) == ["index-only"]
        assert 0 < organization.emulator.downloaded < len(big) / 2


def test_what_the_index_told_is_not_taken_for_a_whole_reading(small: Small) -> None:
    with small() as (_, fleet):
        fleet.scan(INDEX)
        assert set(verdicts(fleet.scan(INSPECTED)).values()) == {"not Go"}


def test_an_account_that_denies_is_asked_once_for_a_package_of_many_functions(
    small: Small,
) -> None:
    with small(denied=frozenset({(MEMBER, "lambda:GetFunction")})) as (organization, fleet):
        for number in range(5):
            organization.add_function(f"f{number}", Code={"ZipFile": zip_of(main=b"shared")})
        organization.emulator.calls.clear()
        scan = fleet.scan(replace(INSPECTED, regions=(HOME,)))
        assert set(verdicts(scan).values()) == {"unknown"}
        asked = [call for call in organization.emulator.calls if call.operation == "GetFunction"]
        assert len(asked) == len({row["code_sha256"] for row in scan.rows})
