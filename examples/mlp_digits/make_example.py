"""Makes data/*.safetensors and mlp/, as they lie here.

Run, where PyTorch 2.11.0, safetensors 0.8.0 and numpy are installed:
PYTHONPATH=../../client/python python3 make_example.py

The images are those of ../vit_digits, each as one row of 64 bytes.
"""

import pathlib
import shutil

from hydrad.export import main as export
from safetensors.numpy import load_file, save_file

FOLDER = pathlib.Path(__file__).resolve().parent


def main():
    (FOLDER / "data").mkdir(exist_ok=True)
    for split in ("train", "validation", "test"):
        digits = load_file(FOLDER.parent / "vit_digits" / "data" / f"{split}.safetensors")
        pixels = digits["pixel_values"]
        save_file({"pixels": pixels.reshape(len(pixels), 64), "labels": digits["labels"]},
                  FOLDER / "data" / f"{split}.safetensors")
    shutil.rmtree(FOLDER / "mlp", ignore_errors=True)
    raise SystemExit(export([
        f"{FOLDER / 'model.py'}:build",
        "--example-batch", str(FOLDER / "data" / "train.safetensors"),
        "--out", str(FOLDER / "mlp"),
    ]))


main()
