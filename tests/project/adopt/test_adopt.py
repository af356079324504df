"""An environment becomes a profile and a lock, from which an equal one is made elsewhere."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from envsmith.cli.main import main
from tests.index.direct_references.packages import make_archive, make_package
from tests.install.made import made
from tests.project.adopt.conftest import TORCH, Adoption, versions
from tests.replay_files import ReplayFile
from tests.site_packages import write_distribution
from tests.systems import posix_only

pytestmark = posix_only("environments have bin/python")


def codes(data: dict[str, object]) -> set[tuple[str, str]]:
    findings = data["findings"]
    assert isinstance(findings, list)
    return {(item["code"], item["subject"]) for item in findings}


def messages(data: dict[str, object]) -> str:
    findings = data["findings"]
    assert isinstance(findings, list)
    return "\n".join(item["message"] for item in findings)


def test_of_uv(adoption: Adoption) -> None:
    adoption.make("torch", "beside", "under==1.0")
    ran = adoption.adopt()
    assert ran.status == 0, ran.said
    text = (adoption.project.root / "profiles/cpu.toml").read_text("utf-8")
    assert 'requirements = ["beside", "torch"]\n' in text
    assert f'constraints = ["beside==1.0", "torch=={TORCH}", "under==1.0"]\n' in text
    assert adoption.project.run("lock", "--check").status == 0
    ran = adoption.project.run("verify", "cpu", "--prefix", str(adoption.prefix))
    assert ran.status == 0, ran.said
    found = adoption.elsewhere()
    assert versions(found.root / ".venv") == versions(adoption.prefix)


def conda_package(prefix: Path, name: str, *files: str) -> None:
    folder = prefix / "conda-meta"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}-1.json").write_text(json.dumps({"name": name, "files": files}), "utf-8")


def test_what_a_lock_cannot_have(adoption: Adoption, tmp_path: Path) -> None:
    """Each is told with its reason; what is on the index stays locked, and nothing is asked by another name."""
    adoption.make("beside", "under==1.0")
    local, same = made("local"), adoption.sell("same")
    for wheel in (local, same):
        (tmp_path / wheel.filename).write_bytes(wheel.body)
    adoption.sell("local", "1.0", "under>=1")  # a stranger's package of the same name and version
    adoption.install(str(tmp_path / local.filename), str(tmp_path / same.filename))
    info = adoption.site / "same-1.0.dist-info" / "direct_url.json"
    info.write_text(json.dumps({"url": "file:///x", "archive_info": {"hashes": {"sha256": same.sha256}}}))
    write_distribution(adoption.site, "gone", {"gone.py": b""}, version="3.0")
    write_distribution(adoption.site, "odd", {"odd.py": b""}, version="1\x1b[2J")
    write_distribution(adoption.site, "link", {"link.py": b""})
    (adoption.site / "link-1.0.dist-info/direct_url.json").write_text(
        json.dumps({"url": "file:///home/me/link", "dir_info": {"editable": True}})
    )
    write_distribution(adoption.site, "under", {"under2.py": b""}, version="0.5")
    half = write_distribution(adoption.site, "half", {"half.py": b""})
    (half / "METADATA").unlink()
    (adoption.site / "beside" / "__init__.py").write_text("changed = True\n")
    conda_package(adoption.prefix, "openssl", "lib/libssl.so")
    conda_package(adoption.prefix, "beside", "lib/python3.11/site-packages/beside-1.0.dist-info/METADATA")
    data = adoption.data("--dry-run")["data"]
    assert codes(data) == {
        *(("ENV081", name) for name in ("gone", "link", "local", "half", "odd")),
        *(("ENV082", name) for name in ("beside", "conda", "under")),
        ("ENV012", "under"),
        *(("ENV015", name) for name in ("beside", "same")),
    }
    assert data["constraints"] == ["beside==1.0", "same==1.0", "under==1.0"]
    assert "gone 3.0 is on no index; the lock does not have it" in messages(data)
    assert "link was installed from a folder, /home/me/link, editable" in messages(data)
    assert "openssl" in messages(data)
    ran = adoption.adopt()
    assert ran.status == 1, ran.said
    assert "\x1b" not in ran.out + ran.err
    assert set(adoption.project.manifest("cpu").targets)
    assert adoption.project.run("lock", "--check").status == 0
    ran = adoption.adopt()  # nothing is overwritten
    assert (ran.status, "PRF048" in ran.said) == (2, True), ran.said


def test_packages_of_this_machine_are_never_taken_from_an_index(adoption: Adoption) -> None:
    adoption.make("beside", "under==1.0")
    (adoption.site / "under-1.0.dist-info/direct_url.json").write_text(
        json.dumps({"url": "file:///home/me/under", "dir_info": {}})
    )
    ran = adoption.adopt()
    assert (ran.status, "ENV083" in ran.said) == (2, True), ran.said
    assert "under installed from a folder, /home/me/under; required by beside" in ran.said
    assert not (adoption.project.root / "profiles").exists()
    assert adoption.adopt("--no-lock", "--name", "alone").status == 0
    assert [path.name for path in adoption.project.root.iterdir() if path.name != "cache"] == ["profiles"]


def test_conflicts_are_kept_as_they_are_installed(adoption: Adoption) -> None:
    """Also in a project with requirements of its own, which are not those of the environment."""
    adoption.sell("strict", "1.0", "under<2")
    adoption.make("strict", "torch")
    adoption.install("under==2.0", words=("--no-deps",))
    (adoption.project.root / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "0"\ndependencies = ["absent"]\n', "utf-8"
    )
    write_distribution(adoption.site, "app", {"app.pth": b""})
    (adoption.site / "app-1.0.dist-info/direct_url.json").write_text(
        json.dumps({"url": adoption.project.root.as_uri(), "dir_info": {"editable": True}})
    )
    ran = adoption.adopt("--name", "mine")
    assert ran.status == 0, ran.said
    assert "note ENV081 app was installed from a folder" in ran.said
    assert (adoption.project.root / "requirements-mine.in").read_text("utf-8") == "strict\ntorch\n"
    assert adoption.project.manifest("mine").targets
    text = (adoption.project.root / "profiles/mine.toml").read_text("utf-8")
    assert 'overrides = ["under==2.0"]\n' in text
    assert adoption.project.run("lock", "--check").status == 0


def test_without_a_lock_nothing_is_written(adoption: Adoption, tmp_path: Path) -> None:
    adoption.make("torch")
    torch = next(adoption.site.glob("torch-*.dist-info"))
    text = (torch / "METADATA").read_text().replace(TORCH, "2.17.0")
    (torch / "METADATA").write_text(text)
    ran = adoption.adopt()
    assert (ran.status, "2.17.0" in ran.said) == (1, True), ran.said
    shutil.rmtree(torch)
    write_distribution(adoption.site, "sourced", {"sourced.py": b""})
    source = make_archive(make_package(tmp_path / "sourced", "sourced"), "sourced-1.0")
    digest = hashlib.sha256(source).hexdigest()
    adoption.list(ReplayFile(index="simple", filename="sourced-1.0.tar.gz", sha256=digest, body=source))
    ran = adoption.adopt()
    assert (ran.status, "RES061" in ran.said) == (1, True), ran.said
    assert f"envsmith adopt {adoption.prefix}" in ran.said
    assert "--allow-sdist sourced" in ran.said
    assert [path.name for path in adoption.project.root.iterdir()] == ["cache"]


def test_prefixes(
    adoption: Adoption, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*words: str) -> str:
        assert main(["adopt", *words]) == 2
        return " ".join(capsys.readouterr().err.split())

    monkeypatch.chdir(adoption.project.root)
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    adoption.make()
    assert "no such folder where .venv" in said()
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "empty"))
    assert "its interpreter is missing" in said()
    (tmp_path / "bare" / "bin").mkdir(parents=True)
    (tmp_path / "bare/bin/python").symlink_to(adoption.python().resolve())
    assert "its interpreter belongs to" in said(str(tmp_path / "bare"))
    (tmp_path / "link").symlink_to(adoption.prefix)
    assert "has no packages to adopt" in said(str(tmp_path / "link"))
    (tmp_path / "odd/bin").mkdir(parents=True)
    (tmp_path / "odd/bin/python").symlink_to("/bin/false")
    assert "ENV023" in said(str(tmp_path / "odd"))
