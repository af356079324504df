"""Small programs that fail for reasons of their own, none of which is the environment's."""

from __future__ import annotations

from itertools import product

_NAMES = ("torch", "torchaudio", "torchvision", "numpy", "cv2", "cuda", "weights", "driver", "libc", "onnx")
_FORMS = (
    "import no_such_{0}",
    "import no_such_{0}.inner as a",
    "from json import {0}",
    "import json; json.{0}",
    "import types; {0} = types.ModuleType('my_{0}'); {0}.load",
    "{{'{0}': 1}}['no {0}']",
    "[1, 2, 3]['{0}']",
    "open('{0}.pth')",
    "int('{0}')",
    "raise RuntimeError('{0} failed: shapes (2, 3) and (4, 5) differ')",
    "raise ValueError('{0}: expected a version of 2.11 or later')",
    "assert '{0}' == 'other', '{0} is not as expected'",
    "def f(n):\n    return f(n + 1)\nf('{0}' == '')",
    "1 / len('{0}'[99:])",
    "import pickle; pickle.loads(b'{0} is no pickle')",
    "import ctypes; ctypes.CDLL('libmy{0}.so.1')",
    "import ctypes; ctypes.CDLL(None).my_{0}",
    "raise ImportError('cannot import name {0!r} from my_package')",
    "try:\n    {0}\nexcept NameError as e:\n    raise KeyError('{0}') from e",
    "raise OSError(12, 'Cannot allocate memory', '{0}')",
    "raise MemoryError('CUDA out of memory while loading {0}')",
    "import unittest; unittest.TestCase().assertEqual('{0}', 1)",
    "compile('{0} =', '{0}.py', 'exec')",
)


def programs() -> list[str]:
    """Return the programs, each another one."""
    return [form.format(name) for form, name in product(_FORMS, _NAMES)]
