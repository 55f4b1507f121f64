#include "scheduler/storage/event_frame.h"

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "common/file/scratch_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using testing::ElementsAre;

// What is whole, and how many bytes that is.
struct Frames {
  std::vector<std::string> data;
  int64_t bytes = -1;
};

class EventFrameTest : public testing::Test {
 protected:
  Frames Read(absl::string_view bytes) {
    const std::string path = scratch_.Write("f", bytes);
    const auto file = OpenRegularFile(path);
    EXPECT_TRUE(file.ok()) << file.status();
    Frames frames;
    const auto done = ForEachEventFrame(
        *file, path,
        [&](absl::string_view data) { frames.data.emplace_back(data); });
    EXPECT_TRUE(done.ok()) << done.status();
    frames.bytes = done.value_or(-1);
    return frames;
  }

  ScratchDirectory scratch_;
};

TEST_F(EventFrameTest, TheLengthStandsBeforeTheData) {
  const std::string frame = EventFrame("abc");
  ASSERT_EQ(frame.size(), 8 + 4 + 3 + 4);
  EXPECT_EQ(absl::BytesToHexString(frame.substr(0, 8)), "0300000000000000");
  EXPECT_EQ(frame.substr(12, 3), "abc");
}

// crc32c("123456789") is 0xe3069283, RFC 3720's polynomial; the mask turns it
// by 15 bits and adds a constant.
TEST_F(EventFrameTest, SumsAreMasked) {
  const uint32_t sum = 0xe3069283;
  const uint32_t turned = sum >> 15 | sum << 17;
  EXPECT_EQ(MaskedCrc32c("123456789"),
            static_cast<uint32_t>(turned + 0xa282ead8));
  const std::string frame = EventFrame("123456789");
  uint32_t written = 0;
  for (int i = 3; i >= 0; --i) {
    written = written << 8 | static_cast<unsigned char>(frame[12 + 9 + i]);
  }
  EXPECT_EQ(written, MaskedCrc32c("123456789"));
}

TEST_F(EventFrameTest, WhatWasWrittenIsRead) {
  const std::string large(100'000, '\xab');
  const std::string file =
      EventFrame("one") + EventFrame("") + EventFrame(large);
  const Frames frames = Read(file);
  EXPECT_THAT(frames.data, ElementsAre("one", "", large));
  EXPECT_EQ(frames.bytes, file.size());
  EXPECT_EQ(Read("").bytes, 0);
}

TEST_F(EventFrameTest, WhatACrashBrokeOffIsLeftOut) {
  const std::string whole = EventFrame("one");
  const std::string file = whole + EventFrame("two");
  for (size_t bytes = whole.size(); bytes < file.size(); ++bytes) {
    const Frames frames = Read(file.substr(0, bytes));
    EXPECT_THAT(frames.data, ElementsAre("one")) << bytes;
    EXPECT_EQ(frames.bytes, whole.size()) << bytes;
  }
  EXPECT_EQ(Read(whole + std::string(1000, '\0')).bytes, whole.size());
}

TEST_F(EventFrameTest, EveryChangedByteIsNoticed) {
  const std::string whole = EventFrame("one");
  const std::string file = whole + EventFrame("two") + EventFrame("three");
  const size_t end = (whole + EventFrame("two")).size();
  for (size_t i = whole.size(); i < end; ++i) {
    std::string damaged = file;
    damaged[i] ^= 0x10;
    EXPECT_THAT(Read(damaged).data, ElementsAre("one")) << i;
  }
}

}  // namespace
}  // namespace hydra
