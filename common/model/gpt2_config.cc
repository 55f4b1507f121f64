#include "common/model/gpt2_config.h"

#include <cmath>
#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/json/python_json.h"

namespace hydra {
namespace {

using Json = nlohmann::ordered_json;

// Far beyond any real model, and small enough that no product of dimensions
// below overflows 64 bits.
constexpr int64_t kMaxDimension = int64_t{1} << 24;
constexpr int64_t kMaxLayers = 10'000;
// A hundred times what the largest models have: the bytes of all blocks that a
// job could need, added up, do not overflow either.
constexpr int64_t kMaxParameters = int64_t{1} << 46;

// transformers' names for 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))),
// which it writes down in several ways.
constexpr const char* kTanhGelu[] = {"gelu_new", "gelu_fast",
                                     "gelu_pytorch_tanh", "gelu_python_tanh",
                                     "gelu_accurate"};

// Reads keys one by one and remembers every mistake.
class Reader {
 public:
  explicit Reader(const Json& json) : json_(json) {}

  // `alias`: the name that transformers has for it in every architecture.
  void Dimension(const char* key, const char* alias, int64_t max,
                 int64_t& value) {
    auto found = json_.find(key);
    auto other = alias == nullptr ? json_.end() : json_.find(alias);
    if (found != json_.end() && other != json_.end() && *found != *other) {
      Fail(key, absl::StrCat("found ", ShownJson(*found), ", and ",
                             ShownJson(*other), " as ", alias,
                             ", which means the same; remove "
                             "one"));
    } else if (found != json_.end()) {
      Integer(key, *found, max, value);
    } else if (other != json_.end()) {
      Integer(alias, *other, max, value);
    } else {
      Fail(key,
           absl::StrCat("missing; an integer from 1 to ", max, " is needed"));
    }
  }

  void OptionalDimension(const char* key, int64_t max, int64_t& value) {
    auto found = json_.find(key);
    if (found != json_.end() && !found->is_null()) {
      Integer(key, *found, max, value);
    }
  }

  void OptionalNumber(const char* key, double min, double max, double& value) {
    auto found = json_.find(key);
    if (found == json_.end()) return;
    if (!found->is_number() || !(found->get<double>() >= min) ||
        !(found->get<double>() <= max)) {
      Fail(key, absl::StrCat("found ", ShownJson(*found), "; a number from ",
                             min, " to ", max, " is needed"));
      return;
    }
    value = found->get<double>();
  }

  void OptionalBool(const char* key, bool& value) {
    auto found = json_.find(key);
    if (found == json_.end()) return;
    if (!found->is_boolean()) {
      Fail(key, absl::StrCat("found ", ShownJson(*found),
                             "; true or false is needed"));
      return;
    }
    value = found->get<bool>();
  }

  // A switch that Hydra's layers implement for one value only.
  template <typename T>
  void MustBe(const char* key, const T& wanted) {
    auto found = json_.find(key);
    if (found != json_.end() && *found != Json(wanted)) {
      Fail(key, absl::StrCat("found ", ShownJson(*found), "; only ",
                             Json(wanted).dump(), " is supported"));
    }
  }

  void MustBeOneOf(const char* key, absl::Span<const char* const> wanted) {
    auto found = json_.find(key);
    if (found == json_.end()) return;
    for (const char* value : wanted) {
      if (*found == value) return;
    }
    Fail(key, absl::StrCat("found ", ShownJson(*found), "; supported are ",
                           absl::StrJoin(wanted, ", ")));
  }

  // What Hydra has not, and a model only has if the key says so.
  void MustBeEmpty(const char* key) {
    auto found = json_.find(key);
    if (found == json_.end() || found->is_null() || found->empty()) return;
    Fail(key, absl::StrCat("found ", ShownJson(*found),
                           "; not supported, remove it"));
  }

  void Fail(absl::string_view key, absl::string_view what) {
    mistakes_.push_back(absl::StrCat(key, ": ", what));
  }

  absl::Status Result() const {
    if (mistakes_.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrJoin(mistakes_, "\n"));
  }

 private:
  void Integer(const char* key, const Json& found, int64_t max,
               int64_t& value) {
    const bool whole = found.is_number_integer() &&
                       (!found.is_number_unsigned() ||
                        found.get<uint64_t>() <= static_cast<uint64_t>(max));
    if (!whole || found.get<int64_t>() < 1 || found.get<int64_t>() > max) {
      Fail(key, absl::StrCat("found ", ShownJson(found),
                             "; an integer from 1 to ", max, " is needed"));
      return;
    }
    value = found.get<int64_t>();
  }

  const Json& json_;
  std::vector<std::string> mistakes_;
};

}  // namespace

absl::StatusOr<Gpt2Config> ParseGpt2Config(absl::string_view text) {
  const absl::StatusOr<Json> parsed = ParsePythonJson(text);
  if (!parsed.ok()) return parsed.status();
  const Json& json = *parsed;
  Gpt2Config config;
  Reader reader(json);
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
  if (parameters > kMaxParameters) {
    reader.Fail("n_layer",
                absl::StrCat("the dimensions make a model of ", parameters,
                             " parameters; ", kMaxParameters, " are the most"));
  }
  if (absl::Status status = reader.Result(); !status.ok()) return status;
  return config;
}

}  // namespace hydra
