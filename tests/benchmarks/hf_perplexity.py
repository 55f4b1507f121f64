"""Opens a directory that Hydra wrote with Hugging Face transformers, as it is,
and measures the perplexity of a text as Hydra's evaluation does: windows of
CONTEXT tokens one after another, an incomplete last one left out.

Usage: hf_perplexity.py DIRECTORY TEXT CONTEXT   (in a Python environment with transformers and torch)
Compare with the evaluations in DIRECTORY/hydra_job.json.
"""

import math
import sys

import torch
from transformers import AutoModelForCausalLM, GPT2Tokenizer


def main(directory, text_path, context):
    model = AutoModelForCausalLM.from_pretrained(directory).eval()
    tokenizer = GPT2Tokenizer.from_pretrained(directory)
    with open(text_path, encoding="utf-8") as file:
        ids = torch.tensor(tokenizer(file.read())["input_ids"])
    windows = (len(ids) - 1) // context
    total = 0.0
    with torch.no_grad():
        for window in range(windows):
            tokens = ids[window * context:(window + 1) * context + 1]
            logits = model(tokens[None, :-1]).logits[0]
            total += torch.nn.functional.cross_entropy(
                logits.double(), tokens[1:], reduction="sum").item()
    loss = total / (windows * context)
    print(f"{windows * context} tokens, loss {loss:.9f}, "
          f"perplexity {math.exp(loss):.4f}")


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
