#ifndef HYDRA_CLIENT_COMMANDS_LOG_CURSOR_H_
#define HYDRA_CLIENT_COMMANDS_LOG_CURSOR_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "hydra/v1/hydra.pb.h"

namespace hydra {

// Remembers how far a log was shown, so that a stream that is opened again from
// the beginning repeats no line. Lines come in order of time. Not thread-safe.
class LogCursor {
 public:
  // A new stream begins.
  void Restart() { seen_of_newest_ = 0; }

  // Whether `line` is new; if so, it counts as shown.
  bool Advance(const v1::LogLine& line);

  bool started() const { return newest_ > absl::InfinitePast(); }

 private:
  absl::Time newest_ = absl::InfinitePast();
  // Lines of the newest time that were shown, and that this stream brought.
  int64_t shown_of_newest_ = 0;
  int64_t seen_of_newest_ = 0;
};

// "2026-11-22 18:04:05.123 I cpu:0 step 17: text", escaped.
std::string LogText(const v1::LogLine& line, absl::TimeZone zone);

}  // namespace hydra

#endif  // HYDRA_CLIENT_COMMANDS_LOG_CURSOR_H_
