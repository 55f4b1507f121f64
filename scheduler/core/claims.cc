#include "scheduler/core/claims.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/data/data_format.h"
#include "common/model/model_table.h"
#include "common/version/version.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

// Of what pilots measure, and how: older results are not believed.
constexpr int kPilotFormat = 3;

// "cpu" of "cpu:0".
absl::string_view DeviceKind(absl::string_view name) {
  return name.substr(0, name.find(':'));
}

// Rows of data name them.
std::string ClassesText(const ModelTable& table) {
  if (!table.takes_whole_sequences()) return "";
  std::string text = absl::StrCat("|", table.classes.count);
  for (const auto& [name, number] : table.classes.numbers) {
    absl::StrAppend(&text, "|", name.size(), " ", name, " ", number);
  }
  return text;
}

std::string PrepareKey(const Job& job) {
  const v1::DataSpec& data = job.submitted.spec.data();
  if (job.shape.table->examples.has_value()) {
    const ExampleInput& examples = *job.shape.table->examples;
    return absl::StrCat(
        data.SerializeAsString(), "|", examples.name, "|",
        absl::StrJoin(examples.shape, ","), "|", examples.class_count,
        // Its directory says how they become numbers.
        IsImages(data.format())
            ? absl::StrCat("|", job.submitted.spec.model().path())
            : "");
  }
  return absl::StrCat(
      data.SerializeAsString(), "|",
      job.submitted.spec.model().tokenizer_path(), "|",
      job.shape.table->vocabulary_size,
      // Rows are cut to it.
      IsConversations(data.format()) || job.shape.table->takes_whole_sequences()
          ? absl::StrCat("|", job.shape.context_length)
          : "",
      ClassesText(*job.shape.table));
}

// What jobs wait for while another one prepares their data.
std::string PrepareWait(const Job& job) {
  return absl::StrCat(SweepName(job.sweep), "|", PrepareKey(job));
}

}  // namespace

Claims::Claims(const CoreOptions* options, JobQueue* queue)
    : options_(options), queue_(queue) {
  for (const auto& [key, partition] : options_->partitions) {
    partitions_.Set(key, partition);
  }
}

const wv1::PrepareResult* Claims::Prepared(const Job& job) const {
  const auto sweep = prepared_.find(job.sweep);
  return sweep == prepared_.end() ? nullptr
                                  : sweep->second.Find(PrepareKey(job));
}

JobId Claims::ClaimPrepare(Job& job) {
  const JobId owner = prepared_[job.sweep].Claim(PrepareKey(job), job.id);
  if (owner != job.id) {
    queue_->WaitFor(job, PrepareWait(job),
                    absl::StrCat("waits for ", JobName(owner),
                                 ", which prepares the same data"));
  }
  return owner;
}

void Claims::SetPrepared(const Job& job, wv1::PrepareResult prepared) {
  prepared_[job.sweep].Set(PrepareKey(job), std::move(prepared));
  queue_->Wake(PrepareWait(job));
}

const v1::Partition* Claims::Known(const Job& job,
                                   const DeviceOptions& device) const {
  return partitions_.Find(PilotKey(job, device));
}

JobId Claims::ClaimPilot(Job& job, const DeviceOptions& device) {
  const std::string key = PilotKey(job, device);
  const JobId owner = partitions_.Claim(key, job.id);
  if (owner == job.id) {
    job.pilot_claim = key;
  } else {
    queue_->WaitFor(job, JobQueue::kPilotWait,
                    absl::StrCat("waits for ", JobName(owner),
                                 ", which finds the same cut points"));
  }
  return owner;
}

std::string Claims::SetFound(const Job& job, const DeviceOptions& device,
                             const v1::Partition& partition) {
  std::string key = PilotKey(job, device);
  partitions_.Abandon(job.pilot_claim, job.id);
  partitions_.Set(key, partition);
  queue_->Wake(JobQueue::kPilotWait);
  return key;
}

void Claims::Abandon(const Job& job) {
  if (prepared_[job.sweep].Abandon(PrepareKey(job), job.id)) {
    queue_->Wake(PrepareWait(job));
  }
  if (partitions_.Abandon(job.pilot_claim, job.id)) {
    queue_->Wake(JobQueue::kPilotWait);
  }
}

std::string Claims::PilotKey(const Job& job,
                             const DeviceOptions& device) const {
  return absl::StrCat(
      job.shape.table->architecture_key, " batch=", job.shape.micro_batch_size,
      " micro_batches=", job.shape.micro_batches,
      " eval_batch=", job.shape.eval_batch_size,
      " context=", job.shape.context_length,
      IsConversations(job.submitted.spec.data().format()) ? " targets" : "",
      " optimizer=", v1::Optimizer_Name(job.submitted.spec.train().optim()),
      " state=", job.shape.state_factor,
      job.shape.clips_gradients ? " clips_gradients" : "",
      " shards=", v1::ShardChoice_Name(job.submitted.spec.partition().shards()),
      " updates=", v1::UpdatePlace_Name(job.submitted.spec.train().update_on()),
      " device=", DeviceKind(device.name), " model=", device.model,
      " threads=", device.threads, " limit=", device.memory_limit_bytes,
      " prefetch=", options_->prefetch_bytes + job.pilot_reserve_bytes,
      " hydra=", kVersion, " format=", kPilotFormat);
}

}  // namespace hydra
