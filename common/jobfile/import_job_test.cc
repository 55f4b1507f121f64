#include "common/jobfile/import_job.h"

#include <fstream>
#include <set>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/jobfile/import_report.h"
#include "common/jobfile/job_file.h"
#include "common/jobfile/validate.h"
#include "common/jobfile/yaml_tree.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hydra/v1/job.pb.h"

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

using Fate = ImportedKey::Fate;

ImportOptions Options(std::set<std::string> files = {}) {
  ImportOptions options;
  options.base_dir = "/home/ann";
  options.exists = [files = std::move(files)](const std::string& path) {
    return files.count(path) != 0;
  };
  options.read = [](const std::string& path) -> absl::StatusOr<std::string> {
    if (path != "/home/ann/data/dataset_info.json") {
      return absl::NotFoundError("there is no such file");
    }
    return R"({
      "wiki": {"file_name": "wiki.jsonl", "columns": {"prompt": "body"}},
      "more": {"file_name": "more.jsonl", "columns": {"prompt": "body"}},
      "talks": {"file_name": "talks.json", "formatting": "sharegpt"},
      "identity": {"file_name": "identity.json"}
    })";
  };
  return options;
}

ImportedJob Import(absl::string_view text,
                   const ImportOptions& options = Options()) {
  absl::StatusOr<ImportedJob> job = ImportJob(text, options);
  EXPECT_TRUE(job.ok()) << text << job.status();
  return job.ok() ? *std::move(job) : ImportedJob();
}

std::string Sample(const std::string& name) {
  std::ifstream file("common/jobfile/testdata/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

ImportedJob ImportSample(const std::string& name) {
  return Import(Sample(name));
}

std::string Refusal(absl::string_view text) {
  return std::string(ImportJob(text, Options()).status().message());
}

std::vector<std::string> KeysOf(const ImportedJob& job, Fate fate) {
  std::vector<std::string> keys;
  for (const ImportedKey& key : job.keys) {
    if (key.fate == fate) keys.push_back(key.key);
  }
  return keys;
}

// What is said of the key in the file.
std::string WhatOf(const ImportedJob& job, absl::string_view name) {
  for (const ImportedKey& key : job.keys) {
    if (key.key == name) return key.what;
  }
  return "none";
}

// The value of a field; "none" without it.
std::string Field(const ImportedJob& job, absl::string_view path) {
  const auto field = job.fields.find(path);
  return field == job.fields.end() ? "none" : absl::StrJoin(field->second, "|");
}

// The job that is submitted with the file that is written.
v1::JobSpec Submitted(const ImportedJob& imported) {
  absl::StatusOr<JobFile> file = ParseJobFile(ImportedYaml(imported));
  EXPECT_TRUE(file.ok()) << file.status();
  if (!file.ok()) return {};
  MakePathsAbsolute("/home/ann", &*file);
  Mistakes mistakes;
  ValidateJob(file->job, &mistakes);
  EXPECT_EQ(ToStatus(mistakes), absl::OkStatus());
  return file->job;
}

constexpr absl::string_view kSmall =
    "model_name_or_path: /m\ntrain_file: /t.txt\n"
    "per_device_train_batch_size: 2\n";

ImportedJob ImportWith(absl::string_view lines) {
  return Import(absl::StrCat(kSmall, lines));
}

TEST(ImportJobTest, AnAxolotlFileOfWhatHydraHasIsAValidJob) {
  const ImportedJob imported = ImportSample("axolotl.yaml");
  EXPECT_EQ(imported.tool, "Axolotl");
  EXPECT_THAT(KeysOf(imported, Fate::kLost), IsEmpty())
      << ImportReport(imported);
  EXPECT_THAT(imported.mistakes, IsEmpty());
  const v1::JobSpec job = Submitted(imported);
  EXPECT_EQ(job.model().path(), "/home/ann/models/tiny-llama");
  EXPECT_THAT(job.data().train_files(),
              ElementsAre("/home/ann/corpus/part-1.jsonl",
                          "/home/ann/corpus/part-2.jsonl"));
  EXPECT_THAT(job.data().validation_files(),
              ElementsAre("/home/ann/corpus/held-out.jsonl"));
  EXPECT_EQ(job.data().format(), v1::DATA_FORMAT_JSONL);
  EXPECT_EQ(job.data().text_field(), "body");
  const v1::TrainSpec& train = job.train();
  EXPECT_EQ(train.context_length(), 1024);
  EXPECT_EQ(train.gradient_accumulation_steps(), 4);
  EXPECT_EQ(train.per_device_train_batch_size(), 2);
  EXPECT_EQ(train.num_train_epochs(), 4);
  EXPECT_FALSE(train.has_max_steps());
  EXPECT_EQ(train.optim(), v1::OPTIMIZER_ADAMW);
  EXPECT_EQ(train.lr_scheduler_type(), v1::LR_SCHEDULER_TYPE_COSINE);
  EXPECT_EQ(train.learning_rate(), 0.0002);
  EXPECT_EQ(train.warmup_steps(), 10);
  EXPECT_EQ(train.warmup_ratio(), 0);
  EXPECT_EQ(train.weight_decay(), 0.01);
  // As Axolotl does it without being told.
  EXPECT_EQ(train.max_grad_norm(), 1);
  EXPECT_TRUE(train.no_decay_biases_and_norms());
  EXPECT_THAT(
      KeysOf(imported, Fate::kAssumed),
      UnorderedElementsAre("max_grad_norm", "no_decay_biases_and_norms"));
}

TEST(ImportJobTest, ALlamaFactoryFileIsToldWhatHasNoCounterpart) {
  const ImportedJob imported = ImportSample("llama_factory.yaml");
  EXPECT_EQ(imported.tool, "LLaMA-Factory");
  EXPECT_THAT(KeysOf(imported, Fate::kLost),
              ElementsAre("model_name_or_path", "dataset", "template",
                          "max_samples", "val_size"));
  EXPECT_THAT(
      KeysOf(imported, Fate::kLeftOut),
      ElementsAre("trust_remote_code", "stage", "do_train", "finetuning_type",
                  "deepspeed", "overwrite_cache", "preprocessing_num_workers",
                  "dataloader_num_workers", "logging_steps", "plot_loss",
                  "overwrite_output_dir", "save_only_model", "report_to",
                  "ddp_timeout", "resume_from_checkpoint", "eval_strategy",
                  "eval_steps"));
  EXPECT_THAT(WhatOf(imported, "model_name_or_path"),
              HasSubstr("huggingface-cli download meta-llama/"));
  EXPECT_THAT(WhatOf(imported, "template"), HasSubstr("chat template"));
  EXPECT_THAT(WhatOf(imported, "eval_steps"),
              HasSubstr("data.validation_files names no file"));
  const v1::JobSpec job = Submitted(imported);
  EXPECT_EQ(job.data().format(), v1::DATA_FORMAT_INSTRUCTION);
  EXPECT_EQ(job.train().context_length(), 2048);
  EXPECT_TRUE(job.train().bf16());
  EXPECT_EQ(job.train().warmup_ratio(), 0.1);
  EXPECT_EQ(job.train().num_train_epochs(), 3);
  EXPECT_EQ(job.train().lr_scheduler_type(), v1::LR_SCHEDULER_TYPE_COSINE);
  EXPECT_EQ(job.lora().r(), 8);
  EXPECT_EQ(job.lora().lora_alpha(), 16);
  EXPECT_THAT(job.lora().target_modules(), ElementsAre("all-linear"));
  EXPECT_EQ(job.checkpoint().every_steps(), 500);
  EXPECT_EQ(job.output().output_dir(), "/home/ann/saves/llama3-8b/lora/sft");
}

TEST(ImportJobTest, JsonOfTrlIsReadLikeYaml) {
  const ImportedJob imported = ImportSample("trl.json");
  EXPECT_EQ(imported.tool, "TRL");
  EXPECT_THAT(KeysOf(imported, Fate::kLost),
              ElementsAre("optim", "packing_strategy"));
  EXPECT_THAT(WhatOf(imported, "optim"), HasSubstr("moments are fp32"));
  const v1::JobSpec job = Submitted(imported);
  EXPECT_EQ(job.train().optim(), v1::OPTIMIZER_ADAMW);
  EXPECT_EQ(job.train().num_train_epochs(), 2);
  EXPECT_EQ(job.train().lr_scheduler_type(), v1::LR_SCHEDULER_TYPE_CONSTANT);
  EXPECT_EQ(job.train().warmup_steps(), 100);
  EXPECT_EQ(job.train().learning_rate(), 2e-5);
  EXPECT_EQ(job.train().max_grad_norm(), 0.5);
  EXPECT_EQ(job.train().seed(), 7);
  EXPECT_EQ(job.data().text_field(), "content");
  EXPECT_EQ(job.evaluation().eval_steps(), 50);
  EXPECT_EQ(job.checkpoint().keep_last(), 3);
  // What no job file may have, and makes no other model.
  EXPECT_EQ(job.name(), "");
  EXPECT_EQ(job.checkpoint().every_steps(), 0);
  EXPECT_THAT(WhatOf(imported, "save_steps"),
              HasSubstr("expected a whole number"));
}

TEST(ImportJobTest, EveryKeyIsToldWithItsLine) {
  for (const char* sample : {"axolotl.yaml", "llama_factory.yaml"}) {
    const absl::StatusOr<YamlNode> root = ParseYaml(Sample(sample));
    ASSERT_TRUE(root.ok()) << root.status();
    std::set<int> told;
    for (const ImportedKey& key : ImportSample(sample).keys) {
      EXPECT_FALSE(key.what.empty()) << key.key;
      told.insert(key.line);
    }
    for (const YamlEntry& entry : root->entries) {
      // Of data sets, each of their keys is told.
      if (absl::EndsWith(entry.key, "datasets")) continue;
      EXPECT_TRUE(told.erase(entry.line)) << entry.key;
    }
  }
}

TEST(ImportJobTest, ValuesThatAskForWhatHydraDoesLoseNothing) {
  for (const char* lines : {"bf16: false",
                            "bf16: no",
                            "bf16: off",
                            "torch_dtype: float32",
                            "label_smoothing_factor: 0.1",
                            "load_best_model_at_end: false",
                            "optim: adafactor",
                            "metric_for_best_model: eval_loss",
                            "optim: paged_lion_32bit",
                            "metric_for_best_model: eval_bleu",
                            "mixed_precision: bf16",
                            "fp16: true",
                            "fp16: false",
                            "revision: main",
                            "validation_split_percentage: 0",
                            "group_by_length: False",
                            "lora_r:",
                            "plugins: []",
                            "optim: adamw_torch",
                            "lr_scheduler_type: constant_with_warmup"}) {
    EXPECT_FALSE(TrainsAnother(ImportWith(lines))) << lines;
  }
}

TEST(ImportJobTest, WhereAToolComputesInBf16UnlessToldNotToTheJobDoesToo) {
  const ImportedJob unasked = Import(
      "{base_model: /m, sample_packing: true, adapter: lora, lora_alpha: 16, "
      "lora_target_linear: true}");
  EXPECT_THAT(KeysOf(unasked, Fate::kLost), IsEmpty());
  EXPECT_EQ(Field(unasked, "train.bf16"), "true");
  EXPECT_THAT(KeysOf(unasked, Fate::kAssumed), Contains("bf16"));
  EXPECT_EQ(Field(Import("{base_model: /m, sample_packing: true, bf16: no}"),
                  "train.bf16"),
            "false");
  EXPECT_THAT(KeysOf(Import("{use_peft: false, max_length: 8, bf16: false}"),
                     Fate::kLost),
              ElementsAre("packing", "packing_strategy"));
}

TEST(ImportJobTest, MergingIsOfAdaptersAlone) {
  const std::string axolotl =
      "base_model: /m\nsample_packing: true\nbf16: false\nmerge_lora: true\n";
  EXPECT_EQ(Field(Import(absl::StrCat(axolotl, "adapter: lora\nlora_r: 4\n")),
                  "output.merge_adapters"),
            "true");
  const ImportedJob whole = Import(axolotl);
  EXPECT_EQ(Field(whole, "output.merge_adapters"), "none");
  EXPECT_THAT(KeysOf(whole, Fate::kLeftOut), Contains("merge_lora"));
}

TEST(ImportJobTest, WhereAToolHasItsWeightsInBf16TheyHaveMasters) {
  const std::string axolotl = "base_model: /m\nsample_packing: true\n";
  for (const char* line : {"", "bf16: auto\n", "bf16: true\n"}) {
    const ImportedJob full = Import(absl::StrCat(axolotl, line));
    EXPECT_THAT(KeysOf(full, Fate::kLost), ElementsAre("bf16")) << line;
    EXPECT_THAT(WhatOf(full, "bf16"),
                HasSubstr("moments are fp32 here, and so are masters"));
    EXPECT_EQ(Field(full, "train.bf16"), "true");
    EXPECT_EQ(Field(full, "model.trained_dtype"), "bfloat16");
  }
  EXPECT_EQ(Field(Import(absl::StrCat(axolotl, "bf16: false\n")),
                  "model.trained_dtype"),
            "none");
  EXPECT_EQ(Field(Import(absl::StrCat(axolotl, "adapter: lora\n")),
                  "model.trained_dtype"),
            "none");
  // Others have copies of them in fp32.
  EXPECT_FALSE(TrainsAnother(ImportWith("bf16: true\n")));
}

TEST(ImportJobTest, AModelOfEightBitsBelowAdaptersIsOfInt8) {
  const std::string axolotl =
      "base_model: /m\nsample_packing: true\nbf16: false\nlora_r: 8\n"
      "lora_alpha: 16\nlora_target_linear: true\n";
  const ImportedJob adapted =
      Import(absl::StrCat(axolotl, "adapter: lora\nload_in_8bit: true\n"));
  EXPECT_EQ(Field(adapted, "model.frozen_dtype"), "int8");
  EXPECT_FALSE(TrainsAnother(adapted)) << ImportReport(adapted);
  EXPECT_THAT(WhatOf(adapted, "load_in_8bit"), HasSubstr("bitsandbytes"));
  const ImportedJob off =
      Import(absl::StrCat(axolotl, "adapter: lora\nload_in_8bit: false\n"));
  EXPECT_EQ(Field(off, "model.frozen_dtype"), "none");
  EXPECT_FALSE(TrainsAnother(off)) << ImportReport(off);
  // Without adapters there is nothing that could be.
  const ImportedJob whole = Import(
      "{base_model: /m, sample_packing: true, bf16: false, load_in_8bit: "
      "true}");
  EXPECT_EQ(Field(whole, "model.frozen_dtype"), "none");
  EXPECT_THAT(KeysOf(whole, Fate::kLost), ElementsAre("load_in_8bit"));

  const std::string factory =
      "model_name_or_path: /m\ndataset: wiki\ncutoff_len: 8\nstage: pt\n"
      "quantization_bit: ";
  const ImportedJob eight =
      Import(absl::StrCat(factory, "8\nquantization_method: bnb\n"));
  EXPECT_EQ(Field(eight, "model.frozen_dtype"), "int8");
  EXPECT_FALSE(TrainsAnother(eight)) << ImportReport(eight);
  const ImportedJob four = Import(absl::StrCat(factory, "4\n"));
  EXPECT_EQ(Field(four, "model.frozen_dtype"), "none");
  EXPECT_THAT(KeysOf(four, Fate::kLost), ElementsAre("quantization_bit"));
  EXPECT_THAT(WhatOf(four, "quantization_bit"),
              HasSubstr("there is nothing shorter"));
}

TEST(ImportJobTest, PureBf16HasMastersHere) {
  const std::string factory = "stage: sft\ncutoff_len: 8\npure_bf16: ";
  const ImportedJob full =
      Import(absl::StrCat(factory, "true\nfinetuning_type: full\n"));
  EXPECT_THAT(KeysOf(full, Fate::kLost), Contains("pure_bf16"));
  EXPECT_THAT(WhatOf(full, "pure_bf16"), HasSubstr("masters of the weights"));
  EXPECT_EQ(Field(full, "train.bf16"), "true");
  EXPECT_EQ(Field(full, "model.trained_dtype"), "bfloat16");
  const ImportedJob adapted =
      Import(absl::StrCat(factory, "true\nfinetuning_type: lora\n"));
  EXPECT_THAT(WhatOf(adapted, "pure_bf16"),
              HasSubstr("adapters are fp32 here"));
  EXPECT_EQ(Field(adapted, "train.bf16"), "true");
  EXPECT_EQ(Field(adapted, "model.trained_dtype"), "none");
  const ImportedJob off =
      Import(absl::StrCat(factory, "false\nfinetuning_type: full\n"));
  EXPECT_EQ(Field(off, "model.trained_dtype"), "none");
  EXPECT_THAT(KeysOf(off, Fate::kLost), Not(Contains("pure_bf16")));
}

TEST(ImportJobTest, ReportsToTensorBoardAreItsEventFiles) {
  for (const char* line :
       {"report_to: tensorboard\n", "report_to: TensorBoard\n",
        "report_to: [wandb, tensorboard]\n", "use_tensorboard: true\n"}) {
    const ImportedJob imported = ImportWith(line);
    EXPECT_EQ(Field(imported, "output.tensorboard"), "true") << line;
    EXPECT_FALSE(TrainsAnother(imported)) << line;
  }
  for (const char* line :
       {"report_to: none\n", "report_to: wandb\n", "report_to: [wandb]\n",
        "use_tensorboard: false\n"}) {
    const ImportedJob imported = ImportWith(line);
    EXPECT_EQ(Field(imported, "output.tensorboard"), "none") << line;
    EXPECT_FALSE(TrainsAnother(imported)) << line;
  }
}

TEST(ImportJobTest, MixedPrecisionInBf16IsThatOfTheJob) {
  for (const char* line :
       {"mixed_precision: bf16", "precision: bf16-mixed", "precision: bf16"}) {
    const ImportedJob job = ImportWith(line);
    EXPECT_FALSE(TrainsAnother(job)) << line;
    EXPECT_EQ(Field(job, "train.bf16"), "true") << line;
  }
  for (const char* line :
       {"mixed_precision: fp8", "precision: bf16-true", "precision: 16-true"}) {
    const ImportedJob job = ImportWith(line);
    EXPECT_TRUE(TrainsAnother(job)) << line;
    EXPECT_EQ(Field(job, "train.bf16"), "none") << line;
    EXPECT_EQ(Field(job, "train.fp16"), "none") << line;
  }
}

TEST(ImportJobTest, MixedPrecisionInFp16IsThatOfTheJob) {
  for (const char* line : {"fp16: true", "fp16: yes", "mixed_precision: fp16",
                           "precision: 16-mixed", "precision: 16"}) {
    const ImportedJob job = ImportWith(line);
    EXPECT_FALSE(TrainsAnother(job)) << line;
    EXPECT_EQ(Field(job, "train.fp16"), "true") << line;
    EXPECT_EQ(Field(job, "train.bf16"), "none") << line;
  }
  // Where bf16 is what the tool does unasked, it is not asked for both.
  const ImportedJob trl = Import("{use_peft: true, max_length: 8, fp16: true}");
  EXPECT_EQ(Field(trl, "train.fp16"), "true");
  EXPECT_EQ(Field(trl, "train.bf16"), "none");
  const std::string axolotl = "base_model: /m\nsample_packing: true\n";
  const ImportedJob adapted =
      Import(absl::StrCat(axolotl, "fp16: true\nadapter: lora\nlora_r: 4\n"));
  EXPECT_EQ(Field(adapted, "train.fp16"), "true");
  EXPECT_EQ(Field(adapted, "train.bf16"), "none");
  EXPECT_THAT(KeysOf(adapted, Fate::kLost), Not(Contains("fp16")));
  const ImportedJob full = Import(absl::StrCat(axolotl, "fp16: true\n"));
  EXPECT_THAT(WhatOf(full, "fp16"),
              HasSubstr("weights that are trained are fp32 here"));
  EXPECT_EQ(Field(full, "train.fp16"), "true");
  // A job has one of the two.
  const ImportedJob both = ImportWith("bf16: true\nfp16: true\n");
  EXPECT_TRUE(TrainsAnother(both));
  EXPECT_EQ(Field(both, "train.bf16"), "true");
  EXPECT_EQ(Field(both, "train.fp16"), "none");
}

TEST(ImportJobTest, AnotherMetricIsLostWhereItChoosesSomething) {
  constexpr absl::string_view kMetric =
      "metric_for_best_model: eval_bleu\neval_steps: 10\n"
      "validation_file: /v.txt\n";
  EXPECT_THAT(
      KeysOf(ImportWith(absl::StrCat(kMetric, "early_stopping_patience: 3\n")),
             Fate::kLost),
      ElementsAre("metric_for_best_model"));
  EXPECT_THAT(
      KeysOf(ImportWith(absl::StrCat(kMetric, "load_best_model_at_end: yes\n")),
             Fate::kLost),
      ElementsAre("metric_for_best_model", "load_best_model_at_end"));
  EXPECT_THAT(
      KeysOf(ImportWith(absl::StrCat(kMetric, "load_best_model_at_end: no\n")),
             Fate::kLost),
      IsEmpty());
}

TEST(ImportJobTest, TheLionOfAnotherPackageHasOtherDefaults) {
  const ImportedJob job = ImportWith("optim: lion_pytorch\n");
  EXPECT_EQ(Field(job, "train.optim"), "lion");
  EXPECT_THAT(KeysOf(job, Fate::kLost), ElementsAre("optim"));
  EXPECT_THAT(WhatOf(job, "optim"), HasSubstr("its beta2 is 0.99"));
}

TEST(ImportJobTest, TakesWhatSaysHowToTrain) {
  const ImportedJob job = ImportWith(
      "optim: lion_32bit\nlabel_smoothing_factor: 0.1\neval_steps: 10\n"
      "early_stopping_steps: 3\nearly_stopping_threshold: 0.01\n"
      "validation_file: /v.txt\n");
  EXPECT_EQ(Field(job, "train.optim"), "lion");
  EXPECT_EQ(Field(job, "train.label_smoothing_factor"), "0.1");
  EXPECT_EQ(Field(job, "evaluation.early_stopping_patience"), "3");
  EXPECT_EQ(Field(job, "evaluation.early_stopping_threshold"), "0.01");
  // Nothing is evaluated in between: the job would train on.
  const ImportedJob never =
      ImportWith("early_stopping_patience: 3\nvalidation_file: /v.txt\n");
  EXPECT_EQ(Field(never, "evaluation.early_stopping_patience"), "none");
  EXPECT_THAT(WhatOf(never, "early_stopping_patience"),
              HasSubstr("with eval_steps 0"));
  // So does one without the files.
  const ImportedJob blind =
      ImportWith("early_stopping_patience: 3\neval_steps: 10\n");
  EXPECT_THAT(KeysOf(blind, Fate::kLost),
              ElementsAre("early_stopping_patience"));
  EXPECT_THAT(blind.mistakes, IsEmpty());
}

TEST(ImportJobTest, FilesThatArePackedAreWhatIsInThem) {
  const auto import = [](const std::string& name) {
    return Import(absl::StrCat(
        "{base_model: /m, sample_packing: true, bf16: false, datasets: [{path: "
        "/",
        name, "}]}"));
  };
  const ImportedJob rows = import("a.jsonl.gz");
  EXPECT_EQ(Field(rows, "data.format"), "jsonl");
  EXPECT_THAT(KeysOf(rows, Fate::kLost), IsEmpty());
  EXPECT_THAT(WhatOf(import("a.csv.gz"), "datasets.path"),
              HasSubstr("Hydra reads text and JSON Lines"));
}

TEST(ImportJobTest, AConstantRateHasNoWarmupThere) {
  const ImportedJob plain =
      ImportWith("lr_scheduler_type: constant\nwarmup_ratio: 0.1\n");
  EXPECT_EQ(Field(plain, "train.warmup_ratio"), "none");
  EXPECT_THAT(WhatOf(plain, "warmup_ratio"), HasSubstr("has no warm-up"));
  const ImportedJob with = ImportWith(
      "lr_scheduler_type: constant_with_warmup\nwarmup_ratio: 0.1\n");
  EXPECT_EQ(Field(with, "train.warmup_ratio"), "0.1");
}

TEST(ImportJobTest, NullIsAValueWhereTheToolSaysSo) {
  EXPECT_EQ(Field(ImportWith("max_grad_norm: null\n"), "train.max_grad_norm"),
            "none");
  EXPECT_EQ(Field(Import("{base_model: /m, sample_packing: true, "
                         "max_grad_norm: null}"),
                  "train.max_grad_norm"),
            "1.0");
}

TEST(ImportJobTest, LinesOfATextFileThatAreRowsThereAreLost) {
  const ImportedJob job = Import(
      "{base_model: /m, sample_packing: true, bf16: false, datasets: [{path: "
      "/a.txt}]}");
  EXPECT_THAT(KeysOf(job, Fate::kLost), ElementsAre("datasets.path"));
  EXPECT_THAT(WhatOf(job, "datasets.path"),
              HasSubstr("write it as JSON Lines"));
}

TEST(ImportJobTest, DataSetsWithTheirTextInTwoFieldsAreLost) {
  const ImportedJob job = Import(
      "{base_model: /m, sample_packing: true, bf16: false, datasets: [{path: "
      "/a.jsonl}, {path: /b.jsonl, field: body}]}");
  EXPECT_THAT(KeysOf(job, Fate::kLost), ElementsAre("datasets.field"));
}

TEST(ImportJobTest, ValuesThatTrainAnotherModelAreLost) {
  for (const char* lines : {"bf16_full_eval: true",
                            "fp16_full_eval: true",
                            "torch_dtype: bfloat16",
                            "lora_r: 8",
                            "load_in_4bit: true",
                            "early_stopping_patience: 3",
                            "optim: lion_8bit",
                            "val_size: 0.1",
                            "packing: false",
                            "optim: rmsprop",
                            "lr_scheduler_type: polynomial",
                            "lr_scheduler_kwargs: {num_cycles: 2}",
                            "chat_template: chatml",
                            "neftune_noise_alpha: 5",
                            "seed: many",
                            "learning_rate: -1",
                            "special_tokens: {pad_token: x}",
                            "warmup_steps: 0.1",
                            "what_is_this: 1",
                            "batch_size: 8",
                            "train: {seed: 1}",
                            "json: 1"}) {
    EXPECT_TRUE(TrainsAnother(ImportWith(lines))) << lines;
  }
}

TEST(ImportJobTest, WhatAToolDoesUnaskedIsWritten) {
  const ImportedJob silent = ImportWith("");
  EXPECT_EQ(silent.tool, "transformers");
  EXPECT_EQ(Field(silent, "train.learning_rate"), "5e-5");
  EXPECT_EQ(Field(silent, "train.num_train_epochs"), "3");
  EXPECT_EQ(Field(silent, "train.lr_scheduler_type"), "linear");
  EXPECT_EQ(Field(silent, "train.max_grad_norm"), "1.0");
  // Not beside what says it, nor in place of what could not be taken.
  EXPECT_EQ(Field(ImportWith("max_steps: 5"), "train.num_train_epochs"),
            "none");
  EXPECT_EQ(Field(ImportWith("max_steps: -1"), "train.num_train_epochs"), "3");
  EXPECT_EQ(Field(ImportWith("lr_scheduler_type: polynomial"),
                  "train.lr_scheduler_type"),
            "none");
}

TEST(ImportJobTest, AdaptersAreTrainedWhereTheToolTrainsThem) {
  // LLaMA-Factory's unasked, with twice the rank as alpha.
  const std::string factory =
      "model_name_or_path: /m\ndataset: wiki\ncutoff_len: 8\nstage: pt\n";
  const ImportedJob unasked = Import(factory);
  EXPECT_FALSE(TrainsAnother(unasked)) << ImportReport(unasked);
  EXPECT_EQ(Field(unasked, "lora.r"), "8");
  EXPECT_EQ(Field(unasked, "lora.lora_alpha"), "16");
  EXPECT_EQ(Field(unasked, "lora.target_modules"), "all-linear");
  const ImportedJob ranked =
      Import(absl::StrCat(factory,
                          "lora_rank: 4\nlora_target: q_proj, v_proj\n"
                          "use_rslora: true\nlora_dropout: 0.1\n"));
  EXPECT_EQ(Field(ranked, "lora.lora_alpha"), "8");
  EXPECT_EQ(Field(ranked, "lora.target_modules"), "q_proj|v_proj");
  EXPECT_EQ(Field(ranked, "lora.use_rslora"), "true");
  EXPECT_EQ(Field(ranked, "lora.lora_dropout"), "0.1");
  EXPECT_EQ(Field(Import(absl::StrCat(factory, "lora_alpha: 3\n")),
                  "lora.lora_alpha"),
            "3");
  const ImportedJob full =
      Import(absl::StrCat(factory, "finetuning_type: full\nlora_rank: 4\n"));
  EXPECT_FALSE(TrainsAnother(full)) << ImportReport(full);
  EXPECT_EQ(Field(full, "lora.r"), "none");
  const ImportedJob freeze = Import(absl::StrCat(
      factory, "finetuning_type: freeze\nfreeze_trainable_layers: 2\n"));
  EXPECT_THAT(KeysOf(freeze, Fate::kLost),
              ElementsAre("finetuning_type", "freeze_trainable_layers"));
  EXPECT_THAT(WhatOf(freeze, "finetuning_type"), HasSubstr("model.frozen"));

  const std::string axolotl =
      "base_model: /m\nsample_packing: true\nbf16: false\n";
  const ImportedJob linear = Import(absl::StrCat(
      axolotl,
      "adapter: lora\nlora_r: 16\nlora_alpha: 32\n"
      "lora_target_modules: [q_proj]\nlora_target_linear: true\n"));
  EXPECT_FALSE(TrainsAnother(linear)) << ImportReport(linear);
  EXPECT_EQ(Field(linear, "lora.r"), "16");
  EXPECT_EQ(Field(linear, "lora.target_modules"), "all-linear");
  const ImportedJob off =
      Import(absl::StrCat(axolotl, "adapter:\nlora_r: 16\n"));
  EXPECT_FALSE(TrainsAnother(off)) << ImportReport(off);
  EXPECT_EQ(Field(off, "lora.r"), "none");
  for (const char* lines :
       {"adapter: qlora", "adapter: lora\nlora_modules_to_save: [lm_head]",
        "adapter: lora\npeft_use_dora: true",
        "adapter: lora\nloraplus_lr_ratio: 16",
        "adapter: lora\nlora_target_modules: '.*(q|v)_proj'",
        "adapter: lora\nlora_r: 0"}) {
    EXPECT_TRUE(TrainsAnother(Import(absl::StrCat(axolotl, lines)))) << lines;
  }

  const std::string trl =
      "model_name_or_path: /m\nmax_length: 8\npacking: true\nbf16: false\n"
      "packing_strategy: wrapped\n";
  const ImportedJob peft = Import(absl::StrCat(trl, "use_peft: true\n"));
  EXPECT_EQ(Field(peft, "lora.r"), "16");
  EXPECT_EQ(Field(peft, "lora.lora_alpha"), "32");
  EXPECT_EQ(Field(peft, "lora.lora_dropout"), "0.05");
  // As PEFT has it for the model.
  EXPECT_EQ(Field(peft, "lora.target_modules"), "none");
  EXPECT_EQ(Field(Import(trl), "lora.r"), "none");
}

TEST(ImportJobTest, OfTwoKeysForOneThingTheFirstCounts) {
  const ImportedJob steps = ImportWith("max_steps: 5\nnum_train_epochs: 2\n");
  EXPECT_EQ(Field(steps, "train.max_steps"), "5");
  EXPECT_EQ(Field(steps, "train.num_train_epochs"), "none");
  EXPECT_FALSE(TrainsAnother(steps));
  const ImportedJob ratio = ImportWith("warmup_steps: 0\nwarmup_ratio: 0.1\n");
  EXPECT_EQ(Field(ratio, "train.warmup_ratio"), "0.1");
  EXPECT_FALSE(TrainsAnother(ratio));
  EXPECT_FALSE(TrainsAnother(ImportWith("seed: 1\nrandom_seed: 1\n")));
  const ImportedJob two = ImportWith("seed: 1\nrandom_seed: 2\n");
  EXPECT_EQ(Field(two, "train.seed"), "1");
  EXPECT_THAT(KeysOf(two, Fate::kLost), ElementsAre("random_seed"));
}

TEST(ImportJobTest, PathsMeanWhatTheyMeant) {
  const absl::string_view text =
      "{model_name_or_path: org/name, train_file: ./a/b.txt, output_dir: o}";
  ImportOptions options = Options({"/home/ann/org/name"});
  const ImportedJob moved = Import(text, options);
  EXPECT_FALSE(TrainsAnother(moved)) << ImportReport(moved);
  EXPECT_EQ(Field(moved, "model.path"), "/home/ann/org/name");
  EXPECT_EQ(Field(moved, "data.train_files"), "/home/ann/a/b.txt");
  EXPECT_EQ(Field(moved, "output.output_dir"), "/home/ann/o");
  options.keep_relative = true;
  const ImportedJob kept = Import(text, options);
  EXPECT_EQ(Field(kept, "model.path"), "org/name");
  EXPECT_EQ(Field(kept, "data.train_files"), "./a/b.txt");
}

TEST(ImportJobTest, NamesOfLlamaFactorysIndexAreItsFiles) {
  constexpr absl::string_view kPretraining =
      "model_name_or_path: /m\nstage: pt\nfinetuning_type: full\n";
  const ImportedJob both =
      Import(absl::StrCat(kPretraining, "dataset: wiki, more\n"));
  EXPECT_FALSE(TrainsAnother(both)) << ImportReport(both);
  EXPECT_EQ(Field(both, "data.train_files"),
            "/home/ann/data/wiki.jsonl|/home/ann/data/more.jsonl");
  EXPECT_EQ(Field(both, "data.text_field"), "body");
  EXPECT_EQ(Field(both, "data.format"), "jsonl");
  const ImportedJob other =
      Import(absl::StrCat(kPretraining, "dataset: wikipedia\n"));
  EXPECT_THAT(WhatOf(other, "dataset"), HasSubstr("'wikipedia' is not in"));
  const ImportedJob elsewhere = Import(
      absl::StrCat(kPretraining, "dataset: wiki\ndataset_dir: ./sets\n"));
  EXPECT_THAT(WhatOf(elsewhere, "dataset"), HasSubstr("no such file"));
  EXPECT_TRUE(TrainsAnother(elsewhere));
}

TEST(ImportJobTest, ConversationsOfLlamaFactoryAreChat) {
  const ImportedJob job = Import(
      "{model_name_or_path: /m, stage: sft, finetuning_type: full, dataset: "
      "talks, cutoff_len: 8, train_on_prompt: true, packing: true}");
  EXPECT_THAT(KeysOf(job, Fate::kLost), IsEmpty()) << ImportReport(job);
  EXPECT_EQ(Field(job, "data.format"), "chat");
  EXPECT_EQ(Field(job, "data.train_files"), "/home/ann/data/talks.json");
  EXPECT_EQ(Field(job, "data.train_on_prompt"), "true");
  EXPECT_EQ(Field(job, "data.packing"), "true");
  const ImportedJob masked = Import(
      "{model_name_or_path: /m, stage: sft, finetuning_type: full, dataset: "
      "talks, cutoff_len: 8, mask_history: true, template: llama3}");
  EXPECT_THAT(KeysOf(masked, Fate::kLost),
              ElementsAre("mask_history", "template"));
  EXPECT_THAT(WhatOf(masked, "mask_history"), HasSubstr("all answers"));
  const ImportedJob both = Import(
      "{model_name_or_path: /m, stage: sft, finetuning_type: full, dataset: "
      "\"talks,identity\", cutoff_len: 8}");
  EXPECT_THAT(KeysOf(both, Fate::kLost), ElementsAre("dataset"));
}

TEST(ImportJobTest, ConversationsOfAxolotlAreChat) {
  constexpr absl::string_view kChat =
      "base_model: /m\nbf16: false\ndatasets:\n  - path: /a.jsonl\n"
      "    type: chat_template\n    field_messages: messages\n"
      "    roles_to_train: [assistant]\n    train_on_eos: turn\n";
  const ImportedJob job = Import(absl::StrCat(
      kChat, "chat_template: tokenizer_default\ntrain_on_inputs: true\n"));
  EXPECT_THAT(KeysOf(job, Fate::kLost), IsEmpty()) << ImportReport(job);
  EXPECT_EQ(Field(job, "data.format"), "chat");
  EXPECT_EQ(Field(job, "data.chat_template"), "none");
  EXPECT_EQ(Field(job, "data.train_on_prompt"), "true");
  const ImportedJob packed =
      Import(absl::StrCat(kChat, "sample_packing: true\n"));
  EXPECT_THAT(KeysOf(packed, Fate::kLost), ElementsAre("sample_packing"));
  const ImportedJob other = Import(
      "{base_model: /m, bf16: false, datasets: [{path: /a.jsonl, type: "
      "chat_template, field_messages: turns, roles_to_train: [user]}]}");
  EXPECT_THAT(
      KeysOf(other, Fate::kLost),
      ElementsAre("datasets.field_messages", "datasets.roles_to_train"));
}

TEST(ImportJobTest, TheLossOnAnswersOfTrlIsThatOfChat) {
  const ImportedJob job = Import(
      "{model_name_or_path: /m, train_file: /a.jsonl, max_length: 8, use_peft: "
      "false, bf16: false, assistant_only_loss: true}");
  EXPECT_THAT(KeysOf(job, Fate::kLost), IsEmpty()) << ImportReport(job);
  EXPECT_EQ(Field(job, "data.format"), "chat");
  EXPECT_EQ(Field(job, "data.packing"), "false");
}

TEST(ImportJobTest, WhatIsNoFileOfTheServerIsToldSo) {
  EXPECT_THAT(WhatOf(Import("{model_name_or_path: org/name, max_steps: 1}"),
                     "model_name_or_path"),
              HasSubstr("huggingface-cli"));
  EXPECT_THAT(WhatOf(Import("{model_name_or_path: ~/m, max_steps: 1}"),
                     "model_name_or_path"),
              HasSubstr("'~' is not expanded"));
  const ImportedJob hub =
      Import("{base_model: /m, datasets: [{path: org/data, type: alpaca}]}");
  EXPECT_THAT(WhatOf(hub, "datasets.path"), HasSubstr("download it"));
  EXPECT_THAT(WhatOf(hub, "datasets.type"), HasSubstr("'### Input:'"));
  EXPECT_THAT(KeysOf(hub, Fate::kLost),
              ElementsAre("datasets.path", "datasets.type", "bf16"));
}

TEST(ImportJobTest, FilesOfOneJobHaveOneFormat) {
  const ImportedJob json =
      Import("{base_model: /m, datasets: [{path: /a.jsonl}, {path: /b.txt}]}");
  EXPECT_THAT(WhatOf(json, "datasets.path"), HasSubstr("/a.jsonl"));
  EXPECT_THAT(KeysOf(json, Fate::kLost),
              ElementsAre("datasets.path", "sample_packing", "bf16"));
  const ImportedJob table = ImportWith("validation_file: /v.parquet\n");
  EXPECT_THAT(WhatOf(table, "validation_file"), HasSubstr("JSON Lines"));
  const ImportedJob below = Import(
      "{base_model: /m, datasets: [{path: /d, data_files: [/d/a.txt]}]}");
  EXPECT_EQ(Field(below, "data.train_files"), "/d/a.txt");
  EXPECT_THAT(WhatOf(below, "datasets.path"), HasSubstr("lie below it"));
}

TEST(ImportJobTest, WhatIsMissingIsTold) {
  const ImportedJob job = Import("{max_steps: 1, output_dir: /o}");
  std::vector<std::string> fields;
  for (const Mistake& mistake : job.mistakes) fields.push_back(mistake.field());
  EXPECT_THAT(fields, ElementsAre("model.path", "data.train_files"));
}

TEST(ImportJobTest, WhatIsNoConfigurationIsRefusedWithTheLine) {
  EXPECT_EQ(Refusal(""),
            "line 1: expected keys with values, found an empty file");
  EXPECT_THAT(Refusal("# nothing\n"), HasSubstr("found an empty file"));
  EXPECT_EQ(Refusal("\n- a\n"),
            "line 2: expected keys with values, found a list");
  EXPECT_EQ(Refusal("hello\n"),
            "line 1: expected keys with values, found 'hello'");
  EXPECT_THAT(Refusal("a: 1\nb: [1\n"), HasSubstr("line 2, column 4"));
  EXPECT_THAT(Refusal("{\"a\": 1\n \"b\": 2}\n"),
              HasSubstr("line 2, column 4: found a string"));
  EXPECT_EQ(Refusal("seed: 1\nbf16: true\nseed: 2\nfsdp:\n  a: 1\n  a: 2\n"),
            "line 3: the key 'seed' is given twice, first in line 1\n"
            "line 6: the key 'a' is given twice, first in line 5");
  EXPECT_THAT(
      Refusal("{\"architectures\": [\"A\"], \"vocab_size\": 9}"),
      AllOf(HasSubstr("line 1"), HasSubstr("no configuration of LLaMA")));
  EXPECT_THAT(Refusal("name: x\ntrain:\n  max_steps: 1\n"),
              HasSubstr("sections of a job file"));
}

}  // namespace
}  // namespace hydra
