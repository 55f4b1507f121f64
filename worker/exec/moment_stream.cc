#include "worker/exec/moment_stream.h"

#include <utility>

#include "common/chain/block_key.h"

namespace hydra {
namespace {

// While one range is updated, so many are on their way: one that is copied, and
// one behind it, so that the link does not wait for the next call.
constexpr size_t kAhead = 2;

}  // namespace

MomentStream::MomentStream(const Pass& pass) : pass_(pass) {
  // There, updates read the moments where they are.
  if (pass.updates_on_host() || pass.io.device().HostMemoryIsDeviceMemory()) {
    return;
  }
  for (int layer = pass.last_layer() - 1; layer >= pass.first_layer();
       --layer) {
    for (int block : pass.layer(layer).parameter_blocks) {
      if (pass.block(block).owner() != layer) continue;
      // Not before the step's last round.
      if (pass.blocks.FindWritten(StateKey(block)) == nullptr) continue;
      for (const BlockRange& range : UpdateRangesOf(pass.block(block))) {
        not_begun_.push_back({block, range});
      }
    }
  }
}

MomentStream::~MomentStream() { pass_.io.AddBegunBytes(-begun_bytes_); }

void MomentStream::Prefetch(int64_t room_bytes) {
  while (!not_begun_.empty()) {
    const int64_t bytes = BytesOf(not_begun_.front());
    if (begun_bytes_ + bytes > room_bytes) return;
    // One tensor for each part.
    const int64_t largest = pass_.io.device().arena().largest_free_bytes();
    if (largest < bytes) return;
    BeginNext();
  }
}

MomentStream::Moments MomentStream::Take(int block, const BlockRange& range) {
  const auto is_asked_for = [&](const Part& part) {
    return part.block == block && part.range.first == range.first;
  };
  if (begun_.empty() && !not_begun_.empty() &&
      is_asked_for(not_begun_.front())) {
    BeginNext();
  }
  Begun taken;
  if (!begun_.empty() && is_asked_for(begun_.front().part)) {
    taken = std::move(begun_.front());
    begun_.pop_front();
    const int64_t bytes = BytesOf(taken.part);
    begun_bytes_ -= bytes;
    pass_.io.AddBegunBytes(-bytes);
    while (begun_.size() < kAhead && !not_begun_.empty()) BeginNext();
  } else {
    taken = Begin({block, range});
  }
  for (int i = 0; i < Parts(block); ++i) {
    pass_.io.WaitFor(taken.ready[i]);
  }
  return std::move(taken.moments);
}

int64_t MomentStream::BytesOf(const Part& part) const {
  return Parts(part.block) * part.range.count * kFloatBytes;
}

MomentStream::Begun MomentStream::Begin(const Part& part) {
  Begun begun;
  begun.part = part;
  const int64_t elements = pass_.block(part.block).element_count();
  for (int i = 0; i < Parts(part.block); ++i) {
    begun.moments[i] = pass_.io.Empty({part.range.count});
    begun.ready[i] = pass_.io.BeginPromoteRange(
        pass_.blocks.Read(StateKey(part.block)),
        i * elements + part.range.first, begun.moments[i]);
  }
  return begun;
}

void MomentStream::BeginNext() {
  const int64_t bytes = BytesOf(not_begun_.front());
  begun_.push_back(Begin(not_begun_.front()));
  not_begun_.pop_front();
  begun_bytes_ += bytes;
  pass_.io.AddBegunBytes(bytes);
}

}  // namespace hydra
