#ifndef HYDRA_CLIENT_COMMANDS_SINCE_H_
#define HYDRA_CLIENT_COMMANDS_SINCE_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace hydra {

// A time as people write one: so long before `now` ("30d", "12h", "1h30m"), a
// day or a moment of `zone` ("2026-11-30", "2026-11-30 18:04", "2026-11-30
// 18:04:05"), or one with its own zone (RFC 3339). Pure.
//
// INVALID_ARGUMENT: it is none.
absl::StatusOr<absl::Time> ParseSince(absl::string_view text, absl::Time now,
                                      absl::TimeZone zone);

}  // namespace hydra

#endif  // HYDRA_CLIENT_COMMANDS_SINCE_H_
