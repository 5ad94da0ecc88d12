from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.toolchain.rebuild.main_version import Tag, is_version, tag_for

ROOT = "example.com/mono"
WHEN = "20240102030405-0123456789ab"


@pytest.mark.parametrize(
    ("version", "tag"),
    [
        ("v1.2.3", Tag("v1.2.3", is_before=False)),
        ("v1.2.3+dirty", Tag("v1.2.3", is_before=False)),
        ("v1.2.3-rc.1", Tag("v1.2.3-rc.1", is_before=False)),
        (f"v1.2.4-0.{WHEN}", Tag("v1.2.3", is_before=True)),
        (f"v1.2.4-0.{WHEN}+dirty", Tag("v1.2.3", is_before=True)),
        (f"v1.2.0-0.{WHEN}", None),
        (f"v1.2.3-rc.1.0.{WHEN}", Tag("v1.2.3-rc.1", is_before=True)),
        (f"v0.0.0-{WHEN}", None),
        (f"v2.0.0-{WHEN}", None),
        ("v2.0.0+incompatible", None),
        ("(devel)", None),
        ("", None),
        ("v1.2", None),
        ("v01.2.3", None),
        ("v1.2.3\n", None),
        ("v1.2.3-../x", None),
        ("-v1.2.3", None),
    ],
)
def test_the_tag_follows_from_the_version(version: str, tag: Tag | None) -> None:
    assert tag_for(version, ROOT, ROOT) == tag


@pytest.mark.parametrize(
    ("module", "root", "name"),
    [
        (ROOT, ROOT, "v1.2.3"),
        (f"{ROOT}/v2", f"{ROOT}/v2", "v1.2.3"),
        (f"{ROOT}/v2", ROOT, "v1.2.3"),
        (f"{ROOT}/api", ROOT, "api/v1.2.3"),
        (f"{ROOT}/api/v3", f"{ROOT}/v2", "api/v1.2.3"),
        (f"{ROOT}/api/v1", ROOT, "api/v1/v1.2.3"),
        ("gopkg.in/acme/x.v2", "gopkg.in/acme/x.v2", "v1.2.3"),
        ("example.com/monorail", ROOT, None),
        ("elsewhere.example.com/x", ROOT, None),
        (ROOT, "", None),
    ],
)
def test_its_prefix_follows_from_the_paths(module: str, root: str, name: str | None) -> None:
    assert tag_for("v1.2.3", module, root) == (Tag(name, is_before=False) if name else None)


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))
def test_a_pseudo_version_goes_back_to_its_base(major: int, minor: int, patch: int) -> None:
    # https://go.dev/ref/mod#pseudo-versions
    after = f"v{major}.{minor}.{patch + 1}-0.{WHEN}"
    assert tag_for(after, ROOT, ROOT) == Tag(f"v{major}.{minor}.{patch}", is_before=True)


@given(st.text())
def test_no_tag_is_made_of_anything_else(version: str) -> None:
    tag = tag_for(version, ROOT, ROOT)
    assert tag is None or is_version(version.removesuffix("+dirty"))


@pytest.mark.parametrize("text", ["v1.2.3", f"v0.0.0-{WHEN}", "v2.0.0+incompatible", "v1.2.3-a.1"])
def test_a_version_is_one(text: str) -> None:
    assert is_version(text)


@pytest.mark.parametrize(
    "text", ["", "latest", "v1", "v1.2.3 ", "v1.2.3@x", "main", "-v1.2.3", "<v2"]
)
def test_what_go_would_look_up_is_no_version(text: str) -> None:
    assert not is_version(text)
