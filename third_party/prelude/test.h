// As base.h, for tests and what is built for tests alone.
#ifndef HYDRA_THIRD_PARTY_PRELUDE_TEST_H_
#define HYDRA_THIRD_PARTY_PRELUDE_TEST_H_

#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "third_party/prelude/base.h"

#endif  // HYDRA_THIRD_PARTY_PRELUDE_TEST_H_
