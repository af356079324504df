"""More ways of using a package, that are easily overlooked; each was once, by this tool or by another."""

from __future__ import annotations

from tests.scan.ways import WAYS, notebook, way

PUT_TOGETHER = (
    way("join", "used", "import importlib\nimportlib.import_module('.'.join(['torchvision','ops']))\n"),
    way("join2", "used", "import importlib\nimportlib.import_module('.'.join(('torchvision', name)))\n"),
    way("percent2", "used", "import importlib\nimportlib.import_module('%s.%s' % ('torchvision', n))\n"),
    way("format2", "used", "import importlib\nimportlib.import_module('{}.{}'.format('torchvision', n))\n"),
    way("fstr2", "string", "import importlib\nP='torchvision'\nimportlib.import_module(f'{P}.ops')\n"),
    way("ifexp", "used", "import importlib\nimportlib.import_module('torchvision' if x else 'cv2')\n"),
    way("or", "used", "import importlib\nimportlib.import_module(x or 'torchvision')\n"),
    way("walrus", "used", "import importlib\nimportlib.import_module(n := 'torchvision')\n"),
    way(
        "default arg",
        "string",
        "import importlib\ndef f(name='torchvision'):\n    return importlib.import_module(name)\n",
    ),
    way(
        "ann const", "string", "import importlib\nNAME: str = 'torchvision'\nimportlib.import_module(NAME)\n"
    ),
    way(
        "class str default",
        "string",
        "class C:\n    module = 'torchvision'\n    def go(self):\n        return __import__(self.module)\n",
    ),
    way(
        "dict get",
        "string",
        "import importlib\nM = dict(tv='torchvision')\nimportlib.import_module(M['tv'])\n",
    ),
    way("star list", "string", "import importlib\nARGS=['torchvision']\nimportlib.import_module(*ARGS)\n"),
    way(
        "split names",
        "string",
        "import importlib\n"
        "for n in 'torch torchvision torchaudio'.split():\n"
        "    importlib.import_module(n)\n",
    ),
    way(
        "split comma",
        "string",
        "import importlib\nfor n in 'torch,torchvision'.split(','):\n    importlib.import_module(n)\n",
    ),
    way(
        "nl list",
        "string",
        "import importlib\nfor n in '''\ntorch\ntorchvision\n'''.split():\n    importlib.import_module(n)\n",
    ),
    way(
        "setattr",
        "string",
        "import importlib\n"
        "for n, m in {'tv': 'torchvision'}.items():\n"
        "    globals()[n] = importlib.import_module(m)\n",
    ),
)
RENAMED = (
    way("alias var", "used", "import importlib\nload = importlib.import_module\ntv = load('torchvision')\n"),
    way("alias var2", "used", "load = __import__\ntv = load('torchvision')\n"),
    way(
        "getattr importlib",
        "string",
        "import importlib\ntv = getattr(importlib, 'import_module')('torchvision')\n",
    ),
    way(
        "map",
        "string",
        "import importlib\ntv, ta = map(importlib.import_module, ['torchvision','torchaudio'])\n",
    ),
    way("importlib.__import__", "used", "import importlib\nimportlib.__import__('torchvision')\n"),
    way(
        "own helper same file",
        "string",
        "import importlib\ndef g(n): return importlib.import_module(n)\ntv = g('torchvision')\n",
    ),
    way("attempt_import", "conditional", "tv = attempt_import('torchvision')\n"),
    way("optional_import", "conditional", "tv, has = optional_import('torchvision', name='io')\n"),
    way("import_optional_dependency", "conditional", "tv = import_optional_dependency('torchvision')\n"),
)
RUN_AS_TEXT = (
    way("exec multi", "used", "exec('''\nimport os\nfrom torchvision import io\n''')\n"),
    way("exec fstr", "used", "exec(f'from torchvision import {x}')\n"),
    way("exec concat", "used", "exec('import ' + 'torchvision')\n"),
    way("exec import var", "used", "exec('import %s' % 'torchvision')\n"),
    way("exec as list", "used", "exec('import os, torchvision')\n"),
    way("exec dunder", "used", "exec(\"tv = __import__('torchvision')\")\n"),
    way(
        "exec importlib", "used", "exec(\"import importlib; tv = importlib.import_module('torchvision')\")\n"
    ),
    way("bytes exec", "used", "exec(b'import torchvision')\n"),
    way("bytes exec2", "used", "exec(compile(b'import torchvision','a','exec'))\n"),
    way("compile", "used", "exec(compile('import torchvision','a','exec'))\n"),
    way("code text as list", "string", "CODE = 'import os, torchvision as tv'\n"),
    way("code text indented", "string", "CODE = '''\n  if 1: import torchvision\n'''\n"),
    way("timeit setup", "string", "import timeit\ntimeit.timeit('f()', setup='import torchvision')\n"),
    way(
        "subprocess -c",
        "string",
        "import subprocess,sys\nsubprocess.run([sys.executable,'-c','import torchvision'])\n",
    ),
    way("subprocess shell", "string", "import os\nos.system('python -m torchvision.tool')\n"),
    way("subprocess str", "string", "import subprocess\nsubprocess.run('python -m torchvision')\n"),
    way("noxfile", "used", {"noxfile.py": "import nox\ndef t(s):\n    s.run('python','-m','torchvision')\n"}),
    way("slash path", "string", "import os\nopen('site-packages/torchvision/io/__init__.py')\n"),
)
LOOKED_UP = (
    way("sys.modules[]", "conditional", "import sys\ntv = sys.modules['torchvision']\n"),
    way("sys.modules.get", "unused", "import sys\ntv = sys.modules.get('torchvision')\n"),
    way(
        "importlib.resources open",
        "used",
        "from importlib.resources import open_text\nopen_text('torchvision', 'a')\n",
    ),
    way("pkgutil get_data", "used", "import pkgutil\npkgutil.get_data('torchvision','x')\n"),
    way(
        "metadata.metadata",
        "conditional",
        "from importlib import metadata\nmetadata.metadata('torchvision')\n",
    ),
    way("metadata.files", "used", "from importlib import metadata\nmetadata.files('torchvision')\n"),
    way("requires decorator", "conditional", "@requires(backends=('torchvision',))\nclass A: pass\n"),
    way(
        "PathFinder",
        "conditional",
        "from importlib.machinery import PathFinder\nPathFinder.find_spec('torchvision')\n",
    ),
    way(
        "EP value",
        "used",
        "from importlib.metadata import EntryPoint\nEntryPoint('a','torchvision.io:f','g').load()\n",
    ),
    way("pytest plugins", "string", "pytest_plugins = ['torchvision.testing']\n"),
    way(
        "sphinx ext", "string", {"docs/conf.py": "extensions = ['torchvision']\nautodoc_mock_imports=['x']\n"}
    ),
    way("doctest", "unused", "def f():\n    '''\n    >>> import torchvision\n    '''\n"),
)
NOTEBOOK_CELLS = (
    way("nb aimport", "used", {"a.ipynb": notebook("%load_ext autoreload\n%aimport torchvision\n")}),
    way("nb load_ext", "used", {"a.ipynb": notebook("%load_ext torchvision.ext\n")}),
    way("nb %run", "used", {"a.ipynb": notebook("%run -m torchvision.tool\n")}),
    way("nb !python -c", "used", {"a.ipynb": notebook("!python -c 'import torchvision'\n")}),
    way("nb indented !", "used", {"a.ipynb": notebook("if 1:\n    !python -m torchvision\n")}),
    way("nb assign !", "used", {"a.ipynb": notebook("x = !python -m torchvision\n")}),
    way("nb %%writefile", "used", {"a.ipynb": notebook("%%writefile a.py\nimport torchvision\n")}),
    way("nb %%cython", "used", {"a.ipynb": notebook("%%cython\nimport torchvision\n")}),
    way("nb %%unknown", "used", {"a.ipynb": notebook("%%foo --bar\nimport torchvision\n")}),
    way("nb %%html", "unused", {"a.ipynb": notebook("%%html\n<b>torchvision</b>\n")}),
    way("nb import line ending ?", "used", {"a.ipynb": notebook("import torchvision # ok?\n%foo\n")}),
    way("nb python3 lang", "used", {"a.ipynb": notebook("import torchvision", language="python3")}),
    way("nb sagemath kernel", "used", {"a.ipynb": notebook("import torchvision", language="sage")}),
    way(
        "nb R reticulate",
        "string",
        {"a.ipynb": notebook("tv <- reticulate::import('torchvision')", language="R")},
    ),
    way("nb bash kernel", "used", {"a.ipynb": notebook("python -m torchvision", language="bash")}),
    way("nb multi magics", "used", {"a.ipynb": notebook("%%time\n%%capture\nimport torchvision\n")}),
    way("nb %sx", "used", {"a.ipynb": notebook("%sx python -m torchvision\n")}),
)
OTHER_FILES = (
    way("pxd", "used", {"a.pxd": "from torchvision cimport x\n"}),
    way("pyx from paren", "used", {"a.pyx": "from torchvision import (\n io)\n"}),
    way("qmd", "used", {"a.qmd": "```{python}\nimport torchvision\n```\n"}),
    way("Rmd", "used", {"a.Rmd": "```{python}\nimport torchvision\n```\n"}),
    way("R reticulate", "string", {"a.R": "tv <- reticulate::import('torchvision')\n"}),
    way("R reticulate rmd", "string", {"a.Rmd": "```{r}\ntv <- import('torchvision')\n```\n"}),
    way("julia pycall", "string", {"a.jl": 'tv = pyimport("torchvision")\n'}),
    way(
        "jupytext md",
        "used",
        {"a.md": "---\njupyter:\n  jupytext: x\n---\n```python\nimport torchvision\n```\n"},
    ),
    way("myst nb", "used", {"a.md": "```{code-cell} ipython3\nimport torchvision\n```\n"}),
    way("md text", "unused", {"README.md": "```python\nimport torchvision\n```\n", "a.py": ""}),
    way("rst", "unused", {"docs/a.rst": ".. automodule:: torchvision.x\n", "a.py": ""}),
    way(
        "marimo",
        "used",
        {
            "a.py": "import marimo\n"
            "app = marimo.App()\n"
            "@app.cell\n"
            "def _():\n"
            "    import torchvision\n"
            "    return torchvision,\n"
        },
    ),
    way("ipy script", "used", {"a.ipy": "%matplotlib inline\nimport torchvision\n"}),
    way("snakefile", "used", {"Snakefile": "rule a:\n    run:\n        import torchvision\n"}),
    way("smk", "used", {"a.smk": "rule a:\n    run:\n        import torchvision\n"}),
    way("wscript", "used", {"wscript": "import torchvision\n"}),
    way("SConstruct", "used", {"SConstruct": "import torchvision\n"}),
    way("py template", "used", {"a.py.in": "import torchvision\n"}),
    way("jinja", "used", {"a.py.j2": "import torchvision\n"}),
    way("cpp", "string", {"a.cpp": 'auto tv = py::module_::import("torchvision");\n'}),
    way("c PyImport", "string", {"a.c": 'PyImport_ImportModule("torchvision");\n'}),
    way("cpp header", "unused", {"a.cpp": "#include <torchvision/vision.h>\n"}),
    way("rs pyo3", "string", {"a.rs": 'py.import("torchvision")\n'}),
    way("cmake", "used", {"CMakeLists.txt": "execute_process(COMMAND python -m torchvision)\n"}),
    way(
        "cmake -c",
        "used",
        {
            "CMakeLists.txt": 'execute_process(COMMAND ${PY} -c "import torchvision; print(torchvision.__path__)")\n'
        },
    ),
    way("meson", "string", {"meson.build": "run_command('python', '-c', 'import torchvision')\n"}),
    way("hidden dir py", "used", {".scripts/a.py": "import torchvision\n"}),
    way("hidden dir vscode", "used", {".vscode/a.py": "import torchvision\n"}),
    way("lockfiles pkg", "used", {"lockfiles/__init__.py": "import torchvision\n"}),
    way("coding utf7 alias", "unproven", {"a.py": b"# coding: unicode-1-1-utf-7\nimport +AHQ-orchvision\n"}),
    way(
        "coding raw_unicode",
        "unproven",
        {"a.py": b"# coding: raw_unicode_escape\nimport torch\\u0076ision\n"},
    ),
    way("coding cp037", "unproven", {"a.py": b"# coding: cp037\nimport torchvision\n"}),
    way("shebang uv", "used", {"tool": "#!/usr/bin/env -S uv run --script\nimport torchvision\n"}),
    way("shebang env -S", "used", {"tool": "#!/usr/bin/env -S python3 -u\nimport torchvision\n"}),
    way("pyw", "used", {"a.pyw": "import torchvision\n"}),
    way(
        "long py import_module",
        "used",
        {"big.py": f"x = '{'a' * 2_100_000}'\nimport importlib\nimportlib.import_module('torchvision')\n"},
    ),
)
COMMANDS = (
    way("make continuation", "string", {"Makefile": "x:\n\tpython \\\n\t  -m torchvision.tool\n"}),
    way("sh continuation", "string", {"a.sh": "python3 -u \\\n  -m \\\n torchvision.train\n"}),
    way("sh python var", "used", {"a.sh": "$PYTHON -m torchvision.x\n"}),
    way("sh python -c multi", "used", {"a.sh": "python -c '\nimport os\nimport torchvision\n'\n"}),
    way("sh python -c from", "used", {"a.sh": 'python3 -c "from torchvision import io"\n'}),
    way("sh python -c dunder", "string", {"a.sh": "python3 -c \"__import__('torchvision')\"\n"}),
    way("sh python -mtorchvision", "used", {"a.sh": "python -mtorchvision.x\n"}),
    way("sh python -im", "used", {"a.sh": "python -um torchvision.x\n"}),
    way("sh torchrun --module", "used", {"a.sh": "torchrun --module torchvision\n"}),
    way("sh gunicorn", "string", {"a.sh": "gunicorn torchvision:app\n"}),
    way("sh uvicorn", "string", {"a.sh": "uvicorn torchvision.serve:app\n"}),
    way("sh pytest -p", "string", {"a.sh": "pytest -p torchvision\n"}),
    way("sh celery", "string", {"a.sh": "celery -A torchvision worker\n"}),
    way(
        "sh path to file",
        "string",
        {"a.sh": "python .venv/lib/python3.11/site-packages/torchvision/tool.py\n"},
    ),
    way("sh pip and run", "used", {"a.sh": "pip install torchvision && python -m torchvision\n"}),
    way(
        "sh pip and -c", "used", {"a.sh": "pip install torch torchvision && python -c 'import torchvision'\n"}
    ),
    way("sh hash in code", "used", {"a.sh": "python -c 'x=1 # a' ; python -m torchvision\n"}),
    way("bat %", "used", {"a.cmd": "%PYTHON% -m torchvision.x\n"}),
    way("psm1", "used", {"a.psm1": "python -m torchvision\n"}),
    way("nu", "used", {"a.nu": "python -m torchvision\n"}),
    way(
        "gha python shell",
        "used",
        {
            ".github/workflows/a.yml": "jobs:\n"
            " a:\n"
            "  steps:\n"
            "  - shell: python\n"
            "    run: |\n"
            "      import torchvision\n"
        },
    ),
    way(
        "gha -c multi",
        "used",
        {".github/workflows/a.yml": '  - run: |\n      python -c "\n      import torchvision\n      "\n'},
    ),
    way(
        "gha pip and",
        "used",
        {".github/workflows/a.yml": "  - run: pip install torchvision && python -m torchvision\n"},
    ),
    way(
        "pre-commit",
        "used",
        {".pre-commit-config.yaml": "- repo: local\n  hooks:\n  - entry: python -m torchvision.x\n"},
    ),
    way(
        "compose", "used", {"docker-compose.yml": "services:\n a:\n  command: [python, -m, torchvision.x]\n"}
    ),
    way(
        "compose list",
        "string",
        {"docker-compose.yml": "services:\n a:\n  command:\n   - python\n   - -m\n   - torchvision.x\n"},
    ),
    way(
        "compose list bare",
        "string",
        {"docker-compose.yml": "services:\n a:\n  command:\n   - python\n   - -m\n   - torchvision\n"},
    ),
    way(
        "vscode launch",
        "string",
        {".vscode/launch.json": '{"configurations":[{"module":"torchvision.train"}]}'},
    ),
    way("envrc", "used", {".envrc": "python -m torchvision\n"}),
    way("env", "string", {".env": "DJANGO_SETTINGS_MODULE=torchvision.settings\n"}),
    way("systemd", "used", {"a.service": "ExecStart=/usr/bin/python -m torchvision.x\n"}),
    way("tf", "used", {"a.tf": 'command = "python -m torchvision"\n'}),
    way("package.json", "used", {"package.json": '{"scripts":{"x":"python -m torchvision.x"}}'}),
)
SETTINGS = (
    way(
        "project entry inline",
        "used",
        {"pyproject.toml": "[project]\nscripts = {x = 'torchvision.cli:main'}\n"},
    ),
    way(
        "project entry-points inline",
        "used",
        {"pyproject.toml": "[project]\nentry-points = {'a.b' = {x = 'torchvision.cli:main'}}\n"},
    ),
    way(
        "dotted key", "used", {"pyproject.toml": "[project]\nname='a'\nscripts.x = 'torchvision.cli:main'\n"}
    ),
    way("poe", "string", {"pyproject.toml": "[tool.poe.tasks]\nx = {script = 'torchvision.cli:main'}\n"}),
    way(
        "pdm scripts",
        "string",
        {"pyproject.toml": "[tool.pdm.scripts]\nx = {call = 'torchvision.cli:main'}\n"},
    ),
    way(
        "pytest addopts",
        "string",
        {"pyproject.toml": "[tool.pytest.ini_options]\naddopts = '-p torchvision.testing'\n"},
    ),
    way("pytest ini", "string", {"pytest.ini": "[pytest]\naddopts = -p torchvision.testing\n"}),
    way("mypy plugin", "string", {"mypy.ini": "[mypy]\nplugins = torchvision.mypy\n"}),
    way(
        "mypy plugin pyproject", "string", {"pyproject.toml": "[tool.mypy]\nplugins = ['torchvision.mypy']\n"}
    ),
    way(
        "pylint plugin",
        "string",
        {"pyproject.toml": "[tool.pylint.main]\nload-plugins = ['torchvision.pylint']\n"},
    ),
    way(
        "setuptools dynamic attr",
        "string",
        {"pyproject.toml": "[tool.setuptools.dynamic]\nversion = {attr = 'torchvision.__version__'}\n"},
    ),
    way(
        "build backend",
        "string",
        {
            "pyproject.toml": "[build-system]\n"
            "requires = ['torchvision']\n"
            "build-backend = 'torchvision.build'\n"
        },
    ),
    way(
        "setup.cfg entry",
        "used",
        {"setup.cfg": "[options.entry_points]\nconsole_scripts =\n    x = torchvision.cli:main\n"},
    ),
    way("setup.cfg attr", "string", {"setup.cfg": "[metadata]\nversion = attr: torchvision.__version__\n"}),
    way(
        "setup.py extras",
        "unused",
        {"setup.py": "from setuptools import setup\nsetup(extras_require={'v':['torchvision']})\n"},
    ),
    way(
        "setup.py kwargs",
        "string",
        {
            "setup.py": "from setuptools import setup\n"
            "k = dict(entry_points={'console_scripts':['x=torchvision.c:m']})\n"
            "setup(**k)\n"
        },
    ),
    way(
        "setup.py ep str",
        "used",
        {
            "setup.py": "from setuptools import setup\n"
            "setup(entry_points='''\n"
            "[console_scripts]\n"
            "x = torchvision.cli:main\n"
            "''')\n"
        },
    ),
    way(
        "setup.py ep var",
        "string",
        {
            "setup.py": "from setuptools import setup\n"
            "EP = ['x=torchvision.c:m']\n"
            "setup(entry_points={'console_scripts':EP})\n"
        },
    ),
    way("yaml object", "string", {"a.yaml": "x: !!python/object/apply:torchvision.io.F {}\n"}),
    way("json key", "string", {"a.json": '{"torchvision.ops": 1}'}),
    way("jsonl", "string", {"a.jsonl": '{"_target_": "torchvision.ops"}\n'}),
    way("xml", "string", {"a.xml": "<class>torchvision.ops</class>\n"}),
    way("properties", "string", {"a.properties": "x=torchvision.ops\n"}),
    way("gin", "used", {"a.gin": "import torchvision\nf.x = @torchvision.ops.nms\n"}),
)
MORE = (
    *PUT_TOGETHER,
    *RENAMED,
    *RUN_AS_TEXT,
    *LOOKED_UP,
    *NOTEBOOK_CELLS,
    *OTHER_FILES,
    *COMMANDS,
    *SETTINGS,
)
EVERY = (*WAYS, *MORE)
