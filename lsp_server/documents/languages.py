"""What the product knows about each language, by LSP language id. An unknown language works on text alone."""

from __future__ import annotations

_HASH = (
    "python", "ruby", "shellscript", "perl", "r", "yaml", "toml", "makefile", "dockerfile", "elixir", "julia", "nim",
)  # fmt: skip
_SLASHES = (
    "javascript", "javascriptreact", "typescript", "typescriptreact", "go", "rust", "c", "cpp", "java", "csharp",
    "kotlin", "swift", "php", "scala", "dart", "zig", "objective-c", "groovy", "jsonc", "proto3",
)  # fmt: skip
_DASHES = ("lua", "sql", "haskell", "ada", "elm", "vhdl")

COMMENT_MARKS: dict[str, str] = {
    **dict.fromkeys(_HASH, "#"),
    **dict.fromkeys(_SLASHES, "//"),
    **dict.fromkeys(_DASHES, "--"),
    "clojure": ";;",
    "lisp": ";;",
    "erlang": "%",
    "latex": "%",
}
"""The mark that begins a comment to the end of the line."""

_BY_ENDING = {
    "py": "python", "pyi": "python", "js": "javascript", "mjs": "javascript", "cjs": "javascript",
    "jsx": "javascriptreact", "ts": "typescript", "tsx": "typescriptreact", "go": "go", "rs": "rust", "c": "c",
    "h": "c", "cc": "cpp", "cpp": "cpp", "hpp": "cpp", "cxx": "cpp", "java": "java", "cs": "csharp", "kt": "kotlin",
    "swift": "swift", "php": "php", "rb": "ruby", "sh": "shellscript", "lua": "lua", "sql": "sql", "yml": "yaml",
    "yaml": "yaml", "toml": "toml", "md": "markdown", "json": "json", "html": "html", "css": "css", "scala": "scala",
    "hs": "haskell", "ex": "elixir", "zig": "zig",
}  # fmt: skip


def comment_mark(language_id: str) -> str:
    """How a comment line begins; `#` for languages that are not in the table."""
    return COMMENT_MARKS.get(language_id, "#")


def language_of(file_name: str) -> str:
    """The LSP language id that an editor would give to this file; `plaintext` when unknown."""
    return _BY_ENDING.get(file_name.rpartition(".")[2].lower(), "plaintext")
