#!/usr/bin/env python3
"""Refuses co_await operands whose temporaries g++ 12 destroys twice (CONTRIBUTING.md, style).

Allowed inside an operand: names, std::move(name), literals, and calls of those. Flagged: braces, lambdas, and the
conditional operator. Usage: lint_co_await.py [FILE...]; without files, every .h and .cc below the project.
"""
import pathlib
import re
import sys


def without_comments_and_strings(source):
    """The source with both blanked out, line breaks kept."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)
    return pattern.sub(lambda match: re.sub(r'[^\n]', ' ', match[0]), source)


def operand_at(source, start):
    """The text of the operand that begins at start: up to the end of its statement, argument or bracket."""
    depth = 0
    for at in range(start, len(source)):
        char = source[at]
        if char in '([{':
            depth += 1
        elif char in ')]}':
            if depth == 0:
                return source[start:at]
            depth -= 1
        elif char in ';,' and depth == 0:
            return source[start:at]
    return source[start:]


def problem(operand):
    if '{' in operand:
        return 'a braced temporary'
    if re.search(r'(?:^|[(,=\s])\[[^\]\n]*\]\s*[({]', operand):
        return 'a lambda'
    if '?' in operand:
        return 'a conditional operator'
    return None


def main(arguments):
    root = pathlib.Path(__file__).resolve().parent.parent
    files = [pathlib.Path(name) for name in arguments] or sorted(
        path for pattern in ('*.h', '*.cc') for path in root.rglob(pattern) if 'build' not in path.parts)
    found = 0
    for path in files:
        source = without_comments_and_strings(path.read_text())
        for match in re.finditer(r'\bco_await\b', source):
            what = problem(operand_at(source, match.end()))
            if what:
                found += 1
                line = source.count('\n', 0, match.start()) + 1
                print(f'{path}:{line}: {what} inside a co_await operand: give it a name first')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
