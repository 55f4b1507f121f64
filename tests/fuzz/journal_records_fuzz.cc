// The input is an OutboxEntry: the records of a journal, with any values. A
// starting daemon reads them as jobs.db and as pool.db.

#include <cstddef>
#include <cstdint>

#include "hydra/journal/v1/journal.pb.h"
#include "scheduler/journal/memory_record_store.h"
#include "scheduler/journal/recovery.h"
#include "scheduler/journal/tables.h"
#include "tests/fuzz/fuzz_check.h"

namespace hydra {
namespace {

void Recover(MemoryRecordStore* pool, MemoryRecordStore* jobs) {
  CheckBlamesTheInput(DeliverOutbox(*pool, *jobs).status());
  CheckBlamesTheInput(ReadNumber(*jobs, kJobsMetaTable, kStarts).status());
  CheckBlamesTheInput(ReadText(*pool, kPoolMetaTable, kPoolInstance).status());
  auto recovered = ReadJobs(*jobs);
  CheckBlamesTheInput(recovered.status());
  if (!recovered.ok()) return;
  CheckBlamesTheInput(ReadPool(*pool, *recovered));
  for (auto& [id, job] : recovered->jobs) {
    UseCheckpoints({job.checkpoints.begin(), job.checkpoints.end()}, job);
  }
  while (!recovered->workers.empty()) {
    CheckBlamesTheInput(
        ForgetWorker(recovered->workers.begin()->first, *pool, *recovered));
  }
}

}  // namespace
}  // namespace hydra

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hydra::journal::v1::OutboxEntry entry;
  if (!entry.ParseFromArray(data, static_cast<int>(size))) return 0;
  hydra::MemoryRecordStore pool;
  // One by one: a change of no known kind must not hide the others.
  for (const hydra::journal::v1::Change& change : entry.changes()) {
    hydra::CheckBlamesTheInput(pool.Apply({change}));
  }
  hydra::MemoryRecordStore jobs = pool;
  hydra::Recover(&pool, &jobs);
  return 0;
}
