#include "common/file/file_user.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/base/const_init.h"
#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "common/broker/message.h"

namespace hydra {
namespace {

using broker::Channel;
using broker::Operation;
using broker::Request;

// False, with errno: it is too long.
bool SetName(const std::string& name, absl::Span<char> to) {
  if (name.size() >= to.size()) {
    errno = ENAMETOOLONG;
    return false;
  }
  name.copy(to.data(), name.size());
  return true;
}

// 0, or -1 with errno.
int Result(int error) {
  if (error == 0) return 0;
  errno = error;
  return -1;
}

UniqueFd Opened(Channel& channel, const Request& request,
                absl::Span<const int> descriptors) {
  UniqueFd made;
  const int error = channel.Call(request, descriptors, &made);
  if (error != 0) {
    errno = error;
    return UniqueFd();
  }
  return made;
}

// One for each user.
class Channels {
 public:
  void SetSocket(std::string socket) {
    absl::MutexLock lock(&mu_);
    socket_ = std::move(socket);
    channels_.clear();
  }

  // Null: there is no hydra-files.
  std::shared_ptr<Channel> Of(uid_t user) {
    absl::MutexLock lock(&mu_);
    if (socket_.empty()) return nullptr;
    std::shared_ptr<Channel>& channel = channels_[user];
    if (channel == nullptr) channel = std::make_shared<Channel>(socket_, user);
    return channel;
  }

 private:
  absl::Mutex mu_;
  std::string socket_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<uid_t, std::shared_ptr<Channel>> channels_
      ABSL_GUARDED_BY(mu_);
};

Channels& AllChannels() {
  static auto& channels = *new Channels();
  return channels;
}

}  // namespace

FileUser::FileUser(std::shared_ptr<Channel> channel)
    : channel_(std::move(channel)) {}

UniqueFd FileUser::Open(const std::string& path, int flags) const {
  if (channel_ == nullptr) {
    return UniqueFd(open(path.c_str(), flags | O_CLOEXEC));
  }
  Request request;
  request.operation = Operation::kOpen;
  request.flags = flags;
  if (!SetName(path, absl::MakeSpan(request.name))) return UniqueFd();
  return Opened(*channel_, request, {});
}

UniqueFd FileUser::OpenAt(int directory, const std::string& name, int flags,
                          mode_t mode) const {
  if (channel_ == nullptr) {
    return UniqueFd(openat(directory, name.c_str(), flags | O_CLOEXEC, mode));
  }
  Request request;
  request.operation = Operation::kOpen;
  request.flags = flags;
  request.mode = mode;
  if (!SetName(name, absl::MakeSpan(request.name))) return UniqueFd();
  return Opened(*channel_, request, {directory});
}

UniqueFd FileUser::Reopen(int descriptor, int flags) const {
  if (channel_ == nullptr) {
    return UniqueFd(open(absl::StrCat("/proc/self/fd/", descriptor).c_str(),
                         flags | O_CLOEXEC));
  }
  Request request;
  request.operation = Operation::kReopen;
  request.flags = flags;
  return Opened(*channel_, request, {descriptor});
}

int FileUser::MakeDirectoryAt(int directory, const std::string& name,
                              mode_t mode) const {
  if (channel_ == nullptr) return mkdirat(directory, name.c_str(), mode);
  Request request;
  request.operation = Operation::kMakeDirectory;
  request.mode = mode;
  if (!SetName(name, absl::MakeSpan(request.name))) return -1;
  return Result(channel_->Call(request, {directory}, nullptr));
}

int FileUser::RenameAt(int directory, const std::string& name,
                       int new_directory, const std::string& new_name,
                       unsigned flags) const {
  if (channel_ == nullptr) {
    // Not every file system has the newer one.
    return flags == 0 ? renameat(directory, name.c_str(), new_directory,
                                 new_name.c_str())
                      : renameat2(directory, name.c_str(), new_directory,
                                  new_name.c_str(), flags);
  }
  Request request;
  request.operation = Operation::kRename;
  request.flags = flags;
  if (!SetName(name, absl::MakeSpan(request.name)) ||
      !SetName(new_name, absl::MakeSpan(request.other))) {
    return -1;
  }
  return Result(channel_->Call(request, {directory, new_directory}, nullptr));
}

int FileUser::UnlinkAt(int directory, const std::string& name,
                       int flags) const {
  if (channel_ == nullptr) return unlinkat(directory, name.c_str(), flags);
  Request request;
  request.operation = Operation::kUnlink;
  request.flags = flags;
  if (!SetName(name, absl::MakeSpan(request.name))) return -1;
  return Result(channel_->Call(request, {directory}, nullptr));
}

int FileUser::ChangeMode(int descriptor, mode_t mode) const {
  if (channel_ == nullptr) return fchmod(descriptor, mode);
  Request request;
  request.operation = Operation::kChangeMode;
  request.mode = mode;
  return Result(channel_->Call(request, {descriptor}, nullptr));
}

int FileUser::Access(int directory, int mode) const {
  if (channel_ == nullptr) return faccessat(directory, ".", mode, AT_EACCESS);
  Request request;
  request.operation = Operation::kAccess;
  request.mode = mode;
  return Result(channel_->Call(request, {directory}, nullptr));
}

void SetFileBroker(std::string socket) {
  AllChannels().SetSocket(std::move(socket));
}

FileUser UserOf(std::optional<uint32_t> owner) {
  if (!owner.has_value() || *owner == geteuid() || *owner == 0) {
    return FileUser();
  }
  std::shared_ptr<Channel> channel = AllChannels().Of(*owner);
  return channel == nullptr ? FileUser() : FileUser(std::move(channel));
}

}  // namespace hydra
