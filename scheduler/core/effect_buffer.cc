#include "scheduler/core/effect_buffer.h"

#include <utility>

namespace hydra {

void EffectBuffer::Flush(Effects& effects) {
  for (const auto& effect : std::exchange(kept_, {})) effect(effects);
}

void EffectBuffer::SendDesired(WorkerId worker,
                               const hydra::worker::v1::DesiredState& desired) {
  kept_.push_back([=](Effects& to) { to.SendDesired(worker, desired); });
}

void EffectBuffer::KillWorker(WorkerId worker, absl::string_view reason) {
  kept_.push_back([worker, reason = std::string(reason)](Effects& to) {
    to.KillWorker(worker, reason);
  });
}

void EffectBuffer::SaveModel(const SaveRequest& request) {
  kept_.push_back([=](Effects& to) { to.SaveModel(request); });
}

void EffectBuffer::WriteCheckpoint(const CheckpointRequest& request) {
  kept_.push_back([=](Effects& to) { to.WriteCheckpoint(request); });
}

void EffectBuffer::RemoveCheckpoint(JobId job, const std::string& path) {
  kept_.push_back([=](Effects& to) { to.RemoveCheckpoint(job, path); });
}

void EffectBuffer::StorePartition(const std::string& key,
                                  const hydra::v1::Partition& partition) {
  kept_.push_back([=](Effects& to) { to.StorePartition(key, partition); });
}

void EffectBuffer::LogForJob(JobId job, const hydra::v1::LogLine& line) {
  kept_.push_back([=](Effects& to) { to.LogForJob(job, line); });
}

void EffectBuffer::LogLinesDropped(JobId job, int64_t count) {
  kept_.push_back([=](Effects& to) { to.LogLinesDropped(job, count); });
}

}  // namespace hydra
