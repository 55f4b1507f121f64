"""Tests of hydrad.export: python -m unittest hydrad.export_test, where torch and
safetensors are installed."""

import contextlib
import hashlib
import io
import json
import pathlib
import tempfile
import unittest
import zipfile
from unittest import mock

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from hydrad import chain_format
from hydrad import export as exporter
from hydrad.export import ExportError, export, load

torch.set_num_threads(1)


def batch_of(*shape, classes=3, examples=4):
    torch.manual_seed(3)
    return {"rows": torch.randn(examples, *shape),
            "labels": torch.randint(0, classes, (examples,))}


class Scaled(nn.Module):
    """Scripts."""

    def __init__(self, width):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(()))
        self.offset = nn.Parameter(torch.randn(width))

    def forward(self, x):
        return x * self.gain + self.offset


class Unscriptable(nn.Module):
    """Can only be traced."""

    def __init__(self, width):
        super().__init__()
        self.inner = nn.Linear(width, width)

    def forward(self, x, **options):
        return self.inner(x) + (lambda y: y)(x)


class BoundToItsBatch(Unscriptable):

    def forward(self, x, **options):
        return self.inner(x) * torch.full((int(x.shape[0]), 1), float(x.shape[0]))


class OtherAlone(Unscriptable):
    """Traced, it takes the way that many examples take."""

    def forward(self, x, **options):
        return self.inner(x) if x.shape[0] > 1 else self.inner(x) * 2


class Squeezed(nn.Linear):

    def forward(self, x):
        return nn.functional.linear(x, self.weight, self.bias).squeeze()


class Rooted(nn.Linear):

    def forward(self, x):
        return nn.functional.linear(x.sqrt(), self.weight, self.bias)


class Counting(nn.Linear):
    """Keeps a number, in an inner block of another method than forward."""

    def __init__(self, *widths):
        super().__init__(*widths)
        self.runs = 0

    def count(self):
        if self.runs < 3:
            self.runs += 1

    def forward(self, x):
        self.count()
        return nn.functional.linear(x, self.weight, self.bias)


class Reading(nn.Linear):

    def __init__(self, *widths):
        super().__init__(*widths)
        self.seen = [2]

    def forward(self, x):
        own = [3]
        own.append(self.seen[0])
        return nn.functional.linear(x, self.weight, self.bias) * own[1]


class Listing(Reading):

    def forward(self, x):
        self.seen.append(1)
        return nn.functional.linear(x, self.weight, self.bias) * self.seen[0]


class Noting(nn.Linear):

    def __init__(self, *widths):
        super().__init__(*widths)
        self.notes = {"runs": 0}

    def forward(self, x):
        self.notes["runs"] = 1
        return nn.functional.linear(x, self.weight, self.bias)


class Tied(nn.Module):
    """The first and the last layer share a matrix, and one has it twice."""

    def __init__(self):
        super().__init__()
        self.up = nn.Linear(3, 6, bias=False)
        self.middle = Scaled(6)
        self.down = Down(self.up)

    def hydra_layers(self):
        return [self.up, self.middle, self.down]

    def forward(self, x):
        for layer in self.hydra_layers():
            x = layer(x)
        return x


class Down(nn.Module):

    def __init__(self, up):
        super().__init__()
        self.table = up.weight
        self.again = up.weight

    def forward(self, x):
        return x.matmul(self.table) + x.matmul(self.again)


class Noisy(nn.Linear):

    def forward(self, x):
        return super().forward(x) + torch.rand(1)


class WithTable(nn.Linear):
    """Has a tensor that is neither a parameter nor a buffer."""

    def __init__(self, width):
        super().__init__(width, width)
        self.table = torch.arange(float(width))

    def forward(self, x, **options):
        return super().forward(x) + self.table


class ExportTest(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.out = self.folder / "out"
        torch.manual_seed(1)

    def refusal(self, model, batch=None):
        with self.assertRaises(ExportError) as caught:
            export(model, batch or batch_of(5), self.out)
        self.assertFalse(self.out.exists())
        return str(caught.exception)

    def test_what_is_loaded_computes_what_was_exported(self):
        model = nn.Sequential(
            nn.Flatten(), nn.Linear(8, 16), nn.ReLU(),
            nn.Sequential(nn.LayerNorm(16), Unscriptable(16)), nn.GELU(),
            nn.Linear(16, 3))
        batch = batch_of(2, 4)
        chain = export(model, batch, self.out)
        self.assertEqual(chain, json.loads((self.out / "chain.json").read_text()))
        self.assertEqual([layer["op"] for layer in chain["layers"]],
                         ["Linear", "LayerNorm", "Unscriptable", "Linear"])
        self.assertEqual([layer["output"] for layer in chain["layers"]],
                         [[16], [16], [16], [3]])
        self.assertEqual(chain["input"],
                         {"name": "rows", "shape": [2, 4], "dtype": "float32"})
        loaded = load(self.out)
        for examples in (1, 2, 4):
            rows = batch["rows"][:examples]
            torch.testing.assert_close(loaded(rows), model(rows))

    def test_what_refuses_scripting_only_when_it_runs_is_traced(self):
        layer = nn.utils.parametrizations.weight_norm(nn.Linear(5, 4))
        model = nn.Sequential(layer, nn.Tanh(), nn.Linear(4, 3))
        batch = batch_of(5)
        chain = export(model, batch, self.out)
        self.assertIn("parametrizations.weight.original0",
                      chain["layers"][0]["parameters"][1]["attributes"][0])
        torch.testing.assert_close(load(self.out)(batch["rows"]), model(batch["rows"]))

    def test_weights_have_the_names_of_the_state_dict(self):
        model = nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3))
        export(model, batch_of(5), self.out)
        weights = load_file(self.out / "model.safetensors")
        self.assertEqual(set(weights), set(model.state_dict()))
        for name, tensor in model.state_dict().items():
            self.assertTrue(torch.equal(weights[name], tensor))

    def test_trained_weights_are_those_that_load_gives(self):
        model = nn.Sequential(nn.Linear(5, 4), Scaled(4), nn.Linear(4, 3))
        batch = batch_of(5)
        export(model, batch, self.out)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.25)
        save_file(dict(model.named_parameters()), self.out / "model.safetensors")
        torch.testing.assert_close(load(self.out)(batch["rows"]), model(batch["rows"]))

    def test_tied_parameters_are_one_tensor(self):
        model = Tied()
        batch = batch_of(3)
        chain = export(model, batch, self.out)
        self.assertEqual(set(load_file(self.out / "model.safetensors")),
                         {"up.weight", "middle.gain", "middle.offset"})
        self.assertEqual(chain["layers"][2]["parameters"],
                         [{"name": "up.weight", "shape": [6, 3],
                           "attributes": ["table", "again"]}])
        self.assertEqual(chain["layers"][1]["parameters"][0],
                         {"name": "middle.gain", "shape": [], "attributes": ["gain"]})
        torch.testing.assert_close(load(self.out)(batch["rows"]), model(batch["rows"]))

    def test_the_same_model_makes_the_same_files(self):
        for name in ("one", "two"):
            torch.manual_seed(7)
            export(nn.Sequential(nn.Linear(5, 3)), batch_of(5), self.folder / name)
        for file in ("chain.json", "layer_0.pt", "model.safetensors"):
            self.assertEqual((self.folder / "one" / file).read_bytes(),
                             (self.folder / "two" / file).read_bytes())

    def test_a_file_has_no_weights_and_nothing_of_this_machine(self):
        export(nn.Sequential(nn.Linear(500, 300)), batch_of(500), self.out)
        content = (self.out / "layer_0.pt").read_bytes()
        self.assertLess(len(content), 10_000)
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            self.assertFalse([name for name in file.namelist() if "debug" in name])
        self.assertNotIn(str(pathlib.Path(torch.__file__).parent).encode(), content)

    def test_a_changed_file_is_not_loaded(self):
        export(nn.Sequential(nn.Linear(5, 3)), batch_of(5), self.out)
        with open(self.out / "layer_0.pt", "ab") as file:
            file.write(b"x")
        with self.assertRaisesRegex(ExportError, "layer_0.pt is not the file"):
            load(self.out)

    def test_what_training_would_change_is_refused(self):
        message = self.refusal(nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4),
                                             nn.Linear(4, 3)))
        self.assertIn("layer 1 (BatchNorm1d)", message)
        self.assertIn("running statistics", message)
        self.assertIn("Take GroupNorm or LayerNorm", message)
        self.assertNotIn("track_running_stats", message)

    def test_what_needs_several_examples_is_refused(self):
        message = self.refusal(nn.Sequential(
            nn.Linear(5, 4), nn.BatchNorm1d(4, track_running_stats=False),
            nn.Linear(4, 3)))
        self.assertIn("layer 1 (BatchNorm1d): it does not take [1, 4], and a "
                      "micro-batch may have a single example: Expected more than 1",
                      message)
        self.assertIn("layer 0 (Squeezed): it makes [3] of [1, 5]",
                      self.refusal(nn.Sequential(Squeezed(5, 3))))
        # Of the pixels of one picture, too, there are several.
        export(nn.Sequential(nn.Conv2d(1, 2, 2),
                             nn.BatchNorm2d(2, track_running_stats=False),
                             nn.Flatten(), nn.Linear(18, 3)),
               batch_of(1, 4, 4), self.out)

    def test_a_trace_that_does_not_fit_one_example_is_refused(self):
        self.assertIn("with 1 of 4 examples it computes another thing",
                      self.refusal(nn.Sequential(OtherAlone(5), nn.Linear(5, 3))))

    def test_a_layer_that_keeps_something_is_refused(self):
        for layer, attribute in ((Counting(5, 3), "runs"), (Listing(5, 3), "seen"),
                                 (Noting(5, 3), "notes"),
                                 (nn.Sequential(Counting(5, 3), nn.ReLU()), "runs")):
            self.assertIn(f"it changes its attribute {attribute};",
                          self.refusal(nn.Sequential(layer)))
        # It may have what it reads alone.
        export(nn.Sequential(Reading(5, 3)), batch_of(5), self.out)

    def test_numbers_that_are_not_finite_are_named_first(self):
        batch = batch_of(5)
        batch["rows"][1, 2] = float("nan")
        self.assertEqual("rows has numbers that are not finite",
                         self.refusal(nn.Sequential(nn.Linear(5, 3)), batch))
        batch["rows"][1, 2] = -1
        self.assertIn("layer 0 (Rooted): it makes numbers that are not finite of [4, 5]",
                      self.refusal(nn.Sequential(Rooted(5, 3)), batch))

    def test_what_hydra_would_refuse_is_not_written(self):
        def renamed(name):
            batch = batch_of(5)
            batch[name] = batch.pop("rows")
            return batch

        plain = nn.Sequential(nn.Linear(5, 3))
        self.assertIn("the input's name is 'a\\nb'", self.refusal(plain, renamed("a\nb")))
        self.assertIn("the input's name is", self.refusal(plain, renamed("a" * 513)))
        layer = nn.Linear(5, 3)
        layer.größe = nn.Parameter(torch.ones(3))
        self.assertIn("a parameter is its 'größe'", self.refusal(nn.Sequential(layer)))
        layer = nn.Linear(5, 3)
        layer.none = nn.Parameter(torch.ones(0))
        self.assertIn("0.none has the shape [0]", self.refusal(nn.Sequential(layer)))
        deep = nn.Sequential(nn.Flatten(), nn.Linear(2, 3))
        self.assertIn("an example has the shape [1, 1, 1, 1, 1, 1, 1, 1, 2]; at most 8",
                      self.refusal(deep, batch_of(1, 1, 1, 1, 1, 1, 1, 1, 2)))
        for limit, message in (("_MOST_CHAIN_BYTES", "chain.json would have"),
                               ("_MOST_FILE_BYTES", "layer 0 (Linear): its code has"),
                               ("_MOST_CODE_BYTES", "the layers' code has")):
            with mock.patch.object(chain_format, limit, 100):
                self.assertIn(message, self.refusal(plain))
        export(plain, renamed("größe"), self.out)

    def test_what_is_random_is_refused(self):
        self.assertIn("set p=0", self.refusal(nn.Sequential(
            nn.Linear(5, 4), nn.Dropout(0.1), nn.Linear(4, 3))))
        self.assertIn("two runs on the same batch differ",
                      self.refusal(nn.Sequential(Noisy(5, 3))))
        export(nn.Sequential(nn.Linear(5, 4), nn.Dropout(0), nn.Linear(4, 3)),
               batch_of(5), self.out)

    def test_tensors_beside_the_parameters_are_refused(self):
        layer = nn.Linear(5, 3)
        layer.register_buffer("mean", torch.zeros(3))
        self.assertIn("the buffer mean", self.refusal(nn.Sequential(layer)))
        self.assertIn("tensors as constants",
                      self.refusal(nn.Sequential(WithTable(5), nn.Linear(5, 3))))

    def test_what_writes_into_its_input_is_refused(self):
        class InPlace(nn.Linear):

            def forward(self, x):
                return super().forward(x.mul_(2))

        self.assertIn("writes into the tensor", self.refusal(nn.Sequential(InPlace(5, 3))))
        export(nn.Sequential(nn.Linear(5, 4), nn.ReLU(inplace=True), nn.Linear(4, 3)),
               batch_of(5), self.out)

    def test_a_trace_that_fits_its_batch_alone_is_refused(self):
        self.assertIn("bound to what the example batch was",
                      self.refusal(nn.Sequential(BoundToItsBatch(5), nn.Linear(5, 3))))

    def test_frozen_parameters_are_the_job_files_matter(self):
        model = nn.Sequential(nn.Linear(5, 3))
        model[0].bias.requires_grad_(False)
        self.assertIn("model.frozen: [0.bias]", self.refusal(model))

    def test_what_is_no_chain_is_refused(self):
        self.assertIn("no nn.Sequential, and has no hydra_layers",
                      self.refusal(nn.Linear(5, 3)))
        self.assertIn("no layer has parameters", self.refusal(nn.Sequential(nn.ReLU())))
        self.assertIn("it makes tuple", self.refusal(nn.Sequential(nn.GRU(5, 3))))
        self.assertIn("it does not take [4, 5]",
                      self.refusal(nn.Sequential(nn.Linear(6, 3))))
        model = Tied()
        model.spare = nn.Linear(2, 2)
        self.assertIn("spare.weight, spare.bias", self.refusal(model, batch_of(3)))

    def test_labels_and_logits_must_fit(self):
        batch = batch_of(5)
        batch["labels"][1] = 3
        self.assertIn("makes 3 classes", self.refusal(nn.Sequential(nn.Linear(5, 3)), batch))
        self.assertIn("logits", self.refusal(nn.Sequential(nn.Linear(5, 3)),
                                             batch_of(2, 5)))
        del batch["labels"]
        self.assertIn("it needs two", self.refusal(nn.Sequential(nn.Linear(5, 3)), batch))

    def test_bytes_are_divided_as_hydra_does(self):
        batch = {"pixels": torch.full((4, 5), 255, dtype=torch.uint8),
                 "labels": torch.zeros(4, dtype=torch.int64)}
        name, inputs, _ = exporter._example(batch)
        self.assertEqual(name, "pixels")
        self.assertTrue(torch.equal(inputs, torch.ones(4, 5)))

    def run_main(self, *arguments):
        out, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            code = exporter.main(list(arguments))
        return code, out.getvalue(), errors.getvalue()

    def test_the_command_takes_a_file_and_a_function(self):
        (self.folder / "my_model.py").write_text(
            "from torch import nn\n"
            "class Twice(nn.Module):\n"
            "    def __init__(self):\n"
            "        super().__init__()\n"
            "        self.inner = nn.Linear(5, 4)\n"
            "    def forward(self, x):\n"
            "        return self.inner(x) * 2\n"
            "def build():\n"
            "    return nn.Sequential(Twice(), nn.ReLU(), nn.Linear(4, 3))\n")
        save_file(batch_of(5, examples=20), self.folder / "batch.safetensors")
        arguments = ["--example-batch", str(self.folder / "batch.safetensors")]
        build = f"{self.folder / 'my_model.py'}:build"
        code, out, errors = self.run_main(build, *arguments, "--out", str(self.out))
        self.assertEqual((code, errors), (0, ""))
        self.assertIn("2 layers, 39 parameters, 3 classes", out)
        self.run_main(build, *arguments, "--seed", "1", "--out", str(self.folder / "other"))
        self.assertNotEqual(
            hashlib.sha256((self.out / "model.safetensors").read_bytes()).digest(),
            hashlib.sha256((self.folder / "other/model.safetensors").read_bytes()).digest())
        code, _, errors = self.run_main(build, *arguments, "--out", str(self.out))
        self.assertEqual(code, 1)
        self.assertIn("no empty folder", errors)
        save_file({**batch_of(5), "scale": torch.ones(())}, self.folder / "more.safetensors")
        save_file({"rows": torch.ones(()), "labels": torch.ones(2, dtype=torch.int64)},
                  self.folder / "one.safetensors")
        for file, message in (("more", "it needs two"), ("one", "rows has the shape []")):
            code, _, errors = self.run_main(
                build, "--example-batch", str(self.folder / f"{file}.safetensors"),
                "--out", str(self.folder / "none"))
            self.assertEqual(code, 1)
            self.assertIn(message, errors)
        code, _, errors = self.run_main(build + "er", *arguments, "--out", "x")
        self.assertEqual(code, 1)
        self.assertIn("has no function builder", errors)


if __name__ == "__main__":
    unittest.main()
