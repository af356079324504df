from __future__ import annotations

import pytest

from envsmith.model.license import PackageLicense

HEAD = b"Metadata-Version: 2.4\nName: x\nVersion: 1\n"
TEXT = b"License: Apache License\n        Version 2.0, January 2004\n        and much more\n"
CLASSIFIED = b"Classifier: License :: OSI Approved :: MIT License\n"


@pytest.mark.parametrize(
    ("fields", "expression", "name"),
    [
        (b"License-Expression: MIT OR Apache-2.0\nLicense: other\n", "MIT OR Apache-2.0", ""),
        (b"License: NVIDIA Proprietary Software\n" + CLASSIFIED, "", "NVIDIA Proprietary Software"),
        (TEXT + CLASSIFIED, "", "MIT License"),
        (TEXT, "", "Apache License"),
        (b"License: " + b"long " * 40 + b"\n", "", ""),
        (b"License: UNKNOWN\n" + CLASSIFIED, "", "MIT License"),
        (b"License: UNKNOWN\n", "", ""),
        (b"Classifier: License :: OSI Approved\nClassifier: Topic :: License\n", "", ""),
        (b"Classifier: License :: Other/Proprietary License\n", "", "Other/Proprietary License"),
        (CLASSIFIED + CLASSIFIED.replace(b"MIT", b"BSD"), "", "MIT License; BSD License"),
        (b"License: a\x1bb\n", "", "a b"),
        (b"License: \n", "", ""),
        (b"", "", ""),
    ],
)
def test_what_metadata_says(fields: bytes, expression: str, name: str) -> None:
    found = PackageLicense.from_metadata(HEAD + fields)
    assert found == PackageLicense(expression=expression, name=name)
    assert found.is_known == bool(expression or name)
    assert str(found) == (expression or name)
