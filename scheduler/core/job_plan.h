#ifndef HYDRA_SCHEDULER_CORE_JOB_PLAN_H_
#define HYDRA_SCHEDULER_CORE_JOB_PLAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "hydra/v1/hydra.pb.h"
#include "scheduler/core/new_job.h"

namespace hydra {

// What plans are made for. A value.
struct PlanLimits {
  // Memory limits of devices.
  std::vector<int64_t> device_memory_bytes;
  // As in CoreOptions.
  int lookahead = 1;
  int promised_tenths = 9;
  int64_t pool_first_byte = 0;
  int64_t prefetch_bytes = 0;
};

// All of a job that its plan depends on, but for its name and parameters.
std::string PlanContent(const NewJob& job);

// What the job will take on such devices, before anything ran. With cut points
// of its own it is planned with these. Pure.
v1::JobPlan PlanJob(const NewJob& job, const PlanLimits& limits);

// What that plan cannot know of the job, for who reads it.
std::vector<std::string> PlanWarnings(const NewJob& job);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_JOB_PLAN_H_
