#include "common/jobfile/job_fields.h"

#include <array>
#include <charconv>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/jobfile/field_value.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace hydra {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

std::string NumberText(double value) {
  std::array<char, 32> text;
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return std::string(text.data(), end);
}

std::string EnumText(const google::protobuf::EnumValueDescriptor& value) {
  // The unspecified one has no name, and is not set.
  if (value.index() == 0) return "";
  return EnumNames(*value.type())[value.index() - 1];
}

// Of a field, or of the `place`th value of one that is repeated.
std::string ValueText(const Message& message, const FieldDescriptor& field,
                      int place) {
  const Reflection& reflection = *message.GetReflection();
  const bool repeated = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::StrCat(
          repeated ? reflection.GetRepeatedInt32(message, &field, place)
                   : reflection.GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_INT64:
      return absl::StrCat(
          repeated ? reflection.GetRepeatedInt64(message, &field, place)
                   : reflection.GetInt64(message, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return absl::StrCat(
          repeated ? reflection.GetRepeatedUInt64(message, &field, place)
                   : reflection.GetUInt64(message, &field));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return NumberText(
          repeated ? reflection.GetRepeatedDouble(message, &field, place)
                   : reflection.GetDouble(message, &field));
    case FieldDescriptor::CPPTYPE_BOOL: {
      const bool value =
          repeated ? reflection.GetRepeatedBool(message, &field, place)
                   : reflection.GetBool(message, &field);
      return value ? "true" : "false";
    }
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumText(*(repeated
                            ? reflection.GetRepeatedEnum(message, &field, place)
                            : reflection.GetEnum(message, &field)));
    case FieldDescriptor::CPPTYPE_STRING:
      return repeated ? reflection.GetRepeatedString(message, &field, place)
                      : reflection.GetString(message, &field);
    default:
      // JobSpec has no others (job_fields_test.cc).
      return "";
  }
}

void AddFields(const Message& message, const std::string& prefix,
               JobFields* fields) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> set;
  reflection.ListFields(message, &set);
  for (const FieldDescriptor* field : set) {
    const std::string path = absl::StrCat(prefix, field->name());
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      AddFields(reflection.GetMessage(message, field), path + ".", fields);
      continue;
    }
    const int count =
        field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int place = 0; place < count; ++place) {
      (*fields)[path].push_back(ValueText(message, *field, place));
    }
  }
}

}  // namespace

JobFields FieldsOf(const v1::JobSpec& spec) {
  JobFields fields;
  AddFields(spec, "", &fields);
  return fields;
}

}  // namespace hydra
