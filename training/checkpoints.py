"""Checkpoints of a training: written at intervals, loaded when the training is restarted."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """State of a training: recipe, weights, running average and optimiser."""

    folder: Path
    recipe: Any
    network: nn.Module
    average: nn.Module
    rule: torch.optim.Optimizer

    def resume(self, device: str) -> int:
        """Load the last state where it is of the same recipe; the number of steps done."""
        path = self.folder / "last.pt"
        if not path.exists():
            return 0
        state = torch.load(path, map_location=device, weights_only=True)
        if state["recipe"] != json.dumps(asdict(self.recipe)):
            return 0
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.rule.load_state_dict(state["optimiser"])
        return int(state["step"])

    def save(self, step: int, scores: dict[str, float]) -> None:
        """Write `last.pt`, the average as `average<step>.pt`, and a line of `log.jsonl`."""
        state = {
            "recipe": json.dumps(asdict(self.recipe)),
            "step": step,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.rule.state_dict(),
        }
        torch.save(state, self.folder / "last.pt")
        torch.save(self.average.state_dict(), self.folder / f"average{step}.pt")
        row = {"step": step, **scores}
        with (self.folder / "log.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(row, flush=True)
