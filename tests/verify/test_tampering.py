"""Changes of an environment that its own RECORDs, or its own code, would hide."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from envsmith.uv.command import find_uv
from tests import repositories
from tests.install.made import Made, Shop, made, made_torch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at symbolic links and bin/")

# Takes all differences out of what an inspection in the environment would print.
LIE = """\
import json
true = json.dumps
def lie(value, *more, **named):
    if isinstance(value, dict):
        for item in value.get("distributions", ()):
            item.update(missing=[], missing_count=0, changed=[], changed_count=0)
        if "strays" in value:
            value["strays"] = []
    return true(value, *more, **named)
json.dumps = lie
"""
HANG = "import time; time.sleep(600)\n"


def site(prefix: Path) -> Path:
    return next((prefix / "lib").glob("*/site-packages"))


def overwrite(path: Path, data: bytes) -> None:
    """Write a file, and nothing that shares its bytes."""
    path.unlink(missing_ok=True)
    path.write_bytes(data)


def redo_record(prefix: Path, name: str, path: str) -> None:
    """Write hash and size of a file, as it is now, into a RECORD."""
    record = next(site(prefix).glob(f"{name}-*.dist-info")) / "RECORD"
    data = (site(prefix) / path).read_bytes()
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
    rows = [row for row in record.read_text("utf-8").splitlines() if not row.startswith(f"{path},")]
    overwrite(record, "\n".join([*rows, f"{path},sha256={digest},{len(data)}", ""]).encode())


def change(prefix: Path) -> None:
    path = site(prefix) / "beside/__init__.py"
    overwrite(path, path.read_bytes().replace(b'"', b"'"))


def change_with_record(prefix: Path) -> None:
    change(prefix)
    redo_record(prefix, "beside", "beside/__init__.py")


def lie_about_a_change(prefix: Path) -> None:
    change(prefix)
    (site(prefix) / "sitecustomize.py").write_text(LIE, "utf-8")


def include_system_packages(prefix: Path) -> None:
    path = prefix / "pyvenv.cfg"
    text = path.read_text("utf-8")
    assert "include-system-site-packages = false" in text
    path.write_text(text.replace("packages = false", "packages = true"), "utf-8")


def add_pth(prefix: Path) -> None:
    (site(prefix) / "added.pth").write_text("import sys; sys.added = True\n", "utf-8")


def add_recorded_pth(prefix: Path) -> None:
    add_pth(prefix)
    redo_record(prefix, "beside", "added.pth")


def add_recorded_module(prefix: Path) -> None:
    (site(prefix) / "beside/extra.py").write_text("", "utf-8")
    redo_record(prefix, "beside", "beside/extra.py")


def replace_interpreter(prefix: Path) -> None:
    python = prefix / "bin" / "python"
    target = python.readlink()
    python.unlink()
    python.symlink_to(target.parent / "." / ".." / target.parent.name / target.name)


def add_hanging_sitecustomize(prefix: Path) -> None:
    (site(prefix) / "sitecustomize.py").write_text(HANG, "utf-8")


TAMPERINGS: tuple[tuple[Callable[[Path], None], set[str], str], ...] = (
    (change_with_record, {"ENV019"}, "beside-1.0.dist-info/RECORD was changed"),
    (lie_about_a_change, {"ENV015", "ENV018", "ENV019"}, "sitecustomize.py was added"),
    (include_system_packages, {"ENV019"}, "pyvenv.cfg was changed"),
    (add_pth, {"ENV018", "ENV019"}, "added.pth was added"),
    (add_recorded_pth, {"ENV019"}, "added.pth was added"),
    (add_recorded_module, {"ENV019"}, "beside-1.0.dist-info/RECORD was changed"),
    (replace_interpreter, {"ENV019"}, "bin/python was changed"),
    (add_hanging_sitecustomize, {"ENV018", "ENV019"}, "sitecustomize.py was added"),
)
IDS = [plant.__name__ for plant, _, _ in TAMPERINGS]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """An installed environment, without lists of its wheels' files."""
    shop = Shop.opened(tmp_path)
    wheels = (made_torch("2.19.0+cpu"), made("beside"))
    shop.stock(*wheels)
    shop.lock(*wheels)
    assert shop.install().status == 0
    shutil.rmtree(shop.project.root / "cache" / "wheels")
    return shop


def verify(shop: Shop, *words: str) -> tuple[int, list[dict[str, str]]]:
    ran = shop.project.run("verify", "small", "--json", *words)
    assert ran.out, ran.said
    return ran.status, json.loads(ran.out)["data"]["findings"]


@pytest.mark.parametrize(("plant", "codes", "text"), TAMPERINGS, ids=IDS)
def test_deep_finds_it(shop: Shop, plant: Callable[[Path], None], codes: set[str], text: str) -> None:
    assert verify(shop, "--deep") == (0, [])
    plant(shop.link.resolve())
    status, findings = verify(shop, "--deep")
    assert (status, {item["code"] for item in findings}) == (1, codes)
    assert any(text in item["message"] for item in findings)


@pytest.mark.parametrize(("plant", "codes", "text"), TAMPERINGS, ids=IDS)
def test_a_quick_look_finds_the_change_after_the_install(
    shop: Shop, plant: Callable[[Path], None], codes: set[str], text: str
) -> None:
    plant(shop.link.resolve())
    status, findings = verify(shop)
    assert (status, {item["code"] for item in findings}) == (1, codes - {"ENV015"})
    assert any(text in item["message"] for item in findings)
    before = shop.current()
    assert shop.install().status == 0
    assert shop.current() != before, "built again"
    assert verify(shop, "--deep") == (0, [])


def synced(shop: Shop, tmp_path: Path, *wheels: Made) -> Path:
    """Install a lock with uv alone, into an environment of which envsmith kept nothing."""
    shop.stock(*wheels)
    shop.lock(*wheels)
    prefix = tmp_path / "own"
    env = shop.project.environ()
    subprocess.run([find_uv(), "venv", "--quiet", "--python", sys.executable, prefix], check=True, env=env)
    names = [shop.wheelhouse / wheel.filename for wheel in wheels]
    command: list[str | Path] = [
        find_uv(),
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--offline",
        "--python",
        prefix,
        *names,
    ]
    subprocess.run(command, check=True, env=env)
    for info in site(prefix).glob("*.dist-info"):  # as from an index
        (info / "direct_url.json").unlink()
        rows = [row for row in (info / "RECORD").read_text("utf-8").splitlines() if "direct_url" not in row]
        overwrite(info / "RECORD", "\n".join([*rows, ""]).encode())
    return prefix


@pytest.mark.parametrize("plant", [change_with_record, add_recorded_pth, add_recorded_module])
def test_the_list_in_the_wheel_shows_what_a_record_hides(
    shop: Shop, tmp_path: Path, plant: Callable[[Path], None]
) -> None:
    wheels = (made_torch("2.20.0+cpu"), made("beside", "1.5"))
    shop.stock(*wheels)
    shop.lock(*wheels)
    assert shop.install().status == 0  # keeps the lists of what uv unpacks
    prefix = synced(shop, tmp_path, *wheels)
    assert verify(shop, "--deep", "--prefix", str(prefix)) == (0, [])
    plant(prefix)
    status, findings = verify(shop, "--deep", "--prefix", str(prefix))
    assert (status, [item["code"] for item in findings]) == (1, ["ENV027"])


def cfg_wheel() -> Made:
    """A wheel with a data file over the environment's own settings."""
    text = f"home = {Path(sys.base_prefix, 'bin')}\ninclude-system-site-packages = false\n"
    return made(
        "beside", "3.0", {"beside/__init__.py": b"", "beside-3.0.data/data/pyvenv.cfg": text.encode()}
    )


def test_a_wheel_that_replaces_pyvenv_cfg(shop: Shop, tmp_path: Path) -> None:
    before = shop.current()
    prefix = synced(shop, tmp_path, cfg_wheel())
    status, findings = verify(shop, "--deep", "--prefix", str(prefix))
    assert (status, [item["code"] for item in findings]) == (1, ["ENV026"])
    assert "beside 3.0 replaces pyvenv.cfg" in findings[0]["message"]
    ran = shop.install()
    assert (ran.status, shop.current()) == (2, before)
    assert "beside 3.0 replaces pyvenv.cfg" in ran.said


def test_a_wheel_that_replaces_pyvenv_cfg_and_does_not_record_it(shop: Shop) -> None:
    wheel = cfg_wheel()
    body = wheel.body.replace(b"beside-3.0.data/data/pyvenv.cfg,", b"beside-3.0.data/data/others.cfg,")
    other = Made(
        name=wheel.name, version=wheel.version, filename=wheel.filename, body=_with_right_checksums(body)
    )
    shop.stock(other)
    shop.lock(other)
    ran = shop.install()
    assert ran.status == 2, ran.said
    assert "replaces pyvenv.cfg" in ran.said


def _with_right_checksums(body: bytes) -> bytes:
    """Write a stored archive again, whose bytes were changed."""
    import io
    import zipfile
    from unittest import mock

    source, target = zipfile.ZipFile(io.BytesIO(body)), io.BytesIO()
    with mock.patch.object(zipfile.ZipExtFile, "_update_crc"), zipfile.ZipFile(target, "w") as archive:
        for item in source.infolist():
            archive.writestr(zipfile.ZipInfo(item.filename, item.date_time), source.read(item))
    return target.getvalue()


def test_an_import_that_hangs_names_the_start_up_files(shop: Shop) -> None:
    """Those of a distribution run, as they do in every program."""
    wheel = made("beside", "4.0", {"beside/__init__.py": b"", "sitecustomize.py": HANG.encode()})
    shop.stock(wheel)
    shop.lock(wheel)
    shop.project.profile("small", backend="cpu", python=["3.11"], platforms=["linux"])
    with (shop.project.root / "profiles/small.toml").open("a", encoding="utf-8") as stream:
        stream.write('checks = [{import = "beside", timeout-s = 2}]\n')
    ran = shop.install()
    assert ran.status == 2
    assert "timeout after 2 s; every start of its Python runs" in ran.said
    assert "sitecustomize.py" in ran.said


def test_what_an_earlier_version_installed_is_noted_and_built_again(shop: Shop) -> None:
    (shop.generations.parent / "digests" / f"{shop.current()}.json").unlink()
    status, findings = verify(shop, "--deep")
    assert (status, [(item["code"], item["severity"]) for item in findings]) == (0, [("ENV028", "warning")])
    before = shop.current()
    assert shop.install().status == 0
    assert shop.current() != before
    assert verify(shop) == (0, [])


def test_an_environment_that_came_with_the_repository_is_not_believed(shop: Shop) -> None:
    """Its record, digests and files fit each other: somebody else made them all."""
    root, before = shop.project.root, shop.current()
    good = (site(shop.link.resolve()) / "beside/__init__.py").read_bytes()
    change(shop.link.resolve())
    repositories.make(root)
    repositories.git(root, "add", "--force", ".envsmith", ".venv")
    _, findings = verify(shop)
    assert [(item["code"], item["severity"]) for item in findings] == [("ENV028", "warning")]
    ran = shop.install()
    assert ran.status == 0, ran.said
    assert shop.current() != before
    assert (site(shop.link.resolve()) / "beside/__init__.py").read_bytes() == good
    assert verify(shop) == (0, [])


@pytest.mark.parametrize("path", ["torch/version.py", "torch/lib/libtorch.so"])
def test_install_has_something_to_do_for_a_deleted_file(shop: Shop, path: str) -> None:
    unchanged = shop.install()
    assert "nothing to do" in unchanged.said
    before = shop.current()
    (site(shop.link.resolve()) / path).unlink()
    ran = shop.install()
    assert ran.status == 0, ran.said
    assert shop.current() != before
    assert "nothing to do" in shop.install().said


def test_the_digests_of_removed_environments_are_removed(shop: Shop) -> None:
    digests = shop.generations.parent / "digests"
    assert [path.stem for path in digests.iterdir()] == [shop.current()]
    shop.lock(made_torch("2.19.0+cpu"))
    assert shop.install().status == 0
    assert shop.project.run("generations", "--keep", "1").status == 0
    assert [path.stem for path in digests.iterdir()] == [shop.current()]
