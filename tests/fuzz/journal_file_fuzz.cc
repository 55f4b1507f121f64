// jobs.db, an SQLite file with a log, damaged. The input is a list of edits of
// four bytes each: an offset of 24 bits, little endian, and a value. Bit 23 of
// the offset chooses the log, bit 22 cuts the file off there; otherwise the
// byte there gets the value.

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/file/scratch_directory.h"
#include "glog/logging.h"
#include "scheduler/journal/record_change.h"
#include "scheduler/journal/sqlite_record_store.h"
#include "tests/fuzz/fuzz_check.h"

namespace hydra {
namespace {

constexpr int kTables = 3;
constexpr int kTransactions = 6;
constexpr size_t kEditBytes = 4;
constexpr uint32_t kLogBit = 1 << 23;
constexpr uint32_t kCutBit = 1 << 22;

SqliteRecordStore::Options SmallOptions() {
  SqliteRecordStore::Options options;
  options.schema.name = "fuzz";
  options.schema.tables = {"zero", "one", "two"};
  return options;
}

class Journal {
 public:
  Journal() {
    FLAGS_minloglevel = google::GLOG_FATAL;
    MakeOriginal();
  }

  void Try(absl::Span<const uint8_t> edits) {
    std::string file = file_;
    std::string log = log_;
    for (; edits.size() >= kEditBytes; edits.remove_prefix(kEditBytes)) {
      const uint32_t place = edits[0] | edits[1] << 8 | edits[2] << 16;
      Edit(place, static_cast<char>(edits[3]),
           (place & kLogBit) != 0 ? &log : &file);
    }
    WriteFile(path_, file);
    WriteFile(path_ + "-wal", log);
    std::filesystem::remove(path_ + "-shm");
    Use();
  }

 private:
  using Record = std::tuple<int, int64_t, int64_t, std::string>;

  // A few pages, the last transactions only in the log.
  void MakeOriginal() {
    {
      const auto store = SqliteRecordStore::Open(path_, SmallOptions());
      CHECK(store.ok()) << store.status();
      for (int i = 0; i < kTransactions / 2; ++i) AddTransaction(i, **store);
    }
    const auto store = SqliteRecordStore::Open(path_, SmallOptions());
    CHECK(store.ok()) << store.status();
    for (int i = kTransactions / 2; i < kTransactions; ++i) {
      AddTransaction(i, **store);
    }
    file_ = ReadFile(path_);
    log_ = ReadFile(path_ + "-wal");
    CHECK(!file_.empty() && !log_.empty());
  }

  void AddTransaction(int number, RecordStore& store) {
    std::vector<journal::v1::Change> changes;
    for (int table = 0; table < kTables; ++table) {
      // Some beyond a page.
      std::string value(number * 1'000, static_cast<char>('a' + number));
      changes.push_back(MakePut(table, number % 4, 0, value));
      written_.emplace(table, number % 4, 0, std::move(value));
    }
    CHECK(store.Apply(changes).ok());
  }

  static void Edit(uint32_t place, char value, std::string* bytes) {
    if (bytes->empty()) return;
    const size_t offset = (place & (kCutBit - 1)) % bytes->size();
    if ((place & kCutBit) != 0) {
      bytes->resize(offset);
    } else {
      (*bytes)[offset] = value;
    }
  }

  void Use() {
    const auto store = SqliteRecordStore::Open(path_, SmallOptions());
    CheckBlamesTheInput(store.status());
    if (!store.ok()) return;
    for (int table = 0; table < kTables; ++table) {
      CheckBlamesTheInput(ReadTable(**store, table));
    }
    CheckBlamesTheInput((*store)->Apply({MakePut(0, 0, 0, "new")}));
    CheckBlamesTheInput((*store)->Apply({MakeEraseFrom(1, 0, 0)}));
    CheckBlamesTheInput((*store)->CheckAll());
  }

  // No record is given out that nobody wrote.
  absl::Status ReadTable(const RecordStore& store, int table) const {
    return store.ForEach(
        table, [&](int64_t a, int64_t b, absl::string_view value) {
          CHECK(written_.count({table, a, b, std::string(value)}) == 1)
              << "table " << table << ", record " << a << ", " << b;
          return absl::OkStatus();
        });
  }

  ScratchDirectory scratch_;
  const std::string path_ = scratch_.PathOf("journal.db");
  std::string file_;
  std::string log_;
  std::set<Record> written_;
};

}  // namespace
}  // namespace hydra

// SQLite calls these in place of the system's: no input makes the power fail,
// and waiting for a disk is slow.
extern "C" int fsync(int) { return 0; }
extern "C" int fdatasync(int) { return 0; }

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static hydra::Journal journal;
  journal.Try({data, size});
  return 0;
}
