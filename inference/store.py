"""Model name -> folder: bundled, in a local folder, or downloaded from S3 to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inference.errors import ModelUnavailable
from inference.manifest import MANIFEST_FILE, check_name


@dataclass(frozen=True, slots=True)
class ModelStore:
    """The places that are searched for a model, in this order.

    Attributes:
        bundled: Folder in the deployed package.
        base: Folder of the user's own models, and of downloads.
        uri: ``s3://bucket/prefix`` of models that are not bundled, "" for none.
    """

    bundled: Path
    base: Path
    uri: str = ""

    def find(self, name: str) -> Path:
        """Return the folder of a model.

        Raises:
            ModelUnavailable: The model does not exist, or its download failed.
        """
        check_name(name)
        if (self.bundled / name / MANIFEST_FILE).is_file():
            return self.bundled / name
        if self.uri:
            # It imports boto3, for 0.3 s that only functions with MODEL_URI should pay at startup.
            from inference.model_download import download_model

            download_model(name, self.uri, self.base)
        if (self.base / name / MANIFEST_FILE).is_file():
            return self.base / name
        folders = [self.bundled, self.base]
        if incomplete := next((each / name for each in folders if (each / name).is_dir()), None):
            raise ModelUnavailable(f"Model {name}: {incomplete} has no {MANIFEST_FILE}.")
        known = sorted(
            path.parent.name for each in folders for path in each.glob(f"*/{MANIFEST_FILE}")
        )
        raise ModelUnavailable(
            f"Model {name} is neither in {self.bundled} nor in {self.base}. "
            f"Available models: {', '.join(known) or 'none'}."
        )
