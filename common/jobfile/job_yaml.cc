#include "common/jobfile/job_yaml.h"

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "google/protobuf/descriptor.h"
#include "hydra/v1/job.pb.h"

namespace hydra {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

bool IsPlain(absl::string_view text) {
  if (text.empty() || absl::EqualsIgnoreCase(text, "null")) return false;
  if (!absl::ascii_isalnum(text[0]) && text[0] != '/') return false;
  return absl::c_all_of(text, [](char c) {
    return absl::ascii_isalnum(c) || absl::StrContains("_./+-", c);
  });
}

std::string Scalar(absl::string_view text) {
  if (IsPlain(text)) return std::string(text);
  if (absl::c_any_of(text, absl::ascii_iscntrl)) {
    return absl::StrCat("\"", absl::Utf8SafeCHexEscape(text), "\"");
  }
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "''"}}), "'");
}

std::string Section(const Descriptor& message, const std::string& prefix,
                    const std::string& indent, const JobFields& fields) {
  std::string text;
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    const std::string path = prefix + field.name();
    if (field.message_type() != nullptr) {
      const std::string section =
          Section(*field.message_type(), path + ".", indent + "  ", fields);
      if (section.empty()) continue;
      absl::StrAppend(&text, indent, field.name(), ":\n", section);
      continue;
    }
    const auto found = fields.find(path);
    if (found == fields.end() || found->second.empty()) continue;
    absl::StrAppend(&text, indent, field.name(), ":");
    if (!field.is_repeated()) {
      absl::StrAppend(&text, " ", Scalar(found->second.front()), "\n");
      continue;
    }
    absl::StrAppend(&text, "\n");
    for (const std::string& value : found->second) {
      absl::StrAppend(&text, indent, "  - ", Scalar(value), "\n");
    }
  }
  return text;
}

}  // namespace

std::string JobYaml(const JobFields& fields) {
  return Section(*v1::JobSpec::descriptor(), "", "", fields);
}

}  // namespace hydra
