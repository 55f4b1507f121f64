#include "scheduler/core/remedy.h"

#include <algorithm>

namespace hydra {
namespace {

namespace wv1 = hydra::worker::v1;

constexpr absl::Duration kFirstPause = absl::Seconds(1);
constexpr int kMostDoublings = 10;
// Of the device: what the first further pilot leaves free, and the last.
constexpr int64_t kFirstReserve = 16;
constexpr int64_t kLastReserve = 2;

bool RunsOnTheHost(wv1::TaskKind kind) {
  return kind == wv1::TASK_KIND_PREPARE || kind == wv1::TASK_KIND_INIT ||
         kind == wv1::TASK_KIND_UPDATE;
}

}  // namespace

Remedy RemedyOf(wv1::TaskKind kind, absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kDeadlineExceeded:
      return Remedy::kAgain;
    case absl::StatusCode::kResourceExhausted:
      // A full disk, or no more open files.
      if (RunsOnTheHost(kind)) return Remedy::kAgain;
      // It tried every cut.
      if (kind == wv1::TASK_KIND_PILOT) return Remedy::kNone;
      return Remedy::kCutAnew;
    default:
      return Remedy::kNone;
  }
}

absl::Duration PauseAfter(int failures) {
  return kFirstPause * (1 << std::min(failures - 1, kMostDoublings));
}

int64_t NextReserve(int64_t reserve_bytes, int64_t device_bytes) {
  const int64_t next =
      std::max(device_bytes / kFirstReserve, 2 * reserve_bytes);
  return next > device_bytes / kLastReserve ? 0 : next;
}

}  // namespace hydra
