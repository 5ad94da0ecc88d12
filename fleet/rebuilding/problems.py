"""Whatever keeps a package from being built anew, as one kind of problem."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fleet.aws.failures import Interrupted
from fleet.errors import FileProblem, FleetError
from fleet.package.problems import BadPackage, CannotRepackage, NotProven
from fleet.rebuilding.rebuilt import NotRebuilt
from fleet.sources import BadAddress
from fleet.toolchain.rebuild import build_problems as building
from fleet.toolchain.rebuild import problems as source
from fleet.toolchain.sandbox.problems import NoSandbox

_ANOTHER_TIME = (
    building.SourcesMissing,
    building.NotCompiled,
    building.TookTooLong,
    building.TookTooMuchMemory,
    building.DiskFull,
    building.GoNotHad,
    source.GitFailed,
    source.SourceUnreachable,
    source.PublishedMissing,
)
"""Those that may go right another time, or on another machine."""
_REFUSED = (
    building.NoGo,
    building.BuildProblem,
    source.SourceProblem,
    BadAddress,
    NoSandbox,
)


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Raise NotRebuilt, or Interrupted, for what was raised in the block about a function."""
    try:
        yield
    except source.Stopped as stopped:
        raise Interrupted from stopped
    except (BadPackage, CannotRepackage) as error:
        said = f"{error.problem}; {error.advice}"
        raise NotRebuilt(_code(error), f"{name} was not built: its package {said}") from error
    except NotProven as error:
        said = f"its new package, read back, is not what it has to be ({error.problem})"
        advice = "check the disk and memory of this machine, and try again"
        whole = f"{name} was not built: {said}; {advice}"
        raise NotRebuilt(_code(error), whole, failed=True) from error
    except FileProblem as error:
        raise NotRebuilt("file-problem", f"{name} was not built: {error}", failed=True) from error
    except OSError as error:
        said = f"a file of its build can't be used ({error.strerror or error})"
        advice = "make room in the cache and temporary directories, and try again"
        raise NotRebuilt(
            "no-room", f"{name} was not built: {said}; {advice}", failed=True
        ) from error
    except (*_ANOTHER_TIME, *_REFUSED) as error:
        said = str(getattr(error, "said", "") or getattr(error, "words", ""))
        raise NotRebuilt(
            _code(error),
            f"{name} was not built: {_sentence(error, said)}",
            words=said,
            failed=isinstance(error, _ANOTHER_TIME),
        ) from error


def _sentence(error: FleetError, said: str) -> str:
    """One line: of what a program said, the last that holds anything stands for all."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    whole = str(error)
    return whole.replace(said, lines[-1]) if len(lines) > 1 else whole.replace("\n", " ")


def _code(error: FleetError) -> str:
    """`NotCompiled` as `not-compiled`."""
    name = type(error).__name__
    return "".join(
        f"-{each.lower()}" if each.isupper() and index else each.lower()
        for index, each in enumerate(name)
    )
