#include "common/model/bert_config.h"

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/json/python_json.h"
#include "common/model/class_labels.h"
#include "common/model/config_reader.h"

namespace hydra {
namespace {

using Json = nlohmann::ordered_json;

// transformers' names for x times the normal distribution's function of x.
constexpr const char* kErfGelu[] = {"gelu", "gelu_python"};

// The products of a block's sides, and all scores of a sequence's heads, fit 64
// bits.
constexpr int64_t kMaxWidth = kMaxDimension / 16;
constexpr int64_t kMaxPositions = 1 << 16;
// Those of published models are 2, or 1.
constexpr int64_t kMaxTokenTypes = 16;

struct HeadName {
  const char* architecture;
  BertHead head;
};
constexpr HeadName kHeads[] = {
    {"BertForMaskedLM", BertHead::kMaskedTokens},
    {"BertForPreTraining", BertHead::kMaskedTokens},
    {"BertForSequenceClassification", BertHead::kClass},
};

// ["BertModel"]
std::string Shown(const Json& architectures) {
  constexpr size_t kMostShown = 3;
  if (!architectures.is_array()) return ShownJson(architectures);
  std::vector<std::string> shown;
  for (const Json& one : architectures) {
    shown.push_back(shown.size() < kMostShown ? ShownJson(one) : "...");
    if (shown.size() > kMostShown) break;
  }
  return absl::StrCat("[", absl::StrJoin(shown, ", "), "]");
}

void ReadHead(const Json& json, ConfigReader& reader, BertHead& head) {
  constexpr char kArchitectures[] = "architectures";
  const auto found = json.find(kArchitectures);
  if (found != json.end() && found->is_array() && found->size() == 1) {
    for (const HeadName& known : kHeads) {
      if (found->front() != known.architecture) continue;
      head = known.head;
      return;
    }
  }
  reader.Fail(
      kArchitectures,
      absl::StrCat("found ", found == json.end() ? "nothing" : Shown(*found),
                   "; it says which head is trained: [\"BertForMaskedLM\"], or "
                   "[\"BertForSequenceClassification\"]"));
}

void ReadLabels(const Json& json, ConfigReader& reader, BertConfig& config) {
  constexpr char kById[] = "id2label";
  if (reader.Has(kById) && !json.at(kById).is_object()) {
    reader.Fail(kById, absl::StrCat("found ", ShownJson(json.at(kById)),
                                    "; an object is needed, with each class"));
    return;
  }
  if (reader.Has(kById)) {
    config.num_labels = static_cast<int64_t>(json.at(kById).size());
  } else {
    reader.OptionalDimension("num_labels", kMaxDimension, config.num_labels);
  }
  if (config.num_labels < 2) {
    reader.Fail(reader.Has(kById) ? kById : "num_labels",
                absl::StrCat("found ", config.num_labels,
                             " classes; at least 2 are needed, as there is no "
                             "regression"));
    return;
  }
  config.labels = ReadClassLabels(json, config.num_labels, reader);
}

// -1: null. transformers' own is 0.
void ReadPadding(const Json& json, ConfigReader& reader, BertConfig& config) {
  constexpr char kPadding[] = "pad_token_id";
  const auto found = json.find(kPadding);
  if (found == json.end()) return;
  if (found->is_null()) {
    config.padding_token = -1;
  } else if (!found->is_number_integer() || found->get<int64_t>() < 0 ||
             found->get<int64_t>() >= config.vocab_size) {
    reader.Fail(kPadding, absl::StrCat("found ", ShownJson(*found),
                                       "; an id below vocab_size, ",
                                       config.vocab_size, ", is needed"));
  } else {
    config.padding_token = found->get<int64_t>();
  }
}

// What norms and biases add is small.
int64_t ParametersOf(const BertConfig& config) {
  return config.hidden_size *
         (2 * config.vocab_size + config.max_position_embeddings +
          config.num_labels + config.hidden_size +
          config.num_hidden_layers *
              (4 * config.hidden_size + 2 * config.intermediate_size));
}

}  // namespace

absl::StatusOr<BertConfig> ParseBertConfig(absl::string_view text) {
  const absl::StatusOr<Json> parsed = ParsePythonJson(text);
  if (!parsed.ok()) return parsed.status();
  const Json& json = *parsed;
  BertConfig config;
  ConfigReader reader(json);
  ReadHead(json, reader, config.head);
  reader.Dimension("vocab_size", nullptr, kMaxDimension, config.vocab_size);
  reader.Dimension("hidden_size", nullptr, kMaxWidth, config.hidden_size);
  reader.Dimension("num_hidden_layers", nullptr, kMaxLayers,
                   config.num_hidden_layers);
  reader.Dimension("num_attention_heads", nullptr, kMaxWidth,
                   config.num_attention_heads);
  reader.Dimension("intermediate_size", nullptr, kMaxDimension,
                   config.intermediate_size);
  reader.Dimension("max_position_embeddings", nullptr, kMaxPositions,
                   config.max_position_embeddings);
  reader.OptionalDimension("type_vocab_size", kMaxTokenTypes,
                           config.type_vocab_size);
  reader.OptionalNumber("layer_norm_eps", 0, 1, config.layer_norm_eps);
  reader.OptionalNumber("initializer_range", 0, 10, config.initializer_range);
  reader.OptionalNumber("hidden_dropout_prob", 0, 0.99,
                        config.hidden_dropout_prob);
  reader.OptionalNumber("attention_probs_dropout_prob", 0, 0.99,
                        config.attention_probs_dropout_prob);
  config.classifier_dropout = config.hidden_dropout_prob;
  if (reader.Has("classifier_dropout")) {
    reader.OptionalNumber("classifier_dropout", 0, 0.99,
                          config.classifier_dropout);
  }
  reader.OptionalBool("tie_word_embeddings", config.tie_word_embeddings);
  ReadPadding(json, reader, config);
  reader.MustBeOneOf("hidden_act", kErfGelu);
  reader.MustBe("position_embedding_type", "absolute");
  reader.MustBe("is_decoder", false);
  reader.MustBe("add_cross_attention", false);
  reader.MustBe("is_encoder_decoder", false);
  reader.MustBeEmpty("pruned_heads");
  reader.MustBeEmpty("quantization_config");
  if (config.head == BertHead::kClass) {
    ReadLabels(json, reader, config);
    if (reader.Has("problem_type")) {
      reader.MustBe("problem_type", "single_label_classification");
    }
  }
  if (config.num_attention_heads > 0 &&
      config.hidden_size % config.num_attention_heads != 0) {
    reader.Fail(
        "num_attention_heads",
        absl::StrCat("found ", config.num_attention_heads,
                     "; it must divide hidden_size, ", config.hidden_size));
  }
  // Of wrong numbers the product may be no int64_t.
  if (absl::Status status = reader.Result(); !status.ok()) return status;
  reader.AtMostParameters("num_hidden_layers", ParametersOf(config));
  if (absl::Status status = reader.Result(); !status.ok()) return status;
  return config;
}

}  // namespace hydra
