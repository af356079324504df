from __future__ import annotations

import tomllib

import pytest

from envsmith.usage.tree import named_roots


@pytest.mark.parametrize(
    ("text", "roots"),
    [
        ("", ()),
        ("[tool.setuptools]\npackages = ['a', 'a.b']", ("a", "a/b")),
        ("[tool.setuptools]\npackages = ['a']\npackage-dir = {'' = 'lib'}", ("lib/a",)),
        ("[tool.setuptools]\npackages = ['a']\npackage-dir = {a = 'code'}", ("code",)),
        ("[tool.setuptools]\npy-modules = ['one']", ("one.py",)),
        ("[tool.setuptools.packages.find]\nwhere = ['src', 'more']", ("src", "more")),
        ("[tool.hatch.build.targets.wheel]\npackages = ['src/foo']", ("src/foo",)),
        ("[tool.hatch.build.targets.wheel]\nonly-include = ['./foo/']", ("foo",)),
        ("[[tool.poetry.packages]]\ninclude = 'a'\nfrom = 'lib'", ("lib/a",)),
        ("[[tool.poetry.packages]]\ninclude = 'a'", ("a",)),
        ("[tool.flit.module]\nname = 'a.b'", ("a/b", "a.b.py")),
        ("[tool.pdm.build]\nincludes = ['a', 'b/*.py']\npackage-dir = 'src'", ("src", "a")),
        ("[tool.uv.build-backend]\nmodule-name = 'a'", ("src/a",)),
        ("[tool.uv.build-backend]\nmodule-name = ['a', 'b']\nmodule-root = ''", ("a", "b")),
        ("[tool.maturin]\npython-source = 'python'", ("python",)),
        ("[tool.scikit-build.wheel]\npackages = ['python/a']", ("python/a",)),
        ("[project]\nname = 'My-App'", ("src/My_App", "My_App", "My_App.py", "my_app")),
        ("[tool.setuptools]\npackages = {find = 1}", ()),
        ("[tool]\nsetuptools = 3\npoetry = ['x']", ()),
        ("[tool.poetry]\npackages = [1, {from = 'a'}]", ()),
    ],
)
def test_each_build_backend_names_its_sources_in_its_own_way(text: str, roots: tuple[str, ...]) -> None:
    assert named_roots(tomllib.loads(text)) == roots
