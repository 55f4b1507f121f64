#ifndef HYDRA_COMMON_JOBFILE_FIELD_VALUE_H_
#define HYDRA_COMMON_JOBFILE_FIELD_VALUE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/jobfile/suggest.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

// Single fields of any message, as people write them. Pure. Maps, bytes and
// single-precision fields are not supported.
//
// How values are written: whole numbers in decimal; numbers also as 1e-4, but
// neither infinite nor NaN; true and false; enum values by their short
// lower-case names (adamw for OPTIMIZER_ADAMW); integers whose names end in
// _bytes also with a unit (512MiB).
namespace hydra {

// Sets the singular `field` of `message` to the value written as `text`, or
// appends it if the field is repeated. The field must not hold messages.
//
// INVALID_ARGUMENT: `text` is no such value; the message, "expected a number,
//   found 'fast'", names no field. `message` is as before.
absl::Status SetValue(const google::protobuf::FieldDescriptor& field,
                      absl::string_view text, Aliases aliases,
                      google::protobuf::Message* message);

// What `field` takes: "a number", "one of sgd, adam, adamw".
std::string ExpectedValue(const google::protobuf::FieldDescriptor& field);

// The names by which an enum's values are written, without the unspecified one.
std::vector<std::string> EnumNames(
    const google::protobuf::EnumDescriptor& type);

// The field that `path` ("train.learning_rate") leads to from `root` through
// sections that are not lists; null if there is none.
const google::protobuf::FieldDescriptor* FindField(
    const google::protobuf::Descriptor& root, absl::string_view path);

// SetValue for the field that `path` leads to; command-line flags and grids
// come through here.
//
// INVALID_ARGUMENT: also if `path` leads to no field, or to a section.
absl::Status SetValueAt(absl::string_view path, absl::string_view text,
                        Aliases aliases, google::protobuf::Message* message);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_FIELD_VALUE_H_
