"""What the user has switched off: everything, a language, or files by their paths."""

from __future__ import annotations

from functools import lru_cache

from pathspec import GitIgnoreSpec

from lsp_server.documents.languages import canonical_id
from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.settings import Settings


def everything(_: DocumentSnapshot, settings: Settings) -> bool:
    """`lingCoder.enabled`."""
    return not settings.enabled


def language(snapshot: DocumentSnapshot, settings: Settings) -> bool:
    """`lingCoder.disabledLanguages`; other names of a language mean it as well."""
    ids = map(canonical_id, settings.disabled_languages)
    return bool(settings.disabled_languages) and canonical_id(snapshot.language_id) in ids


def path(snapshot: DocumentSnapshot, settings: Settings) -> bool:
    """`lingCoder.disabledPaths`, read as lines of a `.gitignore`: the last one that fits decides."""
    if not settings.disabled_paths or snapshot.path is None:
        return False
    return _compiled(settings.disabled_paths).match_file(snapshot.path)


@lru_cache(maxsize=8)
def _compiled(patterns: tuple[str, ...]) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines(pattern for pattern in patterns if _is_readable(pattern))


def _is_readable(pattern: str) -> bool:
    try:
        GitIgnoreSpec.from_lines([pattern])
    except ValueError:  # such as "!": it names nothing
        return False
    return True
