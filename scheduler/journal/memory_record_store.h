#ifndef HYDRA_SCHEDULER_JOURNAL_MEMORY_RECORD_STORE_H_
#define HYDRA_SCHEDULER_JOURNAL_MEMORY_RECORD_STORE_H_

#include <cstdint>
#include <string>
#include <tuple>

#include "absl/container/btree_map.h"
#include "scheduler/journal/record_store.h"

namespace hydra {

// Records that live as long as the object. A copy is a second store, so a
// simulated crash can go back to an older state. Any table exists, empty at
// first. Not thread-safe.
class MemoryRecordStore final : public RecordStore {
 public:
  absl::Status Apply(
      absl::Span<const hydra::journal::v1::Change> changes) override;
  absl::Status ForEach(int table, RecordVisitor visit) const override;
  absl::Status ForEachFrom(int table, int64_t a, int64_t first_b,
                           RecordVisitor visit) const override;

 private:
  // Table, a, b.
  using Key = std::tuple<int, int64_t, int64_t>;

  void ApplyOne(const hydra::journal::v1::Change& change);
  absl::Status Visit(const Key& first, const Key& last,
                     RecordVisitor visit) const;

  absl::btree_map<Key, std::string> records_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_JOURNAL_MEMORY_RECORD_STORE_H_
