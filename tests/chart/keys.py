#!/usr/bin/env python3
"""Holds the chart's values to kai's keys: none is missing, and none is there that kai would not know.

  keys.py CHART_VALUES CONFIG_SAMPLE

CONFIG_SAMPLE is config/kai.yaml, which has every key.
"""

import pathlib
import re
import sys

sys.dont_write_bytecode = True
from values_file import entries, fail

# As in the chart's templates/_settings.tpl.
CHART_ONLY = {
    "existing-secret",
    "labels",
    "schedule",
    "anchore.ca-secret",
    "server.tls.secret-name",
    "history.postgres.password-secret",
}


def kebab(name):
    return re.sub("([a-z0-9])([A-Z])", r"\1-\2", name).lower()


def paths(path, **shape):
    return [entry[1] for entry in entries(path, **shape) if len(entry) > 2 and not entry[4]]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    values, sample = map(pathlib.Path, sys.argv[1:])
    mapped = {".".join(map(kebab, names[1:])) for names in paths(values) if names[0] == "kai"} - CHART_ONLY
    known = {".".join(names) for names in paths(sample, sections_have_comments=True)}
    problems = [f"{key}: a key of {sample} without a value in {values}" for key in sorted(known - mapped)]
    problems += [f"kai.{key}: a value of {values} that is no key of {sample}" for key in sorted(mapped - known)]
    if problems:
        fail("\n".join(problems))


if __name__ == "__main__":
    main()
