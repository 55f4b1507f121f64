#include "common/jobfile/job_changes.h"

#include <set>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/jobfile/expand.h"
#include "common/jobfile/field_value.h"
#include "common/jobfile/job_aliases.h"
#include "common/jobfile/yaml_to_proto.h"
#include "common/jobfile/yaml_tree.h"
#include "common/text/printable.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "hydra/v1/job.pb.h"

namespace hydra {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Kind = YamlNode::Kind;

// Null: there is none.
const FieldDescriptor* JobField(absl::string_view path) {
  return FindField(*v1::JobSpec::descriptor(), path);
}

// As if it had never been written. Sections around it that are not there stay
// away.
void Clear(absl::string_view path, Message* message) {
  std::vector<std::string> names = absl::StrSplit(path, '.');
  const std::string last = std::move(names.back());
  names.pop_back();
  for (const std::string& name : names) {
    const FieldDescriptor* section =
        message->GetDescriptor()->FindFieldByName(name);
    if (!message->GetReflection()->HasField(*message, section)) return;
    message = message->GetReflection()->MutableMessage(message, section);
  }
  message->GetReflection()->ClearField(
      message, message->GetDescriptor()->FindFieldByName(last));
}

// The job file that has the value at `path`, and nothing else.
YamlNode FileWith(absl::string_view path, YamlNode value) {
  std::vector<std::string> names = absl::StrSplit(path, '.');
  while (!names.empty()) {
    YamlNode section;
    section.kind = Kind::kMap;
    section.entries.push_back({std::move(names.back()), 1, std::move(value)});
    value = std::move(section);
    names.pop_back();
  }
  return value;
}

// False: it holds something that is no single value.
bool TakeValues(const YamlNode& list, v1::GridAxis* axis) {
  for (const YamlNode& item : list.items) {
    if (item.kind != Kind::kScalar) return false;
    axis->add_values(item.text);
  }
  return true;
}

void AddAxis(const std::string& path, const YamlNode& list, JobFile* file,
             Mistakes* mistakes) {
  v1::GridAxis axis;
  axis.set_field(path);
  if (!TakeValues(list, &axis)) {
    AddMistake(path, "expected single values in the list", mistakes);
    return;
  }
  CheckAxis(axis, mistakes);
  file->grid.push_back(std::move(axis));
}

void SetField(const std::string& path, YamlNode value, JobFile* file,
              Mistakes* mistakes) {
  const FieldDescriptor* field = JobField(path);
  if (field != nullptr && (field->is_repeated() || value.kind == Kind::kNull)) {
    Clear(path, &file->job);
  }
  if (field != nullptr && value.kind == Kind::kNull) return;
  Mistakes found;
  YamlToProto(FileWith(path, std::move(value)), JobAliases(), &file->job,
              &found);
  // The value is no file's, and has one line.
  for (const Mistake& mistake : found) {
    AddMistake(mistake.field(),
               absl::StripPrefix(mistake.description(), AtLine(1, "")),
               mistakes);
  }
}

// Paths that have a value by now.
using Seen = std::set<std::string>;

void Change(const std::string& path, YamlNode value, Seen* seen, JobFile* file,
            Mistakes* mistakes) {
  if (!seen->insert(path).second) {
    AddMistake(path, "this key is given twice", mistakes);
    return;
  }
  const FieldDescriptor* field = JobField(path);
  const bool is_section = field != nullptr && !field->is_repeated() &&
                          field->message_type() != nullptr;
  const bool has_one = field != nullptr && !field->is_repeated() && !is_section;
  if (is_section && !value.entries.empty()) {
    for (YamlEntry& entry : value.entries) {
      Change(absl::StrCat(path, ".", entry.key), std::move(entry.value), seen,
             file, mistakes);
    }
  } else if (has_one && value.kind == Kind::kSequence) {
    AddAxis(path, value, file, mistakes);
  } else {
    SetField(path, std::move(value), file, mistakes);
  }
}

}  // namespace

void ChangeJob(absl::Span<const std::string> changes, JobFile* file,
               Mistakes* mistakes) {
  Seen seen;
  for (const std::string& change : changes) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(change, absl::MaxSplits('=', 1));
    const std::string path(absl::StripAsciiWhitespace(parts.first));
    if (path.empty() || change.find('=') == change.npos) {
      AddMistake("",
                 absl::StrCat("expected KEY=VALUE, such as "
                              "train.learning_rate=3e-4, found ",
                              Quoted(change)),
                 mistakes);
      continue;
    }
    absl::StatusOr<YamlNode> value = ParseYaml(parts.second);
    if (value.ok()) {
      Change(path, *std::move(value), &seen, file, mistakes);
    } else {
      AddMistake(path, value.status().message(), mistakes);
    }
  }
  // Axes are known to be right by now; this adds what they do together.
  if (mistakes->empty()) *mistakes = CheckGrid(file->grid);
}

}  // namespace hydra
