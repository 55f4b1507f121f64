// What plans reckon a shard's passes to take of a device, beside what they
// take.

#include "common/chain/device_need.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/chain/chain_task.h"
#include "common/jobfile/validate.h"
#include "worker/device/testing/test_device.h"
#include "worker/exec/job_model.h"
#include "worker/exec/pilot_trial.h"
#include "worker/task/task_control.h"

namespace hydra {
namespace {

constexpr int64_t kPlenty = int64_t{256} << 20;
constexpr int kLayers = 6;

struct Family {
  std::string name;
  std::string config;
  // Patterns of its embedding and of its first three blocks.
  std::vector<const char*> first_layers;
  // What is reckoned is at most so much more than what is taken.
  double most = 1.15;
};

const std::vector<const char*> kFirstOfLlama = {"model.embed_tokens.*",
                                                "model.layers.[0-2].*"};
const std::vector<const char*> kFirstOfBert = {"bert.embeddings.*",
                                               "bert.encoder.layer.[0-2].*"};

enum class Trained {
  kAll,
  kAllWithRoundedProducts,
  kAllWithMasters,
  kAllWithMastersAndRoundedProducts,
  kAdapters,
  kAdaptersOfBFloat16,
  kRoundedAdaptersOfBFloat16,
  // Whose products round to bfloat16 what lies in another type.
  kRoundedAdaptersOfFloat16,
  kAdaptersOfInt8,
  kRoundedAdaptersOfInt8,
  kLastLayers
};

bool AreAdapters(Trained trained) {
  return trained == Trained::kAdapters ||
         trained == Trained::kAdaptersOfBFloat16 ||
         trained == Trained::kRoundedAdaptersOfBFloat16 ||
         trained == Trained::kRoundedAdaptersOfFloat16 ||
         trained == Trained::kAdaptersOfInt8 ||
         trained == Trained::kRoundedAdaptersOfInt8;
}

worker::v1::JobContext ContextOf(const Family& family, Trained trained,
                                 int micro_batches, int context_length) {
  worker::v1::JobContext context;
  context.set_model_config_json(family.config);
  hydra::v1::TrainSpec& train = *context.mutable_spec()->mutable_train();
  train.set_per_device_train_batch_size(3);
  train.set_gradient_accumulation_steps(micro_batches);
  train.set_context_length(context_length);
  if (family.name == "vit") {
    // An image is one token; what grows is its side: 32, or 64.
    context.set_model_config_json(absl::StrReplaceAll(
        family.config, {{"SIDE", context_length > 64 ? "64" : "32"}}));
    train.set_context_length(1);
  }
  train.set_learning_rate(1e-3);
  // Then scores are made, as on a GPU.
  train.set_dropout(0.1);
  if (AreAdapters(trained)) {
    context.mutable_spec()->mutable_lora()->set_lora_dropout(0.1);
    context.mutable_spec()->mutable_lora()->add_target_modules("all-linear");
  } else if (trained == Trained::kLastLayers) {
    for (const char* pattern : family.first_layers) {
      context.mutable_spec()->mutable_model()->add_frozen(pattern);
    }
  }
  if (trained == Trained::kAllWithMasters ||
      trained == Trained::kAllWithMastersAndRoundedProducts) {
    context.mutable_spec()->mutable_model()->set_trained_dtype(
        hydra::v1::PARAMETER_TYPE_BFLOAT16);
  }
  train.set_bf16(trained == Trained::kAllWithRoundedProducts ||
                 trained == Trained::kAllWithMastersAndRoundedProducts ||
                 trained == Trained::kRoundedAdaptersOfBFloat16 ||
                 trained == Trained::kRoundedAdaptersOfFloat16 ||
                 trained == Trained::kRoundedAdaptersOfInt8);
  FillDefaults(context.mutable_spec());
  if (trained == Trained::kAdaptersOfBFloat16 ||
      trained == Trained::kRoundedAdaptersOfBFloat16) {
    context.mutable_spec()->mutable_model()->set_frozen_dtype(
        hydra::v1::PARAMETER_TYPE_BFLOAT16);
  }
  if (trained == Trained::kRoundedAdaptersOfFloat16) {
    context.mutable_spec()->mutable_model()->set_frozen_dtype(
        hydra::v1::PARAMETER_TYPE_FLOAT16);
  }
  if (trained == Trained::kAdaptersOfInt8 ||
      trained == Trained::kRoundedAdaptersOfInt8) {
    context.mutable_spec()->mutable_model()->set_frozen_dtype(
        hydra::v1::PARAMETER_TYPE_INT8);
  }
  return context;
}

class DeviceNeedTest : public ::testing::TestWithParam<Family> {};

INSTANTIATE_TEST_SUITE_P(
    All, DeviceNeedTest,
    ::testing::Values(
        Family{"gpt2",
               R"({"model_type": "gpt2", "vocab_size": 5000, "n_embd": 96,
                   "n_positions": 256, "n_layer": 4, "n_head": 4,
                   "n_inner": 384, "activation_function": "gelu_new"})",
               {"transformer.w*", "transformer.h.[0-2].*"}},
        Family{"llama",
               R"({"model_type": "llama", "vocab_size": 5000,
                   "hidden_size": 96, "intermediate_size": 256,
                   "num_hidden_layers": 4, "num_attention_heads": 4,
                   "num_key_value_heads": 2, "max_position_embeddings": 256,
                   "rms_norm_eps": 1e-5, "hidden_act": "silu",
                   "tie_word_embeddings": false})",
               kFirstOfLlama},
        Family{"qwen3",
               R"({"model_type": "qwen3", "vocab_size": 5000,
                   "hidden_size": 96, "intermediate_size": 256, "head_dim": 32,
                   "num_hidden_layers": 4, "num_attention_heads": 4,
                   "num_key_value_heads": 2, "max_position_embeddings": 256,
                   "rms_norm_eps": 1e-6, "hidden_act": "silu",
                   "tie_word_embeddings": true})",
               kFirstOfLlama},
        Family{"bert",
               R"({"model_type": "bert", "architectures": ["BertForMaskedLM"],
                   "vocab_size": 5000, "hidden_size": 96,
                   "intermediate_size": 384, "num_hidden_layers": 4,
                   "num_attention_heads": 4, "max_position_embeddings": 256,
                   "type_vocab_size": 2, "hidden_act": "gelu"})",
               kFirstOfBert},
        Family{"bertOfClasses",
               R"({"model_type": "bert",
                   "architectures": ["BertForSequenceClassification"],
                   "vocab_size": 5000, "hidden_size": 96,
                   "intermediate_size": 384, "num_hidden_layers": 4,
                   "num_attention_heads": 4, "max_position_embeddings": 256,
                   "type_vocab_size": 2, "num_labels": 1000,
                   "hidden_act": "gelu"})",
               kFirstOfBert,
               // As below: a shard's worst moment may be behind its head, whose
               // parameters are gone by then.
               1.35},
        Family{"vit",
               R"({"model_type": "vit", "image_size": SIDE, "patch_size": 8,
                   "hidden_size": 96, "intermediate_size": 384,
                   "num_hidden_layers": 4, "num_attention_heads": 4,
                   "num_labels": 1000, "hidden_act": "gelu"})",
               {"vit.embeddings.*", "vit.encoder.layer.[0-2].*"},
               // For a shard that ends the chain, of small images, more is
               // reckoned than is taken.
               1.35}),
    [](const auto& info) { return info.param.name; });

// Of its BACKWARD, or TURN.
TEST_P(DeviceNeedTest, IsWhatAShardsPassesTake) {
  JobModels models(kPlenty);
  for (Trained trained :
       {Trained::kAll, Trained::kAllWithRoundedProducts,
        Trained::kAllWithMasters, Trained::kAllWithMastersAndRoundedProducts,
        Trained::kAdapters, Trained::kAdaptersOfBFloat16,
        Trained::kRoundedAdaptersOfBFloat16, Trained::kRoundedAdaptersOfFloat16,
        Trained::kAdaptersOfInt8, Trained::kRoundedAdaptersOfInt8,
        Trained::kLastLayers}) {
    for (const auto& [micro_batches, context_length] :
         {std::pair{1, 64}, {1, 256}, {2, 64}, {2, 256}}) {
      const worker::v1::JobContext context =
          ContextOf(GetParam(), trained, micro_batches, context_length);
      const auto model = models.For(context);
      ASSERT_TRUE(model.ok()) << model.status();
      for (const LayerRange& layers :
           // What a CPU device takes to update gathered rows itself is not in
           // it, and less than the layers behind.
           {LayerRange{0, 2}, LayerRange{0, 3}, LayerRange{1, 2},
            LayerRange{1, 5}, LayerRange{4, kLayers}, LayerRange{5, kLayers},
            LayerRange{0, kLayers}}) {
        SCOPED_TRACE(absl::StrCat("layers [", layers.first, ", ", layers.last,
                                  "), trained ", static_cast<int>(trained),
                                  ", ", micro_batches, " micro-batches of ",
                                  context_length, " tokens"));
        const auto device = NewTestDevice(kPlenty);
        TaskControl control;
        PilotTrial trial(context, *model, device.get(), /*reserve_bytes=*/0,
                         &control);
        if (!HandsGradientsDown(model->table, layers.last)) continue;
        const TrialOutcome outcome = trial.Run(layers.first, layers.last);
        ASSERT_TRUE(outcome.fits);
        double taken = 0;
        for (const auto& [layer, measure] : outcome.measures) {
          taken = std::max<double>(taken, measure.peak_bytes);
        }
        const DeviceNeed need = DeviceNeedOf(model->shape, layers, kPlenty);
        EXPECT_GT(need.backward / taken, 0.98) << taken;
        EXPECT_LT(need.backward / taken, GetParam().most) << taken;
      }
    }
  }
}

// What a ResNet's layers take differs from layer to layer, and by what goes in
// and comes out.
TEST(ResnetDeviceNeedTest, IsWhatAShardsPassesTake) {
  JobModels models(kPlenty);
  for (const char* layer_type : {"basic", "bottleneck"}) {
    for (int micro_batches : {1, 2}) {
      worker::v1::JobContext context;
      context.set_model_config_json(absl::StrCat(
          R"({"model_type": "resnet", "image_size": 64, "num_labels": 10,
              "embedding_size": 32, "hidden_sizes": [64, 96],
              "depths": [2, 2], "layer_type": ")",
          layer_type, "\"}"));
      hydra::v1::TrainSpec& train = *context.mutable_spec()->mutable_train();
      train.set_per_device_train_batch_size(6);
      train.set_gradient_accumulation_steps(micro_batches);
      train.set_context_length(1);
      train.set_learning_rate(1e-3);
      FillDefaults(context.mutable_spec());
      const auto model = models.For(context);
      ASSERT_TRUE(model.ok()) << model.status();
      ASSERT_EQ(model->table.layer_count(), kLayers);
      for (const LayerRange& layers :
           {LayerRange{0, 1}, LayerRange{0, 3}, LayerRange{1, 2},
            LayerRange{2, 4}, LayerRange{3, kLayers}, LayerRange{0, kLayers}}) {
        SCOPED_TRACE(absl::StrCat(layer_type, ", layers [", layers.first, ", ",
                                  layers.last, "), ", micro_batches,
                                  " micro-batches"));
        const auto device = NewTestDevice(kPlenty);
        TaskControl control;
        PilotTrial trial(context, *model, device.get(), /*reserve_bytes=*/0,
                         &control);
        const TrialOutcome outcome = trial.Run(layers.first, layers.last);
        ASSERT_TRUE(outcome.fits);
        double taken = 0;
        for (const auto& [layer, measure] : outcome.measures) {
          taken = std::max<double>(taken, measure.peak_bytes);
        }
        const DeviceNeed need = DeviceNeedOf(model->shape, layers, kPlenty);
        EXPECT_GT(need.backward / taken, 0.98) << taken;
        EXPECT_LT(need.backward / taken, 1.15) << taken;
      }
    }
  }
}

}  // namespace
}  // namespace hydra
