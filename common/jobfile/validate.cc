#include "common/jobfile/validate.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/data/data_format.h"
#include "common/data/step_count.h"
#include "common/jobfile/field_value.h"
#include "common/jobfile/path_rules.h"
#include "common/model/loss_scale.h"
#include "common/model/optimizer.h"
#include "common/text/printable.h"
#include "google/protobuf/descriptor.h"

namespace hydra {
namespace {

constexpr size_t kMaxNameBytes = 100;

// Far beyond what anybody trains; they keep products of a job's numbers within
// an int64_t.
constexpr int64_t kMaxSteps = 1'000'000'000'000;
constexpr double kMaxEpochs = 1'000'000;
constexpr int64_t kMaxBatch = 65'536;
constexpr int64_t kMaxContext = 1'048'576;
// 512 MiB of a worker's memory.
constexpr int64_t kMaxStepTokens = int64_t{1} << 26;
constexpr double kLeastFloat = std::numeric_limits<float>::min();
constexpr double kLargestFloat = std::numeric_limits<float>::max();
constexpr int64_t kMaxNonfiniteSteps = 1'000'000;
constexpr int64_t kMaxGrowthInterval = 1'000'000'000;
constexpr int64_t kMaxKeptCheckpoints = 1'000;
constexpr int64_t kMaxRank = 65'536;
constexpr int64_t kMaxPatience = 1'000'000;

// Checks the fields of one section and names them by their paths.
class SectionChecker {
 public:
  SectionChecker(absl::string_view section, Mistakes* mistakes)
      : section_(section), mistakes_(mistakes) {}

  void Add(absl::string_view name, absl::string_view description) {
    AddMistake(absl::StrCat(section_, ".", name), description, mistakes_);
  }

  void Range(absl::string_view name, int64_t value, int64_t least,
             int64_t most) {
    if (value >= least && value <= most) return;
    Add(name, absl::StrCat("expected a whole number from ", least, " to ", most,
                           ", found ", value));
  }

  // Refuses NaN too, as all of these do.
  void Fraction(absl::string_view name, double value) {
    if (value >= 0 && value < 1) return;
    Add(name,
        absl::StrCat("expected a number from 0 to below 1, found ", value));
  }

  void Positive(absl::string_view name, double value) {
    if (value > 0 && std::isfinite(value)) return FitsFloat(name, value);
    Add(name, absl::StrCat("expected a finite number above 0, found ", value));
  }

  // Training computes with such numbers as fp32: others would become 0, lose
  // most of their digits, or be infinite.
  void FitsFloat(absl::string_view name, double value) {
    if (value == 0 || (value >= kLeastFloat && value <= kLargestFloat)) return;
    Add(name, absl::StrCat("expected a number from ", kLeastFloat, " to ",
                           kLargestFloat, ", as fp32 has them, found ", value));
  }

  bool NotNegative(absl::string_view name, double value) {
    if (value >= 0 && std::isfinite(value)) return true;
    Add(name,
        absl::StrCat("expected a finite number of at least 0, found ", value));
    return false;
  }

  // An enum of proto3 may hold any number if it came over the wire.
  void Known(absl::string_view name,
             const google::protobuf::EnumDescriptor& type, int value) {
    if (type.FindValueByNumber(value) != nullptr) return;
    Add(name,
        absl::StrCat("expected one of ", absl::StrJoin(EnumNames(type), ", "),
                     ", found the unknown value ", value));
  }

 private:
  const absl::string_view section_;
  Mistakes* const mistakes_;
};

void CheckName(absl::string_view name, Mistakes* mistakes) {
  const auto is_allowed = [](char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
  };
  if (!absl::c_all_of(name, is_allowed)) {
    AddMistake("name",
               absl::StrCat("expected letters, digits, '-', '_' and '.' only, "
                            "found ",
                            Quoted(name)),
               mistakes);
  }
  // Names become parts of paths and arguments of programs.
  if (absl::StartsWith(name, "-") || absl::StartsWith(name, ".")) {
    AddMistake("name",
               absl::StrCat("expected a letter, a digit or '_' first, found ",
                            Quoted(name)),
               mistakes);
  }
  if (name.size() > kMaxNameBytes) {
    AddMistake("name",
               absl::StrCat("expected at most ", kMaxNameBytes,
                            " characters, found ", name.size()),
               mistakes);
  }
}

void CheckPriority(int priority, Mistakes* mistakes) {
  if (priority >= -kMostPriority && priority <= kMostPriority) return;
  AddMistake("priority",
             absl::StrCat("expected a whole number from ", -kMostPriority,
                          " to ", kMostPriority, ", found ", priority),
             mistakes);
}

void CheckSize(const v1::JobSpec& job, Mistakes* mistakes) {
  const v1::DataSpec& data = job.data();
  if (const int files = CountDataFiles(data); files > kMaxDataFiles) {
    AddMistake("data",
               absl::StrCat("expected at most ", kMaxDataFiles,
                            " files in all splits, found ", files,
                            "; join some of them"),
               mistakes);
  }
  const auto bytes = static_cast<int64_t>(job.ByteSizeLong());
  if (bytes > kMaxJobBytes) {
    AddMistake("",
               absl::StrCat("expected a job of at most ", kMaxJobBytes,
                            " bytes with all of its paths, found ", bytes,
                            "; name fewer files, or shorter paths"),
               mistakes);
  }
}

void CheckPaths(v1::JobSpec job, Mistakes* mistakes) {
  if (job.model().path().empty()) {
    AddMistake("model.path", "expected the model's directory, found nothing",
               mistakes);
  }
  if (job.data().train_files().empty()) {
    AddMistake("data.train_files", "expected at least one file, found none",
               mistakes);
  }
  for (const PathField& path : PathsOf(&job)) {
    CheckPath(path.field, *path.value, mistakes);
  }
}

void CheckEpochs(const v1::TrainSpec& train, SectionChecker* check) {
  const double epochs = train.num_train_epochs();
  if (epochs > 0 && epochs <= kMaxEpochs) return;
  check->Add(
      "num_train_epochs",
      absl::StrCat("expected a number above 0 and at most ",
                   static_cast<int64_t>(kMaxEpochs), ", found ", epochs));
}

void CheckLength(const v1::TrainSpec& train, SectionChecker* check) {
  // Elsewhere this means "as the epochs say".
  if (train.max_steps() < 0 && train.has_num_train_epochs()) {
    check->Add("max_steps",
               absl::StrCat("found ", train.max_steps(),
                            "; leave it out, num_train_epochs is given"));
    return CheckEpochs(train, check);
  }
  if (train.has_max_steps() && train.has_num_train_epochs()) {
    check->Add("max_steps",
               "expected one of max_steps and num_train_epochs, found both");
  } else if (!train.has_max_steps() && !train.has_num_train_epochs()) {
    check->Add("max_steps",
               "expected one of max_steps and num_train_epochs, found neither");
  }
  if (train.has_max_steps()) {
    check->Range("max_steps", train.max_steps(), 1, kMaxSteps);
  }
  if (train.has_num_train_epochs()) CheckEpochs(train, check);
}

void CheckBatch(const v1::TrainSpec& train, SectionChecker* check) {
  check->Range("per_device_train_batch_size",
               train.per_device_train_batch_size(), 1, kMaxBatch);
  if (train.has_gradient_accumulation_steps()) {
    check->Range("gradient_accumulation_steps",
                 train.gradient_accumulation_steps(), 1, kMaxBatch);
  }
  if (train.has_micro_batches_per_round()) {
    check->Range("micro_batches_per_round", train.micro_batches_per_round(), 1,
                 kMaxBatch);
  }
  if (train.has_context_length()) {
    check->Range("context_length", train.context_length(), 1, kMaxContext);
  }
}

void CheckSchedule(const v1::TrainSpec& train, SectionChecker* check) {
  check->Known("lr_scheduler_type", *v1::LrSchedulerType_descriptor(),
               train.lr_scheduler_type());
  check->Range("warmup_steps", train.warmup_steps(), 0, kMaxSteps);
  check->Fraction("warmup_ratio", train.warmup_ratio());
  if (train.warmup_steps() > 0 && train.warmup_ratio() > 0) {
    check->Add("warmup_ratio",
               absl::StrCat("found ", train.warmup_ratio(), " beside ",
                            "warmup_steps ", train.warmup_steps(),
                            "; remove one of the two"));
  }
  if (train.has_max_steps() && train.warmup_steps() > 0 &&
      train.warmup_steps() > train.max_steps()) {
    check->Add("warmup_steps", absl::StrCat("expected max_steps at most, here ",
                                            train.max_steps(), ", found ",
                                            train.warmup_steps()));
  }
  const double lowest = train.min_learning_rate();
  if (!check->NotNegative("min_learning_rate", lowest) || lowest == 0) return;
  if (lowest > train.learning_rate()) {
    check->Add("min_learning_rate",
               absl::StrCat("expected learning_rate at most, here ",
                            train.learning_rate(), ", found ", lowest));
  }
  if (train.lr_scheduler_type() != v1::LR_SCHEDULER_TYPE_LINEAR &&
      train.lr_scheduler_type() != v1::LR_SCHEDULER_TYPE_COSINE) {
    check->Add("min_learning_rate",
               absl::StrCat("found ", lowest,
                            ", but the learning rate does not fall; set "
                            "lr_scheduler_type to linear or cosine, or remove "
                            "it"));
  }
}

void CheckOptimizer(const v1::TrainSpec& train, SectionChecker* check) {
  check->Known("optim", *v1::Optimizer_descriptor(), train.optim());
  check->Known("update_on", *v1::UpdatePlace_descriptor(), train.update_on());
  check->Positive("learning_rate", train.learning_rate());
  if (check->NotNegative("weight_decay", train.weight_decay())) {
    check->FitsFloat("weight_decay", train.weight_decay());
  }
  if (train.has_adam_beta1()) {
    check->Fraction("adam_beta1", train.adam_beta1());
  }
  if (train.has_adam_beta2()) {
    check->Fraction("adam_beta2", train.adam_beta2());
  }
  if (train.has_adam_epsilon()) {
    check->Positive("adam_epsilon", train.adam_epsilon());
  }
  check->Fraction("momentum", train.momentum());
  if (check->NotNegative("max_grad_norm", train.max_grad_norm())) {
    check->FitsFloat("max_grad_norm", train.max_grad_norm());
  }
  if (train.max_grad_norm() > 0 &&
      train.update_on() == v1::UPDATE_PLACE_DEVICE) {
    check->Add("update_on",
               absl::StrCat("with max_grad_norm, here ", train.max_grad_norm(),
                            ", the host updates parameters, since gradients "
                            "wait in its memory; found device; remove it"));
  }
  if (ScalesLoss(train) && train.update_on() == v1::UPDATE_PLACE_DEVICE) {
    check->Add("update_on",
               "with fp16 the host updates parameters, since gradients wait in "
               "its memory until it is known whether one overflowed; found "
               "device; remove it");
  }
  if (FactorsMoments(train) && train.update_on() == v1::UPDATE_PLACE_DEVICE) {
    check->Add("update_on",
               "with adafactor the host updates parameters, since an update "
               "needs a tensor's gradient as a whole, which waits in its "
               "memory; found device; remove it");
  }
  if (train.momentum() > 0 && !ReadsField(train.optim(), "momentum")) {
    const std::string readers =
        absl::StrJoin(OptimizersThatRead("momentum"), " or ");
    check->Add("momentum",
               absl::StrCat("momentum is for ", readers, " only, found ",
                            train.momentum(), "; remove it or set optim to ",
                            readers));
  }
}

void CheckEarlyStopping(const v1::EvaluationSpec& evaluation,
                        SectionChecker* check) {
  const int patience = evaluation.early_stopping_patience();
  check->Range("early_stopping_patience", patience, 0, kMaxPatience);
  check->NotNegative("early_stopping_threshold",
                     evaluation.early_stopping_threshold());
  if (patience == 0 && evaluation.early_stopping_threshold() > 0) {
    check->Add("early_stopping_threshold",
               absl::StrCat("found ", evaluation.early_stopping_threshold(),
                            ", but no job stops early without "
                            "early_stopping_patience; add it or remove this"));
  }
  if (patience > 0 && evaluation.eval_steps() == 0) {
    check->Add("early_stopping_patience",
               absl::StrCat("found ", patience,
                            ", but with eval_steps 0 nothing is evaluated "
                            "before the end; set eval_steps or remove it"));
  }
}

void CheckEvaluation(const v1::JobSpec& job, SectionChecker* check) {
  const v1::EvaluationSpec& evaluation = job.evaluation();
  check->Range("eval_steps", evaluation.eval_steps(), 0, kMaxSteps);
  if (evaluation.eval_steps() > 0 && job.data().validation_files().empty()) {
    check->Add("eval_steps",
               absl::StrCat("found ", evaluation.eval_steps(),
                            ", but data.validation_files names no file; add "
                            "one or remove eval_steps"));
  }
  if (evaluation.has_per_device_eval_batch_size()) {
    check->Range("per_device_eval_batch_size",
                 evaluation.per_device_eval_batch_size(), 1, kMaxBatch);
  }
  check->Range("max_eval_batches", evaluation.max_eval_batches(), 0, kMaxSteps);
  CheckEarlyStopping(evaluation, check);
}

void CheckCutPoints(const v1::PartitionSpec& partition, SectionChecker* check) {
  check->Known("shards", *v1::ShardChoice_descriptor(), partition.shards());
  if (partition.shards() != v1::SHARD_CHOICE_UNSPECIFIED &&
      partition.cut_points_size() > 0) {
    check->Add("shards",
               "a pilot chooses by it, and with cut_points there is no pilot; "
               "remove one of the two");
  }
  int previous = 0;
  for (int i = 0; i < partition.cut_points_size(); ++i) {
    const int cut = partition.cut_points(i);
    const std::string name = absl::StrCat("cut_points[", i, "]");
    if (cut < 1) {
      check->Add(name,
                 absl::StrCat("expected a layer of at least 1, found ", cut));
    } else if (cut <= previous) {
      check->Add(name, absl::StrCat("expected a layer above ", previous,
                                    ", the cut point before it, found ", cut));
    }
    previous = cut;
  }
}

void CheckFrozen(const v1::JobSpec& job, SectionChecker* check) {
  for (int i = 0; i < job.model().frozen_size(); ++i) {
    if (!job.model().frozen(i).empty()) continue;
    check->Add(absl::StrCat("frozen[", i, "]"),
               "expected a pattern of tensors' names, found nothing");
  }
  if (job.has_lora() && job.model().frozen_size() > 0) {
    check->Add("frozen",
               "with lora, all of the model is frozen already; remove one of "
               "the two");
  }
  const bool is_short =
      job.model().frozen_dtype() == v1::PARAMETER_TYPE_BFLOAT16 ||
      job.model().frozen_dtype() == v1::PARAMETER_TYPE_FLOAT16 ||
      job.model().frozen_dtype() == v1::PARAMETER_TYPE_INT8;
  if (is_short && !FreezesAny(job)) {
    check->Add("frozen_dtype",
               "this job trains all of its model; it is for the parameters "
               "that lora or model.frozen leave as they are, and "
               "model.trained_dtype for those that are trained");
  }
}

void CheckTrainedType(const v1::JobSpec& job, SectionChecker* check) {
  switch (job.model().trained_dtype()) {
    case v1::PARAMETER_TYPE_AUTO:
      check->Add("trained_dtype",
                 "auto is for parameters that stay as the checkpoint has them; "
                 "expected float32 or bfloat16");
      break;
    case v1::PARAMETER_TYPE_FLOAT16:
      check->Add("trained_dtype",
                 "float16 has no room for large parameters; expected float32 "
                 "or bfloat16 (train.fp16 computes products in float16)");
      break;
    case v1::PARAMETER_TYPE_INT8:
      check->Add("trained_dtype",
                 "int8 is for parameters that lora or model.frozen leave as "
                 "they are (model.frozen_dtype); expected float32 or "
                 "bfloat16");
      break;
    case v1::PARAMETER_TYPE_BFLOAT16:
      if (job.has_lora()) {
        check->Add("trained_dtype",
                   "with lora, adapters alone are trained, which are float32 "
                   "always; remove it (model.frozen_dtype says how the model "
                   "lies)");
      }
      break;
    default:
      break;
  }
}

void CheckOutput(const v1::JobSpec& job, SectionChecker* check) {
  if (!job.output().merge_adapters()) return;
  if (!job.has_lora()) {
    check->Add("merge_adapters",
               "found true, but this job trains no adapters; add a section "
               "lora, or remove it");
  }
  if (job.output().has_save_model() && !job.output().save_model()) {
    check->Add("merge_adapters",
               "found true, but save_model is false, and nothing is written; "
               "remove one of the two");
  }
}

void CheckLora(const v1::LoraSpec& lora, SectionChecker* check) {
  if (lora.has_r()) check->Range("r", lora.r(), 1, kMaxRank);
  if (lora.has_lora_alpha()) check->Positive("lora_alpha", lora.lora_alpha());
  check->Fraction("lora_dropout", lora.lora_dropout());
}

// What rows of one format have, and others do not.
void CheckRows(const v1::DataSpec& data, SectionChecker* check) {
  if (!data.text_field().empty() && data.format() != v1::DATA_FORMAT_JSONL &&
      !IsLabeled(data.format())) {
    check->Add("text_field",
               absl::StrCat("found ", Quoted(data.text_field()),
                            ", but only rows of jsonl, labeled and csv have "
                            "fields; set format to one of them or remove it"));
  }
  const auto refuse_label = [&](absl::string_view name,
                                const std::string& found) {
    if (found.empty() || IsLabeled(data.format())) return;
    check->Add(name, absl::StrCat("found ", Quoted(found),
                                  ", but only rows of labeled and csv have "
                                  "it; set format to one of them or remove "
                                  "it"));
  };
  if (IsLabeled(data.format()) && data.packing()) {
    check->Add("packing",
               "rows of labeled and csv are sequences of their own; remove it");
  }
  refuse_label("label_field", data.label_field());
  refuse_label("text_pair_field", data.text_pair_field());
  if (IsConversations(data.format())) return;
  const auto refuse = [check](absl::string_view name) {
    check->Add(name,
               "only rows of chat and instruction have it; set format to one "
               "of them or remove it");
  };
  if (!data.chat_template().empty()) refuse("chat_template");
  if (data.has_train_on_prompt()) refuse("train_on_prompt");
  // Others are packed in any case.
  if (data.has_packing() && !data.packing()) refuse("packing");
}

bool IsPowerOfTwo(double number) {
  int exponent;
  return std::isfinite(number) && number > 0 &&
         std::frexp(number, &exponent) == 0.5;
}

void CheckLossScale(const v1::TrainSpec& train, SectionChecker* check) {
  if (train.fp16() && train.bf16()) {
    check->Add("fp16", "found true beside bf16 true; remove one of the two");
  }
  const auto refuse = [check](absl::string_view field) {
    check->Add(field,
               "it is for fp16 alone, whose range is small; remove it, or set "
               "fp16 to true");
  };
  if (train.has_loss_scale()) {
    const double scale = train.loss_scale();
    if (!train.fp16()) {
      refuse("loss_scale");
    } else if (!IsPowerOfTwo(scale) || scale < kLeastLossScale ||
               scale > kLargestLossScale) {
      check->Add("loss_scale",
                 absl::StrCat("expected a power of two from ", kLeastLossScale,
                              " to ", kLargestLossScale,
                              ", with which no digit is lost, found ", scale));
    }
  }
  if (train.has_loss_scale_growth_interval()) {
    if (!train.fp16()) return refuse("loss_scale_growth_interval");
    check->Range("loss_scale_growth_interval",
                 train.loss_scale_growth_interval(), 0, kMaxGrowthInterval);
  }
}

// What belongs to tokens, and has no meaning for examples; what FillDefaults,
// or a submission, fills in is no mistake.
void CheckExamples(const v1::JobSpec& job, Mistakes* mistakes) {
  if (!HasExamples(job.data().format())) return;
  const auto refuse = [&](absl::string_view field) {
    AddMistake(
        field,
        absl::StrCat("data.format ",
                     IsImages(job.data().format()) ? "images" : "tensors",
                     " has no tokens; remove it"),
        mistakes);
  };
  if (!job.model().tokenizer_path().empty() &&
      job.model().tokenizer_path() != job.model().path()) {
    refuse("model.tokenizer_path");
  }
  if (job.data().has_packing() && job.data().packing()) refuse("data.packing");
  if (job.train().has_context_length() && job.train().context_length() != 1) {
    refuse("train.context_length");
  }
}

void CheckCheckpoint(const v1::CheckpointSpec& checkpoint,
                     SectionChecker* check) {
  check->Range("every_steps", checkpoint.every_steps(), 0, kMaxSteps);
  check->NotNegative("every_minutes", checkpoint.every_minutes());
  if (checkpoint.has_keep_last()) {
    check->Range("keep_last", checkpoint.keep_last(), 1, kMaxKeptCheckpoints);
  }
}

}  // namespace

bool FreezesAny(const v1::JobSpec& job) {
  return job.has_lora() || job.model().frozen_size() > 0;
}

int CountDataFiles(const v1::DataSpec& data) {
  return data.train_files_size() + data.validation_files_size() +
         data.test_files_size();
}

void ValidateJob(const v1::JobSpec& job, Mistakes* mistakes) {
  CheckName(job.name(), mistakes);
  CheckPriority(job.priority(), mistakes);
  CheckSize(job, mistakes);
  CheckPaths(job, mistakes);

  SectionChecker model("model", mistakes);
  model.Known("init", *v1::Initialization_descriptor(), job.model().init());
  model.Known("frozen_dtype", *v1::ParameterType_descriptor(),
              job.model().frozen_dtype());
  model.Known("trained_dtype", *v1::ParameterType_descriptor(),
              job.model().trained_dtype());
  CheckFrozen(job, &model);
  CheckTrainedType(job, &model);
  SectionChecker data("data", mistakes);
  data.Known("format", *v1::DataFormat_descriptor(), job.data().format());
  CheckRows(job.data(), &data);
  CheckExamples(job, mistakes);

  SectionChecker train("train", mistakes);
  CheckLength(job.train(), &train);
  CheckBatch(job.train(), &train);
  CheckSchedule(job.train(), &train);
  CheckOptimizer(job.train(), &train);
  CheckLossScale(job.train(), &train);
  if (job.train().has_dropout()) {
    train.Fraction("dropout", job.train().dropout());
  }
  if (job.train().has_mlm_probability()) {
    train.Fraction("mlm_probability", job.train().mlm_probability());
    if (job.train().mlm_probability() == 0) {
      train.Add("mlm_probability", "expected more than 0, found 0");
    }
  }
  train.Fraction("label_smoothing_factor",
                 job.train().label_smoothing_factor());
  train.Range("max_nonfinite_steps", job.train().max_nonfinite_steps(), 0,
              kMaxNonfiniteSteps);

  SectionChecker evaluation("evaluation", mistakes);
  CheckEvaluation(job, &evaluation);
  SectionChecker partition("partition", mistakes);
  CheckCutPoints(job.partition(), &partition);
  SectionChecker checkpoint("checkpoint", mistakes);
  CheckCheckpoint(job.checkpoint(), &checkpoint);
  SectionChecker lora("lora", mistakes);
  CheckLora(job.lora(), &lora);
  SectionChecker output("output", mistakes);
  CheckOutput(job, &output);
}

void CheckStepTokens(const v1::JobSpec& job, Mistakes* mistakes) {
  const v1::TrainSpec& train = job.train();
  const auto check = [&](absl::string_view field, absl::string_view what,
                         int64_t sequences) {
    const int64_t tokens = sequences * train.context_length();
    if (tokens <= kMaxStepTokens) return;
    AddMistake(
        field,
        absl::StrCat(what, " would have ", sequences, " sequences of ",
                     train.context_length(), " tokens, ", tokens,
                     " in all; at most ", kMaxStepTokens, " are possible"),
        mistakes);
  };
  check("train.gradient_accumulation_steps", "one step",
        SequencesPerStep(train));
  check("evaluation.per_device_eval_batch_size", "one evaluation batch",
        job.evaluation().per_device_eval_batch_size());
}

void FillDefaults(v1::JobSpec* job) {
  if (job->name().empty()) job->set_name(std::string(kDefaultJobName));

  v1::ModelSpec* model = job->mutable_model();
  if (model->init() == v1::INITIALIZATION_UNSPECIFIED) {
    model->set_init(v1::INITIALIZATION_PRETRAINED);
  }
  if (model->tokenizer_path().empty()) {
    model->set_tokenizer_path(model->path());
  }
  if (model->frozen_dtype() == v1::PARAMETER_TYPE_UNSPECIFIED &&
      FreezesAny(*job)) {
    model->set_frozen_dtype(v1::PARAMETER_TYPE_AUTO);
  }

  v1::DataSpec* data = job->mutable_data();
  if (data->format() == v1::DATA_FORMAT_UNSPECIFIED) {
    data->set_format(v1::DATA_FORMAT_TEXT);
  }
  const bool has_text_field =
      data->format() == v1::DATA_FORMAT_JSONL || IsLabeled(data->format());
  if (has_text_field && data->text_field().empty()) {
    data->set_text_field("text");
  }
  if (IsLabeled(data->format()) && data->label_field().empty()) {
    data->set_label_field("label");
  }
  if (!data->has_shuffle()) data->set_shuffle(true);
  if (IsConversations(data->format())) {
    if (!data->has_train_on_prompt()) data->set_train_on_prompt(false);
    if (!data->has_packing()) data->set_packing(false);
  }

  v1::TrainSpec* train = job->mutable_train();
  if (!train->has_gradient_accumulation_steps()) {
    train->set_gradient_accumulation_steps(1);
  }
  FillOptimizerDefaults(*train);
  if (train->update_on() == v1::UPDATE_PLACE_UNSPECIFIED) {
    train->set_update_on(v1::UPDATE_PLACE_AUTO);
  }
  if (!train->has_seed()) train->set_seed(42);
  if (ScalesLoss(*train)) {
    if (!train->has_loss_scale()) train->set_loss_scale(kFirstLossScale);
    if (!train->has_loss_scale_growth_interval()) {
      train->set_loss_scale_growth_interval(kLossScaleGrowthInterval);
    }
  }

  v1::EvaluationSpec* evaluation = job->mutable_evaluation();
  if (!evaluation->has_per_device_eval_batch_size()) {
    evaluation->set_per_device_eval_batch_size(
        train->per_device_train_batch_size());
  }
  v1::OutputSpec* output = job->mutable_output();
  if (!output->has_save_model()) output->set_save_model(true);

  v1::CheckpointSpec* checkpoint = job->mutable_checkpoint();
  if (!checkpoint->has_every_minutes()) checkpoint->set_every_minutes(15);
  if (!checkpoint->has_keep_last()) checkpoint->set_keep_last(2);
  if (!checkpoint->has_keep_best()) checkpoint->set_keep_best(true);

  if (!job->has_lora()) return;
  v1::LoraSpec* lora = job->mutable_lora();
  if (!lora->has_r()) lora->set_r(8);
  if (!lora->has_lora_alpha()) lora->set_lora_alpha(8);
}

}  // namespace hydra
