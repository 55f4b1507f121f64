#include "common/safetensors/header_json.h"

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/safetensors/json_events.h"
#include "common/text/printable.h"

namespace hydra::safetensors {
namespace {

constexpr int64_t kFirstHeaderByte = 8;
constexpr absl::string_view kMetadataKey = "__metadata__";

// The fields of a tensor, in the order of its array form.
enum Field { kDtype, kShape, kOffsets, kFields, kIgnored = kFields };
constexpr absl::string_view kFieldNames[] = {"dtype", "shape", "data_offsets"};

Field FieldFromName(absl::string_view name) {
  for (int field = 0; field < kFields; ++field) {
    if (kFieldNames[field] == name) return static_cast<Field>(field);
  }
  return kIgnored;
}

// A state machine over the text. Each state says what may come next.
class HeaderHandler : public JsonHandler {
 public:
  HeaderJson Take() { return std::move(header_); }

  absl::Status OnScalar(JsonScalar value) override;
  absl::Status OnBegin(JsonContainer container) override;
  absl::Status OnKey(std::string key) override;
  absl::Status OnEnd() override;

 private:
  enum class At {
    kStart,          // the header's {
    kTop,            // "__metadata__", a tensor's name, or }
    kMetadataValue,  // null or {
    kMetadata,       // a key or }
    kMetadataText,   // a string
    kTensorValue,    // { or [
    kTensorObject,   // a field's name or }
    kTensorArray,    // the next field's value or ]
    kFieldValue,     // depends on field_
    kDtypeObject,    // a dtype's name
    kDtypeNull,      // null
    kDtypeEnd,       // }
    kShapeArray,     // a dimension or ]
    kOffsetsArray,   // an offset or ]
    kIgnoredValue,   // anything; ignored_depth_ containers deep
  };

  HeaderEntry& tensor() { return header_.entries.back(); }

  absl::Status Wrong(absl::string_view why) const;
  absl::Status StartField(Field field);
  absl::Status StartNextArrayField();
  void EndField();
  absl::Status FieldScalar(const JsonScalar& value);
  absl::Status FieldBegin(JsonContainer container);
  absl::Status SetDtype(absl::string_view name);
  absl::Status AddOffset(uint64_t offset);
  absl::Status EndTensor();

  HeaderJson header_;
  At at_ = At::kStart;
  bool metadata_seen_ = false;
  std::string metadata_key_;

  // Of the tensor being read.
  bool array_form_ = false;
  bool seen_[kFields] = {};
  Field field_ = kIgnored;
  int offsets_ = 0;
  int ignored_depth_ = 0;
};

absl::Status HeaderHandler::Wrong(absl::string_view why) const {
  const bool in_metadata = at_ == At::kMetadataValue || at_ == At::kMetadata ||
                           at_ == At::kMetadataText;
  if (in_metadata || header_.entries.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(kMetadataKey), ": ", why));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("tensor ", Quoted(header_.entries.back().name), ": ", why));
}

absl::Status HeaderHandler::OnScalar(JsonScalar value) {
  using Kind = JsonScalar::Kind;
  switch (at_) {
    case At::kMetadataValue:
      if (value.kind != Kind::kNull) return Wrong("expected an object");
      at_ = At::kTop;
      return absl::OkStatus();
    case At::kMetadataText:
      if (value.kind != Kind::kString) return Wrong("values must be strings");
      header_.metadata[metadata_key_] = std::move(value.text);
      at_ = At::kMetadata;
      return absl::OkStatus();
    case At::kTensorArray: {
      absl::Status status = StartNextArrayField();
      return status.ok() ? FieldScalar(value) : status;
    }
    case At::kFieldValue:
      return FieldScalar(value);
    case At::kDtypeNull:
      if (value.kind != Kind::kNull) return Wrong("dtype must be a string");
      at_ = At::kDtypeEnd;
      return absl::OkStatus();
    case At::kShapeArray:
      if (value.kind != Kind::kUnsigned) {
        return Wrong("a dimension must be an integer from 0 to 2^64 - 1");
      }
      tensor().shape.push_back(value.number);
      return absl::OkStatus();
    case At::kOffsetsArray:
      if (value.kind != Kind::kUnsigned) {
        return Wrong("an offset must be an integer from 0 to 2^64 - 1");
      }
      return AddOffset(value.number);
    case At::kIgnoredValue:
      return absl::OkStatus();
    default:
      return Wrong("expected an object with dtype, shape and data_offsets");
  }
}

absl::Status HeaderHandler::OnBegin(JsonContainer container) {
  const bool is_object = container == JsonContainer::kObject;
  switch (at_) {
    case At::kStart:
      at_ = At::kTop;
      return absl::OkStatus();
    case At::kMetadataValue:
      if (!is_object) return Wrong("expected an object");
      at_ = At::kMetadata;
      return absl::OkStatus();
    case At::kMetadataText:
      return Wrong("values must be strings");
    case At::kTensorValue:
      array_form_ = !is_object;
      at_ = is_object ? At::kTensorObject : At::kTensorArray;
      return absl::OkStatus();
    case At::kTensorArray: {
      absl::Status status = StartNextArrayField();
      return status.ok() ? FieldBegin(container) : status;
    }
    case At::kFieldValue:
      return FieldBegin(container);
    case At::kIgnoredValue:
      ++ignored_depth_;
      return absl::OkStatus();
    case At::kShapeArray:
      return Wrong("a dimension must be an integer from 0 to 2^64 - 1");
    case At::kOffsetsArray:
      return Wrong("an offset must be an integer from 0 to 2^64 - 1");
    default:
      return Wrong("dtype must be a string");
  }
}

absl::Status HeaderHandler::OnKey(std::string key) {
  switch (at_) {
    case At::kTop:
      if (key == kMetadataKey) {
        at_ = At::kMetadataValue;
        if (metadata_seen_) return Wrong("comes twice");
        metadata_seen_ = true;
        return absl::OkStatus();
      }
      header_.entries.push_back({std::move(key)});
      for (bool& seen : seen_) seen = false;
      offsets_ = 0;
      at_ = At::kTensorValue;
      return absl::OkStatus();
    case At::kMetadata:
      metadata_key_ = std::move(key);
      at_ = At::kMetadataText;
      return absl::OkStatus();
    case At::kTensorObject:
      return StartField(FieldFromName(key));
    case At::kDtypeObject:
      at_ = At::kDtypeNull;
      return SetDtype(key);
    case At::kIgnoredValue:
      return absl::OkStatus();
    default:
      return Wrong("dtype must be a string");
  }
}

absl::Status HeaderHandler::OnEnd() {
  switch (at_) {
    case At::kMetadata:
      at_ = At::kTop;
      return absl::OkStatus();
    case At::kTensorObject:
    case At::kTensorArray:
      return EndTensor();
    case At::kOffsetsArray:
      if (offsets_ != 2) return Wrong("data_offsets must be two integers");
      EndField();
      return absl::OkStatus();
    case At::kDtypeEnd:
    case At::kShapeArray:
      EndField();
      return absl::OkStatus();
    case At::kIgnoredValue:
      if (--ignored_depth_ == 0) EndField();
      return absl::OkStatus();
    case At::kTop:
      return absl::OkStatus();
    default:
      return Wrong("dtype must be a string");
  }
}

absl::Status HeaderHandler::StartField(Field field) {
  field_ = field;
  at_ = At::kFieldValue;
  if (field == kIgnored) return absl::OkStatus();
  if (seen_[field]) {
    return Wrong(absl::StrCat(kFieldNames[field], " comes twice"));
  }
  seen_[field] = true;
  return absl::OkStatus();
}

absl::Status HeaderHandler::StartNextArrayField() {
  for (int field = 0; field < kFields; ++field) {
    if (!seen_[field]) return StartField(static_cast<Field>(field));
  }
  return Wrong("an array must be dtype, shape and data_offsets alone");
}

void HeaderHandler::EndField() {
  at_ = array_form_ ? At::kTensorArray : At::kTensorObject;
}

absl::Status HeaderHandler::FieldScalar(const JsonScalar& value) {
  if (field_ == kShape) return Wrong("shape must be an array");
  if (field_ == kOffsets) return Wrong("data_offsets must be an array");
  EndField();
  if (field_ == kIgnored) return absl::OkStatus();
  if (value.kind != JsonScalar::Kind::kString) {
    return Wrong("dtype must be a string");
  }
  return SetDtype(value.text);
}

absl::Status HeaderHandler::FieldBegin(JsonContainer container) {
  const bool is_object = container == JsonContainer::kObject;
  switch (field_) {
    case kDtype:
      if (!is_object) return Wrong("dtype must be a string");
      at_ = At::kDtypeObject;
      return absl::OkStatus();
    case kShape:
      if (is_object) return Wrong("shape must be an array");
      at_ = At::kShapeArray;
      return absl::OkStatus();
    case kOffsets:
      if (is_object) return Wrong("data_offsets must be an array");
      at_ = At::kOffsetsArray;
      return absl::OkStatus();
    case kIgnored:
      break;
  }
  at_ = At::kIgnoredValue;
  ignored_depth_ = 1;
  return absl::OkStatus();
}

absl::Status HeaderHandler::SetDtype(absl::string_view name) {
  const std::optional<Dtype> dtype = DtypeFromName(name);
  if (!dtype) return Wrong(absl::StrCat("unknown dtype ", Quoted(name)));
  tensor().dtype = *dtype;
  return absl::OkStatus();
}

absl::Status HeaderHandler::AddOffset(uint64_t offset) {
  if (offsets_ == 2) return Wrong("data_offsets must be two integers");
  (offsets_ == 0 ? tensor().begin : tensor().end) = offset;
  ++offsets_;
  return absl::OkStatus();
}

absl::Status HeaderHandler::EndTensor() {
  for (int field = 0; field < kFields; ++field) {
    if (!seen_[field]) {
      return Wrong(absl::StrCat(kFieldNames[field], " is missing"));
    }
  }
  at_ = At::kTop;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<HeaderJson> ParseHeaderJson(absl::string_view text) {
  HeaderHandler handler;
  absl::Status status = ReadJsonObject(text, kFirstHeaderByte, &handler);
  if (!status.ok()) return status;
  return handler.Take();
}

}  // namespace hydra::safetensors
