#include "scheduler/journal/memory_record_store.h"

#include <limits>

#include "scheduler/journal/record_change.h"

namespace hydra {
namespace {

using hydra::journal::v1::Change;

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

}  // namespace

absl::Status MemoryRecordStore::Apply(absl::Span<const Change> changes) {
  for (const Change& change : changes) {
    absl::Status known = CheckKind(change);
    if (!known.ok()) return known;
  }
  for (const Change& change : changes) ApplyOne(change);
  return absl::OkStatus();
}

void MemoryRecordStore::ApplyOne(const Change& change) {
  const Key key(change.table(), change.a(), change.b());
  if (change.kind() == Change::KIND_PUT) {
    records_[key] = change.value();
  } else if (change.kind() == Change::KIND_ERASE) {
    records_.erase(key);
  } else {
    records_.erase(records_.lower_bound(key),
                   records_.upper_bound(Key(change.table(), change.a(), kMax)));
  }
}

absl::Status MemoryRecordStore::ForEach(int table, RecordVisitor visit) const {
  return Visit(Key(table, kMin, kMin), Key(table, kMax, kMax), visit);
}

absl::Status MemoryRecordStore::ForEachFrom(int table, int64_t a,
                                            int64_t first_b,
                                            RecordVisitor visit) const {
  return Visit(Key(table, a, first_b), Key(table, a, kMax), visit);
}

absl::Status MemoryRecordStore::Visit(const Key& first, const Key& last,
                                      RecordVisitor visit) const {
  const auto end = records_.upper_bound(last);
  for (auto record = records_.lower_bound(first); record != end; ++record) {
    const auto& [table, a, b] = record->first;
    absl::Status visited = visit(a, b, record->second);
    if (!visited.ok()) return visited;
  }
  return absl::OkStatus();
}

}  // namespace hydra
