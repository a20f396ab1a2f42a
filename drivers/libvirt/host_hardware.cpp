#include "drivers/libvirt/host_hardware.h"

#include <sys/utsname.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "drivers/libvirt/kvm_probe.h"

namespace hvagent::libvirt {
namespace {

// Of the first CPU: "model name\t: Intel(R) Xeon(R)", "flags\t\t: fpu vme".
void read_cpu(HostFacts& facts, const std::string& path) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line) && !line.empty();) {
        const std::size_t colon = line.find(':');
        if (colon == std::string::npos || colon + 2 > line.size()) continue;
        const std::string name = line.substr(0, line.find_first_of("\t:"));
        const std::string value = line.substr(colon + 2);
        if (name == "model name") facts.cpu_model = value;
        if (name != "flags" && name != "Features") continue;
        std::istringstream words(value);
        for (std::string word; words >> word;) facts.cpu_flags.push_back(word);
    }
}

int entries_of(const std::string& directory) {
    std::error_code none;
    const auto entries = std::filesystem::directory_iterator(directory, none);
    return static_cast<int>(std::distance(begin(entries), end(entries)));
}

}  // namespace

void read_hardware(HostFacts& facts, const std::string& root) {
    read_cpu(facts, root + "/proc/cpuinfo");
    utsname kernel{};
    if (uname(&kernel) == 0) facts.kernel_version = kernel.release;
    facts.iommu_groups = entries_of(root + "/sys/kernel/iommu_groups");
    const KvmTrial trial = try_kvm();
    facts.kvm_works = trial.works;
    facts.kvm_reason = trial.why_not;
}

}  // namespace hvagent::libvirt
