#include "scheduler/submission/submission.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/chain/step_numbers.h"
#include "common/data/data_format.h"
#include "common/data/padded_context.h"
#include "common/data/step_count.h"
#include "common/file/file_user.h"
#include "common/jobfile/expand.h"
#include "common/jobfile/validate.h"
#include "common/model/base_key.h"
#include "common/model/class_labels.h"
#include "common/model/config_file.h"
#include "common/model/frozen_layers.h"
#include "common/model/lora.h"
#include "common/model/model_families.h"
#include "common/model/model_table.h"
#include "common/shared/shared.h"
#include "common/shared/shared_by_content.h"
#include "scheduler/core/new_job.h"
#include "scheduler/core/plan.h"
#include "scheduler/submission/data_check.h"
#include "scheduler/submission/image_check.h"
#include "scheduler/submission/model_check.h"
#include "scheduler/submission/tokenizer_check.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

// No machine has so much, and sums of such sizes do not overflow.
constexpr double kMaxBoundaryBytes = 1e15;

void AddStatus(absl::string_view field, const absl::Status& status,
               Mistakes& mistakes) {
  if (!status.ok()) AddMistake(field, status.message(), &mistakes);
}

bool HasMistakeBelow(const Mistakes& mistakes, absl::string_view section) {
  return std::any_of(mistakes.begin(), mistakes.end(),
                     [&](const Mistake& mistake) {
                       return absl::StartsWith(mistake.field(), section);
                     });
}

// "ViT takes pixel_values, [3, 224, 224]"
std::string WhatItTakes(const ModelTable& table) {
  if (!table.examples.has_value()) {
    return absl::StrCat(table.config_names.family, " takes token ids");
  }
  return absl::StrCat(table.config_names.family, " takes ",
                      table.examples->name, ", [",
                      absl::StrJoin(table.examples->shape, ", "), "]");
}

// "text"
std::string NameOf(v1::DataFormat format) {
  return absl::AsciiStrToLower(
      absl::StripPrefix(v1::DataFormat_Name(format), "DATA_FORMAT_"));
}

// What of text a model can learn from.
bool CanLearnFrom(const ModelTable& table, v1::DataFormat format) {
  switch (table.objective) {
    case Objective::kClass:
      return IsLabeled(format);
    case Objective::kMaskedTokens:
      return format == v1::DATA_FORMAT_TEXT || format == v1::DATA_FORMAT_JSONL;
    case Objective::kNextToken:
      break;
  }
  return !IsLabeled(format);
}

// What it learns, and from what.
std::string HowItLearns(const ModelTable& table) {
  switch (table.objective) {
    case Objective::kClass:
      return absl::StrCat(
          "a ", table.config_names.model_class,
          " learns classes of texts; set it to labeled, or csv");
    case Objective::kMaskedTokens:
      return absl::StrCat(
          "a ", table.config_names.model_class,
          " guesses tokens that are hidden from it; set it to text, or jsonl. "
          "Texts with classes are for a model whose config.json has "
          "\"architectures\": [\"BertForSequenceClassification\"]");
    case Objective::kNextToken:
      break;
  }
  return absl::StrCat("a ", table.config_names.model_class,
                      " does not classify texts; rows of text are jsonl");
}

// Whether the data is what the model is fed; else that is among the mistakes.
bool IsFedWhatItTakes(const ModelTable& table, const v1::JobSpec& spec,
                      Mistakes& mistakes) {
  const v1::DataFormat format = spec.data().format();
  const bool has_examples = HasExamples(format);
  if (HasMistake(mistakes, "data.format")) return false;
  if (has_examples == table.examples.has_value()) {
    if (has_examples || CanLearnFrom(table, format)) return true;
    AddMistake(
        "data.format",
        absl::StrCat("found ", NameOf(format), ", but ", HowItLearns(table)),
        &mistakes);
    return false;
  }
  const std::string wanted =
      !has_examples
          ? absl::StrCat(WhatItTakes(table),
                         " of safetensors files; set it to tensors, or to "
                         "images for folders of JPEG and PNG files")
      : table.objective == Objective::kNextToken
          ? absl::StrCat(WhatItTakes(table),
                         "; text, jsonl, chat, instruction or files of ids "
                         "have them")
          : HowItLearns(table);
  AddMistake("data.format",
             absl::StrCat("found ", NameOf(format), ", but ", wanted),
             &mistakes);
  return false;
}

// The examples of a step are in a worker's memory at once.
void CheckStepExamples(const ExampleInput& examples, const v1::JobSpec& spec,
                       Mistakes& mistakes) {
  const auto check = [&](absl::string_view field, absl::string_view what,
                         int64_t count) {
    if (count <= kMaxStepNumbers / examples.element_count()) return;
    AddMistake(field,
               absl::StrCat(what, " would have ", count, " examples of ",
                            examples.element_count(), " numbers; at most ",
                            kMaxStepNumbers, " numbers are possible"),
               &mistakes);
  };
  check("train.gradient_accumulation_steps", "one step",
        SequencesPerStep(spec.train()));
  check("evaluation.per_device_eval_batch_size", "one evaluation batch",
        spec.evaluation().per_device_eval_batch_size());
}

// Tokens, or examples, and boundary tensors of one step.
void CheckSizes(const ModelTable& table, const v1::JobSpec& spec,
                Mistakes& mistakes) {
  const v1::TrainSpec& train = spec.train();
  CheckStepTokens(spec, &mistakes);
  if (table.examples.has_value()) {
    CheckStepExamples(*table.examples, spec, mistakes);
  }
  // Of one token: whole batches of them may be too many for 64 bits.
  double token_bytes = 0;
  for (int layer = 1; layer < table.layer_count(); ++layer) {
    for (const BoundaryTensor& tensor : table.BoundaryBefore(layer)) {
      token_bytes += static_cast<double>(tensor.Bytes(1, 1));
    }
  }
  const double boundary_bytes =
      token_bytes * train.context_length() *
      std::max<double>(train.per_device_train_batch_size(),
                       spec.evaluation().per_device_eval_batch_size()) *
      train.gradient_accumulation_steps();
  if (boundary_bytes > kMaxBoundaryBytes) {
    AddMistake("train.per_device_train_batch_size",
               absl::StrCat("found ", train.per_device_train_batch_size(),
                            "; with this context, width and accumulation the "
                            "boundary tensors would take ",
                            boundary_bytes, " bytes"),
               &mistakes);
  }
}

// Of a model that takes sequences whole, and of any other one, what only the
// one has; fills in how many tokens are hidden.
void CheckSequences(const ModelTable& table, v1::JobSpec& spec,
                    Mistakes& mistakes) {
  v1::TrainSpec& train = *spec.mutable_train();
  if (table.objective == Objective::kMaskedTokens) {
    if (!train.has_mlm_probability()) train.set_mlm_probability(0.15);
  } else if (train.has_mlm_probability()) {
    AddMistake("train.mlm_probability",
               absl::StrCat("found ", train.mlm_probability(), ", but a ",
                            table.config_names.model_class,
                            " has no masked tokens; remove it"),
               &mistakes);
  }
  if (!table.takes_whole_sequences()) return;
  if (train.context_length() < kLeastSequence) {
    AddMistake("train.context_length",
               absl::StrCat("found ", train.context_length(),
                            "; special tokens about a text leave it no room: "
                            "at least ",
                            kLeastSequence, " are needed"),
               &mistakes);
  }
  if (!spec.data().text_pair_field().empty() && table.token_types < 2) {
    AddMistake("data.text_pair_field",
               "the model has one token type (type_vocab_size), and takes one "
               "text",
               &mistakes);
  }
}

// What goes with Hydra's own layers alone, of a model whose layers are code.
void CheckOwnCode(bool is_allowed, const v1::JobSpec& spec,
                  Mistakes& mistakes) {
  if (!is_allowed) {
    AddMistake("model.path",
               "the layers of an exported chain are code, and this hydrad runs "
               "none: whoever administers it can set allow_exported_chains: "
               "true in its configuration (docs/daemon.md says what that "
               "means); hydra run needs no such leave",
               &mistakes);
  }
  if (spec.model().init() == v1::INITIALIZATION_RANDOM) {
    AddMistake("model.init",
               "found random; an exported chain begins with the weights that "
               "it was exported with, and nothing says how others were drawn: "
               "leave it out, and export the chain with another seed",
               &mistakes);
  }
  if (spec.train().dropout() > 0) {
    AddMistake("train.dropout",
               absl::StrCat("found ", spec.train().dropout(),
                            "; an exported chain has no dropout"),
               &mistakes);
  }
  for (const auto& [field, is_set] :
       {std::pair{"train.bf16", spec.train().bf16()},
        {"train.fp16", spec.train().fp16()}}) {
    if (!is_set) continue;
    AddMistake(field,
               "found true; the layers of an exported chain compute as they "
               "are written, in float32",
               &mistakes);
  }
}

// Whether what is trained can have two bytes an element.
void CheckTrainedType(const ModelTable& table, const v1::JobSpec& spec,
                      Mistakes& mistakes) {
  if (spec.model().trained_dtype() != v1::PARAMETER_TYPE_BFLOAT16) return;
  const char* reason = nullptr;
  if (table.RunsOwnCode()) {
    reason =
        "the layers of an exported chain compute as they are written, in "
        "float32";
  } else if (std::any_of(table.parameter_blocks.begin(),
                         table.parameter_blocks.end(),
                         [](const ParameterBlock& block) {
                           return block.has_statistics();
                         })) {
    reason = "layers with batch norms, which remember float32, are float32";
  }
  if (reason == nullptr) return;
  AddMistake("model.trained_dtype",
             absl::StrCat("found bfloat16; ", reason, ": remove it"),
             &mistakes);
}

// What depends on the model's dimensions; fills in the context length.
void CheckAgainstModel(const ModelTable& table, v1::JobSpec& spec,
                       Mistakes& mistakes) {
  v1::TrainSpec& train = *spec.mutable_train();
  if (!train.has_context_length()) {
    train.set_context_length(table.longest_context);
  }
  if (train.context_length() > table.longest_context) {
    AddMistake("train.context_length",
               absl::StrCat("found ", train.context_length(),
                            "; the model's longest is ", table.longest_context),
               &mistakes);
  }
  CheckSequences(table, spec, mistakes);
  // Their products mean something only if each of them does.
  if (!HasMistakeBelow(mistakes, "train.") &&
      !HasMistakeBelow(mistakes, "evaluation.")) {
    CheckSizes(table, spec, mistakes);
  }
  if (HasMistakeBelow(mistakes, "partition.")) return;
  const int layers = table.layer_count();
  for (int i = 0; i < spec.partition().cut_points_size(); ++i) {
    if (spec.partition().cut_points(i) >= layers) {
      AddMistake(absl::StrCat("partition.cut_points[", i, "]"),
                 absl::StrCat("found ", spec.partition().cut_points(i),
                              "; the model has layers 0 to ", layers - 1),
                 &mistakes);
    }
  }
}

// Whether what the job says of its model's layers fits them; else that is among
// the mistakes.
bool CanTrainLayers(const ModelTable& table, const v1::JobSpec& spec,
                    Mistakes& mistakes) {
  if (HasMistakeBelow(mistakes, "lora.") ||
      HasMistakeBelow(mistakes, "model.frozen")) {
    return false;
  }
  const ModelOverrides overrides = OverridesOf(spec);
  AddStatus("model.frozen", WithFrozen(table, overrides.frozen).status(),
            mistakes);
  if (overrides.lora.has_value()) {
    AddStatus("lora.target_modules", WithLora(table, *overrides.lora).status(),
              mistakes);
  }
  return !HasMistakeBelow(mistakes, "lora.") &&
         !HasMistakeBelow(mistakes, "model.frozen");
}

// What is drawn, and stays as it was drawn, nothing is learned with.
void CheckDrawn(const std::vector<std::string>& drawn, const ModelTable& table,
                Mistakes& mistakes) {
  for (const ParameterBlock& block : table.parameter_blocks) {
    if (!block.frozen) continue;
    for (const TensorEntry& tensor : block.tensors) {
      if (std::find(drawn.begin(), drawn.end(), tensor.name) == drawn.end()) {
        continue;
      }
      AddMistake(table.lora.has_value() ? "lora" : "model.frozen",
                 absl::StrCat("the weights lack ", tensor.name,
                              ", which would be drawn at random and never "
                              "trained; train the model's own parameters "
                              "first, or name a model that has it"),
                 &mistakes);
      return;
    }
  }
}

// With the job's own frozen layers: a batch norm which is frozen with what it
// remembers needs no images but one.
void CheckLeastSequences(const ModelTable& table, const v1::JobSpec& spec,
                         Mistakes& mistakes) {
  const int64_t found = spec.train().per_device_train_batch_size();
  for (int layer = 0; layer < table.layer_count(); ++layer) {
    const LayerEntry& entry = table.layers[layer];
    const bool is_trained =
        std::any_of(entry.parameter_blocks.begin(),
                    entry.parameter_blocks.end(), [&](int block) {
                      return !table.parameter_blocks[block].frozen &&
                             table.parameter_blocks[block].has_statistics();
                    });
    if (!is_trained || found >= entry.least_sequences) continue;
    AddMistake("train.per_device_train_batch_size",
               absl::StrCat("found ", found, "; layer ", layer,
                            " has a batch norm with one value of each channel "
                            "for each image, and needs ",
                            entry.least_sequences,
                            " images in a micro-batch to train with, or "
                            "larger images"),
               &mistakes);
    return;
  }
}

// The same mistake in twelve jobs of a sweep is one mistake.
Mistakes WithoutRepeats(const Mistakes& mistakes) {
  std::set<std::pair<std::string, std::string>> seen;
  Mistakes once;
  for (const Mistake& mistake : mistakes) {
    if (seen.emplace(mistake.field(), mistake.description()).second) {
      once.push_back(mistake);
    }
  }
  return once;
}

// Leaves out what is said of fields that the grid sets.
Mistakes Without(const std::vector<v1::GridAxis>& grid,
                 const Mistakes& mistakes) {
  Mistakes others;
  for (const Mistake& mistake : mistakes) {
    if (std::none_of(grid.begin(), grid.end(), [&](const v1::GridAxis& axis) {
          return axis.field() == mistake.field();
        })) {
      others.push_back(mistake);
    }
  }
  return others;
}

// Looks at the jobs of one submission, one after another: a file that several
// of them name is read once.
class Checker {
 public:
  Checker(const PathPolicy& paths, const std::string& default_output_dir,
          bool allows_exported_chains)
      : paths_(paths),
        default_output_dir_(default_output_dir),
        allows_exported_chains_(allows_exported_chains),
        data_(&paths),
        images_(&paths),
        tokenizers_(&paths) {}

  // Fills in the job's defaults, and what follows from its model. All mistakes
  // of keys, ranges, files and model, each in the field that has it.
  Mistakes Check(NewJob& job) {
    Mistakes mistakes;
    v1::JobSpec& spec = job.spec;
    ValidateJob(spec, &mistakes);
    const bool has_tokenizer = !spec.model().tokenizer_path().empty();
    FillDefaults(&spec);
    // Nobody waits until a million files are opened.
    if (CountDataFiles(spec.data()) <= kMaxDataFiles) {
      data_.Check(spec.data(), &mistakes, &job.warnings);
    }
    CheckOutput(job, mistakes);
    // Without a model's directory nothing can be said of what is in it.
    if (HasMistake(mistakes, "model.path")) return mistakes;
    const CheckedModel& model = ModelOf(spec.model());
    mistakes.insert(mistakes.end(), model.mistakes.begin(),
                    model.mistakes.end());
    job.warnings.insert(job.warnings.end(), model.warnings.begin(),
                        model.warnings.end());
    const bool is_fed = !model.table.has_value() ||
                        IsFedWhatItTakes(*model.table, spec, mistakes);
    if (is_fed && (has_tokenizer || model.is_there) &&
        !HasMistake(mistakes, "model.tokenizer_path")) {
      job.chat_template = tokenizers_.Check(
          spec,
          model.table.has_value() && !model.table->examples.has_value()
              ? std::optional<int64_t>(model.table->vocabulary_size)
              : std::nullopt,
          model.table.has_value() ? model.table->objective
                                  : Objective::kNextToken,
          &mistakes, &job.warnings);
    }
    if (!model.table.has_value()) return mistakes;
    Shared<std::string> config_json = model.config_json;
    if (is_fed && IsImages(spec.data().format()) &&
        !HasMistakeBelow(mistakes, "data.")) {
      const ClassNumbers& classes = images_.Check(
          spec, *config_json, *model.table->examples, &mistakes, &job.warnings);
      // What a folder means stays so, whatever becomes of the folders.
      if (!classes.empty()) {
        config_json =
            *WithClassLabels(*config_json, model.table->config_names, classes);
      }
    }
    if (model.table->RunsOwnCode()) {
      CheckOwnCode(allows_exported_chains_, spec, mistakes);
    }
    CheckTrainedType(*model.table, spec, mistakes);
    if (FreezesAny(spec) &&
        spec.model().frozen_dtype() == v1::PARAMETER_TYPE_AUTO) {
      spec.mutable_model()->set_frozen_dtype(model.weights_type);
    }
    CheckAgainstModel(*model.table, spec, mistakes);
    if (CanTrainLayers(*model.table, spec, mistakes)) {
      AddStatus("model.path", SetTable(*config_json, job), mistakes);
      CheckLeastSequences(*job.table, spec, mistakes);
      CheckDrawn(model.drawn, *job.table, mistakes);
    }
    job.model_config_json = std::move(config_json);
    job.base_key = BaseKey(spec, *job.table, model.weights_identity);
    return mistakes;
  }

 private:
  absl::Status SetTable(const std::string& config_json, NewJob& job) {
    absl::Status status;
    std::shared_ptr<const ModelTable> table = tables_.Get(
        TableContent(job.spec, config_json),
        [&]() -> std::shared_ptr<const ModelTable> {
          auto made = TableOf(job.spec, config_json);
          status = made.status();
          if (!made.ok()) return nullptr;
          return std::make_shared<const ModelTable>(*std::move(made));
        });
    if (table != nullptr) job.table = Shared<ModelTable>(std::move(table));
    return status;
  }

  void CheckOutput(NewJob& job, Mistakes& mistakes) {
    job.output_dir = job.spec.output().output_dir().empty()
                         ? default_output_dir_
                         : job.spec.output().output_dir();
    job.spec.mutable_output()->set_output_dir(job.output_dir);
    if (HasMistake(mistakes, "output.output_dir")) return;
    absl::StatusOr<std::string> real = paths_.OutputDirectory(job.output_dir);
    AddStatus("output.output_dir", real.status(), mistakes);
    if (!real.ok()) return;
    job.output_dir = *std::move(real);
    std::string warning = paths_.OutputWarning(job.output_dir);
    if (!warning.empty()) job.warnings.push_back(std::move(warning));
  }

  const CheckedModel& ModelOf(const v1::ModelSpec& spec) {
    const auto [model, is_new] =
        models_.try_emplace({spec.path(), spec.init(), spec.trained_dtype()});
    if (is_new) {
      model->second = CheckModel(spec, paths_, allows_exported_chains_);
    }
    return model->second;
  }

  const PathPolicy& paths_;
  const std::string& default_output_dir_;
  const bool allows_exported_chains_;
  DataCheck data_;
  ImageCheck images_;
  TokenizerCheck tokenizers_;
  std::map<std::tuple<std::string, v1::Initialization, v1::ParameterType>,
           CheckedModel>
      models_;
  SharedByContent<ModelTable> tables_;
};

// Whether files can be opened as `user` by now. That they cannot is no mistake
// of a job.
absl::Status CheckAnswers(const FileUser& user) {
  if (user.is_own() || user.Open("/", O_PATH).is_open()) {
    return absl::OkStatus();
  }
  switch (errno) {
    case ENOTCONN:
      return absl::UnavailableError(
          "hydra-files, which opens files as you, does not answer; try again "
          "later, or tell who runs this server");
    case ESRCH:
      return absl::PermissionDeniedError(
          "the machine of this server does not know you, so no files are "
          "opened as you");
    default:
      return absl::OkStatus();
  }
}

}  // namespace

SubmissionChecker::SubmissionChecker(PathPolicy paths,
                                     std::string default_output_dir,
                                     bool allows_exported_chains)
    : paths_(std::move(paths)),
      default_output_dir_(std::move(default_output_dir)),
      allows_exported_chains_(allows_exported_chains) {}

absl::StatusOr<std::vector<NewJob>> SubmissionChecker::Check(
    const v1::SubmitRequest& request, std::optional<uint32_t> owner) const {
  const FileUser user = UserOf(owner);
  if (absl::Status answers = CheckAnswers(user); !answers.ok()) return answers;
  const std::vector<v1::GridAxis> grid(request.grid().begin(),
                                       request.grid().end());
  absl::StatusOr<std::vector<ExpandedJob>> expanded =
      ExpandGrid(request.job(), grid);
  Mistakes mistakes;
  const bool expanded_all = expanded.ok();
  if (!expanded_all) {
    // What is wrong beside the grid, all the same.
    mistakes = MistakesOf(expanded.status());
    expanded = std::vector<ExpandedJob>{{request.job(), {}}};
  }
  const PathPolicy paths = paths_.For(user);
  Checker checker(paths, default_output_dir_, allows_exported_chains_);
  std::vector<NewJob> jobs;
  for (ExpandedJob& one : *expanded) {
    NewJob job;
    job.spec = std::move(one.spec);
    job.parameters = std::move(one.parameters);
    const Mistakes own =
        expanded_all ? checker.Check(job) : Without(grid, checker.Check(job));
    if (!IsFull(mistakes)) {
      mistakes.insert(mistakes.end(), own.begin(), own.end());
      mistakes = WithoutRepeats(mistakes);
    }
    if (!mistakes.empty()) continue;
    Prepare(job);
    jobs.push_back(std::move(job));
  }
  if (!mistakes.empty()) return ToStatus(mistakes);
  return jobs;
}

}  // namespace hydra
