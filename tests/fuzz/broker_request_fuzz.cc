// The input is a message to hydra-files, behind one byte that says how many
// descriptors come with it. It is carried out in a directory of its own: what
// lies beside that stays as it is.

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/broker/message.h"
#include "common/broker/service.h"
#include "common/file/scratch_directory.h"
#include "common/file/unique_fd.h"
#include "glog/logging.h"

namespace hydra::broker {
namespace {

namespace fs = std::filesystem;

// Of the machine's own files only this one is opened.
constexpr char kOpenable[] = "/dev/null";

constexpr int kMostEntries = 50;

// What lies beside the directory that requests get, and in it.
class Place {
 public:
  Place() { Fill(); }

  // The directory, and one within it.
  std::vector<UniqueFd> Directories() {
    // Requests change modes, remove what is there, and make more.
    chmod(inside_.c_str(), 0755);
    if (std::distance(fs::directory_iterator(inside_), {}) > kMostEntries ||
        chmod((inside_ / "folder").c_str(), 0755) != 0) {
      Fill();
    }
    std::vector<UniqueFd> directories;
    for (const fs::path& path : {inside_, inside_ / "folder"}) {
      directories.emplace_back(open(path.c_str(), O_RDONLY | O_DIRECTORY));
    }
    return directories;
  }

  void CheckNeighbours() const {
    struct stat facts = {};
    CHECK_EQ(lstat(outside_.c_str(), &facts), 0);
    CHECK_EQ(facts.st_mode & ALLPERMS, 0600);
    CHECK_EQ(facts.st_size, 7);
    CHECK_EQ(std::distance(fs::directory_iterator(scratch_.path()), {}), 2);
  }

 private:
  void Fill() {
    fs::remove_all(inside_);
    fs::create_directories(inside_ / "folder");
    std::ofstream(inside_ / "file") << "inside";
    // A name that leads out.
    fs::create_symlink("../outside", inside_ / "link");
    std::ofstream(outside_) << "outside";
    chmod(outside_.c_str(), 0600);
  }

  const ScratchDirectory scratch_;
  const fs::path inside_ = fs::path(scratch_.path()) / "inside";
  const fs::path outside_ = fs::path(scratch_.path()) / "outside";
};

void Try(Place& place, size_t count, absl::Span<const char> message) {
  int ends[2];
  PCHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
  const UniqueFd asks(ends[0]);
  const UniqueFd serves(ends[1]);
  const std::vector<UniqueFd> directories = place.Directories();
  std::vector<int> descriptors;
  for (size_t i = 0; i < count; ++i) {
    descriptors.push_back(directories[i % directories.size()].get());
  }
  if (Send(asks.get(), message, descriptors) != 0) return;
  Request request;
  Received received;
  if (ReceiveMessage(serves.get(), &request, &received) != 0 ||
      received.bytes == 0) {
    return;
  }
  CHECK_LE(received.descriptors.size(), size_t{kMostDescriptors});
  const std::string name(request.name,
                         strnlen(request.name, sizeof(request.name)));
  if (!name.empty() && name[0] == '/' && name != kOpenable) return;
  UniqueFd made;
  const int error = CarryOut(request, received.descriptors, &made);
  CHECK_GE(error, 0);
  CHECK_EQ(made.is_open(),
           error == 0 && (request.operation == Operation::kOpen ||
                          request.operation == Operation::kReopen));
  place.CheckNeighbours();
}

}  // namespace
}  // namespace hydra::broker

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static auto* const place = new hydra::broker::Place();
  if (size < 1) return 0;
  hydra::broker::Try(*place, data[0] % 3,
                     {reinterpret_cast<const char*>(data) + 1, size - 1});
  return 0;
}
