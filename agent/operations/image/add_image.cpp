// AddImage: a file from somewhere becomes an image that VMs can be made from.
#include <algorithm>
#include <array>

#include "agent/operations/image/arrival.h"
#include "agent/operations/image/handlers.h"
#include "agent/operations/image/inspection.h"
#include "agent/operations/image/source_url.h"
#include "hvagent/error.h"

namespace hvagent::operations {
namespace {

constexpr std::array known_schemes{"http", "https", "ftp", "sftp", "file"};
// Stored as qcow2: nothing that QEMU writes to has another format.
constexpr std::array converted_formats{"vmdk", "vdi", "vhdx", "vpc"};

[[noreturn]] void refuse(const std::string& details) {
    throw Error(Code::invalid_argument, details);
}

template <class List>
bool contains(const List& list, const std::string& word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

std::string given_format(const AddImage& params) {
    if (params.media_type == MediaType::iso) {
        if (!params.format.empty() && params.format != "iso")
            refuse("parameter 'format' of an ISO must be iso, but is \"" + params.format + "\"");
        return "iso";
    }
    if (params.format.empty()) refuse("parameter 'format' is required: qcow2, raw, vmdk, vdi, vhdx or vpc");
    if (params.format == "iso") refuse("parameter 'mediaType' must be ISO for format iso");
    return params.format;
}

std::string stored_format(const std::string& given) {
    return contains(converted_formats, given) ? "qcow2" : given;
}

struct Checksum {
    std::string algorithm;  // "md5", "sha256"; empty: none was given
    std::string hex;
};

// "checksum::sha256::<hex>"
Checksum parse_checksum(const std::string& tag) {
    constexpr std::string_view name = "checksum::";
    const auto split = tag.find("::", name.size());
    if (split == std::string::npos)
        refuse("system tag '" + tag + "' must be checksum::md5::<hex> or checksum::sha256::<hex>");
    Checksum sum{tag.substr(name.size(), split - name.size()), tag.substr(split + 2)};
    std::transform(sum.hex.begin(), sum.hex.end(), sum.hex.begin(), [](unsigned char c) { return std::tolower(c); });
    const std::size_t digits = sum.algorithm == "md5" ? 32 : sum.algorithm == "sha256" ? 64 : 0;
    if (digits == 0) refuse("system tag '" + tag + "': the algorithm must be md5 or sha256");
    if (sum.hex.size() != digits || sum.hex.find_first_not_of("0123456789abcdef") != std::string::npos)
        refuse("system tag '" + tag + "': " + sum.algorithm + " has " + std::to_string(digits) + " hex digits");
    return sum;
}

// The checksum speaks about the file that comes, not about what is stored: it is checked, and not kept as a tag.
Checksum take_checksum(std::vector<std::string>& tags) {
    Checksum sum;
    for (const std::string& tag : tags) {
        if (tag.starts_with("checksum::")) {
            if (!sum.algorithm.empty()) refuse("system tag 'checksum' was given twice");
            sum = parse_checksum(tag);
        } else if (tag != "qemuga" && tag != "bootMode::Legacy" && tag != "bootMode::UEFI") {
            refuse("no system tag of images matches '" + tag +
                   "'; known are qemuga, bootMode::Legacy|UEFI and checksum::md5|sha256::<hex>");
        }
    }
    std::erase_if(tags, [](const std::string& tag) { return tag.starts_with("checksum::"); });
    return sum;
}

void check(const AddImage& params) {
    const std::string scheme = scheme_of(params.url);
    if (!contains(known_schemes, scheme))
        refuse("parameter 'url' must begin with http://, https://, ftp://, sftp:// or file:///, but its scheme is \"" +
               scheme + "\"");
    if (params.system && params.media_type == MediaType::iso) refuse("parameter 'system': an ISO cannot be a system image");
}

Image new_image(const AddImage& params) {
    Image image;
    image.uuid = params.uuid;
    image.name = params.name;
    image.description = params.description;
    image.status = ImageStatus::downloading;
    image.url = without_secrets(params.url);
    image.media_type = params.media_type;
    image.guest_os_type = params.guest_os_type;
    image.type = params.type;
    image.platform = params.platform;
    image.architecture = params.architecture;
    image.format = stored_format(given_format(params));
    image.system = params.system;
    image.virtio = params.virtio;
    return image;
}

class Fetch {
public:
    Fetch(Services& services, Job& job, const AddImage& params, const Checksum& checksum)
        : services_(services), job_(job), params_(params), checksum_(checksum), shown_(without_secrets(params.url)) {}

    void run(const BackupStorage& storage, const std::string& target) {
        const std::string temporary = target + ".download";
        try {
            // What an earlier life of the job began may be reading the file still: it is not written again.
            const std::string fetched = "fetched " + temporary;
            if (!job_.recall(fetched) || !services_.files.exists(temporary)) {
                download(storage, temporary);
                job_.progress(81, "inspect");
                verify(temporary);
                job_.remember(fetched, true);
            }
            const std::string given = given_format(params_);
            const DiskImageInfo info = inspect_image(services_, temporary, given, shown_);
            if (stored_format(given) == given)
                services_.files.publish(temporary, target);
            else
                convert(storage, temporary, info.format, target);
        } catch (...) {
            throw as_download_error(current_error());
        }
    }

private:
    void download(const BackupStorage& storage, const std::string& temporary) {
        // What an earlier life of the job has brought takes its room already.
        const Bytes there = services_.files.exists(temporary) ? services_.files.allocated(temporary) : 0;
        services_.http.download(
            params_.url.starts_with("/") ? "file://" + params_.url : params_.url, temporary,
            services_.files.space(storage.url).available + there,
            [&](Bytes done, Bytes total) {
                if (total > 0)
                    job_.progress(static_cast<int>(done * 80 / total),
                                  "download " + human_size(done) + " of " + human_size(total));
            },
            job_.cancellation());
    }
    void verify(const std::string& temporary) {
        if (checksum_.algorithm.empty()) return;
        const std::string found = checksum_.algorithm == "md5" ? services_.files.md5(temporary, job_.cancellation())
                                                               : services_.files.sha256(temporary, job_.cancellation());
        if (found != checksum_.hex)
            refuse("system tag 'checksum': the " + checksum_.algorithm + " of " + shown_ + " is " + found + ", expected " +
                   checksum_.hex);
    }
    void convert(const BackupStorage& storage, const std::string& temporary, const std::string& format,
                 const std::string& target) {
        copy_image(services_, job_, temporary, format, storage, target, shown_,
                   [&](int percent) { job_.progress(82 + percent / 12, "convert from " + format); });
        services_.files.remove_file(temporary);
    }
    static Error as_download_error(const Error& error) {
        if (error.code() == Code::invalid_argument || error.code() == Code::job_cancelled ||
            error.code() == Code::image_download)
            return error;
        return Error(Code::image_download, error.details(), error);
    }

    Services& services_;
    Job& job_;
    const AddImage& params_;
    const Checksum& checksum_;
    const std::string shown_;
};

}  // namespace

json add_image(Services& services, Job& job, const AddImage& params) {
    check(params);
    ImageArrival arrival;
    arrival.tags = params.tags;
    const Checksum checksum = take_checksum(arrival.tags.system);
    arrival.image = new_image(params);
    arrival.storages = params.backup_storages;
    Fetch fetch(services, job, params, checksum);
    arrival.make = [&](const BackupStorage& storage, const std::string& target) { fetch.run(storage, target); };
    bring_in(services, job, arrival);
    return services.inventory.answer("Image", params.uuid.str());
}

}  // namespace hvagent::operations
