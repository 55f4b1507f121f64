#include "common/jobfile/trainer_tool.h"

#include <cstddef>

#include "absl/algorithm/container.h"

namespace hydra {
namespace {

constexpr absl::string_view kLlamaFactoryMarks[] = {
    "stage",       "finetuning_type", "cutoff_len", "template",
    "dataset_dir", "lora_target",     "dataset",    "val_size",
};
constexpr ToolDefault kLlamaFactoryDefaults[] = {
    {"stage", "sft"},
    {"lora_rank", "8"},
    {"lora_target", "all"},
    {"cutoff_len", "2048"},
    {"per_device_train_batch_size", "8"},
    {"learning_rate", "5e-5"},
    {"num_train_epochs", "3"},
    {"lr_scheduler_type", "linear"},
    {"max_grad_norm", "1.0"},
    {"no_decay_biases_and_norms", "true"},
};

constexpr absl::string_view kAxolotlMarks[] = {
    "base_model", "sequence_len", "micro_batch_size", "num_epochs",
    "datasets",   "val_set_size", "sample_packing",   "adapter",
};
constexpr ToolDefault kAxolotlDefaults[] = {
    {"sequence_len", "512"},
    {"micro_batch_size", "1"},
    {"num_epochs", "1"},
    {"lr_scheduler", "cosine"},
    {"warmup_ratio", "0.03", "Axolotl has at most 100 steps of it"},
    {"sample_packing", "false"},
    {"lora_r", "8"},
    {"bf16", "auto"},
    {"max_grad_norm", "1.0"},
    {"no_decay_biases_and_norms", "true"},
};

constexpr absl::string_view kTrlMarks[] = {
    "datasets",   "use_peft", "dataset_text_field",  "max_seq_length",
    "max_length", "packing",  "assistant_only_loss",
};
constexpr ToolDefault kTrlDefaults[] = {
    {"max_length", "1024"},
    {"packing", "false"},
    {"packing_strategy", "bfd"},
    {"lora_r", "16"},
    {"lora_alpha", "32"},
    {"lora_dropout", "0.05"},
    {"bf16", "true"},
    {"per_device_train_batch_size", "8"},
    {"learning_rate", "2e-5"},
    {"num_train_epochs", "3"},
    {"lr_scheduler_type", "linear"},
    {"max_grad_norm", "1.0"},
    {"no_decay_biases_and_norms", "true"},
};

constexpr absl::string_view kTransformersMarks[] = {
    "per_device_train_batch_size",
    "num_train_epochs",
    "model_name_or_path",
    "gradient_accumulation_steps",
    "train_file",
    "max_steps",
    "output_dir",
};
constexpr ToolDefault kTransformersDefaults[] = {
    {"per_device_train_batch_size", "8"},
    {"learning_rate", "5e-5"},
    {"num_train_epochs", "3"},
    {"lr_scheduler_type", "linear"},
    {"max_grad_norm", "1.0"},
    {"no_decay_biases_and_norms", "true"},
};

// Every trainer here is built on transformers' and has its keys too.
constexpr TrainerTool kTransformers = {"transformers", kTransformersMarks,
                                       kTransformersDefaults,
                                       /*has_dataset_index=*/false,
                                       /*reads_whole_text=*/true};
// Of tools with as many marks, the first one is meant.
constexpr TrainerTool kOthers[] = {
    {"LLaMA-Factory", kLlamaFactoryMarks, kLlamaFactoryDefaults,
     /*has_dataset_index=*/true, /*reads_whole_text=*/false,
     /*null_is_default=*/false, "finetuning_type", "lora",
     /*has_adapters_unasked=*/true},
    {"Axolotl", kAxolotlMarks, kAxolotlDefaults, /*has_dataset_index=*/false,
     /*reads_whole_text=*/false, /*null_is_default=*/true, "adapter", "lora",
     /*has_adapters_unasked=*/false, /*has_bf16_weights=*/true},
    {"TRL", kTrlMarks, kTrlDefaults, /*has_dataset_index=*/false,
     /*reads_whole_text=*/false, /*null_is_default=*/false, "use_peft", "true"},
};

// One could be a word of any file.
constexpr size_t kLeastMarks = 2;

size_t CountMarks(const TrainerTool& tool, const YamlNode& root) {
  return absl::c_count_if(root.entries, [&](const YamlEntry& entry) {
    return absl::c_linear_search(tool.marks, entry.key);
  });
}

}  // namespace

const TrainerTool* RecogniseTool(const YamlNode& root) {
  const TrainerTool* found = &kTransformers;
  size_t most = 0;
  for (const TrainerTool& tool : kOthers) {
    const size_t marks = CountMarks(tool, root);
    if (marks <= most) continue;
    found = &tool;
    most = marks;
  }
  const size_t known = most + CountMarks(kTransformers, root);
  return known < kLeastMarks ? nullptr : found;
}

}  // namespace hydra
