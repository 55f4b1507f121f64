#include "common/safetensors/writer.h"

#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "common/file/scratch_directory.h"
#include "common/safetensors/reader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra::safetensors {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class WriterTest : public testing::Test {
 protected:
  std::unique_ptr<Writer> Create(const std::vector<TensorSpec>& tensors) {
    absl::StatusOr<std::unique_ptr<Writer>> writer =
        Writer::Create(path_, tensors);
    EXPECT_TRUE(writer.ok()) << writer.status();
    return *std::move(writer);
  }

  void WriteOlderFile() { directory_.Write("m.safetensors", "the older file"); }

  void ExpectOnlyTheOlderFile() {
    EXPECT_THAT(directory_.Names(), ElementsAre("m.safetensors"));
    EXPECT_EQ(directory_.Read("m.safetensors"), "the older file");
  }

  ScratchDirectory directory_;
  const std::string path_ = directory_.PathOf("m.safetensors");
};

// Lowers the largest size that this process may give a file.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    before_ = signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old_);
    rlimit lower = old_;
    lower.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &lower);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &old_);
    signal(SIGXFSZ, before_);
  }

 private:
  sighandler_t before_;
  rlimit old_;
};

TEST_F(WriterTest, WhatIsWrittenInPiecesIsReadBack) {
  std::unique_ptr<Writer> writer = Create({{"e", Dtype::kF32, {0, 3}},
                                           {"w", Dtype::kU8, {2, 3}},
                                           {"z", Dtype::kF32, {0}},
                                           {"s", Dtype::kU8, {}},
                                           {"y", Dtype::kF32, {0}}});
  ASSERT_TRUE(writer->Append("w", "abcd", 4).ok());
  ASSERT_TRUE(writer->Append("w", "ef", 2).ok());
  ASSERT_TRUE(writer->Append("z", "", 0).ok());
  ASSERT_TRUE(writer->Append("s", "g", 1).ok());
  ASSERT_TRUE(writer->Finish().ok());

  const absl::StatusOr<Reader> reader = Reader::Open(path_);
  ASSERT_TRUE(reader.ok()) << reader.status();
  std::string bytes(6, '?');
  ASSERT_TRUE(reader->Read("w", 0, 6, bytes.data()).ok());
  EXPECT_EQ(bytes, "abcdef");
  ASSERT_TRUE(reader->Read("s", 0, 1, bytes.data()).ok());
  EXPECT_EQ(bytes[0], 'g');
  EXPECT_THAT(reader->table().Find("e")->shape, ElementsAre(0, 3));
  EXPECT_THAT(reader->table().metadata(), ElementsAre(Pair("format", "pt")));
  EXPECT_THAT(directory_.Names(), ElementsAre("m.safetensors"));
}

TEST_F(WriterTest, AFileFarLargerThanWhatWaitsForTheDiskIsReadBack) {
  constexpr int64_t kElements = 10'000'019;
  std::vector<uint32_t> numbers(kElements);
  std::iota(numbers.begin(), numbers.end(), 0);
  std::unique_ptr<Writer> writer =
      Create({{"whole", Dtype::kU32, {kElements}},
              {"pieces", Dtype::kU32, {kElements}}});
  ASSERT_TRUE(writer->Append("whole", numbers.data(), 4 * kElements).ok());
  for (int64_t i = 0; i < kElements; i += 300'007) {
    const int64_t count = std::min<int64_t>(300'007, kElements - i);
    ASSERT_TRUE(writer->Append("pieces", &numbers[i], 4 * count).ok());
  }
  ASSERT_TRUE(writer->Finish().ok());

  const absl::StatusOr<Reader> reader = Reader::Open(path_);
  ASSERT_TRUE(reader.ok()) << reader.status();
  for (const char* name : {"whole", "pieces"}) {
    std::vector<uint32_t> read(kElements);
    ASSERT_TRUE(reader->Read(name, 0, 4 * kElements, read.data()).ok());
    EXPECT_TRUE(read == numbers) << name;
  }
}

TEST_F(WriterTest, AFileWithoutTensorsIsAFile) {
  ASSERT_TRUE(Create({})->Finish().ok());
  EXPECT_TRUE(Reader::Open(path_).ok());
}

TEST_F(WriterTest, TheOlderFileStaysUntilFinish) {
  WriteOlderFile();
  std::unique_ptr<Writer> writer = Create({{"w", Dtype::kU8, {1}}});
  ASSERT_TRUE(writer->Append("w", "x", 1).ok());
  EXPECT_EQ(directory_.Read("m.safetensors"), "the older file");
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_TRUE(Reader::Open(path_).ok());
  writer.reset();
  EXPECT_THAT(directory_.Names(), ElementsAre("m.safetensors"));
}

TEST_F(WriterTest, WithoutFinishNothingIsLeftBehind) {
  WriteOlderFile();
  std::unique_ptr<Writer> writer = Create({{"w", Dtype::kU8, {1}}});
  ASSERT_TRUE(writer->Append("w", "x", 1).ok());
  EXPECT_EQ(directory_.Names().size(), 2);
  writer.reset();
  ExpectOnlyTheOlderFile();
}

TEST_F(WriterTest, MissingBytesKeepTheFileFromBeingFinished) {
  std::unique_ptr<Writer> writer =
      Create({{"v", Dtype::kU8, {2}}, {"w", Dtype::kU8, {4}}});
  ASSERT_TRUE(writer->Append("v", "ab", 2).ok());
  ASSERT_TRUE(writer->Append("w", "c", 1).ok());
  EXPECT_EQ(writer->Finish(), absl::FailedPreconditionError(
                                  path_ + " lacks 3 B, from tensor 'w' on"));
  ASSERT_TRUE(writer->Append("w", "def", 3).ok());
  EXPECT_TRUE(writer->Finish().ok());
  EXPECT_EQ(writer->Finish().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(writer->Append("w", "x", 1).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(WriterTest, DataOutOfTurnOrBeyondTheTensorChangesNothing) {
  std::unique_ptr<Writer> writer =
      Create({{"v", Dtype::kU8, {2}}, {"w", Dtype::kU8, {1}}});
  EXPECT_EQ(writer->Append("w", "x", 1),
            absl::FailedPreconditionError(
                path_ + ": data of tensor 'w', but it is the turn of 'v'"));
  EXPECT_EQ(writer->Append("none", "x", 1).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(
      writer->Append("v", "abc", 3),
      absl::OutOfRangeError(path_ + ": tensor 'v' lacks 2 B, 3 B were given"));
  EXPECT_TRUE(absl::IsOutOfRange(writer->Append("v", "abc", -1)));
  ASSERT_TRUE(writer->Append("v", "ab", 2).ok());
  ASSERT_TRUE(writer->Append("w", "c", 1).ok());
  EXPECT_THAT(writer->Append("w", "d", 1).message(),
              HasSubstr("all tensors are complete"));
  EXPECT_TRUE(writer->Finish().ok());
}

TEST_F(WriterTest, AFileThatTheDiskCannotHoldIsRefusedAtOnce) {
  WriteOlderFile();
  const auto writer =
      Writer::Create(path_, {{"w", Dtype::kU8, {int64_t{1} << 55}}});
  EXPECT_EQ(writer.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(writer.status().message(), HasSubstr(path_ + " needs 3602879"));
  ExpectOnlyTheOlderFile();
}

TEST_F(WriterTest, AFileAboveTheSizeLimitIsRefusedAtOnce) {
  const FileSizeLimit limit(4096);
  const auto writer = Writer::Create(path_, {{"w", Dtype::kU8, {5000}}});
  EXPECT_EQ(writer.status().code(), absl::StatusCode::kResourceExhausted)
      << writer.status();
  EXPECT_THAT(directory_.Names(), IsEmpty());
}

TEST_F(WriterTest, AWriteThatFailsHalfWayLeavesTheOlderFile) {
  WriteOlderFile();
  std::unique_ptr<Writer> writer = Create({{"w", Dtype::kU8, {10000}}});
  const std::string piece(5000, 'x');
  ASSERT_TRUE(writer->Append("w", piece.data(), 5000).ok());
  {
    const FileSizeLimit limit(6000);
    const absl::Status status = writer->Append("w", piece.data(), 5000);
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
    EXPECT_THAT(status.message(), HasSubstr("at byte 6000 of " + path_));
  }
  EXPECT_EQ(writer->Append("w", piece.data(), 1).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(writer->Finish().code(), absl::StatusCode::kResourceExhausted);
  writer.reset();
  ExpectOnlyTheOlderFile();
}

TEST_F(WriterTest, PathsThatCannotBecomeAFileAreRefusedBeforeAnyData) {
  directory_.MakeDirectory("d");
  for (const std::string& path :
       {directory_.PathOf("d"), directory_.PathOf("d/"),
        directory_.PathOf("d/.")}) {
    EXPECT_EQ(Writer::Create(path, {}).status().code(),
              absl::StatusCode::kInvalidArgument)
        << path;
  }
  EXPECT_TRUE(absl::IsNotFound(
      Writer::Create(directory_.PathOf("none/m"), {}).status()));
}

TEST_F(WriterTest, SeveralFilesOfOneDirectoryCanBeWrittenAtOnce) {
  std::unique_ptr<Writer> first = Create({{"w", Dtype::kU8, {1}}});
  const auto second =
      Writer::Create(directory_.PathOf("n"), {{"w", Dtype::kU8, {1}}});
  ASSERT_TRUE(second.ok()) << second.status();
  ASSERT_TRUE(first->Append("w", "1", 1).ok());
  ASSERT_TRUE((*second)->Append("w", "2", 1).ok());
  ASSERT_TRUE(first->Finish().ok());
  ASSERT_TRUE((*second)->Finish().ok());
  EXPECT_EQ(directory_.Read("m.safetensors").back(), '1');
  EXPECT_EQ(directory_.Read("n").back(), '2');
}

}  // namespace
}  // namespace hydra::safetensors
