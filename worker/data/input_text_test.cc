#include "worker/data/input_text.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "common/gzip/testing/gzip.h"

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class InputTextTest : public ::testing::Test {
 protected:
  // Reads it with a buffer of so many bytes.
  absl::StatusOr<std::string> ReadAll(absl::string_view content,
                                      size_t buffer_bytes) {
    path_ = folder_.Write("input", content);
    PosixFile file = *PosixFile::Open(path_, O_RDONLY);
    InputText input(&file);
    std::string text, buffer(buffer_bytes, '\0');
    while (true) {
      const absl::StatusOr<int64_t> count = input.Read(absl::MakeSpan(buffer));
      if (!count.ok()) return count.status();
      text.append(buffer, 0, *count);
      // A buffer that is not full is the last one.
      if (*count < static_cast<int64_t>(buffer.size())) return text;
    }
  }

  const ScratchDirectory folder_;
  std::string path_;
};

std::string Text(size_t bytes) {
  std::string text;
  for (int i = 0; text.size() < bytes; ++i) {
    absl::StrAppend(&text, i * 7919 % 104729, "\n");
  }
  return text;
}

TEST_F(InputTextTest, ReadsTextAsItIsAndUnpacksWhatIsPacked) {
  for (size_t bytes : {0, 1, 3, 65'536, 500'000}) {
    const std::string text = Text(bytes);
    for (size_t buffer : {size_t{7}, size_t{4096}, size_t{1} << 20}) {
      EXPECT_EQ(ReadAll(text, buffer).value(), text);
      EXPECT_EQ(ReadAll(Gzip(text), buffer).value(), text);
      EXPECT_EQ(ReadAll(Gzip(text) + Gzip("more"), buffer).value(),
                text + "more");
    }
  }
}

TEST_F(InputTextTest, WhatIsWrongHasFileAndByte) {
  const std::string packed = Gzip(Text(500'000));
  const auto cut = ReadAll(packed.substr(0, 100'000), 4096);
  EXPECT_EQ(cut.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(cut.status().message()),
              AllOf(HasSubstr(path_ + ": "), HasSubstr("after 100000 bytes")));
  std::string damaged = packed;
  damaged[damaged.size() - 6] ^= 1;
  EXPECT_THAT(
      std::string(ReadAll(damaged, 4096).status().message()),
      AllOf(HasSubstr(path_ + ": "),
            HasSubstr(absl::StrCat("at byte ", damaged.size() - 4, ":"))));
}

}  // namespace
}  // namespace hydra
