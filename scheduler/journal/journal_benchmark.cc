// What the journals cost: a turn of the core on the pool's tmpfs, durable
// transactions of several entries on the disk, and opening a large file. Files
// are made in /dev/shm and in the directory for temporary files (TMPDIR).

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"
#include "common/file/scratch_directory.h"
#include "glog/logging.h"
#include "scheduler/journal/record_change.h"
#include "scheduler/journal/sqlite_record_store.h"

namespace hydra {
namespace {

using hydra::journal::v1::Change;

constexpr int kJobs = 100;
constexpr int kRecordsOfAJob = 100;

SqliteRecordStore::Options MakeOptions(bool durable) {
  SqliteRecordStore::Options options;
  options.durable = durable;
  options.schema.name = "benchmark";
  options.schema.tables = {"first", "second", "third", "fourth"};
  return options;
}

std::string FileIn(const ScratchDirectory& scratch) {
  return scratch.PathOf("records.db");
}

std::unique_ptr<SqliteRecordStore> Open(const ScratchDirectory& scratch,
                                        bool durable) {
  auto store = SqliteRecordStore::Open(FileIn(scratch), MakeOptions(durable));
  CHECK(store.ok()) << store.status();
  return *std::move(store);
}

// Times each call, and gives the distribution beside the mean.
class Latencies {
 public:
  template <typename Call>
  void Time(Call call) {
    const auto start = std::chrono::steady_clock::now();
    call();
    const std::chrono::duration<double, std::micro> took =
        std::chrono::steady_clock::now() - start;
    micros_.push_back(took.count());
  }

  void Report(benchmark::State& state) {
    std::sort(micros_.begin(), micros_.end());
    state.counters["p50_us"] = micros_[micros_.size() / 2];
    state.counters["p99_us"] = micros_[micros_.size() * 99 / 100];
    state.counters["max_us"] = micros_.back();
    state.SetItemsProcessed(state.iterations());
  }

 private:
  std::vector<double> micros_;
};

// 10 puts of 150 B in 4 tables and 3 erases, for one of the jobs.
std::vector<Change> MakeTurn(std::mt19937_64& random) {
  const int64_t job = random() % kJobs;
  std::vector<Change> changes;
  for (int put = 0; put < 10; ++put) {
    changes.push_back(MakePut(put % 4, job, random() % kRecordsOfAJob,
                              std::string(150, random() % 256)));
  }
  for (int erase = 0; erase < 3; ++erase) {
    changes.push_back(MakeErase(erase, job, random() % kRecordsOfAJob));
  }
  return changes;
}

void BM_TurnOnTmpfs(benchmark::State& state) {
  const ScratchDirectory scratch(ScratchPlace::kMemory);
  const auto store = Open(scratch, /*durable=*/false);
  std::mt19937_64 random(7);
  std::vector<Change> all;
  for (int record = 0; record < 4 * kJobs * kRecordsOfAJob; ++record) {
    all.push_back(MakePut(record % 4, record / 4 / kRecordsOfAJob,
                          record / 4 % kRecordsOfAJob, std::string(150, 'r')));
  }
  CHECK(store->Apply(all).ok());
  Latencies latencies;
  for (auto _ : state) {
    const std::vector<Change> turn = MakeTurn(random);
    latencies.Time([&] { CHECK(store->Apply(turn).ok()); });
  }
  latencies.Report(state);
}
BENCHMARK(BM_TurnOnTmpfs)->MinTime(3)->UseRealTime();

// An entry is a submitted job: a record of 3 KB and one of 200 B.
void BM_DurableBatch(benchmark::State& state) {
  const ScratchDirectory scratch;
  const auto store = Open(scratch, /*durable=*/true);
  Latencies latencies;
  int64_t job = 0;
  for (auto _ : state) {
    std::vector<Change> batch;
    for (int entry = 0; entry < state.range(0); ++entry) {
      batch.push_back(MakePut(0, ++job, 0, std::string(3'000, 's')));
      batch.push_back(MakePut(1, job, 0, std::string(200, 'p')));
    }
    latencies.Time([&] { CHECK(store->Apply(batch).ok()); });
  }
  latencies.Report(state);
  state.counters["entries_per_second"] = benchmark::Counter(
      state.iterations() * state.range(0), benchmark::Counter::kIsRate);
}
BENCHMARK(BM_DurableBatch)->Arg(1)->Arg(8)->Arg(64)->MinTime(3)->UseRealTime();

// 10,000 jobs of 3 KB in two tables, and 1,000,000 small records.
void FillLarge(RecordStore& store) {
  for (int64_t job = 0; job < 10'000; ++job) {
    std::vector<Change> changes = {MakePut(0, job, 0, std::string(3'000, 's')),
                                   MakePut(1, job, 0, std::string(3'000, 'p'))};
    for (int64_t step = 0; step < 100; ++step) {
      changes.push_back(MakePut(2, job, step, std::string(40, 'm')));
    }
    CHECK(store.Apply(changes).ok());
  }
}

void BM_OpenALargeFile(benchmark::State& state) {
  const ScratchDirectory scratch;
  // Made quickly; it is then opened as a durable one.
  FillLarge(*Open(scratch, /*durable=*/false));
  for (auto _ : state) Open(scratch, /*durable=*/true);
  state.counters["file_MB"] = std::filesystem::file_size(FileIn(scratch)) / 1e6;
}
BENCHMARK(BM_OpenALargeFile)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace hydra

BENCHMARK_MAIN();
