#ifndef HYDRA_SCHEDULER_CORE_RECORDS_H_
#define HYDRA_SCHEDULER_CORE_RECORDS_H_

#include <vector>

#include "common/chain/block_key.h"
#include "common/chain/task_chain.h"
#include "hydra/checkpoint/v1/checkpoint.pb.h"
#include "hydra/journal/v1/journal.pb.h"
#include "scheduler/core/block_table.h"
#include "scheduler/core/job.h"
#include "scheduler/core/time_model.h"
#include "scheduler/journal/recovered.h"

namespace hydra {

// Between the core's values and the journals' records. Pure.

checkpoint::v1::Position ToRecord(const ChainPosition& position);
ChainPosition FromRecord(const checkpoint::v1::Position& record);

// But for its path, time, bytes and loss, which no manifest says.
journal::v1::CheckpointRecord ToRecord(
    const checkpoint::v1::Manifest& manifest);

// Whether a block that stands behind that other one has no record of its own.
bool FollowsInRecord(const BlockKey& before, const BlockKey& key);

using KeyedVersions = std::vector<std::pair<BlockKey, Version>>;
journal::v1::BlockRecord ToRecord(const BlockKey& key, const Version& version);
// Those of a boundary that stand together, from the first micro-batch of a
// round on, are one record.
std::vector<journal::v1::BlockRecord> ToRecords(const KeyedVersions& blocks);
// All that the record has.
KeyedVersions BlocksOf(const journal::v1::BlockRecord& record);
// As a task names it.
Version VersionOf(const hydra::worker::v1::BlockVersion& wire);
void FillVersion(const BlockKey& key, const Version& version,
                 hydra::worker::v1::BlockVersion& wire);

// Of a job, the part that each journal keeps.
journal::v1::JobProgress ProgressOf(const Job& job);
journal::v1::PoolJob PoolJobOf(const Job& job);

// By shard, what an earlier daemon measured.
std::vector<TimeModel::Measured> MeasuredOf(const journal::v1::PoolJob& record);

// What clients are told of an ended job; it has no model table and, but for the
// newest, no steps.
Job EndedJobOf(JobId id, const RecoveredJob& recovered);

// Sets what the functions above keep.
void SetSubmitted(JobId id, const journal::v1::SubmittedJob& record, Job& job);
void SetProgress(const journal::v1::JobProgress& record, Job& job);
void SetPoolJob(const journal::v1::PoolJob& record, Job& job);

// What stands for the tokens of a split, whatever folder they lie in.
checkpoint::v1::SplitTokens TokensOf(
    const hydra::worker::v1::PreparedSplit& split);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_RECORDS_H_
