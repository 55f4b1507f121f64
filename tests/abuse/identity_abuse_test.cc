// Accounts that reach for each other's jobs, with the command line, as the
// kernel's users.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "tests/abuse/other_user.h"
#include "tests/faults/fault_fixture.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace v1 = hydra::v1;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// They need no entries in the machine's lists of accounts.
struct Account {
  uid_t user;
  // With commas between them.
  const char* groups;
};
constexpr Account kAlice = {12001, "12001,12100"};
constexpr Account kBob = {12002, "12002"};
// In the group of Alice's project.
constexpr Account kCarol = {12003, "12003,12100"};
// In the operators' group.
constexpr Account kDave = {12004, "12200"};
// Of the group that may not use the server.
constexpr Account kEve = {12005, "12005"};

class IdentityAbuseTest : public FaultTest {
 protected:
  IdentityAbuseTest() {
    // Whoever may not enter this process's folders can run it nevertheless.
    fs::permissions(directory_, fs::perms(0755));
    fs::copy_file("client/hydra", directory_ + "/hydra");
    fs::permissions(directory_ + "/hydra", fs::perms(0755));
  }

  // This account's `hydra` with `arguments`.
  ProgramResult As(const Account& account, const Cluster& cluster,
                   const std::vector<std::string>& arguments) const {
    std::vector<std::string> command = {
        "setpriv",
        absl::StrCat("--reuid=", account.user),
        absl::StrCat("--regid=", account.user),
        absl::StrCat("--groups=", account.groups),
        directory_ + "/hydra",
        "--server",
        cluster.address()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return RunProgram(command);
  }

  // Alice, Bob, Carol and operators may use it.
  static Cluster::Options Allowing() {
    Cluster::Options options = Options();
    for (const char* setting : {"allow=12001", "allow=12002",
                                "allow=group 12100", "operators=group 12200"}) {
      options.settings.push_back(setting);
    }
    return options;
  }
  static void OpenFolder(const Cluster& cluster) {
    fs::permissions(cluster.directory(), fs::perms(0755));
  }

  std::string JobFile(int64_t steps) const {
    const std::string path = absl::StrCat(directory_, "/", steps, ".yaml");
    WriteFile(path, absl::StrCat(
                        "name: secret-name\nmodel: {path: ", files().tiny_model,
                        "}\ndata: {train_files: [", files().train_tokens,
                        "], format: tokens_u16}\ntrain: {max_steps: ", steps,
                        ", context_length: 32, learning_rate: 0.001, "
                        "per_device_train_batch_size: 4}\n"));
    fs::permissions(path, fs::perms(0644));
    return path;
  }

  const std::string directory_ = FreshDirectory();
};

TEST_F(IdentityAbuseTest, F35OthersJobsAreOutOfReach) {
  if (!CanBecomeOtherUser()) GTEST_SKIP() << "only root can be many users";
  Cluster cluster(Allowing());
  OpenFolder(cluster);
  const ProgramResult submitted =
      As(kAlice, cluster,
         {"submit", JobFile(1'000'000), "--project", "12100", "-o", "id"});
  ASSERT_EQ(submitted.output, "s1\nj1\n");
  ASSERT_EQ(As(kAlice, cluster, {"submit", JobFile(3), "-o", "id"}).code, 0);
  cluster.AwaitEnd("j2");
  cluster.AwaitStep("j1", 1);

  const std::string models = directory_ + "/models";
  fs::create_directory(models);
  fs::permissions(models, fs::perms(0777));
  int refused = 0;
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{
           {"describe", "j1"},
           {"clone", "j1"},
           {"logs", "j1"},
           {"logs", "j1", "-f"},
           {"watch", "j1"},
           {"watch", "s1"},
           {"results", "s1"},
           {"trace", "j1"},
           {"trace", "s1"},
           {"download", "j2", models + "/bob"},
           {"pause", "j1"},
           {"pause", "s1"},
           {"resume", "j1"},
           {"cancel", "j1"},
           {"cancel", "s1", "--delete-checkpoints"},
           {"delete", "j2"},
           {"delete", "s2"}}) {
    const ProgramResult result = As(kBob, cluster, command);
    EXPECT_EQ(result.code, 4) << command[0] << ": " << result.output;
    EXPECT_THAT(result.output,
                AllOf(HasSubstr("12001's"), Not(HasSubstr("secret"))))
        << command[0];
    refused += result.code == 4;
  }
  EXPECT_THAT(As(kBob, cluster, {"list"}).output,
              AllOf(HasSubstr("(12001's)"), Not(HasSubstr("secret"))));
  const auto listed = nlohmann::json::parse(
      As(kBob, cluster, {"list", "-o", "json"}).output)["jobs"];
  ASSERT_EQ(listed.size(), 2);
  EXPECT_EQ(listed[0]["job_id"], "j2");
  EXPECT_EQ(listed[0]["state"], "JOB_STATE_COMPLETED");
  EXPECT_EQ(listed[0]["owner"], "12001");
  EXPECT_EQ(listed[0]["withheld"], true);
  EXPECT_EQ(listed[0]["name"], "");
  EXPECT_THAT(As(kBob, cluster, {"list", "--mine", "-o", "id"}).output,
              IsEmpty());
  EXPECT_THAT(As(kBob, cluster, {"workers"}).output, Not(HasSubstr(" step ")));
  // What he tried had no effect.
  EXPECT_GE(cluster.Job("j1").status().step(), 1);
  EXPECT_THAT(cluster.Job("j1").status().state(),
              ::testing::AnyOf(v1::JOB_STATE_RUNNING, v1::JOB_STATE_PENDING));

  // A member of the project: all but to cancel.
  EXPECT_THAT(As(kCarol, cluster, {"describe", "j1"}).output,
              HasSubstr("secret-name"));
  EXPECT_EQ(As(kCarol, cluster, {"trace", "s1"}).code, 0);
  EXPECT_EQ(As(kCarol, cluster, {"pause", "j1"}).code, 0);
  cluster.Await([&] {
    return cluster.Job("j1").status().state() == v1::JOB_STATE_PAUSED;
  });
  EXPECT_EQ(As(kCarol, cluster, {"resume", "s1"}).code, 0);
  const ProgramResult cancel = As(kCarol, cluster, {"cancel", "j1"});
  EXPECT_EQ(cancel.code, 4);
  EXPECT_THAT(cancel.output, HasSubstr("by its owner and by operators alone"));
  // Alice's other job has no project.
  EXPECT_EQ(As(kCarol, cluster, {"download", "j2", models + "/carol"}).code, 4);
  EXPECT_EQ(As(kDave, cluster, {"download", "j2", models + "/dave"}).code, 0);
  EXPECT_EQ(As(kAlice, cluster, {"download", "j2", models + "/alice"}).code, 0);
  EXPECT_FALSE(fs::exists(models + "/bob/model.safetensors"));
  EXPECT_EQ(ReadFile(models + "/alice/model.safetensors"),
            ReadFile(models + "/dave/model.safetensors"));

  EXPECT_EQ(As(kDave, cluster, {"cancel", "j1"}).output, "cancelled j1\n");
  EXPECT_EQ(cluster.AwaitEnd("j1").status().state(), v1::JOB_STATE_CANCELLED);

  // Who did what is on record, for operators.
  EXPECT_EQ(As(kBob, cluster, {"audit"}).code, 4);
  const auto audit = nlohmann::json::parse(
      As(kDave, cluster, {"audit", "-o", "json"}).output)["entries"];
  std::vector<std::string> lines;
  for (const auto& entry : audit) {
    EXPECT_GT(entry["pid"], 0);
    lines.push_back(absl::StrCat(entry["user"].get<int>(), " ",
                                 entry["rpc"].get<std::string>(), " ",
                                 entry["target"].get<std::string>(), " ",
                                 entry["result"].get<std::string>()));
  }
  for (const char* line :
       {"12001 Submit s1 OK", "12002 GetJob j1 PERMISSION_DENIED",
        "12002 StreamLogs j1 PERMISSION_DENIED",
        "12002 Watch s1 PERMISSION_DENIED",
        "12002 Download j2 PERMISSION_DENIED",
        "12002 Cancel s1 PERMISSION_DENIED",
        "12002 Delete s2 PERMISSION_DENIED", "12003 Pause j1 OK",
        "12003 Resume s1 OK", "12003 Cancel j1 PERMISSION_DENIED",
        "12004 Cancel j1 OK", "12002 ListAudit  PERMISSION_DENIED"}) {
    EXPECT_THAT(lines, Contains(line));
  }
  EXPECT_EQ(fs::status(cluster.state_dir() + "/audit.jsonl").permissions(),
            fs::perms(0600));
  Row("F35", absl::StrCat(refused, " commands on another user's jobs"),
      "PERMISSION_DENIED for each, and a line of the audit log; the job went "
      "on",
      std::nullopt, std::nullopt);
}

TEST_F(IdentityAbuseTest, F35PrivateJobsAreAsIfTheyWereNotThere) {
  if (!CanBecomeOtherUser()) GTEST_SKIP() << "only root can be many users";
  Cluster::Options options = Allowing();
  options.settings.push_back("private_jobs=true");
  Cluster cluster(options);
  OpenFolder(cluster);
  ASSERT_EQ(As(kAlice, cluster, {"submit", JobFile(3)}).code, 0);
  cluster.AwaitEnd("j1");
  for (bool is_again : {false, true}) {
    SCOPED_TRACE(is_again);
    const ProgramResult hidden = As(kBob, cluster, {"describe", "j1"});
    EXPECT_EQ(hidden.code, 3);
    EXPECT_EQ(hidden.output, "hydra: there is no job j1\n");
    EXPECT_EQ(As(kBob, cluster, {"describe", "j9"}).output,
              "hydra: there is no job j9\n");
    EXPECT_EQ(As(kBob, cluster, {"delete", "j1"}).code, 3);
    EXPECT_THAT(As(kBob, cluster, {"list", "-o", "id"}).output, IsEmpty());
    EXPECT_EQ(As(kAlice, cluster, {"list", "-o", "id"}).output, "j1\n");
    EXPECT_EQ(As(kDave, cluster, {"list", "-o", "id"}).output, "j1\n");
    if (is_again) break;
    // Whose they are survives.
    cluster.KillDaemon();
    cluster.StartDaemon();
  }
  Row("F35", "another user's jobs, with private_jobs, and after a SIGKILL",
      "NOT_FOUND, as for what was never there", std::nullopt, std::nullopt);
}

TEST_F(IdentityAbuseTest, WhoMayNotUseTheServerIsToldWhomToAsk) {
  if (!CanBecomeOtherUser()) GTEST_SKIP() << "only root can be many users";
  Cluster::Options options = Options();
  options.settings.push_back("allow=group 12100");
  Cluster cluster(options);
  OpenFolder(cluster);
  EXPECT_EQ(fs::status(cluster.directory() + "/hydrad.sock").permissions(),
            fs::perms(0666));
  EXPECT_EQ(As(kAlice, cluster, {"info"}).code, 0);
  // Of all groups that one may have, none is missed.
  std::string many = "12100";
  for (int group = 13000; group < 13100; ++group) {
    absl::StrAppend(&many, ",", group);
  }
  EXPECT_EQ(As({kEve.user, many.c_str()}, cluster, {"info"}).code, 0);
  for (const char* verb : {"info", "list", "workers", "watch"}) {
    const ProgramResult refused = As(kEve, cluster, {verb});
    EXPECT_EQ(refused.code, 4) << verb;
    EXPECT_EQ(refused.output,
              "hydra: you may not use this server: it is for group 12100. Ask "
              "for: sudo usermod -aG 12100 12005, then log in again\n");
  }
}

TEST_F(IdentityAbuseTest, WhoMayNotUseTheSocketIsToldWhomItIsFor) {
  if (!CanBecomeOtherUser()) GTEST_SKIP() << "only root can be many users";
  Cluster cluster(Options());
  fs::permissions(cluster.directory(), fs::perms(0700));
  const ProgramResult outside = As(kEve, cluster, {"info"});
  EXPECT_EQ(outside.code, 4);
  EXPECT_THAT(outside.output,
              HasSubstr(absl::StrCat("its folder ", cluster.directory(),
                                     " (mode 0700) is for user root alone")));
  OpenFolder(cluster);
  EXPECT_EQ(fs::status(cluster.directory() + "/hydrad.sock").permissions(),
            fs::perms(0660));
  const ProgramResult before_it = As(kEve, cluster, {"info"});
  EXPECT_EQ(before_it.code, 4);
  EXPECT_THAT(before_it.output,
              HasSubstr("hydrad.sock: it is for group root. Ask for: sudo "
                        "usermod -aG root 12005, then log in again"));
}

TEST_F(IdentityAbuseTest, NobodySubmitsForOthersProjects) {
  if (!CanBecomeOtherUser()) GTEST_SKIP() << "only root can be many users";
  Cluster cluster(Allowing());
  OpenFolder(cluster);
  const ProgramResult refused =
      As(kBob, cluster, {"submit", JobFile(3), "--project", "12100"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.output,
              HasSubstr("project: you are not in the group '12100'"));
  EXPECT_THAT(cluster.List(), IsEmpty());
}

}  // namespace
}  // namespace hydra
