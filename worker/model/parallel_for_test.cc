#include "worker/model/parallel_for.h"

#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "ATen/Parallel.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

class ParallelForTest : public testing::Test {
 protected:
  ~ParallelForTest() override { at::set_num_threads(threads_); }

  // How many threads worked.
  static int ThreadsOf(int64_t begin, int64_t end, int64_t grain) {
    std::mutex mutex;
    std::set<std::thread::id> threads;
    ParallelFor(begin, end, grain, [&](int64_t, int64_t) {
      const std::lock_guard<std::mutex> lock(mutex);
      threads.insert(std::this_thread::get_id());
    });
    return static_cast<int>(threads.size());
  }

 private:
  const int threads_ = at::get_num_threads();
};

TEST_F(ParallelForTest, AllThreadsWorkWhereThereIsEnoughToDo) {
  for (int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    EXPECT_EQ(ThreadsOf(5, 105, /*grain=*/1), threads);
    EXPECT_EQ(ThreadsOf(5, 105, /*grain=*/200), 1);
    EXPECT_EQ(ThreadsOf(5, 5, /*grain=*/1), 0);
  }
}

TEST_F(ParallelForTest, EachNumberIsInOneRange) {
  at::set_num_threads(3);
  std::vector<int> visits(1000);
  ParallelFor(17, 1000, 10, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) ++visits[i];
  });
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(visits[i], i < 17 ? 0 : 1) << i;
}

TEST_F(ParallelForTest, ThrowsWhatABodyThrows) {
  at::set_num_threads(2);
  EXPECT_THROW(ParallelFor(0, 100, 1,
                           [](int64_t first, int64_t) {
                             if (first > 0) throw std::runtime_error("no");
                           }),
               std::runtime_error);
}

}  // namespace
}  // namespace hydra
