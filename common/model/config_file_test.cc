#include "common/model/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/model/gpt2_table.h"
#include "common/model/model_table.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kLanguageModel[] = R"({
  "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_embd": 16,
  "n_head": 2, "n_layer": 2, "n_positions": 64, "vocab_size": 400,
  "task_specific_params": {"a": {"max_time": Infinity}}, "torch_dtype": "float16"
})";
constexpr char kClassifier[] = R"({
  "architectures": ["GPT2ForSequenceClassification"], "model_type": "gpt2",
  "n_embd": 16, "n_head": 2, "n_layer": 2, "n_positions": 64, "vocab_size": 400,
  "id2label": {"0": "bad"}, "num_labels": 1, "dtype": "bfloat16",
  "auto_map": {"AutoModel": "own.Model"}, "rotary_dim": 8
})";

ConfigNames Gpt2Names() {
  return DescribeGpt2(kLanguageModel, /*overrides=*/{})->config_names;
}

TEST(ConfigFileTest, ALanguageModelGivesNoWarning) {
  EXPECT_THAT(ConfigWarnings(kLanguageModel, Gpt2Names()), IsEmpty());
}

TEST(ConfigFileTest, SaysWhatIsNotUsed) {
  EXPECT_THAT(ConfigWarnings(kClassifier, Gpt2Names()),
              ElementsAre(HasSubstr("architectures is [\"GPT2ForSequenceClass"),
                          HasSubstr("id2label, num_labels describes a head"),
                          HasSubstr("transformers' own GPT-2"),
                          HasSubstr("does not use rotary_dim")));
}

TEST(ConfigFileTest, ANameOfAnotherFamilyIsNotKnown) {
  ConfigNames other;
  other.family = "Other";
  other.model_class = "OtherForCausalLM";
  other.keys = {"rotary_dim"};
  EXPECT_THAT(ConfigWarnings(kClassifier, other),
              ElementsAre(HasSubstr("the trained model is a OtherForCausalLM"),
                          HasSubstr("describes a head"),
                          HasSubstr("transformers' own Other"),
                          HasSubstr("does not use n_embd, n_head, n_layer")));
  EXPECT_THAT(*TrainedModelConfig(kClassifier, other),
              HasSubstr("\"OtherForCausalLM\""));
}

TEST(ConfigFileTest, TheTrainedModelIsAnFp32LanguageModelWithoutOtherHeads) {
  const auto trained = TrainedModelConfig(kClassifier, Gpt2Names());
  ASSERT_TRUE(trained.ok()) << trained.status();
  EXPECT_THAT(*trained, HasSubstr("\"GPT2LMHeadModel\""));
  EXPECT_THAT(*trained, HasSubstr("\"dtype\": \"float32\""));
  for (const char* gone : {"id2label", "num_labels", "auto_map",
                           "SequenceClassification", "bfloat16"}) {
    EXPECT_THAT(*trained, Not(HasSubstr(gone)));
  }
  EXPECT_THAT(*trained, HasSubstr("\"rotary_dim\": 8"));
}

TEST(ConfigFileTest, TheRestOfTheTrainedModelsConfigIsAsItWas) {
  const auto trained = TrainedModelConfig(kLanguageModel, Gpt2Names());
  ASSERT_TRUE(trained.ok()) << trained.status();
  EXPECT_THAT(*trained, HasSubstr("\"max_time\": Infinity"));
  EXPECT_THAT(*trained, HasSubstr("\"torch_dtype\": \"float32\""));
  EXPECT_THAT(*trained, Not(HasSubstr("\"dtype\"")));
  EXPECT_TRUE(ParseGpt2Config(*trained).ok());
  EXPECT_EQ(*TrainedModelConfig(*trained, Gpt2Names()), *trained);
}

TEST(ConfigFileTest, TheWeightsTypeIsWhatTransformersCallsIt) {
  const std::string trained = *TrainedModelConfig(kClassifier, Gpt2Names());
  const std::string half = *WithWeightsType(trained, ElementType::kFloat16);
  EXPECT_THAT(half, HasSubstr("\"dtype\": \"float16\""));
  EXPECT_EQ(*WithWeightsType(half, ElementType::kFloat32), trained);
  EXPECT_THAT(*WithWeightsType("{}", ElementType::kBFloat16),
              HasSubstr("\"torch_dtype\": \"bfloat16\""));
  EXPECT_FALSE(WithWeightsType("{", ElementType::kFloat32).ok());
}

TEST(ConfigFileTest, TheTrainedModelsTypeIsSaidUnderEitherName) {
  const auto named = [](const char* config) {
    return *TrainedModelConfig(config, Gpt2Names(), ElementType::kBFloat16);
  };
  EXPECT_THAT(named(kClassifier), HasSubstr("\"dtype\": \"bfloat16\""));
  EXPECT_THAT(named(kLanguageModel),
              HasSubstr("\"torch_dtype\": \"bfloat16\""));
  EXPECT_THAT(named(kLanguageModel), Not(HasSubstr("float32")));
}

TEST(ConfigFileTest, ClassesGetNames) {
  ConfigNames names = Gpt2Names();
  const ClassNumbers classes = {{"cat", 1}, {"dog", 0}};
  EXPECT_EQ(*WithClassLabels(R"({"id2label": {"0": "LABEL_0"}, "a": 1})", names,
                             classes),
            R"({
  "id2label": {
    "0": "dog",
    "1": "cat"
  },
  "a": 1,
  "label2id": {
    "dog": 0,
    "cat": 1
  }
}
)");
  // Of a chain's file, its format's key alone.
  names.model_class.clear();
  EXPECT_EQ(*WithClassLabels("{}", names, classes),
            R"({
  "label2id": {
    "dog": 0,
    "cat": 1
  }
}
)");
  EXPECT_FALSE(WithClassLabels("{", names, classes).ok());
}

}  // namespace
}  // namespace hydra
