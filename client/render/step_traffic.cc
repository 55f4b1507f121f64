#include "client/render/step_traffic.h"

#include <cstdint>

#include "absl/strings/str_format.h"
#include "client/render/format.h"
#include "client/render/table.h"

namespace hydra {
namespace {

using v1::KindBytes;
using KindField = int64_t (*)(const KindBytes&);

// One line: what it counts.
struct Row {
  const char* kind;
  KindField bytes;
};

int64_t AllBytes(const KindBytes& bytes) {
  return bytes.parameters() + bytes.optimizer_state() + bytes.activations() +
         bytes.activation_gradients() + bytes.parameter_gradients();
}

constexpr Row kRows[] = {
    {"parameters", [](const KindBytes& b) { return b.parameters(); }},
    {"optimizer state", [](const KindBytes& b) { return b.optimizer_state(); }},
    {"activations", [](const KindBytes& b) { return b.activations(); }},
    {"their gradients",
     [](const KindBytes& b) { return b.activation_gradients(); }},
    {"waiting gradients",
     [](const KindBytes& b) { return b.parameter_gradients(); }},
    {"all", AllBytes}};

std::string RatioText(double counted, int64_t predicted) {
  if (predicted <= 0) return "-";
  return absl::StrFormat("%.3f", counted / static_cast<double>(predicted));
}

}  // namespace

std::string RenderStepTraffic(const v1::StepTraffic& traffic, int width,
                              bool color) {
  Table table({{"KIND", false, /*flexible=*/true},
               {"IN", true},
               {"PREDICTED", true},
               {"RATIO", true},
               {"ALREADY THERE", true},
               {"OUT", true},
               {"PREDICTED", true},
               {"RATIO", true}});
  const auto steps = static_cast<double>(traffic.steps());
  const auto text = [](double bytes) {
    return BytesText(static_cast<int64_t>(bytes));
  };
  for (const Row& row : kRows) {
    const double in = row.bytes(traffic.promoted()) / steps;
    const double out = row.bytes(traffic.demoted()) / steps;
    const int64_t predicted_in = row.bytes(traffic.predicted_promoted());
    const int64_t predicted_out = row.bytes(traffic.predicted_demoted());
    table.AddRow({row.kind, text(in), BytesText(predicted_in),
                  RatioText(in, predicted_in),
                  text(row.bytes(traffic.cached()) / steps), text(out),
                  BytesText(predicted_out), RatioText(out, predicted_out)});
  }
  return table.Render(width, color);
}

}  // namespace hydra
