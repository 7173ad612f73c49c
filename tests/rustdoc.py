"""Reads rustdoc's JSON: the public items of the crate, and how a reader writes what they are."""

import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The format that this was written for. A newer one is read as far as it is alike.
FORMAT, TOOLCHAIN = 57, "Rust 1.95"
# Of no use to a reader: the compiler's own, and what unwinding asks.
UNLISTED = {"Freeze", "RefUnwindSafe", "StructuralPartialEq", "UnsafeUnpin", "UnwindSafe"}


def read_json():
    """Has rustdoc write its JSON, and returns it."""
    target = ROOT / (os.environ.get("CARGO_TARGET_DIR") or "target")
    target.mkdir(parents=True, exist_ok=True)
    # The variable is for rustdoc alone. Build scripts that see it change run again, and cargo
    # compiles again what depends on them.
    rustdoc = target / "unstable-rustdoc"
    rustdoc.write_text('#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec rustdoc "$@"\n')
    rustdoc.chmod(0o755)
    command = "cargo rustdoc --locked --quiet --lib --all-features --"
    command = [*command.split(), "-Zunstable-options", "--output-format=json"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "RUSTDOC": str(rustdoc)}, check=True)
    return json.loads((target / "doc/tower_magic_link.json").read_text())


def angle(args):
    """Returns generic arguments: `<'a, T, Output = U>`, or `(A) -> B`."""
    if not args:
        return ""
    if "parenthesized" in args:
        return f"({listed(args['parenthesized']['inputs'])})" + returned(args["parenthesized"])
    shown = [type_of(arg["type"]) if "type" in arg else str(next(iter(arg.values())))
             for arg in args["angle_bracketed"]["args"]]
    for constraint in args["angle_bracketed"]["constraints"]:
        (how, what), = constraint["binding"].items()
        what = f" = {type_of(what['type'])}" if how == "equality" else f": {bounds(what)}"
        shown.append(constraint["name"] + what)
    return f"<{', '.join(shown)}>" if shown else ""


def path_of(record):
    return record["path"].rsplit("::", 1)[-1] + angle(record["args"])


def listed(types):
    return ", ".join(map(type_of, types))


def returned(sig):
    return f" -> {type_of(sig['output'])}" if sig["output"] else ""


def bounds(them):
    shown = []
    for bound in them:
        if "outlives" in bound:
            shown.append(bound["outlives"])
        elif "trait_bound" in bound:
            maybe = "?" if bound["trait_bound"]["modifier"] == "maybe" else ""
            shown.append(maybe + path_of(bound["trait_bound"]["trait"]))
    return " + ".join(shown)


def type_of(record):
    (kind, it), = record.items()
    if kind in ("generic", "primitive"):
        return it
    if kind == "resolved_path":
        return path_of(it)
    if kind == "qualified_path":
        return f"{type_of(it['self_type'])}::{it['name']}"
    if kind == "borrowed_ref":
        lifetime = f"{it['lifetime']} " if it["lifetime"] else ""
        return f"&{lifetime}{'mut ' if it['is_mutable'] else ''}{type_of(it['type'])}"
    if kind == "tuple":
        return f"({listed(it)})"
    if kind == "slice":
        return f"[{type_of(it)}]"
    if kind == "array":
        return f"[{type_of(it['type'])}; {it['len']}]"
    if kind == "impl_trait":
        return f"impl {bounds(it)}"
    if kind == "dyn_trait":
        lifetime = [it["lifetime"]] if it["lifetime"] else []
        return "dyn " + " + ".join([path_of(one["trait"]) for one in it["traits"]] + lifetime)
    if kind == "function_pointer":
        return f"fn({listed(one for _, one in it['sig']['inputs'])})" + returned(it["sig"])
    raise KeyError(kind)


def generics(them):
    """Returns the parameters and the `where` of an item."""
    params, where = [], []
    for param in them["params"]:
        inner = param["kind"].get("type", {"bounds": []})
        if not inner.get("is_synthetic"):
            limit = f": {bounds(inner['bounds'])}" if inner["bounds"] else ""
            params.append(param["name"] + limit)
    for one in (one["bound_predicate"] for one in them["where_predicates"]):
        where.append(f"{type_of(one['type'])}: {bounds(one['bounds'])}")
    return f"<{', '.join(params)}>" if params else "", f" where {', '.join(where)}" if where else ""


def signature(fn):
    params, where = generics(fn["generics"])
    words = [word for word in ("const", "async", "unsafe") if fn["header"][f"is_{word}"]] + ["fn"]
    inputs = [type_of(one).replace("Self", "self") if name == "self" else type_of(one)
              for name, one in fn["sig"]["inputs"]]
    return f"{' '.join(words)}{params}({', '.join(inputs)}){returned(fn['sig'])}{where}"


def non_exhaustive(record):
    return ", non_exhaustive" if "non_exhaustive" in str(record["attrs"]) else ""


class Item:
    """A public item: its path, what it is, and the type or trait that it stands in."""

    def __init__(self, path, kind, shown, record, owner=None):
        self.path, self.kind, self.owner = path, kind, owner
        self.shown = shown + (", deprecated" if record.get("deprecation") else "")
        self.name, self.docs = path.rsplit("::", 1)[-1], (record.get("docs") or "").strip()
        self.sig = record.get("inner", {}).get("function", {}).get("sig")
        self.traits = set()

    def has_self(self):
        return bool(self.sig and self.sig["inputs"]) and self.sig["inputs"][0][0] == "self"


class Api:
    """The items that a path leads to, each once, and what is wrong with their paths."""

    def __init__(self, crate):
        self.index = {str(key): item for key, item in crate["index"].items()}
        self.items, self.wrong, self.seen = [], [], {}
        self.module(self.index[str(crate["root"])], "tower_magic_link")
        self.items.sort(key=lambda item: (item.path, item.shown))

    def get(self, numbers):
        return [self.index[str(number)] for number in numbers]

    def add(self, *args):
        self.items.append(Item(*args))
        return self.items[-1]

    def module(self, record, path):
        self.add(path, "module", "mod", record)
        for item in self.get(record["inner"]["module"]["items"]):
            self.visit(item, path)

    def visit(self, record, module, name=None):
        (kind, it), = record["inner"].items()
        if kind == "use":
            if it["is_glob"] or str(it["id"]) not in self.index:
                self.wrong.append(f"{module}: {it['source']} is a glob, or of another crate")
            else:
                self.visit(*self.get([it["id"]]), module, it["name"])
            return
        path = f"{module}::{name or record['name']}"
        if record["id"] in self.seen:
            self.wrong.append(f"{path}: has a second path, {self.seen[record['id']]}")
            return
        self.seen[record["id"]] = path
        if kind in ("module", "struct", "enum", "trait"):
            getattr(self, kind)(record, path)
        elif kind == "function":
            self.add(path, kind, signature(it), record)
        elif kind == "type_alias":
            shown = f"type{generics(it['generics'])[0]} = {type_of(it['type'])}"
            self.add(path, kind, shown, record)
        else:
            of = f" {type_of(it['type'])}" if kind in ("constant", "static") else ""
            self.add(path, kind, kind + of, record)

    def struct(self, record, path):
        kind = record["inner"]["struct"]["kind"]
        how, inner = next(iter(kind.items())) if isinstance(kind, dict) else (kind, [])
        rest = " { .. }" if how == "plain" and inner["has_stripped_fields"] else ""
        if how == "tuple":
            shown = [self.field(*self.get([one])) if one is not None else "_" for one in inner]
            rest = f"({', '.join(shown)})"
        owner = self.type(record, path, "struct", rest)
        for field in self.get(inner["fields"] if how == "plain" else []):
            shown = f"field {self.field(field)}"
            self.add(f"{path}::{field['name']}", "field", shown, field, owner)

    def field(self, record):
        return type_of(record["inner"]["struct_field"])

    def enum(self, record, path):
        owner = self.type(record, path, "enum")
        for variant in self.get(record["inner"]["enum"]["variants"]):
            kind = variant["inner"]["variant"]["kind"]
            how, inner = next(iter(kind.items())) if isinstance(kind, dict) else (kind, [])
            fields = self.get(inner["fields"] if how == "struct" else inner)
            shown = [self.field(field) for field in fields]
            rest = (f"({', '.join(shown)})" if how == "tuple" else "") + non_exhaustive(variant)
            below = f"{path}::{variant['name']}"
            self.add(below, "variant", f"variant{rest}", variant, owner)
            for field, one in zip(fields, shown) if how == "struct" else []:
                self.add(f"{below}::{field['name']}", "field", f"field {one}", field, owner)

    def trait(self, record, path):
        it = record["inner"]["trait"]
        params, where = generics(it["generics"])
        limits = f": {bounds(it['bounds'])}" if it["bounds"] else ""
        owner = self.add(path, "trait", f"trait{params}{limits}{where}", record)
        for item in self.get(it["items"]):
            self.member(item, path, owner)
        others = [one["inner"]["impl"] for one in self.get(it["implementations"])]
        others = {type_of(one["for"]) + generics(one["generics"])[1] for one in others
                  if str(one["for"].get("resolved_path", {}).get("id")) not in self.index}
        if others:
            self.add(path, "impl", f"impl for {', '.join(sorted(others))}", {})

    def type(self, record, path, word, rest=""):
        it = record["inner"][word]
        params, where = generics(it["generics"])
        owner = self.add(path, word, word + params + rest + where + non_exhaustive(record), record)
        for one in (item["inner"]["impl"] for item in self.get(it["impls"])):
            if not one["trait"]:
                limits = "".join(generics(one["generics"]))
                for item in self.get(one["items"]):
                    self.member(item, path, owner, f", of impl{limits}" if ": " in limits else "")
            elif one["is_negative"] or not (one["is_synthetic"] or one["blanket_impl"]):
                types = [f"{item['name']} = {type_of(item['inner']['assoc_type']['type'])}"
                         for item in self.get(one["items"]) if "assoc_type" in item["inner"]]
                shown = path_of(one["trait"]) + (f" {{{', '.join(types)}}}" if types else "")
                if shown not in UNLISTED:
                    owner.traits.add("!" * one["is_negative"] + shown)
        self.add(path, "impl", f"impl {', '.join(sorted(owner.traits)) or 'nothing'}", {})
        return owner

    def member(self, record, path, owner, limits=""):
        (kind, it), = record["inner"].items()
        path = f"{path}::{record['name']}"
        if kind == "function":
            has = "provided" if it["has_body"] else "required"
            shown = signature(it) + limits + (f", {has}" if owner.kind == "trait" else "")
        else:
            of = type_of(it["type"]) if it.get("type") else f": {bounds(it['bounds'])}"
            shown = f"{kind.replace('_', ' ')} {of}"
        self.add(path, kind, shown, record, owner)
