#!/usr/bin/env python3
"""Writes corpus.jsonl: small safetensors files, and what the reference says.

Run it in a Python environment with the reference reader, safetensors 0.8.0:

    python make_corpus.py > corpus.jsonl

One case a line: "file" (base64), "reference": null when the reference rejects
the file, else {tensor name: [dtype, shape, data as base64]}. Deterministic.
"""

import argparse
import base64
import json
import random
import struct

import safetensors

DTYPE_BITS = {
    "BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8,
    "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32,
    "U32": 32, "F32": 32, "C64": 64, "F64": 64, "I64": 64, "U64": 64,
}
MAX64 = 2**64 - 1
FOUR = '{"a":%s}'
PLAIN = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
EXTRA = '{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":%s}'


def info(dtype, shape, begin, end):
    return json.dumps({"dtype": dtype, "shape": shape,
                       "data_offsets": [begin, end]}, separators=(",", ":"))


def with_length(length, rest):
    return struct.pack("<Q", length) + rest


def file(header, data_bytes=4):
    """A file with a true length prefix and data that tells its place."""
    if isinstance(header, str):
        header = header.encode()
    data = bytes(i % 251 for i in range(data_bytes))
    return with_length(len(header), header + data)


def one(body, data_bytes=4):
    return file(FOUR % body, data_bytes)


def prefix_cases():
    good = FOUR % PLAIN
    for size in range(11):
        yield f"file of {size} bytes", file("{}", 0)[:size]
    for length in (0, 1, 2, 52, 53, 57, 58, 99_999_999, 100_000_000,
                   100_000_001, 2**31, 2**32, 2**63 - 1, 2**63, 2**63 + 8,
                   MAX64 - 8, MAX64 - 7, MAX64):
        yield f"length says {length}", with_length(length, good.encode())


def text_cases():
    good = FOUR % PLAIN
    for name, text in {
        "empty": "", "spaces": "    ", "empty object": "{}",
        "array": "[]", "null": "null", "number": "1", "string": '"a"',
        "open": "{", "close": "}", "two objects": "{}{}", "[{}]": "[{}]",
        "object and comma": "{},", "object and comment": "{}//",
        "comment before": "/**/{}", "single quotes": "{'a':1}",
        "trailing comma": "{},", "colon missing": '{"a"}',
        "value missing": '{"a":}', "key unquoted": "{a:1}",
        "comma only": "{,}",
    }.items():
        yield f"text: {name}", file(text, 0)
    for pad in (" ", "        ", "\n\t\r ", "\0", "\0\0\0\0", "\x0b", "\x0c",
                "\xa0", "\u2028", "\ufeff", "//", "#", ",", "x"):
        yield f"{pad!r} behind", file(good + pad)
        yield f"{pad!r} before", file(pad + good)
        yield f"{pad!r} inside", file("{" + pad + good[1:])
    for cut in range(0, len(good), 3):
        yield f"cut at {cut}", file(good[:cut])
    for name, raw in {
        "lone continuation": b"\x80", "overlong slash": b"\xc0\xaf",
        "overlong NUL": b"\xc0\x80", "surrogate": b"\xed\xa0\x80",
        "above U+10FFFF": b"\xf4\x90\x80\x80", "0xff": b"\xff",
        "cut sequence": b"\xe2\x82", "euro": b"\xe2\x82\xac",
        "emoji": b"\xf0\x9f\x98\x80", "noncharacter": b"\xef\xbf\xbf",
        "mark inside": b"\xef\xbb\xbf", "control": b"\x01", "NUL": b"\0",
        "tab": b"\t", "newline": b"\n", "delete": b"\x7f",
        "quote": b'\\"', "slash": b"\\/", "escaped NUL": b"\\u0000",
        "escape": b"\\x", "short escape": b"\\u12", "pair": b"\\ud83d\\ude00",
        "lone lead": b"\\ud800", "lone trail": b"\\udc00",
        "lead and letter": b"\\ud800x", "lead and lead": b"\\ud800\\ud800",
        "metadata by escape": b"\\u005f_metadata__", "nothing": b"",
    }.items():
        yield (f"name with {name}",
               file(b'{"' + raw + b'":' + PLAIN.encode() + b"}"))
        yield (f"ignored text with {name}",
               one(EXTRA % ('"%s"' % raw.decode("latin1")), 4)
               if raw.isascii() else
               file((FOUR % (EXTRA % '"@"')).encode().replace(b"@", raw)))
    yield "bad UTF-8 outside of strings", file(b"{\xff" + good.encode()[1:])


def depth_cases():
    for depth in (1, 100, 124, 125, 126, 127, 128, 129, 500):
        yield (f"arrays {depth} deep",
               one(EXTRA % ("[" * depth + "]" * depth)))
        yield (f"objects {depth} deep",
               one(EXTRA % ('{"":' * depth + "0" + "}" * depth)))
    yield "arrays 10000 deep", one(EXTRA % ("[" * 10000 + "]" * 10000))
    yield "10000 open arrays", file("[" * 10000, 0)
    yield "3000 open objects", file('{"":' * 3000, 0)


def field_cases():
    for dtype, bits in DTYPE_BITS.items():
        for count in (0, 1, 4, 7, 8):
            size = (count * bits + 7) // 8
            yield (f"{count} of {dtype}",
                   one(info(dtype, [count], 0, size), size))
        yield f"scalar {dtype}", one(info(dtype, [], 0, bits // 8), bits // 8)
    bodies = [
        "null", "0", '""', "[]", "{}", "true",
        '["F32",[1],[0,4]]', '["F32",[1]]', '["F32"]',
        '["F32",[1],[0,4],0]', '[[1],"F32",[0,4]]', '["F32",[1],[0,4],{}]',
        '{"shape":[1],"data_offsets":[0,4]}',
        '{"dtype":"F32","data_offsets":[0,4]}',
        '{"dtype":"F32","shape":[1]}',
        '{"data_offsets":[0,4],"shape":[1],"dtype":"F32"}',
        '{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}',
        '{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}',
        '{"dtype":"F32","shape":[1],"data_offsets":[0,4],'
        '"data_offsets":[0,4]}',
        '{"d\\u0074ype":"F32","shape":[1],"data_offsets":[0,4]}',
        '{"Dtype":"F32","shape":[1],"data_offsets":[0,4]}',
    ]
    for dtype in ('"f32"', '"F33"', '""', '"F32 "', "null", "7", "[]", "{}",
                  '["F32"]', '{"F32":null}', '{"F32":{}}', '{"F32":[]}',
                  '{"F32":0}', '{"F33":null}', '{"F32":null,"F32":null}',
                  '{"F32":null,"x":null}', "true", '"F\\u00332"'):
        bodies.append('{"dtype":%s,"shape":[1],"data_offsets":[0,4]}' % dtype)
        bodies.append('[%s,[1],[0,4]]' % dtype)
    for shape in ("null", "1", '""', "{}", '["1"]', "[-1]", "[-0]", "[1.0]",
                  "[1e0]", "[01]", "[1,]", "[,1]", "[null]", "[true]", "[[1]]",
                  "[{}]", "[1][1]", "[1,1,1,1,1,1,1,1,1]", "[+1]", "[0x1]",
                  "[18446744073709551616]", "[99999999999999999999999999]"):
        bodies.append('{"dtype":"F32","shape":%s,"data_offsets":[0,4]}' % shape)
    for offsets in ("null", "4", "[]", "[0]", "[0,4,4]", "[0,4,null]", "[4,0]",
                    "[0,4.0]", "[-0,4]", "[0.0,4]", '["0","4"]', "[null,4]",
                    "[-4,0]", "[0,-4]", "[0,1e1]", '{"0":0,"1":4}', "[[0],4]",
                    "[0,[4]]", "[0,{}]", "[0,18446744073709551616]",
                    "[0,18446744073709551615]", "[18446744073709551615,3]",
                    "[0,3]", "[0,5]", "[0,8]", "[1,5]", "[4,8]", "[4,4]",
                    "[0,0]", "[2,6]"):
        bodies.append('{"dtype":"F32","shape":[1],"data_offsets":%s}' % offsets)
    for extra in ("null", "true", "fals", "TRUE", '"text"', "-1", "-0", "- 1",
                  "1.5", "1.", ".5", "1e", "1e+2", "1E-2", "1e999", "-1e999",
                  "1e-999", "0e999", "1e308", "10e308", "0.1e309", "NaN",
                  "Infinity", "-Infinity", "00", "-01", "123456789" * 4,
                  "1" + "0" * 308, "1" + "0" * 309, "1.7976931348623157e308",
                  "1.7976931348623158e308", "17976931348623158e292", "[]",
                  "{}", "[1,]", "[1 2]", '{"a":1,}', '{"a":1,"a":2}', "{1:2}",
                  '[{"dtype":7}]', "[[[[]]]]", "[}", "{]"):
        bodies.append(EXTRA % extra)
    for body in bodies:
        yield f"tensor ...{body[-60:]}", one(body)


def size_cases():
    for dtype, shape, end in (
            ("U8", [0], 0), ("U8", [0, 5], 0), ("U8", [5, 0], 0),
            ("F64", [], 8), ("U8", [1] * 70, 1), ("U8", [2, 3], 6),
            ("U8", [2, 3], 5), ("U8", [2, 3], 7), ("F32", [2, 3], 24),
            ("U8", [MAX64], MAX64), ("U8", [2**61], 2**61),
            ("U8", [2**61 - 1], 2**61 - 1), ("F32", [2**62], 0),
            ("F64", [2**61], 0), ("U8", [2**32, 2**32], 0),
            ("U8", [2**32, 2**32, 0], 0), ("U8", [0, 2**32, 2**32], 0),
            ("U8", [2**64 - 1, 2, 0], 0), ("F32", [2**32 + 1, 2**32], 2**34),
            ("U8", [0, 2**63 - 1], 0), ("U8", [0, 2**63], 0),
            ("U8", [0, MAX64, MAX64], 0), ("F4", [2**62], 2**61),
            ("F4", [2**60], 2**59), ("U8", [2**63 - 1], 2**63 - 1)):
        yield (f"{dtype} {shape[:4]} {end}",
               one(info(dtype, shape, 0, end), end if end < 99 else 4))
    eight = {f"t{i}": {"dtype": "U8", "shape": [2**61 - 1],
                       "data_offsets": [i * (2**61 - 1), (i + 1) * (2**61 - 1)]}
             for i in range(8)}
    yield "offsets that add up to nearly 2^64", file(json.dumps(eight), 8)


def layout(*ranges):
    return "{%s}" % ",".join(
        '"%s":%s' % (name, info("U8", [max(end - begin, 0)], begin, end))
        for name, begin, end in ranges)


def layout_cases():
    for name, ranges, size in (
            ("in order", [("a", 0, 4), ("b", 4, 8)], 8),
            ("unordered names", [("b", 0, 4), ("a", 4, 8)], 8),
            ("unordered text", [("a", 4, 8), ("b", 0, 4)], 8),
            ("hole", [("a", 0, 4), ("b", 5, 9)], 9),
            ("hole before", [("a", 1, 5)], 5),
            ("overlap", [("a", 0, 4), ("b", 3, 7)], 7),
            ("same range", [("a", 0, 4), ("b", 0, 4)], 4),
            ("same range, both sizes", [("a", 0, 4), ("b", 0, 4)], 8),
            ("inside", [("a", 0, 8), ("b", 2, 4)], 8),
            ("trailing byte", [("a", 0, 4)], 5),
            ("missing byte", [("a", 0, 4)], 3),
            ("no data", [("a", 0, 4)], 0),
            ("past the end", [("a", 0, 4), ("b", 4, 8)], 6),
            ("backwards", [("a", 4, 0)], 4),
            ("empty first", [("a", 0, 0), ("b", 0, 4)], 4),
            ("empty between", [("a", 0, 2), ("b", 2, 2), ("c", 2, 4)], 4),
            ("empty last", [("a", 0, 4), ("b", 4, 4)], 4),
            ("empty amid another", [("a", 0, 4), ("b", 2, 2)], 4),
            ("empty past the end", [("a", 0, 4), ("b", 5, 5)], 4),
            ("many empty", [(c, 0, 0) for c in "abcdef"], 0),
            ("empty, data behind", [("a", 0, 0)], 1),
            ("three, rotated", [("c", 8, 12), ("a", 0, 4), ("b", 4, 8)], 12),
            ("twenty", [(f"t{i}", i, i + 1) for i in range(20)], 20)):
        yield f"layout: {name}", file(layout(*ranges), size)
    a, empty = info("F32", [1], 0, 4), info("U8", [0], 0, 0)
    bad, junk = info("F32", [1], 8, 4), '{"dtype":"F32"}'
    for first, second in ((a, a), (a, empty), (empty, a), (bad, a), (a, bad),
                          (junk, a), (a, junk), ("null", a)):
        for size in (0, 4):
            yield (f"a twice: {first[:30]} {second[:30]} {size}",
                   file('{"a":%s,"a":%s}' % (first, second), size))
    yield "a thrice", file('{"a":%s,"b":%s,"a":%s,"a":%s}'
                           % (empty, empty, bad, a))


def metadata_cases():
    for value in ("null", "{}", '{"format":"pt"}', '{"a":"1","b":"2"}',
                  '{"a":"1","a":"2"}', '{"":""}', "[]", '""', "1", "true",
                  '{"a":1}', '{"a":null}', '{"a":{}}', '{"a":["x"]}',
                  '{"a":"\\u00e9"}', '{"a":"\\ud800"}', PLAIN,
                  '{"a":"1",}', '["a","b"]'):
        text = '{"__metadata__":%s,"a":%s}' % (value, PLAIN)
        yield f"metadata {value[:40]}", file(text)
        yield (f"metadata last {value[:40]}",
               file('{"a":%s,"__metadata__":%s}' % (PLAIN, value)))
    yield "metadata alone", file('{"__metadata__":{"format":"pt"}}', 0)
    yield "metadata alone, null", file('{"__metadata__":null}', 0)
    yield "metadata twice", file('{"__metadata__":{},"__metadata__":{}}', 0)
    yield ("metadata twice, null",
           file('{"__metadata__":null,"__metadata__":{}}', 0))
    yield "__metadata", file('{"__metadata":{}}', 0)


TOKENS = [b"{", b"}", b"[", b"]", b",", b":", b'"', b"0", b"1", b"4", b"-",
          b".", b"e", b"null", b" ", b"\0", b"\xff", b'"a":', b'"dtype":',
          b'"F32"', b'"shape":', b'"data_offsets":', b"[0,4]", b"[1]", b"\\",
          b'"__metadata__":', b"{}", b"[]", b"18446744073709551615"]
SEEDS = [FOUR % PLAIN, FOUR % '["F32",[1],[0,4]]',
         FOUR % '{"dtype":{"F32":null},"shape":[1],"data_offsets":[0,4]}',
         FOUR % (EXTRA % '[1,{"b":"c"}]'),
         '{"__metadata__":{"format":"pt"},"a":%s}' % PLAIN,
         layout(("a", 0, 2), ("b", 2, 4)),
         '{"a":%s,"b":%s}' % (info("U8", [0], 0, 0), PLAIN)]


def mutated_cases(count):
    draw = random.Random(20)
    for i in range(count):
        text = bytearray(draw.choice(SEEDS).encode())
        for _ in range(draw.choice((1, 1, 1, 2, 2, 3, 6))):
            at = draw.randrange(len(text) + 1)
            kind = draw.randrange(4)
            if kind == 0:
                text[at:at] = draw.choice(TOKENS)
            elif kind == 1:
                text[at:at + draw.choice((1, 1, 2, 8))] = b""
            elif kind == 2:
                text[at:at + 1] = draw.choice(TOKENS)
            else:
                end = draw.randrange(at, min(len(text), at + 40) + 1)
                to = draw.randrange(len(text) + 1)
                text[to:to] = text[at:end]
        yield f"mutation {i}", file(bytes(text))


def reference(raw):
    try:
        tensors = safetensors.deserialize(raw)
    except safetensors.SafetensorError:
        return None
    return {name: [view["dtype"], view["shape"],
                   base64.b64encode(bytes(view["data"])).decode()]
            for name, view in tensors}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutations", type=int, default=150)
    options = parser.parse_args()
    for cases in (prefix_cases(), text_cases(), depth_cases(), field_cases(),
                  size_cases(), layout_cases(), metadata_cases(),
                  mutated_cases(options.mutations)):
        for name, raw in cases:
            print(json.dumps({"name": name,
                              "file": base64.b64encode(raw).decode(),
                              "reference": reference(raw)},
                             sort_keys=True, separators=(",", ":")))


if __name__ == "__main__":
    main()
