#include "common/model/rotary_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/json/python_json.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using Type = RotaryConfig::Type;

RotaryConfig Read(const std::string& text) {
  const auto json = *ParsePythonJson(text);
  ConfigReader reader(json);
  const RotaryConfig config = ReadRotaryConfig(json, reader);
  EXPECT_TRUE(reader.Result().ok()) << reader.Result();
  return config;
}

std::string ErrorOf(const std::string& text) {
  const auto json = *ParsePythonJson(text);
  ConfigReader reader(json);
  ReadRotaryConfig(json, reader);
  return std::string(reader.Result().message());
}

TEST(RotaryConfigTest, ReadsTheNamesOfBothVersionsOfTransformers) {
  EXPECT_EQ(Read("{}").rope_theta, 10000);
  EXPECT_EQ(
      Read(R"({"rope_theta": 500000.0, "rope_scaling": null})").rope_theta,
      500000);
  const RotaryConfig linear = Read(
      R"({"rope_theta": 5e5, "rope_scaling": {"type": "linear", "factor": 2}})");
  EXPECT_EQ(linear.type, Type::kLinear);
  EXPECT_EQ(linear.factor, 2);
  const RotaryConfig llama3 = Read(R"({"rope_parameters": {
      "rope_type": "llama3", "rope_theta": 1e6, "factor": 8.0,
      "low_freq_factor": 1.5, "high_freq_factor": 3.0,
      "original_max_position_embeddings": 16}})");
  EXPECT_EQ(llama3.type, Type::kLlama3);
  EXPECT_EQ(llama3.rope_theta, 1e6);
  EXPECT_EQ(llama3.factor, 8);
  EXPECT_EQ(llama3.low_freq_factor, 1.5);
  EXPECT_EQ(llama3.high_freq_factor, 3);
  EXPECT_EQ(llama3.original_max_position_embeddings, 16);
}

TEST(RotaryConfigTest, RefusesWhatItDoesNotKnowByName) {
  for (const char* type : {"dynamic", "yarn", "longrope"}) {
    EXPECT_THAT(ErrorOf(std::string(R"({"rope_scaling": {"rope_type": ")") +
                        type + R"(", "factor": 4}})"),
                HasSubstr(std::string("rope_scaling.rope_type: found \"") +
                          type + "\"; supported are default, linear, llama3"));
  }
  EXPECT_EQ(ErrorOf(R"({"rope_parameters": {"beta_fast": 32}})"),
            "rope_parameters.beta_fast: not supported, remove it");
  EXPECT_EQ(ErrorOf(R"({"partial_rotary_factor": 0.5})"),
            "partial_rotary_factor: found 0.5; only 1.0 is supported");
  EXPECT_EQ(ErrorOf(R"({"rope_scaling": 3})"),
            "rope_scaling: found 3; an object is needed");
}

TEST(RotaryConfigTest, RefusesWhatContradictsItself) {
  EXPECT_THAT(ErrorOf(R"({"rope_scaling": {}, "rope_parameters": {}})"),
              HasSubstr("rope_scaling: found beside rope_parameters"));
  EXPECT_EQ(ErrorOf(R"({"rope_theta": 1, "rope_parameters":
                        {"rope_theta": 2}})"),
            "rope_theta: found 1, and 2 in rope_parameters; remove one");
  EXPECT_EQ(ErrorOf(R"({"original_max_position_embeddings": 8192,
                        "rope_scaling": {"type": "llama3", "factor": 8,
                        "low_freq_factor": 1, "high_freq_factor": 4,
                        "original_max_position_embeddings": 16}})"),
            "original_max_position_embeddings: found 8192, and 16 in "
            "rope_scaling; remove one");
  EXPECT_THAT(ErrorOf(R"({"rope_scaling": {"type": "llama3", "factor": 8,
                          "low_freq_factor": 4, "high_freq_factor": 4,
                          "original_max_position_embeddings": 8}})"),
              HasSubstr("rope_scaling.high_freq_factor: found 4; it must be "
                        "above low_freq_factor, 4"));
}

TEST(RotaryConfigTest, NamesWhatIsMissing) {
  EXPECT_EQ(ErrorOf(R"({"rope_scaling": {"type": "linear"}})"),
            "rope_scaling.factor: missing; a number from 1 to 1e+06 is needed");
  EXPECT_THAT(
      ErrorOf(R"({"rope_scaling": {"type": "llama3", "factor": 8,
                  "low_freq_factor": 1, "high_freq_factor": 4}})"),
      HasSubstr("rope_scaling.original_max_position_embeddings: missing"));
  EXPECT_THAT(ErrorOf(R"({"rope_theta": "big"})"),
              HasSubstr("rope_theta: found \"big\"; a number from 1"));
}

TEST(RotaryConfigTest, FrequenciesFallFromOneByPowersOfTheBase) {
  RotaryConfig config;
  EXPECT_THAT(RotaryFrequencies(config, 4), ElementsAre(1, 0.01f));
  config.type = Type::kLinear;
  config.factor = 4;
  EXPECT_THAT(RotaryFrequencies(config, 4), ElementsAre(0.25f, 0.0025f));
}

// Wavelengths of 6.3, 62.8, 628 and 6283 tokens; fast are those below 16, slow
// those above 64.
TEST(RotaryConfigTest, Llama3LeavesFastFrequenciesAndSlowsSlowOnes) {
  RotaryConfig config;
  config.type = Type::kLlama3;
  config.factor = 8;
  config.low_freq_factor = 1;
  config.high_freq_factor = 4;
  config.original_max_position_embeddings = 64;
  const double smooth = (64 / (20 * M_PI) - 1) / 3;
  EXPECT_THAT(
      RotaryFrequencies(config, 8),
      ElementsAre(1, FloatNear(0.1 * ((1 - smooth) / 8 + smooth), 1e-8),
                  FloatNear(0.01 / 8, 1e-9), FloatNear(0.001 / 8, 1e-10)));
}

}  // namespace
}  // namespace hydra
