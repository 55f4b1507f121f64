#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "common/checkpoint/tensor_file_reader.h"
#include "common/checkpoint/tensor_file_writer.h"
#include "common/checkpoint/tensor_sum.h"
#include "common/checkpoint/testing.h"
#include "common/file/scratch_directory.h"
#include "common/model/model_table.h"
#include "common/model/quantized_rows.h"
#include "common/safetensors/reader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using checkpoint::v1::FileSum;
using testing::HasSubstr;

constexpr char kName[] = "f.safetensors";

// A file of two blocks: one small tensor behind padding, and one of a few
// pieces; a third block belongs to another file.
class TensorFileTest : public testing::Test {
 protected:
  TensorFileTest() : block_(2'000'064) {
    std::mt19937 random(1);
    for (std::byte& byte : block_) byte = static_cast<std::byte>(random());
    wanted_ = Write(TensorFileWriter::Sums::kOfTensors);
  }

  FileSum Write(TensorFileWriter::Sums sums) {
    auto writer = TensorFileWriter::Create(*HeldDirectory::Open(folder_.path()),
                                           kName, layouts_, sums);
    EXPECT_TRUE(writer.ok()) << writer.status();
    EXPECT_TRUE(writer->Append(layouts_[0], block_.data()).ok());
    EXPECT_TRUE(writer->Append(layouts_[2], block_.data()).ok());
    auto sum = writer->Finish();
    EXPECT_TRUE(sum.ok()) << sum.status();
    return *std::move(sum);
  }

  absl::StatusOr<TensorFileReader> Open() {
    return TensorFileReader::Open(*FileOpener::Make(folder_.path()), wanted_);
  }

  absl::Status OpenAndVerify() {
    const auto file = Open();
    return file.ok() ? file->Verify() : file.status();
  }

  const std::vector<BlockLayout> layouts_ = {
      {kName, {{"small", {2, 3}, 64, 24}}},
      {"other", {{"elsewhere", {1}, 0, 4}}},
      {kName, {{"large", {500'001}, 0, 2'000'004}}}};
  ScratchDirectory folder_;
  std::vector<std::byte> block_;
  FileSum wanted_;
};

TEST_F(TensorFileTest, WhatIsWrittenIsReadWithTheSumsOfItsBytes) {
  const auto file = Open();
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(file->Verify().ok());
  EXPECT_TRUE(file->Has("small"));
  EXPECT_FALSE(file->Has("elsewhere"));
  std::vector<std::byte> read(2'000'004);
  ASSERT_TRUE(file->Read(layouts_[2].tensors[0], read.data()).ok());
  EXPECT_EQ(std::memcmp(read.data(), block_.data(), read.size()), 0);
  ASSERT_TRUE(file->Read(layouts_[0].tensors[0], read.data()).ok());
  EXPECT_EQ(std::memcmp(read.data(), block_.data() + 64, 24), 0);
  EXPECT_EQ(wanted_.tensors().at("small"),
            SumOf({reinterpret_cast<const char*>(block_.data()) + 64, 24}));
  EXPECT_EQ(wanted_.bytes(), ReadFile(folder_.PathOf(kName)).size());
}

TEST_F(TensorFileTest, ACountIsAnInt64InTheFile) {
  BlockTensor count = {"count", {}, 64, kFloatBytes};
  count.is_count = true;
  const std::vector<BlockLayout> layouts = {{"counts", {count}}};
  std::vector<std::byte> block(128), read(kFloatBytes);
  StoreCount(12345, block.data() + 64);
  for (TensorFileWriter::Sums sums :
       {TensorFileWriter::Sums::kNone, TensorFileWriter::Sums::kOfTensors}) {
    auto writer = TensorFileWriter::Create(*HeldDirectory::Open(folder_.path()),
                                           "counts", layouts, sums);
    ASSERT_TRUE(writer.ok()) << writer.status();
    // Alone as in its block.
    if (sums == TensorFileWriter::Sums::kNone) {
      ASSERT_TRUE(writer->AppendTensor(count, block.data() + 64).ok());
    } else {
      ASSERT_TRUE(writer->Append(layouts[0], block.data()).ok());
    }
    const auto sum = writer->Finish();
    ASSERT_TRUE(sum.ok()) << sum.status();
    {
      const auto plain = safetensors::Reader::Open(folder_.PathOf("counts"));
      ASSERT_TRUE(plain.ok()) << plain.status();
      int64_t in_file = 0;
      ASSERT_TRUE(plain->Read("count", 0, sizeof(in_file), &in_file).ok());
      EXPECT_EQ(in_file, 12345);
      EXPECT_EQ(plain->table().Find("count")->dtype, safetensors::Dtype::kI64);
    }
    if (sums == TensorFileWriter::Sums::kOfTensors) {
      const auto file =
          TensorFileReader::Open(*FileOpener::Make(folder_.path()), *sum);
      ASSERT_TRUE(file.ok()) << file.status();
      EXPECT_TRUE(file->Verify().ok());
      ASSERT_TRUE(file->Read(count, read.data()).ok());
      EXPECT_EQ(CountInFile(read.data()), 12345);
      count.is_count = false;
      EXPECT_EQ(file->Read(count, read.data()).code(),
                absl::StatusCode::kFailedPrecondition);
    }
    ASSERT_TRUE(std::filesystem::remove(folder_.PathOf("counts")));
  }
}

TEST_F(TensorFileTest, WithoutSumsTheFileIsTheSame) {
  const std::string bytes = ReadFile(folder_.PathOf(kName));
  ASSERT_TRUE(std::filesystem::remove(folder_.PathOf(kName)));
  const FileSum written = Write(TensorFileWriter::Sums::kNone);
  EXPECT_EQ(ReadFile(folder_.PathOf(kName)), bytes);
  EXPECT_EQ(written.bytes(), bytes.size());
  EXPECT_TRUE(written.tensors().empty());
}

TEST_F(TensorFileTest, AChangedByteIsFoundWithTheNamesAndSums) {
  std::string bytes = ReadFile(folder_.PathOf(kName));
  bytes.back() ^= 1;
  WriteFile(folder_.PathOf(kName), bytes);
  const auto file = Open();
  ASSERT_TRUE(file.ok()) << file.status();
  std::vector<std::byte> read(2'000'004);
  const absl::Status status = file->Read(layouts_[2].tensors[0], read.data());
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(status.message(), HasSubstr(folder_.PathOf(kName)));
  EXPECT_THAT(status.message(), HasSubstr("'large'"));
  EXPECT_THAT(status.message(),
              HasSubstr(SumText(wanted_.tensors().at("large"))));
  EXPECT_TRUE(file->Read(layouts_[0].tensors[0], read.data()).ok());
  EXPECT_TRUE(absl::IsDataLoss(file->Verify()));
}

TEST_F(TensorFileTest, EveryFlippedBitOfTheHeaderIsFound) {
  const std::string whole = ReadFile(folder_.PathOf(kName));
  const size_t header_bytes = whole.size() - 24 - 2'000'004;
  for (size_t bit = 0; bit < 8 * header_bytes; ++bit) {
    FlipBit(folder_.PathOf(kName), bit);
    ASSERT_TRUE(absl::IsDataLoss(OpenAndVerify())) << "bit " << bit;
    FlipBit(folder_.PathOf(kName), bit);
  }
  EXPECT_TRUE(OpenAndVerify().ok());
}

TEST_F(TensorFileTest, OtherTensorsThanWereWrittenAreFound) {
  (*wanted_.mutable_tensors())["third"] = 1;
  EXPECT_TRUE(absl::IsDataLoss(Open().status()));
  wanted_.mutable_tensors()->erase("third");
  EXPECT_TRUE(Open().ok());
  wanted_.mutable_tensors()->erase("large");
  EXPECT_TRUE(absl::IsDataLoss(Open().status()));
}

TEST_F(TensorFileTest, AnotherShapeIsNotRead) {
  const auto file = Open();
  ASSERT_TRUE(file.ok());
  std::byte out[24];
  const absl::Status status = file->Read({"small", {3, 2}, 0, 24}, out);
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(status.message(), HasSubstr("[2, 3], wanted [3, 2]"));
}

TEST_F(TensorFileTest, AnotherTypeIsNotRead) {
  const auto file = Open();
  ASSERT_TRUE(file.ok());
  std::byte out[12];
  const absl::Status status =
      file->Read({"small", {2, 3}, 0, 12, ElementType::kBFloat16}, out);
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(status.message(), HasSubstr("is F32, wanted BF16"));
}

// A row of nine numbers is 16 bytes; there are a few pieces of them.
TEST_F(TensorFileTest, WhatInt8StandsForIsWritten) {
  constexpr int64_t kRows = 20'000;
  constexpr int64_t kWidth = 9;
  std::vector<std::byte> rows(kRows * QuantizedRowBytes(kWidth));
  std::vector<float> numbers(kWidth);
  for (int64_t row = 0; row < kRows; ++row) {
    for (int64_t i = 0; i < kWidth; ++i) {
      numbers[i] = static_cast<float>((row * kWidth + i) % 1000) - 500;
    }
    ASSERT_TRUE(
        QuantizeRow(numbers, rows.data() + row * QuantizedRowBytes(kWidth))
            .ok());
  }
  std::vector<float> expected(kRows * kWidth);
  DequantizeRows(rows.data(), kWidth, absl::MakeSpan(expected));
  const std::vector<BlockLayout> layouts = {
      {kName,
       {{"matrix",
         {kRows, kWidth},
         0,
         static_cast<int64_t>(rows.size()),
         ElementType::kInt8}}}};
  for (const auto sums :
       {TensorFileWriter::Sums::kNone, TensorFileWriter::Sums::kOfTensors}) {
    const ScratchDirectory folder;
    auto writer = TensorFileWriter::Create(*HeldDirectory::Open(folder.path()),
                                           kName, layouts, sums);
    ASSERT_TRUE(writer.ok()) << writer.status();
    ASSERT_TRUE(writer->Append(layouts.front(), rows.data()).ok());
    const auto sum = writer->Finish();
    ASSERT_TRUE(sum.ok()) << sum.status();
    const auto reader = safetensors::Reader::Open(folder.PathOf(kName));
    ASSERT_TRUE(reader.ok()) << reader.status();
    EXPECT_EQ(reader->table().Find("matrix")->dtype, safetensors::Dtype::kF32);
    std::vector<float> found(expected.size());
    ASSERT_TRUE(reader->ReadAsFloat32("matrix", 0, absl::MakeSpan(found)).ok());
    EXPECT_TRUE(found == expected);
    if (sums == TensorFileWriter::Sums::kNone) continue;
    EXPECT_EQ(sum->tensors().at("matrix"),
              SumOf({reinterpret_cast<const char*>(expected.data()),
                     expected.size() * sizeof(float)}));
  }
}

TEST_F(TensorFileTest, PartsOfTensorsMakeTheSameFile) {
  const std::string whole = folder_.Read(kName);
  auto writer =
      TensorFileWriter::Create(*HeldDirectory::Open(folder_.path()), kName,
                               layouts_, TensorFileWriter::Sums::kOfTensors);
  ASSERT_TRUE(writer.ok()) << writer.status();
  for (const BlockLayout& layout : layouts_) {
    if (layout.file != kName) continue;
    const BlockTensor& tensor = layout.tensors.front();
    const std::byte* const bytes = block_.data() + tensor.offset_bytes;
    const int64_t first = tensor.size_bytes / 3;
    ASSERT_TRUE(writer->AppendPart(tensor, bytes, first).ok());
    ASSERT_TRUE(
        writer->AppendPart(tensor, bytes + first, tensor.size_bytes - first)
            .ok());
  }
  const auto sum = writer->Finish();
  ASSERT_TRUE(sum.ok()) << sum.status();
  EXPECT_EQ(sum->bytes(), wanted_.bytes());
  EXPECT_EQ(sum->tensors().size(), wanted_.tensors().size());
  for (const auto& [name, of_tensor] : wanted_.tensors()) {
    EXPECT_EQ(sum->tensors().at(name), of_tensor) << name;
  }
  EXPECT_EQ(folder_.Read(kName), whole);
}

}  // namespace
}  // namespace hydra
