#include "worker/session/compute_clock.h"

#include <pthread.h>

#include "common/status/proto_time.h"
#include "glog/logging.h"

namespace hydra {
ComputeClock::ComputeClock() {
  CHECK_EQ(pthread_getcpuclockid(pthread_self(), &cpu_clock_), 0);
}

void ComputeClock::EndTask(absl::Time now) {
  if (began_) busy_ += now - *began_;
  began_.reset();
}

void ComputeClock::Fill(absl::Time now,
                        worker::v1::DeviceStatus& status) const {
  *status.mutable_busy() = ToProto(began_ ? busy_ + (now - *began_) : busy_);
  timespec cpu;
  CHECK_EQ(clock_gettime(cpu_clock_, &cpu), 0);
  *status.mutable_compute_cpu() = ToProto(absl::DurationFromTimespec(cpu));
}

}  // namespace hydra
