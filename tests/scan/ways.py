"""Ways of using, or not using, a package: small projects, each with the answer that is right for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Way:
    """One small project."""

    name: str
    files: Mapping[str, str | bytes]
    answers: Mapping[str, str]
    """Module → what is right: one of usage.ANSWERS."""
    is_needed: bool
    """Whether a lock without torchvision would break it, or might."""

    def write(self, folder: Path) -> None:
        """Make the project's files."""
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())


def way(name: str, answer: str, files: Mapping[str, str | bytes] | str, **others: str) -> Way:
    """Return a project whose answer for torchvision is given; a bare text is its only module."""
    files = {"app.py": files} if isinstance(files, str) else files
    return Way(
        name=name,
        files=files,
        answers={"torchvision": answer, **others},
        is_needed=answer != "unused",
    )


def notebook(*cells: str | list[str], language: str = "python") -> str:
    """Return a notebook's text: cells as lists of lines, as Jupyter writes them; a list given becomes one text."""
    listed: list[object] = [
        {
            "cell_type": "code",
            "source": "".join(cell) if isinstance(cell, list) else cell.splitlines(keepends=True),
            "outputs": [],
            "metadata": {},
            "execution_count": None,
        }
        for cell in cells
    ]
    kernel = {"language": language, "name": "k", "display_name": "K"}
    metadata = {"kernelspec": kernel, "language_info": {"name": language, "file_extension": ".py"}}
    return json.dumps({"cells": listed, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


PLAIN_IMPORTS = (
    way("plain import", "used", "import torchvision\n"),
    way("import of a part", "used", "import torchvision.transforms as T\n"),
    way("from import", "used", "from torchvision import models\n"),
    way("from a part", "used", "from torchvision.models import resnet18\n"),
    way("star import", "used", "from torchvision.transforms import *\n"),
    way("among others", "used", "import os, torchvision, sys\n"),
    way("in a function", "used", "def load():\n    import torchvision\n    return torchvision\n"),
    way("in a method of a class", "used", "class A:\n    def b(self):\n        from torchvision import io\n"),
    way("in an async function", "used", "async def f():\n    import torchvision\n"),
    way("after a semicolon", "used", "x = 1; import torchvision\n"),
    way("over several lines", "used", "from torchvision import (\n    io,\n    models,\n)\n"),
    way("under if __name__", "used", "if __name__ == '__main__':\n    import torchvision\n"),
    way("on one system only", "used", "import sys\nif sys.platform == 'linux':\n    import torchvision\n"),
    way("in a match", "used", "match 1:\n    case 1:\n        import torchvision\n"),
    way("in try with another error", "used", "try:\n    import torchvision\nexcept KeyError:\n    pass\n"),
    way("in a finally", "used", "try:\n    pass\nfinally:\n    import torchvision\n"),
    way(
        "re-export",
        "used",
        {"app/__init__.py": "from .compat import tv\n", "app/compat.py": "import torchvision as tv\n"},
    ),
    way(
        "module __getattr__",
        "used",
        "def __getattr__(name):\n    from torchvision import ops\n    return ops\n",
    ),
    way(
        "deeply nested",
        "used",
        "if 1:\n" + "".join(f"{' ' * n}if 1:\n" for n in range(1, 80)) + f"{' ' * 80}import torchvision\n",
    ),
)
CONDITIONAL = (
    way(
        "in try", "conditional", "try:\n    import torchvision\nexcept ImportError:\n    torchvision = None\n"
    ),
    way(
        "in try, module not found",
        "conditional",
        "try:\n    import torchvision\nexcept (KeyError, ModuleNotFoundError):\n    pass\n",
    ),
    way("in try, bare", "conditional", "try:\n    from torchvision import ops\nexcept:\n    ops = None\n"),
    way(
        "as a fallback",
        "conditional",
        "try:\n    import cv2\nexcept ImportError:\n    import torchvision\n",
        cv2="conditional",
    ),
    way(
        "suppressed",
        "conditional",
        "from contextlib import suppress\nwith suppress(ImportError):\n    import torchvision\n",
    ),
    way(
        "for type checkers",
        "conditional",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from torchvision import io\n",
    ),
    way(
        "for type checkers, typing.",
        "conditional",
        "import typing\nif typing.TYPE_CHECKING:\n    import torchvision\n",
    ),
    way(
        "not for type checkers",
        "used",
        "from typing import TYPE_CHECKING\nif not TYPE_CHECKING:\n    import torchvision\n",
    ),
    way(
        "where available",
        "conditional",
        "from x import is_vision_available\nif is_vision_available():\n    import torchvision\n",
    ),
    way(
        "find_spec",
        "conditional",
        "from importlib.util import find_spec\nHAS = find_spec('torchvision') is not None\n",
    ),
    way(
        "by its version",
        "conditional",
        "from importlib.metadata import version\nV = version('torchvision')\n",
    ),
    way("is_available helper", "conditional", "OK = _is_package_available('torchvision')\n"),
)
BY_NAME = (
    way("import_module", "used", "import importlib\nm = importlib.import_module('torchvision.models')\n"),
    way(
        "import_module, renamed",
        "used",
        "from importlib import import_module as load\nm = load('torchvision')\n",
    ),
    way(
        "import_module of a name",
        "used",
        "import importlib\nNAME = 'torchvision.ops'\nm = importlib.import_module(NAME)\n",
    ),
    way(
        "import_module, f-string",
        "used",
        "import importlib\ndef f(n):\n    return importlib.import_module(f'torchvision.models.{n}')\n",
    ),
    way(
        "import_module, added up",
        "used",
        "import importlib\ndef f(n):\n    return importlib.import_module('torchvision.' + n)\n",
    ),
    way(
        "import_module, format",
        "used",
        "import importlib\ndef f(n):\n    return importlib.import_module('torchvision.{}'.format(n))\n",
    ),
    way(
        "import_module, relative to it",
        "used",
        "import importlib\nm = importlib.import_module('.ops', package='torchvision')\n",
    ),
    way(
        "import_module in try",
        "conditional",
        "import importlib\ntry:\n    importlib.import_module('torchvision')\nexcept ImportError:\n    pass\n",
    ),
    way("__import__", "used", "tv = __import__('torchvision')\n"),
    way("runpy", "used", "import runpy\nrunpy.run_module('torchvision.tool')\n"),
    way("pkgutil.resolve_name", "used", "import pkgutil\nf = pkgutil.resolve_name('torchvision.ops:nms')\n"),
    way("exec", "used", "exec('import torchvision')\n"),
    way("lazy_loader", "used", "import lazy_loader as lazy\ntv = lazy.load('torchvision')\n"),
    way("lazy class with the name last", "used", "tv = LazyLoader('tv', globals(), 'torchvision.models')\n"),
    way("lazy module table", "string", "_import_structure = {'vision': ['torchvision.ops']}\n"),
    way(
        "a list that is imported",
        "string",
        "import importlib\nfor m in ['torch', 'torchvision']:\n    importlib.import_module(m)\n",
    ),
    way("django settings", "string", {"settings.py": "INSTALLED_APPS = ['torchvision.apps.Config']\n"}),
    way("code in a text", "string", "CODE = '''\nimport os\nimport torchvision\n'''\n"),
    way(
        "command in a list",
        "used",
        "import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'torchvision.tool'])\n",
    ),
    way(
        "mock target",
        "string",
        "from unittest import mock\nwith mock.patch('torchvision.io.read_image'):\n    pass\n",
    ),
    way("a text annotation", "string", "def f(x: 'torchvision.io.VideoReader'): ...\n"),
)
BY_ITS_FILES = (
    way("importlib.resources", "used", "from importlib.resources import files\np = files('torchvision')\n"),
    way(
        "a resource's text", "used", "import importlib.resources as r\nt = r.open_text('torchvision', 'a')\n"
    ),
    way("pkgutil.get_data", "used", "import pkgutil\nd = pkgutil.get_data('torchvision', 'a.txt')\n"),
    way("pkg_resources", "used", "import pkg_resources as p\nf = p.resource_filename('torchvision', 'a')\n"),
)
BY_COMPUTED_NAMES = (
    way(
        "import_module as a keyword",
        "used",
        "import importlib as i\nm = i.import_module(name='torchvision')\n",
    ),
    way(
        "find_spec of util", "conditional", "from importlib import util\nS = util.find_spec('torchvision')\n"
    ),
    way("eval", "used", "m = eval(\"__import__('torchvision')\")\n"),
    way(
        "getattr of importlib",
        "string",
        "import importlib\nm = getattr(importlib, 'import_module')('torchvision')\n",
    ),
    way(
        "joined",
        "used",
        "import importlib\nm = importlib.import_module('.'.join(['torchvision', 'ops']))\n",
    ),
    way(
        "mapped",
        "string",
        "import importlib\nms = list(map(importlib.import_module, ['torch', 'torchvision']))\n",
    ),
    way(
        "partial",
        "string",
        "import functools, importlib\nf = functools.partial(importlib.import_module, 'torchvision')\n",
    ),
    way(
        "default of a parameter",
        "string",
        "import importlib\ndef f(n='torchvision'):\n    return importlib.import_module(n)\n",
    ),
    way(
        "attribute of a class",
        "string",
        "import importlib\nclass A:\n    n = 'torchvision'\n"
        "    def f(self):\n        return importlib.import_module(self.n)\n",
    ),
)
TESTS_AND_BESIDE = (
    way("tests only", "tests", {"app.py": "", "tests/test_a.py": "import torchvision\n"}),
    way(
        "importorskip",
        "tests",
        {"app.py": "", "tests/test_a.py": "import pytest\ntv = pytest.importorskip('torchvision')\n"},
    ),
    way("conftest", "tests", {"app.py": "", "conftest.py": "import torchvision\n"}),
    way("script beside src", "beside", {"src/app/__init__.py": "", "train.py": "import torchvision\n"}),
    way(
        "beside the build's packages",
        "beside",
        {
            "pyproject.toml": "[tool.setuptools]\npackages = ['app']\n",
            "app/__init__.py": "",
            "tool/run.py": "import torchvision\n",
        },
    ),
    way("vendored", "beside", {"app.py": "", "third_party/x.py": "import torchvision\n"}),
    way(
        "both tests and sources",
        "used",
        {"app.py": "import torchvision\n", "tests/test_a.py": "import torchvision\n"},
    ),
)
NOTEBOOKS = (
    way("notebook", "used", {"a.ipynb": notebook("import torchvision\n")}),
    way(
        "notebook, cells as one text",
        "used",
        {"a.ipynb": notebook(["import os\n", "from torchvision import io"])},
    ),
    way(
        "notebook with magics",
        "used",
        {"a.ipynb": notebook("%matplotlib inline\n!ls\nimport torchvision\ntorchvision?\n")},
    ),
    way("notebook, timed line", "used", {"a.ipynb": notebook("%time import torchvision\n")}),
    way("notebook, timed cell", "used", {"a.ipynb": notebook("%%time\nimport torchvision\n")}),
    way("notebook, module run", "used", {"a.ipynb": notebook("!python -m torchvision.tool\n")}),
    way("notebook, shell cell", "used", {"a.ipynb": notebook("%%bash\npython -m torchvision\n")}),
    way(
        "notebook, installed only",
        "unused",
        {"a.ipynb": notebook("!pip install torchvision\n%pip install torchvision\n")},
    ),
    way(
        "notebook, text only",
        "unused",
        {
            "a.ipynb": json.dumps(
                {"cells": [{"cell_type": "markdown", "source": "import torchvision"}], "metadata": {}}
            )
        },
    ),
    way(
        "notebook in another language", "unused", {"a.ipynb": notebook("library(torchvision)", language="R")}
    ),
    way("notebook, extension loaded", "used", {"a.ipynb": notebook("%load_ext torchvision\n")}),
    way("notebook, module written", "used", {"a.ipynb": notebook("%%writefile a.py\nimport torchvision\n")}),
    way("notebook, output of a command", "used", {"a.ipynb": notebook("x = !python -m torchvision.tool\n")}),
    way("notebook, top-level await", "used", {"a.ipynb": notebook("await x\nimport torchvision\n")}),
    way("notebook, broken cell", "used", {"a.ipynb": notebook("import torchvision", "def (")}),
    way(
        "notebook, broken where it counts",
        "unproven",
        {"a.ipynb": notebook("import torchvision as", "x = 1")},
    ),
    way("notebook that is none", "unproven", {"a.ipynb": "{torchvision"}),
)
FILES = (
    way(
        "hydra target",
        "string",
        {"app.py": "", "conf/model.yaml": "model:\n  _target_: torchvision.models.resnet18\n"},
    ),
    way(
        "toml value", "string", {"app.py": "", "conf.toml": "[model]\nname = 'torchvision.models.resnet18'\n"}
    ),
    way("json value", "string", {"app.py": "", "conf.json": '{"backbone": "torchvision.models.resnet18"}'}),
    way("ini value", "string", {"app.py": "", "conf.ini": "[model]\ncls = torchvision.models.resnet18\n"}),
    way("a bare yaml value", "string", {"app.py": "", "conf.yaml": "backend: torchvision\n"}),
    way("makefile", "used", {"app.py": "", "Makefile": "x:\n\tpython -m torchvision.tool\n"}),
    way(
        "dockerfile",
        "used",
        {"app.py": "", "Dockerfile": 'FROM a\nCMD ["python", "-m", "torchvision.serve"]\n'},
    ),
    way(
        "dockerfile, code",
        "used",
        {"app.py": "", "Dockerfile": 'RUN python -c "import torchvision; torchvision.x()"\n'},
    ),
    way("shell script", "used", {"app.py": "", "run.sh": "torchrun --standalone -m torchvision.train\n"}),
    way(
        "shell script, code inside",
        "used",
        {"app.py": "", "run.sh": "python - <<EOF\nimport torchvision\nEOF\n"},
    ),
    way(
        "workflow",
        "used",
        {"app.py": "", ".github/workflows/a.yml": "jobs:\n  a:\n    run: python -m torchvision.x\n"},
    ),
    way(
        "script without ending",
        "used",
        {"app.py": "", "bin/tool": "#!/usr/bin/env python3\nimport torchvision\n"},
    ),
    way(
        "entry point",
        "used",
        {"pyproject.toml": "[project]\nname = 'a'\n[project.scripts]\nx = 'torchvision.cli:main'\n"},
    ),
    way(
        "entry point of setup.py",
        "used",
        {
            "setup.py": "from setuptools import setup\n"
            "setup(entry_points={'console_scripts': ['x = torchvision.cli:main']})\n"
        },
    ),
    way(
        "entry point of a group",
        "used",
        {"pyproject.toml": "[project.entry-points.'a.b']\nx = 'torchvision.x'\n"},
    ),
    way(
        "entry point of setup.cfg",
        "used",
        {"setup.cfg": "[options.entry_points]\nconsole_scripts =\n    x = torchvision.cli:main\n"},
    ),
    way(
        "shell script, timed code",
        "used",
        {"app.py": "", "run.sh": "python -m timeit -s 'import torchvision' 'x()'\n"},
    ),
    way("shell script, launched", "used", {"app.py": "", "run.sh": "accelerate launch -m torchvision\n"}),
    way(
        "system service",
        "used",
        {"app.py": "", "a.service": "[Service]\nExecStart=/usr/bin/python -m torchvision.x\n"},
    ),
    way("environment file", "string", {"app.py": "", ".env": "BACKBONE=torchvision.models.resnet18\n"}),
    way(
        "template of a configuration",
        "string",
        {"app.py": "", "a.yaml.j2": "_target_: torchvision.models.resnet18\n"},
    ),
    way("tox command", "used", {"app.py": "", "tox.ini": "[testenv]\ncommands = python -m torchvision.x\n"}),
    way("cython", "used", {"app.py": "", "a.pyx": "from torchvision.ops import nms\n"}),
    way(
        "latin-1, declared",
        "used",
        {"app.py": "# coding: latin-1\nx = '\xe9'\nimport torchvision\n".encode("latin-1")},
    ),
    way(
        "latin-1, not declared", "unproven", {"app.py": "x = '\xe9'\nimport torchvision\n".encode("latin-1")}
    ),
    way("byte order mark", "used", {"app.py": b"\xef\xbb\xbfimport torchvision\n"}),
    way("utf-7", "unproven", {"app.py": b"# coding: utf-7\nimport +AHQ-orchvision\n"}),
    way("windows line ends", "used", {"app.py": b"import os\r\nimport torchvision\r\n"}),
    way("syntax error", "unproven", "import torchvision\ndef (:\n"),
    way("python 2", "unproven", "import torchvision\nprint 'x'\n"),
    way("syntax error elsewhere", "unused", {"app.py": "x = 1\n", "b.py": "def (:\n"}),
    way("null bytes", "unproven", {"app.py": b"import torchvision\n\x00"}),
    way(
        "generated, 5 MB",
        "used",
        {
            "app.py": "",
            "big.py": "D = [\n" + "    (1234567890, 'abcdefghijkl'),\n" * 160_000 + "]\nimport torchvision\n",
        },
    ),
    way(
        "generated, 5 MB, without",
        "unused",
        {"app.py": "", "big.py": "D = [\n" + "    (1234567890, 'abcdefghijkl'),\n" * 160_000 + "]\n"},
    ),
    way("own module of that name", "own", {"torchvision.py": "", "app.py": "import torchvision\n"}),
)
LINES = (
    way(
        "in a decorator",
        "conditional",
        "import pytest\n\n@pytest.mark.skipif(\n    not find_spec('torchvision'),\n    reason='x',\n)\n"
        "def f():\n    pass\n",
    ),
    way("after a form feed", "used", "x = 1\n\x0c\ndef f():\n    import torchvision\n"),
    way("after odd line separators in a text", "used", "x = 'a\u2028b\x1cc'\nimport torchvision\n"),
    way("with old line ends", "used", {"app.py": b"import os\rimport torchvision\r"}),
    way(
        "a name used far below",
        "used",
        "from importlib import import_module\nNAME = 'torchvision'\n"
        + "x = 1\n" * 50
        + "m = import_module(NAME)\n",
    ),
)
CARRIED = (
    way(
        "imported from another file's table",
        "string",
        {
            "names.py": "PARTS = {'tv': 'torchvision'}\n",
            "load.py": "from importlib import import_module\nfrom names import PARTS\n"
            "def f(k):\n    return import_module(PARTS[k])\n",
        },
    ),
    way(
        "given to another file's function",
        "string",
        {
            "a.py": "from load import bring\nbring('torchvision')\n",
            "load.py": "from importlib import import_module\ndef bring(k):\n    return import_module(k)\n",
        },
    ),
    way("a bare application", "string", {"settings.py": "INSTALLED_APPS = ['torchvision']\n"}),
    way(
        "run in a list",
        "used",
        "import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'torchvision'])\n",
    ),
    way(
        "a label", "unused", "LABELS = ['torchvision', 'own']\ndef is_it(x):\n    return x == 'torchvision'\n"
    ),
    way(
        "a label beside imports elsewhere",
        "unused",
        {
            "a.py": "_HINTS = {'torchvision': 'install it'}\n",
            "load.py": "from importlib import import_module\ndef f(k):\n    return import_module(k)\n",
        },
    ),
    way("looked for among the loaded", "unused", "import sys\nHAS = 'torchvision' in sys.modules\n"),
)
NOT_USED = (
    way("nothing", "unused", ""),
    way("no files", "unused", {}),
    way(
        "another with its name inside",
        "unused",
        "import torchvisionx\nimport mytorchvision\nfrom a import torchvision\n",
    ),
    way(
        "relative import",
        "unused",
        {"app/__init__.py": "from .torchvision import x\nfrom . import torchvision\n"},
    ),
    way("in a comment", "unused", "# import torchvision\nx = 1\n"),
    way("in a docstring", "unused", '"""Needs:\n\nimport torchvision\n"""\n'),
    way("in prose", "unused", "raise SystemExit('please install torchvision first')\n"),
    way(
        "warning filter",
        "unused",
        "import warnings\nwarnings.filterwarnings('ignore', module='torchvision')\n",
    ),
    way("logger", "unused", "import logging\nlogging.getLogger('torchvision').setLevel('ERROR')\n"),
    way("attribute", "unused", "class A:\n    torchvision = 1\nA().torchvision\n"),
    way(
        "requirements file",
        "unused",
        {"app.py": "", "requirements.txt": "torchvision==0.16.2  # required by torch\n"},
    ),
    way(
        "pyproject dependency",
        "unused",
        {
            "app.py": "",
            "pyproject.toml": "[project]\nname = 'a'\ndependencies = [\n  'torchvision>=0.15',\n]\n",
        },
    ),
    way(
        "setup.py requirement",
        "unused",
        {"setup.py": "from setuptools import setup\nsetup(install_requires=['torchvision'])\n"},
    ),
    way(
        "setup.cfg requirement",
        "unused",
        {"app.py": "", "setup.cfg": "[options]\ninstall_requires =\n    torchvision\n"},
    ),
    way(
        "conda file",
        "unused",
        {"app.py": "", "environment.yml": "name: a\ndependencies:\n  - torchvision=0.15\n"},
    ),
    way(
        "tool setting",
        "unused",
        {"app.py": "", "pyproject.toml": "[[tool.mypy.overrides]]\nmodule = ['torchvision.*']\n"},
    ),
    way(
        "dockerfile, installed", "unused", {"app.py": "", "Dockerfile": "RUN pip install torch torchvision\n"}
    ),
    way(
        "in an environment",
        "unused",
        {"app.py": "", "env/pyvenv.cfg": "", "env/lib/x.py": "import torchvision\n"},
    ),
    way("in node_modules", "unused", {"app.py": "", "node_modules/a/x.py": "import torchvision\n"}),
    way("built", "unused", {"app.py": "", "build/lib/x.py": "import torchvision\n"}),
    way("stub", "unused", {"app.py": "", "app.pyi": "import torchvision\n"}),
    way(
        "lock file",
        "unused",
        {"app.py": "", "uv.lock": "name = 'torchvision'\n", "pylock.toml": "name = 'torchvision'\n"},
    ),
    way("binary", "unused", {"app.py": "", "a.so": b"\x7fELF torchvision\x00"}),
    way("only torch", "unused", "import torch\n", torch="used"),
)
OTHER_PACKAGES = (
    way(
        "namespace package",
        "unused",
        "from google.cloud import speech\n",
        **{"google.cloud.speech": "used", "google.auth": "unused"},
    ),
    way(
        "a namespace's parent",
        "unused",
        "import google.cloud\n",
        **{"google.cloud.speech": "used", "google.auth": "unused"},
    ),
    way(
        "another name than its project's",
        "unused",
        "import cv2, PIL.Image\nfrom sklearn import svm\nimport yaml\n",
        cv2="used",
        PIL="used",
        sklearn="used",
        yaml="used",
    ),
    way(
        "dots in a name",
        "unused",
        "from pyannote.audio import Pipeline\n",
        **{"pyannote.audio": "used", "pyannote.core": "unused"},
    ),
    way("names in others' names", "unused", "import yamlish\nmy_cv2 = 1\n", cv2="unused", yaml="unused"),
    way("a requirer alone", "unused", "import timm\n", timm="used"),
)
WAYS = (
    *PLAIN_IMPORTS,
    *CONDITIONAL,
    *BY_NAME,
    *BY_ITS_FILES,
    *BY_COMPUTED_NAMES,
    *TESTS_AND_BESIDE,
    *NOTEBOOKS,
    *FILES,
    *LINES,
    *CARRIED,
    *NOT_USED,
    *OTHER_PACKAGES,
)
