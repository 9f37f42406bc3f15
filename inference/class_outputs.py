"""The outputs of a classifier, as its manifest describes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from inference.json_reader import JsonReader
from inference.types import Classification

KIND = "kind"
"""Role of the output whose first class `applies_to` refers to."""


@dataclass(frozen=True, slots=True)
class ClassOutput:
    """One output tensor of a classifier, [n, classes] with any further axes of 1.

    Attributes:
        name: Name of the ONNX output. Without a role, responses use it for all outputs but the
            first.
        labels: Class names by index.
        activation: `softmax` for logits, `none` for probabilities.
        scale: Factor on raw values, 1/255 for uint8 probabilities.
        role: Field of the response that holds the classes, such as `make`; None for none.
        applies_to: Kinds of vehicles that the output is answered for; empty for all.
        threshold: Probability of the first class from which it may fill `label`, `pred` and `prob`,
            0..1.
        unknown_label: Label of all classes without a label of their own. It never names a vehicle.
        detector_weights: Factors on the probabilities, one per label, by the detector's class of
            the vehicle. They state how likely the detector gives this class to each label.
    """

    name: str
    labels: tuple[str, ...]
    activation: str
    scale: float
    role: str | None = None
    applies_to: frozenset[str] = frozenset()
    threshold: float = 0.0
    unknown_label: str | None = None
    detector_weights: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def is_sure(self, classes: Classification) -> bool:
        """Return whether the first of the classes may name the vehicle."""
        name, probability = classes.names[0], classes.probabilities[0]
        return probability >= self.threshold and name != self.unknown_label


@dataclass(frozen=True, slots=True)
class ClassificationTask:
    """Outputs of a classifier.

    Attributes:
        outputs: At least one output, in the order of the responses.
    """

    outputs: tuple[ClassOutput, ...]

    @property
    def has_roles(self) -> bool:
        """Return whether the outputs have roles: either all of them have, or none."""
        return self.outputs[0].role is not None


def read_output(fields: JsonReader, labels: tuple[str, ...]) -> ClassOutput:
    """Read one entry of `output.outputs`.

    Args:
        fields: The entry.
        labels: Its labels.

    Raises:
        ManifestError: A field is missing or invalid.
    """
    role = fields.optional_text("role")
    output = ClassOutput(
        name=fields.text("name"),
        labels=labels,
        activation=fields.choice("activation", ("softmax", "none")),
        scale=fields.number("scale", 0, 1e6, 1.0),
        role=role,
        applies_to=frozenset(fields.texts("applies_to") if fields.has("applies_to") else ()),
        threshold=fields.number("threshold", 0, 1, 0.0),
        unknown_label=fields.choice("unknown_label", labels)
        if fields.has("unknown_label")
        else None,
        detector_weights=_read_weights(fields, labels),
    )
    for name in ("applies_to", "threshold", "unknown_label", "detector_weights"):
        if role is None and fields.has(name):
            raise fields.refuse(name, "absent, or the output must have a role")
    fields.finish()
    return output


def check_roles(fields: JsonReader, outputs: tuple[ClassOutput, ...]) -> None:
    """Check that all outputs have different roles or none has, and that `applies_to` names kinds.

    Args:
        fields: Reader of `output`, which names the field in errors.
        outputs: Its outputs.

    Raises:
        ManifestError: A role is missing or occurs twice, or a kind is not a label.
    """
    roles = {output.role for output in outputs}
    if roles != {None} and (None in roles or len(roles) < len(outputs)):
        raise fields.refuse("outputs", "a list of outputs with different roles, or without roles")
    for kind in (output for output in outputs if output.role == KIND):
        if unknown := {name for each in outputs for name in each.applies_to} - set(kind.labels):
            wanted = f"a list whose applies_to are labels of the role kind ({sorted(unknown)})"
            raise fields.refuse("outputs", wanted)


def _read_weights(fields: JsonReader, labels: tuple[str, ...]) -> dict[str, tuple[float, ...]]:
    """Read `detector_weights`: detector class -> label -> factor, 1 where it is not stated."""
    if not fields.has("detector_weights"):
        return {}
    by_class = fields.object("detector_weights")
    weights = {}
    for name in by_class.names():
        factors = by_class.object(name)
        weights[name] = tuple(factors.number(label, 0, 1e6, 1.0) for label in labels)
        factors.finish()
    return weights
