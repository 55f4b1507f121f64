#include "common/jobfile/import_job.h"

#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/jobfile/field_value.h"
#include "common/jobfile/import_adapters.h"
#include "common/jobfile/import_counterpart.h"
#include "common/jobfile/import_data.h"
#include "common/jobfile/import_ledger.h"
#include "common/jobfile/import_paths.h"
#include "common/jobfile/import_value.h"
#include "common/jobfile/job_aliases.h"
#include "common/jobfile/job_file.h"
#include "common/jobfile/path_rules.h"
#include "common/jobfile/trainer_tool.h"
#include "common/jobfile/validate.h"
#include "common/jobfile/yaml_to_proto.h"
#include "common/jobfile/yaml_tree.h"
#include "common/text/printable.h"
#include "google/protobuf/descriptor.h"
#include "hydra/v1/job.pb.h"

namespace hydra {
namespace {

using google::protobuf::FieldDescriptor;
using Fate = ImportedKey::Fate;
using Key = ImportLedger::Key;
using Kind = YamlNode::Kind;

constexpr absl::string_view kAdapters = "lora.";
constexpr absl::string_view kModules = "lora.target_modules";
constexpr absl::string_view kSchedule = "train.lr_scheduler_type";
constexpr absl::string_view kBf16 = "train.bf16";
constexpr absl::string_view kFp16 = "train.fp16";
constexpr absl::string_view kFrozenType = "model.frozen_dtype";
constexpr absl::string_view kTrainedType = "model.trained_dtype";
constexpr absl::string_view kWarmup[] = {"train.warmup_steps",
                                         "train.warmup_ratio"};

// Of two fields that say one thing, the first wins, as in transformers.
constexpr std::pair<absl::string_view, absl::string_view> kEither[] = {
    {"train.max_steps", "train.num_train_epochs"},
    {"train.warmup_steps", "train.warmup_ratio"},
};

// Whether the key asks for products in bf16, as train.bf16 has them: of
// accelerate, and of Lightning.
bool IsBf16Products(absl::string_view key, const YamlNode& value) {
  return (key == "mixed_precision" && IsOneOf("bf16", value)) ||
         (key == "precision" && IsOneOf("bf16-mixed|bf16", value));
}

// The same in fp16, with a scaled loss, as train.fp16 has them.
bool IsFp16Products(absl::string_view key, const YamlNode& value) {
  return (key == "mixed_precision" && IsOneOf("fp16", value)) ||
         (key == "precision" && IsOneOf("16-mixed|16", value));
}

// Whether the key has the model that adapters are trained on in 8 bits: of
// Axolotl, and of LLaMA-Factory.
bool IsInt8Base(absl::string_view key, const YamlNode& value) {
  return (key == "load_in_8bit" && IsOneOf("true", value)) ||
         (key == "quantization_bit" && IsOneOf("8", value));
}

// Whether the key makes a tool look for the best of its evaluations.
bool LooksForTheBest(const YamlEntry& entry) {
  return (entry.key == "load_best_model_at_end" ||
          entry.key == "early_stopping_patience" ||
          entry.key == "early_stopping_steps") &&
         !IsNothing(entry.value) && !IsOneOf("false|0|none", entry.value);
}

// Whether the key makes a tool write TensorBoard's event files.
bool ReportsToTensorBoard(const YamlEntry& entry) {
  if (entry.key == "use_tensorboard") return IsOneOf("true", entry.value);
  if (entry.key != "report_to") return false;
  return IsOneOf("tensorboard", entry.value) ||
         absl::c_any_of(entry.value.items, [](const YamlNode& item) {
           return IsOneOf("tensorboard", item);
         });
}

// Keys that stand twice, in maps within maps too.
void FindTwice(const YamlNode& node, std::vector<std::string>* found) {
  std::map<absl::string_view, int> line_of_key;
  for (const YamlEntry& entry : node.entries) {
    const auto [first, is_new] = line_of_key.emplace(entry.key, entry.line);
    if (!is_new && found->size() < kMaxMistakes) {
      found->push_back(AtLine(
          entry.line,
          absl::StrCat("the key ", Quoted(entry.key),
                       " is given twice, first in line ", first->second)));
    }
    FindTwice(entry.value, found);
  }
  for (const YamlNode& item : node.items) FindTwice(item, found);
}

class Importer {
 public:
  Importer(const TrainerTool& tool, const ImportOptions& options)
      : tool_(tool),
        options_(options),
        data_(
            tool, options,
            [this](absl::string_view section, absl::string_view files,
                   const YamlEntry& entry) { Read(section, files, entry); },
            &ledger_),
        has_adapters_(tool.has_adapters_unasked) {}

  ImportedJob Import(const YamlNode& root) && {
    for (const YamlEntry& entry : root.entries) {
      if (entry.key == "dataset_dir" && !IsNothing(entry.value)) {
        data_.set_dataset_dir(entry.value.text);
      }
      if (entry.key == tool_.adapter_key && !IsNothing(entry.value)) {
        has_adapters_ = IsOneOf(tool_.adapter_value, entry.value);
      }
      looks_for_the_best_ |= LooksForTheBest(entry);
    }
    for (const YamlEntry& entry : root.entries) Read("", "", entry);
    for (const ToolDefault& silent : tool_.defaults) Assume(silent);
    if (tool_.has_adapters_unasked &&
        mentioned_.count("lora.lora_alpha") == 0) {
      AssumeAlpha(&ledger_);
    }
    data_.Judge();
    KeepOneOfEach();
    Validate();
    ImportedJob job;
    job.tool = tool_.name;
    job.fields = ledger_.Fields();
    job.keys = ledger_.keys();
    job.mistakes = std::move(mistakes_);
    return job;
  }

 private:
  // `files` is the split whose data sets the section is about.
  void Read(absl::string_view section, absl::string_view files,
            const YamlEntry& entry) {
    const Key key = {
        section.empty() ? entry.key : absl::StrCat(section, ".", entry.key),
        entry.line};
    std::string path = section.empty() ? FieldNamed(entry.key) : "";
    const Alias* const alias =
        path.empty() ? CounterpartIn(section, entry.key) : nullptr;
    if (alias != nullptr) path = FieldNamed(alias->meant);
    if (IsFilesField(path) && !files.empty()) path = std::string(files);
    const bool is_nothing = IsNothing(entry.value);
    if (!is_nothing || !tool_.null_is_default) {
      if (alias != nullptr) mentioned_.emplace(alias->word);
      mentioned_.insert(path);
    }
    if (is_nothing) return ledger_.Tell(Fate::kLeftOut, key, "it has no value");
    if (!has_adapters_ && IsOfAdapters(entry.key)) {
      const bool is_off = !tool_.adapter_key.empty();
      return ledger_.Tell(
          is_off ? Fate::kLeftOut : Fate::kLost, key,
          is_off ? absl::StrCat("there, adapters are trained with ",
                                tool_.adapter_key, ": ", tool_.adapter_value,
                                " alone")
                 : "nothing here says whether adapters are trained; "
                   "write 'use_peft: true', or remove it");
    }
    if (data_.TakeRows(section, key, entry)) return;
    if (section.empty() && IsBf16Products(entry.key, entry.value)) {
      mentioned_.emplace(kBf16);
      return TakeBf16(key, "true", absl::StrCat("for ", Shown(entry.value)));
    }
    if (section.empty() && IsFp16Products(entry.key, entry.value)) {
      mentioned_.emplace(kFp16);
      return TakeFp16(key, "true", absl::StrCat("for ", Shown(entry.value)));
    }
    if (section.empty() && entry.key == "pure_bf16" &&
        IsOneOf("true", entry.value)) {
      mentioned_.emplace(kBf16);
      return TakePureBf16(key);
    }
    if (section.empty() && has_adapters_ &&
        IsInt8Base(entry.key, entry.value)) {
      mentioned_.emplace(kFrozenType);
      return ledger_.Set(
          std::string(kFrozenType), key, "int8",
          "each row is rounded by its largest number, and columns of outliers "
          "are not kept apart, as bitsandbytes does it; activations stay fp32");
    }
    if (section.empty() && entry.key == "metric_for_best_model" &&
        !looks_for_the_best_) {
      return ledger_.Tell(
          Fate::kLeftOut, key,
          absl::StrCat(Shown(entry.value),
                       "; nothing here depends on which is the best"));
    }
    if (section.empty() && ReportsToTensorBoard(entry)) {
      return ledger_.Set("output.tensorboard", key, "true",
                         absl::StrCat("for ", Shown(entry.value)));
    }
    // A section of a job file, or a word that is no key, is no counterpart.
    if (path.empty() && (alias == nullptr || !alias->meant.empty())) {
      return ledger_.Tell(
          Fate::kLost, key,
          "this key is not known; see whether the result needs it");
    }
    const bool is_taken =
        alias == nullptr || alias->import == Import::kTake ||
        (alias->import == Import::kByNote && alias->note.empty());
    if (is_taken) {
      return Take(path, key, entry.value, alias == nullptr ? "" : alias->note);
    }
    const bool is_lost =
        alias->import == Import::kChanges && !IsOneOf(alias->same, entry.value);
    const std::string why =
        alias->note.empty()
            ? absl::StrCat("that may be another number than ", path)
            : std::string(alias->note);
    ledger_.Tell(is_lost ? Fate::kLost : Fate::kLeftOut, key,
                 absl::StrCat(Shown(entry.value), "; ", why));
  }

  void Assume(const ToolDefault& silent) {
    const Alias* const alias = CounterpartIn("", silent.key);
    std::string path = FieldNamed(silent.key);
    if (path.empty() && alias != nullptr) path = FieldNamed(alias->meant);
    if (!path.empty() && mentioned_.count(path) != 0) return;
    if (!has_adapters_ && absl::StartsWith(path, kAdapters)) return;
    if (alias != nullptr && mentioned_.count(alias->word) != 0) return;
    for (const auto& [one, other] : kEither) {
      if (path == other && ledger_.Has(one)) return;
    }
    YamlEntry entry;
    entry.key = std::string(silent.key);
    entry.line = 0;
    entry.value.kind = Kind::kScalar;
    entry.value.text = std::string(silent.value);
    Read("", "", entry);
    ledger_.AddToLast(silent.note);
  }

  void Take(const std::string& path, const Key& key, const YamlNode& node,
            absl::string_view note) {
    if (IsFilesField(path)) return data_.TakeFiles(path, key, node);
    if (path == kModules) return TakeModules(key, node, &ledger_);
    const FieldDescriptor& field = *FindField(*v1::JobSpec::descriptor(), path);
    if (node.kind != Kind::kScalar) {
      return ledger_.Refuse(path, key,
                            absl::StrCat("expected ", ExpectedValue(field),
                                         ", found ", Found(node)));
    }
    int64_t steps;
    if (path == "train.max_steps" && absl::SimpleAtoi(node.text, &steps) &&
        steps <= 0) {
      mentioned_.erase(path);
      return ledger_.Tell(Fate::kLeftOut, key,
                          "as many steps as the epochs have");
    }
    if (IsPathField(path)) return TakePath(path, key, node.text);
    if (field.enum_type() != nullptr) {
      return TakeWord(path, key, node.text, note);
    }
    const bool is_switch = field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL;
    const std::string text = is_switch ? WithoutSynonyms(node.text) : node.text;
    if (path == kBf16) return TakeBf16(key, text, note);
    if (path == kFp16) return TakeFp16(key, text, note);
    ledger_.Set(path, key, text, note);
  }

  void TakeBf16(const Key& key, absl::string_view text,
                absl::string_view note) {
    // Axolotl's word for: where the GPU can.
    const std::string value(text == "auto" ? "true" : text);
    ledger_.Set(std::string(kBf16), key, value, note);
    if (value == "true" && tool_.has_bf16_weights && !has_adapters_) {
      HaveMasters(key);
    }
  }

  void TakeFp16(const Key& key, const std::string& text,
                absl::string_view note) {
    ledger_.Set(std::string(kFp16), key, text, note);
    if (text != "true") return;
    // It is that in bf16's place, which nobody has to turn off.
    mentioned_.emplace(kBf16);
    if (tool_.has_bf16_weights && !has_adapters_) {
      ledger_.LoseLast("weights that are trained are fp32 here");
    }
  }

  // LLaMA-Factory's word for weights, moments and products in bf16.
  void TakePureBf16(const Key& key) {
    ledger_.Set(std::string(kBf16), key, "true", "");
    if (has_adapters_) {
      ledger_.LoseLast("adapters are fp32 here");
    } else {
      HaveMasters(key);
    }
  }

  // What was taken last has weights that are trained, and their moments, in
  // bf16 alone.
  void HaveMasters(const Key& key) {
    ledger_.LoseLast(
        "moments are fp32 here, and so are masters of the weights, which "
        "themselves are bf16");
    mentioned_.emplace(kTrainedType);
    ledger_.Set(std::string(kTrainedType), key, "bfloat16", "with masters");
  }

  // A value that stands for another word here, as adamw_torch does for adamw.
  void TakeWord(const std::string& path, const Key& key,
                const std::string& text, absl::string_view note) {
    const FieldDescriptor& field = *FindField(*v1::JobSpec::descriptor(), path);
    const std::vector<std::string> words = EnumNames(*field.enum_type());
    const std::string word = absl::AsciiStrToLower(text);
    has_no_warmup_ |= path == kSchedule && word == "constant";
    if (absl::c_linear_search(words, word)) {
      return ledger_.Set(path, key, word, "");
    }
    const Alias* const alias = FindAlias("", word, JobAliases());
    if (alias == nullptr || !absl::c_linear_search(words, alias->meant)) {
      v1::JobSpec unused;
      return ledger_.Refuse(
          path, key,
          absl::StrCat(SetValueAt(path, text, {}, &unused).message(),
                       note.empty() ? "" : "; ", note));
    }
    ledger_.Set(path, key, std::string(alias->meant),
                absl::StrCat("for ", Quoted(text),
                             alias->note.empty() ? "" : "; ", alias->note));
    if (alias->import == Import::kChanges) ledger_.LoseLast();
  }

  void TakePath(const std::string& path, const Key& key,
                const std::string& text) {
    const std::string why =
        WhyNoPath(text, absl::StartsWith(path, "model."), options_);
    const bool is_output = why.empty() && path == "output.output_dir";
    ledger_.Set(
        path, key, WrittenPath(text, options_),
        is_output ? "it must lie below one of the server's output roots" : why);
    if (!why.empty()) ledger_.LoseLast();
  }

  void KeepOneOfEach() {
    for (const auto& [one, other] : kEither) {
      if (!ledger_.Has(one) || !ledger_.Has(other)) continue;
      const bool says_nothing = IsSame(ledger_.FirstOf(one), "0");
      ledger_.Drop(says_nothing ? one : other, Fate::kLeftOut,
                   absl::StrCat(says_nothing ? other : one, " says it"));
    }
    if (has_no_warmup_) {
      for (absl::string_view path : kWarmup) {
        ledger_.Drop(
            path, Fate::kLeftOut,
            "there, constant has no warm-up; constant_with_warmup has");
      }
    }
  }

  Mistakes MistakesOfJob() const {
    absl::StatusOr<JobFile> file = ParseJobFile(JobYaml(ledger_.Fields()));
    if (!file.ok()) return MistakesOf(file.status());
    MakePathsAbsolute(options_.base_dir, &*file);
    Mistakes mistakes;
    ValidateJob(file->job, &mistakes);
    return mistakes;
  }

  // What no job file may have is left out of this one, and then what cannot be
  // without it.
  void Validate() {
    size_t before;
    do {
      before = ledger_.field_count();
      mistakes_ = MistakesOfJob();
      for (const Mistake& mistake : mistakes_) {
        // Others are about what to write instead.
        if (IsPathField(mistake.field())) continue;
        ledger_.Drop(
            mistake.field(),
            IsPartOfTheResult(mistake.field()) ? Fate::kLost : Fate::kLeftOut,
            mistake.description());
      }
    } while (ledger_.field_count() != before);
  }

  const TrainerTool& tool_;
  const ImportOptions& options_;
  ImportLedger ledger_;
  ImportData data_;
  // The file trains adapters.
  bool has_adapters_;
  bool looks_for_the_best_ = false;
  // Fields, and the table's words, that the file has something to say of.
  std::set<std::string, std::less<>> mentioned_;
  // The schedule is one that has warm-up here, and none in the tool.
  bool has_no_warmup_ = false;
  Mistakes mistakes_;
};

}  // namespace

absl::StatusOr<ImportedJob> ImportJob(absl::string_view text,
                                      const ImportOptions& options) {
  const absl::StatusOr<YamlNode> root = ParseYaml(text);
  if (!root.ok()) return root.status();
  if (root->kind == Kind::kNull) {
    return absl::InvalidArgumentError(
        AtLine(root->line, "expected keys with values, found an empty file"));
  }
  if (root->kind != Kind::kMap) {
    return absl::InvalidArgumentError(AtLine(
        root->line,
        absl::StrCat("expected keys with values, found ", Found(*root))));
  }
  std::vector<std::string> twice;
  FindTwice(*root, &twice);
  if (!twice.empty()) {
    return absl::InvalidArgumentError(absl::StrJoin(twice, "\n"));
  }
  const TrainerTool* const tool = RecogniseTool(*root);
  if (tool == nullptr) {
    const bool is_job =
        absl::c_any_of(root->entries, [](const YamlEntry& entry) {
          return entry.key == "train" && entry.value.kind == Kind::kMap;
        });
    return absl::InvalidArgumentError(AtLine(
        root->line,
        is_job ? "this has the sections of a job file; submit it as it is"
               : "this is no configuration of LLaMA-Factory, Axolotl, TRL or "
                 "transformers' trainer: its keys are others"));
  }
  return Importer(*tool, options).Import(*root);
}

}  // namespace hydra
