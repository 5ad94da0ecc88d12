from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fleet.sources import Address, BadAddress, SourceRule, address, is_import_path, rule_for
from fleet.toolchain.rebuild.checkout import address_of
from fleet.toolchain.rebuild.problems import NoSourceRule, NotTold

ANY = "https://git.example.com/x.git"


def rule(module: str, git: str = ANY) -> SourceRule:
    return SourceRule(module=module, git=git)


@pytest.mark.parametrize(
    ("pattern", "module", "fits"),
    [
        ("github.com/acme/orders", "github.com/acme/orders", True),
        ("github.com/acme/orders", "github.com/acme/orders/api/v2", True),
        ("github.com/acme/orders", "github.com/acme/orders-old", False),
        ("github.com/acme/orders/", "github.com/acme/orders", True),
        ("github.com/acme/*", "github.com/acme/orders/api", True),
        ("github.com/acme/*", "github.com/acme", False),
        ("github.com/*", "github.com/acme/orders", True),
        ("*.example.com", "go.example.com/orders", True),
        ("*.example.com", "example.com/orders", False),
        ("*/x", "a/b/x", False),
        ("lambda-?", "lambda-a", True),
        ("lambda-?", "lambda-/", False),
        ("lambda.x", "lambdaax", False),
        ("*", "anything/at/all", True),
    ],
)
def test_a_pattern_takes_in_what_goprivate_would(pattern: str, module: str, *, fits: bool) -> None:
    assert (rule_for(module, [rule(pattern)]) is not None) == fits


def test_the_first_rule_that_fits_wins() -> None:
    first, second, third = rule("github.com/other"), rule("github.com/acme/*"), rule("*")
    assert rule_for("github.com/acme/orders", [first, second, third]) is second


@pytest.mark.parametrize(
    ("pattern", "template", "module", "url"),
    [
        ("*", ANY, "orders", ANY),
        ("github.com/*/*", "https://github.com/{1}/{2}.git", "github.com/acme/orders/api",
         "https://github.com/acme/orders.git"),
        ("code.example.com/*", "ssh://{1}/x", "code.example.com/-x", None),
        ("go.example.com/*", "ssh://git@code.example.com/{1}", "go.example.com/orders",
         "ssh://git@code.example.com/orders"),
        ("go.example.com/*", "git@code.example.com:go/{1}.git", "go.example.com/orders",
         "git@code.example.com:go/orders.git"),
        ("code.example.com", "https://{module}", "code.example.com/orders",
         "https://code.example.com/orders"),
        ("*", "file:///srv/git/{module}.git", "orders", "file:///srv/git/orders.git"),
    ],
)  # fmt: skip
def test_an_address_is_filled(pattern: str, template: str, module: str, url: str | None) -> None:
    if url is None:
        with pytest.raises(BadAddress):
            address(rule(pattern, template), module)
    else:
        assert address(rule(pattern, template), module) == Address(url, url)


def test_a_clone_on_this_machine_is_an_absolute_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for given_path in ("~/src/{1}", "src/{1}"):
        found = address(SourceRule(module="x/*", checkout=Path(given_path)), "x/orders")
        assert found == Address(f"{tmp_path}/src/orders", f"{tmp_path}/src/orders", is_local=True)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://somebody@dev.example.com/x", "https://dev.example.com/x"),
        ("ssh://git@example.com/x", "ssh://git@example.com/x"),
        ("git@example.com:x", "git@example.com:x"),
    ],
)
def test_a_user_of_https_is_not_shown(url: str, shown: str) -> None:
    found = address(rule("*", url), "orders")
    assert found == Address(url, shown)
    assert "somebody" not in repr(found)


@pytest.mark.parametrize(
    "url",
    [
        *("ext::sh -c touch% x", "http://example.com/x", "git://example.com/x", "/srv/x", "x"),
        *("-u", "--upload-pack=x", "https:///x", "https://example.com", "ssh://-oProxyCommand=x/y"),
        *("ssh://-x@example.com/y", "-x@example.com:y", "a@-x:y", "file://host/x", "file:x"),
        *("https://example.com/a b", "https://example.com/a\nb", "https://[example.com/x", ""),
        *("git@example.com::x", "https:example.com/x", "https://exämple.com/x"),
    ],
)
def test_what_git_could_take_for_something_else_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        rule("*", url)


def test_a_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValidationError, match="git's credential helper") as told:
        rule("*", "https://somebody:s3cr3t@example.com/x")
    assert "s3cr3t" not in str(told.value)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"module": "x"}, "either git or checkout"),
        ({"module": "x", "git": ANY, "checkout": "/x"}, "either git or checkout"),
        ({"module": "a/**", "git": ANY}, r"\*\* is not needed"),
        ({"module": "a/[bc]", "git": ANY}, "the wildcards of module are"),
        ({"module": "a/*", "git": ANY + "/{2}"}, r"\{2\} stands for nothing: module has 1"),
        ({"module": "a/*", "git": ANY + "/{name}"}, "the placeholders are"),
        ({"module": "a/*", "checkout": "/srv/{1"}, "the placeholders are"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(values: dict[str, str], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        SourceRule.model_validate(values)


@given(st.text())
def test_nothing_of_a_module_can_change_where_a_rule_leads(module: str) -> None:
    led = SourceRule(module="*", git="https://git.example.com/{1}/{module}")
    try:
        found = address(led, module)
    except BadAddress:
        assert not is_import_path(module)
    else:
        assert found.url == f"https://git.example.com/{module.partition('/')[0]}/{module}"
        assert ".." not in found.url.split("/")


@given(st.text("abc-._~+/ @:\\%\n", max_size=12))
def test_a_path_is_what_go_takes_for_one(path: str) -> None:
    elements = path.split("/")
    expected = (
        not path.startswith("-")
        and all(each and not each.endswith(".") for each in elements)
        and set(path) <= set("abc-._~+/")
    )
    assert is_import_path(path) == expected


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("github.com/acme/orders/api/v2",
         "- {module: github.com/acme/orders, git: 'https://github.com/acme/orders'}"),
        ("go.example.com/orders/v2",
         "- {module: go.example.com/orders, git: 'https://go.example.com/orders'}"),
        ("orders", "- {module: orders, git: 'https://HOST/REPOSITORY'}"),
    ],
)  # fmt: skip
def test_without_a_rule_the_line_for_it_is_told(module: str, line: str) -> None:
    with pytest.raises(NoSourceRule) as told:
        address_of(module, [rule("github.com/other")])
    assert str(told.value).endswith(line)


def test_what_is_no_module_is_not_looked_up() -> None:
    with pytest.raises(NotTold, match="which is no path of a module"):
        address_of("../x", [rule("*")])
