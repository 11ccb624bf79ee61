"""What may be learned from: names, licences and paths."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest

from models.tiny import gather
from models.tiny.clients import CLIENTS
from models.tiny.data import RecipeError
from models.tiny.licences import debian_licence, debian_stanzas, permitted, recognise
from models.tiny.names import mentions_benchmark, refused_package, refused_path
from models.tiny.paths import objection_to_path, objection_to_text, sources_only
from models.tiny.unpack import Statement, inner_path, members

REFUSED_PACKAGES = [
    "click", "Click", "click-plugins", "rich-click", "pytest", "PyTest", "pytest_asyncio", "hono", "@hono/node-server",
    "zod", "zod3", "@scope/zod", "fzf", "golang-github-junegunn-fzf-dev", "golang-github-caddyserver-certmagic-dev",
    "caddy", "ripgrep", "librust-ripgrep-dev", "librust-globset-dev", "librust-grep-searcher-dev", "axum",
    "librust-axum-core-dev", "axum-0.6", "libuv", "libuv1", "libuv1-dev", "jq", "jq-dev", "fastapi", "FastAPI",
    "starlette", "huggingface_hub", "huggingface-hub", "Huggingface.Hub", "picklescan", "lance", "lancedb", "pylance",
    "@lancedb/lancedb", "helix", "helix-core", "cached", "librust-cached-dev", "async-executor", "async_executor",
    "librust-async-executor-1-dev", "constrandom", "io-ts", "io_ts", "vscode-copilot-chat", "HumanEval", "human-eval",
    "human_eval_x", "HumanEvalPack", "multipl-e", "MultiPL_E", "CrossCodeEval", "cceval",
]  # fmt: skip


@pytest.mark.parametrize("name", REFUSED_PACKAGES)
def test_refuses_a_project_in_every_spelling(name: str) -> None:
    assert refused_package(name)


@pytest.mark.parametrize(
    "name", ["requests", "jquery", "clickhouse-driver", "multiple", "librust-serde-dev", "fp-ts", "balance", "caching"]
)
def test_lets_other_names_pass(name: str) -> None:
    assert not refused_package(name)


@pytest.mark.parametrize(
    "path",
    [
        "pip/_vendor/click/core.py", "a/click-8.1.7/core.py", "node_modules/zod/index.ts", "deps/libuv1/src/core.c",
        "src/_pytest/main.py", "vendor/github.com/junegunn/fzf/main.go", "data/human_eval.py",
        "bench/HumanEval-X/a.go", "lib/jq.c", "x/multipl-e/prompts.py",
    ],
)  # fmt: skip
def test_refuses_copies_inside_other_packages(path: str) -> None:
    assert refused_path(path)


@pytest.mark.parametrize("path", ["src/onclick.ts", "jquery/jq_plugins.js", "core/multiple.py", "a/ignore/b.go"])
def test_lets_other_paths_pass(path: str) -> None:
    assert not refused_path(path)


def test_refuses_texts_that_name_a_benchmark() -> None:
    assert mentions_benchmark("# scores on Human-Eval\n")
    assert mentions_benchmark("def has_close_elements(numbers, threshold): ...")
    assert not mentions_benchmark("multiple elements, evaluated by a human")


def test_no_listed_package_is_refused_and_every_expected_licence_passes() -> None:
    packages = gather.read_packages(gather.PACKAGES_FILE)
    assert len(packages) <= gather.MOST_PACKAGES
    assert [name for _, name, _ in packages if refused_package(name)] == []
    assert [name for _, name, licence in packages if not permitted(licence)] == []


@pytest.mark.parametrize(
    ("said", "spdx"),
    [
        ("MIT", "MIT"),
        ("Expat", "MIT"),
        ("MIT/Apache-2.0", "MIT OR Apache-2.0"),
        ("BSD-3-clause or GPL-2", "BSD-3-Clause"),
        ("BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0", "BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0"),
        ("(MIT OR Apache-2.0)", "MIT OR Apache-2.0"),
        ("OSI Approved :: BSD License", "BSD-3-Clause"),
        ("Unlicense OR MIT", "Unlicense OR MIT"),
    ],
)
def test_passes_permissive_licences(said: str, spdx: str) -> None:
    assert permitted(said) == spdx


@pytest.mark.parametrize(
    "said",
    [
        "", "LGPL-2.1", "GPL-3.0-or-later", "MPL-2.0", "MIT AND MPL-2.0", "BSD-3-Clause AND GPL-2.0",
        "SEE LICENSE IN x", "UNLICENSED", "Proprietary", "Apache-2.0 WITH something", "CC-BY-4.0", "(MIT AND GPL-2.0)",
        "EPL-2.0",
        "(MIT OR Apache-2.0) AND LGPL-3.0",
    ],
)  # fmt: skip
def test_refuses_other_licences(said: str) -> None:
    assert permitted(said) is None


def test_recognises_a_licence_by_its_words() -> None:
    assert recognise("Permission is hereby granted, free of charge, to any ... without\n restriction") == "MIT"
    assert recognise("Redistribution and use in source and binary forms. GNU General Public License") is None
    assert recognise("All rights reserved.") is None


COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Files-Excluded:
 junk/*

Files: *
Copyright: somebody
License: Expat

Files: src/borrowed/*
 tools/gnu.c
Copyright: somebody else
License: GPL-2
"""


def test_reads_debians_notes_on_single_files() -> None:
    stanzas = debian_stanzas(COPYRIGHT)
    assert debian_licence(stanzas, "src/own.c") == "Expat"
    assert debian_licence(stanzas, "src/borrowed/deep/a.c") == "GPL-2"
    assert debian_licence(stanzas, "tools/gnu.c") == "GPL-2"


@pytest.mark.parametrize(
    "path",
    [
        "pkg/tests/test_a.py", "pkg/test_a.py", "a/b_test.go", "src/a.spec.ts", "vendor/x/a.go", "lib/a.min.js",
        "dist/a.js", "src/types.d.ts", "locale/de/formats.py", "api/a.pb.go", "third_party/x.c", "app/a_pb2.py",
    ],
)  # fmt: skip
def test_leaves_out_what_is_tested_copied_or_built(path: str) -> None:
    assert objection_to_path(path)


@pytest.mark.parametrize("path", ["pkg/app.py", "src/latest.ts", "net/http/server.go", "src/lib.rs", "core/contest.py"])
def test_keeps_what_a_person_wrote(path: str) -> None:
    assert objection_to_path(path) == ""


LINES = "def add(first, second):\n    return first + second\n" * 8


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (LINES, ""),
        ("x = 1\n", "size"),
        (LINES + "a" * 500, "long lines"),
        ("0x00, 0x01, 0x02,\n" * 40, "few letters"),
        ("// Code generated by a tool. DO NOT EDIT.\n" + LINES, "built"),
    ],
)
def test_looks_at_the_text(text: str, reason: str) -> None:
    assert objection_to_text(text) == reason


def test_takes_only_the_folder_of_sources_where_there_is_one() -> None:
    assert sources_only(["index.js", "lib/a.js", "src/a.ts"]) == ["src/a.ts"]
    assert sources_only(["index.js", "lib/a.js"]) == ["index.js", "lib/a.js"]


@pytest.mark.parametrize(
    ("ecosystem", "path", "inner"),
    [
        ("npm", "package/src/a.ts", "src/a.ts"),
        ("debian-source", "zlib-1.2/inflate.c", "inflate.c"),
        ("debian", "usr/share/cargo/registry/nom-7.1.1/src/lib.rs", "src/lib.rs"),
        ("debian", "usr/share/gocode/src/github.com/spf13/cobra/args.go", "args.go"),
        ("debian", "usr/share/gocode/src/golang.org/x/net/html/node.go", "html/node.go"),
        ("debian", "usr/share/doc/nom/copyright", ""),
        ("python", "flask/app.py", "flask/app.py"),
        ("python", "../outside.py", ""),
        ("python", "/etc/outside.py", ""),
    ],
)
def test_sees_paths_as_somebody_who_works_on_the_project(ecosystem: str, path: str, inner: str) -> None:
    assert inner_path(ecosystem, path) == inner


def _npm_archive(file: Path, licence: str) -> None:
    content = {
        "package/package.json": json.dumps({"name": "x", "license": licence}),
        "package/src/a.ts": "export const a = 1\n",
        "package/src/zod/b.ts": "export const b = 1\n",
        "package/readme.md": "# x\n",
    }
    with tarfile.open(file, "w:gz") as tar:
        for name, text in content.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))


def test_gathers_a_package_and_writes_down_where_it_is_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(name: str, folder: Path) -> list[Path]:
        _npm_archive(folder / f"{name}-1.2.3.tgz", "GPL-3.0" if name == "copyleft" else "MIT")
        return list(folder.glob("*.tgz"))

    monkeypatch.setitem(CLIENTS, "npm", fetch)
    packages = [("npm", name, "MIT") for name in ("good", "copyleft", "click")]
    refused = gather.gather(tmp_path, packages)
    assert sorted(refused) == ["npm/click", "npm/copyleft"]
    (entry,) = json.loads((tmp_path / "manifest.json").read_text())
    assert (entry["name"], entry["version"], entry["licence"]) == ("good", "1.2.3", "MIT")
    assert len(entry["sha256"]) == 64
    assert entry["dropped_files"] == {"licence": 0, "refused name": 1}
    files = [path.name for path in (tmp_path / "sources").rglob("*") if path.is_file()]
    assert files == ["a.ts"]
    monkeypatch.setitem(CLIENTS, "npm", lambda name, folder: pytest.fail("fetched again"))
    assert gather.gather(tmp_path, packages[:1]) == {}


def test_a_client_that_refuses_is_reported_and_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(name: str, folder: Path) -> list[Path]:
        raise RecipeError("no such package")

    monkeypatch.setitem(CLIENTS, "npm", fetch)
    assert gather.gather(tmp_path, [("npm", "lost", "MIT")]) == {"npm/lost": "no such package"}


@pytest.mark.parametrize(
    ("headers", "licence"),
    [
        ("License-Expression: MIT", "MIT"),
        ("License: BSD\nClassifier: License :: OSI Approved :: BSD License", "BSD-3-Clause"),
        ("Classifier: License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)", None),
        ("Summary: says nothing", None),
    ],
)
def test_reads_the_licence_of_a_wheel(tmp_path: Path, headers: str, licence: str | None) -> None:
    wheel = tmp_path / "x-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("x/__init__.py", "")
        archive.writestr("x-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: x\n{headers}\n\ntext\n")
        archive.writestr("x/vendored/y-2.0.dist-info/METADATA", "License-Expression: MIT\n\n")
    statement = Statement()
    for path, content in members(wheel):
        statement.see(path, content)
    assert statement.licence()[0] == licence


def test_too_many_packages_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "packages.toml"
    file.write_text("[npm]\n" + "".join(f'p{number} = "MIT"\n' for number in range(141)))
    with pytest.raises(RecipeError, match="141 packages"):
        gather.read_packages(file)
