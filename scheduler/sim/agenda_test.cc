#include "scheduler/sim/agenda.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace hydra {
namespace {

using ::testing::ElementsAre;

TEST(AgendaTest, EventsHappenByTimeAndThenAsTheyWerePlanned) {
  Agenda agenda;
  std::vector<int> happened;
  agenda.At(absl::Seconds(2), [&] { happened.push_back(3); });
  agenda.At(absl::Seconds(1), [&] {
    happened.push_back(1);
    agenda.At(absl::Seconds(1), [&] { happened.push_back(4); });
    agenda.At(absl::ZeroDuration(), [&] { happened.push_back(2); });
  });
  while (agenda.planned() > 0) agenda.RunNext();
  EXPECT_THAT(happened, ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(agenda.events(), 4);
  EXPECT_EQ(agenda.now(), absl::UnixEpoch() + absl::Seconds(2));
}

}  // namespace
}  // namespace hydra
