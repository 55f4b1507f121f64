#include "common/jobfile/import_ledger.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/jobfile/field_value.h"
#include "common/jobfile/import_counterpart.h"
#include "common/jobfile/job_aliases.h"
#include "common/text/printable.h"

namespace hydra {

void ImportLedger::Tell(Fate fate, const Key& key, std::string what,
                        absl::string_view field) {
  if (key.line == 0 && fate == Fate::kTaken) fate = Fate::kAssumed;
  keys_.push_back(
      {fate, key.line, key.name, std::string(field), std::move(what)});
}

void ImportLedger::Refuse(absl::string_view path, const Key& key,
                          absl::string_view why) {
  Tell(IsPartOfTheResult(path) ? Fate::kLost : Fate::kLeftOut, key,
       std::string(why), path);
}

void ImportLedger::Set(const std::string& path, const Key& key,
                       const std::string& text, absl::string_view note) {
  const auto other = values_.find(path);
  if (other != values_.end() && other->second.texts.front() != text) {
    return Refuse(
        path, key,
        absl::StrCat(Quoted(text), "; it is ",
                     Quoted(other->second.texts.front()), " already"));
  }
  const absl::Status status = SetValueAt(path, text, JobAliases(), &scratch_);
  if (!status.ok()) return Refuse(path, key, status.message());
  Give(path, key, {text},
       absl::StrCat(Quoted(text), note.empty() ? "" : "; ", note));
}

void ImportLedger::Give(const std::string& path, const Key& key,
                        std::vector<std::string> texts, std::string what) {
  Value& value = values_[path];
  value.texts = std::move(texts);
  value.givers.push_back(keys_.size());
  Tell(Fate::kTaken, key, std::move(what), path);
}

void ImportLedger::SetUntold(absl::string_view path, absl::string_view text) {
  values_[std::string(path)].texts = {std::string(text)};
}

void ImportLedger::AddToLast(absl::string_view note) {
  if (note.empty()) return;
  absl::StrAppend(&keys_.back().what, "; ", note);
}

void ImportLedger::LoseLast(absl::string_view why) {
  keys_.back().fate = Fate::kLost;
  AddToLast(why);
}

void ImportLedger::Judge(size_t key, Fate fate, absl::string_view why) {
  keys_[key].fate = fate;
  keys_[key].what = std::string(why);
}

void ImportLedger::JudgeGivers(absl::string_view path, Fate fate,
                               absl::string_view why) {
  const auto value = values_.find(path);
  if (value == values_.end()) return;
  for (size_t giver : value->second.givers) {
    keys_[giver].fate = fate;
    absl::StrAppend(&keys_[giver].what, "; ", why);
  }
}

void ImportLedger::Drop(absl::string_view path, Fate fate,
                        absl::string_view why) {
  JudgeGivers(path, fate, why);
  const auto value = values_.find(path);
  if (value != values_.end()) values_.erase(value);
}

std::vector<std::string> ImportLedger::TextsOf(absl::string_view path) const {
  const auto value = values_.find(path);
  return value == values_.end() ? std::vector<std::string>()
                                : value->second.texts;
}

std::string ImportLedger::FirstOf(absl::string_view path) const {
  const auto value = values_.find(path);
  return value == values_.end() ? "" : value->second.texts.front();
}

JobFields ImportLedger::Fields() const {
  JobFields fields;
  for (const auto& [path, value] : values_) fields[path] = value.texts;
  return fields;
}

}  // namespace hydra
