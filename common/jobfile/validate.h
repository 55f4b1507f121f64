#ifndef HYDRA_COMMON_JOBFILE_VALIDATE_H_
#define HYDRA_COMMON_JOBFILE_VALIDATE_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "common/jobfile/mistakes.h"
#include "hydra/v1/job.pb.h"

// What a JobSpec must satisfy, and what it means where it is silent. Pure.
namespace hydra {

inline constexpr absl::string_view kDefaultJobName = "job";

// Of a job's three splits together.
inline constexpr int kMaxDataFiles = 10'000;
// A job as a message, with all of its paths. Each of its records and of its
// contexts for workers has it.
inline constexpr int64_t kMaxJobBytes = int64_t{1} << 20;

// A job's priority is no further from 0.
inline constexpr int kMostPriority = 1'000;

// Adds everything that is wrong with `job` whatever is on the server: values
// out of range, values that exclude each other, values that are missing. Takes
// jobs with or without defaults filled in; without, a mistake is told once, in
// the field that has it.
//
// Not checked here, because it takes the disk or the model: whether paths exist
// and lie below the roots, whether cut points and context fit the model.
void ValidateJob(const v1::JobSpec& job, Mistakes* mistakes);

// Whether some of the model's parameters, or all of them, are not trained.
bool FreezesAny(const v1::JobSpec& job);

// In all splits.
int CountDataFiles(const v1::DataSpec& data);

// Adds what is wrong with the tokens of one step, or of an evaluation's batch:
// a worker holds them all at once, 8 bytes each, beside its device. Takes a job
// with all defaults filled in, train.context_length too.
void CheckStepTokens(const v1::JobSpec& job, Mistakes* mistakes);

// Fills in every default but two that only the daemon knows:
// train.context_length (the model's longest) and output.output_dir (its own).
// train.dropout and lora.target_modules stay unset: the model's own apply.
void FillDefaults(v1::JobSpec* job);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_VALIDATE_H_
