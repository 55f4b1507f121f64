#include "scheduler/storage/audit_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/status/proto_time.h"
#include "glog/logging.h"
#include "google/protobuf/util/json_util.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

// That one call of Newest() looks at: some tenths of a second.
constexpr int kMostLookedAt = 20'000;
// Users of whose refusals something is remembered.
constexpr size_t kMostUsers = 1000;
// What stands before the number of each entry's line.
constexpr absl::string_view kBeforeSequence = "{\"sequence\":\"";

int64_t UserIn(const v1::AuditEntry& entry) {
  return entry.has_user() ? int64_t{entry.user()} : -1;
}

// As Query's user.
bool IsBy(const std::optional<uint32_t>& user, const v1::AuditEntry& entry) {
  if (!user.has_value()) return !entry.has_user();
  return entry.has_user() && entry.user() == *user;
}

// 0: it is none.
int64_t SequenceOf(absl::string_view line) {
  int64_t sequence = 0;
  if (!absl::ConsumePrefix(&line, kBeforeSequence)) return 0;
  const size_t end = line.find('"');
  if (end == absl::string_view::npos ||
      !absl::SimpleAtoi(line.substr(0, end), &sequence)) {
    return 0;
  }
  return sequence;
}

// Calls `visit` with each whole line, the last one first, until it is false.
template <typename Visit>
bool ForEachLineBackwards(absl::string_view text, Visit visit) {
  // What stands behind the last line end was never a whole line.
  size_t end = text.rfind('\n');
  while (end != absl::string_view::npos) {
    const size_t before =
        end == 0 ? absl::string_view::npos : text.rfind('\n', end - 1);
    const size_t begin = before == absl::string_view::npos ? 0 : before + 1;
    if (!visit(text.substr(begin, end - begin))) return false;
    end = before;
  }
  return true;
}

std::string LineOf(const v1::AuditEntry& entry) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string line;
  if (!google::protobuf::util::MessageToJsonString(entry, &line, options)
           .ok()) {
    return "";
  }
  return line + "\n";
}

}  // namespace

AuditLog::AuditLog(std::string path, int64_t max_file_bytes,
                   std::function<absl::Time()> now)
    : path_(std::move(path)),
      max_file_bytes_(max_file_bytes),
      now_(std::move(now)) {
  const absl::StatusOr<std::vector<std::string>> files = Read();
  absl::MutexLock lock(&mu_);
  if (!files.ok()) {
    LOG(WARNING) << "numbers of " << path_
                 << " begin anew, since it cannot be read: "
                 << files.status().message();
    return;
  }
  int64_t last = 0;
  for (const std::string& file : *files) {
    ForEachLineBackwards(file, [&](absl::string_view line) {
      last = SequenceOf(line);
      return last == 0;
    });
    if (last != 0) break;
  }
  next_sequence_ = last + 1;
  const std::string& newest = files->front();
  is_torn_ = !newest.empty() && newest.back() != '\n';
}

bool AuditLog::MayRecord(const v1::AuditEntry& entry, absl::Time now) {
  if (entry.result() == "OK") return true;
  if (refusals_.size() >= kMostUsers) {
    // The others of this minute are told of, and may be again.
    absl::erase_if(refusals_, [&](const auto& one) {
      return one.second.more == 0 && one.second.minute + absl::Minutes(1) < now;
    });
    if (refusals_.size() >= kMostUsers) refusals_.clear();
  }
  Refusals& own = refusals_[UserIn(entry)];
  // A clock that was set back begins a new minute, too.
  if (now < own.minute || now >= own.minute + absl::Minutes(1)) {
    own.minute = now;
    own.recorded = 0;
  }
  if (own.recorded >= kRefusalsAMinute) {
    ++own.more;
    return false;
  }
  ++own.recorded;
  return true;
}

void AuditLog::Add(v1::AuditEntry entry) {
  absl::MutexLock lock(&mu_);
  const absl::Time now = now_();
  if (!MayRecord(entry, now)) return;
  entry.set_sequence(next_sequence_);
  *entry.mutable_time() = ToProto(now);
  const auto own = refusals_.find(UserIn(entry));
  if (own != refusals_.end()) entry.set_more_refusals(own->second.more);
  entry.set_lost_entries(lost_);
  if (!Write(LineOf(entry))) {
    ++lost_;
    LOG_EVERY_N(WARNING, 1000)
        << "an entry of " << path_ << " is lost: " << entry.rpc() << " of user "
        << entry.name() << " was answered " << entry.result();
    return;
  }
  ++next_sequence_;
  lost_ = 0;
  if (own != refusals_.end()) own->second.more = 0;
}

bool AuditLog::MakeRoom(int64_t bytes) {
  if (file_.is_open() && bytes_ + bytes > max_file_bytes_) {
    if (rename(path_.c_str(), path_before().c_str()) != 0) return false;
    file_ = UniqueFd();
    is_torn_ = false;
  }
  if (file_.is_open()) return true;
  UniqueFd file(open(path_.c_str(),
                     O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
                     0600));
  struct stat facts;
  if (!file.is_open() || fstat(file.get(), &facts) != 0) return false;
  file_ = std::move(file);
  bytes_ = facts.st_size;
  // That of an earlier daemon may be full.
  return bytes_ + bytes <= max_file_bytes_ || bytes_ == 0 || MakeRoom(bytes);
}

bool AuditLog::Write(const std::string& line) {
  if (line.empty() || !MakeRoom(line.size() + 1)) return false;
  const std::string bytes = is_torn_ ? "\n" + line : line;
  ssize_t written = 0;
  do {
    written = write(file_.get(), bytes.data(), bytes.size());
  } while (written < 0 && errno == EINTR);
  if (written > 0) {
    bytes_ += written;
    is_torn_ = static_cast<size_t>(written) < bytes.size();
  }
  return written == static_cast<ssize_t>(bytes.size());
}

absl::StatusOr<std::vector<std::string>> AuditLog::Read() const {
  std::vector<UniqueFd> files;
  {
    // Opened together, so that none is moved between.
    absl::MutexLock lock(&mu_);
    for (const std::string& path : {path_, path_before()}) {
      files.emplace_back(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
      if (!files.back().is_open() && errno != ENOENT) {
        return FileError(errno, absl::StrCat("cannot open ", path));
      }
    }
  }
  std::vector<std::string> contents;
  for (const UniqueFd& file : files) {
    std::string& text = contents.emplace_back();
    if (!file.is_open()) continue;
    const absl::StatusOr<int64_t> size = FileBytes(file, path_);
    if (!size.ok()) return size.status();
    text.resize(*size);
    const absl::Status read =
        ReadExactly(file, path_, 0, text.size(), text.data());
    if (!read.ok()) return read;
  }
  return contents;
}

absl::StatusOr<AuditLog::Page> AuditLog::Newest(const Query& query) const {
  const absl::StatusOr<std::vector<std::string>> files = Read();
  if (!files.ok()) return files.status();
  Page page;
  int looked_at = 0;
  // The newest that was looked at last.
  int64_t last = 0;
  for (const std::string& file : *files) {
    const bool all = ForEachLineBackwards(file, [&](absl::string_view line) {
      const int64_t sequence = SequenceOf(line);
      if (sequence == 0 || sequence >= query.before) return true;
      if (page.entries.size() == query.most || looked_at == kMostLookedAt) {
        return false;
      }
      ++looked_at;
      last = sequence;
      v1::AuditEntry entry;
      // A later version may have written more.
      google::protobuf::util::JsonParseOptions options;
      options.ignore_unknown_fields = true;
      if (!google::protobuf::util::JsonStringToMessage(std::string(line),
                                                       &entry, options)
               .ok()) {
        return true;
      }
      if (query.user.has_value() && !IsBy(*query.user, entry)) return true;
      if (FromProto(entry.time()) < query.since) return true;
      page.entries.push_back(std::move(entry));
      return true;
    });
    if (all) continue;
    page.next = last;
    break;
  }
  return page;
}

}  // namespace hydra
