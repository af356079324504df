"""Two thousand hostile values per shell: none executed, none changed, each restored."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from envsmith.activate.model import Activation
from tests.shells.drivers import DRIVERS, Driver, Session, plain_environment
from tests.shells.places import PROFILE, made_project, write_scripts

COUNT = 2000
CANARY = "canary"
_PIECES = (
    *(
        "'",
        '"',
        "`",
        "\\",
        "$",
        "!",
        "%",
        "^",
        "&",
        "|",
        ";",
        "\n",
        "\r",
        "\t",
        " ",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
    ),
    *(
        "*",
        "?",
        "#",
        "~",
        "=",
        "<",
        ">",
        ",",
        "@",
        "-",
        "--",
        "\x1b[31m",
        "\u2019",
        "\u201d",
        "\ufeff",
        "é",
        "项",
        "\x7f",
    ),
    *(
        f"$(touch {CANARY})",
        f"`touch {CANARY}`",
        f"';touch {CANARY};'",
        f'";touch {CANARY};"',
        f"\ntouch {CANARY}\n",
    ),
    *(
        "%PATH%",
        "%%PATH%%",
        "!PATH!",
        "$PATH",
        "${PATH}",
        "$env:PATH",
        "@(touch)",
        "\\'",
        "''",
        "'''",
        '""',
        "$'",
        "$((1))",
    ),
    *(
        f"&touch {CANARY}&",
        f"|touch {CANARY}",
        f"(touch {CANARY})",
        f"^& touch {CANARY}",
        f"{{touch {CANARY}}}",
        "EOF",
    ),
)
HOSTILE = st.lists(
    st.sampled_from(_PIECES)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=4),
    max_size=6,
).map("".join)


PLAIN = st.lists(
    st.sampled_from([piece for piece in _PIECES if piece.isascii() and not {"\n", "\r"} & set(piece)])
    | st.characters(min_codepoint=1, max_codepoint=126, exclude_characters="\n\r\x1a"),
    max_size=6,
).map("".join)
"""What cmd can write at all: ASCII, without line breaks, and without Ctrl-Z, which is one to it."""


@cache
def values(*, plain: bool = False) -> tuple[str, ...]:
    """Return the values: the same in every run."""
    found: dict[str, None] = {}

    @settings(
        max_examples=COUNT + COUNT // 8,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(PLAIN if plain else HOSTILE)
    def collect(text: str) -> None:
        found[text] = None

    collect()
    return tuple(islice(found, COUNT))


def folder_name(texts: list[str], driver: Driver) -> str:
    """Return a name of a folder that is as hostile as can be."""
    without = {"/", ":", "\0"} | ({"\n", "\r"} if driver.name in ("tcsh", "nu") else set())
    without |= {"$", "~", "{", "}", "%"} if driver.name == "xonsh" else set()
    name = "".join(one for one in "".join(texts) if one not in without)
    return "p" + name.encode()[:120].decode("utf-8", "ignore")


def entries(texts: list[str], driver: Driver) -> list[str]:
    """Return entries of PATH that stay, whatever is in them."""
    without = {":", "\0"} | ({"$", "~", "{", "}", "%"} if driver.name == "xonsh" else set())
    found = ("/h/" + "".join(one for one in text if one not in without) for text in texts)
    return list(dict.fromkeys(found))


# Nushell and xonsh take long to read a script with hundreds of values.
AT_ONCE = {"nu": 125, "xonsh": 250}
CASES = [
    pytest.param(driver, start, id=f"{driver.name}-{start}")
    for driver in DRIVERS
    for start in range(0, COUNT, AT_ONCE.get(driver.name, 500))
]


@pytest.mark.parametrize(("driver", "start"), CASES, indirect=["driver"])
def test_nothing_is_executed_or_changed(driver: Driver, start: int, around: Path, tmp_path: Path) -> None:
    batch = list(values()[start : start + AT_ONCE.get(driver.name, 500)])
    env = {f"V{place}": text for place, text in enumerate(batch)}
    before = {f"V{place}": text for place, text in enumerate(reversed(batch)) if place % 3}
    activation = Activation(profile="".join(batch[7:12]), env=env, cuda_major=12)
    place = made_project(tmp_path / folder_name(batch[20:30], driver), around)
    write_scripts(place.root, replace(activation, profile=activation.profile), folder=PROFILE.profile)
    path = [*entries(batch[60:100], driver), "/usr/bin", "/bin"]
    run = tmp_path / "run"
    run.mkdir()
    session = Session(driver=driver, folder=run, env=plain_environment(**before, PATH=":".join(path)))
    script = str(place.root / "lockfiles" / PROFILE.profile / driver.file)
    session.look("before")
    session.do("activate", script)
    session.look("inside")
    session.do("deactivate")
    session.look("after")
    session.run()
    inside, after = session.variables("inside"), session.variables("after")
    assert {name: inside.get(name) for name in env} == env
    assert inside["ENVSMITH_PROFILE"] == activation.profile
    assert inside["PATH"] == ":".join([f"{place.root}/.venv/bin", *path])
    assert after == session.variables("before")
    assert {name: after.get(name) for name in before} == before
    assert not [name for name in run.iterdir() if CANARY in name.name]
