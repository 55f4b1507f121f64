#ifndef HYDRA_WORKER_DATA_BPE_MERGER_H_
#define HYDRA_WORKER_DATA_BPE_MERGER_H_

#include <cstdint>
#include <vector>

#include "common/tokenizer/bpe_files.h"

namespace hydra {

// Merges the tokens of one word after the other.
//
// Not thread-safe: keeps its scratch memory from word to word. Any number of
// mergers may share a table.
class BpeMerger {
 public:
  // `table` must outlive the merger.
  explicit BpeMerger(const BpeMergeTable* table) : table_(*table) {}

  // Merges neighbours in `ids`, lowest rank first and leftmost first among
  // equals, until no pair is left that can be merged. O(n log n).
  // Requires fewer than 2^31 ids.
  void Apply(std::vector<uint32_t>* ids);

 private:
  // One token, linked to those of its neighbours that are still there.
  struct Symbol {
    uint32_t id;
    int32_t previous;
    int32_t next;
    bool merged_away;
  };

  // A merge of symbol `left` with its next one, as seen when it was found.
  struct Candidate {
    BpeMerge merge;
    int32_t left;
  };

  static bool ComesLater(const Candidate& a, const Candidate& b);

  void Reset(const std::vector<uint32_t>& ids);
  void Offer(int32_t left);
  bool IsCurrent(const Candidate& candidate) const;
  void Join(const Candidate& candidate);

  const BpeMergeTable& table_;
  std::vector<Symbol> symbols_;
  std::vector<Candidate> heap_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_BPE_MERGER_H_
