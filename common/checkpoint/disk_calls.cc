#include "common/checkpoint/disk_calls.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace hydra {
namespace {

DiskCalls* watching = nullptr;

template <typename Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

bool Fails(const char* name) {
  return watching != nullptr && watching->Fails(name);
}

std::string PathOf(int fd) {
  if (fd == AT_FDCWD) return ".";
  char path[PATH_MAX] = {};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  return readlink(link.c_str(), path, sizeof(path) - 1) < 0 ? "" : path;
}

std::string At(int directory, const std::string& path) {
  return path[0] == '/' ? path : PathOf(directory) + "/" + path;
}

std::string Normal(const std::string& path) {
  return std::filesystem::path(path).lexically_normal().string();
}

std::string FolderOf(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

int Opened(int fd, int flags) {
  if (watching != nullptr && fd >= 0 && (flags & O_CREAT) != 0) {
    watching->Changed(FolderOf(PathOf(fd)));
  }
  return fd;
}

int Renamed(int result, const std::string& from, const std::string& to) {
  if (watching != nullptr && result == 0) watching->Renamed(from, to);
  return result;
}

}  // namespace

DiskCalls::DiskCalls(int failing, int error, const std::string& name)
    : failing_(failing), error_(error), name_(name) {
  watching = this;
}

DiskCalls::~DiskCalls() { watching = nullptr; }

bool DiskCalls::Fails(const std::string& name) {
  if (!name_.empty() && name != name_) return false;
  if (calls_++ != failing_) return false;
  failed_ = name;
  errno = error_;
  return true;
}

void DiskCalls::Changed(const std::string& path) {
  not_on_disk_.insert(Normal(path));
}

void DiskCalls::Synced(const std::string& path) {
  not_on_disk_.erase(Normal(path));
}

void DiskCalls::Renamed(const std::string& from, const std::string& to) {
  const std::string old = Normal(from);
  for (const std::string& path : not_on_disk_) {
    if (path == old || path.rfind(old + "/", 0) == 0) too_early_.insert(old);
  }
  Changed(FolderOf(from));
  Changed(FolderOf(to));
}

}  // namespace hydra

extern "C" {

int open(const char* path, int flags, ...) {
  static auto* const next = hydra::Next<int(const char*, int, ...)>("open");
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
  va_end(list);
  if (hydra::Fails("open")) return -1;
  return hydra::Opened(next(path, flags, mode), flags);
}

int openat(int directory, const char* path, int flags, ...) {
  static auto* const next =
      hydra::Next<int(int, const char*, int, ...)>("openat");
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
  va_end(list);
  if (hydra::Fails("openat")) return -1;
  return hydra::Opened(next(directory, path, flags, mode), flags);
}

ssize_t pwrite(int fd, const void* from, size_t bytes, off_t offset) {
  static auto* const next =
      hydra::Next<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  if (hydra::Fails("pwrite")) return -1;
  if (hydra::watching != nullptr) hydra::watching->Changed(hydra::PathOf(fd));
  return next(fd, from, bytes, offset);
}

int fsync(int fd) {
  static auto* const next = hydra::Next<int(int)>("fsync");
  if (hydra::Fails("fsync")) return -1;
  if (hydra::watching != nullptr) hydra::watching->Synced(hydra::PathOf(fd));
  return next(fd);
}

int mkdirat(int directory, const char* path, mode_t mode) noexcept {
  static auto* const next =
      hydra::Next<int(int, const char*, mode_t)>("mkdirat");
  if (hydra::Fails("mkdirat")) return -1;
  if (hydra::watching != nullptr) {
    hydra::watching->Changed(hydra::FolderOf(hydra::At(directory, path)));
  }
  return next(directory, path, mode);
}

int renameat(int from_directory, const char* from, int to_directory,
             const char* to) noexcept {
  static auto* const next =
      hydra::Next<int(int, const char*, int, const char*)>("renameat");
  if (hydra::Fails("renameat")) return -1;
  return hydra::Renamed(next(from_directory, from, to_directory, to),
                        hydra::At(from_directory, from),
                        hydra::At(to_directory, to));
}

int renameat2(int from_directory, const char* from, int to_directory,
              const char* to, unsigned int flags) noexcept {
  static auto* const next =
      hydra::Next<int(int, const char*, int, const char*, unsigned int)>(
          "renameat2");
  if (hydra::Fails("renameat2")) return -1;
  return hydra::Renamed(next(from_directory, from, to_directory, to, flags),
                        hydra::At(from_directory, from),
                        hydra::At(to_directory, to));
}

}  // extern "C"
