#ifndef HYDRA_WORKER_EXEC_PROTO_DURATION_H_
#define HYDRA_WORKER_EXEC_PROTO_DURATION_H_

#include <cstdint>

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"

namespace hydra {

// Requires a finite duration.
inline void SetDuration(absl::Duration duration,
                        google::protobuf::Duration* out) {
  out->set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &duration));
  out->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration)));
}

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_PROTO_DURATION_H_
