#include "common/jobfile/job_fields.h"

#include "absl/strings/str_cat.h"
#include "common/jobfile/job_file.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::util::MessageDifferencer;
using ::testing::ElementsAre;

// Something in every field, of every section.
void FillAll(Message* message) {
  const auto& reflection = *message->GetReflection();
  for (int i = 0; i < message->GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *message->GetDescriptor()->field(i);
    for (int repetition = 0; repetition < (field.is_repeated() ? 2 : 1);
         ++repetition) {
      const bool adds = field.is_repeated();
      switch (field.cpp_type()) {
        case FieldDescriptor::CPPTYPE_INT32:
          adds ? reflection.AddInt32(message, &field, 7 + repetition)
               : reflection.SetInt32(message, &field, 7);
          break;
        case FieldDescriptor::CPPTYPE_INT64:
          ASSERT_FALSE(adds);
          reflection.SetInt64(message, &field, int64_t{1} << 40);
          break;
        case FieldDescriptor::CPPTYPE_UINT64:
          ASSERT_FALSE(adds);
          reflection.SetUInt64(message, &field, ~uint64_t{0});
          break;
        case FieldDescriptor::CPPTYPE_DOUBLE:
          ASSERT_FALSE(adds);
          reflection.SetDouble(message, &field, 1.0 / (3 + i) * 1e-7);
          break;
        case FieldDescriptor::CPPTYPE_BOOL:
          ASSERT_FALSE(adds);
          reflection.SetBool(message, &field, true);
          break;
        case FieldDescriptor::CPPTYPE_ENUM:
          ASSERT_FALSE(adds);
          reflection.SetEnumValue(message, &field,
                                  field.enum_type()->value(1)->number());
          break;
        case FieldDescriptor::CPPTYPE_STRING:
          adds ? reflection.AddString(message, &field,
                                      absl::StrCat("it's: ", repetition))
               : reflection.SetString(message, &field, "a 'b' #c");
          break;
        case FieldDescriptor::CPPTYPE_MESSAGE:
          ASSERT_FALSE(adds);
          FillAll(reflection.MutableMessage(message, &field));
          break;
        default:
          FAIL() << field.full_name() << " is of a kind that is not written";
      }
    }
  }
}

TEST(FieldsOfTest, EveryFieldIsReadBackAsItWas) {
  v1::JobSpec spec;
  FillAll(&spec);
  const std::string yaml = JobYaml(FieldsOf(spec));
  const absl::StatusOr<JobFile> file = ParseJobFile(yaml);
  ASSERT_TRUE(file.ok()) << yaml << file.status();
  EXPECT_TRUE(MessageDifferencer::Equals(spec, file->job)) << yaml;
}

TEST(FieldsOfTest, WritesWhatIsSetAsPeopleWriteIt) {
  v1::JobSpec spec;
  spec.mutable_train()->set_learning_rate(3e-4);
  spec.mutable_train()->set_optim(v1::OPTIMIZER_ADAMW);
  spec.mutable_train()->set_dropout(0);
  spec.mutable_data()->add_train_files("/a");
  spec.mutable_data()->add_train_files("/b");
  const JobFields fields = FieldsOf(spec);
  EXPECT_EQ(fields.size(), 4);
  EXPECT_THAT(fields.at("train.learning_rate"), ElementsAre("3e-04"));
  EXPECT_THAT(fields.at("train.optim"), ElementsAre("adamw"));
  EXPECT_THAT(fields.at("train.dropout"), ElementsAre("0"))
      << "it was said, so it is no default";
  EXPECT_THAT(fields.at("data.train_files"), ElementsAre("/a", "/b"));
}

}  // namespace
}  // namespace hydra
