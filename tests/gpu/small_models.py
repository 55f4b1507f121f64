"""Models, data and job files, made on the spot: nothing is downloaded."""

import array
import json
import random


def gpt2_config(layers, width, heads, vocabulary, context):
    return {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "activation_function": "gelu_new",
        "attn_pdrop": 0.0,
        "embd_pdrop": 0.0,
        "resid_pdrop": 0.0,
        "layer_norm_epsilon": 1e-05,
        "initializer_range": 0.02,
        "n_layer": layers,
        "n_embd": width,
        "n_head": heads,
        "n_positions": context,
        "vocab_size": vocabulary,
        "tie_word_embeddings": True,
    }


def parameter_count(config):
    width, layers = config["n_embd"], config["n_layer"]
    embeddings = (config["vocab_size"] + config["n_positions"]) * width
    return embeddings + layers * (12 * width * width + 13 * width) + 2 * width


def write_model(folder, config):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def write_tokens(file, count, vocabulary, seed=1):
    """Token ids of two bytes, in which something can be learned."""
    draw = random.Random(seed)
    words = [[draw.randrange(vocabulary) for _ in range(8)] for _ in range(64)]
    tokens = array.array("H")
    while len(tokens) < count:
        tokens.extend(draw.choice(words))
    file.write_bytes(tokens[:count].tobytes())
    return file


def job(model, tokens, *, train, name="gpu", init="random", cuts=None, shards=None, save=True):
    spec = {
        "name": name,
        "model": {"path": str(model), "init": init},
        "data": {
            "train_files": [str(tokens)],
            "format": "tokens_u16",
            # The windows one after another, as whoever compares takes them.
            "shuffle": False,
        },
        "train": train,
        "output": {"save_model": save},
    }
    if cuts is not None:
        spec["partition"] = {"cut_points": cuts}
    elif shards is not None:
        spec["partition"] = {"shards": shards}
    return spec
