"""Trains the demo model: `python -m models.tiny.train --minutes 70`.

Stops by time and can be stopped and resumed at will: the checkpoint holds all that the next step needs. Ctrl-C saves.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from types import FrameType

import torch
from torch import Tensor, distributed
from torch.multiprocessing.spawn import spawn

from models.tiny.checkpoint import TrainingError, check_room, load_checkpoint, save_checkpoint
from models.tiny.copying_heads import can_copy, set_copying_heads
from models.tiny.loss import compile_loss
from models.tiny.model import Bailing
from models.tiny.optimizer import build_optimizers, learning_rate_share, set_learning_rate
from models.tiny.progress import Clock, Log
from models.tiny.shards import Batch, Shards, ShardsError, training_shards
from models.tiny.train_options import Options, parse_options

SAVE_EVERY_S = 180.0
HELD_BACK_ROWS = 16
BALANCE_FACTOR = 0.01
"""Of the experts' balance in the loss, as in Switch Transformers."""
LONGEST_GRADIENT = 1.0
RESERVED_IDS = 16
"""The last ids of the vocabulary: no text."""


class Training:
    """One process's part of a run: the model, its optimizers, and where in the data it is."""

    def __init__(self, options: Options, rank: int) -> None:
        torch.manual_seed(options.seed)
        self.options, self.rank = options, rank
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        compute = torch.bfloat16 if options.bf16 else torch.float32
        model = Bailing(options.shape, compute=compute)
        if options.copying_heads and can_copy(options.shape):
            set_copying_heads(model)
        self.model = model.to(self.device)
        self.optimizers = build_optimizers(self.model, options.learning_rate)
        self.shards = Shards(options.shards, seed=options.seed, middle_weight=options.middle_weight)
        self.long: Shards | None = None
        self.step, self.tokens, self.progress = 0, 0, 0.0
        self.asked_to_stop = self.stop = False
        self.clock = Clock(options.minutes, options.until)
        self.log = Log(options.work / "log.jsonl") if rank == 0 else None

    def run(self) -> None:
        """Steps until the time is up, or somebody says stop."""
        self._look_for_shards()
        while self.progress < 1.0 and not self._over():
            lap = self.clock.lap()
            losses = self._one_step()
            if self.log and self.step % 10 == 0:
                self.log.step(self, losses, lap)
            if self.step % self.options.check_every == 0:
                self._look_for_shards()
                self.check()
            if self.rank == 0 and self.clock.since_saved() > SAVE_EVERY_S:
                self.save()
        self.check()
        if self.rank == 0:
            self.save()

    def _over(self) -> bool:
        return self.stop or (self.options.steps > 0 and self.step >= self.options.steps)

    def _one_step(self) -> Tensor:
        batch = self._batch()
        result = self.model(*(part.to(self.device) for part in batch))
        (result.loss + BALANCE_FACTOR * result.balance).backward()
        losses = self._together(torch.stack((result.loss.detach(), result.balance.detach())).cpu())
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), LONGEST_GRADIENT)
        set_learning_rate(self.optimizers, learning_rate_share(self.step, self.progress))
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        self.step += 1
        self.tokens += batch.tokens.numel() * self.options.workers
        return losses

    def _batch(self) -> Batch:
        options = self.options
        if self.progress >= options.long_from and (long := self.long_shards()):
            rows = max(1, options.rows * (self.shards.row_tokens - 1) // (long.row_tokens - 1))
            return long.next(rows, self.rank, options.workers)
        batch = self._plain_batch()
        if self.progress < options.repeats_until:
            return self.shards.with_repeats(batch, options.vocabulary - RESERVED_IDS, self.step, self.rank)
        return batch

    def _plain_batch(self) -> Batch:
        options = self.options
        if self.progress < options.diet_until and self.step % 2 and self.shards.has("diet.npy"):
            return self.shards.next_diet(options.rows, self.rank, options.workers)
        return self.shards.next(options.rows, self.rank, options.workers)

    def long_shards(self) -> Shards | None:
        """The longer rows, which may be made while the training runs."""
        folder = self.options.long_shards
        if self.long is None and folder and (folder / "READY.json").exists():
            self.long = Shards(folder, seed=self.options.seed, middle_weight=self.options.middle_weight)
            self.long.use(training_shards(folder))
        return self.long

    def _together(self, losses: Tensor) -> Tensor:
        """Averages gradients and losses over the processes; the first one's clock and signals hold for all."""
        said = torch.tensor([self.clock.progress(), float(self.asked_to_stop)]) * (self.rank == 0)
        if self.options.workers > 1:
            gradients = [parameter.grad for parameter in self.model.parameters() if parameter.grad is not None]
            flat = torch.cat([*(gradient.flatten() for gradient in gradients), losses, said * self.options.workers])
            distributed.all_reduce(flat)
            flat /= self.options.workers
            sizes = [*(gradient.numel() for gradient in gradients), 2, 2]
            *averages, losses, said = torch.split(flat, sizes)
            for gradient, average in zip(gradients, averages, strict=True):
                gradient.copy_(average.view_as(gradient))
        self.progress, self.stop = float(said[0]), bool(said[1])
        return losses

    def _look_for_shards(self) -> None:
        names = [training_shards(self.options.shards)]
        if self.options.workers > 1:
            distributed.broadcast_object_list(names)
        self.shards.use(names[0])

    @torch.no_grad()
    def check(self) -> None:
        """Logs the loss of held-back rows: of all tokens, and of those in middles."""
        if self.log is None or not self.shards.has("heldback.npy"):
            return
        batch = self.shards.held_back(HELD_BACK_ROWS)
        plain, middles = torch.ones_like(batch.weights), batch.weights
        losses = [self._held_back_loss(batch, weights) for weights in (plain, middles)]
        self.log.check(self, *losses)

    def _held_back_loss(self, batch: Batch, weights: Tensor) -> float:
        total = 0.0
        for begin in range(0, len(weights), self.options.rows):
            part = [values[begin : begin + self.options.rows].to(self.device) for values in (*batch[:2], weights)]
            total += float(self.model(*part).loss * part[2].sum())
        return total / float(weights.sum())

    def save(self) -> None:
        """Writes the checkpoint."""
        save_checkpoint(self.options.work / "checkpoint.pt", self)
        self.clock.saved()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    options = parse_options(arguments)
    try:
        check_room(options)
        if options.workers == 1:
            _work(0, options, None)
        else:
            with tempfile.TemporaryDirectory() as folder:
                spawn(_work, (options, f"file://{folder}/meeting"), nprocs=options.workers)  # type: ignore[no-untyped-call]
    except (TrainingError, ShardsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _work(rank: int, options: Options, meeting: str | None) -> None:
    """One process from its start to its end."""
    if meeting:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // options.workers))
        distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=options.workers)
    training = Training(options, rank)
    if not options.fresh:
        load_checkpoint(options.work / "checkpoint.pt", training)
    if options.compile:
        compile_loss()
        for block in training.model.blocks:
            block.compile(dynamic=False)
    pid_file = options.work / "train.pid"
    if rank == 0:
        pid_file.write_text(f"{os.getpid()}\n", encoding="utf-8")
    _stop_on_signals(training)
    training.run()
    if rank == 0:
        pid_file.unlink(missing_ok=True)
    if meeting:
        distributed.destroy_process_group()


def _stop_on_signals(training: Training) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        training.asked_to_stop = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


if __name__ == "__main__":
    sys.exit(main())
