"""Jobs of random models of Llama's kind, for the other scripts here."""

import json

import local_server


def write_model(folder, **dimensions):
    """A directory with a config.json alone. Returns its path."""
    model = folder / "model"
    model.mkdir(exist_ok=True)
    config = {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        "vocab_size": 50257,
        "rms_norm_eps": 1e-5,
        "hidden_act": "silu",
        "initializer_range": 0.02,
        "tie_word_embeddings": True,
        **dimensions,
    }
    (model / "config.json").write_text(json.dumps(config))
    return model


def dimensions(width, layers):
    """Those of a small one, with heads of 64 numbers."""
    return {
        "hidden_size": width,
        "intermediate_size": width * 11 // 4,
        "num_hidden_layers": layers,
        "num_attention_heads": width // 64,
        "num_key_value_heads": width // 128,
        "max_position_embeddings": 1024,
    }


def rates_of(jobs):
    return [round(1e-4 * (1 + number), 7) for number in range(jobs)]


def job_file(path, args, **more):
    """A job file that trains it for args.steps steps of args.context tokens
    each, and keeps nothing; `more` adds sections, and fields to these."""
    sections = {
        "name": "llama",
        "model": {
            "path": str(path),
            "init": "random",
            "tokenizer_path": str(local_server.EXAMPLE / "gpt2"),
        },
        "data": {
            "train_files": [
                str(local_server.EXAMPLE / "data/wiki.valid.tokens")
            ]
        },
        "train": {
            "max_steps": args.steps,
            "per_device_train_batch_size": 1,
            "context_length": args.context,
            "learning_rate": 1e-4,
        },
        "output": {"save_model": False},
        "checkpoint": {"every_minutes": 0},
    }
    for name, fields in more.items():
        sections[name] = {**sections.get(name, {}), **fields}
    return sections
