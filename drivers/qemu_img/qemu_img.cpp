#include "drivers/qemu_img/qemu_img.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "drivers/files/new_file.h"
#include "drivers/process/command.h"
#include "drivers/process/lasting_commands.h"
#include "drivers/qemu_img/backing_chain.h"
#include "drivers/qemu_img/flatten_estimate.h"
#include "drivers/qemu_img/image_header.h"
#include "drivers/qemu_img/program_output.h"
#include "drivers/qemu_img/qcow2_header.h"
#include "hvagent/error.h"

namespace hvagent {
namespace {

// What we make, or let QEMU read.
constexpr std::array known_formats{"qcow2", "raw", "vmdk", "vdi", "vhdx", "vpc", "luks"};
constexpr std::array target_formats{"qcow2", "raw"};

void require_absolute(const std::string& path) {
    if (path.starts_with('/') && path.find('\0') == std::string::npos) return;
    throw Error(Code::invalid_argument, "the path of an image must be absolute, not " + printable(path));
}

template <class Formats>
void require_format(const Formats& formats, const std::string& format) {
    if (std::find(formats.begin(), formats.end(), format) != formats.end()) return;
    throw Error(Code::invalid_argument, "unknown image format " + printable(format));
}

bool says_disk_full(const CommandResult& result) {
    return result.errors.find("No space left on device") != std::string::npos ||
           result.errors.find("Disk quota exceeded") != std::string::npos;
}

// `refused`: the code when the tool did not accept what it was given.
void require_success(const CommandResult& result, const std::string& what, Code refused) {
    if (result.succeeded()) return;
    if (result.signal == SIGXCPU) throw Error(refused, what + ": qemu-img needed too much processor time");
    throw Error(says_disk_full(result) ? Code::storage_allocate : refused, what + ": qemu-img: " + result.failure());
}

// Less is done again sooner than a process is made that minds it.
constexpr Bytes long_copy = 256 * MiB;

Bytes allocated(const std::vector<DiskLayer>& layers) {
    Bytes sum = 0;
    for (const DiskLayer& layer : layers) sum += layer.actual_size;
    return sum;
}

// Which file it is, and whether it was written to since.
std::string fingerprint(const std::string& path) {
    struct stat file {};
    if (::stat(path.c_str(), &file) != 0) throw file_error("cannot read " + path, errno);
    std::string text;
    for (const long part : {long(file.st_dev), long(file.st_ino), file.st_size, file.st_mtim.tv_sec, file.st_mtim.tv_nsec})
        text += std::to_string(part) + " ";
    return text;
}

std::function<void(std::string_view)> teller(const ProgressPercent& progress) {
    return [&progress](std::string_view line) {
        if (const auto percent = read_printed_percent(line); percent && progress) progress(*percent);
    };
}

bool can_bypass_cache(const std::string& path) {
    return static_cast<bool>(FileHandle(::open(path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC)));
}

}  // namespace

std::vector<std::string> QemuImg::idle(std::vector<std::string> argv) const {
    if (settings_.copies.idle) argv.insert(argv.begin(), {"ionice", "-c", "3"});
    return argv;
}

bool QemuImg::is_long(Bytes amount) const {
    return settings_.lasting && (amount >= long_copy || (settings_.copies.rate > 0 && amount >= settings_.copies.rate));
}

Command QemuImg::quick_command() const {
    Command command;
    command.argv = {settings_.program};
    command.time_limit = settings_.time_limit;
    command.cpu_limit = settings_.cpu_limit;
    command.address_space_limit = settings_.address_space_limit;
    return command;
}

DiskImageInfo QemuImg::inspect(const std::string& path, const std::string& format) {
    require_absolute(path);
    const HeaderFile file(path);
    DiskImageInfo info = read_header(file, format.empty() ? detect_format(file) : format);
    const bool names_other_files = !info.backing_file.empty() || info.has_external_data_file;
    if (names_other_files || info.is_encrypted || info.format == "raw") return info;

    Command command = quick_command();
    // Shared: the image may belong to a running VM.
    for (const std::string& argument : {std::string("info"), std::string("-U"), std::string("--output=json"),
                                        std::string("-f"), info.format, std::string("--"), path}) {
        command.argv.push_back(argument);
    }
    const CommandResult result = run(command);
    require_success(result, "cannot read the image " + path, Code::operation_failed);
    const PrintedInfo printed = read_printed_info(result.output);
    info.virtual_size = printed.virtual_size;
    info.is_encrypted = printed.is_encrypted;
    return info;
}

void QemuImg::create(const std::string& path, const std::string& format, Bytes size) {
    require_absolute(path);
    NewFile file(path);
    Command command = quick_command();
    command.argv.insert(command.argv.end(), {"create", "-q", "-f", format, "--", file.path(), std::to_string(size)});
    require_success(run(command), "cannot create the image " + path, Code::io_failed);
    file.publish();
}

void QemuImg::create_empty(const std::string& path, Bytes virtual_size) {
    create(path, "qcow2", virtual_size);
}

void QemuImg::create_raw(const std::string& path, Bytes size) {
    create(path, "raw", size);
}

void QemuImg::create_overlay(const std::string& path, const std::string& backing, const std::string& backing_format,
                             Bytes virtual_size) {
    require_absolute(path);
    require_absolute(backing);
    require_format(known_formats, backing_format);
    const DiskImageInfo base = inspect(backing, backing_format);
    if (virtual_size < base.virtual_size) {
        throw Error(Code::invalid_argument, "the image " + path + " with " + human_size(virtual_size) +
                                                " would be smaller than its base with " + human_size(base.virtual_size));
    }
    NewFile file(path);
    Command command = quick_command();
    // -u: the base, which a QEMU may have open for writing, is not opened; its header was read above.
    command.argv.insert(command.argv.end(), {"create", "-q", "-u", "-f", "qcow2", "-F", backing_format, "-b", backing, "--",
                                             file.path(), std::to_string(virtual_size)});
    require_success(run(command), "cannot create the image " + path, Code::io_failed);
    file.publish();
}

void QemuImg::convert(const std::string& source, const std::string& source_format, const std::string& target,
                      const std::string& target_format, const ProgressPercent& progress, Cancellation& cancel) {
    require_absolute(source);
    require_absolute(target);
    require_format(known_formats, source_format);
    require_format(target_formats, target_format);
    const DiskImageInfo info = read_header(HeaderFile(source), source_format);
    if (info.has_external_data_file || info.is_encrypted) {
        throw Error(Code::operation_failed,
                    "the image " + source + (info.is_encrypted ? " is encrypted" : " keeps its data in another file"));
    }
    if (!info.backing_file.empty() && source_format != "qcow2")
        throw Error(Code::operation_failed,
                    "the image " + source + " lies on another one, which is not followed: " + info.backing_file);
    // Refuses what must not be followed.
    const Bytes amount = info.backing_file.empty() ? info.actual_size : allocated(chain(source));
    const auto arguments = [&](const std::string& part) {
        // Writes go past the page cache where the file system can, many at a time and in any order: by the benchmark the
        // fastest for every pair of formats, and the cache keeps what guests use.
        std::vector<std::string> words{settings_.program, "convert", "-p"};
        if (settings_.copies.rate > 0) words.insert(words.end(), {"-r", std::to_string(settings_.copies.rate)});
        words.insert(words.end(), {"-f", source_format, "-m", "16", "-W", "-O", target_format, "-t",
                                   can_bypass_cache(part) ? "none" : "writeback", "--", source, part});
        return idle(std::move(words));
    };
    LastingCommand which{target, fingerprint(source), "", cancel.work()};
    const auto left = settings_.lasting ? settings_.lasting->left(target) : std::nullopt;
    const bool goes_on = left && left->which.origin == which.origin && left->which.work == which.work &&
                         std::filesystem::exists(left->which.part) && left->argv == arguments(left->which.part);
    if (left && !goes_on) settings_.lasting->end(target);
    const bool lasts = goes_on || is_long(amount);
    NewFile file = goes_on ? NewFile(target, left->which.part) : NewFile(target);
    which.part = file.path();
    Command command;
    command.address_space_limit = settings_.convert_address_space_limit;
    command.argv = arguments(file.path());
    command.on_line = teller(progress);
    CommandResult result;
    try {
        result = lasts ? settings_.lasting->run(which, command, cancel) : run(command, cancel);
    } catch (...) {
        if (lasts && cancel.reason() == CancelReason::stopping) file.leave();
        throw;
    }
    require_success(result, "cannot copy the image " + source + " to " + target, Code::io_failed);
    file.publish();
}

Bytes QemuImg::measure(const std::string& path, const std::string& format) {
    require_absolute(path);
    require_format(known_formats, format);
    const DiskImageInfo info = read_header(HeaderFile(path), format);
    if (info.has_external_data_file || info.is_encrypted)
        throw Error(Code::operation_failed, "the image " + path + " cannot be measured: it is encrypted or in two files");
    Command command = quick_command();
    command.time_limit = seconds(600);
    command.cpu_limit = seconds(300);
    command.argv.insert(command.argv.end(), {"measure", "-U", "--output=json", "-f", format, "-O", "qcow2", "--", path});
    const CommandResult result = run(command);
    require_success(result, "cannot measure the image " + path, Code::operation_failed);
    return read_printed_measure(result.output);
}

std::vector<DiskLayer> QemuImg::chain(const std::string& path) {
    require_absolute(path);
    return read_backing_chain(path);
}

FlattenEstimate QemuImg::estimate_flatten(const std::string& path) {
    const std::vector<DiskLayer> layers = chain(path);
    FlattenCounter counter(qcow2_cluster_size(HeaderFile(path)));
    Command command = quick_command();
    command.time_limit = seconds(600);
    command.cpu_limit = seconds(300);
    command.most_output = 0;  // of a large disk it would be long
    command.on_line = [&](std::string_view line) { counter.add_line(line); };
    command.argv.insert(command.argv.end(), {"map", "-U", "--output=json", "-f", "qcow2", "--", path});
    require_success(run(command), "cannot read the map of " + path, Code::io_failed);
    return counter.estimate(layers.front().actual_size);
}

void QemuImg::rebase(const std::string& path, const std::string& base, const std::string& base_format,
                     const ProgressPercent& progress, Cancellation& cancel) {
    const std::vector<DiskLayer> layers = chain(path);
    if (!base.empty()) {
        require_absolute(base);
        require_format(target_formats, base_format);
        const std::vector<DiskLayer> below = base_format == "qcow2" ? chain(base) : std::vector<DiskLayer>{};
        if (base == path || std::any_of(below.begin(), below.end(), [&](const auto& layer) { return layer.path == path; }))
            throw Error(Code::invalid_argument, "the image " + path + " cannot lie on itself");
    }
    const std::string old_base = layers.size() > 1 ? layers[1].path : "";
    if (old_base != base) {
        const auto cache = [](const std::string& file) { return can_bypass_cache(file) ? "none" : "writeback"; };
        Command command;
        command.address_space_limit = settings_.convert_address_space_limit;
        command.argv = {settings_.program,
                        "rebase",
                        "-p",
                        "-f",
                        "qcow2",
                        "-t",
                        cache(path),
                        "-T",
                        cache(old_base.empty() ? base : old_base)};
        if (!base.empty()) command.argv.insert(command.argv.end(), {"-F", base_format});
        command.argv.insert(command.argv.end(), {"-b", base, "--", path});
        command.argv = idle(std::move(command.argv));
        command.on_line = teller(progress);
        const bool lasts = is_long(allocated(layers)) || (settings_.lasting && settings_.lasting->left(path));
        require_success(
            lasts ? settings_.lasting->run({path, old_base, "", cancel.work()}, command, cancel) : run(command, cancel),
            "cannot put the image " + path + " onto " + (base.empty() ? "nothing" : base), Code::io_failed);
    }
    flush_to_disk(FileHandle(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), path);
    if (progress) progress(100);
}

void QemuImg::relink(const std::string& path, const std::string& base, const std::string& base_format) {
    require_absolute(path);
    require_absolute(base);
    require_format(target_formats, base_format);
    inspect(base, base_format);  // a base that is not there, or no image, is refused
    Command command = quick_command();
    command.argv.insert(command.argv.end(), {"rebase", "-u", "-f", "qcow2", "-F", base_format, "-b", base, "--", path});
    require_success(run(command), "cannot link the image " + path + " to " + base, Code::io_failed);
    flush_to_disk(FileHandle(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), path);
}

void QemuImg::resize(const std::string& path, Bytes size) {
    const Bytes now = chain(path).front().virtual_size;
    if (size == now) return;
    if (size < now)
        throw Error(Code::invalid_argument,
                    "the image " + path + " only grows; it has " + human_size(now) + ", not " + human_size(size));
    Command command = quick_command();
    command.argv.insert(command.argv.end(), {"resize", "-q", "-f", "qcow2", "--", path, std::to_string(size)});
    require_success(run(command), "cannot resize the image " + path, Code::io_failed);
}

ImageCheck QemuImg::check(const std::string& path) {
    require_absolute(path);
    Command command = quick_command();
    // The tables of a large image take long to walk.
    command.time_limit = seconds(600);
    command.cpu_limit = seconds(300);
    command.argv.insert(command.argv.end(), {"check", "-U", "--output=json", "-f", "qcow2", "--", path});
    const CommandResult result = run(command);
    // 2: corrupt, 3: leaks; both come with the report. 1: it could not look at everything.
    const auto report = read_printed_check(result.output);
    if (!report || result.exit_code == 1) require_success(result, "cannot check the image " + path, Code::io_failed);
    if (!report) throw Error(Code::internal, "qemu-img check gave no report of " + path);
    return {report->leaked_clusters * qcow2_cluster_size(HeaderFile(path)), report->corruptions};
}

void QemuImg::remove(const std::string& path) {
    require_absolute(path);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) throw file_error("cannot remove " + path, errno);
}

}  // namespace hvagent
