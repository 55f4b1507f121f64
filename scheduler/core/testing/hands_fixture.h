#ifndef HYDRA_SCHEDULER_CORE_TESTING_HANDS_FIXTURE_H_
#define HYDRA_SCHEDULER_CORE_TESTING_HANDS_FIXTURE_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "common/protocol/task_format.h"
#include "hydra/worker/v1/worker.pb.h"
#include "scheduler/core/hands.h"
#include "scheduler/core/testing/book_job.h"
#include "scheduler/policy/sharded_lrtf.h"
#include "scheduler/policy/share_order.h"

namespace hydra {

// The hands of two workers that are there, and a pool for some small jobs.
class HandsFixture : public ::testing::Test {
 protected:
  static constexpr int64_t kPoolBytes = 1 << 20;

  HandsFixture() {
    for (uint64_t worker : {1, 2}) {
      journal::v1::WorkerProcess process;
      process.set_pid(worker);
      process.set_session(absl::StrCat(worker));
      roster_.Started(WorkerId(worker), process);
      Report(worker);
    }
  }
  static CoreOptions TwoDevices() {
    CoreOptions options;
    options.devices = {{"cpu:0", 1 << 20, 1}, {"cpu:1", 1 << 20, 1}};
    return options;
  }

  WorkerRecord& At(uint64_t worker) { return roster_.At(WorkerId(worker)); }
  // The worker says that it has these contexts.
  void Report(uint64_t worker, const std::vector<uint64_t>& contexts = {}) {
    hydra::worker::v1::WorkerReport report;
    report.set_session(absl::StrCat(worker));
    report.set_sequence(At(worker).report_sequence + 1);
    report.set_task_format(kTaskFormat);
    report.mutable_contexts()->Assign(contexts.begin(), contexts.end());
    ASSERT_TRUE(roster_.TakeAttendance(At(worker), report, now_));
  }
  Job& AddAt(uint64_t id, const ChainPosition& place) {
    Job& job = AddSmallJob(id, book_);
    PutIntoChain(place, job, blocks_);
    return job;
  }
  bool HandOut(Job& job, uint64_t worker = 1) {
    return hands_.HandOut(job, At(worker), now_) == Hands::Given::kYes;
  }
  // Tells the workers; what they hear.
  std::vector<WorkerMessage> Tell() {
    actions_.clear();
    hands_.TellWorkers();
    std::vector<WorkerMessage> messages;
    for (Action& action : std::exchange(actions_, {})) {
      messages.push_back(std::get<WorkerMessage>(std::move(action)));
    }
    return messages;
  }
  // What is in no block, and in no hand.
  void CheckSlots() {
    std::vector<Version> fresh;
    for (const auto& [id, job] : book_.all()) {
      for (const OutstandingTask& task : job.outstanding) {
        for (const auto& [key, version] : task.made) fresh.push_back(version);
      }
    }
    blocks_.CheckInvariants(fresh);
  }

  const absl::Time now_ = absl::FromUnixSeconds(1000);
  CoreOptions options_ = TwoDevices();
  Journal journal_;
  Actions actions_;
  JobBook book_{&journal_, &actions_};
  ShardedLrtf policy_;
  ShareOrder shares_{&policy_, {}};
  JobQueue queue_{&shares_, &book_};
  BlockTable blocks_{0, kPoolBytes};
  Admission admission_{kPoolBytes, /*workers=*/2, /*lookahead=*/1};
  Roster roster_{&options_, &book_, &queue_, &journal_, &actions_};
  Hands hands_{{&options_, &book_, &blocks_, &admission_, &roster_, &journal_,
                &actions_, &shares_},
               /*last_number=*/100};
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_TESTING_HANDS_FIXTURE_H_
