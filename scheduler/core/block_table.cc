#include "scheduler/core/block_table.h"

#include "absl/container/flat_hash_set.h"
#include "glog/logging.h"

namespace hydra {

BlockTable::BlockTable(int64_t first_byte, int64_t size_bytes)
    : slots_(first_byte, first_byte + size_bytes) {}

std::optional<Version> BlockTable::Make(int64_t size_bytes) {
  std::optional<Slot> slot = slots_.Allocate(size_bytes);
  if (!slot.has_value()) return std::nullopt;
  return Version{VersionId(++last_version_), size_bytes, slot};
}

void BlockTable::Commit(JobId job, const BlockKey& key,
                        const Version& version) {
  Version& current = jobs_[job][key];
  Discard(current);
  current = version;
}

void BlockTable::CommitZero(JobId job, const BlockKey& key,
                            int64_t size_bytes) {
  Commit(job, key,
         Version{VersionId(++last_version_), size_bytes, std::nullopt});
}

void BlockTable::Discard(const Version& version) {
  if (version.slot.has_value()) slots_.Free(*version.slot);
}

void BlockTable::End(JobId job, const BlockKey& key) {
  auto blocks = jobs_.find(job);
  if (blocks == jobs_.end()) return;
  auto found = blocks->second.find(key);
  if (found == blocks->second.end()) return;
  Discard(found->second);
  blocks->second.erase(found);
}

void BlockTable::EndAll(JobId job) {
  auto blocks = jobs_.find(job);
  if (blocks == jobs_.end()) return;
  for (const auto& [key, version] : blocks->second) Discard(version);
  jobs_.erase(blocks);
}

const Version* BlockTable::Find(JobId job, const BlockKey& key) const {
  auto blocks = jobs_.find(job);
  if (blocks == jobs_.end()) return nullptr;
  auto found = blocks->second.find(key);
  return found == blocks->second.end() ? nullptr : &found->second;
}

void BlockTable::CheckInvariants(const std::vector<Version>& fresh) const {
  slots_.CheckInvariants();
  absl::flat_hash_set<int64_t> offsets;
  int64_t bytes = 0;
  auto note = [&](const Version& version) {
    if (!version.slot.has_value()) return;
    CHECK(offsets.insert(version.slot->offset).second)
        << "two versions share the slot at " << version.slot->offset;
    bytes += version.slot->bytes;
  };
  for (const Version& version : fresh) note(version);
  for (const auto& [job, blocks] : jobs_) {
    for (const auto& [key, version] : blocks) note(version);
  }
  CHECK_EQ(bytes, slots_.used_bytes()) << "slots are used by no version";
}

}  // namespace hydra
