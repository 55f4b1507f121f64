#include "client/render/metrics_csv.h"

#include <charconv>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/status/proto_time.h"

namespace hydra {
namespace {

// The shortest text that reads as the same number.
std::string Number(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof(text), value);
  return std::string(text, end.ptr);
}

std::string StepRow(const v1::StepMetrics& step) {
  return absl::StrCat(
      "train,", step.step(), ",", Number(step.train_loss()), ",,,,",
      step.has_grad_norm() ? Number(step.grad_norm()) : "", ",",
      step.has_time()
          ? absl::FormatTime(absl::RFC3339_full, FromProto(step.time()),
                             absl::UTCTimeZone())
          : "",
      ",",
      step.has_device()
          ? Number(absl::ToDoubleSeconds(FromProto(step.device())))
          : "",
      "\n");
}

std::string EvaluationRow(const v1::EvaluationMetrics& found) {
  return absl::StrCat(found.split() == "test" ? "test," : "validation,",
                      found.step(), ",", Number(found.loss()), ",",
                      // Of classification there is none.
                      found.perplexity() > 0 ? Number(found.perplexity()) : "",
                      ",", found.has_accuracy() ? Number(found.accuracy()) : "",
                      ",", found.tokens(), ",,,\n");
}

}  // namespace

std::string MetricsCsv(const v1::ListMetricsResponse& page) {
  std::string rows;
  auto evaluation = page.evaluations().begin();
  for (const v1::StepMetrics& step : page.steps()) {
    for (; evaluation != page.evaluations().end() &&
           evaluation->step() <= step.step();
         ++evaluation) {
      rows += EvaluationRow(*evaluation);
    }
    rows += StepRow(step);
  }
  for (; evaluation != page.evaluations().end(); ++evaluation) {
    rows += EvaluationRow(*evaluation);
  }
  return rows;
}

}  // namespace hydra
