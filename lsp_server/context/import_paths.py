"""Which files of a workspace an import leads to: one rule a language, each a guess checked against what is there.

Nothing is run and no package manager is asked. What lies outside of the workspace leads nowhere. Of several files the
one nearest to the importing file comes first.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from lsp_server.context.imports import Import

_MOST_FILES = 60
"""Of one import: a package of a language in which a folder is one."""


class Files(Protocol):
    """The files of a workspace."""

    def exists(self, path: str) -> bool:
        """Whether there is one."""

    def ending_with(self, tail: str) -> tuple[str, ...]:
        """All whose paths end with these folders and this name."""

    def in_folder(self, folder: str) -> tuple[str, ...]:
        """Those right in a folder."""

    def roots(self, kind: str) -> tuple[tuple[str, str], ...]:
        """What project files say: folder and text, for a kind of `project_files.py`."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where an import leads."""

    paths: tuple[str, ...]
    name: str
    """What of these files; empty or `*` for all of it."""


def resolve(import_: Import, path: str, grammar: str, files: Files) -> Target | None:
    """The files that an import in `path` leads to; `None` when it leads nowhere in the workspace."""
    rule = _RULES.get(grammar)
    target = rule(import_, path, files) if rule is not None else _by_name(import_, path, files)
    if target is None or not (paths := tuple(each for each in target.paths if each != path)):
        return None
    return Target(paths[:_MOST_FILES], target.name)


def nearest_first(paths: Iterable[str], path: str) -> list[str]:
    """In the order of their distance in folders from `path`, then by name."""
    return sorted(set(paths), key=lambda each: (_distance(each, path), each))


def siblings(path: str, grammar: str, files: Files) -> tuple[str, ...]:
    """Files whose names are in reach without an import: those of the same package."""
    if grammar not in ("go", "java"):
        return ()
    ending = path.rpartition(".")[2]
    return tuple(each for each in files.in_folder(posixpath.dirname(path)) if each.endswith("." + ending))[:_MOST_FILES]


def _distance(one: str, other: str) -> int:
    here, there = one.split("/")[:-1], other.split("/")[:-1]
    common = next((n for n, (a, b) in enumerate(zip(here, there, strict=False)) if a != b), min(len(here), len(there)))
    return len(here) + len(there) - 2 * common


# ---- one rule a language


def _python(import_: Import, path: str, files: Files) -> Target | None:
    module = import_.module.lstrip(".")
    level = len(import_.module) - len(module)
    tail = module.replace(".", "/")
    if level:
        folder = posixpath.normpath(posixpath.join(posixpath.dirname(path), *[".."] * (level - 1)))
        if folder.startswith(".."):
            return None
        base = posixpath.normpath(posixpath.join(folder, tail)).removeprefix("./")
        return _python_module("" if base == "." else base, import_.name, lambda each: [each] * files.exists(each))
    return _python_module(tail, import_.name, lambda each: nearest_first(files.ending_with(each), path)[:1])


def _python_module(base: str, name: str, find: Callable[[str], list[str]]) -> Target | None:
    if name and name != "*":
        inner = f"{base}/{name}" if base else name
        for tail in (f"{inner}.py", f"{inner}/__init__.py", f"{inner}.pyi"):
            if found := find(tail):
                return Target(tuple(found), "")
    for tail in (f"{base}.py", f"{base}/__init__.py" if base else "__init__.py", f"{base}.pyi"):
        if found := find(tail):
            return Target(tuple(found), name)
    return None


_SCRIPT_ENDINGS = ("", ".ts", ".tsx", ".d.ts", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".vue", ".svelte")
_WRITTEN_AS = ((".js", (".ts", ".tsx")), (".mjs", (".mts",)), (".cjs", (".cts",)), (".jsx", (".tsx",)))
"""What TypeScript calls a file by the name of what it becomes."""


def _script(import_: Import, path: str, files: Files) -> Target | None:
    for base in _script_bases(import_.module, path, files):
        names = [base + ending for ending in _SCRIPT_ENDINGS]
        for written, sources in _WRITTEN_AS:
            if base.endswith(written):
                names += [base.removesuffix(written) + source for source in sources]
        names += [posixpath.join(base, "index" + ending) for ending in _SCRIPT_ENDINGS[1:]]
        found = next((each for each in names if each and files.exists(each)), None)
        if found is not None:
            return Target((found,), import_.name)
    return None


def _script_bases(module: str, path: str, files: Files) -> list[str]:
    """Paths without endings that a module's name may stand for."""
    if module.startswith("."):
        base = posixpath.normpath(posixpath.join(posixpath.dirname(path), module))
        return [] if base.startswith("..") else ["" if base == "." else base]
    bases = []
    for folder, pattern_and_place in files.roots("alias"):
        pattern, _, place = pattern_and_place.partition("\n")
        before, star, after = pattern.partition("*")
        if module.startswith(before) and module.endswith(after) and (star or module == pattern):
            rest = module[len(before) : len(module) - len(after)]
            bases.append(posixpath.normpath(posixpath.join(folder, place.replace("*", rest))))
    for folder, name in files.roots("package"):
        if module == name or module.startswith(name + "/"):
            inner = module[len(name) :].strip("/")
            bases += [posixpath.join(folder, each, inner) for each in ("src", "", "lib")]
    return [base for base in bases if not base.startswith("..")]


def _go(import_: Import, path: str, files: Files) -> Target | None:
    for folder, module in sorted(files.roots("go"), key=lambda root: -len(root[1])):
        if import_.module == module or import_.module.startswith(module + "/"):
            inside = posixpath.join(folder, import_.module[len(module) :].strip("/")).rstrip("/")
            found = files.in_folder(inside)
            return Target(_of_go(found), "") if found else None
    if "." not in import_.module.partition("/")[0] and not files.roots("go"):
        return Target(_of_go(files.in_folder("src/" + import_.module) or files.in_folder(import_.module)), "")
    return None


def _of_go(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(each for each in paths if each.endswith(".go") and not each.endswith("_test.go"))


def _rust(import_: Import, path: str, files: Files) -> Target | None:
    parts = [part for part in import_.module.split("::") if part]
    here = posixpath.dirname(path) if _is_rust_root(path) else path.removesuffix(".rs")
    if parts and parts[0] in ("crate", "self", "super"):
        base = _crate_root(path, files) if parts[0] == "crate" else here
        for part in parts:
            base = posixpath.dirname(base) if part == "super" else base
        parts = [part for part in parts if part not in ("crate", "self", "super")]
    else:
        crates = {name.replace("-", "_"): folder for folder, name in files.roots("crate")}
        if not parts or parts[0] not in crates:
            return None
        base = posixpath.join(crates[parts[0]], "src")
        parts = parts[1:]
    names = [*parts, import_.name] if import_.name not in ("", "*") else parts
    for length in range(len(names), -1, -1):
        found = _rust_file("/".join([base, *names[:length]]).strip("/"), files)
        if found is not None:
            rest = names[length:]
            return Target((found,), rest[-1] if rest else import_.name if import_.name == "*" else "")
    return None


def _rust_file(base: str, files: Files) -> str | None:
    names = (f"{base}.rs", f"{base}/mod.rs", f"{base}/lib.rs", f"{base}/main.rs")
    return next((each for each in names if files.exists(each.lstrip("/"))), None)


def _is_rust_root(path: str) -> bool:
    return posixpath.basename(path) in ("lib.rs", "main.rs", "mod.rs")


def _crate_root(path: str, files: Files) -> str:
    folder = posixpath.dirname(path)
    while folder:
        if any(files.exists(f"{folder}/{name}") for name in ("lib.rs", "main.rs")):
            return folder
        folder = posixpath.dirname(folder)
    return posixpath.dirname(path)


def _included(import_: Import, path: str, files: Files) -> Target | None:
    beside = posixpath.normpath(posixpath.join(posixpath.dirname(path), import_.module))
    if files.exists(beside):
        return Target((beside,), "")
    found = nearest_first(files.ending_with(posixpath.normpath(import_.module).lstrip("./")), path)
    return Target(tuple(found[:1]), "") if found else None


def _java(import_: Import, path: str, files: Files) -> Target | None:
    tail = import_.module.replace(".", "/")
    if import_.name != "*":
        for inner, name in ((f"{tail}/{import_.name}.java", ""), (f"{tail}.java", import_.name)):
            if found := nearest_first(files.ending_with(inner), path)[:1]:
                return Target(tuple(found), name)
        return None
    if found := nearest_first(files.ending_with(f"{tail}.java"), path)[:1]:
        return Target(tuple(found), "*")
    roots = {path[: -len(each)] for each in _upper_tails(path)}
    paths = [each for root in sorted(roots) for each in files.in_folder(f"{root}{tail}".strip("/"))]
    return Target(tuple(paths), "*") if paths else None


def _upper_tails(path: str) -> list[str]:
    """The ends of a path that begin at a folder."""
    parts = path.split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]


def _by_name(import_: Import, path: str, files: Files) -> Target | None:
    """For other languages: a file of the same kind whose path ends like what is imported."""
    ending = path.rpartition(".")[2]
    tail = "/".join(
        part for part in import_.module.replace("\\", "/").replace("::", "/").split("/") if part not in ("", ".")
    )
    if "/" not in tail and not tail.endswith("." + ending):
        tail = tail.replace(".", "/")
    tail = tail.removesuffix("." + ending)
    found = nearest_first(files.ending_with(f"{tail}.{ending}"), path)[:1] if tail else []
    return Target(tuple(found), import_.name) if found else None


_RULES: dict[str, Callable[[Import, str, Files], Target | None]] = {
    "python": _python,
    "javascript": _script,
    "typescript": _script,
    "tsx": _script,
    "go": _go,
    "rust": _rust,
    "c": _included,
    "cpp": _included,
    "java": _java,
}
