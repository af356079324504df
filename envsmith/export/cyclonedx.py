"""Writes bills as CycloneDX documents; the library for that is installed by those who want them.

Why a library, and which: docs/adr/0009.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING

from envsmith import __version__
from envsmith.errors import ToolError

if TYPE_CHECKING:
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component
    from cyclonedx.model.license import License

    from envsmith.export.formats import BillOfMaterials, Ingredient
    from envsmith.model.license import Licence

UNKNOWN = "NOASSERTION"
"""What SPDX writes where nobody says anything."""
_SPACE = uuid.UUID("5c6cba5f-6b6e-5e0c-9ad9-8a3f7c4b8d10")


def to_json(bill: BillOfMaterials) -> str:
    """Return the document (CycloneDX 1.6, JSON): equal bills give equal texts.

    Raises:
        ToolError: TOL056 where the library is not installed.
    """
    try:
        from cyclonedx.output.json import JsonV1Dot6
    except ImportError as error:
        raise ToolError(
            "TOL056",
            "cyclonedx-python-lib is not installed",
            where="envsmith export --format cyclonedx",
            hint='install it beside envsmith: python -m pip install "cyclonedx-python-lib>=11"',
        ) from error
    return JsonV1Dot6(_bom(bill)).output_as_string(indent=2) + "\n"


def _bom(bill: BillOfMaterials) -> Bom:
    from cyclonedx.model import Property
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.tool import ToolRepository

    root = Component(
        name=bill.name,
        type=ComponentType.PLATFORM,
        bom_ref=bill.name,
        properties=[Property(name=f"envsmith:{name}", value=value) for name, value in bill.facts],
    )
    tool = Component(name="envsmith", version=__version__, type=ComponentType.APPLICATION, bom_ref="envsmith")
    bom = Bom(
        serial_number=uuid.uuid5(_SPACE, f"{bill.name} {bill.digest}"),
        metadata=BomMetaData(
            component=root,
            tools=ToolRepository(components=[tool]),
            timestamp=dt.datetime.fromisoformat(bill.made_utc),
        ),
        components=[_component(item) for item in bill.ingredients],
    )
    bom.register_dependency(root, bom.components)
    return bom


def _component(item: Ingredient) -> Component:
    from cyclonedx.model import (
        ExternalReference,
        ExternalReferenceType,
        HashAlgorithm,
        HashType,
        XsUri,
    )
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    sha256 = HashType(alg=HashAlgorithm.SHA_256, content=item.sha256)
    qualifiers = {"file_name": item.filename, **({"repository_url": item.index} if item.index else {})}
    purl = PackageURL("pypi", name=item.name, version=item.version, qualifiers=qualifiers)
    return Component(
        name=item.name,
        version=item.version,
        type=ComponentType.LIBRARY,
        bom_ref=f"{item.name}=={item.version}",
        purl=purl,
        hashes=[sha256],
        licenses=[_licence(item.licence)],
        external_references=[
            ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=XsUri(item.url), hashes=[sha256])
        ],
    )


def _licence(licence: Licence | None) -> License:
    """Return what METADATA declares: an expression, an SPDX identifier where the name is one, else the name itself."""
    from cyclonedx.model.license import DisjunctiveLicense, LicenseAcknowledgement, LicenseExpression
    from cyclonedx.spdx import is_supported_id

    declared = LicenseAcknowledgement.DECLARED
    said = str(licence) if licence else ""
    if not said:
        return DisjunctiveLicense(name=UNKNOWN)
    if is_supported_id(said):
        return DisjunctiveLicense(id=said, acknowledgement=declared)
    if licence and licence.expression:
        return LicenseExpression(said, acknowledgement=declared)
    return DisjunctiveLicense(name=said, acknowledgement=declared)
