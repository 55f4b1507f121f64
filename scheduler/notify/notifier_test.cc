#include "scheduler/notify/notifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/file/scratch_directory.h"
#include "scheduler/runtime/testing/read_model_fixture.h"

namespace hydra {
namespace {

class NotifierTest : public ReadModelFixture {
 protected:
  NotifierTest() {
    std::ofstream(options_.path)
        << "#!/bin/sh\necho $HYDRA_EVENT $HYDRA_OWNER >> " << told_ << "\n";
    EXPECT_EQ(chmod(options_.path.c_str(), 0755), 0);
    options_.at_once = 1;
  }
  std::string Told() const {
    std::stringstream text;
    text << std::ifstream(told_).rdbuf();
    return text.str();
  }

  const ScratchDirectory folder_;
  const std::string told_ = folder_.PathOf("told");
  NoticeProgram::Options options_{folder_.PathOf("program")};
};

TEST_F(NotifierTest, TellsOfAnEndWithTheOwnersName) {
  Notifier notifier(&model_, /*just_changed=*/{}, options_,
                    [](uid_t user) { return absl::StrCat("user", user); });
  Submit(1, Caller{1001});
  Cancel({JobId(1)});
  const std::string wanted = "cancelled user1001\nsweep_ended user1001\n";
  while (Told() != wanted) absl::SleepFor(absl::Milliseconds(5));
}

TEST_F(NotifierTest, WhatHappenedJustBeforeItStopsIsTold) {
  Notifier notifier(&model_, /*just_changed=*/{}, options_,
                    [](uid_t) { return "ada"; });
  Submit(1, Caller{1001});
  Cancel({JobId(1)});
  notifier.Stop(absl::Minutes(1));
  EXPECT_EQ(Told(), "cancelled ada\nsweep_ended ada\n");
}

}  // namespace
}  // namespace hydra
