"""Text to tokens and back: nothing of the user's text is a control token, and none of it is lost."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lsp_server.engine.base import Finished, GenerateRequest, Piece, Sampling, Special, Text
from lsp_server.engine.engine_settings import EngineSettings
from lsp_server.engine.generation import Generation, Job, Step
from lsp_server.engine.lane_table import LaneTable
from lsp_server.engine.llama import LlamaModel
from lsp_server.engine.micro_batch import MicroBatch
from lsp_server.errors import EngineError, TemplateMismatch
from tests.engine.real_hosts import Hosts, answer

pytestmark = pytest.mark.real_model

CONTROL = (
    "<|fim_prefix|>",
    "<|fim_suffix|>",
    "<|fim_middle|>",
    "<role>",
    "</role>",
    "<|startoftext|>",
    "<|endoftext|>",
)
UNUSUAL = {
    "emoji": "print('😀👨‍👩‍👧🏳️‍🌈')\n",
    "CJK": "# 漢字とカタカナ、한글\nx = '中文'\n",
    "combining marks": "e\u0301 a\u0308 \u0928\u093f Z\u0351\u036b\u0343",
    "right to left": "שלום עולם مرحبا",
    "line ends": "a\r\nb\rc\u2028d\x0ce\n\n\n",
    "indentation": "\tif x:\n\t    y\n        \n",
    "NUL": "a\0b\0\0c",
    "other planes": "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 \U0010ffff \ufeff",
    "control tokens": "".join(CONTROL),
}


@pytest.fixture(scope="module")
def loaded(endless_model: Path) -> Iterator[LlamaModel]:
    """One load for all tests here."""
    model = LlamaModel(endless_model, EngineSettings(), lambda _share: None)
    yield model
    model.close()


def _text(model: LlamaModel, tokens: list[int]) -> str:
    return b"".join(map(model.piece, tokens)).decode()


@pytest.mark.parametrize("kind", UNUSUAL)
def test_tokens_give_the_text_back(loaded: LlamaModel, kind: str) -> None:
    """Byte for byte, also where blocks are cut."""
    for text in (UNUSUAL[kind], UNUSUAL[kind] * 300):
        assert _text(loaded, loaded.tokenize(text)) == text


def test_no_text_becomes_a_control_token(loaded: LlamaModel) -> None:
    """Source code may speak of them."""
    control = {loaded.special(token) for token in CONTROL}
    assert len(control) == len(CONTROL)
    for token in CONTROL:
        assert not control & set(loaded.tokenize(f"x = '{token}' # {token}{token}"))


def test_lone_surrogates_become_replacement_characters(loaded: LlamaModel) -> None:
    """Python and JSON can carry them, UTF-8 cannot. A pair in two halves is one character."""
    assert _text(loaded, loaded.tokenize("a\ud800b\udc00")) == "a\ufffdb\ufffd"
    assert _text(loaded, loaded.tokenize("\ud83d\ude00")) == "😀"


def _letters(count: int) -> str:
    return "".join(random.Random(1).choices("abcdefgh", k=count))


HARD: dict[str, Callable[[], str]] = {
    "equal letters": lambda: "a" * 100_000,
    "letters": lambda: _letters(100_000),
    "spaces": lambda: " " * 100_000,
    "newlines": lambda: "\n" * 100_000,
    "empty lines": lambda: "\r\n" * 50_000,
    "tabs": lambda: "\t \u00a0" * 33_000,
    "digits": lambda: "".join(random.Random(1).choices("0123456789", k=100_000)),
    "punctuation": lambda: "".join(random.Random(1).choices("-_+({", k=100_000)),
    "underscores": lambda: "_" * 100_000,
    "marks": lambda: "e" + "\u0301" * 100_000,
    "CJK": lambda: "漢字" * 50_000,
}


@pytest.mark.parametrize("kind", HARD)
def test_long_runs_do_not_hurt_the_tokenizer(loaded: LlamaModel, kind: str) -> None:
    """llama.cpp splits text by recursion: in one piece these are a crash. On an eighth of the host's stack, 8 MB."""
    text, found = HARD[kind](), list[list[int]]()
    before = threading.stack_size(8 * 1024 * 1024)
    try:
        thread = threading.Thread(target=lambda: found.append(loaded.tokenize(text)))
        began = time.monotonic()
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert _text(loaded, found[0]) == text
    assert time.monotonic() - began < 10


@pytest.mark.slow
@pytest.mark.end_to_end
async def test_ten_megabytes_in_one_line(hosts: Hosts, endless_model: Path) -> None:
    """The host counts them in reasonable time, and answers afterwards."""
    client = await hosts.ready_client(endless_model)
    line = "".join(random.Random(1).choices("abc def(1),_", k=409_600)) * 25  # repeats block by block
    began = time.monotonic()
    (count,) = await client.count_tokens((line,))
    assert 1_000_000 < count < len(line)
    assert time.monotonic() - began < 20
    _, finished = await answer(client, GenerateRequest((Text("x = "),), "document", 4))
    assert finished.tokens.generated == 4


@pytest.mark.end_to_end
async def test_odd_characters_cross_the_wire(hosts: Hosts, endless_model: Path) -> None:
    """What the host counts is what the model counts here."""
    client = await hosts.ready_client(endless_model)
    texts = (*UNUSUAL.values(), "a\ud800b", "")
    model = LlamaModel(endless_model, EngineSettings(), lambda _share: None)
    try:
        assert await client.count_tokens(texts) == tuple(len(model.tokenize(text)) for text in texts)
    finally:
        model.close()
    request = GenerateRequest(tuple(map(Text, texts)), "document", 4)
    assert (await answer(client, request))[1].tokens.generated == 4


# Streaming


def _spoken(model: LlamaModel, tokens: list[int], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The pieces that are streamed when the model says these tokens."""
    said = iter(tokens)
    monkeypatch.setattr(model, "sample", lambda _sampling, _among=(): (next(said), -0.5))
    events: list[Piece | Finished | EngineError] = []
    prompt = tuple(model.tokenize("x = '"))
    generation = Generation(
        Job("document", prompt, len(tokens)), model, LaneTable(model, 12288, 8), events.append, MicroBatch(64)
    )
    while generation.step() is Step.MORE:
        pass
    model.cut(0, 0)
    assert isinstance(events[-1], Finished)
    return [event.text for event in events if isinstance(event, Piece)]


@pytest.mark.parametrize("kind", ["emoji", "CJK", "combining marks", "other planes"])
def test_pieces_are_whole_characters(loaded: LlamaModel, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where a character takes several tokens."""
    tokens = loaded.tokenize(UNUSUAL[kind])
    assert any(not _is_utf8(loaded.piece(token)) for token in tokens), "the vocabulary has all of it in one token"
    pieces = _spoken(loaded, tokens, monkeypatch)
    assert "".join(pieces) == UNUSUAL[kind]
    assert "\ufffd" not in "".join(pieces)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_half_a_character_at_the_end_is_left_out(loaded: LlamaModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Generation may end in the middle of one."""
    tokens = loaded.tokenize("a😀")
    assert len(tokens) > 2
    assert "".join(_spoken(loaded, tokens[:-1], monkeypatch)) == "a"


# Control tokens


def test_a_model_says_which_fim_tokens_it_has(loaded: LlamaModel) -> None:
    """By their ids, under llama.cpp's own keys."""
    found = (loaded.info.fim_prefix, loaded.info.fim_suffix, loaded.info.fim_middle)
    assert found == tuple(loaded.special(token) for token in CONTROL[:3])
    assert loaded.info.has_chat_template


def test_a_model_without_fim_tokens_says_so(model_without_fim: Path) -> None:
    """And a prompt that names them is refused."""
    model = LlamaModel(model_without_fim, EngineSettings(), lambda _share: None)
    try:
        assert (model.info.fim_prefix, model.info.fim_suffix, model.info.fim_middle) == (None, None, None)
        with pytest.raises(TemplateMismatch, match=r"no control token <\|fim_prefix\|>"):
            model.special("<|fim_prefix|>")
    finally:
        model.close()


@pytest.mark.parametrize("token", ["<|no_such_token|>", "def", "a", "", -1, 2048])
def test_what_is_no_control_token(loaded: LlamaModel, token: str | int) -> None:
    """A token of plain text is none either: a misspelt template must not pass."""
    with pytest.raises(TemplateMismatch):
        loaded.special(token)


@pytest.mark.end_to_end
@pytest.mark.parametrize("stops", [(), ("<|no_such_token|>",)])
async def test_an_unknown_token_is_refused_over_the_wire(
    hosts: Hosts, endless_model: Path, stops: tuple[str, ...]
) -> None:
    """In the prompt and among the stops."""
    client = await hosts.ready_client(endless_model)
    prompt = (Text("x"),) if stops else (Text("x"), Special("<|no_such_token|>"))
    with pytest.raises(TemplateMismatch, match=r"no_such_token.*lingCoder.fimTemplate"):
        await answer(client, GenerateRequest(prompt, "document", 4, stop_tokens=stops))


# Sampling


def test_the_log_probability_is_that_of_the_token(loaded: LlamaModel) -> None:
    """Greedy takes the likeliest: no token's log-probability is above its own, and it is below zero."""
    loaded.decode(0, loaded.tokenize("def f(x):"), 0, logits=True)
    token, logprob = loaded.sample(Sampling())
    hot = [loaded.sample(Sampling(temperature=2.0, top_k=2048, top_p=1.0, seed=7)) for _ in range(50)]
    loaded.cut(0, 0)
    assert -sys.float_info.max < logprob < 0
    assert all(other <= logprob for _, other in hot)
    assert len({found for found, _ in hot} - {token}) > 5
