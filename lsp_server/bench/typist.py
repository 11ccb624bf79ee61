"""When a person presses the keys: quick bursts with a fixed seed, and the pauses between them.

The time before each key is drawn from one of two log-normal distributions, a fluent and a hesitant one; how often it is
the hesitant one depends on what is begun: a line, a word, or nothing. What this rests on:

- mixtures of fluent and hesitant intervals, each log-normal, describe typing (Roeser et al. 2021,
  doi 10.1007/s11145-021-10203-z; the log-normal fits free text well: Gonzalez et al. 2021,
  doi 10.1016/j.heliyon.2021.e08413);
- 168,000 people typed 52 words a minute on average, 239 ms a key (Dhakal et al., CHI 2018,
  "Observations on Typing from 136 Million Keystrokes"): the mean of all intervals here without pauses over 2 s
  is near that;
- pauses begin at about 500 ms, those over 1.2 s belong to planning (Chukharev-Hudilainen 2014,
  doi 10.17239/jowr-2014.06.01.3), are longer and more frequent at larger borders of the text (word, sentence,
  paragraph: doi 10.1007/s11145-022-10284-4), and those from 2 to 15 s are what programmers take for thoughts about the
  code at hand (Shrestha et al., ICSE-SEET 2022, "Pausing While Programming").

How often somebody hesitates before a word or a line of code is our estimate: nobody published it for this kind of text.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator

from lsp_server.bench.trace import Accept, Action, Ask, Backspace, Jump, Key, Switch

SEED = 20180421

_FLUENT_MEDIAN_MS, _FLUENT_SIGMA = 185.0, 0.4
_HESITANT_SIGMA = 0.6
_LEAST_MS, _MOST_MS = 30.0, 8000.0

_WITHIN_A_WORD = (0.01, 600.0)
"""Share of hesitant intervals, and their median in ms."""
_BEFORE_A_WORD = (0.10, 900.0)
_BEFORE_A_LINE = (0.50, 1500.0)
_ELSEWHERE = (0.90, 1800.0)
"""At a place that the caret has jumped to, and behind an accepted suggestion, which must be read first."""


def pauses_ms(actions: Iterable[Action], seed: int = SEED) -> Iterator[float]:
    """The time before each action, in ms; asking takes none, because editors do it by themselves."""
    numbers = random.Random(seed)  # noqa: S311 - no secret
    before: Action | None = None
    for action in actions:
        if isinstance(action, Ask):
            yield 0.0
        else:
            yield _pause_ms(numbers, *_hesitation(before, action))
            before = action


def _hesitation(before: Action | None, action: Action) -> tuple[float, float]:
    """How often somebody hesitates here, and how long."""
    if isinstance(action, (Jump, Switch, Accept)) or isinstance(before, (Jump, Switch, Accept, type(None))):
        return _ELSEWHERE
    if isinstance(before, Key) and before.character == "\n":
        return _BEFORE_A_LINE
    if isinstance(action, Backspace) != isinstance(before, Backspace):
        return _BEFORE_A_WORD  # an error was noticed, or is corrected
    in_a_word = isinstance(before, Key) and (before.character.isalnum() or before.character == "_")
    return _WITHIN_A_WORD if in_a_word or isinstance(action, Backspace) else _BEFORE_A_WORD


def _pause_ms(numbers: random.Random, hesitant_share: float, hesitant_median_ms: float) -> float:
    hesitant = numbers.random() < hesitant_share
    median_ms, sigma = (hesitant_median_ms, _HESITANT_SIGMA) if hesitant else (_FLUENT_MEDIAN_MS, _FLUENT_SIGMA)
    return min(_MOST_MS, max(_LEAST_MS, numbers.lognormvariate(math.log(median_ms), sigma)))
