#include "scheduler/service/health_reporter.h"

#include <algorithm>
#include <utility>

#include "absl/time/time.h"

namespace hydra {
namespace {

constexpr absl::Duration kLookEvery = absl::Milliseconds(200);

}  // namespace

bool CanServe(const absl::Status& journal, const absl::Status& trouble,
              const std::vector<v1::WorkerStatus>& workers) {
  return journal.ok() && trouble.ok() &&
         std::any_of(workers.begin(), workers.end(),
                     [](const v1::WorkerStatus& worker) {
                       return worker.state() == v1::WORKER_STATE_READY;
                     });
}

HealthReporter::HealthReporter(std::function<bool()> can_serve,
                               std::function<void(bool serving)> report)
    : can_serve_(std::move(can_serve)), report_(std::move(report)) {
  const bool serving = can_serve_();
  report_(serving);
  thread_ = std::thread([this, serving] { Loop(serving); });
}

HealthReporter::~HealthReporter() { Stop(); }

void HealthReporter::Stop() {
  stop_.Notify();
  if (thread_.joinable()) thread_.join();
}

void HealthReporter::Loop(bool reported) {
  while (!stop_.WaitFor(kLookEvery)) {
    const bool serving = can_serve_();
    if (serving == reported) continue;
    reported = serving;
    report_(serving);
  }
  if (reported) report_(false);
}

}  // namespace hydra
