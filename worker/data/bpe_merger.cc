#include "worker/data/bpe_merger.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "glog/logging.h"

namespace hydra {
namespace {

constexpr int32_t kNone = -1;

}  // namespace

void BpeMerger::Apply(std::vector<uint32_t>* ids) {
  Reset(*ids);
  while (!heap_.empty()) {
    std::pop_heap(heap_.begin(), heap_.end(), ComesLater);
    const Candidate candidate = heap_.back();
    heap_.pop_back();
    if (IsCurrent(candidate)) Join(candidate);
  }
  ids->clear();
  for (const Symbol& symbol : symbols_) {
    if (!symbol.merged_away) ids->push_back(symbol.id);
  }
}

bool BpeMerger::ComesLater(const Candidate& a, const Candidate& b) {
  return std::tie(a.merge.rank, a.left) > std::tie(b.merge.rank, b.left);
}

void BpeMerger::Reset(const std::vector<uint32_t>& ids) {
  CHECK_LT(ids.size(), std::numeric_limits<int32_t>::max());
  const int32_t size = ids.size();
  symbols_.clear();
  for (int32_t i = 0; i < size; ++i) {
    symbols_.push_back({ids[i], i - 1, i + 1 < size ? i + 1 : kNone, false});
  }
  heap_.clear();
  for (int32_t i = 0; i < size; ++i) Offer(i);
}

void BpeMerger::Offer(int32_t left) {
  if (left == kNone || symbols_[left].next == kNone) return;
  const auto merge =
      table_.find({symbols_[left].id, symbols_[symbols_[left].next].id});
  if (merge == table_.end()) return;
  heap_.push_back({merge->second, left});
  std::push_heap(heap_.begin(), heap_.end(), ComesLater);
}

// Another merge may have taken either side since the candidate was offered.
bool BpeMerger::IsCurrent(const Candidate& candidate) const {
  const Symbol& left = symbols_[candidate.left];
  if (left.merged_away || left.next == kNone) return false;
  const auto merge = table_.find({left.id, symbols_[left.next].id});
  return merge != table_.end() &&
         merge->second.result == candidate.merge.result;
}

void BpeMerger::Join(const Candidate& candidate) {
  Symbol& left = symbols_[candidate.left];
  Symbol& right = symbols_[left.next];
  left.id = candidate.merge.result;
  left.next = right.next;
  right.merged_away = true;
  if (right.next != kNone) symbols_[right.next].previous = candidate.left;
  Offer(left.previous);
  Offer(candidate.left);
}

}  // namespace hydra
