#include "scheduler/storage/metrics_line.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/time/time.h"
#include "common/chain/split.h"
#include "common/model/learning_rate.h"
#include "common/status/proto_time.h"
#include "scheduler/journal/tables.h"

namespace hydra {
namespace {

using Json = nlohmann::ordered_json;

// More are of no job; places stay far from overflowing.
constexpr int64_t kMostSteps = int64_t{1} << 60;

std::string TimeText(const v1::StepMetrics& step) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", FromProto(step.time()),
                          absl::UTCTimeZone());
}

Json JsonOf(const v1::StepMetrics& step, const MetricsContext& context) {
  Json json;
  json["step"] = step.step();
  json["time"] = TimeText(step);
  json["train_loss"] = step.train_loss();
  json["learning_rate"] = LearningRateOf(step, context);
  if (step.has_grad_norm()) json["grad_norm"] = step.grad_norm();
  if (step.has_loss_scale()) json["loss_scale"] = step.loss_scale();
  if (step.overflowed()) json["overflowed"] = true;
  if (step.skipped_blocks() > 0) json["skipped_blocks"] = step.skipped_blocks();
  if (const std::optional<double> rate = RateOf(step, context)) {
    json["device_seconds"] = absl::ToDoubleSeconds(FromProto(step.device()));
    json[context.counts_examples ? "examples_per_second"
                                 : "tokens_per_second"] = *rate;
  }
  return json;
}

Json JsonOf(const v1::EvaluationMetrics& evaluation,
            const MetricsContext& context) {
  Json json;
  json["step"] = evaluation.step();
  json["split"] = evaluation.split();
  json["loss"] = evaluation.loss();
  if (evaluation.has_accuracy()) {
    json["accuracy"] = evaluation.accuracy();
  } else {
    json["perplexity"] = evaluation.perplexity();
  }
  json[evaluation.has_accuracy() ? "examples" : "tokens"] = evaluation.tokens();
  return json;
}

Json Parse(absl::string_view line) {
  return Json::parse(line.begin(), line.end(), /*cb=*/nullptr,
                     /*allow_exceptions=*/false);
}

// As JSON; empty if it is not there.
std::string TextOf(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found == json.end() ? "" : found->dump();
}

}  // namespace

double LearningRateOf(const v1::StepMetrics& step,
                      const MetricsContext& context) {
  return LearningRateAt(context.train, step.step(), context.total_steps);
}

std::optional<double> RateOf(const v1::StepMetrics& step,
                             const MetricsContext& context) {
  const absl::Duration device = FromProto(step.device());
  if (device <= absl::ZeroDuration()) return std::nullopt;
  return static_cast<double>(context.tokens_of_a_step) /
         absl::ToDoubleSeconds(device);
}

std::string MetricsLine(const MetricsRow& row, const MetricsContext& context) {
  const Json json = std::visit(
      [&](const auto& one) { return JsonOf(one, context); }, row.metrics);
  return json.dump(-1, ' ', /*ensure_ascii=*/false,
                   Json::error_handler_t::replace) +
         "\n";
}

std::optional<int64_t> PlaceOfLine(absl::string_view line) {
  const Json json = Parse(line);
  if (!json.is_object()) return std::nullopt;
  const auto number = json.find("step");
  if (number == json.end() || !number->is_number_integer()) return std::nullopt;
  const int64_t step = number->get<int64_t>();
  if (step < 0 || step > kMostSteps) return std::nullopt;
  const auto split = json.find("split");
  if (split == json.end()) return PlaceOfStep(step);
  if (!split->is_string()) return std::nullopt;
  v1::EvaluationMetrics evaluation;
  evaluation.set_step(step);
  evaluation.set_split(split->get<std::string>());
  if (SplitOf(evaluation) == worker::v1::SPLIT_UNSPECIFIED) return std::nullopt;
  return PlaceOfEvaluation(EvaluationNumber(evaluation));
}

bool IsLineOf(absl::string_view line, const MetricsRow& row) {
  if (PlaceOfLine(line) != row.place()) return false;
  const Json json = Parse(line);
  if (const auto* step = std::get_if<v1::StepMetrics>(&row.metrics)) {
    return TextOf(json, "time") == Json(TimeText(*step)).dump() &&
           TextOf(json, "train_loss") == Json(step->train_loss()).dump();
  }
  const auto& evaluation = std::get<v1::EvaluationMetrics>(row.metrics);
  return TextOf(json, "loss") == Json(evaluation.loss()).dump();
}

}  // namespace hydra
