#include "scheduler/core/plan.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/chain/split.h"
#include "common/data/batch_plan.h"
#include "common/data/data_format.h"
#include "common/data/split_windows.h"
#include "common/data/step_count.h"
#include "common/model/describe.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

// Evaluation batches are numbered with 32 bits.
constexpr int64_t kMaxEvalBatches = int64_t{1} << 30;

wv1::PreparedSplit SplitOf(const Job& job, wv1::Split split) {
  for (const wv1::PreparedSplit& prepared : job.splits) {
    if (prepared.split() == split) return prepared;
  }
  return {};
}

// What one evaluation of a split takes in.
struct Evaluated {
  int64_t batches = 0;
  int64_t sequences = 0;
};

Evaluated EvaluationOf(const Job& job, wv1::Split split) {
  const int64_t windows =
      WindowsOf(SplitOf(job, split), job.shape.context_length);
  Evaluated all = {EvaluationBatchCount(windows, job.shape.eval_batch_size),
                   windows};
  const int64_t most = job.submitted.spec.evaluation().max_eval_batches();
  if (most <= 0 || most >= all.batches) return all;
  return {most, most * job.shape.eval_batch_size};
}

// What a sequence of the split is; empty where it is cut out of one long row of
// tokens.
absl::string_view WhatIsASequence(const Job& job,
                                  const wv1::PreparedSplit& split) {
  const ModelTable& table = *job.shape.table;
  if (table.examples.has_value()) return "examples";
  // A text may make several.
  if (table.objective == Objective::kMaskedTokens) return "sequences";
  const v1::DataSpec& data = job.submitted.spec.data();
  const bool has_rows = split.row_count() > 0 ||
                        table.takes_whole_sequences() ||
                        (IsConversations(data.format()) && !data.packing());
  return has_rows ? "rows" : "";
}

// Of a split that is too short for one step of `sequences`.
std::string TooShort(const Job& job, const wv1::PreparedSplit& train,
                     int64_t sequences) {
  const int64_t context_length = job.shape.context_length;
  if (job.shape.table->examples.has_value()) {
    return absl::StrCat("the training split has ", train.row_count(),
                        " examples; one step takes ", sequences);
  }
  const absl::string_view rows = WhatIsASequence(job, train);
  if (!rows.empty()) {
    const ModelTable& table = *job.shape.table;
    return absl::StrCat(
        "the training split has ", train.row_count(), " ", rows,
        " that can be trained on; one step takes ", sequences, " ", rows,
        "; smaller batches",
        table.objective == Objective::kMaskedTokens
            ? " need fewer, or a smaller train.context_length makes more"
        : table.takes_whole_sequences()
            ? " need fewer"
            : ", or data.packing: true, need fewer");
  }
  return absl::StrCat("the training split has ", train.token_count(),
                      " tokens; one step of ", sequences, " sequences of ",
                      context_length, " tokens needs ",
                      sequences * context_length + 1,
                      "; a smaller train.context_length makes them shorter");
}

// An evaluation of no window would have no loss.
absl::Status CheckEvaluationSplits(const Job& job) {
  for (const wv1::PreparedSplit& prepared : job.splits) {
    if (prepared.split() == wv1::SPLIT_TRAIN ||
        WindowsOf(prepared, job.shape.context_length) > 0) {
      continue;
    }
    const absl::string_view rows = WhatIsASequence(job, prepared);
    if (!rows.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the ", SplitName(prepared.split()), " split has no ",
                       rows, " that can be evaluated"));
    }
    return absl::InvalidArgumentError(
        absl::StrCat("the ", SplitName(prepared.split()), " split has ",
                     prepared.token_count(), " tokens; one sequence of ",
                     job.shape.context_length, " tokens needs ",
                     job.shape.context_length + 1));
  }
  return absl::OkStatus();
}

}  // namespace

std::string TableContent(const v1::JobSpec& spec,
                         const std::string& model_config_json) {
  return DescriptionContent(model_config_json, OverridesOf(spec));
}

absl::StatusOr<ModelTable> TableOf(const v1::JobSpec& spec,
                                   const std::string& model_config_json) {
  return Describe(model_config_json, OverridesOf(spec));
}

absl::StatusOr<ChainPlan> PlanOf(const Job& job) {
  const v1::TrainSpec& train = job.submitted.spec.train();
  const int64_t sequences =
      job.shape.micro_batch_size * job.shape.micro_batches;
  const wv1::PreparedSplit data = SplitOf(job, wv1::SPLIT_TRAIN);
  const int64_t steps_per_epoch =
      StepsPerEpoch(WindowsOf(data, job.shape.context_length), sequences);
  if (steps_per_epoch == 0) {
    return absl::InvalidArgumentError(TooShort(job, data, sequences));
  }
  if (absl::Status long_enough = CheckEvaluationSplits(job);
      !long_enough.ok()) {
    return long_enough;
  }
  ChainPlan plan;
  plan.total_steps = TotalSteps(train, steps_per_epoch);
  plan.eval_steps = job.submitted.spec.evaluation().eval_steps();
  const Evaluated validation = EvaluationOf(job, wv1::SPLIT_VALIDATION);
  plan.validation_batches = validation.batches;
  plan.validation_sequences = validation.sequences;
  const Evaluated test = EvaluationOf(job, wv1::SPLIT_TEST);
  plan.test_batches = test.batches;
  plan.test_sequences = test.sequences;
  const int64_t batches = std::max(plan.validation_batches, plan.test_batches);
  if (batches > kMaxEvalBatches) {
    return absl::InvalidArgumentError(
        absl::StrCat("an evaluation would have ", batches, " batches; at most ",
                     kMaxEvalBatches, " are possible"));
  }
  return plan;
}

}  // namespace hydra
