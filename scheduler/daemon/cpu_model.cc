#include "scheduler/daemon/cpu_model.h"

#include <fstream>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"

namespace hydra {

std::string CpuModelIn(absl::string_view cpuinfo) {
  for (absl::string_view line : absl::StrSplit(cpuinfo, '\n')) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(':', 1));
    if (absl::StripAsciiWhitespace(parts.first) == "model name") {
      return std::string(absl::StripAsciiWhitespace(parts.second));
    }
  }
  return "";
}

std::string CpuModel() {
  std::ifstream file("/proc/cpuinfo");
  return CpuModelIn(std::string(std::istreambuf_iterator<char>(file), {}));
}

}  // namespace hydra
