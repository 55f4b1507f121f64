#include "common/jobfile/import_job.h"

#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/jobfile/dataset_index.h"
#include "common/jobfile/field_value.h"
#include "common/jobfile/job_aliases.h"
#include "common/jobfile/job_file.h"
#include "common/jobfile/path_kind.h"
#include "common/jobfile/path_rules.h"
#include "common/jobfile/suggest.h"
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
using Kind = YamlNode::Kind;

// Where the keys of one data set among several are found in the table.
constexpr absl::string_view kDatasets = "datasets";
constexpr absl::string_view kFormat = "data.format";
constexpr absl::string_view kTextField = "data.text_field";
constexpr absl::string_view kAdapters = "lora.";
constexpr absl::string_view kModules = "lora.target_modules";
constexpr absl::string_view kTrainOnPrompt = "data.train_on_prompt";
constexpr absl::string_view kPacking = "data.packing";
constexpr absl::string_view kSchedule = "train.lr_scheduler_type";
constexpr absl::string_view kBf16 = "train.bf16";
constexpr absl::string_view kTrainedType = "model.trained_dtype";
constexpr absl::string_view kWarmup[] = {"train.warmup_steps",
                                         "train.warmup_ratio"};

// Of two fields that say one thing, the first wins, as in transformers.
constexpr std::pair<absl::string_view, absl::string_view> kEither[] = {
    {"train.max_steps", "train.num_train_epochs"},
    {"train.warmup_steps", "train.warmup_ratio"},
};

bool IsNothing(const YamlNode& node) {
  switch (node.kind) {
    case Kind::kNull:
      return true;
    case Kind::kScalar:
      return node.text.empty();
    case Kind::kSequence:
      return node.items.empty();
    case Kind::kMap:
      return node.entries.empty();
  }
  return true;
}

std::string Shown(const YamlNode& node) {
  return node.kind == Kind::kScalar ? Quoted(node.text) : Found(node);
}

// What YAML 1.1, which other tools read, takes for true and false.
std::string WithoutSynonyms(absl::string_view text) {
  const std::string word = absl::AsciiStrToLower(text);
  if (word == "yes" || word == "on") return "true";
  if (word == "no" || word == "off") return "false";
  return word;
}

bool IsSame(absl::string_view word, absl::string_view other) {
  double a;
  double b;
  const bool are_numbers =
      absl::SimpleAtod(word, &a) && absl::SimpleAtod(other, &b);
  return are_numbers ? a == b : word == other;
}

// Whether `value` asks for what Hydra does anyway.
bool IsOneOf(absl::string_view same, const YamlNode& value) {
  if (same.empty() || value.kind != Kind::kScalar) return false;
  const std::vector<absl::string_view> words = absl::StrSplit(same, '|');
  return absl::c_any_of(words, [&](absl::string_view word) {
    return IsSame(word, absl::AsciiStrToLower(value.text)) ||
           IsSame(word, WithoutSynonyms(value.text));
  });
}

// Whether the key asks for products in bf16, as train.bf16 has them: of
// accelerate, and of Lightning.
bool IsBf16Products(absl::string_view key, const YamlNode& value) {
  return (key == "mixed_precision" && IsOneOf("bf16", value)) ||
         (key == "precision" && IsOneOf("bf16-mixed|bf16", value));
}

// Whether the key makes a tool look for the best of its evaluations.
bool LooksForTheBest(const YamlEntry& entry) {
  return (entry.key == "load_best_model_at_end" ||
          entry.key == "early_stopping_patience" ||
          entry.key == "early_stopping_steps") &&
         !IsNothing(entry.value) && !IsOneOf("false|0|none", entry.value);
}

// Whether the value of a field makes another model.
bool IsPartOfTheResult(absl::string_view path) {
  return absl::StartsWith(path, "model.") || absl::StartsWith(path, "train.") ||
         absl::StartsWith(path, kAdapters) ||
         // They say how long it is trained.
         absl::StartsWith(path, "evaluation.early_stopping") ||
         (absl::StartsWith(path, "data.") && path != "data.validation_files" &&
          path != "data.test_files");
}

bool IsFiles(absl::string_view path) {
  return path == "data.train_files" || path == "data.validation_files" ||
         path == "data.test_files";
}

// data.format's value for a file of this name, packed with gzip or not; empty:
// Hydra does not read such.
absl::string_view FormatOf(absl::string_view path) {
  const std::string whole = absl::AsciiStrToLower(path);
  const std::string name(absl::StripSuffix(whole, ".gz"));
  const size_t dot = name.rfind('.');
  const size_t slash = name.rfind('/');
  if (dot == name.npos || (slash != name.npos && dot < slash)) return "text";
  const std::string extension = name.substr(dot);
  for (absl::string_view json : {".jsonl", ".json", ".ndjson"}) {
    if (extension == json) return "jsonl";
  }
  for (absl::string_view other :
       {".csv", ".tsv", ".parquet", ".arrow", ".zst", ".xz", ".bz2", ".zip",
        ".tar", ".tgz", ".bin", ".npy"}) {
    if (extension == other) return "";
  }
  return "text";
}

// Whether a key is about adapters, of whatever kind.
bool IsOfAdapters(absl::string_view key) {
  return absl::StartsWith(key, "lora_") || absl::StartsWith(key, "loraplus_") ||
         absl::StartsWith(key, "peft_") || key == "use_rslora" ||
         key == "use_dora";
}

// PEFT takes other texts for regular expressions.
bool IsModuleName(absl::string_view text) {
  return !text.empty() && absl::c_all_of(text, [](char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == '.' || c == '-';
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

// What Axolotl calls rows that Hydra reads.
struct RowType {
  absl::string_view word;
  absl::string_view format;
  // Why they are not trained on as there; empty: they are.
  absl::string_view difference;
};
constexpr RowType kRowTypes[] = {
    {"chat_template", "chat", ""},
    {"sharegpt", "chat", "there it has a template of its own"},
    {"alpaca", "instruction",
     "there, the prompt has '### Input:'; here it is the tokenizer's chat "
     "template, or that of LLaMA-Factory"},
};

class Importer {
 public:
  Importer(const TrainerTool& tool, const ImportOptions& options)
      : tool_(tool),
        options_(options),
        has_adapters_(tool.has_adapters_unasked) {}

  ImportedJob Import(const YamlNode& root) && {
    for (const YamlEntry& entry : root.entries) {
      if (entry.key == "dataset_dir" && !IsNothing(entry.value)) {
        dataset_dir_ = entry.value.text;
      }
      if (entry.key == tool_.adapter_key && !IsNothing(entry.value)) {
        has_adapters_ = IsOneOf(tool_.adapter_value, entry.value);
      }
      looks_for_the_best_ |= LooksForTheBest(entry);
    }
    for (const YamlEntry& entry : root.entries) Read("", "", entry);
    for (const ToolDefault& silent : tool_.defaults) Assume(silent);
    AssumeAlpha();
    JudgeRows();
    KeepOneOfEach();
    Validate();
    ImportedJob job;
    job.tool = tool_.name;
    for (auto& [path, value] : values_) {
      job.fields[path] = std::move(value.texts);
    }
    job.keys = std::move(keys_);
    job.mistakes = std::move(mistakes_);
    return job;
  }

 private:
  // A field's value, and the keys that gave it, as places in keys_.
  struct Value {
    std::vector<std::string> texts;
    std::vector<size_t> givers;
  };

  // What a key says, and where it stands.
  struct Key {
    std::string name;
    int line;
  };

  void Tell(Fate fate, const Key& key, std::string what,
            absl::string_view field = "") {
    if (key.line == 0 && fate == Fate::kTaken) fate = Fate::kAssumed;
    keys_.push_back(
        {fate, key.line, key.name, std::string(field), std::move(what)});
  }

  static const Alias* FindIn(absl::string_view section, absl::string_view key) {
    const Alias* const alias = FindAlias(section, key, JobAliases());
    const bool is_of_section =
        alias != nullptr &&
        absl::StartsWith(alias->word, absl::StrCat(section, "."));
    return section.empty() || is_of_section ? alias : nullptr;
  }

  // The field of the job file that has this name or path; empty: there is none.
  static std::string PathOf(absl::string_view name) {
    const auto& job = *v1::JobSpec::descriptor();
    const std::string path = SuggestField(job, "", name, {});
    const FieldDescriptor* const field = FindField(job, path);
    const bool is_it =
        field != nullptr && field->message_type() == nullptr &&
        (path == name || absl::EndsWith(path, absl::StrCat(".", name)));
    return is_it ? path : "";
  }

  // `files` is the split whose data sets the section is about.
  void Read(absl::string_view section, absl::string_view files,
            const YamlEntry& entry) {
    const Key key = {
        section.empty() ? entry.key : absl::StrCat(section, ".", entry.key),
        entry.line};
    std::string path = section.empty() ? PathOf(entry.key) : "";
    const Alias* const alias =
        path.empty() ? FindIn(section, entry.key) : nullptr;
    if (alias != nullptr) path = PathOf(alias->meant);
    if (IsFiles(path) && !files.empty()) path = std::string(files);
    const bool is_nothing = IsNothing(entry.value);
    if (!is_nothing || !tool_.null_is_default) {
      if (alias != nullptr) mentioned_.emplace(alias->word);
      mentioned_.insert(path);
    }
    if (is_nothing) return Tell(Fate::kLeftOut, key, "it has no value");
    if (!has_adapters_ && IsOfAdapters(entry.key)) {
      const bool is_off = !tool_.adapter_key.empty();
      return Tell(is_off ? Fate::kLeftOut : Fate::kLost, key,
                  is_off ? absl::StrCat("there, adapters are trained with ",
                                        tool_.adapter_key, ": ",
                                        tool_.adapter_value, " alone")
                         : "nothing here says whether adapters are trained; "
                           "write 'use_peft: true', or remove it");
    }
    if (TakeRows(section, key, entry)) return;
    if (section.empty() && IsBf16Products(entry.key, entry.value)) {
      mentioned_.emplace(kBf16);
      return TakeBf16(key, "true", absl::StrCat("for ", Shown(entry.value)));
    }
    if (section.empty() && entry.key == "pure_bf16" &&
        IsOneOf("true", entry.value)) {
      mentioned_.emplace(kBf16);
      return TakePureBf16(key);
    }
    if (section.empty() && entry.key == "metric_for_best_model" &&
        !looks_for_the_best_) {
      return Tell(Fate::kLeftOut, key,
                  absl::StrCat(Shown(entry.value),
                               "; nothing here depends on which is the best"));
    }
    // A section of a job file, or a word that is no key, is no counterpart.
    if (path.empty() && (alias == nullptr || !alias->meant.empty())) {
      return Tell(Fate::kLost, key,
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
    Tell(is_lost ? Fate::kLost : Fate::kLeftOut, key,
         absl::StrCat(Shown(entry.value), "; ", why));
  }

  // Of keys that say what rows are, and what of them is trained on.
  bool TakeRows(absl::string_view section, const Key& key,
                const YamlEntry& entry) {
    const std::string value = WithoutSynonyms(entry.value.text);
    if (section == kDatasets && entry.key == "type") {
      for (const RowType& type : kRowTypes) {
        if (type.word != value) continue;
        TakeRowFormat(key, type.format);
        if (!type.difference.empty()) LoseLast(type.difference);
        return true;
      }
    }
    if (section == kDatasets && entry.key == "roles_to_train" &&
        entry.value.items.size() == 1 &&
        (entry.value.items.front().text == "assistant" ||
         entry.value.items.front().text == "gpt")) {
      Tell(Fate::kLeftOut, key, "answers are what is trained on");
      return true;
    }
    // A name of one that the tool has, not a file.
    if (section.empty() && entry.key == "chat_template") {
      const bool is_own = value == "tokenizer_default";
      Tell(
          is_own ? Fate::kLeftOut : Fate::kLost, key,
          absl::StrCat(Shown(entry.value), "; ", FindIn("", "template")->note));
      return true;
    }
    if (section.empty() && entry.key == "assistant_only_loss" &&
        value == "true") {
      TakeRowFormat(key, "chat");
      return true;
    }
    // What these mean depends on what rows turn out to be.
    const bool depends = section.empty() && (entry.key == "sample_packing" ||
                                             entry.key == "packing_strategy" ||
                                             entry.key == "stage");
    if (depends) depending_[entry.key] = {keys_.size(), value};
    return false;
  }

  void TakeRowFormat(const Key& key, absl::string_view format) {
    if (!row_format_.empty() && row_format_ != format) {
      return Refuse(
          kFormat, key,
          absl::StrCat("rows are ", format, "; those of another data set are ",
                       row_format_));
    }
    row_format_ = format;
    Tell(Fate::kTaken, key, absl::StrCat("rows are ", format), kFormat);
  }

  // Once it is known what rows are.
  void JudgeRows() {
    if (row_format_.empty()) {
      const auto trains_on_all = values_.find(kTrainOnPrompt);
      if (trains_on_all != values_.end()) {
        Drop(kTrainOnPrompt,
             trains_on_all->second.texts.front() == "true" ? Fate::kLeftOut
                                                           : Fate::kLost,
             "text is trained on as a whole");
      }
      return;
    }
    values_[std::string(kFormat)].texts = {std::string(row_format_)};
    Drop(kTextField, Fate::kLeftOut, "conversations have fields of their own");
    const auto packing = values_.find(kPacking);
    const bool is_packed =
        packing != values_.end() && packing->second.texts.front() == "true";
    for (const auto& [name, place] : depending_) {
      ImportedKey& key = keys_[place.key];
      const auto judge = [&key](bool is_lost, absl::string_view why) {
        key.fate = is_lost ? Fate::kLost : Fate::kLeftOut;
        key.what = std::string(why);
      };
      if (name == "stage" && place.value == "sft") {
        judge(false, "answers are what is trained on");
      } else if (name == "sample_packing") {
        judge(
            place.value == "true",
            place.value == "true"
                ? "there, rows are put together whole and kept apart, so that "
                  "a step has more of them; here each is a sequence of its "
                  "own"
                : "each row is a sequence of its own");
      } else if (name == "packing_strategy" && !is_packed) {
        judge(false, "each row is a sequence of its own");
      }
    }
  }

  void Assume(const ToolDefault& silent) {
    const Alias* const alias = FindIn("", silent.key);
    std::string path = PathOf(silent.key);
    if (path.empty() && alias != nullptr) path = PathOf(alias->meant);
    if (!path.empty() && mentioned_.count(path) != 0) return;
    if (!has_adapters_ && absl::StartsWith(path, kAdapters)) return;
    if (alias != nullptr && mentioned_.count(alias->word) != 0) return;
    for (const auto& [one, other] : kEither) {
      if (path == other && values_.count(one) != 0) return;
    }
    YamlEntry entry;
    entry.key = std::string(silent.key);
    entry.line = 0;
    entry.value.kind = Kind::kScalar;
    entry.value.text = std::string(silent.value);
    Read("", "", entry);
    if (!silent.note.empty()) {
      absl::StrAppend(&keys_.back().what, "; ", silent.note);
    }
  }

  // As LLaMA-Factory has it.
  void AssumeAlpha() {
    int64_t rank = 0;
    const auto r = values_.find("lora.r");
    if (!tool_.has_adapters_unasked || r == values_.end() ||
        mentioned_.count("lora.lora_alpha") != 0 ||
        !absl::SimpleAtoi(r->second.texts.front(), &rank)) {
      return;
    }
    Set("lora.lora_alpha", {"lora_alpha", 0}, absl::StrCat(2 * rank),
        "twice the rank");
  }

  // Names, in a list, or with commas between them.
  void TakeModules(const Key& key, const YamlNode& node) {
    std::vector<std::string> names;
    if (node.kind == Kind::kScalar) {
      names = absl::StrSplit(node.text, ',');
    } else if (node.kind == Kind::kSequence) {
      for (const YamlNode& item : node.items) names.push_back(item.text);
    }
    const std::string path(kModules);
    // Of lora_target_linear.
    if (names.size() == 1 && WithoutSynonyms(names.front()) == "false") {
      return Tell(Fate::kLeftOut, key, "target_modules says it");
    }
    for (std::string& name : names) {
      absl::StripAsciiWhitespace(&name);
      if (name == "all" || WithoutSynonyms(name) == "true") name = "all-linear";
      if (IsModuleName(name)) continue;
      return Refuse(path, key,
                    absl::StrCat("found ", Shown(node),
                                 "; target_modules are names of modules, such "
                                 "as q_proj, or all-linear"));
    }
    Value& modules = values_[path];
    const bool is_all = names == std::vector<std::string>{"all-linear"};
    const bool has_all =
        modules.texts == std::vector<std::string>{"all-linear"};
    // All of them are these, too.
    if (is_all || !has_all) modules.texts = names;
    modules.givers.push_back(keys_.size());
    Tell(Fate::kTaken, key, Quoted(absl::StrJoin(names, ", ")), path);
  }

  void Take(const std::string& path, const Key& key, const YamlNode& node,
            absl::string_view note) {
    if (IsFiles(path)) return TakeFiles(path, key, node);
    if (path == kModules) return TakeModules(key, node);
    const FieldDescriptor& field = *FindField(*v1::JobSpec::descriptor(), path);
    if (node.kind != Kind::kScalar) {
      return Refuse(path, key,
                    absl::StrCat("expected ", ExpectedValue(field), ", found ",
                                 Found(node)));
    }
    int64_t steps;
    if (path == "train.max_steps" && absl::SimpleAtoi(node.text, &steps) &&
        steps <= 0) {
      mentioned_.erase(path);
      return Tell(Fate::kLeftOut, key, "as many steps as the epochs have");
    }
    if (IsPathField(path)) return TakePath(path, key, node.text);
    if (field.enum_type() != nullptr) {
      return TakeWord(path, key, node.text, note);
    }
    const bool is_switch = field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL;
    const std::string text = is_switch ? WithoutSynonyms(node.text) : node.text;
    if (path == kBf16) return TakeBf16(key, text, note);
    Set(path, key, text, note);
  }

  void TakeBf16(const Key& key, absl::string_view text,
                absl::string_view note) {
    // Axolotl's word for: where the GPU can.
    const std::string value(text == "auto" ? "true" : text);
    Set(std::string(kBf16), key, value, note);
    if (value == "true" && tool_.has_bf16_weights && !has_adapters_) {
      HaveMasters(key);
    }
  }

  // LLaMA-Factory's word for weights, moments and products in bf16.
  void TakePureBf16(const Key& key) {
    Set(std::string(kBf16), key, "true", "");
    if (has_adapters_) {
      LoseLast("adapters are fp32 here");
    } else {
      HaveMasters(key);
    }
  }

  // What was taken last has weights that are trained, and their moments, in
  // bf16 alone.
  void HaveMasters(const Key& key) {
    LoseLast(
        "moments are fp32 here, and so are masters of the weights, which "
        "themselves are bf16");
    mentioned_.emplace(kTrainedType);
    Set(std::string(kTrainedType), key, "bfloat16", "with masters");
  }

  // A value that stands for another word here, as adamw_torch does for adamw.
  void TakeWord(const std::string& path, const Key& key,
                const std::string& text, absl::string_view note) {
    const FieldDescriptor& field = *FindField(*v1::JobSpec::descriptor(), path);
    const std::vector<std::string> words = EnumNames(*field.enum_type());
    const std::string word = absl::AsciiStrToLower(text);
    has_no_warmup_ |= path == kSchedule && word == "constant";
    if (absl::c_linear_search(words, word)) return Set(path, key, word, "");
    const Alias* const alias = FindAlias("", word, JobAliases());
    if (alias == nullptr || !absl::c_linear_search(words, alias->meant)) {
      return Refuse(
          path, key,
          absl::StrCat(SetValueAt(path, text, {}, &scratch_).message(),
                       note.empty() ? "" : "; ", note));
    }
    Set(path, key, std::string(alias->meant),
        absl::StrCat("for ", Quoted(text), alias->note.empty() ? "" : "; ",
                     alias->note));
    if (alias->import == Import::kChanges) keys_.back().fate = Fate::kLost;
  }

  void TakePath(const std::string& path, const Key& key,
                const std::string& text) {
    const std::string why = WhyNoPath(text, absl::StartsWith(path, "model."));
    const bool is_output = why.empty() && path == "output.output_dir";
    Set(path, key, Written(text),
        is_output ? "it must lie below one of the server's output roots" : why);
    if (!why.empty()) keys_.back().fate = Fate::kLost;
  }

  // A clause on what to do about a value that is no path on this machine.
  std::string WhyNoPath(const std::string& text, bool may_be_model) const {
    const PathKind kind = KindOfPath(text, may_be_model);
    if (kind == PathKind::kPath) return "";
    const std::string path = AbsolutePath(text, options_.base_dir);
    if (!IsNoPath(kind) && options_.exists(path)) return "";
    // Somebody who has a folder of that name meant it.
    const bool has_folder = kind == PathKind::kHubId &&
                            absl::StrContains(text, '/') &&
                            options_.exists(path.substr(0, path.rfind('/')));
    return has_folder ? "" : PathRemedy(kind, text);
  }

  std::string Written(const std::string& text) const {
    return options_.keep_relative ? text
                                  : AbsolutePath(text, options_.base_dir);
  }

  void TakeFiles(const std::string& path, const Key& key,
                 const YamlNode& node) {
    switch (node.kind) {
      case Kind::kNull:
        return;
      case Kind::kScalar:
        if (!tool_.has_dataset_index) return AddFile(path, key, node.text);
        for (absl::string_view name : absl::StrSplit(node.text, ',')) {
          AddNamed(path, key, absl::StripAsciiWhitespace(name));
        }
        return;
      case Kind::kSequence:
        for (const YamlNode& item : node.items) TakeFiles(path, key, item);
        return;
      case Kind::kMap: {
        // A name of a format stands for a path where the files are named.
        const bool has_files =
            absl::c_any_of(node.entries, [](const YamlEntry& entry) {
              return entry.key == "data_files" && !IsNothing(entry.value);
            });
        for (const YamlEntry& entry : node.entries) {
          if (has_files && entry.key == "path") {
            TellFolder(entry);
          } else {
            Read(kDatasets, path, entry);
          }
        }
        if (!NamesTextField(node)) has_default_field_ = true;
        return;
      }
    }
  }

  static bool NamesTextField(const YamlNode& dataset) {
    return absl::c_any_of(dataset.entries, [](const YamlEntry& entry) {
      const Alias* const alias = FindIn(kDatasets, entry.key);
      return alias != nullptr && PathOf(alias->meant) == kTextField;
    });
  }

  // The path beside data_files: the name of a format, or a folder.
  void TellFolder(const YamlEntry& entry) {
    const bool is_format =
        entry.value.kind == Kind::kScalar &&
        (entry.value.text == "json" || entry.value.text == "text");
    Tell(is_format ? Fate::kLeftOut : Fate::kLost,
         {absl::StrCat(kDatasets, ".", entry.key), entry.line},
         absl::StrCat(Shown(entry.value),
                      is_format ? "; data_files says it"
                                : "; data_files lie below it: write out each "
                                  "file"));
  }

  // A data set by its name in the index.
  void AddNamed(const std::string& path, const Key& key,
                absl::string_view name) {
    const std::string index = AbsolutePath(
        absl::StrCat(dataset_dir_, "/", kDatasetIndexFile), options_.base_dir);
    const absl::StatusOr<std::string> text = options_.read(index);
    if (!text.ok()) {
      return Refuse(path, key,
                    absl::StrCat(Quoted(name),
                                 " is a name of an index that cannot be read: ",
                                 text.status().message(),
                                 "; write that data set's files"));
    }
    const absl::StatusOr<IndexedDataset> found = FindDataset(*text, name);
    if (!found.ok()) {
      return Refuse(path, key,
                    absl::IsNotFound(found.status())
                        ? found.status().message()
                        : absl::StrCat(index, ": ", found.status().message()));
    }
    AddFile(path, key, AbsolutePath(found->file, dataset_dir_));
    if (!found->difference.empty()) LoseLast(found->difference);
    if (found->format == "chat" || found->format == "instruction") {
      TakeRowFormat(key, found->format);
    }
    if (!found->text_field.empty()) {
      Set(std::string(kTextField), key, found->text_field, "");
    }
  }

  // The key that was told last has no counterpart after all.
  void LoseLast(absl::string_view why) {
    keys_.back().fate = Fate::kLost;
    absl::StrAppend(&keys_.back().what, "; ", why);
  }

  void AddFile(const std::string& path, const Key& key,
               const std::string& text) {
    Value& files = values_[path];
    files.texts.push_back(Written(text));
    files.givers.push_back(keys_.size());
    Tell(Fate::kTaken, key, Quoted(text), path);
    const auto lose = [&](absl::string_view why) { LoseLast(why); };
    const bool is_there =
        options_.exists(AbsolutePath(text, options_.base_dir));
    const bool has_extension = absl::StrContains(
        absl::string_view(text).substr(text.rfind('/') + 1), '.');
    if (!is_there && !has_extension && !absl::StartsWith(text, "/")) {
      return lose(
          "there is no such file here; Hydra reads files of its server alone, "
          "so download it and write its files");
    }
    if (const std::string why = WhyNoPath(text, false); !why.empty()) {
      return lose(why);
    }
    const absl::string_view format = FormatOf(text);
    if (format.empty()) {
      return lose("Hydra reads text and JSON Lines; write it as one of them");
    }
    formats_.insert(format);
    if (formats_.size() > 1) {
      return lose(
          "all files of a job have one format, and this one's is not "
          "that of the others");
    }
    const auto said = values_.find(kFormat);
    if (said != values_.end() && said->second.texts.front() != format) {
      return lose(absl::StrCat("it is read as ", format));
    }
    if (format == "jsonl") {
      values_[std::string(kFormat)].texts = {"jsonl"};
    } else if (!tool_.reads_whole_text) {
      lose(
          "there, each line is a row with an eos_token behind it; write it as "
          "JSON Lines");
    }
  }

  // Nothing became of the key, which means `path`, because of `why`.
  void Refuse(absl::string_view path, const Key& key, absl::string_view why) {
    Tell(IsPartOfTheResult(path) ? Fate::kLost : Fate::kLeftOut, key,
         std::string(why), path);
  }

  void Set(const std::string& path, const Key& key, const std::string& text,
           absl::string_view note) {
    const auto other = values_.find(path);
    if (other != values_.end() && other->second.texts.front() != text) {
      return Refuse(
          path, key,
          absl::StrCat(Quoted(text), "; it is ",
                       Quoted(other->second.texts.front()), " already"));
    }
    const absl::Status status = SetValueAt(path, text, JobAliases(), &scratch_);
    if (!status.ok()) return Refuse(path, key, status.message());
    values_[path].texts = {text};
    values_[path].givers.push_back(keys_.size());
    Tell(Fate::kTaken, key,
         absl::StrCat(Quoted(text), note.empty() ? "" : "; ", note), path);
  }

  // Takes a field away again.
  void Drop(absl::string_view path, Fate fate, absl::string_view why) {
    const auto value = values_.find(path);
    if (value == values_.end()) return;
    for (size_t giver : value->second.givers) {
      keys_[giver].fate = fate;
      absl::StrAppend(&keys_[giver].what, "; ", why);
    }
    values_.erase(value);
  }

  void KeepOneOfEach() {
    for (const auto& [one, other] : kEither) {
      const auto value = values_.find(one);
      if (value == values_.end() || values_.count(other) == 0) continue;
      const bool says_nothing = IsSame(value->second.texts.front(), "0");
      Drop(says_nothing ? one : other, Fate::kLeftOut,
           absl::StrCat(says_nothing ? other : one, " says it"));
    }
    if (has_no_warmup_) {
      for (absl::string_view path : kWarmup) {
        Drop(path, Fate::kLeftOut,
             "there, constant has no warm-up; constant_with_warmup has");
      }
    }
    const auto field = values_.find(kTextField);
    if (has_default_field_ && field != values_.end() &&
        field->second.texts.front() != "text") {
      for (size_t giver : field->second.givers) {
        keys_[giver].fate = Fate::kLost;
        absl::StrAppend(&keys_[giver].what,
                        "; another data set has its text in 'text'");
      }
    }
    // A text field of files that have none.
    if (values_.count(kFormat) == 0) {
      Drop(kTextField, Fate::kLeftOut, "the files are plain text");
    }
  }

  Mistakes MistakesOfJob() const {
    JobFields fields;
    for (const auto& [path, value] : values_) fields[path] = value.texts;
    absl::StatusOr<JobFile> file = ParseJobFile(JobYaml(fields));
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
      before = values_.size();
      mistakes_ = MistakesOfJob();
      for (const Mistake& mistake : mistakes_) {
        // Others are about what to write instead.
        if (IsPathField(mistake.field())) continue;
        Drop(mistake.field(),
             IsPartOfTheResult(mistake.field()) ? Fate::kLost : Fate::kLeftOut,
             mistake.description());
      }
    } while (values_.size() != before);
  }

  const TrainerTool& tool_;
  const ImportOptions& options_;
  // The file trains adapters.
  bool has_adapters_;
  bool looks_for_the_best_ = false;
  // Where LLaMA-Factory's index of data sets lies.
  std::string dataset_dir_ = "data";
  std::map<std::string, Value, std::less<>> values_;
  std::vector<ImportedKey> keys_;
  // Fields, and the table's words, that the file has something to say of.
  std::set<std::string, std::less<>> mentioned_;
  std::set<absl::string_view> formats_;
  // What rows of JSON Lines are, where they are no texts.
  absl::string_view row_format_;
  // By key: what it says, and its place in keys_.
  struct Depending {
    size_t key;
    std::string value;
  };
  std::map<std::string, Depending> depending_;
  // Of a data set that names no field for its text.
  bool has_default_field_ = false;
  // The schedule is one that has warm-up here, and none in the tool.
  bool has_no_warmup_ = false;
  Mistakes mistakes_;
  // Only to see whether values are right.
  v1::JobSpec scratch_;
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
