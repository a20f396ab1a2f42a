// Reads /proc and /sys: proc(5), Documentation/accounting/psi.rst of the kernel.
#pragma once
#include "hvagent/drivers/host_load.h"

namespace hvagent::procfs {

class ProcHostLoad final : public HostLoadSource {
public:
    // `root`: where proc and sys lie, for tests.
    explicit ProcHostLoad(std::string root = "") : root_(std::move(root)) {}
    HostLoad host() override;
    ProcessLoad own_process() override;
    std::optional<ProcessLoad> process_of(const std::string& pid_file) override;

private:
    std::optional<ProcessLoad> process(const std::string& pid) const;
    std::string read(const std::string& path) const;  // empty when it cannot be read

    const std::string root_;
};

}  // namespace hvagent::procfs
