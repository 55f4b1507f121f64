#ifndef HYDRA_SCHEDULER_CORE_EFFECT_BUFFER_H_
#define HYDRA_SCHEDULER_CORE_EFFECT_BUFFER_H_

#include <functional>
#include <string>
#include <vector>

#include "scheduler/core/effects.h"

namespace hydra {

// Keeps what the core wants done until its turn is in the journal. Not
// thread-safe.
class EffectBuffer final : public Effects {
 public:
  // Does all of it, in order, and forgets it.
  void Flush(Effects& effects);

  void SendDesired(WorkerId worker,
                   const hydra::worker::v1::DesiredState& desired) override;
  void KillWorker(WorkerId worker, absl::string_view reason) override;
  void SaveModel(const SaveRequest& request) override;
  void WriteCheckpoint(const CheckpointRequest& request) override;
  void RemoveCheckpoint(JobId job, const std::string& path) override;
  void StorePartition(const std::string& key,
                      const hydra::v1::Partition& partition) override;
  void LogForJob(JobId job, const hydra::v1::LogLine& line) override;
  void LogLinesDropped(JobId job, int64_t count) override;

 private:
  std::vector<std::function<void(Effects&)>> kept_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_EFFECT_BUFFER_H_
