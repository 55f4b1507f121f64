#ifndef HYDRA_COMMON_JOBFILE_IMPORT_REPORT_H_
#define HYDRA_COMMON_JOBFILE_IMPORT_REPORT_H_

#include <string>

#include "common/jobfile/import_job.h"

// What an import tells people. Pure.
namespace hydra {

// Whether a key of the file has no counterpart, so that the job trains another
// model than its tool would.
bool TrainsAnother(const ImportedJob& job);

// What became of every key, what is missing, and what is different in any case.
// Lines that end with '\n', printable whatever the file had.
std::string ImportReport(const ImportedJob& job);

// The job file, with the report as comments at its end.
std::string ImportedYaml(const ImportedJob& job);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_IMPORT_REPORT_H_
