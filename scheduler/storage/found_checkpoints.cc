#include "scheduler/storage/found_checkpoints.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/file/file_user.h"
#include "common/file/private_places.h"
#include "common/text/printable.h"
#include "glog/logging.h"
#include "google/protobuf/util/message_differencer.h"
#include "scheduler/core/job.h"
#include "scheduler/core/records.h"
#include "scheduler/journal/recovery.h"
#include "scheduler/journal/tables.h"

namespace hydra {
namespace {

namespace jv1 = hydra::journal::v1;
using checkpoint::v1::Manifest;
using google::protobuf::util::MessageDifferencer;

struct OnDisk {
  std::vector<jv1::CheckpointRecord> usable;
  // Paths of those that are there and of no use.
  absl::flat_hash_set<std::string> useless;
  // Of what could not be looked at: the number of the newest checkpoint that it
  // may be, and the reason.
  int64_t newest_unseen = -1;
  std::string why_unseen;
};

// An output folder may outlive the state directory whose jobs wrote there, and
// the next one counts its jobs from 1 again.
bool IsOwn(const Manifest& manifest, JobId id, const jv1::SubmittedJob& job) {
  if (manifest.job_id() != JobName(id)) return false;
  if (manifest.has_submitted_at()) {
    return MessageDifferencer::Equals(manifest.submitted_at(),
                                      job.submitted_at());
  }
  // An earlier version wrote it.
  return MessageDifferencer::Equals(manifest.spec(), job.spec());
}

jv1::CheckpointRecord FoundAt(const CheckpointEntry& entry,
                              const Manifest& manifest) {
  jv1::CheckpointRecord record = ToRecord(manifest);
  record.mutable_info()->set_path(entry.path);
  record.mutable_info()->set_step(entry.name.step);
  record.mutable_info()->set_inside_step(entry.name.inside_step);
  int64_t bytes = 0;
  for (const auto& file : manifest.files()) bytes += file.bytes();
  record.mutable_info()->set_bytes(bytes);
  return record;
}

// What the checkpoint is made of is not as it should be; anything else may be
// different the next time.
bool IsVerdict(const absl::Status& status) {
  return absl::IsDataLoss(status) || absl::IsInvalidArgument(status);
}

void LookAt(const CheckpointEntry& entry, const FileUser& user, JobId id,
            const jv1::SubmittedJob& job, OnDisk& disk) {
  const auto reader = CheckpointReader::Open(entry.path, user);
  if (reader.ok() && IsOwn(reader->manifest(), id, job)) {
    disk.usable.push_back(FoundAt(entry, reader->manifest()));
  } else if (reader.ok() || IsVerdict(reader.status())) {
    LOG(WARNING) << Printable(absl::StrCat(
        entry.path, " is not used: ",
        reader.ok() ? "it is another job's" : reader.status().message()));
    disk.useless.insert(entry.path);
  } else {
    disk.newest_unseen =
        CheckpointNumber(entry.name.step, entry.name.inside_step);
    disk.why_unseen = std::string(reader.status().message());
  }
}

OnDisk Look(JobId id, const jv1::SubmittedJob& job) {
  OnDisk disk;
  const std::string folder =
      CheckpointFolder(OutputPath(id, job.output_dir(), job.spec().name()));
  const FileUser user = WriterOf(
      folder, job.has_owner_user() ? std::optional<uint32_t>(job.owner_user())
                                   : std::nullopt);
  if (absl::Status removed = RemoveLeftovers(folder, user); !removed.ok()) {
    LOG(WARNING) << Printable(removed.message());
  }
  const auto entries = ListCheckpoints(folder, user);
  if (!entries.ok()) {
    disk.newest_unseen = std::numeric_limits<int64_t>::max();
    disk.why_unseen = std::string(entries.status().message());
    return disk;
  }
  for (const CheckpointEntry& entry : *entries)
    LookAt(entry, user, id, job, disk);
  return disk;
}

}  // namespace

void FindCheckpoints(JobId id, RecoveredJob& job) {
  const std::vector<jv1::CheckpointRecord> recorded = job.checkpoints;
  const OnDisk disk = Look(id, job.submitted);
  UseCheckpoints(disk.usable, job);
  // An older one is of no use to a job that goes on, and may well be gone: a
  // power cut can come between its removal and the record of that.
  const int64_t newest = job.checkpoints.empty()
                             ? -1
                             : CheckpointNumber(job.checkpoints.back().info());
  if (disk.newest_unseen > newest) job.checkpoints_missing = disk.why_unseen;
  for (const jv1::CheckpointRecord& record : recorded) {
    const std::string& path = record.info().path();
    if (CheckpointNumber(record.info()) <= newest ||
        disk.useless.contains(path)) {
      continue;
    }
    if (job.checkpoints_missing.empty()) {
      job.checkpoints_missing =
          absl::StrCat("the checkpoint ", path, " is not there");
    }
    job.checkpoints.push_back(record);
    ++job.missing_checkpoints;
  }
  if (job.checkpoints_missing.empty()) return;
  LOG(WARNING) << JobName(id) << ": " << Printable(job.checkpoints_missing);
}

}  // namespace hydra
