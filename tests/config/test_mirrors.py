from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envsmith.config.mirrors import MirrorRule, MirrorRules
from envsmith.errors import ProfileError

PYTORCH = "https://download.pytorch.org"
FILE = f"{PYTORCH}/whl/cu130/torch-2.14.0%2Bcu130-cp312-cp312-win_amd64.whl"


@pytest.mark.parametrize(
    ("rewrite", "url", "fetched"),
    [
        (f"{PYTORCH}=https://m.example", FILE, FILE.replace(PYTORCH, "https://m.example")),
        (f"{PYTORCH}/=https://m.example/p/", FILE, FILE.replace(PYTORCH, "https://m.example/p")),
        (f"{PYTORCH}/whl=http://m.example:81", FILE, FILE.replace(f"{PYTORCH}/whl", "http://m.example:81")),
        (
            "HTTPS://Download.PyTorch.org:443=https://m.example",
            FILE,
            FILE.replace(PYTORCH, "https://m.example"),
        ),
        (f"{PYTORCH}=https://u:p@m.example", FILE, FILE.replace(PYTORCH, "https://u:p@m.example")),
        (f"{PYTORCH}=https://m.example", f"{PYTORCH}/a?b=c", "https://m.example/a?b=c"),
        (f"{PYTORCH}=https://m.example", "https://u:secret@download.pytorch.org/a", "https://m.example/a"),
        ("https://[::1]:8=https://m.example", "https://[::1]:8/a", "https://m.example/a"),
        # a server or folder is meant, not the beginning of a text
        (f"{PYTORCH}=https://m.example", "https://download.pytorch.org.evil.example/a", None),
        (f"{PYTORCH}/whl=https://m.example", f"{PYTORCH}/whl2/a", None),
        (f"{PYTORCH}=https://m.example", FILE.replace("https", "http"), None),
        (f"{PYTORCH}=https://m.example", FILE.replace(".org", ".org:8443"), None),
        (f"{PYTORCH}=https://m.example", "https://download.pytorch.org:x/a", None),
    ],
)
def test_rewriting(rewrite: str, url: str, fetched: str | None) -> None:
    assert MirrorRules.parse([rewrite]).apply(url) == (fetched or url)


def test_the_longest_source_counts_and_only_once() -> None:
    texts = [
        "https://a.example=https://b.example",
        "https://a.example/x=https://c.example",
        "https://b.example=https://d.example",
    ]
    for order in (texts, texts[::-1]):
        rewrites = MirrorRules.parse(order)
        assert rewrites.apply("https://a.example/x/f") == "https://c.example/f"
        assert rewrites.apply("https://a.example/y/f") == "https://b.example/y/f"


def test_the_later_of_two_for_one_source_counts() -> None:
    rewrites = MirrorRules.parse(
        ["https://a.example=https://b.example", "https://A.example:443/=https://c.example"]
    )
    assert [str(rule) for rule in rewrites.rules] == ["https://a.example=https://c.example"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        PYTORCH,
        "download.pytorch.org=https://m.example",
        f"{PYTORCH}=m.example",
        f"{PYTORCH}=file:///mnt",
        f"{PYTORCH}=https://m.example?token=hush",
        f"{PYTORCH}=https://m.example/#hush",
        f"{PYTORCH}=https://m.example/a b",
        f"{PYTORCH}=https://",
        f"{PYTORCH}=https://m.example:99999999",
        f"{PYTORCH}=https://[::1",
        f"{PYTORCH}=https://u:hush@m.example=x",
        "https://u:hush@download.pytorch.org=https://m.example",
    ],
)
def test_malformed(text: str) -> None:
    with pytest.raises(ProfileError) as caught:
        MirrorRule.parse(text)
    assert caught.value.code == "PRF044"
    assert "hush" not in str(caught.value.to_json())


HOSTS = st.from_regex(r"[a-z]{1,8}(\.[a-z]{2,5}){1,2}(:[1-9][0-9]{1,3})?", fullmatch=True)
FOLDERS = st.from_regex(r"(/[A-Za-z0-9._~%+-]{1,8}){0,3}", fullmatch=True)
SERVERS = st.builds("{}://{}{}".format, st.sampled_from(["http", "https"]), HOSTS, FOLDERS)


@given(SERVERS, SERVERS, FOLDERS)
def test_what_lies_below_the_source_lies_below_the_target(source: str, target: str, inside: str) -> None:
    rule = MirrorRule.parse(f"{source}={target}")
    assert rule.apply(rule.source + inside) == rule.target + inside
    assert MirrorRule.parse(str(rule)) == rule


@given(SERVERS, SERVERS, SERVERS)
def test_nothing_else_is_touched(source: str, target: str, url: str) -> None:
    rule = MirrorRule.parse(f"{source}={target}")
    mine, theirs = urlsplit(rule.source), urlsplit(url)
    found = MirrorRules(rules=(rule,)).apply(url)
    if mine.hostname != theirs.hostname:
        assert found == url


@given(SERVERS, st.from_regex(r"[a-z]{1,5}:[a-z0-9]{6,12}", fullmatch=True))
def test_no_password_is_shown(source: str, secret: str) -> None:
    rule = MirrorRule.parse(f"{source}=https://{secret}@MIRROR.example")
    assert rule.apply(rule.source) == f"https://{secret}@MIRROR.example"
    assert secret not in str(rule)


def test_what_applies_to_nothing_is_known() -> None:
    rewrites = MirrorRules.parse([f"{PYTORCH}=https://m.example", f"{PYTORCH}/whl/nightly=https://n.example"])
    (nightly,) = rewrites.unused([f"{PYTORCH}/whl/cpu/torch-2.13.0.whl"])
    assert nightly.source == f"{PYTORCH}/whl/nightly"
    assert rewrites.unused([f"{PYTORCH}/whl/nightly/cpu/torch-2.15.0.whl"]) == ()
    assert rewrites.unused([]) == rewrites.rules
