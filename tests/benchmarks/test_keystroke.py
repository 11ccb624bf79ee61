"""What the benchmark of keys types, and what it prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import keystroke
from benchmarks.keystroke import COLUMNS, place_in, sample_of, type_in
from benchmarks.keystroke_texts import SAMPLES, Sample
from lsp_server.documents.syntax import parse
from lsp_server.documents.text_lines import TextLines, split_lines


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.language)
def test_what_is_typed_is_code(sample: Sample) -> None:
    """Broken on the way, whole before and after."""
    text = sample.text(100)
    lines = TextLines(text)
    place = place_in(sample, text)
    assert lines.line(place[0]) == sample.before
    for whole in ("", sample.typed):
        lines.replace(place, place, whole)
        syntax = parse(sample.language, None, lines.frozen())
        assert syntax is not None
        assert syntax.errors() == 0
    assert len(split_lines(sample.text(10_000))) >= 10_000


async def test_every_key_is_timed() -> None:
    """In each part, and the parts are no more than the whole."""
    text = SAMPLES[0].text(30)
    found = await type_in("python", text, place_in(SAMPLES[0], text), "\n\nx = 1")
    assert set(found) == set(COLUMNS)
    assert {len(times) for times in found.values()} == {7}
    for number, key_ms in enumerate(found["key"]):
        assert sum(found[part][number] for part in keystroke.PARTS) <= key_ms + 0.001
        assert found["text"][number] > 0 < found["parse"][number]


def test_somebodys_own_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is repeated until it is long enough; braces are left alone."""
    file = tmp_path / "a.go"
    file.write_text("package a\n\nfunc f() int {\n\treturn 1\n}\n", encoding="utf-8")
    assert sample_of(file).text(12).count("func f() int {\n") == 3
    monkeypatch.setattr("sys.argv", ["keystroke", "--lines", "20", "--file", str(file)])
    keystroke.main()
    assert "go" in capsys.readouterr().out.splitlines()[-1]
