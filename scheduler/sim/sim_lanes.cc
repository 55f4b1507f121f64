#include "scheduler/sim/sim_lanes.h"

#include <algorithm>

namespace hydra {
namespace {

namespace wv1 = hydra::worker::v1;

bool IsBoundary(const wv1::BlockVersion& block) {
  return block.kind() == wv1::BLOCK_KIND_ACTIVATION ||
         block.kind() == wv1::BLOCK_KIND_ACTIVATION_GRADIENT;
}

bool IsPass(wv1::TaskKind kind) {
  return kind == wv1::TASK_KIND_FORWARD || kind == wv1::TASK_KIND_TURN ||
         kind == wv1::TASK_KIND_BACKWARD || kind == wv1::TASK_KIND_EVALUATE;
}

}  // namespace

// State and gradients that wait are the host's alone; of new parameters, the
// gradient goes to the host, which is as large.
bool SimLanes::Moves(const wv1::Task& task,
                     const wv1::BlockVersion& block) const {
  if (block.zero() || (times_.gathered && times_.gathered(task, block))) {
    return false;
  }
  return IsBoundary(block) || block.kind() == wv1::BLOCK_KIND_PARAMETERS;
}

SimLanes::Done SimLanes::Run(const wv1::Task& task, absl::Time known,
                             absl::Time now) {
  if (!IsPass(task.kind())) return {now, now, now};
  int64_t in = 0;
  absl::Time there = absl::InfinitePast();
  for (const wv1::BlockVersion& read : task.reads()) {
    if (!Moves(task, read)) continue;
    if (!Has(read.version())) {
      in += read.size_bytes();
      const auto written = written_.find(read.version());
      if (written != written_.end()) there = std::max(there, written->second);
    }
    Use(read.version(), read.size_bytes());
  }
  int64_t out = 0;
  for (const wv1::BlockVersion& write : task.writes()) {
    if (!Moves(task, write)) continue;
    out += write.size_bytes();
    if (IsBoundary(write)) Use(write.version(), write.size_bytes());
  }
  moved_bytes_ += in + out;
  const bool ahead = times_.copies_beside && in <= times_.cache_bytes;
  const absl::Time in_begin = std::max({ahead ? known : now, in_free_, there});
  in_free_ = in_begin + TimeOf(in);
  Done done;
  done.begun = std::max(now, in_free_);
  done.computed = done.begun + times_.compute(task);
  // What a task makes leaves while it computes, as far as it can.
  const absl::Time out_begin =
      std::max(times_.copies_beside ? done.begun : done.computed, out_free_);
  out_free_ = done.written = std::max(done.computed, out_begin + TimeOf(out));
  if (!times_.copies_beside) done.computed = done.written;
  for (const wv1::BlockVersion& write : task.writes()) {
    written_[write.version()] = done.written;
  }
  return done;
}

std::vector<uint64_t> SimLanes::Versions() const {
  std::vector<uint64_t> versions;
  for (const Cached& cached : cache_) versions.push_back(cached.version);
  return versions;
}

void SimLanes::Use(uint64_t version, int64_t bytes) {
  const auto found = by_version_.find(version);
  if (found != by_version_.end()) {
    cache_.splice(cache_.begin(), cache_, found->second);
    return;
  }
  cache_.push_front({version, bytes});
  by_version_[version] = cache_.begin();
  cached_bytes_ += bytes;
  while (cached_bytes_ > times_.cache_bytes) {
    cached_bytes_ -= cache_.back().bytes;
    by_version_.erase(cache_.back().version);
    cache_.pop_back();
  }
}

absl::Duration SimLanes::TimeOf(int64_t bytes) const {
  return absl::Seconds(static_cast<double>(bytes) / times_.bytes_per_second);
}

}  // namespace hydra
