#include "common/safetensors/reader.h"

#include <unistd.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra::safetensors {
namespace {

// A safetensors file: the length of `header`, `header`, `data`.
std::string FileBytesOf(absl::string_view header, absl::string_view data) {
  std::string prefix;
  for (int i = 0; i < 8; ++i) {
    prefix.push_back(
        static_cast<char>(static_cast<uint64_t>(header.size()) >> (8 * i)));
  }
  return absl::StrCat(prefix, header, data);
}

using testing::ElementsAre;
using testing::HasSubstr;

template <typename T>
std::string Bytes(const std::vector<T>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()),
                     values.size() * sizeof(T));
}

class ReaderTest : public testing::Test {
 protected:
  // Three tensors: F32 "f" of 3, F16 "h" of 4, BF16 "b" of 3, and I32 "i" of 1.
  Reader OpenExample() {
    const std::string header =
        R"({"f":["F32",[3],[0,12]],"h":["F16",[2,2],[12,20]],)"
        R"("b":["BF16",[3],[20,26]],"i":["I32",[],[26,30]]})";
    const std::string data = absl::StrCat(
        Bytes<float>({1.5f, -2.0f, 0.1f}),
        Bytes<uint16_t>({0x3c00, 0x0001, 0xfc00, 0x7bff}),
        Bytes<uint16_t>({0x3f80, 0xc000, 0x0001}), Bytes<int32_t>({7}));
    path_ = directory_.Write("m", FileBytesOf(header, data));
    absl::StatusOr<Reader> reader = Reader::Open(path_);
    EXPECT_TRUE(reader.ok()) << reader.status();
    return *std::move(reader);
  }

  ScratchDirectory directory_;
  std::string path_;
};

TEST_F(ReaderTest, ListsTensorsAndReadsRangesOfTheirBytes) {
  const Reader reader = OpenExample();
  EXPECT_EQ(reader.table().tensors().size(), 4);
  int32_t whole = 0;
  ASSERT_TRUE(reader.Read("i", 0, 4, &whole).ok());
  EXPECT_EQ(whole, 7);
  float second = 0;
  ASSERT_TRUE(reader.Read("f", 4, 4, &second).ok());
  EXPECT_EQ(second, -2.0f);
  EXPECT_TRUE(reader.Read("f", 12, 0, nullptr).ok());
}

TEST_F(ReaderTest, FloatsOfEveryWidthAreReadExactly) {
  const Reader reader = OpenExample();
  std::vector<float> floats(3);
  ASSERT_TRUE(reader.ReadAsFloat32("f", 0, absl::MakeSpan(floats)).ok());
  EXPECT_THAT(floats, ElementsAre(1.5f, -2.0f, 0.1f));
  ASSERT_TRUE(reader.ReadAsFloat32("h", 1, absl::MakeSpan(floats)).ok());
  EXPECT_THAT(floats,
              ElementsAre(std::ldexp(1.0f, -24),
                          -std::numeric_limits<float>::infinity(), 65504.0f));
  ASSERT_TRUE(reader.ReadAsFloat32("b", 0, absl::MakeSpan(floats)).ok());
  EXPECT_THAT(floats, ElementsAre(1.0f, -2.0f, std::ldexp(1.0f, -133)));
}

TEST_F(ReaderTest, TensorsLongerThanTheBufferAreWidenedInOrder) {
  std::vector<uint16_t> pattern(100000);
  for (size_t i = 0; i < pattern.size(); ++i) {
    pattern[i] = static_cast<uint16_t>(i % 0x7f80);
  }
  const std::string path = directory_.Write(
      "long",
      FileBytesOf(R"({"b":["BF16",[100000],[0,200000]]})", Bytes(pattern)));
  const absl::StatusOr<Reader> reader = Reader::Open(path);
  ASSERT_TRUE(reader.ok()) << reader.status();
  std::vector<float> floats(99999);
  ASSERT_TRUE(reader->ReadAsFloat32("b", 1, absl::MakeSpan(floats)).ok());
  for (size_t i = 0; i < floats.size(); ++i) {
    uint32_t bits;
    std::memcpy(&bits, &floats[i], sizeof(bits));
    ASSERT_EQ(bits, uint32_t{pattern[i + 1]} << 16) << i;
  }
}

TEST_F(ReaderTest, RangesOutsideOfTheTensorAreRefusedWithTheNumbers) {
  const Reader reader = OpenExample();
  char byte;
  EXPECT_EQ(reader.Read("f", 8, 5, &byte),
            absl::OutOfRangeError(absl::StrCat(
                path_, ": tensor 'f' has 12 B, 5 from 8 were wanted")));
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  EXPECT_TRUE(absl::IsOutOfRange(reader.Read("f", -1, 1, &byte)));
  EXPECT_TRUE(absl::IsOutOfRange(reader.Read("f", 0, -1, &byte)));
  EXPECT_TRUE(absl::IsOutOfRange(reader.Read("f", kMax, kMax, &byte)));
  std::vector<float> floats(2);
  EXPECT_TRUE(
      absl::IsOutOfRange(reader.ReadAsFloat32("b", 2, absl::MakeSpan(floats))));
}

TEST_F(ReaderTest, UnknownTensorsAndIntegersAsFloatsAreRefused) {
  const Reader reader = OpenExample();
  EXPECT_EQ(reader.Read("x", 0, 0, nullptr),
            absl::NotFoundError(path_ + " has no tensor 'x'"));
  float value;
  EXPECT_EQ(reader.ReadAsFloat32("i", 0, absl::MakeSpan(&value, 1)),
            absl::InvalidArgumentError(
                path_ + ": tensor 'i' is I32, only F32, F16 and BF16 can be "
                        "read as float"));
}

TEST_F(ReaderTest, AFileTruncatedWhileOpenGivesAnErrorAndNoSignal) {
  const Reader reader = OpenExample();
  const TensorInfo& last = reader.table().tensors()[3];
  ASSERT_EQ(truncate(path_.c_str(), last.offset_bytes + 1), 0);
  int32_t value;
  EXPECT_EQ(reader.Read("i", 0, 4, &value),
            absl::DataLossError(absl::StrCat(
                path_, " ends at byte ", last.offset_bytes + 1,
                ", 4 B were wanted from byte ", last.offset_bytes)));
  std::vector<float> floats(3);
  EXPECT_TRUE(reader.ReadAsFloat32("b", 0, absl::MakeSpan(floats)).ok());
  ASSERT_EQ(truncate(path_.c_str(), 0), 0);
  EXPECT_TRUE(
      absl::IsDataLoss(reader.ReadAsFloat32("b", 0, absl::MakeSpan(floats))));
}

TEST_F(ReaderTest, BrokenFilesAreRefusedWithTheirPath) {
  const std::string broken = directory_.Write("x", FileBytesOf("{]", ""));
  EXPECT_THAT(Reader::Open(broken).status().message(),
              HasSubstr(broken + ": bad JSON at byte 9"));
  const std::string empty = directory_.Write("empty", "");
  EXPECT_THAT(Reader::Open(empty).status().message(),
              HasSubstr(empty + ": the file has 0 B"));
  const std::string huge = directory_.Write(
      "huge", absl::string_view("\xff\xe0\xf5\x05\0\0\0\0{}", 10));
  EXPECT_THAT(Reader::Open(huge).status().message(),
              HasSubstr("the header has 99999999 B, the file has 2 B"));
  EXPECT_TRUE(absl::IsNotFound(Reader::Open("/no/such/file").status()));
}

}  // namespace
}  // namespace hydra::safetensors
