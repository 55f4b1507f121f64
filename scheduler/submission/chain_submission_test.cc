// Jobs on an exported chain: where they are taken, and what does not go with
// one.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "common/hash/sha256.h"
#include "common/model/chain_config.h"
#include "common/safetensors/testing/tensor_files.h"
#include "scheduler/submission/submission.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

// Nobody runs it here.
constexpr char kCode[] = "code";

class ChainSubmissionTest : public ::testing::Test {
 protected:
  ChainSubmissionTest() {
    folder_.MakeDirectory("chain");
    folder_.Write("chain/layer_0.pt", kCode);
    folder_.Write("chain/chain.json", Chain().dump());
    safetensors::WriteTensors(
        folder_.PathOf("chain/model.safetensors"),
        {safetensors::TensorOf("0.weight", safetensors::Dtype::kF32, {3, 4},
                               std::vector<float>(12))});
    safetensors::WriteTensors(
        folder_.PathOf("rows.safetensors"),
        {safetensors::TensorOf("rows", safetensors::Dtype::kF32, {2, 4},
                               std::vector<float>(8)),
         safetensors::TensorOf("labels", safetensors::Dtype::kI64, {2},
                               std::vector<int64_t>(2))});
    job_.mutable_model()->set_path(folder_.PathOf("chain"));
    job_.mutable_data()->add_train_files(folder_.PathOf("rows.safetensors"));
    job_.mutable_data()->set_format(v1::DATA_FORMAT_TENSORS);
    job_.mutable_train()->set_max_steps(1);
    job_.mutable_train()->set_per_device_train_batch_size(1);
    job_.mutable_train()->set_learning_rate(0.1);
  }

  static nlohmann::json Chain() {
    return nlohmann::json::parse(absl::StrCat(
        R"({"model_type": "hydra_chain", "format": 1, "loss": "cross_entropy",
            "input": {"name": "rows", "shape": [4], "dtype": "float32"},
            "classes": 3, "layers": [{"op": "Linear", "file": "layer_0.pt",
            "output": [3], "sha256": ")",
        HexSha256(kCode),
        R"(", "parameters": [{"name": "0.weight", "shape": [3, 4],
            "attributes": ["weight"]}]}]})"));
  }

  absl::StatusOr<std::vector<NewJob>> Check(bool is_allowed = true) const {
    v1::SubmitRequest request;
    *request.mutable_job() = job_;
    return SubmissionChecker(PathPolicy({}, {folder_.path()}), folder_.path(),
                             is_allowed)
        .Check(request);
  }

  // "field: description"
  std::vector<std::string> Refusal(bool is_allowed = true) const {
    std::vector<std::string> lines;
    for (const Mistake& mistake : MistakesOf(Check(is_allowed).status())) {
      lines.push_back(
          absl::StrCat(mistake.field(), ": ", mistake.description()));
    }
    return lines;
  }

  ScratchDirectory folder_;
  v1::JobSpec job_;
};

TEST_F(ChainSubmissionTest, TakesAGoodJobWithoutAWord) {
  const auto jobs = Check();
  ASSERT_TRUE(jobs.ok()) << jobs.status();
  EXPECT_THAT(jobs->front().warnings, IsEmpty());
  EXPECT_EQ(jobs->front().table->config_names.file, kChainFile);
  EXPECT_EQ(*jobs->front().model_config_json, Chain().dump());
}

TEST_F(ChainSubmissionTest, IsRefusedWhereCodeMayNotRun) {
  EXPECT_THAT(Refusal(/*is_allowed=*/false),
              ElementsAre(AllOf(StartsWith("model.path: "),
                                HasSubstr("allow_exported_chains: true"),
                                HasSubstr("whoever administers it"))));
}

TEST_F(ChainSubmissionTest, NoCodeIsReadWhereItMayNotRun) {
  folder_.Write("chain/layer_0.pt", "other code");
  EXPECT_THAT(Refusal(/*is_allowed=*/false),
              ElementsAre(HasSubstr("allow_exported_chains: true")));
}

// Of holes, which take no room.
TEST_F(ChainSubmissionTest, LayersFilesOfMoreThanAGibibyteAreRefused) {
  const int64_t bytes = kMaxLayerFileBytes;
  const std::string sum = HexSha256(std::string(bytes, '\0'));
  nlohmann::json chain = Chain();
  nlohmann::json layer = chain["layers"][0];
  layer["sha256"] = sum;
  chain["layers"] = nlohmann::json::array();
  for (int64_t i = 0; i <= (int64_t{1} << 30) / bytes; ++i) {
    const std::string file = absl::StrCat("layer_", i, ".pt");
    folder_.Write(absl::StrCat("chain/", file), "");
    std::filesystem::resize_file(folder_.PathOf(absl::StrCat("chain/", file)),
                                 bytes);
    layer["file"] = file;
    chain["layers"].push_back(layer);
  }
  folder_.Write("chain/chain.json", chain.dump());
  EXPECT_THAT(Refusal(),
              ElementsAre("model.path: the files of its layers have more than "
                          "1073741824 B in all"));
}

TEST_F(ChainSubmissionTest, WhatHydrasOwnLayersHaveIsRefused) {
  job_.mutable_model()->set_init(v1::INITIALIZATION_RANDOM);
  job_.mutable_train()->set_dropout(0.1);
  job_.mutable_train()->set_bf16(true);
  job_.mutable_model()->set_trained_dtype(v1::PARAMETER_TYPE_BFLOAT16);
  EXPECT_THAT(Refusal(),
              UnorderedElementsAre(StartsWith("model.init: found random"),
                                   StartsWith("train.dropout: found 0.1"),
                                   StartsWith("train.bf16: found true"),
                                   StartsWith("model.trained_dtype: found")));
}

TEST_F(ChainSubmissionTest, ProductsOfFloat16AreRefused) {
  job_.mutable_train()->set_fp16(true);
  EXPECT_THAT(Refusal(), ElementsAre(StartsWith("train.fp16: found true")));
}

TEST_F(ChainSubmissionTest, HasNoMapsForAdapters) {
  job_.mutable_lora()->set_r(2);
  EXPECT_THAT(Refusal(), ElementsAre(HasSubstr("no linear maps to adapt")));
}

TEST_F(ChainSubmissionTest, AFileThatChangedOrIsMissingIsNamed) {
  folder_.Write("chain/layer_0.pt", "other code");
  EXPECT_THAT(Refusal(),
              ElementsAre(AllOf(HasSubstr("chain/layer_0.pt is not the file "
                                          "that was exported"),
                                HasSubstr(HexSha256(kCode)))));
  nlohmann::json chain = Chain();
  chain["layers"][0]["file"] = "layer_1.pt";
  folder_.Write("chain/chain.json", chain.dump());
  EXPECT_THAT(Refusal(), ElementsAre(HasSubstr("chain/layer_1.pt")));
}

TEST_F(ChainSubmissionTest, MistakesOfTheFileAreNamed) {
  nlohmann::json chain = Chain();
  chain["loss"] = "mse";
  chain["layers"][0].erase("op");
  folder_.Write("chain/chain.json", chain.dump());
  EXPECT_THAT(Refusal(),
              ElementsAre(HasSubstr("chain.json: loss: found \"mse\""),
                          HasSubstr("chain.json: layers[0].op: missing")));
}

TEST_F(ChainSubmissionTest, WeightsThatAreNotTheChainsAreNamed) {
  nlohmann::json chain = Chain();
  chain["layers"][0]["parameters"][0]["shape"] = {3, 5};
  folder_.Write("chain/chain.json", chain.dump());
  EXPECT_THAT(Refusal(),
              ElementsAre(HasSubstr("not the shape that chain.json asks for")));
}

TEST_F(ChainSubmissionTest, AConfigJsonDescribesNoChain) {
  folder_.Write("chain/config.json", Chain().dump());
  EXPECT_THAT(Refusal(),
              ElementsAre(AllOf(HasSubstr("chain/config.json"),
                                HasSubstr("has a chain.json in its place"))));
}

TEST_F(ChainSubmissionTest, DataMustBeWhatTheChainTakes) {
  job_.mutable_data()->set_format(v1::DATA_FORMAT_TOKENS_U16);
  EXPECT_THAT(Refusal(),
              Contains(HasSubstr("the chain takes rows, [4] of safetensors")));
}

}  // namespace
}  // namespace hydra
