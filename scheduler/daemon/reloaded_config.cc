#include "scheduler/daemon/reloaded_config.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/util/message_differencer.h"

namespace hydra {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::util::MessageDifferencer;

// `message` with this field alone.
std::unique_ptr<Message> Only(const FieldDescriptor& field,
                              const Message& message) {
  std::unique_ptr<Message> only(message.New());
  only->CopyFrom(message);
  const auto* reflection = only->GetReflection();
  for (int i = 0; i < field.containing_type()->field_count(); ++i) {
    const FieldDescriptor* const other = field.containing_type()->field(i);
    if (other != &field) reflection->ClearField(only.get(), other);
  }
  return only;
}

void AddDiffering(const std::string& prefix, const Message& a, const Message& b,
                  std::vector<std::string>& names) {
  for (int i = 0; i < a.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *a.GetDescriptor()->field(i);
    if (MessageDifferencer::Equals(*Only(field, a), *Only(field, b))) continue;
    const std::string name = absl::StrCat(prefix, field.name());
    if (field.is_repeated() ||
        field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      names.push_back(name);
      continue;
    }
    AddDiffering(name + ".", a.GetReflection()->GetMessage(a, &field),
                 b.GetReflection()->GetMessage(b, &field), names);
  }
}

}  // namespace

config::v1::DaemonConfig ReloadedConfig(const config::v1::DaemonConfig& running,
                                        const config::v1::DaemonConfig& next) {
  config::v1::DaemonConfig taken = running;
  *taken.mutable_allow() = next.allow();
  *taken.mutable_operators() = next.operators();
  taken.set_private_jobs(next.private_jobs());
  *taken.mutable_shares()->mutable_users() = next.shares().users();
  *taken.mutable_quotas() = next.quotas();
  return taken;
}

std::vector<std::string> DifferingFields(const config::v1::DaemonConfig& a,
                                         const config::v1::DaemonConfig& b) {
  std::vector<std::string> names;
  AddDiffering("", a, b, names);
  return names;
}

}  // namespace hydra
