from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from fleet.errors import FileProblem
from fleet.sources import Address
from fleet.toolchain.rebuild.cloning import Clone, cloned
from fleet.toolchain.rebuild.git import Git, words_of
from fleet.toolchain.rebuild.problems import (
    CommitAmbiguous,
    CommitGone,
    SourceUnreachable,
    Stopped,
)
from tests.toolchain.rebuild.repositories import Repository
from tests.toolchain.trying import eventually

STALLED = Address("ssh://git@code.example.com/orders.git", "ssh://code.example.com/orders.git")


@pytest.fixture
def orders(tmp_path: Path) -> Repository:
    return Repository.at(tmp_path / "orders", {"file": "1"})


@pytest.fixture
def clones(tmp_path: Path) -> Path:
    return tmp_path / "cache/clones"


def address_of(repository: Repository) -> Address:
    return Address(repository.url, repository.url)


def fetched(repository: Repository, clones: Path, commit: str | None = None) -> Clone:
    return cloned(Git.found(), address_of(repository), commit or repository.head, clones)


def test_a_commit_that_is_there_is_not_fetched_again(orders: Repository, clones: Path) -> None:
    commit = orders.head
    first = fetched(orders, clones)
    shutil.rmtree(orders.path)
    assert fetched(orders, clones, commit) == first


def test_a_newer_commit_is_fetched(orders: Repository, clones: Path) -> None:
    first = fetched(orders, clones)
    commit = orders.commit({"file": "2"})
    second = fetched(orders, clones)
    assert (second.path, second.commit) == (first.path, commit)


def test_a_commit_that_no_branch_reaches_is_asked_for_alone(
    orders: Repository, clones: Path
) -> None:
    commit = orders.commit({"file": "2"})
    orders.git("reset", "--hard", "HEAD^")
    assert fetched(orders, clones, commit).commit == commit


def test_a_commit_that_is_gone_is_told(orders: Repository, clones: Path) -> None:
    commit = orders.commit({"file": "2"})
    orders.forget(commit)
    with pytest.raises(
        CommitGone, match=f"{orders.url} holds no commit {commit}; was it rewritten"
    ):
        fetched(orders, clones, commit)


def test_a_commit_that_was_fetched_once_survives_its_end_elsewhere(
    orders: Repository, clones: Path
) -> None:
    commit = orders.commit({"file": "2"})
    fetched(orders, clones)
    orders.forget(commit)
    orders.commit({"file": "3"})
    fetched(orders, clones)
    shutil.rmtree(orders.path)
    found = fetched(orders, clones, commit)
    assert Git.found()(("show", f"{found.commit}:file"), found.path) == b"2"


def test_a_branch_that_became_a_directory_is_fetched(orders: Repository, clones: Path) -> None:
    orders.git("branch", "release")
    fetched(orders, clones)
    orders.git("branch", "--move", "release", "release/1")
    orders.commit({"file": "2"})
    assert fetched(orders, clones).commit == orders.head


@pytest.mark.parametrize("object_name", ["HEAD^{tree}", "v1", "HEAD:file"])
def test_what_is_no_commit_is_not_there(orders: Repository, clones: Path, object_name: str) -> None:
    orders.git("tag", "--annotate", "--message=Release", "v1")
    name = orders.git("rev-parse", object_name)
    for _ in range(2):
        with pytest.raises(CommitGone):
            fetched(orders, clones, name)


def test_half_a_commit_is_not_taken_for_the_whole(orders: Repository, clones: Path) -> None:
    fetched(orders, clones)
    commit = orders.commit({"file": "2"})
    bare = next(clones.glob("*.git"))
    content = orders.git("cat-file", "commit", commit) + "\n"
    assert Repository(bare).git("hash-object", "-t", "commit", "-w", "--stdin", given=content)
    found = fetched(orders, clones)
    assert Git.found()(("show", f"{commit}:file"), found.path) == b"2"


def test_the_beginning_of_a_commit_is_enough(orders: Repository, clones: Path) -> None:
    assert fetched(orders, clones, orders.head[:7]).commit == orders.head
    commit = orders.commit({"file": "2"})
    assert fetched(orders, clones, commit[:12]).commit == commit
    with pytest.raises(CommitGone):
        fetched(orders, clones, "0123456")


def test_the_beginning_of_two_commits_is_refused(orders: Repository, clones: Path) -> None:
    one, other = twins(orders)
    with pytest.raises(CommitAmbiguous, match="the beginning of several commits") as told:
        fetched(orders, clones, one[:7])
    assert set(told.value.commits) == {one, other}
    assert fetched(orders, clones, one).commit == one


def twins(repository: Repository) -> tuple[str, str]:
    """Make two commits whose hashes begin alike."""
    head = repository.git("cat-file", "commit", "HEAD")
    known: dict[str, str] = {}
    other: str | None = None
    content = ""
    for number in count():
        content = f"{head}\n{number}\n"
        data = f"commit {len(content)}\0{content}".encode()
        name = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        if other := known.get(name[:7]):
            break
        known[name[:7]] = content
    assert other is not None
    found = []
    for each in (other, content):
        found.append(repository.git("hash-object", "-t", "commit", "-w", "--stdin", given=each))
        repository.git("branch", f"branch-{found[-1]}", found[-1])
    return found[0], found[1]


def test_a_repository_of_long_hashes_is_cloned(tmp_path: Path, clones: Path) -> None:
    orders = Repository(tmp_path / "long")
    orders.path.mkdir()
    orders.git("init", "--quiet", "--object-format=sha256", "--template=")
    assert len(orders.commit({"file": "1"})) == 64
    assert fetched(orders, clones).commit == orders.head


def test_a_clone_on_this_machine_is_read_by_its_commits_alone(
    orders: Repository, clones: Path
) -> None:
    orders.write({"file": "not committed"})
    address = Address(str(orders.path), str(orders.path), is_local=True)
    found = cloned(Git.found(), address, orders.head, clones)
    assert Git.found()(("show", "HEAD:file"), orders.path) == b"1"
    assert Git.found()(("show", f"{found.commit}:file"), found.path) == b"1"


def test_a_shallow_clone_on_this_machine_is_told(
    tmp_path: Path, orders: Repository, clones: Path
) -> None:
    orders.commit({"file": "2"})
    orders.git("clone", "--quiet", "--depth=1", orders.url, str(tmp_path / "shallow"))
    place = str(tmp_path / "shallow")
    with pytest.raises(CommitGone, match="it is a shallow clone: run git fetch --unshallow"):
        cloned(Git.found(), Address(place, place, is_local=True), orders.head, clones)


@pytest.mark.parametrize("where", ["file:///nowhere/orders", "https://127.0.0.1:1/orders"])
def test_a_repository_out_of_reach_is_told(clones: Path, where: str) -> None:
    with pytest.raises(SourceUnreachable, match=f"{where} cannot be read: .+; try `git ls-remote`"):
        cloned(Git.found(), Address(where, where), "a" * 40, clones)


def test_a_password_is_in_no_error(clones: Path) -> None:
    url = "https://somebody:s3cr3t@127.0.0.1:1/orders"
    with pytest.raises(SourceUnreachable) as told:
        cloned(Git.found(), Address(url, "https://127.0.0.1:1/orders"), "a" * 40, clones)
    assert "s3cr3t" not in f"{told.value} {told.value!r} {vars(told.value)}"
    assert "127.0.0.1" in told.value.words


@pytest.mark.parametrize("who", ["u", "u:s3cr3t", "u:s3cr3t@more", "s3cr3t"])
def test_what_a_program_says_is_told_without_who_it_calls_as(who: str) -> None:
    said = f"unable to access 'https://{who}@example.com/x': no\nssh://{who}@example.com\n\n"
    told = "unable to access 'https://example.com/x': no / ssh://example.com"
    assert words_of(said) == told


@pytest.mark.parametrize(
    "other", ["ext::touch {0}/ran ", "http://127.0.0.1:1/", "git://127.0.0.1:1/"]
)
def test_another_protocol_is_refused_whoever_leads_there(
    tmp_path: Path, orders: Repository, clones: Path, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    config = tmp_path / "gitconfig"
    config.write_text(f'[url "{other.format(tmp_path)}"]\n\tinsteadOf = {orders.url}\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "ext:http:git")
    with pytest.raises(SourceUnreachable, match=r"transport '\w+' not allowed"):
        fetched(orders, clones)
    assert not (tmp_path / "ran").exists()


def test_a_user_who_forbids_bare_repositories_is_served(
    tmp_path: Path, orders: Repository, clones: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "gitconfig"
    config.write_text("[safe]\n\tbareRepository = explicit\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    assert fetched(orders, clones).commit == orders.head


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path, orders: Repository) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileProblem, match="sources are cloned there"):
        fetched(orders, tmp_path / "file/clones")


def test_others_may_not_look_into_the_clones(orders: Repository, clones: Path) -> None:
    fetched(orders, clones)
    assert clones.stat().st_mode & 0o077 == 0


def test_how_far_a_download_has_come_is_told(orders: Repository, clones: Path) -> None:
    heard: list[str] = []
    cloned(Git.found().told(heard.append), address_of(orders), orders.head, clones)
    assert any("objects: " in each and each.endswith("%") for each in heard)


MANY = """
import sys
from pathlib import Path
from fleet.sources import Address
from fleet.toolchain.rebuild.cloning import cloned
from fleet.toolchain.rebuild.git import Git
print(cloned(Git.found(), Address(sys.argv[1], sys.argv[1]), sys.argv[2], Path(sys.argv[3])).commit)
"""


def started(url: str, commit: str, clones: Path) -> subprocess.Popen[str]:
    """Clone in another process."""
    words = [sys.executable, "-c", MANY, url, commit, str(clones)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def test_many_processes_at_once_share_a_clone(orders: Repository, clones: Path) -> None:
    commits = [orders.head, *(orders.commit({"file": str(each)}) for each in range(3))]
    running = [started(orders.url, each, clones) for each in commits]
    assert [each.communicate()[0].strip() for each in running] == commits
    assert [each.returncode for each in running] == [0] * len(commits)
    assert len(list(clones.glob("*.git"))) == 1


@pytest.fixture
def stalled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A server that answers nothing; gives the file with its process id while it is asked."""
    asked = tmp_path / "asked"
    # Else git asks it first what kind of ssh it is.
    monkeypatch.setenv("GIT_SSH_VARIANT", "ssh")
    monkeypatch.setenv(
        "GIT_SSH_COMMAND", f"echo $$ > {asked}.part; mv {asked}.part {asked}; sleep 600; #"
    )
    yield asked
    if asked.exists():
        with contextlib.suppress(ProcessLookupError):
            os.killpg(os.getpgid(int(asked.read_text())), signal.SIGKILL)


def runs(asked: Path) -> bool:
    try:
        state = Path(f"/proc/{asked.read_text().strip()}/stat").read_text()
    except FileNotFoundError:
        return False
    return state.rpartition(")")[2].split()[0] != "Z"


def test_a_download_that_takes_too_long_is_ended(stalled: Path, clones: Path) -> None:
    git = replace(Git.found(), seconds=1)
    with pytest.raises(SourceUnreachable, match="it took longer than 1 seconds"):
        cloned(git, STALLED, "a" * 40, clones)
    assert eventually(lambda: not runs(stalled))


def test_a_download_is_stopped(stalled: Path, clones: Path) -> None:
    stop = threading.Event()

    def stop_it() -> None:
        eventually(stalled.exists)
        stop.set()

    watch = threading.Thread(target=stop_it)
    watch.start()
    with pytest.raises(Stopped):
        cloned(replace(Git.found(), stop=stop), STALLED, "a" * 40, clones)
    watch.join()
    assert eventually(lambda: not runs(stalled))


def test_who_waits_for_another_is_stopped_too(orders: Repository, clones: Path) -> None:
    bare = fetched(orders, clones).path
    stop = threading.Event()
    commit = orders.commit({"file": "2"})
    with bare.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        threading.Timer(0.3, stop.set).start()
        with pytest.raises(Stopped):
            cloned(replace(Git.found(), stop=stop), address_of(orders), commit, clones)


def test_a_git_that_outlives_its_killed_fleet_is_waited_for(stalled: Path, clones: Path) -> None:
    fleet = started(STALLED.url, "a" * 40, clones)
    assert eventually(stalled.exists)
    fleet.kill()
    fleet.communicate()
    lock = next(clones.glob("*-sha1.lock"))
    assert runs(stalled)
    assert not is_free(lock)
    os.killpg(os.getpgid(int(stalled.read_text())), signal.SIGKILL)
    assert eventually(lambda: is_free(lock))


def is_free(lock: Path) -> bool:
    with lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def test_what_a_killed_git_leaves_is_cleared_away(orders: Repository, clones: Path) -> None:
    bare = fetched(orders, clones).path
    orders.commit({"file": "2"})
    left = ["refs/heads/main.lock", "packed-refs.lock", "shallow.lock", "objects/pack/tmp_pack_x"]
    for each in left:
        (bare / each).parent.mkdir(parents=True, exist_ok=True)
        (bare / each).write_text("")
    assert fetched(orders, clones).commit == orders.head
    assert not any((bare / each).exists() for each in left)


def test_a_helper_that_stays_does_not_keep_the_clone_locked(
    tmp_path: Path, orders: Repository, clones: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As git's credential cache does, which lives on for a quarter of an hour.
    script = (
        f"(sleep 60 & echo $! > {tmp_path}/stays) 2>&1 >/dev/null; git-upload-pack {orders.path}; #"
    )
    monkeypatch.setenv("GIT_SSH_COMMAND", script)
    found = cloned(Git.found(), STALLED, orders.head, clones)
    stays = int((tmp_path / "stays").read_text())
    assert is_free(found.path.with_suffix(".lock"))
    os.kill(stays, signal.SIGKILL)


def test_git_is_told_nothing_that_is_not_its_business(
    tmp_path: Path, orders: Repository, clones: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "AWS_SECRET_ACCESS_KEY",
        "FLEET_STATE",
        "GIT_DIR",
        "GIT_TRACE_CURL",
        "SSH_ASKPASS",
    ):
        monkeypatch.setenv(name, str(tmp_path / "stranger"))
    script = f"env > {tmp_path}/environment; git-upload-pack {orders.path}; #"
    monkeypatch.setenv("GIT_SSH_COMMAND", script)
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/agent")
    assert cloned(Git.found(), STALLED, orders.head, clones).commit == orders.head
    environment = (tmp_path / "environment").read_text()
    assert "stranger" not in environment
    assert "SSH_AUTH_SOCK=/run/agent" in environment
    assert "GIT_TERMINAL_PROMPT=0" in environment
