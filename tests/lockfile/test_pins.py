from __future__ import annotations

import pytest

from envsmith.errors import LockError
from envsmith.lockfile.pins import InstallSource, Pin, Pins, requirements_lines
from tests.install.made import lock_of, made, made_torch
from tests.values import HEX, OTHER_HEX, target

REQUIREMENTS = f"""\
# cpu-minimal · cp311-manylinux_2_28_x86_64 · torch 2.14.1+cpu
--extra-index-url https://download.pytorch.org/whl/cpu
torch==2.14.1+cpu \\
    --hash=sha256:{HEX} \\
    --hash=sha256:{OTHER_HEX}
    # via profiles/cpu-minimal.toml:6
filelock==4.2.11 \\
    --hash=sha256:{HEX}
    # via torch
"""


def test_requirements_may_name_pages_of_links() -> None:
    line = "--find-links https://wheels.example/links.html\n"
    pins = Pins.from_requirements(line + REQUIREMENTS, "here")
    assert pins.pages == ("https://wheels.example/links.html",)
    assert pins.indexes == ("https://download.pytorch.org/whl/cpu",)


def test_requirements_give_their_pins_and_indexes() -> None:
    pins = Pins.from_requirements(REQUIREMENTS, "here")
    assert pins.packages == (
        Pin(name="filelock", version="4.2.11", sha256=(HEX,)),
        Pin(name="torch", version="2.14.1+cpu", sha256=(HEX, OTHER_HEX)),
    )
    assert pins.indexes == ("https://download.pytorch.org/whl/cpu",)
    assert pins.version("torch") == "2.14.1+cpu"
    assert pins.version("numpy") == ""


@pytest.mark.parametrize(
    "line",
    [
        "torch==2.14.1",
        "torch>=2 --hash=sha256:" + HEX,
        "torch==2.14.1 --hash=md5:" + HEX,
        "torch==2.14.1 --hash=sha256:" + HEX[:-1],
        "torch==2.14.1 ; python_version < '3' --hash=sha256:" + HEX,
        "--trusted-host elsewhere.example",
        "-r other.txt",
        "torch @ https://elsewhere.example/torch.whl",
    ],
)
def test_a_line_that_is_not_ours_is_refused_with_its_number(line: str) -> None:
    with pytest.raises(LockError, match="LCK006: here:10"):
        Pins.from_requirements(f"{REQUIREMENTS}{line}\n", "here")


def test_a_pylock_and_the_requirements_beside_it_pin_the_same() -> None:
    wheels = (made_torch("2.19.0+cpu"), made("typing-extensions"))
    lock = lock_of(wheels, target(backend="cpu"), "any", "http://127.0.0.1:9/a b")
    full = Pins.from_pylock(lock.to_toml(), "here")
    short = Pins.from_requirements(lock.to_requirements(), "here")
    assert [(pin.name, pin.version, pin.sha256) for pin in full.packages] == [
        (pin.name, pin.version, pin.sha256) for pin in short.packages
    ]
    assert [pin.size_bytes for pin in full.packages] == [len(wheel.body) for wheel in wheels]
    assert full.packages[0].filename == wheels[0].filename
    assert not full.packages[0].is_source


def test_a_source_distribution_is_known_as_one() -> None:
    text = (
        '[[packages]]\nname = "a"\nversion = "1"\n'
        f'sdist = {{url = "https://x.example/a-1.tar.gz", hashes = {{sha256 = "{HEX}"}}}}\n'
    )
    (pin,) = Pins.from_pylock(text, "here").packages
    assert pin.is_source
    assert pin.filename == "a-1.tar.gz"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "packages = 1",
        "[[packages]]\nname = 'a'",
        "[[packages",
        "[[packages]]\nname='a'\nversion='1'\nwheels=[{url='u'}]",
    ],
)
def test_what_is_no_pylock_is_refused(text: str) -> None:
    with pytest.raises(LockError, match="LCK006: here"):
        Pins.from_pylock(text, "here")


def test_some_of_them_are_written_as_they_are_read() -> None:
    pins = f"a==1 --hash=sha256:{'a' * 64}\nb==2 --hash=sha256:{'b' * 64}\n"
    text = f"--extra-index-url https://download.pytorch.org/whl/cpu\n{pins}"
    read = Pins.from_requirements(text, "r.txt")
    assert read.to_requirements(["a", "b"]) == text
    assert "b==2" not in read.to_requirements(["a"])


ANNOTATED = """\
# cpu · cp312-win_amd64
--extra-index-url  https://one.example/simple
typing_extensions==4.15.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via
    #   torch
    # from https://two.example/simple

torch==2.11.0+cu128 ; sys_platform == 'win32'
    # via requirements.in:1
    # via viadot
pkg @ https://three.example/pkg.whl
"""


def test_lines_of_a_requirements_file() -> None:
    option, typing, torch, url = requirements_lines(ANNOTATED)
    assert (option.number, option.text) == (2, "--extra-index-url https://one.example/simple")
    assert (option.name, option.version, option.sha256) == ("", "", ())
    assert (typing.number, typing.name, typing.version) == (3, "typing_extensions", "4.15.0")
    assert (typing.sha256, typing.requirers) == (("aa", "bb"), ())
    assert typing.comments == ("via", "torch", "from https://two.example/simple")
    assert (torch.version, torch.requirers) == ("2.11.0+cu128", ("requirements.in:1", "viadot"))
    assert (url.name, url.version, url.comments) == ("pkg", "", ())


def test_a_comment_or_an_empty_line_ends_a_continuation() -> None:
    lines = requirements_lines("a==1 \\\n# via x\n--hash=sha256:aa\nb==1 \\\n\nc==1\n\\\n")
    assert [(line.name, line.text) for line in lines] == [
        ("a", "a==1"),
        ("", "--hash=sha256:aa"),
        ("b", "b==1"),
        ("c", "c==1"),
    ]


def test_an_install_source_has_no_wheelhouse_by_default() -> None:
    supply = InstallSource(text="torch==2.13.0", is_pylock=False)
    assert supply.wheelhouse == ""
    assert supply.sources == ()


def test_a_file_at_a_url_is_never_required_by_its_name_alone() -> None:
    """Whoever installs from an index by that name may get a stranger's package."""
    line = f"six @ https://example.org/six-1.0-py3-none-any.whl \\\n    --hash=sha256:{'a' * 64}\n    # six==1.0\n"
    pins = Pins.from_requirements(f"{line}    # via x\n", "requirements.txt")
    (pin,) = pins.packages
    assert (pin.version, pin.requirement) == ("1.0", "six @ https://example.org/six-1.0-py3-none-any.whl")
    assert pins.to_requirements({"six"}) == f"{pin.requirement} --hash=sha256:{'a' * 64}\n"
    assert pins.for_sync(line, by_name=True) == f"six==1.0 --hash=sha256:{'a' * 64}\n"
    with pytest.raises(LockError, match="LCK006"):
        Pins.from_requirements(line.replace("# six==1.0", "# seven==1.0"), "requirements.txt")
