from __future__ import annotations

import errno
from pathlib import Path

import pytest

from envsmith.config.profile import SmokeTest
from envsmith.environment.generation import CONSTRAINTS, FAILED
from envsmith.environment.model import TorchBuild
from envsmith.environment.prefix import interpreter_path
from envsmith.errors import InstallError, ToolError
from envsmith.files.own_folder import make_marked
from envsmith.install.install import install, plan_install
from envsmith.install.smoke_tests import SmokeTests
from envsmith.model.wheel import WheelContents
from tests.fakes import RecordedProgress
from tests.install.fakes import FakeInstaller, FakeProbe
from tests.install.install_values import TORCH, locked, order, tools
from tests.install.made import made


def names(root: Path) -> list[str]:
    return sorted(path.name for path in (root / ".envsmith" / "g").iterdir())


def test_a_generation_is_recorded_with_constraints_and_activation_scripts(tmp_path: Path) -> None:
    at_hand = tools(tmp_path)
    done = install(order(), at_hand)
    prefix = at_hand.store.prefix(done.generation.id)
    assert done.generation == at_hand.store.generation(done.generation.id)
    assert done.generation.family == {"torch": "2.19.0+cpu"}
    assert done.generation.files == 4
    assert (prefix / CONSTRAINTS).read_text("utf-8") == "torch==2.19.0+cpu\n"
    assert "any" in (interpreter_path(prefix).parent / "activate").read_text("utf-8")


def test_torch_is_imported_and_what_the_profile_says(tmp_path: Path) -> None:
    probe = FakeProbe(torch=TorchBuild(version="2.19.0+cpu"))
    install(order(), tools(tmp_path / "a", probe=probe))
    assert probe.tried == [("torch", {}, 60.0)]
    probe.tried.clear()
    tried = (
        SmokeTest("run", "a b", 6.0),
        SmokeTest("import", "torch", 9.0),
        SmokeTest("import", "beside", 5.0),
    )
    done = install(
        order(smoke_tests=SmokeTests(tests=tried, env={"A": "1"})), tools(tmp_path / "b", probe=probe)
    )
    env = {"A": "1"}
    assert probe.tried == [("torch", env, 9.0), ("beside", env, 5.0), ("a b", env, 6.0)]
    assert [item.name for item in done.imports] == ["torch", "beside"]
    assert [item.name for item in done.runs] == ["a b"]


def test_a_command_that_fails_is_no_proof_and_none_is_run_where_files_are_wrong(tmp_path: Path) -> None:
    checks = SmokeTests(tests=(SmokeTest("run", "a b"),))
    probe = FakeProbe(torch=TorchBuild(version="2.19.0+cpu"), refused="a b")
    with pytest.raises(InstallError) as caught:
        install(order(smoke_tests=checks), tools(tmp_path, probe=probe))
    assert [part.code for part in caught.value.parts] == ["ENV064"]
    probe = FakeProbe(torch=TorchBuild(version="2.19.0", cuda="13.4"))
    with pytest.raises(InstallError):
        install(order(smoke_tests=checks), tools(tmp_path, probe=probe))
    assert [name for name, _, _ in probe.tried] == ["torch"]


def test_what_is_not_verified_is_kept_and_marked_and_the_error_names_it(tmp_path: Path) -> None:
    probe = FakeProbe(torch=TorchBuild(version="2.19.0", cuda="13.4"), refused="torch")
    with pytest.raises(InstallError) as caught:
        install(order(), tools(tmp_path, probe=probe))
    assert caught.value.code == "ENV001"
    assert [part.code for part in caught.value.parts] == ["ENV016", "ENV017"]
    (kept,) = names(tmp_path)
    assert (Path(caught.value.where) / FAILED).is_file()
    assert Path(caught.value.where).name == kept
    assert not (tmp_path / ".venv").exists()


def test_the_packages_are_named_whose_files_may_be_damaged_in_the_cache(tmp_path: Path) -> None:
    id_ = install(order(), tools(tmp_path / "a")).generation.id
    probe = FakeProbe(torch=TorchBuild(version="2.19.0+cpu"), damaged=(id_,))
    with pytest.raises(InstallError) as caught:
        install(order(deep=True), tools(tmp_path / "b", probe=probe))
    assert "`uv cache clean beside torch`" in caught.value.hint
    probe = FakeProbe(torch=TorchBuild(version="2.19.0", cuda="13.4"))
    with pytest.raises(InstallError) as caught:
        install(order(), tools(tmp_path / "c", probe=probe))
    assert "uv cache clean" not in caught.value.hint


def test_what_could_not_be_filled_is_removed(tmp_path: Path) -> None:
    heard = RecordedProgress()
    installer = FakeInstaller(fails=ToolError("TOL022", "not reached"))
    with pytest.raises(ToolError, match="TOL022"):
        install(order(), tools(tmp_path, installer=installer, progress=heard))
    assert names(tmp_path) == []
    assert heard.ended_with[-1][1] == "failed"


def test_a_generation_whose_scripts_cannot_be_written_is_removed(tmp_path: Path) -> None:
    class InTheWay(FakeInstaller):
        def make(self, prefix: Path, python: Path, prompt: str, *, has_base_packages: bool = False) -> None:
            super().make(prefix, python, prompt, has_base_packages=has_base_packages)
            (interpreter_path(prefix).parent / "activate").mkdir()

    with pytest.raises(InstallError, match="ENV024"):
        install(order(), tools(tmp_path, installer=InTheWay()))
    assert names(tmp_path) == []
    assert not (tmp_path / ".venv").exists()


def test_hashes_are_compared_when_asked_or_after_a_crash(tmp_path: Path) -> None:
    probe = FakeProbe(torch=TorchBuild(version="2.19.0+cpu"))
    for place, deep in (("a", False), ("b", True)):
        install(order(deep=deep), tools(tmp_path / place, probe=probe))
    at_hand = tools(tmp_path / "c", probe=probe)
    make_marked(tmp_path / "c" / ".envsmith" / "g" / "aaaaaa", "aaaaaa")
    install(order(), at_hand)
    assert [deep for _, deep in probe.looked] == [False, True, True]


def test_paths_that_windows_does_not_allow_are_refused_before_anything_is_downloaded(tmp_path: Path) -> None:
    long = made("beside", files={f"beside/{'x' * 250}.py": b""})
    files = locked(TORCH, long)
    wheels = {"beside": WheelContents(size_bytes=1, members={f"beside/{'x' * 250}.py": 1})}
    at_hand = tools(tmp_path, files, has_long_paths=lambda: False, wheels=lambda *_: wheels)
    with pytest.raises(InstallError, match=r"ENV036: .* of beside would have"):
        plan_install(order(), at_hand)
    with pytest.raises(InstallError, match=r"ENV036: .* nothing was installed"):
        install(order(), at_hand)
    assert names(tmp_path) == []
    assert install(order(), tools(tmp_path, files, wheels=lambda *_: wheels)).how == "built"


def test_a_file_system_without_links_is_told_before_the_build_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted", str(path))

    monkeypatch.setattr(Path, "symlink_to", refuse)
    at_hand = tools(tmp_path, wheels=lambda *_: pytest.fail("read the wheels"))
    with pytest.raises(
        InstallError, match=r"ENV024: .*operation not permitted; the current environment is unchanged"
    ):
        install(order(), at_hand)
    assert names(tmp_path) == []
    assert sorted(path.name for path in (tmp_path / ".envsmith").iterdir()) == [".gitignore", "g"]
