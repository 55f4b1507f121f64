"""Writes testdata: small tokenizers of every kind, texts, and their ids.

Run, where tokenizers 0.23.3 is installed: python3 make_tokenizers.py testdata
Or, for benchmarks, with text files to train larger ones on: python3
make_tokenizers.py FOLDER TEXT... makes FOLDER/KIND/tokenizer.json alone.

KIND.tokenizer.json is trained on texts.json, which has the texts as hex, since
some are no UTF-8. KIND.ids.json has for each text the ids that Hugging Face
gives it, and the SHA-256 of those of all characters (see all_characters).
"""

import array
import hashlib
import json
import pathlib
import random
import sys
import unicodedata

from tokenizers import (AddedToken, Regex, Tokenizer, models, normalizers,
                        pre_tokenizers, trainers)

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
          r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
LARGE_SIZE = 16000
QWEN2 = LLAMA3.replace("{1,3}", "")

# "All human beings are born free and equal", or about that.
SCRIPTS = [
    "All human beings are born free and equal in dignity and rights.",
    "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Straße ẞ",
    "Tất cả mọi người sinh ra đều được tự do và bình đẳng",
    "Tüm insanlar hür, haysiyet ve haklar bakımından eşit doğarlar. İIıi",
    "Все люди рождаются свободными и равными в своём достоинстве и правах.",
    "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι ΣΑΣ σας",
    "يولد جميع الناس أحراراً متساوين في الكرامة والحقوق ١٢٣",
    "כל בני האדם נולדו בני חורין ושווים בערכם וּבִזְכֻיּוֹתֵיהֶם",
    "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता १२३",
    "সমস্ত মানুষ স্বাধীনভাবে সমান মর্যাদা এবং অধিকার নিয়ে জন্মগ্রহণ করে",
    "ਸਾਰਾ ਮਨੁੱਖੀ ਪਰਿਵਾਰ ਆਪਣੀ ਮਹਿਮਾ, ਸ਼ਾਨ",
    "પ્રતિષ્ઠા અને અધિકારોની દૃષ્ટિએ સર્વ માનવો",
    "மனிதப் பிறிவியினர் சகலரும் சுதந்திரமாகவே பிறக்கின்றனர்",
    "ప్రతిపత్తిస్వత్వముల విషయమున మానవులెల్లరును",
    "ಎಲ್ಲಾ ಮಾನವರೂ ಸ್ವತಂತ್ರರಾಗಿಯೇ ಜನಿಸಿದ್ದಾರೆ",
    "മനുഷ്യരെല്ലാവരും തുല്യാവകാശങ്ങളോടും",
    "සියලු මනුෂ්‍යයෝ නිදහස්ව උපත ලබා ඇත",
    "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกัน ๑๒๓",
    "ມະນຸດທຸກຄົນເກີດມາມີກຽດສັກສີ",
    "លូតែងសេសុខចំពោះមនុស្សទាំងអស់",
    "လူတိုင်းသည် တူညီ လွတ်လပ်သော ဂုဏ်သိက္ခာဖြင့်",
    "འགྲོ་བ་མིའི་རིགས་རྒྱུད་ཡོངས་ལ་",
    "ყველა ადამიანი იბადება თავისუფალი ᲧᲕᲔᲚᲐ",
    "Բոլոր մարդիկ ծնվում են ազատ ու հավասար",
    "የሰው፡ልጅ፡ሁሉ፡ሲወለድ፡ነጻና፡በክብርና፡በመብትም፡እኩልነት፡ያለው፡ነው።",
    "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.",
    "すべての人間は、生まれながらにして自由であり、ｶﾞｷﾞ半角ﾊﾟ",
    "人人生而自由,在尊严和权利上一律平等。他们赋有理性和良心",
    "人人生而自由﹐在尊嚴和權利上一律平等。",
    "ᠬᠦᠮᠦᠨ ᠪᠦᠷ ᠲᠥᠷᠥᠵᠦ ᠮᠡᠨᠳᠡᠯᠡᠬᠦ",
    "ᏂᎦᏓ ᎠᏂᏴᏫ ᏂᎨᎫᏓᎸᎾ ꭰꭱ",
    "ⵉⵎⴷⴰⵏⴻⵏ ⴰⴽⴽ ⵜⵜⵍⴰⵍⴻⵏ",
    "ހުރިހާ އިންސާނުން ވެސް އުފަންވަނީ",
    "𐐀𐐁𐐂𐐨 𝔘𝔫𝔦 𝟏𝟐 𞤀𞤁𞤢",
]
HARD = [
    "", " ", "  ", "   ", "\n", "\n\n", "\t", "\r\n", " \n ", "\n \n",
    "Hello world", " Hello  world   ", "a\nb\n\nc\r\nd\te", "x \n y", "x\n ",
    "don't can't we're I've I'm they'll he'd it's DON'T CAN'T WE'RE I'LL",
    "'s 'S '' 're' 'sss a's1's!'s 'ſ a'ſb \u2019s don\u2019t", "'", "a'",
    "1,000.50 12:34 3.14e-10 1234567 ½²①Ⅷ", "a1b2 a_b a-b a.b (a) a1234b",
    "!\n!!\r\n\r\n ? \n\n  x", ". . .\n...\n\n\n \n.", "a!\n\nb?\r\rc",
    "\x85x \x85 x\x85\x85x a\xa0b a\xa0\xa0b",
    "\u1680a\u180ea\u2000\u200a\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff",
    "\x1c\x1d\x1e\x1f\x0b\x0c\x00\x7f a\x00b \x00 c \ufffd",
    "a\u3000\u3000b\u3000 c \u3000d", "a\x0bb\x0cc \x0b\x0c d",
    "e\u0301 e\u0301\u0323 n\u0303 \u0301 \u0301x a\u0301\u0301\u0301",
    "\u00e9\u1e69\u0323 s\u0323\u0307 s\u0307\u0323 \u212b \u2126 \uac01\u1100\u1161\u11a8",
    "\ufb01\ufb03 \uff21\uff42\uff11 \u00a8 \u00b4x \u2460 \u33a5 \ufdfa \u01c4",
    "\U00011938 \U0001e000\u0345 \u1df6\u0301 \U00016ac0",
    "👩\u200d👩\u200d👧\u200d👦 🏳\ufe0f\u200d🌈 👍🏽 🇩🇪🇫🇷 #\ufe0f\u20e3 😀😀",
    "for (int i = 0; i < n; ++i) { x[i] += \"a\\n\"; }  // ok\n\treturn x;\n",
    "def f(x):\n    return {k: v ** 2 for k, v in x.items()}\n\n\n# end",
    "<html><body class=\"a\">&nbsp;</body></html> https://example.org/a?b=c#d",
    "\\frac{a}{b} \\alpha^2 $x$ ~`!@#$%^&*()_+-={}[]|\\:;\"'<>,.?/",
    "\u1c89\u1c8a \ua7cb \U000105c0 \U00013460 \U0002ebf0a \U00010d401",
    "\u0378a \ue000b \U000e0001 \U0010ffff \U000f0000",
    "a" * 300, "ab" * 100 + " " * 70 + "x", "\n" * 40 + "x", "字" * 120,
    "antidisestablishmentarianism " + "x" * 99 + " " + "y" * 100 + " "
    + "z" * 101, "é" * 100 + " " + "é" * 101,
    "a supercalifragilistic, supercalifragilistics supercalifragilistic",
    "= Robert <unk> = \n , 's @-@ @,@ ( born 1950 )",
    "\u2581 \u2581\u2581a a\u2581b a \u2581 b", "▁▁▁ ▁", "``a`` ```b` ''",
    # With added tokens, see ADDED.
    "<|endoftext|>", "a<|endoftext|>b", "a  <|endoftext|>  b<|endoftext|>",
    "<|endoftext| > <|ENDOFTEXT|> <<|endoftext|>>", "<|endoftext|>\n x",
    "x <left> y", "x  \u3000<left><left> \n<left>y", "<left> <right>",
    "x <right> y", "x<right> \t \u3000y <right><right>  <left> z<right>",
    "word sword words word. _word word_ (word) éword wordé word", "Word WORD",
    "a two words b two  words two words. TWO WORDS two wordss", "two\nwords",
    "Éclair éclair ÉCLAIR e\u0301clair x\u00c9clair\u0301", "\n\n\n\n x \n\n",
    "<left>word<right> word<|endoftext|> two words", " <right>", "<left> ",
]
ILL_FORMED = [
    b"\xff", b"a\x80b", b"\xc0\x80", b"\xc3", b"\xc3(", b"\xe2\x82",
    b"\xe2\x82 x", b"\xe2\x28\xa1", b"\xe0\x80\x80", b"\xed\xa0\x80\xed\xbf",
    b"\xf0\x9f\x98", b"\xf0\x9f\x98a\xf0\x9f\xf0", b"\xf4\x90\x80\x80",
    b"\xf8\x88\x80\x80\x80 \xfe\xff", b"ok \xe2\x80\xa8\xe2\x80 end",
    b"<|endo\xfftext|> \xff \xff\n",
]
# Every kind has them, but for <|endoftext|> where its way of special tokens is
# another. Their switches: left of white space, right of it, a whole word,
# white space inside, found behind the normalizer or before it.
ADDED = [
    AddedToken("<|endoftext|>", special=True),
    AddedToken("<left>", lstrip=True, special=True),
    AddedToken("<right>", rstrip=True, normalized=False),
    AddedToken("word", single_word=True, normalized=False),
    AddedToken("two words", normalized=True),
    AddedToken("\u00c9clair", normalized=True),
]
# Not trained on.
UNSEEN = "supercalifragilistic"
# Trained on alone, so that there are tokens that end in a line's end.
LINES = ["x.\ny.\n\nz!\n\nw;\r\nv}\n {\n", "x.\n\ny }\n"] * 20


def random_texts(count):
    rng = random.Random(20)
    by_category = {}
    for c in range(0x110000):
        if not 0xD800 <= c < 0xE000:
            by_category.setdefault(unicodedata.category(chr(c)), []).append(c)
    spaces = [0x20] * 6 + by_category["Zs"] + [9, 10, 13, 10, 0x85, 0x2028]
    categories = sorted(by_category)
    for _ in range(count):
        text = ""
        for _ in range(rng.randint(1, 12)):
            kind = rng.randrange(6)
            if kind == 0:
                text += chr(rng.choice(spaces)) * rng.randint(1, 3)
            elif kind == 1:
                text += chr(rng.choice(by_category[rng.choice(categories)]))
            elif kind == 2:
                text += chr(rng.randrange(32, 127)) * rng.randint(1, 3)
            elif kind == 3:
                text += rng.choice(rng.choice(SCRIPTS).split())
            elif kind == 4:
                text += rng.choice(ADDED).content
            else:
                text += "".join(rng.choices("aeinorst", k=rng.randint(1, 8)))
        data = bytearray(text.encode())
        if rng.random() < 0.2:
            data.insert(rng.randrange(len(data) + 1), rng.randrange(128, 256))
        yield bytes(data)


def all_characters():
    """Texts with all of the planes that have characters."""
    code_points = [c for c in range(0x32400) if not 0xD800 <= c < 0xE000]
    code_points += range(0xE0000, 0xE0200)
    for i in range(0, len(code_points), 256):
        yield "".join(f"a{chr(c)}b {chr(c)}\u0301 1{chr(c)} \n"
                      for c in code_points[i:i + 256])


def byte_level(pattern=None, prefix=False, before=()):
    steps = list(before)
    if pattern is not None:
        steps.append(pre_tokenizers.Split(Regex(pattern), "isolated"))
    steps.append(pre_tokenizers.ByteLevel(add_prefix_space=prefix,
                                          use_regex=pattern is None))
    return steps[0] if len(steps) == 1 else pre_tokenizers.Sequence(steps)


def bpe(pre_tokenizer, normalizer=None, alphabet=(), special=(), size=900,
        **model):
    tokenizer = Tokenizer(models.BPE(**model))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    if pre_tokenizer is not None:
        tokenizer.pre_tokenizer = pre_tokenizer
    trainer = trainers.BpeTrainer(vocab_size=size, show_progress=False,
                                  initial_alphabet=list(alphabet),
                                  special_tokens=list(special))
    return tokenizer, trainer


def with_bytes(*tokens):
    return [*tokens, *(f"<0x{b:02X}>" for b in range(256))]


def kinds():
    symbols = pre_tokenizers.ByteLevel.alphabet()
    sequence = normalizers.Sequence
    metaspace = pre_tokenizers.Metaspace
    yield "gpt2", *bpe(byte_level(), alphabet=symbols)
    yield "starcoder", *bpe(byte_level(
        prefix=True, before=[pre_tokenizers.Digits(individual_digits=True)]),
        alphabet=symbols)
    yield "prefix_space", *bpe(
        byte_level(prefix=True), alphabet=symbols, normalizer=sequence([
            normalizers.NFKD(), normalizers.StripAccents(),
            normalizers.Lowercase(), normalizers.Replace("``", '"')]))
    yield "llama3", *bpe(byte_level(LLAMA3), alphabet=symbols,
                         ignore_merges=True)
    yield "qwen2", *bpe(byte_level(QWEN2), normalizers.NFC(), symbols)
    yield "llama2", *bpe(
        None, sequence([normalizers.Prepend("\u2581"),
                        normalizers.Replace(" ", "\u2581")]),
        special=with_bytes("<unk>", "<s>", "</s>"), unk_token="<unk>",
        fuse_unk=True, byte_fallback=True)
    yield "mistral", *bpe(
        metaspace(prepend_scheme="first", split=False),
        special=with_bytes("<unk>", "<s>", "</s>"), unk_token="<unk>",
        fuse_unk=True, byte_fallback=True)
    yield "metaspace", *bpe(
        pre_tokenizers.Sequence([metaspace(prepend_scheme="always"),
                                 pre_tokenizers.Digits()]),
        sequence([normalizers.NFKC(), normalizers.Lowercase()]),
        special=["<unk>"], unk_token="<unk>", ignore_merges=True)
    yield "unknown", *bpe(metaspace(prepend_scheme="never"),
                          normalizers.NFD(), special=["<unk>"],
                          unk_token="<unk>", fuse_unk=True, size=700)
    for name, normalizer in [
            ("bert_uncased", normalizers.BertNormalizer()),
            ("bert_cased", normalizers.BertNormalizer(lowercase=False)),
            ("bert_plain", normalizers.BertNormalizer(
                clean_text=False, handle_chinese_chars=False,
                strip_accents=True, lowercase=False))]:
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tokenizer.normalizer = normalizer
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        yield name, tokenizer, trainers.WordPieceTrainer(
            vocab_size=1100, show_progress=False,
            special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])



def trained(name, tokenizer, trainer, texts):
    if name == "llama2":
        # Trained on words, as SentencePiece does; else merges cross spaces.
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(
            prepend_scheme="never")
    if name == "mistral":
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(
            prepend_scheme="first")
    # Rare characters are left without a token.
    if name in ("llama2", "mistral", "metaspace", "unknown"):
        texts = [t for t in texts if t.isascii() or t in SCRIPTS[:12]]
    tokenizer.train_from_iterator([t for t in texts if UNSEEN not in t],
                                  trainer)
    made = json.loads(tokenizer.to_str())
    if name == "llama2":
        made["pre_tokenizer"] = None
    if name == "mistral":
        made["pre_tokenizer"]["split"] = False
    if name in ("llama3", "metaspace"):
        # A token that no merge makes.
        space = "\u0120" if name == "llama3" else "\u2581"
        made["model"]["vocab"][space + UNSEEN] = len(
            made["model"]["vocab"])
    if "vocab" in made["model"] and name in ("llama2", "mistral"):
        # Those that SentencePiece has, and that are no words.
        for mark in ("\u2581" * 2, "\u2581" * 4):
            if mark not in made["model"]["vocab"]:
                made["model"]["vocab"][mark] = len(made["model"]["vocab"])
                half = mark[:len(mark) // 2]
                made["model"]["merges"].append([half, half])
    # Bytes are no special tokens, but for the trainer.
    made["added_tokens"] = [t for t in made["added_tokens"]
                            if not t["content"].startswith("<0x")]
    tokenizer = Tokenizer.from_str(json.dumps(made))
    tokenizer.add_tokens(ADDED)
    return tokenizer


def ids_of(tokenizer, text):
    return tokenizer.encode(text, add_special_tokens=False).ids


def make_large(folder, paths):
    texts = [line for path in paths
             for line in pathlib.Path(path).read_text().splitlines(True)]
    for name, tokenizer, trainer in kinds():
        trainer.vocab_size = LARGE_SIZE
        target = folder / name
        target.mkdir(parents=True, exist_ok=True)
        trained(name, tokenizer, trainer, texts).save(
            str(target / "tokenizer.json"))


def main(folder, *paths):
    folder = pathlib.Path(folder)
    if paths:
        return make_large(folder, paths)
    data = [s.encode() for s in SCRIPTS + HARD] + ILL_FORMED
    data += random_texts(160)
    (folder / "texts.json").write_text(
        "[\n" + ",\n".join(json.dumps(d.hex()) for d in data) + "\n]\n")
    texts = [d.decode("utf-8", errors="replace") for d in data]
    for kind in kinds():
        name = kind[0]
        tokenizer = trained(*kind, texts + LINES)
        ids = [ids_of(tokenizer, text) for text in texts]
        digest = hashlib.sha256()
        for text in all_characters():
            digest.update(array.array("i", ids_of(tokenizer, text)).tobytes())
        made = json.loads(tokenizer.to_str())
        (folder / f"{name}.tokenizer.json").write_text(
            json.dumps(made, separators=(",", ":"), ensure_ascii=False) + "\n")
        rows = ",\n".join(json.dumps(row, separators=(",", ":"))
                          for row in ids)
        (folder / f"{name}.ids.json").write_text(
            f'{{"all_characters_sha256":"{digest.hexdigest()}","ids":[\n'
            f"{rows}\n]}}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
