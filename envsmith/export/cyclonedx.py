"""CycloneDX documents of bills of materials, written with an optional library.

Choice of the library: docs/adr/0009.
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

    from envsmith.export.formats import BillComponent, BillOfMaterials
    from envsmith.model.license import PackageLicense

UNKNOWN = "NOASSERTION"
"""SPDX's value for an unknown licence."""
# Namespace of the serial numbers: equal bills have equal numbers.
_NAMESPACE = uuid.UUID("5c6cba5f-6b6e-5e0c-9ad9-8a3f7c4b8d10")


def to_json(bill: BillOfMaterials) -> str:
    """Return the document (CycloneDX 1.6, JSON), equal for equal bills.

    Raises:
        ToolError: TOL056 when the library is not installed.
    """
    try:
        from cyclonedx.output.json import JsonV1Dot6
    except ImportError as error:
        raise ToolError(
            "TOL056",
            "cyclonedx-python-lib is not installed",
            where="envsmith export --format cyclonedx",
            hint='install it in the environment of envsmith: python -m pip install "cyclonedx-python-lib>=11"',
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
        serial_number=uuid.uuid5(_NAMESPACE, f"{bill.name} {bill.digest}"),
        metadata=BomMetaData(
            component=root,
            tools=ToolRepository(components=[tool]),
            timestamp=dt.datetime.fromisoformat(bill.made_utc),
        ),
        components=[_component(item) for item in bill.components],
    )
    bom.register_dependency(root, bom.components)
    return bom


def _component(item: BillComponent) -> Component:
    from cyclonedx.model import (
        ExternalReference,
        ExternalReferenceType,
        HashAlgorithm,
        HashType,
        XsUri,
    )
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=item.sha256)] if item.sha256 else []
    given = {"file_name": item.filename, "repository_url": item.index}
    is_vcs = item.url.startswith("git+")
    given |= {"vcs_url" if is_vcs else "download_url": item.url if item.is_direct else ""}
    qualifiers = {key: value for key, value in given.items() if value}
    purl = PackageURL("pypi", name=item.name, version=item.version or None, qualifiers=qualifiers)
    kind = ExternalReferenceType.VCS if is_vcs else ExternalReferenceType.DISTRIBUTION
    return Component(
        name=item.name,
        version=item.version or None,
        type=ComponentType.LIBRARY,
        bom_ref=f"{item.name}=={item.version}" if item.version else item.name,
        purl=purl,
        hashes=hashes,
        licenses=[_licence(item.licence)],
        external_references=[ExternalReference(type=kind, url=XsUri(item.url), hashes=hashes)],
    )


def _licence(licence: PackageLicense | None) -> License:
    """Return the declared licence: an SPDX identifier, an expression or a name."""
    from cyclonedx.model.license import DisjunctiveLicense, LicenseAcknowledgement, LicenseExpression
    from cyclonedx.spdx import is_supported_id

    declared = LicenseAcknowledgement.DECLARED
    declared_text = str(licence) if licence else ""
    if not declared_text:
        return DisjunctiveLicense(name=UNKNOWN)
    if is_supported_id(declared_text):
        return DisjunctiveLicense(id=declared_text, acknowledgement=declared)
    if licence and licence.expression:
        return LicenseExpression(declared_text, acknowledgement=declared)
    return DisjunctiveLicense(name=declared_text, acknowledgement=declared)
