#include "common/jobfile/job_file.h"

#include <string>

#include "common/jobfile/mistakes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;

std::string MessageOf(absl::string_view text) {
  return std::string(ParseJobFile(text).status().message());
}

TEST(ParseJobFileTest, ReadsAJobAndItsGrid) {
  const absl::StatusOr<JobFile> file = ParseJobFile(R"(
name: a
model: {path: m, init: random}
data: {train_files: [x, y], format: tokens_u32}
train:
  learning_rate: 1e-4
sweep:
  grid:
    train.optim: [sgd, adamw]
    train.seed: 7
)");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->job.name(), "a");
  EXPECT_EQ(file->job.model().init(), v1::INITIALIZATION_RANDOM);
  EXPECT_EQ(file->job.data().train_files_size(), 2);
  EXPECT_EQ(file->job.data().format(), v1::DATA_FORMAT_TOKENS_U32);
  EXPECT_EQ(file->job.train().learning_rate(), 1e-4);
  ASSERT_EQ(file->grid.size(), 2);
  EXPECT_EQ(file->grid[0].field(), "train.optim");
  EXPECT_THAT(file->grid[0].values(), ElementsAre("sgd", "adamw"));
  EXPECT_THAT(file->grid[1].values(), ElementsAre("7"));
}

TEST(ParseJobFileTest, AnEmptySweepIsNoSweep) {
  for (absl::string_view text : {"", "sweep:\n", "sweep:\n  grid:\n"}) {
    const absl::StatusOr<JobFile> file = ParseJobFile(text);
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_TRUE(file->grid.empty());
  }
}

TEST(ParseJobFileTest, TellsAllMistakesAtOnce) {
  const absl::StatusOr<JobFile> file = ParseJobFile(
      "modle: {}\ntrain:\n  lr: 1\n  optim: rmsprop\n"
      "sweep:\n  grid:\n    train.seed: [a]\n");
  EXPECT_EQ(MistakesOf(file.status()).size(), 4);
}

// One mistake each, with all that is told about it.
TEST(ParseJobFileTest, ExplainsEachMistake) {
  const struct {
    absl::string_view text;
    absl::string_view message;
  } kCases[] = {
      {"train: {lr: 1}",
       "train.lr: line 1: unknown key 'lr'; did you mean 'learning_rate'?"},
      {"train: {batch_size: 1}",
       "train.batch_size: line 1: unknown key 'batch_size'; did you mean "
       "'per_device_train_batch_size'?"},
      {"train: {micro_batch_size: 1}",
       "train.micro_batch_size: line 1: unknown key 'micro_batch_size'; did "
       "you mean 'per_device_train_batch_size'?"},
      {"train: {epochs: 1}",
       "train.epochs: line 1: unknown key 'epochs'; did you mean "
       "'num_train_epochs'?"},
      {"train: {cutoff_len: 1}",
       "train.cutoff_len: line 1: unknown key 'cutoff_len'; did you mean "
       "'context_length'?"},
      {"train: {block_size: 1}",
       "train.block_size: line 1: unknown key 'block_size'; did you mean "
       "'context_length'?"},
      {"train: {grad_accum: 1}",
       "train.grad_accum: line 1: unknown key 'grad_accum'; did you mean "
       "'gradient_accumulation_steps'?"},
      {"train: {optimizer: sgd}",
       "train.optimizer: line 1: unknown key 'optimizer'; did you mean "
       "'optim'?"},
      {"model_name_or_path: m",
       "model_name_or_path: line 1: unknown key 'model_name_or_path'; did you "
       "mean 'path' under 'model'?"},
      {"model: {model_name_or_path: m}",
       "model.model_name_or_path: line 1: unknown key 'model_name_or_path'; "
       "did you mean 'path'?"},
      {"learning_rate: 1",
       "learning_rate: line 1: unknown key 'learning_rate'; did you mean "
       "'learning_rate' under 'train'?"},
      {"train.seed: 1",
       "train.seed: line 1: unknown key 'train.seed'; did you mean 'seed' "
       "under 'train'?"},
      {"model: {name: m}",
       "model.name: line 1: unknown key 'name'; did you mean 'name' at the top "
       "level?"},
      {"train: {learning-rate: 1}",
       "train.learning-rate: line 1: unknown key 'learning-rate'; did you mean "
       "'learning_rate'?"},
      {"train: {save_steps: 1}",
       "train.save_steps: line 1: unknown key 'save_steps'; did you mean "
       "'every_steps' under 'checkpoint'?"},
      {"checkpoint: {save_total_limit: 1}",
       "checkpoint.save_total_limit: line 1: unknown key 'save_total_limit'; "
       "did you mean 'keep_last'?"},
      {"checkpoints: {}",
       "checkpoints: line 1: unknown key 'checkpoints'; did you mean "
       "'checkpoint'?"},
      {"checkpoint: {minutes: 1}",
       "checkpoint.minutes: line 1: unknown key 'minutes'; known here: "
       "every_steps, every_minutes, keep_last, keep_best"},
      {"grid: {}", "grid: line 1: unknown key 'grid'; did you mean 'sweep'?"},
      {"model: {deepspeed: 1}",
       "model.deepspeed: line 1: unknown key 'deepspeed'; hydrad places every "
       "model on its devices by itself; remove it"},
      {"model: {wheels: 1}",
       "model.wheels: line 1: unknown key 'wheels'; known here: path, init, "
       "tokenizer_path, frozen, frozen_dtype, trained_dtype"},
      {"wheels: 1",
       "wheels: line 1: unknown key 'wheels'; known here: name, model, data, "
       "train, evaluation, output, partition, checkpoint, lora, project, "
       "priority, sweep"},
      {"sweeps: {}",
       "sweeps: line 1: unknown key 'sweeps'; did you mean 'sweep'?"},
      {"evaluation: {batch_size: 4}",
       "evaluation.batch_size: line 1: unknown key 'batch_size'; did you mean "
       "'per_device_eval_batch_size'?"},
      {"name: ''",
       "name: line 1: expected a name, found ''; leave the key out for the "
       "name 'job'"},
      {"train: seed:1",
       "train: line 1: expected a section of keys, found 'seed:1'; a blank "
       "must "
       "stand after ':'"},
      {"name: a\nseed = 1",
       "seed = 1: line 2: unknown key 'seed = 1'; write ':' in place of '='"},
      {"name: a\nseed:1",
       "seed:1: line 2: unknown key 'seed:1'; a blank must stand after ':'"},
      {"name: a\nseed 1",
       "seed 1: line 2: unknown key 'seed 1'; a ':' is missing after 'seed'"},
      {"train: {learning_rate: 0x1p-10}",
       "train.learning_rate: line 1: expected a number, found '0x1p-10'"},
      {"train:\n  learning_rate: fast",
       "train.learning_rate: line 2: expected a number, found 'fast'"},
      {"train: {learning_rate: .nan}",
       "train.learning_rate: line 1: expected a number, found '.nan'"},
      {"train: {learning_rate: inf}",
       "train.learning_rate: line 1: expected a finite number, found 'inf'"},
      {"train: {learning_rate: [1, 2]}",
       "train.learning_rate: line 1: expected a number, found a list"},
      {"train: {learning_rate: }",
       "train.learning_rate: line 1: expected a number, found nothing"},
      {"train: {learning_rate: {a: 1}}",
       "train.learning_rate: line 1: expected a number, found a section of "
       "keys"},
      {"train: {max_steps: 1.5}",
       "train.max_steps: line 1: expected a whole number, found '1.5'"},
      {"train: {max_steps: 1e3}",
       "train.max_steps: line 1: expected a whole number, found '1e3'"},
      {"train: {max_steps: 9223372036854775808}",
       "train.max_steps: line 1: expected a whole number from "
       "-9223372036854775808 to 9223372036854775807, found "
       "'9223372036854775808'"},
      {"train: {context_length: 2147483648}",
       "train.context_length: line 1: expected a whole number from -2147483648 "
       "to 2147483647, found '2147483648'"},
      {"train: {seed: -1}",
       "train.seed: line 1: expected a whole number from 0 to "
       "18446744073709551615, found '-1'"},
      {"train: {optim: adamw_torch}",
       "train.optim: line 1: expected one of sgd, adam, adamw, lion, "
       "adafactor, found "
       "'adamw_torch'; did you mean 'adamw'?"},
      {"train: {optim: rmsprop}",
       "train.optim: line 1: expected one of sgd, adam, adamw, lion, "
       "adafactor, found "
       "'rmsprop'"},
      {"train: {optim: unspecified}",
       "train.optim: line 1: expected one of sgd, adam, adamw, lion, "
       "adafactor, found "
       "'unspecified'"},
      {"train: {optim: OPTIMIZER_ADAM}",
       "train.optim: line 1: expected one of sgd, adam, adamw, lion, "
       "adafactor, found "
       "'OPTIMIZER_ADAM'"},
      {"model: {init: [random]}",
       "model.init: line 1: expected one of pretrained, random, found a list"},
      {"data: {format: txt}",
       "data.format: line 1: expected one of text, tokens_u16, tokens_u32, "
       "jsonl, chat, instruction, tensors, labeled, csv, images, found 'txt'; "
       "did you mean 'text'?"},
      {"data: {shuffle: yes}",
       "data.shuffle: line 1: expected true or false, found 'yes'"},
      {"data: {shuffle: 1}",
       "data.shuffle: line 1: expected true or false, found '1'"},
      {"data: {train_files: {a: b}}",
       "data.train_files: line 1: expected text, found a section of keys"},
      {"data: {train_files: [a, ]}\nname: ",
       "name: line 2: expected text, found nothing"},
      {"data:\n  train_files:\n  - a\n  - [b]",
       "data.train_files[1]: line 4: expected text, found a list"},
      {"data: {train_files: }",
       "data.train_files: line 1: expected text, found nothing"},
      {"checkpoint: {every_minutes: often}",
       "checkpoint.every_minutes: line 1: expected a number, found 'often'"},
      {"partition: {cut_points: [1, x]}",
       "partition.cut_points[1]: line 1: expected a whole number, found 'x'"},
      {"train: fast",
       "train: line 1: expected a section of keys, found 'fast'"},
      {"train: [1]", "train: line 1: expected a section of keys, found a list"},
      {"- a", "line 1: expected a section of keys, found a list"},
      {"just text", "line 1: expected a section of keys, found 'just text'"},
      {"name: a\nname: b",
       "name: line 2: this key is given twice, first in line 1"},
      {"train:\n  seed: 1\n\n  seed: 1",
       "train.seed: line 4: this key is given twice, first in line 2"},
      {"name: a\ntrain: {seed: 1",
       "line 2, column 8: this '{' is never closed"},
      {"name: *x",
       "line 1, column 7: a value cannot begin with '*'; put it in quotes"},
      {"sweep: 3",
       "sweep: line 1: expected a section with the key 'grid', found '3'"},
      {"sweep: {random: 3}",
       "sweep.random: line 1: unknown key 'random'; a sweep trains every "
       "combination of sweep.grid; remove it"},
      {"sweep: {gird: 3}",
       "sweep.gird: line 1: unknown key 'gird'; did you mean 'grid'?"},
      {"sweep: {grid: {train.fp8: [true, false]}}",
       "train.fp8: line 1: no such field in a job; Hydra's moments and sums "
       "are fp32; linear maps may compute in bfloat16 (train.bf16) or float16 "
       "(train.fp16), parameters that are trained may lie in bfloat16 beside "
       "fp32 masters (model.trained_dtype), and those that are not keep the "
       "two bytes of their checkpoint (model.frozen_dtype)"},
      {"sweep: {}\nsweep: {}",
       "sweep: line 2: this key is given twice, first in line 1"},
      {"sweep: {grid: {}, grid: {}}",
       "sweep.grid: line 1: this key is given twice"},
      {"sweep: {grid: [1]}",
       "sweep.grid: line 1: expected field paths with lists of values, found a "
       "list"},
      {"sweep: {grid: {train: {seed: [1]}}}",
       "train: line 1: expected a list of values under a field's whole path, "
       "such as 'train.learning_rate', found a section of keys"},
      {"sweep: {grid: {train.seed: }}",
       "train.seed: line 1: expected a list of values, found nothing"},
      {"sweep: {grid: {train.seed: []}}",
       "train.seed: line 1: expected at least one value, found none"},
      {"sweep: {grid: {train.seed: [1, [2]]}}",
       "train.seed: line 1: expected single values in the list, found a list"},
      {"sweep: {grid: {train.seed: [1, 2, 1]}}",
       "train.seed: line 1: the values '1' and '1' are the same; remove one"},
      {"sweep: {grid: {train.learning_rate: [1e-3, 0.001]}}",
       "train.learning_rate: line 1: the values '1e-3' and '0.001' are the "
       "same; remove one"},
      {"sweep:\n  grid:\n    train.learning_rate: [fast]",
       "train.learning_rate: line 3: expected a number, found 'fast'"},
      {"sweep: {grid: {learning_rate: [1]}}",
       "learning_rate: line 1: no such field in a job; did you mean "
       "'train.learning_rate'?"},
      {"sweep: {grid: {train.lr: [1]}}",
       "train.lr: line 1: no such field in a job; did you mean "
       "'train.learning_rate'?"},
      {"sweep: {grid: {train: [1]}}",
       "train: line 1: this is a section; name one of its fields, such as "
       "'train.learning_rate'"},
      {"sweep: {grid: {data.train_files: [a]}}",
       "data.train_files: line 1: this field is a list; a grid varies single "
       "values only"},
      {"sweep: {grid: {train.seed: [1], train.seed: [2]}}",
       "train.seed: line 1: this key is given twice, first in line 1"},
      {"sweep: {grid: {train.optim: [sgd, adamw_torch]}}",
       "train.optim: line 1: expected one of sgd, adam, adamw, lion, "
       "adafactor, found "
       "'adamw_torch'; did you mean 'adamw'?"},
  };
  for (const auto& test : kCases) {
    EXPECT_EQ(MessageOf(test.text), test.message) << test.text;
  }
}

TEST(MakePathsAbsoluteTest, CoversEveryPathAndTheGrid) {
  absl::StatusOr<JobFile> file = ParseJobFile(R"(
name: a
model: {path: m, tokenizer_path: ./t}
data: {train_files: [x, /y], validation_files: v, test_files: w}
output: {output_dir: o}
sweep:
  grid:
    model.path: [m1, /m2]
    name: [b, c]
)");
  ASSERT_TRUE(file.ok()) << file.status();
  MakePathsAbsolute("/home/u", &*file);
  EXPECT_EQ(file->job.name(), "a");
  EXPECT_EQ(file->job.model().path(), "/home/u/m");
  EXPECT_EQ(file->job.model().tokenizer_path(), "/home/u/t");
  EXPECT_THAT(file->job.data().train_files(), ElementsAre("/home/u/x", "/y"));
  EXPECT_EQ(file->job.data().validation_files(0), "/home/u/v");
  EXPECT_EQ(file->job.data().test_files(0), "/home/u/w");
  EXPECT_EQ(file->job.output().output_dir(), "/home/u/o");
  EXPECT_THAT(file->grid[0].values(), ElementsAre("/home/u/m1", "/m2"));
  EXPECT_THAT(file->grid[1].values(), ElementsAre("b", "c"));
}

TEST(MakePathsAbsoluteTest, LeavesUnsetPathsUnset) {
  JobFile file;
  MakePathsAbsolute("/home/u", &file);
  EXPECT_EQ(file.job.model().path(), "");
  EXPECT_EQ(file.job.output().output_dir(), "");
}

}  // namespace
}  // namespace hydra
