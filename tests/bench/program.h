// A program that is spawned and ends, such as virsh.
#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

namespace hvagent::bench {

// Output and errors go to `output`, a path.
pid_t spawn(const std::vector<std::string>& command, const std::string& output);
// Until it has ended; its output is read and thrown away as a caller would. Throws when it fails.
void run_program(const std::vector<std::string>& command);

}  // namespace hvagent::bench
