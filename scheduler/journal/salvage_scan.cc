#include "scheduler/journal/salvage_scan.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <optional>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/substitute.h"
#include "scheduler/journal/record_checksum.h"

namespace hydra {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

// Each costs microseconds, and halves what may lie between damaged pages.
constexpr int kMostScans = 10'000;

constexpr char kForward[] =
    R"(SELECT a, b, value, checksum FROM "$0" WHERE (a, b) >= (?, ?)
       ORDER BY a, b)";
constexpr char kBackward[] =
    R"(SELECT a, b, value, checksum FROM "$0" WHERE (a, b) <= (?, ?)
       ORDER BY a DESC, b DESC)";

// The key must not be the last that there can be.
SalvageKey After(const SalvageKey& key) {
  return key.b < kMax ? SalvageKey{key.a, key.b + 1}
                      : SalvageKey{key.a + 1, kMin};
}

// The key must not be the first that there can be.
SalvageKey Before(const SalvageKey& key) {
  return key.b > kMin ? SalvageKey{key.a, key.b - 1}
                      : SalvageKey{key.a - 1, kMax};
}

int64_t Middle(int64_t low, int64_t high) {
  // The distance may not fit a signed number.
  const uint64_t distance =
      static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
  return static_cast<int64_t>(static_cast<uint64_t>(low) + distance / 2);
}

// The last key of the lower half. The range has at least two keys.
SalvageKey MiddleOf(const SalvageRange& range) {
  const SalvageKey& first = range.first;
  const SalvageKey& last = range.last;
  if (first.a == last.a) return {first.a, Middle(first.b, last.b)};
  return {Middle(first.a, last.a), kMax};
}

class Scanner {
 public:
  Scanner(const std::string& table, SqliteStatement forward,
          SqliteStatement backward, RecordVisitor visit)
      : checksum_(table),
        forward_(std::move(forward)),
        backward_(std::move(backward)),
        visit_(visit) {}

  absl::StatusOr<SalvageScan> Run() {
    open_.push_back({{kMin, kMin}, {kMax, kMax}});
    for (int scans = 0; !open_.empty() && scans < kMostScans; ++scans) {
      std::optional<SalvageRange> rest = open_.front();
      open_.pop_front();
      absl::Status visited = ScanFrom(/*forward=*/true, rest);
      if (visited.ok() && rest) visited = ScanFrom(/*forward=*/false, rest);
      if (!visited.ok()) return visited;
      if (rest) Split(*rest);
    }
    for (const SalvageRange& range : open_) GiveUp(range);
    MergeUnreadable();
    found_.good_records = seen_.size();
    return std::move(found_);
  }

 private:
  // Visits from one end of `rest` on, and takes what is done away from it.
  // Errors are the visitor's.
  absl::Status ScanFrom(bool forward, std::optional<SalvageRange>& rest) {
    SqliteStatement& read = forward ? forward_ : backward_;
    const SalvageKey start = forward ? rest->first : rest->last;
    read.BindInteger(1, start.a);
    read.BindInteger(2, start.b);
    absl::Cleanup reset = [&read] { read.Reset(); };
    while (rest) {
      const absl::StatusOr<bool> row = read.Step();
      // What this scan did not come to is for another one.
      if (!row.ok()) break;
      if (!*row) {
        rest.reset();
        break;
      }
      const SalvageKey key = {read.Integer(0), read.Integer(1)};
      if (checksum_.Of(key.a, key.b, read.Blob(2)) != read.Integer(3)) {
        found_.damaged_records.insert(key);
        continue;
      }
      absl::Status visited = VisitOnce(key, read.Blob(2));
      if (!visited.ok()) return visited;
      Shorten(forward, key, rest);
    }
    return absl::OkStatus();
  }

  // Damaged pages may lead to the same record twice.
  absl::Status VisitOnce(const SalvageKey& key, absl::string_view value) {
    if (!seen_.insert(key).second) return absl::OkStatus();
    return visit_(key.a, key.b, value);
  }

  // Takes `key`, and what is before it on the scan's way, off `rest`. A key
  // behind the last one, on that way, ends it.
  static void Shorten(bool forward, const SalvageKey& key,
                      std::optional<SalvageRange>& rest) {
    const SalvageKey& start = forward ? rest->first : rest->last;
    const SalvageKey& end = forward ? rest->last : rest->first;
    const auto before = [forward](const SalvageKey& one,
                                  const SalvageKey& other) {
      return forward ? one < other : other < one;
    };
    // Out of order: it says nothing.
    if (before(key, start)) return;
    if (!before(key, end)) {
      rest.reset();
    } else if (forward) {
      rest->first = After(key);
    } else {
      rest->last = Before(key);
    }
  }

  // Wide ranges come before narrow ones.
  void Split(const SalvageRange& range) {
    if (!(range.first < range.last)) return GiveUp(range);
    const SalvageKey middle = MiddleOf(range);
    open_.push_back({range.first, middle});
    open_.push_back({After(middle), range.last});
  }

  void GiveUp(const SalvageRange& range) { found_.unreadable.push_back(range); }

  void MergeUnreadable() {
    std::vector<SalvageRange>& ranges = found_.unreadable;
    std::sort(ranges.begin(), ranges.end(),
              [](const SalvageRange& left, const SalvageRange& right) {
                return left.first < right.first;
              });
    std::vector<SalvageRange> merged;
    for (const SalvageRange& range : ranges) {
      const bool adjoins =
          !merged.empty() && !(After(merged.back().last) < range.first);
      if (adjoins) {
        merged.back().last = range.last;
      } else {
        merged.push_back(range);
      }
    }
    ranges = std::move(merged);
  }

  const RecordChecksum checksum_;
  SqliteStatement forward_;
  SqliteStatement backward_;
  RecordVisitor visit_;
  // What no scan has come through yet.
  std::deque<SalvageRange> open_;
  absl::btree_set<SalvageKey> seen_;
  SalvageScan found_;
};

}  // namespace

absl::StatusOr<SalvageScan> ScanDamagedTable(const SqliteDatabase& database,
                                             const std::string& table,
                                             RecordVisitor visit) {
  absl::StatusOr<SqliteStatement> forward =
      database.Prepare(absl::Substitute(kForward, table));
  absl::StatusOr<SqliteStatement> backward =
      database.Prepare(absl::Substitute(kBackward, table));
  if (!forward.ok() || !backward.ok()) {
    SalvageScan nothing;
    nothing.unreadable = {{{kMin, kMin}, {kMax, kMax}}};
    return nothing;
  }
  return Scanner(table, *std::move(forward), *std::move(backward), visit).Run();
}

}  // namespace hydra
