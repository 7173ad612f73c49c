#!/usr/bin/env python3
"""The crate's public API, a line per item, and how a reader learns to use each.

    python3 tests/api.py            prints the listing
    python3 tests/api.py --check    compares it with tests/api.txt
    python3 tests/api.py --write    writes tests/api.txt

It has every feature on, and honours CARGO_TARGET_DIR. It fails when an item has no documentation,
has neither an example nor a reason to have none, or has two paths.
"""

import difflib
import os
import re
import sys
from fnmatch import fnmatchcase

sys.dont_write_bytecode = True
from rustdoc import FORMAT, ROOT, TOOLCHAIN, Api, read_json

LISTING = ROOT / "tests/api.txt"
REASONS = ROOT / "tests/api-reasons.txt"
CHANGED = "the public API changed: run `python3 tests/api.py --write`, and say so in CHANGELOG.md"
MOVED = "other examples show the public API now: run `python3 tests/api.py --write`"
HEAD = """\
# The public API with every feature on. `python3 tests/api.py --write` writes this file.
#
#     path  what it is  [how a reader learns to use it]
#
# [example]      Its own documentation has an example.
# [in PLACE]     The nearest example that uses it: on another item, in the README, in examples/.
# [data]         A variant or a field: its documentation says what it means.
# [getter]       It takes `self` alone, changes nothing, and its documentation says what it returns.
# [setter]       `with_x` of a type that has a getter `x`, and sets what that returns.
# [returned]     A type that a function, a trait or a variant gives, and that only `new` and `with_x`
#                of other types take.
# [error]        An error: a reader matches on it or prints it.
# [reason: ...]  Another reason, from tests/api-reasons.txt.
#
# A line with `impl` names the traits of a type that are neither auto traits nor blanket impls, and
# the auto traits that it lacks. It needs no example.
"""


class Example:
    """A block of Rust on a page: what a reader sees of it, and what it is about."""

    def __init__(self, place, code, hidden=r"\s*#( |$)"):
        self.place, lines = place, code.splitlines()
        seen = [line for line in lines if not re.match(rf"{hidden}|\s*//", line)]
        self.seen = re.sub(r'"[^"\n]*"', '""', "\n".join(seen))
        # A hidden `fn` or `let` says what the values of the rest are; a hidden stub does not.
        self.about = "\n".join([line for line in lines if re.match(r"# (fn|let) ", line)] + seen)
        # Names of other crates, which ours may have too.
        foreign = re.findall(r"\buse (?!tower_magic_link|super)[^;]*;", code)
        self.foreign = set(re.findall(r"\w+", " ".join(foreign)))

    def has(self, pattern):
        return re.search(pattern, self.seen)

    def uses(self, item, openers):
        """Whether an item occurs: a method by its name, where a value of its type occurs too."""
        if item.kind == "module":
            return self.has(rf"\b{item.name}::")
        if not item.owner:
            return item.name not in self.foreign and self.has(rf"\b{item.name}\b")
        if self.has(rf"\b{item.owner.name}(<\w+>)?::{item.name}\b"):
            return True
        if item.kind == "field":
            call = rf"\.{item.name}\b(?!\()|\b{item.name}(: |,| }})"
        else:
            call = rf"\.{item.name}\(" if item.has_self() else "$^"
            call += rf"|\b(fn|type) {item.name}\b" if item.owner.kind == "trait" else ""
        about = [rf"\b{item.owner.name}\b", *openers.get(item.owner.name, [])]
        return self.has(call) and any(re.search(pattern, self.about) for pattern in about)


def blocks(place, text):
    """Returns the blocks of a page that are Rust and compile."""
    found = re.findall(r"^ *```([^\n]*)\n(.*?)^ *```", text, re.M | re.S)
    return [Example(place, code) for language, code in found
            if set(re.findall(r"\w+", language)) <= {"rust", "no_run", "should_panic"}]


def made(item):
    """Returns the names of the types in what a function returns."""
    names = re.findall(r"\w+", item.shown.rpartition(" -> ")[2]) if item.sig else []
    return {item.owner.name if name == "Self" and item.owner else name for name in names}


class Listing:
    def __init__(self, api):
        self.items, self.wrong = api.items, api.wrong
        lines = [line for line in REASONS.read_text().splitlines() if line and line[0] != "#"]
        self.reasons = [line.split("  ", 1) for line in lines]
        self.unused = {pattern for pattern, _ in self.reasons}
        self.own = {item.path: blocks(item.path.partition("::")[2] or "the crate's page", item.docs)
                    for item in self.items if item.kind != "impl"}
        self.others = blocks("README.md", (ROOT / "README.md").read_text())
        self.others += [Example(f"examples/{path.name}", path.read_text(), r"$^")
                        for path in sorted((ROOT / "examples").glob("*.rs"))]
        self.paths = {item.path for item in self.items}
        names = [item.name for item in self.items if item.has_self()]
        # What an example calls to get a value of a type, by the type's name.
        self.openers = {}
        # Types that a function takes, or makes from nothing of ours.
        self.taken, self.given = set(), set()
        for item in self.items:
            inputs = item.shown.rpartition(" -> ")[0] if item.sig else ""
            if item.name != "new" and not item.name.startswith("with_"):
                self.taken |= set(re.findall(r"\w+", inputs))
            if item.kind in ("impl", "variant", "field"):
                self.given |= set(re.findall(r"\w+", item.shown))
            for name in made(item):
                is_own, is_new = item.owner and name == item.owner.name, not item.has_self()
                (self.taken if is_own and is_new else self.given).add(name)
                if item.owner and is_new:
                    opener = rf"\b{item.owner.name}::{item.name}\("
                elif not is_own and names.count(item.name) == 1:
                    opener = rf"\.{item.name}\("
                else:
                    continue
                self.openers.setdefault(name, []).append(opener)

    def lesson(self, item):
        """Says how a reader learns to use an item; `None` where nothing tells."""
        if self.own[item.path]:
            return "example"
        mine = item.path.split("::")

        def distance(path):
            path = path.split("::")
            return -len(os.path.commonprefix([mine, path])), len(path), path

        for example in sum((self.own[path] for path in sorted(self.own, key=distance)), []):
            if example.uses(item, self.openers):
                return f"in {example.place}"
        for example in self.others:
            if example.uses(item, self.openers):
                return f"in {example.place}"
        return self.rule(item) or self.reason(item)

    def rule(self, item):
        if item.kind in ("variant", "field"):
            return "data"
        if item.has_self() and item.owner.kind != "trait":
            alone = r"&?self" if "Copy" in item.owner.traits else r"&self"
            if re.match(rf"(const )?fn\({alone}\) -> ", item.shown):
                return None if item.name.startswith("take_") else "getter"
            if item.name.startswith("with_") and item.path.replace("::with_", "::") in self.paths:
                return "setter"
        if "Error" in item.traits:
            return "error"
        if item.kind in ("struct", "enum") and item.name in self.given - self.taken:
            return "returned"
        return None

    def reason(self, item):
        for pattern, reason in self.reasons:
            if fnmatchcase(item.path.partition("::")[2], pattern):
                self.unused.discard(pattern)
                return f"reason: {reason}"
        return None

    def text(self):
        lines = []
        for item in self.items:
            if item.kind == "impl":
                lines.append(f"{item.path}  {item.shown}")
                continue
            if not item.docs:
                self.wrong.append(f"{item.path}: it has no documentation")
            lesson = self.lesson(item)
            if not lesson:
                self.wrong.append(f"{item.path}: no example uses it, and nothing excuses it")
            lines.append(f"{item.path}  {item.shown}  [{lesson or 'nothing'}]")
        self.wrong += [f"{pattern}: a reason that excuses nothing, take it out of {REASONS.name}"
                       for pattern in sorted(self.unused)]
        return HEAD + "\n" + "\n".join(lines) + "\n"


def main(how=""):
    if how not in ("", "--check", "--write"):
        sys.exit("usage: tests/api.py [--check | --write]")
    crate = read_json()
    try:
        api = Api(crate)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        sys.exit(f"tests/rustdoc.py cannot read rustdoc's JSON of format {crate['format_version']}"
                 f" ({error!r}). It was written for format {FORMAT}, which {TOOLCHAIN} writes.")
    new = Listing(api).text()
    old = LISTING.read_text() if LISTING.exists() else ""
    if how == "--write":
        LISTING.write_text(new)
    elif how == "--check" and old != new:
        sys.stdout.writelines(difflib.unified_diff(
            old.splitlines(True), new.splitlines(True), "tests/api.txt", "the public API"))
        is_same = re.sub(r"  \[.*", "", old) == re.sub(r"  \[.*", "", new)
        api.wrong.append(MOVED if is_same else CHANGED)
    elif not how:
        print(new, end="")
    for line in api.wrong:
        print(line, file=sys.stderr)
    sys.exit(bool(api.wrong))


if __name__ == "__main__":
    main(*sys.argv[1:])
