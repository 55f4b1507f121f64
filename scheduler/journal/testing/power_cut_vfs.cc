#include "scheduler/journal/testing/power_cut_vfs.h"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace hydra {
namespace {

// A disk writes whole sectors.
constexpr int kSectorBytes = 512;

}  // namespace

void PowerCutVfs::CutAt(int k, uint32_t seed, std::function<void()> at_cut) {
  files_.clear();
  survivors_.clear();
  calls_left_ = k;
  was_cut_ = false;
  random_.seed(seed);
  at_cut_ = std::move(at_cut);
}

int PowerCutVfs::Write(const std::string& path, sqlite3_file* real,
                       absl::string_view data, int64_t offset) {
  CountCall();
  files_[path].pending.push_back({Change::kWrite, offset, std::string(data)});
  return VfsShim::Write(path, real, data, offset);
}

int PowerCutVfs::Truncate(const std::string& path, sqlite3_file* real,
                          int64_t size) {
  CountCall();
  files_[path].pending.push_back({Change::kTruncate, size, ""});
  return VfsShim::Truncate(path, real, size);
}

int PowerCutVfs::Sync(const std::string& path, sqlite3_file* real, int flags) {
  CountCall();
  File& file = files_[path];
  file.exists_on_disk = true;
  for (const Change& change : file.pending) Make(change, file);
  file.pending.clear();
  return VfsShim::Sync(path, real, flags);
}

int PowerCutVfs::Delete(const std::string& path, bool sync_directory) {
  CountCall();
  if (sync_directory) {
    files_.erase(path);
  } else {
    files_[path].pending.push_back({Change::kDelete, 0, ""});
  }
  return VfsShim::Delete(path, sync_directory);
}

void PowerCutVfs::Make(const Change& change, File& file) {
  switch (change.kind) {
    case Change::kWrite: {
      const size_t end = change.offset + change.data.size();
      if (file.on_disk.size() < end) file.on_disk.resize(end);
      file.on_disk.replace(change.offset, change.data.size(), change.data);
      file.exists_on_disk = true;
      break;
    }
    case Change::kTruncate:
      file.on_disk.resize(change.offset);
      break;
    case Change::kDelete:
      file.on_disk.clear();
      file.exists_on_disk = false;
      break;
  }
}

void PowerCutVfs::CountCall() {
  if (--calls_left_ == 0) Cut();
}

void PowerCutVfs::Cut() {
  was_cut_ = true;
  for (const auto& [path, file] : files_) {
    File left = file;
    MakeSome(left);
    if (!left.exists_on_disk) continue;
    survivors_[std::filesystem::path(path).filename().string()] = left.on_disk;
  }
  at_cut_();
}

void PowerCutVfs::MakeSome(File& file) {
  std::vector<Change> pending = std::move(file.pending);
  enum { kNone, kFirstOnes, kAny };
  const int mode = random_() % 3;
  if (mode == kNone || pending.empty()) return;
  if (mode == kFirstOnes) pending.resize(random_() % (pending.size() + 1));
  for (Change& change : pending) {
    if (mode == kAny && random_() % 2 == 0) continue;
    if (mode == kAny && change.kind == Change::kWrite && random_() % 4 == 0) {
      const size_t sectors = change.data.size() / kSectorBytes;
      change.data.resize(random_() % (sectors + 1) * kSectorBytes);
    }
    Make(change, file);
  }
}

}  // namespace hydra
