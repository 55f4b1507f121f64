#include "common/safetensors/weight_directory.h"

#include <filesystem>
#include <string>
#include <vector>

#include "common/file/scratch_directory.h"
#include "common/safetensors/writer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra::safetensors {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Writes a file of F32 scalars: the names, with the values 1, 2, ...
void WriteScalars(const std::string& path,
                  const std::vector<std::string>& names) {
  std::vector<TensorSpec> tensors;
  for (const std::string& name : names) {
    tensors.push_back({name, Dtype::kF32, {}});
  }
  absl::StatusOr<std::unique_ptr<Writer>> writer =
      Writer::Create(path, tensors);
  ASSERT_TRUE(writer.ok()) << writer.status();
  float value = 0;
  for (const std::string& name : names) {
    ++value;
    ASSERT_TRUE((*writer)->Append(name, &value, sizeof(value)).ok());
  }
  ASSERT_TRUE((*writer)->Finish().ok());
}

class WeightDirectoryTest : public testing::Test {
 protected:
  // Two shards, "a" and "c" in the first, "b" in the second.
  void WriteShards(absl::string_view weight_map) {
    WriteScalars(directory_.PathOf("1.safetensors"), {"c", "a"});
    WriteScalars(directory_.PathOf("2.safetensors"), {"b"});
    directory_.Write("model.safetensors.index.json",
                     R"({"metadata":{"total_size":12},"weight_map":{)" +
                         std::string(weight_map) + "}}");
  }

  absl::Status OpenStatus(const WeightDirectoryOptions& options = {}) {
    return WeightDirectory::Open(directory_.path(), options).status();
  }

  ScratchDirectory directory_;
};

constexpr char kGoodMap[] =
    R"("a":"1.safetensors","b":"2.safetensors","c":"1.safetensors")";

TEST_F(WeightDirectoryTest, OneFileIsRead) {
  WriteScalars(directory_.PathOf("model.safetensors"), {"b", "a"});
  const auto weights = WeightDirectory::Open(directory_.path());
  ASSERT_TRUE(weights.ok()) << weights.status();
  ASSERT_EQ(weights->weights().size(), 2);
  EXPECT_EQ(weights->weights()[0].tensor->name, "a");
  float value;
  ASSERT_TRUE(weights->Read("a", 0, sizeof(value), &value).ok());
  EXPECT_EQ(value, 2);
}

TEST_F(WeightDirectoryTest, ShardsAreOneModel) {
  WriteShards(kGoodMap);
  const auto weights = WeightDirectory::Open(directory_.path());
  ASSERT_TRUE(weights.ok()) << weights.status();
  std::vector<std::string> files;
  std::vector<float> values;
  for (const Weight& weight : weights->weights()) {
    files.push_back(weight.file->path());
    float value;
    ASSERT_TRUE(
        weights
            ->ReadAsFloat32(weight.tensor->name, 0, absl::MakeSpan(&value, 1))
            .ok());
    values.push_back(value);
  }
  EXPECT_THAT(files, ElementsAre(directory_.PathOf("1.safetensors"),
                                 directory_.PathOf("2.safetensors"),
                                 directory_.PathOf("1.safetensors")));
  EXPECT_THAT(values, ElementsAre(2, 1, 1));
  EXPECT_EQ(weights->Find("c")->tensor->dtype, Dtype::kF32);
  EXPECT_EQ(weights->Find("d"), nullptr);
  EXPECT_EQ(weights->Read("d", 0, 0, nullptr),
            absl::NotFoundError(directory_.path() + " has no tensor 'd'"));
}

TEST_F(WeightDirectoryTest, TheSingleFileGoesBeforeTheIndex) {
  WriteShards(kGoodMap);
  WriteScalars(directory_.PathOf("model.safetensors"), {"only"});
  const auto weights = WeightDirectory::Open(directory_.path());
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_NE(weights->Find("only"), nullptr);
  EXPECT_EQ(weights->Find("a"), nullptr);
}

TEST_F(WeightDirectoryTest, NoWeightsAndNoDirectoryAreNotFound) {
  EXPECT_EQ(OpenStatus(),
            absl::NotFoundError(directory_.path() +
                                " has neither model.safetensors nor "
                                "model.safetensors.index.json"));
  EXPECT_TRUE(
      absl::IsNotFound(WeightDirectory::Open("/no/such/place").status()));
}

TEST_F(WeightDirectoryTest, AMissingShardIsNamedWithItsEntry) {
  WriteShards(R"("a":"1.safetensors","b":"3.safetensors")"
              R"(,"c":"1.safetensors")");
  const absl::Status status = OpenStatus();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(status.message(),
              HasSubstr("model.safetensors.index.json entry 'b': cannot open " +
                        directory_.PathOf("3.safetensors")));
}

TEST_F(WeightDirectoryTest, ATensorThatItsShardLacksIsNamed) {
  WriteShards(std::string(kGoodMap) + R"(,"d":"2.safetensors")");
  EXPECT_EQ(OpenStatus(),
            absl::InvalidArgumentError(
                "model.safetensors.index.json entry 'd': " +
                directory_.PathOf("2.safetensors") + " has no such tensor"));
}

TEST_F(WeightDirectoryTest, ATensorThatTheIndexLacksIsThereAllTheSame) {
  WriteShards(R"("a":"1.safetensors","b":"2.safetensors")");
  const auto weights = WeightDirectory::Open(directory_.path());
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_NE(weights->Find("c"), nullptr);
}

TEST_F(WeightDirectoryTest, ATensorInTwoFilesNeedsTheIndexToSayWhich) {
  WriteShards(R"("a":"1.safetensors","b":"2.safetensors")");
  WriteScalars(directory_.PathOf("2.safetensors"), {"b", "c"});
  const absl::Status status = OpenStatus();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("both have tensor 'c'"));
}

TEST_F(WeightDirectoryTest, AFileThatIsSomethingElseIsCalledByItsName) {
  constexpr char kPointer[] =
      "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
  directory_.Write("model.safetensors", kPointer);
  EXPECT_THAT(OpenStatus().message(),
              HasSubstr("model.safetensors is a Git LFS pointer; "));
  directory_.Write("model.safetensors", "<!doctype html><title>Sign in");
  EXPECT_THAT(OpenStatus().message(), HasSubstr("is an HTML page"));
  std::filesystem::remove(directory_.PathOf("model.safetensors"));
  directory_.Write("model.safetensors.index.json", kPointer);
  EXPECT_THAT(OpenStatus().message(),
              HasSubstr("index.json is a Git LFS pointer; "));
}

TEST_F(WeightDirectoryTest, WeightsInAnotherFormatAreNamedWithTheWayOut) {
  directory_.Write("pytorch_model.bin", "PK");
  const absl::Status status = OpenStatus();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(status.message(),
              HasSubstr("it has pytorch_model.bin, which has to be converted"));
}

TEST_F(WeightDirectoryTest, ATensorThatTheIndexHasElsewhereIsNamed) {
  WriteShards(kGoodMap);
  WriteScalars(directory_.PathOf("2.safetensors"), {"b", "a"});
  EXPECT_EQ(OpenStatus(),
            absl::InvalidArgumentError(
                directory_.PathOf("2.safetensors") +
                " has tensor 'a', model.safetensors.index.json has it in "
                "1.safetensors"));
}

TEST_F(WeightDirectoryTest, IndexEntriesThatLeaveTheDirectoryAreRefused) {
  WriteShards(R"("a":"../../etc/passwd")");
  const absl::Status status = OpenStatus();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(),
              HasSubstr(directory_.PathOf("model.safetensors.index.json") +
                        ": weight_map entry 'a': '../../etc/passwd'"));
}

TEST_F(WeightDirectoryTest, ABrokenShardIsNamedWithItsEntry) {
  WriteShards(kGoodMap);
  directory_.Write("2.safetensors", "short");
  const absl::Status status = OpenStatus();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("entry 'b'"));
  EXPECT_THAT(status.message(), HasSubstr("the file has 5 B"));
}

TEST_F(WeightDirectoryTest, LinksOutOfTheDirectoryNeedAnAllowedRoot) {
  ScratchDirectory blobs;
  WriteShards(kGoodMap);
  WriteScalars(blobs.PathOf("5f8e"), {"b"});
  std::filesystem::remove(directory_.PathOf("2.safetensors"));
  std::filesystem::create_symlink(blobs.PathOf("5f8e"),
                                  directory_.PathOf("2.safetensors"));

  const absl::Status status = OpenStatus();
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(status.message(), HasSubstr("entry 'b'"));
  EXPECT_THAT(status.message(), HasSubstr("leads to " + blobs.path()));
  EXPECT_TRUE(OpenStatus({{directory_.path(), blobs.path()}}).ok());
  EXPECT_TRUE(absl::IsPermissionDenied(OpenStatus({{blobs.path()}})));
}

TEST_F(WeightDirectoryTest, TheCacheOfHuggingFaceIsReadThroughItsLinks) {
  directory_.MakeDirectory("blobs");
  directory_.MakeDirectory("snapshots");
  directory_.MakeDirectory("snapshots/main");
  WriteScalars(directory_.PathOf("blobs/5f8e"), {"a"});
  std::filesystem::create_symlink(
      "../../blobs/5f8e",
      directory_.PathOf("snapshots/main/model.safetensors"));
  const std::string model = directory_.PathOf("snapshots/main");

  EXPECT_TRUE(absl::IsPermissionDenied(WeightDirectory::Open(model).status()));
  const WeightDirectoryOptions options{{directory_.PathOf("blobs")}};
  EXPECT_TRUE(WeightDirectory::Open(model, options).ok());
}

TEST_F(WeightDirectoryTest, AnIndexOutsideOfTheDirectoryIsRefusedToo) {
  ScratchDirectory elsewhere;
  std::filesystem::create_symlink(
      elsewhere.Write("index", R"({"weight_map":{}})"),
      directory_.PathOf("model.safetensors.index.json"));
  EXPECT_TRUE(absl::IsPermissionDenied(OpenStatus()));
}

}  // namespace
}  // namespace hydra::safetensors
