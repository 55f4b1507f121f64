#include "scheduler/journal/testing/vfs_shim.h"

#include <new>
#include <utility>

#include "glog/logging.h"

namespace hydra {
namespace {

// What SQLite holds for an open file. The system's own lies behind it.
struct ShimFile {
  sqlite3_file base;
  VfsShim* shim;
  std::string path;

  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

VfsShim* ShimOf(sqlite3_vfs* vfs) {
  return static_cast<VfsShim*>(vfs->pAppData);
}
ShimFile* FileOf(sqlite3_file* file) {
  return reinterpret_cast<ShimFile*>(file);
}
sqlite3_file* RealOf(sqlite3_file* file) { return FileOf(file)->real(); }

int Close(sqlite3_file* file) {
  ShimFile* shim_file = FileOf(file);
  const int code = shim_file->real()->pMethods->xClose(shim_file->real());
  shim_file->path.~basic_string();
  return code;
}

int Read(sqlite3_file* file, void* data, int bytes, sqlite3_int64 offset) {
  sqlite3_file* real = RealOf(file);
  return real->pMethods->xRead(real, data, bytes, offset);
}

int Write(sqlite3_file* file, const void* data, int bytes,
          sqlite3_int64 offset) {
  return FileOf(file)->shim->Write(
      FileOf(file)->path, RealOf(file),
      absl::string_view(static_cast<const char*>(data), bytes), offset);
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  return FileOf(file)->shim->Truncate(FileOf(file)->path, RealOf(file), size);
}

int Sync(sqlite3_file* file, int flags) {
  return FileOf(file)->shim->Sync(FileOf(file)->path, RealOf(file), flags);
}

int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  sqlite3_file* real = RealOf(file);
  return real->pMethods->xFileSize(real, size);
}

int Lock(sqlite3_file* file, int level) {
  sqlite3_file* real = RealOf(file);
  return real->pMethods->xLock(real, level);
}

int Unlock(sqlite3_file* file, int level) {
  sqlite3_file* real = RealOf(file);
  return real->pMethods->xUnlock(real, level);
}

int CheckReservedLock(sqlite3_file* file, int* reserved) {
  sqlite3_file* real = RealOf(file);
  return real->pMethods->xCheckReservedLock(real, reserved);
}

int FileControl(sqlite3_file* file, int operation, void* argument) {
  sqlite3_file* real = RealOf(file);
  return real->pMethods->xFileControl(real, operation, argument);
}

int SectorSize(sqlite3_file* file) {
  sqlite3_file* real = RealOf(file);
  return real->pMethods->xSectorSize(real);
}

int DeviceCharacteristics(sqlite3_file* file) {
  sqlite3_file* real = RealOf(file);
  return real->pMethods->xDeviceCharacteristics(real);
}

constexpr sqlite3_io_methods kMethods = {
    /*iVersion=*/1,
    Close,
    Read,
    Write,
    Truncate,
    Sync,
    FileSize,
    Lock,
    Unlock,
    CheckReservedLock,
    FileControl,
    SectorSize,
    DeviceCharacteristics};

int Open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags,
         int* out_flags) {
  // Tells SQLite not to close a file that could not be opened.
  file->pMethods = nullptr;
  VfsShim* shim = ShimOf(vfs);
  const std::string name = path == nullptr ? "" : path;
  int code = shim->BeforeOpen(name);
  if (code != SQLITE_OK) return code;
  ShimFile* shim_file = new (file) ShimFile;
  shim_file->shim = shim;
  shim_file->path = name;
  sqlite3_vfs* system = shim->system();
  code = system->xOpen(system, path, shim_file->real(), flags, out_flags);
  if (code == SQLITE_OK) {
    shim_file->base.pMethods = &kMethods;
  } else {
    shim_file->base.pMethods = nullptr;
    shim_file->path.~basic_string();
  }
  return code;
}

int Delete(sqlite3_vfs* vfs, const char* path, int sync_directory) {
  return ShimOf(vfs)->Delete(path, sync_directory != 0);
}

}  // namespace

// The methods that are about no open file and no file's content stay the
// system's: they look at nothing in the sqlite3_vfs that is given to them.
VfsShim::VfsShim(std::string name)
    : name_(std::move(name)),
      system_(sqlite3_vfs_find(nullptr)),
      vfs_(*system_) {
  vfs_.iVersion = 1;
  vfs_.zName = name_.c_str();
  vfs_.szOsFile = sizeof(ShimFile) + system_->szOsFile;
  vfs_.pAppData = this;
  vfs_.xOpen = &hydra::Open;
  vfs_.xDelete = &hydra::Delete;
  CHECK_EQ(sqlite3_vfs_register(&vfs_, /*makeDflt=*/0), SQLITE_OK);
}

VfsShim::~VfsShim() { sqlite3_vfs_unregister(&vfs_); }

int VfsShim::BeforeOpen(const std::string&) { return SQLITE_OK; }

int VfsShim::Write(const std::string&, sqlite3_file* real,
                   absl::string_view data, int64_t offset) {
  return real->pMethods->xWrite(real, data.data(), data.size(), offset);
}

int VfsShim::Truncate(const std::string&, sqlite3_file* real, int64_t size) {
  return real->pMethods->xTruncate(real, size);
}

int VfsShim::Sync(const std::string&, sqlite3_file* real, int flags) {
  return real->pMethods->xSync(real, flags);
}

int VfsShim::Delete(const std::string& path, bool sync_directory) {
  return system_->xDelete(system_, path.c_str(), sync_directory ? 1 : 0);
}

}  // namespace hydra
