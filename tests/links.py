#!/usr/bin/env python3
"""Every link of the pages and of the documentation leads somewhere.

    cargo doc --all-features --no-deps
    python3 tests/links.py

- A relative link of a page (`*.md`) names a file of the repository, and an anchor a heading of it.
- A link of the documentation that `cargo doc` has written names a page of it, and an anchor there.
  So do the links to its pages on docs.rs, which README has.
- A link to another host is https and well formed. It is listed once, and not fetched.
- In comments that are not documentation the addresses alone are read.

It honours CARGO_TARGET_DIR, and reads what `cargo doc` wrote last.
"""

import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
BUILT = ROOT / (os.environ.get("CARGO_TARGET_DIR") or "target") / "doc"
CRATE = "tower_magic_link"
# The address of the documentation once it is published, and those that lead to its front page.
PUBLISHED = f"https://docs.rs/tower-magic-link/latest/{CRATE}/"
FRONTS = {"https://docs.rs/tower-magic-link", "https://docs.rs/crate/tower-magic-link"}
# These pages are read as the documentation that they are a part of.
INCLUDED = ("src/",)
# Hosts that stand for any other (RFC 2606), and this machine: they are examples, and not links.
EXAMPLE = re.compile(r"(^|\.)(example(\.(com|net|org))?|localhost)$|^(127\.|::1$|10\.)")
ADDRESS = re.compile(r"https?://[^\s<>\"'`|\\…]+")


class Links:
    """What is wrong, and which addresses of other hosts there are, with the places of each."""

    def __init__(self):
        self.wrong, self.others, self.count = [], defaultdict(set), 0

    def complain(self, place, link, why):
        self.wrong.append(f"{place}: {link}: {why}")

    def follow(self, place, link):
        """Follows a link with a scheme."""
        self.count += 1
        if link.rstrip("/") in FRONTS or link.startswith("https://docs.rs/tower-magic-link"):
            why = published_at(link)
            return why and self.complain(place, link, why)
        if link.startswith("mailto:"):
            return None
        try:
            parts = urlsplit(link)
            is_good = parts.port is None and "@" not in parts.netloc
        except ValueError:
            return self.complain(place, link, "it is no address")
        host = parts.hostname or ""
        if EXAMPLE.search(host):
            return None
        is_good &= bool(re.fullmatch(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}", host))
        is_good &= bool(re.fullmatch(r"[\w!$&'()*+,./:;=?@#%~\[\]-]*", link, re.A))
        if parts.scheme != "https":
            return self.complain(place, link, "it is not https")
        if not is_good:
            return self.complain(place, link, "it is no well-formed address")
        self.others[link].add(place)


def published_at(link):
    """Says what is wrong with the address of a page of the documentation, or `None`."""
    if link.rstrip("/") in FRONTS:
        return None
    if not link.startswith(PUBLISHED):
        return f"the documentation is at {PUBLISHED}"
    return built_at(BUILT / CRATE, link.removeprefix(PUBLISHED))


def built_at(folder, link):
    """Says what is wrong with a link from a folder of the built documentation, or `None`."""
    path, _, anchor = link.partition("#")
    page = (folder / unquote(path)).resolve()
    page = page / "index.html" if page.is_dir() else page
    if not page.is_file():
        return "there is no such page"
    # The numbers of lines are made by a script.
    if anchor and "/src/" not in page.as_posix() and not {anchor, unquote(anchor)} & read(page).ids:
        return "that page has no such anchor"
    return None


class Built(HTMLParser):
    """A page that rustdoc wrote: its anchors, its links, and which of these somebody here wrote.

    Beside what a type implements stand the texts of the crates that the traits are from, and a page
    whose code stands elsewhere is another crate's as a whole.
    """

    FOREIGN = {f"{kind}-implementations-list" for kind in ("trait", "synthetic", "blanket")}

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.written, self.divs = set(), set(), set(), []
        self.source = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids.add(attrs.get("id"))
        if tag == "div":
            is_text = "docblock" in (attrs.get("class") or "").split()
            self.divs.append((is_text, attrs.get("id") in self.FOREIGN))
        link = attrs.get("href") if tag == "a" else None
        if link and "src" in (attrs.get("class") or "").split():
            self.source = self.source or link
        is_text, is_foreign = (any(of) for of in zip(*self.divs)) if self.divs else (False, False)
        if link and not (is_text and is_foreign):
            self.links.add(link)
            if is_text:
                self.written.add(link)

    def handle_endtag(self, tag):
        if tag == "div" and self.divs:
            self.divs.pop()


PAGES = {}


def read(page):
    if page not in PAGES:
        PAGES[page] = Built(page.read_text())
    return PAGES[page]


def without_code(text):
    """Blanks fenced blocks and code spans out, and leaves the lines where they are."""
    text = re.sub(r"^( *)(```+|~~~+).*?^\1\2 *$", lambda block: "\n" * block[0].count("\n"), text,
                  flags=re.M | re.S)
    return re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "`code`", text)


def headings(text):
    """Returns the anchors of a page, as code hosts make them."""
    seen, anchors = Counter(), set()
    text = re.sub(r"^( *)(```+).*?^\1\2 *$", "", text, flags=re.M | re.S)
    for title in re.findall(r"^#{1,6} +(.+?) *#*$", text, re.M):
        title = re.sub(r"\[([^\]]*)\](\([^)]*\)|\[[^\]]*\])", r"\1", title)
        slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        anchors.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return anchors


def links_of(text):
    """Returns the targets that a page links to, and what is wrong with its labels."""
    wrong = []
    defined = dict(re.findall(r"^\[([^\]]+)\]: +(\S+)$", text, re.M))
    body = re.sub(r"^\[[^\]]+\]: .*$", "", text, flags=re.M)
    targets = re.findall(r"\]\(<?([^()\s>]+(?:\([^()]*\))?)>?\)", body)
    labels = set(re.findall(r"\]\[([^\]]+)\]", body))
    labels |= {label for label in re.findall(r"\[([^\]]+)\](?![\[(])", body) if label in defined}
    wrong += [(label, "no line says where this label leads") for label in labels - set(defined)]
    wrong += [(label, "nothing leads by this label") for label in set(defined) - labels]
    bare = re.sub(r"\]\([^)\s]+\)", "]", body)
    return targets + list(defined.values()) + addresses(bare), wrong


def addresses(text):
    """Returns the addresses that stand in a text, without the punctuation behind them."""
    return [found.rstrip(".,;:!?*_)]}") for found in ADDRESS.findall(text)]


def files(*endings):
    """Returns the files of the repository, those that are not committed yet among them."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [Path(name) for name in listed.splitlines()
            if name.endswith(endings) and (ROOT / name).is_file()]


def check_pages(links):
    for page in files(".md"):
        if page.as_posix().startswith(INCLUDED):
            continue
        targets, wrong = links_of(without_code((ROOT / page).read_text()))
        for label, why in wrong:
            links.complain(page, label, why)
        for target in targets:
            if re.match(r"[a-z]+:", target):
                links.follow(page, target)
                continue
            links.count += 1
            path, _, anchor = target.partition("#")
            file = (ROOT / page.parent / unquote(path)).resolve() if path else ROOT / page
            if not file.exists() or not file.is_relative_to(ROOT):
                links.complain(page, target, "there is no such file")
            elif anchor and (file.suffix != ".md" or anchor not in headings(file.read_text())):
                links.complain(page, target, "that file has no such heading")


def check_documentation(links):
    pages = sorted((BUILT / CRATE).rglob("*.html"))
    if len(pages) < 100:
        sys.exit(f"{len(pages)} pages in {BUILT / CRATE}: run `cargo doc --all-features --no-deps`")
    for page in pages:
        place = page.relative_to(BUILT).as_posix()
        if read(page).source.startswith("https:"):
            continue
        for link in read(page).links:
            if re.match(r"[a-z]+:", link):
                if link in read(page).written:
                    links.follow(place, link)
            elif "?" not in link:
                links.count += 1
                target = page.name + link if link.startswith("#") else link
                why = built_at(page.parent, target)
                if why:
                    links.complain(place, link, why)


def check_comments(links):
    marks = {".rs": "//[/!]?", ".mjs": "//", ".js": "//", ".lua": "--"}
    for file in files(*marks, ".cfg", ".conf", ".py", ".sh", ".toml", ".yaml"):
        mark = marks.get(file.suffix, "#")
        lines = (ROOT / file).read_text().splitlines()
        said = (re.match(rf"\s*{mark} ?(.*)", line) for line in lines)
        text = "\n".join(line[1] if line else "" for line in said)
        for address in addresses(without_code(text)):
            links.follow(file.as_posix(), address)


def main():
    links = Links()
    check_pages(links)
    check_documentation(links)
    check_comments(links)
    print(f"{links.count} links. Other hosts, which are not asked:")
    for address in sorted(links.others):
        print(f"  {address}")
    for line in sorted(set(links.wrong)):
        print(line, file=sys.stderr)
    sys.exit(bool(links.wrong))


if __name__ == "__main__":
    main()
