"""Loss and accuracy of a trained ViT or ResNet in Hugging Face transformers, to compare
with what `hydra describe` says.

python3 tests/benchmarks/hf_accuracy.py OUTPUT_DIRECTORY TENSORS.safetensors [...]

OUTPUT_DIRECTORY is what a job wrote; a directory of adapters is opened with PEFT
on the model that it names. Needs torch, transformers, safetensors and, for
adapters, peft.
"""

import json
import pathlib
import sys

import torch
from safetensors.torch import load_file
from transformers import AutoModelForImageClassification


def open_model(directory):
    adapters = directory / "adapter_config.json"
    if not adapters.exists():
        return AutoModelForImageClassification.from_pretrained(directory)
    import peft
    base = json.loads(adapters.read_text())["base_model_name_or_path"]
    model = AutoModelForImageClassification.from_pretrained(base)
    return peft.PeftModel.from_pretrained(model, directory)


def main():
    model = open_model(pathlib.Path(sys.argv[1])).eval()
    files = [load_file(path) for path in sys.argv[2:]]
    pixels = torch.cat([file["pixel_values"] for file in files])
    labels = torch.cat([file["labels"] for file in files]).long()
    scale = 255 if pixels.dtype == torch.uint8 else 1
    loss, correct = 0.0, 0
    with torch.no_grad():
        for first in range(0, len(labels), 100):
            rows = slice(first, first + 100)
            logits = model(pixel_values=pixels[rows].float() / scale).logits
            loss += torch.nn.functional.cross_entropy(
                logits, labels[rows], reduction="sum").item()
            correct += (logits.argmax(1) == labels[rows]).sum().item()
    print(f"loss {loss / len(labels):.9f}, accuracy "
          f"{correct / len(labels):.4f}, {len(labels)} examples")


main()
