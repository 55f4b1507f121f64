#ifndef HYDRA_WORKER_EXEC_MOMENT_STREAM_H_
#define HYDRA_WORKER_EXEC_MOMENT_STREAM_H_

#include <array>
#include <cstdint>
#include <deque>

#include "ATen/core/Tensor.h"
#include "worker/exec/pass.h"
#include "worker/exec/update_ranges.h"
#include "worker/model/optimizer_step.h"

namespace hydra {

// The optimizer's state of all blocks that a pass updates, moments and masters,
// promoted in ranges in the order in which they are updated, some of them
// before their update:
// while the pass computes, as far as there is room, and always the next ones of
// the range that is being updated.
//
// Not thread-safe. `pass` outlives this.
class MomentStream {
 public:
  // The parts of a block's state (JobShape::StateParts); others are undefined.
  using Moments = std::array<at::Tensor, kMostStateParts>;

  explicit MomentStream(const Pass& pass);
  ~MomentStream();

  MomentStream(const MomentStream&) = delete;
  MomentStream& operator=(const MomentStream&) = delete;

  // Begins to promote further ranges, as long as those that were begun and not
  // taken have `room_bytes` at most. Waits for nothing, also not for room.
  void Prefetch(int64_t room_bytes);

  // The moments of a range, ready for operations, in memory of their own. The
  // stream's order is the fast one; any other is allowed.
  Moments Take(int block, const BlockRange& range);

  bool all_begun() const { return not_begun_.empty(); }
  // Of the ranges that were begun and not taken.
  int64_t begun_bytes() const { return begun_bytes_; }

 private:
  struct Part {
    int block = 0;
    BlockRange range;
  };
  struct Begun {
    Part part;
    Moments moments;
    std::array<Mark, kMostStateParts> ready;
  };

  int Parts(int block) const { return pass_.model.shape.StateParts(block); }
  int64_t BytesOf(const Part& part) const;
  Begun Begin(const Part& part);
  void BeginNext();

  const Pass& pass_;
  std::deque<Part> not_begun_;
  // In the same order, before all of those.
  std::deque<Begun> begun_;
  int64_t begun_bytes_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_MOMENT_STREAM_H_
