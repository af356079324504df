from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from envsmith.config.profile import SmokeTest
from envsmith.environment.model import TorchBuild
from envsmith.errors import InstallError, LockError
from envsmith.install.install import install
from envsmith.install.smoke_tests import SmokeTests
from tests.environment.test_model_interpreter import interpreter
from tests.fakes import FakeFiles
from tests.install.fakes import FakeInstaller, FakeProbe
from tests.install.install_values import TORCH, locked, order, tools
from tests.install.made import made


def test_a_lock_is_built_once_and_switched_to_again(tmp_path: Path) -> None:
    files = locked()
    at_hand = tools(tmp_path, files)
    first = install(order(), at_hand)
    assert (first.how, first.before) == ("built", "")
    assert first.generation.id == first.generation.lock_sha256[:6]
    assert install(order(), at_hand).how == "unchanged"
    second = install(order(), replace(at_hand, files=locked(TORCH)))
    assert (second.how, second.before) == ("built", first.generation.id)
    third = install(order(), at_hand)
    assert (third.how, third.before, third.generation) == ("switched", second.generation.id, first.generation)


def test_one_that_was_removed_by_hand_is_not_what_was_before(tmp_path: Path) -> None:
    at_hand = tools(tmp_path)
    first = install(order(), at_hand)
    at_hand.store.discard(first.generation.id)
    again = install(order(), at_hand)
    assert (again.how, again.before, at_hand.store.current()) == ("built", "", again.generation.id)
    assert again.generation.id != first.generation.id, "a link leads there"


def test_another_patch_release_of_the_interpreter_is_another_generation(tmp_path: Path) -> None:
    at_hand = tools(tmp_path)
    first = install(order(), at_hand)
    newer = FakeProbe(torch=TorchBuild(version="2.19.0+cpu"), found=interpreter(version="3.12.9"))
    second = install(order(), replace(at_hand, probe=newer))
    assert second.generation.id != first.generation.id


def test_without_the_guard_it_is_another_generation(tmp_path: Path) -> None:
    at_hand = tools(tmp_path)
    install(order(), at_hand)
    assert install(order(guard=False), at_hand).how == "built"
    assert install(order(), at_hand).how == "switched"


def test_checks_that_were_added_are_tried_in_one_that_is_built_for_them(tmp_path: Path) -> None:
    at_hand = tools(tmp_path)
    first = install(order(), at_hand)
    probe = FakeProbe(torch=TorchBuild(version="2.19.0+cpu"), refused="audio")
    with_one = order(smoke_tests=SmokeTests(tests=(SmokeTest("import", "audio"),)))
    with pytest.raises(InstallError, match="ENV001"):
        install(with_one, replace(at_hand, probe=probe))
    assert at_hand.store.current() == first.generation.id
    second = install(with_one, at_hand)
    assert (second.how, second.generation.tried) == ("built", ("import audio",))
    for fewer in (with_one, order()):
        assert install(fewer, at_hand).how == "unchanged"


def test_one_that_is_not_compiled_does_not_do_where_that_is_asked(tmp_path: Path) -> None:
    at_hand = tools(tmp_path)
    install(order(), at_hand)
    assert install(order(compile_bytecode=True), at_hand).how == "built"
    assert install(order(), at_hand).how == "unchanged"


def test_a_damaged_one_is_found_by_deep_and_built_anew(tmp_path: Path) -> None:
    at_hand = tools(tmp_path)
    first = install(order(), at_hand)
    assert install(order(deep=True), at_hand).how == "unchanged"
    probe = FakeProbe(torch=TorchBuild(version="2.19.0+cpu"), damaged=(first.generation.id,))
    again = install(order(deep=True), replace(at_hand, probe=probe))
    assert again.how == "built"
    assert again.generation.id != first.generation.id


def test_the_python_of_the_current_environment_is_kept(tmp_path: Path) -> None:
    files = locked(python="3.13", files=locked())
    older, newer = FakeInstaller(pythons=("3.12", "3.13")), FakeInstaller(pythons=("3.12", "3.13"))
    at_hand = tools(tmp_path, files, installer=older)
    install(order(), at_hand)
    assert older.asked == ["3.12"], "our own first"
    newer_probe = FakeProbe(torch=TorchBuild(version="2.19.0+cpu"), found=interpreter(version="3.13.1"))
    install(order(python="3.13"), replace(at_hand, installer=newer, probe=newer_probe))
    install(order(), replace(at_hand, installer=newer, probe=newer_probe))
    assert newer.asked == ["3.13", "3.13"]


def test_the_free_threaded_build_is_looked_for_by_its_name_and_kept(tmp_path: Path) -> None:
    both = locked(python="3.13t", files=locked(python="3.13"))
    installer = FakeInstaller(pythons=("3.13", "3.13t"))
    found = interpreter(version="3.13.1", is_free_threaded=True)
    probe = FakeProbe(torch=TorchBuild(version="2.19.0+cpu"), found=found)
    at_hand = tools(tmp_path, both, installer=installer, probe=probe)
    first = install(order(python="3.13t"), at_hand)
    assert first.generation.target == "cp313t-manylinux_2_28_x86_64"
    assert install(order(), at_hand).how == "unchanged"
    assert installer.asked == ["3.13t", "3.13t"]
    with pytest.raises(LockError, match=r"LCK004.*free-threaded"):
        install(order(python="3.13"), replace(at_hand, files=locked(python="3.13")))


def test_the_next_python_is_taken_where_the_first_is_not_there(tmp_path: Path) -> None:
    files = locked(python="3.13", files=locked())
    installer = FakeInstaller(pythons=("3.13",))
    probe = FakeProbe(torch=TorchBuild(version="2.19.0+cpu"), found=interpreter(version="3.13.1"))
    done = install(order(), tools(tmp_path, files, installer=installer, probe=probe))
    assert installer.asked == ["3.12", "3.13"]
    assert done.generation.target == "cp313-manylinux_2_28_x86_64"


def test_no_python_is_an_error_that_names_the_locks(tmp_path: Path) -> None:
    with pytest.raises(InstallError, match=r"Python 3\.12 not found on this machine") as caught:
        install(order(), tools(tmp_path, installer=FakeInstaller(pythons=())))
    assert caught.value.code == "ENV002"
    assert caught.value.details == (("locked for", "cp312-manylinux_2_28_x86_64"),)


def test_a_python_without_lock_is_refused(tmp_path: Path) -> None:
    probe = FakeProbe(found=interpreter(version="3.10.1"))
    with pytest.raises(LockError, match="LCK004"):
        install(order(python="3.12"), tools(tmp_path, probe=probe))
    assert not (tmp_path / ".venv").exists()


def test_a_profile_without_lock_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(LockError, match="LCK005"):
        install(order(), tools(tmp_path, FakeFiles()))
    assert list(tmp_path.iterdir()) == []


def test_what_others_made_is_named(tmp_path: Path) -> None:
    (tmp_path / ".venv").mkdir()
    at_hand = tools(tmp_path, locked(made("beside")), probe=FakeProbe())
    done = install(order(), at_hand)
    assert done.aside.startswith(".venv-")
    assert at_hand.store.asides() == (done.aside,)
