#include "tests/e2e/outcome.h"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/file/scratch_directory.h"
#include "google/protobuf/util/json_util.h"
#include "tests/e2e/cluster.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

std::string Text(const std::pair<int64_t, double>& loss) {
  return absl::StrFormat("step %d, %.17g", loss.first, loss.second);
}

std::string Text(
    const std::tuple<int64_t, std::string, double, double>& evaluation) {
  return absl::StrFormat("step %d, %s, %.17g, %.17g", std::get<0>(evaluation),
                         std::get<1>(evaluation), std::get<2>(evaluation),
                         std::get<3>(evaluation));
}

template <typename Value>
std::string FirstDifference(const std::string& what,
                            const std::vector<Value>& a,
                            const std::vector<Value>& b) {
  for (size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (a[i] == b[i]) continue;
    return absl::StrCat(what, " ", i, ": ", Text(a[i]), " and ", Text(b[i]));
  }
  if (a.size() == b.size()) return "";
  return absl::StrCat(a.size(), " and ", b.size(), " of: ", what);
}

}  // namespace

Outcome OutcomeOf(const v1::JobDetail& job) {
  Outcome outcome;
  if (job.status().state() != v1::JOB_STATE_COMPLETED) return outcome;
  outcome.weights =
      ReadFile(job.output_path() +
               (job.spec().has_lora() && !job.spec().output().merge_adapters()
                    ? "/adapter_model"
                    : "/model") +
               ".safetensors");
  for (const v1::StepMetrics& step : job.steps()) {
    outcome.losses.emplace_back(step.step(), step.train_loss());
  }
  for (const v1::EvaluationMetrics& evaluation : job.evaluations()) {
    outcome.evaluations.emplace_back(evaluation.step(), evaluation.split(),
                                     evaluation.loss(), evaluation.accuracy());
  }
  return outcome;
}

std::string Difference(const Outcome& a, const Outcome& b) {
  std::string difference = FirstDifference("loss", a.losses, b.losses);
  if (difference.empty()) {
    difference = FirstDifference("evaluation", a.evaluations, b.evaluations);
  }
  if (difference.empty() && a.weights != b.weights) {
    difference = "the weights differ";
  }
  return difference;
}

std::string DifferenceToPlainTraining(const v1::JobDetail& job,
                                      const std::string& model,
                                      const std::string& data, int token_bytes,
                                      bool are_rows) {
  std::string train;
  std::string lora;
  std::string data_section;
  for (const auto& [section, json] :
       {std::pair<const google::protobuf::Message*, std::string*>{
            &job.spec().train(), &train},
        {&job.spec().lora(), &lora},
        {&job.spec().data(), &data_section}}) {
    const auto written =
        google::protobuf::util::MessageToJsonString(*section, json);
    if (!written.ok()) return std::string(written.message());
  }
  const bool has_tensors =
      job.spec().data().format() == v1::DATA_FORMAT_TENSORS;
  const std::string weights = FreshDirectory() + "/model.safetensors";
  std::vector<std::string> command = {"tests/reference/reference_main",
                                      "--model",
                                      model,
                                      "--token-bytes",
                                      absl::StrCat(token_bytes),
                                      "--train",
                                      train,
                                      "--save",
                                      weights};
  if (job.spec().model().init() == v1::INITIALIZATION_RANDOM) {
    command.push_back("--random");
  }
  if (job.spec().has_lora()) {
    command.insert(command.end(), {"--lora", lora});
  }
  for (const std::string& pattern : job.spec().model().frozen()) {
    command.insert(command.end(), {"--frozen", pattern});
  }
  if (job.spec().model().trained_dtype() == v1::PARAMETER_TYPE_BFLOAT16) {
    command.push_back("--masters");
  }
  if (job.spec().model().frozen_dtype() == v1::PARAMETER_TYPE_INT8) {
    command.push_back("--int8");
  }
  if (are_rows) command.push_back("--rows");
  if (data.empty()) {
    command.insert(command.end(), {"--data", data_section, "--tokenizer",
                                   job.spec().model().tokenizer_path()});
  } else {
    command.insert(command.end(),
                   {has_tensors ? "--examples" : "--tokens", data});
  }
  const ProgramResult reference = RunProgram(command);
  if (reference.code != 0) return reference.output;
  Outcome plain = OutcomeOf(job);
  plain.weights = ReadFile(weights);
  const auto losses = nlohmann::json::parse(reference.output)["losses"];
  plain.losses.clear();
  for (const nlohmann::json& loss : losses) {
    plain.losses.emplace_back(plain.losses.size(), loss.get<double>());
  }
  return Difference(OutcomeOf(job), plain);
}

}  // namespace hydra
