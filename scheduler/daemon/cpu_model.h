#ifndef HYDRA_SCHEDULER_DAEMON_CPU_MODEL_H_
#define HYDRA_SCHEDULER_DAEMON_CPU_MODEL_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hydra {

// The name of the machine's processor, such as "AMD EPYC 7763 64-Core
// Processor", in the text of /proc/cpuinfo; empty if it says none.
std::string CpuModelIn(absl::string_view cpuinfo);

// Of this machine.
std::string CpuModel();

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_DAEMON_CPU_MODEL_H_
