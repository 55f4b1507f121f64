#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.pb.h"

namespace hydra {
namespace {

using google::protobuf::DescriptorProto;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptorProto;
using google::protobuf::FileDescriptorSet;
using google::protobuf::SourceCodeInfo;

// Letters and digits alone, so that "Job id." and "job_id" are the same.
std::string Letters(const std::string& text) {
  std::string letters;
  for (char c : text) {
    if (absl::ascii_isalnum(c)) letters += absl::ascii_tolower(c);
  }
  return letters;
}

// Collects the fields that say no more than their names do.
class Reader {
 public:
  explicit Reader(const FileDescriptorProto& file) : file_(file) {
    for (int i = 0; i < file.message_type_size(); ++i) {
      Read(file.message_type(i), absl::StrCat("4/", i, "/"));
    }
  }

  int fields() const { return fields_; }
  const std::vector<std::string>& silent() const { return silent_; }

 private:
  void Read(const DescriptorProto& message, const std::string& path) {
    for (int i = 0; i < message.field_size(); ++i) {
      ++fields_;
      const FieldDescriptorProto& field = message.field(i);
      const std::string comment =
          Letters(CommentAt(absl::StrCat(path, "2/", i, "/")));
      if (comment.empty() || comment == Letters(field.name())) {
        silent_.push_back(absl::StrCat(file_.name(), ": ", message.name(), ".",
                                       field.name()));
      }
    }
    for (int i = 0; i < message.nested_type_size(); ++i) {
      if (message.nested_type(i).options().map_entry()) continue;
      Read(message.nested_type(i), absl::StrCat(path, "3/", i, "/"));
    }
  }

  // `path` as descriptor.proto counts: the numbers of fields, and places.
  std::string CommentAt(const std::string& path) const {
    for (const SourceCodeInfo::Location& location :
         file_.source_code_info().location()) {
      std::string here;
      for (int number : location.path()) absl::StrAppend(&here, number, "/");
      if (here == path) return location.leading_comments();
    }
    return "";
  }

  const FileDescriptorProto& file_;
  int fields_ = 0;
  std::vector<std::string> silent_;
};

TEST(FieldCommentsTest, EveryFieldHasACommentOfItsOwn) {
  FileDescriptorSet files;
  std::ifstream input("proto/descriptors.pb", std::ios::binary);
  ASSERT_TRUE(files.ParseFromIstream(&input));
  int fields = 0;
  for (const FileDescriptorProto& file : files.file()) {
    const Reader reader(file);
    EXPECT_THAT(reader.silent(), testing::IsEmpty());
    fields += reader.fields();
  }
  EXPECT_GT(fields, 300) << "not all of the files are here";
}

}  // namespace
}  // namespace hydra
