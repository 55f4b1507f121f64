"""Makes data/*.jsonl and model/tokenizer.json, which lie here as it made them.

Run, where tokenizers 0.23.3 is installed: python3 make_example.py

Each section of an article of ../gpt2_wikitext2/data becomes a row. The
tokenizer is of Llama 3's kind, trained on the training rows alone.
"""

import json
import pathlib
import re

from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models,
                        pre_tokenizers, trainers)

FOLDER = pathlib.Path(__file__).resolve().parent
TEXTS = FOLDER.parent / "gpt2_wikitext2/data"
SPLITS = {
    "train": "wiki.valid.tokens",
    "validation": "heldout.validation.tokens",
}
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
          r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
SPECIAL = ["<|begin_of_text|>", "<|end_of_text|>"]
# As config.json says.
VOCAB_SIZE = 4096
# " = Article = ", " = = Section = = " and so on.
HEADING = re.compile(r" ((?:= )+)(.+?) \1")


def rows(text):
    """Article, section ("" before the first) and text of all that have text."""
    article, section, lines = "", "", []
    for line in [*text.split("\n"), " = The end = "]:
        heading = HEADING.fullmatch(line)
        if not heading:
            if line.strip():
                lines.append(line.strip())
            continue
        if lines:
            yield {"article": article, "section": section,
                   "text": "\n".join(lines)}
        lines = []
        if heading[1] == "= ":
            article, section = heading[2], ""
        else:
            section = heading[2]


def llama3_tokenizer(texts):
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(LLAMA3), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=VOCAB_SIZE - len(SPECIAL), show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    # Behind all others, as Llama 3 has them.
    tokenizer.add_special_tokens([AddedToken(token, special=True)
                                  for token in SPECIAL])
    return tokenizer


def main():
    for split, name in SPLITS.items():
        made = list(rows((TEXTS / name).read_text(encoding="utf-8")))
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in made]
        (FOLDER / f"data/{split}.jsonl").write_text("".join(lines),
                                                    encoding="utf-8")
        print(f"{split}: {len(made)} rows")
        if split == "train":
            tokenizer = llama3_tokenizer([row["text"] for row in made])
            tokenizer.save(str(FOLDER / "model/tokenizer.json"), pretty=False)
            print(f"{tokenizer.get_vocab_size()} tokens")


main()
