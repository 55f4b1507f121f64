#include "scheduler/core/testing/book_job.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "glog/logging.h"
#include "scheduler/core/admission.h"
#include "scheduler/core/job_move.h"
#include "scheduler/core/plan.h"
#include "scheduler/core/testing/small_job.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

void AddBlock(const BlockKey& key, int64_t bytes, const Job& job,
              BlockTable& blocks) {
  const std::optional<Version> version = blocks.Make(bytes);
  CHECK(version.has_value()) << "the test's pool is too small";
  blocks.Commit(job.id, key, *version);
}

}  // namespace

Job& AddSmallJob(uint64_t id, JobBook& book) {
  NewJob submitted = SmallJob(/*steps=*/10);
  Job& job = book.Restore(JobId(id));
  job.id = JobId(id);
  job.sweep = SweepId(1);
  job.shape = MakeJobShape(submitted.spec, submitted.table);
  job.output_path = OutputPath(job.id, "/out", submitted.spec.name());
  job.submitted = std::move(submitted);
  return job;
}

void SetPrepared(Job& job) {
  wv1::PreparedSplit split;
  split.set_split(wv1::SPLIT_TRAIN);
  split.set_token_file("/cache/train.tokens");
  split.set_token_count(200);
  job.splits = {split};
}

void PutIntoChain(const ChainPosition& place, Job& job, BlockTable& blocks) {
  SetPrepared(job);
  v1::Partition partition;
  partition.add_cut_points(2);
  partition.set_source("given");
  job.partition = std::make_shared<const v1::Partition>(partition);
  job.shape.shards = ShardsOf({2}, job.shape.table->layer_count());
  job.demand = DemandOf(job.shape);
  job.plan = *PlanOf(job);
  job.times.emplace(job.shape, std::vector<v1::LayerProfile>());
  job.position = place;
  RestorePhase(job, ChainPhase(place));
  RestoreState(job, v1::JOB_STATE_RUNNING, "");
  if (place.phase == ChainPosition::Phase::kInit) return;
  for (int i = 0; i < job.shape.table->parameter_blocks.size(); ++i) {
    AddBlock(ParametersKey(i), job.shape.ParameterBytes(i), job, blocks);
    if (job.shape.StateBytes(i) > 0) {
      AddBlock(StateKey(i), job.shape.StateBytes(i), job, blocks);
    }
  }
  for (const BlockWrite& block : BlocksInsideStep(job.shape, place)) {
    AddBlock(block.key, block.size_bytes, job, blocks);
  }
}

ChainPosition InStep(int64_t step, int task) {
  ChainPosition place;
  place.phase = ChainPosition::Phase::kTrain;
  place.step = step;
  place.task = task;
  return place;
}

}  // namespace hydra
