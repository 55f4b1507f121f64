"""Writes gpt2_fixture.json: hard strings and their ids by Hugging Face.

Run, where tokenizers 0.23.3 is installed:
python3 make_fixture.py VOCAB_JSON MERGES_TXT > gpt2_fixture.json
"""

import json
import random
import sys
import unicodedata

from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

HARD = [
    "",
    " ",
    "  ",
    "   ",
    "Hello world",
    " Hello  world   ",
    "\n",
    "\n\n",
    "a\nb\n\nc\r\nd\te",
    "x \n y",
    "x\n ",
    "don't can't we're I've I'm they'll he'd it's",
    "DON'T 's 'S '' 're' '",
    "'sss 'tt 'reve",
    "a's1's!'s 's",
    "\u2019s don\u2019t",
    "1,000.50 12:34 3.14e-10 \u00bd\u00b2\u2460\u2167",
    "\u0661\u0662\u0663 \u0967\u0968 \uff11\uff12 \U0001d7d8\U00010107",
    "a1b2 a_b a-b a.b (a)",
    "\u0085x \u0085 x\u0085\u0085x",
    "a\u00a0b a\u00a0\u00a0b",
    "\u1680a\u180ea\u2000\u200a\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff",
    "\x1c\x1d\x1e\x1f\x0b\x0c\x00\x7f",
    "e\u0301 e\u0301\u0323 n\u0303 \u0301",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "\U0001f3f3\ufe0f\u200d\U0001f308 \U0001f44d\U0001f3fd \U0001f1e9\U0001f1ea",
    "\u6f22\u5b57\u3068\u304b\u306a \ud55c\uad6d\uc5b4 \u05e2\u05d1\u05e8\u05d9\u05ea",
    "\u0939\u093f\u0928\u094d\u0926\u0940 \u0e44\u0e17\u0e22 \u0627\u0644",
    # Letters and numbers of Unicode 15.1 and 16.
    "\u1c89\u1c8a \ua7cb \U000105c0 \U00013460 \U0002ebf0a",
    "\U00010d401 \U000116d0 \U0001ccf0\U0001e5f1",
    # Unassigned, private, last.
    "\u0378a \ue000b \U000e0001 \U0010ffff",
    "<|endoftext|>",
    "a<|endoftext|>b",
    "a  <|endoftext|>  b<|endoftext|><|endoftext|>",
    "<|endoftext| > <|ENDOFTEXT|> <<|endoftext|>>",
    "a" * 300,
    "ab" * 100 + " " * 70 + "x",
    "= Robert <unk> = \n , 's @-@ @,@ ( born 1950 )",
    "https://example.org/a?b=c&d=%20#e",
    "antidisestablishmentarianism supercalifragilistic",
]

ILL_FORMED = [
    b"\xff",
    b"a\x80b",
    b"\xc0\x80",
    b"\xc3",
    b"\xc3(",
    b"\xe2\x82",
    b"\xe2\x82 x",
    b"\xe2\x28\xa1",
    b"\xe0\x80\x80",
    b"\xed\xa0\x80\xed\xbf\xbf",
    b"\xf0\x9f\x98",
    b"\xf0\x9f\x98a\xf0\x9f\xf0",
    b"\xf0\x80\x80\x80",
    b"\xf4\x90\x80\x80",
    b"\xf8\x88\x80\x80\x80 \xfe\xff",
    b"ok \xe2\x80\xa8\xe2\x80 end",
    b"<|endo\xfftext|>",
]


def random_strings(count):
    rng = random.Random(20)
    by_category = {}
    for c in range(0x110000):
        if not 0xD800 <= c < 0xE000:
            by_category.setdefault(unicodedata.category(chr(c)), []).append(c)
    spaces = [0x20] * 4 + by_category["Zs"] + [9, 10, 13, 0x85, 0x2028]
    categories = sorted(by_category)
    for _ in range(count):
        text = ""
        for _ in range(rng.randint(1, 10)):
            kind = rng.randrange(4)
            if kind == 0:
                text += chr(rng.choice(spaces)) * rng.randint(1, 3)
            elif kind == 1:
                text += chr(rng.choice(by_category[rng.choice(categories)]))
            elif kind == 2:
                text += chr(rng.randrange(32, 127)) * rng.randint(1, 3)
            else:
                text += "".join(rng.choices("aeinorst", k=rng.randint(1, 8)))
        data = bytearray(text.encode())
        if rng.random() < 0.3:
            data.insert(rng.randrange(len(data) + 1), rng.randrange(128, 256))
        yield bytes(data)


def main(vocab, merges):
    tokenizer = Tokenizer(models.BPE.from_file(vocab, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.add_special_tokens([AddedToken("<|endoftext|>", special=True)])
    texts = [s.encode() for s in HARD] + ILL_FORMED + list(random_strings(400))
    print("[")
    for i, data in enumerate(texts):
        ids = tokenizer.encode(data.decode("utf-8", errors="replace")).ids
        entry = json.dumps({"utf8_hex": data.hex(), "ids": ids})
        print(entry + ("," if i + 1 < len(texts) else ""))
    print("]")


main(*sys.argv[1:])
