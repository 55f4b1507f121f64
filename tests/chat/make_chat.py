"""Writes testdata: conversations, what transformers makes of them with the
templates in templates/ and small tokenizers, and a training on such rows.

Run where transformers 5.24.0, tokenizers 0.23.3, jinja2 3.1.6 and PyTorch
2.11.0 are installed: python3 make_chat.py testdata

rows.jsonl has the conversations. A folder NAME has a tokenizer and its template
as tokenizer_config.json or chat_template.jinja has it; NAME/expected.json says
of each row its text, its ids, and which of them are trained on: with
{% generation %} what apply_chat_template's return_assistant_tokens_mask says,
else what lies between the text of the messages before an answer and that of
those up to it. Of a row that the template refuses it says why.

training/ has rows, a tokenizer for tests/parity/llama3-tiny, and losses of that
model in expected.json: of each step, and of the validation rows at the end.
"""

import json
import pathlib
import sys

import torch
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tokenizers"))
import make_tokenizers  # noqa: E402


def user(text):
    return {"role": "user", "content": text}


def assistant(text, **more):
    return {"role": "assistant", "content": text, **more}


def system(text):
    return {"role": "system", "content": text}


CONVERSATIONS = [
    [user("Hello"), assistant("Hello, how are you?")],
    [system("You are brief."), user("Why?"), assistant("Because."),
     user("And why is that?"), assistant("It is so."), user("Oh"),
     assistant("Yes.")],
    [user("Grüße, 人人生而自由! 👍🏽"), assistant("Straße 👩\u200d👩\u200d👧\u200d👦 かな ｶﾞ e\u0301"),
     user("ok"), assistant("\u0301 begins with a mark")],
    [system(""), user(""), assistant("An empty question has an answer.")],
    [user(" spaces  before and behind \n"), assistant("  \n here too \n\n ")],
    [user("a\nb\n\nc\r\nd\te"), assistant("\n\n- one\n- two\n\n```\nx = {'a': 1}\n```\n")],
    [user("what is <|im_end|> and </s>?"), assistant("<|im_start|>user <s> [INST]")],
    [user("1234567 + 1"), assistant("1,234,568"), user("don't we're I'LL"),
     assistant("it's")],
    [user("Think."), assistant("<think>\nThis is thought.\n</think>\n\nThis is said."),
     user("Again."), assistant("<think>\nOnce more.\n</think>\n\nSaid again.")],
    [user("Think too."), assistant("Said.", reasoning_content="Thought.")],
    [user("no answer at last"), assistant("one"), user("and then?")],
    [user("&<>\"' {{ messages }} {% raw %}"), assistant("{{ 7 * 7 }} &amp; <b>")],
    [system("Tu es bref."), user("Tất cả mọi người"), assistant("सभी मनुष्यों को")],
    [assistant("I begin."), user("So you do."), assistant("Yes.")],
    [user("x" * 300), assistant("word " * 60)],
]


class Family:

    def __init__(self, name, kind, bos, eos, more=(), in_config=True):
        self.name, self.kind = name, kind
        self.bos, self.eos, self.more = bos, eos, list(more)
        self.in_config = in_config
        self.template = (HERE / f"templates/{name}.jinja").read_text()


IM = ["<|im_start|>", "<|endoftext|>"]
HEADERS = ["<|start_header_id|>", "<|end_header_id|>", "<|end_of_text|>"]
FAMILIES = [
    Family("qwen2_5", "qwen2", None, "<|im_end|>", IM),
    Family("qwen3", "qwen2", None, "<|im_end|>", IM, in_config=False),
    Family("qwen3_training", "qwen2", None, "<|im_end|>", IM),
    Family("llama3", "llama3", "<|begin_of_text|>", "<|eot_id|>", HEADERS),
    Family("llama3_generation", "llama3", "<|begin_of_text|>", "<|eot_id|>",
           HEADERS, in_config=False),
    Family("mistral", "mistral", "<s>", "</s>"),
    Family("zephyr", "llama2", "<s>", "</s>"),
    Family("smollm", "starcoder", "<|im_start|>", "<|im_end|>",
           ["<|endoftext|>"]),
    Family("chatml", "gpt2", None, "<|im_end|>", IM),
    Family("edges", "qwen2", None, "<|im_end|>", IM),
]


def tokenizer_of(kind, bos, eos, more, template):
    texts = [*make_tokenizers.SCRIPTS, *make_tokenizers.HARD,
             *make_tokenizers.LINES,
             *[m["content"] for c in CONVERSATIONS for m in c]]
    for name, tokenizer, trainer in make_tokenizers.kinds():
        if name == kind:
            made = make_tokenizers.trained(name, tokenizer, trainer, texts)
    special = {"eos_token": eos}
    if bos is not None:
        special["bos_token"] = bos
    return PreTrainedTokenizerFast(
        tokenizer_object=made, chat_template=template,
        additional_special_tokens=more, **special)


def rendered(tokenizer, messages, prompt=False):
    return tokenizer.apply_chat_template(messages, tokenize=False,
                                         add_generation_prompt=prompt)


def spans_by_prefixes(tokenizer, messages, text):
    spans = []
    for i, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        before = rendered(tokenizer, messages[:i], True)
        upto = rendered(tokenizer, messages[:i + 1])
        assert text.startswith(before) and upto.startswith(before)
        if not text.startswith(upto):
            # Qwen3 shows what was thought in the last answer alone.
            end = message["content"].split("</think>")[-1].lstrip("\n")
            end += "<|im_end|>\n"
            assert text.startswith(end, len(before)), (text, end)
            spans.append((len(before), len(before) + len(end)))
        else:
            spans.append((len(before), len(upto)))
    return spans


def expected_of(tokenizer, messages):
    try:
        text = rendered(tokenizer, messages)
    except Exception as error:
        return {"error": str(error)}
    ids = tokenizer(text, add_special_tokens=False,
                    return_offsets_mapping=True)
    if "endgeneration" in tokenizer.chat_template:
        trained = tokenizer.apply_chat_template(
            messages, return_dict=True, return_assistant_tokens_mask=True)
        assert trained["input_ids"] == ids["input_ids"]
        trained = trained["assistant_masks"]
    else:
        try:
            spans = spans_by_prefixes(tokenizer, messages, text)
        except Exception:
            return {"text": text, "error": "cannot be told apart"}
        trained = [int(any(begin < end_of_span and end > begin_of_span
                           for begin_of_span, end_of_span in spans))
                   for begin, end in ids["offset_mapping"]]
    return {"text": text, "ids": ids["input_ids"], "trained": trained}


def save(tokenizer, folder, in_config):
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save_pretrained(folder, save_jinja_files=not in_config)
    file = folder / "tokenizer.json"
    file.write_text(json.dumps(json.loads(file.read_text()),
                               separators=(",", ":"),
                               ensure_ascii=False) + "\n")


def write_json(path, value):
    """A line for each entry of a list, also of one in an object."""
    def line(entry):
        return json.dumps(entry, ensure_ascii=False, separators=(",", ":"))

    def lines(entries):
        return "[\n" + ",\n".join(map(line, entries)) + "\n]"
    if isinstance(value, list):
        text = lines(value)
    else:
        text = "{\n" + ",\n".join(
            f"{line(key)}:{lines(v) if key == 'rows' else line(v)}"
            for key, v in value.items()) + "\n}"
    path.write_text(text + "\n")


STEPS, BATCH, ACCUMULATED, CONTEXT = 6, 2, 2, 48
LEARNING_RATE = 1e-3
ANSWERS = ["four", "Nobody knows.", "It is the river of the north.",
           "First you see it, then you do not, and then again you do.", "No."]


def training_rows(count, first):
    return [[user(f"What is {i} of {i % 7}?"),
             assistant(ANSWERS[i % len(ANSWERS)]),
             *([user("Sure?"), assistant(f"Sure, {i}.")] if i % 3 == 0 else [])]
            for i in range(first, first + count)]


def labels_of(tokenizer, messages):
    made = expected_of(tokenizer, messages)
    ids, trained = made["ids"][:CONTEXT], made["trained"][:CONTEXT]
    return ids, [i if t else -100 for i, t in zip(ids, trained)]


def batch_of(rows):
    longest = max(len(ids) for ids, _ in rows)
    ids = torch.tensor([i + [0] * (longest - len(i)) for i, _ in rows])
    labels = torch.tensor([l + [-100] * (longest - len(l)) for _, l in rows])
    mask = torch.tensor([[1] * len(i) + [0] * (longest - len(i))
                         for i, _ in rows])
    return {"input_ids": ids, "labels": labels, "attention_mask": mask}


def train(folder):
    torch.set_num_threads(1)
    tokenizer = tiny_tokenizer()
    save(tokenizer, folder, True)
    rows = training_rows(STEPS * BATCH * ACCUMULATED, 0)
    held_out = training_rows(5, 100)
    for name, messages in [("train", rows), ("validation", held_out)]:
        write_rows(folder / f"{name}.jsonl", messages)
    data = [labels_of(tokenizer, m) for m in rows]
    model = AutoModelForCausalLM.from_pretrained(
        HERE.parent / "parity/llama3-tiny", dtype=torch.float32,
        attn_implementation="eager")
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE,
                                  betas=(0.9, 0.999), eps=1e-8,
                                  weight_decay=0.01)
    losses = []
    for step in range(STEPS):
        step_rows = data[step * BATCH * ACCUMULATED:][:BATCH * ACCUMULATED]
        count = sum(l != -100 for _, labels in step_rows for l in labels[1:])
        optimizer.zero_grad()
        total = 0.0
        for i in range(0, len(step_rows), BATCH):
            loss = model(**batch_of(step_rows[i:i + BATCH]),
                         num_items_in_batch=count).loss
            loss.backward()
            total += loss.item()
        optimizer.step()
        losses.append(total)
    model.eval()
    held = [labels_of(tokenizer, m) for m in held_out]
    count = sum(l != -100 for _, labels in held for l in labels[1:])
    with torch.no_grad():
        validation = sum(model(**batch_of([row]), num_items_in_batch=count)
                         .loss.item() for row in held)
    write_json(folder / "expected.json", {
        # Before they are cut.
        "rows": [[made["ids"], made["trained"]]
                 for made in (expected_of(tokenizer, m) for m in rows)],
        "cut_rows": sum(len(expected_of(tokenizer, m)["ids"]) > CONTEXT
                        for m in rows),
        "losses": losses, "validation_loss": validation,
        "validation_tokens": count, "steps": STEPS, "batch": BATCH,
        "accumulated": ACCUMULATED, "context": CONTEXT,
        "learning_rate": LEARNING_RATE, "weight_decay": 0.01})


def tiny_tokenizer():
    """For the vocabulary of llama3-tiny, 512."""
    texts = [m["content"] for c in training_rows(200, 0) for m in c]
    tokenizer, trainer = make_tokenizers.bpe(
        make_tokenizers.byte_level(make_tokenizers.QWEN2),
        alphabet=make_tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        size=420)
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>",
        additional_special_tokens=["<|im_start|>"],
        chat_template=(HERE / "templates/chatml.jinja").read_text())


def write_rows(path, conversations):
    path.write_text("".join(
        json.dumps({"messages": messages}, ensure_ascii=False) + "\n"
        for messages in conversations))


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(folder / "rows.jsonl", CONVERSATIONS)
    for family in FAMILIES:
        tokenizer = tokenizer_of(family.kind, family.bos, family.eos,
                                 family.more, family.template)
        save(tokenizer, folder / family.name, family.in_config)
        write_json(folder / family.name / "expected.json",
                   [expected_of(tokenizer, m) for m in CONVERSATIONS])
    train(folder / "training")


main()
