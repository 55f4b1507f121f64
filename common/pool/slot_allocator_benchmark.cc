// How much of the pool does fragmentation cost? Replays one long trace of what
// the scheduler asks for while jobs of several sizes train side by side: each
// task gets fresh slots for what it writes, and the versions that these replace
// are freed when it commits; jobs end and others begin.
//
// Occupancy is the trace's peak of live bytes over the pool's size.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "common/pool/slot_allocator.h"

namespace hydra {
namespace {

constexpr int64_t kFloatBytes = 4;
constexpr int64_t kGib = int64_t{1} << 30;

// Allocates the next block, or frees an earlier one.
struct Operation {
  int64_t block = 0;
  int64_t bytes = 0;  // 0: free.
};

struct Trace {
  std::vector<Operation> operations;
  int64_t blocks = 0;
  int64_t live_bytes = 0;
  int64_t peak_bytes = 0;
  double sum_of_live_bytes = 0;  // Over the operations, for their mean.
  std::vector<int64_t> block_bytes;

  int64_t Allocate(int64_t bytes) {
    operations.push_back({blocks, bytes});
    block_bytes.push_back(bytes);
    live_bytes += bytes;
    peak_bytes = std::max(peak_bytes, live_bytes);
    sum_of_live_bytes += live_bytes;
    return blocks++;
  }
  void Free(int64_t block) {
    operations.push_back({block, 0});
    live_bytes -= block_bytes[block];
    sum_of_live_bytes += live_bytes;
  }
};

// A GPT-2 of some size: an embedding, then equal layers.
struct Model {
  int64_t width;
  int64_t layers;
  int64_t batch;
  int64_t context;

  int64_t LayerBytes(int64_t layer) const {
    constexpr int64_t kVocabulary = 50'257;
    const int64_t parameters = layer == 0 ? (kVocabulary + context) * width
                                          : (12 * width + 13) * width;
    return parameters * kFloatBytes;
  }
  int64_t BoundaryBytes() const {
    return batch * context * width * kFloatBytes;
  }
};

Model AnyModel(std::mt19937_64& random) {
  const int64_t batch = int64_t{4} << random() % 3;
  const int64_t context = int64_t{256} << random() % 3;
  switch (random() % 4) {
    case 0:  // 1.1 B parameters.
      return {1'536, 37, batch, context};
    case 1:
    case 2:  // 124 M parameters.
      return {768, 13, batch, context};
    default:  // 4 to 30 M parameters.
      return {static_cast<int64_t>(64 + 64 * (random() % 6)),
              static_cast<int64_t>(3 + random() % 6), batch, context};
  }
}

// One model in training with Adam; writes what it does into a trace.
class Job {
 public:
  Job(const Model& model, int64_t layers_per_shard, int64_t steps, Trace* trace)
      : model_(model),
        layers_per_shard_(layers_per_shard),
        steps_(steps),
        trace_(trace) {
    for (int64_t layer = 0; layer < model_.layers; ++layer) {
      layers_.push_back(AllocateLayer(layer));
    }
  }

  // The most that a job of `model` has live at once.
  static int64_t MaxBytes(const Model& model, int64_t layers_per_shard) {
    int64_t state = 0;
    for (int64_t layer = 0; layer < model.layers; ++layer) {
      state += 3 * model.LayerBytes(layer);
    }
    const int64_t written = 3 * (model.LayerBytes(0) +
                                 (layers_per_shard - 1) * model.LayerBytes(1));
    return state + written + (model.layers + 2) * model.BoundaryBytes();
  }

  // Takes the slots of what the next task writes.
  void BeginTask() {
    if (forward_ && shard_ + 1 < Shards()) {
      activations_.push_back(trace_->Allocate(model_.BoundaryBytes()));
      return;
    }
    for (int64_t layer = FirstLayer(); layer < EndLayer(); ++layer) {
      written_.push_back(AllocateLayer(layer));
    }
    if (shard_ > 0) {
      new_gradient_ = trace_->Allocate(model_.BoundaryBytes());
    }
  }

  // Frees what the task just begun replaces or was the last to read; goes to
  // the next task.
  void CommitTask() {
    if (forward_ && shard_ + 1 < Shards()) {
      ++shard_;
      return;
    }
    forward_ = false;
    for (int64_t layer = FirstLayer(); layer < EndLayer(); ++layer) {
      FreeLayer(std::exchange(layers_[layer], written_[layer - FirstLayer()]));
    }
    written_.clear();
    if (gradient_.has_value()) trace_->Free(*gradient_);
    gradient_ = std::exchange(new_gradient_, std::nullopt);
    if (shard_ > 0) {
      trace_->Free(activations_.back());
      activations_.pop_back();
      --shard_;
      return;
    }
    forward_ = true;
    --steps_;
  }

  bool done() const { return steps_ == 0; }

  void FreeAll() {
    for (const LayerBlocks& layer : layers_) FreeLayer(layer);
  }

 private:
  struct LayerBlocks {
    int64_t parameters;
    int64_t adam;
  };

  int64_t Shards() const {
    return (model_.layers + layers_per_shard_ - 1) / layers_per_shard_;
  }
  int64_t FirstLayer() const { return shard_ * layers_per_shard_; }
  int64_t EndLayer() const {
    return std::min(model_.layers, FirstLayer() + layers_per_shard_);
  }

  LayerBlocks AllocateLayer(int64_t layer) {
    const int64_t bytes = model_.LayerBytes(layer);
    const int64_t parameters = trace_->Allocate(bytes);
    return {parameters, trace_->Allocate(2 * bytes)};
  }
  void FreeLayer(const LayerBlocks& layer) {
    trace_->Free(layer.parameters);
    trace_->Free(layer.adam);
  }

  const Model model_;
  const int64_t layers_per_shard_;
  int64_t steps_;
  Trace* const trace_;
  std::vector<LayerBlocks> layers_;
  std::vector<int64_t> activations_;
  std::vector<LayerBlocks> written_;
  std::optional<int64_t> gradient_;
  std::optional<int64_t> new_gradient_;
  int64_t shard_ = 0;
  bool forward_ = true;
};

struct TraceOptions {
  int64_t operations = 1'000'000;
  int64_t jobs_gib = 64;
  int64_t tasks_in_flight = 8;
  uint64_t seed = 1;
};

class TraceMaker {
 public:
  explicit TraceMaker(const TraceOptions& options)
      : options_(options), random_(options.seed) {}

  Trace Make() {
    while (trace_.operations.size() < options_.operations) {
      Admit();
      if (!idle_.empty() && running_.size() < options_.tasks_in_flight) {
        running_.push_back(TakeAny(idle_));
        running_.back().job->BeginTask();
      } else {
        Commit();
      }
    }
    return std::move(trace_);
  }

 private:
  struct Admitted {
    std::unique_ptr<Job> job;
    int64_t max_bytes;
  };

  // Admits jobs until the next one does not fit; that one waits for its turn.
  void Admit() {
    while (true) {
      if (!next_.has_value()) {
        next_ = {AnyModel(random_), static_cast<int64_t>(1 + random_() % 4)};
      }
      const auto [model, layers_per_shard] = *next_;
      const int64_t bytes = Job::MaxBytes(model, layers_per_shard);
      if (bytes > options_.jobs_gib * kGib) {
        next_.reset();  // It would never fit.
        continue;
      }
      if (admitted_bytes_ + bytes > options_.jobs_gib * kGib) return;
      admitted_bytes_ += bytes;
      const int64_t steps = 5 + random_() % 50;
      idle_.push_back(
          {std::make_unique<Job>(model, layers_per_shard, steps, &trace_),
           bytes});
      next_.reset();
    }
  }

  void Commit() {
    Admitted admitted = TakeAny(running_);
    admitted.job->CommitTask();
    if (!admitted.job->done()) {
      idle_.push_back(std::move(admitted));
      return;
    }
    admitted.job->FreeAll();
    admitted_bytes_ -= admitted.max_bytes;
  }

  Admitted TakeAny(std::vector<Admitted>& from) {
    std::swap(from[random_() % from.size()], from.back());
    Admitted taken = std::move(from.back());
    from.pop_back();
    return taken;
  }

  const TraceOptions options_;
  std::mt19937_64 random_;
  Trace trace_;
  std::vector<Admitted> idle_;
  std::vector<Admitted> running_;
  std::optional<std::pair<Model, int64_t>> next_;
  int64_t admitted_bytes_ = 0;
};

struct Outcome {
  int64_t failures = 0;
  double mean_waste = 0;
  double worst_waste = 0;
  double nanoseconds_per_operation = 0;
};

// A block that gets no slot is left out; its free is, too.
Outcome Replay(const Trace& trace, int64_t pool_bytes) {
  constexpr int64_t kOperationsPerSample = 100;
  SlotAllocator allocator(0, pool_bytes);
  std::vector<std::optional<Slot>> slots(trace.blocks);
  Outcome outcome;
  int64_t operations = 0;
  int64_t samples = 0;
  const auto start = std::chrono::steady_clock::now();
  for (const Operation& operation : trace.operations) {
    std::optional<Slot>& slot = slots[operation.block];
    if (operation.bytes > 0) {
      slot = allocator.Allocate(operation.bytes);
      if (!slot.has_value()) ++outcome.failures;
    } else if (slot.has_value()) {
      allocator.Free(*slot);
    }
    if (++operations % kOperationsPerSample == 0 &&
        allocator.free_bytes() > 0) {
      const double waste =
          1 - static_cast<double>(allocator.largest_free_bytes()) /
                  allocator.free_bytes();
      outcome.mean_waste += waste;
      outcome.worst_waste = std::max(outcome.worst_waste, waste);
      ++samples;
    }
  }
  const std::chrono::duration<double, std::nano> elapsed =
      std::chrono::steady_clock::now() - start;
  outcome.nanoseconds_per_operation = elapsed.count() / operations;
  outcome.mean_waste /= samples;
  allocator.CheckInvariants();
  return outcome;
}

// The smallest pool, over the peak of live bytes, that never fails, and above
// which none up to 1.25 times the peak does; none if that one fails.
std::optional<double> SmallestPool(const Trace& trace) {
  std::optional<double> smallest;
  for (int permille = 1250; permille >= 1000; permille -= 5) {
    const double factor = permille / 1000.0;
    if (Replay(trace, trace.peak_bytes * factor).failures > 0) break;
    smallest = factor;
  }
  return smallest;
}

void Report(const Trace& trace, double occupancy) {
  const Outcome outcome = Replay(trace, trace.peak_bytes / occupancy);
  std::printf("%8.0f%% %10ld %11.4f%% %9.1f%% %10.1f%% %8.0f\n",
              100 * occupancy, outcome.failures,
              100.0 * outcome.failures / trace.blocks, 100 * outcome.mean_waste,
              100 * outcome.worst_waste, outcome.nanoseconds_per_operation);
}

int Main(int argc, char** argv) {
  TraceOptions options;
  bool find_smallest = false;
  CLI::App app("Fragmentation of the pool under a trace of training jobs");
  app.add_option("--operations", options.operations)->capture_default_str();
  app.add_option("--jobs_gib", options.jobs_gib,
                 "Admitted jobs' bytes together")
      ->capture_default_str();
  app.add_option("--tasks_in_flight", options.tasks_in_flight)
      ->capture_default_str();
  app.add_option("--seed", options.seed)->capture_default_str();
  app.add_flag("--smallest", find_smallest,
               "Also find the smallest pool without a failure");
  CLI11_PARSE(app, argc, argv);

  const Trace trace = TraceMaker(options).Make();
  std::printf("%zu operations, %ld blocks, live: peak %.2f, mean %.2f GiB\n",
              trace.operations.size(), trace.blocks,
              static_cast<double>(trace.peak_bytes) / kGib,
              trace.sum_of_live_bytes / trace.operations.size() / kGib);
  std::printf("%9s %10s %12s %10s %11s %8s\n", "occupancy", "failures",
              "failed", "waste", "worst", "ns/op");
  for (double occupancy : {0.70, 0.85, 0.95}) Report(trace, occupancy);
  if (find_smallest) {
    std::printf("smallest pool without a failure: %.3f of the peak\n",
                SmallestPool(trace).value_or(NAN));
  }
  return 0;
}

}  // namespace
}  // namespace hydra

int main(int argc, char** argv) { return hydra::Main(argc, argv); }
