#include "agent/operations/cdrom/drives.h"

#include <algorithm>

#include "agent/operations/vm/tags.h"
#include "hvagent/error.h"

namespace hvagent::operations {
namespace {

constexpr const char* empty_drive = "Empty";
constexpr const char* no_drive = "None";

[[noreturn]] void refuse(const std::string& details) {
    throw Error(Code::invalid_argument, details);
}

std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> parts;
    std::size_t from = 0;
    for (std::size_t at; (at = text.find("::", from)) != std::string::npos; from = at + 2)
        parts.push_back(text.substr(from, at - from));
    parts.push_back(text.substr(from));
    return parts;
}

bool is_word(const std::string& text, const char* word) {
    return std::equal(text.begin(), text.end(), word, word + std::string_view(word).size(), [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
    });
}

// The medium of each drive; an empty id is an empty drive.
using Media = std::vector<ImageId>;

Media media_of_cdroms_tag(Services& services, const std::string& value) {
    Media media;
    for (const std::string& part : split(value)) {
        if (is_word(part, no_drive)) continue;
        media.push_back(is_word(part, empty_drive) ? ImageId() : usable_iso(services, ImageId(part)).uuid);
    }
    return media;
}

// iso::<uuid>::<drive>: drives before it are there too.
void put_isos_of_tags(Services& services, const std::vector<std::string>& tags, Media& media) {
    for (const std::string& tag : tags) {
        if (!tag.starts_with("iso::")) continue;
        const std::vector<std::string> parts = split(tag);
        const auto drive = static_cast<std::size_t>(std::stoi(parts[2]));
        if (media.size() <= drive) media.resize(drive + 1);
        if (!media[drive].empty()) refuse("system tag 'iso': drive " + parts[2] + " has an ISO already");
        media[drive] = usable_iso(services, ImageId(parts[1])).uuid;
    }
}

void put_boot_iso(const Image& iso, Media& media) {
    if (std::find(media.begin(), media.end(), iso.uuid) != media.end()) return;
    if (media.empty()) media.emplace_back();
    const auto empty = std::find(media.begin(), media.end(), ImageId());
    if (empty == media.end())
        refuse("system tag 'cdroms': no drive is left for " + iso.name + ", which the VM is made from");
    *empty = iso.uuid;
}

void check_each_once(const Media& media) {
    for (const ImageId& iso : media)
        if (!iso.empty() && std::count(media.begin(), media.end(), iso) > 1)
            refuse("the ISO " + iso.str() + " cannot be in two drives of a VM");
}

Media wished_media(Services& services, const std::vector<std::string>& tags, const std::optional<Image>& boot_iso) {
    const std::string cdroms = tag_value(tags, "cdroms");
    const bool without = tag_value(tags, "createWithoutCdRom") == "true";
    if (without && (!cdroms.empty() || !tag_value(tags, "iso").empty()))
        refuse("system tag 'createWithoutCdRom' contradicts 'cdroms' and 'iso'");
    Media media;
    if (!cdroms.empty())
        media = media_of_cdroms_tag(services, cdroms);
    else if (!without)
        media.resize(static_cast<std::size_t>(services.settings.cdroms));
    put_isos_of_tags(services, tags, media);
    if (boot_iso) put_boot_iso(*boot_iso, media);
    check_each_once(media);
    return media;
}

}  // namespace

Image usable_iso(Services& services, const ImageId& id) {
    const Image iso = services.inventory.get<Image>(id);
    if (iso.media_type != MediaType::iso)
        refuse("the image " + iso.name + " (" + id.str() + ") is a " + std::string(to_text(iso.media_type)) +
               ", not an ISO");
    if (iso.state != EnabledState::enabled) throw Error(Code::operation_failed, "the ISO " + iso.name + " is Disabled");
    if (iso.status != ImageStatus::ready)
        throw Error(Code::operation_failed,
                    "the ISO " + iso.name + " is " + std::string(to_text(iso.status)) + ", not Ready");
    return iso;
}

std::vector<VmCdRom> plan_drives(Services& services, const VmId& vm, std::vector<std::string>& tags,
                                 const std::optional<Image>& boot_iso) {
    const Media media = wished_media(services, tags, boot_iso);
    std::vector<VmCdRom> drives;
    for (std::size_t i = 0; i < media.size(); ++i) {
        VmCdRom drive;
        drive.uuid = CdRomId::make();
        drive.vm = vm;
        drive.device_id = static_cast<int>(i);
        drive.iso = media[i];
        drive.name = "vm-" + vm.str() + "-cdRom-" + std::to_string(i);
        drives.push_back(drive);
    }
    std::erase_if(tags, [](const std::string& tag) { return tag.starts_with("cdroms::") || tag.starts_with("iso::"); });
    return drives;
}

std::vector<VmCdRom> drives_of(const inventory::Inventory& inventory, const VmId& vm) {
    auto drives = inventory.list<VmCdRom>({{"vmInstanceUuid", vm.str()}});
    std::sort(drives.begin(), drives.end(), [](const VmCdRom& a, const VmCdRom& b) { return a.device_id < b.device_id; });
    return drives;
}

}  // namespace hvagent::operations
