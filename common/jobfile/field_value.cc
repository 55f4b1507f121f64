#include "common/jobfile/field_value.h"

#include <cmath>
#include <cstdint>
#include <limits>

#include "absl/algorithm/container.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/jobfile/byte_size.h"
#include "common/jobfile/mistakes.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

bool IsByteSize(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_INT64 &&
         absl::EndsWith(field.name(), "_bytes");
}

absl::Status Unexpected(absl::string_view expected, absl::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat("expected ", expected, ", found ", Quoted(text)));
}

bool IsWholeNumber(absl::string_view text) {
  absl::ConsumePrefix(&text, "-");
  return !text.empty() && absl::c_all_of(text, absl::ascii_isdigit);
}

template <typename Int>
absl::StatusOr<Int> ParseInt(absl::string_view text) {
  Int value;
  if (absl::SimpleAtoi(text, &value)) return value;
  if (!IsWholeNumber(text)) return Unexpected("a whole number", text);
  return Unexpected(
      absl::StrCat("a whole number from ", std::numeric_limits<Int>::min(),
                   " to ", std::numeric_limits<Int>::max()),
      text);
}

absl::StatusOr<double> ParseDouble(absl::string_view text) {
  double value;
  // SimpleAtod also reads hexadecimal, which nobody means.
  const bool is_hexadecimal = text.find_first_of("xX") != text.npos;
  if (is_hexadecimal || !absl::SimpleAtod(text, &value)) {
    return Unexpected("a number", text);
  }
  if (!std::isfinite(value)) return Unexpected("a finite number", text);
  return value;
}

absl::StatusOr<bool> ParseBool(absl::string_view text) {
  if (absl::EqualsIgnoreCase(text, "true")) return true;
  if (absl::EqualsIgnoreCase(text, "false")) return false;
  return Unexpected("true or false", text);
}

// "OPTIMIZER_ADAMW" of an enum whose first value is "OPTIMIZER_UNSPECIFIED" is
// "adamw".
std::string ShortName(const EnumDescriptor& type, absl::string_view name) {
  const absl::string_view prefix =
      absl::StripSuffix(type.value(0)->name(), "UNSPECIFIED");
  return absl::AsciiStrToLower(absl::StripPrefix(name, prefix));
}

// "parameter_type" of an enum whose first value is
// "PARAMETER_TYPE_UNSPECIFIED".
std::string KindOf(const EnumDescriptor& type) {
  return absl::AsciiStrToLower(
      absl::StripSuffix(type.value(0)->name(), "_UNSPECIFIED"));
}

absl::StatusOr<int> ParseEnum(const EnumDescriptor& type,
                              absl::string_view text, Aliases aliases) {
  for (int i = 1; i < type.value_count(); ++i) {
    if (ShortName(type, type.value(i)->name()) == text) {
      return type.value(i)->number();
    }
  }
  const std::vector<std::string> names = EnumNames(type);
  const std::string meant = SuggestWord(text, names, aliases, KindOf(type));
  return absl::InvalidArgumentError(absl::StrCat(
      "expected one of ", absl::StrJoin(names, ", "), ", found ", Quoted(text),
      meant.empty() ? ""
                    : absl::StrCat("; did you mean ", Quoted(meant), "?")));
}

// Calls `set` or `add` of `message`'s reflection with the value, if it is one.
template <typename Parsed, typename Value>
absl::Status Store(
    const absl::StatusOr<Parsed>& value, const FieldDescriptor& field,
    void (Reflection::*set)(Message*, const FieldDescriptor*, Value) const,
    void (Reflection::*add)(Message*, const FieldDescriptor*, Value) const,
    Message* message) {
  if (!value.ok()) return value.status();
  const auto store = field.is_repeated() ? add : set;
  (message->GetReflection()->*store)(message, &field,
                                     static_cast<Value>(*value));
  return absl::OkStatus();
}

absl::StatusOr<int64_t> ParseInt64(const FieldDescriptor& field,
                                   absl::string_view text) {
  return IsByteSize(field) ? ParseByteSize(text) : ParseInt<int64_t>(text);
}

}  // namespace

absl::Status SetValue(const FieldDescriptor& field, absl::string_view text,
                      Aliases aliases, Message* message) {
  using R = Reflection;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return Store(ParseInt<int32_t>(text), field, &R::SetInt32, &R::AddInt32,
                   message);
    case FieldDescriptor::CPPTYPE_INT64:
      return Store(ParseInt64(field, text), field, &R::SetInt64, &R::AddInt64,
                   message);
    case FieldDescriptor::CPPTYPE_UINT32:
      return Store(ParseInt<uint32_t>(text), field, &R::SetUInt32,
                   &R::AddUInt32, message);
    case FieldDescriptor::CPPTYPE_UINT64:
      return Store(ParseInt<uint64_t>(text), field, &R::SetUInt64,
                   &R::AddUInt64, message);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return Store(ParseDouble(text), field, &R::SetFloat, &R::AddFloat,
                   message);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return Store(ParseDouble(text), field, &R::SetDouble, &R::AddDouble,
                   message);
    case FieldDescriptor::CPPTYPE_BOOL:
      return Store(ParseBool(text), field, &R::SetBool, &R::AddBool, message);
    case FieldDescriptor::CPPTYPE_ENUM:
      return Store(ParseEnum(*field.enum_type(), text, aliases), field,
                   &R::SetEnumValue, &R::AddEnumValue, message);
    case FieldDescriptor::CPPTYPE_STRING:
      return Store(absl::StatusOr<std::string>(text), field, &R::SetString,
                   &R::AddString, message);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  return Unexpected(ExpectedValue(field), text);
}

std::string ExpectedValue(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_FLOAT:
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return "a number";
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true or false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return absl::StrCat("one of ",
                          absl::StrJoin(EnumNames(*field.enum_type()), ", "));
    case FieldDescriptor::CPPTYPE_STRING:
      return "text";
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return "a section of keys";
    default:
      return IsByteSize(field) ? "a size such as 512MiB" : "a whole number";
  }
}

std::vector<std::string> EnumNames(const EnumDescriptor& type) {
  std::vector<std::string> names;
  for (int i = 1; i < type.value_count(); ++i) {
    names.push_back(ShortName(type, type.value(i)->name()));
  }
  return names;
}

const FieldDescriptor* FindField(const Descriptor& root,
                                 absl::string_view path) {
  const Descriptor* section = &root;
  const FieldDescriptor* field = nullptr;
  for (absl::string_view name : absl::StrSplit(path, '.')) {
    if (field != nullptr) {
      section = field->is_repeated() ? nullptr : field->message_type();
    }
    if (section == nullptr) return nullptr;
    field = section->FindFieldByName(std::string(name));
    if (field == nullptr) return nullptr;
  }
  return field;
}

absl::Status SetValueAt(absl::string_view path, absl::string_view text,
                        Aliases aliases, Message* message) {
  const FieldDescriptor* field = FindField(*message->GetDescriptor(), path);
  if (field == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown field ", Quoted(path)));
  }
  std::vector<std::string> names = absl::StrSplit(path, '.');
  names.pop_back();
  Message* section = message;
  for (const std::string& name : names) {
    section = section->GetReflection()->MutableMessage(
        section, section->GetDescriptor()->FindFieldByName(name));
  }
  return SetValue(*field, text, aliases, section);
}

}  // namespace hydra
