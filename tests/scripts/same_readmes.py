#!/usr/bin/env python3
"""Holds two READMEs in different languages against each other: section by section the same
commands, code blocks, inline code, links, numbers and rows of tables. Comments in code blocks
may differ, and the numbers of what scripts/update-readme fills in are its own affair.

  same_readmes.py README.md README.zh.md
"""
import difflib
import re
import sys


CELL = r"[^|\\](?=\|)"  # its last character; a bar after a backslash is no border


def without_comment(line):
    return re.sub(r"(^|\s+)# .*", "", line)


def sections(path):
    """Per section: its title and what has to be the same in every language."""
    out = []
    fenced = filled = False
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    for line in lines:
        heading = re.match(r"(#+) (.*)", line)
        if heading and not fenced:
            out.append((heading.group(2), [f"level {len(heading.group(1))}"], []))
            continue
        _, in_order, sorted_later = out[-1]
        if line.startswith("```"):
            fenced = not fenced
        if fenced or line.startswith("```"):
            in_order.append("code: " + without_comment(line))
            continue
        if line.startswith("|"):
            in_order.append(f"row of {len(re.findall(CELL, line))}")
        if line.startswith("<!--"):
            filled = not line.startswith("<!-- end")
            in_order.append(line)
        sorted_later += ["inline code: " + code for code in re.findall(r"`([^`]+)`", line)]
        sorted_later += ["link: " + link.replace(".zh.", ".")
                         for link in re.findall(r"\]\(([^)]+)\)", line)]
        prose = "" if filled else re.sub(r"`[^`]+`|\]\([^)]+\)", "", line)
        sorted_later += ["number: " + digits for digits in re.findall(r"\d+(?:\.\d+)?", prose)]
    return [(title, in_order + sorted(sorted_later)) for title, in_order, sorted_later in out]


def main():
    first, second = sections(sys.argv[1]), sections(sys.argv[2])
    differences = 0
    for (title, content), (other_title, other_content) in zip(first, second):
        for line in difflib.unified_diff(content, other_content, f"{sys.argv[1]}: {title}",
                                         f"{sys.argv[2]}: {other_title}", n=0, lineterm=""):
            print(line)
            differences += 1
    if len(first) != len(second):
        print(f"got {len(second)} sections in {sys.argv[2]}, expected {len(first)}")
        differences += 1
    if not first or not any(line.startswith("code: ") for _, content in first for line in content):
        print(f"{sys.argv[1]}: no section with a code block")
        differences += 1
    sys.exit(1 if differences else 0)


main()
