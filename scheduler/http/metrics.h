#ifndef HYDRA_SCHEDULER_HTTP_METRICS_H_
#define HYDRA_SCHEDULER_HTTP_METRICS_H_

#include <memory>
#include <string>
#include <vector>

#include "hydra/v1/hydra.pb.h"
#include "hydra/v1/status.pb.h"
#include "scheduler/http/process_numbers.h"
#include "scheduler/runtime/daemon_meter.h"
#include "scheduler/runtime/job_meter.h"

namespace hydra {

// What metrics are made of. A value.
struct MetricsNumbers {
  // Of the moment: version, pool and start.
  hydra::v1::GetServerInfoResponse server;
  // Worker 1's first.
  std::shared_ptr<const std::vector<hydra::v1::WorkerStatus>> workers;
  JobMeter jobs;
  DaemonMeter::Numbers daemon;
  ProcessNumbers process;
  // Whether the pool's journal, and jobs.db, took what was last written.
  bool pool_journal_writes = true;
  bool jobs_journal_writes = true;
  // All users' numbers together.
  bool hides_users = false;
};

// All metrics, as docs/daemon.md lists them. Pure.
std::string WriteMetrics(const MetricsNumbers& numbers);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_HTTP_METRICS_H_
