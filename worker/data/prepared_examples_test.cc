#include "worker/data/prepared_examples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "common/file/scratch_directory.h"
#include "worker/data/example_file.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Of two planes, of which a byte means its double, or its negative.
ExampleHeader Header() {
  ExampleHeader header;
  header.dtype = safetensors::Dtype::kU8;
  header.element_count = 4;
  for (int byte = 0; byte < 256; ++byte) {
    header.values.push_back(2.0f * byte);
  }
  for (int byte = 0; byte < 256; ++byte) {
    header.values.push_back(-1.0f * byte);
  }
  return header;
}

std::string Record(int64_t number, const std::string& bytes) {
  return std::string(reinterpret_cast<const char*>(&number), sizeof(number)) +
         bytes;
}

class PreparedExamplesTest : public ::testing::Test {
 protected:
  absl::StatusOr<PreparedExamples> Make() {
    return FindOrMakeExamples(
        folder_.path(), "key", control_, [this](PosixFile& file) {
          ++made_;
          ExampleWriter writer(Header(), &file);
          absl::Status status = writer.Begin(2);
          if (status.ok()) {
            status = writer.Append(Record(5, "\x01\x02\x03\x04"), 1);
          }
          if (status.ok()) {
            status = writer.Append(Record(6, "\xff\x80\xff\x80"), 1);
          }
          return status.ok() ? writer.Finish() : status;
        });
  }

  const ScratchDirectory folder_;
  TaskControl control_;
  int made_ = 0;
};

TEST_F(PreparedExamplesTest, BytesMeanWhatTheirPlaneSays) {
  const auto prepared = Make();
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  EXPECT_EQ(prepared->example_count, 2);
  EXPECT_FALSE(prepared->reused);
  const auto file = ExampleFile::Open(prepared->path);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->CheckContent(control_), absl::OkStatus());
  std::vector<float> numbers(4);
  EXPECT_EQ(*file->Read(0, absl::MakeSpan(numbers)), 5);
  EXPECT_THAT(numbers, ElementsAre(2, 4, -3, -4));
  EXPECT_EQ(*file->Read(1, absl::MakeSpan(numbers)), 6);
  EXPECT_THAT(numbers, ElementsAre(510, 256, -255, -128));
  EXPECT_EQ(*file->ReadClass(1), 6);
}

TEST_F(PreparedExamplesTest, WhatIsThereIsNotMadeAgain) {
  ASSERT_TRUE(Make().ok());
  const auto again = Make();
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->reused);
  EXPECT_EQ(made_, 1);
}

TEST_F(PreparedExamplesTest, DamageToAnyByteIsSeen) {
  const auto prepared = Make();
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  const std::string whole = ReadFile(prepared->path);
  // In the header, among the values, in the last example.
  for (size_t place : {size_t{70}, size_t{1000}, whole.size() - 1}) {
    std::string damaged = whole;
    damaged[place] = static_cast<char>(damaged[place] ^ 1);
    WriteFile(prepared->path, damaged);
    const auto again = Make();
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_FALSE(again->reused) << place;
    EXPECT_EQ(ReadFile(prepared->path), whole);
  }
}

TEST_F(PreparedExamplesTest, PlanesThatDoNotFitAreDamage) {
  ExampleHeader header = Header();
  header.content_hash.assign(32, '\0');
  const auto error_of = [&] {
    const std::string path = folder_.Write(
        "file", EncodeExampleHeader(header) + std::string(10'000, '\0'));
    const absl::Status status = ExampleFile::Open(path).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    return std::string(status.message());
  };
  header.element_count = 5;
  EXPECT_THAT(error_of(), HasSubstr("with 2 planes of 5 numbers"));
  header.element_count = 4;
  header.dtype = safetensors::Dtype::kF32;
  EXPECT_THAT(error_of(), HasSubstr("with 2 planes of 4 numbers"));
}

}  // namespace
}  // namespace hydra
