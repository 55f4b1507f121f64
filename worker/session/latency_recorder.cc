#include "worker/session/latency_recorder.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace hydra {

void LatencyRecorder::Add(absl::Duration sample) {
  if (count_ < kMaxSamples) {
    samples_.push_back(sample);
  } else {
    samples_[count_ % kMaxSamples] = sample;
  }
  ++count_;
}

absl::Duration LatencyRecorder::Quantile(double quantile) const {
  if (samples_.empty()) return absl::ZeroDuration();
  std::vector<absl::Duration> sorted = samples_;
  const int64_t rank = std::ceil(quantile * sorted.size());
  const int64_t index =
      std::clamp<int64_t>(rank - 1, 0, static_cast<int64_t>(sorted.size()) - 1);
  std::nth_element(sorted.begin(), sorted.begin() + index, sorted.end());
  return sorted[index];
}

absl::Status LatencyRecorder::WriteTo(const std::string& path) const {
  errno = 0;
  std::ofstream file(path, std::ios::trunc);
  file << absl::StrFormat(
      "{\"count\":%d,\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f}\n",
      count_, absl::ToDoubleMicroseconds(Quantile(0.5)),
      absl::ToDoubleMicroseconds(Quantile(0.99)),
      absl::ToDoubleMicroseconds(Quantile(1)));
  file.close();
  if (file.fail()) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
  }
  return absl::OkStatus();
}

}  // namespace hydra
