#include "common/jobfile/unread_fields.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/jobfile/field_value.h"
#include "common/jobfile/job_aliases.h"
#include "common/jobfile/suggest.h"
#include "google/protobuf/descriptor.h"

namespace hydra {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr absl::string_view kSweep = "sweep";

// Whether `field` is `whole`, or a part of it; all are of the input, "".
bool IsWithin(absl::string_view field, absl::string_view whole) {
  if (whole.empty()) return true;
  if (!absl::ConsumePrefix(&field, whole)) return false;
  return field.empty() || field[0] == '.' || field[0] == '[';
}

// The field that an unknown key stands for, if that can be guessed; a key that
// lacks the blank behind its ':' has its value in its name.
std::string MeantBy(absl::string_view path) {
  const size_t dot = path.rfind('.');
  const absl::string_view section =
      dot == path.npos ? absl::string_view() : path.substr(0, dot);
  absl::string_view key = dot == path.npos ? path : path.substr(dot + 1);
  for (absl::string_view end : {":", "=", " ", "\uff1a"}) {
    key = key.substr(0, key.find(end));
  }
  const std::string exact =
      section.empty() ? std::string(key) : absl::StrCat(section, ".", key);
  if (exact == kSweep ||
      FindField(*v1::JobSpec::descriptor(), exact) != nullptr) {
    return exact;
  }
  const std::string meant =
      SuggestField(*v1::JobSpec::descriptor(), section, key, JobAliases());
  if (!meant.empty() || !section.empty()) return meant;
  return SuggestWord(key, {std::string(kSweep)}, {});
}

// Calls `visit` with the path of every field below `section` that is no section
// itself, and whether `message` sets it; null: none is set.
template <typename Visit>
void ForEachLeaf(const Descriptor& section, const std::string& path,
                 const Message* message, const Visit& visit) {
  for (int i = 0; i < section.field_count(); ++i) {
    const FieldDescriptor& field = *section.field(i);
    const std::string name =
        path.empty() ? field.name() : absl::StrCat(path, ".", field.name());
    if (field.is_repeated()) {
      visit(name, message != nullptr && message->GetReflection()->FieldSize(
                                            *message, &field) > 0);
      continue;
    }
    const bool is_set = message != nullptr &&
                        message->GetReflection()->HasField(*message, &field);
    if (field.message_type() == nullptr) {
      visit(name, is_set);
    } else {
      ForEachLeaf(*field.message_type(), name,
                  is_set
                      ? &message->GetReflection()->GetMessage(*message, &field)
                      : nullptr,
                  visit);
    }
  }
}

void AddField(const std::string& path, std::vector<std::string>* unread) {
  const FieldDescriptor* field = FindField(*v1::JobSpec::descriptor(), path);
  if (field == nullptr || field->message_type() == nullptr) {
    unread->push_back(path);
    return;
  }
  ForEachLeaf(*field->message_type(), path, nullptr,
              [&](const std::string& leaf, bool) { unread->push_back(leaf); });
}

// Whether a sweep may set the field that `job` leaves open.
bool MayBeAnAxis(const std::string& path, const v1::JobSpec& job) {
  if (FindField(*v1::JobSpec::descriptor(), path)->is_repeated()) return false;
  // One of them excludes the other.
  if (job.model().frozen_size() > 0 && absl::StartsWith(path, "lora.")) {
    return false;
  }
  const bool has_length =
      job.train().has_max_steps() || job.train().has_num_train_epochs();
  return !has_length ||
         (path != "train.max_steps" && path != "train.num_train_epochs");
}

std::string StandIn(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return "";
    case FieldDescriptor::CPPTYPE_BOOL:
      return "false";
    case FieldDescriptor::CPPTYPE_ENUM:
      // No weights, no tokenizer, and momentum is allowed.
      if (field.enum_type() == v1::Initialization_descriptor()) return "random";
      if (field.enum_type() == v1::DataFormat_descriptor()) return "tokens_u32";
      return "sgd";
    default:
      return "0";
  }
}

}  // namespace

std::vector<std::string> UnreadFields(const Mistakes& mistakes,
                                      const v1::JobSpec& job) {
  std::vector<std::string> unread;
  bool is_sweep_unread = false;
  for (const Mistake& mistake : mistakes) {
    const std::string& field = mistake.field();
    // A key without a name, since other keys were read.
    if (field.empty() && job.ByteSizeLong() > 0) continue;
    const std::string whole = field.substr(0, field.find('['));
    AddField(field, &unread);
    is_sweep_unread = is_sweep_unread || IsWithin(field, kSweep);
    if (FindField(*v1::JobSpec::descriptor(), whole) != nullptr) continue;
    const std::string meant = MeantBy(whole);
    if (meant.empty()) continue;
    is_sweep_unread = is_sweep_unread || meant == kSweep;
    AddField(meant, &unread);
  }
  if (!is_sweep_unread) return unread;
  ForEachLeaf(*v1::JobSpec::descriptor(), "", &job,
              [&](const std::string& leaf, bool is_set) {
                if (!is_set && MayBeAnAxis(leaf, job)) unread.push_back(leaf);
              });
  return unread;
}

void FillUnread(const std::vector<std::string>& unread, v1::JobSpec* job) {
  for (const std::string& path : unread) {
    const FieldDescriptor* field = FindField(*v1::JobSpec::descriptor(), path);
    if (field == nullptr || field->message_type() != nullptr) continue;
    // The path is known to lead there, and the text to be such a value.
    (void)SetValueAt(path, StandIn(*field), {}, job);
  }
}

Mistakes WithoutConsequences(const std::vector<std::string>& unread,
                             const Mistakes& found) {
  Mistakes others;
  for (const Mistake& mistake : found) {
    if (std::none_of(unread.begin(), unread.end(),
                     [&](const std::string& field) {
                       return IsWithin(mistake.field(), field);
                     })) {
      others.push_back(mistake);
    }
  }
  return others;
}

}  // namespace hydra
