"""Loss and accuracy of a trained ViT, ResNet or BERT in Hugging Face transformers, to compare
with what `hydra describe` says.

python3 tests/benchmarks/hf_accuracy.py OUTPUT_DIRECTORY TENSORS.safetensors [...]
python3 tests/benchmarks/hf_accuracy.py OUTPUT_DIRECTORY TEXTS.csv [...]

OUTPUT_DIRECTORY is what a job wrote; a directory of adapters is opened with PEFT
on the model that it names. Texts have the columns `text` and `label`, and go in one
by one, without padding. Needs torch, transformers, safetensors and, for adapters, peft.
"""

import csv
import json
import pathlib
import sys

import torch
from safetensors.torch import load_file
from transformers import (AutoModelForImageClassification,
                          AutoModelForSequenceClassification, AutoTokenizer)


def open_model(kind, directory):
    adapters = directory / "adapter_config.json"
    if not adapters.exists():
        return kind.from_pretrained(directory)
    import peft
    base = json.loads(adapters.read_text())["base_model_name_or_path"]
    model = kind.from_pretrained(base)
    return peft.PeftModel.from_pretrained(model, directory)


def of_images(directory, paths):
    """Logits and labels, in batches."""
    model = open_model(AutoModelForImageClassification, directory).eval()
    files = [load_file(path) for path in paths]
    pixels = torch.cat([file["pixel_values"] for file in files])
    labels = torch.cat([file["labels"] for file in files]).long()
    scale = 255 if pixels.dtype == torch.uint8 else 1
    for first in range(0, len(labels), 100):
        rows = slice(first, first + 100)
        yield model(pixel_values=pixels[rows].float() / scale).logits, labels[rows]


def of_texts(directory, paths):
    model = open_model(AutoModelForSequenceClassification, directory).eval()
    tokenizer = AutoTokenizer.from_pretrained(directory)
    longest = model.config.max_position_embeddings
    for path in paths:
        with open(path, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                text = tokenizer(row["text"], truncation=True, max_length=longest, return_tensors="pt")
                yield model(**text).logits, torch.tensor([model.config.label2id[row["label"]]])


def main():
    directory, paths = pathlib.Path(sys.argv[1]), sys.argv[2:]
    examples = of_texts if paths[0].endswith(".csv") else of_images
    loss, correct, count = 0.0, 0, 0
    with torch.no_grad():
        for logits, labels in examples(directory, paths):
            loss += torch.nn.functional.cross_entropy(logits, labels, reduction="sum").item()
            correct += (logits.argmax(1) == labels).sum().item()
            count += len(labels)
    print(f"loss {loss / count:.9f}, accuracy {correct / count:.4f}, {count} examples")


main()
