#include "scheduler/core/shared_bases.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/chain/block_key.h"
#include "glog/logging.h"
#include "scheduler/core/records.h"

namespace hydra {
namespace {

std::string WaitOf(const Job& job) {
  return absl::StrCat("base|", job.submitted.base_key);
}

std::vector<BlockKey> FrozenKeys(const Job& job) {
  std::vector<BlockKey> keys;
  const auto& blocks = job.shape.table->parameter_blocks;
  for (int block = 0; block < static_cast<int>(blocks.size()); ++block) {
    if (blocks[block].frozen) keys.push_back(ParametersKey(block));
  }
  return keys;
}

}  // namespace

bool SharedBases::HasAll(const Job& job) const {
  for (const BlockKey& key : FrozenKeys(job)) {
    if (parts_.blocks->Find(job.id, key) == nullptr) return false;
  }
  return true;
}

bool SharedBases::Waits(Job& job) {
  const auto base = bases_.find(job.submitted.base_key);
  if (base == bases_.end() || base->second.filler == JobId()) return false;
  parts_.queue->WaitFor(job, WaitOf(job),
                        absl::StrCat("waits for ", JobName(base->second.filler),
                                     ", which loads the same base model"));
  return true;
}

void SharedBases::Join(const Job& job) {
  if (job.submitted.base_key.empty()) return;
  Base& base = bases_[job.submitted.base_key];
  CHECK(base.filler == JobId())
      << JobName(base.filler) << " fills the base of " << JobName(job.id);
  if (base.jobs.empty()) {
    base.filler = job.id;
  } else {
    const JobId other = *base.jobs.begin();
    for (const BlockKey& key : FrozenKeys(job)) {
      const Version* version = parts_.blocks->Find(other, key);
      CHECK(version != nullptr) << JobName(other) << " lacks a block";
      parts_.blocks->Share(*version, job.id, key);
      parts_.journal->BlockChanged(job.id, ToRecord(key, *version));
    }
  }
  base.jobs.insert(job.id);
}

void SharedBases::Restore(const Job& job) {
  if (job.submitted.base_key.empty()) return;
  Base& base = bases_[job.submitted.base_key];
  base.jobs.insert(job.id);
  if (!HasAll(job)) base.filler = job.id;
}

void SharedBases::Filled(const Job& job) {
  const auto base = bases_.find(job.submitted.base_key);
  if (base == bases_.end() || base->second.filler != job.id) return;
  base->second.filler = JobId();
  parts_.queue->Wake(WaitOf(job));
}

void SharedBases::Leave(const Job& job) {
  const auto base = bases_.find(job.submitted.base_key);
  if (base == bases_.end() || base->second.jobs.erase(job.id) == 0) return;
  Filled(job);
  if (base->second.jobs.empty()) bases_.erase(base);
}

bool SharedBases::Has(const Job& job) const {
  const auto base = bases_.find(job.submitted.base_key);
  return base != bases_.end() && base->second.jobs.contains(job.id);
}

std::vector<JobId> SharedBases::JobsWithBaseOf(const Job& job) const {
  const auto base = bases_.find(job.submitted.base_key);
  if (base == bases_.end()) return {};
  return {base->second.jobs.begin(), base->second.jobs.end()};
}

}  // namespace hydra
