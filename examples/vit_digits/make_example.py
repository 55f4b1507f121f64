"""Makes data/*.safetensors and vit-*/config.json, as they lie here.

Run, where scikit-learn 1.9.1 and safetensors 0.8.0 are installed:
python3 make_example.py

The images are scikit-learn's handwritten digits, in an order of their own, with
their 17 shades of grey spread over a byte. Files for data of your own are made
alike: `pixel_values`, [examples, channels, height, width], and `labels`.
"""

import json
import pathlib

import numpy
from safetensors.numpy import save_file
from sklearn.datasets import load_digits

FOLDER = pathlib.Path(__file__).resolve().parent
SPLITS = {"train": 1197, "validation": 300, "test": 300}
DEPTHS = [2, 4]


def config(layers):
    names = [str(digit) for digit in range(10)]
    return {
        "architectures": ["ViTForImageClassification"],
        "model_type": "vit",
        "attention_probs_dropout_prob": 0.0,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.0,
        "hidden_size": 128,
        "id2label": dict(enumerate(names)),
        "image_size": 8,
        "initializer_range": 0.1,
        "intermediate_size": 512,
        "label2id": {name: digit for digit, name in enumerate(names)},
        "layer_norm_eps": 1e-12,
        "num_attention_heads": 8,
        "num_channels": 1,
        "num_hidden_layers": layers,
        "patch_size": 2,
        "qkv_bias": True,
    }


def main():
    digits = load_digits()
    order = numpy.random.default_rng(0).permutation(len(digits.target))
    pixels = numpy.rint(digits.images[order] * (255 / 16)).astype(numpy.uint8)
    labels = digits.target[order].astype(numpy.int64)
    (FOLDER / "data").mkdir(exist_ok=True)
    first = 0
    for split, count in SPLITS.items():
        rows = slice(first, first + count)
        save_file({"pixel_values": pixels[rows, None], "labels": labels[rows]},
                  FOLDER / "data" / f"{split}.safetensors")
        first += count
    for layers in DEPTHS:
        folder = FOLDER / f"vit-{layers}"
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text(
            json.dumps(config(layers), indent=2) + "\n")


main()
