// Whatever number comes over the wire in whatever field of a job: it is refused
// with the field's name, or it means something.

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/jobfile/testing/valid_job.h"
#include "common/jobfile/validate.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace hydra {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// No field has a meaning for these; none: of texts and switches all have one,
// or other tests know them.
std::vector<double> NoMeaning(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_ENUM:
      return {99, -1};
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
      return {-1};
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return {-1, std::numeric_limits<double>::infinity(),
              std::numeric_limits<double>::quiet_NaN()};
    default:
      return {};
  }
}

void Set(const FieldDescriptor& field, double value, Message* message) {
  const google::protobuf::Reflection& set = *message->GetReflection();
  const bool repeated = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_ENUM:
      return repeated ? set.AddEnumValue(message, &field, value)
                      : set.SetEnumValue(message, &field, value);
    case FieldDescriptor::CPPTYPE_INT32:
      return repeated ? set.AddInt32(message, &field, value)
                      : set.SetInt32(message, &field, value);
    case FieldDescriptor::CPPTYPE_INT64:
      return repeated ? set.AddInt64(message, &field, value)
                      : set.SetInt64(message, &field, value);
    default:
      return repeated ? set.AddDouble(message, &field, value)
                      : set.SetDouble(message, &field, value);
  }
}

bool IsRefused(const v1::JobSpec& job, const std::string& field) {
  Mistakes mistakes;
  ValidateJob(job, &mistakes);
  for (const Mistake& mistake : mistakes) {
    if (mistake.field() == field ||
        absl::StartsWith(mistake.field(), field + "[")) {
      return true;
    }
  }
  return false;
}

TEST(ValidateEveryFieldTest, RefusesNumbersWithoutAMeaningByTheirField) {
  const auto& job_type = *v1::JobSpec::descriptor();
  int tried = 0;
  for (int i = 0; i < job_type.field_count(); ++i) {
    const FieldDescriptor& section = *job_type.field(i);
    if (section.message_type() == nullptr) continue;
    for (int j = 0; j < section.message_type()->field_count(); ++j) {
      const FieldDescriptor& field = *section.message_type()->field(j);
      for (double value : NoMeaning(field)) {
        v1::JobSpec job = ValidJob();
        Set(field, value, job.GetReflection()->MutableMessage(&job, &section));
        const std::string path =
            absl::StrCat(section.name(), ".", field.name());
        EXPECT_TRUE(IsRefused(job, path)) << path << " = " << value;
        ++tried;
      }
    }
  }
  EXPECT_GT(tried, 60);
}

}  // namespace
}  // namespace hydra
