#!/usr/bin/env python3
"""Holds bills of materials to the published schemas of CycloneDX, which the package cyclonedx-python-lib brings.

  bill_of_materials.py VERSION FILE

Fails when the document does not keep to the schema of that version, or when a package URL in it is not one of an image.
"""

import json
import pathlib
import re
import sys

import cyclonedx.schema
import jsonschema
import referencing
from packageurl import PackageURL

SCHEMAS = pathlib.Path(cyclonedx.schema.__file__).parent / "_res"


def schema(name):
    return json.loads((SCHEMAS / f"{name}.SNAPSHOT.schema.json").read_text(encoding="utf-8"))


def main():
    version, path = sys.argv[1:]
    document = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    others = [schema(name) for name in ("spdx", "jsf-0.82", "cryptography-defs")]
    registry = referencing.Registry().with_resources(
        (other["$id"], referencing.Resource.from_contents(other, default_specification=referencing.jsonschema.DRAFT7))
        for other in others
    )
    validator = jsonschema.Draft7Validator(schema(f"bom-{version}"), registry=registry)
    errors = [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in validator.iter_errors(document)]
    assert not errors, "\n".join(errors[:10])
    purls = [component["purl"] for component in document["components"] if "purl" in component]
    assert len(purls) > 20, f"{len(purls)} package URLs"
    for text in purls:
        purl = PackageURL.from_string(text)
        assert purl.type == "oci" and purl.namespace is None and purl.name == purl.name.lower(), text
        assert purl.version is None or re.fullmatch(r"sha(256|384|512):[0-9a-f]+", purl.version), text
        assert purl.qualifiers["repository_url"].rsplit("/", 1)[-1].lower() == purl.name, text
    print(f"CycloneDX {version}: {len(document['components'])} components, {len(purls)} package URLs")


main()
