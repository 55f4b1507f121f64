#include "common/model/chain_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Json = nlohmann::ordered_json;

std::string Digest(char digit) { return std::string(64, digit); }

// Two layers, which share a matrix.
Json Chain() {
  const Json shared = {{"name", "mix.weight"},
                       {"shape", {8, 8}},
                       {"attributes", {"weight", "inner.0.weight"}}};
  return {
      {"model_type", "hydra_chain"},
      {"format", 1},
      {"loss", "cross_entropy"},
      {"input", {{"name", "pixels"}, {"shape", {2, 4}}, {"dtype", "float32"}}},
      {"classes", 3},
      {"layers",
       Json::array(
           {{{"op", "Mixer"},
             {"file", "layer_0.pt"},
             {"sha256", Digest('0')},
             {"output", {8}},
             {"parameters", Json::array({shared})}},
            {{"op", "Linear"},
             {"file", "layer_1.pt"},
             {"sha256", Digest('a')},
             {"output", Json::array({3})},
             {"parameters",
              Json::array({shared,
                           {{"name", "1.gain"},
                            {"shape", Json::array()},
                            {"attributes", Json::array({"gain"})}}})}}})}};
}

TEST(ChainConfigTest, ReadsAllOfIt) {
  const auto chain = ParseChainConfig(Chain().dump());
  ASSERT_TRUE(chain.ok()) << chain.status();
  EXPECT_EQ(chain->input_name, "pixels");
  EXPECT_THAT(chain->input_shape, ElementsAre(2, 4));
  EXPECT_EQ(chain->classes, 3);
  ASSERT_EQ(chain->layers.size(), 2);
  const ChainLayer& layer = chain->layers[1];
  EXPECT_EQ(layer.op, "Linear");
  EXPECT_EQ(layer.file, "layer_1.pt");
  EXPECT_EQ(layer.sha256, Digest('a'));
  EXPECT_THAT(layer.output, ElementsAre(3));
  ASSERT_EQ(layer.parameters.size(), 2);
  EXPECT_EQ(layer.parameters[0].name, "mix.weight");
  EXPECT_THAT(layer.parameters[0].shape, ElementsAre(8, 8));
  EXPECT_THAT(layer.parameters[0].attributes,
              ElementsAre("weight", "inner.0.weight"));
  EXPECT_THAT(layer.parameters[1].shape, IsEmpty());
}

// A change of the chain, and what is said of it.
struct Mistake {
  std::function<void(Json&)> make;
  std::string message;
};

Json& Layer(Json& chain, int layer) { return chain["layers"][layer]; }
Json& Parameter(Json& chain, int layer, int parameter) {
  return Layer(chain, layer)["parameters"][parameter];
}

TEST(ChainConfigTest, NamesTheFieldOfEveryMistake) {
  const std::vector<Mistake> mistakes = {
      {[](Json& c) { c.erase("loss"); }, "loss: missing"},
      {[](Json& c) { c["loss"] = "mse"; },
       "loss: found \"mse\"; only \"cross_entropy\" is supported"},
      {[](Json& c) { c["model_type"] = "vit"; }, "model_type: found \"vit\""},
      {[](Json& c) { c["extra"] = 1; }, "\"extra\": unknown; there are "},
      {[](Json& c) { c.erase("format"); }, "format: missing"},
      {[](Json& c) { c["format"] = 2; }, "format: found 2; this Hydra reads 1"},
      {[](Json& c) { c["classes"] = 1; },
       "classes: found 1; at least 2 are needed"},
      {[](Json& c) { c["classes"] = "3"; }, "classes: found \"3\""},
      {[](Json& c) { c.erase("classes"); }, "classes: missing"},
      {[](Json& c) {
         c["label2id"] = {{"cat", 3}};
       },
       "label2id: 'cat' has the number 3; the model has classes 0 to 2"},
      {[](Json& c) { c["classes"] = 4; },
       "layers[1].output: found [3]; the last layer makes one number for each "
       "of the 4 classes"},
      {[](Json& c) { c["input"] = "pixels"; },
       "input: found \"pixels\"; an object is needed"},
      {[](Json& c) { c["input"].erase("dtype"); }, "input.dtype: missing"},
      {[](Json& c) { c["input"]["dtype"] = "int64"; },
       "input.dtype: found \"int64\""},
      {[](Json& c) { c["input"]["name"] = ""; }, "input.name: found \"\""},
      {[](Json& c) { c["input"]["name"] = "labels"; },
       "input.name: found \"labels\""},
      {[](Json& c) { c["input"]["shape"] = Json::array(); },
       "input.shape: a list of 1 to 8 integers"},
      {[](Json& c) {
         c["input"]["shape"] = {2, 0};
       },
       "input.shape: a list"},
      {[](Json& c) {
         c["input"]["shape"] = {2, -1};
       },
       "input.shape: a list"},
      {[](Json& c) {
         c["input"]["shape"] = {1 << 24, 1 << 24};
       },
       "input.shape: a tensor has at most"},
      // 2^64: a product that is 0 in 64 bits.
      {[](Json& c) {
         c["input"]["shape"] = {1 << 24, 1 << 16, 1 << 24};
       },
       "input.shape: a tensor has at most"},
      {[](Json& c) {
         Parameter(c, 0, 0)["shape"] = {1 << 24, 1 << 16, 1 << 24};
       },
       "layers[0].parameters[0].shape: a tensor has at most"},
      {[](Json& c) { c["layers"] = Json::array(); },
       "layers: found 0; 1 to 10000 are possible"},
      {[](Json& c) { c["layers"] = 3; }, "layers: found 3; a list of objects"},
      {[](Json& c) { c["layers"][0] = 3; },
       "layers[0]: found 3; an object is needed"},
      {[](Json& c) { Layer(c, 0).erase("op"); }, "layers[0].op: missing"},
      {[](Json& c) { Layer(c, 0)["op"] = "a\nb"; }, "layers[0].op: found"},
      {[](Json& c) { Layer(c, 1)["name"] = "x"; },
       "layers[1].\"name\": unknown"},
      {[](Json& c) { Layer(c, 1)["file"] = "../layer.pt"; },
       "layers[1].file: found \"../layer.pt\"; the plain name of a .pt file"},
      {[](Json& c) { Layer(c, 1)["file"] = "model.safetensors"; },
       "layers[1].file: found"},
      {[](Json& c) { Layer(c, 1)["file"] = ".pt"; }, "layers[1].file: found"},
      {[](Json& c) { Layer(c, 1)["sha256"] = "abc"; },
       "layers[1].sha256: found \"abc\"; 64 lower-case hexadecimal digits"},
      {[](Json& c) { Layer(c, 1)["sha256"] = Digest('A'); },
       "layers[1].sha256: found"},
      {[](Json& c) { Layer(c, 1)["file"] = "layer_0.pt"; },
       "layers[1].sha256: another layer has layer_0.pt with another one"},
      {[](Json& c) { Layer(c, 0)["output"] = 8; },
       "layers[0].output: found 8; a list of sizes is needed"},
      {[](Json& c) { Layer(c, 0)["parameters"] = Json::array(); },
       "layers[0].parameters: found 0; 1 to"},
      {[](Json& c) { Parameter(c, 0, 0).erase("shape"); },
       "layers[0].parameters[0].shape: missing"},
      {[](Json& c) {
         Parameter(c, 0, 0)["shape"] = {8, 4};
       },
       "layers[1].parameters[0]: another layer has mix.weight with another "
       "shape"},
      {[](Json& c) { Parameter(c, 0, 0)["shape"] = {1.5}; },
       "layers[0].parameters[0].shape: a list of 0 to 8"},
      {[](Json& c) { Parameter(c, 1, 1)["name"] = "mix.weight"; },
       "layers[1].parameters[1]: the layer has mix.weight twice"},
      {[](Json& c) { Parameter(c, 1, 1)["name"] = 7; },
       "layers[1].parameters[1].name: found 7; a text is needed"},
      {[](Json& c) { Parameter(c, 1, 1)["attributes"] = Json::array(); },
       "layers[1].parameters[1].attributes: the names of at least one"},
      {[](Json& c) { Parameter(c, 1, 1)["attributes"] = {"a..b"}; },
       "layers[1].parameters[1].attributes: the names"},
      {[](Json& c) { Parameter(c, 1, 1)["attributes"] = {"weight"}; },
       "layers[1].parameters[1]: the layer has the attribute weight twice"},
  };
  ASSERT_TRUE(ParseChainConfig(Chain().dump()).ok());
  for (const Mistake& mistake : mistakes) {
    Json chain = Chain();
    mistake.make(chain);
    const absl::Status status = ParseChainConfig(chain.dump()).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument)
        << mistake.message;
    EXPECT_THAT(std::string(status.message()), HasSubstr(mistake.message));
  }
}

TEST(ChainConfigTest, TellsAllMistakesAtOnce) {
  Json chain = Chain();
  chain["loss"] = "mse";
  Layer(chain, 0)["file"] = "a/b.pt";
  Parameter(chain, 1, 1).erase("name");
  const absl::Status status = ParseChainConfig(chain.dump()).status();
  for (const char* field :
       {"loss: ", "layers[0].file: ", "layers[1].parameters[1].name: "}) {
    EXPECT_THAT(std::string(status.message()), HasSubstr(field));
  }
}

TEST(ChainConfigTest, AMistakeOfAThousandLayersIsNotToldAThousandTimes) {
  Json chain = Chain();
  Json layer = Layer(chain, 0);
  layer["file"] = std::string(500, '/');
  chain["layers"] = Json::array();
  for (int i = 0; i < 1000; ++i) chain["layers"].push_back(layer);
  const absl::Status status = ParseChainConfig(chain.dump()).status();
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("\nand 975 more mistakes"));
  EXPECT_LT(status.message().size(), 20'000);
}

TEST(ChainConfigTest, WhatIsNoJsonIsRefused) {
  EXPECT_EQ(ParseChainConfig("layers: []").status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace hydra
