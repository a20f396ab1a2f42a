// Certificates as files.
#pragma once
#include <string>

#include "hvagent/clock.h"

namespace hvagent {

// When the first certificate of a PEM file that ends does so. Error(io_failed): it cannot be read or holds none.
Time certificate_end(const std::string& pem_file);

}  // namespace hvagent
