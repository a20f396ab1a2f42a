// Copies of images: what the agent does, beside the tools an operator would take.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>

#include "drivers/qemu_img/qemu_img.h"
#include "drivers/storage/local_storage_files.h"
#include "tests/bench/parts.h"
#include "tests/bench/program.h"
#include "tests/bench/samples.h"

namespace hvagent::bench {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t mib = 1 << 20;

// Half data that nothing compresses, half holes, in pieces as file systems leave them.
void make_source(const std::string& path, int size_mib) {
    const int fd = ::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0) throw std::runtime_error("cannot make " + path);
    std::vector<std::uint64_t> block(mib / sizeof(std::uint64_t));
    std::uint64_t random = 88172645463325252ULL;
    for (int at = 0; at < size_mib; ++at) {
        if (at / 4 % 2 == 1) continue;
        for (std::uint64_t& word : block) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            word = random;
        }
        if (::pwrite(fd, block.data(), mib, static_cast<off_t>(at) * static_cast<off_t>(mib)) != static_cast<ssize_t>(mib))
            throw std::runtime_error("cannot write " + path);
    }
    if (::ftruncate(fd, static_cast<off_t>(size_mib) * static_cast<off_t>(mib)) != 0 || ::fsync(fd) != 0)
        throw std::runtime_error("cannot finish " + path);
    ::close(fd);
}

using Way = std::function<void(const std::string& target)>;

// A tool followed by a flush, as the agent does: "done" means on disk.
Way tool(std::vector<std::string> command) {
    return [command](const std::string& target) {
        std::vector<std::string> words = command;
        words.push_back(target);
        run_program(words);
        run_program({"sync", target});
    };
}

json measure(const std::string& directory, const std::map<std::string, Way>& ways, int rounds) {
    std::map<std::string, Samples> samples;
    const std::string target = directory + "/target";
    for (int round = 0; round < rounds; ++round)
        for (const auto& [name, way] : ways) {
            fs::remove(target);
            ::sync();
            samples[name].add(timed([&, &copy = way] { copy(target); }));
        }
    fs::remove(target);
    json out;
    double best = 0;
    for (const auto& [name, taken] : samples) {
        out["ways"][name] = taken.to_json();
        const double p50 = taken.percentile(0.5);
        if (name != "hvagent" && (best == 0 || p50 < best)) best = p50, out["best_tool"] = name;
    }
    out["ratio_to_best_tool"] = samples.at("hvagent").percentile(0.5) / best;
    return out;
}

bool is_installed(const char* program) {
    for (const char* directory : {"/usr/bin/", "/bin/", "/usr/local/bin/"})
        if (::access((std::string(directory) + program).c_str(), X_OK) == 0) return true;
    return false;
}

}  // namespace

json measure_copies(const std::string& directory, int size_mib, int rounds) {
    fs::create_directories(directory);
    const std::string raw = directory + "/source.raw", qcow2 = directory + "/source.qcow2";
    say("copies of " + std::to_string(size_mib) + " MiB, half of it holes");
    make_source(raw, size_mib);
    run_program({"qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, qcow2});
    QemuImg images{QemuImgSettings{}};
    LocalStorageFiles files;
    files.prepare(directory);
    Cancellation cancel;
    const auto convert = [&](const std::string& source, const char* from, const char* to) {
        return [&images, &cancel, source, from, to](const std::string& target) {
            images.convert(
                source, from, target, to, [](int) {}, cancel);
        };
    };
    const auto qemu = [](const std::string& source, const char* from, const char* to, std::vector<std::string> more = {}) {
        std::vector<std::string> words{"qemu-img", "convert", "-f", from, "-O", to};
        words.insert(words.end(), more.begin(), more.end());
        words.push_back(source);
        return tool(words);
    };
    const std::vector<std::string> direct{"-t", "none", "-T", "none"}, many{"-m", "16", "-W"};
    json out;
    std::map<std::string, Way> file_copies{{"hvagent",
                                            [&](const std::string& target) {
                                                files.copy(
                                                    qcow2, target, [](int) {}, cancel);
                                            }},
                                           {"cp", tool({"cp", qcow2})},
                                           {"cp --sparse=always", tool({"cp", "--sparse=always", qcow2})}};
    out["copy of a file"] = measure(directory, file_copies, rounds);
    out["qcow2 to qcow2"] = measure(directory,
                                    {{"hvagent", convert(qcow2, "qcow2", "qcow2")},
                                     {"qemu-img convert", qemu(qcow2, "qcow2", "qcow2")},
                                     {"qemu-img convert -t none -T none", qemu(qcow2, "qcow2", "qcow2", direct)},
                                     {"qemu-img convert -m 16 -W", qemu(qcow2, "qcow2", "qcow2", many)}},
                                    rounds);
    std::map<std::string, Way> to_raw{{"hvagent", convert(qcow2, "qcow2", "raw")},
                                      {"qemu-img convert", qemu(qcow2, "qcow2", "raw")},
                                      {"qemu-img convert -t none -T none", qemu(qcow2, "qcow2", "raw", direct)},
                                      {"qemu-img convert -m 16 -W", qemu(qcow2, "qcow2", "raw", many)}};
    out["qcow2 to raw"] = measure(directory, to_raw, rounds);
    std::map<std::string, Way> raw_to_raw{
        {"hvagent", convert(raw, "raw", "raw")}, {"qemu-img convert", qemu(raw, "raw", "raw")}, {"cp", tool({"cp", raw})}};
    if (is_installed("nbdcopy")) raw_to_raw["nbdcopy"] = tool({"nbdcopy", "--flush", raw});
    out["raw to raw"] = measure(directory, raw_to_raw, rounds);
    fs::remove(raw);
    fs::remove(qcow2);
    return out;
}

}  // namespace hvagent::bench
