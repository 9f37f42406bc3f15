"""Train `vehicle_attributes`: distil Spectrico's make and colour classifiers, learn the kinds.

`python -m training.train attributes` runs this; see there for the options.
"""

from __future__ import annotations

import copy
import json
import time
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import get_ema_multi_avg_fn

from training import attribute_pack
from training.attribute_pack import Pack
from training.attribute_scores import scores
from training.attributes import (
    MEAN,
    STD,
    VehicleAttributes,
    context_images,
    from_teachers,
    load_teachers,
)
from training.crops import VEHICLE_TYPES
from training.mobilenetv3 import Classifier, unfold
from training.places import Places
from training.views import Mildness, plain_views, random_views

CARS = [VEHICLE_TYPES.index(name) for name in ("car", "minibus", "pickup")]

# Cars are most of what a street photo shows; the other kinds are drawn alike.
CAR_FACTOR = 2.0
# A crop is drawn at most this many times as often as it would be by chance.
MOST_REPEATED = 12.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides what comes out of a training.

    Attributes:
        side: Pixels a side of the network's input.
        make_rate: Learning rate of the make trunk, which must stay close to its teacher.
        head_rate: Learning rate of the layer that names makes.
        context_rate: Learning rate of the context trunk.
        fresh_rate: Learning rate of the kind and colour layers.
        kind_share: Share of a batch that is drawn to balance the kinds.
        clean_share: Weight of the teacher's answer for the plain crop, seen four times, in the
            target of a random view; the rest is its answer for the view itself.
    """

    steps: int = 3500
    batch: int = 256
    side: int = 224
    make_rate: float = 5e-5
    head_rate: float = 1e-4
    context_rate: float = 1e-3
    fresh_rate: float = 1e-3
    weight_decay: float = 0.02
    warm_up: int = 100
    average_decay: float = 0.996
    smoothing: float = 0.05
    kind_share: float = 0.5
    vehicle6_share: float = 0.3
    clean_share: float = 0.3
    colour_weight: float = 1.0
    kind_weight: float = 1.0
    jitter: float = 0.08
    coarse: float = 0.4
    smallest: int = 48
    light: float = 0.25
    save_every: int = 1000
    seed: int = 11


@dataclass(frozen=True, slots=True)
class Teachers:
    """Spectrico's networks on views of 0..255."""

    make: Classifier
    colour: Classifier

    @torch.no_grad()
    def __call__(self, views: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits of makes (n, 397) and colours (n, 14)."""
        images = normalised(views)
        return self.make(images), self.colour(images)


def normalised(views: Tensor, side: int | None = None) -> Tensor:
    """Return views of 0..255 as the input of a network of `side` pixels, -1..1."""
    if side is not None and side != views.shape[2]:
        views = F.interpolate(views, size=side, mode="bilinear", antialias=True)
    return (views - MEAN) / STD


def clean_targets(pack: Pack, teachers: Teachers) -> Tensor:
    """Return the teacher's makes of every plain crop, the mean of four looks, (n, 397).

    It looks with and without the margin around the box, and at both mirrored.
    """
    whole = torch.cat([torch.zeros_like(pack.limits), pack.limits], 1)
    parts = []
    for start in range(0, len(pack), 256):
        part = slice(start, start + 256)
        pictures = pack.pictures[part].float()
        views = [plain_views(pictures, boxes[part]) for boxes in (pack.boxes, whole)]
        looks = [look for view in views for look in (view, view.flip(3))]
        parts.append(torch.stack([teachers(look)[0].softmax(1) for look in looks]).mean(0))
    return torch.cat(parts)


def balanced(kinds: Tensor, trained: Tensor, camera: Tensor, camera_share: float) -> Tensor:
    """Return how often each crop is drawn so that kinds are nearly alike, (n,).

    Where photos show a kind too, `camera_share` of its crops come from vehicle6's one camera.
    """
    result = torch.zeros(len(kinds), device=kinds.device)
    for kind, name in enumerate(VEHICLE_TYPES):
        factor = CAR_FACTOR if name == "car" else 1.0
        photos, views = (trained & (kinds == kind) & of for of in (~camera, camera))
        share = camera_share if photos.any() and views.any() else float(views.any())
        result[views] = factor * share / views.sum().clamp(min=1)
        result[photos] = factor * (1 - share) / photos.sum().clamp(min=1)
    return torch.minimum(result, MOST_REPEATED * result.sum() / trained.sum())


def draw_chances(pack: Pack, recipe: Recipe) -> Tensor:
    """Return how often each crop is drawn, (n,): cars alike, and kinds balanced."""
    trained = ~pack.held_out & (pack.kinds.sum(1) > 0)
    cars = trained & (pack.kinds[:, CARS].sum(1) > 0.5) & ~pack.of("vehicle6")
    kinds = balanced(pack.kinds.argmax(1), trained, pack.of("vehicle6"), recipe.vehicle6_share)
    chances = (1 - recipe.kind_share) * cars / cars.sum() + recipe.kind_share * kinds / kinds.sum()
    return chances.float()


def divergence(logits: Tensor, target: Tensor) -> Tensor:
    """Return the Kullback-Leibler divergence of each row from its target, (n,)."""
    return F.kl_div(logits.log_softmax(1), target, reduction="none").sum(1)


def optimiser(network: VehicleAttributes, recipe: Recipe) -> torch.optim.AdamW:
    """Return the optimiser; the make trunk has no weight decay, which would pull it away."""
    groups = [
        ([network.make_trunk], recipe.make_rate, 0.0),
        ([network.make_embedding, network.make], recipe.head_rate, 0.0),
        ([network.context_trunk], recipe.context_rate, recipe.weight_decay),
        ([network.kind, network.colour], recipe.fresh_rate, recipe.weight_decay),
    ]
    return torch.optim.AdamW(
        [
            {
                "params": [p for module in modules for p in module.parameters()],
                "lr": rate,
                "highest": rate,
                "weight_decay": decay,
            }
            for modules, rate, decay in groups
        ]
    )


class Trainer:
    """The state of one training."""

    def __init__(self, places: Places, recipe: Recipe, pack: Pack) -> None:
        self.recipe, self.pack, self.device = recipe, pack, places.device
        self.teachers = Teachers(*load_teachers(places.models, places.device))
        self.network = from_teachers(places.models).to(places.device)
        some = torch.randperm(len(pack), device=pack.boxes.device)[:512]
        views = plain_views(pack.pictures[some].float(), pack.boxes[some])
        unfold(self.network.context_trunk, context_images(normalised(views, recipe.side)))
        self.average = copy.deepcopy(self.network).eval()
        self.rule = optimiser(self.network, recipe)
        self.chances = draw_chances(pack, recipe)
        self.clean = clean_targets(pack, self.teachers)
        self.how = Mildness(recipe.jitter, recipe.coarse, recipe.smallest, recipe.light)

    def loss(self, drawn: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of the drawn crops and its parts."""
        pack, recipe = self.pack, self.recipe
        views = random_views(
            pack.pictures[drawn].float(), pack.boxes[drawn], pack.limits[drawn], self.how
        )
        said_make, said_colour = self.teachers(views)
        clean = recipe.clean_share * self.clean[drawn]
        target = clean + (1 - recipe.clean_share) * said_make.softmax(1)
        make, kind, colour = self.network(normalised(views, recipe.side))
        kinds = pack.kinds[drawn]
        cars = kinds[:, CARS].sum(1)
        parts = {
            "make": (divergence(make, target) * cars).sum() / cars.sum(),
            "kind": F.cross_entropy(kind, kinds, label_smoothing=recipe.smoothing),
            "colour": divergence(colour, said_colour.softmax(1)).mean(),
        }
        shares = {"make": 1.0, "kind": recipe.kind_weight, "colour": recipe.colour_weight}
        return sum(shares[name] * part for name, part in parts.items()), parts

    def step(self, step: int) -> dict[str, Tensor]:
        """Train on one batch and return the parts of its loss."""
        recipe = self.recipe
        rise = min((step + 1) / recipe.warm_up, 1.0)
        fall = 0.5 * (1 + torch.cos(torch.tensor(torch.pi * step / recipe.steps)).item())
        for group in self.rule.param_groups:
            group["lr"] = group["highest"] * rise * fall
        drawn = torch.multinomial(self.chances, recipe.batch, replacement=True)
        loss, parts = self.loss(drawn)
        self.rule.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.rule.step()
        follow = get_ema_multi_avg_fn(min(recipe.average_decay, (step + 1) / (step + 10)))
        follow(list(self.average.parameters()), list(self.network.parameters()), step)
        for mine, theirs in zip(self.average.buffers(), self.network.buffers(), strict=True):
            mine.copy_(theirs)
        return parts

    def scores(self) -> dict[str, object]:
        """Return the figures of the running average."""
        pair = (self.teachers.make, self.teachers.colour)
        return scores(self.average.eval(), pair, self.clean, self.pack, self.recipe.side)


def train(places: Places, recipe: Recipe) -> None:
    """Train into `places.folder`: `averageN.pt` and a line of `log.jsonl` at every save."""
    torch.manual_seed(recipe.seed)
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    places.folder.mkdir(parents=True, exist_ok=True)
    pack = attribute_pack.read(sorted(places.teachers.parent.glob("crops*.npz")), places.device)
    trainer = Trainer(places, recipe, pack)
    log = (places.folder / "log.jsonl").open("a")
    print(json.dumps(asdict(recipe)), file=log, flush=True)
    started = time.monotonic()
    for step in range(recipe.steps):
        trainer.network.train()
        parts = trainer.step(step)
        done = step + 1
        if done % 100 == 0:
            words = [f"{name} {part.item():.3f}" for name, part in parts.items()]
            gone = time.monotonic() - started
            print(f"{places.folder.name} {done}/{recipe.steps} {gone:.0f} s", *words, flush=True)
        if done % recipe.save_every == 0 or done == recipe.steps:
            found = trainer.scores()
            print(json.dumps({"step": done, **found}), file=log, flush=True)
            print(places.folder.name, done, json.dumps(found), flush=True)
            torch.save(trainer.average.state_dict(), places.folder / f"average{done}.pt")
    log.close()
