#!/usr/bin/env python3
"""Prints values in which every value of the chart is null, after holding the schema to taking null for each.

  nulls.py CHART

The schema is strict about names; null stands for "as if it were not there" wherever a name is known.
"""

import json
import pathlib
import sys

sys.dont_write_bytecode = True
from values_file import entries, fail


def takes_null(schema, definitions):
    if "$ref" in schema:
        return takes_null(definitions[schema["$ref"].rsplit("/", 1)[1]], definitions)
    if "enum" in schema:
        return None in schema["enum"]
    return "type" not in schema or "null" in schema["type"]


def refusing(path, schema, definitions):
    """The names in a schema, and what it says of names that users choose, for which null is refused."""
    inside = dict(schema.get("properties", {}))
    if isinstance(schema.get("additionalProperties"), dict):
        inside["*"] = schema["additionalProperties"]
    for name, value in inside.items():
        here = f"{path}.{name}"
        if not takes_null(value, definitions):
            yield here
        yield from refusing(here, value, definitions)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    chart = pathlib.Path(sys.argv[1])
    schema = json.loads((chart / "values.schema.json").read_text(encoding="utf-8"))
    definitions = schema["definitions"]
    found = list(refusing("values", schema, definitions))
    for name, definition in definitions.items():
        found += refusing(f"definitions.{name}", definition, definitions)
    if found:
        fail("\n".join(f"{path}: values.schema.json refuses null" for path in found))

    values = {}
    for entry in entries(chart / "values.yaml"):
        if len(entry) > 2 and not entry[4]:
            *sections, last = entry[1]
            section = values
            for name in sections:
                section = section.setdefault(name, {})
            section[last] = None
    print(json.dumps(values, indent=2))


if __name__ == "__main__":
    main()
