#include "common/jobfile/job_aliases.h"

#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/jobfile/field_value.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hydra/v1/job.pb.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Hint(absl::string_view section, absl::string_view key) {
  return KeyHint(*v1::JobSpec::descriptor(), section, key, {"known"},
                 JobAliases());
}

TEST(JobAliasesTest, EachSaysWhatToWriteOrWhyThereIsNothing) {
  std::set<absl::string_view> words;
  for (const Alias& alias : JobAliases()) {
    EXPECT_TRUE(words.insert(alias.word).second) << alias.word << " is twice";
    EXPECT_FALSE(alias.meant.empty() && alias.note.empty()) << alias.word;
  }
}

TEST(JobAliasesTest, OnlyOfWhatChangesTheResultSomeValuesDoNot) {
  for (const Alias& alias : JobAliases()) {
    EXPECT_TRUE(alias.same.empty() || alias.import == Import::kChanges)
        << alias.word;
  }
}

// FindAlias takes the first that matches.
TEST(JobAliasesTest, NoneStandsBehindAPatternThatHidesIt) {
  for (const Alias& alias : JobAliases()) {
    if (absl::StrContains(alias.word, '.')) continue;
    EXPECT_EQ(FindAlias("", alias.word, JobAliases()), &alias) << alias.word;
  }
}

// The words for values of all of a job's enums.
std::set<std::string> ValuesOfEnums() {
  const auto& file = *v1::JobSpec::descriptor()->file();
  std::set<std::string> values;
  for (int i = 0; i < file.enum_type_count(); ++i) {
    for (std::string& name : EnumNames(*file.enum_type(i))) {
      values.insert(std::move(name));
    }
  }
  return values;
}

TEST(JobAliasesTest, WhatIsMeantExists) {
  const auto& job = *v1::JobSpec::descriptor();
  const std::set<std::string> values = ValuesOfEnums();
  for (const Alias& alias : JobAliases()) {
    if (alias.meant.empty() || alias.meant == "sweep" ||
        values.count(std::string(alias.meant)) != 0) {
      continue;
    }
    const std::string path = SuggestField(job, "", alias.meant, {});
    EXPECT_NE(FindField(job, path), nullptr) << alias.meant;
    EXPECT_EQ(path.substr(path.rfind('.') + 1),
              alias.meant.substr(alias.meant.rfind('.') + 1))
        << alias.word;
  }
}

// A key of another tool, where it stands, and the beginning of the hint.
struct Case {
  absl::string_view section;
  absl::string_view key;
  absl::string_view hint;
};

TEST(JobAliasesTest, KeysOfOtherToolsHaveTheirHints) {
  const Case kCases[] = {
      // Hugging Face.
      {"", "output_dir", "did you mean 'output_dir' under 'output'?"},
      {"", "do_train", "a job always trains; remove it"},
      {"", "eval_strategy", "did you mean 'eval_steps' under 'evaluation'? 0"},
      {"train", "scheduler", "did you mean 'lr_scheduler_type'? there are"},
      {"train", "num_warmup_steps", "did you mean 'warmup_steps'?"},
      {"", "max_grad_norm", "did you mean 'max_grad_norm' under 'train'?"},
      {"train", "fp8", "Hydra's moments and sums are fp32"},
      {"train", "fp16_full_eval", "Hydra's moments and sums are fp32"},
      {"model", "dtype", "Hydra's moments and sums are fp32"},
      {"", "gradient_checkpointing", "Hydra keeps activations"},
      {"", "save_total_limit", "did you mean 'keep_last' under 'checkpoint'?"},
      {"", "load_best_model_at_end", "did you mean 'keep_best'"},
      {"", "report_to", "did you mean 'tensorboard' under"},
      {"", "logging_steps", "hydra watch, logs and results"},
      {"", "dataloader_num_workers", "text is tokenized once"},
      {"train", "adam_beta_2", "did you mean 'adam_beta2'?"},
      {"", "run_name", "did you mean 'name'?"},
      {"", "per-device-train-batch-size", "did you mean"},
      // LLaMA-Factory.
      {"", "cutoff_len", "did you mean 'context_length' under 'train'?"},
      {"", "max_samples", "Hydra reads whole files"},
      {"", "finetuning_type", "a section lora trains adapters"},
      {"", "val_size",
       "did you mean 'validation_files' under 'data'? it takes"},
      // Axolotl.
      {"", "datasets", "did you mean 'train_files' under 'data'?"},
      {"", "sample_packing", "files are read as one stream"},
      {"", "micro_batch_size", "did you mean 'per_device_train_batch_size'"},
      {"", "wandb_project", "hydra watch, logs and results"},
      {"", "lora_r", "did you mean 'r' under 'lora'?"},
      {"", "lora_modules_to_save", "Hydra's adapters are r, lora_alpha"},
      {"", "freeze_trainable_layers", "did you mean 'frozen' under 'model'?"},
      // DeepSpeed.
      {"", "zero_optimization", "hydrad places every model"},
      {"", "gradient_clipping", "did you mean 'max_grad_norm' under 'train'?"},
      // torchtune and Lightning.
      {"", "max_epochs", "did you mean 'num_train_epochs' under 'train'?"},
      {"", "accumulate_grad_batches", "did you mean 'gradient_accumulation"},
      {"", "precision", "Hydra's moments and sums are fp32"},
      {"", "val_check_interval", "did you mean 'eval_steps' under"},
      {"model", "_component_", "Hydra runs no code of users"},
      // Weights & Biases.
      {"sweep", "parameters", "write 'grid:' under 'sweep'"},
      {"sweep", "method", "a sweep trains every combination"},
      {"", "parameters", "did you mean 'sweep'? write 'grid:'"},
      // Where a word's section says which field is meant.
      {"evaluation", "batch_size",
       "did you mean 'per_device_eval_batch_size'?"},
      {"train", "batch_size", "did you mean 'per_device_train_batch_size'?"},
      {"output", "dir", "did you mean 'output_dir'?"},
  };
  for (const Case& test : kCases) {
    EXPECT_EQ(Hint(test.section, test.key).substr(0, test.hint.size()),
              test.hint)
        << test.key;
  }
}

TEST(JobAliasesTest, ValuesOfOtherToolsHaveTheirHints) {
  const struct {
    absl::string_view field;
    const char* value;
    const char* meant;
  } kCases[] = {
      {"data.format", "sharegpt", "chat"},
      {"data.format", "alpaca", "instruction"},
      {"data.format", "json", "jsonl"},
      {"model.init", "scratch", "random"},
      {"model.frozen_dtype", "bf16", "bfloat16"},
      {"model.frozen_dtype", "BF16", "bfloat16"},
      {"model.frozen_dtype", "fp16", "float16"},
      {"model.frozen_dtype", "half", "float16"},
      {"model.frozen_dtype", "8bit", "int8"},
      {"model.frozen_dtype", "float", "float32"},
      {"train.optim", "adamw_torch", "adamw"},
      {"train.update_on", "gpu", "device"},
  };
  for (const auto& test : kCases) {
    v1::JobSpec job;
    const absl::Status set =
        SetValueAt(test.field, test.value, JobAliases(), &job);
    EXPECT_THAT(std::string(set.message()),
                HasSubstr(absl::StrCat("found '", test.value,
                                       "'; did you mean '", test.meant, "'?")))
        << test.field;
  }
  // As a key it is the other tool's, or none.
  EXPECT_THAT(Hint("train", "fp8"), HasSubstr("fp32"));
  EXPECT_EQ(FindAlias("train", "half", JobAliases()), nullptr);
}

TEST(JobAliasesTest, WordsThatAreFarFromEverythingAreNotGuessedAt) {
  for (const char* key : {"do_test", "max_tokens", "batch", "train_now"}) {
    EXPECT_THAT(Hint("zoo", key), Not(HasSubstr("max_steps"))) << key;
  }
  EXPECT_EQ(Hint("train", "wheels"), "known here: known");
}

}  // namespace
}  // namespace hydra
