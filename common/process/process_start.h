#ifndef HYDRA_COMMON_PROCESS_PROCESS_START_H_
#define HYDRA_COMMON_PROCESS_PROCESS_START_H_

namespace hydra {

// What a long-lived program does first, before it has threads or opens files.

// Whoever started this process may have closed its standard streams: then the
// next file that is opened, a database say, would take their number and be
// written over by messages. Those that are closed become /dev/null.
void OpenStandardStreams();

// Libraries open files before main() runs. One that took the number of a closed
// standard stream then cannot be told to let it go, so the program is run
// again, from its beginning, with that stream at /dev/null. Returns if there is
// nothing to mend, or if it cannot be. `argv`: as main() has it.
void RunAgainIfStreamsAreTaken(char* const* argv);

// A reader that went away, and a limit on the size of files, become errors of
// the write that meets them; by default they would end the process.
void MakeWriteSignalsErrors();

// Whether `signal` is ignored, as nohup and a shell's background jobs leave it.
// What was ignored at the start should stay so.
bool IsIgnored(int signal);

}  // namespace hydra

#endif  // HYDRA_COMMON_PROCESS_PROCESS_START_H_
