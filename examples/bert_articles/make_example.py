"""Makes data/*.csv and bert/, which lie here as it made them.

Run, where tokenizers 0.23.3 is installed: python3 make_example.py

The rows are sentences of six articles of ../gpt2_wikitext2/data, and their
class is the article. Of every five, one is for validation and one for the test.
The tokenizer is of BERT's kind, trained on the training rows alone.
"""

import csv
import json
import pathlib
import re

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

FOLDER = pathlib.Path(__file__).resolve().parent
TEXTS = FOLDER.parent / "gpt2_wikitext2/data"
ARTICLES = [
    "2003 Pacific typhoon season",
    "American Beauty ( 1999 film )",
    "Brad Stevens",
    "Manila",
    "Meridian , Mississippi",
    "Military history of Australia",
]
NAMES = ["typhoons", "film", "coach", "Manila", "Meridian", "military"]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
VOCAB_SIZE = 2000
WORDS = range(6, 41)
# " = Article = ", not " = = Section = = ".
ARTICLE = re.compile(r" = ([^=].*?) = ")


def sentences():
    """Article and text, in the order of the files."""
    for file in ["wiki.valid.tokens", "wiki.test.tokens"]:
        article = ""
        for line in (TEXTS / file).read_text(encoding="utf-8").split("\n"):
            heading = ARTICLE.fullmatch(line)
            if heading:
                article = heading[1]
            if line.startswith(" =") or article not in ARTICLES:
                continue
            for sentence in line.strip().split(" . "):
                # What the corpus has left out no model can learn from.
                if "<unk>" not in sentence and len(sentence.split()) in WORDS:
                    yield article, plain(sentence)


def plain(sentence):
    """As it was before WikiText parted its words, or nearly."""
    for mark in "-,.":
        sentence = sentence.replace(f" @{mark}@ ", mark)
    sentence = re.sub(r" ([,;:.?!%)]|'s\b)", r"\1", sentence)
    return sentence.replace("( ", "(").removesuffix(".")


def splits():
    made = {"train": [], "validation": [], "test": []}
    for number, (article, text) in enumerate(sentences()):
        split = {3: "validation", 4: "test"}.get(number % 5, "train")
        made[split].append((text, NAMES[ARTICLES.index(article)]))
    return made


def bert_tokenizer(texts):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(texts, trainers.WordPieceTrainer(
        vocab_size=VOCAB_SIZE, show_progress=False, special_tokens=SPECIAL))
    return tokenizer


def config(vocab_size):
    return {
        "architectures": ["BertForSequenceClassification"],
        "model_type": "bert",
        "attention_probs_dropout_prob": 0.0,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.0,
        "hidden_size": 64,
        "id2label": dict(enumerate(NAMES)),
        "initializer_range": 0.1,
        "intermediate_size": 256,
        "label2id": {name: number for number, name in enumerate(NAMES)},
        "layer_norm_eps": 1e-12,
        # The longest row has 71 tokens.
        "max_position_embeddings": 80,
        "num_attention_heads": 4,
        "num_hidden_layers": 2,
        "pad_token_id": 0,
        "type_vocab_size": 2,
        "vocab_size": vocab_size,
    }


TOKENIZER_CONFIG = {
    "cls_token": "[CLS]",
    "do_lower_case": True,
    "mask_token": "[MASK]",
    "pad_token": "[PAD]",
    "sep_token": "[SEP]",
    "tokenizer_class": "BertTokenizer",
    "unk_token": "[UNK]",
}


def main():
    made = splits()
    for split, rows in made.items():
        with open(FOLDER / f"data/{split}.csv", "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["text", "label"])
            writer.writerows(rows)
        print(f"{split}: {len(rows)} rows")
    tokenizer = bert_tokenizer(text for text, _ in made["train"])
    tokenizer.save(str(FOLDER / "bert/tokenizer.json"), pretty=False)
    for name, content in [("config", config(tokenizer.get_vocab_size())), ("tokenizer_config", TOKENIZER_CONFIG)]:
        (FOLDER / f"bert/{name}.json").write_text(json.dumps(content, indent=2) + "\n")


main()
