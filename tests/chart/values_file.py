"""Reads YAML of one shape without a YAML library: two spaces for each level, one line for each value, comments above."""

import re
import sys

LINE = re.compile(r"^(?P<indent> *)(?P<key>[A-Za-z_0-9-]+):(?: (?P<value>.*))?$")


def fail(message):
    sys.exit(f"{sys.argv[0]}: {message}")


def entries(path):
    """For each key in order: line number, names of its sections and of itself, value (None for nothing), comment lines,
    and whether it is a section. For a line that begins with `##`: line number and its text."""
    lines = path.read_text(encoding="utf-8").splitlines()
    # The file's own comment ends with its first empty line.
    first = lines.index("") + 1
    sections, comment = [], []
    for number, line in enumerate(lines[first:], first + 1):
        text = line.strip()
        if text.startswith("## "):
            yield number, text[3:]
        elif text.startswith("#"):
            comment.append(text[1:].strip())
        elif text:
            found = LINE.match(line) or fail(f"{path}:{number}: not of the shape `key: value`: {line}")
            indent = len(found["indent"])
            level, rest = divmod(indent, 2)
            if rest or level > len(sections):
                fail(f"{path}:{number}: indented by {indent} spaces, not by two for each level")
            sections = sections[:level] + [found["key"]]
            following = next((later for later in lines[number:] if later.strip() and not later.strip().startswith("#")), "")
            is_section = found["value"] is None and len(following) - len(following.lstrip()) > indent
            yield number, tuple(sections), found["value"], comment, is_section
            comment = []
