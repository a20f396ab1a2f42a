// Completion of the shell: what could come next.
#pragma once
#include <string>
#include <vector>

#include "agent/cli/catalog.h"

namespace hvagent::cli {

// `words`: what stands on the command line behind "hvctl"; the last one is being typed.
std::vector<std::string> complete(const CliCatalog& catalog, const std::vector<std::string>& words);
// The script that `source <(hvctl completion bash)` loads.
const char* bash_completion_script();

}  // namespace hvagent::cli
