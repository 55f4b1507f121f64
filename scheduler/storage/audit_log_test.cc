#include "scheduler/storage/audit_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace v1 = hydra::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class AuditLogTest : public ::testing::Test {
 protected:
  AuditLog Open(int64_t max_file_bytes = AuditLog::kMaxFileBytes) {
    return AuditLog(path_, max_file_bytes, [this] { return now_; });
  }
  static v1::AuditEntry Entry(uint32_t user, const std::string& target,
                              const std::string& result = "OK") {
    v1::AuditEntry entry;
    entry.set_user(user);
    entry.set_name(absl::StrCat("user-", user));
    entry.set_pid(7);
    entry.set_rpc("Cancel");
    entry.set_target(target);
    entry.set_result(result);
    return entry;
  }
  // All pages.
  static std::vector<v1::AuditEntry> All(const AuditLog& log,
                                         AuditLog::Query query = {}) {
    std::vector<v1::AuditEntry> all;
    do {
      const absl::StatusOr<AuditLog::Page> page = log.Newest(query);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) return all;
      EXPECT_LE(page->entries.size(), query.most);
      all.insert(all.end(), page->entries.begin(), page->entries.end());
      query.before = page->next;
    } while (query.before != 0);
    return all;
  }
  static std::vector<std::string> Targets(const AuditLog& log,
                                          const AuditLog::Query& query = {}) {
    std::vector<std::string> targets;
    for (const v1::AuditEntry& entry : All(log, query)) {
      targets.push_back(entry.target());
    }
    return targets;
  }

  const ScratchDirectory scratch_;
  const std::string path_ = scratch_.path() + "/audit.jsonl";
  absl::Time now_ = absl::FromUnixSeconds(1000);
};

TEST_F(AuditLogTest, TheNewestComeFirstAPageAtATime) {
  AuditLog log = Open();
  EXPECT_THAT(Targets(log), IsEmpty());
  for (const char* job : {"j1", "j2", "j3"}) log.Add(Entry(1000, job));
  EXPECT_THAT(Targets(log), ElementsAre("j3", "j2", "j1"));
  AuditLog::Query two;
  two.most = 2;
  EXPECT_THAT(Targets(log, two), ElementsAre("j3", "j2", "j1"));
  struct stat facts;
  ASSERT_EQ(stat(path_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600);
}

TEST_F(AuditLogTest, AnEntryComesBackAsItWas) {
  AuditLog log = Open();
  v1::AuditEntry by_tcp = Entry(0, "s3", "PERMISSION_DENIED");
  by_tcp.clear_user();
  by_tcp.set_jobs(12);
  log.Add(by_tcp);
  const std::vector<v1::AuditEntry> all = All(log);
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].sequence(), 1);
  EXPECT_EQ(all[0].time().seconds(), 1000);
  EXPECT_FALSE(all[0].has_user());
  EXPECT_EQ(all[0].name(), "user-0");
  EXPECT_EQ(all[0].pid(), 7);
  EXPECT_EQ(all[0].rpc(), "Cancel");
  EXPECT_EQ(all[0].target(), "s3");
  EXPECT_EQ(all[0].jobs(), 12);
  EXPECT_EQ(all[0].result(), "PERMISSION_DENIED");
}

TEST_F(AuditLogTest, AreFoundByUserAndTime) {
  AuditLog log = Open();
  log.Add(Entry(1000, "j1"));
  now_ += absl::Seconds(10);
  log.Add(Entry(1001, "j2"));
  v1::AuditEntry by_tcp = Entry(0, "j3");
  by_tcp.clear_user();
  log.Add(by_tcp);
  AuditLog::Query query;
  query.user = 1001;
  EXPECT_THAT(Targets(log, query), ElementsAre("j2"));
  query.user = std::optional<uint32_t>();
  EXPECT_THAT(Targets(log, query), ElementsAre("j3"));
  query.user.reset();
  query.since = now_;
  EXPECT_THAT(Targets(log, query), ElementsAre("j3", "j2"));
}

TEST_F(AuditLogTest, GoesOnWithWhatIsThere) {
  { Open().Add(Entry(1000, "j1")); }
  // hydrad was killed as it wrote.
  std::ofstream(path_, std::ios::app) << "{\"sequence\":\"2\",\"ti";
  AuditLog log = Open();
  log.Add(Entry(1000, "j2"));
  EXPECT_THAT(Targets(log), ElementsAre("j2", "j1"));
  EXPECT_EQ(All(log)[0].sequence(), 2);
}

TEST_F(AuditLogTest, KeepsTwoFilesOfABoundedSize) {
  constexpr int64_t kBytes = 2000;
  {
    AuditLog log = Open(kBytes);
    for (int i = 1; i <= 100; ++i) log.Add(Entry(1000, absl::StrCat("j", i)));
  }
  AuditLog log = Open(kBytes);
  log.Add(Entry(1000, "j101"));
  EXPECT_LE(fs::file_size(path_), kBytes);
  EXPECT_LE(fs::file_size(path_ + ".1"), kBytes);
  const std::vector<v1::AuditEntry> all = All(log);
  ASSERT_GT(all.size(), 4);
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].target(), absl::StrCat("j", 101 - i));
    EXPECT_EQ(all[i].sequence(), 101 - i);
  }
}

TEST_F(AuditLogTest, OneUsersRefusalsPushOutNothing) {
  AuditLog log = Open();
  for (int i = 0; i < AuditLog::kRefusalsAMinute + 5; ++i) {
    log.Add(Entry(1000, "j1", "PERMISSION_DENIED"));
  }
  EXPECT_THAT(Targets(log), SizeIs(AuditLog::kRefusalsAMinute));
  // Another user's, and what changed something.
  log.Add(Entry(1001, "j2", "PERMISSION_DENIED"));
  log.Add(Entry(1000, "j3"));
  log.Add(Entry(1000, "j4"));
  std::vector<v1::AuditEntry> all = All(log);
  ASSERT_THAT(all, SizeIs(AuditLog::kRefusalsAMinute + 3));
  EXPECT_EQ(all[0].more_refusals(), 0);
  EXPECT_EQ(all[1].target(), "j3");
  EXPECT_EQ(all[1].more_refusals(), 5);
  EXPECT_EQ(all[2].target(), "j2");
  EXPECT_EQ(all[2].more_refusals(), 0);
  now_ += absl::Minutes(1);
  log.Add(Entry(1000, "j5", "PERMISSION_DENIED"));
  EXPECT_EQ(All(log)[0].target(), "j5");
}

// As on a disk that has no room.
TEST_F(AuditLogTest, WhatCannotBeWrittenIsCounted) {
  const sighandler_t before = signal(SIGXFSZ, SIG_IGN);
  AuditLog log = Open();
  log.Add(Entry(1000, "j1"));
  rlimit limit;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
  rlimit small = limit;
  // Within the next entry.
  small.rlim_cur = fs::file_size(path_) + 10;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  log.Add(Entry(1000, "j2"));
  log.Add(Entry(1000, "j3"));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  log.Add(Entry(1000, "j4"));
  signal(SIGXFSZ, before);
  EXPECT_THAT(Targets(log), ElementsAre("j4", "j1"));
  EXPECT_EQ(All(log)[0].lost_entries(), 2);
  EXPECT_EQ(All(log)[0].sequence(), 2);
}

TEST_F(AuditLogTest, AFileThatCannotBeMadeIsNoHindrance) {
  AuditLog log(scratch_.path() + "/nowhere/audit.jsonl");
  log.Add(Entry(1000, "j1"));
  fs::create_directory(scratch_.path() + "/nowhere");
  log.Add(Entry(1000, "j2"));
  const std::vector<v1::AuditEntry> all = All(log);
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].lost_entries(), 1);
}

}  // namespace
}  // namespace hydra
