"""Case B on Linux: the linker takes a library from a stale folder, and inside it does not."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from envsmith.model.shell import quote_sh
from tests.shells.drivers import DRIVERS, REQUIRED, Driver, Session, plain_environment, wanted
from tests.shells.places import made_project

LIBRARY = "int runtime_version(void) {{ return {number}; }}\n"
PROGRAM = (
    "#include <stdio.h>\n"
    "int runtime_version(void);\n"
    'int main(void) { return printf("%d\\n", runtime_version()) < 0; }\n'
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program, the library it was linked with, and another one of the same name where old toolkits lie."""
    if shutil.which("cc") is None:
        if wanted():
            pytest.fail(f"there is no C compiler, and {REQUIRED}=required asks for it")
        pytest.skip("there is no C compiler")
    folder = tmp_path_factory.mktemp("built")
    for number, place in ((12, "right"), (11, "cuda-11.8/lib64"), (11, "x/site-packages/torch/lib")):
        (folder / place).mkdir(parents=True)
        source = folder / f"{number}.c"
        source.write_text(LIBRARY.format(number=number))
        _cc("-shared", "-fPIC", "-o", folder / place / "libruntime.so", source)
    (folder / "main.c").write_text(PROGRAM)
    _cc(
        "-o",
        folder / "main",
        folder / "main.c",
        f"-L{folder}/right",
        "-lruntime",
        f"-Wl,--enable-new-dtags,-rpath,{folder}/right",
    )
    return folder


def _cc(*words: str | Path) -> None:
    subprocess.run(["cc", *words], check=True)


@pytest.mark.parametrize("stale", ["cuda-11.8/lib64", "x/site-packages/torch/lib"])
@pytest.mark.parametrize(
    "driver",
    [one for one in DRIVERS if one.name in ("bash", "dash", "fish")],
    ids=lambda one: one.name,
    indirect=True,
)
def test_the_wrong_library_before_and_the_right_one_inside(
    driver: Driver, stale: str, built: Path, around: Path, tmp_path: Path
) -> None:
    place = made_project(tmp_path / "project", around)
    env = plain_environment(LD_LIBRARY_PATH=f"{built}/{stale}:/x", PATH=f"{built}/{stale}:/usr/bin:/bin")
    session = Session(driver=driver, folder=tmp_path, env=env)
    for step in (None, "activate", "deactivate"):
        if step:
            session.do(
                step, *([str(place.root / "lockfiles" / "cu128" / driver.file)] if step == "activate" else [])
            )
        session.do("text", quote_sh(str(built / "main")))
    assert [line for line in session.run().splitlines() if line.isdigit()] == ["11", "12", "11"]
    session.do("dump", str(tmp_path / "end.env"))
    session.run()
    assert session.variables("end")["LD_LIBRARY_PATH"] == env["LD_LIBRARY_PATH"]
