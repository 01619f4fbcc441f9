#!/usr/bin/env python3
"""Writes the table of values into the chart's README.

  readme.py CHART          writes CHART/README.md anew between its two marks
  readme.py CHART --check  changes nothing and fails when the file would change

The table is made of CHART/values.yaml: the comment above a value is its description, a line that begins with `##` is a
heading.
"""

import pathlib
import sys

sys.dont_write_bytecode = True
from values_file import entries, fail

BEGIN, END = "<!-- values: written by make chart -->", "<!-- end of values -->"


def rows(path):
    """Headings as texts, values as (path, default, description)."""
    for number, *entry in entries(path):
        if len(entry) == 1:
            yield entry[0]
            continue
        names, value, comment, is_section = entry
        name = ".".join(names)
        if is_section == bool(comment):
            fail(f"{path}:{number}: {name}: a section has no comment, a value has one")
        if not is_section:
            yield name, value, " ".join(comment)


def table(path):
    out = []
    for row in rows(path):
        if isinstance(row, str):
            out += ["", f"### {row}", "", "| value | default | meaning |", "|---|---|---|"]
        else:
            name, default, meaning = row
            default = "" if default in (None, '""') else f"`{default}`"
            out.append("| " + " | ".join(cell.replace("|", "\\|") for cell in (f"`{name}`", default, meaning)) + " |")
    return "\n".join(out).strip()


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["--check"]):
        sys.exit(__doc__)
    chart = pathlib.Path(sys.argv[1])
    readme = chart / "README.md"
    old = readme.read_text(encoding="utf-8")
    if old.count(BEGIN) != 1 or old.count(END) != 1:
        fail(f"{readme} must have the lines `{BEGIN}` and `{END}` once")
    before, rest = old.split(BEGIN)
    new = f"{before}{BEGIN}\n\n{table(chart / 'values.yaml')}\n\n{END}{rest.split(END)[1]}"
    if sys.argv[2:] and new != old:
        fail(f"{readme} does not say what values.yaml says; run {sys.argv[0]} {chart}")
    if new != old:
        readme.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
