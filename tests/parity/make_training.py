#!/usr/bin/env python3
"""Makes training.json: what Lion, and transformers' trainer with smoothed labels, train of gpt2-tiny, and transformers'
Adafactor of llama3-tiny.

    pip install torch==2.11.0 transformers==5.24.0 accelerate==1.15.0
    tests/parity/make_training.py tests/parity

20 steps each; the README.md there says what is what. One thread, fp32, no dropout.
"""

import json
import pathlib
import sys
import tempfile

import torch
import transformers
from safetensors import safe_open

STEPS = 20
LION = {"lr": 1e-4, "betas": [0.9, 0.99], "weight_decay": 0.1}
# What transformers' trainer makes for optim=adafactor.
ADAFACTOR = {"lr": 1e-2, "weight_decay": 0.1, "scale_parameter": False, "relative_step": False}
SMOOTHED = {"label_smoothing_factor": 0.1, "optimizer": {"lr": 0.5, "momentum": 0.0, "weight_decay": 0.0}}


class Lion(torch.optim.Optimizer):
    """As Chen et al. (arXiv 2302.06675) write it down; PyTorch has none."""

    def __init__(self, parameters, lr, betas, weight_decay):
        super().__init__(parameters, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                m = self.state[p].setdefault("exp_avg", torch.zeros_like(p))
                update = torch.sign(beta1 * m + (1 - beta1) * p.grad)
                p.sub_(group["lr"] * (update + group["weight_decay"] * p))
                m.mul_(beta2).add_(p.grad, alpha=1 - beta2)


def load(directory, dtype=torch.float32):
    return transformers.AutoModelForCausalLM.from_pretrained(directory, dtype=dtype).train()


def mean_loss(model, tokens):
    logits = model(input_ids=tokens[:, :-1], use_cache=False).logits
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())


def losses_after(model, batches):
    model.eval()
    with torch.no_grad():
        return [mean_loss(model, batch).item() for batch in batches]


def without_key_bias(name, tensor):
    """Its gradient is exactly zero, so that the signs of its rounding errors are what Lion makes steps of."""
    if not name.endswith("attn.c_attn.bias"):
        return tensor
    query, _, value = tensor.chunk(3)
    return torch.cat([query, value])


def norms(model, part=lambda name, tensor: tensor):
    return {name: part(name, tensor.detach()).double().norm().item() for name, tensor in model.named_parameters()}


def train_lion(directory, batches, dtype):
    model = load(directory, dtype)
    optimizer = Lion(model.parameters(), **LION)
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = mean_loss(model, batches[step % len(batches)])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


def lion(directory, batches):
    model, losses = train_lion(directory, batches, torch.float32)
    exact, exact_losses = train_lion(directory, batches, torch.float64)
    # An element whose sign was another one at some step is two learning rates away from then on.
    apart = sum((without_key_bias(name, p.double() - q).abs() > LION["lr"]).sum().item()
                for (name, p), q in zip(model.named_parameters(), exact.parameters()))
    return {"optimizer": LION, "loss": losses, "loss_after_per_batch": losses_after(model, batches),
            "final_l2": norms(model, without_key_bias), "elements_apart_from_float64": apart,
            "max_abs_loss_gap_to_float64": max(abs(a - b) for a, b in zip(losses, exact_losses))}


def adafactor(directory, batches):
    model = load(directory)
    optimizer = transformers.optimization.Adafactor(model.parameters(), **ADAFACTOR)
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = mean_loss(model, batches[step % len(batches)])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return {"optimizer": ADAFACTOR, "loss": losses, "loss_after_per_batch": losses_after(model, batches),
            "final_l2": norms(model)}


class InOrder(transformers.Trainer):
    """Takes the examples in their order, and keeps each step's loss as it is."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.losses = []

    def _get_train_sampler(self, *args):
        return torch.utils.data.SequentialSampler(self.train_dataset)

    def compute_loss(self, model, inputs, return_outputs=False, **kwargs):
        found = super().compute_loss(model, inputs, return_outputs=return_outputs, **kwargs)
        if model.training:
            self.losses.append(found.item())
        return found


def smoothed(directory, batches):
    model = load(directory)
    optimizer = torch.optim.SGD(model.parameters(), lr=SMOOTHED["optimizer"]["lr"])
    constant = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
    # The trainer shifts labels: of a row that is as long as the model takes the last token is a target alone, and the
    # first one is none and need not count as one.
    batches = [batch[:, :-1] for batch in batches]
    rows = [{"input_ids": row, "labels": torch.cat([torch.tensor([-100]), row[1:]])} for row in torch.cat(batches)]
    with tempfile.TemporaryDirectory() as folder:
        arguments = transformers.TrainingArguments(
            folder, max_steps=STEPS, per_device_train_batch_size=len(batches[0]), max_grad_norm=0,
            label_smoothing_factor=SMOOTHED["label_smoothing_factor"], use_cpu=True, report_to=[],
            save_strategy="no", logging_strategy="no", disable_tqdm=True)
        trainer = InOrder(model, arguments, train_dataset=rows, eval_dataset=rows, optimizers=(optimizer, constant))
        trainer.train()
        evaluated = trainer.evaluate()["eval_loss"]
    return {**SMOOTHED, "loss": trainer.losses, "loss_after_per_batch": losses_after(model, batches),
            "loss_after_as_trainer_evaluates": evaluated, "final_l2": norms(model)}


def make(directory, **runs):
    with safe_open(directory / "inputs.safetensors", "pt") as inputs:
        batches = list(inputs.get_tensor("tokens"))
    expected = {"versions": {"torch": torch.__version__, "transformers": transformers.__version__}}
    for name, run in runs.items():
        expected[name] = run(directory, batches)
    (directory / "training.json").write_text(json.dumps(expected, indent=1) + "\n")


def main(folder):
    torch.set_num_threads(1)
    make(folder / "gpt2-tiny", lion=lion, smoothed=smoothed)
    # It has no biases: Adafactor would make of a key's, whose gradient is rounding errors, steps as long as all others.
    make(folder / "llama3-tiny", adafactor=adafactor)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
