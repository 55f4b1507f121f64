#include "common/model/lora.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/model/describe.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kGpt2[] = R"({"model_type": "gpt2", "vocab_size": 512,
  "n_positions": 32, "n_embd": 64, "n_layer": 2, "n_head": 4})";
constexpr char kQwen2[] = R"({"model_type": "qwen2", "vocab_size": 512,
  "hidden_size": 64, "max_position_embeddings": 32, "intermediate_size": 128,
  "num_hidden_layers": 2, "num_attention_heads": 4,
  "num_key_value_heads": 2})";

ModelTable Base(const char* config) { return Describe(config, {}).value(); }

LoraConfig OfRank(int64_t r, std::vector<std::string> modules = {}) {
  LoraConfig config;
  config.r = r;
  config.lora_alpha = 16;
  config.target_modules = std::move(modules);
  return config;
}

std::vector<std::string> NamesOf(const ParameterBlock& block) {
  std::vector<std::string> names;
  for (const TensorEntry& tensor : block.tensors) names.push_back(tensor.name);
  return names;
}

std::string Refusal(const char* config, const LoraConfig& lora) {
  const absl::Status status = WithLora(Base(config), lora).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(LoraTest, TheModelsOwnBlocksAreFrozenAndKeepTheirNumbers) {
  const ModelTable base = Base(kQwen2);
  const ModelTable table = WithLora(base, OfRank(8)).value();
  ASSERT_EQ(table.parameter_blocks.size(), base.parameter_blocks.size() + 2);
  for (size_t i = 0; i < base.parameter_blocks.size(); ++i) {
    EXPECT_TRUE(table.parameter_blocks[i].frozen);
    EXPECT_FALSE(table.parameter_blocks[i].is_adapter);
    EXPECT_EQ(NamesOf(table.parameter_blocks[i]),
              NamesOf(base.parameter_blocks[i]));
    EXPECT_EQ(table.parameter_blocks[i].layers,
              base.parameter_blocks[i].layers);
  }
  EXPECT_EQ(table.FirstTrainedLayer(), 1);
  EXPECT_EQ(table.layers[0].parameter_blocks, base.layers[0].parameter_blocks);
  const int own = base.layers[1].parameter_blocks.front();
  const auto added = static_cast<int>(base.parameter_blocks.size());
  EXPECT_THAT(table.layers[1].parameter_blocks, ElementsAre(own, added));
  EXPECT_THAT(table.parameter_blocks[added].layers, ElementsAre(1));
  EXPECT_TRUE(table.parameter_blocks[added].is_adapter);
  EXPECT_FALSE(table.parameter_blocks[added].frozen);
}

TEST(LoraTest, AdaptersAreNamedAndBegunAsPeftHasThem) {
  const ModelTable table = WithLora(Base(kQwen2), OfRank(8)).value();
  const ParameterBlock& adapters = table.parameter_blocks.back();
  const std::string prefix = "base_model.model.model.layers.1.self_attn.";
  EXPECT_THAT(NamesOf(adapters), ElementsAre(prefix + "q_proj.lora_A.weight",
                                             prefix + "q_proj.lora_B.weight",
                                             prefix + "v_proj.lora_A.weight",
                                             prefix + "v_proj.lora_B.weight"));
  EXPECT_THAT(adapters.tensors[2].shape, ElementsAre(8, 64));
  EXPECT_EQ(adapters.tensors[2].init.kind, TensorInit::Kind::kUniform);
  EXPECT_DOUBLE_EQ(adapters.tensors[2].init.bound, 1 / 8.0);
  // Two heads of keys.
  EXPECT_THAT(adapters.tensors[3].shape, ElementsAre(32, 8));
  EXPECT_EQ(adapters.tensors[3].init.kind, TensorInit::Kind::kZero);
  EXPECT_THAT(table.lora->target_modules, ElementsAre("q_proj", "v_proj"));
}

TEST(LoraTest, AConv1DIsAdaptedTheOtherWayRound) {
  const ModelTable table = WithLora(Base(kGpt2), OfRank(4)).value();
  const ParameterBlock& adapters = table.parameter_blocks.back();
  EXPECT_THAT(
      NamesOf(adapters),
      ElementsAre(
          "base_model.model.transformer.h.1.attn.c_attn.lora_A.weight",
          "base_model.model.transformer.h.1.attn.c_attn.lora_B.weight"));
  EXPECT_THAT(adapters.tensors[0].shape, ElementsAre(4, 64));
  EXPECT_THAT(adapters.tensors[1].shape, ElementsAre(192, 4));
}

TEST(LoraTest, NamesMatchAsPeftMatchesThem) {
  const auto adapted = [](std::vector<std::string> modules) {
    return WithLora(Base(kGpt2), OfRank(4, std::move(modules)))
        .value()
        .parameter_blocks.back()
        .tensors.size();
  };
  EXPECT_EQ(adapted({"c_proj"}), 4);
  EXPECT_EQ(adapted({"mlp.c_proj"}), 2);
  EXPECT_EQ(adapted({"transformer.h.1.attn.c_attn"}), 2);
  EXPECT_EQ(adapted({"all-linear"}), 8);
  EXPECT_THAT(WithLora(Base(kGpt2), OfRank(4, {"all-linear"}))
                  .value()
                  .lora->target_modules,
              ElementsAre("c_attn", "c_proj", "c_fc"));
  // One layer alone.
  const ModelTable one =
      WithLora(Base(kGpt2), OfRank(4, {"h.1.attn.c_attn"})).value();
  EXPECT_EQ(one.FirstTrainedLayer(), 2);
}

TEST(LoraTest, UnknownModulesAreRefusedWithWhatThereIs) {
  EXPECT_THAT(Refusal(kQwen2, OfRank(8, {"q_proj", "c_attn"})),
              AllOf(HasSubstr("'c_attn'"),
                    HasSubstr("q_proj, k_proj, v_proj, o_proj, gate_proj, "
                              "up_proj, down_proj")));
  // The end of a name, but not of a module's.
  EXPECT_THAT(Refusal(kQwen2, OfRank(8, {"proj"})), HasSubstr("'proj'"));
  EXPECT_THAT(Refusal(kQwen2, OfRank(8, {"lm_head"})), HasSubstr("'lm_head'"));
  EXPECT_THAT(Refusal(kQwen2, OfRank(8, {""})), HasSubstr("found ''"));
  EXPECT_THAT(Refusal(kQwen2, OfRank(8, {"all-linear", "q_proj"})),
              HasSubstr("stands alone"));
  EXPECT_THAT(Refusal(kQwen2, OfRank(0)), HasSubstr("found 0"));
}

TEST(LoraTest, TheScaleIsAlphaByTheRankOrItsRoot) {
  LoraConfig config = OfRank(4);
  EXPECT_EQ(config.scale(), 4);
  config.use_rslora = true;
  EXPECT_EQ(config.scale(), 8);
  config.lora_dropout = 0.25;
  const ModelTable table = WithLora(Base(kGpt2), config).value();
  EXPECT_EQ(table.layers[1].attributes.at(lora::kScale), 8);
  EXPECT_EQ(table.layers[1].attributes.at(lora::kDropout), 0.25);
  EXPECT_EQ(table.layers[0].attributes.count(lora::kScale), 0);
}

TEST(LoraTest, TheKeyTellsWhatTakesOtherMemoryOrTime) {
  const auto key = [](const LoraConfig& config) {
    return WithLora(Base(kQwen2), config).value().architecture_key;
  };
  EXPECT_NE(key(OfRank(8)), Base(kQwen2).architecture_key);
  EXPECT_NE(key(OfRank(8)), key(OfRank(16)));
  EXPECT_NE(key(OfRank(8)), key(OfRank(8, {"q_proj"})));
  EXPECT_EQ(key(OfRank(8)), key(OfRank(8, {"q_proj", "v_proj"})));
  LoraConfig other = OfRank(8);
  other.lora_alpha = 1;
  EXPECT_EQ(key(OfRank(8)), key(other));
  other.lora_dropout = 0.1;
  EXPECT_NE(key(OfRank(8)), key(other));
}

}  // namespace
}  // namespace hydra
