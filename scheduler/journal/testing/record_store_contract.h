#ifndef HYDRA_SCHEDULER_JOURNAL_TESTING_RECORD_STORE_CONTRACT_H_
#define HYDRA_SCHEDULER_JOURNAL_TESTING_RECORD_STORE_CONTRACT_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "common/file/scratch_directory.h"
#include "gtest/gtest.h"
#include "scheduler/journal/record_store.h"
#include "scheduler/journal/testing/record_scenario.h"

namespace hydra {

// An implementation of RecordStore under test. `make` returns an empty store
// with the tables of ScenarioSchema; a store of files may use `path`.
struct RecordStoreImplementation {
  std::string name;
  std::function<std::unique_ptr<RecordStore>(const std::string& path)> make;
};

// What every RecordStore promises. An implementation's test links this library
// and names the implementation:
//
//   INSTANTIATE_TEST_SUITE_P(
//       Mine, RecordStoreContractTest,
//       testing::Values(RecordStoreImplementation{"Mine", MakeMyStore}),
//       RecordStoreContractTest::NameOf);
class RecordStoreContractTest
    : public testing::TestWithParam<RecordStoreImplementation> {
 public:
  static std::string NameOf(const testing::TestParamInfo<ParamType>& info) {
    return info.param.name;
  }

 protected:
  void Put(int table, int64_t a, int64_t b, const std::string& value);

  Records Read() const;

  // The keys of one `a`, as they come.
  std::vector<int64_t> ReadOf(
      int table, int64_t a,
      int64_t first_b = std::numeric_limits<int64_t>::min()) const;

  const ScratchDirectory directory_{ScratchPlace::kMemory};
  const std::unique_ptr<RecordStore> store_ =
      GetParam().make(directory_.PathOf("records.db"));
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_JOURNAL_TESTING_RECORD_STORE_CONTRACT_H_
