#include "scheduler/journal/group_commit.h"

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"
#include "scheduler/journal/memory_record_store.h"
#include "scheduler/journal/record_change.h"
#include "scheduler/journal/testing/record_scenario.h"

namespace hydra {
namespace {

using hydra::journal::v1::Change;

constexpr GroupCommit::SequenceRecord kSequence = {/*table=*/2, /*a=*/7,
                                                   /*b=*/9};

// Records in memory. Applying can be held up, and fails if it is told to, or if
// the changes are too many for it.
class MoodyStore final : public RecordStore {
 public:
  absl::Status Apply(absl::Span<const Change> changes) override {
    absl::MutexLock lock(&mu_);
    ++begun_;
    mu_.Await(absl::Condition(
        +[](bool* held) { return !*held; }, &held_));
    ++applied_;
    if (!error_.ok()) return error_;
    if (changes.size() > most_changes_) {
      return absl::ResourceExhaustedError("too many");
    }
    return records_.Apply(changes);
  }
  absl::Status ForEach(int table, RecordVisitor visit) const override {
    absl::MutexLock lock(&mu_);
    return records_.ForEach(table, visit);
  }
  absl::Status ForEachFrom(int table, int64_t a, int64_t first_b,
                           RecordVisitor visit) const override {
    absl::MutexLock lock(&mu_);
    return records_.ForEachFrom(table, a, first_b, visit);
  }

  void Fail(const absl::Status& error) {
    absl::MutexLock lock(&mu_);
    error_ = error;
  }
  void TakeAtMost(size_t changes) {
    absl::MutexLock lock(&mu_);
    most_changes_ = changes;
  }
  void Hold(bool held) {
    absl::MutexLock lock(&mu_);
    held_ = held;
  }
  void AwaitBegun(int calls) {
    absl::MutexLock lock(&mu_);
    auto enough = [&] { return begun_ >= calls; };
    mu_.Await(absl::Condition(&enough));
  }
  void AwaitApplied(int calls) {
    absl::MutexLock lock(&mu_);
    auto enough = [&] { return applied_ >= calls; };
    mu_.Await(absl::Condition(&enough));
  }
  int applied() const {
    absl::MutexLock lock(&mu_);
    return applied_;
  }

 private:
  mutable absl::Mutex mu_;
  MemoryRecordStore records_;
  absl::Status error_;
  size_t most_changes_ = 1'000;
  bool held_ = false;
  int begun_ = 0;
  int applied_ = 0;
};

class GroupCommitTest : public testing::Test {
 protected:
  void Start(absl::Duration retry_pause) {
    GroupCommit::Callbacks callbacks;
    callbacks.recorded = [this](uint64_t up_to) {
      absl::MutexLock lock(&mu_);
      recorded_.push_back(up_to);
    };
    callbacks.refused = [this](uint64_t sequence, const absl::Status& error) {
      absl::MutexLock lock(&mu_);
      refused_.emplace_back(sequence, error);
    };
    callbacks.applied =
        [this](const std::vector<hydra::journal::v1::Change>& changes) {
          absl::MutexLock lock(&mu_);
          for (const auto& change : changes) {
            if (change.table() != 0) continue;
            told_applied_.push_back(change.a());
            told_before_recorded_ &=
                recorded_.empty() || change.a() > recorded_.back();
          }
        };
    commit_ = std::make_unique<GroupCommit>(&store_, kSequence,
                                            std::move(callbacks), retry_pause);
  }

  void Enqueue(uint64_t sequence, bool refusable = false) {
    GroupCommit::Entry entry;
    entry.sequence = sequence;
    entry.changes = {MakePut(0, sequence, 0, "entry")};
    entry.refusable = refusable;
    commit_->Enqueue(std::move(entry));
  }

  void AwaitRecorded(uint64_t up_to) {
    absl::MutexLock lock(&mu_);
    auto recorded = [&] {
      return !recorded_.empty() && recorded_.back() >= up_to;
    };
    mu_.Await(absl::Condition(&recorded));
  }
  void AwaitRefused(int entries) {
    absl::MutexLock lock(&mu_);
    auto refused = [&] { return refused_.size() >= entries; };
    mu_.Await(absl::Condition(&refused));
  }
  std::vector<uint64_t> recorded() {
    absl::MutexLock lock(&mu_);
    return recorded_;
  }
  std::vector<std::pair<uint64_t, absl::Status>> refused() {
    absl::MutexLock lock(&mu_);
    return refused_;
  }

  // The entries in the store, and what it says of its sequence.
  std::vector<int64_t> Stored() {
    std::vector<int64_t> entries;
    const Records records = *ReadRecords(store_);
    for (const auto& [key, value] : records) {
      if (std::get<0>(key) == 0) entries.push_back(std::get<1>(key));
    }
    return entries;
  }
  std::string StoredSequence() {
    const Records records = *ReadRecords(store_);
    const auto record =
        records.find({kSequence.table, kSequence.a, kSequence.b});
    return record == records.end() ? "none" : record->second;
  }

  MoodyStore store_;
  absl::Mutex mu_;
  std::vector<uint64_t> recorded_;
  std::vector<std::pair<uint64_t, absl::Status>> refused_;
  // Entries by their changes.
  std::vector<int64_t> told_applied_;
  bool told_before_recorded_ = true;
  // Ends before the above.
  std::unique_ptr<GroupCommit> commit_;
};

TEST_F(GroupCommitTest, RecordsAnEntryAndTheSequence) {
  Start(absl::Hours(1));
  Enqueue(5);
  AwaitRecorded(5);
  EXPECT_EQ(recorded(), std::vector<uint64_t>{5});
  EXPECT_EQ(Stored(), std::vector<int64_t>{5});
  EXPECT_EQ(StoredSequence(), "5");
  EXPECT_TRUE(commit_->health().ok());
}

TEST_F(GroupCommitTest, WritesWhatWaitsInOneTransaction) {
  Start(absl::Hours(1));
  store_.Hold(true);
  Enqueue(1);
  store_.AwaitBegun(1);
  for (uint64_t sequence : {2, 4, 7, 8}) Enqueue(sequence);
  store_.Hold(false);
  AwaitRecorded(8);
  EXPECT_EQ(recorded(), (std::vector<uint64_t>{1, 8}));
  EXPECT_EQ(store_.applied(), 2);
  EXPECT_EQ(Stored(), (std::vector<int64_t>{1, 2, 4, 7, 8}));
  EXPECT_EQ(StoredSequence(), "8");
}

TEST_F(GroupCommitTest, TellsOfChangesOnceTheyAreInTheStore) {
  Start(absl::Milliseconds(1));
  store_.Fail(absl::UnavailableError("no disk"));
  for (uint64_t sequence : {1, 2}) Enqueue(sequence);
  store_.AwaitBegun(3);
  {
    absl::MutexLock lock(&mu_);
    EXPECT_TRUE(told_applied_.empty());
  }
  store_.Fail(absl::OkStatus());
  AwaitRecorded(2);
  Enqueue(3);
  AwaitRecorded(3);
  absl::MutexLock lock(&mu_);
  EXPECT_EQ(told_applied_, (std::vector<int64_t>{1, 2, 3}));
  EXPECT_TRUE(told_before_recorded_);
}

TEST_F(GroupCommitTest, RefusesWhatMayBeRefusedAndKeepsTheRest) {
  Start(absl::Milliseconds(1));
  const absl::Status full = absl::ResourceExhaustedError("full");
  store_.Fail(full);
  store_.Hold(true);
  Enqueue(1, /*refusable=*/true);
  Enqueue(2);
  Enqueue(3, /*refusable=*/true);
  Enqueue(4);
  store_.Hold(false);
  AwaitRefused(2);
  AwaitRecorded(1);
  EXPECT_EQ(refused(), (std::vector<std::pair<uint64_t, absl::Status>>{
                           {1, full}, {3, full}}));
  EXPECT_EQ(recorded(), std::vector<uint64_t>{1});
  EXPECT_EQ(commit_->health(), full);
  // It is tried again and again.
  store_.AwaitApplied(store_.applied() + 5);
  EXPECT_EQ(recorded(), std::vector<uint64_t>{1});

  store_.Fail(absl::OkStatus());
  AwaitRecorded(4);
  EXPECT_EQ(recorded(), (std::vector<uint64_t>{1, 4}));
  EXPECT_EQ(Stored(), (std::vector<int64_t>{2, 4}));
  EXPECT_TRUE(commit_->health().ok());
}

TEST_F(GroupCommitTest, TriesTheRestAtOnceWithoutWhatItRefused) {
  Start(absl::Hours(1));
  store_.TakeAtMost(3);
  store_.Hold(true);
  Enqueue(1);
  store_.AwaitBegun(1);
  Enqueue(2, /*refusable=*/true);
  Enqueue(3);
  Enqueue(4);
  store_.Hold(false);
  AwaitRecorded(4);
  EXPECT_EQ(refused().size(), 1);
  EXPECT_EQ(Stored(), (std::vector<int64_t>{1, 3, 4}));
  EXPECT_TRUE(commit_->health().ok());
}

TEST_F(GroupCommitTest, NoticesThatTheStoreWorksAgainWithoutNewEntries) {
  Start(absl::Milliseconds(1));
  store_.Fail(absl::ResourceExhaustedError("full"));
  Enqueue(1, /*refusable=*/true);
  AwaitRecorded(1);
  EXPECT_FALSE(commit_->health().ok());
  store_.Fail(absl::OkStatus());
  while (!commit_->health().ok()) std::this_thread::yield();
  EXPECT_TRUE(Stored().empty());
}

TEST_F(GroupCommitTest, StopWritesWhatWaits) {
  Start(absl::Hours(1));
  store_.Hold(true);
  Enqueue(1);
  store_.AwaitBegun(1);
  Enqueue(2);
  store_.Hold(false);
  EXPECT_TRUE(commit_->Stop());
  EXPECT_EQ(Stored(), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(recorded().back(), 2);
}

TEST_F(GroupCommitTest, StopEndsAPauseAndTriesOnceMore) {
  Start(absl::Hours(1));
  store_.Fail(absl::InternalError("broken"));
  Enqueue(1);
  store_.AwaitApplied(1);
  EXPECT_FALSE(commit_->Stop());
  EXPECT_EQ(store_.applied(), 2);
  EXPECT_FALSE(commit_->Stop());
  EXPECT_TRUE(recorded().empty());
  EXPECT_TRUE(Stored().empty());
}

// The sequence of an earlier process must stay.
TEST_F(GroupCommitTest, StopWithoutWorkWritesNothing) {
  Start(absl::Hours(1));
  EXPECT_TRUE(commit_->Stop());
  EXPECT_EQ(store_.applied(), 0);
  EXPECT_EQ(StoredSequence(), "none");
}

TEST_F(GroupCommitTest, DropsWhatComesAfterStop) {
  Start(absl::Hours(1));
  EXPECT_TRUE(commit_->Stop());
  Enqueue(1, /*refusable=*/true);
  EXPECT_TRUE(commit_->Stop());
  EXPECT_TRUE(Stored().empty());
  EXPECT_TRUE(refused().empty());
}

}  // namespace
}  // namespace hydra
