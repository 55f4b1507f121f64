#ifndef HYDRA_CLIENT_COMMANDS_LOG_CURSOR_H_
#define HYDRA_CLIENT_COMMANDS_LOG_CURSOR_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "hydra/v1/hydra.pb.h"

namespace hydra {

// Remembers which lines of a log were shown, so that a stream that is opened
// again from the beginning repeats none. Lines come in no strict order: each
// device sends its own. Not thread-safe.
class LogCursor {
 public:
  // Lines beyond so many may be repeated if they are as old as remembered ones.
  static constexpr size_t kMostRemembered = 100'000;

  // A new stream begins.
  void Restart();

  // Whether `line` is new; if so, it counts as shown.
  bool Advance(const v1::LogLine& line);

  bool started() const { return !remembered_.empty(); }

  // Whether this stream brought a line that was shown already, so that none is
  // missing between it and the stream before.
  bool overlaps() const { return overlaps_; }

 private:
  struct Shown {
    size_t hash;
    absl::Time time;
  };

  void Remember(size_t hash, absl::Time time);

  // The newest ones, oldest first, and how many there are of each hash.
  std::deque<Shown> remembered_;
  absl::flat_hash_map<size_t, int64_t> shown_;
  // Older lines were shown and forgotten, or come before the first one shown.
  absl::Time oldest_;
  bool restarted_ = false;
  bool overlaps_ = false;
  // Of this stream.
  absl::flat_hash_map<size_t, int64_t> seen_;
};

// "2026-11-22 18:04:05.123 I cpu:0 step 17: text", escaped.
std::string LogText(const v1::LogLine& line, absl::TimeZone zone);

}  // namespace hydra

#endif  // HYDRA_CLIENT_COMMANDS_LOG_CURSOR_H_
