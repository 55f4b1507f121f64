"""Makes resnet/config.json and data/*.safetensors, as they lie here.

Run: python3 make_example.py

The images are those of ../vit_digits, which says what they are and where they
come from. Files for data of your own are made alike: `pixel_values`, [examples,
channels, height, width], and `labels`.
"""

import json
import pathlib
import shutil

FOLDER = pathlib.Path(__file__).resolve().parent
SPLITS = ["train", "validation", "test"]


def config():
    names = [str(digit) for digit in range(10)]
    return {
        "architectures": ["ResNetForImageClassification"],
        "model_type": "resnet",
        "depths": [2, 2],
        "downsample_in_bottleneck": False,
        "downsample_in_first_stage": False,
        "embedding_size": 32,
        "hidden_act": "relu",
        "hidden_sizes": [32, 64],
        "id2label": dict(enumerate(names)),
        # No key of transformers': Hydra asks for it.
        "image_size": 8,
        "label2id": {name: digit for digit, name in enumerate(names)},
        "layer_type": "basic",
        "num_channels": 1,
    }


def main():
    for split in SPLITS:
        name = f"{split}.safetensors"
        shutil.copyfile(FOLDER.parent / "vit_digits" / "data" / name, FOLDER / "data" / name)
    (FOLDER / "resnet" / "config.json").write_text(json.dumps(config(), indent=2) + "\n")


main()
