#ifndef HYDRA_COMMON_STATUS_PROTO_TIME_H_
#define HYDRA_COMMON_STATUS_PROTO_TIME_H_

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace hydra {

// Between Abseil's times and Protocol Buffers' well-known types, to the
// nanosecond, rounded down. Infinite durations become the longest that fits.

google::protobuf::Duration ToProto(absl::Duration duration);
google::protobuf::Timestamp ToProto(absl::Time time);
absl::Duration FromProto(const google::protobuf::Duration& duration);
absl::Time FromProto(const google::protobuf::Timestamp& timestamp);

}  // namespace hydra

#endif  // HYDRA_COMMON_STATUS_PROTO_TIME_H_
