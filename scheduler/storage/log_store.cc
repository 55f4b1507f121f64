#include "scheduler/storage/log_store.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/status/proto_time.h"
#include "glog/logging.h"
#include "scheduler/storage/log_record.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

constexpr char kDaemon[] = "hydrad";
// More lines than a worker keeps until they are acknowledged, and a longer time
// than workers wait for a daemon.
constexpr size_t kMostEarlier = 5000;
constexpr absl::Duration kEarlierFor = absl::Hours(24);
// What a line takes while it waits, beside its text.
constexpr int64_t kWaitingBytes = 256;
// What is freed at least when the lines of all jobs are too many.
constexpr double kKeptOfAll = 0.9;

size_t HashOf(v1::LogLine line) {
  line.clear_sequence();
  return std::hash<std::string>()(line.SerializeAsString());
}

v1::LogLine LossLine(int64_t count) {
  v1::LogLine line;
  *line.mutable_time() = ToProto(absl::Now());
  line.set_severity("W");
  line.set_source(kDaemon);
  line.set_step(-1);
  line.set_text(absl::StrCat(count, " lines were lost here"));
  return line;
}

absl::Status Unreadable(const absl::Status& why) {
  return absl::DataLossError(
      absl::StrCat("the job's log cannot be read: ", why.message()));
}

}  // namespace

LogStore::LogStore(Options options)
    : options_(std::move(options)), started_at_(absl::Now()) {
  FindSegments();
  thread_ = std::thread([this] { Loop(); });
}

LogStore::~LogStore() { Stop(); }

void LogStore::Stop() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

std::string LogStore::PathOf(JobId job, int64_t first) const {
  return absl::StrCat(options_.directory, "/", ToString({job, first}));
}

void LogStore::FindSegments() {
  std::error_code error;
  fs::create_directories(options_.directory, error);
  absl::MutexLock lock(&mu_);
  for (fs::directory_iterator it(options_.directory, error), end;
       !error && it != end; it.increment(error)) {
    const std::optional<LogSegmentName> name =
        ParseLogSegmentName(it->path().filename().string());
    std::error_code unsized;
    const auto bytes = static_cast<int64_t>(it->file_size(unsized));
    if (!name.has_value() || unsized) continue;
    logs_[name->job].segments.push_back({name->first, bytes});
    bytes_ += bytes;
  }
  LOG_IF(ERROR, error) << "not all log lines of jobs can be found in "
                       << options_.directory << ": " << error.message();
  for (auto& [job, log] : logs_) {
    std::sort(
        log.segments.begin(), log.segments.end(),
        [](const Segment& a, const Segment& b) { return a.first < b.first; });
  }
}

void LogStore::Append(JobId job, const v1::LogLine& line) {
  absl::MutexLock lock(&mu_);
  if (stopping_) return;
  const int64_t bytes =
      kWaitingBytes + static_cast<int64_t>(line.text().size());
  if (waiting_bytes_ + bytes > options_.most_waiting_bytes) {
    ++lost_[job];
    return;
  }
  waiting_.push_back({job, line, nullptr});
  waiting_bytes_ += bytes;
  ++busy_[job];
}

void LogStore::WhenWritten(std::function<void()> then) {
  absl::MutexLock lock(&mu_);
  if (!stopping_) waiting_.push_back({JobId(), {}, std::move(then)});
}

void LogStore::Forget(JobId job) {
  WhenWritten([this, job] { RemoveLog(job); });
}

void LogStore::CountDropped(JobId job, int64_t count) {
  absl::MutexLock lock(&mu_);
  lost_[job] += count;
}

bool LogStore::IsBusyWith(JobId job) const {
  absl::MutexLock lock(&mu_);
  return busy_.contains(job);
}

absl::StatusOr<LogPlace> LogStore::Examine(JobId job,
                                           const std::vector<Segment>& newest,
                                           Earlier& earlier) const {
  std::deque<std::pair<std::string, size_t>> hashes;
  LogPlace end;
  for (const Segment& segment : newest) {
    end = {segment.first, 0};
    while (true) {
      absl::StatusOr<LogPiece> piece = ReadLogPiece(
          PathOf(job, segment.first), end, segment.bytes, kPageBytes);
      // Whoever removed it took its lines alone.
      if (absl::IsNotFound(piece.status())) break;
      if (!piece.ok()) return piece.status();
      for (const LogPiece::LinePtr& line : piece->lines) {
        if (line->source() == kDaemon ||
            FromProto(line->time()) < started_at_ - kEarlierFor) {
          continue;
        }
        hashes.emplace_back(line->source(), HashOf(*line));
        if (hashes.size() > kMostEarlier) hashes.pop_front();
      }
      end = piece->end;
      if (piece->lines.empty() || piece->is_broken) break;
    }
  }
  for (const auto& [source, hash] : hashes) earlier[source].insert(hash);
  return end;
}

absl::Status LogStore::Open(JobId job) const {
  absl::MutexLock opening(&open_mu_);
  std::vector<Segment> newest;
  {
    absl::MutexLock lock(&mu_);
    const auto found = logs_.find(job);
    if (found == logs_.end()) return absl::NotFoundError("it has no lines");
    const Log& log = found->second;
    if (log.is_open) return absl::OkStatus();
    newest.assign(log.segments.end() - std::min<size_t>(2, log.segments.size()),
                  log.segments.end());
  }
  Earlier earlier;
  const absl::StatusOr<LogPlace> end = Examine(job, newest, earlier);
  if (!end.ok()) return end.status();
  absl::MutexLock lock(&mu_);
  const auto found = logs_.find(job);
  if (found == logs_.end()) return absl::NotFoundError("it has no lines");
  Log& log = found->second;
  log.is_open = true;
  log.next = end->number;
  bytes_ += end->offset_bytes - log.segments.back().bytes;
  log.segments.back().bytes = end->offset_bytes;
  log.earlier = std::move(earlier);
  return absl::OkStatus();
}

LogStore::Page LogStore::Read(JobId job, Cursor& cursor) const {
  Page page;
  if (const absl::Status open = Open(job); !open.ok()) {
    if (!absl::IsNotFound(open)) page.trouble = Unreadable(open);
    return page;
  }
  Segment segment;
  int64_t begin = 0;
  int64_t following = 0;
  {
    absl::MutexLock lock(&mu_);
    const auto found = logs_.find(job);
    if (found == logs_.end() || cursor.next >= found->second.next) return page;
    const std::deque<Segment>& segments = found->second.segments;
    begin = std::max(cursor.next, segments.front().first);
    // An empty newest segment may begin there, if all lines are gone.
    if (begin >= found->second.next) {
      page.dropped = begin - cursor.next;
      cursor.next = begin;
      return page;
    }
    const auto behind = std::upper_bound(
        segments.begin(), segments.end(), begin,
        [](int64_t number, const Segment& one) { return number < one.first; });
    segment = *std::prev(behind);
    following = behind == segments.end() ? found->second.next : behind->first;
  }
  LogPlace place = {segment.first, 0};
  if (cursor.segment == segment.first && cursor.place.number == begin) {
    place = cursor.place;
  }
  while (page.lines.empty()) {
    const absl::StatusOr<LogPiece> piece = ReadLogPiece(
        PathOf(job, segment.first), place, segment.bytes, kPageBytes);
    // It was dropped just now, or somebody removed it.
    if (absl::IsNotFound(piece.status())) break;
    if (!piece.ok()) {
      page.trouble = Unreadable(piece.status());
      return page;
    }
    for (const LogPiece::LinePtr& line : piece->lines) {
      if (line->sequence() >= begin) page.lines.push_back(line);
    }
    place = piece->end;
    if (piece->lines.empty() || piece->is_broken) break;
  }
  if (page.lines.empty()) {
    // The file is damaged, or not there.
    const int64_t lost = following - cursor.next;
    cursor.next = following;
    page = Read(job, cursor);
    page.dropped += lost;
    return page;
  }
  page.dropped = page.lines.front()->sequence() - cursor.next;
  cursor = {place.number, segment.first, place};
  return page;
}

int64_t LogStore::TailStart(JobId job, int64_t count) const {
  if (!Open(job).ok()) return 1;
  absl::MutexLock lock(&mu_);
  const auto found = logs_.find(job);
  if (found == logs_.end()) return 1;
  return std::max(found->second.segments.front().first,
                  found->second.next - count);
}

int64_t LogStore::End(JobId job) const {
  if (!Open(job).ok()) return 1;
  absl::MutexLock lock(&mu_);
  const auto found = logs_.find(job);
  return found == logs_.end() ? 1 : found->second.next;
}

void LogStore::Loop() {
  ForgetUnknown();
  while (true) {
    std::deque<Waiting> taken;
    {
      absl::MutexLock lock(&mu_);
      auto wake = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
        return stopping_ || !waiting_.empty();
      };
      mu_.Await(absl::Condition(&wake));
      if (waiting_.empty()) return;
      taken.swap(waiting_);
      waiting_bytes_ = 0;
    }
    std::map<JobId, Lines> by_job;
    for (Waiting& one : taken) {
      if (one.then == nullptr) by_job[one.job].push_back(std::move(one.line));
    }
    for (const auto& [job, lines] : by_job) {
      Write(job, lines);
      absl::MutexLock lock(&mu_);
      const auto busy = busy_.find(job);
      busy->second -= static_cast<int64_t>(lines.size());
      if (busy->second == 0) busy_.erase(busy);
    }
    for (const Waiting& one : taken) {
      if (one.then != nullptr) one.then();
    }
  }
}

void LogStore::ForgetUnknown() {
  if (options_.is_known == nullptr) return;
  std::vector<JobId> jobs;
  {
    absl::MutexLock lock(&mu_);
    for (const auto& [job, log] : logs_) jobs.push_back(job);
  }
  for (JobId job : jobs) {
    if (!options_.is_known(job)) RemoveLog(job);
  }
}

void LogStore::RemoveLog(JobId job) {
  std::deque<Segment> segments;
  {
    absl::MutexLock lock(&mu_);
    const auto found = logs_.find(job);
    if (found != logs_.end()) {
      segments = std::move(found->second.segments);
      for (const Segment& segment : segments) bytes_ -= segment.bytes;
      logs_.erase(found);
    }
    lost_.erase(job);
  }
  failing_.erase(job);
  Remove(job, segments);
}

LogStore::Lines LogStore::WithoutRepeated(JobId job, const Lines& lines) {
  absl::MutexLock lock(&mu_);
  Earlier& earlier = logs_[job].earlier;
  if (earlier.empty()) return lines;
  Lines kept;
  for (const v1::LogLine& line : lines) {
    const auto of_source = earlier.find(line.source());
    if (of_source != earlier.end()) {
      if (of_source->second.contains(HashOf(line))) continue;
      // A worker sends its oldest lines first.
      earlier.erase(of_source);
    }
    kept.push_back(line);
  }
  return kept;
}

void LogStore::Write(JobId job, const Lines& lines) {
  int64_t lost = 0;
  {
    absl::MutexLock lock(&mu_);
    const auto [log, is_new] = logs_.try_emplace(job);
    if (is_new) {
      log->second.segments.push_back({});
      log->second.is_open = true;
    }
    const auto untold = lost_.find(job);
    if (untold != lost_.end()) lost = untold->second;
  }
  const absl::Status open = Open(job);
  if (!open.ok()) return Lose(job, static_cast<int64_t>(lines.size()), open);
  Lines kept = WithoutRepeated(job, lines);
  if (kept.empty()) return;
  if (lost > 0) kept.insert(kept.begin(), LossLine(lost));
  int64_t written = 0;
  const auto count = static_cast<int64_t>(kept.size());
  while (written < count) {
    // As many as belong into a segment.
    int64_t end = written;
    for (int64_t bytes = 0; end < count && bytes < options_.segment_bytes;
         ++end) {
      bytes += static_cast<int64_t>(kept[end].ByteSizeLong());
    }
    const absl::Status status = WritePiece(job, &kept[written], end - written);
    if (!status.ok()) {
      const bool is_told = lost == 0 || written > 0;
      return Lose(job, count - written - (is_told ? 0 : 1), status);
    }
    if (written == 0 && lost > 0) {
      absl::MutexLock lock(&mu_);
      // Some may have been lost meanwhile.
      const auto untold = lost_.find(job);
      untold->second -= lost;
      if (untold->second == 0) lost_.erase(untold);
    }
    written = end;
  }
  if (failing_.erase(job) > 0 && failing_.empty()) {
    LOG(INFO) << "log lines of jobs can be written again";
  }
  DropOldSegments(job);
  DropQuietJobs(job);
}

absl::Status LogStore::WritePiece(JobId job, const v1::LogLine* lines,
                                  int64_t count) {
  Segment segment;
  int64_t next = 0;
  bool is_new = false;
  {
    absl::MutexLock lock(&mu_);
    const Log& log = logs_[job];
    segment = log.segments.back();
    next = log.next;
    is_new = segment.bytes >= options_.segment_bytes;
  }
  if (is_new) segment = {next, 0};
  std::string records;
  for (int64_t i = 0; i < count; ++i) {
    records += LogRecord(next + i, lines[i]);
  }
  absl::Status written =
      AppendToLogSegment(PathOf(job, segment.first), segment.bytes, records);
  const bool is_gone = absl::IsNotFound(written) || absl::IsAborted(written);
  if (is_gone && segment.bytes > 0) {
    is_new = true;
    segment = {next, 0};
    written = AppendToLogSegment(PathOf(job, segment.first), 0, records);
  }
  if (!written.ok()) return written;
  const auto bytes = static_cast<int64_t>(records.size());
  absl::MutexLock lock(&mu_);
  Log& log = logs_[job];
  if (is_new) log.segments.push_back(segment);
  log.segments.back().bytes += bytes;
  log.next += count;
  log.last_write = ++writes_;
  bytes_ += bytes;
  return absl::OkStatus();
}

void LogStore::Lose(JobId job, int64_t count, const absl::Status& why) {
  // Other jobs' may be written all the time.
  LOG_IF(ERROR, failing_.empty())
      << "log lines of jobs are lost, since they cannot be written: "
      << why.message();
  failing_.insert(job);
  absl::MutexLock lock(&mu_);
  lost_[job] += count;
}

void LogStore::DropOldSegments(JobId job) {
  std::deque<Segment> dropped;
  {
    absl::MutexLock lock(&mu_);
    std::deque<Segment>& segments = logs_[job].segments;
    while (segments.size() > options_.most_segments) {
      bytes_ -= segments.front().bytes;
      dropped.push_back(segments.front());
      segments.pop_front();
    }
  }
  Remove(job, dropped);
}

void LogStore::DropQuietJobs(JobId but) {
  {
    absl::MutexLock lock(&mu_);
    if (bytes_ <= options_.most_bytes) return;
  }
  const auto kept = static_cast<int64_t>(
      kKeptOfAll * static_cast<double>(options_.most_bytes));
  absl::flat_hash_set<JobId> unreadable;
  while (true) {
    std::optional<JobId> quietest;
    {
      absl::MutexLock lock(&mu_);
      if (bytes_ <= kept) return;
      int64_t oldest = writes_ + 1;
      for (const auto& [job, log] : logs_) {
        const bool has_lines =
            log.segments.size() > 1 || log.segments.back().bytes > 0;
        if (job == but || !has_lines || log.last_write >= oldest ||
            unreadable.contains(job)) {
          continue;
        }
        quietest = job;
        oldest = log.last_write;
      }
    }
    if (!quietest.has_value()) return;
    if (!Open(*quietest).ok()) {
      unreadable.insert(*quietest);
    } else if (!DropLines(*quietest)) {
      return;
    }
  }
}

bool LogStore::DropLines(JobId job) {
  int64_t next = 0;
  {
    absl::MutexLock lock(&mu_);
    next = logs_[job].next;
  }
  // Its name says which number comes next.
  const absl::Status made = AppendToLogSegment(PathOf(job, next), 0, "");
  if (!made.ok()) return false;
  std::deque<Segment> dropped;
  {
    absl::MutexLock lock(&mu_);
    Log& log = logs_[job];
    dropped = std::exchange(log.segments, {{next, 0}});
    for (const Segment& segment : dropped) bytes_ -= segment.bytes;
    // An empty one may have been there.
    if (dropped.back().first == next) dropped.pop_back();
  }
  Remove(job, dropped);
  return true;
}

void LogStore::Remove(JobId job, const std::deque<Segment>& segments) const {
  for (const Segment& segment : segments) {
    std::error_code error;
    fs::remove(PathOf(job, segment.first), error);
    LOG_IF(WARNING, error) << PathOf(job, segment.first)
                           << " stays: " << error.message();
  }
}

}  // namespace hydra
