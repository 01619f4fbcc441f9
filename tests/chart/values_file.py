"""Reads YAML of one shape without a YAML library: two spaces for each level, one key for each line, comments above.

In the chart's values a value has a comment above it, and a section has none: what is indented below a commented key is its
value, a map or a list over several lines. In kai's sample a section may have a comment too.
"""

import re
import sys

LINE = re.compile(r"^(?P<indent> *)(?P<key>[A-Za-z_0-9-]+):(?: (?P<value>.*))?$")


def fail(message):
    sys.exit(f"{sys.argv[0]}: {message}")


def indent_of(line):
    return len(line) - len(line.lstrip())


def on_one_line(block):
    """A map or list of several lines as YAML writes it in one line."""
    indent, parts, kind = indent_of(block[0]), [], None
    while block:
        line, block = block[0].strip(), block[1:]
        inside = []
        while block and indent_of(block[0]) > indent:
            inside.append(block[0])
            block = block[1:]
        if line.startswith("- "):
            kind = "[]"
            parts.append(on_one_line([" " * (indent + 2) + line[2:], *inside]))
        else:
            kind = "{}"
            parts.append(f"{line} {on_one_line(inside)}" if inside else line)
    return kind[0] + ", ".join(parts) + kind[1]


def entries(path, sections_have_comments=False):
    """For each key in order: line number, names of its sections and of itself, value (None for nothing), comment lines,
    and whether it is a section. For a line that begins with `##`: line number and its text."""
    lines = path.read_text(encoding="utf-8").splitlines()
    # The file's own comment ends with its first empty line.
    first = lines.index("") + 1
    sections, comment, block_ends = [], [], 0
    for number, line in enumerate(lines[first:], first + 1):
        text = line.strip()
        if number <= block_ends:
            continue
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
            if re.match(r"\{.*:", found["value"] or ""):
                fail(f"{path}:{number}: several keys in one line; write one for each line")
            sections = sections[:level] + [found["key"]]
            value, block = found["value"], []
            if value is None:
                for later in lines[number:]:
                    if not later.strip() or indent_of(later) <= indent:
                        break
                    block.append(later)
            is_section = bool(block) and (sections_have_comments or not comment)
            if block and not is_section:
                block_ends = number + len(block)
                for later in block:
                    if "#" in later or re.search(r"\{.*:", later):
                        fail(f"{path}:{number}: {'.'.join(sections)}: a comment, or several keys in one line, inside of a value")
                value = on_one_line(block)
            yield number, tuple(sections), value, comment, is_section
            comment = []
