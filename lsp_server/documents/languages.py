"""What the product knows about each language, by LSP language id. An unknown language works on text alone.

Ids are those of the LSP specification ("Text document language identifiers") and those that VS Code, Neovim, Emacs and
Helix send beside them. Grammars are names in `tree_sitter_language_pack`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class BlockStyle(Enum):
    """What holds the lines of a block together."""

    INDENTATION = "indentation"
    BRACES = "braces"
    KEYWORDS = "keywords"
    NONE = "none"
    """Text, data and markup: there are no blocks of code."""


@dataclass(frozen=True, slots=True)
class Language:
    """One row of the table."""

    grammar: str | None
    blocks: BlockStyle
    line_comment: str = ""
    """What begins a comment to the end of the line; empty where there is none."""
    block_comment: tuple[str, str] | None = None
    files: tuple[str, ...] = ()
    """Endings of file names, without the dot."""
    names: tuple[str, ...] = ()
    """Whole file names."""
    end_keywords: tuple[str, ...] = ()
    """What ends a block where keywords do."""


_C = ("/*", "*/")
_XML = ("<!--", "-->")
_INDENTATION, _BRACES, _KEYWORDS, _NONE = BlockStyle


def _braces(grammar: str | None, *files: str, names: tuple[str, ...] = ()) -> Language:
    """The commonest row: braces, `//` and `/* */`."""
    return Language(grammar, _BRACES, "//", _C, files, names)


LANGUAGES: dict[str, Language] = {
    "ada": Language("ada", _KEYWORDS, "--", None, ("adb", "ads"), (), ("end",)),
    "asm": Language("asm", _NONE, ";", None, ("asm",)),
    "astro": Language("astro", _BRACES, "", _XML, ("astro",)),
    "bat": Language(None, _NONE, "REM", None, ("bat", "cmd")),
    "bibtex": Language("bibtex", _BRACES, "%", None, ("bib",)),
    "c": _braces("c", "c", "h"),
    "clojure": Language("clojure", _NONE, ";;", None, ("clj", "cljs", "cljc", "edn")),
    "cmake": Language("cmake", _KEYWORDS, "#", ("#[[", "]]"), ("cmake",), ("cmakelists.txt",), ("endif", "endforeach")),
    "coffeescript": Language(None, _INDENTATION, "#", ("###", "###"), ("coffee",)),
    "cpp": _braces("cpp", "cc", "cpp", "cxx", "c++", "hh", "hpp", "hxx", "ipp", "inl"),
    "csharp": _braces("csharp", "cs", "csx"),
    "css": Language("css", _BRACES, "", _C, ("css",)),
    "cuda-cpp": _braces("cuda", "cu", "cuh"),
    "d": _braces("d", "d", "di"),
    "dart": _braces("dart", "dart"),
    "dockerfile": Language("dockerfile", _NONE, "#", None, ("dockerfile",), ("dockerfile", "containerfile")),
    "elixir": Language("elixir", _KEYWORDS, "#", None, ("ex", "exs"), (), ("end",)),
    "elm": Language("elm", _INDENTATION, "--", ("{-", "-}"), ("elm",)),
    "emacs-lisp": Language("elisp", _NONE, ";;", None, ("el",), (".emacs",)),
    "erlang": Language("erlang", _KEYWORDS, "%", None, ("erl", "hrl"), (), ("end",)),
    "fish": Language("fish", _KEYWORDS, "#", None, ("fish",), (), ("end",)),
    "fortran": Language("fortran", _KEYWORDS, "!", None, ("f90", "f95", "f03", "f08"), (), ("end",)),
    "fsharp": Language("fsharp", _INDENTATION, "//", ("(*", "*)"), ("fs", "fsi", "fsx")),
    "gdscript": Language("gdscript", _INDENTATION, "#", None, ("gd",)),
    "gleam": Language("gleam", _BRACES, "//", None, ("gleam",)),
    "glsl": _braces("glsl", "glsl", "vert", "frag"),
    "go": _braces("go", "go"),
    "go.mod": Language("gomod", _NONE, "//", None, (), ("go.mod",)),
    "graphql": Language("graphql", _BRACES, "#", None, ("graphql", "gql")),
    "groovy": _braces("groovy", "groovy", "gradle"),
    "haskell": Language("haskell", _INDENTATION, "--", ("{-", "-}"), ("hs",)),
    "hlsl": _braces("hlsl", "hlsl"),
    "html": Language("html", _NONE, "", _XML, ("html", "htm", "xhtml")),
    "ini": Language("ini", _NONE, ";", None, ("ini", "cfg", "conf"), (".editorconfig", ".gitconfig")),
    "java": _braces("java", "java"),
    "javascript": _braces("javascript", "js", "mjs", "cjs"),
    "javascriptreact": _braces("javascript", "jsx"),
    "json": Language("json", _BRACES, "", None, ("json", "webmanifest"), (".prettierrc", "composer.lock")),
    "jsonc": _braces("json", "jsonc", "code-workspace", names=("tsconfig.json",)),
    "jsonl": Language(None, _NONE, "", None, ("jsonl",)),
    "julia": Language("julia", _KEYWORDS, "#", ("#=", "=#"), ("jl",), (), ("end",)),
    "kotlin": _braces("kotlin", "kt", "kts"),
    "latex": Language("latex", _KEYWORDS, "%", None, ("tex", "sty", "cls"), (), ("\\end",)),
    "less": Language(None, _BRACES, "//", _C, ("less",)),
    "lisp": Language("commonlisp", _NONE, ";;", ("#|", "|#"), ("lisp", "lsp", "cl")),
    "lua": Language("lua", _KEYWORDS, "--", ("--[[", "]]"), ("lua",), (), ("end", "until")),
    "makefile": Language("make", _NONE, "#", None, ("mk", "mak"), ("makefile", "gnumakefile")),
    "markdown": Language("markdown", _NONE, "", _XML, ("md", "markdown", "mdx")),
    "matlab": Language("matlab", _KEYWORDS, "%", ("%{", "%}"), (), (), ("end",)),
    "meson": Language("meson", _KEYWORDS, "#", None, (), ("meson.build",), ("endif", "endforeach")),
    "nim": Language("nim", _INDENTATION, "#", ("#[", "]#"), ("nim", "nims")),
    "nix": Language("nix", _BRACES, "#", _C, ("nix",)),
    "objective-c": _braces("objc", "m"),
    "objective-cpp": _braces("objc", "mm"),
    "ocaml": Language("ocaml", _NONE, "", ("(*", "*)"), ("ml",)),
    "ocaml.interface": Language("ocaml_interface", _NONE, "", ("(*", "*)"), ("mli",)),
    "odin": _braces("odin", "odin"),
    "pascal": Language("pascal", _KEYWORDS, "//", ("{", "}"), ("pas", "pp", "dpr"), (), ("end",)),
    "perl": Language("perl", _BRACES, "#", None, ("pl", "pm")),
    "php": _braces("php", "php"),
    "plaintext": Language(None, _NONE, "", None, ("txt",)),
    "powershell": Language("powershell", _BRACES, "#", ("<#", "#>"), ("ps1", "psm1", "psd1")),
    "proto3": _braces("proto", "proto"),
    "python": Language("python", _INDENTATION, "#", None, ("py", "pyi", "pyw")),
    "r": Language("r", _BRACES, "#", None, ("r",), (".rprofile",)),
    "racket": Language("racket", _NONE, ";;", ("#|", "|#"), ("rkt",)),
    "restructuredtext": Language("rst", _NONE, "..", None, ("rst",)),
    "ruby": Language(
        "ruby", _KEYWORDS, "#", ("=begin", "=end"), ("rb", "rake", "gemspec"), ("gemfile", "rakefile"), ("end",)
    ),
    "rust": _braces("rust", "rs"),
    "sass": Language(None, _INDENTATION, "//", _C, ("sass",)),
    "scala": _braces("scala", "scala", "sc", "sbt"),
    "scheme": Language("scheme", _NONE, ";;", ("#|", "|#"), ("scm", "ss")),
    "scss": Language("scss", _BRACES, "//", _C, ("scss",)),
    "shellscript": Language(
        "bash", _KEYWORDS, "#", None, ("sh", "bash", "zsh"), (".bashrc", ".zshrc", ".profile"),
        ("fi", "done", "esac", "}"),
    ),
    "solidity": _braces("solidity", "sol"),
    "sql": Language("sql", _NONE, "--", _C, ("sql",)),
    "starlark": Language("starlark", _INDENTATION, "#", None, ("bzl", "star"), ("build", "build.bazel", "workspace")),
    "svelte": Language("svelte", _NONE, "", _XML, ("svelte",)),
    "swift": _braces("swift", "swift"),
    "tcl": Language("tcl", _BRACES, "#", None, ("tcl",)),
    "terraform": Language("terraform", _BRACES, "#", _C, ("tf", "tfvars", "hcl")),
    "toml": Language("toml", _NONE, "#", None, ("toml",), ("cargo.lock", "poetry.lock", "uv.lock")),
    "typescript": _braces("typescript", "ts", "mts", "cts"),
    "typescriptreact": _braces("tsx", "tsx"),
    "typst": Language("typst", _BRACES, "//", _C, ("typ",)),
    "v": _braces("v", "v"),
    "verilog": Language("verilog", _KEYWORDS, "//", _C, ("sv", "svh", "vh"), (), ("end", "endmodule", "endfunction")),
    "vhdl": Language("vhdl", _KEYWORDS, "--", None, ("vhd", "vhdl"), (), ("end",)),
    "vim": Language("vim", _KEYWORDS, '"', None, ("vim",), (".vimrc",), ("endif", "endfor", "endfunction", "endwhile")),
    "vue": Language("vue", _NONE, "", _XML, ("vue",)),
    "wgsl": _braces("wgsl", "wgsl"),
    "xml": Language("xml", _NONE, "", _XML, ("xml", "xsd", "xsl", "svg", "plist", "csproj")),
    "yaml": Language("yaml", _INDENTATION, "#", None, ("yml", "yaml"), (".clang-format",)),
    "zig": Language("zig", _BRACES, "//", None, ("zig", "zon")),
}  # fmt: skip

UNKNOWN = Language(None, BlockStyle.NONE)

_ALIASES = {
    "sh": "shellscript", "bash": "shellscript", "zsh": "shellscript", "shell": "shellscript", "js": "javascript",
    "jsx": "javascriptreact", "javascript.jsx": "javascriptreact", "ts": "typescript", "tsx": "typescriptreact",
    "typescript.tsx": "typescriptreact", "py": "python", "rs": "rust", "rb": "ruby", "golang": "go", "cs": "csharp",
    "c#": "csharp", "c_sharp": "csharp", "c++": "cpp", "objc": "objective-c", "objcpp": "objective-cpp",
    "cuda": "cuda-cpp", "cu": "cuda-cpp", "tex": "latex", "plaintex": "latex", "make": "makefile", "proto": "proto3",
    "protobuf": "proto3", "docker": "dockerfile", "elisp": "emacs-lisp", "lisp-interaction": "emacs-lisp",
    "commonlisp": "lisp", "common-lisp": "lisp", "rst": "restructuredtext", "hcl": "terraform", "gomod": "go.mod",
    "ps1": "powershell", "perl6": "perl", "raku": "perl", "systemverilog": "verilog", "bzl": "starlark",
    "bazel": "starlark", "f90": "fortran", "FortranFreeForm": "fortran", "viml": "vim", "yml": "yaml",
    "dosbatch": "bat", "text": "plaintext", "txt": "plaintext", "json5": "jsonc", "jsonlines": "jsonl",
    "delphi": "pascal", "dosini": "ini", "properties": "ini", "markdown.mdx": "markdown", "mdx": "markdown",
    "ocaml_interface": "ocaml.interface",
}  # fmt: skip
"""Other ids that editors send."""

_BY_ENDING = {ending: name for name, language in LANGUAGES.items() for ending in language.files}
_BY_NAME = {whole: name for name, language in LANGUAGES.items() for whole in language.names}

_DEFAULT_COMMENT = "#"


def language_of(file_name: str) -> str:
    """The LSP language id that an editor would give to this file; `plaintext` when unknown."""
    name = file_name.replace("\\", "/").rpartition("/")[2].lower()
    _, dot, ending = name.rpartition(".")
    return _BY_NAME.get(name) or _BY_ENDING.get(ending if dot else "", "plaintext")


def canonical_id(language_id: str) -> str:
    """The name in the table for whatever an editor calls a language; unknown ones stay what they are."""
    return _ALIASES.get(language_id, language_id)


def language(language_id: str, path: str | None = None) -> Language:
    """The row for a document: by its id or, where that says nothing, by its file name."""
    known = LANGUAGES.get(canonical_id(language_id))
    if path is not None and (known is None or known is LANGUAGES["plaintext"]):
        known = LANGUAGES[language_of(path)]
    return known or UNKNOWN


def grammar_of(language_id: str, path: str | None = None) -> str | None:
    """The grammar for a document; `None` where there is none."""
    return language(language_id, path).grammar


def comment_mark(language_id: str) -> str:
    """How a comment line begins; `#` for languages without such a mark."""
    return language(language_id).line_comment or _DEFAULT_COMMENT
