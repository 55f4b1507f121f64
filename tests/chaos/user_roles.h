#ifndef HYDRA_TESTS_CHAOS_USER_ROLES_H_
#define HYDRA_TESTS_CHAOS_USER_ROLES_H_

#include <string>

#include "absl/time/time.h"

namespace hydra {

// What one of many users does to a server, in a process of its own.
struct UserRole {
  // "info" and "list": calls without a pause, GetServerInfo, and ListJobs of 20
  // jobs. "probe": these two with pauses of 20 ms. "flood": as many calls as
  // its threads can make, each with a connection of its own, GetServerInfo and
  // ListJobs of 1,000 jobs. "watch": open streams that are read. "mute": open
  // streams that are not. "connect": 10,000 connections that never say a word,
  // closed and opened again. "submit": sweeps until no more are taken, then
  // all are cancelled, and again. "queue": one sweep.
  std::string name;
  // Of gRPC.
  std::string server;
  absl::Duration time;
  // Or streams.
  int threads = 1;
  // Of a sweep.
  int jobs = 1;
};

// Returns when the time is over. On standard output "ready", once what is to be
// open is open, and at the end numbers: of "info", "list" and "probe" calls a
// second, milliseconds that half, 99% and all of them took at most; of others
// how much was done, and how much was refused.
void RunUserRole(const UserRole& role);

}  // namespace hydra

#endif  // HYDRA_TESTS_CHAOS_USER_ROLES_H_
