#include "client/doctor/diagnose.h"

#include <cstdint>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "client/render/format.h"
#include "client/render/worker_cells.h"
#include "common/status/proto_time.h"

namespace hydra {
namespace {

using Level = Finding::Level;

// Less room than this in the state directory's file system is soon none: a
// checkpoint of a model of a billion parameters takes 12 GB.
constexpr int64_t kLittleRoom = int64_t{16} << 30;
constexpr int64_t kHardlyRoom = int64_t{1} << 30;
// Clocks that NTP keeps differ by less.
constexpr absl::Duration kClockTolerance = absl::Seconds(2);

// Why a socket's address does not answer, as far as its file says.
Finding OfSocket(const std::string& address, const SocketAccess& socket,
                 const absl::Status& status) {
  const auto failure = [](std::string text, std::string remedy) {
    return Finding{Level::kFailure, "connection", std::move(text),
                   std::move(remedy)};
  };
  switch (socket.kind) {
    case SocketAccess::Kind::kMissing:
      return failure(absl::StrCat(address, " is not there"),
                     "start hydrad (sudo systemctl start hydrad), or give its "
                     "unix_socket: --server unix:PATH");
    case SocketAccess::Kind::kNoSocket:
      return failure(absl::StrCat(address, " is no socket"),
                     "give hydrad's unix_socket: --server unix:PATH");
    case SocketAccess::Kind::kClosed:
      return failure(
          WhyClosed(std::string(absl::StripPrefix(address, "unix:")), socket),
          RemedyOf(socket));
    case SocketAccess::Kind::kUsable:
      break;
  }
  return failure(std::string(status.message()),
                 "the socket is there, and nobody answers: sudo systemctl "
                 "status hydrad, or hydrad's log, says why");
}

Finding OfConnection(const DoctorFacts& facts) {
  if (!facts.address.ok()) {
    return {Level::kFailure, "connection",
            std::string(facts.address.status().message()),
            "set HYDRA_SERVER, or start hydrad"};
  }
  if (facts.info.ok()) {
    return {Level::kOk, "connection",
            absl::StrFormat(
                "%s answers in %.1f ms", *facts.address,
                absl::ToDoubleMilliseconds(facts.answered_at - facts.asked_at)),
            ""};
  }
  const absl::Status& status = facts.info.status();
  if (facts.socket.has_value()) {
    return OfSocket(*facts.address, *facts.socket, status);
  }
  return {Level::kFailure, "connection", std::string(status.message()),
          absl::StartsWith(*facts.address, "ssh://")
              ? "try what ssh does there: ssh HOST hydra info"
              : "see whether hydrad runs there, and listens at this address"};
}

Finding OfVersion(const DoctorFacts& facts) {
  const std::string& server = facts.info->version();
  if (server == facts.client_version) {
    return {Level::kOk, "version",
            absl::StrCat("client and server are Hydra ", server), ""};
  }
  return {Level::kWarning, "version",
          absl::StrCat("the client is Hydra ", facts.client_version,
                       ", the server is ", server),
          "install the server's version here"};
}

// The server's clock was read between question and answer.
Finding OfClock(const DoctorFacts& facts) {
  const absl::Time server = FromProto(facts.info->server_time());
  const absl::Duration ahead = server - facts.answered_at;
  const absl::Duration behind = facts.asked_at - server;
  if (ahead <= kClockTolerance && behind <= kClockTolerance) {
    return {Level::kOk, "clock", "this machine's and the server's agree", ""};
  }
  return {Level::kWarning, "clock",
          absl::StrCat("the server's is ",
                       DurationText(ahead > behind ? ahead : behind),
                       ahead > behind ? " ahead of" : " behind",
                       " this machine's; times of jobs are the server's"),
          "let NTP set both (timedatectl set-ntp true)"};
}

Finding OfDisk(const v1::GetServerInfoResponse& info) {
  const int64_t bytes = info.state_free_bytes();
  const std::string text =
      absl::StrCat(BytesText(bytes), " are free for ", info.state_dir());
  if (bytes >= kLittleRoom) return {Level::kOk, "disk", text, ""};
  return {bytes < kHardlyRoom ? Level::kFailure : Level::kWarning, "disk", text,
          "models and checkpoints go there: remove old ones, or give it a "
          "larger disk"};
}

Finding OfPool(const v1::GetServerInfoResponse& info) {
  const std::string pool =
      absl::StrCat(info.pool_path(), ", ", BytesText(info.pool_bytes()));
  if (!info.pool_is_memory()) {
    return {Level::kWarning, "pool",
            absl::StrCat(pool,
                         ", is a file on a disk, no faster than that "
                         "where the kernel does not cache it"),
            "put pool.path on tmpfs (/dev/shm), which needs as much memory"};
  }
  return {Level::kOk, "pool",
          absl::StrCat(pool, info.pool_is_locked()
                                 ? ", is memory that is never swapped out"
                                 : ", is memory (pool.lock_memory is off: it "
                                   "may be swapped out)"),
          ""};
}

Finding OfProcessor(const v1::GetServerInfoResponse& info) {
  const std::string model =
      info.cpu_model().empty() ? "the processor" : info.cpu_model();
  if (info.cpu_has_avx2()) {
    return {Level::kOk, "processor", absl::StrCat(model, " has AVX2"), ""};
  }
  return {Level::kWarning, "processor",
          absl::StrCat(model,
                       " has no AVX2, for which LibTorch's fast kernels "
                       "are made"),
          "in a virtual machine, pass the host's processor through"};
}

std::string AfterColon(const std::string& reason) {
  return reason.empty() ? "" : absl::StrCat(": ", reason);
}

Finding OfMaintenance(const v1::GetServerInfoResponse& info) {
  return {Level::kWarning, "maintenance",
          absl::StrCat("no task begins", AfterColon(info.maintenance())),
          "an operator ends it with hydra undrain --all"};
}

Finding OfWorker(const v1::WorkerStatus& worker) {
  const std::string subject = absl::StrCat("worker ", worker.device());
  if (worker.state() != v1::WORKER_STATE_READY) {
    const bool starts =
        worker.state() == v1::WORKER_STATE_STARTING && worker.reason().empty();
    return {starts ? Level::kWarning : Level::kFailure, subject,
            absl::StrCat(StateName(worker.state()),
                         worker.reason().empty() ? "" : ": ", worker.reason()),
            starts ? "ask again in a moment"
                   : "the server's log, and logs/ in its state directory, have "
                     "all that it said"};
  }
  if (worker.draining()) {
    return {Level::kWarning, subject,
            absl::StrCat(WorkerStateText(worker),
                         AfterColon(worker.drain_reason())),
            absl::StrCat("an operator ends it with hydra undrain --devices ",
                         worker.device(), ", or --all if it is maintenance")};
  }
  if (!absl::StartsWith(worker.device(), "cuda:")) {
    return {Level::kOk, subject, "ready", ""};
  }
  if (!worker.has_gpu()) {
    return {Level::kWarning, subject,
            "ready, but the driver tells nothing of its GPU",
            "use and energy are not shown; the worker's log says why NVML is "
            "not there"};
  }
  return {Level::kOk, subject, absl::StrCat("ready, ", worker.gpu().model()),
          ""};
}

}  // namespace

std::vector<Finding> Diagnose(const DoctorFacts& facts) {
  std::vector<Finding> findings = {OfConnection(facts)};
  if (!facts.info.ok()) return findings;
  const v1::GetServerInfoResponse& info = *facts.info;
  findings.push_back(OfVersion(facts));
  if (info.has_server_time()) findings.push_back(OfClock(facts));
  if (info.has_maintenance()) findings.push_back(OfMaintenance(info));
  if (info.has_state_free_bytes()) findings.push_back(OfDisk(info));
  if (info.has_pool_is_memory()) findings.push_back(OfPool(info));
  if (info.has_cpu_has_avx2()) findings.push_back(OfProcessor(info));
  if (!facts.workers.ok()) {
    findings.push_back({Level::kFailure, "workers",
                        std::string(facts.workers.status().message()),
                        "hydra workers asks again"});
    return findings;
  }
  for (const v1::WorkerStatus& worker : facts.workers->workers()) {
    findings.push_back(OfWorker(worker));
  }
  return findings;
}

}  // namespace hydra
