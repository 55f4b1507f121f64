"""Makes data/*.jsonl and model/, which lie here as it made them.

Run, where tokenizers 0.23.3 is installed, with the programs in bin/ of this
checkout: python3 make_example.py

Questions and answers are made of the articles of ../gpt2_wikitext2/data: each
section that begins with a whole sentence becomes a conversation. The base model
is trained on the articles' text, and on conversations about half of them; what
is fine-tuned on are the others. Which weights come out depends on the processor.
"""

import json
import pathlib
import re
import struct
import subprocess
import tempfile

from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models,
                        pre_tokenizers, trainers)

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
TEXTS = FOLDER.parent / "gpt2_wikitext2/data"
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
          r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
SPECIAL = ["<|end_of_text|>", "<|im_start|>", "<|im_end|>"]
VOCAB_SIZE = 4096
# " = Article = ", " = = Section = = " and so on.
HEADING = re.compile(r" ((?:= )+)(.+?) \1")
MOST_WORDS = 60
TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' }}"
    "{% if message['role'] == 'assistant' %}{% generation %}"
    "{{ message['content'] + '<|im_end|>' }}{% endgeneration %}"
    "{% else %}{{ message['content'] + '<|im_end|>' }}{% endif %}"
    "{{ '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")
CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "attention_bias": False,
    "attention_dropout": 0.0,
    "eos_token_id": VOCAB_SIZE - 3,
    "head_dim": 32,
    "hidden_act": "silu",
    "hidden_size": 128,
    "initializer_range": 0.02,
    "intermediate_size": 352,
    "max_position_embeddings": 128,
    "mlp_bias": False,
    "num_attention_heads": 4,
    "num_hidden_layers": 4,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-05,
    "rope_theta": 10000.0,
    "tie_word_embeddings": True,
    "use_cache": True,
    "vocab_size": VOCAB_SIZE,
}
BASE = {
    "name": "base",
    "model": {"path": "model", "init": "random"},
    "data": {"train_files": ["text.jsonl"], "format": "jsonl"},
    "train": {
        "max_steps": 600,
        "context_length": 128,
        "per_device_train_batch_size": 16,
        "learning_rate": 3e-3,
        "weight_decay": 0.1,
        "no_decay_biases_and_norms": True,
        "lr_scheduler_type": "cosine",
        "warmup_ratio": 0.05,
        "max_grad_norm": 1,
    },
    "checkpoint": {"every_minutes": 0},
}


def sections(text):
    """Article, section ("" before the first) and text of all that have text."""
    article, section, lines = "", "", []
    for line in [*text.split("\n"), " = The end = "]:
        heading = HEADING.fullmatch(line)
        if not heading:
            if line.strip():
                lines.append(line.strip())
            continue
        if lines:
            yield article, section, "\n".join(lines)
        lines = []
        if heading[1] == "= ":
            article, section = heading[2], ""
        else:
            section = heading[2]


def conversation(article, section, text):
    """None: the text does not begin with a sentence of some length."""
    sentence = text.split("\n")[0].split(" . ")[0]
    words = sentence.split()
    if not 8 <= len(words) <= MOST_WORDS:
        return None
    question = (f"Tell me about the {section.lower()} of {article} ."
                if section else f"What is {article} ?")
    answer = sentence if sentence.endswith(" .") else sentence + " ."
    return {"messages": [{"role": "user", "content": question},
                         {"role": "assistant", "content": answer}]}


def rendered(row):
    """As the template has it."""
    return "".join(f"<|im_start|>{one['role']}\n{one['content']}<|im_end|>\n"
                   for one in row["messages"])


def tokenizer_of(texts):
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


def as_bfloat16(path):
    """The safetensors file at `path` with its fp32 tensors rounded to bf16."""
    data = path.read_bytes()
    length, = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + length])
    metadata = header.pop("__metadata__", {})
    made, end, new_header = [], 0, {"__metadata__": metadata}
    for name, entry in sorted(header.items()):
        first, last = (8 + length + at for at in entry["data_offsets"])
        words = struct.unpack(f"<{(last - first) // 4}I", data[first:last])
        # To the nearest, of two as near to the even one.
        halves = [(word + 0x7FFF + (word >> 16 & 1)) >> 16 for word in words]
        made.append(struct.pack(f"<{len(halves)}H", *halves))
        new_header[name] = {"dtype": "BF16", "shape": entry["shape"],
                            "data_offsets": [end, end + len(made[-1])]}
        end += len(made[-1])
    text = json.dumps(new_header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(made)


def write_rows(path, rows):
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8")
    print(f"{path.name}: {len(lines)} rows")


def train_base(texts):
    """Fills model/model.safetensors."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "model").symlink_to(FOLDER / "model")
        write_rows(folder / "text.jsonl", [{"text": text} for text in texts])
        (folder / "base.json").write_text(json.dumps(BASE))
        subprocess.run(
            [ROOT / "bin/hydra", "run", "base.json", "--device", "cpu:0",
             "--device-memory", "256MiB", "--pool-size", "512MiB",
             "--state-dir", folder / "run"],
            cwd=folder, check=True)
        trained, = (folder / "run").glob("outputs/*/model.safetensors")
        (FOLDER / "model/model.safetensors").write_bytes(as_bfloat16(trained))


def main():
    made = list(sections((TEXTS / "wiki.valid.tokens")
                         .read_text(encoding="utf-8")))
    held_out = list(sections((TEXTS / "heldout.validation.tokens")
                             .read_text(encoding="utf-8")))
    articles = sorted({article for article, _, _ in made})
    of_base = set(articles[::2])
    rows = [(article, conversation(article, section, text))
            for article, section, text in made]
    rows = [(article, row) for article, row in rows if row]
    write_rows(FOLDER / "data/train.jsonl",
               [row for article, row in rows if article not in of_base])
    write_rows(FOLDER / "data/validation.jsonl",
               [row for row in (conversation(*one) for one in held_out) if row])

    tokenizer = tokenizer_of([text for _, _, text in made])
    tokenizer.save(str(FOLDER / "model/tokenizer.json"), pretty=False)
    print(f"{tokenizer.get_vocab_size()} tokens")
    for file, content in {
            "config.json": CONFIG,
            "tokenizer_config.json": {
                "chat_template": TEMPLATE,
                "eos_token": SPECIAL[0],
                "model_max_length": 128,
                "tokenizer_class": "PreTrainedTokenizerFast"},
            "special_tokens_map.json": {"eos_token": SPECIAL[0]}}.items():
        (FOLDER / "model" / file).write_text(json.dumps(content, indent=2)
                                             + "\n")
    train_base([text for _, _, text in made]
               + [rendered(row) for article, row in rows
                  if article in of_base])


main()
