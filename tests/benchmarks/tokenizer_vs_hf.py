"""Compares Hydra's tokenizer with Hugging Face's: ids and speed.

Run, in a Python environment with tokenizers 0.23.3:
  bazel build //worker/data:tokenize
  python3 tests/benchmarks/tokenizer_vs_hf.py \
      --binary bazel-bin/worker/data/tokenize \
      --tokenizer examples/gpt2_wikitext2/gpt2 \
      examples/gpt2_wikitext2/data/wiki.*.tokens

The directory has a tokenizer.json, or vocab.json and merges.txt.

Both encode each whole file on one thread, from memory, in turns, each turn in
a new process or with a new tokenizer, so that neither starts with words that it
has met before. Prints medians; exits with 1 if an id differs.
"""

import argparse
import array
import hashlib
import os
import re
import statistics
import subprocess
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers  # noqa: E402


def loaded(directory):
    file = os.path.join(directory, "tokenizer.json")
    if os.path.exists(file):
        return Tokenizer.from_file(file)
    tokenizer = Tokenizer(models.BPE.from_file(
        os.path.join(directory, "vocab.json"),
        os.path.join(directory, "merges.txt")))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.add_special_tokens([AddedToken("<|endoftext|>", special=True)])
    return tokenizer


def hugging_face(args, path):
    """The token count, hash of the ids, and tokens a second."""
    tokenizer = loaded(args.tokenizer)
    with open(path, "rb") as file:
        text = file.read().decode("utf-8", errors="replace")
    begin = time.perf_counter()
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    elapsed = time.perf_counter() - begin
    digest = hashlib.sha256(array.array("i", ids).tobytes()).hexdigest()
    return len(ids), digest, len(ids) / elapsed


def hydra(args, path):
    command = [args.binary, "--tokenizer", args.tokenizer]
    output = subprocess.check_output(command + [path], text=True)
    found = re.search(r": (\d+) tokens, sha256 (\w+), (\d+) tokens/s", output)
    return int(found[1]), found[2], float(found[3])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("files", nargs="+")
    args = parser.parse_args()

    all_equal = True
    for path in args.files:
        turns = [(hydra(args, path), hugging_face(args, path))
                 for _ in range(args.turns)]
        equal = len({result[:2] for turn in turns for result in turn}) == 1
        all_equal = all_equal and equal
        ours, theirs = (statistics.median(turn[side][2] for turn in turns)
                        for side in (0, 1))
        print(f"{path}: {turns[0][0][0]} tokens, "
              f"ids {'equal' if equal else 'DIFFER'} "
              f"(sha256 {turns[0][0][1]} and {turns[0][1][1]}); "
              f"hydra {ours:,.0f} tokens/s, Hugging Face {theirs:,.0f}, "
              f"ratio {ours / theirs:.1f}")
    return 0 if all_equal else 1


sys.exit(main())
