#include "common/checkpoint/manifest_file.h"

#include <filesystem>
#include <string>

#include "common/checkpoint/tensor_sum.h"
#include "common/checkpoint/testing.h"
#include "common/file/scratch_directory.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using checkpoint::v1::Manifest;
using testing::HasSubstr;

class ManifestFileTest : public testing::Test {
 protected:
  absl::StatusOr<Manifest> Read() {
    return ReadManifest(*FileOpener::Make(folder_.path()));
  }

  // With the right sum.
  absl::StatusOr<Manifest> ReadJson(const std::string& json) {
    WriteFile(folder_.PathOf(kManifestFile), json);
    WriteFile(folder_.PathOf(kManifestSumFile), SumText(SumOf(json)) + "\n");
    return Read();
  }

  ScratchDirectory folder_;
};

TEST_F(ManifestFileTest, WhatIsWrittenIsRead) {
  Manifest manifest = SmallManifest();
  manifest.add_cut_points(1);
  manifest.add_cut_points(3);
  manifest.mutable_spec()->mutable_train()->set_learning_rate(0.1 + 0.2);
  manifest.mutable_spec()->mutable_train()->set_seed(~uint64_t{0});
  checkpoint::v1::FileSum* file = manifest.add_files();
  file->set_name("model.safetensors");
  file->set_bytes(int64_t{1} << 40);
  (*file->mutable_tensors())["a \"name\""] = ~uint64_t{0} - 1;
  const auto bytes =
      WriteManifest(*HeldDirectory::Open(folder_.path()), manifest);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_EQ(*bytes, 17 + ReadFile(folder_.PathOf(kManifestFile)).size());

  const auto read = Read();
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(
      google::protobuf::util::MessageDifferencer::Equals(*read, manifest));
  EXPECT_THAT(ReadFile(folder_.PathOf(kManifestFile)), HasSubstr("job_id"));
}

TEST_F(ManifestFileTest, EveryFlippedBitIsFound) {
  ASSERT_TRUE(
      WriteManifest(*HeldDirectory::Open(folder_.path()), SmallManifest())
          .ok());
  for (const char* name : {kManifestFile, kManifestSumFile}) {
    const std::string whole = ReadFile(folder_.PathOf(name));
    for (size_t bit = 0; bit < 8 * whole.size(); ++bit) {
      WriteFile(folder_.PathOf(name), WithBitFlipped(whole, bit));
      ASSERT_TRUE(absl::IsDataLoss(Read().status())) << name << " " << bit;
    }
    WriteFile(folder_.PathOf(name), whole);
  }
  EXPECT_TRUE(Read().ok());
}

TEST_F(ManifestFileTest, MissingFilesAreDataLoss) {
  EXPECT_TRUE(absl::IsDataLoss(Read().status()));
  WriteFile(folder_.PathOf(kManifestFile), "{\"format\":1}");
  EXPECT_TRUE(absl::IsDataLoss(Read().status()));
}

TEST_F(ManifestFileTest, MalformedManifestsAreRefused) {
  const std::string nested =
      "{\"format\":1,\"x\":" + std::string(1 << 20, '[') + "}";
  for (const std::string& json :
       {std::string(),
        std::string("{"),
        std::string("[]"),
        std::string("7"),
        std::string("{\"format\":2}"),
        std::string("{}"),
        std::string("{\"format\":1,\"unknown\":1}"),
        std::string("{\"format\":\"x\"}"),
        std::string("{\"format\":1e30}"),
        std::string("\xff\xfe{}", 4),
        nested,
        std::string("{\"format\":1,\"position\":{\"step\":-1}}"),
        std::string("{\"format\":1,\"position\":{\"task\":-1}}"),
        std::string("{\"format\":1,\"position\":{\"step\":1e40}}"),
        std::string("{\"format\":1,\"cut_points\":[2,2]}"),
        std::string("{\"format\":1,\"cut_points\":[-2]}"),
        std::string("{\"format\":1,\"files\":[{\"name\":\"a\",\"bytes\":-1}]}"),
        std::string("{\"format\":1,\"files\":[{\"name\":\"../a\"}]}"),
        std::string("{\"format\":1,\"files\":[{\"name\":\"..\"}]}"),
        std::string("{\"format\":1,\"files\":[{}]}"),
        std::string("{\"format\":1,\"files\":[{\"name\":\"a\\u0000\"}]}"),
        std::string(
            "{\"format\":1,\"files\":[{\"name\":\"a\"},{\"name\":\"a\"}]}")}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ReadJson(json).status()))
        << json.substr(0, 100) << ": " << ReadJson(json).status();
  }
  EXPECT_TRUE(ReadJson("{\"format\":1}").ok());
}

TEST_F(ManifestFileTest, AHugeManifestIsNotRead) {
  WriteFile(folder_.PathOf(kManifestFile), "");
  std::filesystem::resize_file(folder_.PathOf(kManifestFile),
                               kMaxManifestBytes + 1);
  EXPECT_THAT(Read().status().message(), HasSubstr("67108865 B"));
}

TEST_F(ManifestFileTest, WhatCouldNotBeReadIsNotWritten) {
  Manifest manifest = SmallManifest();
  manifest.mutable_position()->set_step(-1);
  EXPECT_TRUE(absl::IsInvalidArgument(
      WriteManifest(*HeldDirectory::Open(folder_.path()), manifest).status()));
  manifest = SmallManifest();
  manifest.set_job_id(std::string(kMaxManifestBytes, 'x'));
  EXPECT_TRUE(absl::IsInvalidArgument(
      WriteManifest(*HeldDirectory::Open(folder_.path()), manifest).status()));
  EXPECT_THAT(folder_.Names(), testing::IsEmpty());
}

}  // namespace
}  // namespace hydra
