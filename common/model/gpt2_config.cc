#include "common/model/gpt2_config.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/json/python_json.h"
#include "common/model/config_reader.h"

namespace hydra {
namespace {

using Json = nlohmann::ordered_json;

// transformers' names for 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))),
// which it writes down in several ways.
constexpr const char* kTanhGelu[] = {"gelu_new", "gelu_fast",
                                     "gelu_pytorch_tanh", "gelu_python_tanh",
                                     "gelu_accurate"};

}  // namespace

absl::StatusOr<Gpt2Config> ParseGpt2Config(absl::string_view text) {
  const absl::StatusOr<Json> parsed = ParsePythonJson(text);
  if (!parsed.ok()) return parsed.status();
  const Json& json = *parsed;
  Gpt2Config config;
  ConfigReader reader(json);
  reader.Dimension("vocab_size", nullptr, kMaxDimension, config.vocab_size);
  reader.Dimension("n_positions", "max_position_embeddings", kMaxDimension,
                   config.n_positions);
  reader.Dimension("n_embd", "hidden_size", kMaxDimension / 16, config.n_embd);
  reader.Dimension("n_layer", "num_hidden_layers", kMaxLayers, config.n_layer);
  reader.Dimension("n_head", "num_attention_heads", kMaxDimension / 16,
                   config.n_head);
  config.n_inner = 4 * config.n_embd;
  reader.OptionalDimension("n_inner", kMaxDimension, config.n_inner);
  reader.OptionalNumber("layer_norm_epsilon", 1e-12, 1,
                        config.layer_norm_epsilon);
  reader.OptionalNumber("initializer_range", 0, 10, config.initializer_range);
  reader.OptionalNumber("embd_pdrop", 0, 0.99, config.embd_pdrop);
  reader.OptionalNumber("attn_pdrop", 0, 0.99, config.attn_pdrop);
  reader.OptionalNumber("resid_pdrop", 0, 0.99, config.resid_pdrop);
  reader.OptionalBool("tie_word_embeddings", config.tie_word_embeddings);
  reader.MustBeOneOf("activation_function", kTanhGelu);
  reader.MustBe("add_cross_attention", false);
  reader.MustBe("scale_attn_weights", true);
  reader.MustBe("scale_attn_by_inverse_layer_idx", false);
  reader.MustBe("reorder_and_upcast_attn", false);
  reader.MustBe("is_encoder_decoder", false);
  reader.MustBeEmpty("pruned_heads");
  reader.MustBeEmpty("quantization_config");
  if (config.n_head > 0 && config.n_embd % config.n_head != 0) {
    reader.Fail("n_head",
                absl::StrCat("found ", config.n_head,
                             "; it must divide n_embd, ", config.n_embd));
  }
  // What biases and norms add is small.
  const int64_t parameters =
      config.n_embd * (config.vocab_size + config.n_positions) +
      config.n_layer * config.n_embd * (4 * config.n_embd + 2 * config.n_inner);
  reader.AtMostParameters("n_layer", parameters);
  if (absl::Status status = reader.Result(); !status.ok()) return status;
  return config;
}

}  // namespace hydra
