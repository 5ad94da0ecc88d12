from __future__ import annotations

import dataclasses
import errno
import hashlib
import json
import os
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from fleet.inspection import Module
from fleet.toolchain.rebuild import building
from fleet.toolchain.rebuild.build_problems import (
    CannotOrder,
    DiskFull,
    NewerGoAsked,
    NotCompiled,
    SourcesMissing,
    TookTooLong,
    TookTooMuchMemory,
)
from fleet.toolchain.rebuild.building import LIMITS, build
from fleet.toolchain.rebuild.compiling import End, Ran
from fleet.toolchain.rebuild.fetching import fetch
from fleet.toolchain.rebuild.order import BuildOrder, Built, Checkout
from fleet.toolchain.rebuild.problems import Stopped
from fleet.toolchain.rebuild.published import published
from fleet.toolchain.sandbox.limits import Limits
from fleet.toolchain.sandbox.machine import built_for
from fleet.toolchain.sandbox.walls import Given
from moto_fixtures.tools import go_root
from tests.toolchain.rebuild.going import (
    NEVER,
    OLD,
    PRINTS,
    checkout_of,
    info_of,
    order_of,
    shared_go,
)
from tests.toolchain.rebuild.repositories import MAIN, Repository, go_mod

HANDLERS = Path("moto_fixtures/handlers").resolve()
MODULE = "fleet.example/handlers"
ORDERS = f"{MODULE}/cmd/orders"
SMALL = "example.com/small"


def handlers(place: Path, library: str = "v1.41.0") -> Repository:
    """Give the handlers as a repository of their own, with the real aws-lambda-go."""
    return Repository.at(
        place,
        {
            "go.mod": (HANDLERS / "versions" / f"{library}.mod").read_text(),
            "go.sum": (HANDLERS / "versions" / f"{library}.sum").read_text(),
            "cmd/orders/main.go": (HANDLERS / "cmd" / "orders" / "main.go").read_bytes(),
        },
    )


def small(place: Path, main: str = MAIN, go: str = "1.21") -> Repository:
    """Give a program that imports little, as a repository."""
    return Repository.at(place, {"go.mod": go_mod(SMALL, go), "cmd/one/main.go": main})


ONE = f"{SMALL}/cmd/one"
ONE_FILES = {
    "main.go": 'package main\n\nimport "example.com/two"\n\nfunc main() { println(two.Name) }\n'
}


def built(checkout: Checkout, order: BuildOrder, place: Path, limits: Limits = LIMITS) -> Built:
    return build(shared_go(), checkout, order, place / "program", stop=NEVER, limits=limits)


def everything_in(place: Path) -> dict[str, tuple[int, int, bytes]]:
    return {
        str(each.relative_to(place)): (
            each.lstat().st_mtime_ns,
            each.lstat().st_mode,
            each.read_bytes() if each.is_file() else b"",
        )
        for each in place.rglob("*")
    }


def test_a_handler_is_built_for_arm64_from_its_commit(tmp_path: Path) -> None:
    repository = handlers(tmp_path / "source")
    before = everything_in(repository.path)
    order = order_of(ORDERS, "-tags=lambda.norpc", architecture="arm64", linker="-s -w")
    made = built(checkout_of(repository, MODULE), order, tmp_path)
    told = info_of(made.program)
    assert built_for(made.program) == "arm64"
    assert os.access(made.program, os.X_OK)
    assert made.sha256 == hashlib.sha256(made.program.read_bytes()).hexdigest()
    assert made.go_version == shared_go().version
    assert f"vcs.revision={repository.head}" in told
    assert "vcs.modified=false" in told
    assert "-tags=lambda.norpc" in told
    assert "GOARCH=arm64" in told
    assert "github.com/aws/aws-lambda-go\tv1.41.0\th1:" in told
    assert everything_in(repository.path) == before


@pytest.mark.parametrize("tag", ["", "v1.4.2"])
def test_what_a_plain_go_build_made_comes_out_byte_identical(tmp_path: Path, tag: str) -> None:
    repository = small(tmp_path / "original", PRINTS)
    repository.commit({"notes": "on the way"}, tag="v1.4.1")
    repository.commit({"notes": "here"}, tag=tag)
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME")},
        "GOENV": "off",
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "0",
        "GOCACHE": str(shared_go().builds),
    }
    flags = ["-trimpath", "-ldflags=-s -w -X main.name=y", "-tags=some,tags"]
    program = str(go_root() / "bin" / "go")
    words = [program, "build", *flags, "-o", str(tmp_path / "plain"), "./cmd/one"]
    subprocess.run(words, cwd=repository.path, env=environment, check=True)
    # Elsewhere, and as it is checked out: what git has lies in another repository.
    clone = tmp_path / "clone"
    shared = ["clone", "--quiet", "--shared", str(repository.path), str(clone)]
    subprocess.run(["git", *shared], check=True, capture_output=True)
    checkout = Checkout(
        clone, clone, SMALL, repository.head, "", "origin", beside=(repository.path,)
    )
    order = order_of(ONE, "-tags=some,tags", linker="-s -w -X main.name=y")
    made = built(checkout, order, tmp_path)
    told = info_of(made.program)
    assert made.program.read_bytes() == (tmp_path / "plain").read_bytes(), told
    assert f"vcs.revision={repository.head}" in told
    assert f"mod\t{SMALL}\t{tag or 'v1.4.2-0.20240102030405-' + repository.head[:12]}" in told


def test_the_directory_does_not_show_in_the_program(tmp_path: Path) -> None:
    order = order_of(ONE)
    sums = set()
    for name in ("here", "over/there"):
        repository = small(tmp_path / name, PRINTS)
        sums.add(built(checkout_of(repository, SMALL), order, tmp_path).sha256)
    assert len(sums) == 1


def test_a_module_below_the_root_and_beside_others_is_built(tmp_path: Path) -> None:
    files = {
        "service/go.mod": go_mod("example.com/service")
        + "\nrequire example.com/shared v0.0.0\nreplace example.com/shared => ../shared\n",
        "service/main.go": 'package main\n\nimport "example.com/shared"\n\n'
        "func main() { println(shared.Name) }\n",
        "shared/go.mod": go_mod("example.com/shared"),
        "shared/name.go": 'package shared\n\nconst Name = "shared"\n',
    }
    repository = Repository.at(tmp_path / "source", files)
    checkout = checkout_of(repository, "example.com/service", "service")
    told = info_of(built(checkout, order_of("example.com/service"), tmp_path).program)
    assert f"vcs.revision={repository.head}" in told
    assert "=>\t../shared" in told


def test_a_workspace_of_the_repository_counts(tmp_path: Path) -> None:
    files = {
        "go.work": "go 1.21\n\nuse (\n\t./service\n\t./shared\n)\n",
        "service/go.mod": go_mod("example.com/service"),
        "service/main.go": 'package main\n\nimport "example.com/shared"\n\n'
        "func main() { println(shared.Name) }\n",
        "shared/go.mod": go_mod("example.com/shared"),
        "shared/name.go": 'package shared\n\nconst Name = "shared"\n',
    }
    repository = Repository.at(tmp_path / "source", files)
    checkout = checkout_of(repository, "example.com/service", "service")
    # One above it is nobody's of this source.
    (tmp_path / "go.work").write_text("go 1.21\n\nuse ./nowhere\n")
    told = info_of(built(checkout, order_of("example.com/service"), tmp_path).program)
    assert "dep\texample.com/shared\t(devel)" in told
    (repository.path / "go.work").unlink()
    with pytest.raises(SourcesMissing, match=r"example\.com/shared"):
        built(checkout, order_of("example.com/service"), tmp_path)


def test_a_vendored_tree_needs_no_network_and_no_module_cache(tmp_path: Path) -> None:
    files = {
        "go.mod": go_mod(SMALL) + "\nrequire example.invalid/private v1.0.0\n",
        "main.go": 'package main\n\nimport "example.invalid/private"\n\n'
        "func main() { println(private.Name) }\n",
        "vendor/modules.txt": "# example.invalid/private v1.0.0\n## explicit; go 1.21\n"
        "example.invalid/private\n",
        "vendor/example.invalid/private/name.go": 'package private\n\nconst Name = "x"\n',
    }
    repository = Repository.at(tmp_path / "source", files)
    order = order_of(SMALL)
    go = dataclasses.replace(shared_go(), network={"GOPROXY": "off"})
    checkout = checkout_of(repository, SMALL)
    made = build(go, checkout, order, tmp_path / "program", stop=NEVER)
    assert "dep\texample.invalid/private\tv1.0.0" in info_of(made.program)


def test_an_old_go_builds_as_well(tmp_path: Path) -> None:
    repository = small(tmp_path / "source", go="1.16")
    made = built(checkout_of(repository, SMALL), order_of(ONE, go_version=OLD), tmp_path)
    assert info_of(made.program).splitlines()[0].endswith(f": {OLD}")


def test_a_published_module_is_built_as_that_version(tmp_path: Path) -> None:
    go = shared_go()

    def download(origin: str) -> str:
        return go.run(["mod", "download", "-json", origin], tmp_path, stop=NEVER).output

    library = "github.com/aws/aws-lambda-go"
    recorded = "h1:fZiik1PZqW2IyAN4rj+Y0UBaO1IDFlsNo9Zz/XnArK4="
    checkout = published(library, "v1.28.0", recorded, download)
    order = order_of(f"{library}/cmd/build-lambda-zip", architecture="arm64")
    made = build(go, checkout, order, tmp_path / "program", stop=NEVER)
    told = info_of(made.program)
    assert f"mod\t{library}\tv1.28.0\t{recorded}" in told
    assert "dep\tgithub.com/urfave/cli" in told
    assert built_for(made.program) == "arm64"


def test_a_published_module_needs_no_sums_of_its_own(tmp_path: Path) -> None:
    proxy = tmp_path / "proxy"
    for name, module, files in (
        ("one", go_mod("example.com/one") + "\nrequire example.com/two v1.0.0\n", ONE_FILES),
        ("two", go_mod("example.com/two"), {"two.go": 'package two\n\nconst Name = "2"\n'}),
    ):
        place = proxy / "example.com" / name / "@v"
        place.mkdir(parents=True)
        (place / "v1.0.0.mod").write_text(module)
        (place / "v1.0.0.info").write_text('{"Version": "v1.0.0"}')
        with zipfile.ZipFile(place / "v1.0.0.zip", "w") as archive:
            for file, content in {**files, "go.mod": module}.items():
                archive.writestr(f"example.com/{name}@v1.0.0/{file}", content)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "builds").symlink_to(shared_go().builds.resolve())
    network = {"GOPROXY": proxy.as_uri(), "GOSUMDB": "off"}
    go = dataclasses.replace(shared_go(), cache=tmp_path / "cache", network=network)

    def download(origin: str) -> str:
        return go.run(["mod", "download", "-json", origin], tmp_path, stop=NEVER).output

    recorded = json.loads(download("example.com/one@v1.0.0"))["Sum"]
    checkout = published("example.com/one", "v1.0.0", recorded, download)
    before = everything_in(checkout.root)
    made = build(go, checkout, order_of("example.com/one"), tmp_path / "program", stop=NEVER)
    assert "dep\texample.com/two\tv1.0.0" in info_of(made.program)
    assert everything_in(checkout.root) == before


def test_only_what_a_build_writes_is_writable_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Given] = []

    def run(_words: object, _environment: object, given: Sequence[Given], **_: object) -> Ran:
        seen.extend(given)
        return Ran(End.TIME, 0, "")

    monkeypatch.setattr(building, "run_behind_walls", run)
    checkout = checkout_of(small(tmp_path / "source"), SMALL)
    with pytest.raises(TookTooLong):
        built(checkout, order_of(ONE), tmp_path)
    writable = {each.place for each in seen if each.writable}
    # Under the last one lies the source, which is not.
    assert writable == {"/fleet/builds", "/fleet/path/bin", "/fleet/tree"}
    assert Given(checkout.root, "/fleet/tree/source") in seen
    assert Given(shared_go().modules, "/fleet/path/pkg/mod") in seen


def test_whose_files_they_are_does_not_keep_the_revision_away(tmp_path: Path) -> None:
    repository = small(tmp_path / "source")
    checkout = checkout_of(repository, SMALL)
    if os.geteuid() == 0:
        # Git reads nothing of a repository of somebody else's unless it is told to.
        os.chown(repository.path, 12345, 12345)
        os.chown(repository.path / ".git", 12345, 12345)
    told = info_of(built(checkout, order_of(ONE), tmp_path).program)
    assert f"vcs.revision={checkout.commit}" in told


def test_the_compilers_words_are_shown_without_this_machines_paths(tmp_path: Path) -> None:
    repository = small(tmp_path / "source", "package main\n\nfunc main() { nowhere() }\n")
    with pytest.raises(NotCompiled) as caught:
        built(checkout_of(repository, SMALL), order_of(ONE), tmp_path)
    assert "cmd/one/main.go:3:15: undefined: nowhere" in caught.value.said
    assert str(tmp_path) not in str(caught.value)
    assert "/fleet" not in str(caught.value)
    assert list(tmp_path.iterdir()) == [repository.path]


def test_a_build_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    repository = small(tmp_path / "source", PRINTS)
    limits = dataclasses.replace(LIMITS, seconds=0.05)
    with pytest.raises(TookTooLong, match=r"its build was ended after 0\.05 s"):
        built(checkout_of(repository, SMALL), order_of(ONE), tmp_path, limits)
    assert not (tmp_path / "program").exists()


def test_a_build_that_takes_too_much_memory_is_ended(tmp_path: Path) -> None:
    large = "package main\n\nvar x = [1 << 29]byte{1<<29 - 1: 1}\n\nfunc main() { println(x[7]) }\n"
    repository = small(tmp_path / "source", large)
    limits = dataclasses.replace(LIMITS, memory=300 << 20)
    with pytest.raises(TookTooMuchMemory, match="more than 300 MiB"):
        built(checkout_of(repository, SMALL), order_of(ONE), tmp_path, limits)


def test_a_full_disk_is_told_as_such(tmp_path: Path) -> None:
    repository = small(tmp_path / "source", PRINTS)
    limits = dataclasses.replace(LIMITS, temporary=64 << 10)
    with pytest.raises(DiskFull, match="make room in"):
        built(checkout_of(repository, SMALL), order_of(ONE), tmp_path, limits)
    assert not (tmp_path / "program").exists()


def test_a_program_for_which_there_is_no_room_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Path, target: Path) -> None:
        target.write_bytes(b"the beginning")
        raise OSError(errno.ENOSPC, "No space left on device")

    repository = small(tmp_path / "source")
    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(DiskFull, match=f"make room in {tmp_path}"):
        built(checkout_of(repository, SMALL), order_of(ONE), tmp_path)
    assert list(tmp_path.iterdir()) == [repository.path]


def test_the_places_behind_the_walls_are_not_shown() -> None:
    said = "/fleet/tree/source/a/b.go:1: no\n/fleet/path/pkg/mod/x.example@v1.0.0/c.go:2: no\n"
    with pytest.raises(NotCompiled) as caught:
        building._check(Ran(End.ITSELF, 1, said), shared_go(), order_of(ONE), LIMITS)
    assert caught.value.said == "a/b.go:1: no\nx.example@v1.0.0/c.go:2: no"


def test_a_build_can_be_stopped(tmp_path: Path) -> None:
    repository = small(tmp_path / "source")
    stop = threading.Event()
    said = []

    def say(line: str) -> None:
        said.append(line)
        if line.startswith("building"):
            stop.set()

    checkout = checkout_of(repository, SMALL)
    with pytest.raises(Stopped):
        build(shared_go(), checkout, order_of(ONE), tmp_path / "program", stop=stop, say=say)
    assert said == [
        f"fetching what {ONE} needs",
        f"building {ONE} for x86_64 with {shared_go().version}",
    ]
    assert not (tmp_path / "program").exists()


def test_nothing_can_be_fetched_behind_the_walls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgotten(*_: object, **__: object) -> tuple[Module, ...]:
        return ()

    monkeypatch.setattr(building, "fetch", forgotten)
    go = dataclasses.replace(shared_go(), cache=tmp_path / "cache")
    checkout = checkout_of(handlers(tmp_path / "source"), MODULE)
    with pytest.raises(NotCompiled, match="aws-lambda-go"):
        build(go, checkout, order_of(ORDERS), tmp_path / "program", stop=NEVER)
    assert not list(go.modules.rglob("aws-lambda-go*"))


def test_a_module_that_go_mod_lacks_is_not_added(tmp_path: Path) -> None:
    repository = handlers(tmp_path / "source")
    repository.commit({"go.mod": go_mod(MODULE)})
    before = everything_in(repository.path)
    with pytest.raises(SourcesMissing, match=r"package github\.com/aws/aws-lambda-go/lambda"):
        built(checkout_of(repository, MODULE), order_of(ORDERS), tmp_path)
    assert everything_in(repository.path) == before


def test_source_that_asks_for_a_newer_go_is_told_apart(tmp_path: Path) -> None:
    repository = small(tmp_path / "source", go="1.99")
    with pytest.raises(NewerGoAsked, match="asks for a newer Go"):
        built(checkout_of(repository, SMALL), order_of(ONE), tmp_path)


PRIVATE = "example.invalid/private"


def with_private(place: Path) -> Repository:
    private = f'import _ "{PRIVATE}"\n'
    files = {
        "go.mod": go_mod(SMALL) + f"\nrequire {PRIVATE} v1.0.0\n",
        "cmd/one/one_test.go": f"package main\n\n{private}",
        "cmd/one/tagged.go": f"//go:build special\n\npackage main\n\n{private}",
        "go.sum": f"{PRIVATE} v1.0.0 h1:{'A' * 43}=\n{PRIVATE} v1.0.0/go.mod h1:{'A' * 43}=\n",
        "cmd/one/main.go": MAIN,
        "cmd/two/main.go": f"package main\n\n{private}\nfunc main() {{}}\n",
    }
    return Repository.at(place, files)


def test_a_private_dependency_that_is_not_needed_does_no_harm(tmp_path: Path) -> None:
    checkout = checkout_of(with_private(tmp_path / "source"), SMALL)
    go = dataclasses.replace(shared_go(), network={"GOPROXY": "off"})
    made = build(go, checkout, order_of(ONE), tmp_path / "program", stop=NEVER)
    assert PRIVATE not in info_of(made.program)


def test_a_private_dependency_that_cannot_be_fetched_is_told_in_gos_own_words(
    tmp_path: Path,
) -> None:
    checkout = checkout_of(with_private(tmp_path / "source"), SMALL)
    network = {"GOPROXY": "https://me:geheim@127.0.0.1:9/?token=geheim", "GONOSUMDB": "*"}
    go = dataclasses.replace(shared_go(), network=network)
    with pytest.raises(SourcesMissing) as caught:
        build(go, checkout, order_of(f"{SMALL}/cmd/two"), tmp_path / "program", stop=NEVER)
    assert f"{PRIVATE}@v1.0.0" in caught.value.said
    assert "connection refused" in caught.value.said
    assert "geheim" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_only_what_the_architecture_needs_is_fetched(tmp_path: Path) -> None:
    repository = with_private(tmp_path / "source")
    (repository.path / "cmd/two/main.go").rename(repository.path / "cmd/one/more_amd64.go")
    repository.commit()
    checkout = checkout_of(repository, SMALL)
    go = dataclasses.replace(shared_go(), network={"GOPROXY": "off"})
    order = order_of(ONE, architecture="arm64")
    assert fetch(go, go.root, checkout, order, stop=NEVER) == (Module(SMALL, ""),)
    for other in (order_of(ONE), order_of(ONE, "-tags=special", architecture="arm64")):
        with pytest.raises(SourcesMissing):
            fetch(go, go.root, checkout, other, stop=NEVER)


@pytest.mark.parametrize(
    "order",
    [
        order_of("-toolexec=/bin/sh"),
        order_of(f"{SMALL}/../other"),
        order_of(f"{SMALL}/..."),
        order_of("all"),
        order_of("example.com/smaller"),
        order_of(ONE, "-toolexec=/bin/sh"),
        order_of(ONE, "-o=/somewhere"),
        order_of(ONE, "-overlay=x.json"),
        order_of(ONE, "-ldflags=-extld=/bin/sh"),
        order_of(ONE, "./main.go"),
        order_of(ONE, "-tags=a\nb"),
        order_of(ONE, architecture="mips"),
        order_of(ONE, go_version="path"),
        dataclasses.replace(order_of(ONE), environment={"GOFLAGS": "-toolexec=/bin/sh"}),
        dataclasses.replace(order_of(ONE), environment={"CC": "/bin/sh"}),
        dataclasses.replace(order_of(ONE), environment={"GOPROXY": "https://proxy.example"}),
    ],
)
def test_what_could_pass_for_something_else_is_never_handed_to_go(
    order: BuildOrder, tmp_path: Path
) -> None:
    never = dataclasses.replace(shared_go(), program=Path("/bin/false"), root=tmp_path)
    checkout = Checkout(tmp_path, tmp_path, SMALL, "0" * 40, "", "origin")
    with pytest.raises(CannotOrder, match="is not built"):
        build(never, checkout, order, tmp_path / "program", stop=NEVER)


@pytest.mark.parametrize("version", ["v1.0.0;x", "latest", "-v1.0.0", "v1"])
def test_only_a_version_of_a_module_is_installed(version: str, tmp_path: Path) -> None:
    checkout = Checkout(tmp_path, tmp_path, SMALL, "", version, "origin")
    with pytest.raises(CannotOrder, match="no version of a module"):
        build(shared_go(), checkout, order_of(ONE), tmp_path / "program", stop=NEVER)


def test_a_go_that_installs_no_versions_builds_no_published_module(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path, tmp_path, SMALL, "", "v1.0.0", "origin")
    order = order_of(ONE, go_version="go1.15.15")
    with pytest.raises(CannotOrder, match="cannot build a published module by its version"):
        build(shared_go(), checkout, order, tmp_path / "program", stop=NEVER)
