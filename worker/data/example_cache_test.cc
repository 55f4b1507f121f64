#include "worker/data/example_cache.h"

#include <cmath>
#include <filesystem>
#include <iterator>
#include <limits>
#include <numeric>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "common/safetensors/testing/tensor_files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/data/example_file.h"
#include "worker/task/task_control.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

using safetensors::Dtype;
using safetensors::FileTensor;
using safetensors::TensorOf;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Of an example.
constexpr int kNumbers = 6;

ExampleInput Input() { return {"pixel_values", {1, 2, 3}, 5}; }

FileTensor Pixels(int count, float first = 0) {
  std::vector<float> numbers(count * kNumbers);
  std::iota(numbers.begin(), numbers.end(), first);
  return TensorOf("pixel_values", Dtype::kF32, {count, 1, 2, 3}, numbers);
}

FileTensor Labels(const std::vector<int64_t>& labels) {
  return TensorOf("labels", Dtype::kI64, {static_cast<int64_t>(labels.size())},
                  labels);
}

class ExampleCacheTest : public ::testing::Test {
 protected:
  ExampleCacheTest()
      : root_(absl::StrCat(
            ::testing::TempDir(), "/examples-",
            ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::remove_all(root_);
    fs::create_directories(root_);
  }

  std::string Write(const std::string& name,
                    const std::vector<FileTensor>& tensors) const {
    const std::string path = absl::StrCat(root_, "/", name);
    safetensors::WriteTensors(path, tensors);
    return path;
  }

  absl::StatusOr<PreparedExamples> Prepare(
      const std::vector<std::string>& files) const {
    ExampleRequest request;
    request.cache_dir = absl::StrCat(root_, "/cache");
    request.files = files;
    request.input = Input();
    TaskControl control;
    return PrepareExamples(request, control);
  }

  // Of a file with these tensors.
  std::string ErrorOf(const std::vector<FileTensor>& tensors) const {
    const absl::Status status = Prepare({Write("bad", tensors)}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(status.message(), HasSubstr("/bad: "));
    // Nothing half-made is left.
    EXPECT_EQ(CachedFiles(), 0);
    return std::string(status.message());
  }

  int CachedFiles() const {
    const std::string cache = absl::StrCat(root_, "/cache");
    if (!fs::exists(cache)) return 0;
    return static_cast<int>(
        std::distance(fs::directory_iterator(cache), fs::directory_iterator()));
  }

  const std::string root_;
};

std::vector<float> NumbersOf(const ExampleFile& file, int64_t example) {
  std::vector<float> numbers(file.element_count());
  EXPECT_TRUE(file.Read(example, absl::MakeSpan(numbers)).ok());
  return numbers;
}

TEST_F(ExampleCacheTest, ExamplesOfAllFilesFollowEachOther) {
  const auto prepared =
      Prepare({Write("a", {Pixels(2), Labels({3, 1})}),
               Write("b", {Labels({4}), Pixels(1, /*first=*/100)})});
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  EXPECT_EQ(prepared->example_count, 3);
  EXPECT_FALSE(prepared->reused);
  const auto file = ExampleFile::Open(prepared->path);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->example_count(), 3);
  EXPECT_THAT(NumbersOf(*file, 0), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(NumbersOf(*file, 1), ElementsAre(6, 7, 8, 9, 10, 11));
  EXPECT_THAT(NumbersOf(*file, 2), ElementsAre(100, 101, 102, 103, 104, 105));
  EXPECT_EQ(*file->ReadClass(0), 3);
  EXPECT_EQ(*file->ReadClass(1), 1);
  EXPECT_EQ(*file->ReadClass(2), 4);
}

TEST_F(ExampleCacheTest, EveryTypeOfNumberIsReadAsItIs) {
  const FileTensor labels = TensorOf<int32_t>("labels", Dtype::kI32, {1}, {2});
  const std::vector<uint16_t> halves = {0, 0x3c00, 0xc000, 0x3555, 1, 0x7bff};
  const auto half = Prepare({Write(
      "half",
      {TensorOf("pixel_values", Dtype::kF16, {1, 1, 2, 3}, halves), labels})});
  ASSERT_TRUE(half.ok()) << half.status();
  EXPECT_THAT(
      NumbersOf(*ExampleFile::Open(half->path), 0),
      ElementsAre(0, 1, -2, 0.333251953125f, std::ldexp(1.0f, -24), 65504));
  const std::vector<uint16_t> brains = {0, 0x3f80, 0xc000, 0x3eab, 1, 0x7f7f};
  const auto brain = Prepare({Write(
      "brain",
      {TensorOf("pixel_values", Dtype::kBF16, {1, 1, 2, 3}, brains), labels})});
  ASSERT_TRUE(brain.ok()) << brain.status();
  EXPECT_EQ(NumbersOf(*ExampleFile::Open(brain->path), 0)[3], 0.333984375f);
  const std::vector<uint8_t> bytes = {0, 1, 51, 127, 254, 255};
  const auto byte = Prepare(
      {Write("byte", {TensorOf("pixel_values", Dtype::kU8, {1, 1, 2, 3}, bytes),
                      labels})});
  ASSERT_TRUE(byte.ok()) << byte.status();
  const auto file = ExampleFile::Open(byte->path);
  EXPECT_THAT(NumbersOf(*file, 0),
              ElementsAre(0, 1 / 255.0f, 0.2f, 127 / 255.0f, 254 / 255.0f, 1));
  EXPECT_EQ(*file->ReadClass(0), 2);
}

TEST_F(ExampleCacheTest, TheSameContentIsPreparedOnce) {
  const std::vector<FileTensor> tensors = {Pixels(2), Labels({3, 1})};
  const auto first = Prepare({Write("a", tensors)});
  ASSERT_TRUE(first.ok()) << first.status();
  const auto again = Prepare({Write("elsewhere", tensors)});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->reused);
  EXPECT_EQ(again->path, first->path);
  const auto other = Prepare({Write("b", {Pixels(2), Labels({3, 2})})});
  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_NE(other->path, first->path);
  EXPECT_EQ(CachedFiles(), 2);
}

TEST_F(ExampleCacheTest, WhoeverPreparesTheSameAtOnceSharesIt) {
  const std::string path = Write("a", {Pixels(3), Labels({3, 1, 0})});
  std::vector<std::thread> threads;
  std::vector<absl::StatusOr<PreparedExamples>> prepared(
      4, absl::UnknownError("not yet"));
  for (auto& one : prepared) {
    threads.emplace_back([&] { one = Prepare({path}); });
  }
  for (std::thread& thread : threads) thread.join();
  int made = 0;
  for (const auto& one : prepared) {
    ASSERT_TRUE(one.ok()) << one.status();
    EXPECT_EQ(one->path, prepared.front()->path);
    made += one->reused ? 0 : 1;
  }
  EXPECT_EQ(made, 1);
  EXPECT_EQ(CachedFiles(), 1);
}

TEST_F(ExampleCacheTest, ADamagedFileIsMadeAnew) {
  const std::string path = Write("a", {Pixels(2), Labels({3, 1})});
  const auto first = Prepare({path});
  ASSERT_TRUE(first.ok()) << first.status();
  const std::string whole = ReadFile(first->path);
  for (std::string damaged :
       {whole.substr(0, whole.size() - 1), whole.substr(0, 5), whole}) {
    if (damaged.size() == whole.size()) damaged.back() ^= 1;
    WriteFile(first->path, damaged);
    const auto again = Prepare({path});
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_FALSE(again->reused);
    EXPECT_EQ(ReadFile(first->path), whole);
  }
}

TEST_F(ExampleCacheTest, WhatAKilledCallLeftIsBegunAnew) {
  const std::string path = Write("a", {Pixels(2), Labels({3, 1})});
  const auto first = Prepare({path});
  ASSERT_TRUE(first.ok()) << first.status();
  const std::string whole = ReadFile(first->path);
  fs::remove(first->path);
  WriteFile(first->path + ".tmp", std::string(1000, 'x'));
  const auto again = Prepare({path});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(ReadFile(again->path), whole);
  EXPECT_EQ(CachedFiles(), 1);
}

TEST_F(ExampleCacheTest, AStoppedCallLeavesNothing) {
  ExampleRequest request;
  request.cache_dir = absl::StrCat(root_, "/cache");
  request.files = {Write("a", {Pixels(2), Labels({3, 1})})};
  request.input = Input();
  TaskControl control;
  control.Stop();
  EXPECT_TRUE(absl::IsAborted(PrepareExamples(request, control).status()));
  EXPECT_EQ(CachedFiles(), 0);
}

TEST_F(ExampleCacheTest, NamesWhatATensorShouldBe) {
  EXPECT_THAT(
      ErrorOf({Labels({1})}),
      HasSubstr("has no tensor pixel_values; the model takes [examples, 1, 2, "
                "3]"));
  EXPECT_THAT(ErrorOf({Pixels(1)}), HasSubstr("has no tensor labels"));
  EXPECT_THAT(
      ErrorOf({TensorOf<float>("pixel_values", Dtype::kF32, {1, 2, 3},
                               std::vector<float>(6)),
               TensorOf<float>("labels", Dtype::kF32, {1}, {1})}),
      AllOf(HasSubstr("pixel_values: found the shape [1, 2, 3]; the model "
                      "takes [examples, 1, 2, 3]"),
            HasSubstr("labels: found the type F32; I64 or I32 is needed")));
  EXPECT_THAT(
      ErrorOf({TensorOf<double>("pixel_values", Dtype::kF64, {1, 1, 2, 3},
                                std::vector<double>(6)),
               Labels({1})}),
      HasSubstr("pixel_values: found the type F64; F32, F16, BF16 or U8"));
  EXPECT_THAT(ErrorOf({Pixels(2), Labels({1, 2, 3})}),
              HasSubstr("pixel_values has 2 examples, and labels 3"));
  EXPECT_THAT(ErrorOf({Pixels(0), Labels({})}), HasSubstr("has no examples"));
}

TEST_F(ExampleCacheTest, NamesTheExampleThatIsWrong) {
  EXPECT_THAT(ErrorOf({Pixels(3), Labels({0, 4, 5})}),
              HasSubstr("labels: example 2 has class 5; the model has classes "
                        "0 to 4"));
  EXPECT_THAT(ErrorOf({Pixels(3), Labels({0, -100, 1})}),
              HasSubstr("labels: example 1 has class -100"));
  for (float number : {std::numeric_limits<float>::quiet_NaN(),
                       -std::numeric_limits<float>::infinity()}) {
    std::vector<float> numbers(2 * kNumbers, 1);
    numbers[kNumbers + 4] = number;
    EXPECT_THAT(
        ErrorOf({TensorOf("pixel_values", Dtype::kF32, {2, 1, 2, 3}, numbers),
                 Labels({0, 1})}),
        HasSubstr("pixel_values: number 4 of example 1 is infinite or "
                  "no number"));
  }
  std::vector<uint16_t> halves(kNumbers);
  halves[1] = 0x7c01;
  EXPECT_THAT(
      ErrorOf({TensorOf("pixel_values", Dtype::kF16, {1, 1, 2, 3}, halves),
               Labels({0})}),
      HasSubstr("number 1 of example 0"));
  halves[1] = 0xff80;
  EXPECT_THAT(
      ErrorOf({TensorOf("pixel_values", Dtype::kBF16, {1, 1, 2, 3}, halves),
               Labels({0})}),
      HasSubstr("number 1 of example 0"));
}

TEST_F(ExampleCacheTest, FilesOfASplitHaveOneType) {
  const absl::Status status =
      Prepare({Write("a", {Pixels(1), Labels({0})}),
               Write("b", {TensorOf("pixel_values", Dtype::kU8, {1, 1, 2, 3},
                                    std::vector<uint8_t>(6)),
                           Labels({0})})})
          .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(),
              AllOf(HasSubstr("/b: pixel_values has the type U8"),
                    HasSubstr("/a F32")));
}

TEST_F(ExampleCacheTest, TensorsThatAreNotReadAreNamed) {
  const auto prepared = Prepare(
      {Write("a", {Pixels(1), Labels({0}),
                   TensorOf<float>("weights", Dtype::kF32, {1}, {1})})});
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  EXPECT_THAT(prepared->warnings,
              ElementsAre(HasSubstr("/a: not read are the tensors")));
  EXPECT_THAT(prepared->warnings.front(), HasSubstr("weights"));
}

TEST_F(ExampleCacheTest, OtherFilesAreNamed) {
  const std::string text = absl::StrCat(root_, "/text");
  WriteFile(text, "no tensors at all, but a text that is long enough");
  EXPECT_EQ(Prepare({text}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Prepare({text}).status().message(), HasSubstr(text));
  const std::string missing = absl::StrCat(root_, "/missing");
  EXPECT_TRUE(absl::IsNotFound(Prepare({missing}).status()));
  EXPECT_EQ(Prepare({}).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace hydra
