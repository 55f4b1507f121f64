#include "common/jobfile/import_data.h"

#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/jobfile/dataset_index.h"
#include "common/jobfile/import_counterpart.h"
#include "common/jobfile/import_paths.h"
#include "common/jobfile/import_value.h"
#include "common/jobfile/path_rules.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

using Fate = ImportedKey::Fate;
using Key = ImportLedger::Key;
using Kind = YamlNode::Kind;

// Where the keys of one data set among several are found in the table.
constexpr absl::string_view kDatasets = "datasets";
constexpr absl::string_view kFormat = "data.format";
constexpr absl::string_view kTextField = "data.text_field";
constexpr absl::string_view kTrainOnPrompt = "data.train_on_prompt";
constexpr absl::string_view kPacking = "data.packing";

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

bool NamesTextField(const YamlNode& dataset) {
  return absl::c_any_of(dataset.entries, [](const YamlEntry& entry) {
    const Alias* const alias = CounterpartIn(kDatasets, entry.key);
    return alias != nullptr && FieldNamed(alias->meant) == kTextField;
  });
}

}  // namespace

bool ImportData::TakeRows(absl::string_view section, const Key& key,
                          const YamlEntry& entry) {
  const std::string value = WithoutSynonyms(entry.value.text);
  if (section == kDatasets && entry.key == "type") {
    for (const RowType& type : kRowTypes) {
      if (type.word != value) continue;
      TakeRowFormat(key, type.format);
      if (!type.difference.empty()) ledger_.LoseLast(type.difference);
      return true;
    }
  }
  if (section == kDatasets && entry.key == "roles_to_train" &&
      entry.value.items.size() == 1 &&
      (entry.value.items.front().text == "assistant" ||
       entry.value.items.front().text == "gpt")) {
    ledger_.Tell(Fate::kLeftOut, key, "answers are what is trained on");
    return true;
  }
  // A name of one that the tool has, not a file.
  if (section.empty() && entry.key == "chat_template") {
    const bool is_own = value == "tokenizer_default";
    ledger_.Tell(is_own ? Fate::kLeftOut : Fate::kLost, key,
                 absl::StrCat(Shown(entry.value), "; ",
                              CounterpartIn("", "template")->note));
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
  if (depends) depending_[entry.key] = {ledger_.next_key(), value};
  return false;
}

void ImportData::TakeRowFormat(const Key& key, absl::string_view format) {
  if (!row_format_.empty() && row_format_ != format) {
    return ledger_.Refuse(
        kFormat, key,
        absl::StrCat("rows are ", format, "; those of another data set are ",
                     row_format_));
  }
  row_format_ = std::string(format);
  ledger_.Tell(Fate::kTaken, key, absl::StrCat("rows are ", format), kFormat);
}

void ImportData::TakeFiles(const std::string& path, const Key& key,
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
          read_(kDatasets, path, entry);
        }
      }
      if (!NamesTextField(node)) has_default_field_ = true;
      return;
    }
  }
}

// The path beside data_files: the name of a format, or a folder.
void ImportData::TellFolder(const YamlEntry& entry) {
  const bool is_format =
      entry.value.kind == Kind::kScalar &&
      (entry.value.text == "json" || entry.value.text == "text");
  ledger_.Tell(
      is_format ? Fate::kLeftOut : Fate::kLost,
      {absl::StrCat(kDatasets, ".", entry.key), entry.line},
      absl::StrCat(Shown(entry.value),
                   is_format ? "; data_files says it"
                             : "; data_files lie below it: write out each "
                               "file"));
}

// A data set by its name in the index.
void ImportData::AddNamed(const std::string& path, const Key& key,
                          absl::string_view name) {
  const std::string index = AbsolutePath(
      absl::StrCat(dataset_dir_, "/", kDatasetIndexFile), options_.base_dir);
  const absl::StatusOr<std::string> text = options_.read(index);
  if (!text.ok()) {
    return ledger_.Refuse(
        path, key,
        absl::StrCat(Quoted(name),
                     " is a name of an index that cannot be read: ",
                     text.status().message(), "; write that data set's files"));
  }
  const absl::StatusOr<IndexedDataset> found = FindDataset(*text, name);
  if (!found.ok()) {
    return ledger_.Refuse(
        path, key,
        absl::IsNotFound(found.status())
            ? std::string(found.status().message())
            : absl::StrCat(index, ": ", found.status().message()));
  }
  AddFile(path, key, AbsolutePath(found->file, dataset_dir_));
  if (!found->difference.empty()) ledger_.LoseLast(found->difference);
  if (found->format == "chat" || found->format == "instruction") {
    TakeRowFormat(key, found->format);
  }
  if (!found->text_field.empty()) {
    ledger_.Set(std::string(kTextField), key, found->text_field, "");
  }
}

void ImportData::AddFile(const std::string& path, const Key& key,
                         const std::string& text) {
  std::vector<std::string> files = ledger_.TextsOf(path);
  files.push_back(WrittenPath(text, options_));
  ledger_.Give(path, key, std::move(files), Quoted(text));
  const auto lose = [&](absl::string_view why) { ledger_.LoseLast(why); };
  const bool is_there = options_.exists(AbsolutePath(text, options_.base_dir));
  const bool has_extension = absl::StrContains(
      absl::string_view(text).substr(text.rfind('/') + 1), '.');
  if (!is_there && !has_extension && !absl::StartsWith(text, "/")) {
    return lose(
        "there is no such file here; Hydra reads files of its server alone, "
        "so download it and write its files");
  }
  if (const std::string why = WhyNoPath(text, false, options_); !why.empty()) {
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
  if (ledger_.Has(kFormat) && ledger_.FirstOf(kFormat) != format) {
    return lose(absl::StrCat("it is read as ", format));
  }
  if (format == "jsonl") {
    ledger_.SetUntold(kFormat, "jsonl");
  } else if (!tool_.reads_whole_text) {
    lose(
        "there, each line is a row with an eos_token behind it; write it as "
        "JSON Lines");
  }
}

void ImportData::Judge() {
  JudgeRows();
  JudgeTextField();
}

void ImportData::JudgeRows() {
  if (row_format_.empty()) {
    ledger_.Drop(kTrainOnPrompt,
                 ledger_.FirstOf(kTrainOnPrompt) == "true" ? Fate::kLeftOut
                                                           : Fate::kLost,
                 "text is trained on as a whole");
    return;
  }
  ledger_.SetUntold(kFormat, row_format_);
  ledger_.Drop(kTextField, Fate::kLeftOut,
               "conversations have fields of their own");
  const bool is_packed = ledger_.FirstOf(kPacking) == "true";
  for (const auto& [name, place] : depending_) {
    const auto judge = [&, key = place.key](bool is_lost,
                                            absl::string_view why) {
      ledger_.Judge(key, is_lost ? Fate::kLost : Fate::kLeftOut, why);
    };
    if (name == "stage" && place.value == "sft") {
      judge(false, "answers are what is trained on");
    } else if (name == "sample_packing") {
      judge(place.value == "true",
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

void ImportData::JudgeTextField() {
  if (has_default_field_ && ledger_.Has(kTextField) &&
      ledger_.FirstOf(kTextField) != "text") {
    ledger_.JudgeGivers(kTextField, Fate::kLost,
                        "another data set has its text in 'text'");
  }
  // A text field of files that have none.
  if (!ledger_.Has(kFormat)) {
    ledger_.Drop(kTextField, Fate::kLeftOut, "the files are plain text");
  }
}

}  // namespace hydra
