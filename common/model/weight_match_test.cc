#include "common/model/weight_match.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/file/scratch_directory.h"
#include "common/model/bert_table.h"
#include "common/model/gpt2_table.h"
#include "common/model/llama_table.h"
#include "common/safetensors/writer.h"

namespace hydra {
namespace {

using safetensors::Dtype;
using safetensors::TensorSpec;
using safetensors::WeightDirectory;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ModelTable Table(bool tied = true) {
  Gpt2Config config;
  config.vocab_size = 5;
  config.n_positions = 3;
  config.n_embd = 4;
  config.n_layer = 2;
  config.n_head = 2;
  config.n_inner = 16;
  config.tie_word_embeddings = tied;
  return BuildGpt2Table(config);
}

class WeightMatchTest : public ::testing::Test {
 protected:
  // What transformers writes for the table.
  std::vector<TensorSpec> Specs(const std::string& prefix = "") {
    std::vector<TensorSpec> specs;
    for (const ParameterBlock& block : Table().parameter_blocks) {
      for (const TensorEntry& tensor : block.tensors) {
        specs.push_back({prefix + tensor.name, Dtype::kF32, tensor.shape});
      }
    }
    return specs;
  }
  // Every tensor is full of zeros, the last one of the byte `last`.
  WeightDirectory Write(const std::vector<TensorSpec>& specs, char last = 0) {
    auto writer = *safetensors::Writer::Create(
        folder_.PathOf("model.safetensors"), specs);
    for (const TensorSpec& spec : specs) {
      int64_t bytes = safetensors::DtypeBits(spec.dtype) / 8;
      for (int64_t dimension : spec.shape) bytes *= dimension;
      const std::string data(bytes, &spec == &specs.back() ? last : '\0');
      EXPECT_TRUE(writer->Append(spec.name, data.data(), bytes).ok());
    }
    EXPECT_TRUE(writer->Finish().ok());
    return *WeightDirectory::Open(folder_.path());
  }
  WeightMatch Match(const std::vector<TensorSpec>& specs) {
    return MatchWeights(Table(), Write(specs));
  }

  ScratchDirectory folder_;
};

TEST_F(WeightMatchTest, TakesWhatTransformersWritesWithoutAWord) {
  const WeightMatch match = Match(Specs());
  EXPECT_THAT(match.mistakes, IsEmpty());
  EXPECT_THAT(match.warnings, IsEmpty());
  EXPECT_EQ(match.names.at("transformer.wpe.weight"), "transformer.wpe.weight");
}

TEST_F(WeightMatchTest, TheHeadOfATiedModelServesAsItsEmbedding) {
  std::vector<TensorSpec> specs = Specs();
  specs[0].name = "lm_head.weight";
  const WeightMatch match = Match(specs);
  EXPECT_THAT(match.mistakes, IsEmpty());
  EXPECT_EQ(match.names.at("transformer.wte.weight"), "lm_head.weight");
  EXPECT_THAT(match.warnings,
              ElementsAre(HasSubstr("lm_head.weight and no transformer.wte")));
}

TEST_F(WeightMatchTest, OnePrefixOfAllNamesIsLeftOut) {
  for (const char* prefix : {"_orig_mod.", "module.", "model."}) {
    const WeightMatch match = Match(Specs(prefix));
    EXPECT_THAT(match.mistakes, IsEmpty());
    EXPECT_EQ(match.names.at("transformer.h.1.ln_2.bias"),
              absl::StrCat(prefix, "transformer.h.1.ln_2.bias"));
    EXPECT_THAT(match.warnings,
                ElementsAre(HasSubstr(absl::StrCat("begin with ", prefix))));
  }
}

TEST_F(WeightMatchTest, APrefixOfAHeadIsLeftOutToo) {
  std::vector<TensorSpec> specs = Specs("module.");
  specs.push_back({"module.lm_head.weight", Dtype::kF32, {5, 4}});
  const WeightMatch match = MatchWeights(Table(/*tied=*/false), Write(specs));
  EXPECT_THAT(match.mistakes, IsEmpty());
  EXPECT_EQ(match.names.at("lm_head.weight"), "module.lm_head.weight");
}

TEST_F(WeightMatchTest, TwoModelsInOneCheckpointAreRefused) {
  std::vector<TensorSpec> specs = Specs("student.");
  for (const TensorSpec& spec : Specs("teacher.")) specs.push_back(spec);
  EXPECT_THAT(Match(specs).mistakes,
              ElementsAre(HasSubstr(
                  "begin with student.transformer., teacher.transformer.")));
}

TEST_F(WeightMatchTest, SaysWhatIsNotUsed) {
  std::vector<TensorSpec> specs = Specs();
  specs.push_back({"score.weight", Dtype::kF32, {3, 4}});
  specs.push_back({"transformer.h.0.attn.bias", Dtype::kU8, {1, 1, 3, 3}});
  const WeightMatch match = Match(specs);
  EXPECT_THAT(match.mistakes, IsEmpty());
  EXPECT_THAT(match.warnings,
              ElementsAre(AllOf(HasSubstr("1 tensors"), HasSubstr("not used"),
                                HasSubstr("score.weight")),
                          HasSubstr("1 attention masks")));
}

TEST_F(WeightMatchTest, AnotherModelsNamesAreOneMistake) {
  std::vector<TensorSpec> specs;
  for (int i = 0; i < 7; ++i) {
    specs.push_back({absl::StrCat("gpt_neox.layers.", i), Dtype::kF32, {4}});
  }
  EXPECT_THAT(Match(specs).mistakes,
              ElementsAre(AllOf(
                  HasSubstr("the weights lack 28 of the 28 tensors"),
                  HasSubstr("transformer.wte.weight of shape [5, 4], "),
                  HasSubstr(" and 25 more"), HasSubstr("gpt_neox.layers.0, "),
                  HasSubstr(" and 4 more"))));
}

TEST_F(WeightMatchTest, TransposedWeightsAreCalledSo) {
  std::vector<TensorSpec> specs = Specs();
  for (TensorSpec& spec : specs) {
    if (spec.shape.size() == 2 && spec.name.find(".h.") != spec.name.npos) {
      std::swap(spec.shape[0], spec.shape[1]);
    }
  }
  EXPECT_THAT(Match(specs).mistakes,
              ElementsAre(AllOf(HasSubstr("6 tensors are stored transposed"),
                                HasSubstr("c_attn.weight [12, 4]"),
                                HasSubstr("Linear"))));
}

TEST_F(WeightMatchTest, TypesThatAreNotReadAreNamed) {
  for (const auto& [dtype, name] :
       std::vector<std::pair<Dtype, std::string>>{{Dtype::kF64, "F64"},
                                                  {Dtype::kF8E4M3, "F8_E4M3"},
                                                  {Dtype::kI32, "I32"}}) {
    std::vector<TensorSpec> specs = Specs();
    specs[1].dtype = dtype;
    EXPECT_THAT(Match(specs).mistakes,
                ElementsAre(HasSubstr(
                    absl::StrCat("transformer.wpe.weight is ", name))));
  }
}

// As batch norms have them.
TEST_F(WeightMatchTest, CountsAreReadAsTheNumbersThatTheyAre) {
  ModelTable table;
  table.parameter_blocks.resize(1);
  ParameterBlock& block = table.parameter_blocks[0];
  AddTensor("weight", {2}, {}, block);
  AddStatistic("count", {}, TensorUse::kCount, {}, block);
  const std::string path = folder_.PathOf("model.safetensors");
  const auto write = [&](Dtype weight, Dtype count) {
    auto writer = *safetensors::Writer::Create(
        path, {{"weight", weight, {2}}, {"count", count, {}}});
    // As many bytes as two of any type.
    const float weights[4] = {0.5f, -3};
    const int64_t batches = 1234;
    EXPECT_TRUE(
        writer
            ->Append("weight", weights, 2 * safetensors::DtypeBits(weight) / 8)
            .ok());
    EXPECT_TRUE(
        writer->Append("count", &batches, safetensors::DtypeBits(count) / 8)
            .ok());
    EXPECT_TRUE(writer->Finish().ok());
    return *WeightDirectory::Open(folder_.path());
  };
  {
    const WeightDirectory weights = write(Dtype::kF32, Dtype::kI64);
    const WeightMatch match = MatchWeights(table, weights);
    EXPECT_THAT(match.mistakes, IsEmpty());
    float count = 0;
    ASSERT_TRUE(ReadElements(match, weights, block.tensors[1], 0,
                             absl::MakeSpan(&count, 1))
                    .ok());
    EXPECT_EQ(count, 1234);
    float second = 0;
    ASSERT_TRUE(ReadElements(match, weights, block.tensors[0], 1,
                             absl::MakeSpan(&second, 1))
                    .ok());
    EXPECT_EQ(second, -3);
  }
  std::filesystem::remove(path);
  EXPECT_THAT(MatchWeights(table, write(Dtype::kF32, Dtype::kF32)).mistakes,
              ElementsAre(HasSubstr("count is F32, wanted I64")));
  std::filesystem::remove(path);
  EXPECT_THAT(MatchWeights(table, write(Dtype::kI64, Dtype::kI64)).mistakes,
              ElementsAre(HasSubstr("weight is I64")));
}

TEST_F(WeightMatchTest, ATiedHeadMayStandBesideItsEmbeddingIfItIsTheSame) {
  std::vector<TensorSpec> specs = Specs();
  specs.push_back({"lm_head.weight", Dtype::kF16, {5, 4}});
  const WeightDirectory same = Write(specs);
  const WeightMatch match = MatchWeights(Table(), same);
  EXPECT_THAT(match.mistakes, IsEmpty());
  EXPECT_TRUE(CheckAliases(match, same).ok());
  const WeightDirectory other = Write(specs, /*last=*/'\x01');
  const absl::Status differ = CheckAliases(MatchWeights(Table(), other), other);
  EXPECT_EQ(differ.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(differ.message()),
              AllOf(HasSubstr("they differ from element 0 on"),
                    HasSubstr("tie_word_embeddings to false")));
}

// As they were published for Llama 2: with buffers that later versions make
// anew, and sometimes without the module's name.
TEST_F(WeightMatchTest, TakesALlamasOlderCheckpoints) {
  LlamaConfig config;
  config.vocab_size = 5;
  config.hidden_size = 4;
  config.intermediate_size = 8;
  config.num_hidden_layers = 1;
  config.num_attention_heads = 2;
  config.num_key_value_heads = 1;
  config.head_dim = 2;
  config.windows = {0};
  const ModelTable table = BuildLlamaTable(config);
  std::vector<TensorSpec> specs;
  for (const ParameterBlock& block : table.parameter_blocks) {
    for (const TensorEntry& tensor : block.tensors) {
      std::string name = tensor.name;
      if (name.rfind("model.", 0) == 0) name = name.substr(6);
      specs.push_back({name, Dtype::kF16, tensor.shape});
    }
  }
  specs.push_back({"layers.0.self_attn.rotary_emb.inv_freq", Dtype::kF32, {1}});
  const WeightMatch match = MatchWeights(table, Write(specs));
  EXPECT_THAT(match.mistakes, IsEmpty());
  EXPECT_THAT(match.warnings,
              ElementsAre(HasSubstr("1 tables of rotary frequencies of the "
                                    "weights are not read, since they follow "
                                    "from config.json")));
  EXPECT_EQ(match.names.at("model.norm.weight"), "norm.weight");
  EXPECT_EQ(match.names.at("lm_head.weight"), "lm_head.weight");
}

ModelTable Bert(BertHead head) {
  BertConfig config;
  config.head = head;
  config.vocab_size = 5;
  config.hidden_size = 4;
  config.num_hidden_layers = 1;
  config.num_attention_heads = 2;
  config.intermediate_size = 8;
  config.max_position_embeddings = 3;
  return BuildBertTable(config);
}

std::vector<TensorSpec> SpecsOf(const ModelTable& table) {
  std::vector<TensorSpec> specs;
  for (const ParameterBlock& block : table.parameter_blocks) {
    for (const TensorEntry& tensor : block.tensors) {
      specs.push_back({tensor.name, Dtype::kF32, tensor.shape});
    }
  }
  return specs;
}

TEST_F(WeightMatchTest, OldEndsOfNamesAreFound) {
  const ModelTable table = Bert(BertHead::kMaskedTokens);
  std::vector<TensorSpec> specs = SpecsOf(table);
  for (TensorSpec& spec : specs) {
    if (!absl::StrContains(spec.name, "LayerNorm")) continue;
    spec.name = absl::StrReplaceAll(
        spec.name, {{".weight", ".gamma"}, {".bias", ".beta"}});
  }
  // Of the other head, and buffers.
  specs.push_back({"cls.seq_relationship.weight", Dtype::kF32, {2, 4}});
  specs.push_back({"bert.embeddings.position_ids", Dtype::kI64, {1, 3}});
  specs.push_back({"bert.pooler.dense.weight", Dtype::kF32, {4, 4}});
  const WeightMatch match = MatchWeights(table, Write(specs));
  EXPECT_THAT(match.mistakes, IsEmpty());
  EXPECT_EQ(match.names.at("bert.embeddings.LayerNorm.weight"),
            "bert.embeddings.LayerNorm.gamma");
  EXPECT_EQ(match.names.at("cls.predictions.transform.LayerNorm.bias"),
            "cls.predictions.transform.LayerNorm.beta");
  EXPECT_THAT(match.warnings,
              ElementsAre(HasSubstr("3 buffers and weights of other heads")));
}

TEST_F(WeightMatchTest, AHeadThatTheCheckpointLacksIsDrawn) {
  const ModelTable table = Bert(BertHead::kClass);
  const WeightMatch match =
      MatchWeights(table, Write(SpecsOf(Bert(BertHead::kMaskedTokens))));
  EXPECT_THAT(match.mistakes, IsEmpty());
  EXPECT_THAT(match.drawn,
              ElementsAre("bert.pooler.dense.weight", "bert.pooler.dense.bias",
                          "classifier.weight", "classifier.bias"));
  EXPECT_EQ(match.names.count("classifier.weight"), 0);
  ASSERT_EQ(match.warnings.size(), 2);
  EXPECT_THAT(match.warnings[0],
              AllOf(HasSubstr("the weights lack bert.pooler.dense.weight"),
                    HasSubstr("drawn at random from train.seed")));
}

}  // namespace
}  // namespace hydra
