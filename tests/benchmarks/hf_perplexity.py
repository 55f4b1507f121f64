"""Opens a directory that Hydra wrote with Hugging Face transformers, as it is,
or adapters with PEFT, and measures the perplexity of a text as Hydra's evaluation does: windows of
CONTEXT tokens one after another, an incomplete last one left out. Of a file
*.jsonl, the text is each row's, with the tokenizer's eos_token behind it.

Usage: hf_perplexity.py DIRECTORY TEXT CONTEXT   (in a Python environment with transformers, torch and, for adapters, peft)
Compare with the evaluations in DIRECTORY/hydra_job.json.
"""

import json
import math
import os
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def token_ids(tokenizer, path):
    def ids_of(text):
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    with open(path, encoding="utf-8", newline="") as file:
        if not path.endswith(".jsonl"):
            return ids_of(file.read())
        ids = []
        for line in file:
            ids += ids_of(json.loads(line)["text"]) + [tokenizer.eos_token_id]
        return ids


def open_model(directory):
    adapters = os.path.join(directory, "adapter_config.json")
    if not os.path.exists(adapters):
        return AutoModelForCausalLM.from_pretrained(directory)
    import peft
    with open(adapters, encoding="utf-8") as file:
        base = json.load(file)["base_model_name_or_path"]
    return peft.PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(base), directory)


def main(directory, text_path, context):
    model = open_model(directory).eval()
    tokenizer = AutoTokenizer.from_pretrained(directory)
    ids = torch.tensor(token_ids(tokenizer, text_path))
    windows = (len(ids) - 1) // context
    total = 0.0
    with torch.no_grad():
        for window in range(windows):
            tokens = ids[window * context:(window + 1) * context + 1]
            logits = model(input_ids=tokens[None, :-1]).logits[0]
            total += torch.nn.functional.cross_entropy(
                logits.double(), tokens[1:], reduction="sum").item()
    loss = total / (windows * context)
    print(f"{windows * context} tokens, loss {loss:.9f}, "
          f"perplexity {math.exp(loss):.4f}")


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
