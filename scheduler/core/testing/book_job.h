#ifndef HYDRA_SCHEDULER_CORE_TESTING_BOOK_JOB_H_
#define HYDRA_SCHEDULER_CORE_TESTING_BOOK_JOB_H_

#include <cstdint>

#include "common/chain/task_chain.h"
#include "scheduler/core/block_table.h"
#include "scheduler/core/job.h"
#include "scheduler/core/job_book.h"

namespace hydra {

// Jobs for tests of whoever changes them, made as the core makes them.

// A new job of the first sweep, SmallJob with ten steps.
Job& AddSmallJob(uint64_t id, JobBook& book);

// The job's data is prepared: 200 tokens to train on, and no other split.
void SetPrepared(Job& job);

// The job is prepared, cut before layer 2, and at `place` of its chain, with
// the blocks that it has there: its state, and those inside of a step.
void PutIntoChain(const ChainPosition& place, Job& job, BlockTable& blocks);

// Of the job above: before task `task` of step `step`, which has three tasks.
ChainPosition InStep(int64_t step, int task = 0);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_TESTING_BOOK_JOB_H_
