#!/usr/bin/env python3
"""Makes the LoRA fixtures of this folder: what PEFT trains of gpt2-tiny and llama3-tiny.

    pip install torch==2.11.0 transformers==5.24.0 peft==0.21.2
    tests/parity/make_lora.py tests/parity

Of each model and each of CASES, <model>/lora-<case>.safetensors gets the adapters before any step, as PEFT saves them,
and <model>/lora.json what must come out of 20 steps; the README.md there says what is what. lora_B does not begin as
zero, which would hide mistakes. One thread, fp32, no dropout.
"""

import json
import pathlib
import sys

import peft
import torch
import transformers
from safetensors import safe_open
from safetensors.torch import save_file

STEPS = 20
CASES = {
    "default": dict(r=4, lora_alpha=8),
    "all-linear": dict(r=3, lora_alpha=6, target_modules="all-linear", use_rslora=True),
}
OPTIMIZERS = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=0.5),
    "adamw": lambda parameters: torch.optim.AdamW(parameters, lr=0.01, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1),
}


def adapted(directory, case):
    """The model with its adapters, the same ones at every call."""
    model = transformers.AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32)
    config = peft.LoraConfig(task_type="CAUSAL_LM", lora_dropout=0.0, **CASES[case])
    torch.manual_seed(1)
    model = peft.get_peft_model(model, config)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.05)
    return model.train()


def mean_loss(model, tokens):
    logits = model(input_ids=tokens[:, :-1], use_cache=False).logits
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())


def norms(model):
    return {name: tensor.double().norm().item() for name, tensor in peft.get_peft_model_state_dict(model).items()}


def train(directory, case, batches, optimizer):
    model = adapted(directory, case)
    step_of = OPTIMIZERS[optimizer]([p for p in model.parameters() if p.requires_grad])
    losses = []
    for step in range(STEPS):
        step_of.zero_grad()
        loss = mean_loss(model, batches[step % len(batches)])
        loss.backward()
        step_of.step()
        losses.append(loss.item())
    with torch.no_grad():
        after = [mean_loss(model, batch).item() for batch in batches]
    return {"optimizer": {key: value for key, value in step_of.defaults.items()
                          if key in ("lr", "betas", "eps", "weight_decay")},
            "loss": losses, "loss_after_per_batch": after, "final_l2": norms(model)}


def merged(directory, case, batches):
    """What PEFT's merge makes: of each weight the sum of its squares, and the same with what lies behind counting more,
    up to twice; and the losses."""
    model = adapted(directory, case).merge_and_unload()
    weights = {}
    for name, tensor in model.state_dict().items():
        squares = tensor.double().flatten() ** 2
        places = torch.arange(squares.numel(), dtype=torch.float64) / squares.numel()
        weights[name] = [squares.sum().item(), (squares * (1 + places)).sum().item()]
    with torch.no_grad():
        losses = [mean_loss(model, batch).item() for batch in batches]
    return {"weights": weights, "loss_per_batch": losses}


def main(folder):
    torch.set_num_threads(1)
    for name in ("gpt2-tiny", "llama3-tiny"):
        directory = folder / name
        with safe_open(directory / "inputs.safetensors", "pt") as inputs:
            batches = list(inputs.get_tensor("tokens"))
        expected = {"versions": {"peft": peft.__version__, "torch": torch.__version__,
                                 "transformers": transformers.__version__}, "cases": {}}
        for case in CASES:
            model = adapted(directory, case)
            config = model.peft_config["default"]
            state = {key: tensor.detach().contiguous().clone()
                     for key, tensor in peft.get_peft_model_state_dict(model).items()}
            save_file(state, directory / f"lora-{case}.safetensors")
            mean_loss(model, batches[0]).backward()
            gradients = {key.replace(".default.", "."): parameter.grad.double().norm().item()
                         for key, parameter in model.named_parameters() if parameter.requires_grad}
            expected["cases"][case] = {
                "config": {"r": config.r, "lora_alpha": config.lora_alpha, "use_rslora": config.use_rslora,
                           "target_modules": CASES[case].get("target_modules", "")},
                "found_modules": sorted(config.target_modules),
                "initial_l2": norms(model), "grad_l2_batch0": gradients,
                "merged": merged(directory, case, batches),
                "runs": {optimizer: train(directory, case, batches, optimizer) for optimizer in OPTIMIZERS},
            }
        (directory / "lora.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
